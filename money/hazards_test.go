package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// Each test is a hazard of the decimal type underneath, or a mistake seen in money types elsewhere, kept out for good.

func TestHazardComparison(t *testing.T) {
	// two decimals of equal value differ by ==, so an Amount must not have ==
	if reflect.TypeOf(Amount{}).Comparable() {
		t.Error("Amount compares with ==")
	}
	if a, b := MustParse("1.10", "USD"), MustParse("1.1", "USD"); !a.Equal(b) || a.Key() != b.Key() {
		t.Error("1.10 differs from 1.1")
	}
	seen := map[string]bool{}
	for _, s := range []string{"1", "1.0", "1.000", "+1", "01"} {
		seen[MustParse(s, "USD").Key()] = true
	}
	if len(seen) != 1 {
		t.Errorf("one value has %d keys", len(seen))
	}
}

// hostile are decimals whose arithmetic would take seconds to years.
func hostile() []decimal.Decimal {
	digits := new(big.Int).Exp(big.NewInt(10), big.NewInt(20_000), nil)
	return []decimal.Decimal{
		decimal.New(1, math.MaxInt32),
		decimal.New(1, math.MinInt32),
		decimal.New(-7, 1_000_000_000),
		decimal.New(1, 10_000),
		decimal.New(1, -10_000),
		decimal.New(math.MaxInt64, 129),
		decimal.NewFromBigInt(digits, 0),
		decimal.NewFromBigInt(digits, -20_000), // the value is 1
		decimal.NewFromBigInt(digits, math.MinInt32),
	}
}

func TestHazardExponent(t *testing.T) {
	a := MustParse("12.50", "USD")
	for i, d := range hostile() {
		if _, err := New(d, "USD"); !errors.Is(err, ErrRange) {
			t.Errorf("%d: New: %v", i, err)
		}
		if _, err := a.Mul(d); !errors.Is(err, ErrRange) {
			t.Errorf("%d: Mul: %v", i, err)
		}
		if _, err := a.Div(d, HalfEven); !errors.Is(err, ErrRange) {
			t.Errorf("%d: Div: %v", i, err)
		}
		if _, err := (Rate{Base: "USD", Quote: "EUR", Value: d}).Convert(a); !errors.Is(err, ErrRange) {
			t.Errorf("%d: Convert: %v", i, err)
		}
	}
	for _, s := range []string{"1e1000000000", "1e-2147483648", "1E400000", strings.Repeat("9", 1_000_000)} {
		var x Amount
		if _, err := Parse(s, "USD"); err == nil {
			t.Errorf("Parse accepts %.20s", s)
		}
		if err := x.Scan("USD " + s); err == nil {
			t.Errorf("Scan accepts %.20s", s)
		}
		if err := x.UnmarshalText([]byte("USD " + s)); err == nil {
			t.Errorf("UnmarshalText accepts %.20s", s)
		}
		if err := json.Unmarshal([]byte(`{"amount":`+s+`,"currency":"USD"}`), &x); err == nil {
			t.Errorf("JSON accepts %.20s", s)
		}
	}
	if a, err := New(decimal.New(0, math.MaxInt32), "USD"); err != nil || a.String() != "USD 0.00" {
		t.Errorf("zero of a large exponent: %v, %v", a, err)
	}
	if a, err := New(decimal.New(5, 3), "USD"); err != nil || a.String() != "USD 5000.00" {
		t.Errorf("5e3: %v, %v", a, err)
	}
	if a, err := New(decimal.NewFromBigInt(bigPower(60), -60), "USD"); err != nil || a.String() != "USD 1.00" {
		t.Errorf("one with 60 zeros: %v, %v", a, err)
	}
}

func TestHazardDivisionPrecision(t *testing.T) {
	// decimal.Div keeps 16 digits after the point: 1/1e20 is 0 there
	got, err := MustParse("12345678901234567890.12", "USD").Div(decimal.New(1, 20), Up)
	check(t, got, err, "USD 0.13")
	third, err := MustParse("2", "USD").MulRat(1, 3, HalfEven)
	check(t, third, err, "USD 0.67")
	f, err := MustParse("1", "USD").Ratio(MustParse("100000000000000000000", "USD"))
	if f != 1e-20 || err != nil {
		t.Errorf("Ratio: %v, %v", f, err)
	}
}

