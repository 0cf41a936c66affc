package clv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// The values come from independent computations with 40 digits, and from a brute-force simulation of the expectations.
func TestCNBDValues(t *testing.T) {
	unit, modified := BGCNBD{3, .5, 2, .3, .6}, MBGCNBD{3, .5, 2, .3, .6}
	grocery := MBGCNBD{2, 1.3291972687, 2.8126003297, .4247155804, .7900402222}
	check(t, []checked{
		{"ln L of x=3", unit.LogLikelihood(History{X: 3, TX: 12, T: 14, LogGaps: 3}), -10.42500, 1e-6},
		{"ln L of x=4", unit.LogLikelihood(History{X: 4, TX: 12, T: 14, LogGaps: 3}), -12.22396, 1e-6},
		{"BG P(X(10)=2)", unit.PMF(2, 10), .05669, 1e-4},
		{"MBG P(X(10)=2)", modified.PMF(2, 10), .04548, 1.1e-4},
		{"expected, silent", grocery.ExpectedPurchases(History{T: 52}, 52), .0641557179857, 1e-11},
		{"expected, x=1", grocery.ExpectedPurchases(History{X: 1, TX: 50.2857142857, T: 52}, 52), 1.05008102170, 1e-10},
		{"expected, x=2", grocery.ExpectedPurchases(History{X: 2, TX: 40.4285714286, T: 52}, 52), 1.97468618517, 1e-10},
		{"P(X(0)=0)", modified.PMF(0, 0), 1, 1e-15},
		{"a=.5, k=1", BGCNBD{1, .25, 4.4, .5, 2.4}.NewCustomerPurchases(52), 1.81283815456, 1e-11},
	})
}

func TestCNBDGolden(t *testing.T) {
	checkGolden(t, "testdata/bgcnbd.json", func(arg func(string) float64) BGCNBD {
		return BGCNBD{int(arg("k")), arg("r"), arg("alpha"), arg("a"), arg("b")}
	})
	checkGolden(t, "testdata/mbgcnbd.json", func(arg func(string) float64) MBGCNBD {
		return MBGCNBD{int(arg("k")), arg("r"), arg("alpha"), arg("a"), arg("b")}
	})
}

func TestCNBDDerivatives(t *testing.T) {
	for _, c := range []cnbd{{1, 0}, {1, 1}, {2, 0}, {3, 1}, {12, 0}, {12, 1}} {
		checkDerivatives(t, 4, true, c.sum, func(theta []float64, h History) float64 {
			return cnbdModel{c, theta[0], theta[1], theta[2], theta[3]}.logLikelihood(h)
		})
	}
}

// TestCNBDOfOnePhase holds the models with K = 1 against those that they then are, which compute by other ways.
func TestCNBDOfOnePhase(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		bg := BGNBD{math.Exp(2 * r.NormFloat64()), math.Exp(2 * r.NormFloat64()), math.Exp(2 * r.NormFloat64()), math.Exp(2 * r.NormFloat64())}
		same(t, bg, BGCNBD{1, bg.R, bg.Alpha, bg.A, bg.B}, r)
		same(t, MBGNBD(bg), MBGCNBD{1, bg.R, bg.Alpha, bg.A, bg.B}, r)
	}
	h := History{X: 12, TX: 30, T: 40}
	for _, a := range []float64{1e-200, 1e-20, 1, 1e20, 1e200} { // products of which leave the range of numbers
		for _, b := range []float64{1e-200, 1e-20, 1, 1e20, 1e200} {
			bg := BGNBD{0.5, 4, a, b}
			if got, want := (BGCNBD{1, 0.5, 4, a, b}).LogLikelihood(h), bg.LogLikelihood(h); !golden.Close(got, want, 1e-13) {
				t.Errorf("log-likelihood of %+v: %v, want %v", bg, got, want)
			}
		}
	}
}

// same holds two models that must agree against one another at a random history.
func same(t *testing.T, one, two Forecaster, r *rand.Rand) {
	t.Helper()
	h := randomHistory(r)
	at, n := 50*r.Float64(), r.IntN(8)
	for name, v := range map[string][2]float64{
		"LogLikelihood":        {one.LogLikelihood(h), two.LogLikelihood(h)},
		"ProbAlive":            {one.ProbAlive(h), two.ProbAlive(h)},
		"ExpectedPurchases":    {one.ExpectedPurchases(h, at), two.ExpectedPurchases(h, at)},
		"NewCustomerPurchases": {one.NewCustomerPurchases(at), two.NewCustomerPurchases(at)},
		"PMF":                  {one.PMF(n, at), two.PMF(n, at)},
		"DERT":                 {one.DERT(h, 0.02), two.DERT(h, 0.02)},
		"ProbAliveAt":          {one.ProbAliveAt(h, at), two.ProbAliveAt(h, at)},
		"ConditionalPMF":       {one.ConditionalPMF(h, n, at), two.ConditionalPMF(h, n, at)},
		"ProbAnyPurchase":      {one.ProbAnyPurchase(h, at), two.ProbAnyPurchase(h, at)},
		"NextPurchaseQuantile": {one.NextPurchaseQuantile(h, 0.1), two.NextPurchaseQuantile(h, 0.1)},
		"IntervalPMF":          {one.IntervalPMF(n, at/2, at), two.IntervalPMF(n, at/2, at)},
	} {
		if !golden.Close(v[0], v[1], 1e-9) {
			t.Errorf("%+v and %+v, %+v, %v, %d: %s %.12g and %.12g", one, two, h, at, n, name, v[0], v[1])
		}
	}
}
