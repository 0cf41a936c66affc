package clv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

// The optimum was found by Newton's method with 40 digits.
func TestFitParetoNBDOnCDNOW(t *testing.T) {
	e, err := clv.FitParetoNBD(context.Background(), cdnow(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(e)
	checkFit(t, e, []float64{0.553277043, 10.5776834, 0.60623999, 11.6687354},
		[]float64{0.0476279, 0.842723, 0.187281, 6.21111}, -9594.976178940)
}

func BenchmarkFitParetoNBD(b *testing.B) {
	b.Run("cdnow", func(b *testing.B) { benchmarkFit(b, cdnow(b), clv.FitParetoNBD) })
	m := clv.ParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), clv.FitParetoNBD) })
	}
	b.Run("days=100000", func(b *testing.B) { benchmarkFit(b, modeltest.Draw(m, 100_000, 1), clv.FitParetoNBD) })
}

// BenchmarkPredictParetoNBD is one customer's three predictions.
func BenchmarkPredictParetoNBD(b *testing.B) {
	m := clv.ParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}
	benchmarkPredict(b, m, map[string]func(h clv.History) float64{
		"alive":    m.ProbAlive,
		"expected": func(h clv.History) float64 { return m.ExpectedPurchases(h, 52) },
		"dert":     func(h clv.History) float64 { return m.DERT(h, 0.0027) },
	})
}

func BenchmarkPredictMBGNBD(b *testing.B) {
	m := clv.MBGNBD{R: 0.5, Alpha: 6.2, A: 0.9, B: 1.6}
	benchmarkPredict(b, m, map[string]func(h clv.History) float64{
		"alive":    m.ProbAlive,
		"expected": func(h clv.History) float64 { return m.ExpectedPurchases(h, 52) },
	})
}

// benchmarkPredict times predictions over 100,000 customers of a model on one core.
func benchmarkPredict[M clv.Model](b *testing.B, m M, predictions map[string]func(h clv.History) float64) {
	hs := modeltest.Draw(m, 100_000, 1)
	for name, f := range predictions {
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
