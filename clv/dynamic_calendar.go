package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// A CalendarRow says what a covariate is from a time on: of one customer, such as a mailing, or of all of them, such as a
// season or a holiday.
type CalendarRow struct {
	Customer string    // whose it is; empty for all customers who have no rows of their own under the name
	Name     string    // of the covariate
	From     time.Time // since when; the zero time means since ever
	Until    time.Time // until when, not included; the zero time means until the next row of the customer and name
	Value    float64   // of a numeric covariate
	Level    string    // of a categorical one; a covariate has levels in all rows or in none
}

// CalendarOptions say how a Calendar reads its rows.
type CalendarOptions struct {
	Location    *time.Location // whose calendar days count; nil means UTC. It must be that of the log
	Granularity Granularity    // by day if zero: a row holds from the beginning of its day. It must be that of the log
	// Until is when the last rows cease to hold, for those without an Until of their own. What comes after is not known, and
	// predictions that need it are errors.
	Until time.Time
	// Forever lets the last rows without an Until hold for ever, as those of covariates that do not change do.
	Forever bool
	// References are the reference levels of categorical covariates, by name; the first in alphabetical order for those
	// that it does not name.
	References map[string]string
	// Terms, unless nil, are the covariates of a fitted model, whose levels code the rows; others are errors.
	Terms Terms
}

// A Calendar is covariates as they change over calendar time, for all customers and for each of them. SummarizeDynamic
// brings it together with the purchases, Path with one customer. It is immutable.
type Calendar struct {
	terms    Terms
	o        CalendarOptions
	until    int64 // tick; math.MaxInt64 for ever
	series   []schedule
	customer map[string]int32 // of the customers with rows of their own
	own      [][]schedule     // by customer and term, nil where the rows for all hold
	width    int              // coefficients
	common   []turn           // of customers without rows of their own
}

// A schedule is a covariate of a customer or of all: what it is from a tick on. NaN means that it is not known.
type schedule []change

type change struct {
	tick  int64
	value float64 // a number, or the index of a level
	row   int     // the row of the input; 0 for the end of one
}

// since is the tick of what has always been.
const since = math.MinInt64

var (
	errCalendarName = errors.New("a covariate needs a name")
	errBothKinds    = errors.New("a covariate has a level in some rows and none in others")
	errBoth         = errors.New("a level and a value")
	errSameFrom     = errors.New("a second row for the same customer, name and time")
	errOverlap      = errors.New("not after From, or after the next row begins")
	errNoEndOfRow   = errors.New("the last row has no Until, and neither have the options, so how long it holds is not known")
	errNeverChanges = errors.New("the same at all times and for all customers, so that it has no effect to estimate")
	errNoValue      = errors.New("missing value")
	errNoReference  = errors.New("the reference level does not occur")
	errNoCalendar   = errors.New("clv: a calendar without rows")
)

// NewCalendar reads covariates, in any order. The terms are sorted by name; categorical ones have the levels that occur.
//
// It returns an error if the stream does, a *ledger.RowError for a row without a name, with a number that is NaN or
// infinite, a time out of range, an Until that is not after From or after the beginning of the next row, a second row for
// the same time, and a level where other rows have none; further for no rows at all, a covariate that never changes, a
// reference level that does not occur, a covariate or level that is not in the Terms asked for, and where it is not said
// how long the last rows hold.
func NewCalendar(ctx context.Context, rows iter.Seq2[CalendarRow, error], o *CalendarOptions) (*Calendar, error) {
	b, err := newCalendarBuilder(o)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		return nil, errNoCalendar
	}
	n := 0
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("clv: reading the calendar: %w", err)
		}
		if n%progressEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		n++
		if err := b.add(n, &row); err != nil {
			err.Row = n
			return nil, fmt.Errorf("clv: %w", err)
		}
	}
	if n == 0 {
		return nil, errNoCalendar
	}
	return b.finish(ctx)
}

