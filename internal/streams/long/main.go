package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"

	"ibrecorder/events"
	"ibrecorder/internal/streams"
)

func main() {
	days := streams.Days{}
	flag.IntVar(&days.Events, "events", 10_000, "how many events")
	flag.Uint64Var(&days.Seed, "seed", 1, "what decides what happens")
	flag.BoolFunc("violate", fmt.Sprintf("break a rule once, in the middle: --violate is RS1, --violate=RULE one of %v", streams.Breakable()), func(s string) error {
		if days.Break = s; s == "true" {
			days.Break = "RS1"
		}
		return nil
	})
	flag.Parse()
	if err := write(days); err != nil {
		fmt.Fprintln(os.Stderr, "long:", err)
		os.Exit(2)
	}
}

func write(days streams.Days) error {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := days.Write(func(rec events.Record) error {
		if _, err := out.Write(rec.Raw); err != nil {
			return err
		}
		return out.WriteByte('\n')
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
