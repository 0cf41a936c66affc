package money

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/shopspring/decimal"
)

func TestArithmeticTable(t *testing.T) {
	tests := []struct {
		op, a, b, want string
	}{
		{"add", "12.50", "0.99", "USD 13.49"},
		{"add", "1.005", "1.995", "USD 3.00"},
		{"add", "92233720368547758.07", "0.01", "USD 92233720368547758.08"},
		{"add", "-92233720368547758.08", "-0.01", "USD -92233720368547758.09"},
		{"add", "92233720368547758.08", "-0.01", "USD 92233720368547758.07"}, // back from beyond int64
		{"add", "12345678901234567890123456789012345678", "0", "USD 12345678901234567890123456789012345678.00"},
		{"add", "0.0000000000000000000000000000000000001", "1", "USD 1.0000000000000000000000000000000000001"},
		{"sub", "12.50", "12.5", "USD 0.00"},
		{"sub", "0", "92233720368547758.08", "USD -92233720368547758.08"},
		{"sub", "-92233720368547758.08", "-92233720368547758.08", "USD 0.00"},
		{"sub", "1", "-92233720368547758.08", "USD 92233720368547759.08"},
		{"mul", "12.50", "0.333", "USD 4.1625"},
		{"mul", "12.50", "-1e3", "USD -12500.00"},
		{"mul", "12.50", "1e35", "USD 1250000000000000000000000000000000000.00"},
		{"mul", "1e20", "1e-20", "USD 1.00"},
		{"mul", "12.50", "0", "USD 0.00"},
		{"mul", "-92233720368547758.08", "-1", "USD 92233720368547758.08"},
		{"div", "10", "3", "USD 3.33"},
		{"div", "10", "-3", "USD -3.33"},
		{"div", "0.10", "4", "USD 0.02"}, // 0.025, a tie
		{"div", "1", "1e-35", "USD 100000000000000000000000000000000000.00"},
		{"div", "92233720368547758.07", "0.1", "USD 922337203685477580.70"},
		{"div", "1", "1e100", "USD 0.00"},
		{"div", "1e37", "1e37", "USD 1.00"},
	}
	for _, tt := range tests {
		a, err := New(dec(tt.a), "USD")
		if err != nil {
			t.Fatal(err)
		}
		var got Amount
		switch tt.op {
		case "add":
			got, err = a.Add(MustParse(tt.b, "USD"))
		case "sub":
			got, err = a.Sub(MustParse(tt.b, "USD"))
		case "mul":
			got, err = a.Mul(dec(tt.b))
		case "div":
			got, err = a.Div(dec(tt.b), HalfEven)
		}
		t.Run(tt.op+" "+tt.a+" "+tt.b, func(t *testing.T) { check(t, got, err, tt.want) })
	}
}

