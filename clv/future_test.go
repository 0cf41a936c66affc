package clv

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// The values for (39, 78] agree with a simulation and come from an integral over p with 40 digits.
func TestIntervalPMFValues(t *testing.T) {
	m := BGNBD{.2426, 4.4136, .7929, 2.4259}
	check(t, []checked{
		{"P(0 in (39,78])", m.IntervalPMF(0, 39, 78), .754243956129, 1e-11},
		{"P(1 in (39,78])", m.IntervalPMF(1, 39, 78), .121859886202, 1e-11},
		{"P(2 in (39,78])", m.IntervalPMF(2, 39, 78), .0479402846872, 1e-11},
	})
}

func forecasters() []Forecaster {
	return []Forecaster{
		NBD{0.8, 5},
		BGNBD{0.8, 5, 0.8, 2.5}, BGNBD{0.25, 4.4, 1, 1},
		MBGNBD{1.2, 6, 0.8, 2.5}, MBGNBD{0.5, 6, 0.4, 0.6},
		ParetoNBD{1.2, 6, 0.8, 20}, ParetoNBD{0.55, 200, 1, 11.7}, ParetoNBD{0.55, 1, 2, 60},
		BGCNBD{3, 1.2, 2, 0.8, 2.5}, BGCNBD{2, 0.5, 2, 0.3, 0.6},
		MBGCNBD{2, 1.3, 2.8, 0.42, 0.79}, MBGCNBD{4, 1.2, 1, 1, 2.5},
		GGompertzNBD{1.2, 6, 0.05, 0.8, 3}, GGompertzNBD{0.55, 1, 0.3, 1, 200},
		PDO{1.2, 6, 0.8, 5, 4}, PDO{0.55, 1, 1, 2, 0.5},
		CorrelatedParetoNBD{R: 1.2, Alpha: 6, S: 0.8, Beta: 20, M: 4}, CorrelatedParetoNBD{R: 1.5, Alpha: 2, S: 1, Beta: 4, M: -1, Span: 2},
	}
}

// TestFuture holds the questions about the future against one another and against the model's other methods.
func TestFuture(t *testing.T) {
	histories := []History{{}, {T: 30}, {X: 1, TX: 4, T: 30}, {X: 6, TX: 28, T: 30}, {X: 6, TX: 30, T: 30}}
	for _, m := range forecasters() {
		for _, h := range histories {
			alive := m.ProbAlive(h)
			if got := m.ProbAliveAt(h, 0); !golden.Close(got, alive, 1e-12) {
				t.Errorf("%+v %+v: ProbAliveAt(0) = %v, ProbAlive %v", m, h, got, alive)
			}
			_, sums := m.(CorrelatedParetoNBD) // whose weights add up to 1 but for rounding
			if got := m.ConditionalPMF(h, 0, 0); got != 1 && !(sums && golden.Close(got, 1, 1e-14)) {
				t.Errorf("%+v %+v: ConditionalPMF(0, 0) = %v", m, h, got)
			}
			last := alive
			for _, at := range []float64{0.5, 10, 60} {
				later := m.ProbAliveAt(h, at)
				if !(later <= last) || !(later >= 0) {
					t.Errorf("%+v %+v: ProbAliveAt(%v) = %v after %v", m, h, at, later, last)
				}
				last = later
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
			}
			if v := m.NextPurchaseQuantile(h, alive); h.X > 0 && !math.IsInf(v, 1) {
				t.Errorf("%+v %+v: quantile %v at P(alive)", m, h, v)
			}
			if v := m.NextPurchaseQuantile(h, 0); v != 0 {
				t.Errorf("%+v %+v: quantile %v at 0", m, h, v)
			}
		}
		for n := range 5 {
			if got, want := m.IntervalPMF(n, 0, 20), m.PMF(n, 20); !golden.Close(got, want, 1e-11) {
				t.Errorf("%+v: IntervalPMF(%d, 0, 20) = %v, PMF %v", m, n, got, want)
			}
		}
		if none, one := m.IntervalPMF(0, 20, 20), m.IntervalPMF(1, 20, 20); math.Abs(none-1) > 1e-12 || one != 0 {
			t.Errorf("%+v: an empty interval has no purchase with %v, one with %v", m, none, one)
		}
	}
}

