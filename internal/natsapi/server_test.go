package natsapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/nats-io/nats.go"
)

var discard = slog.New(slog.DiscardHandler)

const robo = "/runner/robo-1"

func TestIntake(t *testing.T) {
	s := open(t)
	const to = "ibrecorder.intake.main.robo-1"
	got, err := s.ask(to, report("n1", robo))
	must(t, err)
	first := s.records()
	last := first[len(first)-1]
	if want := fmt.Sprintf(`{"stored":[{"seq":%d,"id":"n1"}]}`, last.Seq); got != want || last.ID != "n1" || last.Source != robo {
		t.Errorf("answered %s, and the log ends with %s; want %s", got, last.Raw, want)
	}
	again, err := s.ask(to, report("n1", robo))
	must(t, err)
	if now := s.records(); again != got || len(now) != len(first) {
		t.Errorf("sent again: answered %s and the log has %d events; want %s and %d", again, len(now), got, len(first))
	}
	got, err = s.ask(to, "["+report("n2", robo)+","+report("n1", robo)+","+report("n3", robo)+"]")
	must(t, err)
	if want := fmt.Sprintf(`{"stored":[{"seq":%d,"id":"n2"},{"seq":%d,"id":"n1"},{"seq":%d,"id":"n3"}]}`, last.Seq+1, last.Seq, last.Seq+2); got != want {
		t.Errorf("a batch with one that was there: %s, want %s", got, want)
	}

	before := len(s.records())
	many := strings.Repeat(report("x", robo)+",", 64) + report("x", robo)
	for _, c := range []struct{ name, to, body, says string }{
		{"no JSON", to, "hello", "report 1"},
		{"nothing", to, "", "report 1"},
		{"an empty batch", to, "[]", "0 reports"},
		{"a batch that is cut off", to, "[" + report("x", robo), "array"},
		{"too many", to, "[" + many + "]", "65 reports"},
		{"one that is too long", to, strings.Replace(report("x", robo), "hello", strings.Repeat("x", events.MaxBytes), 1), "at most 65536"},
		{"the second of two", to, "[" + report("x1", robo) + ",{}]", "report 2"},
		{"another gateway", to, strings.Replace(report("x", robo), `"main"`, `"other"`, 1), "ibrecorder.intake.other.robo-1"},
		{"a decision", to, strings.Replace(report("x", robo), "operator.noted", "restart.acknowledged", 1), "not a reporter's to say"},
		{"a lease", to, `{"specversion":"1.0","id":"x","source":"/runner/robo-1","type":"ibrecorder.attempt.requested.v1","subject":"main","attempt":"a","data":{"lease_ms":60000}}`, "ask for a permit"},
		{"a gateway that is not guarded", "ibrecorder.intake.other.robo-1", report("x", robo), `no gateway "other"`},
		{"an account id", to, report("x", "/runner/DU1234567"), "source is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.ask(c.to, c.body)
			p, ok := errors.AsType[*httpapi.Problem](err)
			if !ok || p.Status/100 != 4 || !strings.Contains(p.Error(), c.says) || strings.Contains(p.Error(), "DU1234567") {
				t.Errorf("got %v, want a problem that says %q", err, c.says)
			}
		})
	}
	if after := len(s.records()); after != before {
		t.Errorf("%d events came of what was refused", after-before)
	}
}

func TestPermit(t *testing.T) {
	s := open(t)
	const to = "ibrecorder.permit.main.robo-1"
	var got struct {
		Granted struct {
			Permit  string `json:"permit"`
			LeaseMS int64  `json:"lease_ms"`
		} `json:"granted"`
	}
	answer, err := s.ask(to, `{"attempt":"l1","client_id":7,"timeout_ms":30000}`)
	must(t, err)
	must(t, json.Unmarshal([]byte(answer), &got))
	all := s.records()
	asked, permit := all[len(all)-2], all[len(all)-1]
	if got.Granted.Permit != permit.ID || permit.Attempt != "l1" || got.Granted.LeaseMS < 59_000 || got.Granted.LeaseMS > 60_000 {
		t.Errorf("answered %s, and the log ends with %s", answer, permit.Raw)
	}
	q, ok := asked.Data.(events.AttemptRequested)
	if !ok || asked.Source != robo || q.LeaseMS != 60_000 || q.TimeoutMS != 30_000 || q.ClientID == nil || *q.ClientID != 7 {
		t.Errorf("the request is stored as %s", asked.Raw)
	}
	if answer, err = s.ask(to, `{"attempt":"l2"}`); err != nil || answer != `{"held":{"reason":"in_flight"}}` {
		t.Errorf("a second one: %s, %v", answer, err)
	}
	for _, c := range []struct{ name, body, says string }{
		{"no attempt", `{}`, "names no attempt"},
		{"an unknown field", `{"attempt":"x","lease_ms":1}`, "lease_ms"},
		{"two values", `{"attempt":"x"}{}`, "more than one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := s.ask(to, c.body); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a problem that says %q", err, c.says)
			}
		})
	}
}

