package logfile

import (
	"regexp"
	"strconv"
	"strings"

	"ibrecorder/events"
)

// timeout is how Python prints the one that matters.
const timeout = "TimeoutError()"

var (
	errnos    = regexp.MustCompile(`(?:Errno |Error\()(\d+)`)
	exception = regexp.MustCompile(`^(?:[a-z_]+\.)*(\w+)(?:\(|$|:)`)
)

// ending is what an exception says of an attempt: why it failed, or that it was
// abandoned, or neither if it does not tell.
type ending struct {
	reason    events.FailReason
	abandoned bool
}

// readException reads what a program prints of an exception. Only its class and the
// numbers of the system's errors count: the words are different on each system.
func readException(s string) ending {
	class := ""
	if m := exception.FindStringSubmatch(s); m != nil {
		class = m[1]
	}
	switch class {
	case "TimeoutError":
		if !strings.Contains(s, "Errno") {
			return ending{reason: events.ReportedTimeout}
		}
	case "CancelledError", "KeyboardInterrupt", "SystemExit":
		return ending{abandoned: true}
	case "ConnectionRefusedError":
		return ending{reason: events.Refused}
	case "gaierror":
		return ending{reason: events.Unreachable}
	}
	if s == "No managed accounts" {
		return ending{reason: events.NoAccounts}
	}
	var reason events.FailReason
	for _, m := range errnos.FindAllStringSubmatch(s, -1) {
		this := byErrno[m[1]]
		if reason != "" && this != reason { // several addresses, and not one answer
			return ending{reason: events.Unreachable}
		}
		reason = this
	}
	return ending{reason: reason}
}

// byErrno has the numbers of macOS, Linux and Windows.
var byErrno = map[string]events.FailReason{
	"61": events.Refused, "111": events.Refused, "10061": events.Refused, "1225": events.Refused,
	"60": events.DialTimeout, "110": events.DialTimeout, "10060": events.DialTimeout,
	"54": events.RSTBeforeVersion, "104": events.RSTBeforeVersion, "10054": events.RSTBeforeVersion,
	"51": events.Unreachable, "65": events.Unreachable, "101": events.Unreachable, "113": events.Unreachable, "10065": events.Unreachable,
}

// number reads what a pattern says is a number, nil if it has no room.
func number(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return nil
	}
	return &n
}

func atoi(s string) int64 {
	if n := number(s); n != nil {
		return *n
	}
	return 0
}

// milliseconds reads a number of seconds, 0 if it is no timeout that anybody sets.
func milliseconds(s string) int64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 3600 {
		return 0
	}
	return int64(f * 1000)
}
