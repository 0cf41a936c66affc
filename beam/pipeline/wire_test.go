package pipeline

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestOrderCoder(t *testing.T) {
	day := time.Date(2025, time.March, 1, 12, 30, 15, 999_999_999, time.UTC)
	for _, o := range []Order{
		{},
		{Customer: "ada", At: day, Amount: money.MustParse("12.50", "USD")},
		{Customer: "müşteri", At: day, Amount: money.MustParse("-0.01", "TRY")},
		{Customer: "before 1970", At: time.Date(1, 2, 3, 0, 0, 0, 1, time.UTC), Amount: money.MustParse("1", "EUR")},
		{Customer: "no minor unit", At: day, Amount: money.MustParse("100", "JPY")},
		{Customer: "fraction of a cent", At: day, Amount: money.MustParse("0.12345678901234567890123", "USD")},
		{Customer: "more than an int64", At: day, Amount: money.MustParse("123456789012345678901234567890.12", "USD")},
		{Customer: "gold", At: day, Amount: money.MustParse("1.5", "XAU")},
	} {
		got, err := decodeOrder(encodeOrder(o))
		if err != nil {
			t.Errorf("%q: %v", o.Customer, err)
			continue
		}
		if diff := cmp.Diff(o, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", o.Customer, diff)
		}
	}
	east := Order{Customer: "ada", At: day.In(time.FixedZone("", 3600)), Amount: money.MustParse("1", "USD")}
	if got, err := decodeOrder(encodeOrder(east)); err != nil || !got.At.Equal(day) {
		t.Errorf("at %v, error %v, want %v", got.At, err, day)
	}
}

// randomOrders has refunds, days with several orders, fractions of cents and orders after the end.
func randomOrders(r *rand.Rand, n int) []Order {
	orders := make([]Order, n)
	for i := range orders {
		text := []string{"10.00", "0.01", "0.105", "-3.20", "99999999.99", "0"}[r.IntN(6)]
		orders[i] = Order{
			Customer: string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(3))),
			At:       sampleEnd.Add(time.Duration(r.IntN(24*400)-24*380) * time.Hour), Amount: money.MustParse(text, "USD"),
		}
	}
	return orders
}

// TestCombine combines random bundles in random order, with the coder between any two steps as an engine may have it, and
// wants the bytes of one Partial.
func TestCombine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	o, err := Options{End: sampleEnd, Location: "America/New_York"}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		orders := randomOrders(r, 1+r.IntN(400))
		one, err := o.empty()
		if err != nil {
			t.Fatal(err)
		}
		for _, order := range orders {
			if err := one.Add(ledger.Transaction{Customer: order.Customer, At: order.At, Amount: order.Amount}); err != nil {
				t.Fatal(err)
			}
		}
		want, err := one.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := combine(r, o, orders)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Fatalf("%d orders: the combined summary is another one", len(orders))
		}
	}
}

func combine(r *rand.Rand, o Options, orders []Order) ([]byte, error) {
	fn := &summarizeFn{merger{o}}
	shipped := func(s Summary) (Summary, error) {
		if r.IntN(2) == 0 {
			return s, nil
		}
		data, err := encodeSummary(s)
		return decodeSummary(data), err
	}
	parts := make([]Summary, 1+r.IntN(6))
	var err error
	for i := range parts {
		if parts[i], err = fn.CreateAccumulator(); err != nil {
			return nil, err
		}
	}
	for _, i := range r.Perm(len(orders)) {
		k := r.IntN(len(parts))
		order, err := decodeOrder(encodeOrder(orders[i]))
		if err != nil {
			return nil, err
		}
		if parts[k], err = fn.AddInput(parts[k], order); err != nil {
			return nil, err
		}
		if parts[k], err = shipped(parts[k]); err != nil {
			return nil, err
		}
	}
	for len(parts) > 1 {
		i := r.IntN(len(parts) - 1)
		merged, err := fn.MergeAccumulators(parts[i], parts[i+1])
		if err != nil {
			return nil, err
		}
		if parts[i], err = shipped(merged); err != nil {
			return nil, err
		}
		parts = append(parts[:i+1], parts[i+2:]...)
	}
	return encodeSummary(parts[0])
}