// ReadCalendar reads the rows of a calendar from CSV text with the columns name, from and value or level, and, where there
// are such rows, customer and until. An empty from, until or customer is that of CalendarRow. A row with neither a value
// nor a level, or with both, is a *ledger.RowError; further errors are those of ledger.ReadRecords.
func ReadCalendar(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[CalendarRow, error] {
	schema := ledger.Schema{Required: []string{"name"}, Optional: []string{"customer", "from", "until", "value", "level"}, Prefix: "clv"}
	return ledger.ReadRecords(ctx, r, o, schema, func(rec *ledger.Record) (CalendarRow, error) {
		row := CalendarRow{Customer: rec.Text("customer"), Name: rec.Text("name"), From: rec.Time("from"), Until: rec.Time("until"),
			Level: rec.Text("level")}
		switch {
		case rec.Has("value") && row.Level != "":
			rec.Fail("level", errBoth)
		case rec.Has("value"):
			row.Value = rec.Float("value")
		case row.Level == "":
			rec.Fail("value", errNoValue)
		}
		return row, nil
	})
}

// A calendarBuilder collects rows under names that are not sorted yet.
type calendarBuilder struct {
	o      CalendarOptions
	clock  *clock
	until  int64
	names  map[string]int
	kinds  []kind
	series [][]change            // by name
	own    map[string][][]change // by customer and name
}

// A kind is what the rows of one name have in common.
type kind struct {
	name   string
	levels map[string]float64 // index in order of appearance; nil for numbers
	first  []string           // the levels in that order
}

func newCalendarBuilder(o *CalendarOptions) (*calendarBuilder, error) {
	b := &calendarBuilder{names: map[string]int{}, own: map[string][][]change{}, until: math.MaxInt64}
	if o != nil {
		b.o = *o
	}
	if b.o.Location == nil {
		b.o.Location = time.UTC
	}
	if b.o.Granularity > ByInstant {
		return nil, fmt.Errorf("clv: unknown granularity %d", uint8(b.o.Granularity))
	}
	b.clock = newClock(b.o.Granularity, b.o.Location)
	if !b.o.Until.IsZero() {
		if b.o.Forever {
			return nil, errors.New("clv: calendar: Until and Forever exclude each other")
		}
		var err error
		if b.until, err = b.clock.tick(b.o.Until); err != nil {
			return nil, fmt.Errorf("clv: calendar: until %v: %w", b.o.Until, err)
		}
	}
	return b, nil
}

// add enters a row. The row number of its error is not set.
func (b *calendarBuilder) add(n int, row *CalendarRow) *ledger.RowError {
	from := int64(since)
	var err error
	if !row.From.IsZero() {
		if from, err = b.clock.tick(row.From); err != nil {
			return &ledger.RowError{Field: "From", Value: row.From.Format(time.RFC3339), Err: err}
		}
	}
	switch {
	case row.Name == "":
		return &ledger.RowError{Field: "Name", Err: errCalendarName}
	case math.IsNaN(row.Value):
		return &ledger.RowError{Field: "Value", Value: "NaN", Err: errNoValue}
	case math.IsInf(row.Value, 0):
		return &ledger.RowError{Field: "Value", Value: short(row.Value), Err: errNotFinite}
	}
	at, value, bad := b.code(row)
	if bad != nil {
		return bad
	}
	list := &b.series[at]
	if row.Customer != "" {
		own := b.own[row.Customer]
		for len(own) <= at {
			own = append(own, nil)
		}
		b.own[strings.Clone(row.Customer)] = own
		list = &own[at]
	}
	*list = append(*list, change{from, value, n})
	if row.Until.IsZero() {
		return nil
	}
	until, err := b.clock.tick(row.Until)
	if err == nil && until <= from {
		err = errOverlap
	}
	if err != nil {
		return &ledger.RowError{Field: "Until", Value: row.Until.Format(time.RFC3339), Err: err}
	}
	*list = append(*list, change{until, math.NaN(), -n})
	return nil
}

// code returns the number of the row's covariate and its value.
func (b *calendarBuilder) code(row *CalendarRow) (at int, value float64, bad *ledger.RowError) {
	at, known := b.names[row.Name]
	if !known {
		at = len(b.kinds)
		k := kind{name: strings.Clone(row.Name)}
		if row.Level != "" {
			k.levels = map[string]float64{}
		}
		b.names[k.name] = at
		b.kinds, b.series = append(b.kinds, k), append(b.series, nil)
	}
	k := &b.kinds[at]
	switch {
	case (row.Level != "") != (k.levels != nil):
		return 0, 0, &ledger.RowError{Field: "Level", Value: row.Level, Err: fmt.Errorf("covariate %q: %w", k.name, errBothKinds)}
	case k.levels == nil:
		return at, row.Value, nil
	}
	value, known = k.levels[row.Level]
	if !known {
		value = float64(len(k.first))
		level := strings.Clone(row.Level)
		k.levels[level], k.first = value, append(k.first, level)
	}
	return at, value, nil
}

// finish sorts everything by value, so that the order of the rows is forgotten.
func (b *calendarBuilder) finish(ctx context.Context) (*Calendar, error) {
	c := &Calendar{o: b.o, until: b.until, customer: make(map[string]int32, len(b.own))}
	order := make([]int, 0, len(b.kinds)) // the builder's number of each term
	var err error
	if b.o.Terms != nil {
		c.terms, order, err = b.asked()
	} else {
		c.terms, order, err = b.found(order)
	}
	if err != nil {
		return nil, err
	}
	recode := make([][]float64, len(order))
	for j, t := range c.terms {
		c.width += t.width()
		if t.Levels == nil || order[j] < 0 {
			continue
		}
		for _, level := range b.kinds[order[j]].first {
			recode[j] = append(recode[j], float64(slices.Index(t.Levels, level)))
		}
	}
	if c.series, err = b.sorted("", b.series, order, recode); err != nil {
		return nil, err
	}
	customers := make([]string, 0, len(b.own))
	for id := range b.own {
		customers = append(customers, id)
	}
	slices.Sort(customers)
	for i, id := range customers {
		if i%progressEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		own, err := b.sorted(id, b.own[id], order, recode)
		if err != nil {
			return nil, err
		}
		c.customer[id] = int32(i)
		c.own = append(c.own, own)
	}
	if b.o.Terms == nil {
		if err := c.changes(); err != nil {
			return nil, err
		}
	}
	c.common = c.turns(nil)
	return c, nil
}

// found returns the terms that the rows have, sorted by name.
func (b *calendarBuilder) found(order []int) (Terms, []int, error) {
	for at := range b.kinds {
		order = append(order, at)
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(b.kinds[i].name, b.kinds[j].name) })
	var terms Terms
	for _, at := range order {
		k := &b.kinds[at]
		t := Term{Name: k.name}
		if k.levels != nil {
			t.Levels = slices.Sorted(slices.Values(k.first))
			if reference, ok := b.o.References[k.name]; ok {
				i := slices.Index(t.Levels, reference)
				if i < 0 {
					return nil, nil, fmt.Errorf("clv: covariate %q: level %q: %w", k.name, reference, errNoReference)
				}
				t.Levels = append([]string{reference}, slices.Delete(t.Levels, i, i+1)...)
			}
		}
		terms = append(terms, t)
	}
	names := make([]string, 0, len(b.o.References))
	for name := range b.o.References {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if at, ok := b.names[name]; !ok || b.kinds[at].levels == nil {
			return nil, nil, fmt.Errorf("clv: calendar: reference level of %q: no covariate of that name has levels", name)
		}
	}
	return terms, order, nil
}

