package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/streams"
)

// spent is a stream of several days, in the middle of which a stop is forgotten.
func spent(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	err := streams.Days{Events: 20_000, Seed: 1, Break: "RS1"}.Write(func(rec events.Record) error {
		b.Write(rec.Raw)
		return b.WriteByte('\n')
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheStoryOfManyDaysTellsTheBreachAndTheDay(t *testing.T) {
	d := composed(spent(t), Range{})
	told := map[string]bool{}
	for _, x := range d.Story {
		rule, rest, _ := strings.Cut(x.Text, " was violated: ")
		told[rule] = told[rule] || rest != ""
	}
	for _, rule := range []string{"RS1", "RS6", "RS7"} {
		if !told[rule] {
			t.Errorf("the story leaves out that %s was broken", rule)
		}
	}
	html, markdown, _ := rendered(t, d, Style{})
	for name, page := range map[string]string{"Markdown": string(markdown), "HTML": string(html)} {
		for _, x := range d.Story {
			if at := x.Time.Format("01-02 15:04:05.000"); !strings.Contains(page, at) {
				t.Errorf("the %s does not say that #%d was at %s", name, x.Seq, at)
			}
		}
	}
}

func TestOneDayNeedsNoDate(t *testing.T) {
	at := time.Date(2026, 3, 2, 23, 59, 0, 0, time.UTC)
	later := at.Add(time.Minute)
	if got := newPaper(&Document{Begin: &at, End: &at}, Style{}).clock(&at); got != "23:59:00.000" {
		t.Errorf("one day: %s", got)
	}
	if got := newPaper(&Document{Begin: &at, End: &later}, Style{}).clock(&at); got != "03-02 23:59:00.000" {
		t.Errorf("two days: %s", got)
	}
	zone := time.FixedZone("", -5*3600)
	if got := newPaper(&Document{Begin: &at, End: &later}, Style{Zone: zone}).clock(&at); got != "18:59:00.000" {
		t.Errorf("one day where the reader is: %s", got)
	}
}
