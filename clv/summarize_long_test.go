package clv

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A hundred million rows need the memory of their customers and distinct days, not of the rows.
func TestSummarizeHundredMillionRows(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is unset: takes a minute")
	}
	const rows, customers = 100_000_000, 1_000_000
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%08d", i)
	}
	start := day("2025-01-01")
	cent := make([]money.Amount, 10_000)
	for i := range cent {
		amount, err := money.FromMinor(int64(i), "USD")
		if err != nil {
			t.Fatal(err)
		}
		cent[i] = amount
	}
	log := func(yield func(ledger.Transaction, error) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for range rows {
			n := r.Uint64()
			tx := ledger.Transaction{Customer: ids[n%customers], At: start.Add(time.Duration(n>>40%365) * Day), Amount: cent[n>>20%10_000]}
			if !yield(tx, nil) {
				return
			}
		}
	}
	m := watchMemory()
	began := time.Now()
	hs, err := Summarize(context.Background(), log, start.AddDate(1, 0, 0), Week, nil)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	peak, kept := m.perCustomer(customers)
	runtime.KeepAlive(ids) // or their memory would be taken off
	if hs.Report.Rows != rows || len(hs.Rows) != customers {
		t.Errorf("%d rows of %d customers", hs.Report.Rows, len(hs.Rows))
	}
	days := float64(hs.Report.Purchases) / customers
	t.Logf("%v: %.1f million rows/s; peak %.0f bytes a customer with %.0f distinct days each; histories %.0f beyond the id",
		took, rows/took.Seconds()/1e6, peak, days, kept-16)
	// 4 bytes a day, and a tenth for the collector.
	if limit := 1.1 * (400 + 4*days); peak > limit {
		t.Errorf("%.0f bytes a customer, want at most %.0f", peak, limit)
	}
	if kept-16 > 96 {
		t.Errorf("histories keep %.0f bytes a customer beyond the id, want at most 96", kept-16)
	}
	runtime.KeepAlive(hs)
}

// A memoryWatch looks at the memory in use until it is asked.
type memoryWatch struct {
	before, peak uint64
	percent      int
	stop, done   chan struct{}
}

// watchMemory begins a watch, with a collector that lets little garbage lie.
func watchMemory() *memoryWatch {
	m := &memoryWatch{percent: debug.SetGCPercent(10), stop: make(chan struct{}), done: make(chan struct{})}
	runtime.GC()
	m.before = m.inUse()
	go func() {
		defer close(m.done)
		for {
			select {
			case <-m.stop:
				return
			case <-time.After(2 * time.Millisecond):
				m.peak = max(m.peak, m.inUse())
			}
		}
	}()
	return m
}

func (m *memoryWatch) inUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// perCustomer ends the watch. It returns the bytes a customer at the peak and now.
func (m *memoryWatch) perCustomer(customers int) (peak, kept float64) {
	close(m.stop)
	<-m.done
	runtime.GC()
	debug.SetGCPercent(m.percent)
	return float64(m.peak-min(m.peak, m.before)) / float64(customers), (float64(m.inUse()) - float64(m.before)) / float64(customers)
}

// TestSummarizeScaling prints what summaries of 1e4 to 1e7 rows take, beside a bare map[string]int pass over the same rows
// in the same run.
func TestSummarizeScaling(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is unset: takes a minute")
	}
	var table [][]string
	for _, n := range []int{1e4, 1e5, 1e6, 1e7} {
		rows, customers := benchLog(n/10, 10), n/10
		var summary, bare []time.Duration
		var allocs uint64
		for range max(3, min(100, 1_000_000/n)) {
			counts := map[string]int{}
			took := timed(func() {
				for i := range rows {
					counts[rows[i].Customer]++
				}
			})
			bare = append(bare, took)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			took = timed(func() { summarizeQuick(t, rows) })
			runtime.ReadMemStats(&after)
			summary, allocs = append(summary, took), after.Mallocs-before.Mallocs
		}
		m := watchMemory()
		hs := summarizeQuick(t, rows)
		peak, kept := m.perCustomer(customers)
		runtime.KeepAlive(hs)
		runtime.KeepAlive(rows) // or their memory would be taken off
		slices.Sort(summary)
		slices.Sort(bare)
		middle, floor := summary[len(summary)/2], bare[len(bare)/2]
		table = append(table, []string{fmt.Sprint(n), middle.Round(10 * time.Microsecond).String(), fmt.Sprintf("%.1f", float64(n)/middle.Seconds()/1e6),
			fmt.Sprintf("%.2f", middle.Seconds()/floor.Seconds()), fmt.Sprint(allocs), fmt.Sprintf("%.0f", peak), fmt.Sprintf("%.0f", kept-16)})
	}
	t.Logf("\n%s", text.Table([]string{"rows", "median", "million rows/s", "of a map pass", "allocations", "peak bytes a customer", "kept beyond the id"}, table, text.First(0)))
}

func timed(work func()) time.Duration {
	start := time.Now()
	work()
	return time.Since(start)
}

func summarizeQuick(t testing.TB, rows []ledger.Transaction) *Histories {
	hs, err := Summarize(context.Background(), ledger.Transactions(rows), day("2025-12-31"), Week, nil)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

// BenchmarkCSVToHistories reads a file: of 1e7 rows and some 260 MB with CUSTVAL_LONG.
func BenchmarkCSVToHistories(b *testing.B) {
	for _, rows := range []int{1e5, 1e7} {
		if rows > 1e5 && os.Getenv("CUSTVAL_LONG") == "" {
			continue
		}
		name := csvFile(b, rows)
		for _, workers := range []int{1, 0} {
			b.Run(fmt.Sprintf("rows=%d/workers=%d", rows, workers), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f, err := os.Open(name)
					if err != nil {
						b.Fatal(err)
					}
					log := ledger.ReadCSV(context.Background(), f, &ledger.CSVOptions{Currency: "USD", Workers: workers})
					if _, err := Summarize(context.Background(), log, day("2025-12-31"), Week, &SummaryOptions{Workers: workers}); err != nil {
						b.Fatal(err)
					}
					if err := f.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// csvFile writes a log of ten shuffled rows a customer.
func csvFile(t testing.TB, rows int) string {
	f, err := os.Create(filepath.Join(t.TempDir(), "log.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	b := append(make([]byte, 0, 1<<20), "customer,at,amount\n"...)
	for i := range rows {
		b = fmt.Appendf(b, "c%08d,", r.IntN(rows/10))
		b = day("2025-01-01").AddDate(0, 0, r.IntN(365)).AppendFormat(b, time.DateOnly)
		b = fmt.Appendf(b, ",%d.%02d\n", r.IntN(200), r.IntN(100))
		if len(b) > 1<<20-100 || i == rows-1 {
			if _, err := f.Write(b); err != nil {
				t.Fatal(err)
			}
			b = b[:0]
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}
