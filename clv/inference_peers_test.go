package clv_test

import (
	"context"
	"errors"
	"math"
	"os"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
)

// Another package scales the off-diagonals of the covariance by one side only, so that it is not symmetric. Here the
// covariance is the inverse of the information, taken by differences of LogLikelihood, in all elements.
func TestCovarianceInAllElements(t *testing.T) {
	hs := modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 3000, 1)
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var u [4]float64
	for i, p := range e.Params {
		u[i] = math.Log(p.Value)
	}
	at := func(i, j int, di, dj float64) float64 {
		v := u
		v[i] += di
		v[j] += dj
		return logLik(clv.BGNBD{R: math.Exp(v[0]), Alpha: math.Exp(v[1]), A: math.Exp(v[2]), B: math.Exp(v[3])}, hs)
	}
	const h = 2e-3
	for i := range 4 {
		for k := range 4 {
			sum, want := 0.0, 0.0
			for j := range 4 {
				information := -(at(i, j, h, h) - at(i, j, h, -h) - at(i, j, -h, h) + at(i, j, -h, -h)) / (4 * h * h)
				sum += information * e.Cov[j][k] / (e.Params[j].Value * e.Params[k].Value)
			}
			if i == k {
				want = 1
			}
			if math.Abs(sum-want) > 1e-3 {
				t.Errorf("element %d, %d of information times covariance is %v, want %v", i, k, sum, want)
			}
			if e.Cov[i][k] != e.Cov[k][i] {
				t.Errorf("element %d, %d is %v, its mirror image %v", i, k, e.Cov[i][k], e.Cov[k][i])
			}
		}
	}
}

// Another package takes the absolute value of a negative likelihood ratio and calls the worse fit significantly better.
func TestLikelihoodRatioIsNeverMadePositive(t *testing.T) {
	hs := modeltest.Draw(clv.ParetoNBD{R: 0.8, Alpha: 10, S: 0.6, Beta: 12}, 1000, 1)
	ctx := context.Background()
	nested, err := clv.FitNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	full, err := clv.FitParetoNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	lr, err := fit.Test(nested.Summary(), full.Summary())
	if err != nil || !golden.Close(lr.Statistic, 2*(full.LogLik-nested.LogLik), 1e-12) || lr.DF != 2 {
		t.Errorf("%+v, %v", lr, err)
	}
	stopped := full.Summary()
	stopped.LogLik = nested.LogLik - 2.7
	if lr, err := fit.Test(nested.Summary(), stopped); !errors.Is(err, fit.ErrNotConverged) {
		t.Errorf("a full model below the nested one: %+v, %v", lr, err)
	}
}

// Every long call ends with the error of its context.
func TestLongWorkStopsSoon(t *testing.T) {
	hs, d := covShop(t, bgShop, bgDoes, 20_000, 31)
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, work := range map[string]func(ctx context.Context) error{
		"covariates": func(ctx context.Context) error { _, err := clv.FitCovBGNBD(ctx, hs, d, nil); return err },
		"profile":    func(ctx context.Context) error { _, err := clv.ProfileIntervals(ctx, e, hs, 0.95, nil); return err },
		"prior":      func(ctx context.Context) error { _, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, nil, nil); return err },
		"bootstrap":  func(ctx context.Context) error { _, err := clv.Bootstrap(ctx, e, hs, clv.FitBGNBD, nil); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
		start := time.Now()
		err := work(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the context's error", name, err)
		}
		t.Logf("%s: stopped after %v", name, time.Since(start))
	}
}

// The intervals of 95 % cover the truth in 90 to 99 % of 200 simulations.
func TestCoverageOfIntervals(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is not set: 200 simulated fits with profile intervals")
	}
	ctx := context.Background()
	m := clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}
	h := clv.History{X: 3, TX: 20, T: 40}
	truth := []float64{m.R, m.Alpha, m.A, m.B}
	const repetitions = 200
	hits := map[string]int{}
	count := func(name string, i clv.Interval, truth float64) {
		if i.Low <= truth && truth <= i.High {
			hits[name]++
		}
	}
	for seed := range uint64(repetitions) {
		hs := modeltest.Draw(m, 1500, 100+seed)
		e, err := clv.FitBGNBD(ctx, hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		alive, err := clv.ProbAliveInterval(e, h, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		count("ProbAlive, delta method", alive, m.ProbAlive(h))
		purchases, err := clv.ExpectedPurchasesInterval(e, h, 52, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		count("ExpectedPurchases, delta method", purchases, m.ExpectedPurchases(h, 52))
		draws, err := clv.DrawParams(e, 1000, seed)
		if err != nil {
			t.Fatal(err)
		}
		dert, err := draws.Interval(func(m clv.BGNBD) float64 { return m.DERT(h, 0.002) }, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		count("DERT, draws", dert, m.DERT(h, 0.002))
		profile, err := clv.ProfileIntervals(ctx, e, hs, 0.95, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range profile {
			count(p.Name+", profile", p.Interval, truth[i])
		}
	}
	for name, n := range hits {
		share := float64(n) / repetitions
		t.Logf("%s: %.3f", name, share)
		if share < 0.9 || share > 0.99 {
			t.Errorf("%s covers the truth in %v of the simulations", name, share)
		}
	}
}
