package clv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

func TestBGCNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.BGCNBD]{
		Models: []clv.BGCNBD{
			{K: 2, R: 0.6, Alpha: 2.5, A: 0.8, B: 2.4}, {K: 3, R: 0.5, Alpha: 2, A: 0.3, B: 0.6}, {K: 2, R: 0.25, Alpha: 4.4, A: 1, B: 1},
			{K: 1, R: 0.25, Alpha: 4.4, A: 0.4, B: 0.6}, {K: 12, R: 0.01, Alpha: 10, A: 0.02, B: 30}, {K: 5, R: 40, Alpha: 200, A: 5, B: 5},
		},
		Invalid:   []clv.BGCNBD{{}, {K: 0, R: 1, Alpha: 1, A: 1, B: 1}, {K: 101, R: 1, Alpha: 1, A: 1, B: 1}, {K: 2, R: 1, Alpha: -1, A: 1, B: 1}},
		Simulated: clv.BGCNBD{K: 3, R: 1.2, Alpha: 2, A: 0.8, B: 2.5},
		Unit:      func(m clv.BGCNBD, factor float64) clv.BGCNBD { m.Alpha *= factor; return m },
		Fit: func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.BGCNBD], error) {
			return clv.FitBGCNBD(ctx, hs, 3, o)
		},
		Params: func(m clv.BGCNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} },
	})
}

func TestMBGCNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.MBGCNBD]{
		Models: []clv.MBGCNBD{
			{K: 2, R: 1.3291972687, Alpha: 2.8126003297, A: 0.4247155804, B: 0.7900402222}, {K: 3, R: 0.5, Alpha: 2, A: 0.3, B: 0.6},
			{K: 2, R: 0.25, Alpha: 4.4, A: 1, B: 1}, {K: 1, R: 0.25, Alpha: 4.4, A: 0.4, B: 0.6},
			{K: 12, R: 0.01, Alpha: 10, A: 0.02, B: 30}, {K: 5, R: 40, Alpha: 200, A: 5, B: 5},
		},
		Invalid:   []clv.MBGCNBD{{}, {K: -1, R: 1, Alpha: 1, A: 1, B: 1}, {K: 2, R: 1, Alpha: 1, A: 1}},
		Simulated: clv.MBGCNBD{K: 2, R: 1.2, Alpha: 3, A: 0.8, B: 2.5},
		Unit:      func(m clv.MBGCNBD, factor float64) clv.MBGCNBD { m.Alpha *= factor; return m },
		Fit: func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
			return clv.FitMBGCNBD(ctx, hs, 2, o)
		},
		Params: func(m clv.MBGCNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} },
	})
}

// TestFitCNBDChoosesK draws customers with Erlang-3 gaps and lets the fit find the 3.
func TestFitCNBDChoosesK(t *testing.T) {
	hs := modeltest.Draw(clv.BGCNBD{K: 3, R: 1.2, Alpha: 2, A: 0.8, B: 2.5}, 2000, 1)
	e, err := clv.FitBGCNBD(context.Background(), hs, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Model.K != 3 || len(e.Params) != 4 {
		t.Errorf("chosen %+v", e.Model)
	}
	given, err := clv.FitBGCNBD(context.Background(), hs, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := e.LogLik - given.LogLik; d > 1e-8 || d < -1e-8 {
		t.Errorf("log-likelihood %v chosen, %v given", e.LogLik, given.LogLik)
	}
}

func BenchmarkFitMBGCNBD(b *testing.B) {
	m := clv.MBGCNBD{K: 2, R: 0.5, Alpha: 3.1, A: 0.9, B: 1.6}
	fits := func(k int) func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
		return func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
			return clv.FitMBGCNBD(ctx, hs, k, o)
		}
	}
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("k=2/distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), fits(2)) })
	}
	b.Run("choose/distinct=100000", func(b *testing.B) { benchmarkFit(b, distinct(m, 100_000), fits(0)) })
}

func BenchmarkPredictMBGCNBD(b *testing.B) {
	m := clv.MBGCNBD{K: 2, R: 0.5, Alpha: 3.1, A: 0.9, B: 1.6}
	benchmarkPredict(b, m, map[string]func(h clv.History) float64{
		"alive":    m.ProbAlive,
		"expected": func(h clv.History) float64 { return m.ExpectedPurchases(h, 52) },
	})
}
