package equity

import (
	"fmt"
	"math"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Firm is the inputs of Gupta, Lehmann and Stuart: cohorts of customers won in each period, who all earn the same
// margin and leave at the same rate. Periods are of any one length; rates are a period.
//
//	value = present * w + sum over k of won_k (w - cost)/(1+d)^k
//	w     = margin (1 + q + q^2 + ...)  with q = retention/(1+d)
//
// A customer earns the margin at the start of each period, in the period of acquisition for certain.
//
// Source: S. Gupta, D. Lehmann, J. Stuart, Valuing customers, Journal of Marketing Research 41(1), 2004.
type Firm struct {
	Margin      money.Amount // earned a period and customer
	Retention   float64      // probability of staying from one period to the next, 0 to 1
	Discount    float64      // effective rate a period, positive unless Retention is below 1 and Acquired ends
	Acquisition money.Amount // cost of winning a customer
	Present     float64      // customers that the firm has now, whose next margin is due now
	Acquired    []float64    // customers won in periods 1, 2, ...
	Rounding    money.Rounding
}

// A Worth is a firm's customer equity.
type Worth struct {
	PerCustomer money.Amount `json:"per_customer"` // lifetime value of a customer, cost of acquisition not subtracted
	Present     money.Amount `json:"present"`      // of the customers that the firm has
	Future      money.Amount `json:"future"`       // of those to come, less what it costs to win them
	Total       money.Amount `json:"total"`        // Present + Future
}

// Value returns the customer equity.
//
// It returns an error if a rate or number is out of range, if currencies mix, and one that wraps clv.ErrInfinite if
// Retention is 1 and Discount 0.
func (f Firm) Value() (Worth, error) {
	multiple, err := clv.Formula{Retention: f.Retention, Discount: f.Discount, Timing: clv.Immediate}.Multiple()
	if err != nil {
		return Worth{}, fmt.Errorf("equity: %w", err)
	}
	if !(f.Present >= 0) || math.IsInf(f.Present, 1) {
		return Worth{}, fmt.Errorf("equity: present customers %v: want a finite number that is not negative", f.Present)
	}
	both, err := f.Margin.Add(f.Acquisition)
	if err != nil {
		return Worth{}, fmt.Errorf("equity: %w", err)
	}
	life := f.Margin.Float64() * multiple
	future := 0.0
	for k, n := range f.Acquired {
		if !(n >= 0) || math.IsInf(n, 1) {
			return Worth{}, fmt.Errorf("equity: customers acquired in period %d: %v: want a finite number that is not negative", k+1, n)
		}
		future += n * (life - f.Acquisition.Float64()) * math.Exp(-float64(k+1)*math.Log1p(f.Discount))
	}
	var w Worth
	to := func(v float64) money.Amount {
		if err != nil || both.Currency() == "" {
			return money.Amount{}
		}
		var a money.Amount
		a, err = money.FromFloat(v, both.Currency(), f.Rounding)
		return a
	}
	w.PerCustomer, w.Present, w.Future = to(life), to(f.Present*life), to(future)
	if err == nil {
		w.Total, err = w.Present.Add(w.Future)
	}
	if err != nil {
		return Worth{}, fmt.Errorf("equity: %w", err)
	}
	return w, nil
}

// Logistic is a curve of how many customers a firm has won in all by time t, ceiling/(1 + e^(-location - slope t)), as
// Gupta, Lehmann and Stuart forecast acquisition. Acquired returns the customers won in each of the next periods.
type Logistic struct {
	Ceiling  float64 // customers in the end, positive
	Location float64
	Slope    float64 // a period
}

// Cumulative returns the customers won by time t.
func (l Logistic) Cumulative(t float64) float64 {
	return l.Ceiling / (1 + math.Exp(-l.Location-l.Slope*t))
}

// Acquired returns the customers won in periods now+1, now+2, ...; the numbers are not negative for a positive Slope.
//
// It returns an error if the ceiling or the number of periods is out of range.
func (l Logistic) Acquired(now float64, periods int) ([]float64, error) {
	if !(l.Ceiling > 0) || math.IsInf(l.Ceiling, 1) || periods < 0 || math.IsNaN(now) {
		return nil, fmt.Errorf("equity: logistic with ceiling %v over %d periods from %v: want positive numbers", l.Ceiling, periods, now)
	}
	won := make([]float64, periods)
	for k := range won {
		// (1/(1+e^-b) - 1/(1+e^-a)) without cancellation: sinh((b-a)/2)/(2 cosh(a/2) cosh(b/2)).
		a, b := l.Location+l.Slope*(now+float64(k)), l.Location+l.Slope*(now+float64(k)+1)
		won[k] = l.Ceiling * math.Sinh((b-a)/2) / (2 * math.Cosh(a/2) * math.Cosh(b/2))
		if math.IsNaN(won[k]) {
			won[k] = 0 // both hyperbolic cosines are beyond the range of a float64: the curve is flat
		}
	}
	return won, nil
}

// Leverage returns the share of shareholder value that customer equity makes up, by which a change of customer equity
// of one per cent changes shareholder value in per cent:
//
//	customers/(customers + other assets - debt)
//
// Source: C. Schulze, B. Skiera, T. Wiesel, Linking customer and financial metrics to shareholder value: the leverage
// effect in customer-based valuation, Journal of Marketing 76(2), 2012. It returns an error for mixed currencies, and
// one that wraps ledger.ErrUndefined if shareholder value is not positive.
func Leverage(customers, other, debt money.Amount) (float64, error) {
	value, err := customers.Add(other)
	if err == nil {
		value, err = value.Sub(debt)
	}
	if err != nil {
		return 0, fmt.Errorf("equity: leverage: %w", err)
	}
	if value.Sign() <= 0 {
		return 0, fmt.Errorf("equity: leverage: shareholder value %v: %w", value, ledger.ErrUndefined)
	}
	return customers.Ratio(value)
}
