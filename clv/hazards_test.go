package clv_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
)

// The points at which programs for these models are known to fail: overflow, cancellation, removable singularities,
// divergence that is reported as success, forecasts that depend on the batch.

// TestStartsReachOneOptimum fits customers whose gaps are Erlang-3, which the models of random gaps do not expect, from
// starts that are bad in several ways. All must end at one optimum with sane parameters, and the model of regular gaps
// must be better.
func TestStartsReachOneOptimum(t *testing.T) {
	hs := modeltest.Draw(clv.BGCNBD{K: 3, R: 1.5, Alpha: 3, A: 0.6, B: 3}, 4000, 7)
	ctx := context.Background()
	starts := [][]float64{{1, 1, 1, 1}, {0.5, 5, 0.5, 2}, {1, 10, 1, 3}, {30, 0.01, 30, 0.01}, {0.01, 300, 0.01, 300}}
	best := math.Inf(-1)
	check := func(kind string, fits func(o *fit.Options) (fit.Summary, error)) {
		t.Helper()
		reference, err := fits(nil)
		if err != nil {
			t.Fatal(err)
		}
		best = max(best, reference.LogLik)
		for _, start := range starts {
			s, err := fits(&fit.Options{Start: start})
			if err != nil || math.Abs(s.LogLik-reference.LogLik) > 1e-6 {
				t.Errorf("%s from %v: log-likelihood %.9f, %v; without a start %.9f", kind, start, s.LogLik, err, reference.LogLik)
			}
		}
	}
	check("bgnbd", func(o *fit.Options) (fit.Summary, error) {
		e, err := clv.FitBGNBD(ctx, hs, o)
		return e.Summary(), err
	})
	check("mbgnbd", func(o *fit.Options) (fit.Summary, error) {
		e, err := clv.FitMBGNBD(ctx, hs, o)
		return e.Summary(), err
	})
	check("paretonbd", func(o *fit.Options) (fit.Summary, error) {
		e, err := clv.FitParetoNBD(ctx, hs, o)
		return e.Summary(), err
	})
	e, err := clv.FitBGCNBD(ctx, hs, 0, nil)
	if err != nil || e.Model.K != 3 || e.LogLik < best+100 {
		t.Errorf("chosen %+v with log-likelihood %v, %v; at best %v without regularity", e.Model, e.LogLik, err, best)
	}
}

// TestBusyCustomer fits samples with customers of thousands of purchases, with only repeat buyers and with only a few.
func TestBusyCustomer(t *testing.T) {
	hs := modeltest.Draw(clv.ParetoNBD{R: 0.8, Alpha: 6, S: 0.8, Beta: 20}, 1000, 1)
	hs.Rows = append(hs.Rows, clv.History{Customer: "z", X: 5000, TX: 38.9, T: 39}, clv.History{Customer: "zz", X: 600, TX: 12, T: 39})
	ctx := context.Background()
	if e, err := clv.FitParetoNBD(ctx, hs, nil); err != nil || e.Cov == nil {
		t.Errorf("%v, %v", e, err)
	}
	if e, err := clv.FitMBGNBD(ctx, hs, nil); err != nil || e.Cov == nil {
		t.Errorf("%v, %v", e, err)
	}
	var buyers []clv.History
	for _, h := range hs.Rows {
		if h.X > 0 {
			buyers = append(buyers, h)
		}
	}
	if e, err := clv.FitParetoNBD(ctx, &clv.Histories{Unit: hs.Unit, Rows: buyers}, nil); e == nil || (err == nil && e.Cov == nil) {
		t.Errorf("%v, %v", e, err)
	}
}

// models are the parameters of the CDNOW sample, or near them.
func models() []clv.Forecaster {
	return []clv.Forecaster{
		clv.NBD{R: 0.385, Alpha: 12.07},
		clv.BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426},
		clv.MBGNBD{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614},
		clv.ParetoNBD{R: 0.553, Alpha: 10.58, S: 0.606, Beta: 11.67},
		clv.BGCNBD{K: 2, R: 0.4, Alpha: 2.5, A: 0.8, B: 2.5},
		clv.MBGCNBD{K: 3, R: 0.5, Alpha: 2, A: 0.9, B: 1.6},
	}
}