func TestHazardDoubleRounding(t *testing.T) {
	tests := []struct {
		num, den string
		mode     Rounding
		want     string
	}{
		{"0.00499999999999999999", "1", HalfUp, "USD 0.00"},
		{"1.00499999999999999", "1", HalfUp, "USD 1.00"},
		{"0.1250000000000000000001", "1", HalfEven, "USD 0.13"},
		{"0.0499999999999999999999", "10", HalfUp, "USD 0.00"},
		{"1.2500000000000000000001", "10", HalfEven, "USD 0.13"},
		{"0.01", "1000000000000000000000000000000", Up, "USD 0.01"},
	}
	for _, tt := range tests {
		got, err := MustParse(tt.num, "USD").Div(dec(tt.den), tt.mode)
		check(t, got, err, tt.want)
	}
	check(t, MustParse("0.1250000000000000000001", "USD").Round(HalfEven), nil, "USD 0.13")
}

func TestHazardRepresentation(t *testing.T) {
	// a tie is a tie however its digits are held
	for _, d := range []decimal.Decimal{decimal.New(125, -3), decimal.New(12500, -5), decimal.NewFromBigInt(new(big.Int).Mul(big.NewInt(125), bigPower(30)), -33)} {
		a, err := New(d, "USD")
		if err != nil {
			t.Fatal(err)
		}
		check(t, a.Round(HalfEven), nil, "USD 0.12")
		check(t, a, nil, "USD 0.125")
	}
}

func TestHazardDigitGrowth(t *testing.T) {
	// 1.0123^360 has 1,442 digits; an amount refuses before it grows
	a, err := MustParse("100", "USD"), error(nil)
	steps := 0
	for ; err == nil && steps < 360; steps++ {
		a, err = a.Mul(dec("1.0123"))
	}
	if !errors.Is(err, ErrRange) || steps > 40 {
		t.Errorf("after %d steps: %v", steps, err)
	}
	// rounding at each step keeps it small
	a = MustParse("100", "USD")
	for range 360 {
		if a, err = a.Mul(dec("1.0123")); err != nil {
			t.Fatal(err)
		}
		a = a.Round(HalfEven)
	}
	if f := a.Float64(); math.Abs(f/(100*math.Pow(1.0123, 360))-1) > 1e-3 {
		t.Errorf("100 * 1.0123^360 = %v", a)
	}
}

func TestHazardPanics(t *testing.T) {
	a := MustParse("12.50", "USD")
	if _, err := a.Div(decimal.Decimal{}, HalfEven); !errors.Is(err, ErrUndefined) {
		t.Errorf("Div by zero: %v", err)
	}
	if _, err := a.Div(decimal.New(0, math.MaxInt32), HalfEven); !errors.Is(err, ErrUndefined) {
		t.Errorf("Div by zero of a large exponent: %v", err)
	}
	if _, err := a.MulRat(1, 0, HalfEven); !errors.Is(err, ErrUndefined) {
		t.Errorf("MulRat by zero: %v", err)
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -1e38, 1e38} {
		if _, err := FromFloat(f, "USD", HalfEven); !errors.Is(err, ErrRange) {
			t.Errorf("FromFloat(%v): %v", f, err)
		}
		if err := a.Scan(f); err == nil {
			t.Errorf("Scan(%v) is accepted", f)
		}
	}
	for _, step := range []string{"0", "-0.05"} {
		if _, err := a.RoundCash(MustParse(step, "USD"), HalfEven); !errors.Is(err, ErrArgument) {
			t.Errorf("RoundCash(%s): %v", step, err)
		}
	}
	if _, err := a.RoundCash(Amount{}, HalfEven); !errors.Is(err, ErrArgument) {
		t.Errorf("RoundCash of no increment: %v", err)
	}
	got, err := a.RoundCash(MustParse("0.0375", "USD"), HalfEven) // any interval
	check(t, got, err, "USD 12.4875")
}

func TestHazardOverflow(t *testing.T) {
	most, _ := FromMinor(math.MaxInt64, "USD")
	least, _ := FromMinor(math.MinInt64, "USD")
	cent := MustParse("0.01", "USD")
	got, err := most.Add(cent)
	check(t, got, err, "USD 92233720368547758.08")
	got, err = least.Sub(cent)
	check(t, got, err, "USD -92233720368547758.09")
	check(t, least.Neg(), nil, "USD 92233720368547758.08")
	check(t, least.Abs().Neg(), nil, "USD -92233720368547758.08")
	got, err = least.MulInt(-1)
	check(t, got, err, "USD 92233720368547758.08")
	got, err = least.Sub(least)
	check(t, got, err, "USD 0.00")
	got, err = New(dec("10000000000000000000"), "JPY") // IntPart gives -8446744073709551616
	check(t, got, err, "JPY 10000000000000000000")
	got, err = MustParse("2147483647000000000", "USD").Add(cent) // another library loses the cent
	check(t, got, err, "USD 2147483647000000000.01")
	top := MustParse(strings.Repeat("9", 38), "JPY")
	if _, err := top.Add(MustParse("1", "JPY")); !errors.Is(err, ErrRange) {
		t.Errorf("10^38: %v", err)
	}
	if _, err := top.MulInt(2); !errors.Is(err, ErrRange) {
		t.Errorf("2*10^38: %v", err)
	}
}

