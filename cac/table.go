package cac

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/custval/custval/cac/internal/table"
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

// timed reports whether the table has periods.
func (t *Table) timed() bool { return len(t.Periods) > 0 && !t.Periods[0].Period.IsZero() }

// String returns the table for a person: amounts rounded half to even to the minor unit, "undefined" where a ratio has
// no base, the change of the CAC against the period before, and the totals at the end.
func (t *Table) String() string {
	header := []string{"period", "spend", "new", "CAC"}
	left := 1
	if t.By != "" {
		header, left = append([]string{string(t.By)}, header...), 2
	}
	if t.Policy.ValueBasis != "" {
		header = append(header, "value", "LTV:CAC", "ROI")
	}
	header = append(header, "CAC change")
	var rows [][]string
	for i, r := range t.Rows {
		x, err := t.Change(i, MetricCAC)
		change := table.Percent(x, err)
		if errors.Is(err, ErrInsufficientHistory) {
			change = ""
		}
		rows = append(rows, t.line(r, r.Period.String(), change))
	}
	if len(t.Periods) > 1 && t.By != "" {
		for _, r := range t.Groups {
			rows = append(rows, t.line(r, "all", ""))
		}
		for _, r := range t.Periods {
			rows = append(rows, t.line(r, r.Period.String(), ""))
		}
	}
	rows = append(rows, t.line(t.Total, "all", ""))
	if !t.timed() {
		at := slices.Index(header, "period")
		header = slices.Delete(slices.Clone(header), at, at+1)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
			rows[i] = rows[i][:len(rows[i])-1]
		}
		header, left = header[:len(header)-1], left-1
	}
	if left == 0 { // one group over all of time: nothing to name
		rows = rows[len(rows)-1:]
	}
	return table.Text(header, rows, left) + t.footer()
}

func (t *Table) line(r Row, period, change string) []string {
	var line []string
	if t.By != "" {
		name := r.name()
		switch {
		case r.Dimension == "":
			name = "(total)"
		case name == "":
			name = "(none)"
		}
		line = append(line, name)
	}
	figure, err := r.CAC()
	cost := table.Undefined
	if err == nil {
		cost = figure.Cost.String()
	}
	line = append(line, period, table.Minor(r.Spend), fmt.Sprint(r.New), cost)
	if t.Policy.ValueBasis != "" {
		value, err := r.TotalValue()
		worth := table.Undefined
		if err == nil {
			worth = value.String()
		}
		ratio, err := r.LTVToCAC()
		line = append(line, worth, table.Fixed(ratio, 2, err))
		roi, err := r.ROI()
		line = append(line, table.Percent(roi, err))
	}
	return append(line, change)
}

// footer says by which rules the table was made and what it leaves out.
func (t *Table) footer() string {
	p := t.Policy
	s := fmt.Sprintf("cost: %s; customers: %s; shared costs: %s", p.Basis, p.Denominator, p.Sharing)
	if p.ValueBasis != "" {
		s += fmt.Sprintf("; value: %s", p.ValueBasis)
	}
	s += "\n"
	for _, out := range []struct {
		what string
		a    money.Amount
	}{{"not in the basis", t.ExcludedSpend}, {"outside the periods", t.OutsideSpend}, {"deferred by the lag", t.DeferredSpend}} {
		if out.a.Sign() != 0 {
			s += fmt.Sprintf("%s: %s\n", out.what, table.Minor(out.a))
		}
	}
	if t.OutsideCustomers > 0 {
		s += fmt.Sprintf("customers outside the periods: %d\n", t.OutsideCustomers)
	}
	if t.UncountedCustomers > 0 {
		s += fmt.Sprintf("new customers not counted: %d\n", t.UncountedCustomers)
	}
	return s
}

// WriteCSV writes Rows with the header
//
//	dimension,group,start,end,currency,spend,direct,allocated,new_customers,cac,value,ltv_to_cac,roi,spend_change,new_customers_change,cac_change,ltv_to_cac_change,roi_change,undefined
//
// Amounts are plain numbers, times RFC 3339. A cell whose value is undefined is empty and the last column says why.
func (t *Table) WriteCSV(w io.Writer) error {
	header := []string{"dimension", "group", "start", "end", "currency", "spend", "direct", "allocated", "new_customers", "cac", "value", "ltv_to_cac", "roi",
		"spend_change", "new_customers_change", "cac_change", "ltv_to_cac_change", "roi_change", "undefined"}
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		rows[i] = t.record(i, r)
	}
	return table.CSV(w, header, rows)
}

func (t *Table) record(i int, r Row) []string {
	j := r.json()
	start, end := "", ""
	if !r.Period.IsZero() {
		start, end = r.Period.Start.Format(rfc3339), r.Period.End.Format(rfc3339)
	}
	out := []string{r.Dimension, r.name(), start, end, string(t.Policy.Currency), table.Plain(r.Spend), table.Plain(r.Direct), table.Plain(r.Allocated), fmt.Sprint(r.New)}
	for _, a := range []*money.Amount{j.CAC, j.Value} {
		if a == nil {
			out = append(out, "")
		} else {
			out = append(out, table.Plain(*a))
		}
	}
	for _, x := range []*float64{j.LTVToCAC, j.ROI} {
		if x == nil {
			out = append(out, "")
		} else {
			out = append(out, table.Float(*x, nil))
		}
	}
	for _, m := range []Metric{MetricSpend, MetricNew, MetricCAC, MetricLTVToCAC, MetricROI} {
		x, err := t.Change(i, m)
		out = append(out, table.Float(x, err))
	}
	var why []string
	for _, k := range slices.Sorted(maps.Keys(j.Undefined)) {
		why = append(why, k+": "+j.Undefined[k])
	}
	return append(out, strings.Join(why, "; "))
}

const rfc3339 = "2006-01-02T15:04:05Z07:00"

type tableJSON struct {
	By       Dimension    `json:"by,omitempty"`
	Policy   Policy       `json:"policy"`
	Rows     []changeJSON `json:"rows"`
	Groups   []Row        `json:"groups"`
	Periods  []Row        `json:"periods"`
	Total    Row          `json:"total"`
	Excluded money.Amount `json:"excluded_spend"`
	Outside  money.Amount `json:"outside_spend"`
	Deferred money.Amount `json:"deferred_spend"`
	Away     int          `json:"outside_customers"`
	Ignored  int          `json:"uncounted_customers"`
}

type changeJSON struct {
	rowJSON
	Change map[Metric]float64 `json:"change,omitempty"`
}

// MarshalJSON writes the table with its rules; each row has the changes against the period before that are defined.
func (t *Table) MarshalJSON() ([]byte, error) {
	out := tableJSON{By: t.By, Policy: t.Policy, Rows: []changeJSON{}, Groups: t.Groups, Periods: t.Periods, Total: t.Total,
		Excluded: t.ExcludedSpend, Outside: t.OutsideSpend, Deferred: t.DeferredSpend, Away: t.OutsideCustomers, Ignored: t.UncountedCustomers}
	for i, r := range t.Rows {
		row := changeJSON{rowJSON: r.json(), Change: map[Metric]float64{}}
		for _, m := range []Metric{MetricSpend, MetricNew, MetricCAC, MetricValue, MetricLTVToCAC, MetricROI} {
			if x, err := t.Change(i, m); err == nil {
				row.Change[m] = x
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return json.Marshal(out)
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