// Whatever robo-1 tries to be robo-2, or the recorder, it is not.
func TestARunnerCanOnlyBeItself(t *testing.T) {
	s := open(t)
	one, two := s.conns["robo-1"], s.conns["robo-2"]
	hears, err := two.SubscribeSync("_INBOX.robo-2.>")
	must(t, err)
	must(t, two.Flush())
	before := s.records()

	for _, source := range []string{"/runner/robo-2", "/recorder", "/tap", "/watch", "/operator/cli", "/runner/robo-1/x"} {
		if _, err := s.ask("ibrecorder.intake.main.robo-1", report("x", source)); err == nil {
			t.Errorf("it reported as %s", source)
		}
	}
	for name, try := range map[string]func() error{
		"reports as another": func() error {
			return one.PublishRequest("ibrecorder.intake.main.robo-2", "_INBOX.robo-1.x", []byte(report("x", "/runner/robo-2")))
		},
		"asks for another": func() error {
			return one.PublishRequest("ibrecorder.permit.main.robo-2", "_INBOX.robo-1.x", []byte(`{"attempt":"x"}`))
		},
		"reads as another": func() error {
			return one.PublishRequest("ibrecorder.read.main.robo-2", "_INBOX.robo-1.x", []byte(`{"from":1}`))
		},
		"answers another":             func() error { return one.Publish("_INBOX.robo-2.x", []byte(`{"granted":{"permit":"x"}}`)) },
		"writes where the log is":     func() error { return one.Publish("ibrecorder.ev.main.operator.noted", before[0].Raw) },
		"listens to another's inbox":  func() error { _, err := one.SubscribeSync("_INBOX.robo-2.>"); return err },
		"listens to all inboxes":      func() error { _, err := one.SubscribeSync("_INBOX.>"); return err },
		"listens to what others send": func() error { _, err := one.SubscribeSync("ibrecorder.intake.>"); return err },
		"listens to everything":       func() error { _, err := one.SubscribeSync(">"); return err },
		"takes the recorder's place":  func() error { _, err := one.QueueSubscribeSync("ibrecorder.permit.*.*", "q"); return err },
	} {
		must(t, try())
		select {
		case err := <-s.denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("it %s, and nothing kept it from that", name)
		}
	}

	// The answer of one of its own requests, sent to where another's requests go.
	for _, reply := range []string{"ibrecorder.intake.main.robo-2", "ibrecorder.permit.main.robo-2", "_INBOX.robo-2.x", "ibrecorder.ev.main.operator.noted", "_INBOX.robo-1"} {
		must(t, one.PublishRequest("ibrecorder.intake.main.robo-1", reply, []byte(report("y", robo))))
	}
	must(t, one.Publish("ibrecorder.intake.main.robo-1", []byte(report("y", robo))))
	_, err = s.ask("ibrecorder.read.main.robo-1", `{"from":1}`) // comes after them, and is answered after them
	must(t, err)
	if msg, err := hears.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("robo-2 was told %s on %s", msg.Data, msg.Subject)
	}
	if after := s.records(); len(after) != len(before) {
		t.Errorf("the log has %d events more, the last %s", len(after)-len(before), after[len(after)-1].Raw)
	}
}

