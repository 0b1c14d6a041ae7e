package notice

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ibrecorder/events"
)

// Words are what a gateway's notices say beside what is in the log.
type Words struct {
	// Steps are what to do for a stop, in order: the operator's own, or DefaultSteps.
	Steps []string
	// Remind is the time between two reminders, Most how many there are.
	Remind time.Duration
	Most   int64
	// Zone is that of the people; nil is UTC.
	Zone *time.Location
}

// DefaultSteps are what to do where the configuration does not say.
func DefaultSteps(gateway string) []string {
	return []string{
		"Restart IB Gateway, or TWS, and log in",
		"Approve the login on your phone within 3 minutes",
		fmt.Sprintf("recorder resume %s --reason TEXT", gateway),
	}
}

// Facts are the events that a notice is made of.
type Facts struct {
	// Alert is the alert.raised, alert.reminded or alert.resolved that is told.
	Alert events.Record
	// Raised is the alert.raised that it belongs to.
	Raised events.Record
	// Began is what that tells of: the restart.required, the rule.violated, the first
	// sight of an outage, the first alert.failed.
	Began events.Record
	// Ended is what an alert.resolved tells of; the zero record otherwise.
	Ended events.Record
}

// Of makes the notice of an alert. The same facts make the same notice.
func (w Words) Of(f Facts) Notice {
	raised, _ := f.Raised.Data.(events.AlertRaised)
	n := Notice{
		Gateway: f.Alert.Gateway, Key: f.Alert.ID, Incident: raised.Incident, Time: f.Alert.Time.UTC(), Since: f.Began.Time.UTC(), Record: f.Alert,
	}
	switch d := f.Alert.Data.(type) {
	case events.AlertReminded:
		w.reminder(&n, d, f)
	case events.AlertResolved:
		n.Record, n.Ends, n.Severity = f.Ended, true, Info
		w.over(&n, d, f)
	case events.AlertRaised:
		n.Record = f.Began // under the alert's own key, but of a stop: a reporter chooses the id of what it reports
		switch d.About {
		case events.AboutStop:
			w.stop(&n, d, f)
		case events.AboutOutage:
			w.outage(&n, d, f)
		case events.AboutBreach:
			w.breach(&n, d, f)
		case events.AboutChannel:
			w.silent(&n, d, f)
		case events.AboutRoom:
			w.room(&n, d, f)
		}
	}
	return n
}

func (w Words) stop(n *Notice, d events.AlertRaised, f Facts) {
	n.Kind, n.Severity, n.Steps, n.Key = Stop, Critical, w.Steps, f.Began.ID+"/stop" // the same whether the alert is in the log yet or not
	required, _ := f.Began.Data.(events.RestartRequired)
	n.Title = fmt.Sprintf("🔴 %s needs a manual restart. Connects are blocked.", shout(n.Gateway))
	affected := "every program that wants to connect through the recorder"
	if !required.Enforced {
		n.Title = fmt.Sprintf("🔴 %s needs a manual restart. Observe mode: nobody is held.", shout(n.Gateway))
		affected = "every program that wants to connect"
	}
	why := "Why: " + downs[required.Reason]
	if required.Carried {
		why = "Why: it did when the log before this one was set aside"
	}
	if d.ReadyMS > 0 {
		why += fmt.Sprintf("; the last program was connected %s before", span(d.ReadyMS))
	}
	if d.Programs > 0 {
		affected += fmt.Sprintf("; %s on", goOn(d.Programs))
	}
	n.Body = append(n.Body, w.since(n.Since), why+".", "Affected: "+affected+". Orders stay at IBKR as they are; a program that is not connected can neither see nor change them.")
	n.Body = append(n.Body, w.next(n, 0)...)
	n.Body = append(n.Body, "Incident "+n.Incident)
}

// goOn is about the sessions that a stop does not touch.
func goOn(n int64) string {
	if n == 1 {
		return "the one session that is up goes"
	}
	return fmt.Sprintf("the %d sessions that are up go", n)
}

// next says when the next reminder comes, and how to end them.
func (w Words) next(n *Notice, sent int64) []string {
	if sent >= w.Most {
		if w.Most == 0 {
			return nil
		}
		return []string{"This is the last reminder. Mute: recorder ack " + n.Gateway}
	}
	return []string{fmt.Sprintf("Next reminder %s, then every %s, %d at most. Mute: recorder ack %s", w.clock(n.Time.Add(w.Remind)), span(w.Remind.Milliseconds()), w.Most, n.Gateway)}
}

