package clv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
)

// The published and computed values of the model: Fader, Hardie and Lee (2005), Hardie's spreadsheet, and independent
// computations with 40 digits where more than five digits are given.
func TestBGNBDValues(t *testing.T) {
	paper := BGNBD{0.243, 4.414, 0.793, 2.426}
	full := BGNBD{0.2425945, 4.4136019, 0.7929199, 2.4258881}
	round := BGNBD{0.2426, 4.4136, 0.7929, 2.4259}
	two := History{X: 2, TX: 30.4285714, T: 38.8571429}
	for _, c := range []struct {
		name           string
		got, want, tol float64
	}{
		{"E[purchases in 39 | 2, 30.43, 38.86], paper", paper.ExpectedPurchases(History{X: 2, TX: 30.43, T: 38.86}, 39), 1.226, 4e-4},
		{"E[purchases in 39 | 2, 30.43, 38.86]", full.ExpectedPurchases(History{X: 2, TX: 30.43, T: 38.86}, 39), 1.2259058305, 2e-7},
		{"E[purchases in 39 | 2, 30.4285714, 38.8571429]", BGNBD{0.2425945415, 4.4136018839, 0.7929199146, 2.4258880623}.ExpectedPurchases(two, 39), 1.2259933219, 1e-8},
		{"E[X(.1429)]", full.NewCustomerPurchases(0.1429), 0.0078, 0.01},
		{"E[X(1)]", full.NewCustomerPurchases(1), 0.0532, 1e-3},
		{"E[X(3)]", full.NewCustomerPurchases(3), 0.1506, 4e-4},
		{"E[X(31.8571)]", full.NewCustomerPurchases(31.8571), 1.0405, 5e-5},
		{"E[X(32)]", full.NewCustomerPurchases(32), 1.0437, 5e-5},
		{"E[X(78)]", full.NewCustomerPurchases(78), 1.8576, 3e-4},
		{"P(X(39)=0)", paper.PMF(0, 39), 0.5737864, 1e-7},
		{"P(X(2)=10)", paper.PMF(10, 2), 1.07869e-07, 1e-5},
		{"P(X(30)=11)", paper.PMF(11, 30), 0.0019995214, 1e-7},
		{"P(X(30)=15)", paper.PMF(15, 30), 0.0007023638, 1e-7},
		{"P(X(30)=20)", paper.PMF(20, 30), 0.0002222260, 1e-6},
		{"a=.5", BGNBD{.25, 4.4, .5, 2.4}.NewCustomerPurchases(52), 1.81283815456, 1e-11},
		{"a=.9", BGNBD{.25, 4.4, .9, 2.4}.NewCustomerPurchases(52), 1.39226488769, 1e-11},
		{"a=.99", BGNBD{.25, 4.4, .99, 2.4}.NewCustomerPurchases(52), 1.32693934002, 1e-11},
		{"a=1", BGNBD{.25, 4.4, 1, 2.4}.NewCustomerPurchases(52), 1.32015985765, 1e-11},
		{"a=1.0001", BGNBD{.25, 4.4, 1.0001, 2.4}.NewCustomerPurchases(52), 1.32009251852, 1e-11},
		{"a=1.2", BGNBD{.25, 4.4, 1.2, 2.4}.NewCustomerPurchases(52), 1.20152549007, 1e-11},
		{"a+b=1", BGNBD{.25, 4.4, .4, .6}.ExpectedPurchases(History{T: 10}, 30), 0.381282727703, 1e-11},
		{"ln L of x=500", round.LogLikelihood(History{X: 500, TX: 10, T: 100}), 1260.21988477, 1e-11},
		{"P(alive) of b=1, x=0", BGNBD{.25, 4.4, .8, 1}.ProbAlive(History{T: 10}), 1, 1e-15},
		{"DERT of a silent customer", BGNBD{.2425945, 4.4136019, .7929199, 2.4258881}.DERT(History{T: 38.8571429}, .0027), 1.01425611133, 1e-10},
		{"DERT of two purchases", full.DERT(two, .0027), 5.1566288252663, 1e-8},
	} {
		if !golden.Close(c.got, c.want, c.tol) {
			t.Errorf("%s = %.12g, want %.12g", c.name, c.got, c.want)
		}
	}
}

// TestBGNBDDerivatives holds the analytic gradient and Hessian of the fit against differences at random points, and
// the sum against LogLikelihood.
func TestBGNBDDerivatives(t *testing.T) {
	checkDerivatives(t, 4, true, sumBGNBD, func(theta []float64, h History) float64 {
		return BGNBD{theta[0], theta[1], theta[2], theta[3]}.LogLikelihood(h)
	})
}

// checkDerivatives compares a sum over rows with the log-likelihood of its histories, its gradient with central
// differences of that, and its Hessian with differences of the gradient, at 20 random points.
func checkDerivatives(t *testing.T, params int, second bool, sum func(rows []row, theta []float64, d *mle.Derivs),
	logLik func(theta []float64, h History) float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		theta := make([]float64, params)
		for i := range theta {
			theta[i] = math.Exp(r.NormFloat64())
		}
		h := randomHistory(r)
		at := func(theta []float64) mle.Derivs {
			d := mle.Derivs{Grad: make([]float64, params)}
			if second {
				d.Hess = make([]float64, params*params)
			}
			sum([]row{{x: h.X, tx: h.TX, t: h.T, gaps: h.LogGaps, weight: 2}}, theta, &d)
			return d
		}
		d := at(theta)
		if want := 2 * logLik(theta, h); math.Abs(d.Value-want) > 1e-11*max(1, math.Abs(want)) {
			t.Errorf("%v %+v: sum %.15g, want %.15g", theta, h, d.Value, want)
		}
		for i := range theta {
			step := 1e-5 * theta[i]
			up, down := append([]float64{}, theta...), append([]float64{}, theta...)
			up[i] += step
			down[i] -= step
			high, low := at(up), at(down)
			size := max(1, math.Abs(d.Value)) / theta[i]
			if want := (high.Value - low.Value) / (up[i] - down[i]); math.Abs(d.Grad[i]-want) > 1e-7*size {
				t.Errorf("%v %+v: gradient %d is %.12g, difference %.12g", theta, h, i, d.Grad[i], want)
			}
			for j := 0; second && j < params; j++ {
				want := (high.Grad[j] - low.Grad[j]) / (up[i] - down[i])
				if got := d.Hess[min(i, j)*params+max(i, j)]; math.Abs(got-want) > 1e-7*size/theta[j] {
					t.Errorf("%v %+v: Hessian %d, %d is %.12g, difference %.12g", theta, h, i, j, got, want)
				}
			}
		}
	}
}

// randomHistory draws a valid history of any size.
func randomHistory(r *rand.Rand) History {
	h := History{T: 100 * r.Float64()}
	if h.X = int(math.Exp(5*r.Float64())) - 1; h.X > 0 {
		h.TX = h.T * (1 - r.Float64()*r.Float64())
		h.LogGaps = float64(h.X) * (math.Log(h.TX/float64(h.X)) - r.Float64())
	}
	return h
}
