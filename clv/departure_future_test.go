package clv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
)

func departing() []Forecaster {
	return []Forecaster{
		GGompertzNBD{0.55, 10.6, 0.05, 0.6, 2}, GGompertzNBD{1.2, 6, 0.15, 0.8, 20}, GGompertzNBD{1.2, 6, 1e-9, 0.8, 1e-8}, GGompertzNBD{1.2, 6, 0.05, 2, 1},
		PDO{1.2, 6, 0.8, 5, 4}, PDO{0.55, 10.6, 0.6, 40, 0.3}, PDO{1.2, 6, 1, 1, 13}, PDO{1.2, 6, 2, 3, 100},
	}
}

// TestFutureOfDeparting holds what the models with a lifetime of their own say of the future against their other
// methods.
func TestFutureOfDeparting(t *testing.T) {
	for _, m := range departing() {
		for _, h := range []History{{}, {T: 30}, {X: 1, TX: 4, T: 30}, {X: 6, TX: 28, T: 30}, {X: 6, TX: 30, T: 30}} {
			alive := m.ProbAlive(h)
			if got := m.ProbAliveAt(h, 0); !golden.Close(got, alive, 1e-12) || m.ConditionalPMF(h, 0, 0) != 1 {
				t.Errorf("%+v %+v: ProbAliveAt(0) = %v, ProbAlive %v", m, h, got, alive)
			}
			for _, at := range []float64{0.5, 10, 60} {
				if later := m.ProbAliveAt(h, at); !(later <= alive && later >= 0) {
					t.Errorf("%+v %+v: ProbAliveAt(%v) = %v after %v", m, h, at, later, alive)
				}
				total, mean := 0.0, 0.0
				for n := range 3000 {
					p := m.ConditionalPMF(h, n, at)
					total, mean = total+p, mean+p*float64(n)
					if n > 20 && p*float64(n) < 1e-13 {
						break
					}
				}
				if want := m.ExpectedPurchases(h, at); math.Abs(total-1) > 1e-9 || math.Abs(mean-want) > 1e-8*max(1, want) {
					t.Errorf("%+v %+v: ConditionalPMF over %v sums to %v with mean %v, want %v", m, h, at, total, mean, want)
				}
				some := m.ProbAnyPurchase(h, at)
				if none := m.ConditionalPMF(h, 0, at); math.Abs(none+some-1) > 1e-12 {
					t.Errorf("%+v %+v: %v for any and %v for no purchase", m, h, some, none)
				}
				if q := m.NextPurchaseQuantile(h, some); !golden.Close(m.ProbAnyPurchase(h, q), some, 1e-13) || !golden.Close(q, at, 1e-6) {
					t.Errorf("%+v %+v: the next purchase within %v has probability %v, whose quantile is %v", m, h, at, some, q)
				}
				for _, delta := range []float64{0.0002, 0.05, 2} {
					if h.TX != 28 {
						continue
					}
					checkDiscounted(t, m, h, at, delta)
				}
			}
			if long, want := DiscountedPurchases(m, h, 3000, 0.05), m.DERT(h, 0.05); !golden.Close(long, want, 1e-9) {
				t.Errorf("%+v %+v: %v in 3000, DERT %v", m, h, long, want)
			}
		}
		for n := range 5 {
			if got, want := m.IntervalPMF(n, 0, 20), m.PMF(n, 20); !golden.Close(got, want, 1e-11) {
				t.Errorf("%+v: IntervalPMF(%d, 0, 20) = %v, PMF %v", m, n, got, want)
			}
		}
		if v := m.NextPurchaseQuantile(History{X: 1, TX: 2, T: 30}, 1); !math.IsInf(v, 1) || m.NextPurchaseQuantile(History{}, 0) != 0 {
			t.Errorf("%+v: quantile %v at 1", m, v)
		}
	}
}

// checkDiscounted holds the discounted purchases within a horizon against the sum over short times, each discounted in
// its middle; a time is cut where survival may jump.
func checkDiscounted(t *testing.T, m Forecaster, h History, horizon, delta float64) {
	t.Helper()
	const steps = 2000
	sum, last := 0.0, 0.0
	for i := 1; i <= steps; i++ {
		at := horizon * float64(i) / steps
		e := m.ExpectedPurchases(h, at)
		sum += (e - last) * math.Exp(-delta*(at-horizon/steps/2))
		last = e
	}
	if got := DiscountedPurchases(m, h, horizon, delta); !golden.Close(got, sum, 1e-3) {
		t.Errorf("%+v %+v: %v in %v at %v, the sum is %v", m, h, got, horizon, delta, sum)
	}
}

// TestIntervalsOfDeparting draws customers and holds what they do after a time against IntervalPMF, and the means of
// what is said of each, given the history to then, against the same: all within four standard errors.
func TestIntervalsOfDeparting(t *testing.T) {
	const customers, first, second = 800, 20.0, 35.0
	for _, m := range departing() {
		r := rand.New(rand.NewPCG(3, 4))
		var did, said [3]moment
		var alive moment
		for range customers {
			h, n := History{T: first}, 0
			for _, at := range m.RandTimes(r, second) {
				if at > first {
					n++
					continue
				}
				h.X, h.TX = h.X+1, at
			}
			for i := range did {
				did[i].add(map[bool]float64{true: 1}[i == n])
				said[i].add(m.ConditionalPMF(h, i, second-first))
			}
			alive.add(m.ProbAliveAt(h, second-first))
		}
		for i := range did {
			p := m.IntervalPMF(i, first, second)
			did[i].check(t, m, "customers", p)
			said[i].check(t, m, "ConditionalPMF", p)
		}
		alive.check(t, m, "ProbAliveAt", m.ProbAliveAt(History{}, second))
	}
}

func TestFutureOfDepartingGarbage(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	h := History{X: 1, TX: 1, T: 2}
	for _, m := range departing() {
		for name, v := range map[string]float64{
			"alive at -1": m.ProbAliveAt(h, -1), "alive at Inf": m.ProbAliveAt(h, inf), "alive of nothing": m.ProbAliveAt(History{T: -1}, 1),
			"-1 purchases": m.ConditionalPMF(h, -1, 1), "time NaN": m.ConditionalPMF(h, 1, nan), "any in -1": m.ProbAnyPurchase(h, -1),
			"quantile of 2": m.NextPurchaseQuantile(h, 2), "interval backwards": m.IntervalPMF(1, 2, 1), "interval to Inf": m.IntervalPMF(1, 2, inf),
			"discounted at NaN": DiscountedPurchases(m, h, 1, nan), "discounted in -1": DiscountedPurchases(m, h, -1, 1),
		} {
			if !math.IsNaN(v) {
				t.Errorf("%+v: %s = %v, want NaN", m, name, v)
			}
		}
	}
	for _, m := range []Forecaster{GGompertzNBD{}, PDO{}} {
		for _, v := range []float64{m.ProbAliveAt(h, 1), m.ConditionalPMF(h, 1, 1), m.ProbAnyPurchase(h, 1), m.NextPurchaseQuantile(h, .1), m.IntervalPMF(1, 1, 2)} {
			if !math.IsNaN(v) {
				t.Errorf("%+v gives %v, want NaN", m, v)
			}
		}
	}
}
