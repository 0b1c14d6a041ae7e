//go:build race

package explore

// slow says that the race detector is on, which takes ten times as long: one preset shows
// it every goroutine that two would.
const slow = true
