package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

const prefix = "ibrecorder.ev." + gw + "."

// A server that is updated may write other blocks; then this fails, and
// block.go is to be brought up to date.
func TestBlocksOfThisServerAreUnderstood(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	recs := storetest.Fill(t, l, gw, 20)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(msgsDir(dir), "1.blk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		seq, size, payload, problem := store.BlockRecord(store.StreamName(gw), 1, prefix, b)
		if problem != "" || seq != rec.Seq || string(payload) != string(rec.Raw) {
			t.Fatalf("record %d is read as %d, %q: %s", rec.Seq, seq, problem, payload)
		}
		b = b[size:]
	}
	if len(b) != 0 {
		t.Errorf("%d bytes are left", len(b))
	}
}

func TestTheServerUnderstandsTheBlocksOfTheseTests(t *testing.T) {
	l := openLog(t, logOf(t, 1000, 64<<10))
	n := 0
	for rec, err := range l.Read(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		_ = rec
	}
	if n != 1000 {
		t.Errorf("%d events", n)
	}
	storetest.Fill(t, l, gw, 3)
}

func TestEveryFlippedBitOfARecordIsFound(t *testing.T) {
	whole := appendRecord(nil, 1, storetest.Next(t, gw, store.Head{}, "note"))
	for bit := range len(whole) * 8 {
		b := append([]byte(nil), whole...)
		b[bit/8] ^= 1 << (bit % 8)
		if _, _, _, problem := store.BlockRecord(store.StreamName(gw), 1, prefix, b); problem == "" {
			t.Errorf("bit %d of byte %d", bit%8, bit/8)
		}
	}
}

func TestAFlippedByteIsFoundBeforeTheServerStarts(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	blocks, err := filepath.Glob(filepath.Join(msgsDir(dir), "*.blk"))
	if err != nil || len(blocks) < 3 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	for _, path := range blocks {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(whole); at += 61 {
			flipped := append([]byte(nil), whole...)
			flipped[at] ^= 0x20
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := store.Open(t.Context(), store.Config{Dir: dir})
			if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrMark) {
				t.Fatalf("byte %d of %s flipped: %v", at, filepath.Base(path), err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != string(flipped) {
				t.Fatalf("byte %d of %s flipped: the file was changed", at, filepath.Base(path))
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if head, err := openLog(t, dir).Head(t.Context()); err != nil || head.Seq != 40 {
		t.Errorf("head of the whole log: %v, %v", head, err)
	}
}

// Each of these makes the server of the pinned version delete, cut or renumber
// the log without a word.
func TestAnUnreadableBlockIsRefusedAndNothingIsDeleted(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(t *testing.T, msgs string)
		want string
	}{
		{"a directory in a block's place", func(t *testing.T, msgs string) {
			must(t, os.Rename(filepath.Join(msgs, "2.blk"), filepath.Join(filepath.Dir(msgs), "away")))
			must(t, os.Mkdir(filepath.Join(msgs, "2.blk"), 0o700))
		}, "is a directory where a file should be"},
		{"a symbolic link in a block's place", func(t *testing.T, msgs string) {
			must(t, os.Rename(filepath.Join(msgs, "2.blk"), filepath.Join(filepath.Dir(msgs), "away")))
			must(t, os.Symlink("../away", filepath.Join(msgs, "2.blk")))
		}, "is no regular file"},
		{"a pipe in a block's place", func(t *testing.T, msgs string) {
			must(t, os.Rename(filepath.Join(msgs, "2.blk"), filepath.Join(filepath.Dir(msgs), "away")))
			must(t, syscall.Mkfifo(filepath.Join(msgs, "2.blk"), 0o600))
		}, "is no regular file"},
		{"a block of another user", func(t *testing.T, msgs string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			must(t, os.Chown(filepath.Join(msgs, "2.blk"), 4242, -1))
		}, "belongs to user 4242"},
		{"a folder of another user", func(t *testing.T, msgs string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			must(t, os.Chown(msgs, 4242, -1))
		}, "belongs to user 4242"},
		{"a file in the place of the blocks' folder", func(t *testing.T, msgs string) {
			must(t, os.RemoveAll(msgs))
			must(t, os.WriteFile(msgs, nil, 0o600))
		}, "msgs: cannot be listed"},
		{"a mark of another user", func(t *testing.T, msgs string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			must(t, os.Chown(store.MarkPath(filepath.Join(msgs, "../../../../.."), gw), 4242, -1))
		}, "belongs to user 4242"},
		{"the first block is missing", remove("1.blk"), "event 0 is the one before it"},
		{"a block in the middle is missing", remove("2.blk"), "and event"},
		{"the last block is missing", remove("3.blk"), "its high-water mark is at 40"},
		{"a block is empty", func(t *testing.T, msgs string) {
			must(t, os.Truncate(filepath.Join(msgs, "2.blk"), 0))
		}, "the block is empty"},
		{"a block is zeros", func(t *testing.T, msgs string) {
			must(t, os.WriteFile(filepath.Join(msgs, "2.blk"), make([]byte, 8<<10), 0o600))
		}, "impossible length"},
		{"a block in the middle is cut", func(t *testing.T, msgs string) {
			must(t, os.Truncate(filepath.Join(msgs, "2.blk"), 3000))
		}, "cut off"},
		{"an acknowledged record at the end is cut", func(t *testing.T, msgs string) {
			path := filepath.Join(msgs, "3.blk")
			info, err := os.Stat(path)
			must(t, err)
			must(t, os.Truncate(path, info.Size()-5))
		}, "it ends at event 39, its high-water mark is at 40"},
		{"a block is there twice", func(t *testing.T, msgs string) {
			b, err := os.ReadFile(filepath.Join(msgs, "3.blk"))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(msgs, "4.blk"), b, 0o600))
		}, "4.blk"},
		{"an event was deleted", func(t *testing.T, msgs string) {
			path := filepath.Join(msgs, "1.blk")
			b, err := os.ReadFile(path)
			must(t, err)
			binary.LittleEndian.PutUint64(b[4:], 1<<63|1)
			must(t, os.WriteFile(path, b, 0o600))
		}, "1.blk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			c.harm(t, msgsDir(dir))
			before := tree(t, dir)
			_, err := store.Open(t.Context(), store.Config{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant it to say %q", err, c.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("the refusal changed the folder:\n%s", diff)
			}
		})
	}
}

// Root may read everything, so the one who opens the folder is somebody else.
func TestAFileWithoutRightsIsRefusedAndNothingIsDeleted(t *testing.T) {
	const nobody = 65534
	for _, c := range []struct {
		name, path string
		mode       os.FileMode
		want       string
	}{
		{"a block that cannot be read", "2.blk", 0o200, "2.blk: cannot be read and written"},
		{"the last block that cannot be read", "3.blk", 0, "chmod u+rw "},
		{"a block that cannot be written", "1.blk", 0o400, "chmod u+rw "},
		{"a mark that cannot be read", "../../../../../mark/" + gw + ".json", 0, "mark/" + gw + ".json: cannot be read and written"},
		{"a folder that cannot be listed", ".", 0o300, "msgs: cannot be read"},
		{"a folder that cannot be entered", ".", 0o600, "chmod u+rwX "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			path := filepath.Join(msgsDir(dir), c.path)
			var env []string
			if os.Geteuid() == 0 {
				env = []string{"STORE_TEST_UID=" + strconv.Itoa(nobody)}
				must(t, os.Chmod(filepath.Dir(dir), 0o711)) // the way there
				must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
					return errors.Join(err, os.Chown(path, nobody, nobody))
				}))
			}
			before := tree(t, dir)
			must(t, os.Chmod(path, c.mode))
			out, err := child(t, "open", dir, env...).Output()
			must(t, os.Chmod(path, 0o700))
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("it says %q, %v\nwant %q", out, err, c.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("the refusal changed the folder:\n%s", diff)
			}
		})
	}
}

