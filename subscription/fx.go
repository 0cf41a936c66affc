package subscription

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/custval/custval/money"
)

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
func newRateTable(to money.Currency, rates []money.Rate) (*rateTable, error) {
	if _, err := money.Parse("0", to); err != nil {
		return nil, fmt.Errorf("subscription: results in %q: %w", string(to), err)
	}
	t := &rateTable{to: to, quotes: map[money.Currency][]quote{}}
	for i, r := range rates {
		at, ok := moment(r.AsOf)
		if !ok {
			return nil, numberedRate(i, "AsOf", showTime(r.AsOf), errYear)
		}
		value, err := exact(r.Value.Coefficient(), r.Value.Exponent())
		if err != nil || value.sign() <= 0 {
			return nil, numberedRate(i, "Value", showDecimal(r.Value), errRate)
		}
		switch {
		case r.Quote == to && r.Base != to:
			t.quotes[r.Base] = append(t.quotes[r.Base], quote{at, value})
		case r.Base == to && r.Quote != to:
			t.quotes[r.Quote] = append(t.quotes[r.Quote], quote{at, whole(1).quo(value)})
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

// showDecimal writes a number unless that would take long.
func showDecimal(d interface {
	String() string
	Exponent() int32
}) string {
	if e := d.Exponent(); e > maxExponent || e < -maxExponent {
		return fmt.Sprintf("...e%d", e)
	}
	return d.String()
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
