package clv_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

func logLik[M clv.Model](m M, hs *clv.Histories) float64 {
	sum := 0.0
	for _, h := range hs.Rows {
		sum += float64(max(1, h.Count)) * m.LogLikelihood(h)
	}
	return sum
}

// largest returns the largest f over the logarithm of its argument by ternary search.
func largest(f func(v float64) float64, lo, hi float64) float64 {
	lo, hi = math.Log(lo), math.Log(hi)
	for range 200 {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if f(math.Exp(a)) < f(math.Exp(b)) {
			lo = a
		} else {
			hi = b
		}
	}
	return f(math.Exp(lo))
}

// At each end of the interval twice the drop of the largest likelihood is z squared.
func TestProfileIntervalsByDefinition(t *testing.T) {
	hs := modeltest.Draw(clv.NBD{R: 0.8, Alpha: 5}, 300, 3)
	e, err := clv.FitNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := clv.ProfileIntervals(context.Background(), e, hs, 0.95, nil)
	if err != nil {
		t.Fatal(err)
	}
	const cut = 1.959963984540054 * 1.959963984540054
	for i, p := range ps {
		for _, end := range []float64{p.Interval.Low, p.Interval.High} {
			got := largest(func(v float64) float64 {
				if i == 0 {
					return logLik(clv.NBD{R: end, Alpha: v}, hs)
				}
				return logLik(clv.NBD{R: v, Alpha: end}, hs)
			}, 1e-2, 1e3)
			if ratio := 2 * (e.LogLik - got); math.Abs(ratio-cut) > 1e-5 {
				t.Errorf("%s at %v: likelihood ratio %v, want %v", p.Name, end, ratio, cut)
			}
		}
		if !(p.Interval.Low < p.Interval.Value && p.Interval.Value < p.Interval.High) || p.Interval.Value != e.Params[i].Value {
			t.Errorf("%s: %v", p.Name, p.Interval)
		}
	}
}

func TestProfileIntervalsTendToWald(t *testing.T) {
	hs := modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 30_000, 4)
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	ps, err := clv.ProfileIntervals(context.Background(), e, hs, 0.9, &clv.ProfileOptions{Params: []string{"Alpha", "B"},
		Progress: func(done, all int) {
			if calls++; done != calls || all != 4 {
				t.Errorf("progress %d of %d at call %d", done, all, calls)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != 2 || ps[0].Name != "Alpha" || ps[1].Name != "B" || calls != 4 {
		t.Fatalf("%d calls, %v", calls, ps)
	}
	wald, _ := e.Interval(0.9)
	for k, i := range []int{1, 3} {
		width := wald[i][1] - wald[i][0]
		if math.Abs(ps[k].Interval.Low-wald[i][0]) > 0.03*width || math.Abs(ps[k].Interval.High-wald[i][1]) > 0.03*width {
			t.Errorf("%s: %v, Wald %v", ps[k].Name, ps[k].Interval, wald[i])
		}
	}
}

// Customers who differ no more than chance have an R without upper bound.
func TestProfileIntervalsHaveOneSide(t *testing.T) {
	hs := &clv.Histories{Unit: clv.Week, Rows: []clv.History{
		{X: 2, TX: 20, T: 30, Count: 10}, {X: 3, TX: 20, T: 30, Count: 20}, {X: 4, TX: 20, T: 30, Count: 10}}}
	e, err := clv.FitNBD(context.Background(), hs, nil)
	if e == nil {
		t.Fatal(err)
	}
	t.Log(err, e.Warnings)
	ps, err := clv.ProfileIntervals(context.Background(), e, hs, 0.95, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if !math.IsInf(p.Interval.High, 1) || !(p.Interval.Low > 1) || math.IsInf(p.Interval.Low, 0) {
			t.Errorf("%s: %v, want a lower end alone", p.Name, p.Interval)
		}
	}
	if !strings.Contains(ps.String(), "+Inf") {
		t.Error(ps)
	}
}

func TestProfileIntervalErrors(t *testing.T) {
	ctx := context.Background()
	hs := modeltest.Draw(clv.NBD{R: 0.8, Alpha: 5}, 100, 3)
	e, err := clv.FitNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := modeltest.Draw(clv.NBD{R: 0.8, Alpha: 5}, 100, 4)
	shrunk, err := clv.FitMAP(ctx, clv.NBD{}, hs, clv.Prior{"R": clv.LogNormal(10, 0.1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		e     *fit.Estimate[clv.NBD]
		hs    *clv.Histories
		level float64
		o     *clv.ProfileOptions
		want  string
	}{
		{"level", e, hs, 1, nil, "clv: level 1: want a number between 0 and 1, such as 0.95"},
		{"no estimate", nil, hs, 0.9, nil, "clv: no estimate"},
		{"parameter", e, hs, 0.9, &clv.ProfileOptions{Params: []string{"S"}}, `clv: profile of nbd: "S" is not one of its parameters`},
		{"other data", e, other, 0.9, nil,
			"clv: profile of nbd: the estimate has another log-likelihood than these histories give it: want the data that it was fitted to"},
		{"prior", shrunk, hs, 0.9, nil,
			"clv: profile of nbd: the estimate is not the maximum of the likelihood: want a fit that converged, without a prior"},
		{"unit", e, &clv.Histories{Unit: clv.Day, Rows: hs.Rows}, 0.9, nil,
			"clv: the model counts time in units of 168h0m0s, the histories in units of 24h0m0s"},
		{"data", e, nil, 0.9, nil, "clv: no histories"},
	} {
		if _, err := clv.ProfileIntervals(ctx, c.e, c.hs, c.level, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := clv.ProfileIntervals(stopped, e, hs, 0.9, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}
