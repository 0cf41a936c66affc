package clv

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// MBGNBD is the modified beta-geometric/NBD model: BGNBD where a customer may also leave right after the first
// purchase.
//
//	purchases while alive    Poisson with rate lambda
//	lambda                   gamma with shape R and rate Alpha: mean R/Alpha
//	leaves after a purchase  with probability p, the first purchase included
//	p                        beta with A and B: mean A/(A+B)
//
// All four parameters are positive; Alpha has the unit of time of the histories. A customer without a repeat purchase
// is alive with a probability below 1, which falls with time.
//
// Sources: E. P. Batislam, M. Denizel, A. Filiztekin, Empirical Validation and Comparison of Models for Customer Base
// Analysis, International Journal of Research in Marketing 24(3), 2007; D. Hoppe, U. Wagner, Customer Base Analysis:
// The Case for a Central Variant of the Betageometric/NBD Model, Marketing JRM 3(2), 2007.
type MBGNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Kind returns "mbgnbd".
func (MBGNBD) Kind() string { return "mbgnbd" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m MBGNBD) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"A", m.A}, {"B", m.B}})
}

func (m MBGNBD) valid() bool { return BGNBD(m).valid() }

// MarshalJSON writes the parameters under the schema "custval/model/mbgnbd/v1".
func (m MBGNBD) MarshalJSON() ([]byte, error) {
	type plain MBGNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *MBGNBD) UnmarshalJSON(text []byte) error {
	type plain MBGNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitMBGNBD estimates the model by maximum likelihood from the X, TX, T and Count of the histories. The derivatives are
// analytic; covariance and standard errors come from the observed information.
//
// FitMBGNBD returns an error if a history does not validate, if no customer has a repeat purchase, and, with the best
// estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitMBGNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[MBGNBD], error) {
	s, err := compressBy(ctx, data, false, o.WithDefaults().Workers)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of mbgnbd: %w", err)
	}
	p := cnbd{k: 1, first: 1}.problem(s, bgStarts(s))
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) MBGNBD { return MBGNBD{t[0], t[1], t[2], t[3]} }, p, r, err, s, data)
}

// LogLikelihood returns ln L(R, Alpha, A, B | x, tx, T) in a form without cancellation:
//
//	ln Gamma(r+x)/Gamma(r) + ln B(a,b+x+1)/B(a,b) - r ln(1+tx/alpha) - x ln(alpha+tx)
//	  + ln( ((alpha+tx)/(alpha+T))^(r+x) + a/(b+x) )
func (m MBGNBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	x := float64(h.X)
	l := math.Log1p(h.TX / m.Alpha)
	sum, _ := mix(-(m.R+x)*math.Log1p((h.T-h.TX)/(m.Alpha+h.TX)), math.Log(m.A/(m.B+x)))
	return special.LogGammaRatio(m.R, x) + special.LogGammaRatio(m.B, x+1) - special.LogGammaRatio(m.A+m.B, x+1) -
		m.R*l - x*(math.Log(m.Alpha)+l) + sum
}

// ProbAlive returns P(alive at T | x, tx, T):
//
//	1 / (1 + a/(b+x) ((alpha+T)/(alpha+tx))^(r+x))
func (m MBGNBD) ProbAlive(h History) float64 {
	if !m.valid() || !h.fits() {
		return math.NaN()
	}
	x := float64(h.X)
	stays := m.B + x
	return stays / (stays + m.A*math.Exp((m.R+x)*math.Log1p((h.T-h.TX)/(m.Alpha+h.TX))))
}

// after returns the model of the future of a customer who is alive at T. Such a customer leaves no earlier than the
// next purchase, so the future is that of a new customer of the BG/NBD model.
func (m MBGNBD) after(h History) BGNBD {
	return BGNBD{m.R + float64(h.X), m.Alpha + h.T, m.A, m.B + float64(h.X) + 1}
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T] as a series of positive terms, which is regular at
// A = 1. It is NaN for a negative or infinite t.
func (m MBGNBD) ExpectedPurchases(h History, t float64) float64 {
	return m.ProbAlive(h) * m.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]: those of the BG/NBD
// model with B+1, times the probability B/(A+B) of staying after the first purchase. It is NaN for a negative or
// infinite t.
func (m MBGNBD) NewCustomerPurchases(t float64) float64 { return m.ExpectedPurchases(History{}, t) }

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t]. It is NaN for a negative
// n and for a negative or infinite t.
func (m MBGNBD) PMF(n int, t float64) float64 { return m.ConditionalPMF(History{}, n, t) }

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time:
//
//	P(alive) E[ lambda/(delta + lambda p) | alive, x, tx, T ]
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases,
// P(alive) (A+B+x)/(A-1), which is +Inf for A <= 1.
func (m MBGNBD) DERT(h History, delta float64) float64 {
	if !(delta >= 0) || math.IsInf(delta, 1) {
		return math.NaN()
	}
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || alive == 0 {
		return alive
	}
	f := m.after(h)
	return alive * bgDiscounted(f.R, f.Alpha, f.A, f.B, delta)
}

func (m MBGNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if purchases, discounted, ok := m.after(h).aliveWithin(horizon, delta); ok && !math.IsNaN(alive) {
		return alive * purchases, alive * discounted
	}
	purchases = m.ExpectedPurchases(h, horizon)
	return purchases, discountedPurchases(m, h, horizon, delta, purchases)
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m MBGNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m MBGNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m MBGNBD) gaps(r *rand.Rand) func() float64 {
	lambda, p := randGamma(r, m.R)/m.Alpha, randBeta(r, m.A, m.B)
	return func() float64 {
		if r.Float64() < p {
			lambda = 0
		}
		return r.ExpFloat64() / lambda
	}
}
