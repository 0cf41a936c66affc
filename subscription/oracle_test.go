package subscription_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// The oracle reads rows by the default policy in the plainest way: it asks for the state of every row at every moment
// where anything might change. It shares no code with the package.

// worth is what a row is worth at t in cents, and whether it makes a customer.
func oracleWorth(r *subscription.Row, t time.Time) (*big.Rat, bool) {
	zero := new(big.Rat)
	if t.Before(r.From) || !r.To.IsZero() && !t.Before(r.To) || r.Interval == 0 {
		return zero, false
	}
	in := func(p ledger.Period) bool { return !t.Before(p.Start) && (p.End.IsZero() || t.Before(p.End)) }
	if !r.Trial.IsZero() && in(r.Trial) {
		return zero, false
	}
	for _, p := range r.PastDue {
		if in(p) && !t.Before(p.Start.Add(30*24*time.Hour)) {
			return zero, false
		}
	}
	quantity := max(r.Quantity, 1)
	x := new(big.Rat).Mul(r.Price.Decimal().Rat(), big.NewRat(100*quantity, 1))
	for _, d := range r.Discounts {
		start, end := d.Start, d.End
		if start.IsZero() {
			start = r.From
		}
		if d.Duration == subscription.Once {
			continue
		}
		if d.Duration == subscription.Repeating && end.IsZero() {
			end = ledger.AddMonths(start, d.Months)
		}
		if t.Before(start) || !end.IsZero() && !t.Before(end) {
			continue
		}
		x.Sub(x, new(big.Rat).Mul(x, new(big.Rat).Mul(ratOf(d.Percent), big.NewRat(1, 100))))
		x.Sub(x, new(big.Rat).Mul(d.Amount.Decimal().Rat(), big.NewRat(100, 1)))
	}
	if x.Sign() < 0 {
		x = zero
	}
	n := int64(r.Interval.Count())
	switch r.Interval.Unit() {
	case subscription.Day:
		x.Mul(x, big.NewRat(365, 12*n))
	case subscription.Week:
		x.Mul(x, big.NewRat(52, 12*n))
	case subscription.Month:
		x.Mul(x, big.NewRat(1, n))
	case subscription.Year:
		x.Mul(x, big.NewRat(1, 12*n))
	}
	counted := x.Sign() > 0
	for _, p := range r.Paused {
		if in(p) {
			return zero, counted
		}
	}
	return x, counted
}

func ratOf(s string) *big.Rat {
	x := new(big.Rat)
	if s != "" {
		x.SetString(s)
	}
	return x
}

// oracleMoments are all moments at which a row may change.
func oracleMoments(rows []subscription.Row) []time.Time {
	var ts []time.Time
	for _, r := range rows {
		ts = append(ts, r.From, r.To, r.Trial.Start, r.Trial.End)
		for _, p := range append(slices.Clone(r.Paused), r.PastDue...) {
			ts = append(ts, p.Start, p.End, p.Start.Add(30*24*time.Hour))
		}
		for _, d := range r.Discounts {
			start := d.Start
			if start.IsZero() {
				start = r.From
			}
			ts = append(ts, start, d.End, ledger.AddMonths(start, d.Months))
		}
	}
	slices.SortFunc(ts, time.Time.Compare)
	return slices.CompactFunc(ts, time.Time.Equal)
}

// oracleResult has opening, new, reactivation, expansion, contraction, churn, closing, kept and lowered, in cents.
type oracleResult struct {
	sums   [9]*big.Rat
	counts [7]int64
	lost   int64
}

const (
	oOpening = iota
	oNew
	oReactivation
	oExpansion
	oContraction
	oChurn
	oClosing
	oNRR
	oGRR
)

func oracle(rows []subscription.Row, p ledger.Period, net bool) oracleResult {
	var o oracleResult
	for i := range o.sums {
		o.sums[i] = new(big.Rat)
	}
	customers := map[string][]subscription.Row{}
	for _, r := range rows {
		customers[r.Customer] = append(customers[r.Customer], r)
	}
	for _, own := range customers {
		o.customer(own, p, net)
	}
	return o
}

