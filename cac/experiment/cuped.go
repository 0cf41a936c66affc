package experiment

import "fmt"

// Paired is the value of each customer of an arm and a covariate of the same customers from before the experiment, such
// as their value in the year before.
type Paired struct {
	Values []float64
	Before []float64
}

// An Adjustment is an effect of which the differences that were there before are taken off.
type Adjustment struct {
	Effect
	Theta     float64 `json:"theta"`     // slope of value on covariate over both arms together
	Reduction float64 `json:"reduction"` // part of the variance that the covariate explains: 1 - se^2 / se^2 without it
	Plain     Effect  `json:"plain"`     // the effect without the covariate
	Control   Sample  `json:"control"`   // of adjusted values
	Treatment Sample  `json:"treatment"`
	Balance   Effect  `json:"balance"` // the difference of the covariate itself: if it is significant, mistrust the assignment
}

// CUPED compares two means with a covariate from before the experiment (Deng, Xu, Kohavi and Walker, WSDM 2013). Each
// value is replaced by
//
//	value - theta (before - mean of before),   theta = cov(value, before) / var(before)
//
// with mean, covariance and variance of the customers of both arms together, and the adjusted values are compared by
// Welch's t. The covariate must not be affected by the treatment. A covariate without variance changes
// nothing.
//
// CUPED returns the errors of [Welch], and one if an arm has not as many covariates as values.
func CUPED(control, treatment Paired, level float64) (Adjustment, error) {
	var samples, before [2]Sample
	var values, covariates []float64
	for i, p := range []Paired{control, treatment} {
		name := [...]string{"control", "treatment"}[i]
		if len(p.Values) != len(p.Before) {
			return Adjustment{}, fail("%s: %d values and %d covariates", name, len(p.Values), len(p.Before))
		}
		var err error
		if samples[i], err = SampleOf(p.Values); err != nil {
			return Adjustment{}, fmt.Errorf("%w (%s)", err, name)
		}
		if before[i], err = SampleOf(p.Before); err != nil {
			return Adjustment{}, fmt.Errorf("%w (%s, before)", err, name)
		}
		values, covariates = append(values, p.Values...), append(covariates, p.Before...)
	}
	center := mean(covariates)
	square := covariance(covariates, covariates, center, center)
	plain, err := Welch(samples[0], samples[1], level)
	if err != nil {
		return Adjustment{}, err
	}
	if before[0].Variance+before[1].Variance == 0 {
		plain.Method = "CUPED, " + plain.Method
		return Adjustment{Effect: plain, Plain: plain, Control: samples[0], Treatment: samples[1], Balance: Effect{P: 1, Level: plain.Level, Method: "no variance"}}, nil
	}
	theta := covariance(values, covariates, mean(values), center) / square
	var adjusted [2]Sample
	for i, p := range []Paired{control, treatment} {
		rest := make([]float64, len(p.Values))
		for j := range rest {
			rest[j] = p.Values[j] - theta*(p.Before[j]-center)
		}
		if adjusted[i], err = SampleOf(rest); err != nil {
			return Adjustment{}, err
		}
	}
	e, err := Welch(adjusted[0], adjusted[1], level)
	if err != nil {
		return Adjustment{}, err
	}
	balance, err := Welch(before[0], before[1], level)
	if err != nil {
		return Adjustment{}, err
	}
	e.Method = "CUPED, " + e.Method
	return Adjustment{Effect: e, Theta: theta, Reduction: 1 - e.StdErr*e.StdErr/(plain.StdErr*plain.StdErr), Plain: plain,
		Control: adjusted[0], Treatment: adjusted[1], Balance: balance}, nil
}