// TestManyPurchases asks for customers of 200 to 5000 purchases and for times of a million weeks: numbers come back, and
// soon.
func TestManyPurchases(t *testing.T) {
	for _, m := range models() {
		for _, x := range []int{171, 172, 200, 500, 5000} {
			for _, tx := range []float64{20, 38.9, 39} {
				h := clv.History{X: x, TX: tx, T: 39}
				for name, v := range map[string]float64{"LogLikelihood": m.LogLikelihood(h), "ProbAlive": m.ProbAlive(h),
					"ExpectedPurchases": m.ExpectedPurchases(h, 52), "DERT": m.DERT(h, 0.0027), "ConditionalPMF": m.ConditionalPMF(h, x, 39)} {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Errorf("%+v %+v: %s = %v", m, h, name, v)
					}
				}
			}
		}
		last := 0.0
		for _, at := range []float64{52, 1e3, 1e4, 1e5, 1e6} {
			v := m.NewCustomerPurchases(at)
			if !(v > last) || math.IsInf(v, 0) {
				t.Errorf("%+v: %v purchases in %v after %v before", m, v, at, last)
			}
			last = v
		}
	}
}

// TestTails follows the distribution to 1000 purchases: it falls smoothly, by a ratio that changes little.
func TestTails(t *testing.T) {
	for _, m := range models() {
		for n := 60; n < 1000; n += 37 {
			a, b, c := m.PMF(n, 52), m.PMF(n+1, 52), m.PMF(n+2, 52)
			if a < 1e-290 {
				break
			}
			if !(b < a && c < b) || math.Abs(c/b/(b/a)-1) > 0.01 {
				t.Errorf("%+v: P(%d), P(%d), P(%d) = %v, %v, %v", m, n, n+1, n+2, a, b, c)
			}
		}
	}
}

// TestSingularPoints approaches parameters at which the usual formulas are 0/0.
func TestSingularPoints(t *testing.T) {
	h := clv.History{X: 5, TX: 30, T: 40}
	for _, s := range []float64{1, 2, 15, 30} {
		at := func(s float64) []float64 {
			m := clv.ParetoNBD{R: 0.55, Alpha: 10.6, S: s, Beta: 11.7}
			return []float64{m.ExpectedPurchases(h, 52), m.DERT(h, 0.0027), m.DERT(h, 0.5), m.NewCustomerPurchases(52)}
		}
		low, high := at(s*(1-1e-7)), at(s*(1+1e-7))
		for i, v := range at(s) {
			if !golden.Close(v, (low[i]+high[i])/2, 1e-11) {
				t.Errorf("s = %v: %v, beside it %v and %v", s, v, low[i], high[i])
			}
		}
	}
	for _, k := range []int{1, 2, 5} {
		at := func(a float64) []float64 {
			m := clv.MBGCNBD{K: k, R: 0.25, Alpha: 4.4, A: a, B: 1}
			return []float64{m.ExpectedPurchases(h, 52), m.DERT(h, 0.0027), m.NewCustomerPurchases(52)}
		}
		low, high := at(1-1e-7), at(1+1e-7)
		for i, v := range at(1) {
			if !golden.Close(v, (low[i]+high[i])/2, 1e-11) {
				t.Errorf("a = 1, k = %d: %v, beside it %v and %v", k, v, low[i], high[i])
			}
		}
	}
	for _, m := range []clv.Model{clv.BGNBD{R: .25, Alpha: 4.4, A: .8, B: 1}, clv.BGCNBD{K: 2, R: .25, Alpha: 4.4, A: .8, B: 1}} {
		if p := m.ProbAlive(clv.History{T: 10}); p != 1 {
			t.Errorf("%+v: P(alive) of a silent customer %v, want 1", m, p)
		}
		if l := m.LogLikelihood(clv.History{T: 10}); math.IsNaN(l) {
			t.Errorf("%+v: no log-likelihood", m)
		}
	}
}

// TestFarApart has alpha and beta many orders apart, where series in their difference do not end.
func TestFarApart(t *testing.T) {
	for _, m := range []clv.ParetoNBD{{R: 0.55, Alpha: 1e4, S: 0.6, Beta: 1e-3}, {R: 0.55, Alpha: 1e-6, S: 0.6, Beta: 10},
		{R: 0.55, Alpha: 10.5, S: 0.6, Beta: 1e4}, {R: 0.55, Alpha: 10.5, S: 0.6, Beta: 1e12}} {
		for _, h := range []clv.History{{T: 39}, {X: 60, TX: 30, T: 39}, {X: 100, TX: 38, T: 39}} {
			l, p := m.LogLikelihood(h), m.ProbAlive(h)
			if math.IsNaN(l) || !(p > 0 && p <= 1) {
				t.Errorf("%+v %+v: ln L %v, P(alive) %v", m, h, l, p)
			}
		}
	}
}

