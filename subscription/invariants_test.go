package subscription_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

// TestPartsAddUp checks that MRR is the sum of its groups by every dimension, and that cohorts add up to it.
func TestPartsAddUp(t *testing.T) {
	ps := halfYear()
	key := ledger.By([]ledger.Customer{{ID: "c0", Channel: "x"}, {ID: "c1", Channel: "y"}}, "channel")
	for i := range histories(t) / 4 {
		m := newMaker(uint64(i))
		m.currencies = []money.Currency{"USD", "EUR", "JPY"}
		b, err := book(t, m.rows()...).In("USD", m.rates())
		if i%2 == 0 {
			b, err = book(t, m.rows()...).In("JPY", m.rates())
		}
		if err != nil {
			t.Fatal(err)
		}
		b = b.With(m.policy())
		when := at("2025-05-17")
		s, err := b.At(when)
		if err != nil {
			t.Fatal(err)
		}
		for _, dim := range []subscription.Dimension{subscription.Plans(), subscription.Currencies(), subscription.Parents(),
			subscription.Label("region"), subscription.Customers("channel", key), subscription.Cohorts(nil)} {
			d, err := b.By(when, dim)
			if err != nil {
				t.Fatal(err)
			}
			var parts []money.Amount
			for _, g := range d.Groups {
				parts = append(parts, g.MRR)
			}
			if total := plus(t, parts...); !total.Equal(s.MRR) || !d.Total.Equal(s.MRR) {
				t.Fatalf("history %d by %s: groups add up to %s, total %s, MRR %s", i, d.By, total, d.Total, s.MRR)
			}
		}
		c, err := b.Cohorts(t.Context(), ps)
		if err != nil {
			t.Fatal(err)
		}
		table := roll(t, b, ps)
		for k := range ps {
			var parts []money.Amount
			var paying int64
			for _, r := range c.Rows {
				parts = append(parts, r.Cells[k].MRR)
				paying += r.Cells[k].Customers
			}
			if total := plus(t, parts...); !total.Equal(table.Periods[k].Closing) || !c.Totals[k].Equal(total) || paying != table.Periods[k].Customers.Paying {
				t.Fatalf("history %d, %s: cohorts add up to %s and %d, the closing is %s and %d", i, ps[k], total, paying,
					table.Periods[k].Closing, table.Periods[k].Customers.Paying)
			}
		}
	}
}

// TestLinear checks that MRR is linear in quantity, that a yearly price is twelve monthly ones, and that ARR is 12 MRR.
func TestLinear(t *testing.T) {
	for i := range 500 {
		m := newMaker(uint64(i))
		p := subscription.Policy{Rounding: subscription.Rounding{Digits: 12}} // every MRR here has at most 12 decimals or is periodic
		price := m.amount("USD", 1e6)
		q := 1 + m.Int64N(50)
		many := subscription.Row{Customer: "a", Price: price, Interval: subscription.Yearly, Quantity: 12 * q, From: at("2025-01-01")}
		monthly := subscription.Row{Customer: "a", Price: price, Interval: subscription.EveryMonth, Quantity: q, From: at("2025-01-01")}
		apart := times(int(q), func(k int) subscription.Row {
			r := monthly
			r.Customer, r.Quantity = fmt.Sprint(k), 1
			return r
		})
		want := snapshot(t, book(t, monthly).With(p), "2025-02-01")
		exact := new(big.Rat).Mul(price.Decimal().Rat(), big.NewRat(q, 1))
		if want.MRR.Decimal().Rat().Cmp(exact) != 0 || want.ARR.Decimal().Rat().Cmp(exact.Mul(exact, big.NewRat(12, 1))) != 0 {
			t.Fatalf("%d at %s: MRR %s, ARR %s", q, price, want.MRR, want.ARR)
		}
		for _, rows := range [][]subscription.Row{{many}, apart} {
			if got := snapshot(t, book(t, rows...).With(p), "2025-02-01"); !got.MRR.Equal(want.MRR) || !got.ARR.Equal(want.ARR) {
				t.Fatalf("%d at %s: MRR %s, want %s", q, price, got.MRR, want.MRR)
			}
		}
	}
}

