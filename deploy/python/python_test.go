//go:build !race

package python_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// class is the head of one in test_ibrecorder.py.
var class = regexp.MustCompile(`(?m)^class (Test\w+)\(Case\):$`)

// ran is how unittest ends if all was well; nothing may be skipped.
var ran = regexp.MustCompile(`(?m)^Ran [1-9]\d* tests? in .*\n\nOK\n$`)

// TestPython runs the tests in Python, each class of them in a process of its own,
// against this recorder and its simulated Gateway. The race detector has nothing to
// look at here.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed; .ci/run installs it")
	}
	source, err := os.ReadFile("test_ibrecorder.py")
	if err != nil {
		t.Fatal(err)
	}
	pair := t.TempDir()
	if err := certificate(pair); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "recorder")
	if out, err := exec.Command("go", "build", "-o", binary, "ibrecorder/cmd/recorder").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	classes := class.FindAllSubmatch(source, -1)
	if len(classes) < 5 {
		t.Fatalf("found %d classes of tests", len(classes))
	}
	t.Run("all", func(t *testing.T) {
		for _, m := range classes {
			name := string(m[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command(python, "-W", "error", "-m", "unittest", "test_ibrecorder."+name)
				// A variable of the recorder's or the runner's own would change what is tested.
				cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
					return strings.HasPrefix(v, "IBRECORDER_") || strings.HasPrefix(v, "RECORDER_")
				}), "RECORDER_TEST_BINARY="+binary, "RECORDER_TEST_TLS="+pair, "PYTHONDONTWRITEBYTECODE=1")
				out, err := cmd.CombinedOutput()
				if err != nil || !ran.Match(out) {
					t.Fatalf("%v\n%s\nagain: go test ./deploy/python -run TestPython/all/%s", err, out, name)
				}
				t.Logf("%s", out)
			})
		}
	})
}

// certificate writes one for 127.0.0.1 that vouches for itself, and its key, into a folder.
func certificate(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	is := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, &is, &is, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}
