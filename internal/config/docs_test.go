package config

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The configuration of docs/alerts.md loads, and has every type with every key it may have.
func TestTheDocumentedChannels(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("docs/alerts.md has no configuration")
	}
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
