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

// ParetoNBD is the Pareto/NBD model: while a customer is alive the purchases are a Poisson process, and the customer
// leaves for good after an exponential lifetime; both rates vary between customers, independently.
//
//	purchases while alive    Poisson with rate lambda
//	lambda                   gamma with shape R and rate Alpha: mean R/Alpha
//	lifetime                 exponential with rate mu
//	mu                       gamma with shape S and rate Beta: mean S/Beta
//
// All four parameters are positive; Alpha and Beta have the unit of time of the histories.
//
// Source: D. Schmittlein, D. Morrison, R. Colombo, Counting Your Customers: Who Are They and What Will They Do Next?,
// Management Science 33(1), 1987.
type ParetoNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	S     float64 `json:"s"`
	Beta  float64 `json:"beta"`
}

// Kind returns "paretonbd".
func (ParetoNBD) Kind() string { return "paretonbd" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m ParetoNBD) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"S", m.S}, {"Beta", m.Beta}})
}

func (m ParetoNBD) valid() bool { return BGNBD{m.R, m.Alpha, m.S, m.Beta}.valid() }

// MarshalJSON writes the parameters under the schema "custval/model/paretonbd/v1".
func (m ParetoNBD) MarshalJSON() ([]byte, error) {
	type plain ParetoNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *ParetoNBD) UnmarshalJSON(text []byte) error {
	type plain ParetoNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitParetoNBD estimates the model by maximum likelihood from the X, TX, T and Count of the histories. The derivatives
// are exact: the integral over the lifetime that the likelihood contains is taken together with those of its
// derivatives. Covariance and standard errors come from the observed information.
//
// R and Alpha, and S and Beta, are strongly correlated: their ratios are better known than they are. Where the data
// show nobody leaving, S or Beta runs off and FitParetoNBD says so.
//
// FitParetoNBD returns an error if a history does not validate, if no customer has a repeat purchase, and, with the
// best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitParetoNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[ParetoNBD], error) {
	s, err := compressBy(ctx, data, false, o.WithDefaults().Workers)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of paretonbd: %w", err)
	}
	rate, age := s.rate(), s.elapsed/s.weight
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "S"}, {Name: "Beta"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumParetoNBD(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{
			{0.6, 0.6 / (1.5 * rate), 0.6, 0.4 * age},
			{1, 1 / (1.2 * rate), 1, 3 * age},
			{3, 3 / (2 * rate), 0.3, 0.1 * age},
			{0.1, 0.1 / (4 * rate), 2, 2 * age},
		},
	}
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) ParetoNBD { return ParetoNBD{t[0], t[1], t[2], t[3]} }, p, r, err, s, data)
}

// LogLikelihood returns ln L(R, Alpha, S, Beta | x, tx, T), the sum of the customers who are still alive and of those
// who left after tx,
//
//	ln Gamma(r+x)/Gamma(r) + r ln alpha + s ln beta
//	  + ln( (alpha+T)^-(r+x) (beta+T)^-s + s integral from tx to T of (alpha+u)^-(r+x) (beta+u)^-(s+1) du )
//
// which has no difference of hypergeometric functions; the integral is a sum of positive terms.
func (m ParetoNBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	x := float64(h.X)
	l := math.Log1p(h.TX / m.Alpha)
	sum, _ := m.mix(h)
	return special.LogGammaRatio(m.R, x) - m.R*l - x*(math.Log(m.Alpha)+l) - m.S*math.Log1p(h.TX/m.Beta) + sum
}

// mix returns the log of the sum of the two cases, with (alpha+tx)^-(r+x) (beta+tx)^-s taken out, and P(alive).
func (m ParetoNBD) mix(h History) (sum, alive float64) {
	n := m.R + float64(h.X)
	a, b, t := m.Alpha+h.TX, m.Beta+h.TX, h.T-h.TX
	d := newDeparture(n, m.S, a, b, t)
	return d.alive(n, m.S, a, b, t)
}

// ProbAlive returns P(alive at T | x, tx, T), the share of the first term in the sum that LogLikelihood takes the
// logarithm of.
func (m ParetoNBD) ProbAlive(h History) float64 {
	if !m.valid() || !h.fits() {
		return math.NaN()
	}
	n := m.R + float64(h.X)
	a, b, t := m.Alpha+h.TX, m.Beta+h.TX, h.T-h.TX
	d := newDeparture(n, m.S, a, b, t)
	return d.share(n, m.S, a, b, t)
}

