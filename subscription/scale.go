package subscription

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/custval/custval/money"
)

// scale says in which units results are given: 10^-digits of a currency, rounded by a mode.
type scale struct {
	currency money.Currency
	digits   int32
	mode     money.Rounding
	minor    bool // digits are those of the minor unit
}

// newScale returns the scale of a currency with the given number of digits, where 0 means the minor unit.
func newScale(c money.Currency, digits int32, mode money.Rounding) (scale, error) {
	if c == "" {
		return scale{mode: mode}, nil
	}
	minor, ok := c.Digits()
	switch {
	case digits == 0 && !ok:
		return scale{}, fmt.Errorf("subscription: currency %s has no minor unit: the policy must say to how many digits to round", c)
	case digits == 0 || ok && digits == minor:
		return scale{c, minor, mode, ok}, nil
	}
	return scale{c, digits, mode, false}, nil
}

func (s scale) units(x rational) *big.Int { return x.units(s.digits, s.mode) }

// amount turns units into money.
func (s scale) amount(units *big.Int) (money.Amount, error) {
	if s.currency == "" {
		if units.Sign() != 0 {
			return money.Amount{}, errors.New("subscription: amount without a currency")
		}
		return money.Amount{}, nil
	}
	if s.minor && units.IsInt64() {
		return money.FromMinor(units.Int64(), s.currency)
	}
	return money.Parse(decimalText(units, s.digits), s.currency)
}

// round returns x as money, rounded once.
func (s scale) round(x rational) (money.Amount, error) { return s.amount(s.units(x)) }

// decimalText writes units of 10^-digits as a plain decimal number.
func decimalText(units *big.Int, digits int32) string {
	text, n := new(big.Int).Abs(units).String(), int(digits)
	for len(text) <= n {
		text = "0" + text
	}
	if n > 0 {
		text = text[:len(text)-n] + "." + text[len(text)-n:]
	}
	if units.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// closeTo rounds the parts so that they add up to total: each is rounded by itself, and the parts with the largest
// rounding error then move by one unit until the sum is met. Parts that are exactly zero stay zero if any other can move.
func (s scale) closeTo(total *big.Int, parts []rational) []*big.Int {
	units := make([]*big.Int, len(parts))
	sum := new(big.Int)
	movable := make([]int, 0, len(parts))
	for i, p := range parts {
		units[i] = s.units(p)
		sum.Add(sum, units[i])
		if p.sign() != 0 {
			movable = append(movable, i)
		}
	}
	missing := new(big.Int).Sub(total, sum)
	if missing.Sign() == 0 || len(parts) == 0 {
		return units
	}
	if len(movable) == 0 {
		for i := range parts {
			movable = append(movable, i)
		}
	}
	step := int64(missing.Sign())
	errs := make([]rational, len(parts))
	for _, i := range movable {
		rounded, _ := exact(units[i], -s.digits)
		errs[i] = parts[i].sub(rounded)
	}
	slices.SortStableFunc(movable, func(i, j int) int { return int(step) * errs[j].cmp(errs[i]) })
	for k := 0; missing.Sign() != 0; k++ {
		i := movable[k%len(movable)]
		units[i].Add(units[i], big.NewInt(step))
		missing.Sub(missing, big.NewInt(step))
	}
	return units
}