// What a runner may do for itself changes nothing that is written.
func TestARunnerCannotTouchTheLog(t *testing.T) {
	s := open(t)
	_, err := s.ask("ibrecorder.intake.main.robo-1", report("n1", robo))
	must(t, err)
	before := s.records()
	one := s.conns["robo-1"]
	const stream = "IBR_MAIN_0001"
	for _, subject := range []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO." + stream, "$JS.API.STREAM.DELETE." + stream, "$JS.API.STREAM.PURGE." + stream,
		"$JS.API.STREAM.UPDATE." + stream, "$JS.API.STREAM.MSG.DELETE." + stream, "$JS.API.STREAM.MSG.GET." + stream, "$JS.API.STREAM.SNAPSHOT." + stream,
		"$JS.API.STREAM.RESTORE." + stream, "$JS.API.STREAM.CREATE.X", "$JS.API.CONSUMER.CREATE." + stream, "$JS.API.CONSUMER.DURABLE.CREATE." + stream + ".x",
		"$JS.API.DIRECT.GET." + stream, "$JS.hub.API.STREAM.DELETE." + stream,
		"$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING", "$SRV.PING",
	} {
		must(t, one.PublishRequest(subject, "_INBOX.robo-1.x", []byte(`{"seq":1,"name":"X","subjects":["ibrecorder.ev.>"]}`)))
		select {
		case err := <-s.denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", subject, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: nothing kept it from that", subject)
		}
	}
	after := s.records()
	if len(after) != len(before) {
		t.Fatalf("the log has %d events, and had %d", len(after), len(before))
	}
	for i := range after {
		if !bytes.Equal(after[i].Raw, before[i].Raw) {
			t.Errorf("event %d is another one", i+1)
		}
	}
}

func TestALogThatTakesNothing(t *testing.T) {
	s := open(t)
	s.stuck.Store(true)
	_, err := s.ask("ibrecorder.intake.main.robo-1", report("n1", robo))
	if p, ok := errors.AsType[*httpapi.Problem](err); !ok || p.Status != 503 || !strings.Contains(p.Error(), "send it again as it is") {
		t.Errorf("got %v, want a problem that passes", err)
	}
	s.stuck.Store(false)
	got, err := s.ask("ibrecorder.intake.main.robo-1", report("n1", robo))
	must(t, err)
	n := 0
	for _, rec := range s.records() {
		if rec.ID == "n1" {
			n++
			if want := fmt.Sprintf(`{"stored":[{"seq":%d,"id":"n1"}]}`, rec.Seq); got != want {
				t.Errorf("answered %s, want %s", got, want)
			}
		}
	}
	if n != 1 {
		t.Errorf("it is in the log %d times", n)
	}
}

func TestARunnerThatSendsTooMuch(t *testing.T) {
	s := open(t)
	before := len(s.records())
	out := robo
	s.quota.Store(&out)
	for subject, body := range map[string]string{
		"ibrecorder.intake.main.robo-1": report("n1", robo), "ibrecorder.permit.main.robo-1": `{"attempt":"a1"}`,
		"ibrecorder.disconnect.main.robo-1": `{"client_id":7,"reason":"done"}`,
	} {
		_, err := s.ask(subject, body)
		p, ok := errors.AsType[*httpapi.Problem](err)
		if !ok || p.Status != 503 || !strings.Contains(p.Detail, "sends more than it may; there is room again in 1m0s") {
			t.Errorf("%s: %v, want what a client sends again", subject, err)
		}
	}
	if _, err := s.ask("ibrecorder.read.main.robo-1", `{"from":1}`); err != nil {
		t.Errorf("reading costs the log nothing: %v", err)
	}
	if n := len(s.records()); n != before {
		t.Errorf("%d events were stored", n-before)
	}
	other := "/runner/robo-2"
	s.quota.Store(&other)
	if _, err := s.ask("ibrecorder.intake.main.robo-1", report("n1", robo)); err != nil {
		t.Errorf("beside another that sends too much: %v", err)
	}
}

