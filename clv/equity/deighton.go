package equity

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/money"
)

// A Response is the share of prospects won, or of customers kept, at a spending a head: ceiling (1 - e^(-K spending)).
type Response struct {
	Ceiling float64 // share at boundless spending, above 0 and up to 1
	K       float64 // how fast spending works, a unit of the currency; positive
}

// NewResponse returns the response with the given ceiling that yields rate at the present spending.
//
// It returns an error if the rate is not between 0 and the ceiling, or the spending is not positive.
func NewResponse(ceiling, rate float64, spending money.Amount) (Response, error) {
	if !(ceiling > 0 && ceiling <= 1) || !(rate > 0 && rate < ceiling) || spending.Sign() <= 0 {
		return Response{}, fmt.Errorf("equity: response of %v with the ceiling %v at %v: want 0 < rate < ceiling <= 1 and a positive spending", rate, ceiling, spending)
	}
	return Response{ceiling, -math.Log1p(-rate/ceiling) / spending.Float64()}, nil
}

// Rate returns the share at a spending in units of the currency.
func (r Response) Rate(spending float64) float64 { return -r.Ceiling * math.Expm1(-r.K*spending) }

func (r Response) validate(name string) error {
	if !(r.Ceiling > 0 && r.Ceiling <= 1) || !(r.K > 0) || math.IsInf(r.K, 1) {
		return fmt.Errorf("equity: %s response %+v: want a ceiling above 0 and up to 1 and a positive K", name, r)
	}
	return nil
}

// A BlattbergDeighton is the customer equity of one prospect in a year:
//
//	equity = a m - A + a (m - R/r) r'/(1-r'),   r' = r/(1+d)
//
// with the acquisition rate a(A), the retention rate r(R), the margin m a year, the spending A on each prospect and R on
// each customer who is to be kept.
//
// Source: R. Blattberg, J. Deighton, Manage marketing by the customer equity test, Harvard Business Review 74(4), 1996.
type BlattbergDeighton struct {
	Margin      money.Amount // a customer and year
	Acquisition Response
	Retention   Response
	Discount    float64 // effective rate a year, positive
	Rounding    money.Rounding
}

// A Spending is a pair of spendings with what comes of them.
type Spending struct {
	Acquisition money.Amount `json:"acquisition"` // on each prospect
	Retention   money.Amount `json:"retention"`   // on each customer and year
	Acquired    float64      `json:"acquired"`    // share of the prospects won
	Retained    float64      `json:"retained"`    // share of the customers kept a year
	Equity      money.Amount `json:"equity"`      // a prospect
}

func (b BlattbergDeighton) validate() error {
	if !(b.Discount > 0) || math.IsInf(b.Discount, 1) {
		return fmt.Errorf("equity: discount %v: want a positive finite number", b.Discount)
	}
	if b.Margin.Sign() <= 0 {
		return fmt.Errorf("equity: margin %v: want a positive amount", b.Margin)
	}
	return errors.Join(b.Acquisition.validate("acquisition"), b.Retention.validate("retention"))
}

// later returns what a customer is worth beyond the first year at a spending on retention: the formula's last factor with
// r multiplied out, (m r - R)/(1+d-r).
func (b BlattbergDeighton) later(spending float64) float64 {
	r := b.Retention.Rate(spending)
	return (b.Margin.Float64()*r - spending) / (1 + b.Discount - r)
}

// At returns what comes of two spendings. It returns an error if an input is out of range or the currencies differ.
func (b BlattbergDeighton) At(acquisition, retention money.Amount) (Spending, error) {
	if err := b.validate(); err != nil {
		return Spending{}, err
	}
	if acquisition.Sign() < 0 || retention.Sign() < 0 {
		return Spending{}, fmt.Errorf("equity: spending %v and %v: negative", acquisition, retention)
	}
	if _, err := money.Total(b.Margin, acquisition, retention); err != nil {
		return Spending{}, fmt.Errorf("equity: %w", err)
	}
	return b.spending(acquisition.Float64(), retention.Float64())
}

func (b BlattbergDeighton) spending(acquisition, retention float64) (Spending, error) {
	s := Spending{Acquired: b.Acquisition.Rate(acquisition), Retained: b.Retention.Rate(retention)}
	value := s.Acquired*(b.Margin.Float64()+b.later(retention)) - acquisition
	var errs [3]error
	c := b.Margin.Currency()
	s.Acquisition, errs[0] = money.FromFloat(acquisition, c, b.Rounding)
	s.Retention, errs[1] = money.FromFloat(retention, c, b.Rounding)
	s.Equity, errs[2] = money.FromFloat(value, c, b.Rounding)
	return s, errors.Join(errs[:]...)
}

// Best returns the spendings of highest equity. Retention is best where a customer is worth most, whatever is spent on
// acquisition; acquisition then has the closed form ln(ceiling K w)/K with the worth w of a new customer, or nothing
// where a customer is not worth the first unit.
//
// It returns an error if an input is out of range.
func (b BlattbergDeighton) Best() (Spending, error) {
	if err := b.validate(); err != nil {
		return Spending{}, err
	}
	// The worth rises to one maximum and falls: beyond the margin of all later years nothing is left. Golden section.
	low, high := 0.0, b.Margin.Float64()*(1+b.Discount)/b.Discount
	golden := (math.Sqrt(5) - 1) / 2
	for range 200 {
		x, y := high-golden*(high-low), low+golden*(high-low)
		if b.later(x) < b.later(y) {
			low = x
		} else {
			high = y
		}
	}
	retention := (low + high) / 2
	if b.later(0) >= b.later(retention) {
		retention = 0
	}
	worth := b.Margin.Float64() + b.later(retention)
	acquisition := 0.0
	if gain := b.Acquisition.Ceiling * b.Acquisition.K * worth; gain > 1 {
		acquisition = math.Log(gain) / b.Acquisition.K
	}
	return b.spending(acquisition, retention)
}
