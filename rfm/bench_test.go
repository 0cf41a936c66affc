package rfm

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// long reports whether the large sizes are asked for.
func long() bool { return os.Getenv("CUSTVAL_LONG") != "" }

var benchEnd = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)

// manyOrders returns n orders of the given number of customers over two years, in random order.
func manyOrders(n, customers int) []ledger.Transaction {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = "customer-" + strconv.Itoa(1e7+i)
	}
	amounts := make([]money.Amount, 1000)
	for i := range amounts {
		amounts[i], _ = money.FromMinor(int64(500+r.IntN(20000)), "USD")
	}
	first := benchEnd.AddDate(-2, 0, 0)
	log := make([]ledger.Transaction, n)
	for i := range log {
		log[i] = ledger.Transaction{Customer: ids[r.IntN(customers)], At: first.Add(time.Duration(r.Int64N(730*86400)) * time.Second),
			Amount: amounts[r.IntN(len(amounts))]}
	}
	return log
}

func sizes(b *testing.B, run func(b *testing.B, rows, customers int)) {
	for _, n := range []int{1e4, 1e6, 1e7} {
		if n > 1e6 && !long() {
			continue
		}
		b.Run(fmt.Sprintf("rows=%.0e", float64(n)), func(b *testing.B) { run(b, n, n/10) })
	}
}

func BenchmarkSummarize(b *testing.B) {
	sizes(b, func(b *testing.B, rows, customers int) {
		log := manyOrders(rows, customers)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Summarize(context.Background(), ledger.Transactions(log), benchEnd, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// BenchmarkMapPass is the floor that summaries are held against: one map[string]int over the same rows.
func BenchmarkMapPass(b *testing.B) {
	sizes(b, func(b *testing.B, rows, customers int) {
		log := manyOrders(rows, customers)
		b.ReportAllocs()
		for b.Loop() {
			count := make(map[string]int)
			for t, err := range ledger.Transactions(log) {
				if err != nil {
					b.Fatal(err)
				}
				count[t.Customer]++
			}
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// simulatedOrders yields orders without holding them, so that memory shows what the summary keeps.
func simulatedOrders(n, customers int) iter.Seq2[ledger.Transaction, error] {
	return func(yield func(ledger.Transaction, error) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		amount, _ := money.FromMinor(1999, "USD")
		first := benchEnd.AddDate(-2, 0, 0)
		for range n {
			t := ledger.Transaction{Customer: strconv.Itoa(1e8 + r.IntN(customers)),
				At: first.Add(time.Duration(r.Int64N(730*86400)) * time.Second), Amount: amount}
			if !yield(t, nil) {
				return
			}
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	for _, customers := range []int{1e3, 1e5, 1e6} {
		if customers > 1e5 && !long() {
			continue
		}
		b.Run(fmt.Sprintf("customers=%.0e", float64(customers)), func(b *testing.B) {
			s, err := Summarize(context.Background(), simulatedOrders(5*customers, customers), benchEnd, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				t, err := s.Segment(context.Background(), nil)
				if err != nil {
					b.Fatal(err)
				}
				t.Segments()
			}
			b.ReportMetric(float64(len(s.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}

func BenchmarkPartialBinary(b *testing.B) {
	p, err := NewPartial(nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Add(context.Background(), simulatedOrders(5e5, 1e5)); err != nil {
		b.Fatal(err)
	}
	text, err := p.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.MarshalBinary(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(text))/float64(p.Customers()), "bytes/customer")
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var q Partial
			if err := q.UnmarshalBinary(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestMemory streams 1e8 orders of 1e6 customers and reports what the summary holds. It takes about a minute.
func TestMemory(t *testing.T) {
	if !long() {
		t.Skip("CUSTVAL_LONG is not set")
	}
	const customers = 1e6
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak uint64
	o := &SummaryOptions{Progress: func(int) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
	}}
	start := time.Now()
	s, err := Summarize(context.Background(), simulatedOrders(1e8, customers), benchEnd, o)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("1e8 orders of %d customers in %v (simulation included): heap in use at most %d bytes a customer, %d retained",
		len(s.Rows), took, peak/customers, (after.HeapInuse-before.HeapInuse)/customers)
	runtime.KeepAlive(s)
}
