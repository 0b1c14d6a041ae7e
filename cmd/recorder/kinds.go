package main

import (
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
)

// kindsOf are the kinds that somebody named, or whose groups; nil if nobody did.
func kindsOf(words []string) (map[events.Kind]bool, error) {
	if len(words) == 0 {
		return nil, nil
	}
	known := map[events.Kind]bool{}
	for _, word := range words {
		found := false
		for _, k := range events.Kinds() {
			if string(k.Kind) == word || groupOf(k.Kind) == strings.TrimSuffix(word, ".*") { // alert.* is how HTTP has it
				known[k.Kind], found = true, true
			}
		}
		if !found {
			near := nearest(word, kindWords())
			if near == "" {
				return nil, fmt.Errorf("--kind %s: there is no such kind; docs/events.md has all, the groups are %s", word, strings.Join(kindGroups(), ", "))
			}
			return nil, fmt.Errorf("--kind %s: there is no such kind; did you mean: --kind %s", word, near)
		}
	}
	return known, nil
}

func groupOf(k events.Kind) string {
	group, _, _ := strings.Cut(string(k), ".")
	return group
}

// kindGroups are the first words of all kinds, sorted.
func kindGroups() (groups []string) {
	for _, k := range events.Kinds() {
		groups = append(groups, groupOf(k.Kind))
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// kindWords are all groups and kinds.
func kindWords() []string {
	words := kindGroups()
	for _, k := range events.Kinds() {
		words = append(words, string(k.Kind))
	}
	return words
}
