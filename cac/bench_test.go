package cac_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func BenchmarkAnalyze(b *testing.B) {
	periods := ledger.Months(day(2024, 1, 1), day(2026, 1, 1), nil)
	for _, n := range []int{1e3, 1e5, 1e6} {
		r := rand.New(rand.NewPCG(1, 2))
		customers := make([]ledger.Customer, n)
		for i := range customers {
			customers[i] = ledger.Customer{ID: fmt.Sprint("customer", i), Acquired: day(2024, 1, 1).AddDate(0, 0, r.IntN(731)), Campaign: fmt.Sprint("campaign", r.IntN(50))}
		}
		costs := make([]cac.Cost, n/10)
		for i := range costs {
			costs[i] = cac.Cost{Amount: minor(r.Int64N(100000)), Date: day(2024, 1, 1).AddDate(0, 0, r.IntN(731)), Campaign: fmt.Sprint("campaign", r.IntN(50))}
		}
		worth := usd("123.45")
		value := func(string) (money.Amount, bool) { return worth, true }
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cac.ByCampaign(costs, customers, value, periods...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}

func BenchmarkProfitability(b *testing.B) {
	for _, n := range []int{1e3, 1e5} {
		r := rand.New(rand.NewPCG(1, 2))
		log := make([]ledger.Transaction, n)
		for i := range log {
			log[i] = ledger.Transaction{Customer: "c", At: day(2024, 1, 1), Product: fmt.Sprint("product", r.IntN(1000)), Amount: minor(r.Int64N(10000)), Cost: minor(r.Int64N(5000))}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cac.Profitability(context.Background(), ledger.Transactions(log), cac.ProductOf, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
