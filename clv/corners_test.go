package clv

import (
	"math"
	"testing"
)

// cornered are models at the ends of what parameters can be: shapes of 0.01 and 50, and the places where formulas have
// removable singularities.
func cornered() []Forecaster {
	var ms []Forecaster
	for _, shape := range []float64{0.01, 1, 50} {
		for _, scale := range []float64{1e-4, 1e5} {
			ms = append(ms, NBD{shape, scale})
			for _, s := range []float64{0.01, 1, 50} {
				ms = append(ms, ParetoNBD{shape, scale, s, 1e-4}, ParetoNBD{shape, scale, s, 1e5}, GGompertzNBD{shape, scale, 0.01, s, 1e-4},
					GGompertzNBD{shape, scale, 3, s, 1e5}, PDO{shape, scale, s, 1, 400}, BGNBD{shape, scale, s, 1}, MBGNBD{shape, scale, s, 0.01})
				if scale > 1 {
					ms = append(ms, BGCNBD{3, shape, scale, s, 50}, MBGCNBD{2, shape, scale, s, 0.01},
						CorrelatedParetoNBD{R: shape, Alpha: scale, S: s, Beta: 3, M: -1})
				}
			}
		}
	}
	// a + b = 1 and a = 1.
	return append(ms, BGNBD{0.25, 4.4, 0.4, 0.6}, MBGNBD{0.25, 4.4, 0.4, 0.6}, BGCNBD{2, 0.25, 4.4, 0.4, 0.6}, BGNBD{0.25, 4.4, 1, 2.4})
}

// Every method gives a number within its range wherever it is asked: at once, at the last purchase, after a long silence,
// for thousands of purchases, for no time and for a long one, at tiny discount rates. Only what is known to be infinite
// is.
func TestCorners(t *testing.T) {
	inf := math.Inf(1)
	histories := []History{{}, {T: 1e-9}, {T: 39}, {T: 1e5}, {X: 1, TX: 1e-6, T: 1e5}, {X: 5, TX: 30, T: 30}, {X: 5, TX: 30, T: 40},
		{X: 5000, TX: 100, T: 100}, {X: 5000, TX: 100, T: 2e3}}
	for _, m := range cornered() {
		for i, h := range histories {
			if h.X > 0 {
				h.LogGaps = float64(h.X) * (math.Log(h.TX/float64(h.X)) - 0.2)
			}
			in := func(name string, v, low, high float64) {
				if !(v >= low && v <= high) {
					t.Errorf("%s %+v, x %d, tx %v, T %v: %s = %v", m.Kind(), m, h.X, h.TX, h.T, name, v)
				}
			}
			alive := m.ProbAlive(h)
			in("ln L", m.LogLikelihood(h), -math.MaxFloat64, math.MaxFloat64)
			in("P(alive)", alive, 0, 1)
			for _, at := range []float64{0, 1e-9, 39, 1e5} {
				in("expected", m.ExpectedPurchases(h, at), 0, math.MaxFloat64)
				in("alive at", m.ProbAliveAt(h, at), 0, alive)
				in("P(0)", m.ConditionalPMF(h, 0, at), 0, 1)
				in("P(300)", m.ConditionalPMF(h, 300, at), 0, 1)
				in("any", m.ProbAnyPurchase(h, at), 0, 1)
				if i == 0 {
					in("new", m.NewCustomerPurchases(at), 0, math.MaxFloat64)
					in("P(X=7)", m.PMF(7, at), 0, 1)
					in("P(X=1) later", m.IntervalPMF(1, at, 2*at+1), 0, 1)
				}
				if at < 1e5 {
					in("discounted", DiscountedPurchases(m, h, at, 1e-12), 0, math.MaxFloat64)
				}
			}
			in("DERT without discount", m.DERT(h, 0), 0, inf)
			for _, delta := range []float64{1e-12, 1e-4, 10} {
				in("DERT", m.DERT(h, delta), 0, math.MaxFloat64)
			}
			for _, p := range []float64{1e-12, 0.3, 0.999} {
				in("quantile", m.NextPurchaseQuantile(h, p), 0, inf)
			}
		}
	}
}