// asked returns the terms of the options; -1 stands for one without rows.
func (b *calendarBuilder) asked() (Terms, []int, error) {
	order := make([]int, 0, len(b.o.Terms))
	used := 0
	for _, t := range b.o.Terms {
		at, ok := b.names[t.Name]
		if !ok {
			return nil, nil, fmt.Errorf("clv: calendar: covariate %q has no rows", t.Name)
		}
		order = append(order, at)
		used++
		k := &b.kinds[at]
		if (t.Levels == nil) != (k.levels == nil) {
			return nil, nil, fmt.Errorf("clv: calendar: covariate %q: %w", t.Name, errBothKinds)
		}
		for _, level := range k.first {
			if !slices.Contains(t.Levels, level) {
				return nil, nil, fmt.Errorf("clv: covariate %q has the level %q; the model knows %s", t.Name, level, strings.Join(t.Levels, ", "))
			}
		}
	}
	if used < len(b.kinds) {
		for _, k := range b.kinds {
			if !slices.ContainsFunc(b.o.Terms, func(t Term) bool { return t.Name == k.name }) {
				return nil, nil, fmt.Errorf("clv: covariate %q is not in the model", k.name)
			}
		}
	}
	return slices.Clone(b.o.Terms), order, nil
}

// sorted returns the series of a customer, or of all, in the order of the terms, each ascending.
func (b *calendarBuilder) sorted(customer string, lists [][]change, order []int, recode [][]float64) ([]schedule, error) {
	out := make([]schedule, len(order))
	for j, at := range order {
		if at >= len(lists) || len(lists[at]) == 0 {
			continue
		}
		list := lists[at]
		// Where one row ends and another begins, the one that begins comes last.
		slices.SortFunc(list, func(a, c change) int {
			return cmp.Or(cmp.Compare(a.tick, c.tick), cmp.Compare(min(a.row, 0), min(c.row, 0)), cmp.Compare(a.row, c.row))
		})
		s := make(schedule, 0, len(list))
		ends := 0 // the row whose Until has not been met yet
		for i, v := range list {
			if v.row < 0 { // the end of a row: that of the row before it, and nothing else may come between
				if ends != -v.row {
					return nil, b.bad(customer, at, -v.row, "Until", v.tick, errOverlap)
				}
				ends = 0
				if i+1 < len(list) && list[i+1].tick == v.tick && list[i+1].row > 0 {
					continue // the next row begins there
				}
				s = append(s, change{v.tick, math.NaN(), 0})
				continue
			}
			if i > 0 && list[i-1].row > 0 && list[i-1].tick == v.tick {
				return nil, b.bad(customer, at, v.row, "From", v.tick, errSameFrom)
			}
			ends = v.row
			if recode[j] != nil {
				v.value = recode[j][int(v.value)]
			}
			s = append(s, v)
		}
		if last := s[len(s)-1]; !math.IsNaN(last.value) && b.until == math.MaxInt64 && !b.o.Forever {
			return nil, b.bad(customer, at, last.row, "Until", 0, errNoEndOfRow)
		}
		out[j] = s
	}
	return out, nil
}

