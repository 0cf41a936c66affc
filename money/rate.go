package money

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Rate is an exchange rate: one unit of Base is worth Value units of Quote. EUR/USD 1.0845 is
// Rate{Base: "EUR", Quote: "USD", Value: decimal.RequireFromString("1.0845")}.
type Rate struct {
	Base  Currency        // what is converted
	Quote Currency        // what it becomes
	Value decimal.Decimal // units of Quote for one unit of Base; positive, of at most 38 digits
	AsOf  time.Time       // when the rate held; this package does not read it
}

// Validate returns an error if a currency is not a code of ISO 4217, if the value is not positive or has more than 38
// digits (or more than 37 after the point), or if Base equals Quote and the value is not 1.
func (r Rate) Validate() error {
	if err := r.Base.Validate(); err != nil {
		return fmt.Errorf("%w (base of a rate)", err)
	}
	if err := r.Quote.Validate(); err != nil {
		return fmt.Errorf("%w (quote of a rate)", err)
	}
	v, err := New(r.Value, r.Quote) // bounds the value before anything computes with it
	switch {
	case err != nil:
		return fmt.Errorf("%w (rate %s/%s)", err, r.Base, r.Quote)
	case v.Sign() <= 0:
		return fmt.Errorf("%w: rate %s/%s: %s is not positive", ErrArgument, r.Base, r.Quote, v.Number())
	case r.Base == r.Quote && v.Key() != string(r.Quote)+" 1":
		return fmt.Errorf("%w: rate %s/%s: %s is not 1", ErrArgument, r.Base, r.Quote, v.Number())
	}
	return nil
}

// Convert returns a in the quote currency, exactly and unrounded: EUR 10.01 at 1.0845 is USD 10.855845. Round the result
// where it becomes a price.
//
// It returns the error of [Rate.Validate], a *[CurrencyMismatchError] if a is not in the base currency, and an error that
// wraps [ErrRange] if the result needs more than 38 digits, or more than 37 after the point.
//
// Special case: Convert of the zero [Amount] is zero of the quote currency.
func (r Rate) Convert(a Amount) (Amount, error) {
	if err := r.Validate(); err != nil {
		return Amount{}, err
	}
	base, _ := lookup(r.Base)
	quote, _ := lookup(r.Quote)
	switch a.meta.of() {
	case 0:
		return small(0, 0, quote), nil
	case base:
	default:
		return Amount{}, &CurrencyMismatchError{A: a.Currency(), B: r.Base}
	}
	return a.mul(r.Value, quote)
}

// String returns the rate as "EUR/USD 1.0845".
func (r Rate) String() string {
	v, err := New(r.Value, "XXX")
	if err != nil {
		return fmt.Sprintf("%s/%s out of range", r.Base, r.Quote)
	}
	return fmt.Sprintf("%s/%s %s", r.Base, r.Quote, v.Number())
}

type rateJSON struct {
	Base  Currency  `json:"base"`
	Quote Currency  `json:"quote"`
	Value string    `json:"value"`
	AsOf  time.Time `json:"as_of"`
}

// MarshalJSON returns {"base":"EUR","quote":"USD","value":"1.0845","as_of":"2025-01-31T00:00:00Z"}. It returns the error
// of [Rate.Validate] for a rate that is not valid.
func (r Rate) MarshalJSON() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	v, err := New(r.Value, "XXX") // a currency that pads no zeros
	if err != nil {
		return nil, err
	}
	return json.Marshal(rateJSON{Base: r.Base, Quote: r.Quote, Value: v.Number(), AsOf: r.AsOf})
}

// UnmarshalJSON reads what MarshalJSON writes. The value is a string of the syntax of [Parse].
//
// It returns an error, and leaves r as it was, for other JSON, unknown fields, null, and a rate that is not valid.
func (r *Rate) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return jsonError("null is not a rate")
	}
	var v rateJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return jsonError("%v", err)
	}
	if d.More() {
		return jsonError("more than one value")
	}
	value, err := Parse(v.Value, "XXX")
	if err != nil {
		return err
	}
	rate := Rate{Base: v.Base, Quote: v.Quote, Value: value.Decimal(), AsOf: v.AsOf}
	if err := rate.Validate(); err != nil {
		return err
	}
	*r = rate
	return nil
}