func (w Words) reminder(n *Notice, d events.AlertReminded, f Facts) {
	n.Kind, n.Severity, n.Steps = Reminder, Critical, w.Steps
	n.Title = fmt.Sprintf("🔴 (%d/%d) %s still needs a restart, %s now. %s blocked.", d.Number, d.Most, shout(n.Gateway), span(d.ElapsedMS), count(d.Blocked, "connect"))
	required, _ := f.Began.Data.(events.RestartRequired)
	n.Body = append(n.Body, w.since(n.Since), "Why: "+downs[required.Reason]+".")
	n.Body = append(n.Body, w.next(n, d.Number)...)
	n.Body = append(n.Body, "Incident "+n.Incident)
}

func (w Words) over(n *Notice, d events.AlertResolved, f Facts) {
	lasted := span(n.Time.Sub(n.Since).Milliseconds())
	n.Body = []string{w.since(n.Since), "Incident " + n.Incident}
	switch d.About {
	case events.AboutOutage:
		n.Kind, n.Title = OutageOver, fmt.Sprintf("🟢 %s is there again after %s.", shout(n.Gateway), lasted)
	case events.AboutChannel:
		n.Kind = SilentOver
		switch e := f.Ended.Data.(type) {
		case events.AlertDelivered: // what began it may be archived
			n.Channel = e.Channel
			n.Title = fmt.Sprintf("🟢 Alerts of %s reach channel %s again after %s.", shout(n.Gateway), e.Channel, lasted)
		case events.AlertFailed:
			n.Channel = e.Channel
			n.Title = fmt.Sprintf("⚪ Channel %s of %s is no more: it was taken out.", e.Channel, shout(n.Gateway))
		default:
			n.Title = fmt.Sprintf("🟢 A channel of %s is silent no longer.", shout(n.Gateway))
		}
	case events.AboutRoom:
		n.Kind, n.Title = RoomOver, fmt.Sprintf("🟢 The log of %s has room again after %s.", shout(n.Gateway), lasted)
	default:
		w.released(n, d, f)
	}
}

func (w Words) released(n *Notice, d events.AlertResolved, f Facts) {
	n.Kind = Over
	how, then := "", "The next attempts are a probation; the first that is ready opens the gate."
	switch e := f.Ended.Data.(type) {
	case events.RestartAcknowledged:
		switch e.Basis {
		case events.BasisObserved:
			how = "a restart was seen"
		case events.BasisOverride:
			how = "by " + e.By + ", without a restart"
		default:
			how = "by " + e.By
		}
		if e.Reason != "" {
			then = e.By + " says: " + e.Reason + ". " + then
		}
	case events.GatewayContradicted:
		how, then = "a program was connected", ""
	default:
		how, then = "another stop took its place", ""
	}
	n.Title = fmt.Sprintf("🟢 %s is released after %s: %s. %s blocked.", shout(n.Gateway), span(d.ElapsedMS), how, count(d.Blocked, "connect"))
	n.Body = []string{w.since(n.Since)}
	if then != "" {
		n.Body = append(n.Body, then)
	}
	n.Body = append(n.Body, fmt.Sprintf("Report: replay report FOLDER --gateway %s --incident %d", n.Gateway, f.Began.Seq), "Incident "+n.Incident)
}

func (w Words) breach(n *Notice, d events.AlertRaised, f Facts) {
	n.Kind, n.Severity = Breach, Warning
	found, _ := f.Began.Data.(events.RuleViolated)
	who := "by the recorder itself"
	n.Steps = []string{fmt.Sprintf("replay report FOLDER --from %d --to %d, and report it with that: the recorder broke its own rule", max(1, n.Record.Seq-min(n.Record.Seq, 50)), n.Record.Seq)}
	if found.Bypassed {
		who = "by a program that went around the recorder"
		n.Steps = []string{"Point that program at the recorder's port, or have it ask for a permit"}
	}
	n.Title = fmt.Sprintf("🟠 %s: rule %s was broken %s.", shout(n.Gateway), found.Rule, who)
	n.Body = append(n.Body, sentence(found.Text), w.at(n.Since))
	if d.Again > 0 {
		n.Body = append(n.Body, fmt.Sprintf("%d more like it since this was last told.", d.Again))
	}
	n.Body = append(n.Body, fmt.Sprintf("More of the same during this stop are counted and not told. What each is: replay explain %s", found.Rule))
}

