package clv_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/golden"
)

// These are inputs at which other packages return NaN, a wrong number or the wrong optimum with a report of success.

// erlang draws customers whose gaps are the sum of three exponential ones, which BG/NBD does not describe: an unbounded
// search runs off on such data to R = 1e59 and a log-likelihood of +1e49.
func erlang(n int) *clv.Histories {
	r := rand.New(rand.NewPCG(11, 12))
	hs := &clv.Histories{Unit: clv.Week, End: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)}
	for range n {
		rate, p := r.ExpFloat64()/2, r.Float64()*r.Float64()
		h := clv.History{T: 20 + 40*r.Float64()}
		for {
			gap := (r.ExpFloat64() + r.ExpFloat64() + r.ExpFloat64()) / (3 * rate)
			if h.TX+gap > h.T {
				break
			}
			h.X, h.TX = h.X+1, h.TX+gap
			if r.Float64() < p {
				break
			}
		}
		hs.Rows = append(hs.Rows, h)
	}
	return hs
}

// TestBGNBDFitDoesNotRunOff holds the fit of regular customers against the likelihood: finite, a maximum along every
// parameter, and the same from other starts.
func TestBGNBDFitDoesNotRunOff(t *testing.T) {
	hs := erlang(4000)
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	logLik := func(m clv.BGNBD) (sum float64) {
		for _, h := range hs.Rows {
			sum += m.LogLikelihood(h)
		}
		return sum
	}
	m := e.Model
	if !golden.Close(logLik(m), e.LogLik, 1e-10) {
		t.Errorf("log-likelihood %v, the fit says %v", logLik(m), e.LogLik)
	}
	for _, f := range []float64{0.99, 1.01} {
		for _, o := range []clv.BGNBD{{R: m.R * f, Alpha: m.Alpha, A: m.A, B: m.B}, {R: m.R, Alpha: m.Alpha * f, A: m.A, B: m.B},
			{R: m.R, Alpha: m.Alpha, A: m.A * f, B: m.B}, {R: m.R, Alpha: m.Alpha, A: m.A, B: m.B * f}} {
			if l := logLik(o); !(l < e.LogLik) {
				t.Errorf("%+v has the log-likelihood %v, the estimate %v", o, l, e.LogLik)
			}
		}
	}
}

func TestBGNBDWhereOthersFail(t *testing.T) {
	m := clv.BGNBD{R: 0.2426, Alpha: 4.4136, A: 0.7929, B: 2.4259}
	// At b = 1 and x = 0 a term of the likelihood is infinite times 0 when it is written as in the paper.
	one := clv.BGNBD{R: 1, Alpha: 1, A: 1, B: 1}
	if l := one.LogLikelihood(clv.History{T: 3}); !golden.Close(l, -math.Log(4), 1e-15) {
		t.Errorf("ln L of a silent customer at (1,1,1,1) = %v, want -ln 4", l)
	}
	// 5,000 purchases: powers and gamma functions outside logs overflow.
	h := clv.History{X: 5000, TX: 99.9, T: 100}
	if v := m.ExpectedPurchases(h, 52); !(v > 2000 && v < 3000) {
		t.Errorf("a customer of 50 purchases a week is expected to make %v in 52 weeks", v)
	}
	// The tail of the PMF beyond the factorial's overflow at 171 falls by a smooth ratio below 1.
	for _, n := range []int{170, 171, 172, 300, 1000} {
		p, q := m.PMF(n, 400), m.PMF(n+1, 400)
		if !(p > 0 && q < p && q > 0.9*p) {
			t.Errorf("PMF(%d) = %v, PMF(%d) = %v", n, p, n+1, q)
		}
	}
	// A truncated sum would not return in reasonable time: the expectation for ever is (a+b-1)/(a-1) where it exists.
	steady := clv.BGNBD{R: 2, Alpha: 4, A: 3, B: 6}
	if v := steady.NewCustomerPurchases(1e9); !golden.Close(v, 4, 1e-9) {
		t.Errorf("purchases in 1e9 units: %v, want (3+6-1)/(3-1) = 4", v)
	}
	// a = 1 and its neighbors: the expectation is smooth there, to all digits.
	at := func(a float64) float64 {
		return clv.BGNBD{R: 0.25, Alpha: 4.4, A: a, B: 2.4}.NewCustomerPurchases(52)
	}
	if middle := (at(1-1e-6) + at(1+1e-6)) / 2; !golden.Close(at(1), middle, 1e-11) {
		t.Errorf("at a = 1 %v, around it %v", at(1), middle)
	}
	// The forecast of a customer does not depend on who is asked for along with them.
	if alone, again := m.ExpectedPurchases(h, 10), m.ExpectedPurchases(h, 10); alone != again {
		t.Errorf("%v and %v", alone, again)
	}
}
