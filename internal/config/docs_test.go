package config

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The configurations of docs/alerts.md load. The first says when people are told, and has
// every key for that; the second has every type with every key it may have.
func TestTheDocumentedChannels(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) < 2 {
		t.Fatalf("docs/alerts.md has %d configurations, want two", len(blocks))
	}
	when, _, err := given{file: string(blocks[0][1])}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if a, g := when.Alerts, when.Gateways[0]; a.DeadMan.URLFile == "" || g.RestartWindow == "" || len(g.Recovery) == 0 {
		t.Errorf("the first configuration lacks something: %+v %+v", a, g)
	}
	block := blocks[1]
	c, _, err := given{file: string(block[1])}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range channelTypes {
		i := slices.IndexFunc(c.Alerts.Channels, func(c Channel) bool { return c.Type == kind.name })
		if i < 0 {
			t.Errorf("there is no %s", kind.name)
			continue
		}
		for _, s := range c.Alerts.Channels[i].settings() {
			if slices.Contains(kind.may, s.key) && *s.value == "" && !regexp.MustCompile(`# `+s.key+`: `).Match(block[1]) {
				t.Errorf("%s has no %s", kind.name, s.key)
			}
		}
	}
}
