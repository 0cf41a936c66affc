package clv

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

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
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // so that the heap is what is in use
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	var peak atomic.Uint64
	began := time.Now()
	hs, err := Summarize(context.Background(), log, start.AddDate(1, 0, 0), Week, &SummaryOptions{Progress: func(n int) {
		if n%(1<<20) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if hs.Report.Rows != rows || len(hs.Rows) != customers {
		t.Errorf("%d rows of %d customers", hs.Report.Rows, len(hs.Rows))
	}
	days := hs.Report.Purchases
	perCustomer := float64(peak.Load()-before) / customers
	t.Logf("%v: %.1f million rows/s; peak %.0f bytes a customer with %.0f distinct days each", took, rows/took.Seconds()/1e6, perCustomer, float64(days)/customers)
	// 4 bytes a day, up to half as many to spare, and a tenth for the collector.
	if limit := 1.1 * (400 + 4*1.5*float64(days)/customers); perCustomer > limit {
		t.Errorf("%.0f bytes a customer, want at most %.0f", perCustomer, limit)
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	if kept := float64(m.HeapAlloc-before)/customers - 16; kept > 96 {
		t.Errorf("histories keep %.0f bytes a customer beyond the id, want at most 96", kept)
	}
	runtime.KeepAlive(hs)
}