// TestShift moves all of history by whole days and expects the same figures.
func TestShift(t *testing.T) {
	const days = 400
	shift := func(x time.Time) time.Time {
		if x.IsZero() {
			return x
		}
		return x.Add(days * 24 * time.Hour)
	}
	moved := func(ps []ledger.Period) []ledger.Period {
		var out []ledger.Period
		for _, p := range ps {
			out = append(out, ledger.Period{Start: shift(p.Start), End: shift(p.End)})
		}
		return out
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Periods.Period" }, cmp.Ignore())
	for i := range 200 {
		m := newMaker(uint64(i))
		p := m.policy()
		p.Return = 0 // months differ in length
		rows := m.rows()
		var later []subscription.Row
		for k := range rows {
			rows[k].Discounts = nil // so do those of repeating discounts
			r := rows[k]
			r.From, r.To, r.CancelRequested, r.PaidThrough = shift(r.From), shift(r.To), shift(r.CancelRequested), shift(r.PaidThrough)
			if !r.Trial.IsZero() {
				r.Trial = moved([]ledger.Period{r.Trial})[0]
			}
			r.Paused, r.PastDue = moved(r.Paused), moved(r.PastDue)
			later = append(later, r)
		}
		ps := halfYear()
		if diff := cmp.Diff(roll(t, book(t, rows...).With(p), ps), roll(t, book(t, later...).With(p), moved(ps)), ignore); diff != "" {
			t.Fatalf("history %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestWindowOfThePeriod checks that a window as long as the period nets what is inside it, as period-net mode does.
func TestWindowOfThePeriod(t *testing.T) {
	ps := halfYear()
	for i := range 500 {
		m := newMaker(uint64(i))
		b := book(t, m.rows()...)
		p := m.policy()
		p.FX, p.SamePeriod = 0, 0
		p.Mode, p.Coalesce = subscription.EventMode, 400*24*time.Hour
		window := roll(t, b.With(p), ps)
		p.Mode, p.Coalesce = subscription.PeriodNet, 0
		net := roll(t, b.With(p), ps)
		for k := range ps {
			a, n := &window.Periods[k], &net.Periods[k]
			for line, pair := range map[string][2]money.Amount{"new": {a.New, n.New}, "reactivation": {a.Reactivation, n.Reactivation},
				"expansion": {a.Expansion, n.Expansion}, "contraction": {a.Contraction, n.Contraction}, "churn": {a.Churn, n.Churn}} {
				if !pair[0].Equal(pair[1]) {
					t.Fatalf("history %d, %s: %s is %s in the window and %s net", i, ps[k], line, pair[0], pair[1])
				}
			}
		}
	}
}

// TestSegmentsWeigh checks that the rates of segments, weighted with their bases, give the rate of the whole: numerators
// and denominators add up.
func TestSegmentsWeigh(t *testing.T) {
	for i := range 300 {
		m := newMaker(uint64(i))
		m.plain = true
		b := book(t, m.rows()...)
		p := m.policy()
		p.Rounding = subscription.Rounding{Digits: 12}
		b = b.With(p)
		even := b.Where(func(r subscription.Row) bool { return r.Customer == "c0" || r.Customer == "c2" || r.Customer == "c4" })
		odd := b.Where(func(r subscription.Row) bool { return r.Customer == "c1" || r.Customer == "c3" })
		p.Grain = subscription.ByCustomer
		r, x, y := period(t, b, month(2025, time.April)), period(t, even, month(2025, time.April)), period(t, odd, month(2025, time.April))
		for name, rates := range map[string][3]subscription.MoneyRate{"NRR": {r.NRR, x.NRR, y.NRR}, "GRR": {r.GRR, x.GRR, y.GRR},
			"GrossChurn": {r.GrossChurn, x.GrossChurn, y.GrossChurn}} {
			if p.Grain == subscription.ByParent {
				continue
			}
			if !plus(t, rates[1].Part, rates[2].Part).Equal(rates[0].Part) || !plus(t, rates[1].Base, rates[2].Base).Equal(rates[0].Base) {
				t.Fatalf("history %d: %s is %v of %v, its segments %v of %v and %v of %v", i, name, rates[0].Part, rates[0].Base,
					rates[1].Part, rates[1].Base, rates[2].Part, rates[2].Base)
			}
		}
		if r.LogoChurn.Part != x.LogoChurn.Part+y.LogoChurn.Part || r.LogoChurn.Base != x.LogoChurn.Base+y.LogoChurn.Base {
			t.Fatalf("history %d: logo churn %+v, segments %+v and %+v", i, r.LogoChurn, x.LogoChurn, y.LogoChurn)
		}
	}
}

// TestCohortTotals has the cohorts of five years that each start with 10,000 customers and keep 6,334, 4,367, 3,264 and
// 2,604 of them (Fader and Hardie 2010): the columns add up to 10,000, 16,334, 20,701, 23,965 and 26,569.
func TestCohortTotals(t *testing.T) {
	left := []int64{10000, 6334, 4367, 3264, 2604, 0}
	var rows []subscription.Row
	for c := range 5 {
		for a := range 5 {
			start := time.Date(2003+c, 3, 1, 0, 0, 0, 0, time.UTC)
			r := subscription.Row{Customer: fmt.Sprintf("cohort %d leaves at %d", c, a), Price: usd("1"), Interval: subscription.EveryMonth,
				Quantity: left[a] - left[a+1], From: start, To: start.AddDate(a+1, 0, 0)}
			if a == 4 {
				r.To = time.Time{}
			}
			rows = append(rows, r)
		}
	}
	m, err := book(t, rows...).Cohorts(t.Context(), subscription.Years(at("2003-01-01"), at("2008-01-01"), nil))
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []string{"10000", "16334", "20701", "23965", "26569"} {
		wantAmount(t, m.Periods[k].String(), m.Totals[k], want)
	}
	wantRate(t, "retention of the first cohort", m.Rows[0].Cells[4].Retention, 0.2604)
	if m.Rows[3].Start.String() != "2006" || m.Rows[3].Cells[2].Retention.Defined() {
		t.Errorf("the fourth cohort starts in %s", m.Rows[3].Start)
	}
}

// TestSegments checks that the segments of a table add up to it.
func TestSegments(t *testing.T) {
	b := book(t, scenario()...)
	key := func(customer string) string { return map[bool]string{true: "early", false: "late"}[customer < "F"] }
	segments, err := b.Segments(t.Context(), key, []ledger.Period{june()})
	if err != nil || len(segments) != 2 || segments[0].Key != "early" {
		t.Fatalf("segments %+v, %v", segments, err)
	}
	x, y, all := &segments[0].Table.Periods[0], &segments[1].Table.Periods[0], period(t, b, june())
	for line, as := range map[string][3]money.Amount{"opening": {x.Opening, y.Opening, all.Opening}, "new": {x.New, y.New, all.New},
		"churn": {x.Churn, y.Churn, all.Churn}, "closing": {x.Closing, y.Closing, all.Closing}, "kept": {x.NRR.Part, y.NRR.Part, all.NRR.Part}} {
		if !plus(t, as[0], as[1]).Equal(as[2]) {
			t.Errorf("%s: %s and %s are not %s", line, as[0], as[1], as[2])
		}
	}
	wantAmount(t, "opening of A to E", x.Opening, "480")
	if _, err := b.Segments(t.Context(), nil, nil); err == nil {
		t.Error("no error without a key")
	}
}
