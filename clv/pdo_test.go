package clv

import (
	"context"
	"math"
	"testing"

	"github.com/custval/custval/internal/mle"
)

// The values come from the likelihood with 40 digits; the limits are those of the nested models.
func TestPDOValues(t *testing.T) {
	h := History{X: 2, TX: 30.43, T: 38.86}
	m := func(period float64) PDO { return PDO{.5533971, 10.5801985, .6060625, 11.6562237 / period, period} }
	check(t, []checked{
		{"period beyond T", PDO{.5533971, 10.5801985, .6060625, 3, 40}.LogLikelihood(h), -8.8059792797018, 1e-13},
		{"NBD", NBD{.5533971, 10.5801985}.LogLikelihood(h), -8.8059792797018, 1e-13},
		{"period 1", m(1).LogLikelihood(h), -9.555796, 1e-7},
		{"period .1", m(.1).LogLikelihood(h), -9.554893, 1e-7},
		{"period .01", m(.01).LogLikelihood(h), -9.554576, 1e-7},
		{"period .001", m(.001).LogLikelihood(h), -9.554477, 1e-7},
		{"period 1e-4", m(1e-4).LogLikelihood(h), -9.554466091361, 2e-6},
	})
}

// TestPDOLimits holds the model against those that it contains: NBD before the first opportunity, Pareto/NBD for short
// periods, up to terms of the order of the period.
func TestPDOLimits(t *testing.T) {
	pareto := ParetoNBD{.55, 10.6, .6, 11.7}
	short := PDO{pareto.R, pareto.Alpha, pareto.S, pareto.Beta / 2e-4, 2e-4}
	nbd := NBD{.55, 10.6}
	long := PDO{.55, 10.6, .6, 2, 1e4}
	for _, h := range []History{{T: 39}, {X: 2, TX: 30.43, T: 38.86}, {X: 26, TX: 30.86, T: 31}} {
		check(t, []checked{
			{"ln L", short.LogLikelihood(h), pareto.LogLikelihood(h), 1e-4},
			{"P(alive)", short.ProbAlive(h), pareto.ProbAlive(h), 1e-4},
			{"expected", short.ExpectedPurchases(h, 52), pareto.ExpectedPurchases(h, 52), 1e-4},
			{"DERT", short.DERT(h, .1), pareto.DERT(h, .1), 1e-4},
			{"PMF", short.PMF(3, 20), pareto.PMF(3, 20), 1e-4},
			{"any", short.ProbAnyPurchase(h, 20), pareto.ProbAnyPurchase(h, 20), 1e-4},
			{"any for ever", short.after(h).buysWithin(math.Inf(1)), pareto.after(h).buysWithin(math.Inf(1)), 1e-4},
			{"ln L before the first opportunity", long.LogLikelihood(h), nbd.LogLikelihood(h), 1e-13},
			{"expected before the first opportunity", long.ExpectedPurchases(h, 52), nbd.ExpectedPurchases(h, 52), 1e-13},
			{"PMF before the first opportunity", long.PMF(3, 20), nbd.PMF(3, 20), 1e-13},
		})
		if p := long.ProbAlive(h); p != 1 {
			t.Errorf("P(alive) before the first opportunity = %v", p)
		}
	}
}

func TestPDODerivatives(t *testing.T) {
	for _, period := range []float64{0.7, 13} {
		checkDerivatives(t, 4, true, func(rows []row, theta []float64, d *mle.Derivs) { sumPDO(rows, theta, period, d) },
			func(theta []float64, h History) float64 {
				return PDO{theta[0], theta[1], theta[2], theta[3], period}.LogLikelihood(h)
			})
	}
}

// TestFitPDOOnCDNOW has likelihoods between those of NBD and a little above that of Pareto/NBD.
func TestFitPDOOnCDNOW(t *testing.T) {
	hs := cdnowHistories(t)
	for _, period := range []float64{1, 4, 13} {
		e, err := FitPDO(context.Background(), hs, period, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !(e.LogLik > -9763.657 && e.LogLik < -9580) || e.Cov == nil {
			t.Errorf("period %v: %v", period, e)
		}
		t.Logf("%v\n%d evaluations", e, e.Evaluations)
	}
}

func TestFitPDOErrors(t *testing.T) {
	hs := &Histories{Unit: Week, Rows: []History{{X: 1, TX: 5, T: 10}, {X: 3, TX: 8, T: 10}, {T: 10}}}
	for _, c := range []struct {
		period float64
		want   string
	}{
		{0, "clv: fit of pdo: period = 0: want a positive finite number"},
		{math.NaN(), "clv: fit of pdo: period = NaN: want a positive finite number"},
		{11, "clv: fit of pdo: period 11: no customer was observed for a whole period, so the data do not tell who leaves: use FitNBD or a shorter period"},
		{1e-9, "clv: fit of pdo: period 1e-09: 1e+10 opportunities within the longest T: use FitParetoNBD or a longer period"},
	} {
		if _, err := FitPDO(context.Background(), hs, c.period, nil); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.period, err, c.want)
		}
	}
	if v := (PDO{1, 1, 1, 1, 1e-9}).LogLikelihood(History{X: 1, TX: 5, T: 10}); !math.IsNaN(v) {
		t.Errorf("ten milliard opportunities give %v", v)
	}
}

func TestPDOGolden(t *testing.T) {
	checkGolden(t, "testdata/pdo.json", func(arg func(string) float64) PDO {
		return PDO{arg("r"), arg("alpha"), arg("a"), arg("b"), arg("period")}
	})
}
