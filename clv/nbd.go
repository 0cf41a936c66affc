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

// NBD is the negative binomial model of repeat purchases, the benchmark of all others: nobody ever leaves.
//
//	purchases    Poisson with rate lambda
//	lambda       gamma with shape R and rate Alpha: mean R/Alpha
//
// Both parameters are positive; Alpha has the unit of time of the histories. The likelihood is that of the times of the
// purchases, as for the other models of this package, so that log-likelihoods can be compared. It does not depend on TX.
//
// Source: A. S. C. Ehrenberg, The Pattern of Consumer Purchases, Applied Statistics 8(1), 1959.
type NBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
}

// Kind returns "nbd".
func (NBD) Kind() string { return "nbd" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m NBD) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}})
}

func (m NBD) valid() bool { return allPositive(m.R, m.Alpha) }

// MarshalJSON writes the parameters under the schema "custval/model/nbd/v1".
func (m NBD) MarshalJSON() ([]byte, error) {
	type plain NBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *NBD) UnmarshalJSON(text []byte) error {
	type plain NBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitNBD estimates the model by maximum likelihood from the X, T and Count of the histories. The derivatives are
// analytic; covariance and standard errors come from the observed information.
//
// Where the counts vary no more than chance, no finite R and Alpha fit best: both run off, and FitNBD says so.
//
// FitNBD returns an error if a history does not validate, if no customer has a repeat purchase, and, with the best
// estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[NBD], error) {
	s, err := compress(ctx, data, false)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of nbd: %w", err)
	}
	rate := s.rate()
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumNBD(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{{0.5, 0.5 / rate}, {3, 3 / rate}, {0.1, 0.1 / rate}},
	}
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) NBD { return NBD{t[0], t[1]} }, p, r, err, s, data)
}

// sumNBD adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R and Alpha.
func sumNBD(rows []row, theta []float64, d *mle.Derivs) {
	r, alpha := theta[0], theta[1]
	logAlpha := math.Log(alpha)
	last := -1
	var value, first, second float64 // of ln Gamma(r+x)/Gamma(r)
	for i := range rows {
		w := &rows[i]
		x, weight := float64(w.x), w.weight
		if w.x != last {
			last = w.x
			value, first = special.LogGammaRatio(r, x), special.DigammaDiff(r, x)
			if d.Hess != nil {
				second = special.TrigammaDiff(r, x)
			}
		}
		v := alpha + w.t
		l := math.Log1p(w.t / alpha)
		d.Value += weight * (value - r*l - x*(logAlpha+l))
		d.Grad[0] += weight * (first - l)
		d.Grad[1] += weight * (r*w.t/alpha - x) / v
		if d.Hess != nil {
			d.AddHess(0, 0, weight*second)
			d.AddHess(0, 1, weight*w.t/(alpha*v))
			d.AddHess(1, 1, weight*(x-r*w.t/alpha*(2+w.t/alpha))/(v*v))
		}
	}
}

// LogLikelihood returns ln L(R, Alpha | x, T) of the purchase times:
//
//	ln Gamma(r+x)/Gamma(r) - r ln(1+T/alpha) - x ln(alpha+T)
//
// The log of PMF(x, T) is larger by x ln T - ln x!.
func (m NBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	x := float64(h.X)
	l := math.Log1p(h.T / m.Alpha)
	return special.LogGammaRatio(m.R, x) - m.R*l - x*(math.Log(m.Alpha)+l)
}

// ProbAlive returns 1: the model knows no end.
func (m NBD) ProbAlive(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	return 1
}

// after returns the model of the customer's future: the posterior of lambda.
func (m NBD) after(h History) NBD { return NBD{m.R + float64(h.X), m.Alpha + h.T} }

// ExpectedPurchases returns E[purchases in (T, T+t] | x, T] = t (R+x)/(Alpha+T). It is NaN for a negative or infinite t.
func (m NBD) ExpectedPurchases(h History, t float64) float64 {
	return m.ProbAlive(h) * m.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)] = t R/Alpha. It is NaN for a negative or infinite t.
func (m NBD) NewCustomerPurchases(t float64) float64 {
	if !m.valid() || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	return t / m.Alpha * m.R
}

// PMF returns P(X(t) = n), the negative binomial probability of n repeat purchases of a new customer in (0, t]. It is
// NaN for a negative n and for a negative or infinite t.
func (m NBD) PMF(n int, t float64) float64 {
	if !m.valid() || n < 0 || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	return math.Exp(logNB(float64(n), m.R, t/m.Alpha))
}

// logNB returns the log of the negative binomial probability of n events in a time y in units of the gamma rate.
func logNB(n, r, y float64) float64 {
	l := -r * math.Log1p(y)
	if n == 0 {
		return l
	}
	// ln y/(1+y) without loss on either side.
	z := -math.Log1p(1 / y)
	return special.LogGammaRatio(r, n) - special.LogGammaRatio(1, n) + l + n*z
}

// DERT returns the discounted expected residual purchases at the continuous rate delta a unit of time,
// (R+x)/(Alpha+T)/delta. It is +Inf at delta 0 and NaN for a negative or infinite delta.
func (m NBD) DERT(h History, delta float64) float64 {
	if !(delta >= 0) || math.IsInf(delta, 1) {
		return math.NaN()
	}
	return m.ExpectedPurchases(h, 1) / delta
}

// withinHorizon is closed: the rate does not change.
func (m NBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	rate := m.ExpectedPurchases(h, 1)
	return rate * horizon, rate * -math.Expm1(-delta*horizon) / delta
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m NBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m NBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m NBD) gaps(r *rand.Rand) func() float64 {
	lambda := randGamma(r, m.R) / m.Alpha
	return func() float64 { return r.ExpFloat64() / lambda }
}
