package rfm

import (
	"errors"
	"fmt"
	"time"
)

// ErrTooManyCustomers is wrapped by the error of a summary that met more customers than SummaryOptions.MaxCustomers.
var ErrTooManyCustomers = errors.New("more customers than allowed")

// A Count says what one purchase is, and so what frequency counts.
type Count uint8

const (
	// CountOrders counts orders: rows of the log that stand side by side with the same customer and the same non-empty
	// ID are lines of one order, and every other row is an order of its own.
	CountOrders Count = iota
	// CountDays counts calendar days with a purchase, as the purchase models of customer value do.
	CountDays
	// MatchOrders counts orders whose lines may stand anywhere in the log: rows of one customer with the same non-empty
	// ID are one order in any row order, and a refund that repeats the ID of its order lowers that order. It keeps every
	// order ID in memory.
	MatchOrders
)

var countNames = []string{"orders", "days", "matched orders"}

// String returns orders, days or matched orders.
func (c Count) String() string { return name(countNames, uint8(c)) }

// MarshalText returns String.
func (c Count) MarshalText() ([]byte, error) { return nameText(countNames, uint8(c), "count") }

// UnmarshalText reads what MarshalText writes.
func (c *Count) UnmarshalText(text []byte) error {
	v, err := nameOf(countNames, text, "count")
	*c = Count(v)
	return err
}

// A Value says which amount is the monetary value M.
type Value uint8

// What M can be.
const (
	Total  Value = iota // the sum that the customer paid, net of refunds
	Mean                // Total divided by the number of purchases
	Margin              // Total less the cost of the goods; every row that is not a refund has to have its Cost
)

var valueNames = []string{"total", "mean", "margin"}

// String returns total, mean or margin.
func (v Value) String() string { return name(valueNames, uint8(v)) }

// MarshalText returns String.
func (v Value) MarshalText() ([]byte, error) { return nameText(valueNames, uint8(v), "value") }

// UnmarshalText reads what MarshalText writes.
func (v *Value) UnmarshalText(text []byte) error {
	i, err := nameOf(valueNames, text, "value")
	*v = Value(i)
	return err
}

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%%!(%d)", i)
}

func nameText(names []string, i uint8, what string) ([]byte, error) {
	if int(i) >= len(names) {
		return nil, fmt.Errorf("rfm: %s %d: not one of %q", what, i, names)
	}
	return []byte(names[i]), nil
}

func nameOf(names []string, text []byte, what string) (uint8, error) {
	for i, n := range names {
		if n == string(text) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("rfm: %s %.40q: not one of %q", what, text, names)
}

// SummaryOptions say how a log becomes one record a customer. The zero value and nil are the defaults.
type SummaryOptions struct {
	// Location is the calendar that days belong to. Nil means that of end; for NewPartial, which knows no end, UTC.
	Location *time.Location
	// Start is the first day of observation; rows of earlier days are left out and counted. The zero time means none.
	Start time.Time
	// Count is what frequency counts; the zero value counts orders.
	Count Count
	// Value is the amount that is M; the zero value is the total.
	Value Value
	// KeepDays keeps the distinct purchase days of every customer, which clumpiness needs; 4 bytes a day.
	KeepDays bool
	// MaxCustomers is the number of customers above which the summary stops with ErrTooManyCustomers instead of filling
	// the memory; about 300 bytes a customer are needed at the peak. 0 means no limit.
	MaxCustomers int
	// Workers is the number of goroutines; 0 means GOMAXPROCS. It never changes a result.
	Workers int
	// Progress, if not nil, is called on the caller's goroutine every million rows with the rows read so far.
	Progress func(rows int)
}

func (o *SummaryOptions) orDefaults() SummaryOptions {
	if o == nil {
		return SummaryOptions{}
	}
	return *o
}

func (o *SummaryOptions) validate() error {
	switch {
	case int(o.Count) >= len(countNames):
		return fmt.Errorf("rfm: count %d: not one of %q", o.Count, countNames)
	case int(o.Value) >= len(valueNames):
		return fmt.Errorf("rfm: value %d: not one of %q", o.Value, valueNames)
	case o.MaxCustomers < 0:
		return fmt.Errorf("rfm: at most %d customers: want 0 for no limit or more", o.MaxCustomers)
	case o.Workers < 0:
		return fmt.Errorf("rfm: %d workers: want 0 for all processors or more", o.Workers)
	}
	return nil
}
