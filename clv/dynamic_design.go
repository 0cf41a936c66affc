package clv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
)

// A DynamicDesign is the paths of the covariates of the customers of some histories, row by row. Customers who have the same
// path share it. It is immutable and may serve several fits.
type DynamicDesign struct {
	terms   Terms
	values  [][]float64 // the distinct rows of all paths
	courses []course    // the distinct paths
	of      []int32     // the path of each customer
	sums    [][]float64 // of each customer, over the repeat purchases; nil where the design does not know
	dates   *dates      // nil for a design that was not made from a log
}

// A course is a path whose rows are numbers of the design's values.
type course struct {
	starts []float64
	rows   []int32
	end    float64 // +Inf for ever
}

// Dates tie a design to the calendar of time.
type dates struct {
	grain    Granularity
	location *time.Location
	unit     time.Duration
	end      int64   // tick
	starts   []int64 // of each customer
}

// A designBuilder finds what is equal.
type designBuilder struct {
	d    *DynamicDesign
	rows map[string]int32
	key  []byte
}

func newDesignBuilder(terms Terms, n int) *designBuilder {
	return &designBuilder{rows: map[string]int32{}, d: &DynamicDesign{terms: terms, of: make([]int32, n), sums: make([][]float64, n)}}
}

// row returns the number of a row.
func (b *designBuilder) row(row []float64) int32 {
	b.key = b.key[:0]
	for _, v := range row {
		b.key = binary.LittleEndian.AppendUint64(b.key, math.Float64bits(v))
	}
	i, ok := b.rows[string(b.key)]
	if !ok {
		i = int32(len(b.d.values))
		b.rows[string(b.key)] = i
		b.d.values = append(b.d.values, slices.Clone(row))
	}
	return i
}

// add appends a piece to a course, or makes the last one longer.
func (b *designBuilder) add(c *course, start float64, row []float64) {
	i := b.row(row)
	if n := len(c.rows); n > 0 && c.rows[n-1] == i {
		return
	}
	c.starts, c.rows = append(c.starts, start), append(c.rows, i)
}

// NewDynamicDesign makes the design of histories whose paths are known on the customers' own clocks, row i of one being that
// of row i of the other. Each path must go on to the T of its history or further, and needs the sum over purchases, as
// Path.WithPurchases gives, for the fit.
//
// It returns an error for histories that do not validate, for terms without a name, and, with the row, for a path that does
// not validate, has not the columns of the terms or ends before T.
func NewDynamicDesign(hs *Histories, terms Terms, paths []Path) (*DynamicDesign, error) {
	if err := hs.Validate(); err != nil {
		return nil, err
	}
	if len(paths) != len(hs.Rows) {
		return nil, fmt.Errorf("clv: %d paths for %d histories", len(paths), len(hs.Rows))
	}
	if len(terms) == 0 {
		return nil, errors.New("clv: a design without covariates")
	}
	width := 0
	for i, t := range terms {
		if t.Name == "" {
			return nil, fmt.Errorf("clv: covariate %d has no name", i+1)
		}
		if slices.ContainsFunc(terms[:i], func(u Term) bool { return u.Name == t.Name }) {
			return nil, fmt.Errorf("clv: two covariates are named %q", t.Name)
		}
		width += t.width()
	}
	b := newDesignBuilder(slices.Clone(terms), len(paths))
	for i, p := range paths {
		err := p.problem()
		switch {
		case err != nil:
		case len(p.Rows[0]) != width:
			err = fmt.Errorf("path: rows of %d values for the columns %q", len(p.Rows[0]), terms.Columns())
		case hs.Rows[i].T > p.end():
			err = fmt.Errorf("path: end %v: before T %v", p.End, hs.Rows[i].T)
		}
		if err != nil {
			return nil, fmt.Errorf("clv: row %d: %w", i+1, err)
		}
		c := course{end: p.end()}
		for k, row := range p.Rows {
			b.add(&c, p.Starts[k], row)
		}
		b.d.of[i] = int32(len(b.d.courses))
		b.d.courses = append(b.d.courses, c)
		b.d.sums[i] = slices.Clone(p.Purchases)
	}
	return b.d, nil
}

