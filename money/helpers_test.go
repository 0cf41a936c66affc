package money

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

var modes = []Rounding{HalfEven, HalfUp, HalfDown, Up, Down, Ceiling, Floor} // in the order of testdata

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// check fails the test unless a is well-formed and prints as want.
func check(t testing.TB, a Amount, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatalf("error: %v, want %s", err, want)
	}
	wellFormed(t, a)
	if got := a.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// wellFormed fails the test if a breaks an invariant of the representation.
func wellFormed(t testing.TB, a Amount) {
	t.Helper()
	scale := a.meta.scale()
	switch coef, s := a.coefficient(); {
	case s != scale || scale > maxScale:
		t.Fatalf("%#v: scale %d, packed %d", a, s, scale)
	case coef.CmpAbs(limit()) >= 0:
		t.Fatalf("%#v: more than %d digits", a, maxDigits)
	case a.wide != nil && (coef.IsInt64() || a.coef != 0):
		t.Fatalf("%#v: wide without need", a)
	case a.meta.of() == 0 && (coef.Sign() != 0 || scale != 0):
		t.Fatalf("%#v: no currency", a)
	}
}

// rat returns the exact value.
func rat(a Amount) *big.Rat {
	coef, scale := a.coefficient()
	return new(big.Rat).SetFrac(coef, bigPower(scale))
}

// random returns an amount of any size and scale, small ones more often.
func random(r *rand.Rand, m meta) Amount {
	digits := 1 + r.IntN(18)
	if r.IntN(4) == 0 {
		digits = 1 + r.IntN(38)
	}
	var b strings.Builder
	for range digits {
		b.WriteByte(byte('0' + r.IntN(10)))
	}
	coef, _ := new(big.Int).SetString(b.String(), 10)
	if r.IntN(2) == 0 {
		coef.Neg(coef)
	}
	scale := 2
	if r.IntN(3) == 0 {
		scale = r.IntN(min(digits, maxScale) + 1)
	}
	if a, err := fromBig(coef, scale, m); err == nil {
		return a
	}
	return small(0, 0, m)
}

type goldenFile struct {
	Source, Generator string
	Rows              []struct {
		Value, Divisor string
		To             int32
		Round, Divide  []string
	}
	Allocations []struct {
		Total          int64
		Weights, Parts []int64
	}
	Prorations []struct {
		Units, Num, Den int64
		Want            string
	}
	Ratios []struct{ A, B, Want, Float string }
}

func load(t *testing.T, path string) goldenFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f goldenFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	if f.Source == "" {
		t.Fatalf("%s has no source", path)
	}
	if _, err := os.Stat(f.Generator); err != nil {
		t.Fatalf("%s: the generator is missing: %v", path, err)
	}
	return f
}
