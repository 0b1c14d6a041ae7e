//go:build race

package simulation

// days is how long a week is with the race detector, which is five to ten times as slow.
// What must happen in a whole week is not asked for then.
const days = 2
