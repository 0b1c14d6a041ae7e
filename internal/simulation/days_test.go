//go:build !race

package simulation

// days is how long a week is.
const days = 7
