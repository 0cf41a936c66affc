package clv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/special"
)

// The values come from computations with 60 digits, by hypergeometric functions and by quadrature of the definition.
func TestParetoNBDValues(t *testing.T) {
	cdnow := ParetoNBD{.5533971, 10.5801985, .6060625, 11.6562237}
	c1516 := History{X: 26, TX: 30.857142857, T: 31}
	dert := ParetoNBD{.5629966, 12.5590370, .4081095, 10.5148048}
	five := History{X: 5, TX: 30, T: 40}
	late := History{X: 5, TX: 90, T: 100}
	one, two := ParetoNBD{.55, 10.6, 1, 11.7}, ParetoNBD{.55, 10.6, 2, 11.7}
	check(t, []checked{
		{"E[X(52)]", cdnow.NewCustomerPurchases(52), 1.473112578, 1e-9},
		{"ln L of customer 1516", cdnow.LogLikelihood(c1516), -39.1320434852, 1e-11},
		{"P(alive) of customer 1516", cdnow.ProbAlive(c1516), .997873408203, 1e-11},
		{"E[purchases in 52] of customer 1516", cdnow.ExpectedPurchases(c1516, 52), 25.4541832312, 1e-11},
		{"P(alive) of a silent customer", ParetoNBD{.553277043, 10.5776834, .60623999, 11.6687354}.ProbAlive(History{T: 39}), .294276310816939, 1e-13},
		{"ln L of two purchases", cdnow.LogLikelihood(History{X: 2, TX: 30.43, T: 38.86}), -9.554466091361, 1e-12},
		{"DERT", dert.DERT(History{X: 7, TX: 35, T: 77.86}, .0027), 1.86418332807, 1e-11},
		{"ln L of x=200", ParetoNBD{.55, 10.6, .6, 11.7}.LogLikelihood(History{X: 200, TX: 90, T: 100}), -70.2241479987, 1e-11},
		{"P(alive) of x=200", ParetoNBD{.55, 10.6, .6, 11.7}.ProbAlive(History{X: 200, TX: 90, T: 100}), 1.784632471e-6, 1e-9},
		{"ln L of alpha above beta", ParetoNBD{1.2, 1000, .6, .01}.LogLikelihood(late), -35.3732681244, 1e-11},
		{"ln L of beta above alpha", ParetoNBD{1.2, .01, .6, 1e5}.LogLikelihood(late), -28.8617220694, 1e-11},
		{"s=1 expected", one.ExpectedPurchases(five, 52), 2.66757978608, 1e-11},
		{"s=1 DERT", one.DERT(five, .0027), 6.72753921632, 1e-11},
		{"s=2 expected", two.ExpectedPurchases(five, 52), 1.35605018768, 1e-11},
		{"s=2 DERT", two.DERT(five, .0027), 2.04163158107, 1e-11},
		{"ln L of far apart parameters", ParetoNBD{1.2, .001, 3, 1e4}.LogLikelihood(History{X: 50, TX: .5, T: 100}), 163.73, 1e-4},
	})
}

func TestParetoNBDGolden(t *testing.T) {
	checkGolden(t, "testdata/paretonbd.json", func(arg func(string) float64) ParetoNBD {
		return ParetoNBD{arg("r"), arg("alpha"), arg("s"), arg("beta")}
	})
}

func TestParetoNBDDerivatives(t *testing.T) {
	checkDerivatives(t, 4, true, sumParetoNBD, func(theta []float64, h History) float64 {
		return ParetoNBD{theta[0], theta[1], theta[2], theta[3]}.LogLikelihood(h)
	})
}

// TestDeparture holds the integral over the time of departure against the library's adaptive quadrature, and the sum of
// the series that replace it where alpha and beta are alike against the integral, for anything from a moment's silence
// to a long one.
func TestDeparture(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	between := func(lo, hi float64) float64 { return lo * math.Pow(hi/lo, r.Float64()) }
	for range 2000 {
		n, s := between(0.01, 50)+float64(r.IntN(3)*r.IntN(1000)), between(0.01, 50)
		a, b, at := between(1e-3, 1e3), between(1e-3, 1e3), between(1e-4, 1e4)
		if r.IntN(2) == 0 {
			b = a * between(0.66, 1.5)
		}
		d := newDeparture(n, s, a, b, at)
		want, _, ok := special.LogIntegrate(func(v float64) float64 {
			u := math.Exp(v)
			return v - math.Log(b) - n*math.Log1p(u/a) - (s+1)*math.Log1p(u/b)
		}, math.Inf(-1), math.Log(at), 1e-13)
		if got := d.integral(); !ok || math.Abs(got-want) > 1e-11 {
			t.Errorf("n %v, s %v, a %v, b %v, t %v: integral %.14g, want %.14g (%v)", n, s, a, b, at, got, want, ok)
		}
		sum, alive := d.alive(n, s, a, b, at)
		wantSum, wantAlive := mix(-n*d.logA-s*d.logB, math.Log(s)+want)
		if math.Abs(sum-wantSum) > 1e-11 || !(math.Abs(alive-wantAlive) <= 1e-11*wantAlive+1e-300) {
			t.Errorf("n %v, s %v, a %v, b %v, t %v: sum %.14g and share %.14g, want %.14g and %.14g", n, s, a, b, at, sum, alive, wantSum, wantAlive)
		}
		var m moments
		if d.moments(&m); m.total > 0 && math.Abs(math.Log(d.scale*m.total)-want) > 1e-11 {
			t.Errorf("n %v, s %v, a %v, b %v, t %v: moments of %.14g, want %.14g", n, s, a, b, at, math.Log(d.scale*m.total), want)
		}
	}
}