func (b *calendarBuilder) bad(customer string, at, row int, field string, tick int64, reason error) error {
	value := ""
	if tick != 0 {
		value = tickName(b.o.Granularity, tick)
	}
	who := fmt.Sprintf("covariate %q", b.kinds[at].name)
	if customer != "" {
		who += fmt.Sprintf(" of customer %q", customer)
	}
	return fmt.Errorf("clv: %w", &ledger.RowError{Row: row, Field: field, Value: value, Err: fmt.Errorf("%s: %w", who, reason)})
}

// tickName is tickText, and a word for what has always been.
func tickName(g Granularity, tick int64) string {
	if tick == since {
		return "the beginning"
	}
	return tickText(g, tick)
}

// changes returns an error for a term that has one value only.
func (c *Calendar) changes() error {
	for j, t := range c.terms {
		one, varies := math.NaN(), false
		look := func(s schedule) {
			for _, v := range s {
				if math.IsNaN(one) {
					one = v.value
				}
				varies = varies || (!math.IsNaN(v.value) && v.value != one)
			}
		}
		look(c.series[j])
		for _, own := range c.own {
			look(own[j])
		}
		if !varies {
			return fmt.Errorf("clv: covariate %q: %w", t.Name, errNeverChanges)
		}
	}
	return nil
}

// Terms returns the covariates.
func (c *Calendar) Terms() Terms {
	if c == nil {
		return nil
	}
	return slices.Clone(c.terms)
}

// Columns returns the names of the coefficients.
func (c *Calendar) Columns() []string { return c.Terms().Columns() }