// The value of every operation is that of exact rational arithmetic, or the operation reports that it is out of range.
func TestArithmeticAgainstRat(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := random(r, usd), random(r, usd)
		n := int64(r.Uint64()) >> r.IntN(64)
		x, y := rat(a), rat(b)
		same := func(op string, got Amount, err error, want *big.Rat) {
			t.Helper()
			if err != nil {
				if _, err2 := New(decimal.NewFromBigRat(want, 80), "USD"); !errors.Is(err, ErrRange) || err2 == nil {
					t.Fatalf("%v %s %v: %v", a, op, b, err)
				}
				return
			}
			wellFormed(t, got)
			if rat(got).Cmp(want) != 0 || got.Currency() != "USD" {
				t.Fatalf("%v %s %v = %v, want %s", a, op, b, got, want.FloatString(40))
			}
		}
		sum, err := a.Add(b)
		same("+", sum, err, new(big.Rat).Add(x, y))
		diff, err := a.Sub(b)
		same("-", diff, err, new(big.Rat).Sub(x, y))
		product, err := a.Mul(b.Decimal())
		same("*", product, err, new(big.Rat).Mul(x, y))
		times, err := a.MulInt(n)
		same("*", times, err, new(big.Rat).Mul(x, new(big.Rat).SetInt64(n)))
		same("neg", a.Neg(), nil, new(big.Rat).Neg(x))
		same("abs", a.Abs(), nil, new(big.Rat).Abs(x))

		if c, err := a.Cmp(b); err != nil || c != x.Cmp(y) || a.Equal(b) != (c == 0) {
			t.Fatalf("%v cmp %v = %d, %v, %t", a, b, c, err, a.Equal(b))
		}
		if (a.Key() == b.Key()) != a.Equal(b) || (a.String() == b.String()) != a.Equal(b) {
			t.Fatalf("%v, %v: keys %q, %q", a, b, a.Key(), b.Key())
		}
		least, _ := Min(a, b)
		most, _ := Max(a, b)
		if c, _ := least.Cmp(most); c > 0 || a.Sign() != x.Sign() || a.IsZero() != (x.Sign() == 0) {
			t.Fatalf("%v, %v: min %v, max %v", a, b, least, most)
		}
		if want, _ := x.Float64(); a.Float64() != want {
			t.Fatalf("%v.Float64() = %v, want %v", a, a.Float64(), want)
		}
		if !b.IsZero() {
			want, _ := new(big.Rat).Quo(x, y).Float64()
			if got, err := a.Ratio(b); err != nil || got != want {
				t.Fatalf("%v ratio %v = %v, %v, want %v", a, b, got, err, want)
			}
		}
		cents := new(big.Rat).Mul(x, big.NewRat(100, 1))
		if units, ok := a.Minor(); ok != (cents.IsInt() && cents.Num().IsInt64()) {
			t.Fatalf("%v.Minor() = %d, %t", a, units, ok)
		} else if back, _ := FromMinor(units, "USD"); ok && !back.Equal(a) {
			t.Fatalf("%v.Minor() = %d", a, units)
		}
	}
}

func TestAgainstFractions(t *testing.T) {
	f := load(t, "testdata/exact.json")
	for _, row := range f.Prorations {
		a, _ := FromMinor(row.Units, "USD")
		got, err := a.MulRat(row.Num, row.Den, HalfEven)
		want, _ := new(big.Int).SetString(row.Want, 10)
		w, rangeErr := fromBig(want, 2, usd)
		if rangeErr != nil {
			if !errors.Is(err, ErrRange) {
				t.Errorf("%v * %d/%d: %v, want an error of range", a, row.Num, row.Den, err)
			}
			continue
		}
		check(t, got, err, w.String())
		if row.Num != math.MinInt64 {
			negated, err := a.MulRat(-row.Num, -row.Den, HalfEven)
			check(t, negated, err, w.String())
		}
	}
	for _, row := range f.Ratios {
		a, b := MustParse(row.A, "USD"), MustParse(row.B, "USD")
		want, _ := strconv.ParseFloat(row.Want, 64)
		if got, err := a.Ratio(b); err != nil || got != want {
			t.Errorf("%v / %v = %v, %v, want %v", a, b, got, err, want)
		}
		if want, _ := strconv.ParseFloat(row.Float, 64); a.Float64() != want {
			t.Errorf("%v.Float64() = %v, want %v", a, a.Float64(), want)
		}
	}
}

func TestMulRat(t *testing.T) {
	tests := []struct {
		a        string
		num, den int64
		mode     Rounding
		want     string
	}{
		{"31.00", 17, 31, HalfEven, "USD 17.00"},
		{"100", 1, 3, HalfEven, "USD 33.33"},
		{"100", 2, 3, Up, "USD 66.67"},
		{"-100", 2, 3, Floor, "USD -66.67"},
		{"-100", -2, 3, Floor, "USD 66.66"},
		{"0.005", 1, 1, HalfUp, "USD 0.01"},
		{"0.0149", 1, 3, HalfUp, "USD 0.00"}, // once, from 0.00496...; not from 0.01/3
		{"92233720368547758.07", math.MaxInt64, math.MaxInt64, HalfEven, "USD 92233720368547758.07"},
		{"92233720368547758.07", 3, 2, HalfEven, "USD 138350580552821637.10"}, // 137.105, a tie
		{"-92233720368547758.08", math.MinInt64, math.MinInt64, HalfEven, "USD -92233720368547758.08"},
		{"12345678901234567890123456789.01", 1, 7, HalfEven, "USD 1763668414462081127160493827.00"},
		{"1", 0, 5, Up, "USD 0.00"},
	}
	for _, tt := range tests {
		got, err := MustParse(tt.a, "USD").MulRat(tt.num, tt.den, tt.mode)
		check(t, got, err, tt.want)
	}
}

