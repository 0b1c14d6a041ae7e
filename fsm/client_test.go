package fsm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// clients says who waits alone, and what is known of a session's framing.
func clients(s State) string {
	var out []string
	for _, c := range s.Clients {
		line := fmt.Sprintf("%d failed %d", c.ID, c.Failed)
		if c.Pending != "" {
			line += " pending"
		}
		if c.Delay.MS > 0 {
			line += fmt.Sprintf(" from %s to %s", time.Duration(c.Delay.From), time.Duration(c.Delay.Until()))
		}
		out = append(out, line)
	}
	for _, x := range s.Sessions {
		if x.Unwatched {
			out = append(out, x.Attempt+" unwatched")
		}
	}
	return strings.Join(out, "; ")
}

func TestClientsThatWaitAlone(t *testing.T) {
	const begun = "a1 request; a1 permit; a1 dial; a1 up; a1 version; a1 start 7\n"
	const inUse = begun + "a1 fail client_id_in_use\n"
	const used2 = "a2 request; a2 permit; a2 dial; a2 up; a2 version; a2 start 7; a2 fail client_id_in_use\n"
	for _, tc := range []struct{ name, script, want string }{
		{"326 asks for a wait", inUse, "7 failed 1 pending"},
		{"the decision ends that", inUse + "delay 2s client=7", "7 failed 1 from 0s to 2s"},
		{"and leaves the gate as it is", inUse + "delay 2s client=7; a2 request; a2 permit", "7 failed 1 from 0s to 2s"},
		{"that of another client is none", inUse + "delay 2s client=8", "7 failed 1 pending"},
		{"nor is one of everybody", inUse + "delay 2s", "7 failed 1 pending"},
		{"leaving after startAPI counts, if the Gateway answers", begun + "a1 defer; a1 ready; a1 abandon answered", "7 failed 1 pending"},
		{"and not if nobody knows", begun + "a1 abandon", ""},
		{"other failures are everybody's", begun + "a1 fail closed_before_ready", ""},
		{"ready forgets", inUse + "delay 2s client=7; a2 request; a2 permit; a2 dial; a2 up; a2 version; a2 start 7; a2 ok", ""},
		{"so does the end of the session that was in its way", begun + "a1 ok\n" + used2 + "delay 2s client=7; a1 lost", ""},
		{"however it ends", begun + "a1 ok\n" + used2 + "delay 2s client=7; a1 closed", ""},
		{"and not what a runner says of it", begun + "a1 ok\n" + used2 + "delay 2s client=7; report a1 lost", "7 failed 1 from 0s to 2s"},
		{"nor that of another id", "a0 request; a0 permit; a0 dial; a0 up; a0 version; a0 start 8; a0 ok\n" + inUse + "delay 2s client=7; a0 lost", "7 failed 1 from 0s to 2s"},
		{"a client id that waits already is not blamed again", inUse + "delay 2s client=7; a2 request; a2 permit; a2 dial; a2 up; a2 version; a2 fail client_waits",
			"7 failed 1 from 0s to 2s"},
		{"a report about it blames nobody", "report x1 fail client_id_in_use", ""},
		{"an attempt of before the release was another Gateway's", begun + "stop; claim; release word; a1 fail client_id_in_use", ""},
		{"a release forgets all", inUse + "delay 2s client=7; stop; claim; release word", ""},
		{"the next run begins a wait again that was not over", inUse + "delay 2s client=7; +1s; gap; boot b2", "7 failed 1 from 0s to 2s"},
		{"and knows of one that was", inUse + "delay 2s client=7; +2s; gap; boot b2", "7 failed 1"},
		{"a wait that a crash kept out of the log is still due", inUse + "boot b2", "7 failed 1 pending"},
		{"a session whose framing is lost", begun + "a1 ok; a1 unwatched", "a1 unwatched"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := play(t, tc.script)
			if got := clients(s); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if s.Odd.Count != 0 {
				t.Errorf("something ordinary counts as impossible: %s", s.Odd.Text)
			}
		})
	}
}

// Of more clients than can be remembered the one that failed longest ago is forgotten.
func TestTheClientsAreBounded(t *testing.T) {
	var script strings.Builder
	for n := range maxClients + 3 {
		id := n % (maxClients + 2) // client 0 comes again, and is the last then
		fmt.Fprintf(&script, "a%[1]d request; a%[1]d permit; a%[1]d dial; a%[1]d up; a%[1]d version; a%[1]d start %[2]d; a%[1]d fail client_id_in_use\n", n, id)
	}
	s := play(t, script.String())
	if first, last := s.Clients[0], s.Clients[len(s.Clients)-1]; len(s.Clients) != maxClients || first.ID != 3 || last.ID != 0 || last.Failed != 1 {
		t.Errorf("%d clients, from %+v to %+v", len(s.Clients), first, last)
	}
}
