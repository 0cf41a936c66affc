package churn

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A bitset is a set of small numbers; the first 64 need no memory of their own.
type bitset struct {
	low  uint64
	more []uint64
}

func (b *bitset) add(i int) {
	if i < 64 {
		b.low |= 1 << i
		return
	}
	for len(b.more) < i/64 {
		b.more = append(b.more, 0)
	}
	b.more[i/64-1] |= 1 << (i % 64)
}

func (b *bitset) has(i int) bool {
	if i < 64 {
		return b.low>>i&1 == 1
	}
	return i/64 <= len(b.more) && b.more[i/64-1]>>(i%64)&1 == 1
}

// last returns the largest element, -1 for none.
func (b *bitset) last() int {
	for i := len(b.more) - 1; i >= 0; i-- {
		if b.more[i] != 0 {
			return 64*(i+1) + bits.Len64(b.more[i]) - 1
		}
	}
	return bits.Len64(b.low) - 1
}

// A cohortMember is what is kept of one customer.
type cohortMember struct {
	born    time.Time // first start event, or Born's answer
	started bool
	starts  bitset    // periods with a start event; only for recurring cohorts
	active  bitset    // periods with a return event
	times   []int64   // of return events, unix nanoseconds; only for rolling intervals
	paid    []payment // by period, or by time for rolling intervals
}

// A payment is the money of a customer at a key: the period, or the time in unix nanoseconds.
type payment struct {
	key    int64
	amount money.Amount
}

type cohortCounter struct {
	o       CohortOptions
	periods []ledger.Period
	end     time.Time
	members map[string]*cohortMember
	late    int
	recent  int // the period of the event before
}

func newCohortCounter(periods []ledger.Period, o CohortOptions) (*cohortCounter, error) {
	if err := checkPeriods(periods); err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &cohortCounter{o: o, periods: periods, end: o.End, members: map[string]*cohortMember{}}
	if c.end.IsZero() {
		c.end = periods[len(periods)-1].End
	}
	if !c.end.After(periods[0].Start) {
		return nil, fmt.Errorf("churn: cohorts: the end %s is not after the start of the first period", c.end.Format(time.RFC3339))
	}
	return c, nil
}

// period returns the index of the period of an instant, -1 before the first and len(periods) after the last.
func (c *cohortCounter) period(t time.Time) int {
	if c.periods[c.recent].Contains(t) {
		return c.recent
	}
	i := periodOf(c.periods, t)
	if i >= 0 && i < len(c.periods) {
		c.recent = i
	}
	return i
}

// periodOf returns the index of the period of an instant, -1 before the first and len(periods) after the last.
func periodOf(periods []ledger.Period, t time.Time) int {
	i := sort.Search(len(periods), func(i int) bool { return periods[i].Start.After(t) }) - 1
	if i == len(periods)-1 && !t.Before(periods[i].End) {
		return len(periods)
	}
	return i
}

func (c *cohortCounter) add(row int, e *ledger.Event) error {
	if !e.At.Before(c.end) {
		c.late++
		return nil
	}
	m := c.members[e.Customer]
	if m == nil {
		m = &cohortMember{}
		if c.o.Born != nil {
			m.born = c.o.Born(e.Customer)
			m.started = !m.born.IsZero()
		}
		c.members[e.Customer] = m
	}
	i := c.period(e.At)
	inside := i >= 0 && i < len(c.periods)
	if c.o.Start == "" || e.Name == c.o.Start {
		if c.o.Born == nil && (!m.started || e.At.Before(m.born)) {
			m.born, m.started = e.At, true
		}
		if c.o.Recurring && inside {
			m.starts.add(i)
		}
	}
	if c.o.Return == "" || e.Name == c.o.Return {
		if c.o.Every != 0 {
			m.times = append(m.times, e.At.UnixNano())
		} else if inside {
			m.active.add(i)
		}
	}
	if !c.o.Value || e.Value.IsZero() || (c.o.Every == 0 && !inside) {
		return nil
	}
	key := int64(i)
	if c.o.Every != 0 {
		key = e.At.UnixNano()
	}
	if err := pay(&m.paid, key, e.Value); err != nil {
		return rowError(row, "value", e.Value.String(), err)
	}
	return nil
}

// A cohortSum is the table as it grows, by cohort and column.
type cohortSum struct {
	size    []int
	active  [][]int
	base    [][]int
	revenue [][]money.Sum
}

// columns returns the brackets, or one column an age.
func (c *cohortCounter) columns() [][2]int {
	if c.o.Brackets != nil {
		return slices.Clone(c.o.Brackets)
	}
	n := len(c.periods)
	if c.o.Ages != 0 {
		n = c.o.Ages
	}
	cols := make([][2]int, n)
	for k := range cols {
		cols[k] = [2]int{k, k}
	}
	return cols
}

func (c *cohortCounter) table(ctx context.Context) (*CohortTable, error) {
	t := &CohortTable{Counting: c.o.Counting, Every: c.o.Every, End: c.end, Late: c.late}
	cols := c.columns()
	s := cohortSum{size: make([]int, len(c.periods))}
	for range c.periods {
		s.active = append(s.active, make([]int, len(cols)))
		s.base = append(s.base, make([]int, len(cols)))
		s.revenue = append(s.revenue, make([]money.Sum, len(cols)))
	}
	placed := 0
	for _, m := range c.members {
		if placed++; placed%4096 == 0 && ctx.Err() != nil {
			return nil, streamError(ctx.Err())
		}
		c.place(t, m, cols, &s)
	}
	return t, c.fill(t, cols, &s)
}

