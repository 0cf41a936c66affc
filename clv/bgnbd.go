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

// BGNBD is the beta-geometric/NBD model: while a customer is alive the purchases are a Poisson process whose rate
// varies between customers, and after each repeat purchase the customer may leave for good.
//
//	purchases while alive    Poisson with rate lambda
//	lambda                   gamma with shape R and rate Alpha: mean R/Alpha
//	leaves after a purchase  with probability p, the first purchase excepted
//	p                        beta with A and B: mean A/(A+B)
//
// All four parameters are positive; Alpha has the unit of time of the histories. A customer without a repeat purchase is
// alive with probability 1, a property of the model.
//
// Source: P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD
// Model, Marketing Science 24(2), 2005.
type BGNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Kind returns "bgnbd".
func (BGNBD) Kind() string { return "bgnbd" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m BGNBD) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"A", m.A}, {"B", m.B}})
}

// valid is Validate without the words.
func (m BGNBD) valid() bool {
	const most = math.MaxFloat64
	return m.R > 0 && m.R <= most && m.Alpha > 0 && m.Alpha <= most && m.A > 0 && m.A <= most && m.B > 0 && m.B <= most
}

// MarshalJSON writes the parameters under the schema "custval/model/bgnbd/v1".
func (m BGNBD) MarshalJSON() ([]byte, error) {
	type plain BGNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *BGNBD) UnmarshalJSON(text []byte) error {
	type plain BGNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitBGNBD estimates the model by maximum likelihood from the X, TX, T and Count of the histories. The derivatives are
// analytic; covariance and standard errors come from the observed information.
//
// FitBGNBD returns an error if a history does not validate, if no customer has a repeat purchase, and, with the best
// estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitBGNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[BGNBD], error) {
	s, err := compressBy(ctx, data, false, o.WithDefaults().Workers)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of bgnbd: %w", err)
	}
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "A"}, {Name: "B"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumBGNBD(s.rows[lo:hi], theta, d) },
		Starts: bgStarts(s),
	}
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) BGNBD { return BGNBD{t[0], t[1], t[2], t[3]} }, p, r, err, s, data)
}

// bgStarts are the starts of the models with a beta-geometric dropout, in the data's unit of time.
func bgStarts(s *sample) [][]float64 {
	rate := s.rate()
	return [][]float64{
		{0.5, 0.5 / (2 * rate), 0.8, 2.5},
		{1, 1 / rate, 0.5, 5},
		{3, 3 / (1.5 * rate), 0.2, 8},
		{0.1, 0.1 / (4 * rate), 1, 1},
	}
}

// LogLikelihood returns ln L(R, Alpha, A, B | x, tx, T), equation 6 of the paper in a form without cancellation:
//
//	ln Gamma(r+x)/Gamma(r) + ln B(a,b+x)/B(a,b) - r ln(1+tx/alpha) - x ln(alpha+tx)
//	  + ln( ((alpha+tx)/(alpha+T))^(r+x) + [x > 0] a/(b+x-1) )
func (m BGNBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	if h.X == 0 {
		return -m.R * math.Log1p(h.T/m.Alpha)
	}
	x := float64(h.X)
	l := math.Log1p(h.TX / m.Alpha)
	sum, _ := mix(-(m.R+x)*math.Log1p((h.T-h.TX)/(m.Alpha+h.TX)), math.Log(m.A/(m.B+x-1)))
	return special.LogGammaRatio(m.R, x) + special.LogGammaRatio(m.B, x) - special.LogGammaRatio(m.A+m.B, x) -
		m.R*l - x*(math.Log(m.Alpha)+l) + sum
}

// ProbAlive returns P(alive at T | x, tx, T), 1 for a customer without a repeat purchase:
//
//	1 / (1 + [x > 0] a/(b+x-1) ((alpha+T)/(alpha+tx))^(r+x))
func (m BGNBD) ProbAlive(h History) float64 {
	if !m.valid() || !h.fits() {
		return math.NaN()
	}
	if h.X == 0 {
		return 1
	}
	x := float64(h.X)
	return 1 / (1 + m.A/(m.B+x-1)*math.Exp((m.R+x)*math.Log1p((h.T-h.TX)/(m.Alpha+h.TX))))
}

// after returns the model of the future of a customer who is alive at T: the posterior of lambda and p.
func (m BGNBD) after(h History) BGNBD {
	return BGNBD{m.R + float64(h.X), m.Alpha + h.T, m.A, m.B + float64(h.X)}
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T], equation 10 of the paper as a series of positive
// terms, which is regular at A = 1 and A+B = 1. It is NaN for a negative or infinite t.
func (m BGNBD) ExpectedPurchases(h History, t float64) float64 {
	return m.ProbAlive(h) * m.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t], equation 9 of the
// paper as
//
//	sum over j >= 1 of NBD(j; r, t/(alpha+t)) sum over i < j of B(a, b+i)/B(a, b)
//
// It is NaN for a negative or infinite t.
func (m BGNBD) NewCustomerPurchases(t float64) float64 {
	if !m.valid() || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	return bgExpected(m.R, m.A, m.B, t/m.Alpha)
}

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t], equation 8 of the paper.
// It is NaN for a negative n and for a negative or infinite t.
func (m BGNBD) PMF(n int, t float64) float64 { return math.Exp(m.logPMF(n, t)) }

func (m BGNBD) logPMF(n int, t float64) float64 {
	if !m.valid() || n < 0 || !(t >= 0) || math.IsInf(t, 1) {
		return math.NaN()
	}
	if n == 0 {
		return -m.R * math.Log1p(t/m.Alpha)
	}
	if t == 0 {
		return math.Inf(-1)
	}
	x, z := float64(n), t/(m.Alpha+t)
	beta := special.LogGammaRatio(m.B, x) - special.LogGammaRatio(m.A+m.B, x)
	alive := special.LogGammaRatio(m.R, x) - special.LogGammaRatio(1, x) -
		m.R*math.Log1p(t/m.Alpha) + x*math.Log(z)
	left := math.Log(m.A/(m.B+x-1)) + special.LogIncBetaXY(x, m.R, z, m.Alpha/(m.Alpha+t))
	sum, _ := mix(alive, left)
	return beta + sum
}

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time:
//
//	P(alive) E[ lambda/(delta + lambda p) | alive, x, tx, T ]
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases,
// P(alive) (A+B+x-1)/(A-1), which is +Inf for A <= 1.
func (m BGNBD) DERT(h History, delta float64) float64 {
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

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m BGNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m BGNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m BGNBD) gaps(r *rand.Rand) func() float64 {
	lambda, p := randGamma(r, m.R)/m.Alpha, randBeta(r, m.A, m.B)
	alive := true
	return func() float64 {
		if !alive {
			return math.Inf(1)
		}
		alive = r.Float64() >= p
		return r.ExpFloat64() / lambda
	}
}
