package clv

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/custval/custval/money"
)

// A SpendModel predicts what a customer spends a purchase. GammaGamma is one.
type SpendModel interface {
	// Validate returns an error that names the first parameter outside the model's domain.
	Validate() error
	// Kind is the name of the model in stored scorers, such as "gammagamma".
	Kind() string
	// Mean returns the expected spend a purchase of a customer whose x repeat purchases had the given mean; of a new
	// customer for x = 0, whatever the mean.
	Mean(x int, mean float64) float64
}

// ValueOptions say what a customer's value is.
type ValueOptions struct {
	Horizon  float64        `json:"horizon"`  // how far to look ahead, in units of the model's time; 0 means for ever
	Margin   float64        `json:"margin"`   // share of the spend that is earned, 0 < Margin <= 1; required: there is no default
	Discount Discount       `json:"discount"` // discount rate; the zero Discount discounts nothing
	Rounding money.Rounding `json:"rounding"` // to the minor unit; half to even if zero
}

// Validate returns an error that names the first option out of range: a Horizon that is negative or not finite, a Margin
// of 0 or above 1, an invalid Discount, an unknown Rounding.
func (v ValueOptions) Validate() error {
	if !(v.Horizon >= 0) || math.IsInf(v.Horizon, 1) {
		return fmt.Errorf("clv: horizon %v: want a finite number of units that is not negative, 0 for ever", v.Horizon)
	}
	if err := checkMargin(v.Margin); err != nil {
		return fmt.Errorf("clv: %w", err)
	}
	if err := v.Discount.Validate(); err != nil {
		return err
	}
	if _, err := v.Rounding.MarshalText(); err != nil {
		return fmt.Errorf("clv: rounding: %w", err)
	}
	return nil
}

// Value returns what a customer is expected to be worth from T on:
//
//	Margin * expected spend a purchase * discounted expected purchases within the horizon
//
// The spend comes from the spend model given X and the mean Spend/X; for GammaGamma a customer whose refunds exceed the
// repeat purchases counts as one with a mean of 0. A purchase at T+u counts e^(-delta u), delta being the Discount's
// continuous rate a unit; see DiscountedPurchases. The result is rounded once, in the currency of h.Spend.
//
// Value returns an error if the options or a model are not valid, if the history does not validate or has no currency,
// and one that wraps ErrInfinite if the value is infinite: for ever at rate 0 for some models, and where a gamma-gamma
// mean does not exist.
func Value(purchases Model, spend SpendModel, h History, unit time.Duration, v ValueOptions) (money.Amount, error) {
	if err := v.Validate(); err != nil {
		return money.Amount{}, err
	}
	delta, err := v.Discount.Rate(unit)
	if err != nil {
		return money.Amount{}, err
	}
	if purchases == nil || spend == nil {
		return money.Amount{}, errors.New("clv: no model")
	}
	if err := errors.Join(purchases.Validate(), spend.Validate()); err != nil {
		return money.Amount{}, err
	}
	if bad := h.problem(); bad != nil {
		return money.Amount{}, fmt.Errorf("clv: customer %q: %s %s: %w", h.Customer, bad.Field, bad.Value, bad.Err)
	}
	if h.Spend.Currency() == "" {
		return money.Amount{}, fmt.Errorf("clv: customer %q: Spend has no currency", h.Customer)
	}
	w := worth{purchases, spend, v, delta, h.Spend.Currency()}
	s, err := w.score(h)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: customer %q: %w", h.Customer, err)
	}
	return s.Value, nil
}

// ErrInfinite is wrapped by the error of a value that is infinite and so cannot be money.
var ErrInfinite = errors.New("infinite")

var (
	errForEver  = fmt.Errorf("the expected purchases for ever are %w: set a Horizon or a Discount", ErrInfinite)
	errSpendInf = fmt.Errorf("the expected spend a purchase is %w: too few purchases for the spend model, whose mean over customers does not exist", ErrInfinite)
	errNoNumber = errors.New("the model gives no number for this history")
)

// A worth is a pair of models with the options of a valuation, all of them checked.
type worth struct {
	purchases Model
	spend     SpendModel
	v         ValueOptions
	delta     float64 // continuous discount rate a unit
	currency  money.Currency
}

// score computes what a Scorer says of a valid history.
func (w *worth) score(h History) (Score, error) {
	s := Score{Customer: h.Customer, ProbAlive: w.purchases.ProbAlive(h)}
	var discounted float64
	s.Purchases, discounted = w.expected(h)
	spend := w.spend.Mean(h.X, w.mean(h))
	value := w.v.Margin * spend * discounted
	switch {
	case math.IsNaN(s.ProbAlive) || math.IsNaN(discounted) || math.IsNaN(spend) || math.IsNaN(s.Purchases):
		return s, errNoNumber
	case math.IsInf(discounted, 0):
		return s, errForEver
	case math.IsInf(spend, 0):
		return s, errSpendInf
	}
	var err error
	s.Value, err = money.FromFloat(value, w.currency, w.v.Rounding)
	return s, err
}

// expected returns the purchases within the horizon, and the same discounted; for ever both are discounted.
func (w *worth) expected(h History) (purchases, discounted float64) {
	if w.v.Horizon == 0 {
		d := w.purchases.DERT(h, w.delta)
		return d, d
	}
	if own, ok := w.purchases.(horizonModel); ok && w.delta > 0 {
		return own.withinHorizon(h, w.v.Horizon, w.delta)
	}
	purchases = w.purchases.ExpectedPurchases(h, w.v.Horizon)
	return purchases, discountedPurchases(w.purchases, h, w.v.Horizon, w.delta, purchases)
}
