package main

import (
	"context"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// TestStreamHoldsNoRows summarizes 50,000 orders of 100 customers out of a view that makes them up. Were they kept, they
// would take more than 10 MB.
func TestStreamHoldsNoRows(t *testing.T) {
	ctx := context.Background()
	db := temporary(t)
	if _, err := db.Exec(`CREATE VIEW orders AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
		SELECT i AS id, 'customer ' || (i % 100) AS customer, date('2025-01-01', '+' || (i % 50) || ' days') AS at, i AS amount FROM n`); err != nil {
		t.Fatal(err)
	}
	tab, err := openTable(ctx, &table{db: db, dialect: sqlite{}, title: "orders", currency: "USD", minor: true, zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most := heap(), uint64(0)
	watched := func(orders iter.Seq2[ledger.Transaction, error]) iter.Seq2[ledger.Transaction, error] {
		return func(yield func(ledger.Transaction, error) bool) {
			n := 0
			for tx, err := range orders {
				if n++; n%10_000 == 0 {
					most = max(most, heap())
				}
				if !yield(tx, err) {
					return
				}
			}
		}
	}
	end := time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)
	want, err := clv.Summarize(ctx, watched(tab.stream(ctx)), end, clv.Week, &clv.SummaryOptions{Workers: 1}) // more have buffers of some MB between them
	if err != nil {
		t.Fatal(err)
	}
	if limit := before + 4<<20; most > limit {
		t.Errorf("%d bytes in use while streaming, %d before", most, before)
	}
	got, err := tab.summarize(ctx, end, clv.Week)
	if err != nil {
		t.Fatal(err)
	}
	if err := same(want, got); err != nil {
		t.Error(err)
	}
}