func (w Words) outage(n *Notice, d events.AlertRaised, f Facts) {
	n.Kind, n.Severity = Outage, Warning
	why, steps := "", []string{"Start IB Gateway, or TWS, and log in"}
	switch e := f.Began.Data.(type) {
	case events.GatewayObserved, events.RecorderStarted: // a run that begins in an outage counts from there
		why = "nothing listens on its port"
	case events.AttemptFailed:
		why = absences[e.Reason]
		if e.Reason == events.FINBeforeVersion || e.Reason == events.RSTBeforeVersion {
			steps = []string{"See whether the Gateway behind that port runs, and start it"}
		}
	case events.SessionDegraded:
		why, steps = fmt.Sprintf("it runs and has lost IB (code %d)", e.Code), []string{"Nothing need be restarted yet: see IBKR's system status, and the network of that host"}
	}
	n.Title = fmt.Sprintf("🟠 %s has been away for %s: %s.", shout(n.Gateway), span(n.Time.Sub(n.Since).Milliseconds()), why)
	n.Steps = steps
	n.Body = []string{w.since(n.Since), "Programs may connect as soon as it is there: nothing need be released."}
	if d.ReadyMS > 0 {
		n.Body = append(n.Body, fmt.Sprintf("The last program was connected %s ago.", span(d.ReadyMS)))
	}
	n.Body = append(n.Body, "You are told when it is there again. Incident "+n.Incident)
}

var absences = map[events.FailReason]string{
	events.Refused: "nothing listens on its port", events.Unreachable: "its address cannot be reached",
	events.FINBeforeVersion: "its port closes each connection at once", events.RSTBeforeVersion: "its port resets each connection at once",
}

func (w Words) silent(n *Notice, d events.AlertRaised, f Facts) {
	n.Kind, n.Severity, n.Channel = Silent, Warning, d.Channel
	failed, _ := f.Began.Data.(events.AlertFailed)
	next := "It is tried again for a day. You are told when it is well again."
	if failed.Final {
		next = "The same will not be tried again; the next message will. You are told when it takes one."
	}
	n.Title = fmt.Sprintf("🟠 Alerts of %s do not reach channel %s.", shout(n.Gateway), d.Channel)
	n.Body = []string{w.since(n.Since), "It says: " + failed.Text, next + " Incident " + n.Incident}
	n.Steps = []string{"recorder alert test " + d.Channel}
}

// room is about the level that began it, which is nothing if it was archived.
func (w Words) room(n *Notice, d events.AlertRaised, f Facts) {
	n.Kind, n.Severity = Room, Warning
	n.Title = fmt.Sprintf("🟠 The log of %s is nearly full.", shout(n.Gateway))
	next := "When it has come to its reserve nobody may connect any more; sessions that are up go on."
	level, known := f.Began.Data.(events.RecorderRoom)
	if level.Level == events.LevelReserve {
		n.Severity, n.Title = Critical, fmt.Sprintf("🔴 The log of %s is full but for its reserve: make room.", shout(n.Gateway))
		next = "Until there is room nobody may connect, unless the recorder only observes. Sessions that are up go on, and are recorded."
	}
	n.Body = []string{w.at(n.Time)}
	if known {
		n.Body = append(n.Body, fmt.Sprintf("It has %.1f MB, and there is room for %.1f MB more.", mega(level.UsedBytes), mega(level.LimitBytes-level.UsedBytes)))
	}
	n.Body = append(n.Body, next)
	n.Steps = []string{"recorder log archive " + n.Gateway + " FOLDER, which moves what is old out of it", "If others have filled the disk of the data folder: make room on it"}
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }

// Unrecorded makes the notice of a stop that the log does not take: required is its
// restart.required, which is not in the log. Its key is that of the alert that follows
// when the log goes on.
func (w Words) Unrecorded(required events.Record) Notice {
	raised := required
	raised.Data = events.AlertRaised{About: events.AboutStop, Incident: fmt.Sprintf("%s-%d", required.Gateway, required.Seq), Of: required.Seq}
	n := w.Of(Facts{Alert: raised, Raised: raised, Began: required})
	n.Body = append(n.Body, "The log takes nothing, so this is not in it yet: make room on the disk of the recorder's data folder.")
	return n
}

