package churn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// shop is n purchases of a tenth as many customers over two years, in any order.
func shop(n int) []ledger.Transaction {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, max(1, n/10))
	for i := range ids {
		ids[i] = fmt.Sprintf("customer-%07d", i)
	}
	log := make([]ledger.Transaction, n)
	for i := range log {
		log[i] = ledger.Transaction{Customer: ids[r.IntN(len(ids))], At: day(2024, 1, 1).Add(time.Duration(r.IntN(731*24*60)) * time.Minute),
			Amount: must(money.FromMinor(100+r.Int64N(10000), "USD"))}
	}
	return log
}

func BenchmarkLogs(b *testing.B) {
	ctx := context.Background()
	months := ledger.Months(day(2024, 1, 1), day(2026, 1, 1), nil)
	for _, n := range []int{1e3, 1e5, 1e6} {
		log := shop(n)
		for name, run := range map[string]func() error{
			"Cohorts":        func() error { return second(Cohorts(ctx, ledger.Transactions(log), months)) },
			"RevenueCohorts": func() error { return second(RevenueCohorts(ctx, ledger.Transactions(log), months)) },
			"Lifecycle":      func() error { return second(Lifecycle(ctx, ledger.Transactions(log), months, nil)) },
			"AtRisk":         func() error { return second(AtRisk(ctx, ledger.Transactions(log), day(2026, 1, 1), nil)) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func BenchmarkFits(b *testing.B) {
	data := seen(highEnd, 12)
	b.Run("SBG", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(FitSBG(context.Background(), data, nil))
		}
	})
	b.Run("BdW", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(FitBdW(context.Background(), data, nil))
		}
	})
	b.Run("DERL of BdW", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			BdW{0.3, 2, 1.5}.DERL(3, 0.001)
		}
	})
}

// TestArguments: nothing that is handed over is changed, and everything can be used at the same time.
func TestArguments(t *testing.T) {
	ctx := context.Background()
	log, spans, cohorts := shop(300), juneSpans(), []Cohort{{Active: slices.Clone(highEnd)}, {Active: slices.Clone(regular)}}
	es := toyEvents()
	months := ledger.Months(day(2024, 1, 1), day(2026, 1, 1), nil)
	bands, contracts := PromoterBands(), []Renewal{{Customer: "b", Due: day(2025, 6, 2)}, {Customer: "a", Due: day(2025, 6, 1)}}
	tenures := []ledger.Tenure{{Start: day(2025, 6, 1), Duration: 40, Ended: true}, {Start: day(2025, 1, 1), Duration: 181}}
	e := must(FitSBG(ctx, cohorts, nil))
	want := fmt.Sprint(log, spans, cohorts, es, months, bands, contracts, tenures, e)
	run := func() []string {
		return []string{
			fmt.Sprint(Cohorts(ctx, ledger.Transactions(log), months)), fmt.Sprint(Lifecycle(ctx, ledger.Transactions(log), months, &LifecycleOptions{Rhythm: &Rhythm{}})),
			fmt.Sprint(AtRisk(ctx, ledger.Transactions(log), day(2026, 1, 1), nil)), fmt.Sprint(Window(ctx, ledger.Slice(spans), months[17], nil)),
			fmt.Sprint(ByAge(ctx, ledger.Slice(spans), ledger.Period{}, time.Hour, day(2025, 7, 1), 0.9)), fmt.Sprint(Renewals(contracts, months[17], 0, day(2026, 1, 1))),
			fmt.Sprint(ByScore(ctx, ledger.Slice(es), bands, func(string) (bool, bool) { return true, true }, nil)), fmt.Sprint(CohortsOf(tenures, day(2025, 8, 1), 24*time.Hour, 30)),
			fmt.Sprint(SpansOf(tenures, 24*time.Hour)), fmt.Sprint(FitBdW(ctx, cohorts, nil)), fmt.Sprint(FitLatentClass(ctx, cohorts, nil)),
			fmt.Sprint(Project(ctx, e, cohorts, 2, nil)), fmt.Sprint(Band(e, 3, 0.9)), fmt.Sprint(GoodnessOfFit(e, cohorts)),
		}
	}
	first := run()
	var group sync.WaitGroup
	for range 3 {
		group.Add(1)
		go func() {
			defer group.Done()
			if diff := cmp.Diff(first, run()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}()
	}
	group.Wait()
	if got := fmt.Sprint(log, spans, cohorts, es, months, bands, contracts, tenures, e); got != want {
		t.Error("an argument has been changed")
	}
}

// TestCDNOW counts the purchases of the CDNOW customers, all of whom made the first one in the first quarter of 1997.
func TestCDNOW(t *testing.T) {
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA is not set to the directory of the data sets")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	log, err := ledger.Collect(ledger.ReadCSV(context.Background(), f, &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		t.Fatal(err)
	}
	customers := map[string]bool{}
	total := money.Sum{}
	for _, tx := range log {
		customers[tx.Customer] = true
		total.Add(tx.Amount)
	}
	months := ledger.Months(day(1997, 1, 1), day(1998, 7, 1), nil)
	got := must(RevenueCohorts(context.Background(), ledger.Transactions(log), months))
	size, revenue := 0, money.Sum{}
	for i, r := range got.Rows {
		if (i < 3) != (r.Size > 0) {
			t.Errorf("%s has %d customers", r.Period, r.Size)
		}
		size += r.Size
		for _, c := range r.Cells {
			revenue.Add(c.Revenue)
		}
	}
	if size != len(customers) || !must(revenue.Total()).Equal(must(total.Total())) {
		t.Errorf("%d customers of %d, revenue %v of %v", size, len(customers), must(revenue.Total()), must(total.Total()))
	}
}