// place counts one customer in the cohorts it belongs to. The order of the customers does not matter.
func (c *cohortCounter) place(t *CohortTable, m *cohortMember, cols [][2]int, s *cohortSum) {
	if c.o.Recurring {
		for i := range c.periods {
			if m.starts.has(i) {
				c.calendar(m, i, cols, s)
			}
		}
		return
	}
	if !m.started || !m.born.Before(c.end) {
		t.Unborn++
		return
	}
	switch i := periodOf(c.periods, m.born); {
	case i < 0:
		t.Before++
	case i == len(c.periods):
		t.After++
	case c.o.Every != 0:
		c.rolling(m, i, cols, s)
	default:
		c.calendar(m, i, cols, s)
	}
}

// calendar counts a member of cohort i by calendar periods.
func (c *cohortCounter) calendar(m *cohortMember, i int, cols [][2]int, s *cohortSum) {
	s.size[i]++
	last := m.active.last()
	for k, col := range cols {
		if c.retained(&m.active, i, last, col) {
			s.active[i][k]++
		}
	}
	for _, p := range m.paid {
		if k := column(cols, int(p.key)-i); k >= 0 {
			s.revenue[i][k].Add(p.amount)
		}
	}
}

// column returns the index of the column of an age, -1 for none.
func column(cols [][2]int, age int) int {
	k := sort.Search(len(cols), func(k int) bool { return cols[k][1] >= age })
	if k == len(cols) || age < cols[k][0] {
		return -1
	}
	return k
}

// retained reports whether a customer active in the given periods is retained in a column of ages since first.
func (c *cohortCounter) retained(active *bitset, first, last int, col [2]int) bool {
	if c.o.Counting == OnOrAfter {
		return last >= first+col[0]
	}
	for age := col[0]; age <= col[1] && first+age <= last; age++ {
		if active.has(first + age) {
			return true
		}
	}
	return false
}

// rolling counts a member of cohort i by intervals since its own start. Only columns whose last interval lies before the
// end count it.
func (c *cohortCounter) rolling(m *cohortMember, i int, cols [][2]int, s *cohortSum) {
	s.size[i]++
	born := m.born
	if c.o.Floor != 0 {
		born = floorTo(born, c.o.Floor, c.periods[0].Start.Location())
	}
	age := func(nano int64) int {
		d := time.Duration(nano - born.UnixNano())
		if d < 0 {
			return -1
		}
		return int(d / c.o.Every)
	}
	most := cols[len(cols)-1][1]
	var active bitset
	last := -1
	for _, at := range m.times {
		k := age(at)
		last = max(last, k)
		if k >= 0 && k <= most {
			active.add(k)
		}
	}
	complete := int(c.end.Sub(born) / c.o.Every) // intervals that lie before the end
	for k, col := range cols {
		if col[1] < complete {
			s.base[i][k]++
			if c.retained(&active, 0, last, col) {
				s.active[i][k]++
			}
		}
	}
	for _, p := range m.paid {
		if k := column(cols, age(p.key)); k >= 0 {
			s.revenue[i][k].Add(p.amount)
		}
	}
}

// floorTo rounds an instant down to a multiple of d since midnight.
func floorTo(t time.Time, d time.Duration, loc *time.Location) time.Time {
	midnight := ledger.Day(t, loc).Start
	return midnight.Add(t.Sub(midnight) / d * d)
}

// fill makes rows and totals of the sums.
func (c *cohortCounter) fill(t *CohortTable, cols [][2]int, s *cohortSum) error {
	totals := make([]money.Sum, len(cols))
	for _, col := range cols {
		t.Total = append(t.Total, CohortCell{From: col[0], To: col[1], Mature: true})
	}
	for i, p := range c.periods {
		row := CohortRow{Period: p, Size: s.size[i]}
		for k, col := range cols {
			cell := CohortCell{From: col[0], To: col[1], Active: s.active[i][k]}
			if c.o.Every != 0 {
				cell.Base = s.base[i][k]
				cell.Mature = cell.Base > 0
				if cell.Base == 0 && s.size[i] > 0 || !p.Start.Add(time.Duration(col[0])*c.o.Every).Before(c.end) {
					break
				}
			} else {
				first, last := i+col[0], i+col[1]
				if first >= len(c.periods) || !c.periods[first].Start.Before(c.end) {
					break
				}
				cell.Base = s.size[i]
				cell.Mature = last < len(c.periods) && !c.periods[last].End.After(c.end)
			}
			revenue, err := s.revenue[i][k].Total()
			if err != nil {
				return fmt.Errorf("churn: cohort %s: revenue: %w", p, err)
			}
			cell.Revenue = revenue
			row.Cells = append(row.Cells, cell)
			if total := &t.Total[k]; cell.Mature {
				total.Active += cell.Active
				total.Base += cell.Base
				totals[k].Add(revenue)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	for k := range t.Total {
		revenue, err := totals[k].Total()
		if err != nil {
			return fmt.Errorf("churn: cohorts: revenue: %w", err)
		}
		t.Total[k].Revenue = revenue
	}
	return nil
}
