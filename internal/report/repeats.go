package report

const (
	// longest is how many rows a pattern may have: a whole attempt with its
	// session and its end is about 35.
	longest = 40
	// fewRows patterns have to come three times before they count as a repetition.
	fewRows = 2
)

// repeats finds patterns of rows that come again at once: one tells a row, many
// tells how often a pattern came again after it was told. It looks ahead by two of
// the longest patterns and keeps no more than that.
type repeats struct {
	one  func(row)
	many func(pattern []row, n int, first, last row)

	ahead   []row // not told yet
	pattern []row // that is being repeated, nil if none is
	n       int   // how often it came again
	first   row
	last    row
	part    []row // of the next time
}

func (c *repeats) add(r row) {
	if c.pattern == nil {
		c.ahead = append(c.ahead, r)
		if len(c.ahead) >= 2*longest {
			c.tell()
		}
		return
	}
	if r.alike == "" || r.alike != c.pattern[len(c.part)].alike {
		c.leave()
		c.add(r)
		return
	}
	c.part = append(c.part, r)
	if len(c.part) == len(c.pattern) {
		if c.n == 0 {
			c.first = c.part[0]
		}
		c.n, c.last, c.part = c.n+1, r, c.part[:0]
	}
}

// leave ends a repetition. What had begun of the next time is told like any other.
func (c *repeats) leave() {
	c.many(c.pattern, c.n, c.first, c.last)
	part := append([]row(nil), c.part...)
	c.pattern, c.n, c.part = nil, 0, nil
	for _, r := range part {
		c.add(r)
	}
}

// tell tells the first row that waits, or the whole pattern that begins with it.
func (c *repeats) tell() {
	p := c.period()
	if p == 0 {
		c.one(c.ahead[0])
		c.ahead = append(c.ahead[:0], c.ahead[1:]...)
		return
	}
	rest := append([]row(nil), c.ahead[p:]...)
	c.pattern = append([]row(nil), c.ahead[:p]...)
	c.ahead = c.ahead[:0]
	for _, r := range c.pattern {
		c.one(r)
	}
	for _, r := range rest {
		c.add(r)
	}
}

// period is the length of the shortest pattern that begins with the first row
// that waits and comes again often enough, 0 if there is none.
func (c *repeats) period() int {
	for p := 1; p <= longest; p++ {
		want := 2 * p
		if p <= fewRows {
			want = 3 * p
		}
		if want <= len(c.ahead) && repeated(c.ahead[:want], p) {
			return p
		}
	}
	return 0
}

func repeated(rows []row, p int) bool {
	for i := range len(rows) - p {
		if rows[i].alike == "" || rows[i].alike != rows[i+p].alike {
			return false
		}
	}
	return true
}

// end tells what is left.
func (c *repeats) end() {
	for c.pattern != nil || len(c.ahead) > 0 {
		if c.pattern != nil {
			c.leave()
		} else {
			c.tell()
		}
	}
}
