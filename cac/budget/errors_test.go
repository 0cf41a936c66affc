package budget_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/money"
)

// own is a curve of which the package knows nothing.
type own struct{ response, marginal func(x float64) float64 }

func (o own) Response(x float64) float64 { return o.response(x) }
func (o own) Marginal(x float64) float64 { return o.marginal(x) }

func hide(c budget.Curve) budget.Curve { return own{c.Response, c.Marginal} }

// A curve without a Shape is examined, and gives the same plan.
func TestAllocateUnknownCurves(t *testing.T) {
	ctx := context.Background()
	known := named(power(40, .5), logarithmic(2000, 500), mm(3000, 1000), hill(2500, 900, 2.5), negExp(900, .002))
	unknown := named()
	for _, c := range known {
		c.Curve = hide(c.Curve)
		unknown = append(unknown, c)
	}
	for _, total := range []string{"100", "1500", "5000", "20000"} {
		a, err := budget.Allocate(ctx, usd(total), known, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := budget.Allocate(ctx, usd(total), unknown, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !relative(b.Best, a.Best, 1e-9) || b.Bound < a.Best*(1-1e-9) {
			t.Errorf("%s: %v, want %v", total, b.Best, a.Best)
		}
	}
	target := budget.Target{MarginalReturn: 0.9}
	a, err := budget.AllocateTarget(ctx, known, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := budget.AllocateTarget(ctx, unknown, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !relative(a.Best-0.9*a.Spend.Float64(), b.Best-0.9*b.Spend.Float64(), 1e-6) {
		t.Errorf("target: %s, want %s", b.Spend, a.Spend)
	}
	line := own{func(x float64) float64 { return 2 * x }, func(float64) float64 { return 2 }}
	lines := named(line, line)
	lines[1].Value = usd("2")
	lines[1].Max = usd("30")
	p, err := budget.Allocate(ctx, usd("100"), lines, nil)
	if err != nil || !p.Rows[1].Spend.Equal(usd("30")) || !p.Rows[0].Spend.Equal(usd("70")) || !p.Rows[1].AtMax || p.Rows[1].BoundPrice != 2 {
		t.Errorf("straight lines: %v: %v", p, err)
	}
}

func TestAllocateSpecialCases(t *testing.T) {
	ctx := context.Background()
	// a budget of nothing
	p, err := budget.Allocate(ctx, usd("0"), named(power(3, .5), hill(9, 2, 3)), nil)
	if err != nil || !p.Spend.Equal(usd("0")) || !math.IsInf(p.ShadowPrice, 1) {
		t.Fatalf("%v: %v", p, err)
	}
	if text, err := json.Marshal(p); err != nil || !strings.Contains(string(text), `"shadow_price":null`) {
		t.Errorf("%s: %v", text, err)
	}
	// money that no channel can take
	closed := named(logarithmic(500, 100), logarithmic(300, 100))
	closed[0].Max, closed[1].Max = usd("30"), usd("0.00")
	if _, err := budget.Allocate(ctx, usd("50"), closed, nil); !errors.Is(err, budget.ErrInfeasible) {
		t.Errorf("%v", err)
	}
	p, err = budget.Allocate(ctx, usd("50"), closed, &budget.Options{Unspent: true})
	if err != nil || !p.Spend.Equal(usd("30")) || !p.Unspent.Equal(usd("20")) || !strings.Contains(p.String(), "unspent: USD 20.00") {
		t.Errorf("%v: %v", p, err)
	}
	// two entries that the budget cannot meet together
	entries := named(logarithmic(500, 100), logarithmic(300, 100))
	entries[0].Entry, entries[0].Max = usd("40"), usd("45")
	entries[1].Entry, entries[1].Max = usd("40"), usd("45")
	if _, err := budget.Allocate(ctx, usd("60"), entries, nil); !errors.Is(err, budget.ErrInfeasible) {
		t.Errorf("%v", err)
	}
	p, err = budget.Allocate(ctx, usd("60"), entries, &budget.Options{Unspent: true})
	if err != nil || !p.Spend.Equal(usd("45")) || !p.Unspent.Equal(usd("15")) || !p.Rows[0].Spend.Equal(usd("45")) {
		t.Errorf("%v: %v", p, err)
	}
	// an entry that is not worth it
	entries = named(logarithmic(500, 100), logarithmic(300, 100))
	entries[1].Entry = usd("60")
	p, err = budget.Allocate(ctx, usd("70"), entries, nil)
	if err != nil || !p.Rows[1].Spend.Equal(usd("0")) || p.Gap > 1e-9 {
		t.Errorf("%v: %v", p, err)
	}
	// an entry above the maximum closes a channel
	entries[0].Max, entries[1].Max = usd("50"), usd("30")
	if _, err = budget.Allocate(ctx, usd("70"), entries, nil); !errors.Is(err, budget.ErrInfeasible) {
		t.Errorf("%v", err)
	}
	// a target for customers without values
	free := named(logarithmic(500, 100), logarithmic(300, 100))
	free[0].Value, free[1].Value = money.Amount{}, money.Amount{}
	p, err = budget.AllocateTarget(ctx, free, budget.Target{MarginalCAC: usd("0.40")}, nil)
	if err != nil || !p.Spend.Equal(usd("120")) || p.Objective != budget.MaxCustomers || !p.Unspent.Equal(usd("0")) {
		t.Errorf("%v: %v", p, err)
	}
	// customers instead of value
	two := named(power(3, .5), power(2, .5))
	two[0].Value, two[1].Value = money.Amount{}, money.Amount{}
	p, err = budget.Allocate(ctx, usd("1300"), two, &budget.Options{Objective: budget.MaxCustomers})
	if err != nil || !p.Rows[0].Spend.Equal(usd("900")) || !p.Value.Equal(usd("0")) {
		t.Errorf("%v: %v", p, err)
	}
	// yen have no minor digits
	yen := named(power(3, .5), power(2, .5), power(1, .5))
	for i := range yen {
		yen[i].Value = money.MustParse("1", "JPY")
	}
	p, err = budget.Allocate(ctx, money.MustParse("1000", "JPY"), yen, nil)
	if err != nil || p.Spend.String() != "JPY 1000" || p.Rows[0].Spend.String() != "JPY 643" {
		t.Errorf("%v: %v", p, err)
	}
	// a limit on a budget without end
	p, err = budget.AllocateTarget(ctx, named(logarithmic(500, 100), logarithmic(300, 100)), budget.Target{MarginalReturn: .5, Limit: usd("300")}, nil)
	if err != nil || !p.Spend.Equal(usd("300")) {
		t.Errorf("%v: %v", p, err)
	}
	var b bytes.Buffer
	if err := p.WriteCSV(&b); err != nil || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("%s: %v", b.String(), err)
	}
	f, err := budget.Frontier(ctx, []money.Amount{usd("0"), usd("10")}, named(power(1, .5)), nil)
	if err != nil || f[0].ShadowPrice != nil || !strings.Contains(f.String(), "infinite") {
		t.Errorf("%v: %v", f, err)
	}
	b.Reset()
	if err := f.WriteCSV(&b); err != nil || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("%s: %v", b.String(), err)
	}
}

func TestAllocateErrors(t *testing.T) {
	ctx := context.Background()
	change := func(f func(c *budget.Channel)) []budget.Channel {
		cs := named(logarithmic(500, 100), logarithmic(300, 100))
		f(&cs[1])
		return cs
	}
	falls := own{func(x float64) float64 { return 100 - x }, func(float64) float64 { return 0 }}
	twice := own{func(x float64) float64 { return 2*x - math.Sin(x) }, func(x float64) float64 { return 2 - math.Cos(x) }}
	for _, c := range []struct {
		budget   string
		channels []budget.Channel
		o        *budget.Options
		is       error
		want     string
	}{
		{"10", nil, nil, nil, "budget: no channels"},
		{"-1", named(power(1, .5)), nil, nil, "budget: budget USD -1.00: not an amount of at least 0 in whole minor units"},
		{"1.005", named(power(1, .5)), nil, nil, "budget: budget USD 1.005: not an amount of at least 0 in whole minor units"},
		{"10", change(func(c *budget.Channel) { c.Name = "c001" }), nil, nil, `budget: channel 2: name "c001" is empty or there twice`},
		{"10", change(func(c *budget.Channel) { c.Curve = nil }), nil, nil, `budget: channel "c002": no response curve`},
		{"10", change(func(c *budget.Channel) { c.Curve = hill(1, -1, 1) }), nil, nil, `budget: channel "c002": Hill: C -1: not a positive number`},
		{"10", change(func(c *budget.Channel) { c.Curve = falls }), nil, budget.ErrShape, `budget: channel "c002": unsuitable response curve: the response falls before a spend of `},
		{"10", change(func(c *budget.Channel) { c.Curve = twice }), nil, budget.ErrShape, `budget: channel "c002": unsuitable response curve: the marginal response rises and falls more than once, about a spend of `},
		{"10", change(func(c *budget.Channel) { c.Value = money.Amount{} }), nil, nil, `budget: channel "c002": no value of a customer; give one, or choose MaxCustomers`},
		{"10", change(func(c *budget.Channel) { c.Value = money.MustParse("1", "EUR") }), nil, nil, `budget: channel "c002": value EUR 1.00: not in USD`},
		{"10", change(func(c *budget.Channel) { c.Min = usd("-1") }), nil, nil, `budget: channel "c002": minimum USD -1.00: negative`},
		{"10", change(func(c *budget.Channel) { c.Max = usd("1.001") }), nil, nil, `budget: channel "c002": maximum USD 1.001: not a whole number of minor units`},
		{"10", change(func(c *budget.Channel) { c.Min, c.Max = usd("20"), usd("10") }), nil, nil, `budget: channel "c002": the minimum USD 20.00 exceeds the maximum USD 10.00`},
		{"10", change(func(c *budget.Channel) { c.Min = usd("10.01") }), nil, budget.ErrInfeasible, `budget: no plan is possible: the minimum spends add up to USD 10.01, USD 0.01 more than the budget of USD 10.00; the largest is USD 10.01 of "c002"`},
		{"10", named(power(1, .5)), &budget.Options{Objective: "fame"}, nil, `budget: unknown objective "fame"`},
		{"10", named(power(1, .5)), &budget.Options{Gap: 2}, nil, "budget: gap 2: not at least 0 and below 1"},
		{"10", named(power(1, .5)), &budget.Options{Nodes: -2}, nil, "budget: nodes -2: negative"},
	} {
		_, err := budget.Allocate(ctx, usd(c.budget), c.channels, c.o)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%v does not wrap %v", err, c.is)
		}
	}
	line := own{func(x float64) float64 { return 2 * x }, func(float64) float64 { return 2 }}
	for _, c := range []struct {
		target budget.Target
		curve  budget.Curve
		want   string
	}{
		{budget.Target{}, power(1, .5), "budget: target: marginal return 0: not a positive number"},
		{budget.Target{MarginalReturn: 1, MarginalCAC: usd("5")}, power(1, .5), "budget: target: both a marginal return and a marginal CAC"},
		{budget.Target{MarginalCAC: usd("0")}, power(1, .5), "budget: target: marginal CAC USD 0.00: not positive"},
		{budget.Target{MarginalReturn: 1}, line, `budget: channel "c001": no end to the spend`},
		{budget.Target{MarginalReturn: 1}, power(1e9, .9), `budget: channel "c001": no end to the spend: the return falls to the target at a spend of 3.49e+89 only`},
	} {
		_, err := budget.AllocateTarget(ctx, named(c.curve), c.target, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if _, err := budget.Evaluate(named(power(1, .5)), nil, nil); err == nil || err.Error() != "budget: 0 spends of 1 channels" {
		t.Error(err)
	}
	if _, err := budget.Evaluate(named(power(1, .5)), []money.Amount{usd("-2")}, nil); err == nil || err.Error() != `budget: channel "c001": spend USD -2.00: negative` {
		t.Error(err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := budget.Allocate(done, usd("80"), named(hill(100, 50, 3), hill(100, 50, 3)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
