package natsapi

import (
	"strings"

	"ibrecorder/events"
)

const (
	intakeRoot = "ibrecorder.intake."
	permitRoot = "ibrecorder.permit."
	hangUpRoot = "ibrecorder.disconnect."
	readRoot   = "ibrecorder.read."
	liveRoot   = "ibrecorder.ev."
	inboxRoot  = "_INBOX."
)

// Runner returns the subjects that a runner may publish to and subscribe.
func Runner(name string) (publish, subscribe []string) {
	return []string{intakeRoot + "*." + name, permitRoot + "*." + name, hangUpRoot + "*." + name, readRoot + "*." + name},
		[]string{inboxRoot + name + ".>", liveRoot + ">"}
}

// Own returns those of the recorder: it may not publish where it listens, so that no
// answer can be a request.
func Own() (publish, subscribe []string) {
	return []string{inboxRoot + ">", liveRoot + ">"},
		[]string{intakeRoot + "*.*", permitRoot + "*.*", hangUpRoot + "*.*", readRoot + "*.*"}
}

// asker splits the subject of a request.
func asker(subject, root string) (gateway, runner string, ok bool) {
	gateway, runner, ok = strings.Cut(strings.TrimPrefix(subject, root), ".")
	return gateway, runner, ok && events.CheckGatewayName(runner) == nil
}

// sourceOf is the source of everything that a runner says.
func sourceOf(runner string) string { return "/runner/" + runner }
