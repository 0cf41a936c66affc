package money

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
)

// Values of the table in the documentation of java.math.RoundingMode, and of BigDecimal for two digits.
func TestRoundTable(t *testing.T) {
	tests := []struct {
		value string
		scale int32
		want  [7]string // HalfEven, HalfUp, HalfDown, Up, Down, Ceiling, Floor
	}{
		{"5.5", 0, [7]string{"6", "6", "5", "6", "5", "6", "5"}},
		{"2.5", 0, [7]string{"2", "3", "2", "3", "2", "3", "2"}},
		{"1.6", 0, [7]string{"2", "2", "2", "2", "1", "2", "1"}},
		{"1.1", 0, [7]string{"1", "1", "1", "2", "1", "2", "1"}},
		{"1.0", 0, [7]string{"1", "1", "1", "1", "1", "1", "1"}},
		{"-1.0", 0, [7]string{"-1", "-1", "-1", "-1", "-1", "-1", "-1"}},
		{"-1.1", 0, [7]string{"-1", "-1", "-1", "-2", "-1", "-1", "-2"}},
		{"-1.6", 0, [7]string{"-2", "-2", "-2", "-2", "-1", "-1", "-2"}},
		{"-2.5", 0, [7]string{"-2", "-3", "-2", "-3", "-2", "-2", "-3"}},
		{"-5.5", 0, [7]string{"-6", "-6", "-5", "-6", "-5", "-5", "-6"}},
		{"0.005", 2, [7]string{"0.00", "0.01", "0.00", "0.01", "0.00", "0.01", "0.00"}},
		{"0.015", 2, [7]string{"0.02", "0.02", "0.01", "0.02", "0.01", "0.02", "0.01"}},
		{"0.025", 2, [7]string{"0.02", "0.03", "0.02", "0.03", "0.02", "0.03", "0.02"}},
		{"1.005", 2, [7]string{"1.00", "1.01", "1.00", "1.01", "1.00", "1.01", "1.00"}},
		{"1.015", 2, [7]string{"1.02", "1.02", "1.01", "1.02", "1.01", "1.02", "1.01"}},
		{"2.675", 2, [7]string{"2.68", "2.68", "2.67", "2.68", "2.67", "2.68", "2.67"}},
		{"-0.005", 2, [7]string{"0.00", "-0.01", "0.00", "-0.01", "0.00", "0.00", "-0.01"}},
		{"-0.015", 2, [7]string{"-0.02", "-0.02", "-0.01", "-0.02", "-0.01", "-0.01", "-0.02"}},
		{"0.125", 2, [7]string{"0.12", "0.13", "0.12", "0.13", "0.12", "0.13", "0.12"}},
		{"0.135", 2, [7]string{"0.14", "0.14", "0.13", "0.14", "0.13", "0.14", "0.13"}},
		{"0.145", 2, [7]string{"0.14", "0.15", "0.14", "0.15", "0.14", "0.15", "0.14"}},
		{"1.00499999999999999", 2, [7]string{"1.00", "1.00", "1.00", "1.01", "1.00", "1.01", "1.00"}},
		{"0.00000000000000000000000000001", 2, [7]string{"0.00", "0.00", "0.00", "0.01", "0.00", "0.01", "0.00"}},
		{"12350", -2, [7]string{"12400", "12400", "12300", "12400", "12300", "12400", "12300"}},
		{"-12350", -2, [7]string{"-12400", "-12400", "-12300", "-12400", "-12300", "-12300", "-12400"}},
	}
	for _, tt := range tests {
		for i, mode := range modes {
			currency := Currency("JPY")
			if tt.scale == 2 {
				currency = "USD"
			}
			a := MustParse(tt.value, currency)
			want := string(currency) + " " + tt.want[i]
			got, err := a.RoundTo(tt.scale, mode)
			check(t, got, err, want)
			if tt.scale >= 0 {
				check(t, a.Round(mode), nil, want)
			}
			if q, err := a.Div(decimal.New(1, 0), mode); tt.scale >= 0 {
				check(t, q, err, want)
			}
			if q, err := a.MulRat(3, 3, mode); tt.scale >= 0 {
				check(t, q, err, want)
			}
		}
	}
}

