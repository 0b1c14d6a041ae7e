package backup

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
	"ibrecorder/internal/source"
	"ibrecorder/store"
)

const (
	kind       = "ibrecorder backup 1\n" // the first member, by which it is known
	kindName   = "backup"
	filesRoot  = "files/"
	logsRoot   = "logs/"
	logEnds    = ".ndjson"
	listName   = "contents.json"
	markFolder = "mark"
	formatFile = "store.format" // what a data folder is known by
)

// Contents is what a backup has.
type Contents struct {
	// Logs are those of the gateways, by their names.
	Logs []Log `json:"logs"`
	// Files is how many others there are: keys, marks, checkpoints.
	Files int `json:"files"`
}

// Log is one log of a backup.
type Log struct {
	// Gateway is whose log it is.
	Gateway string `json:"gateway"`
	// First and Last are the sequences of its first and its last event, 0 if it has none.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Hash is that of its last event, 64 hexadecimal digits.
	Hash events.Hash `json:"hash"`
}

// leftOut are what a restored folder makes anew, or does not need.
var leftOut = []string{"jetstream", "quarantine", "snapshot", "lock", formatFile}

// Write puts the data folder into the file to, mode 0600, which must not exist. A recorder
// may run on it. What it returns was read back from the file.
func Write(ctx context.Context, data, to string) (c Contents, err error) {
	fail := func(err error) (Contents, error) { return c, fmt.Errorf("back up %s: %w", data, err) }
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("%s: %w; name another file", to, fs.ErrExist)
		}
		return fail(err)
	}
	if _, err := os.Stat(filepath.Join(data, formatFile)); err != nil {
		return fail(fmt.Errorf("it is no data folder of a recorder: %w; name one: --data FOLDER", err))
	}
	gateways, err := store.GatewaysIn(data)
	if err != nil {
		return fail(err)
	}
	// It has the keys, and to may be in a folder of others: a file that is there already may
	// be theirs, or lead elsewhere.
	tmp := to + diskfile.Unfinished
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	err = errors.Join(write(ctx, data, gateways, f), f.Sync())
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		c, err = read(ctx, f, look{})
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(tmp, to) // not over a file that has come meanwhile
	}
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(os.Remove(tmp), diskfile.SyncDir(filepath.Dir(to))); err != nil {
		return fail(err)
	}
	return c, nil
}

// write makes the tar. The files come first, so that no mark and no checkpoint is of an
// event that comes after those that are read behind them.
func write(ctx context.Context, data string, gateways []string, out io.Writer) error {
	w := tar.NewWriter(out)
	if err := member(w, kindName, []byte(kind)); err != nil {
		return err
	}
	var c Contents
	err := filepath.WalkDir(data, func(p string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(data, p)
		switch err = errors.Join(err, relErr, ctx.Err()); {
		case errors.Is(err, fs.ErrNotExist): // a checkpoint that gave way to a newer one
			return nil
		case err != nil:
			return err
		case slices.Contains(leftOut, rel) && d.IsDir():
			return fs.SkipDir
		case slices.Contains(leftOut, rel), !d.Type().IsRegular(), strings.HasSuffix(rel, diskfile.Unfinished), store.IsNote(rel):
			return nil
		}
		b, err := os.ReadFile(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		c.Files++
		return member(w, filesRoot+filepath.ToSlash(rel), b)
	})
	if err != nil {
		return err
	}
	for _, gateway := range gateways {
		l, err := writeLog(ctx, w, data, gateway)
		if err != nil {
			return err
		}
		c.Logs = append(c.Logs, l)
	}
	list, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return errors.Join(member(w, listName, append(list, '\n')), w.Close())
}

func member(w *tar.Writer, name string, content []byte) error {
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// writeLog adds the events of a log. A tar has the length of a member before it, so they
// are written to a file without a name first.
func writeLog(ctx context.Context, w *tar.Writer, data, gateway string) (l Log, err error) {
	l.Gateway = gateway
	src, err := source.Open(ctx, data, source.Options{Gateway: gateway})
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if len(src.Doubts) > 0 {
		return l, errors.Join(src.Doubts...)
	}
	spool, err := os.CreateTemp("", "ibrecorder-backup-") // 0600
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	if err := os.Remove(spool.Name()); err != nil {
		return l, err
	}
	buf := bufio.NewWriterSize(spool, 1<<16)
	for rec, err := range src.Events(ctx, 0, 0) {
		if err == nil {
			_, err = buf.Write(append(rec.Raw, '\n'))
		}
		if err != nil {
			return l, err
		}
		if l.First == 0 {
			l.First = rec.Seq
		}
		l.Last, l.Hash = rec.Seq, rec.Hash()
	}
	if err := buf.Flush(); err != nil {
		return l, err
	}
	size, err := spool.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = w.WriteHeader(&tar.Header{Name: path.Join(logsRoot, gateway+logEnds), Mode: 0o600, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
	}
	if err == nil {
		_, err = io.Copy(w, spool)
	}
	return l, err
}
