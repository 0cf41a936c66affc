package experiment

import (
	"math"
)

// A RatioSample is what a test of a ratio of sums needs of an arm: revenue per order, cost per new customer, clicks per
// visit, where the randomized unit is the customer and not the order.
type RatioSample struct {
	N           int     `json:"n"`           // customers
	Numerator   float64 `json:"numerator"`   // mean per customer
	Denominator float64 `json:"denominator"` // mean per customer
	VarNum      float64 `json:"var_num"`     // variances and covariance with divisor N-1
	VarDen      float64 `json:"var_den"`
	Cov         float64 `json:"cov"`
}

// RatioOf returns the sample of numerators and denominators, one of each a customer. It returns an error if their
// numbers differ, one is not finite or there are fewer than two, and one that wraps [ErrZeroBase] if the denominators sum
// to zero.
func RatioOf(numerators, denominators []float64) (RatioSample, error) {
	if len(numerators) != len(denominators) {
		return RatioSample{}, fail("%d numerators and %d denominators", len(numerators), len(denominators))
	}
	num, err := SampleOf(numerators)
	if err != nil {
		return RatioSample{}, err
	}
	den, err := SampleOf(denominators)
	if err != nil {
		return RatioSample{}, err
	}
	if den.Mean == 0 {
		return RatioSample{}, fail("%w: the denominators sum to zero", ErrZeroBase)
	}
	return RatioSample{num.N, num.Mean, den.Mean, num.Variance, den.Variance, covariance(numerators, denominators, num.Mean, den.Mean)}, nil
}

// Ratio returns the ratio of the sums, not the mean of ratios.
func (r RatioSample) Ratio() float64 { return r.Numerator / r.Denominator }

// StdErr returns the standard error of the ratio by the delta method,
//
//	sqrt((VarNum - 2 R Cov + R^2 VarDen) / N) / Denominator,   R = Ratio
func (r RatioSample) StdErr() float64 {
	s := r.sample()
	return s.StdErr()
}

// sample returns the sample of a metric whose mean is the ratio and whose variance makes the delta method's.
func (r RatioSample) sample() Sample {
	q := r.Ratio()
	v := (r.VarNum - 2*q*r.Cov + q*q*r.VarDen) / (r.Denominator * r.Denominator)
	return Sample{r.N, q, max(0, v)}
}

// CompareRatios compares two ratios of sums by Welch's t with the delta method's variances (Deng, Knoblich and Lu, KDD
// 2018). It returns the errors of [Welch], and one that wraps [ErrZeroBase] for a mean denominator of zero.
func CompareRatios(control, treatment RatioSample, level float64) (Effect, error) {
	return compareRatios(control, treatment, level, Welch)
}

// CompareRatiosRelative is [CompareRatios] relative to the control's ratio, as [WelchRelative] is of means.
func CompareRatiosRelative(control, treatment RatioSample, level float64) (Effect, error) {
	return compareRatios(control, treatment, level, WelchRelative)
}

func compareRatios(control, treatment RatioSample, level float64, test func(c, t Sample, level float64) (Effect, error)) (Effect, error) {
	for _, r := range []RatioSample{control, treatment} {
		if r.Denominator == 0 {
			return Effect{}, fail("%w: the mean denominator", ErrZeroBase)
		}
		if math.Abs(r.Cov) > math.Sqrt(r.VarNum*r.VarDen)*(1+1e-9) {
			return Effect{}, fail("covariance %v exceeds what variances %v and %v allow", r.Cov, r.VarNum, r.VarDen)
		}
	}
	e, err := test(control.sample(), treatment.sample(), level)
	if err == nil {
		e.Method = "delta method of a ratio, " + e.Method
	}
	return e, err
}
