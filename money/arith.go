package money

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// Add returns a + b, exactly.
//
// It returns a *[CurrencyMismatchError] if the currencies differ (the zero [Amount] adds to any), and an error that wraps
// [ErrRange] if the sum needs more than 38 digits.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.meta == b.meta && a.wide == nil && b.wide == nil {
		if sum := a.coef + b.coef; (a.coef^sum)&(b.coef^sum) >= 0 {
			return Amount{coef: sum, meta: a.meta}, nil
		}
	}
	return a.addSlow(b)
}

func (a Amount) addSlow(b Amount) (Amount, error) {
	m, err := common(a, b)
	switch {
	case err != nil:
		return Amount{}, err
	case a.meta.of() == 0:
		return b, nil
	case b.meta.of() == 0:
		return a, nil
	}
	if x, y, scale, ok := align(a, b); ok {
		if sum := x + y; (x^sum)&(y^sum) >= 0 {
			return small(sum, scale, m), nil
		}
	}
	return fromDecimal(a.Decimal().Add(b.Decimal()), m)
}

// Sub returns a - b, exactly, with the errors of [Amount.Add].
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.meta == b.meta && a.wide == nil && b.wide == nil {
		if diff := a.coef - b.coef; (a.coef^b.coef)&(a.coef^diff) >= 0 {
			return Amount{coef: diff, meta: a.meta}, nil
		}
	}
	if _, err := common(a, b); err != nil {
		return Amount{}, err
	}
	return a.addSlow(b.Neg())
}

// common returns the currency of two operands, the zero Amount taking that of the other.
func common(a, b Amount) (meta, error) {
	x, y := a.meta.of(), b.meta.of()
	switch {
	case x == y || y == 0:
		return x, nil
	case x == 0:
		return y, nil
	}
	return 0, &CurrencyMismatchError{A: a.Currency(), B: b.Currency()}
}

// align returns the coefficients of a and b at a common scale, or false where they do not fit.
func align(a, b Amount) (x, y int64, scale int, ok bool) {
	if a.wide != nil || b.wide != nil {
		return 0, 0, 0, false
	}
	scale = max(a.meta.scale(), b.meta.scale())
	x, okx := times10(a.coef, scale-a.meta.scale())
	y, oky := times10(b.coef, scale-b.meta.scale())
	return x, y, scale, okx && oky
}

// alignBig is align in any size, with numbers of the caller's own.
func alignBig(a, b Amount) (x, y *big.Int, scale int) {
	x, sx := a.coefficient()
	y, sy := b.coefficient()
	scale = max(sx, sy)
	return x.Mul(x, bigPower(scale-sx)), y.Mul(y, bigPower(scale-sy)), scale
}

// Neg returns -a. There is no negative zero.
func (a Amount) Neg() Amount {
	if a.wide == nil && a.coef != -1<<63 {
		a.coef = -a.coef
		return a
	}
	coef, scale := a.coefficient()
	n, _ := fromBig(coef.Neg(coef), scale, a.meta) // the range is symmetric: no error
	return n
}

// Abs returns the amount without its sign.
func (a Amount) Abs() Amount {
	if a.Sign() < 0 {
		return a.Neg()
	}
	return a
}

// Mul returns a times d, exactly: USD 12.50 times 0.333 is USD 4.1625. Round the result where it becomes a price.
//
// It returns an error that wraps [ErrRange] if d is beyond 1e128 or finer than 1e-128, or if the product needs more than
// 38 digits, or more than 37 after the point.
func (a Amount) Mul(d decimal.Decimal) (Amount, error) { return a.mul(d, a.meta) }

// mul returns a times d in the currency of m.
func (a Amount) mul(d decimal.Decimal, m meta) (Amount, error) {
	x, scale, ok, err := factor(d)
	if err != nil {
		return Amount{}, err
	}
	scale += a.meta.scale()
	if ok && a.wide == nil && scale >= 0 && scale <= maxScale {
		if product, ok := mul64(a.coef, x); ok {
			return small(product, scale, m), nil
		}
	}
	coef, _ := a.coefficient()
	return fromBig(coef.Mul(coef, d.Coefficient()), scale, m)
}

// MulInt returns a times n, exactly: the price of n pieces.
//
// It returns an error that wraps [ErrRange] if the product needs more than 38 digits.
func (a Amount) MulInt(n int64) (Amount, error) {
	if a.wide == nil {
		if product, ok := mul64(a.coef, n); ok {
			return Amount{coef: product, meta: a.meta}, nil
		}
	}
	coef, scale := a.coefficient()
	return fromBig(coef.Mul(coef, big.NewInt(n)), scale, a.meta)
}

func mul64(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	if hi != 0 {
		return 0, false
	}
	return signed(lo, x < 0 != (y < 0))
}

