package report

import (
	"slices"
	"sort"
	"time"
)

// scale says where a place of a picture lies between 0 and 1. Where nothing happens
// for long, the picture is folded: the stretch is as wide as the longest that is
// drawn true, and the fold says how long it was. A stop lasts for hours, and the
// minute before it is what one wants to see.
type scale struct {
	places []int64
	x      []float64
	folds  []folded
}

// folded is a stretch that is drawn shorter than it was.
type folded struct {
	from, to float64
	ns       int64
}

// steps are the longest stretches that may be drawn true, the shortest first.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute,
	5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

const (
	maxFolds = 6
	leastWay = 0.4 // of a picture that is drawn true
	mostLeft = 0.6 // of its length, or folding is not worth its zigzags
)

func newScale(p *Picture) *scale {
	s := &scale{places: []int64{0, p.Length}}
	for _, l := range p.Lanes {
		for _, b := range l.Bands {
			s.places = append(s.places, b.From, b.To)
		}
		for _, m := range l.Marks {
			s.places = append(s.places, m.At, m.To)
		}
	}
	slices.Sort(s.places)
	s.places = slices.Compact(s.places)
	longest := p.Length
	if p.Clocked {
		longest = s.longest(p.Length)
	}
	s.x = make([]float64, len(s.places))
	whole := 0.0
	for i := 1; i < len(s.places); i++ {
		whole += float64(min(s.places[i]-s.places[i-1], longest))
	}
	for i := 1; i < len(s.places); i++ {
		d := s.places[i] - s.places[i-1]
		s.x[i] = s.x[i-1] + float64(min(d, longest))/whole
		if d > longest {
			s.folds = append(s.folds, folded{s.x[i-1], s.x[i], d})
		}
	}
	return s
}

// longest is the shortest of the steps that leaves few folds and most of the picture true.
func (s *scale) longest(length int64) int64 {
	for _, step := range steps {
		most := int64(step) * 3 / 2 // what is hardly longer is not worth a fold
		folds, even := 0, 0.0
		for i := 1; i < len(s.places); i++ {
			if d := s.places[i] - s.places[i-1]; d > most {
				folds++
			} else {
				even += float64(d)
			}
		}
		if whole := even + float64(folds)*float64(most); folds <= maxFolds && even >= leastWay*whole && whole <= mostLeft*float64(length) {
			return most
		}
	}
	return length
}

// of is where a place of the picture lies.
func (s *scale) of(at int64) float64 {
	return s.x[sort.Search(len(s.places)-1, func(i int) bool { return s.places[i] >= at })]
}
