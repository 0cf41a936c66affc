package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// TestOrdersRoundTrip writes random orders, two row groups of them, and reads the same.
func TestOrdersRoundTrip(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "orders.parquet")
	r := rand.New(rand.NewPCG(1, 2))
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var want []ledger.Transaction
	for len(want) < rowsPerGroup+17 {
		amount, err := money.New(money.MustParse("0.000000001", "EUR").Decimal(), "EUR")
		if err != nil {
			t.Fatal(err)
		}
		if amount, err = amount.MulInt(r.Int64() - r.Int64()); err != nil {
			t.Fatal(err)
		}
		want = append(want, ledger.Transaction{Customer: []string{"a", "Ä", "名"}[r.IntN(3)],
			At: time.UnixMicro(r.Int64N(4e15) - 2e15).In(zone), Amount: amount})
	}
	want[5].Amount = money.MustParse("-99999999999999999999999999999.999999999", "EUR")
	if err := writeOrders(path, ledger.Transactions(want)); err != nil {
		t.Fatal(err)
	}
	f, err := openParquet(path, "USD", false, zone)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.groups) != 2 {
		t.Errorf("%d row groups, want 2", len(f.groups))
	}
	for range 2 { // a file can be streamed again
		got, err := ledger.Collect(f.orders(ctx))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:1000], got[:1000]); diff != "" || len(got) != len(want) {
			t.Fatalf("%d orders of %d (-want +got):\n%s", len(got), len(want), diff)
		}
		for i := range want {
			if !want[i].At.Equal(got[i].At) || !want[i].Amount.Equal(got[i].Amount) || want[i].Customer != got[i].Customer {
				t.Fatalf("order %d: %v, want %v", i, got[i], want[i])
			}
		}
	}
	for _, err := range f.orders(ctx) {
		if err != nil {
			t.Error(err)
		}
		break // a consumer may stop
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ledger.Collect(f.orders(stopped)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: error %v", err)
	}
}

