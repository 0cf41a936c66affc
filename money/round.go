package money

import (
	"fmt"
	"math/big"
)

// Round returns a rounded to the minor unit of its currency: USD 12.345 becomes USD 12.34 by [HalfEven].
//
// Special cases are:
//
//	Round of an amount whose currency has no minor unit (XAU), and of the zero Amount = the same amount
//	Round by a mode that is not one of the seven = the same amount
func (a Amount) Round(r Rounding) Amount {
	n, ok := a.meta.digits()
	if !ok || !r.valid() {
		return a
	}
	rounded, _ := a.round(int(n), r) // fewer digits, at least as many as the minor unit: no error
	return rounded
}

// RoundTo returns a rounded to scale digits after the point, or to tens, hundreds, thousands if scale is -1, -2, -3. An
// amount that has no more digits is returned as it is. It works for currencies without a minor unit too.
//
// It returns an error if scale is less than -38, if r is not a rounding mode, or if rounding up leaves the range.
func (a Amount) RoundTo(scale int32, r Rounding) (Amount, error) {
	switch {
	case !r.valid():
		return Amount{}, roundingError(r)
	case scale < -maxDigits:
		return Amount{}, fmt.Errorf("%w: scale %d", ErrArgument, scale)
	case scale > maxScale:
		return a, nil
	}
	return a.round(int(scale), r)
}

func (a Amount) round(scale int, r Rounding) (Amount, error) {
	shift := a.meta.scale() - scale
	if shift <= 0 || a.IsZero() {
		return a, nil
	}
	if a.wide == nil && scale >= 0 && shift < len(powers) {
		q, _ := mulDiv(magnitude(a.coef), 1, powers[shift], a.coef < 0, r) // less than the coefficient: fits
		coef, _ := signed(q, a.coef < 0)
		return small(coef, scale, a.meta), nil
	}
	coef, own := a.coefficient()
	return quotientBig(coef, big.NewInt(1), scale-own, scale, a.meta, r)
}

// RoundCash returns the multiple of increment that a rounds to: CHF 12.33 becomes CHF 12.35 in steps of CHF 0.05.
// The modes [HalfEven] and [Up], [Down] count multiples, so CHF 0.125 in steps of CHF 0.05 is a tie between 2 and 3
// multiples, and HalfEven takes CHF 0.10.
//
// It returns a *[CurrencyMismatchError] if the currencies differ, and an error if increment is not positive, if r is not
// a rounding mode, or if rounding up leaves the range.
func (a Amount) RoundCash(increment Amount, r Rounding) (Amount, error) {
	m, err := common(a, increment)
	switch {
	case err != nil:
		return Amount{}, err
	case increment.Sign() <= 0:
		return Amount{}, fmt.Errorf("%w: increment %v is not positive", ErrArgument, increment)
	case !r.valid():
		return Amount{}, roundingError(r)
	case a.meta.of() == 0:
		return a, nil
	}
	if x, step, scale, ok := align(a, increment); ok {
		q, _ := mulDiv(magnitude(x), 1, uint64(step), x < 0, r)
		if n, ok := signed(q, x < 0); ok {
			if coef, ok := mul64(n, step); ok {
				return small(coef, scale, m), nil
			}
		}
	}
	x, step, scale := alignBig(a, increment)
	q := quoBig(x, step, r)
	return fromBig(q.Mul(q, step), scale, m)
}
