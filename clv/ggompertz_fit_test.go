package clv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

func BenchmarkFitGGompertzNBD(b *testing.B) {
	b.Run("cdnow", func(b *testing.B) { benchmarkFit(b, cdnow(b), clv.FitGGompertzNBD) })
	m := clv.GGompertzNBD{R: 1.2, Alpha: 4, B: 0.15, S: 0.8, Beta: 20}
	for _, n := range []int{1000, 20_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), clv.FitGGompertzNBD) })
	}
}

func BenchmarkFitPDO(b *testing.B) {
	weekly := func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.PDO], error) {
		return clv.FitPDO(ctx, hs, 4, o)
	}
	b.Run("cdnow", func(b *testing.B) { benchmarkFit(b, cdnow(b), weekly) })
	m := clv.PDO{R: 1.2, Alpha: 6, A: 0.8, B: 5, Period: 4}
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), weekly) })
	}
}

// BenchmarkPredictGGompertzNBD is one customer's three predictions.
func BenchmarkPredictGGompertzNBD(b *testing.B) {
	m := clv.GGompertzNBD{R: 0.55, Alpha: 10.6, B: 0.05, S: 0.6, Beta: 2}
	hs := modeltest.Draw(m, 10_000, 1)
	for name, f := range map[string]func(h clv.History) float64{
		"alive":    m.ProbAlive,
		"expected": func(h clv.History) float64 { return m.ExpectedPurchases(h, 52) },
		"dert":     func(h clv.History) float64 { return m.DERT(h, 0.0027) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, h := range hs.Rows {
					f(h)
				}
			}
			b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}
