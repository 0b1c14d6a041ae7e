package channel

import (
	"crypto/tls"
	"time"
)

// For tests: whom to trust, and how long to wait.
func (h *Hook) Set(timeout time.Duration) *Hook { h.sender.Timeout = timeout; return h }
func (m *Mail) Set(trust *tls.Config, timeout time.Duration) *Mail {
	m.trust, m.timeout = trust, timeout
	return m
}

// Redact is what stands in an error of what a receiver said.
func Redact(s string, secrets ...string) string { return redact(s, secrets) }
