package access

import (
	"crypto/tls"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
)

// Certificate is the pair of files by which the recorder is known over TLS.
type Certificate struct {
	certFile, keyFile string
	pair              atomic.Pointer[tls.Certificate] // the last good one
}

// LoadCertificate reads the pair. The error names the files and says what is wrong.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the pair again, for those who connect from now on. If the new one cannot
// be used the old one stays.
func (c *Certificate) Reload() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		err = ownersAlone(c.keyFile)
	}
	if err != nil {
		return fmt.Errorf("the certificate in %s with the key in %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair.Store(&pair)
	return nil
}

// ownersAlone refuses a file that others than its owner may read.
func ownersAlone(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // where files have the rights of their folder
		err = fmt.Errorf("the key can be read by others (%o); type: chmod 600 %s", info.Mode().Perm(), path)
	}
	return err
}

// Config is for a listener.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"http/1.1"}, // a stream has a connection of its own
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.pair.Load(), nil },
	}
}
