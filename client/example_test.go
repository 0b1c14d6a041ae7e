package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"ibrecorder/client"
	"ibrecorder/events"
)

func Example() {
	recorder, err := prepare("robo-1") // in earnest: recorder nats key robo-1, and recorder run
	if err != nil {
		log.Fatal(err)
	}
	if err := recorder.start(); err != nil {
		log.Fatal(err)
	}
	defer recorder.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := client.Connect(ctx, client.Config{URL: recorder.NATS.Listen, Seed: recorder.seeds["robo-1"], Name: "robo-1", Gateway: "main"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for {
		lease, err := c.Wait(ctx, client.Attempt{})
		var stop *client.RestartRequiredError
		if errors.As(err, &stop) {
			fmt.Println("nobody dials:", stop.Reason)
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		// Dial here. This Gateway accepts, and says nothing for 30 s.
		fmt.Println("dialled")
		if err := lease.End(ctx, events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 30_000}); err != nil {
			log.Fatal(err)
		}
	}

	// Output:
	// dialled
	// nobody dials: silent
}
