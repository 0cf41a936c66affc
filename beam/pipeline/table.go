package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/money"
)

// A Table is what reaches the fit: how many customers share each history and each spend. Its size is bounded by the
// number of distinct (x, tx, T) in days and of distinct (x, spend), not by customers or orders.
type Table struct {
	Currency  money.Currency
	Report    clv.Report // of all orders
	histories map[daily]int
	spends    map[spend]int
}

// daily is a history in whole days.
type daily struct{ x, tx, t int }

func (h daily) compare(g daily) int {
	return cmp.Or(cmp.Compare(h.x, g.x), cmp.Compare(h.t, g.t), cmp.Compare(h.tx, g.tx))
}

// spend is a number of repeat purchases with their total: minor units, or a number where these are fractions of one.
type spend struct {
	x      int
	units  int64
	number string
}

func (s spend) compare(q spend) int {
	return cmp.Or(cmp.Compare(s.x, q.x), cmp.Compare(s.number, q.number), cmp.Compare(s.units, q.units))
}

// Compress reduces a PCollection<KV<int64, Summary>> to a PCollection of one Table.
func Compress(s beam.Scope, summaries beam.PCollection, o Options) (beam.PCollection, error) {
	s = s.Scope("Compress")
	o, err := o.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	tables := beam.ParDo(s, &tableFn{o}, summaries)
	none := beam.Create(s, Table{}) // so that a log without orders has a Table too
	return beam.Combine(s, mergeTables, beam.Flatten(s, tables, none)), nil
}

// tableFn turns a summary into a Table.
type tableFn struct{ Options Options }

// ProcessElement returns the Table of a shard.
func (fn *tableFn) ProcessElement(ctx context.Context, shard int64, s Summary) (Table, error) {
	hs, err := histories(ctx, s, fn.Options, clv.Day)
	if err != nil {
		return Table{}, fmt.Errorf("pipeline: shard %d: %w", shard, err)
	}
	return newTable(hs), nil
}

// histories returns the customers of a shard.
func histories(ctx context.Context, s Summary, o Options, unit time.Duration) (*clv.Histories, error) {
	p, err := s.Partial(o)
	if err != nil {
		return nil, err
	}
	return p.Histories(ctx, o.End, unit)
}

// newTable counts histories whose unit is the day and whose times are therefore whole numbers.
func newTable(hs *clv.Histories) Table {
	t := Table{Report: hs.Report}
	t.ready()
	for i := range hs.Rows {
		h := &hs.Rows[i]
		if t.Currency == "" {
			t.Currency = h.Spend.Currency()
		}
		t.histories[daily{h.X, int(h.TX), int(h.T)}]++
		total := spend{x: h.X}
		if units, ok := h.Spend.Minor(); ok {
			total.units = units
		} else {
			total.number = h.Spend.Number()
		}
		t.spends[total]++
	}
	return t
}

func (t *Table) ready() {
	if t.histories == nil {
		t.histories, t.spends = map[daily]int{}, map[spend]int{}
	}
}

// mergeTables adds b to a.
func mergeTables(a, b Table) (Table, error) {
	switch {
	case a.Currency == "":
		a.Currency = b.Currency
	case b.Currency != "" && b.Currency != a.Currency:
		return a, fmt.Errorf("pipeline: %w", &money.CurrencyMismatchError{A: a.Currency, B: b.Currency})
	}
	a.Report = addReports(a.Report, b.Report)
	a.ready()
	for h, n := range b.histories {
		a.histories[h] += n
	}
	for s, n := range b.spends {
		a.spends[s] += n
	}
	return a, nil
}

func addReports(a, b clv.Report) clv.Report {
	for i, n := range counts(&b) {
		*counts(&a)[i] += *n
	}
	return a
}

// counts are the fields of a report.
func counts(r *clv.Report) []*int {
	return []*int{&r.Rows, &r.Purchases, &r.Merged, &r.Refunds, &r.AfterEnd, &r.FreeOrders, &r.Customers, &r.RefundOnly}
}

// Sizes returns the numbers of distinct histories and of distinct spends.
func (t Table) Sizes() (histories, spends int) { return len(t.histories), len(t.spends) }

// Histories returns the distinct histories, sorted by X, T and TX, with the number of customers of each in Count, for any
// fit that reads X, TX and T: NBD, Pareto/NBD, BG/NBD, MBG/NBD and their kin. Customer, Spend and LogGaps are not set, so
// that a fit of CNBD-k, which needs LogGaps, must not read them.
func (t Table) Histories(o Options) *clv.Histories {
	hs := &clv.Histories{Unit: o.Unit, End: o.End, Report: t.Report, Rows: make([]clv.History, 0, len(t.histories))}
	for _, h := range slices.SortedFunc(maps.Keys(t.histories), daily.compare) {
		hs.Rows = append(hs.Rows, clv.History{X: h.x, TX: inUnit(h.tx, o.Unit), T: inUnit(h.t, o.Unit), Count: t.histories[h]})
	}
	return hs
}

// inUnit returns days in the unit with the one rounding that package clv has.
func inUnit(days int, unit time.Duration) float64 {
	return float64(days) * float64(clv.Day) / float64(unit)
}

// Spends returns the distinct pairs of X and Spend, sorted, with the number of customers of each in Count, for a fit of a
// model of spend. TX and T are 1 where X is not 0: such models do not read them.
func (t Table) Spends(o Options) (*clv.Histories, error) {
	hs := &clv.Histories{Unit: o.Unit, End: o.End, Report: t.Report, Rows: make([]clv.History, 0, len(t.spends))}
	for _, s := range slices.SortedFunc(maps.Keys(t.spends), spend.compare) {
		total, err := makeAmount(t.Currency, s.units, s.number)
		if err != nil {
			return nil, fmt.Errorf("pipeline: spend of %d purchases: %w", s.x, err)
		}
		h := clv.History{X: s.x, Spend: total, Count: t.spends[s]}
		if s.x > 0 {
			h.TX, h.T = 1, 1
		}
		hs.Rows = append(hs.Rows, h)
	}
	return hs, nil
}
