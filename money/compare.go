package money

import "math/bits"

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b in value.
//
// It returns a *[CurrencyMismatchError] if the currencies differ; the zero [Amount] compares as zero of any currency.
func (a Amount) Cmp(b Amount) (int, error) {
	if _, err := common(a, b); err != nil {
		return 0, err
	}
	return a.cmp(b), nil
}

func (a Amount) cmp(b Amount) int {
	switch {
	case a.wide != nil || b.wide != nil:
		return a.Decimal().Cmp(b.Decimal())
	case a.meta.scale() == b.meta.scale() || a.coef < 0 != (b.coef < 0) || a.coef == 0 || b.coef == 0:
		return compare(a.coef, b.coef)
	case a.coef < 0:
		return -cmpScaled(magnitude(a.coef), magnitude(b.coef), a.meta.scale()-b.meta.scale())
	}
	return cmpScaled(magnitude(a.coef), magnitude(b.coef), a.meta.scale()-b.meta.scale())
}

// cmpScaled compares x with y * 10^shift; neither is zero and both are less than 2^63 + 1.
func cmpScaled(x, y uint64, shift int) int {
	if shift < 0 {
		return -cmpScaled(y, x, -shift)
	}
	if shift >= len(powers) {
		return -1
	}
	hi, lo := bits.Mul64(y, powers[shift])
	if hi != 0 {
		return -1
	}
	return compare(x, lo)
}

func compare[T int64 | uint64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Equal reports whether a and b are equal in value and currency: USD 1.10 equals USD 1.1, and USD 1 does not equal EUR 1.
//
// Special cases are:
//
//	Equal of the zero Amount and zero of any currency = true
//	Equal of zero of two different currencies = false
func (a Amount) Equal(b Amount) bool {
	_, err := common(a, b)
	return err == nil && a.cmp(b) == 0
}

// Sign returns -1, 0 or 1 as the amount is negative, zero or positive.
func (a Amount) Sign() int {
	if a.wide != nil {
		return a.wide.Sign()
	}
	return compare(a.coef, 0)
}

// IsZero reports whether the value is zero, in whatever currency. It also serves the omitzero option of encoding/json.
func (a Amount) IsZero() bool { return a.wide == nil && a.coef == 0 }

// Key returns a canonical text of value and currency, such as "USD 12.5": amounts of one currency are equal if and only
// if their keys are, so it serves as the key of a map. The key of the zero [Amount] is "0", that of zero dollars "USD 0".
func (a Amount) Key() string {
	var buf [64]byte
	return string(a.append(buf[:0], 0))
}

// Min returns the lesser of a and b, in their common currency, with the error of [Amount.Cmp].
func Min(a, b Amount) (Amount, error) {
	c, err := a.Cmp(b)
	if err != nil {
		return Amount{}, err
	}
	if c <= 0 {
		return a.in(b), nil
	}
	return b.in(a), nil
}

// Max returns the greater of a and b, in their common currency, with the error of [Amount.Cmp].
func Max(a, b Amount) (Amount, error) {
	c, err := a.Cmp(b)
	if err != nil {
		return Amount{}, err
	}
	if c >= 0 {
		return a.in(b), nil
	}
	return b.in(a), nil
}

// in gives the zero Amount the currency of b.
func (a Amount) in(b Amount) Amount {
	if m := b.meta.of(); a.meta.of() == 0 && m != 0 {
		return small(0, 0, m)
	}
	return a
}