// TestParetoNBDWithoutDeparture holds the model against the NBD, to which it tends where nobody leaves.
func TestParetoNBDWithoutDeparture(t *testing.T) {
	nbd := clv.NBD{R: 0.55, Alpha: 10.6}
	for _, m := range []clv.ParetoNBD{{R: 0.55, Alpha: 10.6, S: 1e-12, Beta: 5}, {R: 0.55, Alpha: 10.6, S: 2, Beta: 1e13}} {
		for _, h := range []clv.History{{T: 39}, {X: 5, TX: 30, T: 39}, {X: 60, TX: 38, T: 39}} {
			for name, v := range map[string][2]float64{
				"LogLikelihood":     {m.LogLikelihood(h), nbd.LogLikelihood(h)},
				"ProbAlive":         {m.ProbAlive(h), 1},
				"ExpectedPurchases": {m.ExpectedPurchases(h, 52), nbd.ExpectedPurchases(h, 52)},
				"ConditionalPMF":    {m.ConditionalPMF(h, h.X, 52), nbd.ConditionalPMF(h, h.X, 52)},
				"DERT":              {m.DERT(h, 0.05), nbd.DERT(h, 0.05)},
			} {
				if !golden.Close(v[0], v[1], 1e-9) {
					t.Errorf("%+v %+v: %s %v, NBD %v", m, h, name, v[0], v[1])
				}
			}
		}
	}
}

// TestBatch holds the prediction of a customer alone against that in a batch of many.
func TestBatch(t *testing.T) {
	m := clv.MBGCNBD{K: 2, R: 1.3291972687, Alpha: 2.8126003297, A: 0.4247155804, B: 0.7900402222}
	hs := modeltest.Draw(m, 500, 1)
	e := &fit.Estimate[clv.MBGCNBD]{Model: m, Unit: hs.Unit}
	i := 0
	for p, err := range clv.Predict(context.Background(), e, hs, &clv.PredictOptions{Horizon: 52}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := m.ExpectedPurchases(hs.Rows[i], 52); p.Purchases != want {
			t.Errorf("%s: %v in a batch, %v alone", p.Customer, p.Purchases, want)
		}
		i++
	}
}

// TestRecovery draws 20,000 customers of each model and recovers the parameters within four standard errors; over 200
// draws of 2,000 the 95 % intervals cover 90 to 99 %.
func TestRecovery(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is not set")
	}
	recovery(t, clv.NBD{R: 0.8, Alpha: 5}, clv.FitNBD, func(m clv.NBD) []float64 { return []float64{m.R, m.Alpha} })
	recovery(t, clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, clv.FitBGNBD,
		func(m clv.BGNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} })
	recovery(t, clv.MBGNBD{R: 1.2, Alpha: 6, A: 0.8, B: 2.5}, clv.FitMBGNBD,
		func(m clv.MBGNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} })
	recovery(t, clv.ParetoNBD{R: 1.2, Alpha: 6, S: 0.8, Beta: 20}, clv.FitParetoNBD,
		func(m clv.ParetoNBD) []float64 { return []float64{m.R, m.Alpha, m.S, m.Beta} })
	recovery(t, clv.BGCNBD{K: 3, R: 1.2, Alpha: 2, A: 0.8, B: 2.5},
		func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.BGCNBD], error) {
			return clv.FitBGCNBD(ctx, hs, 3, o)
		}, func(m clv.BGCNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} })
	recovery(t, clv.MBGCNBD{K: 2, R: 1.2, Alpha: 3, A: 0.8, B: 2.5},
		func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
			return clv.FitMBGCNBD(ctx, hs, 2, o)
		}, func(m clv.MBGCNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} })
}

func recovery[M clv.Model](t *testing.T, m M, f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error),
	params func(M) []float64) {
	t.Helper()
	t.Run(m.Kind(), func(t *testing.T) {
		ctx := context.Background()
		truth := params(m)
		e, err := f(ctx, modeltest.Draw(m, 20_000, 99), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range e.Params {
			if z := (p.Value - truth[i]) / p.StdErr; !(math.Abs(z) < 4) {
				t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, truth[i])
			}
		}
		const draws = 200
		covered := make([]int, len(truth))
		for seed := range uint64(draws) {
			e, err := f(ctx, modeltest.Draw(m, 2000, 5000+seed), nil)
			if err != nil {
				t.Fatal(err)
			}
			band, err := e.Interval(0.95)
			if err != nil {
				t.Fatal(err)
			}
			for i := range truth {
				if band[i][0] <= truth[i] && truth[i] <= band[i][1] {
					covered[i]++
				}
			}
		}
		t.Log(fmt.Sprint(m.Kind(), " covered of ", draws, ": ", covered))
		for i, n := range covered {
			if n < 180 || n > 198 {
				t.Errorf("%d of %d intervals of %s cover", n, draws, e.Params[i].Name)
			}
		}
	})
}
