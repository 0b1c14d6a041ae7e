package channel

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAPingSaysWellOrWhyNot(t *testing.T) {
	var got []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, r.Method+" "+r.URL.Path+" "+string(body))
		w.WriteHeader(status)
	}))
	defer server.Close()
	const secret = "6a7c9f1e-secret"
	p, err := NewPinger(server.URL + "/" + secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, why := range []string{"", "the log of main takes nothing"} {
		if err := p.Ping(t.Context(), why); err != nil {
			t.Error(err)
		}
	}
	want := "POST /" + secret + " \nPOST /" + secret + "/fail the log of main takes nothing"
	if strings.Join(got, "\n") != want {
		t.Errorf("it got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	status = http.StatusNotFound
	if err := p.Ping(t.Context(), ""); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("an unknown address: %v", err)
	}
	if _, err := NewPinger("http://example.org/" + secret); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("an address in the clear: %v", err)
	}
}
