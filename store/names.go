package store

import (
	"strings"

	"ibrecorder/events"
)

// Everything is in one named account from the first run on: a store that starts
// in the global account cannot be moved into another (nats-server #5219).
const account = "IBRECORDER"

const (
	subjectRoot  = "ibrecorder.ev."
	streamPrefix = "IBR_"
	firstSegment = "_0001"
)

// streamName is the stream of a gateway. A name has no underscore, so putting
// one for each hyphen loses nothing and two gateways never share a stream.
func streamName(gateway string) string {
	return streamPrefix + strings.ToUpper(strings.ReplaceAll(gateway, "-", "_")) + firstSegment
}

// gatewayOf is the inverse of streamName.
func gatewayOf(stream string) (gateway string, ok bool) {
	name, ok := strings.CutPrefix(stream, streamPrefix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, firstSegment)
	gateway = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return gateway, ok && events.CheckGatewayName(gateway) == nil && streamName(gateway) == stream
}

// subjectPrefix ends with the dot before the kind.
func subjectPrefix(gateway string) string { return subjectRoot + gateway + "." }
