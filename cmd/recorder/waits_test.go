package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/httpapi"
)

// terminal tells of the first words on it.
type terminal struct {
	bytes.Buffer
	written chan struct{}
	once    sync.Once
}

func (t *terminal) Write(p []byte) (int, error) {
	defer t.once.Do(func() { close(t.written) })
	return t.Buffer.Write(p)
}

// A log that takes nothing keeps an operator waiting; a terminal that says nothing meanwhile
// looks like a program that hangs.
func TestWhoWaitsForALogThatTakesNothingIsToldSo(t *testing.T) {
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "recorder.sock"))
	if err != nil {
		t.Fatal(err)
	}
	said := terminal{written: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/gateways/main", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(httpapi.Status{Gateway: "main", LogError: "the log is full; make room on its disk"})
	})
	mux.HandleFunc("POST /v1/gateways/main/notes", func(w http.ResponseWriter, r *http.Request) {
		select { // for as long as the operator does not know why
		case <-said.written:
		case <-r.Context().Done():
		case <-time.After(patience):
		}
		http.Error(w, "over", http.StatusInternalServerError)
	})
	srv := &http.Server{Handler: mux}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()
	root := newRoot()
	root.SetErr(&said)
	root.SetArgs([]string{"note", "main", "a remark", "--data", dir})
	if err := root.ExecuteContext(t.Context()); err == nil {
		t.Error("the note was taken")
	}
	want := "recorder: note waits, because the log of main takes nothing: the log is full; make room on its disk\n" +
		"  next: make room, and it goes on by itself; Ctrl-C gives up; what is wrong: recorder doctor --data " + dir + "\n"
	if !strings.HasPrefix(said.String(), want) {
		t.Errorf("said\n%swant\n%s", said.String(), want)
	}
}

func TestAHintNamesOneFolder(t *testing.T) {
	for _, c := range []struct{ name, hint, want string }{
		{"the next command needs the folder too", "recorder status", "recorder status --data ./mine"},
		{"a hint that names another one is left alone", "recorder run --data FOLDER", "recorder run --data FOLDER"},
	} {
		if got := (&asker{data: "./mine"}).typed(c.hint); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
