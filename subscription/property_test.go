package subscription_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

var grains = []subscription.Grain{subscription.ByItem, subscription.BySubscription, subscription.ByCustomer, subscription.ByParent}

func plus(t testing.TB, as ...money.Amount) money.Amount {
	t.Helper()
	var s money.Sum
	for _, a := range as {
		s.Add(a)
	}
	total, err := s.Total()
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// checkCloses holds a result against its own identities.
func checkCloses(t *testing.T, r *subscription.PeriodResult) {
	t.Helper()
	sum := plus(t, r.Opening, r.New, r.Reactivation, r.Expansion, r.Contraction.Neg(), r.Churn.Neg(), r.FX)
	if !sum.Equal(r.Closing) {
		t.Errorf("%s: movements lead to %s, the closing is %s", r.Period, sum, r.Closing)
	}
	c := r.Customers
	ignored := r.Policy.SamePeriod == subscription.SamePeriodIgnored
	if got := c.Opening + c.New + c.Reactivated - c.Churned; got != c.Closing {
		t.Errorf("%s: customers lead to %d, the closing is %d (%+v, ignored %v)", r.Period, got, c.Closing, c, ignored)
	}
	if c.Opening-c.Lost+c.Joined != c.Closing {
		t.Errorf("%s: %d - %d + %d customers are not %d", r.Period, c.Opening, c.Lost, c.Joined, c.Closing)
	}
	var churned int64
	parts := []money.Amount{}
	for _, share := range r.Reasons {
		churned += share.Customers
		parts = append(parts, share.MRR)
	}
	if total := plus(t, parts...); churned != c.Churned || !total.Equal(r.Churn) {
		t.Errorf("%s: reasons add up to %d and %s, churn is %d and %s", r.Period, churned, total, c.Churned, r.Churn)
	}
	if kept, base := r.LogoRetention.Part, r.LogoRetention.Base; base != c.Opening || kept != c.Opening-c.Lost {
		t.Errorf("%s: logo retention %d of %d, want %d of %d", r.Period, kept, base, c.Opening-c.Lost, c.Opening)
	}
	if r.Policy.Mode == subscription.PeriodNet && c.New+c.Reactivated+c.Churned != c.Lost+c.Joined {
		t.Errorf("%s: period-net: a customer has two classes: %+v", r.Period, c)
	}
}

// TestRollForwardCloses looks at invariants that hold for every history, policy, mode and grain.
func TestRollForwardCloses(t *testing.T) {
	ps := halfYear()
	for i := range histories(t) {
		m := newMaker(uint64(i))
		m.credits = i%4 == 1
		b := book(t, m.rows()...)
		if i%3 == 0 {
			m.currencies = []money.Currency{"USD", "EUR", "JPY"}
			var err error
			if b, err = book(t, m.rows()...).In([]money.Currency{"USD", "JPY"}[m.IntN(2)], m.rates()); err != nil {
				t.Fatal(err)
			}
		}
		p := m.policy()
		for _, p.Mode = range []subscription.Mode{subscription.EventMode, subscription.PeriodNet} {
			for _, p.Grain = range grains {
				checkTable(t, roll(t, b.With(p), ps), m.credits)
			}
		}
		if t.Failed() {
			t.Fatalf("history %d under %+v", i, p)
		}
	}
}

func checkTable(t *testing.T, table *subscription.RollForward, credits bool) {
	t.Helper()
	constant := table.Policy.FX != subscription.SpotRates && table.Policy.FX != subscription.MonthlyRates
	for k := range table.Periods {
		r := &table.Periods[k]
		checkCloses(t, r)
		if k > 0 && !table.Periods[k-1].Closing.Equal(r.Opening) {
			t.Errorf("%s opens at %s, the month before closed at %s", r.Period, r.Opening, table.Periods[k-1].Closing)
		}
		if k > 0 && table.Periods[k-1].Customers.Closing != r.Customers.Opening {
			t.Errorf("%s: customers do not telescope", r.Period)
		}
		if constant && r.FX.Sign() != 0 {
			t.Errorf("%s: FX %s at constant rates", r.Period, r.FX)
		}
		checkRates(t, r, credits)
	}
}

// checkRates holds rates against each other: NRR is at least GRR, and in period-net mode the churn rates are their
// complements unless balances are negative.
func checkRates(t *testing.T, r *subscription.PeriodResult, credits bool) {
	t.Helper()
	nrr, err := r.NRR.Value()
	if err != nil {
		if !errors.Is(err, ledger.ErrUndefined) {
			t.Errorf("%s: NRR: %v", r.Period, err)
		}
		return
	}
	grr, err := r.GRR.Value()
	if err != nil {
		t.Errorf("%s: GRR: %v", r.Period, err)
	}
	if nrr < grr && r.Opening.Sign() > 0 {
		t.Errorf("%s: NRR %v is below GRR %v", r.Period, nrr, grr)
	}
	if r.Policy.Mode == subscription.PeriodNet && !credits {
		if grr < 0 || grr > 1 {
			t.Errorf("%s: GRR %v is not in [0, 1]", r.Period, grr)
		}
		gross, _ := r.GrossChurn.Value()
		net, _ := r.NetChurnNR.Value()
		if d := gross - (1 - grr); math.Abs(d) > 1e-14*max(1, math.Abs(gross)) {
			t.Errorf("%s: gross churn %v, 1 - GRR %v", r.Period, gross, 1-grr)
		}
		if d := net - (1 - nrr); math.Abs(d) > 1e-14*max(1, math.Abs(net)) {
			t.Errorf("%s: net churn %v, 1 - NRR %v", r.Period, net, 1-nrr)
		}
	}
}

// TestGrains checks that a coarser grain nets movements out and changes nothing else, and that GRR rises with it.
func TestGrains(t *testing.T) {
	for i := range histories(t) {
		m := newMaker(uint64(i))
		m.plain = true
		b := book(t, m.rows()...)
		p := m.policy()
		p.Rounding, p.Return, p.SamePeriod = subscription.Rounding{}, 0, 0
		var last *subscription.PeriodResult
		for _, p.Grain = range grains {
			r := period(t, b.With(p), month(2025, time.April))
			if last == nil {
				last = r
				continue
			}
			change := func(r *subscription.PeriodResult) money.Amount {
				return plus(t, r.New, r.Reactivation, r.Expansion, r.Contraction.Neg(), r.Churn.Neg())
			}
			if !r.Opening.Equal(last.Opening) || !r.Closing.Equal(last.Closing) || !change(r).Equal(change(last)) {
				t.Fatalf("history %d: grain %s: %s, %s, %s; grain %s: %s, %s, %s", i, p.Grain, r.Opening, change(r), r.Closing,
					last.Policy.Grain, last.Opening, change(last), last.Closing)
			}
			fine, _ := last.GRR.Value()
			coarse, err := r.GRR.Value()
			nrr, _ := r.NRR.Value()
			if err == nil && (fine > coarse+1e-15 || coarse > min(1, nrr)+1e-15) {
				t.Fatalf("history %d: GRR %v by %s, %v by %s, NRR %v", i, fine, last.Policy.Grain, coarse, p.Grain, nrr)
			}
			last = r
		}
	}
}

// TestLogExplainsBalances checks that the movements of every unit lead from nothing to its balance, that they net to the
// period-net movement, and that the log and the table agree where items are rounded.
func TestLogExplainsBalances(t *testing.T) {
	ps := ledger.Months(at("2024-12-01"), at("2025-08-01"), time.UTC)
	for i := range histories(t) / 4 {
		m := newMaker(uint64(i))
		b := book(t, m.rows()...)
		if i%3 == 0 {
			m.currencies = []money.Currency{"USD", "EUR"}
			var err error
			if b, err = book(t, m.rows()...).In("USD", m.rates()); err != nil {
				t.Fatal(err)
			}
		}
		p := m.policy()
		p.Grain = grains[m.IntN(4)]
		p.SamePeriod = 0
		exact := i%2 == 0 && len(m.currencies) == 1
		if exact {
			p.Rounding.Items = true
		}
		b = b.With(p)
		log, err := b.Log(context.Background(), ps)
		if err != nil {
			t.Fatal(err)
		}
		balances := map[string]money.Amount{}
		lines := map[ledger.Period]map[subscription.MovementKind]money.Amount{}
		for _, mv := range log.Movements {
			key := mv.Parent + "/" + mv.Customer + "/" + mv.Subscription + "/" + mv.Item
			balances[key] = plus(t, balances[key], mv.Change)
			if !balances[key].Equal(mv.After) {
				t.Fatalf("history %d, %s: changes of %s lead to %s, the balance is %s", i, p.Name, key, balances[key], mv.After)
			}
			if lines[mv.Period] == nil {
				lines[mv.Period] = map[subscription.MovementKind]money.Amount{}
			}
			lines[mv.Period][mv.Kind] = plus(t, lines[mv.Period][mv.Kind], mv.Change)
		}
		if !exact {
			continue
		}
		var total []money.Amount
		for _, a := range balances {
			total = append(total, a)
		}
		table := roll(t, b, ps)
		if got, want := plus(t, total...), table.Periods[len(ps)-1].Closing; !got.Equal(want) {
			t.Fatalf("history %d: the log leads to %s, the table to %s", i, got, want)
		}
		for k := range table.Periods {
			r, got := &table.Periods[k], lines[table.Periods[k].Period]
			for kind, want := range map[subscription.MovementKind]money.Amount{
				subscription.NewBusiness: r.New, subscription.Reactivation: r.Reactivation, subscription.Expansion: r.Expansion,
				subscription.Contraction: r.Contraction.Neg(), subscription.Churn: r.Churn.Neg(),
			} {
				if !got[kind].Equal(want) {
					t.Fatalf("history %d, %s: %s is %s in the log and %s in the table", i, r.Period, kind, got[kind], want)
				}
			}
		}
	}
}

// TestOrderAndNames checks that the order of rows, the names and the splitting of rows change nothing.
func TestOrderAndNames(t *testing.T) {
	ps := halfYear()
	ignore := cmp.Comparer(func(x, y subscription.Reasons) bool { return true })
	for i := range histories(t) / 4 {
		m := newMaker(uint64(i))
		rows := m.rows()
		p := m.policy()
		p.Grain = grains[m.IntN(4)]
		want := roll(t, book(t, rows...).With(p), ps)

		shuffled := append([]subscription.Row(nil), rows...)
		rand.New(rand.NewPCG(3, uint64(i))).Shuffle(len(rows), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		if diff := cmp.Diff(want, roll(t, book(t, shuffled...).With(p), ps)); diff != "" {
			t.Fatalf("history %d: shuffled (-want +got):\n%s", i, diff)
		}
		renamed := append([]subscription.Row(nil), rows...)
		for k := range renamed {
			r := &renamed[k]
			r.Customer, r.Subscription, r.Plan, r.Parent = "z"+r.Customer, "y"+r.Subscription, "x"+r.Plan, "w"+r.Parent
		}
		if diff := cmp.Diff(want, roll(t, book(t, renamed...).With(p), ps)); diff != "" {
			t.Fatalf("history %d: renamed (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(want, roll(t, book(t, split(rows)...).With(p), ps), ignore); diff != "" {
			t.Fatalf("history %d: split (-want +got):\n%s", i, diff)
		}
	}
}

// split cuts every row in two at its middle.
func split(rows []subscription.Row) []subscription.Row {
	var out []subscription.Row
	for _, r := range rows {
		end := r.To
		if end.IsZero() {
			end = r.From.Add(1000 * time.Hour)
		}
		middle := r.From.Add(end.Sub(r.From) / 2)
		first, second := r, r
		first.To, second.From = middle, middle
		// What ends the row belongs to its last part, and discounts run from their own start.
		first.Reason, first.CancelRequested, first.PaidThrough = 0, time.Time{}, time.Time{}
		if !r.CancelRequested.IsZero() && r.CancelRequested.Before(middle) {
			first.CancelRequested = r.CancelRequested
		}
		first.Discounts, second.Discounts = nil, nil
		for _, d := range r.Discounts {
			if d.Start.IsZero() {
				d.Start = r.From
			}
			first.Discounts, second.Discounts = append(first.Discounts, d), append(second.Discounts, d)
		}
		if !r.PaidThrough.IsZero() && !r.PaidThrough.After(middle) {
			out = append(out, r)
			continue
		}
		out = append(out, first, second)
	}
	return out
}
