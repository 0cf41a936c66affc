package subscription

import (
	"cmp"
	"errors"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/custval/custval/money"
)

// rational is an exact fraction. It is n/d in machine words while they suffice and a big.Rat beyond. The zero value is
// zero; d is 0 or positive. Fractions are not kept in lowest terms, so equal values may differ as structs: use cmp.
type rational struct {
	n, d int64
	big  *big.Rat
}

func whole(n int64) rational { return rational{n: n, d: 1} }

// fraction returns n/d for a d other than zero.
func fraction(n, d int64) rational {
	if n != math.MinInt64 && d != math.MinInt64 {
		if d < 0 {
			n, d = -n, -d
		}
		return rational{n: n, d: d}
	}
	return shrink(big.NewRat(n, d))
}

// shrink returns a fraction in machine words if it fits.
func shrink(r *big.Rat) rational {
	if r.Num().IsInt64() && r.Denom().IsInt64() && r.Num().Int64() != math.MinInt64 {
		return rational{n: r.Num().Int64(), d: r.Denom().Int64()}
	}
	return rational{big: r}
}

func (x rational) rat() *big.Rat {
	switch {
	case x.big != nil:
		return x.big
	case x.n == 0:
		return new(big.Rat)
	}
	return big.NewRat(x.n, x.d)
}

func (x rational) sign() int {
	if x.big != nil {
		return x.big.Sign()
	}
	return cmp.Compare(x.n, 0)
}

func (x rational) neg() rational {
	if x.big != nil {
		return rational{big: new(big.Rat).Neg(x.big)}
	}
	if x.n == math.MinInt64 {
		return rational{big: new(big.Rat).Neg(x.rat())}
	}
	return rational{n: -x.n, d: x.d}
}

func (x rational) add(y rational) rational {
	if x.big == nil && y.big == nil {
		switch {
		case x.n == 0:
			return y
		case y.n == 0:
			return x
		case x.d == y.d:
			if s := x.n + y.n; (s > x.n) == (y.n > 0) {
				return rational{n: s, d: x.d}
			}
		default:
			if s, ok := addMixed(x, y); ok {
				return s
			}
		}
	}
	return shrink(new(big.Rat).Add(x.rat(), y.rat()))
}

// addMixed adds fractions of different denominators over their least common multiple, unless a word overflows.
func addMixed(x, y rational) (rational, bool) {
	g := gcd(x.d, y.d)
	xn, ok1 := mul64(x.n, y.d/g)
	yn, ok2 := mul64(y.n, x.d/g)
	d, ok3 := mul64(x.d, y.d/g)
	s := xn + yn
	if !ok1 || !ok2 || !ok3 || (s > xn) != (yn > 0) {
		return rational{}, false
	}
	return rational{n: s, d: d}, true
}

func (x rational) sub(y rational) rational { return x.add(y.neg()) }

func (x rational) mul(y rational) rational {
	if x.big == nil && y.big == nil {
		if x.n == 0 || y.n == 0 {
			return rational{}
		}
		g, h := gcd(x.n, y.d), gcd(y.n, x.d)
		n, ok1 := mul64(x.n/g, y.n/h)
		d, ok2 := mul64(x.d/h, y.d/g)
		if ok1 && ok2 {
			return rational{n: n, d: d}
		}
	}
	return shrink(new(big.Rat).Mul(x.rat(), y.rat()))
}

// quo returns x/y for a y other than zero.
func (x rational) quo(y rational) rational {
	if y.big == nil && y.n != math.MinInt64 {
		return x.mul(fraction(y.d, y.n))
	}
	return shrink(new(big.Rat).Quo(x.rat(), y.rat()))
}

func (x rational) cmp(y rational) int {
	if x.big == nil && y.big == nil {
		if x.d == y.d || x.sign() != y.sign() || x.n == 0 {
			return cmp.Compare(x.n, y.n)
		}
		xn, ok1 := mul64(x.n, y.d)
		yn, ok2 := mul64(y.n, x.d)
		if ok1 && ok2 {
			return cmp.Compare(xn, yn)
		}
	}
	return x.rat().Cmp(y.rat())
}

