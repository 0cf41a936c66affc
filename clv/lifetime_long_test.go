package clv_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

// TestCoverageOfLifetimes draws, fits and counts how often the 95 % intervals hold the parameters.
func TestCoverageOfLifetimes(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is not set: many fits take minutes")
	}
	ctx := context.Background()
	pdo := clv.PDO{R: 1.2, Alpha: 6, A: 0.8, B: 5, Period: 4}
	coverage(t, "pdo", 200, []float64{pdo.R, pdo.Alpha, pdo.A, pdo.B}, func(seed uint64) (*fit.Summary, error) {
		e, err := clv.FitPDO(ctx, modeltest.Draw(pdo, 4000, seed), pdo.Period, nil)
		return summaryOf(e), err
	})
	bb := clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 5}
	coverage(t, "bgbb", 200, []float64{bb.Alpha, bb.Beta, bb.Gamma, bb.Delta}, func(seed uint64) (*fit.Summary, error) {
		r := rand.New(rand.NewPCG(seed, 2))
		hs := make([]clv.DiscreteHistory, 20000)
		for i := range hs {
			hs[i] = bb.Rand(r, 6+r.IntN(10))
		}
		e, err := clv.FitBGBB(ctx, hs, nil)
		return summaryOf(e), err
	})
	gg := clv.GGompertzNBD{R: 1.2, Alpha: 4, B: 0.15, S: 0.8, Beta: 20}
	coverage(t, "ggompertznbd", 200, []float64{gg.R, gg.Alpha, gg.B, gg.S, gg.Beta}, func(seed uint64) (*fit.Summary, error) {
		e, err := clv.FitGGompertzNBD(ctx, modeltest.Draw(gg, 4000, seed), nil)
		return summaryOf(e), err
	})
}

func summaryOf[M any](e *fit.Estimate[M]) *fit.Summary {
	if e == nil {
		return nil
	}
	return &fit.Summary{Params: e.Params}
}

func coverage(t *testing.T, name string, runs int, want []float64, f func(seed uint64) (*fit.Summary, error)) {
	t.Helper()
	held := make([]int, len(want))
	for seed := range runs {
		s, err := f(uint64(seed) + 100)
		if err != nil {
			t.Errorf("%s, run %d: %v", name, seed, err)
			continue
		}
		for i, p := range s.Params {
			if math.Abs(math.Log(p.Value/want[i])) <= 1.96*p.StdErr/p.Value {
				held[i]++
			}
		}
	}
	for i, n := range held {
		if share := float64(n) / float64(runs); share < 0.87 || share > 0.995 {
			t.Errorf("%s: %d of %d intervals hold parameter %d", name, n, runs, i)
		}
	}
	t.Logf("%s: intervals that hold the parameters, of %d: %v", name, runs, held)
}
