package money

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// maxParts bounds Split, whose memory one number decides.
const maxParts = 1 << 20

// Allocate splits a in proportion to the weights by the method of the largest remainder. Every part is first cut to
// whole units towards zero; the units that are left go, one each, to the parts that lost the largest fractions, the
// earlier part where fractions are equal.
//
//	USD 1.00 by 1, 1, 1     USD 0.34, 0.33, 0.33
//	USD 0.10 by 1, 98, 1    USD 0.00, 0.10, 0.00
//	USD -1.01 by 2, 1, 1    USD -0.51, -0.25, -0.25
//
// The parts add up to a exactly, a weight of zero gets nothing, and a negative amount is split as its absolute value is.
// The unit is the minor unit of the currency; an amount that is finer than that is split in units of its own last digit
// (USD 1.005 by 1, 1 gives USD 0.503 and USD 0.502), so round first where parts must be payable. Weights may be as large
// as an int64 holds: nothing overflows.
//
// It returns an error that wraps [ErrArgument] if there are no weights, if one is negative or if all are zero, and one
// that wraps [ErrNoMinorUnit] if the currency has no minor unit.
//
// Special case: the parts of the zero Amount are zero Amounts.
func (a Amount) Allocate(weights ...int64) ([]Amount, error) {
	var total, carry uint64
	big := false
	for i, w := range weights {
		if w < 0 {
			return nil, fmt.Errorf("%w: weight %d: %d is negative", ErrArgument, i, w)
		}
		total, carry = bits.Add64(total, uint64(w), 0)
		big = big || carry != 0
	}
	if err := checkWeights(len(weights), total != 0 || big); err != nil {
		return nil, err
	}
	return a.allocate(weights, total, big, false)
}

// AllocateBy is [Amount.Allocate] by weights of float64, such as shares that a model computed. Fractions that agree to a
// billionth of a unit count as equal, since such weights carry noise of that size: 0.4, 0.2/3, 0.2/3, 0.2/3, 0.4 split
// USD 99.99 into 40.00, 6.67, 6.67, 6.66 and 39.99 as the exact weights 6, 1, 1, 1, 6 do. A weight of less than 2^-63 of
// the total may count as zero.
//
// It returns the errors of Allocate, and one that wraps [ErrArgument] if a weight is NaN or infinite.
func (a Amount) AllocateBy(weights []float64) ([]Amount, error) {
	largest := 0.0
	for i, w := range weights {
		switch {
		case math.IsNaN(w) || math.IsInf(w, 0):
			return nil, fmt.Errorf("%w: weight %d: %v is not a finite number", ErrArgument, i, w)
		case w < 0:
			return nil, fmt.Errorf("%w: weight %d: %v is negative", ErrArgument, i, w)
		}
		largest = max(largest, w)
	}
	if err := checkWeights(len(weights), largest > 0); err != nil {
		return nil, err
	}
	scaled, total := integers(weights, largest)
	return a.allocate(scaled, total, false, true)
}

func checkWeights(n int, positive bool) error {
	switch {
	case n == 0:
		return fmt.Errorf("%w: no weights", ErrArgument)
	case !positive:
		return fmt.Errorf("%w: all weights are zero", ErrArgument)
	}
	return nil
}

// integers returns the weights times a power of two, rounded, such that their total is about 2^62.
func integers(weights []float64, largest float64) (scaled []int64, total uint64) {
	_, exponent := math.Frexp(largest)
	sum := 0.0
	for _, w := range weights {
		sum += math.Ldexp(w, -exponent)
	}
	_, n := math.Frexp(sum)
	scaled = make([]int64, len(weights))
	for i, w := range weights {
		scaled[i] = int64(math.RoundToEven(math.Ldexp(math.Ldexp(w, -exponent), 62-n)))
		total += uint64(scaled[i])
	}
	return scaled, total
}

