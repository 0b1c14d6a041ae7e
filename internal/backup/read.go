package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
)

// ErrBackup: the file is no backup, or not a whole one.
var ErrBackup = errors.New("not a whole backup")

// taker gets what is in a backup, in its order.
type taker interface {
	file(name string, content []byte) error
	log(ctx context.Context, gateway string, recs iter.Seq2[events.Record, error]) error
}

// look takes nothing: it is for reading alone.
type look struct{}

func (look) file(string, []byte) error { return nil }
func (look) log(_ context.Context, _ string, recs iter.Seq2[events.Record, error]) error {
	for _, err := range recs {
		if err != nil {
			return err
		}
	}
	return nil
}

// maxFile bounds what is no log. The largest is a base with its state and its judge.
const maxFile = 64 << 20

// read goes through a backup, checks all of it and hands it to to.
func read(ctx context.Context, in io.Reader, to taker) (c Contents, err error) {
	fail := func(format string, args ...any) (Contents, error) {
		return c, fmt.Errorf("%w: %w", ErrBackup, fmt.Errorf(format, args...))
	}
	files := map[string][]byte{} // bases and marks, by their names
	listed := false
	r := tar.NewReader(in)
	for first := true; ; first = false {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && listed:
			return c, nil
		case err == io.EOF:
			return fail("it is cut off")
		case err != nil:
			return fail("%w", err)
		case listed:
			return fail("there is more behind its end: %q", h.Name)
		}
		gateway, isLog := strings.CutSuffix(strings.TrimPrefix(h.Name, logsRoot), logEnds)
		name, isFile := strings.CutPrefix(h.Name, filesRoot)
		if h.Typeflag != tar.TypeReg || !strings.HasPrefix(h.Name, logsRoot) && h.Size > maxFile {
			return fail("%q is none of its files", h.Name)
		}
		switch {
		case first:
			if b, err := io.ReadAll(r); err != nil || h.Name != kindName || string(b) != kind {
				return fail("it does not begin as one of this version")
			}
		case isFile:
			b, err := io.ReadAll(r)
			if err != nil || !filepath.IsLocal(filepath.FromSlash(name)) || name != path.Clean(name) || slices.Contains(leftOut, strings.SplitN(name, "/", 2)[0]) {
				return fail("%q: %w", h.Name, errors.Join(err, fs.ErrInvalid))
			}
			c.Files++
			files[name] = b
			if err := to.file(name, b); err != nil {
				return c, err
			}
		case strings.HasPrefix(h.Name, logsRoot) && isLog && events.CheckGatewayName(gateway) == nil:
			l := Log{Gateway: gateway}
			marked := mark(files, gateway)
			if err := to.log(ctx, gateway, l.checked(ctx, r, files, marked)); err != nil {
				return c, fmt.Errorf("%s: %w", gateway, err)
			}
			if marked.Seq > l.Last {
				return fail("%s: its high-water mark is at event %d, and it ends with event %d", gateway, marked.Seq, l.Last)
			}
			c.Logs = append(c.Logs, l)
		case h.Name == listName:
			var want Contents
			b, err := io.ReadAll(r)
			if err == nil {
				err = json.Unmarshal(b, &want)
			}
			if err != nil || want.Files != c.Files || !slices.Equal(want.Logs, c.Logs) {
				return fail("it has %+v, and its list says %+v", c, want)
			}
			listed = true
		default:
			return fail("%q is none of its files", h.Name)
		}
	}
}

// checked passes the events of a log on, and l grows with them. They must be one chain
// that goes on from the base if it does not begin with event 1.
func (l *Log) checked(ctx context.Context, in io.Reader, files map[string][]byte, marked store.Mark) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		at := snapshot.Begin(l.Gateway)
		for rec, err := range events.ReadNDJSON(in) {
			if err == nil {
				_, _, err = at.Step(rec, sealed(files["base/"+l.Gateway+".json"]))
			}
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && rec.Gateway != l.Gateway {
				err = events.ErrGateway
			}
			if err == nil && rec.Seq == marked.Seq && rec.Hash() != marked.Hash {
				err = fmt.Errorf("event %d is not the one that its high-water mark remembers", rec.Seq)
			}
			if err != nil {
				yield(events.Record{}, fmt.Errorf("%w: %w", ErrBackup, err))
				return
			}
			if l.First == 0 {
				l.First = rec.Seq
			}
			l.Last, l.Hash = rec.Seq, rec.Hash()
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// sealed is a file as diskfile.Seal writes it.
type sealed []byte

// Load implements snapshot.Keeper.
func (s sealed) Load(v any) (bool, error) {
	if s == nil {
		return false, nil
	}
	line, seal, _ := bytes.Cut(s, []byte("\n"))
	if sum := sha256.Sum256(line); string(seal) != hex.EncodeToString(sum[:])+"\n" {
		return true, diskfile.ErrSeal
	}
	return true, json.Unmarshal(line, v)
}

// mark is the zero one if the backup has none that can be read: a start refuses it.
func mark(files map[string][]byte, gateway string) (m store.Mark) {
	if found, err := sealed(files[markFolder+"/"+gateway+".json"]).Load(&m); !found || err != nil {
		return store.Mark{}
	}
	return m
}

// Restore makes the data folder data from a backup, whole or not at all. There must be
// nothing in its place but an empty folder.
func Restore(ctx context.Context, from, data string) (c Contents, err error) {
	fail := func(err error) (Contents, error) { return c, fmt.Errorf("restore %s: %w", from, err) }
	entries, err := os.ReadDir(data)
	switch {
	case err == nil && len(entries) > 0:
		return fail(fmt.Errorf("%s: %w and has something in it; name a folder that is not there yet: --data FOLDER", data, fs.ErrExist))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fail(err)
	}
	f, err := os.Open(from)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(data)), "."+filepath.Base(data)+"-")
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	s, err := store.OpenUnsynced(ctx, tmp)
	if err != nil {
		return fail(err)
	}
	b := &builder{dir: tmp, store: s, marks: map[string][]byte{}}
	c, err = read(ctx, f, b)
	if err = errors.Join(err, s.Close()); err == nil {
		err = b.finish(ctx)
	}
	if err == nil {
		err = os.Rename(tmp, data)
	}
	if err != nil {
		return fail(err)
	}
	return c, diskfile.SyncDir(filepath.Dir(filepath.Clean(data)))
}

// builder makes the folder.
type builder struct {
	dir   string
	store *store.Store
	marks map[string][]byte // until the logs are there
}

func (b *builder) file(name string, content []byte) error {
	if strings.HasPrefix(name, markFolder+"/") {
		b.marks[name] = content
		return nil
	}
	return b.write(name, content)
}

func (b *builder) write(name string, content []byte) error {
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return diskfile.Write(path, content)
}

func (b *builder) log(ctx context.Context, gateway string, recs iter.Seq2[events.Record, error]) error {
	_, err := b.store.Restore(ctx, gateway, recs)
	return err
}

// finish writes the marks, and looks at what is there as a start does.
func (b *builder) finish(ctx context.Context) error {
	for name, content := range b.marks {
		if err := b.write(name, content); err != nil {
			return err
		}
	}
	all, err := store.Examine(ctx, b.dir)
	for _, x := range all {
		err = errors.Join(err, x.Err)
	}
	return err
}
