package logfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
)

// The forms in which the same line comes.
func TestFormsOfALine(t *testing.T) {
	const text = "Connecting to 127.0.0.1:4002 with clientId 7..."
	for _, c := range []struct{ name, line, time, process string }{
		{"ib_async.util.logToConsole", "2025-11-10 18:10:23,123 ib_async.client INFO " + text, "2025-11-10 18:10:23,123", ""},
		{"with a process", "2025-11-10 18:10:23,123 4711 ib_async.client INFO " + text, "2025-11-10 18:10:23,123", "4711"},
		{"dashes between", "2025-11-10 18:10:23,123 - ib_async.client - INFO - " + text, "2025-11-10 18:10:23,123", ""},
		{"dashes, and no name", "2025-11-10 18:10:23,123 - INFO - " + text, "2025-11-10 18:10:23,123", ""},
		{"the level first", "[2025-11-10 18:10:23,123] INFO ib_async.client: " + text, "2025-11-10 18:10:23,123", ""},
		{"the level in brackets", "2025-11-10T18:10:23.123+00:00 [INFO] [4711] ib_async.client: " + text, "2025-11-10T18:10:23.123+00:00", "4711"},
		{"no name", "2025-11-10 18:10:23 INFO     " + text, "2025-11-10 18:10:23", ""},
		{"no date", "18:10:23 INFO " + text, "18:10:23", ""},
		{"logging.basicConfig", "INFO:ib_async.client:" + text, "", ""},
		{"loguru", "2025-11-10 18:10:23.123 | INFO     | ib_async.client:connectAsync:190 - " + text, "2025-11-10 18:10:23.123", ""},
		{"structlog on a terminal, in colour", "\x1b[2m2025-11-10T18:10:23.123456\x1b[0m [\x1b[32minfo     \x1b[0m] \x1b[1m" + text + "\x1b[0m [ib_async.client] pid=9", "2025-11-10T18:10:23.123456", ""},
		{"JSON", `{"timestamp": "2025-11-10T18:10:23.123456+00:00", "level": "INFO", "logger": "ib_async.client", "process": 4711, "message": "` + text + `"}`, "2025-11-10T18:10:23.123456+00:00", "4711"},
		{"JSON of structlog, its time in seconds", `{"event": "` + text + `", "ts": 1762798223.5}`, "1762798223.500", ""},
		{"journald", "2025-11-10T18:10:23+0000 trader python[4711]: INFO:ib_async.client:" + text, "2025-11-10T18:10:23+0000", "4711"},
		{"syslog, without a year", "Nov 10 18:10:23 trader python[4711]: " + text, "Nov 10 18:10:23", "4711"},
		{"docker with its own time before it", "2025-11-10T18:10:23.123456789Z 2025-11-10 13:10:23,123 ib_async.client INFO " + text, "2025-11-10T18:10:23.123456789Z", ""},
		{"docker compose", "trader-1  | 2025-11-10 18:10:23,123 ib_async.client INFO " + text, "2025-11-10 18:10:23,123", ""},
		{"nothing but the text", text, "", ""},
		{"Windows", "2025-11-10 18:10:23,123 ib_async.client INFO " + text + "\r", "2025-11-10 18:10:23,123", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := readLine(c.line, nil)
			if l.text != text || l.when.printed != c.time || l.process != c.process {
				t.Errorf("text %q, time %q, process %q; want time %q, process %q", l.text, l.when.printed, l.process, c.time, c.process)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, printed string
		zone          *time.Location
		want          string // UTC, "" if not known
	}{
		{"no zone anywhere", "2025-11-10 18:10:23,123", nil, ""},
		{"the zone of the flag", "2025-11-10 18:10:23,123", berlin, "2025-11-10T17:10:23.123Z"},
		{"a zone in the line goes before it", "2025-11-10T18:10:23.5-05:00", berlin, "2025-11-10T23:10:23.5Z"},
		{"UTC by its letter", "2025-11-10T18:10:23Z", nil, "2025-11-10T18:10:23Z"},
		{"UTC by its name", "2025-11-10 18:10:23 UTC", nil, "2025-11-10T18:10:23Z"},
		{"an offset without a colon", "2025-11-10 18:10:23 -0500", nil, "2025-11-10T23:10:23Z"},
		{"the clocks skipped it", "2026-03-29 02:30:00", berlin, ""},
		{"the clocks showed it twice", "2025-10-26 02:30:00", berlin, ""},
		{"the minute before that", "2025-10-26 01:59:59", berlin, "2025-10-25T23:59:59Z"},
		{"the first that is certain again", "2025-10-26 03:00:00", berlin, "2025-10-26T02:00:00Z"},
		{"no such day", "2025-02-30 10:00:00", berlin, ""},
		{"no year", "Nov 10 18:10:23", berlin, ""},
		{"no date", "18:10:23", berlin, ""},
		{"an offset that no zone has", "2025-11-10 18:10:23+99:00", nil, ""},
	} {
		w, rest := readTime(c.printed, c.zone)
		got := ""
		if !w.utc.IsZero() {
			got = w.utc.Format(time.RFC3339Nano)
		}
		if w.printed != c.printed || rest != "" || got != c.want {
			t.Errorf("%s: %q, rest %q, is %q, want %q", c.name, w.printed, rest, got, c.want)
		}
	}
}

// A wait is the difference of two printed times, unless a clock was set between them.
func TestWaits(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from, to string
		zone           *time.Location
		want           int64 // ms, 0 if not known
	}{
		{"without a zone", "2025-11-10 18:10:23,000", "2025-11-10 18:10:53,004", nil, 30004},
		{"over midnight", "2025-11-10 23:59:50", "2025-11-11 00:00:20", nil, 30000},
		{"while the clocks are put forward, without a zone", "2026-03-29 01:59:50", "2026-03-29 03:00:20", nil, 0},
		{"the same with one", "2026-03-29 01:59:50", "2026-03-29 03:00:20", berlin, 30000},
		{"while they are put back", "2025-10-26 02:59:50", "2025-10-26 02:00:20", berlin, 0},
	} {
		log := c.from + " INFO Connecting to h:1 with clientId 1...\n" + c.from + " INFO Connected\n" + c.to + " ERROR API connection failed: TimeoutError()\n"
		o := options(t)
		o.Zone = c.zone
		recs, _ := read(t, log, o)
		if f := recs[len(recs)-1].Data.(events.AttemptFailed); f.WaitedMS != c.want || f.LimitMS != c.want {
			t.Errorf("%s: waited %d ms of %d, want %d", c.name, f.WaitedMS, f.LimitMS, c.want)
		}
	}
}

const session = "10:00:00 INFO Connecting to h:1 with clientId 1...\n10:00:00 INFO Connected\n10:00:00 INFO Logged on to server version 178\n10:00:01 INFO API connection ready\n"

func TestFilesAsTheyAre(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := io.WriteString(z, session); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	half := strings.Index(session, "Logged")
	for _, c := range []struct {
		name  string
		files []string
		want  Summary
	}{
		{"an empty file", []string{""}, Summary{Events: 1}},
		{"a log", []string{session}, Summary{Lines: 4, Understood: 4, Events: 4, Attempts: 1, Timeless: 3}},
		{"a rotated log, cut in the middle of a session", []string{session[:half-14], session[half-14:]}, Summary{Lines: 4, Understood: 4, Events: 4, Attempts: 1, Timeless: 3}},
		{"the end of the last line is missing", []string{strings.TrimSuffix(session, "\n")}, Summary{Lines: 4, Understood: 4, Events: 4, Attempts: 1, Timeless: 3, Unfinished: 1}},
		{"Windows", []string{"\ufeff" + strings.ReplaceAll(session, "\n", "\r\n")}, Summary{Lines: 4, Understood: 4, Events: 4, Attempts: 1, Timeless: 3}},
		{"gzip", []string{zipped.String()}, Summary{Lines: 4, Understood: 4, Events: 4, Attempts: 1, Timeless: 3}},
		{"a line that is longer than memory", []string{strings.Repeat("x", 3*maxLine) + "\n" + session}, Summary{Lines: 5, Understood: 4, Irrelevant: 1, Events: 4, Attempts: 1, Timeless: 3, Cut: 1}},
		{"bytes that are no text", []string{"\xff\xfd\x00\n" + session}, Summary{Lines: 5, Understood: 4, Irrelevant: 1, Events: 4, Attempts: 1, Timeless: 3}},
		{"a traceback", []string{"10:00:00 ERROR boom\nTraceback (most recent call last):\n  File \"c.py\", line 3, in connect\n    raise TimeoutError\nasyncio.exceptions.TimeoutError: connect\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"c.py\"\nConnectionError: Gateway\n" + session},
			Summary{Lines: 15, Understood: 4, Irrelevant: 11, Events: 4, Attempts: 1, Timeless: 3}},
		{"files in the wrong order", []string{"2026-01-02 10:00:00 INFO tick\n", "2026-01-01 10:00:00 INFO tick\n"}, Summary{Lines: 2, Irrelevant: 2, Events: 1, Backwards: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []File
			for i, text := range c.files {
				files = append(files, File{fmt.Sprintf("%d.log", i), iotest.HalfReader(strings.NewReader(text))})
			}
			sum, err := Import(files, options(t), func(events.Record) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			c.want.Shapes = []Shape{}
			if diff := cmp.Diff(c.want, sum); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	broken := errors.New("the disk is gone")
	full := errors.New("the disk is full")
	for _, c := range []struct {
		name string
		in   io.Reader
		emit error
		want error
	}{
		{"UTF-16", strings.NewReader("\xff\xfeC\x00o\x00"), nil, ErrEncoding},
		{"a file that breaks off", io.MultiReader(strings.NewReader(session), iotest.ErrReader(broken)), nil, broken},
		{"gzip that is none", strings.NewReader("\x1f\x8bx"), nil, io.ErrUnexpectedEOF},
		{"nowhere to write", strings.NewReader(session), full, full},
	} {
		_, err := Import([]File{{"a.log", c.in}}, options(t), func(events.Record) error { return c.emit })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// What is not understood is listed by likeness, with nothing in it that may be secret.
func TestWhatIsNotUnderstoodIsListed(t *testing.T) {
	log := "10:00:00 INFO Connector 17 lost the gateway at host-3.example (DU1234567)\n" +
		"10:00:01 INFO Connector 18 lost the gateway at host-4.example (DU7654321)\n" +
		"10:00:02 INFO Weather is fine\n" +
		"10:00:03 INFO TWS login for fred with hunter\n" +
		"10:00:04 INFO Connected to redis\n"
	_, sum := read(t, log, options(t))
	want := []Shape{
		{"Connector * lost the gateway at *", 2, []Place{{"a.log", 1}, {"a.log", 2}}},
		{"TWS login ...", 1, []Place{{"a.log", 4}}},
		{"Connected to redis", 1, []Place{{"a.log", 5}}},
	}
	if diff := cmp.Diff(want, sum.Shapes); diff != "" || sum.NotUnderstood != 4 || sum.Irrelevant != 1 {
		t.Errorf("%d not understood, %d irrelevant (-want +got)\n%s", sum.NotUnderstood, sum.Irrelevant, diff)
	}
	var many strings.Builder
	for i := range 3 * maxShapes {
		fmt.Fprintf(&many, "gateway %s\n", strings.Repeat("a ", i+1))
	}
	_, sum = read(t, many.String(), options(t))
	if len(sum.Shapes) != maxShapes || sum.NotUnderstood != 3*maxShapes || sum.Unlisted+len(sum.Shapes) < maxShapes {
		t.Errorf("%d shapes, %d of no shape, of %d", len(sum.Shapes), sum.Unlisted, sum.NotUnderstood)
	}
}

// More open attempts than any Gateway takes are let go, oldest first.
func TestOpenAttemptsAreBounded(t *testing.T) {
	var log strings.Builder
	for i := range 3 * open {
		fmt.Fprintf(&log, "Connecting to h:1 with clientId %d...\n", i)
	}
	recs, sum := read(t, log.String(), options(t))
	ends := map[string]int{}
	for _, r := range recs {
		if _, ok := r.Data.(events.AttemptUnknown); ok {
			ends[r.Attempt]++
		}
	}
	if len(ends) != 3*open || sum.Attempts != 3*open || len(recs) != 6*open {
		t.Errorf("%d ends of %d attempts in %d events", len(ends), sum.Attempts, len(recs))
	}
}
