package risk

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/money"
)

func eur(s string) money.Amount { return money.MustParse(s, "EUR") }

func telecom(t testing.TB) Campaign {
	t.Helper()
	c, err := TelecomCampaign("EUR")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Values that independent computations agree on, to the digits that float64 has; targets to those printed.
func TestPublishedExpectedMaxProfit(t *testing.T) {
	scores, left := worked()
	for _, c := range []struct {
		name           string
		scores         []float64
		left           []bool
		profit, target float64
		tolerance      float64
	}{
		{"worked", scores, left, 23.8755934183481244, .8743700763, 5e-11},
		{"perfect", []float64{.1, .9}, []bool{false, true}, 28.0000000000391, .499999999728, 1e-12},
		{"reversed", []float64{.9, .1}, []bool{false, true}, 22.5007912244511, .99916010, 5e-9},
	} {
		p, err := mustRank(t, c.scores, c.left, nil).ExpectedMaxProfit(telecom(t), TelecomAcceptance())
		if err != nil {
			t.Fatal(err)
		}
		if !near(p.PerCustomer, c.profit, 2e-15) && !(c.name != "worked" && near(p.PerCustomer, c.profit, 2e-14)) {
			t.Errorf("%s: %.17g, want %.17g", c.name, p.PerCustomer, c.profit)
		}
		if !near(p.Target, c.target, max(c.tolerance, 2e-12)/c.target) {
			t.Errorf("%s: target %.15g, want %.15g", c.name, p.Target, c.target)
		}
	}
	p, err := mustRank(t, scores, left, nil).MaxProfit(telecom(t), 0.3)
	if err != nil {
		t.Fatal(err)
	}
	if !near(p.PerCustomer, 23.875, 1e-14) || p.Target != .875 || p.Threshold != .2 {
		t.Errorf("maximum profit %+v", p)
	}
}

func TestProfitAgainstDefinition(t *testing.T) {
	file := golden.Load(t, "testdata/profit.json")
	for _, row := range file.Rows {
		row.Tolerance = file.Tolerance
		var scores []float64
		var left []bool
		for i := 0; ; i++ {
			y, ok := row.Args["y"+strconv.Itoa(i)]
			if !ok {
				break
			}
			scores, left = append(scores, float64(row.Args["s"+strconv.Itoa(i)])), append(left, y == 1)
		}
		amount := func(name string) money.Amount {
			a, err := money.FromFloat(float64(row.Args[name]), "EUR", money.HalfEven)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		c := Campaign{amount("value"), amount("incentive"), amount("contact")}
		r := mustRank(t, scores, left, nil)
		e, err := r.ExpectedMaxProfit(c, Acceptance{float64(row.Args["alpha"]), float64(row.Args["beta"])})
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.MaxProfit(c, float64(row.Args["accept"]))
		if err != nil {
			t.Fatal(err)
		}
		checkRow(t, row, map[string]float64{"empc": e.PerCustomer, "target": e.Target, "mpc": m.PerCustomer, "mpc_target": m.Target})
	}
}

func TestProfitInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		scores, left := randomScores(r, 2+r.IntN(60))
		rank := mustRank(t, scores, left, nil)
		c := Campaign{eur("200"), eur(strconv.Itoa(r.IntN(30))), eur(strconv.Itoa(r.IntN(5)))}
		a := Acceptance{.5 + 8*r.Float64(), .5 + 20*r.Float64()}
		mean := a.Alpha / (a.Alpha + a.Beta)
		e, err := rank.ExpectedMaxProfit(c, a)
		if err != nil {
			t.Fatal(err)
		}
		m, err := rank.MaxProfit(c, mean)
		if err != nil {
			t.Fatal(err)
		}
		if e.PerCustomer < m.PerCustomer-1e-12 {
			t.Errorf("the mean of the maximum %v is below the maximum of the mean %v", e.PerCustomer, m.PerCustomer)
		}
		ideal := make([]float64, len(left))
		for i, l := range left {
			ideal[i] = float64(b2i(l))
		}
		perfect, err := mustRank(t, ideal, left, nil).MaxProfit(c, mean)
		if err != nil {
			t.Fatal(err)
		}
		if m.PerCustomer > perfect.PerCustomer+1e-12 || m.PerCustomer < 0 || e.Target < 0 || e.Target > 1+1e-12 {
			t.Errorf("profit %v, of the perfect ranking %v", m, perfect)
		}
		// The maximum is that of the curve, and is where it says.
		curve, err := rank.ProfitCurve(c, mean)
		if err != nil {
			t.Fatal(err)
		}
		best := 0.0
		for _, p := range curve {
			best = max(best, p.PerCustomer)
		}
		if !near(best, m.PerCustomer, 1e-12) {
			t.Errorf("maximum %v, of the curve %v", m.PerCustomer, best)
		}
		at, err := rank.Profit(c, mean, m.Target)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(at.PerCustomer-m.PerCustomer) > 1e-10 || (m.Target > 0 && at.Threshold != m.Threshold) {
			t.Errorf("profit at the target %+v, maximum %+v", at, m)
		}
	}
}

func TestProfitErrors(t *testing.T) {
	scores, left := worked()
	r := mustRank(t, scores, left, nil)
	for _, c := range []struct {
		name   string
		c      Campaign
		accept float64
		want   string
	}{
		{"value", Campaign{eur("10"), eur("10"), eur("1")}, .3, "risk: campaign: value EUR 10.00 is not above incentive EUR 10.00"},
		{"zero", Campaign{}, .3, "risk: campaign: value 0 is not above incentive 0"},
		{"incentive", Campaign{eur("10"), eur("-1"), eur("1")}, .3, "risk: campaign: incentive EUR -1.00 is negative"},
		{"contact", Campaign{eur("10"), eur("1"), eur("-1")}, .3, "risk: campaign: contact EUR -1.00 is negative"},
		{"currency", Campaign{eur("10"), money.MustParse("1", "USD"), eur("1")}, .3, "risk: campaign: money: ...EUR...USD"},
		{"accept", telecom(t), 1.5, "risk: profit: acceptance 1.5 is not between 0 and 1"},
		{"NaN", telecom(t), math.NaN(), "risk: profit: acceptance NaN is not between 0 and 1"},
	} {
		_, err := r.MaxProfit(c.c, c.accept)
		errorText(t, c.name, err, c.want)
		_, err = r.ProfitCurve(c.c, c.accept)
		errorText(t, c.name+" curve", err, c.want)
		_, err = c.c.BreakEvenRisk(c.accept)
		errorText(t, c.name+" break-even", err, c.want)
	}
	_, err := r.ExpectedMaxProfit(telecom(t), Acceptance{Alpha: 0, Beta: 1})
	errorText(t, "beta", err, "risk: profit: acceptance alpha 0, beta 1: want positive numbers up to 1e9")
	_, err = r.Profit(telecom(t), .3, 2)
	errorText(t, "share", err, "risk: profit: share 2 is not between 0 and 1")
	_, err = TelecomCampaign("EUX")
	errorText(t, "code", err, "risk: campaign: money: ...EUX")
	none, err := r.MaxProfit(telecom(t), 0)
	if err != nil || none.PerCustomer != 0 || none.Target != 0 || !math.IsNaN(none.Threshold) {
		t.Errorf("nothing pays: %+v, %v", none, err)
	}
}