// SummarizeDynamic is Summarize together with the covariates of a calendar: the histories are those of Summarize, and the
// design says what the covariates were while each customer was observed, when the purchases came, and further as long as
// the calendar knows. Rows of the log become purchases exactly as there, so that several orders of one day count once.
//
// It returns the errors of Summarize, an error for SummaryOptions.Ordered, which keeps no days of purchase, one if the
// calendar counts other days than the log, and one that names customer, covariate and date where a covariate has no value
// between a customer's first purchase and the end.
func SummarizeDynamic(ctx context.Context, log iter.Seq2[ledger.Transaction, error], c *Calendar, end time.Time, unit time.Duration,
	o *SummaryOptions) (*Histories, *DynamicDesign, error) {
	if log == nil {
		return nil, nil, errNoLog
	}
	if c == nil {
		return nil, nil, errNoCalendar
	}
	options, err := o.withDefaults(end)
	if err != nil {
		return nil, nil, err
	}
	if options.Ordered {
		return nil, nil, errors.New("clv: SummarizeDynamic with Ordered: it needs the days of all purchases")
	}
	if err := c.sameDays(options.Granularity, options.Location); err != nil {
		return nil, nil, err
	}
	p, err := options.partial(end)
	if err != nil {
		return nil, nil, err
	}
	tick, err := endTick(p.clock, end, unit)
	if err != nil {
		return nil, nil, err
	}
	if options.MatchOrders {
		if log, err = p.matchOrders(ctx, log, options.Progress); err != nil {
			return nil, nil, err
		}
	}
	if err := p.read(ctx, log, options); err != nil {
		return nil, nil, err
	}
	hs, err := p.histories(ctx, end, unit, options.Workers)
	if err != nil {
		return nil, nil, err
	}
	d, err := p.design(ctx, c, len(hs.Rows), tick, unit, options.Workers)
	if err != nil {
		return nil, nil, err
	}
	return hs, d, nil
}

// sameDays returns an error unless the calendar counts time as a log of the given granularity and location does.
func (c *Calendar) sameDays(g Granularity, loc *time.Location) error {
	if c.o.Granularity != g {
		return fmt.Errorf("clv: the calendar counts time by %v, the log by %v", c.o.Granularity, g)
	}
	if a, b := locationName(c.o.Location), locationName(loc); g == ByDay && a != b {
		return fmt.Errorf("clv: the calendar counts days of %s, the log days of %s; set the Location of the options", a, b)
	}
	return nil
}

// design brings the purchases of a summary together with a calendar. n is the number of its histories.
func (p *Partial) design(ctx context.Context, c *Calendar, n int, end int64, unit time.Duration, workers int) (*DynamicDesign, error) {
	keys, err := p.byCustomer(ctx, workers)
	if err != nil {
		return nil, err
	}
	b := newDesignBuilder(c.Terms(), n)
	grain := p.o.Granularity
	b.d.dates = &dates{grain: grain, location: p.o.Location, unit: unit, end: end, starts: make([]int64, 0, n)}
	shared := map[int64]int32{} // the courses of customers without rows of their own, by the first purchase
	var days []int64
	for k, key := range keys {
		if k%progressEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t := p.tables[key.table]
		if days = appendDays(days[:0], t, int(key.index)); len(days) == 0 {
			continue
		}
		i := len(b.d.dates.starts)
		b.d.dates.starts = append(b.d.dates.starts, days[0])
		customer := t.id(int(key.index))
		own := c.turnsOf(customer)
		s, err := c.stretch(customer, own, days[0], end)
		if err != nil {
			return nil, err
		}
		at, ok := shared[days[0]]
		if !ok || own != nil {
			at = b.course(&s, grain, unit)
			if own == nil {
				shared[days[0]] = at
			}
		}
		b.d.of[i], b.d.sums[i] = at, s.sum(days[1:], c.width)
	}
	return b.d, nil
}

// appendDays appends the purchase ticks of an account, ascending.
func appendDays(days []int64, t cells, i int) []int64 { return t.appendTicks(days, i) }

// course adds the course of a stretch and returns its number.
func (b *designBuilder) course(s *stretch, g Granularity, unit time.Duration) int32 {
	c := course{starts: make([]float64, 0, len(s.turns)), rows: make([]int32, 0, len(s.turns))}
	c.end = s.pieces(g, unit, func(start float64, row []float64) { b.add(&c, start, row) })
	if c.end == 0 {
		c.end = math.Inf(1)
	}
	b.d.courses = append(b.d.courses, c)
	return int32(len(b.d.courses) - 1)
}

// sum adds the rows at ascending ticks. Where the stretch ends at a tick its last row still holds.
func (s *stretch) sum(ticks []int64, width int) []float64 {
	sum, k := make([]float64, width), 0
	for _, tick := range ticks {
		for k+1 < len(s.turns) && s.turns[k+1].tick <= tick {
			k++
		}
		for j, v := range s.turns[k].row {
			sum[j] += v
		}
	}
	return sum
}

// Terms returns the covariates.
func (d *DynamicDesign) Terms() Terms {
	if d == nil {
		return nil
	}
	return slices.Clone(d.terms)
}

// Columns returns the names of the coefficients.
func (d *DynamicDesign) Columns() []string { return d.Terms().Columns() }

// Len returns the number of customers.
func (d *DynamicDesign) Len() int {
	if d == nil {
		return 0
	}
	return len(d.of)
}

