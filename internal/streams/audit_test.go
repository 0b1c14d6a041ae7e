package streams

import (
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
)

// What the recorded streams hold of decisions is what the policy decides there. An
// imported history has none.
func TestEveryRecordedStreamIsClean(t *testing.T) {
	for _, f := range folders(t) {
		if f.Found {
			continue // a rule is broken in it, by a decision most often
		}
		t.Run(f.Name, func(t *testing.T) {
			a, decided := audit.New(), 0
			for _, rec := range stored(t, f) {
				a.Step(rec.Event)
				if info, _ := events.Lookup(rec.Kind()); info.Class == events.Decision {
					decided++
				}
			}
			r := a.Result()
			for _, f := range r.Findings {
				t.Errorf("%s at #%d: %s", f.Class, f.Seq, f.Text)
			}
			if f.Facts.Recorded && (r.Checked == 0 || r.Skipped > 0) {
				t.Errorf("%d decisions were compared and %d not (%s), of %d", r.Checked, r.Skipped, r.Why, decided)
			}
			if !f.Facts.Recorded && r.Checked > 0 {
				t.Errorf("%d decisions of a history that no recorder saw were compared", r.Checked)
			}
		})
	}
}
