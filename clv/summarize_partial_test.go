package clv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func newPartial(t testing.TB, o *PartialOptions, rows ...ledger.Transaction) *Partial {
	t.Helper()
	p, err := NewPartial(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, tx := range rows {
		if err := p.Add(tx); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func encoded(t testing.TB, p *Partial) []byte {
	t.Helper()
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func histories(t testing.TB, p *Partial, end time.Time) *Histories {
	t.Helper()
	hs, err := p.Histories(context.Background(), end, Week)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

// However a log is cut into parts, in whatever order they are merged, stored in between or not, the bits are those of a
// summary of all rows.
func TestPartialsMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	end := day("2025-06-01")
	for _, o := range []*PartialOptions{nil, {Granularity: ByInstant}, {Location: mustLoad(t, "Asia/Kolkata")}, {End: day("2025-03-20")}} {
		for range 8 {
			rows := shopLog(r, 200, 3000)
			rows[7].Amount = money.MustParse("1.2345", "USD") // fractions of a cent
			whole := newPartial(t, o, rows...)
			parts := make([]*Partial, 2+r.IntN(5))
			for i := range parts {
				parts[i] = newPartial(t, o)
			}
			for _, tx := range rows {
				if err := parts[r.IntN(len(parts))].Add(tx); err != nil {
					t.Fatal(err)
				}
			}
			for len(parts) > 1 {
				i, j := r.IntN(len(parts)), r.IntN(len(parts))
				if i == j {
					continue
				}
				before := encoded(t, parts[j])
				if r.IntN(2) == 0 { // through a file
					parts[i], parts[j] = copied(t, o, parts[i]), copied(t, o, parts[j])
				}
				if err := parts[i].Merge(parts[j]); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(before, encoded(t, parts[j])) {
					t.Fatal("merging modified the other summary")
				}
				parts = append(parts[:j], parts[j+1:]...)
			}
			if !bytes.Equal(encoded(t, whole), encoded(t, parts[0])) {
				t.Fatal("the merged summary has other bytes than the whole one")
			}
			want, got := histories(t, whole, end), histories(t, parts[0], end)
			if diff := cmp.Diff(want, got, exact); diff != "" {
				t.Fatalf("(-whole +merged):\n%s", diff)
			}
			if !reflect.DeepEqual(want, got) {
				t.Fatal("the merged histories are equal but not to the last bit")
			}
		}
	}
}

func copied(t testing.TB, o *PartialOptions, p *Partial) *Partial {
	t.Helper()
	q := newPartial(t, o)
	if err := q.UnmarshalBinary(encoded(t, p)); err != nil {
		t.Fatal(err)
	}
	return q
}

// Yesterday's summary and today's orders are today's summary.
func TestPartialDayByDay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := shopLog(r, 100, 4000)
	var kept []byte
	var seen []ledger.Transaction
	for d := range 12 {
		from, to := day("2025-01-01").AddDate(0, 0, 10*d), day("2025-01-01").AddDate(0, 0, 10*d+10)
		p := new(Partial)
		if kept != nil {
			if err := p.UnmarshalBinary(kept); err != nil {
				t.Fatal(err)
			}
		}
		for _, tx := range all {
			if !tx.At.Before(from) && tx.At.Before(to) {
				if err := p.Add(tx); err != nil {
					t.Fatal(err)
				}
				seen = append(seen, tx)
			}
		}
		kept = encoded(t, p)
		end := to.AddDate(0, 0, -1)
		want := summarize(t, seen, end, Week, nil)
		if got := histories(t, p, end); !reflect.DeepEqual(want, got) {
			t.Fatalf("day %d (-all +updated):\n%s", d, cmp.Diff(want, got, exact))
		}
	}
	t.Logf("%d bytes for 100 customers of 4000 rows", len(kept))
}

func TestPartialErrors(t *testing.T) {
	rows := []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-20", "10")}
	p := newPartial(t, nil, rows...)
	euros := newPartial(t, nil, ledger.Transaction{Customer: "a", At: day("2025-01-01"), Amount: money.MustParse("3", "EUR")})
	before := encoded(t, p)
	for _, c := range []struct {
		err  error
		want string
	}{
		{p.Add(buy("", "2025-01-01", "1")), `clv: row 3: field "Customer": value "": no customer`},
		{p.Add(ledger.Transaction{Customer: "a"}), `clv: row 3: field "At": value "0001-01-01T00:00:00Z": no time`},
		{p.Merge(p), "clv: merge: a summary with itself"},
		{p.Merge(euros), "clv: merge: " + (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error()},
		{p.Merge(newPartial(t, &PartialOptions{Granularity: ByInstant})), "clv: merge: summaries by day and by instant"},
		{p.Merge(newPartial(t, &PartialOptions{Location: time.FixedZone("x", 3600)})), "clv: merge: summaries by days of UTC and of +01:00:00"},
		{newPartial(t, &PartialOptions{End: day("2025-01-10")}).Merge(p), "clv: merge: rows up to 2025-01-20, after the end 2025-01-10"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error %v, want %s", c.err, c.want)
		}
	}
	if !bytes.Equal(before, encoded(t, p)) {
		t.Error("an error changed the summary")
	}
	if err := p.Merge(nil); err != nil {
		t.Error(err)
	}
	want := "clv: the summary has rows up to 2025-01-20, after the end 2025-01-19; set the End of its options"
	if _, err := p.Histories(context.Background(), day("2025-01-19"), Week); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, end := range []time.Time{{}, day("2025-01-31")} {
		unit := Week
		if !end.IsZero() {
			unit = 0
		}
		if _, err := p.Histories(context.Background(), end, unit); err == nil {
			t.Error("no error without an end or a unit")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Histories(ctx, day("2025-01-31"), Week); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	for _, o := range []*PartialOptions{{Granularity: 5}, {MaxBytes: -1}, {End: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err := NewPartial(o); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
}

func TestPartialMemory(t *testing.T) {
	big := newPartial(t, nil)
	for i := range 5000 {
		if err := big.Add(buy(fmt.Sprint(i), "2025-01-01", "1")); err != nil {
			t.Fatal(err)
		}
	}
	small := &PartialOptions{MaxBytes: 100_000}
	if err := newPartial(t, small).Merge(big); !errors.Is(err, ErrMemory) {
		t.Errorf("error %v, want ErrMemory", err)
	}
	if err := newPartial(t, small).UnmarshalBinary(encoded(t, big)); !errors.Is(err, ErrMemory) {
		t.Errorf("error %v, want ErrMemory", err)
	}
	p := newPartial(t, small)
	var err error
	for i := 0; err == nil; i++ {
		err = p.Add(buy(fmt.Sprint(i), "2025-01-01", "1"))
	}
	if !errors.Is(err, ErrMemory) {
		t.Errorf("error %v, want ErrMemory", err)
	}
}

func TestPartialZeroValue(t *testing.T) {
	var p Partial
	if r := p.Report(); r != (Report{}) {
		t.Errorf("report %+v", r)
	}
	if hs, err := new(Partial).Histories(context.Background(), day("2025-01-31"), Week); err != nil || len(hs.Rows) != 0 {
		t.Errorf("%v, %v", hs, err)
	}
	if err := new(Partial).Merge(new(Partial)); err != nil {
		t.Error(err)
	}
	if err := new(Partial).Add(buy("a", "2025-01-31", "1")); err != nil {
		t.Error(err)
	}
	if err := new(Partial).UnmarshalBinary(encoded(t, new(Partial))); err != nil {
		t.Error(err)
	}
}

func TestPartialBinaryErrors(t *testing.T) {
	good := encoded(t, newPartial(t, nil, buy("a", "2025-01-01", "10"), buy("ab", "2025-01-20", "10"), buy("ab", "2025-01-10", "-1")))
	sealed := func(change func(b []byte) []byte) []byte { // with a right checksum
		b := change(bytes.Clone(good[:len(good)-4]))
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	for _, c := range []struct {
		data []byte
		o    *PartialOptions
		want string
	}{
		{nil, nil, "not a summary of package clv"},
		{[]byte("hello world"), nil, "not a summary of package clv"},
		{good[:len(good)-1], nil, "damaged: the checksum is wrong"},
		{sealed(func(b []byte) []byte { b[3] = 2; return b }), nil, "version 2: want 1"},
		{sealed(func(b []byte) []byte { b[4] = 1; return b }), &PartialOptions{}, "made by instant: want by day"},
		{sealed(func(b []byte) []byte { b[4] = 9; return b }), nil, "clv: unknown granularity 9"},
		{sealed(func(b []byte) []byte { return append(b, 0) }), nil, "more data than expected"},
		{sealed(func(b []byte) []byte { return b[:len(b)-1] }), nil, `customer "ab": cut short`},
		{good, &PartialOptions{Location: time.FixedZone("", -3600)}, "made with the location UTC: want -01:00:00"},
		{good, &PartialOptions{End: day("2025-01-05")}, "rows up to 2025-01-20, after the end 2025-01-05"},
	} {
		p := new(Partial)
		if c.o != nil {
			p = newPartial(t, c.o)
		}
		if err := p.UnmarshalBinary(c.data); err == nil || err.Error() != "clv: summary: "+c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	// No damage goes unnoticed.
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if err := new(Partial).UnmarshalBinary(bad); err == nil {
			t.Errorf("a change of byte %d went unnoticed", i)
		}
	}
}

// Whatever the bytes, decoding ends without a panic and without more memory than they warrant; what it accepts encodes
// to a form that decodes to the same.
func FuzzPartial(f *testing.F) {
	f.Add(encoded(f, newPartial(f, nil)))
	f.Add(encoded(f, newPartial(f, &PartialOptions{Granularity: ByInstant}, buy("a", "2025-01-01T10:00:00.5Z", "10"), buy("b", "2025-01-01", "-10"))))
	f.Add(encoded(f, newPartial(f, nil, buy("a", "2025-01-01", "10.12345"), buy("ab", "2025-01-20", "10"), buy("ab", "2025-01-10", "-1"), buy("ab", "2025-03-10", "0"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 4 { // let the fuzzer get past the checksum
			data = binary.LittleEndian.AppendUint32(data[:len(data)-4:len(data)-4], crc32.ChecksumIEEE(data[:len(data)-4]))
		}
		var p Partial
		if p.UnmarshalBinary(data) != nil {
			return
		}
		first := encoded(t, &p)
		var q Partial
		if err := q.UnmarshalBinary(first); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, encoded(t, &q)) {
			t.Fatal("the form is not stable")
		}
		if hs, err := q.Histories(context.Background(), day("2200-01-01"), Week); err == nil && len(hs.Rows) > 0 {
			if err := hs.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		_ = p.Merge(&q)
	})
}

func TestSummarizeAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rows := shopLog(r, 1500, 20_000)
	end := day("2025-03-20")
	want := summarize(t, rows, end, Week, nil)
	for _, n := range []int{1, 3, 13} {
		logs := make([][]ledger.Transaction, n)
		for _, tx := range rows {
			i := r.IntN(n)
			logs[i] = append(logs[i], tx)
		}
		streams := make([]iter.Seq2[ledger.Transaction, error], n)
		for i := range streams {
			streams[i] = ledger.Transactions(logs[i])
		}
		for _, workers := range []int{1, 2, 7} {
			last := 0
			got, err := SummarizeAll(context.Background(), streams, end, Week, &SummaryOptions{Workers: workers, Progress: func(rows int) { last = rows }})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%d logs, %d workers (-want +got):\n%s", n, workers, cmp.Diff(want, got, exact))
			}
			if last != len(rows) {
				t.Errorf("the last progress is %d, want %d", last, len(rows))
			}
		}
	}
	none, err := SummarizeAll(context.Background(), nil, end, Week, nil)
	if err != nil || len(none.Rows) != 0 {
		t.Errorf("no logs: %v, %v", none, err)
	}
}

func TestSummarizeAllErrors(t *testing.T) {
	end := day("2025-03-20")
	good := ledger.Transactions(shopLog(rand.New(rand.NewPCG(1, 2)), 300, 5000))
	bad := ledger.Transactions([]ledger.Transaction{buy("a", "2025-01-01", "1"), buy("", "2025-01-01", "1")})
	euro := ledger.Transactions([]ledger.Transaction{{Customer: "a", At: day("2025-01-01"), Amount: money.MustParse("3", "EUR")}})
	endless := func(yield func(ledger.Transaction, error) bool) {
		for yield(buy("x", "2025-01-01", "1"), nil) {
		}
	}
	for _, c := range []struct {
		logs []iter.Seq2[ledger.Transaction, error]
		o    *SummaryOptions
		want string
	}{
		{[]iter.Seq2[ledger.Transaction, error]{good, bad, endless}, &SummaryOptions{Workers: 3}, `clv: log 2: row 2: field "Customer": value "": no customer`},
		{[]iter.Seq2[ledger.Transaction, error]{bad, endless}, nil, `clv: log 1: row 2: field "Customer": value "": no customer`},
		{[]iter.Seq2[ledger.Transaction, error]{good, euro}, nil, "clv: log 2: " + (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error()},
		{[]iter.Seq2[ledger.Transaction, error]{good, nil}, nil, "clv: log 2: no log"},
		{nil, &SummaryOptions{Ordered: true}, "clv: SummarizeAll with Ordered or MatchOrders: they need all rows in one stream"},
		{nil, &SummaryOptions{MatchOrders: true}, "clv: SummarizeAll with Ordered or MatchOrders: they need all rows in one stream"},
	} {
		if _, err := SummarizeAll(context.Background(), c.logs, end, Week, c.o); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := SummarizeAll(ctx, []iter.Seq2[ledger.Transaction, error]{endless, endless, endless}, end, Week, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want context.DeadlineExceeded", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("stopped after %v", d)
	}
	many := func(yield func(ledger.Transaction, error) bool) {
		for i := 0; yield(buy(fmt.Sprint(i), "2025-01-01", "1"), nil); i++ {
		}
	}
	if _, err := SummarizeAll(context.Background(), []iter.Seq2[ledger.Transaction, error]{many, many}, end, Week, &SummaryOptions{MaxBytes: 1 << 20}); !errors.Is(err, ErrMemory) {
		t.Errorf("error %v, want ErrMemory", err)
	}
}

func ExamplePartial() {
	at := func(date string) time.Time { t, _ := time.Parse(time.DateOnly, date); return t }
	usd := func(amount string) money.Amount { return money.MustParse(amount, "USD") }

	yesterday, err := NewPartial(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, tx := range []ledger.Transaction{
		{Customer: "ada", At: at("2025-01-01"), Amount: usd("29.33")},
		{Customer: "bob", At: at("2025-01-05"), Amount: usd("12.00")},
	} {
		if err := yesterday.Add(tx); err != nil {
			fmt.Println(err)
			return
		}
	}
	file, err := yesterday.MarshalBinary() // kept over night
	if err != nil {
		fmt.Println(err)
		return
	}
	var today Partial
	if err := today.UnmarshalBinary(file); err != nil {
		fmt.Println(err)
		return
	}
	if err := today.Add(ledger.Transaction{Customer: "ada", At: at("2025-01-15"), Amount: usd("14.96")}); err != nil {
		fmt.Println(err)
		return
	}
	hs, err := today.Histories(context.Background(), at("2025-01-15"), Week)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range hs.Rows {
		fmt.Printf("%s: %d repeat purchases, the last after %.1f weeks, %v\n", h.Customer, h.X, h.TX, h.Spend)
	}
	// Output:
	// ada: 1 repeat purchases, the last after 2.0 weeks, USD 14.96
	// bob: 0 repeat purchases, the last after 0.0 weeks, USD 0.00
}