// Path returns the path of customer i, counted from 0, with the sum over purchases; one without pieces if there is no such
// customer.
func (d *DynamicDesign) Path(i int) Path {
	if d == nil || i < 0 || i >= len(d.of) {
		return Path{}
	}
	c := &d.courses[d.of[i]]
	p := Path{Starts: slices.Clone(c.starts), Purchases: slices.Clone(d.sums[i])}
	if !math.IsInf(c.end, 1) {
		p.End = c.end
	}
	for _, row := range c.rows {
		p.Rows = append(p.Rows, slices.Clone(d.values[row]))
	}
	return p
}

// Pick returns the design of the given customers, counted from 0, in their order; one may occur more than once. It returns
// an error for one that does not exist.
func (d *DynamicDesign) Pick(rows []int) (*DynamicDesign, error) {
	p := &DynamicDesign{terms: d.Terms(), of: make([]int32, len(rows)), sums: make([][]float64, len(rows))}
	if d != nil {
		p.values, p.courses = d.values, d.courses
		if d.dates != nil {
			of := *d.dates
			of.starts = make([]int64, len(rows))
			p.dates = &of
		}
	}
	for i, r := range rows {
		if r < 0 || r >= d.Len() {
			return nil, fmt.Errorf("clv: row %d of a design of %d rows", r, d.Len())
		}
		p.of[i], p.sums[i] = d.of[r], d.sums[r]
		if p.dates != nil {
			p.dates.starts[i] = d.dates.starts[r]
		}
	}
	return p, nil
}

// Continue returns the design with other covariates after the end of observation: those of a calendar, such as the plan of
// another campaign. hs are the histories that SummarizeDynamic made with d. It returns an error if d was not made from a
// log, if the calendar counts other days or has other columns, and where a covariate has no value at the end.
func (d *DynamicDesign) Continue(hs *Histories, future *Calendar) (*DynamicDesign, error) {
	switch {
	case future == nil:
		return nil, errNoCalendar
	case hs == nil || d.Len() != len(hs.Rows):
		return nil, errors.New("clv: other histories than those of the design")
	case d.dates == nil:
		return nil, errors.New("clv: the design was not made from a log, so it has no dates to continue from")
	}
	if err := future.sameDays(d.dates.grain, d.dates.location); err != nil {
		return nil, err
	}
	if want, got := d.Columns(), future.Columns(); !slices.Equal(want, got) {
		return nil, fmt.Errorf("clv: the calendar has the columns %q, the design %q", got, want)
	}
	b := newDesignBuilder(d.Terms(), d.Len())
	b.d.dates = d.dates
	copy(b.d.sums, d.sums)
	shared := map[int32]int32{} // by the course until now, of customers without rows of their own
	end := d.dates.end
	for i := range d.of {
		customer := hs.Rows[i].Customer
		own := future.turnsOf(customer)
		if at, ok := shared[d.of[i]]; ok && own == nil {
			b.d.of[i] = at
			continue
		}
		s, err := future.stretch(customer, own, end, end)
		if err != nil {
			return nil, err
		}
		old, T := &d.courses[d.of[i]], hs.Rows[i].T
		var c course
		for k, start := range old.starts {
			if start < T || k == 0 {
				b.add(&c, start, d.values[old.rows[k]])
			}
		}
		for k, t := range s.turns {
			start := T
			if k > 0 {
				start = elapsed(d.dates.grain, d.dates.starts[i], t.tick, d.dates.unit)
			}
			if start == 0 { // a first purchase at the end
				c.starts, c.rows = nil, nil
			}
			b.add(&c, start, t.row)
		}
		if c.end = math.Inf(1); s.until != math.MaxInt64 {
			c.end = elapsed(d.dates.grain, d.dates.starts[i], s.until, d.dates.unit)
		}
		at := int32(len(b.d.courses))
		b.d.courses = append(b.d.courses, c)
		if b.d.of[i] = at; own == nil {
			shared[d.of[i]] = at
		}
	}
	return b.d, nil
}

// check returns an error unless the design fits the histories.
func (d *DynamicDesign) check(hs *Histories) error {
	switch {
	case d == nil || len(d.terms) == 0:
		return errors.New("clv: no design; a fit without covariates is that of the plain model")
	case len(d.of) != len(hs.Rows):
		return fmt.Errorf("clv: the design has %d rows for %d histories", len(d.of), len(hs.Rows))
	}
	for i := range hs.Rows {
		if end := d.courses[d.of[i]].end; hs.Rows[i].T > end*(1+1e-13) {
			return fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "T", Value: short(hs.Rows[i].T),
				Err: fmt.Errorf("the covariates are known until %s only", short(end))})
		}
	}
	return nil
}
