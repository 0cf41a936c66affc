package money

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/shopspring/decimal"
)

// Limits of an amount. Both hold for the value, whatever zeros its text or its representation carries.
const (
	maxDigits = 38 // digits of the whole value without its trailing fractional zeros
	maxScale  = 37 // digits after the point
)

// Amount is an exact decimal amount of money in one currency. It is an immutable value: copy it, pass it, use it from
// several goroutines. It has up to 38 digits, of which up to 37 after the point, so it holds parts of a cent where a
// calculation makes them; nothing rounds unless a [Rounding] is named.
//
// The zero value is zero of no currency. It adds to any amount, so a sum can start from it, and it equals zero of any
// currency. No other amount has no currency.
//
// Amounts do not compare with == (it does not compile, and neither does an Amount as a map key): use [Amount.Equal],
// [Amount.Cmp], and [Amount.Key] for maps.
type Amount struct {
	// Four fields at most and 24 bytes, so that an amount travels in registers.
	_    [0]func()        // forbids ==
	coef int64            // value = coef / 10^scale, unless wide is set
	wide *decimal.Decimal // the value where its coefficient does not fit in an int64; nothing writes to it
	meta meta
}

// New returns d in the currency c.
//
// It returns an error if c is not a code of ISO 4217 or d is out of range. The check costs nothing for an exponent such
// as that of 1e1000000000, which arithmetic on d would choke on.
func New(d decimal.Decimal, c Currency) (Amount, error) {
	m, ok := lookup(c)
	if !ok {
		return Amount{}, currencyError(c)
	}
	return fromDecimal(d, m)
}

// FromMinor returns units minor units of c: FromMinor(1250, "USD") is USD 12.50 and FromMinor(1250, "JPY") is JPY 1250.
//
// It returns an error if c is not a code of ISO 4217 or has no minor unit (XAU).
func FromMinor(units int64, c Currency) (Amount, error) {
	m, ok := lookup(c)
	if !ok {
		return Amount{}, currencyError(c)
	}
	n, ok := m.digits()
	if !ok {
		return Amount{}, minorError(m)
	}
	return Amount{coef: units, meta: m.withScale(int(n))}, nil
}

// FromFloat returns f rounded to the minor unit of c. The value that is rounded is the shortest decimal that denotes f,
// the one that fmt prints: 1.15 becomes 1.15 in every mode, although the float64 is a little less, and 2.675 is a tie.
// It is the only way from float64 to money.
//
// It returns an error if f is NaN, infinite or out of range, if c is not a code of ISO 4217 or has no minor unit, or if
// r is not a rounding mode.
func FromFloat(f float64, c Currency, r Rounding) (Amount, error) {
	m, ok := lookup(c)
	if !ok {
		return Amount{}, currencyError(c)
	}
	n, ok := m.digits()
	if !ok {
		return Amount{}, minorError(m)
	}
	if !r.valid() {
		return Amount{}, roundingError(r)
	}
	if math.IsNaN(f) || math.Abs(f) >= 1e38 {
		return Amount{}, fmt.Errorf("%w: %v", ErrRange, f)
	}
	coef, scale := shortest(f)
	m = m.withScale(int(n))
	if shift := scale - int(n); shift <= 0 {
		if units, ok := times10(coef, -shift); ok {
			return Amount{coef: units, meta: m}, nil
		}
		return fromBig(new(big.Int).Mul(big.NewInt(coef), bigPower(-shift)), int(n), m)
	} else if shift < len(powers) {
		q, _ := mulDiv(magnitude(coef), 1, powers[shift], coef < 0, r) // a quotient of 17 digits at most
		units, _ := signed(q, coef < 0)
		return Amount{coef: units, meta: m}, nil
	}
	// less than a hundredth of a unit, whatever its digits
	units := int64(0)
	if coef != 0 && r.away(coef < 0, false, -1) {
		units = int64(1 - 2*int(uint64(coef)>>63))
	}
	return Amount{coef: units, meta: m}, nil
}

// shortest returns the shortest decimal that denotes f, as coef / 10^scale with at most 17 digits; scale may be negative.
func shortest(f float64) (coef int64, scale int) {
	var buf [32]byte
	b := strconv.AppendFloat(buf[:0], f, 'e', -1, 64) // -d.ddde±dd
	digits, exponent, i := 0, 0, 0
	negative := b[0] == '-'
	if negative {
		i = 1
	}
	for ; b[i] != 'e'; i++ {
		if b[i] != '.' {
			coef = coef*10 + int64(b[i]-'0')
			digits++
		}
	}
	for _, c := range b[i+2:] {
		exponent = exponent*10 + int(c-'0')
	}
	if b[i+1] == '-' {
		exponent = -exponent
	}
	if negative {
		coef = -coef
	}
	return coef, digits - 1 - exponent
}

// Decimal returns the value. The exponent of the result is not specified; the value is exact.
func (a Amount) Decimal() decimal.Decimal {
	if a.wide != nil {
		return *a.wide
	}
	return decimal.New(a.coef, -int32(a.meta.scale()))
}

// Currency returns the currency, which is empty only in the zero Amount.
func (a Amount) Currency() Currency { return a.meta.currency() }

// Float64 returns the float64 nearest to the value.
func (a Amount) Float64() float64 {
	if a.wide == nil && a.coef <= 1<<53 && a.coef >= -1<<53 && a.meta.scale() < len(exactPowers) {
		return float64(a.coef) / exactPowers[a.meta.scale()] // both exact, so rounded once
	}
	return a.wideFloat64()
}

