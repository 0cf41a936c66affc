package money

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Rounding says which neighbor a value between two representable values goes to. The names and meanings are those of
// Java's RoundingMode.
//
//	value     HalfEven  HalfUp  HalfDown  Up  Down  Ceiling  Floor
//	 5.5          6        6        5      6    5       6      5
//	 2.5          2        3        2      3    2       3      2
//	 1.1          1        1        1      2    1       2      1
//	-1.1         -1       -1       -1     -2   -1      -1     -2
//	-2.5         -2       -3       -2     -3   -2      -2     -3
//
// A value that needs no rounding is never changed. Functions that return an error refuse a mode that is not in the list.
type Rounding uint8

// The seven modes, under the names of Java.
const (
	HalfEven Rounding = iota // to the nearest, a tie to the even neighbor; the zero value
	HalfUp                   // to the nearest, a tie away from zero
	HalfDown                 // to the nearest, a tie towards zero
	Up                       // away from zero
	Down                     // towards zero
	Ceiling                  // towards +infinity
	Floor                    // towards -infinity
)

var roundingNames = [...]string{"HalfEven", "HalfUp", "HalfDown", "Up", "Down", "Ceiling", "Floor"}

// String returns the name of the mode, such as "HalfEven".
func (r Rounding) String() string {
	if r.valid() {
		return roundingNames[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// MarshalText returns the name of the mode, so that options in JSON say "HalfEven". It returns an error that wraps
// [ErrArgument] for a mode that is not one of the seven.
func (r Rounding) MarshalText() ([]byte, error) {
	if !r.valid() {
		return nil, roundingError(r)
	}
	return []byte(roundingNames[r]), nil
}

// UnmarshalText reads the name of a mode, letter case included. It returns an error that wraps [ErrArgument], and leaves
// r as it was, for any other text.
func (r *Rounding) UnmarshalText(text []byte) error {
	for i, name := range roundingNames {
		if string(text) == name {
			*r = Rounding(i)
			return nil
		}
	}
	return fmt.Errorf("%w: rounding mode %.40q", ErrArgument, text)
}

func (r Rounding) valid() bool { return int(r) < len(roundingNames) }

// away reports whether a magnitude that was cut goes up to the next one. half compares what was cut, which is not zero,
// with half a unit.
func (r Rounding) away(negative, odd bool, half int) bool {
	switch r {
	case HalfUp:
		return half >= 0
	case HalfDown:
		return half > 0
	case Up:
		return true
	case Down:
		return false
	case Ceiling:
		return !negative
	case Floor:
		return negative
	default:
		return half > 0 || half == 0 && odd
	}
}

// mulDiv returns a*b/c rounded once, from the exact product of 128 bits, for magnitudes of a value with the given sign.
// It reports false where c is zero or the quotient does not fit in 64 bits.
func mulDiv(a, b, c uint64, negative bool, r Rounding) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 0, false
	}
	q, rem := bits.Div64(hi, lo, c)
	if rem == 0 {
		return q, true
	}
	half := 0
	switch other := c - rem; { // rem against c/2 without overflow
	case rem > other:
		half = 1
	case rem < other:
		half = -1
	}
	if r.away(negative, q&1 == 1, half) {
		q++
		return q, q != 0
	}
	return q, true
}

// quoBig returns num/den rounded once; den must not be zero.
func quoBig(num, den *big.Int, r Rounding) *big.Int {
	negative := num.Sign() < 0 != (den.Sign() < 0)
	q, rem := new(big.Int).QuoRem(num, den, new(big.Int))
	if rem.Sign() == 0 {
		return q
	}
	half := rem.Lsh(rem, 1).CmpAbs(den)
	if r.away(negative, q.Bit(0) == 1, half) {
		if negative {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// powers of ten that fit in 64 bits
var powers = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// bigPower returns ten to the power of n >= 0.
func bigPower(n int) *big.Int {
	if n < len(powers) {
		return new(big.Int).SetUint64(powers[n])
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// magnitude returns |x|, which fits in 64 bits even for the least int64.
func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// signed returns the int64 of a magnitude and a sign, or false where it does not fit.
func signed(u uint64, negative bool) (int64, bool) {
	if negative {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}

// times10 returns x times ten to the power of n >= 0, or false where it does not fit in an int64.
func times10(x int64, n int) (int64, bool) {
	if x == 0 {
		return 0, true
	}
	if n >= len(powers) {
		return 0, false
	}
	hi, lo := bits.Mul64(magnitude(x), powers[n])
	if hi != 0 {
		return 0, false
	}
	return signed(lo, x < 0)
}