// after returns the model of the future of a customer who is alive at T: the posterior of lambda and mu.
func (m ParetoNBD) after(h History) ParetoNBD {
	return ParetoNBD{m.R + float64(h.X), m.Alpha + h.T, m.S, m.Beta + h.T}
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T]:
//
//	P(alive) (r+x)/(alpha+T) (beta+T)/(s-1) (1 - ((beta+T)/(beta+T+t))^(s-1))
//
// with its limit at s = 1. It is NaN for a negative or infinite t.
func (m ParetoNBD) ExpectedPurchases(h History, t float64) float64 {
	return m.ProbAlive(h) * m.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]:
//
//	r beta/(alpha (s-1)) (1 - (beta/(beta+t))^(s-1))
//
// with its limit at s = 1. It is NaN for a negative or infinite t.
func (m ParetoNBD) NewCustomerPurchases(t float64) float64 {
	if !m.valid() || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	l := math.Log1p(t / m.Beta)
	return m.R * (m.Beta / m.Alpha) * l * special.Expm1Ratio((1-m.S)*l)
}

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t], as an integral over the
// lifetime of negative binomial probabilities. It is NaN for a negative n and for a negative or infinite t.
func (m ParetoNBD) PMF(n int, t float64) float64 {
	if !m.valid() || n < 0 || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	if n == 0 {
		sum, _ := m.mix(History{T: t})
		return math.Exp(sum)
	}
	if t == 0 {
		return 0
	}
	x := float64(n)
	// On the scale of u = ln(time) the integrand has one peak.
	left, _, _ := special.LogIntegrate(func(u float64) float64 {
		at := math.Exp(u)
		return u + logNB(x, m.R, at/m.Alpha) - (m.S+1)*math.Log1p(at/m.Beta)
	}, math.Inf(-1), math.Log(t), 1e-13)
	sum, _ := mix(logNB(x, m.R, t/m.Alpha)-m.S*math.Log1p(t/m.Beta), math.Log(m.S/m.Beta)+left)
	return math.Exp(sum)
}

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time; with z = delta (beta+T) and Tricomi's function it is
//
//	P(alive) (r+x)/(alpha+T) (beta+T) z^(s-1) U(s, s, z),    U(s, s, z) = e^z Gamma(1-s, z)
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases,
// P(alive) (r+x)/(alpha+T) (beta+T)/(s-1), which is +Inf for S <= 1.
func (m ParetoNBD) DERT(h History, delta float64) float64 {
	if !(delta >= 0) || math.IsInf(delta, 1) {
		return math.NaN()
	}
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || alive == 0 {
		return alive
	}
	f := m.after(h)
	scale := alive * f.R * (f.Beta / f.Alpha)
	if delta == 0 {
		if m.S <= 1 {
			return math.Inf(1)
		}
		return scale / (m.S - 1)
	}
	return scale * special.UpperGammaScaled(1-m.S, delta*f.Beta)
}

// withinHorizon is closed but for the integral of the discounted life.
func (m ParetoNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	f := m.after(h)
	purchases = alive * f.NewCustomerPurchases(horizon)
	if math.IsNaN(purchases) || !validTime(delta) {
		return purchases, math.NaN()
	}
	return purchases, alive * (f.R / f.Alpha) * discountedLife(f.S, f.Beta, horizon, delta)
}

// discountedLife returns the integral from 0 to t of e^(-delta u) (1+u/b)^-s du, by Gauss's rule over v = ln(1+u/b) in
// panels in which the integrand falls or rises by a few orders of magnitude at most.
func discountedLife(s, b, t, delta float64) float64 {
	z, end := delta*b, math.Log1p(t/b)
	sum, lowest := 0.0, 0.0
	for v := 0.0; v < end; {
		h := min(end-v, 1)
		for h > 1e-6*v && math.Abs(s-1)*h+z*math.Exp(v)*math.Expm1(h) > 10 {
			h /= 2
		}
		half := h / 2
		for _, g := range gauss16 {
			for _, x := range [2]float64{v + half*(1-g.x), v + half*(1+g.x)} {
				sum += half * g.weight * math.Exp((1-s)*x-z*math.Expm1(x))
			}
		}
		v += h
		exponent := (s-1)*v + z*math.Expm1(v)
		lowest = min(lowest, exponent)
		if exponent > lowest+41 && (s > 1 || z*math.Exp(v) > 1-s) {
			break
		}
	}
	return b * sum
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m ParetoNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m ParetoNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m ParetoNBD) gaps(r *rand.Rand) func() float64 {
	lambda, mu := randGamma(r, m.R)/m.Alpha, randGamma(r, m.S)/m.Beta
	left := r.ExpFloat64() / mu
	return func() float64 {
		gap := r.ExpFloat64() / lambda
		if left -= gap; !(left >= 0) {
			return math.Inf(1)
		}
		return gap
	}
}
