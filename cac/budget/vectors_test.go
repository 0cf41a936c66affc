package budget_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/money"
)

func power(a, b float64) budget.Curve       { return budget.Power{A: a, B: b} }
func logarithmic(a, c float64) budget.Curve { return budget.Log{A: a, C: c} }
func negExp(a, k float64) budget.Curve      { return budget.NegExp{A: a, K: k} }
func mm(a, c float64) budget.Curve          { return budget.MichaelisMenten{A: a, C: c} }
func hill(a, c, s float64) budget.Curve     { return budget.Hill{A: a, C: c, S: s} }

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

// relative reports whether got is within a relative tolerance of want, and exactly 0 where want is.
func relative(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*math.Abs(want)
}

func named(curves ...budget.Curve) []budget.Channel {
	var cs []budget.Channel
	for i, c := range curves {
		cs = append(cs, budget.Channel{Name: fmt.Sprintf("c%03d", i+1), Curve: c, Value: usd("1")})
	}
	return cs
}

// The problems were solved independently by sequential quadratic programming from 20 starts; P1, L1, L2 and F1 also by hand.
func TestAllocateSolvedProblems(t *testing.T) {
	logs := named(logarithmic(500, 100), logarithmic(300, 100), logarithmic(200, 100))
	for _, c := range []struct {
		id       string
		channels []budget.Channel
		budget   string
		x        []float64
		price    float64
		response float64
		digits   float64 // relative tolerance: the digits printed
	}{
		{"P1", named(power(3, .5), power(2, .5), power(1, .5)), "1400", []float64{900, 400, 100}, .05, 140, 1e-12},
		{"L1", logs, "700", []float64{400, 200, 100}, 1, 1272.932078929472, 1e-12},
		{"L2", logs, "50", []float64{50, 0, 0}, 10. / 3, 202.7325540540822, 1e-12},
		{"M1", named(mm(1000, 400), mm(500, 100)), "600", []float64{412.6757375398844, 187.32426246011556}, .6056551342765446, 833.7793522958009, 1e-9},
		{"M1 as Hill", named(hill(1000, 400, 1), hill(500, 100, 1)), "600", []float64{412.6757375398844, 187.32426246011556}, .6056551342765446, 833.7793522958009, 1e-9},
		{"X1u", named(power(40, .5), logarithmic(2000, 500), mm(3000, 1000)), "5000", []float64{1051.618127882977, 2742.8662135262025, 1205.5156585908212}, .6167383630129026, 6676.129874753244, 1e-9},
	} {
		t.Run(c.id, func(t *testing.T) {
			p, err := budget.Allocate(context.Background(), usd(c.budget), c.channels, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range p.Rows {
				if !relative(r.Unrounded, c.x[i], c.digits) {
					t.Errorf("x[%d] = %.15g, want %.15g", i, r.Unrounded, c.x[i])
				}
			}
			if !relative(p.ShadowPrice, c.price, c.digits) || !relative(p.LastUnit, c.price, c.digits) {
				t.Errorf("price %.15g, last %.15g, want %.15g", p.ShadowPrice, p.LastUnit, c.price)
			}
			if !relative(p.Best, c.response, c.digits) {
				t.Errorf("response %.15g, want %.15g", p.Best, c.response)
			}
			if p.Gap != 0 || p.Nodes != 1 {
				t.Errorf("gap %v after %d nodes: a concave problem has none", p.Gap, p.Nodes)
			}
			if !p.Spend.Equal(usd(c.budget)) {
				t.Errorf("spends %s of %s", p.Spend, c.budget)
			}
		})
	}
}

// F1: the curves of L1 with a margin of 0.40 per response, spent on as long as a unit returns one: 100, 20, 0 by hand,
// since 0.4 * 500 / (100 + x) = 1 at x = 100 and 0.4 * 200 / 100 < 1.
func TestAllocateTargetByHand(t *testing.T) {
	channels := named(logarithmic(500, 100), logarithmic(300, 100), logarithmic(200, 100))
	for i := range channels {
		channels[i].Value = usd("0.40")
	}
	byReturn, err := budget.AllocateTarget(context.Background(), channels, budget.Target{MarginalReturn: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	byCAC, err := budget.AllocateTarget(context.Background(), channels, budget.Target{MarginalCAC: usd("0.40")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*budget.Plan{byReturn, byCAC} {
		for i, want := range []string{"100", "20", "0"} {
			if !p.Rows[i].Spend.Equal(usd(want)) {
				t.Errorf("%s gets %s, want %s", p.Rows[i].Channel, p.Rows[i].Spend, want)
			}
		}
		if !p.Spend.Equal(usd("120")) || !relative(p.Rows[0].Marginal, 2.5, 1e-12) {
			t.Errorf("spend %s, marginal %v", p.Spend, p.Rows[0].Marginal)
		}
		if !p.Profit.Equal(usd("40.51")) {
			t.Errorf("profit %s", p.Profit)
		}
	}
	if profit := byReturn.Best - 120; !relative(profit, 40.50802293, 1e-9) {
		t.Errorf("profit %.10g", profit)
	}
}

// H: two equal Hill curves, for which equal returns are a minimum at small budgets. Values by grid search.
func TestAllocateTwoHills(t *testing.T) {
	for _, c := range []struct {
		budget         string
		high, response float64
	}{
		{"40", 40, 33.86243386243386}, {"60", 60, 63.34310850439883}, {"80", 80, 80.3767660910518},
		{"100", 50, 100}, {"140", 70, 146.5811965811966}, {"200", 100, 177.77777777777777},
	} {
		p, err := budget.Allocate(context.Background(), usd(c.budget), named(hill(100, 50, 3), hill(100, 50, 3)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := max(p.Rows[0].Unrounded, p.Rows[1].Unrounded); !relative(got, c.high, 1e-9) {
			t.Errorf("budget %s: the larger part is %.12g, want %v", c.budget, got, c.high)
		}
		if !relative(p.Best, c.response, 1e-12) {
			t.Errorf("budget %s: response %.15g, want %.15g", c.budget, p.Best, c.response)
		}
		if p.Gap > 1e-9 || p.Bound < p.Best {
			t.Errorf("budget %s: gap %v, bound %v", c.budget, p.Gap, p.Bound)
		}
		t.Logf("budget %s: %d nodes, gap %.2g", c.budget, p.Nodes, p.Gap)
	}
}