// TestScoresRoundTrip reads the scores back by the types of the file: an exact decimal with the digits of the currency.
func TestScoresRoundTrip(t *testing.T) {
	type row struct {
		Customer  string  `parquet:"customer"`
		ProbAlive float64 `parquet:"prob_alive"`
		Purchases float64 `parquet:"purchases"`
		Value     int64   `parquet:"value"`
		Currency  string  `parquet:"currency"`
	}
	for currency, c := range map[money.Currency]struct{ number, schema string }{
		"USD": {"-1234.56", "DECIMAL(18,2)"}, "JPY": {"-123456", "DECIMAL(18,0)"}, "KWD": {"-123.456", "DECIMAL(18,3)"},
	} {
		path := filepath.Join(t.TempDir(), "scores.parquet")
		scores := clv.Scores{{Customer: "a", ProbAlive: 1.0 / 3, Purchases: 2.5, Value: money.MustParse(c.number, currency)}}
		if err := writeScoreFile(path, scores); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if leaf, _ := f.Schema().Lookup("value"); leaf.Node.Type().String() != c.schema {
			t.Errorf("value is %v, want %s", leaf.Node.Type(), c.schema)
		}
		got, err := parquet.Read[row](bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]row{{"a", 1.0 / 3, 2.5, -123456, string(currency)}}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	bad := clv.Scores{{Customer: "a", Value: money.MustParse("0.001", "USD")}}
	path := filepath.Join(t.TempDir(), "scores.parquet")
	if err := writeScoreFile(path, bad); err == nil || err.Error() != `customer "a": USD 0.001 is no whole number of minor units of 18 digits` {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

// written makes a file of rows with the schema of T.
func written[T any](t testing.TB, rows ...T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders.parquet")
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readAll(t testing.TB, path string, minor bool, zone *time.Location) []string {
	t.Helper()
	f, err := openParquet(path, "EUR", minor, zone)
	if err != nil {
		return []string{strings.TrimPrefix(err.Error(), path)}
	}
	defer f.Close()
	var out []string
	for tx, err := range f.orders(context.Background()) {
		if err != nil {
			out = append(out, strings.TrimPrefix(err.Error(), path))
			continue
		}
		out = append(out, tx.Customer+" "+tx.At.Format(time.RFC3339Nano)+" "+tx.Amount.String())
	}
	return out
}

// TestTypesOfParquet reads the ways in which other programs write orders.
func TestTypesOfParquet(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	day := int32(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	type dates struct {
		Customer int64 `parquet:"customer"`
		At       int32 `parquet:"at,date"`
		Amount   int64 `parquet:"amount,decimal(2:18)"`
	}
	type millis struct {
		Customer string  `parquet:"customer,dict"`
		Ignored  []int32 `parquet:"ignored,list"`
		At       int64   `parquet:"at,timestamp(millisecond)"`
		Amount   int32   `parquet:"amount,decimal(0:9)"`
		Currency *string `parquet:"currency,optional"`
	}
	type nanos struct {
		Customer *string `parquet:"customer,optional"`
		At       *int64  `parquet:"at,optional,timestamp(nanosecond)"`
		Amount   *int64  `parquet:"amount,optional"`
	}
	type text struct {
		Customer string `parquet:"customer"`
		At       string `parquet:"at"`
		Amount   string `parquet:"amount"`
		Currency string `parquet:"currency"`
	}
	type old struct {
		Customer string           `parquet:"customer"`
		At       deprecated.Int96 `parquet:"at"`
		Amount   [5]byte          `parquet:"amount,decimal(3:11)"`
	}
	type doubles struct {
		Customer string  `parquet:"customer"`
		At       string  `parquet:"at"`
		Amount   float64 `parquet:"amount"`
	}
	type numbers struct {
		Customer string `parquet:"customer"`
		At       int64  `parquet:"at"`
		Amount   int64  `parquet:"amount"`
	}
	usd, one, at, name := "usd", int64(1999), time.Date(2025, 3, 1, 10, 0, 0, 5, time.UTC).UnixNano(), "b"
	for title, c := range map[string]struct {
		path  string
		minor bool
		zone  *time.Location
		want  []string
	}{
		"dates": {written(t, dates{17, day, 1999}, dates{-3, -1, -5}), false, istanbul,
			[]string{"17 2025-03-01T00:00:00+03:00 EUR 19.99", "-3 1969-12-31T00:00:00+02:00 EUR -0.05"}},
		"milliseconds": {written(t, millis{"a", []int32{1, 2}, 1500, 7, nil}, millis{"a", nil, -1500, -7, &usd}), false, istanbul,
			[]string{"a 1970-01-01T02:00:01.5+02:00 EUR 7.00", "a 1970-01-01T01:59:58.5+02:00 USD -7.00"}},
		"nanoseconds and NULL": {written(t, nanos{&name, &at, &one}, nanos{nil, &at, &one}, nanos{&name, nil, &one}, nanos{&name, &at, nil}), true, time.UTC,
			[]string{"b 2025-03-01T10:00:00.000000005Z EUR 19.99", `: row 2: field "customer": value "": missing`,
				`: row 3: field "at": value "": missing`, `: row 4: field "amount": value "": missing`}},
		"text": {written(t, text{" a ", "2025-03-01", "1.5", ""}, text{"a", "2025-03-01T23:30:00Z", "-0.123", "usd"}, text{"a", "May", "1", ""},
			text{"a", "2025-03-01", "1,5", ""}, text{"a", "2025-03-01", "1", "EURO"}, text{"a\xff", "2025-03-01", "1", ""}), false, istanbul,
			[]string{"a 2025-03-01T00:00:00+03:00 EUR 1.50", "a 2025-03-02T02:30:00+03:00 USD -0.123",
				`: row 3: field "at": value "May": not a date as 2025-06-30 nor a time as in RFC 3339`,
				`: row 4: field "amount": value "1,5": money: not an amount: "1,5": byte 2: ',' is not expected`,
				`: row 5: field "amount": value "1": money: not an ISO 4217 currency code: "EURO"`,
				`: row 6: field "customer": value "a\xff": not valid UTF-8`}},
		"INT96": {written(t, old{"a", deprecated.Int96{3_000_000_000, 1, 2440589}, [5]byte{0xff, 0xff, 0xff, 0xff, 0xfe}}), false, time.UTC,
			[]string{"a 1970-01-02T00:00:07.294967296Z EUR -0.002"}},
		"doubles":          {written(t, doubles{"a", "2025-03-01", 1.5}), false, time.UTC, []string{`: column "amount" is of the type DOUBLE: want DECIMAL, an integer or text, which are exact`}},
		"times as numbers": {written(t, numbers{"a", 5, 1}), false, time.UTC, []string{`: column "at" is of the type INT(64,true): want TIMESTAMP, DATE or text`}},
		"no column":        {written(t, struct{ Customer, At string }{"a", "b"}), false, time.UTC, []string{`: no column "customer" among Customer, At`}},
	} {
		if diff := cmp.Diff(c.want, readAll(t, c.path, c.minor, c.zone)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
	}
}

func TestDecimalText(t *testing.T) {
	for _, c := range []struct {
		n     string
		scale int
		want  string
	}{{"0", 0, "0"}, {"0", 3, "0.000"}, {"-5", 2, "-0.05"}, {"12345", 2, "123.45"}, {"-99999999999999999999999999999999999999", 9, "-99999999999999999999999999999.999999999"}} {
		n, _ := new(big.Int).SetString(c.n, 10)
		if got, err := decimalText(n, c.scale); got != c.want || err != nil {
			t.Errorf("%s with scale %d: %q, %v, want %q", c.n, c.scale, got, err, c.want)
		}
		if back := twosComplement(n); unscaled(parquet.FixedLenByteArrayValue(back)).Cmp(n) != 0 {
			t.Errorf("%s in 16 bytes is %v", c.n, unscaled(parquet.FixedLenByteArrayValue(back)))
		}
	}
	if _, err := decimalText(big.NewInt(1), 39); err == nil {
		t.Error("a scale of 39 is no error")
	}
}

// FuzzParquet feeds broken files: an error or orders, and no panic.
func FuzzParquet(f *testing.F) {
	type row struct {
		Customer string `parquet:"customer"`
		At       int64  `parquet:"at,timestamp(millisecond)"`
		Amount   int64  `parquet:"amount,decimal(2:18)"`
	}
	path := written(f, row{"a", 0, 100}, row{"b", 86_400_000, -5})
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for i := 4; i < len(good); i += 7 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x55
		f.Add(bad)
		f.Add(good[:i])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := openParquet(path, "EUR", false, time.UTC)
		if err != nil {
			return
		}
		defer p.Close()
		n := 0
		for _, err := range p.orders(context.Background()) {
			if n++; n > 1<<16 || errors.Is(err, io.EOF) {
				return
			}
		}
	})
}

// TestForeignFile reads what another writer wrote: several row groups, columns that may be NULL, a column of no concern.
func TestForeignFile(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Zoë 1970-01-01T01:59:59.999+02:00 EUR 19.99", "a 2025-03-01T03:00:00+03:00 EUR -0.05", "a 2025-03-02T00:30:00+03:00 EUR 0.00",
		"名 2025-03-02T03:00:00+03:00 EUR 90071992547409.93", "a 2026-01-01T02:59:59+03:00 EUR 1.00"}
	if diff := cmp.Diff(want, readAll(t, filepath.Join("testdata", "orders.parquet"), true, istanbul)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
