package store_test

import (
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

func TestTheLogOnDiskKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Log { return openLog(t, t.TempDir()) })
}

func TestTheLogInMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Log { return store.NewMemory(storetest.Gateway) })
}

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openLog(t testing.TB, dir string) *store.JetLog {
	t.Helper()
	l, err := openStore(t, dir).Log(t.Context(), storetest.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