// TestDiscountedWithinHorizon holds the models' own ways to the discounted purchases within a horizon against the
// general one, and a long horizon against DERT.
func TestDiscountedWithinHorizon(t *testing.T) {
	for _, m := range forecasters() {
		for _, h := range []History{{T: 30}, {X: 6, TX: 28, T: 30}, {X: 40, TX: 8, T: 9}} {
			for _, horizon := range []float64{0.5, 52, 500} {
				for _, delta := range []float64{0.0002, 0.01, 0.5} {
					got := DiscountedPurchases(m, h, horizon, delta)
					want := discountedPurchases(m, h, horizon, delta, m.ExpectedPurchases(h, horizon))
					tolerance := 1e-9
					switch { // the general way is not made for waves of regular purchases and for periods; see below
					case strings.HasSuffix(m.Kind(), "cnbd"):
						tolerance = 1e-4
					case m.Kind() == "pdo":
						tolerance = 1e-3
					}
					if !golden.Close(got, want, tolerance) {
						t.Errorf("%+v %+v: %v in %v at %v, in general %v", m, h, got, horizon, delta, want)
					}
				}
			}
			// Simpson's rule, with points that are dense at the start.
			const horizon, delta, steps = 20, 0.05, 2000
			sum := 0.0
			for i := 1; i <= steps; i++ {
				v := float64(i) / steps
				f := math.Exp(-delta*horizon*v*v) * m.ExpectedPurchases(h, horizon*v*v) * 2 * v
				switch {
				case i == steps:
					sum += f
				case i%2 == 1:
					sum += 4 * f
				default:
					sum += 2 * f
				}
			}
			want := math.Exp(-delta*horizon)*m.ExpectedPurchases(h, horizon) + delta*horizon*sum/(3*steps)
			tolerance := 1e-8
			if m.Kind() == "pdo" {
				tolerance = 1e-6 // Simpson's rule across the opportunities
			}
			if got := DiscountedPurchases(m, h, horizon, delta); !golden.Close(got, want, tolerance) {
				t.Errorf("%+v %+v: %v, by Simpson's rule %v", m, h, got, want)
			}
			if got, want := DiscountedPurchases(m, h, 2000, 0.05), m.DERT(h, 0.05); !golden.Close(got, want, 1e-9) {
				t.Errorf("%+v %+v: %v in 2000 weeks, for ever %v", m, h, got, want)
			}
		}
	}
}

// TestFutureGarbage asks what cannot be answered.
func TestFutureGarbage(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	h := History{X: 1, TX: 1, T: 2}
	for _, m := range forecasters() {
		for name, v := range map[string]float64{
			"alive at -1": m.ProbAliveAt(h, -1), "alive at Inf": m.ProbAliveAt(h, inf), "alive of nothing": m.ProbAliveAt(History{T: -1}, 1),
			"-1 purchases": m.ConditionalPMF(h, -1, 1), "time NaN": m.ConditionalPMF(h, 1, nan), "bad history": m.ConditionalPMF(History{X: 1}, 1, 1),
			"any in -1": m.ProbAnyPurchase(h, -1), "quantile of 2": m.NextPurchaseQuantile(h, 2), "quantile of NaN": m.NextPurchaseQuantile(h, nan),
			"interval of -1": m.IntervalPMF(-1, 1, 2), "interval backwards": m.IntervalPMF(1, 2, 1), "interval to Inf": m.IntervalPMF(1, 2, inf),
		} {
			if !math.IsNaN(v) {
				t.Errorf("%+v: %s = %v, want NaN", m, name, v)
			}
		}
	}
	for _, m := range []Forecaster{NBD{}, BGNBD{}, MBGNBD{}, ParetoNBD{}, BGCNBD{}, MBGCNBD{}, GGompertzNBD{}, PDO{}, CorrelatedParetoNBD{}} {
		for _, v := range []float64{m.ProbAliveAt(h, 1), m.ConditionalPMF(h, 1, 1), m.ProbAnyPurchase(h, 1), m.NextPurchaseQuantile(h, .1), m.IntervalPMF(1, 1, 2)} {
			if !math.IsNaN(v) {
				t.Errorf("%+v gives %v, want NaN", m, v)
			}
		}
	}
}

// TestFutureOfSimulated draws customers and holds what they do after T against IntervalPMF, and the means of what is
// said of each, given the history to T, against the same: all within four standard errors.
func TestFutureOfSimulated(t *testing.T) {
	const customers, first, second = 1000, 20.0, 35.0
	for _, m := range forecasters() {
		r := rand.New(rand.NewPCG(1, 2))
		var did, said [3]moment
		var alive moment
		for range customers {
			times := m.RandTimes(r, second)
			h, n := History{T: first}, 0
			for _, at := range times {
				if at > first {
					n++
					continue
				}
				h.LogGaps += math.Log(at - h.TX)
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

// A moment gathers a mean with its standard error.
type moment struct{ n, sum, squares float64 }

func (a *moment) add(v float64) { a.n, a.sum, a.squares = a.n+1, a.sum+v, a.squares+v*v }

func (a *moment) check(t *testing.T, m Model, what string, want float64) {
	t.Helper()
	mean := a.sum / a.n
	// Where nothing was seen, what should have been seen tells the error.
	se := math.Sqrt(max(a.squares/a.n-mean*mean, 0) / a.n)
	if a.sum == 0 {
		se = math.Sqrt(want / a.n)
	}
	if math.Abs(mean-want) > 4*se+1e-12 {
		t.Errorf("%+v: %s %v +- %v, want %v", m, what, mean, se, want)
	}
}
