//go:build race

package main

// computing are the scripts of verbs that have one goroutine and much to compute: the
// race detector sees nothing in them, and takes ten times as long.
var computing = map[string]bool{
	"check_policy": true, "contract": true, "diff": true, "explain": true, "import": true, "pack": true, "shrink": true, "whatif": true,
}
