//go:build !race

package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/source/streamtest"
)

func TestForgeries(t *testing.T) {
	s := streamtest.Night("live")
	last := s.Len()
	dir, key := folder(t, s, 100, 200, last)
	otherDir, otherKey := folder(t, streamtest.Busy("live", 40), 40)
	other := members(t, pack(t, otherDir))
	full, redacted := members(t, pack(t, dir)), members(t, pack(t, dir, "--redact"))

	swap := func(recs []events.Record) []events.Record {
		recs[148], recs[149] = recs[149], recs[148]
		return recs
	}
	drop := func(recs []events.Record) []events.Record { return append(recs[:148:148], recs[149:]...) }
	reword := func(recs []events.Record) []events.Record {
		recs[148].Time = recs[148].Time.Add(time.Millisecond)
		return recs
	}
	add := func(recs []events.Record) []events.Record {
		extra := recs[120]
		extra.ID = "abceghjklm-live-9999"
		return append(recs[:120:120], append([]events.Record{extra}, recs[120:]...)...)
	}
	text := func(m []member, name string) string {
		for _, x := range m {
			if x.Name == name {
				return x.Text
			}
		}
		t.Fatalf("there is no %s", name)
		return ""
	}
	resigned := func() []member { // by somebody with a key of their own, and everything else in order
		forged, err := os.MkdirTemp(t.TempDir(), "forger")
		if err != nil {
			t.Fatal(err)
		}
		if err := sign(forged, s, "live", 100, 200, last); err != nil {
			t.Fatal(err)
		}
		stolen, err := os.ReadFile(filepath.Join(dir, checkpoint.Dir, "veil.key"))
		if err == nil {
			err = os.WriteFile(filepath.Join(forged, checkpoint.Dir, "veil.key"), stolen, 0o600)
		}
		if err == nil {
			err = os.RemoveAll(filepath.Join(forged, checkpoint.Dir, "live"))
		}
		if err == nil {
			err = sign(forged, s, "live", 100, 200, last)
		}
		if err != nil {
			t.Fatal(err)
		}
		saved, err := checkpoint.Read(forged, "live")
		if err != nil {
			t.Fatal(err)
		}
		out := full
		for _, n := range saved {
			out = change(t, out, noteOf(int(n.Size)), func(string) string { return string(n.Text) })
		}
		public, err := checkpoint.PublicKey(forged)
		if err != nil {
			t.Fatal(err)
		}
		return change(t, out, "key.txt", func(string) string { return public + "\n" })
	}

	for _, c := range []struct {
		name   string
		bundle []member
		key    string // "" is none
		code   int
		want   string // of the first line
	}{
		{"nothing is wrong", full, key, exitFine, `^HOLDS: every rule was kept in all \d+ events`},
		{"nothing is wrong, redacted", redacted, key, exitFine, `^HOLDS: every rule was kept in all \d+ events`},
		{"nothing is wrong, and nobody brought a key", full, "", exitFine, `^HOLDS`},
		{"another key", full, otherKey, exitInconclusive, `the checkpoint at #100 is signed by another key than ibrecorder\+`},
		{"signed again by the forger", resigned(), key, exitInconclusive, `the checkpoint at #100 is signed by another key than ibrecorder\+`},
		{"signed again by the forger, and nobody brought a key", resigned(), "", exitFine, `^HOLDS`},
		{"a line is changed", change(t, full, "events.ndjson", func(s string) string { return strings.Replace(s, `"peer":"127.0.0.1`, `"peer":"127.0.0.2`, 1) }), key, exitInconclusive,
			`not what was signed: something between #1 and #100 was changed, dropped or put in`},
		{"a line is changed and everything chained anew", rewrite(t, full, reword), key, exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"the same, and nobody brought a key", rewrite(t, full, reword), "", exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"the same, redacted", rewrite(t, redacted, reword), key, exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"a line is dropped and everything chained anew", rewrite(t, full, drop), key, exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"two lines are swapped and everything chained anew", rewrite(t, redacted, swap), key, exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"a line is put in and everything chained anew", rewrite(t, redacted, add), key, exitInconclusive, `not what was signed: something between #101 and #200 was`},
		{"the end is cut off", rewrite(t, full, func(r []events.Record) []events.Record { return r[:250] }), key, exitInconclusive,
			fmt.Sprintf(`some that were signed are missing: #%d was signed, and the events end at #250`, last)},
		{"the beginning is cut off", change(t, full, "events.ndjson", func(s string) string { return s[strings.Index(s, "\n")+1:] }), key, exitInconclusive,
			`some that were signed are missing: the events begin at #2`},
		{"no checkpoint is left", without(full, noteOf(100), noteOf(200), noteOf(last)), key, exitInconclusive,
			fmt.Sprintf(`events #1 to #%d are not covered by a signature of ibrecorder\+`, last)},
		{"the last checkpoint is gone", without(redacted, noteOf(last)), key, exitInconclusive, fmt.Sprintf(`events #201 to #%d are not covered by a signature of ibrecorder\+`, last)},
		{"a checkpoint is changed", change(t, full, noteOf(200), func(s string) string { return strings.Replace(s, "\n200\n", "\n201\n", 1) }), key, exitInconclusive,
			`the checkpoint at #200: the signature does not belong to the text`},
		{"a checkpoint is torn", change(t, full, noteOf(200), func(s string) string { return s[:30] }), key, exitInconclusive, `the checkpoint at #200: not a checkpoint`},
		{"a checkpoint has the name of another", change(t, full, noteOf(200), func(string) string { return text(full, noteOf(100)) }), key, exitInconclusive,
			`the checkpoint at #200: not a checkpoint: it is of #100`},
		{"the checkpoints of another log", append(without(full, noteOf(100), noteOf(200), noteOf(last), "key.txt", "heads.txt"),
			member{noteOf(40), text(other, noteOf(40))}, member{"key.txt", text(other, "key.txt")}, member{"heads.txt", text(other, "heads.txt")}), otherKey, exitInconclusive,
			`another log was signed: ibrecorder/live/[0-9a-f]{16}, and these are of ibrecorder/live/[0-9a-f]{16}`},
		{"the salts are others", change(t, full, "salts.txt", func(s string) string { return strings.Repeat("ab", 32) + s[64:] }), key, exitInconclusive, `another log was signed|not what was signed`},
		{"the salts are too few", change(t, full, "salts.txt", func(s string) string { return s[:65] }), key, exitInconclusive, `the salts do not belong to the events: there are fewer than values`},
		{"the salts are gone", without(full, "salts.txt"), key, exitInconclusive, `a signature cannot be checked: there are no salts`},
		{"the salt of the stored bytes is another", change(t, full, "heads.txt", func(s string) string { return strings.Replace(s, "100 ", "101 ", 1) }), key, exitInconclusive,
			`a signature cannot be checked: the salt of the stored bytes of #100 is missing`},
		{"it says that it is redacted, and shows everything", change(t, full, "header.json", func(s string) string { return strings.Replace(s, `"redacted": false`, `"redacted": true`, 1) }), key, exitInconclusive,
			`event #\d+ shows its \S+, and is said to be redacted`},
		{"what it says of itself is not so", change(t, full, "header.json", func(s string) string { return strings.Replace(s, `"last": `, `"last": 1`, 1) }), key, exitInconclusive,
			`what the bundle says of itself is not so`},
		{"the verdict in it is another", change(t, full, "verdict.json", func(s string) string { return strings.Replace(s, `"HOLDS"`, `"VIOLATED"`, 1) }), key, exitInconclusive,
			`verdict.json does not say what the events say: it says VIOLATED, and they give HOLDS`},
		{"the timeline in it is another", change(t, redacted, "timeline.txt", func(s string) string { return strings.Replace(s, "STOPPED", "OPEN", 1) }), key, exitInconclusive,
			`timeline.txt does not say what the events say`},
		{"the report in it is another", change(t, full, "report.html", func(s string) string { return strings.Replace(s, "held", "did not hold", 1) }), key, exitInconclusive,
			`report.html does not say what the events say`},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"verify", zipped(t, c.bundle)}
			if c.key != "" {
				args = append(args, "--key", c.key)
			}
			code, out, said := replay(args...)
			first, _, _ := strings.Cut(out, "\n")
			if code != c.code || said != "" || !regexp.MustCompile(c.want).MatchString(first) {
				t.Errorf("exit %d, want %d; the first line is\n%s\nwant\n%s\n%s\nthe whole of it:\n%s", code, c.code, first, c.want, said, out)
			}
			if proves := strings.Contains(out, "proves nothing about who signed"); c.code == exitFine && proves != (c.key == "") {
				t.Errorf("what it says of the key is wrong:\n%s", out)
			}
		})
	}
}

