package simulate_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
	"github.com/custval/custval/ledger"
)

func shop(customers int) simulate.Shop {
	return simulate.Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5},
		Spend:     clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit:      clv.Week, Customers: customers, Currency: "USD", Seed: 1,
		Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Acquired: time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC),
		End: time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC),
	}
}

func orders(t *testing.T, s simulate.Shop) []ledger.Transaction {
	t.Helper()
	rows, err := ledger.Collect(s.Orders(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestOrdersRecoverTheModels fits the models to the log that they made: each parameter is within four standard errors.
func TestOrdersRecoverTheModels(t *testing.T) {
	ctx := context.Background()
	s := shop(6000)
	hs, err := clv.Summarize(ctx, s.Orders(ctx), s.End, clv.Week, nil)
	if err != nil {
		t.Fatal(err)
	}
	if hs.Customers() != 6000 {
		t.Fatalf("%d customers", hs.Customers())
	}
	spend, err := clv.FitGammaGamma(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{6, 4, 20} {
		p := spend.Params[i]
		if z := math.Log(p.Value/want) / (p.StdErr / p.Value); !(math.Abs(z) < 4) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, want)
		}
	}
	// Instants, since merging the purchases of one day would lose some of them.
	exact, err := clv.Summarize(ctx, s.Orders(ctx), s.End, clv.Week, &clv.SummaryOptions{Granularity: clv.ByInstant})
	if err != nil {
		t.Fatal(err)
	}
	purchases, err := clv.FitBGNBD(ctx, exact, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.8, 5, 0.8, 2.5} {
		p := purchases.Params[i]
		if z := math.Log(p.Value/want) / (p.StdErr / p.Value); !(math.Abs(z) < 4) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, want)
		}
	}
}

// TestShardsMakeTheSameCustomers compares the customers of one log with those of two shards.
func TestShardsMakeTheSameCustomers(t *testing.T) {
	whole := orders(t, shop(50))
	first, second := shop(20), shop(30)
	second.First = 20
	parts := append(orders(t, first), orders(t, second)...)
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(whole, orders(t, shop(50))); diff != "" {
		t.Errorf("a second run (-want +got):\n%s", diff)
	}
	other := shop(50)
	other.Seed = 2
	if cmp.Equal(whole, orders(t, other)) {
		t.Error("another seed makes the same log")
	}
}

// TestStartUp lets the share u^2 of the customers come in the first share u of the time.
func TestStartUp(t *testing.T) {
	s := shop(4000)
	s.StartUp = func(u float64) float64 { return u * u }
	seen := make(map[string]bool)
	early := 0.0
	half := s.Start.Add(s.Acquired.Sub(s.Start) / 2)
	for _, o := range orders(t, s) {
		if o.At.Before(s.Start) || o.At.After(s.End) {
			t.Fatalf("order at %v", o.At)
		}
		if !seen[o.Customer] && o.At.Before(half) {
			early++
		}
		seen[o.Customer] = true
	}
	// A quarter, with a binomial standard error of 0.0068.
	if share := early / 4000; math.Abs(share-0.25) > 0.028 {
		t.Errorf("%v of the customers come in the first half", share)
	}
}

func TestOrdersRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*simulate.Shop)
		want   string
	}{
		{func(s *simulate.Shop) { s.Purchases = nil }, "simulate: Purchases is missing"},
		{func(s *simulate.Shop) { s.Spend = nil }, "simulate: Spend is missing"},
		{func(s *simulate.Shop) { s.Unit = 0 }, "simulate: Unit 0s: want a positive one, such as clv.Week"},
		{func(s *simulate.Shop) { s.Customers = -1 }, "simulate: -1 customers from number 0: negative"},
		{func(s *simulate.Shop) { s.End = s.Start }, "want an end after the start"},
		{func(s *simulate.Shop) { s.Acquired = s.End.AddDate(1, 0, 0) }, "want a time from Start to End"},
		{func(s *simulate.Shop) { s.Currency = "" }, `simulate: Currency "": want one with a minor unit`},
		{func(s *simulate.Shop) { s.Purchases = clv.BGNBD{} }, "simulate: clv: bgnbd: R = 0: want a positive finite number"},
		{func(s *simulate.Shop) { s.Spend = clv.GammaGamma{P: 1, Q: -1, Gamma: 1} }, "Q = -1: want a positive finite number"},
	} {
		s := shop(3)
		c.change(&s)
		rows, err := ledger.Collect(s.Orders(context.Background()))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(rows) > 0 {
			t.Errorf("%d rows and error %v, want %q", len(rows), err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ledger.Collect(shop(3).Orders(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// halving is a curve that half of the subscribers leave each period.
type halving struct{}

func (halving) Survival(t float64) float64 { return math.Exp2(-t) }

func TestTenuresFollowTheCurve(t *testing.T) {
	ctx := context.Background()
	s := simulate.Subscribers{Curve: halving{}, Customers: 20000, Periods: 4, Seed: 1}
	atRisk, left := make([]float64, 5), make([]float64, 5)
	for tenure, err := range s.Tenures(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		for p := 1; p <= int(tenure.Duration); p++ {
			atRisk[p]++
		}
		if tenure.Ended {
			left[int(tenure.Duration)]++
		}
	}
	for p := 1; p <= 4; p++ {
		if se := 0.5 / math.Sqrt(atRisk[p]); math.Abs(left[p]/atRisk[p]-0.5) > 4*se {
			t.Errorf("%v of %v leave in period %d, want half", left[p], atRisk[p], p)
		}
	}
	for _, bad := range []simulate.Subscribers{{Customers: 1, Periods: 1}, {Curve: halving{}, Customers: -1, Periods: 1}, {Curve: halving{}, Customers: 1},
		{Curve: broken{}, Customers: 1, Periods: 1}} {
		if _, err := ledger.Collect(bad.Tenures(ctx)); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

type broken struct{}

func (broken) Survival(float64) float64 { return math.NaN() }
