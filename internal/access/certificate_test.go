package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair writes a certificate with a serial number, and its key.
func pair(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	made := x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, &made, &made, &key.PublicKey, key)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestACertificateIsReplacedWhole: who connects sees the pair that was read last, and one
// that is broken changes nothing.
func TestACertificateIsReplacedWhole(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := LoadCertificate(certFile, keyFile); err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("without files: %v", err)
	}
	pair(t, dir, 1)
	c, err := LoadCertificate(certFile, keyFile)
	must(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", c.Config())
	must(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake() // one that the client does not like fails
			_ = conn.Close()
		}
	}()
	serial := func(most uint16) (int64, error) {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: most})
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
	}
	see := func(when string, want int64) {
		t.Helper()
		if got, err := serial(0); err != nil || got != want {
			t.Errorf("%s: certificate %d, %v, want %d", when, got, err, want)
		}
	}
	see("at first", 1)
	if _, err := serial(tls.VersionTLS12); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	pair(t, dir, 2)
	see("before it is read", 1)
	must(t, c.Reload())
	see("after it was read", 2)

	pair(t, dir, 3)
	must(t, os.WriteFile(certFile, []byte("half of"), 0o644))
	if err := c.Reload(); err == nil {
		t.Error("half a certificate is taken")
	}
	see("after one that was broken", 2)
	pair(t, dir, 4)
	must(t, os.Chmod(keyFile, 0o640))
	if err := c.Reload(); err == nil || !strings.Contains(err.Error(), "type: chmod 600 "+keyFile) {
		t.Errorf("a key that others may read: %v", err)
	}
	see("after one whose key others may read", 2)
}

func TestAQuotaIsOfEachSource(t *testing.T) {
	q := NewQuota(0.001, 3)
	for i, c := range []struct {
		source string
		n      int
		may    bool
	}{{"a", 2, true}, {"a", 2, false}, {"a", 1, true}, {"a", 1, false}, {"b", 3, true}, {"b", 1, false}} {
		wait := q.Take(c.source, c.n)
		if may := wait == 0; may != c.may || !may && (wait < time.Second || wait > 2001*time.Second) {
			t.Errorf("%d: %s takes %d and is told to wait %s", i+1, c.source, c.n, wait)
		}
	}
}
