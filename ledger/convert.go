package ledger

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/custval/custval/money"
)

// ConvertOptions says how [Convert] treats what it computes.
type ConvertOptions struct {
	// Round rounds every converted amount to the minor unit of the currency, by Rounding. Without it they stay exact, so
	// that rounding happens once, in the result that they lead to.
	Round    bool
	Rounding money.Rounding // HalfEven if zero; read only with Round
}

// Convert brings transactions to one currency: amount, cost and discount, each by its own currency. The rate is the
// latest one from that currency to the one wanted whose AsOf is at or before the transaction's time; a rate without AsOf
// holds from the beginning. Where several rates of a pair have the same AsOf, they must be equal.
//
// Amounts of the currency wanted stay as they are, and so do zero Amounts. Rates are not inverted or chained: give
// EUR/USD to go from EUR to USD. Nil options convert exactly, without rounding.
//
// A transaction with no such rate, or with an amount that a conversion makes too large, is a [*RowError] whose row is
// its number in the stream, errors of the stream counted, and the stream goes on. Rates or a currency that are not valid
// end the stream at its beginning.
func Convert(seq iter.Seq2[Transaction, error], to money.Currency, rates []money.Rate,
	o *ConvertOptions) iter.Seq2[Transaction, error] {
	c, err := newConverter(to, rates, o)
	if err != nil {
		return func(yield func(Transaction, error) bool) {
			yield(Transaction{}, fmt.Errorf("ledger: convert: %w", err))
		}
	}
	return Map(seq, c.transaction)
}

// A converter has the rates to one currency, by base and in the order of time.
type converter struct {
	to      money.Currency
	rates   map[money.Currency][]money.Rate
	options ConvertOptions
}

func newConverter(to money.Currency, rates []money.Rate, o *ConvertOptions) (*converter, error) {
	c := &converter{to: to, rates: map[money.Currency][]money.Rate{}}
	if o != nil {
		c.options = *o
	}
	if err := checkCurrency(to); err != nil {
		return nil, fmt.Errorf("to %q: %w", string(to), err)
	}
	if c.options.Round {
		if c.options.Rounding > money.Floor {
			return nil, fmt.Errorf("ConvertOptions.Rounding: %d is no rounding mode", c.options.Rounding)
		}
		if _, ok := to.Digits(); !ok {
			return nil, fmt.Errorf("%s has no minor unit to round to", to)
		}
	}
	for i, r := range rates {
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("rate %d: %w", i, err)
		}
		if r.Quote == to {
			c.rates[r.Base] = append(c.rates[r.Base], r)
		}
	}
	for base, rs := range c.rates {
		slices.SortStableFunc(rs, func(a, b money.Rate) int { return a.AsOf.Compare(b.AsOf) })
		for i := 1; i < len(rs); i++ {
			if rs[i].AsOf.Equal(rs[i-1].AsOf) && !rs[i].Value.Equal(rs[i-1].Value) {
				return nil, fmt.Errorf("two rates from %s as of %s: %s and %s", base, rs[i].AsOf, rs[i-1].Value, rs[i].Value)
			}
		}
	}
	return c, nil
}

var errNoRate = errors.New("no rate at or before its time")

func (c *converter) transaction(t Transaction) (Transaction, error) {
	for _, part := range []struct {
		field  string
		amount *money.Amount
	}{{"Amount", &t.Amount}, {"Cost", &t.Cost}, {"Discount", &t.Discount}} {
		a, err := c.amount(*part.amount, t)
		if err != nil {
			return Transaction{}, fmt.Errorf("ledger: convert: %w",
				&RowError{Field: part.field, Value: part.amount.String(), Err: err})
		}
		*part.amount = a
	}
	return t, nil
}

func (c *converter) amount(a money.Amount, t Transaction) (money.Amount, error) {
	base := a.Currency()
	if base == "" || base == c.to {
		return a, nil
	}
	rs := c.rates[base]
	after, _ := slices.BinarySearchFunc(rs, t.At, func(r money.Rate, at time.Time) int {
		if r.AsOf.After(at) {
			return 1
		}
		return -1
	})
	if after == 0 {
		return a, fmt.Errorf("from %s to %s: %w, %s", base, c.to, errNoRate, t.At.Format(time.RFC3339))
	}
	converted, err := rs[after-1].Convert(a)
	if err == nil && c.options.Round {
		converted = converted.Round(c.options.Rounding)
	}
	return converted, err
}
