package clv

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Timing says when a Formula counts the margin of a period. The three differ by whether the first margin is certain
// and by when it falls, and so by a factor of up to (1+discount)/retention.
type Timing uint8

// The timings, with the value for ever of a margin m, retention r, discount rate d a period and no growth.
const (
	AfterRenewal Timing = iota // at the end of each period that the customer has renewed into, the first included: m r/(1+d-r). Gupta and Lehmann
	Immediate                  // at the start of each period, the first certain and not discounted: m (1+d)/(1+d-r)
	EndOfPeriod                // at the end of each period, the first certain: m/(1+d-r)
)

var timingNames = [...]string{"after renewal", "immediate", "end of period"}

// String returns the name in words.
func (t Timing) String() string {
	if int(t) < len(timingNames) {
		return timingNames[t]
	}
	return fmt.Sprintf("Timing(%d)", t)
}

// A Formula is the lifetime value of a customer with a constant margin a period, a constant retention rate and a
// constant discount rate: the margin multiple of Gupta and Lehmann with its variants of timing, growth and horizon.
//
//	value = margin * first * (1 + q + q^2 + ...)    with q = retention (1+growth)/(1+discount)
//
// where first is retention/(1+discount) for AfterRenewal, 1 for Immediate and 1/(1+discount) for EndOfPeriod, and the
// sum has Periods terms, or infinitely many for Periods 0, which exist only if retention (1+growth) < 1+discount.
//
// A fixed contract without renewal is EndOfPeriod with a Retention of 1 and its number of Periods: an annuity.
//
// Source: S. Gupta, D. Lehmann, Customers as assets, Journal of Interactive Marketing 17(1), 2003; the timings: P. Fader,
// B. Hardie, Reconciling and clarifying CLV formulas, 2012.
type Formula struct {
	Margin    money.Amount // earned a period while the customer stays
	Retention float64      // probability of staying from one period to the next, 0 to 1
	Discount  float64      // effective rate a period, not negative
	Growth    float64      // of the margin from period to period, above -1
	Periods   int          // how many margins count; 0 means for ever
	Timing    Timing
	Rounding  money.Rounding // of the value to the minor unit; half to even if zero
}

var (
	errRetention = errors.New("want a number from 0 to 1")
	errDiscount  = errors.New("want a finite number that is not negative")
	errGrowth    = errors.New("want a finite number above -1")
)

// Validate returns an error that names the first field out of range.
func (f Formula) Validate() error {
	switch {
	case !(f.Retention >= 0 && f.Retention <= 1):
		return fmt.Errorf("clv: formula: retention %v: %w", f.Retention, errRetention)
	case !(f.Discount >= 0) || math.IsInf(f.Discount, 1):
		return fmt.Errorf("clv: formula: discount %v: %w", f.Discount, errDiscount)
	case !(f.Growth > -1) || math.IsInf(f.Growth, 1):
		return fmt.Errorf("clv: formula: growth %v: %w", f.Growth, errGrowth)
	case f.Periods < 0:
		return fmt.Errorf("clv: formula: periods %d: negative", f.Periods)
	case f.Timing > EndOfPeriod:
		return fmt.Errorf("clv: formula: %v: unknown", f.Timing)
	}
	return nil
}

// Multiple returns the value of a margin of 1: the factor that turns a period's margin into a lifetime value.
//
// It returns an error if the formula does not validate, and one that wraps ErrInfinite and names the condition if the
// sum for ever does not exist.
func (f Formula) Multiple() (float64, error) {
	if err := f.Validate(); err != nil {
		return 0, err
	}
	var first float64
	switch f.Timing {
	case Immediate:
		first = 1
	case EndOfPeriod:
		first = 1 / (1 + f.Discount)
	default:
		first = f.Retention / (1 + f.Discount)
	}
	kept := f.Retention * (1 + f.Growth)
	if f.Periods == 0 {
		if !(kept < 1+f.Discount) {
			return 0, fmt.Errorf("clv: formula: the value for ever is %w: it needs retention (1+growth) < 1+discount, which are %.6g and %.6g; set Periods",
				ErrInfinite, kept, 1+f.Discount)
		}
		return first * (1 + f.Discount) / (1 + f.Discount - kept), nil
	}
	v := first * geometric(kept/(1+f.Discount), float64(f.Periods))
	if math.IsInf(v, 0) {
		return 0, fmt.Errorf("clv: formula: the value of %d periods that grow by %v is too large to be a number: %w", f.Periods, f.Growth, ErrInfinite)
	}
	return v, nil
}

// geometric returns 1 + q + ... + q^(n-1) = (1-q^n)/(1-q), exact at q = 1.
func geometric(q, n float64) float64 {
	if q == 0 {
		return 1
	}
	l := math.Log(q)
	return n * special.Expm1Ratio(n*l) / special.Expm1Ratio(l)
}

// Value returns Margin times Multiple.
//
// Errors are those of Multiple and of money for a value out of range.
func (f Formula) Value() (money.Amount, error) {
	multiple, err := f.Multiple()
	if err != nil {
		return money.Amount{}, err
	}
	return times(f.Margin, multiple, f.Rounding)
}

