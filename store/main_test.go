package store_test

import (
	"os"
	"testing"

	"ibrecorder/store/storetest"

	"go.uber.org/goleak"
)

const gw = storetest.Gateway

// TestMain also is the second process of the tests that need one.
func TestMain(m *testing.M) {
	if what := os.Getenv("STORE_TEST_CHILD"); what != "" {
		asChild(what, os.Getenv("STORE_TEST_DIR"))
	}
	goleak.VerifyTestMain(m,
		// nats-server: one for the process, started by its file store.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