// zipped writes members as a bundle has them: the first one as it is.
func zipped(t *testing.T, in []member) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, m := range in {
		h := &zip.FileHeader{Name: m.Name, Method: zip.Deflate}
		if i == 0 {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.Text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "forged.ibrec")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// change edits one member, which must be there and change.
func change(t *testing.T, in []member, name string, edit func(string) string) []member {
	t.Helper()
	out := append([]member(nil), in...)
	for i, m := range out {
		if m.Name == name {
			if out[i].Text = edit(m.Text); out[i].Text == m.Text {
				t.Fatalf("%s is as before", name)
			}
			return out
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func without(in []member, names ...string) (out []member) {
	for _, m := range in {
		keep := true
		for _, name := range names {
			keep = keep && m.Name != name
		}
		if keep {
			out = append(out, m)
		}
	}
	return out
}

// rewrite lets a forger with time change the events: they are numbered and chained anew,
// and what the header says is made true.
func rewrite(t *testing.T, in []member, edit func([]events.Record) []events.Record) []member {
	t.Helper()
	var head events.Record
	count := 0
	in = change(t, in, "events.ndjson", func(text string) string {
		var recs []events.Record
		for rec, err := range events.ReadNDJSON(strings.NewReader(text)) {
			if err != nil {
				t.Fatal(err)
			}
			recs = append(recs, rec)
		}
		var b strings.Builder
		var prev events.Hash
		for i, rec := range edit(recs) {
			e := rec.Event
			e.Seq, e.Prev = uint64(i+1), prev
			rec, err := events.NewRecord(e)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(rec.Raw)
			b.WriteByte('\n')
			prev, head, count = rec.Hash(), rec, i+1
		}
		return b.String()
	})
	for name, value := range map[string]string{"events": fmt.Sprint(count), "last": fmt.Sprint(count), "head": `"` + head.Hash().String() + `"`} {
		re := regexp.MustCompile(`"` + name + `": [^,\n]+`)
		for i, m := range in {
			if m.Name == "header.json" {
				in[i].Text = re.ReplaceAllString(m.Text, `"`+name+`": `+value)
			}
		}
	}
	return in
}

// noteOf is a checkpoint's member.
func noteOf(size int) string { return fmt.Sprintf("checkpoint/%d.note", size) }