// times returns an amount multiplied by a float, rounded to the minor unit.
func times(a money.Amount, factor float64, r money.Rounding) (money.Amount, error) {
	if a.Currency() == "" {
		return money.Amount{}, nil
	}
	v, err := money.FromFloat(a.Float64()*factor, a.Currency(), r)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: %w", err)
	}
	return v, nil
}

// BreakEvenRetention returns the lowest retention rate at which the formula, for ever and with its other fields, is
// worth the cost of winning the customer:
//
//	AfterRenewal  c (1+d)/(m + c (1+g))
//	Immediate     (1+d)(1 - m/c)/(1+g)
//	EndOfPeriod   (1 + d - m/c)/(1+g)
//
// with the margin m, the cost c, the discount rate d and the growth g; 0 where the first margin alone is worth the cost.
// The fields Retention and Periods are not read.
//
// It returns an error if the other fields do not validate, if margin or cost is not positive or their currencies differ,
// and if a rate above 1 would be needed.
func (f Formula) BreakEvenRetention(cost money.Amount) (float64, error) {
	f.Retention, f.Periods = 0, 0
	if err := f.Validate(); err != nil {
		return 0, err
	}
	if f.Margin.Sign() <= 0 || cost.Sign() <= 0 {
		return 0, fmt.Errorf("clv: break-even retention: margin %v and cost %v: want positive amounts", f.Margin, cost)
	}
	ratio, err := cost.Ratio(f.Margin)
	if err != nil {
		return 0, fmt.Errorf("clv: break-even retention: %w", err)
	}
	var r float64
	switch f.Timing {
	case Immediate:
		r = (1 + f.Discount) * (1 - 1/ratio) / (1 + f.Growth)
	case EndOfPeriod:
		r = (1 + f.Discount - 1/ratio) / (1 + f.Growth)
	default:
		r = ratio * (1 + f.Discount) / (1 + ratio*(1+f.Growth))
	}
	if r > 1 {
		return 0, fmt.Errorf("clv: break-even retention: a cost of %v is never earned back: a retention of %.4g would be needed", cost, r)
	}
	return max(0, r), nil
}

// ContinuousValue returns the value of a customer who earns a margin a unit of time as a steady stream and leaves at a
// constant hazard, discounted at a continuous rate a unit:
//
//	margin (1 - e^(-(rate+hazard) horizon))/(rate + hazard)
//
// Horizon 0 means for ever. The result is rounded half to even to the minor unit.
//
// It returns an error if rate, hazard or horizon is negative or not finite, and one that wraps ErrInfinite if rate and
// hazard are both 0 for ever.
func ContinuousValue(margin money.Amount, rate, hazard, horizon float64) (money.Amount, error) {
	for _, p := range []param{{"rate", rate}, {"hazard", hazard}, {"horizon", horizon}} {
		if !(p.value >= 0) || math.IsInf(p.value, 1) {
			return money.Amount{}, fmt.Errorf("clv: continuous value: %s %v: %w", p.name, p.value, errDiscount)
		}
	}
	decay := rate + hazard
	if horizon > 0 {
		return times(margin, horizon*special.Expm1Ratio(-decay*horizon), money.HalfEven)
	}
	if decay == 0 {
		return money.Amount{}, fmt.Errorf("clv: continuous value: without rate and hazard the value for ever is %w", ErrInfinite)
	}
	return times(margin, 1/decay, money.HalfEven)
}

// A Driver is the effect of one per cent more of one input on the value.
type Driver struct {
	Name   string       `json:"name"`   // order value, frequency, margin, retention or discount
	Effect money.Amount `json:"effect"` // change of the value
	Share  float64      `json:"share"`  // change of the value as a share of it: 0.05 for 5 % more
}

// Drivers returns what one per cent more order value, order frequency, margin, retention and discount rate would do to the
// value of the formula, each alone. The first three multiply the Margin of a period, so each moves the value by one per
// cent; retention moves it by more the longer customers stay. A retention beyond 1 counts as 1.
//
// Errors are those of Value, also at the changed inputs, and one that wraps ledger.ErrUndefined if the value is 0.
func (f Formula) Drivers() ([]Driver, error) {
	base, err := f.Multiple()
	if err != nil {
		return nil, err
	}
	value, err := f.Value()
	if err != nil {
		return nil, err
	}
	if value.IsZero() {
		return nil, fmt.Errorf("clv: drivers of a value of 0: %w", ledger.ErrUndefined)
	}
	retention, discount := f, f
	retention.Retention = min(1, 1.01*f.Retention)
	discount.Discount *= 1.01
	drivers := []Driver{{Name: "order value", Share: 0.01}, {Name: "frequency", Share: 0.01}, {Name: "margin", Share: 0.01}}
	for _, changed := range []struct {
		name string
		f    Formula
	}{{"retention", retention}, {"discount", discount}} {
		m, err := changed.f.Multiple()
		if err != nil {
			return nil, err
		}
		drivers = append(drivers, Driver{Name: changed.name, Share: m/base - 1})
	}
	for i := range drivers {
		if drivers[i].Effect, err = times(f.Margin, base*drivers[i].Share, f.Rounding); err != nil {
			return nil, err
		}
	}
	return drivers, nil
}
