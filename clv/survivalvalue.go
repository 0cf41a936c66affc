package clv

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/money"
)

// A Curve gives the probability of still being a customer after t periods, 1 at 0 and falling. Retention curves,
// parametric survival models and Kaplan-Meier estimates are curves.
type Curve interface {
	Survival(t float64) float64
}

// A SurvivalValue is the value of a contractual customer by any survival curve.
//
//	at renewal dates  sum over t of margin S(t)/(1+d)^t
//	continuous        integral of margin S(t) (1+d)^-t dt
//
// At renewal dates the Timing says which margins count, as for a Formula: AfterRenewal counts S(1), S(2), ... at the end
// of the periods, Immediate 1, S(1), ... at their start, EndOfPeriod 1, S(1), ... at their end. A curve with constant
// hazard gives the value of the Formula.
type SurvivalValue struct {
	Margin     money.Amount // a period
	Curve      Curve
	Discount   float64 // effective rate a period, not negative
	Horizon    float64 // periods that count, a whole number at renewal dates; 0 means for ever, which needs a positive Discount
	Timing     Timing  // at renewal dates
	Continuous bool    // the margin flows steadily and customers may leave at any time; Timing is not read
	Rounding   money.Rounding
}

// New returns the value of a new customer.
//
// It returns an error if a field is out of range, if the curve gives no probability or rises, and one that wraps
// ErrInfinite for ever without a discount.
func (s SurvivalValue) New() (money.Amount, error) { return s.Residual(0) }

// Residual returns the value of what is still to come from a customer who has survived to the given age, in periods, and
// whose next period has not been paid for:
//
//	sum over t of margin S(age+t)/S(age)/(1+d)^t
//
// With Timing Immediate the margin of the present period counts as certain. The value just before the n-th renewal is
// decided, which counts that renewal without a discount, is BeforeRenewal.
//
// Errors are those of New, and one if nobody survives to that age.
func (s SurvivalValue) Residual(age float64) (money.Amount, error) {
	multiple, err := s.multiple(age)
	if err != nil {
		return money.Amount{}, err
	}
	return times(s.Margin, multiple, s.Rounding)
}

// BeforeRenewal returns the value of a customer of n-1 renewals just before the n-th is decided: margins fall at the
// renewals, this one not discounted.
//
//	sum over t = n, n+1, ... of margin S(t)/S(n-1)/(1+d)^(t-n)
//
// Source: P. Fader, B. Hardie, Customer-base valuation in a contractual setting: the perils of ignoring heterogeneity,
// Marketing Science 29(1), 2010. It returns an error if n is below 1, and those of New; Timing and Continuous are not
// read.
func (s SurvivalValue) BeforeRenewal(n int) (money.Amount, error) {
	if n < 1 {
		return money.Amount{}, fmt.Errorf("clv: survival value: renewal %d: want 1 or more", n)
	}
	s.Timing, s.Continuous = AfterRenewal, false
	multiple, err := s.multiple(float64(n - 1))
	if err != nil {
		return money.Amount{}, err
	}
	return times(s.Margin, (1+s.Discount)*multiple, s.Rounding)
}

var (
	errCurve     = errors.New("want a curve that starts at 1 or below and falls towards 0")
	errNobody    = errors.New("nobody survives to that age")
	errTooSlow   = errors.New("the sum for ever needs too many periods: set a Horizon or a higher Discount")
	errNoHorizon = fmt.Errorf("the value for ever without a discount may be %w: set a Horizon or a Discount", ErrInfinite)
)

// multiple is the value of a margin of 1.
func (s SurvivalValue) multiple(age float64) (float64, error) {
	v, err := s.sum(age)
	if err != nil {
		return 0, fmt.Errorf("clv: survival value: %w", err)
	}
	return v, nil
}

func (s SurvivalValue) sum(age float64) (float64, error) {
	switch {
	case s.Curve == nil:
		return 0, errors.New("no curve")
	case !(s.Discount >= 0) || math.IsInf(s.Discount, 1):
		return 0, fmt.Errorf("discount %v: %w", s.Discount, errDiscount)
	case !(s.Horizon >= 0) || math.IsInf(s.Horizon, 1) || (!s.Continuous && s.Horizon != math.Floor(s.Horizon)):
		return 0, fmt.Errorf("horizon %v: want a number that is not negative, whole at renewal dates", s.Horizon)
	case !(age >= 0) || math.IsInf(age, 1):
		return 0, fmt.Errorf("age %v: %w", age, errDiscount)
	case s.Timing > EndOfPeriod:
		return 0, fmt.Errorf("%v: unknown", s.Timing)
	case s.Horizon == 0 && s.Discount == 0:
		return 0, errNoHorizon
	}
	alive := s.Curve.Survival(age)
	if !(alive >= 0 && alive <= 1) {
		return 0, fmt.Errorf("survival at %v is %v: %w", age, alive, errCurve)
	}
	if alive == 0 {
		return 0, errNobody
	}
	if s.Continuous {
		return s.integral(age, alive)
	}
	return s.series(age, alive)
}

// series adds the renewals up until the rest, bounded by the survival of now and the discount, is negligible.
func (s SurvivalValue) series(age, alive float64) (float64, error) {
	const most = 20_000_000
	periods := int(min(s.Horizon, most+1))
	from, delay := 1.0, 1.0 // the first survival that counts and when it is paid
	switch s.Timing {
	case Immediate:
		from, delay = 0, 0
	case EndOfPeriod:
		from = 0
	}
	total, step, last := 0.0, math.Log1p(s.Discount), alive
	for k := 0; ; k++ {
		if s.Horizon > 0 && k == periods {
			return total / alive, nil
		}
		if k == most {
			return 0, errTooSlow
		}
		v := s.Curve.Survival(age + from + float64(k))
		if !(v >= 0 && v <= last*(1+1e-9)) {
			return 0, fmt.Errorf("survival at %v is %v after %v: %w", age+from+float64(k), v, last, errCurve)
		}
		term := v * math.Exp(-step*(float64(k)+delay))
		total += term
		last = v
		if s.Discount > 0 && term/s.Discount < 1e-16*total || v == 0 {
			return total / alive, nil
		}
	}
}

// integral computes the continuous value piece by piece between whole periods, where step functions jump.
func (s SurvivalValue) integral(age, alive float64) (float64, error) {
	const most = 1_000_000
	rate, total := math.Log1p(s.Discount), 0.0
	for k := 0; k < most; k++ {
		low, high := float64(k), float64(k+1)
		if s.Horizon > 0 {
			high = min(high, s.Horizon)
		}
		if low >= high {
			return total / alive, nil
		}
		v, _, _ := special.Integrate(func(t float64) float64 { return s.Curve.Survival(age+t) * math.Exp(-rate*t) }, low, high, 1e-11)
		if !(v >= 0) || v > alive*(1+1e-9)*(high-low) {
			return 0, fmt.Errorf("survival after the age %v: %w", age+low, errCurve)
		}
		total += v
		if rate > 0 && v/rate < 1e-15*total || v == 0 {
			return total / alive, nil
		}
	}
	return 0, errTooSlow
}
