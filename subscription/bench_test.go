package subscription_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// manyRows is a table of n rows in a random order of customers: some three rows each over three years, with changes of
// quantity, several intervals, discounts and pauses in some.
func manyRows(n int) iter.Seq2[subscription.Row, error] {
	return func(yield func(subscription.Row, error) bool) {
		rng := rand.New(rand.NewPCG(1, 2))
		start := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
		every := []subscription.Interval{subscription.EveryMonth, subscription.EveryMonth, subscription.Yearly, subscription.Quarterly}
		prices := []string{"9.99", "29.00", "99.00", "1200.00"}
		for range n {
			c := rng.IntN(1 + n/3)
			from := start.AddDate(0, 0, rng.IntN(1095))
			r := subscription.Row{
				Customer: "customer-" + strconv.Itoa(c), Subscription: "s" + strconv.Itoa(c), Plan: "plan-" + strconv.Itoa(rng.IntN(5)),
				Price: usd(prices[rng.IntN(4)]), Interval: every[rng.IntN(4)], Quantity: 1 + rng.Int64N(10), From: from,
			}
			if rng.IntN(2) == 0 {
				r.To = from.AddDate(0, 1+rng.IntN(18), 0)
				r.Reason = subscription.Reason(rng.IntN(3))
			}
			if rng.IntN(20) == 0 {
				r.Paused = []ledger.Period{{Start: from.AddDate(0, 1, 0), End: from.AddDate(0, 2, 0)}}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func threeYears() []ledger.Period {
	return ledger.Months(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC)
}

func sizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			run(b, n)
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkNew reads rows into a Book, the making of the rows included.
func BenchmarkNew(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var book *subscription.Book
		for b.Loop() {
			var err error
			if book, err = subscription.New(manyRows(n)); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "held-B/row")
		runtime.KeepAlive(book)
	})
}

// BenchmarkRollForward makes a table of 36 months.
func BenchmarkRollForward(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		book, err := subscription.New(manyRows(n))
		if err != nil {
			b.Fatal(err)
		}
		ps := threeYears()
		for b.Loop() {
			if _, err := book.RollForward(context.Background(), ps); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAt reads the MRR of one moment.
func BenchmarkAt(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		book, err := subscription.New(manyRows(n))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := book.At(time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
