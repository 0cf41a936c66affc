package cac

import (
	"fmt"
	"slices"
	"time"

	"github.com/custval/custval/money"
)

// A Converter turns an amount into another currency at the rate of a day. [Rates] makes one of dated rates.
type Converter func(a money.Amount, to money.Currency, on time.Time) (money.Amount, error)

// Rates returns a Converter that takes the latest rate of a pair that holds at or before the day; a rate without AsOf
// holds from the beginning. Rates are not inverted or chained: give EUR/USD to go from EUR to USD. The results are exact.
//
// Rates returns an error if a rate is not valid, or two of a pair differ as of the same moment. The Converter returns
// one that wraps [ErrCurrencyMismatch] if there is no rate.
func Rates(rates ...money.Rate) (Converter, error) {
	type pair struct{ base, quote money.Currency }
	of := map[pair][]money.Rate{}
	for i, r := range rates {
		if err := r.Validate(); err != nil {
			return nil, fail("rate %d: %w", i+1, err)
		}
		k := pair{r.Base, r.Quote}
		of[k] = append(of[k], r)
	}
	for _, rs := range of {
		slices.SortFunc(rs, func(a, b money.Rate) int { return a.AsOf.Compare(b.AsOf) })
		for i := 1; i < len(rs); i++ {
			if rs[i].AsOf.Equal(rs[i-1].AsOf) && !rs[i].Value.Equal(rs[i-1].Value) {
				return nil, fail("two rates as of %s: %s and %s", rs[i].AsOf.Format(time.DateOnly), rs[i-1], rs[i])
			}
		}
	}
	return func(a money.Amount, to money.Currency, on time.Time) (money.Amount, error) {
		rs := of[pair{a.Currency(), to}]
		after, _ := slices.BinarySearchFunc(rs, on, func(r money.Rate, on time.Time) int {
			if r.AsOf.After(on) {
				return 1
			}
			return -1
		})
		if after == 0 {
			return money.Amount{}, fmt.Errorf("%w: %s and %s, and there is no rate at or before %s", ErrCurrencyMismatch, a.Currency(), to, on.Format(time.DateOnly))
		}
		return rs[after-1].Convert(a)
	}, nil
}
