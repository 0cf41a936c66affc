package money

import (
	"encoding/json"
	"math/big"
	"regexp"
	"testing"
)

var plain = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// FuzzParse holds Parse against math/big and a regular expression, and the print against Parse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"12.34", "-0.01", "+5", "0.000", "", ".", "1.", "1e5", "1_000", " 1", "NaN", "0x10", "١", "9223372036854775808", "99999999999999999999999999999999999999", "0.0000000000000000000000000000000000001"} {
		f.Add(s, "USD")
	}
	f.Add("5", "JPY")
	f.Add("1.50", "XAU")
	f.Fuzz(func(t *testing.T, s, currency string) {
		a, err := Parse(s, Currency(currency))
		digits := 0
		for _, c := range s {
			if c >= '0' && c <= '9' {
				digits++
			}
		}
		want := plain.MatchString(s) && len(s) <= 64 && digits <= 38 && Currency(currency).Validate() == nil
		if err != nil {
			if x, ok := new(big.Rat).SetString(s); want && ok && new(big.Rat).Mul(x, new(big.Rat).SetInt(bigPower(37))).IsInt() {
				t.Fatalf("Parse(%q, %q): %v", s, currency, err)
			}
			return
		}
		wellFormed(t, a)
		x, ok := new(big.Rat).SetString(s)
		if !want || !ok || rat(a).Cmp(x) != 0 || a.Currency() != Currency(currency) {
			t.Fatalf("Parse(%q, %q) = %v", s, currency, a)
		}
		var b Amount
		if err := b.UnmarshalText([]byte(a.String())); err != nil || !b.Equal(a) || b.String() != a.String() {
			t.Fatalf("%v printed and read: %v, %v", a, b, err)
		}
	})
}

// FuzzJSON holds the reader against encoding/json: what it accepts, that accepts too and reads the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"amount":"12.50","currency":"USD"}`, `{"currency":"JPY","amount":9007199254740993}`, `{"amount":0,"currency":""}`,
		`null`, `{}`, `{"amount":1e5,"currency":"USD"}`, `{"amount":"\u0031","currency":"USD"}`, `{"amount":"1","amount":"2","currency":"USD"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Amount
		if err := a.UnmarshalJSON(data); err != nil {
			if !a.Equal(Amount{}) {
				t.Fatalf("%s: changed on %v", data, err)
			}
			return
		}
		wellFormed(t, a)
		var oracle struct {
			Amount   json.RawMessage `json:"amount"`
			Currency Currency        `json:"currency"`
		}
		if err := json.Unmarshal(data, &oracle); err != nil {
			t.Fatalf("%s: accepted, but %v", data, err)
		}
		text := string(oracle.Amount)
		if text[0] == '"' {
			if err := json.Unmarshal(oracle.Amount, &text); err != nil {
				t.Fatal(err)
			}
		}
		if x, ok := new(big.Rat).SetString(text); !ok || x.Cmp(rat(a)) != 0 || oracle.Currency != a.Currency() {
			t.Fatalf("%s: %v", data, a)
		}
		again, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var b Amount
		if err := json.Unmarshal(again, &b); err != nil || b.String() != a.String() {
			t.Fatalf("%s: %v, %v", again, b, err)
		}
	})
}

// FuzzSQL reads text as a database driver hands it over.
func FuzzSQL(f *testing.F) {
	for _, s := range []string{"USD 12.50", "JPY 5", "0", "-0.00", "5", "usd 5", "USD  5", "USD 1e9", "XAU 0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a, b Amount
		err := a.Scan(s)
		if err2 := b.Scan([]byte(s)); (err == nil) != (err2 == nil) || !a.Equal(b) {
			t.Fatalf("%q: %v, %v as string; %v, %v as bytes", s, a, err, b, err2)
		}
		if err != nil {
			return
		}
		wellFormed(t, a)
		v, err := a.Value()
		if err != nil || b.Scan(v) != nil || b.String() != a.String() {
			t.Fatalf("%q: %v became %v, %v", s, a, v, err)
		}
	})
}

// FuzzBinary accepts only what MarshalBinary writes.
func FuzzBinary(f *testing.F) {
	for _, a := range awkward() {
		data, err := a.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x01USD\x01\x00\x0a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Amount
		if err := a.UnmarshalBinary(data); err != nil {
			return
		}
		wellFormed(t, a)
		again, err := a.MarshalBinary()
		if err != nil || string(again) != string(data) {
			t.Fatalf("%x: %v became %x, %v", data, a, again, err)
		}
	})
}

// FuzzAllocate splits any amount by any three weights.
func FuzzAllocate(f *testing.F) {
	f.Add(int64(100), uint8(0), int64(1), int64(1), int64(1))
	f.Add(int64(-1<<63), uint8(3), int64(1<<62), int64(1<<62), int64(1<<62))
	f.Fuzz(func(t *testing.T, coef int64, scale uint8, x, y, z int64) {
		a := small(coef, int(scale)%(maxScale+1), usd)
		parts, err := a.Allocate(x, y, z)
		if x < 0 || y < 0 || z < 0 || x|y|z == 0 {
			if err == nil {
				t.Fatalf("%v by %d, %d, %d: %v", a, x, y, z, parts)
			}
			return
		}
		if sum, err2 := Total(parts...); err != nil || err2 != nil || !sum.Equal(a) {
			t.Fatalf("%v by %d, %d, %d: %v, %v, %v", a, x, y, z, parts, err, err2)
		}
		byFloat, err := a.AllocateBy([]float64{float64(x), float64(y), float64(z)})
		if sum, err2 := Total(byFloat...); err != nil || err2 != nil || !sum.Equal(a) {
			t.Fatalf("%v by floats %d, %d, %d: %v, %v, %v", a, x, y, z, byFloat, err, err2)
		}
	})
}