// Split splits a into n equal parts, the first ones larger by a unit where it does not divide: USD 1.00 by 3 gives
// 0.34, 0.33, 0.33. It is [Amount.Allocate] with n equal weights.
//
// It returns an error that wraps [ErrArgument] if n is not between 1 and 1,048,576, and one that wraps [ErrNoMinorUnit]
// if the currency has no minor unit.
func (a Amount) Split(n int) ([]Amount, error) {
	if n < 1 || n > maxParts {
		return nil, fmt.Errorf("%w: %d parts: not between 1 and %d", ErrArgument, n, maxParts)
	}
	weights := make([]int64, n)
	for i := range weights {
		weights[i] = 1
	}
	return a.allocate(weights, uint64(n), false, false)
}

// allocate splits a by weights that are not negative and add up to total, unless huge says that total overflowed. With
// coarse, fractions are compared to a billionth.
func (a Amount) allocate(weights []int64, total uint64, huge, coarse bool) ([]Amount, error) {
	parts := make([]Amount, len(weights))
	if a.meta.of() == 0 {
		return parts, nil
	}
	digits, ok := a.meta.digits()
	if !ok {
		return nil, minorError(a.meta)
	}
	a = a.trim(int(digits))
	scale := max(int(digits), a.meta.scale())
	if a.wide == nil && !huge {
		if coef, ok := times10(a.coef, scale-a.meta.scale()); ok {
			allocateSmall(parts, coef, a.meta.withScale(scale), weights, total, coarse)
			return parts, nil
		}
	}
	coef, own := a.coefficient()
	return parts, allocateBig(parts, coef.Mul(coef, bigPower(scale-own)), scale, a.meta, weights, coarse)
}

// billion is the number of steps in which fractions are compared where weights carry noise.
const billion = 1e9

func allocateSmall(parts []Amount, coef int64, m meta, weights []int64, total uint64, coarse bool) {
	var buf [16]uint64
	lost := slices.Grow(buf[:0], len(weights))[:len(weights)]
	units := magnitude(coef)
	left := units
	for i, w := range weights {
		hi, lo := bits.Mul64(units, uint64(w))
		q, rem := bits.Div64(hi, lo, total) // w <= total, so the quotient is at most units
		left -= q
		if coarse && rem != 0 {
			rem, _ = mulDiv(rem, billion, total, false, HalfEven)
			rem++ // above the parts that lost nothing
		}
		lost[i] = rem
		part, _ := signed(q, coef < 0)
		parts[i] = Amount{coef: part, meta: m}
	}
	if left == 0 {
		return
	}
	one := int64(1)
	if coef < 0 {
		one = -1
	}
	for _, i := range largestFirst(len(lost), func(i, j int) int { return compare(lost[j], lost[i]) })[:left] {
		parts[i].coef += one
	}
}

func allocateBig(parts []Amount, coef *big.Int, scale int, m meta, weights []int64, coarse bool) error {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, big.NewInt(w))
	}
	quotients, lost := make([]*big.Int, len(weights)), make([]*big.Int, len(weights))
	left := new(big.Int).Set(coef)
	for i, w := range weights {
		quotients[i], lost[i] = big.NewInt(w), new(big.Int)
		quotients[i].Mul(quotients[i], coef)
		quotients[i].QuoRem(quotients[i], total, lost[i])
		left.Sub(left, quotients[i])
		if coarse && lost[i].Sign() != 0 {
			lost[i].Mul(lost[i].Abs(lost[i]), big.NewInt(billion))
			lost[i] = quoBig(lost[i], total, HalfEven)
			lost[i].Add(lost[i], big.NewInt(1))
		}
	}
	one := big.NewInt(int64(left.Sign()))
	order := largestFirst(len(lost), func(i, j int) int { return lost[j].CmpAbs(lost[i]) })
	for _, i := range order[:left.Abs(left).Int64()] { // fewer units are left than parts lost something
		quotients[i].Add(quotients[i], one)
	}
	for i, q := range quotients {
		part, err := fromBig(q, scale, m)
		if err != nil {
			return err
		}
		parts[i] = part
	}
	return nil
}

// largestFirst returns the indices below n in the order of compare, equal ones by index.
func largestFirst(n int, compare func(i, j int) int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(compare(i, j), i-j) })
	return order
}
