package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// hook is a receiver on this host until the script ends: it answers each request with
// STATUS and BODY, and appends the path and what it got to FILE. Its address is in VARIABLE.
func hook(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 4, "hook VARIABLE FILE STATUS BODY")
	status, err := strconv.Atoi(args[2])
	ts.Check(err)
	out, err := os.OpenFile(ts.MkAbs(args[1]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s %s\n", r.URL.Path, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, args[3])
	}))
	ts.Defer(func() { server.Close(); out.Close() })
	ts.Setenv(args[0], server.URL)
}
