package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/custval/custval/ledger"
)

func longSizes(b *testing.B, short, long []int) []int {
	b.Helper()
	if os.Getenv("CUSTVAL_LONG") == "" {
		return short
	}
	return append(short, long...)
}

// BenchmarkRun runs whole jobs from eight files on the engine in this process: customers whose orders are in all of
// them, the worst case for the combine before the shuffle.
func BenchmarkRun(b *testing.B) {
	for _, customers := range longSizes(b, []int{3_000, 30_000}, []int{300_000}) {
		shop := testShop(customers)
		rows, err := ledger.Collect(shop.shop(0, customers).Orders(context.Background()))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("orders=%d", len(rows)), func(b *testing.B) {
			job := &Job{Options: Options{End: shop.End, Shards: 16}, Orders: writeLog(b, rows, 8), Value: annual, Out: b.TempDir()}
			b.ReportAllocs()
			var r *Result
			for b.Loop() {
				if r, err = Run(context.Background(), job); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
			b.ReportMetric(float64(r.Histories), "histories")
			b.ReportMetric(float64(r.Spends), "spends")
			b.ReportMetric(float64(r.TableBytes), "fit-bytes")
			b.ReportMetric(float64(size(b, job.Orders)), "csv-bytes")
			b.ReportMetric(float64(size(b, filepath.Join(job.Out, "summary-*"))), "summary-bytes")
			b.ReportMetric(float64(shuffled(b, rows, 8, job.Options)), "shuffled-bytes")
		})
	}
}

// size returns the bytes of files.
func size(b *testing.B, glob string) int64 {
	b.Helper()
	names, err := filepath.Glob(glob)
	if err != nil {
		b.Fatal(err)
	}
	var sum int64
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

// shuffled returns the bytes of the accumulators that leave the workers where each file is a bundle.
func shuffled(b *testing.B, rows []ledger.Transaction, files int, o Options) int {
	b.Helper()
	fn := &summarizeFn{merger{o}}
	sum := 0
	for file := range files {
		parts := make([]Summary, o.Shards)
		for i := file; i < len(rows); i += files {
			order := Order{Customer: rows[i].Customer, At: rows[i].At, Amount: rows[i].Amount}
			s := &parts[o.shard(order.Customer)]
			var err error
			if *s, err = fn.AddInput(*s, order); err != nil {
				b.Fatal(err)
			}
		}
		for _, s := range parts {
			data, err := encodeSummary(s)
			if err != nil {
				b.Fatal(err)
			}
			sum += len(data)
		}
	}
	return sum
}

// BenchmarkAddInput adds orders to 64 summaries; beside it, the same orders added to a Partial.
func BenchmarkAddInput(b *testing.B) {
	shop := testShop(30_000)
	rows, err := ledger.Collect(shop.shop(0, shop.Customers).Orders(context.Background()))
	if err != nil {
		b.Fatal(err)
	}
	o, err := Options{End: shop.End}.WithDefaults()
	if err != nil {
		b.Fatal(err)
	}
	perRow := func(b *testing.B) { b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s") }
	b.Run("combine", func(b *testing.B) {
		b.ReportAllocs()
		fn := &summarizeFn{merger{o}}
		for b.Loop() {
			parts := make([]Summary, o.Shards)
			for i := range rows {
				s := &parts[o.shard(rows[i].Customer)]
				if *s, err = fn.AddInput(*s, Order{Customer: rows[i].Customer, At: rows[i].At, Amount: rows[i].Amount}); err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
	b.Run("partial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := o.empty()
			if err != nil {
				b.Fatal(err)
			}
			for i := range rows {
				if err := p.Add(rows[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
}
