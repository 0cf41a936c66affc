package clv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// BenchmarkFitDynamic fits weekly covariates over a year and a half: a season that all customers share and mailings of
// their own, and the season alone.
func BenchmarkFitDynamic(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		hs, d := dynamicShop(b, dynamicTruth, n, 3, 1)
		b.Run(fmt.Sprint("both=", n), func(b *testing.B) {
			benchmarkFit(b, hs, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.DynamicParetoNBD], error) {
				return clv.FitDynamicParetoNBD(ctx, hs, d, nil)
			})
		})
		b.Run(fmt.Sprint("purchases=", n), func(b *testing.B) {
			benchmarkFit(b, hs, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.DynamicParetoNBD], error) {
				return clv.FitDynamicParetoNBD(ctx, hs, d, &clv.CovOptions{On: map[string][]string{"Beta": {}}})
			})
		})
	}
}

func BenchmarkPredictDynamic(b *testing.B) {
	hs, d := dynamicShop(b, dynamicTruth, 10_000, 3, 1)
	e := &fit.Estimate[clv.DynamicParetoNBD]{Model: dynamicTruth, Unit: clv.Week}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.Collect(clv.PredictDynamic(context.Background(), e, hs, d, &clv.PredictOptions{Horizon: 26})); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}