func least(x, y rational) rational {
	if y.cmp(x) < 0 {
		return y
	}
	return x
}

// units returns x in units of 10^-digits, rounded once.
func (x rational) units(digits int32, mode money.Rounding) *big.Int {
	if x.big == nil && x.n != math.MinInt64 {
		if x.n == 0 {
			return new(big.Int)
		}
		if n, ok := mul64(x.n, pow10(digits)); ok && digits <= 18 && x.d < math.MaxInt64/2 {
			q, r := n/x.d, n%x.d
			return big.NewInt(q + int64(away(q&1 != 0, cmp.Compare(2*abs(r), x.d), cmp.Compare(r, 0), mode)))
		}
	}
	r := new(big.Rat).Mul(x.rat(), new(big.Rat).SetInt(bigPow10(digits)))
	q, m := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	twice := new(big.Int).Abs(m)
	half := twice.Lsh(twice, 1).Cmp(r.Denom())
	return q.Add(q, big.NewInt(int64(away(q.Bit(0) != 0, half, m.Sign(), mode))))
}

// away returns the step from a quotient cut off towards zero to the rounded one: -1, 0 or 1. half compares the part cut
// off with one half, sign is the sign of that part.
func away(odd bool, half, sign int, mode money.Rounding) int {
	if sign == 0 {
		return 0
	}
	up := false
	switch mode {
	case money.HalfEven:
		up = half > 0 || half == 0 && odd
	case money.HalfUp:
		up = half >= 0
	case money.HalfDown:
		up = half > 0
	case money.Up:
		up = true
	case money.Ceiling:
		up = sign > 0
	case money.Floor:
		up = sign < 0
	}
	if up {
		return sign
	}
	return 0
}

// round returns x rounded to digits decimals, as a fraction.
func (x rational) round(digits int32, mode money.Rounding) rational {
	u := x.units(digits, mode)
	if u.IsInt64() && digits <= 18 {
		return fraction(u.Int64(), pow10(digits))
	}
	return shrink(new(big.Rat).SetFrac(u, bigPow10(digits)))
}

// ratio returns the float64 nearest to x. It is for rates, never for money.
func (x rational) ratio() float64 {
	f, _ := x.rat().Float64()
	return f
}

func gcd(a, b int64) int64 {
	x, y := magnitude(a), magnitude(b)
	for y != 0 {
		x, y = y, x%y
	}
	if x > math.MaxInt64 {
		return 1
	}
	return int64(x)
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func abs(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}

// mul64 multiplies and reports whether the product fits.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

// pow10 returns 10^n for n up to 18.
func pow10(n int32) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

func bigPow10(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// maxExponent bounds the decimals that enter: 10^±60 is beyond any money and any rate of exchange.
const maxExponent = 60

var errSize = errors.New("number too large or with too many decimals")

// exact returns coefficient times 10^exponent.
func exact(coefficient *big.Int, exponent int32) (rational, error) {
	if exponent > maxExponent || exponent < -maxExponent || coefficient.BitLen() > 400 {
		return rational{}, errSize
	}
	if coefficient.IsInt64() && coefficient.Int64() != math.MinInt64 && exponent <= 0 && exponent >= -18 {
		return rational{n: coefficient.Int64(), d: pow10(-exponent)}, nil
	}
	r := new(big.Rat).SetInt(coefficient)
	if exponent < 0 {
		return shrink(r.Quo(r, new(big.Rat).SetInt(bigPow10(-exponent)))), nil
	}
	return shrink(r.Mul(r, new(big.Rat).SetInt(bigPow10(exponent)))), nil
}

func exactAmount(a money.Amount) (rational, error) {
	if a.Sign() == 0 {
		return rational{}, nil
	}
	if units, ok := a.Minor(); ok {
		digits, _ := a.Currency().Digits()
		return rational{n: units, d: pow10(digits)}, nil
	}
	d := a.Decimal()
	return exact(d.Coefficient(), d.Exponent())
}

// exactRate returns the decimal number that a float prints as, so that a margin of 0.3 is three tenths.
func exactRate(f float64) (rational, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return rational{}, errors.New("not a finite number")
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok {
		return rational{}, errors.New("not a number")
	}
	return shrink(r), nil
}