func TestHazardText(t *testing.T) {
	// decimal's String drops zeros and, with its globals, the quotes of JSON
	if a := MustParse("1.10", "USD"); a.String() != "USD 1.10" {
		t.Error(a)
	}
	for _, s := range []string{"-0.00", "-0", "-0.0000"} {
		if a := MustParse(s, "USD"); a.String() != "USD 0.00" || a.Sign() != 0 || a.Neg().String() != "USD 0.00" {
			t.Errorf("%s is %v", s, a)
		}
	}
	if got, err := json.Marshal(struct{ A Amount }{MustParse("1.1", "USD")}); string(got) != `{"A":{"amount":"1.10","currency":"USD"}}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestHazardTruncatingModulo(t *testing.T) {
	// -7/2 truncates to -3; Floor and Ceiling must look at the sign of the quotient
	a := MustParse("-7", "JPY")
	for mode, want := range map[Rounding]string{Floor: "JPY -4", Ceiling: "JPY -3", Down: "JPY -3", Up: "JPY -4", HalfEven: "JPY -4", HalfDown: "JPY -3"} {
		got, err := a.Div(dec("2"), mode)
		check(t, got, err, want)
		got, err = a.Neg().Div(dec("-2"), mode)
		check(t, got, err, want)
		got, err = a.MulRat(1, 2, mode)
		check(t, got, err, want)
	}
}

func TestHazardMixedCurrencies(t *testing.T) {
	usd, eur := MustParse("5", "USD"), MustParse("0", "EUR")
	tests := map[string]func() error{
		"Add":          func() error { _, err := usd.Add(eur); return err },
		"Sub":          func() error { _, err := usd.Sub(eur); return err },
		"Cmp":          func() error { _, err := usd.Cmp(eur); return err },
		"Ratio":        func() error { _, err := usd.Ratio(eur); return err },
		"Min":          func() error { _, err := Min(usd, eur); return err },
		"Max":          func() error { _, err := Max(usd, eur); return err },
		"RoundCash":    func() error { _, err := usd.RoundCash(eur, Up); return err },
		"WithCurrency": func() error { _, err := usd.WithCurrency("EUR"); return err },
		"Total":        func() error { _, err := Total(usd, eur); return err },
	}
	for name, f := range tests {
		var mismatch *CurrencyMismatchError
		err := f()
		if !errors.As(err, &mismatch) || mismatch.A != "USD" || mismatch.B != "EUR" || err.Error() != "money: currencies differ: USD and EUR" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if usd.Equal(MustParse("5", "EUR")) {
		t.Error("USD 5 equals EUR 5")
	}
	if got := (&CurrencyMismatchError{B: "EUR"}).Error(); got != "money: currencies differ: none and EUR" {
		t.Error(got)
	}
}

func TestHazardNoMinorUnit(t *testing.T) {
	gold := MustParse("1.5", "XAU")
	tests := map[string]func() error{
		"FromMinor": func() error { _, err := FromMinor(1, "XAU"); return err },
		"FromFloat": func() error { _, err := FromFloat(1, "XAU", HalfEven); return err },
		"Div":       func() error { _, err := gold.Div(dec("2"), HalfEven); return err },
		"MulRat":    func() error { _, err := gold.MulRat(1, 2, HalfEven); return err },
		"Split":     func() error { _, err := gold.Split(2); return err },
	}
	for name, f := range tests {
		if err := f(); !errors.Is(err, ErrNoMinorUnit) || err.Error() != "money: currency without a minor unit: XAU" {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := gold.RoundTo(0, HalfEven)
	check(t, got, err, "XAU 2")
}

func TestHazardUnknownRounding(t *testing.T) {
	a, bad := MustParse("12.50", "USD"), Rounding(200)
	tests := map[string]func() error{
		"FromFloat": func() error { _, err := FromFloat(1, "USD", bad); return err },
		"Div":       func() error { _, err := a.Div(dec("2"), bad); return err },
		"MulRat":    func() error { _, err := a.MulRat(1, 2, bad); return err },
		"RoundTo":   func() error { _, err := a.RoundTo(0, bad); return err },
		"RoundCash": func() error { _, err := a.RoundCash(a, bad); return err },
	}
	for name, f := range tests {
		if err := f(); !errors.Is(err, ErrArgument) || err.Error() != "money: invalid argument: Rounding(200)" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.RoundTo(-39, Up); !errors.Is(err, ErrArgument) || err.Error() != "money: invalid argument: scale -39" {
		t.Errorf("RoundTo(-39): %v", err)
	}
}
