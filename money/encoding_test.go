package money

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	_ fmt.Stringer               = Amount{}
	_ json.Marshaler             = Amount{}
	_ json.Unmarshaler           = (*Amount)(nil)
	_ encoding.TextMarshaler     = Amount{}
	_ encoding.TextAppender      = Amount{}
	_ encoding.TextUnmarshaler   = (*Amount)(nil)
	_ encoding.BinaryMarshaler   = Amount{}
	_ encoding.BinaryAppender    = Amount{}
	_ encoding.BinaryUnmarshaler = (*Amount)(nil)
	_ driver.Valuer              = Amount{}
	_ sql.Scanner                = (*Amount)(nil)
)

// awkward are amounts at the edges of what an amount can be.
func awkward() []Amount {
	return []Amount{
		{},
		MustParse("0", "USD"),
		MustParse("-12.50", "USD"),
		MustParse("0.125", "USD"),
		MustParse("92233720368547758.07", "USD"),
		MustParse("-92233720368547758.08", "USD"),
		MustParse("92233720368547758.08", "USD"),
		MustParse("9223372036854775807", "CLF"), // small, but the minor digits would not fit
		MustParse("9007199254740993", "JPY"),
		MustParse("99999999999999999999999999999999999999", "CLF"), // prints as 42 digits
		MustParse("0.0000000000000000000000000000000000001", "XAU"),
		MustParse("-1.2345678901234567890123456789012345678", "BHD"),
	}
}

func TestRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	amounts := awkward()
	for range 3000 {
		m, _ := lookup([...]Currency{"USD", "JPY", "BHD", "CLF", "XAU"}[r.IntN(5)])
		amounts = append(amounts, random(r, m))
	}
	for _, a := range amounts {
		forms := map[string]func() (Amount, error){
			"JSON": func() (b Amount, err error) {
				data, err := json.Marshal(a)
				if err != nil {
					return b, err
				}
				return b, json.Unmarshal(data, &b)
			},
			"text": func() (b Amount, err error) {
				data, err := a.MarshalText()
				if err != nil {
					return b, err
				}
				return b, b.UnmarshalText(data)
			},
			"SQL": func() (b Amount, err error) {
				v, err := a.Value()
				if err != nil {
					return b, err
				}
				return b, b.Scan(v)
			},
			"binary": func() (b Amount, err error) {
				data, err := a.MarshalBinary()
				if err != nil {
					return b, err
				}
				return b, b.UnmarshalBinary(data)
			},
			"decimal": func() (Amount, error) {
				if a.Currency() == "" {
					return a, nil
				}
				return New(a.Decimal(), a.Currency())
			},
		}
		for form, trip := range forms {
			b, err := trip()
			if err != nil {
				t.Fatalf("%v through %s: %v", a, form, err)
			}
			wellFormed(t, b)
			if !a.Equal(b) || a.Currency() != b.Currency() || a.String() != b.String() {
				t.Fatalf("%v through %s: %v", a, form, b)
			}
		}
	}
}

func TestGob(t *testing.T) {
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(awkward()); err != nil {
		t.Fatal(err)
	}
	var got []Amount
	if err := gob.NewDecoder(&buf).Decode(&got); err != nil {
		t.Fatal(err)
	}
	for i, want := range awkward() {
		if !got[i].Equal(want) {
			t.Errorf("%v became %v", want, got[i])
		}
	}
}

func TestFormat(t *testing.T) {
	tests := []struct{ number, currency, text, plain, key, source string }{
		{"12.5", "USD", "USD 12.50", "12.50", "USD 12.5", `money.MustParse("12.50", "USD")`},
		{"12.5000", "USD", "USD 12.50", "12.50", "USD 12.5", `money.MustParse("12.50", "USD")`},
		{"-0.125", "USD", "USD -0.125", "-0.125", "USD -0.125", `money.MustParse("-0.125", "USD")`},
		{"1250", "JPY", "JPY 1250", "1250", "JPY 1250", `money.MustParse("1250", "JPY")`},
		{"0", "BHD", "BHD 0.000", "0.000", "BHD 0", `money.MustParse("0.000", "BHD")`},
		{"1.50", "XAU", "XAU 1.5", "1.5", "XAU 1.5", `money.MustParse("1.5", "XAU")`},
		{"100", "XXX", "XXX 100", "100", "XXX 100", `money.MustParse("100", "XXX")`},
		{"12345678901234567890", "USD", "USD 12345678901234567890.00", "12345678901234567890.00", "USD 12345678901234567890", `money.MustParse("12345678901234567890.00", "USD")`},
	}
	for _, tt := range tests {
		a := MustParse(tt.number, Currency(tt.currency))
		if a.String() != tt.text || a.Number() != tt.plain || a.Key() != tt.key || fmt.Sprintf("%#v", a) != tt.source {
			t.Errorf("%s %s: %s, %s, %s, %#v", tt.number, tt.currency, a, a.Number(), a.Key(), a)
		}
	}
	if a := (Amount{}); a.String() != "0" || a.Number() != "0" || a.Key() != "0" || fmt.Sprintf("%#v", a) != "money.Amount{}" {
		t.Errorf("zero Amount: %s, %s, %#v", a, a.Key(), a)
	}
}

