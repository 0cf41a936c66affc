package cac

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Charge says how a cost line grows.
type Charge string

// The charges. The empty Charge is Fixed.
const (
	Fixed       Charge = "fixed"        // the amount is the whole cost
	PerUnit     Charge = "per_unit"     // the amount is the price of a unit, Cost.Units of which were used
	PerCustomer Charge = "per_customer" // the amount is due for each new customer whom the line's channel, campaign and segment won
)

// A Cost is one line of what acquisition costs. A line belongs to a day or accrues over a period:
//
//	an invoice for clicks     Date
//	a salary, a license       Period, accrued by calendar days
//	a commission              Date of the deal, or Charge PerCustomer
//
// A negative amount is a credit: a refund of ad spend, a bonus from an agency. A line without a channel is shared
// between channels, one without a campaign between campaigns; [Sharing] says how.
type Cost struct {
	Amount   money.Amount  // what it costs; negative for a credit
	Date     time.Time     // the day it was incurred; of a line with a Period, only the day of its rate of exchange
	Period   ledger.Period // the stretch over which it accrues by days; the zero Period if it belongs to Date
	Category Category      // what for; empty means Other
	Label    string        // a name of one's own, for Other
	Function Function      // marketing or sales; empty means marketing
	Channel  string        // the channel it paid for; empty if shared
	Campaign string        // the campaign it paid for; empty if shared
	Segment  string        // the segment of customers it aimed at; empty if shared
	Charge   Charge        // fixed, per unit or per new customer; empty means fixed
	Units    int64         // number of units of a PerUnit line; not negative
}

// Validate returns a *[ledger.RowError] without a row number that names the field which is wrong.
func (c Cost) Validate() error {
	bad := func(field, value, reason string) error {
		return &ledger.RowError{Field: field, Value: value, Err: errors.New(reason)}
	}
	switch {
	case c.Amount.Currency() == "" && c.Amount.Sign() != 0:
		return bad("amount", c.Amount.String(), "no currency")
	case c.Category != "" && !slices.Contains(Categories(), c.Category):
		return bad("category", string(c.Category), "unknown category")
	case c.Function.validate() != nil:
		return bad("function", string(c.Function), "neither marketing nor sales")
	case c.Charge != "" && c.Charge != Fixed && c.Charge != PerUnit && c.Charge != PerCustomer:
		return bad("charge", string(c.Charge), "not fixed, per_unit or per_customer")
	case c.Units < 0:
		return bad("units", fmt.Sprint(c.Units), "negative")
	case c.Units != 0 && c.Charge != PerUnit:
		return bad("units", fmt.Sprint(c.Units), "units of a line that is not per unit")
	case !c.Period.IsZero() && c.Period.Validate() != nil:
		return bad("period", c.Period.Start.Format(time.RFC3339)+"/"+c.Period.End.Format(time.RFC3339), "the end is not after the start")
	case c.Charge == PerCustomer && c.Period.IsZero() && !c.Date.IsZero():
		return bad("date", c.Date.Format(time.DateOnly), "a cost per customer has a period, or neither date nor period")
	}
	return nil
}

// Total returns the whole cost of the line: the amount, or the amount times the units. A line that is due per customer
// has no total of its own and returns an error.
func (c Cost) Total() (money.Amount, error) {
	switch c.Charge {
	case PerCustomer:
		return money.Amount{}, fail("a cost per customer has no total without its customers")
	case PerUnit:
		return timesInt(c.Amount, c.Units)
	default:
		return c.Amount, nil
	}
}

// Accrued returns the part of the line's total that falls in a period. A dated line falls in the period that holds its
// date. A line with a period of its own accrues evenly over its calendar days, in the location of its start; a day
// belongs to the period in which it begins. What has accrued up to a day,
//
//	total * days / all days
//
// is rounded half to even to the minor unit, and a period gets the difference between its ends: periods that follow one
// another add up to the total exactly, and none is off by more than a minor unit.
func (c Cost) Accrued(p ledger.Period) (money.Amount, error) {
	sum, err := c.Total()
	if err != nil {
		return money.Amount{}, err
	}
	if c.Period.IsZero() {
		if p.Contains(c.Date) {
			return sum, nil
		}
		return timesInt(sum, 0)
	}
	to, err := c.upTo(p.End, sum)
	if err != nil {
		return money.Amount{}, err
	}
	from, err := c.upTo(p.Start, sum)
	if err != nil {
		return money.Amount{}, err
	}
	part, err := to.Sub(from)
	return part, prefixed(err)
}

