package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

func TestThePictureShowsWhatMatters(t *testing.T) {
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 2, lanesWidth - 1, lanesWidth, lanesWidth + 1, 2 * lanesWidth, 2*lanesWidth + 1, 1_000, 100_003} {
		t.Run(fmt.Sprint(n, " events"), func(t *testing.T) {
			l := &lanes{every: 1}
			for i := range n {
				e := events.Event{Seq: uint64(i + 1), Time: at, Data: events.GatewayNotice{}}
				gate := fsm.Open
				if i == n/2 { // one event of each sort that must not be lost among the others
					gate, e.Data = fsm.Stopped, events.AttemptDenied{}
				}
				l.add(e, gate)
			}
			if l.first.Seq != 1 || l.last.Seq != uint64(n) {
				t.Errorf("it is of #%d to #%d", l.first.Seq, l.last.Seq)
			}
			if all := (len(l.columns)-1)*l.every + l.n; all != n || len(l.columns) > lanesWidth || n > lanesWidth && len(l.columns) < lanesWidth/2 {
				t.Errorf("%d columns of %d events, %d in the last, are %d", len(l.columns), l.every, l.n, all)
			}
			picture := strings.Join(l.draw(Style{}), "\n")
			if strings.Count(picture, "█") != 1 || strings.Count(picture, "⊘") != 1 {
				t.Errorf("the stop and the refusal in it are to be seen once each:\n%s", picture)
			}
			for line := range strings.Lines(picture) {
				if utf8.RuneCountInString(line) > 80 {
					t.Errorf("wider than a terminal:\n%s", picture)
				}
			}
		})
	}
}

// A time stands where the gate changed, and only where it has room.
func TestThePictureNamesTimes(t *testing.T) {
	l := &lanes{every: 1}
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	for i := range 40 {
		gate := fsm.Open
		if i == 3 || i >= 20 {
			gate = fsm.Stopped
		}
		l.add(events.Event{Seq: uint64(i + 1), Time: at.Add(time.Duration(i) * time.Minute), Data: events.GatewayNotice{}}, gate)
	}
	want := "          06:00:00            06:20:00\n gate     ───█──────OPEN──────██████STOPPED███████"
	if got := strings.Join(l.draw(Style{}), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