func TestUnmarshalJSON(t *testing.T) {
	accept := []struct{ json, want string }{
		{`{"amount":"12.50","currency":"USD"}`, "USD 12.50"},
		{` { "currency" : "USD" , "amount" : 12.5 } `, "USD 12.50"},
		{`{"amount":9007199254740993,"currency":"JPY"}`, "JPY 9007199254740993"}, // a float64 would give ...992
		{`{"amount":0.1,"currency":"XAU"}`, "XAU 0.1"},
		{`{"amount":-0,"currency":"USD"}`, "USD 0.00"},
		{`{"amount":"\u0031.5","curr\u0065ncy":"US\u0044"}`, "USD 1.50"},
		{`{"amount":"0.00","currency":""}`, "0"},
		{`{"amount":"99999999999999999999999999999999999999.00","currency":"USD"}`, "USD 99999999999999999999999999999999999999.00"},
	}
	for _, tt := range accept {
		var a Amount
		err := json.Unmarshal([]byte(tt.json), &a)
		check(t, a, err, tt.want)
		a = Amount{}
		err = a.UnmarshalJSON([]byte(tt.json))
		check(t, a, err, tt.want)
	}
	reject := []struct{ json, want string }{
		{`null`, `money: not an amount: JSON: an object is expected at byte 1, not 'n'`},
		{``, `money: not an amount: JSON: an object is expected at byte 1, not the end`},
		{`12.5`, `money: not an amount: JSON: an object is expected at byte 1, not '1'`},
		{`"12.50"`, `money: not an amount: JSON: an object is expected at byte 1, not '"'`},
		{`{}`, `money: not an amount: JSON: a string is expected at byte 2, not '}'`},
		{`{"amount":"1"}`, `money: not an amount: JSON: field "currency" is missing`},
		{`{"currency":"USD"}`, `money: not an amount: JSON: field "amount" is missing`},
		{`{"amount":"1","currency":"USD","note":1}`, `money: not an amount: JSON: unknown field "note"`},
		{`{"Amount":"1","currency":"USD"}`, `money: not an amount: JSON: unknown field "Amount"`},
		{`{"amount":"1","amount":"2","currency":"USD"}`, `money: not an amount: JSON: field "amount" is there twice`},
		{`{"amount":"1","currency":"USD","currency":"USD"}`, `money: not an amount: JSON: field "currency" is there twice`},
		{`{"amount":1e5,"currency":"USD"}`, `money: not an amount: JSON: a number with an exponent`},
		{`{"amount":1e400000,"currency":"USD"}`, `money: not an amount: JSON: a number with an exponent`},
		{`{"amount":"1e5","currency":"USD"}`, `money: not an amount: "1e5": byte 2: 'e' is not expected`},
		{`{"amount":"NaN","currency":"USD"}`, `money: not an amount: "NaN": byte 1: 'N' is not expected`},
		{`{"amount":null,"currency":"USD"}`, `money: not an amount: JSON: a number or a string is expected at byte 11, not 'n'`},
		{`{"amount":"1","currency":null}`, `money: not an amount: JSON: a string is expected at byte 26, not 'n'`},
		{`{"amount":"1","currency":840}`, `money: not an amount: JSON: a string is expected at byte 26, not '8'`},
		{`{"amount":true,"currency":"USD"}`, `money: not an amount: JSON: a number or a string is expected at byte 11, not 't'`},
		{`{"amount":"","currency":"USD"}`, `money: not an amount: "": empty`},
		{`{"amount":"1","currency":"usd"}`, `money: not an ISO 4217 currency code: "usd"`},
		{`{"amount":"1","currency":"ZZZ"}`, `money: not an ISO 4217 currency code: "ZZZ"`},
		{`{"amount":"1","currency":"U\"D"}`, `money: not an ISO 4217 currency code: "U\"D"`},
		{`{"amount":"1","currency":""}`, `money: not an ISO 4217 currency code: an amount other than zero without one`},
		{`{"amount":01,"currency":"USD"}`, `money: not an amount: JSON: a number starts with 0`},
		{`{"amount":+1,"currency":"USD"}`, `money: not an amount: JSON: a number or a string is expected at byte 11, not '+'`},
		{`{"amount":1.,"currency":"USD"}`, `money: not an amount: "1.": a digit is missing at the end`},
		{`{"amount":"1","currency":"USD"}x`, `money: not an amount: JSON: the end is expected at byte 32, not 'x'`},
		{`{"amount":"1","currency":"USD",}`, `money: not an amount: JSON: a string is expected at byte 32, not '}'`},
		{`{"amount":"1" "currency":"USD"}`, `money: not an amount: JSON: a comma or a closing brace is expected at byte 15, not '"'`},
		{`{"amount":"1`, `money: not an amount: JSON: a string does not end`},
		{`{"amount":"\`, `money: not an amount: JSON: a string does not end`},
		{`{"amount":"\q1","currency":"USD"}`, `money: not an amount: JSON: invalid character 'q' in string escape code`},
		{"{\"amount\":\"1\n\",\"currency\":\"USD\"}", `money: not an amount: JSON: a control character in a string at byte 13`},
	}
	for _, tt := range reject {
		a := MustParse("7", "EUR")
		if err := a.UnmarshalJSON([]byte(tt.json)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v\nwant %s", tt.json, err, tt.want)
		}
		if a.String() != "EUR 7.00" {
			t.Errorf("%s: changed the amount to %v", tt.json, a)
		}
	}
}

// What encoding/json makes of null and of amounts inside other values.
func TestJSONInside(t *testing.T) {
	type order struct {
		Total Amount  `json:"total"`
		Tip   *Amount `json:"tip"`
		Fee   Amount  `json:"fee,omitzero"`
	}
	var o order
	if err := json.Unmarshal([]byte(`{"total":null}`), &o); err == nil {
		t.Error("null for an Amount is accepted")
	}
	if err := json.Unmarshal([]byte(`{"total":{"amount":"1","currency":"USD"},"tip":null}`), &o); err != nil || o.Tip != nil {
		t.Errorf("null for a *Amount: %v", err)
	}
	got, err := json.Marshal(o)
	if want := `{"total":{"amount":"1.00","currency":"USD"},"tip":null}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestUnmarshalText(t *testing.T) {
	tests := []struct {
		text string
		is   error
		want string // the amount or the error
	}{
		{"USD 12.50", nil, "USD 12.50"},
		{"JPY -5", nil, "JPY -5"},
		{"0", nil, "0"},
		{"-0.00", nil, "0"},
		{"", ErrSyntax, `money: not an amount: "": empty`},
		{"5", ErrCurrency, `money: not an ISO 4217 currency code: an amount other than zero without one`},
		{" 5", ErrSyntax, `money: not an amount: " 5": it starts with a blank`},
		{"USD  5", ErrSyntax, `money: not an amount: " 5": byte 1: ' ' is not expected`},
		{"USD5", ErrSyntax, `money: not an amount: "USD5": byte 1: 'U' is not expected`},
		{"USD ", ErrSyntax, `money: not an amount: "": empty`},
		{"5 USD", ErrCurrency, `money: not an ISO 4217 currency code: "5"`},
		{"usd 5", ErrCurrency, `money: not an ISO 4217 currency code: "usd"`},
		{strings.Repeat("x", 300) + " 5", ErrCurrency, `money: not an ISO 4217 currency code: "xxxxxxxxxxxx"`},
	}
	for _, tt := range tests {
		var a, b Amount
		err := a.UnmarshalText([]byte(tt.text))
		if scanErr := b.Scan(tt.text); scanErr == nil != (err == nil) && len(tt.text) < 128 || !a.Equal(b) {
			t.Errorf("Scan(%q): %v, %v", tt.text, b, scanErr)
		}
		if tt.is == nil {
			check(t, a, err, tt.want)
		} else if !errors.Is(err, tt.is) || err.Error() != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestFlag(t *testing.T) {
	var price Amount
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.TextVar(&price, "price", MustParse("1", "EUR"), "")
	if err := fs.Parse([]string{"-price", "USD 12.50"}); err != nil || price.String() != "USD 12.50" {
		t.Errorf("%v, %v", price, err)
	}
}

func TestScan(t *testing.T) {
	var a Amount
	if err := a.Scan([]byte("USD 12.50")); err != nil || a.String() != "USD 12.50" {
		t.Errorf("bytes: %v, %v", a, err)
	}
	tests := []struct {
		src  any
		want string
	}{
		{nil, "money: not an amount: NULL"},
		{12.5, "money: not an amount: a column of type float64; text is expected"},
		{int64(12), "money: not an amount: a column of type int64; text is expected"},
		{"5", "money: not an ISO 4217 currency code: an amount other than zero without one"},
		{strings.Repeat("9", 1_000_000), `money: not an amount: "` + strings.Repeat("9", 64) + `": longer than an amount can be`},
	}
	for _, tt := range tests {
		if err := a.Scan(tt.src); err == nil || err.Error() != tt.want {
			t.Errorf("%.20v: %v, want %s", tt.src, err, tt.want)
		}
	}
	if a.String() != "USD 12.50" {
		t.Errorf("a failed Scan changed the amount to %v", a)
	}
	var null sql.Null[Amount]
	if err := null.Scan("EUR 3"); err != nil || !null.Valid || null.V.String() != "EUR 3.00" {
		t.Errorf("sql.Null: %+v, %v", null, err)
	}
	if err := null.Scan(nil); err != nil || null.Valid {
		t.Errorf("sql.Null: %+v, %v", null, err)
	}
}

func TestMarshalBinary(t *testing.T) {
	got, err := MustParse("-12.50", "USD").MarshalBinary()
	if want := []byte("\x01USD\x01\x01\x7d"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
	tests := []struct {
		data string
		is   error
		want string
	}{
		{"", ErrSyntax, "money: not an amount: binary: empty"},
		{"\x02USD\x00\x00\x05", ErrSyntax, "money: not an amount: binary: version 2 is not known"},
		{"\x01USD\x00", ErrSyntax, "money: not an amount: binary: 5 bytes, not 6 to 22"},
		{"\x01USD\x00\x00" + strings.Repeat("\x05", 17), ErrSyntax, "money: not an amount: binary: 23 bytes, not 6 to 22"},
		{"\x01USD\x00\x00" + strings.Repeat("\xff", 16), ErrRange, "money: out of range: more than 38 digits, or more than 37 after the point"},
		{"\x01USD\x26\x00\x05", ErrRange, "money: out of range: more than 38 digits, or more than 37 after the point"},
		{"\x01USD\xff\x00\x05", ErrRange, "money: out of range: more than 38 digits, or more than 37 after the point"},
		{"\x01usd\x00\x00\x05", ErrCurrency, `money: not an ISO 4217 currency code: "usd"`},
		{"\x01\x00\x00\x00\x00\x00\x05", ErrCurrency, "money: not an ISO 4217 currency code: an amount other than zero without one"},
		{"\x01USD\x00\x02\x05", ErrSyntax, "money: not an amount: binary: sign 2"},
		{"\x01USD\x00\x01", ErrSyntax, "money: not an amount: binary: sign 1"},
		{"\x01USD\x00\x00\x00\x05", ErrSyntax, "money: not an amount: binary: a leading zero"},
		{"\x01USD\x01\x00\x0a", ErrSyntax, "money: not an amount: binary: a trailing zero"},
		{"\x01USD\x01\x00", ErrSyntax, "money: not an amount: binary: a trailing zero"},
	}
	for _, tt := range tests {
		a := MustParse("7", "EUR")
		if err := a.UnmarshalBinary([]byte(tt.data)); !errors.Is(err, tt.is) || err.Error() != tt.want {
			t.Errorf("%x: %v, want %s", tt.data, err, tt.want)
		}
		if a.String() != "EUR 7.00" {
			t.Errorf("%x: changed the amount to %v", tt.data, a)
		}
	}
}
