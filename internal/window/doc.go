// Package window is the times in which a Gateway is expected to be away: its nightly
// restart, and the weekly one. It reads no clock: whoever asks says when (TestWindows,
// TestSeveralWindows).
package window
