package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"ibrecorder/internal/source/streamtest"
)

// What docs/bundle.md tells a third party to do, done with the standard library alone.
func TestABundleCanBeCheckedByHand(t *testing.T) {
	s := streamtest.Night("live")
	dir, key := folder(t, s, 100, s.Len())
	in := map[string]string{}
	for _, m := range members(t, pack(t, dir, "--redact")) {
		in[m.Name] = m.Text
	}
	public, err := base64.StdEncoding.DecodeString(strings.SplitN(key, "+", 3)[2])
	if err != nil || len(public) != 33 || public[0] != 1 {
		t.Fatalf("the key is %q", key)
	}
	lines := strings.SplitAfter(in["events.ndjson"], "\n")
	lines = lines[:len(lines)-1]

	checked := 0
	for name, text := range in {
		if !strings.HasPrefix(name, "checkpoint/") {
			continue
		}
		body, signature, _ := strings.Cut(text, "\n\n")
		body += "\n"
		fields := strings.Fields(signature) // a dash, the name of the key, and 4 bytes of its hash before the signature
		sig, err := base64.StdEncoding.DecodeString(fields[2])
		if err != nil || !ed25519.Verify(public[1:], []byte(body), sig[4:]) {
			t.Errorf("%s: the signature does not belong to the text", name)
		}
		said := strings.Split(body, "\n")
		var size int
		if _, err := fmt.Sscan(said[1], &size); err != nil {
			t.Fatal(err)
		}
		root := rootOf(lines[:size])
		if got := base64.StdEncoding.EncodeToString(root[:]); got != said[2] {
			t.Errorf("%s: the root over %d lines is %s, and it says %s", name, size, got, said[2])
		}
		first := sha256.Sum256([]byte(strings.TrimSuffix(lines[0], "\n")))
		if want := fmt.Sprintf("ibrecorder/live/%x", first[:8]); said[0] != want {
			t.Errorf("%s: the origin is %s, want %s", name, said[0], want)
		}
		checked++
	}
	if checked != 2 {
		t.Errorf("%d checkpoints were checked, want 2", checked)
	}
}

// rootOf is the Merkle tree hash of RFC 6962, section 2.1.
func rootOf(lines []string) [32]byte {
	if len(lines) == 1 {
		return sha256.Sum256([]byte("\x00" + strings.TrimSuffix(lines[0], "\n")))
	}
	k := 1
	for 2*k < len(lines) {
		k *= 2
	}
	left, right := rootOf(lines[:k]), rootOf(lines[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}