func TestZeroAmount(t *testing.T) {
	var zero Amount
	five := MustParse("5", "USD")
	got, err := zero.Add(five)
	check(t, got, err, "USD 5.00")
	got, err = five.Add(zero)
	check(t, got, err, "USD 5.00")
	got, err = zero.Sub(five)
	check(t, got, err, "USD -5.00")
	got, err = five.Sub(zero)
	check(t, got, err, "USD 5.00")
	got, err = zero.Add(zero)
	check(t, got, err, "0")
	got, err = zero.Mul(dec("3.5"))
	check(t, got, err, "0")
	got, err = zero.MulInt(math.MinInt64)
	check(t, got, err, "0")
	got, err = zero.Div(dec("3"), HalfEven)
	check(t, got, err, "0")
	got, err = zero.MulRat(1, 3, HalfEven)
	check(t, got, err, "0")
	check(t, zero.Neg().Abs(), nil, "0")
	got, err = Min(zero, five)
	check(t, got, err, "USD 0.00")
	got, err = Max(zero, five.Neg())
	check(t, got, err, "USD 0.00")
	got, err = zero.WithCurrency("BHD")
	check(t, got, err, "BHD 0.000")
	got, err = five.WithCurrency("USD")
	check(t, got, err, "USD 5.00")
	if c, err := zero.Cmp(five); c != -1 || err != nil {
		t.Errorf("Cmp: %d, %v", c, err)
	}
	if !zero.Equal(MustParse("0", "EUR")) || !zero.Equal(zero) || zero.Equal(five) || MustParse("0", "EUR").Equal(MustParse("0", "USD")) {
		t.Error("Equal of zero")
	}
	if units, ok := zero.Minor(); units != 0 || !ok || zero.Float64() != 0 || zero.Currency() != "" || !zero.IsZero() || zero.Sign() != 0 {
		t.Error("accessors of zero")
	}
	if f, err := zero.Ratio(five); f != 0 || err != nil {
		t.Errorf("Ratio: %v, %v", f, err)
	}
	if _, err := five.Ratio(zero); !errors.Is(err, ErrUndefined) {
		t.Errorf("Ratio: %v", err)
	}
}

func TestFromFloat(t *testing.T) {
	tests := []struct {
		f    float64
		c    Currency
		mode Rounding
		want string
	}{
		{1.15, "USD", Down, "USD 1.15"}, // the float64 is 1.149999999999999911...
		{136.98, "USD", Down, "USD 136.98"},
		{2.675, "USD", HalfUp, "USD 2.68"},
		{0.30000000000000004, "USD", HalfEven, "USD 0.30"},
		{0.30000000000000004, "USD", Up, "USD 0.31"},
		{-0.001, "USD", HalfEven, "USD 0.00"},
		{-0.001, "USD", Up, "USD -0.01"},
		{math.Copysign(0, -1), "USD", Up, "USD 0.00"},
		{1e-300, "USD", Up, "USD 0.01"},
		{-1e-300, "USD", Floor, "USD -0.01"},
		{-1e-300, "USD", Ceiling, "USD 0.00"},
		{5e-324, "USD", Ceiling, "USD 0.01"},
		{5e-324, "USD", HalfUp, "USD 0.00"},
		{1e22, "JPY", HalfEven, "JPY 10000000000000000000000"},
		{-9.87654321e37, "USD", HalfEven, "USD -98765432100000000000000000000000000000.00"},
		{0.0005, "BHD", HalfUp, "BHD 0.001"},
		{1 << 53, "CLF", Up, "CLF 9007199254740992.0000"},
	}
	for _, tt := range tests {
		got, err := FromFloat(tt.f, tt.c, tt.mode)
		check(t, got, err, tt.want)
	}
}

