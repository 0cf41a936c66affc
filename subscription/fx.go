package subscription

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/custval/custval/money"
	"github.com/shopspring/decimal"
)

// A Rate is an exchange rate as quoted at a moment: one unit of From is Value units of To.
type Rate struct {
	From  money.Currency
	To    money.Currency
	At    time.Time // from when the quote holds, until the next one
	Value decimal.Decimal
}

// rateTable has the quotes into one currency.
type rateTable struct {
	to     money.Currency
	quotes map[money.Currency][]quote
}

type quote struct {
	at   int64
	rate rational
}

var errRate = errors.New("not a positive number")

// newRateTable sorts the quotes into the currency; a quote the other way round is inverted exactly, others are ignored.
func newRateTable(to money.Currency, rates []Rate) (*rateTable, error) {
	if _, err := money.Parse("0", to); err != nil {
		return nil, fmt.Errorf("subscription: results in %q: %w", string(to), err)
	}
	t := &rateTable{to: to, quotes: map[money.Currency][]quote{}}
	for i, r := range rates {
		at, ok := moment(r.At)
		if !ok {
			return nil, numberedRate(i, "At", showTime(r.At), errYear)
		}
		value, err := exact(r.Value.Coefficient(), r.Value.Exponent())
		if err != nil || value.sign() <= 0 {
			return nil, numberedRate(i, "Value", showPercent(Discount{Percent: r.Value}), errRate)
		}
		switch {
		case r.To == to && r.From != to:
			t.quotes[r.From] = append(t.quotes[r.From], quote{at, value})
		case r.From == to && r.To != to:
			t.quotes[r.To] = append(t.quotes[r.To], quote{at, whole(1).quo(value)})
		}
	}
	for c, qs := range t.quotes {
		slices.SortStableFunc(qs, func(x, y quote) int { return cmp.Compare(x.at, y.at) })
		for i := 1; i < len(qs); i++ {
			if qs[i].at == qs[i-1].at && qs[i].rate.cmp(qs[i-1].rate) != 0 {
				return nil, fmt.Errorf("subscription: two different rates from %s to %s at %s", c, to, showTime(clock(qs[i].at)))
			}
		}
	}
	return t, nil
}

func numberedRate(i int, field, value string, reason error) error {
	return prefixed(numbered(bad(field, value, reason), i+1))
}

// at returns the latest quote at or before a moment.
func (t *rateTable) at(c money.Currency, moment int64) (rational, error) {
	if c == t.to {
		return whole(1), nil
	}
	qs := t.quotes[c]
	i, found := slices.BinarySearchFunc(qs, moment, func(q quote, m int64) int { return cmp.Compare(q.at, m) })
	for found && i+1 < len(qs) && qs[i+1].at == moment {
		i++
	}
	if !found {
		i--
	}
	if i < 0 {
		return rational{}, fmt.Errorf("subscription: no exchange rate from %s to %s at or before %s", c, t.to, showTime(clock(moment)))
	}
	return qs[i].rate, nil
}

// mean returns the mean of the quotes in the calendar month of a moment, in UTC.
func (t *rateTable) mean(c money.Currency, moment int64) (rational, error) {
	if c == t.to {
		return whole(1), nil
	}
	year, month, _ := clock(moment).Date()
	from := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	to := time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	var sum rational
	n := int64(0)
	for _, q := range t.quotes[c] {
		if q.at >= from && q.at < to {
			sum, n = sum.add(q.rate), n+1
		}
	}
	if n == 0 {
		return rational{}, fmt.Errorf("subscription: no exchange rate from %s to %s in %s", c, t.to, clock(moment).Format("2006-01"))
	}
	return sum.mul(fraction(1, n)), nil
}