func (o *oracleResult) customer(rows []subscription.Row, p ledger.Period, net bool) {
	state := func(t time.Time) (*big.Rat, bool) {
		sum, alive := new(big.Rat), false
		for i := range rows {
			x, counted := oracleWorth(&rows[i], t)
			sum.Add(sum, x)
			alive = alive || counted
		}
		return sum, alive
	}
	was, alive := state(p.Start.Add(-1))
	ever := false
	for _, t := range oracleMoments(rows) {
		if _, a := state(t); a && t.Before(p.Start) {
			ever = true
		}
	}
	end, stays := state(p.End.Add(-1))
	o.sums[oOpening].Add(o.sums[oOpening], was)
	o.sums[oClosing].Add(o.sums[oClosing], end)
	if alive {
		o.counts[oOpening]++
		o.sums[oNRR].Add(o.sums[oNRR], end)
		lower := end
		if was.Cmp(end) < 0 {
			lower = was
		}
		o.sums[oGRR].Add(o.sums[oGRR], lower)
		if !stays {
			o.lost++
		}
	}
	if stays {
		o.counts[oClosing]++
	}
	if net {
		o.move(was, end, alive, stays, ever)
		return
	}
	for _, t := range oracleMoments(rows) {
		if !p.Contains(t) {
			continue
		}
		now, a := state(t)
		o.move(was, now, alive, a, ever)
		was, alive, ever = now, a, ever || a
	}
}

func (o *oracleResult) move(was, now *big.Rat, before, after, ever bool) {
	change := new(big.Rat).Sub(now, was)
	var line int
	switch {
	case !before && after && ever:
		line = oReactivation
	case !before && after:
		line = oNew
	case before && !after:
		line = oChurn
	case before && change.Sign() > 0:
		line = oExpansion
	case before && change.Sign() < 0:
		line = oContraction
	default:
		return
	}
	o.sums[line].Add(o.sums[line], change.Abs(change))
	o.counts[line]++
}

// TestOracle compares the package with the oracle: exactly where every MRR is whole cents, and to the cent elsewhere.
func TestOracle(t *testing.T) {
	ps := halfYear()
	for i := range histories(t) / 2 {
		m := newMaker(uint64(i))
		m.plain = i%2 == 0
		rows := m.rows()
		if m.plain {
			for k := range rows {
				for d := range rows[k].Discounts {
					rows[k].Discounts[d].Percent = "1"
				}
				rows[k].Price = usd("40000") // 1 % of it, three times over, is whole cents
			}
		}
		b := book(t, rows...)
		for _, mode := range []subscription.Mode{subscription.EventMode, subscription.PeriodNet} {
			table := roll(t, b.With(subscription.Policy{Mode: mode}), ps)
			for k, p := range ps {
				compareOracle(t, oracle(rows, p, mode == subscription.PeriodNet), &table.Periods[k], m.plain)
			}
			if t.Failed() {
				t.Fatalf("history %d in mode %s:\n%s", i, mode, table)
			}
		}
	}
}

func compareOracle(t *testing.T, o oracleResult, r *subscription.PeriodResult, exact bool) {
	t.Helper()
	for _, sum := range o.sums {
		exact = exact && sum.IsInt()
	}
	for line, got := range map[int]struct {
		sum   *big.Rat
		count int64
	}{
		oOpening: {r.Opening.Decimal().Rat(), r.Customers.Opening}, oNew: {r.New.Decimal().Rat(), r.Customers.New},
		oReactivation: {r.Reactivation.Decimal().Rat(), r.Customers.Reactivated},
		oExpansion:    {r.Expansion.Decimal().Rat(), r.Customers.Expanded},
		oContraction:  {r.Contraction.Decimal().Rat(), r.Customers.Contracted},
		oChurn:        {r.Churn.Decimal().Rat(), r.Customers.Churned}, oClosing: {r.Closing.Decimal().Rat(), r.Customers.Closing},
	} {
		diff := new(big.Rat).Mul(got.sum, big.NewRat(100, 1))
		diff.Sub(diff, o.sums[line])
		limit := big.NewRat(1, 1)
		if line == oOpening || line == oClosing {
			limit = big.NewRat(1, 2)
		}
		if exact && diff.Sign() != 0 || diff.Abs(diff).Cmp(limit) > 0 {
			t.Errorf("%s: line %d is %s, want %s cents", r.Period, line, got.sum.FloatString(2), o.sums[line].FloatString(4))
		}
		if got.count != o.counts[line] {
			t.Errorf("%s: count %d is %d, want %d", r.Period, line, got.count, o.counts[line])
		}
	}
	if r.Customers.Lost != o.lost {
		t.Errorf("%s: lost %d, want %d", r.Period, r.Customers.Lost, o.lost)
	}
	if o.sums[oOpening].Sign() == 0 {
		return
	}
	for line, rate := range map[int]subscription.MoneyRate{oNRR: r.NRR, oGRR: r.GRR} {
		want, _ := new(big.Rat).Quo(o.sums[line], o.sums[oOpening]).Float64()
		if got, err := rate.Value(); err != nil || got != want {
			t.Errorf("%s: rate %d is %v, %v, want %v", r.Period, line, got, err, want)
		}
	}
}
