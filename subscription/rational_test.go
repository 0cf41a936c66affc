package subscription

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/money"
)

// numbers has values around the bounds of a word and ordinary ones.
func numbers(rng *rand.Rand) (rational, *big.Rat) {
	edge := []int64{0, 1, -1, 2, 3, 7, 12, 365, 1000000007, math.MaxInt64, math.MaxInt64 - 1, -math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1 << 62, 1 << 32}
	n, d := edge[rng.IntN(len(edge))], edge[1+rng.IntN(len(edge)-1)]
	switch rng.IntN(3) {
	case 0:
		n, d = rng.Int64N(2e6)-1e6, 1+rng.Int64N(1e4)
	case 1:
		n = rng.Int64() - rng.Int64()
	}
	if d == 0 {
		d = 1
	}
	return fraction(n, d), big.NewRat(n, d)
}

// TestRational holds the arithmetic in words against that of math/big.
func TestRational(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 40_000 {
		x, bx := numbers(rng)
		y, by := numbers(rng)
		check := func(op string, got rational, want *big.Rat) {
			t.Helper()
			if got.rat().Cmp(want) != 0 {
				t.Fatalf("%d: %s %s %s = %s, want %s", i, bx, op, by, got.rat(), want)
			}
		}
		check("+", x.add(y), new(big.Rat).Add(bx, by))
		check("-", x.sub(y), new(big.Rat).Sub(bx, by))
		check("*", x.mul(y), new(big.Rat).Mul(bx, by))
		check("least", least(x, y), map[bool]*big.Rat{true: bx, false: by}[bx.Cmp(by) <= 0])
		if by.Sign() != 0 {
			check("/", x.quo(y), new(big.Rat).Quo(bx, by))
		}
		if x.cmp(y) != bx.Cmp(by) || x.sign() != bx.Sign() {
			t.Fatalf("%s compares with %s as %d, sign %d", bx, by, x.cmp(y), x.sign())
		}
		if got, want := x.ratio(), first(bx.Float64()); got != want {
			t.Fatalf("%s is %v, want %v", bx, got, want)
		}
	}
}

func first(f float64, _ bool) float64 { return f }

// TestUnits rounds to digits in all modes, against the definition of each: the neighbors below and above, and which of
// them is meant.
func TestUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	one := big.NewInt(1)
	for range 20_000 {
		x, bx := numbers(rng)
		if rng.IntN(3) == 0 { // ties
			n := rng.Int64N(2000) - 1000
			x, bx = fraction(n, 200), big.NewRat(n, 200)
		}
		digits := int32(rng.IntN(13))
		scaled := new(big.Rat).Mul(bx, new(big.Rat).SetInt(bigPow10(digits)))
		floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean: towards -infinity for a positive divisor
		ceiling := new(big.Int).Set(floor)
		if !scaled.IsInt() {
			ceiling.Add(floor, one)
		}
		toZero, fromZero := floor, ceiling
		if scaled.Sign() < 0 {
			toZero, fromZero = ceiling, floor
		}
		rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
		half := rest.Cmp(big.NewRat(1, 2))
		nearest := func(tie *big.Int) *big.Int {
			switch {
			case half < 0:
				return floor
			case half > 0:
				return ceiling
			}
			return tie
		}
		even := floor
		if floor.Bit(0) == 1 {
			even = ceiling
		}
		for mode, want := range map[money.Rounding]*big.Int{money.Floor: floor, money.Ceiling: ceiling, money.Down: toZero, money.Up: fromZero,
			money.HalfEven: nearest(even), money.HalfUp: nearest(fromZero), money.HalfDown: nearest(toZero)} {
			if got := x.units(digits, mode); got.Cmp(want) != 0 {
				t.Fatalf("%s to %d digits, %s: %s, want %s", bx, digits, mode, got, want)
			}
		}
	}
}

// TestCloseTo splits totals into parts: they add up, and none is a whole unit or more away from its exact value.
func TestCloseTo(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	s, err := newScale("USD", 0, money.HalfEven)
	if err != nil {
		t.Fatal(err)
	}
	for range 20_000 {
		parts := make([]rational, 1+rng.IntN(8))
		var sum rational
		for i := range parts {
			parts[i] = fraction(rng.Int64N(20001)-10000, []int64{100, 1, 300, 1200, 700}[rng.IntN(5)])
			sum = sum.add(parts[i])
		}
		total := s.units(sum)
		got := new(big.Int)
		for i, u := range s.closeTo(total, parts) {
			got.Add(got, u)
			off := fraction(u.Int64(), 100).sub(parts[i])
			if off.cmp(fraction(1, 100)) >= 0 || off.cmp(fraction(-1, 100)) <= 0 {
				t.Fatalf("%s becomes %s cents", parts[i].rat(), u)
			}
		}
		if got.Cmp(total) != 0 {
			t.Fatalf("parts add up to %s, not %s", got, total)
		}
	}
	for text, want := range map[string]string{"5": "0.05", "-5": "-0.05", "1234": "12.34", "0": "0.00", "-120000": "-1200.00"} {
		u, _ := new(big.Int).SetString(text, 10)
		if a := decimalText(u, 2); a != want {
			t.Errorf("%s cents are %s, want %s", text, a, want)
		}
	}
}
