package money

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	accept := []struct{ s, want string }{
		{"12.34", "USD 12.34"},
		{"-0.01", "USD -0.01"},
		{"+5", "USD 5.00"},
		{"0", "USD 0.00"},
		{"0.000", "USD 0.00"},
		{"-0.00", "USD 0.00"},
		{"007.5", "USD 7.50"},
		{"0.12345", "USD 0.12345"},
		{"999999999999999999", "USD 999999999999999999.00"},
		{"9223372036854775807", "USD 9223372036854775807.00"},
		{"9223372036854775808", "USD 9223372036854775808.00"},
		{"-9223372036854775808", "USD -9223372036854775808.00"},
		{"99999999999999999999999999999999999999", "USD 99999999999999999999999999999999999999.00"}, // 38 digits
		{"0.0000000000000000000000000000000000001", "USD 0.0000000000000000000000000000000000001"},
		{"1.0000000000000000000000000000000000000", "USD 1.00"},
	}
	for _, tt := range accept {
		got, err := Parse(tt.s, "USD")
		check(t, got, err, tt.want)
	}
	reject := []struct {
		s    string
		is   error
		want string
	}{
		{"", ErrSyntax, `money: not an amount: "": empty`},
		{".", ErrSyntax, `money: not an amount: ".": byte 1: '.' is not expected`},
		{".5", ErrSyntax, `money: not an amount: ".5": byte 1: '.' is not expected`},
		{"1.", ErrSyntax, `money: not an amount: "1.": a digit is missing at the end`},
		{"-", ErrSyntax, `money: not an amount: "-": a digit is missing at the end`},
		{"+-5", ErrSyntax, `money: not an amount: "+-5": byte 2: '-' is not expected`},
		{"5-", ErrSyntax, `money: not an amount: "5-": byte 2: '-' is not expected`},
		{"1.2.3", ErrSyntax, `money: not an amount: "1.2.3": byte 4: '.' is not expected`},
		{"1e5", ErrSyntax, `money: not an amount: "1e5": byte 2: 'e' is not expected`},
		{"1E5", ErrSyntax, `money: not an amount: "1E5": byte 2: 'E' is not expected`},
		{"1_000", ErrSyntax, `money: not an amount: "1_000": byte 2: '_' is not expected`},
		{"1,000", ErrSyntax, `money: not an amount: "1,000": byte 2: ',' is not expected`},
		{" 1", ErrSyntax, `money: not an amount: " 1": byte 1: ' ' is not expected`},
		{"1 ", ErrSyntax, `money: not an amount: "1 ": byte 2: ' ' is not expected`},
		{"1\n", ErrSyntax, `money: not an amount: "1\n": byte 2: '\n' is not expected`},
		{"$1", ErrSyntax, `money: not an amount: "$1": byte 1: '$' is not expected`},
		{"NaN", ErrSyntax, `money: not an amount: "NaN": byte 1: 'N' is not expected`},
		{"Inf", ErrSyntax, `money: not an amount: "Inf": byte 1: 'I' is not expected`},
		{"-Infinity", ErrSyntax, `money: not an amount: "-Infinity": byte 2: 'I' is not expected`},
		{"0x10", ErrSyntax, `money: not an amount: "0x10": byte 2: 'x' is not expected`},
		{"١", ErrSyntax, `money: not an amount: "١": byte 1: 'Ù' is not expected`},
		{"−1", ErrSyntax, `money: not an amount: "−1": byte 1: 'â' is not expected`},
		{"1e1000000000", ErrSyntax, `money: not an amount: "1e1000000000": byte 2: 'e' is not expected`},
		{"1e-2147483648", ErrSyntax, `money: not an amount: "1e-2147483648": byte 2: 'e' is not expected`},
		{strings.Repeat("1", 39), ErrSyntax, `money: not an amount: "` + strings.Repeat("1", 39) + `": more than 38 digits`},
		{"0." + strings.Repeat("0", 38), ErrSyntax, `money: not an amount: "0.` + strings.Repeat("0", 38) + `": more than 38 digits`},
		{strings.Repeat("0", 65), ErrSyntax, `money: not an amount: "` + strings.Repeat("0", 64) + `": longer than 64 bytes`},
		{strings.Repeat("9", 1_000_000), ErrSyntax, `money: not an amount: "` + strings.Repeat("9", 64) + `": longer than 64 bytes`},
	}
	for _, tt := range reject {
		if got, err := Parse(tt.s, "USD"); !errors.Is(err, tt.is) || err.Error() != tt.want || !got.Equal(Amount{}) {
			t.Errorf("%.70q: %v, %v\nwant %s", tt.s, got, err, tt.want)
		}
	}
}

func TestParseCurrencyOfAmount(t *testing.T) {
	for _, c := range []Currency{"", "usd", "US", "USDD", "ZZZ", "U$D", "ÜSD", "\x00\x00\x00"} {
		if _, err := Parse("1", c); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
		if _, err := New(dec("1"), c); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
		if _, err := FromMinor(1, c); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
		if _, err := FromFloat(1, c, HalfEven); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
		if _, err := (Amount{}).WithCurrency(c); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func TestMustParse(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("MustParse does not panic")
		}
	}()
	MustParse("1e5", "USD")
}

// Both representations of the text read alike, and a number that is read prints as a number of the same value.
func TestParseForms(t *testing.T) {
	for _, s := range []string{"12.50", "-1", "1234567890123456789.1234567890123456789", "1.", "x", ""} {
		a, err1 := parse(s, usd, 0)
		b, err2 := parse([]byte(s), usd, 0)
		if !a.Equal(b) || (err1 == nil) != (err2 == nil) || err1 != nil && err1.Error() != err2.Error() {
			t.Errorf("%q: %v, %v as a string; %v, %v as bytes", s, a, err1, b, err2)
		}
	}
}
