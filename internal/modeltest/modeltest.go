// Package modeltest is the contract that every continuous-time purchase model of package clv keeps. A model's test
// states a few parameter sets and its fit; Run does the rest.
package modeltest

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
)

// A Spec is what the contract needs to know of a model.
type Spec[M clv.Model] struct {
	Models    []M                         // valid parameter sets, ordinary and extreme ones, in weeks
	Invalid   []M                         // parameter sets that Validate refuses
	Simulated M                           // the set that customers are drawn from and recovered
	Unit      func(m M, factor float64) M // the same model in a unit of time that is factor times shorter
	Fit       func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[M], error)
	Customers int // drawn for the fits; 0 means 3000
	Params    func(M) []float64
	// Loosened is the tolerance of sums over the PMF and of integrals, where a model computes by quadrature; 0 means 1e-8.
	Loosened float64
}

// Run checks the whole contract.
func Run[M clv.Model](t *testing.T, s Spec[M]) {
	if s.Customers == 0 {
		s.Customers = 3000
	}
	if s.Loosened == 0 {
		s.Loosened = 1e-8
	}
	t.Run("validate", s.validate)
	t.Run("probabilities", s.probabilities)
	t.Run("expectations", s.expectations)
	t.Run("pmf", s.pmf)
	t.Run("dert", s.dert)
	t.Run("units", s.units)
	t.Run("garbage", s.garbage)
	t.Run("rand", s.rand)
	t.Run("fit", s.fits)
	t.Run("bad_data", s.badData)
}

// Points are histories of every kind that the float methods are checked at, in weeks.
func Points() []clv.History {
	return []clv.History{
		{}, {T: 0.5}, {T: 38.857}, {T: 500},
		{X: 1, TX: 0.01, T: 40}, {X: 1, TX: 40, T: 40}, {X: 2, TX: 30.43, T: 38.86}, {X: 7, TX: 10, T: 78},
		{X: 26, TX: 30.86, T: 31}, {X: 200, TX: 90, T: 100}, {X: 500, TX: 99.9, T: 100},
	}
}

func label(h clv.History) string {
	return "x " + itoa(h.X) + " tx " + ftoa(h.TX) + " T " + ftoa(h.T)
}

