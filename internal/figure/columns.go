package figure

// Span is one state from a place to another, both in columns.
type Span struct {
	State    string
	From, To float64
}

// Run are columns that lie side by side and show the same state.
type Run struct {
	Of   int // index of the first span in it
	From int // the first column
	N    int // how many
}

// Columns puts spans into n columns. A column shows the state that has most of it, but
// something bad however short it was: the eye must not miss a stop of a second in a
// picture of a week. Columns without a span are in no run.
func Columns(n int, spans []Span) []Run {
	shown := make([]int, n) // the index of a span, from 1
	has := make([]float64, n)
	for i, s := range spans {
		rank, _ := Look(s.State)
		for c := max(0, int(s.From)); c < n && (float64(c) < s.To || c == int(s.From)); c++ {
			part := min(s.To, float64(c+1)) - max(s.From, float64(c))
			if rank >= Worst {
				part += 2
			}
			if shown[c] != 0 && spans[shown[c]-1].State == s.State {
				has[c] += part
			} else if shown[c] == 0 || part > has[c] {
				shown[c], has[c] = i+1, part
			}
		}
	}
	var out []Run
	for c := 0; c < n; {
		if shown[c] == 0 {
			c++
			continue
		}
		run := Run{Of: shown[c] - 1, From: c, N: 1}
		for c+run.N < n && shown[c+run.N] != 0 && spans[shown[c+run.N]-1].State == spans[run.Of].State {
			run.N++
		}
		out = append(out, run)
		c += run.N
	}
	return out
}