// FromFloat rounds the shortest decimal of the float64, as NewFromFloat of the decimal package finds it.
func TestFromFloatProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		f := math.Ldexp(r.Float64()-0.5, r.IntN(120)-60)
		mode := modes[r.IntN(len(modes))]
		exact, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', -1, 64), 64)
		got, err := FromFloat(exact, "USD", mode)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, got)
		want := quoBig(decimal.NewFromFloat(f).Shift(80).BigInt(), bigPower(78), mode) // all digits of 2^-60 times a double
		if rat(got).Cmp(new(big.Rat).SetFrac(want, big.NewInt(100))) != 0 {
			t.Fatalf("FromFloat(%v, %v) = %v, want %v cents", f, mode, got, want)
		}
	}
}

// Amounts up to 15 digits survive the way through float64.
func TestFloatRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, _ := FromMinor(r.Int64N(2e15)-1e15, "USD")
		for _, mode := range modes {
			if got, err := FromFloat(a.Float64(), "USD", mode); err != nil || !got.Equal(a) {
				t.Fatalf("%v by %v: %v, %v", a, mode, got, err)
			}
		}
	}
}

func TestAmountIsSmall(t *testing.T) {
	if size := reflect.TypeOf(Amount{}).Size(); size > 24 {
		t.Errorf("an Amount takes %d bytes", size)
	}
	if n := reflect.TypeOf(Amount{}).NumField(); n > 4 {
		t.Errorf("an Amount has %d fields: it no longer travels in registers", n)
	}
	x, y := MustParse("12.50", "USD"), MustParse("0.125", "USD")
	if n := testing.AllocsPerRun(100, func() { sink, _ = x.Add(y); sink, _ = sink.Sub(x); sink = sink.Round(HalfEven) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMinorSpecial(t *testing.T) {
	for _, a := range []Amount{MustParse("0.001", "USD"), MustParse("92233720368547758.08", "USD"), MustParse("92233720368547758", "CLF"), MustParse("1", "XAU")} {
		if units, ok := a.Minor(); ok {
			t.Errorf("%v.Minor() = %d, true", a, units)
		}
	}
	if units, ok := MustParse("-92233720368547758.08", "USD").Minor(); !ok || units != math.MinInt64 {
		t.Errorf("least Minor: %d, %t", units, ok)
	}
}

// TestMulFraction compares with MulRat and with the exact fraction where that has no int64.
func TestMulFraction(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		a := mustMinor(t, r.Int64N(1e12)-5e11)
		num, den := r.Int64N(1e9)-5e8, 1+r.Int64N(1e9)
		mode := Rounding(r.IntN(7))
		want, err := a.MulRat(num, den, mode)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.MulFraction(big.NewRat(num, den), mode)
		if err != nil || !got.Equal(want) {
			t.Fatalf("%v * %d/%d %v = %v with error %v, want %v", a, num, den, mode, got, err, want)
		}
	}
	// A fraction that only differs from a tenth in its 52nd digit.
	tenth, _ := new(big.Rat).SetString("0.1000000000000000000000000000000000000000000000000001")
	got, err := MustParse("50", "USD").MulFraction(tenth, Up)
	if err != nil || got.String() != "USD 5.01" {
		t.Errorf("a little more than a tenth of USD 50, rounded up: %v with error %v", got, err)
	}
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 9000))
	for _, f := range []*big.Rat{nil, huge} {
		if _, err := got.MulFraction(f, Up); !errors.Is(err, ErrArgument) {
			t.Errorf("error %v, want ErrArgument", err)
		}
	}
}

func mustMinor(t *testing.T, units int64) Amount {
	t.Helper()
	a, err := FromMinor(units, "USD")
	if err != nil {
		t.Fatal(err)
	}
	return a
}
