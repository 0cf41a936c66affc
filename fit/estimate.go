package fit

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Scale is the working scale of a parameter: the one on which it is unbounded, the search runs and intervals are
// symmetric.
type Scale uint8

// The working scales.
const (
	Log      Scale = iota // positive parameters
	Logit                 // parameters between 0 and 1
	Identity              // parameters of any sign
)

var scaleNames = [...]string{"log", "logit", "identity"}

// String returns "log", "logit" or "identity".
func (s Scale) String() string {
	if int(s) < len(scaleNames) {
		return scaleNames[s]
	}
	return fmt.Sprintf("Scale(%d)", s)
}

// MarshalText writes the name of the scale.
func (s Scale) MarshalText() ([]byte, error) {
	if int(s) >= len(scaleNames) {
		return nil, fmt.Errorf("fit: unknown scale %d", s)
	}
	return []byte(scaleNames[s]), nil
}

// UnmarshalText reads the name of a scale.
func (s *Scale) UnmarshalText(text []byte) error {
	for i, name := range scaleNames {
		if name == string(text) {
			*s = Scale(i)
			return nil
		}
	}
	return fmt.Errorf("fit: unknown scale %q", text)
}

// A Stop says why a search ended.
type Stop uint8

// The reasons.
const (
	Converged     Stop = iota // the gradient vanished
	MaxIterations             // the iterations ran out
	NoProgress                // no step raised the likelihood though the gradient had not vanished
	Diverged                  // a parameter ran off to the edge of what can be computed
	Canceled                  // the context ended
)

var stopNames = [...]string{"converged", "max_iterations", "no_progress", "diverged", "canceled"}

// String returns the reason as a word.
func (s Stop) String() string {
	if int(s) < len(stopNames) {
		return stopNames[s]
	}
	return fmt.Sprintf("Stop(%d)", s)
}

// MarshalText writes the reason.
func (s Stop) MarshalText() ([]byte, error) {
	if int(s) >= len(stopNames) {
		return nil, fmt.Errorf("fit: unknown stop %d", s)
	}
	return []byte(stopNames[s]), nil
}

// UnmarshalText reads a reason.
func (s *Stop) UnmarshalText(text []byte) error {
	for i, name := range stopNames {
		if name == string(text) {
			*s = Stop(i)
			return nil
		}
	}
	return fmt.Errorf("fit: unknown stop %q", text)
}

// A Param is one estimated parameter on its natural scale.
type Param struct {
	Name   string  // the model's field
	Value  float64 // the estimate
	StdErr float64 // its standard error, NaN where there is no covariance
	Scale  Scale   // the scale on which Interval is symmetric
}

// An Estimate is a fitted model with what is known of its precision. It holds no data.
type Estimate[M any] struct {
	Model       M             // immutable, ready to predict
	Params      []Param       // in the order of the model's fields
	Cov         [][]float64   // covariance of Params on their natural scale, symmetric; nil where it does not exist
	LogLik      float64       // the maximum of the log-likelihood, penalties and priors not counted
	Customers   int           // customers that were used, counting weights
	Unit        time.Duration // the unit of model time; 0 for models without one
	Iter        int           // iterations of the search that gave the estimate
	Evaluations int           // evaluations of the likelihood over all searches
	Stop        Stop          // why it ended
	Warnings    []string      // what a reader should know: ridges, boundaries, data left out
}

// AIC returns Akaike's information criterion, 2k - 2 ln L with k parameters.
func (e *Estimate[M]) AIC() float64 { return aic(e.LogLik, len(e.Params)) }

// BIC returns Schwarz's criterion, k ln n - 2 ln L with k parameters and n customers; NaN without customers.
func (e *Estimate[M]) BIC() float64 { return bic(e.LogLik, len(e.Params), e.Customers) }

func aic(logLik float64, k int) float64 { return 2*float64(k) - 2*logLik }

func bic(logLik float64, k, n int) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return float64(k)*math.Log(float64(n)) - 2*logLik
}

// Interval returns one Wald interval a parameter, [low, high] on the natural scale. It is symmetric on the parameter's
// Scale, so a positive parameter has a positive interval:
//
//	Log       value exp(-+ z se/value)
//	Logit     logit(value) -+ z se/(value (1-value)), mapped back
//	Identity  value -+ z se
//
// Interval returns an error if level is not between 0 and 1, and one that wraps ErrNoCovariance where the estimate has
// no standard errors.
func (e *Estimate[M]) Interval(level float64) ([][2]float64, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("fit: level %v: want a number between 0 and 1, such as 0.95", level)
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	bands := make([][2]float64, len(e.Params))
	for i, p := range e.Params {
		if math.IsNaN(p.StdErr) {
			return nil, fmt.Errorf("fit: interval of %s: %w", p.Name, ErrNoCovariance)
		}
		bands[i] = p.interval(z)
	}
	return bands, nil
}

func (p Param) interval(z float64) [2]float64 {
	switch p.Scale {
	case Log:
		half := z * p.StdErr / p.Value
		return [2]float64{p.Value * math.Exp(-half), p.Value * math.Exp(half)}
	case Logit:
		center := math.Log(p.Value) - math.Log1p(-p.Value)
		half := z * p.StdErr / (p.Value * (1 - p.Value))
		return [2]float64{logistic(center - half), logistic(center + half)}
	default:
		return [2]float64{p.Value - z*p.StdErr, p.Value + z*p.StdErr}
	}
}

func logistic(u float64) float64 { return 1 / (1 + math.Exp(-u)) }
