package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "renew what the scripts compare with")

// The commands that scripts run in processes of their own. The simulated Gateway
// goes by two names, because the recorder knows a Gateway's process by its name:
// under its own it counts as a forwarder, of which nobody can tell what is behind.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"recorder": main, "ibgateway": main, "hello": hello})
}

// TestVerbs runs every verb as an operator types it, and a recorder and a simulated
// Gateway where the verb needs them.
func TestVerbs(t *testing.T) {
	t.Parallel()
	scripts(t, "script")
}

// scripts runs the scripts of a folder under testdata. Each finds, in its environment,
//
//	D              an empty data folder with a path short enough for a socket
//	GATEWAY, TAP   addresses that are free
//
// and the variables of the recorder that say so.
func scripts(t *testing.T, folder string) {
	params := scriptParams(t)
	params.Dir = filepath.Join("testdata", folder)
	testscript.Run(t, params)
}

func scriptParams(t *testing.T) testscript.Params {
	root, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after every script: testscript ends what still runs last of all
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	var started atomic.Int64
	return testscript.Params{
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			dir := filepath.Join(root, strconv.FormatInt(started.Add(1), 10))
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			gateway, tap := freeAddress(), freeAddress()
			for name, value := range map[string]string{
				"D": dir, "GATEWAY": gateway, "TAP": tap, "TMPDIR": dir, "TZ": "UTC",
				"IBRECORDER_DATA": dir, "IBRECORDER_GATEWAYS": "main=" + gateway, "IBRECORDER_TAPS": "main=" + tap,
				"IBRECORDER_HTTP_LISTEN": "off",               // one port for all would be taken
				"GORACE":                 "atexit_sleep_ms=0", // a race build sleeps a second at the end of each process
			} {
				e.Setenv(name, value)
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "quick.yaml"), []byte(quick), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "free:4102" {
				return isFree("127.0.0.1:4102"), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "free": free, "up": up, "listens": listens, "await": await, "reads": reads, "line": line,
			"post": post, "stored": stored, "judge": judge, "damage": damage, "joined": joined, "mute": mute, "contract": keeps, "occupy": occupy, "watch": stopwatch, "manager": manager, "told": told, "hook": hook,
		},
	}
}

// quick is a policy that a test can wait for.
const quick = `policy:
  preset: demo
  version_budget_ms: 1000
  ready_budget_ms: 1000
  start_api_budget_ms: 1000
  settle_ms: 100
  probation_spacing_ms: 10
  backoff_base_ms: 10
  backoff_cap_ms: 20
`
