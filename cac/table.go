package cac

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Table is costs, new customers and their value by group and period. All totals are ratios of sums, never means of
// ratios.
type Table struct {
	By      Dimension // what the groups are; empty if there is one
	Rows    []Row     // by group, then by period; only groups and periods in which something was spent or won. The shared costs come last. Without a dimension: Periods
	Groups  []Row     // each group over all periods; none without a dimension
	Periods []Row     // each period over all groups, whether anything happened in it or not
	Total   Row       // everything
	Policy  Policy    // the rules

	ExcludedSpend      money.Amount // costs inside the periods that the basis does not count
	OutsideSpend       money.Amount // costs outside the periods
	DeferredSpend      money.Amount // costs that the lag assigns to times after the last period
	OutsideCustomers   int          // customers who were acquired outside the periods
	UncountedCustomers int          // new customers whom the denominator does not count
}

// row returns the sums of a cell.
func (b *builder) row(p place, c *cell) Row {
	r := Row{Dimension: string(b.o.By), Group: p.group, Shared: p.shared, Period: b.periods[p.period], Policy: b.policy,
		Incomplete: p.period < b.age && !b.o.Lag.FirstOwn}
	if c != nil {
		r.New, r.Valued, r.Credits = c.new, c.valued, c.credits
	}
	return r
}

// zero is no money in the currency of the table.
func (b *builder) zero() money.Amount {
	if a, err := money.Parse("0", b.policy.Currency); err == nil {
		return a
	}
	return money.Amount{}
}

func (b *builder) table() (*Table, error) {
	t := &Table{By: b.o.By, Policy: b.policy, OutsideCustomers: b.outsideCustomers, UncountedCustomers: b.uncounted}
	places := slices.SortedFunc(maps.Keys(b.cells), func(x, y place) int {
		switch {
		case x.shared != y.shared:
			if x.shared {
				return 1
			}
			return -1
		case x.group != y.group:
			return strings.Compare(x.group, y.group)
		}
		return x.period - y.period
	})
	byPeriod := make([][]Row, len(b.periods))
	for _, p := range places {
		c := b.cells[p]
		r := b.row(p, c)
		if err := b.fill(&r, &c.direct, &c.allocated, &c.value); err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, r)
		byPeriod[p.period] = append(byPeriod[p.period], r)
	}
	var err error
	if t.Groups, err = b.totals(t.Rows, func(r Row) Row {
		return Row{Dimension: r.Dimension, Group: r.Group, Shared: r.Shared, Policy: b.policy}
	}); err != nil {
		return nil, err
	}
	for i := range b.periods {
		r := b.row(place{period: i}, nil)
		r.Dimension = ""
		if err := b.sum(&r, byPeriod[i]); err != nil {
			return nil, err
		}
		t.Periods = append(t.Periods, r)
	}
	if b.o.By == "" {
		t.Rows, t.Groups = slices.Clone(t.Periods), nil
	}
	t.Total = Row{Policy: b.policy}
	if err := b.sum(&t.Total, t.complete(t.Periods)); err != nil {
		return nil, err
	}
	t.Total.Incomplete = len(t.complete(t.Periods)) == 0
	return t, b.leftovers(t)
}

func (b *builder) leftovers(t *Table) error {
	for into, sum := range map[*money.Amount]*money.Sum{&t.ExcludedSpend: &b.excluded, &t.OutsideSpend: &b.outside, &t.DeferredSpend: &b.deferred} {
		sum.Add(b.zero())
		var err error
		if *into, err = sum.Total(); err != nil {
			return prefixed(err)
		}
	}
	return nil
}

// fill sets the amounts of a row.
func (b *builder) fill(r *Row, direct, allocated, value *money.Sum) error {
	for into, sum := range map[*money.Amount]*money.Sum{&r.Direct: direct, &r.Allocated: allocated, &r.Value: value} {
		sum.Add(b.zero())
		var err error
		if *into, err = sum.Total(); err != nil {
			return r.fail(err)
		}
	}
	var err error
	if r.Spend, err = r.Direct.Add(r.Allocated); err != nil {
		return r.fail(err)
	}
	return nil
}

// complete returns the rows whose spend is whole.
func (t *Table) complete(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Incomplete })
}

// sum adds rows up into r.
func (b *builder) sum(r *Row, rows []Row) error {
	var direct, allocated, value money.Sum
	for _, row := range rows {
		direct.Add(row.Direct)
		allocated.Add(row.Allocated)
		value.Add(row.Value)
		r.New += row.New
		r.Valued += row.Valued
		r.Credits = r.Credits || row.Credits
	}
	return b.fill(r, &direct, &allocated, &value)
}