// What a crash tears off was never acknowledged.
func TestATornLastRecordIsNoDamage(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	path := filepath.Join(msgsDir(dir), "3.blk")
	info, err := os.Stat(path)
	must(t, err)
	b, err := os.ReadFile(path)
	must(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = f.Write(b[:300]) // the beginning of a record, and no end
	must(t, errors.Join(err, f.Close()))
	var said bytes.Buffer
	s, err := store.Open(t.Context(), store.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	must(t, err)
	defer s.Close()
	if !strings.Contains(said.String(), "level=WARN") || !strings.Contains(said.String(), "bytes=300 after=40") {
		t.Errorf("the log of the program says %q, want how much is cut off", said.String())
	}
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 40 {
		t.Errorf("head %v, %v, want all 40 of %d bytes", head, err, info.Size())
	}
	storetest.Fill(t, l, gw, 2)
}

// A length that was changed makes a record in the middle claim everything behind it,
// as the last one of a crash does. The mark may be older, and sees nothing of it.
func TestALengthThatSwallowsTheRestIsDamage(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	must(t, store.NewMarker(dir, gw).Mark(store.Mark{Gateway: gw}, true))
	path := filepath.Join(msgsDir(dir), "3.blk")
	whole, err := os.ReadFile(path)
	must(t, err)
	for at := 0; ; {
		_, size, _, problem := store.BlockRecord(store.StreamName(gw), 3, prefix, whole[at:])
		if problem != "" {
			t.Fatal(problem)
		}
		if at+size == len(whole) {
			break // what is wrong with the last one may be a crash's work
		}
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], 1<<31|uint32(len(b)-at))
		must(t, os.WriteFile(path, b, 0o600))
		if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("the record at byte %d of %d: %v, want damage", at, len(whole), err)
		}
		at += size
	}
}

func TestBlocksOfAnUnknownFormatAreLeftToTheServer(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	msgs := msgsDir(dir)
	blocks, err := filepath.Glob(filepath.Join(msgs, "*.blk"))
	must(t, err)
	for _, b := range blocks {
		must(t, os.WriteFile(b, []byte(strings.Repeat("another layout ", 200)), 0o600))
	}
	if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("blocks that this server wrote: %v, want damage", err)
	}
	format := filepath.Join(dir, "store.format")
	b, err := os.ReadFile(format)
	must(t, err)
	must(t, os.WriteFile(format, []byte(strings.Replace(string(b), `"wrote":"`, `"wrote":"9`, 1)), 0o600))
	s := openStore(t, dir) // the server has its own say, and the mark the last word
	if _, err := s.Log(t.Context(), gw); !errors.Is(err, store.ErrMark) {
		t.Errorf("blocks that another server wrote: %v, want the mark to refuse", err)
	}
}

func FuzzBlockRecord(f *testing.F) {
	rec := storetest.Next(f, gw, store.Head{}, "note")
	f.Add(appendRecord(nil, 1, rec))
	f.Add([]byte{})
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		seq, size, payload, problem := store.BlockRecord(store.StreamName(gw), 1, prefix, b)
		if problem == "" && (size > len(b) || size < 30 || len(payload) > size || seq == 0 && len(payload) == 0) {
			t.Errorf("seq %d, %d of %d bytes, payload %d", seq, size, len(b), len(payload))
		}
	})
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, msgs string) { must(t, os.Remove(filepath.Join(msgs, name))) }
}
