package events

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What leaves is read by other programs with the official SDK.
func TestEveryKindIsACloudEvent(t *testing.T) {
	everyKind(t, func(t *rapid.T, info Info) {
		e := drawEvent(t, info)
		raw := mustEncode(t, e)
		var got event.Event
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		type attributes struct{ ID, Source, Type, Subject, ContentType, SpecVersion string }
		want := attributes{e.ID, e.Source, info.Type(), e.Gateway, "application/json", "1.0"}
		if diff := cmp.Diff(want, attributes{got.ID(), got.Source(), got.Type(), got.Subject(), got.DataContentType(), got.SpecVersion()}); diff != "" {
			t.Fatalf("attributes (-ours +SDK):\n%s", diff)
		}
		if !got.Time().Equal(e.Time) {
			t.Fatalf("time %v, want %v", got.Time(), e.Time)
		}
		extensions := map[string]any{"seq": strconv.FormatUint(e.Seq, 10), "boot": e.Boot, "epoch": strconv.FormatUint(e.Epoch, 10), "prev": e.Prev.String()}
		for name, value := range map[string]string{"conn": e.Conn, "attempt": e.Attempt, "cause": e.Cause, "sourcetime": e.SourceTime} {
			if value != "" {
				extensions[name] = value
			}
		}
		if e.Mono != NoMono {
			extensions["mono"] = strconv.FormatInt(e.Mono, 10)
		}
		if diff := cmp.Diff(extensions, got.Extensions()); diff != "" {
			t.Fatalf("extensions (-ours +SDK):\n%s", diff)
		}
		data, err := info.plan.append(nil, e.Data)
		if err != nil || string(data) != string(got.Data()) {
			t.Fatalf("data %s, want %s, %v", got.Data(), data, err)
		}
	})
}
