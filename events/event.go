package events

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// MaxBytes is the longest encoded event in bytes, newline excluded. It is also
// the log's MaxMsgSize, so that what can be encoded can be appended.
const MaxBytes = 64 << 10

// NoMono marks an event whose monotonic time is unknown, as in a history that
// was imported from a written account. Such an event is never judged by duration.
const NoMono int64 = -1

// BootImport is the boot of events that no recorder saw: they were written down
// from somebody's account of an incident.
const BootImport = "import"

// Hash is the SHA-256 of stored bytes.
type Hash [sha256.Size]byte

// HashOf hashes one event as stored, without a newline. Only stored bytes are
// hashed, never a re-encoding, because a chain must survive any new encoder.
func HashOf(stored []byte) Hash { return sha256.Sum256(stored) }

// String returns 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns what String returns.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = parsed
	return nil
}

// ParseHash reads 64 lower-case hexadecimal digits. The error is ErrNotAllowed.
func ParseHash(s string) (Hash, error) {
	if len(s) != 2*len(Hash{}) {
		return Hash{}, fmt.Errorf("%w: hash %q has %d characters, want %d", ErrNotAllowed, shown(s), len(s), 2*len(Hash{}))
	}
	var h Hash
	if !h.setHex(s) {
		return Hash{}, fmt.Errorf("%w: hash %q, want lower-case hexadecimal digits", ErrNotAllowed, shown(s))
	}
	return h, nil
}

// setHex reads 64 hexadecimal digits and reports whether all of them are.
func (h *Hash) setHex(s string) bool {
	var all byte
	for i := range h {
		hi, lo := nibbles[s[2*i]], nibbles[s[2*i+1]]
		all |= hi | lo
		h[i] = hi<<4 | lo
	}
	return all < 16
}

// Event is one stamped fact or decision. Events are values: nobody changes one
// after it was encoded.
type Event struct {
	// ID is unique in the log. The recorder's own is boot-gateway-seq; a
	// reporter's is kept as it came, because it is what deduplicates.
	ID string
	// Source is who saw it: "/tap", "/session", "/watch", "/runner/robo-1",
	// "/operator/cli", "/recorder".
	Source string
	// Gateway is the name of the gateway, [a-z][a-z0-9-]{0,31}.
	Gateway string
	// Time is the wall clock in UTC, for people. Zero when unknown (imports).
	Time time.Time
	// Seq is the position in the gateway's log: from 1, without a gap.
	Seq uint64
	// Boot identifies one run of the recorder, or is BootImport.
	Boot string
	// Mono is nanoseconds since that boot, or NoMono.
	Mono int64
	// Conn is one client connection, empty if the event belongs to none.
	Conn string
	// Attempt is the connect attempt it belongs to, empty if none.
	Attempt string
	// Epoch counts releases: everything between two releases shares one.
	Epoch uint64
	// Cause is the ID of the event that led to this one.
	Cause string
	// SourceTime is the time as an outside reporter printed it: a claim.
	SourceTime string
	// Prev is the hash of the stored event before this one; zero at seq 1.
	Prev Hash
	// Data is the payload; its type determines Kind.
	Data Payload
}

// Kind is the kind of the payload, or "" for an event without one.
func (e Event) Kind() Kind {
	if e.Data == nil {
		return ""
	}
	return e.Data.Kind()
}

// Elapsed returns the monotonic nanoseconds from a to b and whether they can be
// known: both must have been stamped in the same run of the recorder.
func Elapsed(a, b Event) (ns int64, known bool) {
	if a.Boot != b.Boot || a.Mono == NoMono || b.Mono == NoMono {
		return 0, false
	}
	return b.Mono - a.Mono, true
}

// Draft is an event before its stamp: what a sensor saw or what the loop decided.
// Only the loop turns drafts into events, through a Redactor.
type Draft struct {
	ID         string // only for an outside report, which it deduplicates
	Source     string
	Conn       string
	Attempt    string
	Cause      string
	SourceTime string
	Data       Payload
}

// Stamp is what the loop adds to a draft. Nobody else sets these.
type Stamp struct {
	Gateway string
	Time    time.Time
	Seq     uint64
	Boot    string
	Mono    int64
	Epoch   uint64
	Prev    Hash
}

// Record is an event together with the bytes under which it is stored.
type Record struct {
	Event
	Raw []byte
}

// Hash is the hash of the stored bytes.
func (r Record) Hash() Hash { return HashOf(r.Raw) }

// NewRecord encodes e.
func NewRecord(e Event) (Record, error) {
	raw, err := Encode(e)
	if err != nil {
		return Record{}, err
	}
	return Record{Event: e, Raw: raw}, nil
}

// ParseRecord decodes one stored event and keeps its bytes.
func ParseRecord(stored []byte) (Record, error) {
	e, err := Decode(stored)
	if err != nil {
		return Record{}, err
	}
	return Record{Event: e, Raw: stored}, nil
}

// ErrGatewayName is returned for a gateway name that cannot be a subject token.
var ErrGatewayName = errors.New("invalid gateway name")

// CheckGatewayName reports whether name is [a-z][a-z0-9-]{0,31}: it becomes a
// NATS subject token, a stream name and a file name.
func CheckGatewayName(name string) error {
	if !isGatewayName(name) {
		return fmt.Errorf("%w %q: want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id", ErrGatewayName, shown(name))
	}
	return nil
}

func isGatewayName(name string) bool {
	if len(name) < 1 || len(name) > 32 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c != '-' && (classes[c]&isWord == 0 || classes[c]&isCapital != 0) {
			return false
		}
	}
	return !hasAccountID(name)
}