// upTo returns what of sum has accrued before t.
func (c Cost) upTo(t time.Time, sum money.Amount) (money.Amount, error) {
	loc := c.Period.Start.Location()
	first := dayNumber(c.Period.Start.In(loc))
	all := daysBefore(c.Period.End, loc) - first
	days := min(max(daysBefore(t, loc)-first, 0), all)
	switch {
	case !t.After(c.Period.Start) || days == 0:
		return timesInt(sum, 0)
	case !t.Before(c.Period.End) || days == all:
		return sum, nil
	}
	part, err := sum.MulRat(days, all, money.HalfEven)
	return part, prefixed(err)
}

// dayNumber counts calendar days since 1 January 1970 of the wall clock of t.
func dayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

// daysBefore counts the calendar days of loc that begin before t, since 1 January 1970.
func daysBefore(t time.Time, loc *time.Location) int64 {
	day := ledger.Day(t, loc)
	n := dayNumber(t.In(loc))
	if t.After(day.Start) {
		return n + 1
	}
	return n
}

// day returns the day whose rate of exchange the line is converted at.
func (c Cost) day() time.Time {
	if c.Date.IsZero() {
		return c.Period.Start
	}
	return c.Date
}

// Convert returns the lines in one currency. Each is converted at the rate of its own date, or of the start of its
// period if it has no date, and rounded half to even to the minor unit unless it is a price per unit. A line that is in
// that currency already stays as it is. The lines given are not modified.
//
// Convert returns an error of type *[PlaceError] that names channel and period and wraps a *[ledger.RowError] if rate
// fails, and [ErrCurrencyMismatch] if a line has another currency and rate is nil.
func Convert(costs []Cost, to money.Currency, rate Converter) ([]Cost, error) {
	out := slices.Clone(costs)
	for i, c := range costs {
		from := c.Amount.Currency()
		if from == to || from == "" {
			continue
		}
		converted, err := convert(c, to, rate)
		if err != nil {
			return nil, c.at(i+1, "amount", c.Amount.String(), err)
		}
		out[i].Amount = converted
	}
	return out, nil
}

func convert(c Cost, to money.Currency, rate Converter) (money.Amount, error) {
	switch {
	case rate == nil:
		return money.Amount{}, fmt.Errorf("%w: %s and %s, and no rate is given", ErrCurrencyMismatch, c.Amount.Currency(), to)
	case c.day().IsZero():
		return money.Amount{}, fmt.Errorf("%w: %s and %s, and the line has no date to take a rate of", ErrCurrencyMismatch, c.Amount.Currency(), to)
	}
	a, err := rate(c.Amount, to, c.day())
	switch {
	case err != nil:
		return money.Amount{}, err
	case a.Currency() != to:
		return money.Amount{}, fmt.Errorf("%w: asked for %s and got %s", ErrCurrencyMismatch, to, a)
	case c.Charge == "" || c.Charge == Fixed:
		return a.Round(money.HalfEven), nil
	}
	return a, nil
}

// at returns an error of the line with its channel, its period, its row and the field.
func (c Cost) at(row int, field, value string, err error) error {
	place := &PlaceError{Place{Dimension: "channel", Group: c.Channel, Period: c.Period},
		&ledger.RowError{Row: row, Field: field, Value: value, Err: bare(err)}}
	if place.Period.IsZero() && !c.Date.IsZero() {
		place.Period = ledger.Day(c.Date, nil)
	}
	return place
}

// TotalCost returns the exact sum of the totals of lines in one currency, credits taken off. The error names the row.
func TotalCost(costs []Cost) (money.Amount, error) {
	var sum money.Sum
	var first money.Amount
	for i, c := range costs {
		err := c.Validate()
		var each money.Amount
		if err == nil {
			each, err = c.Total()
		}
		if err != nil {
			return money.Amount{}, fail("%w", numbered(i+1, err))
		}
		if first.Currency() == "" {
			first = each
		}
		if err := sameCurrency(first, each); err != nil {
			return money.Amount{}, c.at(i+1, "amount", c.Amount.String(), err)
		}
		sum.Add(each)
	}
	t, err := sum.Total()
	return t, prefixed(err)
}

// numbered gives a RowError its row, and makes one of any other error.
func numbered(row int, err error) *ledger.RowError {
	var bad *ledger.RowError
	if errors.As(err, &bad) {
		return &ledger.RowError{Row: row, Field: bad.Field, Value: bad.Value, Err: bad.Err}
	}
	return &ledger.RowError{Row: row, Err: bare(err)}
}
