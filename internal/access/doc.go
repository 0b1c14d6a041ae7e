// Package access says who may ask the recorder for what over a port: callers and their
// scopes, tokens, how much each may send, and the certificate by which the recorder is
// known.
//
// # What it guarantees
//
//   - A token has 256 random bits, and a recorder keeps their hash alone (TestSecrets).
//   - A scope allows what it says, and to read (TestScopes); a caller whom nobody has
//     looked at may do nothing (TestNobodyLooked).
//   - What one source sends takes nothing from another (TestAQuotaIsOfEachSource).
//   - A certificate is replaced whole or not at all, and nothing below TLS 1.3 is spoken
//     (TestACertificateIsReplacedWhole).
//
// # What it refuses to do
//
// It answers nobody: internal/httpapi and internal/natsapi do.
package access