func TestReadAndFollow(t *testing.T) {
	s := open(t)
	live, err := s.conns["robo-2"].SubscribeSync("ibrecorder.ev.main.>")
	must(t, err)
	must(t, s.conns["robo-2"].Flush())
	before := uint64(len(s.records()))
	text := strings.Repeat("x", 800)
	for i := range 20 {
		var batch []string
		for k := range 32 {
			batch = append(batch, strings.Replace(report(fmt.Sprintf("n%d-%d", i, k), robo), "hello", text, 1))
		}
		_, err := s.ask("ibrecorder.intake.main.robo-1", "["+strings.Join(batch, ",")+"]")
		must(t, err)
	}
	want := s.records()
	var got [][]byte
	pages := 0
	for {
		page, err := s.ask("ibrecorder.read.main.robo-1", fmt.Sprintf(`{"from":%d}`, len(got)+1))
		must(t, err)
		if page == "" {
			break
		}
		pages++
		if len(page) > 512<<10 {
			t.Errorf("a page of %d bytes", len(page))
		}
		for line := range strings.Lines(page) {
			got = append(got, []byte(strings.TrimSuffix(line, "\n")))
		}
	}
	if len(got) != len(want) || pages < 2 {
		t.Fatalf("%d events on %d pages, want %d on some", len(got), pages, len(want))
	}
	for i, rec := range want {
		if !bytes.Equal(got[i], rec.Raw) {
			t.Errorf("event %d came as %s", i+1, got[i])
		}
	}
	for _, rec := range want[before:] {
		msg, err := live.NextMsg(5 * time.Second)
		must(t, err)
		if !bytes.Equal(msg.Data, rec.Raw) || msg.Subject != "ibrecorder.ev.main."+string(rec.Kind()) {
			t.Fatalf("live came %s on %s, want %s", msg.Data, msg.Subject, rec.Raw)
		}
	}
}

func TestItEndsInASecond(t *testing.T) {
	s := open(t)
	s.stuck.Store(true)
	answers, err := s.conns["robo-1"].SubscribeSync("_INBOX.robo-1.x")
	must(t, err)
	for i := range 30 { // more than one runner may have under way
		must(t, s.conns["robo-1"].PublishRequest("ibrecorder.intake.main.robo-1", "_INBOX.robo-1.x", []byte(report(fmt.Sprint("n", i), robo))))
	}
	msg, err := answers.NextMsg(5 * time.Second)
	must(t, err)
	if msg.Header.Get("Nats-Service-Error-Code") != "503" {
		t.Errorf("the one too many is answered %s", msg.Data)
	}
	began := time.Now()
	must(t, s.end())
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	s.stuck.Store(false)
}

// A runner asks before it ends a session; an attempt that is under way forbids it.
func TestHangUp(t *testing.T) {
	s := open(t)
	const to = "ibrecorder.disconnect.main.robo-1"
	ask := func(body, want string) {
		t.Helper()
		answer, err := s.ask(to, body)
		if err != nil {
			t.Fatal(err)
		}
		all := s.records()
		if want = fmt.Sprintf(want, all[len(all)-1].Seq); answer != want {
			t.Errorf("%s is answered %s, want %s", body, answer, want)
		}
	}
	ask(`{"client_id":7,"reason":"done"}`, `{"seq":%d}`)
	_, err := s.ask("ibrecorder.permit.main.robo-1", `{"attempt":"l1","client_id":7}`)
	must(t, err)
	ask(`{"client_id":7,"reason":"done"}`, `{"blocked":"none","seq":%d}`)
	ask(`{"client_id":7,"reason":"done","force_env":"no"}`, `{"blocked":"none","seq":%d}`)
	ask(`{"client_id":7,"reason":"done","force_env":"yes"}`, `{"seq":%d}`)
	ask(`{"client_id":7,"reason":"done","force":true}`, `{"seq":%d}`)
	for _, body := range []string{`{"reason":"done"}`, `{"client_id":7}`, `{"client_id":7,"reason":"done","asked":true}`} {
		if _, err := s.ask(to, body); err == nil || !strings.Contains(err.Error(), `{"client_id":N,"reason":TEXT}`) {
			t.Errorf("%s: %v, want what to send", body, err)
		}
	}
	for _, rec := range s.records() {
		if q, ok := rec.Data.(events.DisconnectRequested); ok && (rec.Source != robo || q.By != "robo-1" || !q.Asked) {
			t.Errorf("the request is stored as %s", rec.Raw)
		}
	}
}
