package money

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func eurusd(value string) Rate {
	return Rate{Base: "EUR", Quote: "USD", Value: dec(value), AsOf: time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC)}
}

func TestConvert(t *testing.T) {
	tests := []struct {
		r    Rate
		a    Amount
		want string
	}{
		{eurusd("1.0845"), MustParse("10.01", "EUR"), "USD 10.855845"},
		{eurusd("2"), MustParse("10.50", "EUR"), "USD 21.00"},
		{eurusd("1.0845"), Amount{}, "USD 0.00"},
		{eurusd("1.0845"), MustParse("-0", "EUR"), "USD 0.00"},
		{Rate{Base: "USD", Quote: "JPY", Value: dec("150.25")}, MustParse("12.34", "USD"), "JPY 1854.085"},
		{Rate{Base: "USD", Quote: "BHD", Value: dec("0.376")}, MustParse("1", "USD"), "BHD 0.376"},
		{Rate{Base: "USD", Quote: "USD", Value: dec("1.00")}, MustParse("1", "USD"), "USD 1.00"},
		{Rate{Base: "XAU", Quote: "USD", Value: dec("2650.5")}, MustParse("1.5", "XAU"), "USD 3975.75"},
		{eurusd("1.000000000000000000001"), MustParse("12345678901.23", "EUR"), "USD 12345678901.23000000001234567890123"},
	}
	for _, tt := range tests {
		got, err := tt.r.Convert(tt.a)
		check(t, got, err, tt.want)
	}
	var mismatch *CurrencyMismatchError
	if _, err := eurusd("1").Convert(MustParse("1", "USD")); !errors.As(err, &mismatch) || mismatch.A != "USD" || mismatch.B != "EUR" {
		t.Errorf("mismatch: %v", err)
	}
	if _, err := eurusd("1.23456789012345678901").Convert(MustParse("1234567890123456789.01", "EUR")); !errors.Is(err, ErrRange) {
		t.Errorf("range: %v", err)
	}
}

func TestRateValidate(t *testing.T) {
	tests := []struct {
		r    Rate
		want string
	}{
		{Rate{}, `money: not an ISO 4217 currency code: "" (base of a rate)`},
		{Rate{Base: "EUR", Quote: "usd"}, `money: not an ISO 4217 currency code: "usd" (quote of a rate)`},
		{Rate{Base: "EUR", Quote: "USD"}, `money: invalid argument: rate EUR/USD: 0.00 is not positive`},
		{eurusd("-1.5"), `money: invalid argument: rate EUR/USD: -1.50 is not positive`},
		{Rate{Base: "USD", Quote: "USD", Value: dec("1.01")}, `money: invalid argument: rate USD/USD: 1.01 is not 1`},
		{Rate{Base: "EUR", Quote: "USD", Value: decimal.New(1, 2147483647)}, `money: out of range: exponent 2147483647 (rate EUR/USD)`},
		{Rate{Base: "EUR", Quote: "USD", Value: decimal.New(1, -100)}, `money: out of range: more than 38 digits, or more than 37 after the point (rate EUR/USD)`},
	}
	for _, tt := range tests {
		if err := tt.r.Validate(); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
		if _, err := tt.r.Convert(MustParse("1", "EUR")); err == nil || err.Error() != tt.want {
			t.Errorf("Convert: %v, want %s", err, tt.want)
		}
		if _, err := json.Marshal(tt.r); err == nil {
			t.Errorf("an invalid rate became JSON: %v", tt.r)
		}
	}
}

func TestRateJSON(t *testing.T) {
	got, err := json.Marshal(eurusd("1.08450"))
	want := `{"base":"EUR","quote":"USD","value":"1.0845","as_of":"2025-01-31T00:00:00Z"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	var r Rate
	if err := json.Unmarshal(got, &r); err != nil || r.String() != "EUR/USD 1.0845" || !r.AsOf.Equal(eurusd("1").AsOf) {
		t.Errorf("%v, %v", r, err)
	}
	for _, bad := range []string{
		`null`, `{}`, `[]`, `"EUR/USD"`,
		`{"base":"EUR","quote":"USD","value":1.0845}`,
		`{"base":"EUR","quote":"USD","value":"1e9999"}`,
		`{"base":"EUR","quote":"USD","value":"-1"}`,
		`{"base":"EUR","quote":"USD","value":"1","rate":"2"}`,
		`{"base":"EUR","quote":"EUX","value":"1"}`,
	} {
		if err := json.Unmarshal([]byte(bad), &r); err == nil || r.String() != "EUR/USD 1.0845" {
			t.Errorf("%s: %v, %v", bad, r, err)
		}
	}
	if got := (Rate{Base: "EUR", Quote: "USD", Value: decimal.New(1, 2147483647)}).String(); got != "EUR/USD out of range" {
		t.Error(got)
	}
}
