package clv

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// A turn is where covariates change: what all of them are from a tick on.
type turn struct {
	tick    int64
	row     []float64 // coded; nil where one of them is not known
	unknown int       // the term that is not
}

// turns brings the series of a customer together, those for all where own has none.
func (c *Calendar) turns(own []schedule) []turn {
	lists := make([]schedule, len(c.terms))
	ticks := []int64{since}
	for j := range lists {
		if lists[j] = c.series[j]; own != nil && own[j] != nil {
			lists[j] = own[j]
		}
		for _, v := range lists[j] {
			ticks = append(ticks, v.tick)
		}
	}
	slices.Sort(ticks)
	ticks = slices.Compact(ticks)
	out := make([]turn, 0, len(ticks))
	at := make([]int, len(lists)) // changes so far
	for _, tick := range ticks {
		t := turn{tick: tick, row: make([]float64, 0, c.width)}
		for j, list := range lists {
			for at[j] < len(list) && list[at[j]].tick <= tick {
				at[j]++
			}
			if at[j] == 0 || math.IsNaN(list[at[j]-1].value) {
				t.row, t.unknown = nil, j
				break
			}
			t.row = c.terms[j].code(t.row, list[at[j]-1].value)
		}
		if n := len(out); n > 0 && slices.Equal(out[n-1].row, t.row) && (t.row != nil || out[n-1].unknown == t.unknown) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// code appends the columns of a value, of a categorical term that of a level's index.
func (t Term) code(row []float64, value float64) []float64 {
	if t.Levels == nil {
		return append(row, value)
	}
	for l := 1; l < len(t.Levels); l++ {
		x := 0.0
		if float64(l) == value {
			x = 1
		}
		row = append(row, x)
	}
	return row
}

// A stretch is the turns from a customer's first purchase on, as long as the covariates are known.
type stretch struct {
	start int64
	turns []turn // the first holds at start
	until int64  // math.MaxInt64 for ever
}

// stretch returns the turns of a customer from start, which must be known until end. own are the turns of a customer with
// rows of one's own.
func (c *Calendar) stretch(customer string, own []turn, start, end int64) (stretch, error) {
	all := own
	if all == nil {
		all = c.common
	}
	first := sort.Search(len(all), func(i int) bool { return all[i].tick > start }) - 1 // the first turn is since ever
	s := stretch{start: start, until: c.until}
	unknown := -1
	for i := first; i < len(all); i++ {
		if all[i].tick >= s.until {
			break
		}
		if all[i].row == nil {
			s.until, unknown = max(start, all[i].tick), all[i].unknown
			break
		}
		s.turns = append(s.turns, all[i])
	}
	if s.until >= end && s.until > start {
		return s, nil
	}
	at := max(start, s.until)
	if unknown < 0 {
		return s, fmt.Errorf("clv: customer %q: the covariates are known until %s only, and are needed until %s",
			customer, tickText(c.o.Granularity, c.until), tickText(c.o.Granularity, end))
	}
	return s, fmt.Errorf("clv: customer %q: covariate %q has no value on %s", customer, c.terms[unknown].Name, tickText(c.o.Granularity, at))
}

// pieces visits the pieces with their starts on the customer's clock and returns until when they are known, 0 for ever.
func (s *stretch) pieces(g Granularity, unit time.Duration, visit func(start float64, row []float64)) (end float64) {
	for i, t := range s.turns {
		if i == 0 {
			visit(0, t.row)
		} else {
			visit(elapsed(g, s.start, t.tick, unit), t.row)
		}
	}
	if s.until == math.MaxInt64 {
		return 0
	}
	return elapsed(g, s.start, s.until, unit)
}

// turnsOf returns the turns of a customer with rows of one's own, nil for others.
func (c *Calendar) turnsOf(customer string) []turn {
	if i, ok := c.customer[customer]; ok {
		return c.turns(c.own[i])
	}
	return nil
}

// Path returns the covariates of a customer, who may be one without rows of one's own, from the first purchase on, in a
// unit of time. The path ends where one of them ceases to be known. It has no sum over purchases.
//
// Path returns an error if the unit is not positive, if start is out of range, and if a covariate is not known at start.
func (c *Calendar) Path(customer string, start time.Time, unit time.Duration) (Path, error) {
	if c == nil {
		return Path{}, errNoCalendar
	}
	if unit <= 0 {
		return Path{}, fmt.Errorf("clv: unit %v: want a positive one, such as clv.Week", unit)
	}
	tick, err := newClock(c.o.Granularity, c.o.Location).tick(start)
	if err != nil {
		return Path{}, fmt.Errorf("clv: start %v: %w", start, err)
	}
	s, err := c.stretch(customer, c.turnsOf(customer), tick, tick)
	if err != nil {
		return Path{}, err
	}
	var p Path
	p.End = s.pieces(c.o.Granularity, unit, func(start float64, row []float64) {
		p.Starts, p.Rows = append(p.Starts, start), append(p.Rows, slices.Clone(row))
	})
	return p, nil
}
