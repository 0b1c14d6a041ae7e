package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// ErrBadVersion: a server's first frame is not a version reply. What came may be
// a frame of another protocol, garbage, or a reply that would crash a client.
var ErrBadVersion = errors.New("wire: not a version reply")

// Server versions from which a message changes its form.
const (
	versionRejectJSON    = 166 // the error message gains advancedOrderRejectJson
	versionErrorTime     = 194 // the error message loses its version field and gains errorTime
	versionRawID         = 201 // message ids are raw integers, in both directions
	versionErrorProto    = 203 // the error message may be protobuf
	versionAccountsProto = 207 // managedAccounts may be protobuf
	versionSessionProto  = 213 // startAPI, nextValidId and currentTime may be protobuf
)

// VersionReply is a server's first frame. It is text, without a message id,
// whatever the version.
type VersionReply struct {
	// Version is the negotiated server version, or -1 for a redirect. Whether it
	// lies in the offered range is for Hello.Accepts to say.
	Version int
	// ConnectionTime is the Gateway's local time with the name of its zone, as it
	// printed it. Empty in a redirect.
	ConnectionTime string
	// Redirect is host or host:port, if Version is -1. Only very old servers used it.
	Redirect string
}

// ParseVersionReply decodes a server's first frame. The error wraps
// ErrBadVersion if it is not exactly two NUL-terminated fields of which the
// first is a number from -1 up.
func ParseVersionReply(f Frame) (VersionReply, error) {
	b := f.Prefix
	if !f.Complete() {
		return VersionReply{}, fmt.Errorf("%w: frame of %d bytes", ErrBadVersion, f.Length)
	}
	number, b, ok1 := cutField(b)
	second, b, ok2 := cutField(b)
	if !ok1 || !ok2 || len(b) != 0 {
		return VersionReply{}, fmt.Errorf("%w: %d bytes are not two fields", ErrBadVersion, f.Length)
	}
	if string(number) == "-1" {
		return VersionReply{Version: -1, Redirect: string(second)}, nil
	}
	version, ok := parseVersionNumber(number)
	if !ok {
		return VersionReply{}, fmt.Errorf("%w: version %.20q", ErrBadVersion, number)
	}
	return VersionReply{Version: version, ConnectionTime: string(second)}, nil
}

// AppendVersionReply appends a version reply, or the redirect if Version is -1.
func AppendVersionReply(dst []byte, r VersionReply) []byte {
	dst, mark := beginFrame(dst)
	dst = appendInt(dst, int64(r.Version))
	if r.Version == -1 {
		return endFrame(appendText(dst, r.Redirect), mark)
	}
	return endFrame(appendText(dst, r.ConnectionTime), mark)
}

// cutField takes one NUL-terminated text field off b. False if there is no NUL.
func cutField(b []byte) (field, rest []byte, ok bool) { return bytes.Cut(b, []byte{0}) }

func appendText(dst []byte, s string) []byte { return append(append(dst, s...), 0) }

func appendInt(dst []byte, n int64) []byte { return append(strconv.AppendInt(dst, n, 10), 0) }
