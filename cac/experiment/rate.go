package experiment

import (
	"fmt"
	"math"

	"github.com/custval/custval/internal/stat"
)

// A Rate is how many customers of an arm converted.
type Rate struct {
	Conversions int `json:"conversions"`
	Customers   int `json:"customers"` // those who could
}

// Validate returns an error if there are no customers or more conversions than customers.
func (r Rate) Validate() error {
	switch {
	case r.Customers <= 0:
		return fail("%w: %d customers", ErrTooFew, r.Customers)
	case r.Conversions < 0 || r.Conversions > r.Customers:
		return fail("%d conversions of %d customers", r.Conversions, r.Customers)
	}
	return nil
}

// Value returns Conversions / Customers.
func (r Rate) Value() float64 { return float64(r.Conversions) / float64(r.Customers) }

// Sample returns the rate as a sample of zeros and ones with the variance p(1-p), for [Sequential] and the like.
func (r Rate) Sample() Sample {
	p := r.Value()
	return Sample{r.Customers, p, p * (1 - p)}
}

// Interval returns the score interval of the rate (Wilson, JASA 1927), which is right for small counts, none and all
// included; level 0 means 0.95.
func (r Rate) Interval(level float64) (low, high float64, err error) {
	if level, err = checkLevel(level); err != nil {
		return 0, 0, err
	}
	if err := r.Validate(); err != nil {
		return 0, 0, err
	}
	low, high = stat.Wilson(float64(r.Conversions), float64(r.Customers), level)
	return low, high, nil
}

func checkRates(control, treatment Rate) error {
	if err := control.Validate(); err != nil {
		return fmt.Errorf("%w (control)", err)
	}
	if err := treatment.Validate(); err != nil {
		return fmt.Errorf("%w (treatment)", err)
	}
	return nil
}

// Newcombe returns the difference of two rates with the hybrid score interval (Newcombe, Statistics in Medicine 1998,
// method 10), which combines the Wilson intervals of both and stays within -1 and 1. The p-value is that of [PooledZ]; it
// is 1 where nobody or everybody converted.
func Newcombe(control, treatment Rate, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	if err := checkRates(control, treatment); err != nil {
		return Effect{}, err
	}
	l1, u1 := stat.Wilson(float64(treatment.Conversions), float64(treatment.Customers), level)
	l2, u2 := stat.Wilson(float64(control.Conversions), float64(control.Customers), level)
	p1, p2 := treatment.Value(), control.Value()
	d := difference(control, treatment)
	e := Effect{Estimate: d, Level: level, Method: "Newcombe's score interval, pooled z",
		Low: max(-1, d-math.Hypot(p1-l1, u2-p2)), High: min(1, d+math.Hypot(u1-p1, p2-l2))}
	e.StdErr, e.Statistic, e.P = pooled(control, treatment)
	return e, nil
}

// PooledZ tests the difference of two rates with the standard error of their common rate,
//
//	z = (p2 - p1) / sqrt(p (1-p) (1/n1 + 1/n2)),   p = (x1 + x2) / (n1 + n2)
//
// whose square is the chi-squared statistic of the two by two table. The interval is the one that does not pool (Wald's),
// for comparison; [Newcombe] has a better one. It returns an error that wraps [ErrNoVariance] if nobody or everybody
// converted.
func PooledZ(control, treatment Rate, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	if err := checkRates(control, treatment); err != nil {
		return Effect{}, err
	}
	e := Effect{Estimate: difference(control, treatment), Level: level, Method: "pooled z"}
	e.StdErr, e.Statistic, e.P = pooled(control, treatment)
	if e.StdErr == 0 {
		return Effect{}, fail("%w: nobody or everybody converted", ErrNoVariance)
	}
	c, t := control.Sample(), treatment.Sample()
	half := normalQuantile(level) * math.Sqrt(c.Variance/float64(c.N)+t.Variance/float64(t.N))
	e.Low, e.High = e.Estimate-half, e.Estimate+half
	return e, nil
}

// difference returns the difference of the rates as one quotient, so that equal rates differ by 0.
func difference(control, treatment Rate) float64 {
	x1, n1 := float64(control.Conversions), float64(control.Customers)
	x2, n2 := float64(treatment.Conversions), float64(treatment.Customers)
	if n1*n2 < 1<<50 {
		return (float64(x2*n1) - float64(x1*n2)) / (n1 * n2)
	}
	return x2/n2 - x1/n1
}

func pooled(control, treatment Rate) (stdErr, z, p float64) {
	n1, n2 := float64(control.Customers), float64(treatment.Customers)
	x := float64(control.Conversions) + float64(treatment.Conversions)
	rate, rest := x/(n1+n2), (n1+n2-x)/(n1+n2)
	stdErr = math.Sqrt(rate * rest * (1/n1 + 1/n2))
	if stdErr == 0 {
		return 0, 0, 1
	}
	z = difference(control, treatment) / stdErr
	return stdErr, z, normalTail(z)
}
