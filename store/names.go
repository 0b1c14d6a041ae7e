package store

import (
	"fmt"
	"strconv"
	"strings"

	"ibrecorder/events"
)

// Everything is in one named account from the first run on: a store that starts
// in the global account cannot be moved into another (nats-server #5219).
const account = "IBRECORDER"

const (
	subjectRoot = "ibrecorder.ev."
	// rolledRoot is where the subjects of a rolled part go: two streams of an account
	// must not listen to the same ones, and nothing is published here.
	rolledRoot   = "ibrecorder.rolled."
	streamPrefix = "IBR_"
	partDigits   = 4
)

// streamName is the stream of a gateway's part, which is counted from 1. A name has no
// underscore, so putting one for each hyphen loses nothing and two gateways never share
// a stream.
func streamName(gateway string, part int) string {
	return fmt.Sprintf("%s%s_%0*d", streamPrefix, strings.ToUpper(strings.ReplaceAll(gateway, "-", "_")), partDigits, part)
}

// partOf is the inverse of streamName.
func partOf(stream string) (gateway string, part int, ok bool) {
	name, ok := strings.CutPrefix(stream, streamPrefix)
	i := strings.LastIndexByte(name, '_')
	if !ok || i < 0 {
		return "", 0, false
	}
	part, err := strconv.Atoi(name[i+1:])
	gateway = strings.ToLower(strings.ReplaceAll(name[:i], "_", "-"))
	ok = err == nil && part > 0 && events.CheckGatewayName(gateway) == nil && streamName(gateway, part) == stream
	return gateway, part, ok
}

// subjectPrefix ends with the dot before the kind.
func subjectPrefix(gateway string) string { return subjectRoot + gateway + "." }

// rolledSubject is what a rolled part listens to: its own name, that nobody uses.
func rolledSubject(gateway string, part int) string {
	return fmt.Sprintf("%s%s.%d", rolledRoot, gateway, part)
}
