package daemon_test

import (
	"math"
	"runtime/metrics"
	"sync/atomic"
	"testing"

	"ibrecorder/internal/daemon"
)

// percent is how the garbage collector is set; math.MaxUint64 is off.
func percent() uint64 {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// The last events of all gateways are written while nothing is collected, and then
// everything is as it was. That ten logs of 8 MiB that were idle for minutes end in
// time is measured, not tested: it takes these minutes.
func TestNothingIsCollectedWhileARunEnds(t *testing.T) {
	var begun, ended, off atomic.Int32
	cfg := config(t, folder(t))
	cfg.Gateways = append(cfg.Gateways, daemon.Gateway{Name: "paper", Address: freePort(t, loopback()), Tap: "127.0.0.1:0"})
	cfg.Step = func(at string) {
		switch at {
		case "append recorder.started":
			begun.Add(1)
		case "append recorder.stopped":
			ended.Add(1)
		default:
			return
		}
		if percent() == math.MaxUint64 {
			off.Add(1)
		}
	}
	before := percent()
	r := start(t, cfg)
	if begun.Load() != 2 || off.Load() != 0 {
		t.Fatalf("%d runs began, %d of them without a collector", begun.Load(), off.Load())
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if ended.Load() != 2 || off.Load() != 2 {
		t.Errorf("%d runs ended, %d of them without a collector, want both", ended.Load(), off.Load())
	}
	if now := percent(); now != before {
		t.Errorf("the collector is set to %d, and was to %d", now, before)
	}
}