// Blocked makes the notice of a log that takes nothing, which no log can tell of. The
// key is the same for one run.
func (w Words) Blocked(gateway, boot, why string, since, now time.Time) Notice {
	n := Notice{
		Kind: Room, Severity: Critical, Gateway: gateway, Key: boot + "-" + gateway + "/log", Incident: gateway + "-log", Time: now.UTC(), Since: since.UTC(),
		Title: fmt.Sprintf("🔴 The log of %s takes nothing: nobody connects until it does.", shout(gateway)),
		Steps: []string{"Make room on the disk of the recorder's data folder", "recorder status says when the log goes on"},
	}
	n.Body = []string{w.since(since), "Why: " + why, "Sessions that are up go on, and are not recorded. This message is not in the log."}
	return n
}

// Unblocked makes the notice of its end.
func (w Words) Unblocked(gateway, boot string, since, now time.Time) Notice {
	return Notice{
		Kind: RoomOver, Severity: Info, Gateway: gateway, Key: boot + "-" + gateway + "/log/over", Incident: gateway + "-log", Ends: true, Time: now.UTC(), Since: since.UTC(),
		Title: fmt.Sprintf("🟢 The log of %s goes on after %s.", shout(gateway), span(now.Sub(since).Milliseconds())),
		Body:  []string{w.since(since), "What waited for it is recorded. Whether there is room enough: recorder status"},
	}
}

// Down makes the notice of a recorder of some gateways, at least one, that cannot start
// since a time, and so has no log to tell of it. Its key is made of a time of its own.
func (w Words) Down(gateways []string, why string, since, now, key time.Time) Notice {
	n := w.start(gateways, since, now)
	n.Kind, n.Severity, n.Key = Down, Critical, n.Incident+key.UTC().Format("/2006-01-02T15:04:05")
	n.Title = fmt.Sprintf("🔴 The recorder of %s cannot start: programs are refused.", some(gateways))
	n.Steps = []string{"recorder doctor, on its host, says what to do", "Until it runs, a program that must trade reaches the Gateway at its own port, where nobody holds it"}
	n.Body = []string{w.since(since), "Why: " + why, "While it is tried again this is told once a day. It is in no log."}
	return n
}

// Up makes the notice of its end.
func (w Words) Up(gateways []string, since, now time.Time) Notice {
	n := w.start(gateways, since, now)
	n.Kind, n.Severity, n.Key, n.Ends = DownOver, Info, n.Incident+now.UTC().Format("/up/2006-01-02T15:04:05"), true
	n.Title = fmt.Sprintf("🟢 The recorder of %s runs again after %s.", some(gateways), span(now.Sub(since).Milliseconds()))
	n.Body = []string{w.since(since)}
	return n
}

func (w Words) start(gateways []string, since, now time.Time) Notice {
	n := Notice{Incident: "recorder-" + gateways[0] + since.UTC().Format("-20060102"), Time: now.UTC(), Since: since.UTC()}
	if len(gateways) == 1 {
		n.Gateway = gateways[0]
	}
	return n
}

// some are names for one line.
func some(names []string) string {
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// downs are what proves that a Gateway is down.
var downs = map[events.DownReason]string{
	events.DownSilent: "the Gateway accepted a connection and did not answer", events.DownDialTimeouts: "the Gateway did not accept connections in time",
	events.DownClosed: "the Gateway closed connections before it answered", events.DownProbation: "no attempt after the last release became ready",
	events.DownWedged: "the Gateway leaves connections waiting and accepts none", events.DownReported: "a program reported the Gateway down",
}

// shout is a name as it is seen first in a line.
func shout(gateway string) string { return "IB Gateway " + strings.ToUpper(gateway) }

// sentence is somebody's words as one.
func sentence(text string) string {
	if first, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	return strings.TrimSuffix(text, ".") + "."
}

func (w Words) in(t time.Time) time.Time {
	if w.Zone == nil {
		return t.UTC()
	}
	return t.In(w.Zone)
}

// clock is hours and minutes with their zone.
func (w Words) clock(t time.Time) string { return w.in(t).Format("15:04 MST") }

// at is a moment for people: in their zone, and in UTC.
func (w Words) at(t time.Time) string {
	local, utc := w.in(t), t.UTC()
	if _, offset := local.Zone(); offset == 0 {
		return utc.Format("15:04:05 UTC, Mon 2 Jan")
	}
	return local.Format("15:04:05 MST") + utc.Format(" (15:04:05 UTC)") + local.Format(", Mon 2 Jan")
}

func (w Words) since(t time.Time) string { return "Since " + w.at(t) + "." }

// span is a duration as people say it.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
