//go:build !race

package main

var computing map[string]bool // all are run