// MulRat returns a * num / den rounded once, from the exact value, to the minor unit. It prorates: 17 of 31 days of a
// fee are fee.MulRat(17, 31, HalfEven).
//
// It returns an error that wraps [ErrUndefined] if den is zero, [ErrNoMinorUnit] if the currency has no minor unit,
// [ErrArgument] if r is not a rounding mode, or [ErrRange] if the result needs more than 38 digits.
//
// Special case: the zero Amount gives the zero Amount.
func (a Amount) MulRat(num, den int64, r Rounding) (Amount, error) {
	n, done, err := a.quotient(den == 0, r)
	if done {
		return Amount{}, err
	}
	negative := a.coef < 0 != (num < 0) != (den < 0)
	if a.wide == nil && n <= a.meta.scale() {
		if scaled, ok := times10u(magnitude(den), a.meta.scale()-n); ok {
			if q, ok := mulDiv(magnitude(a.coef), magnitude(num), scaled, negative, r); ok {
				if coef, ok := signed(q, negative); ok {
					return Amount{coef: coef, meta: a.meta.withScale(n)}, nil
				}
			}
		}
	}
	coef, scale := a.coefficient()
	coef.Mul(coef, big.NewInt(num))
	return quotientBig(coef, big.NewInt(den), n-scale, n, a.meta, r)
}

// MulFraction is MulRat with a fraction of any size, rounded once, from the exact value, to the minor unit.
//
// Errors are those of MulRat, and [ErrArgument] for a nil fraction or one of more than 8192 bits above or below the line.
func (a Amount) MulFraction(f *big.Rat, r Rounding) (Amount, error) {
	const bits = 8192
	if f == nil || f.Num().BitLen() > bits || f.Denom().BitLen() > bits {
		return Amount{}, fmt.Errorf("%w: want a fraction of at most %d bits above and below the line", ErrArgument, bits)
	}
	n, done, err := a.quotient(false, r)
	if done {
		return Amount{}, err
	}
	coef, scale := a.coefficient()
	coef.Mul(coef, f.Num())
	return quotientBig(coef, new(big.Int).Set(f.Denom()), n-scale, n, a.meta, r)
}

// Div returns a divided by d, rounded once, from the exact value, to the minor unit. For parts that add up to a use
// [Amount.Split] or [Amount.Allocate].
//
// It returns an error that wraps [ErrUndefined] if d is zero, [ErrNoMinorUnit] if the currency has no minor unit,
// [ErrArgument] if r is not a rounding mode, or [ErrRange] if d is beyond 1e128 or finer than 1e-128 or the result needs
// more than 38 digits.
//
// Special case: the zero Amount gives the zero Amount.
func (a Amount) Div(d decimal.Decimal, r Rounding) (Amount, error) {
	n, done, err := a.quotient(d.IsZero(), r)
	if done {
		return Amount{}, err
	}
	x, scale, ok, err := factor(d)
	if err != nil {
		return Amount{}, err
	}
	if shift := n - a.meta.scale() + scale; ok && a.wide == nil {
		up, okUp := times10u(1, max(shift, 0))
		down, okDown := times10u(magnitude(x), max(-shift, 0))
		if okUp && okDown {
			negative := a.coef < 0 != (x < 0)
			if q, ok := mulDiv(magnitude(a.coef), up, down, negative, r); ok {
				if coef, ok := signed(q, negative); ok {
					return Amount{coef: coef, meta: a.meta.withScale(n)}, nil
				}
			}
		}
	}
	coef, own := a.coefficient()
	return quotientBig(coef, d.Coefficient(), n-own+scale, n, a.meta, r)
}

// quotient checks a division to the minor unit and returns its digits; done with a nil error means that the result is
// the zero Amount.
func (a Amount) quotient(zero bool, r Rounding) (digits int, done bool, err error) {
	switch {
	case !r.valid():
		return 0, true, roundingError(r)
	case zero:
		return 0, true, ErrUndefined
	case a.meta.of() == 0:
		return 0, true, nil
	}
	n, ok := a.meta.digits()
	if !ok {
		return 0, true, minorError(a.meta)
	}
	return int(n), false, nil
}

// quotientBig returns num * 10^shift / den rounded once, as a coefficient of the given scale.
func quotientBig(num, den *big.Int, shift, scale int, m meta, r Rounding) (Amount, error) {
	if shift >= 0 {
		num.Mul(num, bigPower(shift))
	} else {
		den.Mul(den, bigPower(-shift))
	}
	return fromBig(quoBig(num, den, r), scale, m)
}

// times10u returns x times ten to the power of n >= 0, or false where it does not fit.
func times10u(x uint64, n int) (uint64, bool) {
	if n >= len(powers) {
		return 0, false
	}
	hi, lo := bits.Mul64(x, powers[n])
	return lo, hi == 0
}

// Ratio returns a / b as the float64 nearest to the exact quotient: 0.25 for USD 5 of USD 20.
//
// It returns a *[CurrencyMismatchError] if the currencies differ, and an error that wraps [ErrUndefined] if b is zero.
func (a Amount) Ratio(b Amount) (float64, error) {
	if _, err := common(a, b); err != nil {
		return 0, err
	}
	if b.IsZero() {
		return 0, fmt.Errorf("%w: ratio of %v to %v", ErrUndefined, a, b)
	}
	const exact = 1 << 53
	if x, y, _, ok := align(a, b); ok && magnitude(x) <= exact && magnitude(y) <= exact {
		return float64(x) / float64(y), nil
	}
	x, y, _ := alignBig(a, b)
	f, _ := new(big.Rat).SetFrac(x, y).Float64()
	return f, nil
}