func (a Amount) wideFloat64() float64 {
	var buf [64]byte
	f, _ := strconv.ParseFloat(string(a.appendNumber(buf[:0], 0)), 64) // at most 40 bytes of digits: no error
	return f
}

// powers of ten that are exact in float64
var exactPowers = [23]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Minor returns the amount in minor units: 1250, true for USD 12.50. It reports false where the amount is not a whole
// number of minor units, does not fit in an int64, or is of a currency without a minor unit.
//
// Special case: Minor of the zero Amount is 0, true.
func (a Amount) Minor() (units int64, ok bool) {
	if a.meta.of() == 0 {
		return 0, true
	}
	n, ok := a.meta.digits()
	if !ok || a.wide != nil {
		return 0, false
	}
	a = a.trim(int(n))
	if a.meta.scale() > int(n) {
		return 0, false
	}
	return times10(a.coef, int(n)-a.meta.scale())
}

// WithCurrency gives the zero Amount the currency c, so that a total of nothing can be shown as USD 0.00. An amount that
// is in c already is returned as it is.
//
// It returns a *[CurrencyMismatchError] if a has another currency, and an error if c is not a code of ISO 4217.
func (a Amount) WithCurrency(c Currency) (Amount, error) {
	m, ok := lookup(c)
	if !ok {
		return Amount{}, currencyError(c)
	}
	switch a.meta.of() {
	case m:
		return a, nil
	case 0:
		return Amount{meta: m.withScale(m.minor())}, nil
	}
	return Amount{}, &CurrencyMismatchError{A: a.Currency(), B: c}
}

// coefficient returns the value as coefficient / 10^scale, in a number of the caller's own.
func (a Amount) coefficient() (coef *big.Int, scale int) {
	if a.wide != nil {
		return a.wide.Coefficient(), -int(a.wide.Exponent())
	}
	return big.NewInt(a.coef), a.meta.scale()
}

// small returns coef / 10^scale in the currency of m. The scale becomes that of the minor unit where the value allows
// it, so that amounts of one currency mostly share it and add fast. It must be within [0, maxScale].
func small(coef int64, scale int, m meta) Amount {
	want := m.minor()
	if scale < want {
		if padded, ok := times10(coef, want-scale); ok {
			return Amount{coef: padded, meta: m.withScale(want)}
		}
	}
	return Amount{coef: coef, meta: m.withScale(scale)}.trim(want)
}

// trim drops trailing zeros after the point as long as more than least digits are there. A wide amount has none.
func (a Amount) trim(least int) Amount {
	if a.wide != nil {
		return a
	}
	scale := a.meta.scale()
	for scale > least && a.coef%10 == 0 {
		a.coef /= 10
		scale--
	}
	a.meta = a.meta.withScale(scale)
	return a
}

// fromBig returns coef / 10^scale in the currency of m; scale may be of either sign but must be of a sane size. The
// number passes to the amount.
func fromBig(coef *big.Int, scale int, m meta) (Amount, error) {
	if coef.Sign() == 0 {
		return small(0, 0, m), nil
	}
	if scale < 0 {
		coef.Mul(coef, bigPower(-scale))
		scale = 0
	}
	coef, scale = trimBig(coef, scale)
	if scale > maxScale || coef.BitLen() > surelyFits && coef.CmpAbs(limit()) >= 0 {
		return Amount{}, rangeError()
	}
	if coef.IsInt64() {
		return small(coef.Int64(), scale, m), nil
	}
	d := decimal.NewFromBigInt(coef, -int32(scale))
	return Amount{wide: &d, meta: m.withScale(scale)}, nil
}

// trimBig drops all trailing zeros after the point.
func trimBig(coef *big.Int, scale int) (*big.Int, int) {
	q, rem := new(big.Int), new(big.Int)
	for _, step := range [...]int{16, 4, 1} {
		for power := bigPower(step); scale >= step; scale -= step {
			if q.QuoRem(coef, power, rem); rem.Sign() != 0 {
				break
			}
			coef, q = q, coef
		}
	}
	return coef, scale
}

// surelyFits is a number of bits that maxDigits digits always hold: 2^126 < 10^38.
const surelyFits = 126

// limit returns the least coefficient with more than maxDigits digits.
func limit() *big.Int { return bigPower(maxDigits) }

// fromDecimal returns d in the currency of m.
func fromDecimal(d decimal.Decimal, m meta) (Amount, error) {
	coef, scale, ok, err := factor(d)
	if err != nil {
		return Amount{}, err
	}
	if ok && scale >= 0 && scale <= maxScale {
		return small(coef, scale, m), nil
	}
	return fromBig(d.Coefficient(), scale, m)
}

// factor bounds a decimal that enters: it returns an error for one whose exponent or coefficient could cost time, and
// otherwise the coefficient, with ok where it fits in an int64, and the scale.
func factor(d decimal.Decimal) (coef int64, scale int, ok bool, err error) {
	if d.IsZero() {
		return 0, 0, true, nil // whatever its exponent
	}
	const sane = 128
	e := d.Exponent()
	if e < -sane || e > sane {
		return 0, 0, false, fmt.Errorf("%w: exponent %d", ErrRange, e)
	}
	c := d.Coefficient()
	if c.BitLen() > 4*sane {
		return 0, 0, false, fmt.Errorf("%w: coefficient of %d bits", ErrRange, c.BitLen())
	}
	if c.IsInt64() {
		return c.Int64(), -int(e), true, nil
	}
	return 0, -int(e), false, nil
}
