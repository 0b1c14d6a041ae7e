package main

import (
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // a minimal image has no zones, and restart windows are written in one

	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
)

// telling sets when people are told, and who is pinged.
func telling(c config.Config, from config.Origins, out *daemon.Config) error {
	out.Alerts = when(c.Alerts)
	out.Zone = time.Local
	pinger, err := deadMan(c, from, os.Environ())
	if pinger != nil {
		out.DeadMan, out.PingEvery = pinger, time.Duration(c.Alerts.DeadMan.EveryMinutes)*time.Minute
	}
	return err
}

// deadMan makes what is pinged, nil if nothing is, with the secret that its address is.
func deadMan(c config.Config, from config.Origins, env []string) (*channel.Pinger, error) {
	const key = "alerts.dead_man.url_file"
	if c.Alerts.DeadMan.URLFile == "" {
		return nil, nil
	}
	var pinger *channel.Pinger
	address, err := config.ReadSecret(c.Alerts.DeadMan.URLFile, env)
	if err == nil {
		pinger, err = channel.NewPinger(address)
	}
	if err != nil {
		return nil, config.Problems{{Origin: from.Of(key), Text: fmt.Sprintf("%s: %v", key, err)}}
	}
	return pinger, nil
}

// when says when people are told.
func when(c config.Alerts) *alert.Settings {
	return &alert.Settings{
		Remind: time.Duration(c.RemindMinutes) * time.Minute, Most: c.RemindMost, Outage: time.Duration(c.OutageAfterMinutes) * time.Minute,
	}
}

// whoIsTold is a line for whoever starts a recorder.
func whoIsTold(c config.Config) string {
	var names []string
	for _, ch := range c.Channels() {
		names = append(names, ch.Name)
	}
	told := "nobody is told of a stop: see recorder alert --help"
	if len(names) > 0 {
		told = strings.Join(names, ", ") + "; try them: recorder alert test"
	}
	if c.Alerts.DeadMan.URLFile != "" {
		told += fmt.Sprintf("; dead-man ping every %d min", c.Alerts.DeadMan.EveryMinutes)
	}
	return told
}