func (s Spec[M]) validate(t *testing.T) {
	for _, m := range s.Models {
		if err := m.Validate(); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	for _, m := range s.Invalid {
		if m.Validate() == nil {
			t.Errorf("%+v validates", m)
		}
		if v := m.ProbAlive(clv.History{X: 1, TX: 1, T: 2}); !math.IsNaN(v) {
			t.Errorf("%+v: ProbAlive = %v, want NaN", m, v)
		}
	}
	if m := s.Models[0]; m.Kind() == "" {
		t.Error("no kind")
	}
}

func (s Spec[M]) probabilities(t *testing.T) {
	for _, m := range s.Models {
		for _, h := range Points() {
			p := m.ProbAlive(h)
			if !(p >= 0 && p <= 1) {
				t.Errorf("%+v, %s: ProbAlive = %v", m, label(h), p)
			}
			h.T *= 1.1
			if q := m.ProbAlive(h); q > p*(1+1e-12) {
				t.Errorf("%+v, %s: silence raises ProbAlive from %v to %v", m, label(h), p, q)
			}
			if l := m.LogLikelihood(h); math.IsNaN(l) || math.IsInf(l, 0) {
				t.Errorf("%+v, %s: LogLikelihood = %v", m, label(h), l)
			}
		}
	}
}

func (s Spec[M]) expectations(t *testing.T) {
	for _, m := range s.Models {
		for _, h := range Points() {
			if v := m.ExpectedPurchases(h, 0); v != 0 {
				t.Errorf("%+v, %s: %v purchases in no time", m, label(h), v)
			}
			last := 0.0
			for _, horizon := range []float64{0.1, 1, 39, 52, 400} {
				v := m.ExpectedPurchases(h, horizon)
				if !(v >= last*(1-1e-12)) || math.IsInf(v, 0) {
					t.Errorf("%+v, %s: %v purchases in %v after %v before", m, label(h), v, horizon, last)
				}
				last = v
			}
		}
		for _, horizon := range []float64{0.1, 39, 400} {
			one, two := m.NewCustomerPurchases(horizon), m.ExpectedPurchases(clv.History{}, horizon)
			if !golden.Close(two, one, 1e-9) && m.ProbAlive(clv.History{}) == 1 {
				t.Errorf("%+v: new customer %v, history of nothing %v", m, one, two)
			}
		}
	}
}

// pmf holds the sum of the probabilities against 1 and their mean against NewCustomerPurchases, as far as the tail
// beyond the terms allows.
func (s Spec[M]) pmf(t *testing.T) {
	for _, m := range s.Models {
		if v := m.PMF(0, 0); v != 1 {
			// A model that may lose a customer at once still makes no repeat purchase in no time.
			t.Errorf("%+v: PMF(0, 0) = %v", m, v)
		}
		for _, horizon := range []float64{0.5, 20} {
			total, mean, tail := 0.0, 0.0, math.Inf(1)
			for n := 0; n < 4000 && (tail > 1e-12 || n < 50); n++ {
				p := m.PMF(n, horizon)
				if !(p >= 0 && p <= 1) {
					t.Fatalf("%+v: PMF(%d, %v) = %v", m, n, horizon, p)
				}
				total, mean = total+p, mean+p*float64(n)
				if p > 0 {
					tail = p * float64(n+1) * float64(n+1)
				} else {
					tail = 0
				}
			}
			if tail > 1e-12 {
				continue // too long a tail to add up
			}
			if math.Abs(total-1) > s.Loosened {
				t.Errorf("%+v: PMF sums to %v in %v", m, total, horizon)
			}
			if want := m.NewCustomerPurchases(horizon); math.Abs(mean-want) > s.Loosened*max(1, want) {
				t.Errorf("%+v: PMF has the mean %v in %v, NewCustomerPurchases is %v", m, mean, horizon, want)
			}
		}
	}
}

// dert holds DERT against the integral of delta e^(-delta t) ExpectedPurchases(t), its integration by parts, by
// Simpson's rule in the variable delta t.
func (s Spec[M]) dert(t *testing.T) {
	for _, m := range s.Models[:1] {
		for _, h := range []clv.History{{T: 38.857}, {X: 2, TX: 30.43, T: 38.86}, {X: 26, TX: 30.86, T: 31}} {
			for _, delta := range []float64{0.01, 0.3} {
				want, steps := 0.0, 2000
				for i := range steps + 1 {
					// u^3 spreads the points towards 0, where the integrand bends.
					u := float64(i) / float64(steps)
					at := 40 * u * u * u
					f := math.Exp(-at) * m.ExpectedPurchases(h, at/delta) * 120 * u * u
					switch {
					case i == 0 || i == steps:
						want += f
					case i%2 == 1:
						want += 4 * f
					default:
						want += 2 * f
					}
				}
				want /= 3 * float64(steps)
				if got := m.DERT(h, delta); !golden.Close(got, want, 1e-7) {
					t.Errorf("%+v, %s, delta %v: DERT = %v, integral %v", m, label(h), delta, got, want)
				}
			}
			if m.DERT(h, 0.1) <= m.DERT(h, 0.2) {
				t.Errorf("%+v, %s: DERT does not fall with delta", m, label(h))
			}
		}
	}
}

func (s Spec[M]) units(t *testing.T) {
	for _, m := range s.Models {
		d := s.Unit(m, 7)
		for _, h := range Points() {
			if h.X > 30 {
				continue
			}
			g := clv.History{X: h.X, TX: 7 * h.TX, T: 7 * h.T, LogGaps: h.LogGaps + float64(h.X)*math.Log(7)}
			near(t, "ProbAlive", m, h, d.ProbAlive(g), m.ProbAlive(h))
			near(t, "ExpectedPurchases", m, h, d.ExpectedPurchases(g, 7*52), m.ExpectedPurchases(h, 52))
			near(t, "DERT", m, h, d.DERT(g, 0.01/7), m.DERT(h, 0.01))
			near(t, "PMF", m, h, d.PMF(3, 7*20), m.PMF(3, 20))
			one, two := m.LogLikelihood(h)-float64(h.X)*math.Log(7), d.LogLikelihood(g)
			if math.Abs(one-two) > 1e-9*max(1, math.Abs(one)) {
				t.Errorf("%+v, %s: log-likelihood %v in days, %v expected", m, label(h), two, one)
			}
		}
	}
}

func near[M any](t *testing.T, what string, m M, h clv.History, got, want float64) {
	t.Helper()
	if !golden.Close(got, want, 1e-8) {
		t.Errorf("%+v, %s: %s = %v in days, %v in weeks", m, label(h), what, got, want)
	}
}

// garbage calls every method with what is out of range: NaN comes back and nothing panics.
func (s Spec[M]) garbage(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	bad := []clv.History{{X: -1}, {T: -1}, {T: nan}, {T: inf}, {X: 1, T: 2}, {TX: 1, T: 2}, {X: 1, TX: 3, T: 2},
		{X: 1, TX: nan, T: 2}, {X: 1, TX: -1, T: 2}}
	m := s.Models[0]
	for _, h := range bad {
		for name, v := range map[string]float64{"LogLikelihood": m.LogLikelihood(h), "ProbAlive": m.ProbAlive(h),
			"ExpectedPurchases": m.ExpectedPurchases(h, 1), "DERT": m.DERT(h, 0.1)} {
			if !math.IsNaN(v) {
				t.Errorf("%s of %+v = %v, want NaN", name, h, v)
			}
		}
	}
	h := clv.History{X: 1, TX: 1, T: 2}
	for name, v := range map[string]float64{
		"ExpectedPurchases(-1)": m.ExpectedPurchases(h, -1), "ExpectedPurchases(NaN)": m.ExpectedPurchases(h, nan),
		"NewCustomerPurchases(-1)": m.NewCustomerPurchases(-1), "NewCustomerPurchases(NaN)": m.NewCustomerPurchases(nan),
		"PMF(-1, 1)": m.PMF(-1, 1), "PMF(1, -1)": m.PMF(1, -1), "PMF(1, NaN)": m.PMF(1, nan),
		"DERT(-1)": m.DERT(h, -1), "DERT(NaN)": m.DERT(h, nan)} {
		if !math.IsNaN(v) {
			t.Errorf("%s = %v, want NaN", name, v)
		}
	}
	if v := m.Rand(rand.New(rand.NewPCG(1, 2)), nan); !math.IsNaN(v.T) {
		t.Errorf("Rand over NaN = %+v", v)
	}
}

// rand holds the mean of simulated customers against NewCustomerPurchases and a few frequencies against PMF, within
// four standard errors.
func (s Spec[M]) rand(t *testing.T) {
	const n, horizon = 20000, 30.0
	r := rand.New(rand.NewPCG(1, 2))
	m := s.Simulated
	var sum, squares float64
	var counts [4]float64
	for range n {
		h := m.Rand(r, horizon)
		if err := h.Validate(); err != nil {
			t.Fatal(err)
		}
		x := float64(h.X)
		sum, squares = sum+x, squares+x*x
		if h.X < len(counts) {
			counts[h.X]++
		}
	}
	mean := sum / n
	if se := math.Sqrt((squares/n - mean*mean) / n); math.Abs(mean-m.NewCustomerPurchases(horizon)) > 4*se {
		t.Errorf("simulated mean %v with standard error %v, NewCustomerPurchases %v", mean, se, m.NewCustomerPurchases(horizon))
	}
	for x, c := range counts {
		p := m.PMF(x, horizon)
		if se := math.Sqrt(p * (1 - p) / n); math.Abs(c/n-p) > 4*se {
			t.Errorf("simulated P(X = %d) = %v with standard error %v, PMF %v", x, c/n, se, p)
		}
	}
}

// Draw returns customers of the model who were observed for different times, sorted by id.
func Draw[M clv.Model](m M, n int, seed uint64) *clv.Histories {
	r := rand.New(rand.NewPCG(seed, 2))
	hs := &clv.Histories{Unit: clv.Week, End: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)}
	for i := range n {
		h := m.Rand(r, 20+float64(r.IntN(7*60))/7)
		h.Customer = "c" + itoa(1000000+i)
		hs.Rows = append(hs.Rows, h)
	}
	return hs
}
