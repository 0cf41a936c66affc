package clv

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// NormalNormal is the normal-normal model of spend: a customer's purchases vary around a mean of the customer's own,
// which varies between customers and has nothing to do with how often they buy. Unlike GammaGamma it allows negative
// spends, as where refunds exceed purchases.
//
//	one purchase            normal with the customer's mean and the standard deviation Sigma
//	mean of a customer      normal with mean Mu and standard deviation Tau
//	mean of x purchases     normal with mean Mu and variance Tau^2 + Sigma^2/x
//
// Tau and Sigma are positive, Mu is any finite number; all have the unit of the currency. The model has no time.
//
// Source: D. Schmittlein, R. Peterson, Customer Base Analysis: An Industrial Purchase Process Application, Marketing
// Science 13(1), 1994.
type NormalNormal struct {
	Mu    float64 `json:"mu"`
	Tau   float64 `json:"tau"`
	Sigma float64 `json:"sigma"`
}

// Kind returns "normalnormal".
func (NormalNormal) Kind() string { return "normalnormal" }

// Validate returns an error that names the first parameter out of its domain: a Mu that is not finite, a Tau or Sigma
// that is not a positive finite number.
func (m NormalNormal) Validate() error {
	if !finite(m.Mu) {
		return fmt.Errorf("clv: %s: Mu = %v: %w", m.Kind(), m.Mu, errNotFinite)
	}
	return positive(m.Kind(), []param{{"Tau", m.Tau}, {"Sigma", m.Sigma}})
}

func (m NormalNormal) valid() bool { return finite(m.Mu) && allPositive(m.Tau, m.Sigma) }

// MarshalJSON writes the parameters under the schema "custval/model/normalnormal/v1".
func (m NormalNormal) MarshalJSON() ([]byte, error) {
	type plain NormalNormal
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *NormalNormal) UnmarshalJSON(text []byte) error {
	type plain NormalNormal
	return unmarshalModel(text, m, (*plain)(m))
}

const logSqrt2Pi = 0.91893853320467274178

// LogLikelihood returns the log-density of the mean of x purchases of one customer:
//
//	-ln(2 pi v)/2 - (mean-mu)^2/(2 v),    v = tau^2 + sigma^2/x
//
// Special cases: NaN for x < 1, for a mean that is not finite and for invalid parameters.
func (m NormalNormal) LogLikelihood(x int, mean float64) float64 {
	if !m.valid() || x < 1 || !finite(mean) {
		return math.NaN()
	}
	sd := math.Hypot(m.Tau, m.Sigma/math.Sqrt(float64(x)))
	z := (mean - m.Mu) / sd
	return -logSqrt2Pi - math.Log(sd) - z*z/2
}

// Mean returns the expected spend a purchase of a customer whose x repeat purchases had the given mean, a weighted mean
// of the customer's own and the population's:
//
//	(x tau^2 mean + sigma^2 mu)/(x tau^2 + sigma^2)
//
// Special cases:
//
//	x = 0 gives PopulationMean, whatever the mean
//	NaN for x < 0, a mean that is not finite, and invalid parameters
func (m NormalNormal) Mean(x int, mean float64) float64 {
	switch {
	case !m.valid() || x < 0:
		return math.NaN()
	case x == 0:
		return m.Mu
	case !finite(mean):
		return math.NaN()
	}
	ratio := m.Sigma / m.Tau
	own := 1 / (1 + ratio*ratio/float64(x))
	return own*mean + (1-own)*m.Mu
}

// PopulationMean returns Mu, the expected spend a purchase of a new customer.
func (m NormalNormal) PopulationMean() float64 { return m.Mean(0, 0) }

// Rand draws the mean spend of a new customer's x purchases. It is NaN for x < 1 and invalid parameters.
func (m NormalNormal) Rand(r *rand.Rand, x int) float64 {
	if !m.valid() || x < 1 {
		return math.NaN()
	}
	return m.Mu + m.Tau*r.NormFloat64() + m.Sigma/math.Sqrt(float64(x))*r.NormFloat64()
}

// RandSpends draws what one new customer spends at each of n purchases; nil for an invalid model or n <= 0.
func (m NormalNormal) RandSpends(r *rand.Rand, n int) []float64 {
	if !m.valid() || n <= 0 {
		return nil
	}
	mean := m.Mu + m.Tau*r.NormFloat64()
	spends := make([]float64, n)
	for i := range spends {
		spends[i] = mean + m.Sigma*r.NormFloat64()
	}
	return spends
}
