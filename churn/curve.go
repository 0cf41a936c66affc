package churn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
)

// A Curve is a model of how long customers keep a contract that is renewed period by period. The float methods return NaN
// for invalid parameters and arguments out of range. A period is whatever lies between two renewals: a month, a year.
//
// A customer who has started and made k renewals has been a customer for k whole periods and is in the next one. S(k) is
// the share of those who started that make k renewals, S(0) = 1.
type Curve interface {
	// Validate returns an error that names the first parameter outside the model's domain.
	Validate() error
	// Kind is the name of the model in stored estimates, such as "sbg".
	Kind() string
	// LogLikelihood returns the natural log of the probability of a cohort's losses, without the binomial coefficients.
	LogLikelihood(c Cohort) float64
	// Survival returns S(t), also between renewals.
	Survival(t float64) float64
	// Retention returns r(t) = S(t)/S(t-1), the probability that a customer who made t-1 renewals makes the t-th.
	Retention(t int) float64
	// PMF returns P(t) = S(t-1) - S(t), the probability of leaving instead of making the t-th renewal.
	PMF(t int) float64
	// Lifetime returns the expected periods of a new customer, the first included: sum over t >= 0 of S(t). It is +Inf
	// where the sum does not converge.
	Lifetime() float64
	// ResidualLifetime returns the expected further renewals of a customer who has made n: sum over t > n of S(t)/S(n).
	ResidualLifetime(n int) float64
	// DEL returns the discounted expected lifetime of a new customer at the effective rate d a period:
	// sum over t >= 0 of S(t)/(1+d)^t.
	DEL(d float64) float64
	// DERL returns the discounted expected residual lifetime of a customer who has made n renewals, seen just before the
	// next one, which is not discounted: sum over t > n of S(t)/S(n) / (1+d)^(t-n-1). It is what such a customer is worth
	// for a margin of 1 at each renewal.
	DERL(n int, d float64) float64
	// Rand draws the period in which a new customer leaves, at least 1 and at most 2^31-1: that many periods were paid.
	Rand(r *rand.Rand) int
}

var errParameter = errors.New("out of its domain")

// positive returns an error unless a parameter is a positive finite number.
func positive(kind, name string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return fmt.Errorf("churn: %s: %s = %v: %w: want a positive finite number", kind, name, v, errParameter)
	}
	return nil
}

// probability returns an error unless a parameter lies strictly between 0 and 1.
func probability(kind, name string, v float64) error {
	if !(v > 0 && v < 1) {
		return fmt.Errorf("churn: %s: %s = %v: %w: want a number between 0 and 1", kind, name, v, errParameter)
	}
	return nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func marshalModel(m Curve, plain any) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return fit.MarshalModel(m.Kind(), plain)
}

func unmarshalModel(text []byte, m Curve, plain any) error {
	if err := fit.UnmarshalModel(text, m.Kind(), plain); err != nil {
		return err
	}
	return m.Validate()
}

// LifetimeWithin returns the expected periods of a new customer within a horizon, the sum of S(t) over t < horizon. It is
// finite also where Lifetime is not. It is NaN for a negative horizon.
func LifetimeWithin(c Curve, horizon int) float64 {
	if horizon < 0 || c.Validate() != nil {
		return math.NaN()
	}
	sum := 0.0
	for t := range horizon {
		s := c.Survival(float64(t))
		if sum += s; s < 1e-18*sum/float64(horizon) {
			break
		}
	}
	return sum
}

// RandCohort draws a cohort of n customers observed for a number of renewals. It is the zero Cohort for invalid
// parameters or numbers.
func RandCohort(c Curve, r *rand.Rand, n, renewals int) Cohort {
	if c.Validate() != nil || n <= 0 || renewals < 0 {
		return Cohort{}
	}
	active := make([]int, renewals+1)
	for range n {
		active[min(c.Rand(r)-1, renewals)]++
	}
	for k := renewals - 1; k >= 0; k-- {
		active[k] += active[k+1]
	}
	return Cohort{Active: active}
}

const longest = math.MaxInt32

// periods turns a positive real lifetime into the period in which it ends.
func periods(x float64) int {
	if !(x < longest) {
		return longest
	}
	return max(1, int(math.Ceil(x)))
}
