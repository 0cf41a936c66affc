package experiment

import (
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/money"
)

// A Sample is what a test of means needs of an arm: customers, mean and variance of what each is worth.
type Sample struct {
	N        int     `json:"n"`        // customers, those who bought nothing included
	Mean     float64 `json:"mean"`     // of a value per customer
	Variance float64 `json:"variance"` // with divisor N-1
}

// SampleOf returns the sample of values, one a customer. It returns an error that wraps [ErrTooFew] for fewer than two
// values, and one that names the first value that is not finite.
func SampleOf(values []float64) (Sample, error) {
	if len(values) < 2 {
		return Sample{}, fail("%w: %d values, at least 2", ErrTooFew, len(values))
	}
	if err := checkValues("value", values); err != nil {
		return Sample{}, err
	}
	m := mean(values)
	s := Sample{N: len(values), Mean: m, Variance: covariance(values, values, m, m)}
	return s, s.Validate()
}

// SampleOfSums returns the sample of n values of which the sum and the sum of squares are known, as a database returns
// them:
//
//	mean = sum / n          variance = (squares - sum^2 / n) / (n - 1)
//
// Where the mean is large against the spread the difference loses digits; SampleOf does not. It returns an error if
// n < 2 or if no n values have such sums.
func SampleOfSums(n int, sum, squares float64) (Sample, error) {
	if n < 2 {
		return Sample{}, fail("%w: %d values, at least 2", ErrTooFew, n)
	}
	mean := sum / float64(n)
	v := squares - sum*mean
	if !isFinite(v) || v < -1e-9*squares {
		return Sample{}, fail("sum %v and sum of squares %v: no %d values have them", sum, squares, n)
	}
	s := Sample{N: n, Mean: mean, Variance: max(0, v) / float64(n-1)}
	return s, s.Validate()
}

// Validate returns an error unless there are two customers or more and mean and variance are numbers.
func (s Sample) Validate() error {
	switch {
	case s.N < 2:
		return fail("%w: %d values, at least 2", ErrTooFew, s.N)
	case !isFinite(s.Mean) || !isFinite(s.Variance) || s.Variance < 0:
		return fail("sample with mean %v and variance %v: not numbers of a sample", s.Mean, s.Variance)
	}
	return nil
}

// StdErr returns the standard error of the mean.
func (s Sample) StdErr() float64 { return math.Sqrt(s.Variance / float64(s.N)) }

// ValuesOf returns amounts as numbers. It returns an error if two currencies are among them.
func ValuesOf(amounts []money.Amount) ([]float64, money.Currency, error) {
	values := make([]float64, len(amounts))
	var c money.Currency
	for i, a := range amounts {
		if c == "" {
			c = a.Currency()
		}
		if a.Currency() != "" && a.Currency() != c {
			return nil, "", fail("value %d: %s: not in %s", i+1, a, c)
		}
		values[i] = a.Float64()
	}
	return values, c, nil
}

// Winsorize returns a copy of the values in which those above the quantile (0.99, say) of all arms' values together are
// cut to it: heavy tails then sway the mean less, and the effect that is tested is that on the cut values. The quantile
// is declared before the experiment. It returns one slice an arm, and the cut.
func Winsorize(quantile float64, arms ...[]float64) ([][]float64, float64, error) {
	if !(quantile > 0 && quantile < 1) {
		return nil, 0, fail("quantile %v: not between 0 and 1", quantile)
	}
	var all []float64
	for i, values := range arms {
		if err := checkValues(fmt.Sprintf("arm %d: value", i+1), values); err != nil {
			return nil, 0, err
		}
		all = append(all, values...)
	}
	if len(all) == 0 {
		return nil, 0, fail("%w: no values", ErrTooFew)
	}
	cut := stat.Quantile(slices.Sorted(slices.Values(all)), quantile)
	out := make([][]float64, len(arms))
	for i, values := range arms {
		out[i] = make([]float64, len(values))
		for j, v := range values {
			out[i][j] = min(v, cut)
		}
	}
	return out, cut, nil
}

func checkValues(name string, values []float64) error {
	for i, v := range values {
		if !isFinite(v) {
			return fail("%s %d: %v: not a finite number", name, i+1, v)
		}
	}
	return nil
}

// mean returns the mean in two passes, the second taking up the rounding errors of the first.
func mean(values []float64) float64 {
	n := float64(len(values))
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	m := sum / n
	rest := 0.0
	for _, v := range values {
		rest += v - m
	}
	return m + rest/n
}

// covariance returns the covariance of x and y about their means, with divisor n-1.
func covariance(x, y []float64, mx, my float64) float64 {
	sum := 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x)-1)
}
