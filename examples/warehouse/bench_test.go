package main

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// logOf has ten orders a customer on average over two years.
func logOf(n int) iter.Seq2[ledger.Transaction, error] {
	return func(yield func(ledger.Transaction, error) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		for range n {
			amount, err := money.FromMinor(100+r.Int64N(20_000), "USD")
			customer := int(float64(n/5) * r.Float64() * r.Float64())
			if !yield(ledger.Transaction{Customer: fmt.Sprintf("customer-%07d", customer), At: first.AddDate(0, 0, r.IntN(730)), Amount: amount}, err) {
				return
			}
		}
	}
}

var benchmarkEnd = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)

// benchmarkBoth compares the two ways to a summary. Received, if not nil, counts what the server sent.
func benchmarkBoth(b *testing.B, db *sql.DB, d dialect, title string, n int, received *atomic.Int64) {
	ctx := context.Background()
	if err := load(ctx, db, d, title, logOf(n)); err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "ANALYZE "+quoteName(title)); err != nil {
		b.Fatal(err)
	}
	_, minor := d.(sqlite)
	t, err := openTable(ctx, &table{db: db, dialect: d, title: title, currency: "USD", minor: minor, zone: time.UTC})
	if err != nil {
		b.Fatal(err)
	}
	way := func(name string, summarize func() (*clv.Histories, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := int64(0)
			if received != nil {
				before = received.Load()
			}
			customers := 0
			for b.Loop() {
				hs, err := summarize()
				if err != nil {
					b.Fatal(err)
				}
				customers = len(hs.Rows)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(customers), "customers")
			if received != nil {
				b.ReportMetric(float64(received.Load()-before)/float64(b.N), "wire-B/op")
			}
		})
	}
	way(fmt.Sprintf("stream/%d", n), func() (*clv.Histories, error) {
		return clv.Summarize(ctx, t.stream(ctx), benchmarkEnd, clv.Week, nil)
	})
	way(fmt.Sprintf("database/%d", n), func() (*clv.Histories, error) { return t.summarize(ctx, benchmarkEnd, clv.Week) })
}

func BenchmarkSQLite(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		benchmarkBoth(b, temporary(b), sqlite{}, "orders", n, nil)
	}
}

// A meter counts the bytes that come over a connection.
type meter struct {
	net.Conn
	received *atomic.Int64
}

func (m meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.received.Add(int64(n))
	return n, err
}

func BenchmarkPostgres(b *testing.B) {
	_, dsn, prefix := server(b)
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		b.Fatal(err)
	}
	var received atomic.Int64
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return meter{conn, &received}, err
	}
	db := stdlib.OpenDB(*c)
	defer db.Close()
	for _, n := range []int{1_000, 100_000} {
		benchmarkBoth(b, db, postgres{}, fmt.Sprintf("%sorders%d", prefix, n), n, &received)
	}
}

func BenchmarkParquet(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		path := filepath.Join(b.TempDir(), "orders.parquet")
		if err := writeOrders(path, logOf(n)); err != nil {
			b.Fatal(err)
		}
		f, err := openParquet(path, "USD", false, time.UTC)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		b.Run(fmt.Sprintf("stream/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := clv.Summarize(context.Background(), f.orders(context.Background()), benchmarkEnd, clv.Week, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