func TestRoundingAgainstJava(t *testing.T) {
	for _, row := range load(t, "testdata/rounding.json").Rows {
		a, plain := MustParse(row.Value, "USD"), MustParse(row.Value, "XXX")
		for i, mode := range modes {
			got, err := plain.RoundTo(row.To, mode)
			check(t, got, err, MustParse(row.Round[i], "XXX").String())
			q, err := a.Div(dec(row.Divisor), mode)
			want, parseErr := Parse(row.Divide[i], "USD")
			if parseErr != nil { // the quotient has more digits than an amount
				if want, parseErr = New(dec(row.Divide[i]), "USD"); parseErr != nil {
					if !errors.Is(err, ErrRange) {
						t.Errorf("%s / %s = %v, %v; want an error of range", row.Value, row.Divisor, q, err)
					}
					continue
				}
			}
			check(t, q, err, want.String())
		}
	}
}

func TestRoundSpecial(t *testing.T) {
	if got := MustParse("1.23456", "XAU").Round(Up); got.String() != "XAU 1.23456" {
		t.Errorf("Round of a currency without a minor unit: %v", got)
	}
	if got := (Amount{}).Round(Up); got.String() != "0" {
		t.Errorf("Round of the zero Amount: %v", got)
	}
	if got := MustParse("1.239", "USD").Round(Rounding(7)); got.String() != "USD 1.239" {
		t.Errorf("Round by an unknown mode: %v", got)
	}
	nines := MustParse("9999999999999999999999999999999999999.9", "JPY")
	check(t, nines.Round(Up), nil, "JPY 10000000000000000000000000000000000000")
	if _, err := nines.RoundTo(-38, Up); !errors.Is(err, ErrRange) {
		t.Errorf("RoundTo(-38, Up): %v", err)
	}
	got, err := nines.RoundTo(-38, Down)
	check(t, got, err, "JPY 0")
	got, err = MustParse("1.239", "USD").RoundTo(1<<31-1, Up)
	check(t, got, err, "USD 1.239")
	got, err = Amount{}.RoundTo(-2, Up)
	check(t, got, err, "0")
}

func TestRoundCash(t *testing.T) {
	tests := []struct {
		a, step string
		mode    Rounding
		want    string
	}{
		{"12.32", "0.05", HalfEven, "CHF 12.30"},
		{"12.33", "0.05", HalfEven, "CHF 12.35"},
		{"12.325", "0.05", HalfUp, "CHF 12.35"},
		{"12.325", "0.05", HalfDown, "CHF 12.30"},
		{"12.325", "0.05", HalfEven, "CHF 12.30"}, // 246 steps is even
		{"-12.325", "0.05", HalfUp, "CHF -12.35"},
		{"-12.31", "0.05", Ceiling, "CHF -12.30"},
		{"-12.31", "0.05", Floor, "CHF -12.35"},
		{"7", "2.50", Up, "CHF 7.50"},
		{"7.50", "2.50", Up, "CHF 7.50"},
		{"1234567890123456789012345678", "0.05", Up, "CHF 1234567890123456789012345678.00"},
		{"1234567890123456789012345678.01", "0.05", Up, "CHF 1234567890123456789012345678.05"},
		{"9223372036854775.807", "5000", Up, "CHF 9223372036855000.00"},
	}
	for _, tt := range tests {
		got, err := MustParse(tt.a, "CHF").RoundCash(MustParse(tt.step, "CHF"), tt.mode)
		check(t, got, err, tt.want)
	}
}

func TestRoundingString(t *testing.T) {
	want := []string{"HalfEven", "HalfUp", "HalfDown", "Up", "Down", "Ceiling", "Floor"}
	for i, mode := range modes {
		if mode.String() != want[i] {
			t.Errorf("%d: %s, want %s", i, mode, want[i])
		}
	}
	if got := Rounding(9).String(); got != "Rounding(9)" {
		t.Error(got)
	}
	data, err := json.Marshal(modes)
	if err != nil || string(data) != `["HalfEven","HalfUp","HalfDown","Up","Down","Ceiling","Floor"]` {
		t.Errorf("%s, %v", data, err)
	}
	var got []Rounding
	if err := json.Unmarshal(data, &got); err != nil || !slices.Equal(got, modes) {
		t.Errorf("%v, %v", got, err)
	}
	r := Up
	if err := r.UnmarshalText([]byte("halfup")); !errors.Is(err, ErrArgument) || err.Error() != `money: invalid argument: rounding mode "halfup"` || r != Up {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := Rounding(9).MarshalText(); !errors.Is(err, ErrArgument) {
		t.Error(err)
	}
}