// totals adds up the complete rows that follow one another and have the same head.
func (b *builder) totals(rows []Row, head func(Row) Row) ([]Row, error) {
	var out []Row
	for i := 0; i < len(rows); {
		r := head(rows[i])
		n := i
		for n < len(rows) && rows[n].Group == r.Group && rows[n].Shared == r.Shared {
			n++
		}
		whole := (&Table{}).complete(rows[i:n])
		if err := b.sum(&r, whole); err != nil {
			return nil, err
		}
		r.Incomplete = len(whole) == 0
		out = append(out, r)
		i = n
	}
	return out, nil
}

// A Metric is a column of a [Table] whose change can be asked for.
type Metric string

// The metrics.
const (
	MetricSpend    Metric = "spend"
	MetricNew      Metric = "new_customers"
	MetricCAC      Metric = "cac"
	MetricValue    Metric = "value"
	MetricLTVToCAC Metric = "ltv_to_cac"
	MetricROI      Metric = "roi"
)

// Change returns how much a metric of Rows[row] changed against the period before it: relative to the earlier value for
// spend, new customers, CAC, value and LTV:CAC (0.10 is ten percent more), and as a difference for the ROI (0.10 is ten
// points more). Nothing spent and nobody won in the period before counts as 0.
//
// Change returns a *[PlaceError] that wraps [ErrInsufficientHistory] in the first period, [ErrZeroBase] if the earlier
// value is zero, and the error of the metric if it is undefined in either period.
func (t *Table) Change(row int, m Metric) (float64, error) {
	if row < 0 || row >= len(t.Rows) {
		return 0, fail("row %d: the table has %d", row, len(t.Rows))
	}
	r := t.Rows[row]
	at := slices.IndexFunc(t.Periods, func(p Row) bool { return p.Period == r.Period })
	if at < 1 {
		return 0, r.fail(ErrInsufficientHistory)
	}
	before := Row{Dimension: r.Dimension, Group: r.Group, Shared: r.Shared, Period: t.Periods[at-1].Period, Policy: r.Policy, Incomplete: t.Periods[at-1].Incomplete}
	if row > 0 {
		if p := t.Rows[row-1]; p.Group == r.Group && p.Shared == r.Shared && p.Period == before.Period {
			before = p
		}
	}
	from, err := before.metric(m)
	if err != nil {
		return 0, err
	}
	to, err := r.metric(m)
	if err != nil {
		return 0, err
	}
	if m == MetricROI {
		return float(to.Sub(to, from)), nil
	}
	if from.Sign() == 0 {
		return 0, r.fail(ErrZeroBase)
	}
	return float(to.Sub(to, from).Quo(to, from)), nil
}

// metric returns the exact value of a metric.
func (r Row) metric(m Metric) (*big.Rat, error) {
	switch m {
	case MetricSpend:
		if r.Incomplete {
			return nil, r.fail(ErrInsufficientHistory)
		}
		return rat(r.Spend), nil
	case MetricNew:
		return big.NewRat(int64(r.New), 1), nil
	case MetricCAC:
		if _, err := r.CAC(); err != nil {
			return nil, err
		}
		return new(big.Rat).Quo(rat(r.Spend), big.NewRat(int64(r.New), 1)), nil
	case MetricValue:
		return r.value()
	case MetricLTVToCAC:
		if _, err := r.LTVToCAC(); err != nil {
			return nil, err
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		return v.Quo(v, rat(r.Spend)), nil
	case MetricROI:
		if _, err := r.ROI(); err != nil {
			return nil, err
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		return v.Quo(v.Sub(v, rat(r.Spend)), rat(r.Spend)), nil
	}
	return nil, fail("unknown metric %q", string(m))
}

// Rank returns the groups over all periods, the best first by a metric: the lowest CAC, the highest of any other. Groups
// for which it is undefined come last; ties are in alphabetical order. The row of shared costs is left out.
func (t *Table) Rank(m Metric) ([]Row, error) {
	type ranked struct {
		row   Row
		value *big.Rat // nil if undefined
	}
	var all []ranked
	for _, r := range t.Groups {
		if r.Shared {
			continue
		}
		v, err := r.metric(m)
		if _, undefined := err.(*PlaceError); err != nil && !undefined { //nolint:errorlint // an unknown metric has no place
			return nil, err
		}
		if m == MetricCAC && v != nil {
			v.Neg(v)
		}
		all = append(all, ranked{r, v})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { // Groups are in alphabetical order
		switch {
		case a.value != nil && b.value != nil:
			return b.value.Cmp(a.value)
		case a.value != nil:
			return -1
		case b.value != nil:
			return 1
		}
		return 0
	})
	out := make([]Row, len(all))
	for i, r := range all {
		out[i] = r.row
	}
	return out, nil
}

// Find returns the row of a group in a period, and false if nothing was spent and nobody won there.
func (t *Table) Find(group string, p ledger.Period) (Row, bool) {
	for _, r := range t.Rows {
		if r.Group == group && !r.Shared && r.Period.Start.Equal(p.Start) && r.Period.End.Equal(p.End) {
			return r, true
		}
	}
	return Row{}, false
}
