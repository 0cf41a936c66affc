package experiment

import (
	"fmt"
	"math"
)

// An Effect is the difference that a treatment makes to a control, with its test and interval.
type Effect struct {
	Estimate  float64 `json:"estimate"` // treatment - control, or relative to the control: treatment / control - 1
	StdErr    float64 `json:"std_err"`
	Statistic float64 `json:"statistic"` // Estimate / StdErr, or the statistic of the test in question
	DF        float64 `json:"df"`        // degrees of freedom; 0 for a normal distribution
	P         float64 `json:"p"`         // two-sided probability of such a statistic without an effect
	Low       float64 `json:"low"`       // of the interval
	High      float64 `json:"high"`      //
	Level     float64 `json:"level"`     // of the interval
	Relative  bool    `json:"relative"`  // Estimate is relative to the control
	Method    string  `json:"method"`    // which test and interval
}

// String returns the effect in a line.
func (e Effect) String() string {
	if e.Relative {
		return fmt.Sprintf("%+.2f%% (%.4g%%: %+.2f%% to %+.2f%%), p = %.4g, %s", 100*e.Estimate, 100*e.Level, 100*e.Low, 100*e.High, e.P, e.Method)
	}
	return fmt.Sprintf("%+.6g (%.4g%%: %+.6g to %+.6g), p = %.4g, %s", e.Estimate, 100*e.Level, e.Low, e.High, e.P, e.Method)
}

// Significant reports whether the effect differs from none at 1 - Level.
func (e Effect) Significant() bool { return e.P < 1-e.Level }

// student completes an effect by Student's t.
func student(estimate, stdErr, df, level float64, method string) Effect {
	t := estimate / stdErr
	half := studentQuantile(level, df) * stdErr
	return Effect{Estimate: estimate, StdErr: stdErr, Statistic: t, DF: df, P: studentTail(t, df), Low: estimate - half, High: estimate + half, Level: level, Method: method}
}

// pair checks two samples and returns the variances of their means and Welch's degrees of freedom.
func pair(control, treatment Sample) (vc, vt, df float64, err error) {
	if err := control.Validate(); err != nil {
		return 0, 0, 0, fmt.Errorf("%w (control)", err)
	}
	if err := treatment.Validate(); err != nil {
		return 0, 0, 0, fmt.Errorf("%w (treatment)", err)
	}
	vc, vt = control.Variance/float64(control.N), treatment.Variance/float64(treatment.N)
	if vc+vt == 0 {
		return 0, 0, 0, fail("%w", ErrNoVariance)
	}
	c, t := vc/(vc+vt), vt/(vc+vt)
	return vc, vt, 1 / (c*c/float64(control.N-1) + t*t/float64(treatment.N-1)), nil
}

// Welch compares two means without supposing equal variances (Welch, Biometrika 1947),
//
//	t = (m2 - m1) / sqrt(s1^2/n1 + s2^2/n2)
//
// with the degrees of freedom of Satterthwaite and an interval of the level; 0 means 0.95. It suits values per customer
// in large samples, many zeros and a heavy tail included; for small ones see [Bootstrap].
//
// Welch returns an error that wraps [ErrTooFew] for fewer than two customers in an arm and [ErrNoVariance] if no
// customer differs from another.
func Welch(control, treatment Sample, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	vc, vt, df, err := pair(control, treatment)
	if err != nil {
		return Effect{}, err
	}
	return student(treatment.Mean-control.Mean, math.Sqrt(vc+vt), df, level, "Welch's t"), nil
}

// WelchRelative is [Welch] for the effect relative to the control, m2/m1 - 1, by the delta method,
//
//	se^2 = s2^2/n2 / m1^2 + s1^2/n1 m2^2 / m1^4
//
// It returns the errors of Welch, and one that wraps [ErrZeroBase] if the mean of the control is zero. Where that mean is
// within some two standard errors of zero the interval is worth little: see [Fieller].
func WelchRelative(control, treatment Sample, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	_, _, df, err := pair(control, treatment)
	if err != nil {
		return Effect{}, err
	}
	estimate, v, err := relative(control, treatment)
	if err != nil {
		return Effect{}, err
	}
	e := student(estimate, math.Sqrt(v), df, level, "Welch's t, relative by the delta method")
	e.Relative = true
	return e, nil
}

// relative returns the effect relative to the control and its variance.
func relative(control, treatment Sample) (estimate, variance float64, err error) {
	if control.Mean == 0 {
		return 0, 0, fail("%w: the mean of the control", ErrZeroBase)
	}
	ratio := treatment.Mean / control.Mean
	vc, vt := control.Variance/float64(control.N), treatment.Variance/float64(treatment.N)
	return ratio - 1, (vt + vc*ratio*ratio) / (control.Mean * control.Mean), nil
}

// Fieller returns the interval of the effect relative to the control by the theorem of Fieller (1954), which holds
// however close to zero the mean of the control is,
//
//	all r with (m2 - r m1)^2 <= t^2 (s2^2/n2 + r^2 s1^2/n1)
//
// less one. It returns the errors of [Welch], and one that wraps [ErrZeroBase] if the mean of the control does not differ
// from zero at the level: the interval has no end then.
func Fieller(control, treatment Sample, level float64) (low, high float64, err error) {
	if level, err = checkLevel(level); err != nil {
		return 0, 0, err
	}
	vc, vt, df, err := pair(control, treatment)
	if err != nil {
		return 0, 0, err
	}
	t := studentQuantile(level, df)
	m1, m2 := control.Mean, treatment.Mean
	a := m1*m1 - t*t*vc
	if a <= 0 {
		return 0, 0, fail("%w: the mean of the control, %v, does not differ from zero", ErrZeroBase, m1)
	}
	root := math.Sqrt(max(0, m1*m1*m2*m2-a*(m2*m2-t*t*vt)))
	return (m1*m2-root)/a - 1, (m1*m2+root)/a - 1, nil
}
