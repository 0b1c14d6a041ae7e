package bundle

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/veil"
)

// Header is what a bundle says of itself. Everything in it follows from the events but
// MadeBy, and is held against them.
type Header struct {
	Format   int         `json:"format"`
	Gateway  string      `json:"gateway"`
	Redacted bool        `json:"redacted"`
	Events   int         `json:"events"`
	First    uint64      `json:"first"`
	Last     uint64      `json:"last"`
	Head     events.Hash `json:"head"` // SHA-256 of the last line in the bundle
	MadeBy   string      `json:"made_by"`
}

const format = 1

// mimetype is the first member: a bundle begins with a zip's local header, this name, and
// mediaType.
const (
	mimetype  = "mimetype"
	mediaType = "application/vnd.ibrecorder.bundle+zip"
)

const (
	readmeFile  = "README.txt"
	headerFile  = "header.json"
	eventsFile  = "events.ndjson"
	saltsFile   = "salts.txt"
	headsFile   = "heads.txt"
	keyFile     = "key.txt"
	noteFolder  = "checkpoint/"
	noteSuffix  = ".note"
	maxSmall    = 64 << 10 // of every member that is not named below
	maxSalts    = 1 << 30  // 16 million values
	maxEvents   = 1 << 36
	maxDocument = 64 << 20
	maxMembers  = 1 << 10
)

// MaxDocument is the longest document that may be put into a bundle, in bytes.
const MaxDocument = maxDocument

// Signed is what a recorder has signed of a log, and what it takes to check that.
type Signed struct {
	Key         string // public; "" if nothing is signed
	Checkpoints []checkpoint.Saved
	// Salts are those of the log; nil if the lines are veiled already, or nobody has them.
	Salts veil.Salts
	// Heads are those of the checkpoints, by size.
	Heads checkpoint.Heads
}

// Contents is what goes into a bundle.
type Contents struct {
	Header Header // as the events have it; Format is set by Write
	Signed Signed
	// Events are the lines of the bundle.
	Events iter.Seq2[events.Record, error]
	// Documents are written as they are, in this order.
	Documents []Document
}

// Document is a member that is made from the events.
type Document struct {
	Name string
	Text []byte
}

// Write writes a bundle. It ends early with the error of the events.
func Write(w io.Writer, c Contents) error {
	z := &writer{zip: zip.NewWriter(w)}
	z.first()
	c.Header.Format = format
	z.text(readmeFile, []byte(readme(c.Header, c.Signed)))
	header, err := json.MarshalIndent(c.Header, "", "  ")
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	z.text(headerFile, append(header, '\n'))
	var salts *veil.Kept
	if c.Signed.Salts != nil && !c.Header.Redacted && len(c.Signed.Checkpoints) > 0 {
		salts = veil.Keep(c.Signed.Salts)
	}
	z.events(c.Events, salts)
	if salts != nil {
		z.text(saltsFile, salts.Text())
		z.text(headsFile, c.Signed.headsText())
	}
	for _, s := range c.Signed.Checkpoints {
		z.text(fmt.Sprintf("%s%d%s", noteFolder, s.Size, noteSuffix), s.Text)
	}
	if c.Signed.Key != "" {
		z.text(keyFile, []byte(c.Signed.Key+"\n"))
	}
	for _, d := range c.Documents {
		z.text(d.Name, d.Text)
	}
	if z.err == nil {
		z.err = z.zip.Close()
	}
	if z.err != nil {
		return fmt.Errorf("write the bundle: %w", z.err)
	}
	return nil
}

// headsText has the salt of each checkpoint's commitment to the stored bytes, by size.
func (s Signed) headsText() []byte {
	var b strings.Builder
	for _, c := range s.Checkpoints {
		if salt, ok := s.Heads[c.Size]; ok {
			fmt.Fprintf(&b, "%d %x\n", c.Size, salt[:])
		}
	}
	return []byte(b.String())
}

// writer writes members until the first error, which it keeps.
type writer struct {
	zip *zip.Writer
	err error
}

// first writes the member by which a bundle is known.
func (z *writer) first() {
	h := &zip.FileHeader{
		Name: mimetype, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(mediaType)),
		CompressedSize64: uint64(len(mediaType)), UncompressedSize64: uint64(len(mediaType)),
	}
	w, err := z.zip.CreateRaw(h)
	if err == nil {
		_, err = io.WriteString(w, mediaType)
	}
	z.err = err
}

// epoch is the time of every member: a bundle says in its events when what happened, and
// the moment of packing would make two of them differ.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (z *writer) member(name string) io.Writer {
	if z.err != nil {
		return io.Discard
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	h.SetMode(0o600)
	w, err := z.zip.CreateHeader(h)
	if err != nil {
		z.err = err
		return io.Discard
	}
	return w
}

func (z *writer) text(name string, text []byte) {
	if w := z.member(name); z.err == nil {
		_, z.err = w.Write(text)
	}
}

// events writes the lines, and meets every value whose salt is to be kept.
func (z *writer) events(lines iter.Seq2[events.Record, error], salts *veil.Kept) {
	w := bufio.NewWriterSize(z.member(eventsFile), 64<<10)
	var v *veil.Veil
	if salts != nil {
		v = veil.New(salts, events.Hash{})
	}
	for rec, err := range lines {
		if z.err == nil {
			z.err = err
		}
		if z.err == nil && v != nil {
			_, z.err = v.Line(rec)
		}
		if z.err != nil {
			return
		}
		_, _ = w.Write(rec.Raw) // Flush has the error
		_ = w.WriteByte('\n')
	}
	z.err = w.Flush()
}

func readme(h Header, s Signed) string {
	var b strings.Builder
	fmt.Fprintf(&b, `This is an evidence bundle of ibrecorder: the history of the connections to one
Gateway, %q, as the recorder wrote it down. To check it, with the public key that its
owner gave you before (recorder log key):

    replay verify FILE.ibrec --key KEY

To look into it with other tools, unzip it: events.ndjson has one event a line.
Everything else in here follows from the events or is held against them.
`, h.Gateway)
	if h.Redacted {
		b.WriteString(`
It is redacted. What said who, where and in which words is replaced by commitments,
"redacted:x" and 52 characters; equal values have equal ones. prev is the SHA-256 of the
line before, as it stands here and not as it was stored.
`)
	}
	if len(s.Checkpoints) == 0 {
		b.WriteString("\nNothing in it is signed.\n")
		return b.String()
	}
	b.WriteString(`
checkpoint/N.note is signed (C2SP signed note, ed25519, tlog-checkpoint): the root of an
RFC 6962 tree over the first N lines of the redacted form. `)
	if h.Redacted {
		b.WriteString("Its leaves are the lines of\nevents.ndjson as they stand.\n")
	} else {
		b.WriteString(`salts.txt has what makes
that form of the lines that are here, one salt for each value in the order of their
appearance; a commitment is SHA-256(salt, letter, value).
`)
	}
	return b.String()
}