// tableOf returns the table of random customers.
func tableOf(t testing.TB, r *rand.Rand, n int) (Table, *clv.Histories) {
	t.Helper()
	var log []ledger.Transaction
	for _, o := range randomOrders(r, n) {
		log = append(log, ledger.Transaction{Customer: o.Customer, At: o.At, Amount: o.Amount})
	}
	hs, err := clv.Summarize(context.Background(), ledger.Transactions(log), sampleEnd, clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newTable(hs), hs
}

// TestTable merges tables in two orders, ships them, and counts the customers in the histories by hand.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 100, 1000} {
		a, ha := tableOf(t, r, n)
		b, hb := tableOf(t, r, n+50)
		type key struct {
			x     int
			tx, t float64
			spend string
		}
		want := map[key]int{}
		for _, hs := range []*clv.Histories{ha, hb} {
			for _, h := range hs.Rows {
				want[key{x: h.X, tx: h.TX / 7, t: h.T / 7}]++
				want[key{x: h.X, spend: h.Spend.Number()}]++
			}
		}
		var texts [2][]byte
		for i, pair := range [2][2]Table{{a, b}, {b, a}} {
			merged := Table{}
			var err error
			for _, p := range pair {
				p, err = decodeTable(encodeTable(p))
				if err == nil {
					merged, err = mergeTables(merged, p)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			texts[i] = encodeTable(merged)
		}
		if !bytes.Equal(texts[0], texts[1]) {
			t.Fatalf("%d orders: a+b is not b+a", n)
		}
		merged, err := decodeTable(texts[0])
		if err != nil {
			t.Fatal(err)
		}
		o := Options{End: sampleEnd, Unit: clv.Week}
		spends, err := merged.Spends(o)
		if err != nil {
			t.Fatal(err)
		}
		got := map[key]int{}
		for _, h := range merged.Histories(o).Rows {
			got[key{x: h.X, tx: h.TX, t: h.T}] += h.Count
		}
		for _, h := range spends.Rows {
			got[key{x: h.X, spend: h.Spend.Number()}] += h.Count
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(key{})); diff != "" {
			t.Errorf("%d orders (-want +got):\n%s", n, diff)
		}
	}
}

func TestTableRefuses(t *testing.T) {
	table, _ := tableOf(t, rand.New(rand.NewPCG(1, 2)), 100)
	good := encodeTable(table)
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "pipeline: encoded table: cut short"},
		{"version", append([]byte{2}, good[1:]...), "pipeline: encoded table: version 2: want 1"},
		{"cut", good[:len(good)-1], "pipeline: encoded table: cut short"},
		{"trailing", append(good[:len(good):len(good)], 0), "pipeline: encoded table: more data than expected"},
		{"twice", []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1, 0}, "pipeline: encoded table: a row or an amount twice"},
		{"no one", []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0}, "pipeline: encoded table: a row of no customers"},
	} {
		if _, err := decodeTable(tt.data); err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
	}
	other := Table{Currency: "EUR"}
	if _, err := mergeTables(table, other); err == nil || err.Error() != "pipeline: money: currencies differ: USD and EUR" {
		t.Errorf("two currencies: error %v", err)
	}
}

// FuzzDecodeTable decodes anything: what is accepted encodes to a table that is the same one.
func FuzzDecodeTable(f *testing.F) {
	for _, n := range []int{0, 1, 100} {
		table, _ := tableOf(f, rand.New(rand.NewPCG(1, 2)), n)
		f.Add(encodeTable(table))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := decodeTable(data)
		if err != nil {
			return
		}
		again, err := decodeTable(encodeTable(table))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(table, again, cmp.AllowUnexported(Table{}, daily{}, spend{})); diff != "" {
			t.Errorf("(-decoded +again):\n%s", diff)
		}
	})
}

// FuzzDecodeOrder decodes anything: what is accepted encodes to an order that is the same one.
func FuzzDecodeOrder(f *testing.F) {
	for _, o := range randomOrders(rand.New(rand.NewPCG(1, 2)), 10) {
		f.Add(encodeOrder(o))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decodeOrder(data)
		if err != nil {
			return
		}
		again, err := decodeOrder(encodeOrder(o))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, again); diff != "" {
			t.Errorf("(-decoded +again):\n%s", diff)
		}
	})
}
