package clv_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/money"
)

var donors = clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 2.8}

// discrete draws customers with 6 to 15 opportunities, identical ones merged.
func discrete(m clv.BGBB, n int, seed uint64) []clv.DiscreteHistory {
	r := rand.New(rand.NewPCG(seed, 2))
	counts := map[clv.DiscreteHistory]int{}
	for range n {
		counts[m.Rand(r, 6+r.IntN(10))]++
	}
	hs := make([]clv.DiscreteHistory, 0, len(counts))
	for h, count := range counts {
		h.Count = count
		hs = append(hs, h)
	}
	slices.SortFunc(hs, func(a, b clv.DiscreteHistory) int { return 1000*(a.N-b.N) + 50*(a.X-b.X) + a.TX - b.TX })
	return hs
}

func fittedBGBB(t *testing.T, n int) (*fit.Estimate[clv.BGBB], []clv.DiscreteHistory) {
	t.Helper()
	hs := discrete(donors, n, 3)
	e, err := clv.FitBGBB(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, hs
}

// refunding draws spends, some of them negative, of customers with different numbers of purchases.
func refunding(t *testing.T, m clv.NormalNormal, n int, seed uint64, scale float64) *clv.Histories {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	hs := &clv.Histories{Unit: clv.Week}
	for i := range n {
		x := 1 + int(6*r.ExpFloat64())
		spend, err := money.FromFloat(scale*m.Rand(r, x)*float64(x), "USD", money.HalfEven)
		if err != nil {
			t.Fatal(err)
		}
		hs.Rows = append(hs.Rows, clv.History{Customer: fmt.Sprint(i), X: x, TX: 20, T: 30, Spend: spend})
	}
	return hs
}

var refunds = clv.NormalNormal{Mu: 40, Tau: 25, Sigma: 60}

// The profile intervals of models with three parameters and more tend to those of Wald with the number of customers.
func TestProfileIntervalsOfOtherModelsTendToWald(t *testing.T) {
	near := func(t *testing.T, ps clv.ParamIntervals, wald [][2]float64, tolerance float64) {
		t.Helper()
		for i, p := range ps {
			width := wald[i][1] - wald[i][0]
			if math.Abs(p.Interval.Low-wald[i][0]) > tolerance*width || math.Abs(p.Interval.High-wald[i][1]) > tolerance*width {
				t.Errorf("%s: %v, Wald %v", p.Name, p.Interval, wald[i])
			}
		}
	}
	t.Run("bgbb", func(t *testing.T) {
		e, hs := fittedBGBB(t, 100_000)
		ps, err := clv.ProfileIntervals(context.Background(), e, hs, 0.9, nil)
		if err != nil {
			t.Fatal(err)
		}
		wald, _ := e.Interval(0.9)
		near(t, ps, wald, 0.02)
	})
	t.Run("normalnormal", func(t *testing.T) {
		hs := refunding(t, refunds, 20_000, 1, 1)
		e, err := clv.FitNormalNormal(context.Background(), hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := clv.ProfileIntervals(context.Background(), e, hs, 0.9, nil)
		if err != nil {
			t.Fatal(err)
		}
		wald, _ := e.Interval(0.9)
		near(t, ps, wald, 0.02)
		// They are amounts of money: in another currency they are so much larger.
		dear := refunding(t, refunds, 20_000, 1, 1e4)
		f, err := clv.FitNormalNormal(context.Background(), dear, nil)
		if err != nil {
			t.Fatal(err)
		}
		qs, err := clv.ProfileIntervals(context.Background(), f, dear, 0.9, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range qs {
			if p := ps[i].Interval; !golden.Close(q.Interval.Low, 1e4*p.Low, 1e-4) || !golden.Close(q.Interval.High, 1e4*p.High, 1e-4) {
				t.Errorf("%s: %v, and %v in money of a ten-thousandth", q.Name, p, q.Interval)
			}
		}
	})
}

var kindred = clv.CorrelatedParetoNBD{R: 1.5, Alpha: 2, S: 1.2, Beta: 4}

// fittedCorrelated draws from the middle of the range of M.
func fittedCorrelated(t *testing.T, n int) (*fit.Estimate[clv.CorrelatedParetoNBD], *clv.Histories) {
	t.Helper()
	m := kindred
	_, high := m.Bounds()
	m.M = 0.5 * high
	hs := modeltest.Draw(m, n, 1)
	e, err := clv.FitCorrelatedParetoNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, hs
}

// The profile of M holds the estimate, whose end the likelihood of ParetoNBD, M 0, confirms: 0 is in the interval where
// the likelihood-ratio test does not reject it.
func TestProfileIntervalOfCorrelation(t *testing.T) {
	e, hs := fittedCorrelated(t, 300)
	plain, err := clv.FitParetoNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	lr, err := fit.Test(plain.Summary(), e.Summary())
	if err != nil {
		t.Fatal(err)
	}
	// At the level 1-p of the test the lower end is 0.
	ps, err := clv.ProfileIntervals(context.Background(), e, hs, 1-lr.P, &clv.ProfileOptions{Params: []string{"M"}})
	if err != nil {
		t.Fatal(err)
	}
	if i := ps[0].Interval; !(math.Abs(i.Low) < 1e-3*i.Value) || !(i.Value < i.High) {
		t.Errorf("M: %v at the level %v, want an interval from 0", i, 1-lr.P)
	}
}

// One prior of each kind, against the likelihood where it is flat and the prior where the data are few.
func TestMAPOfOtherModels(t *testing.T) {
	ctx := context.Background()
	free := func(names ...string) clv.Prior {
		p := clv.Prior{}
		for _, name := range names {
			p[name] = clv.Flat()
		}
		return p
	}
	t.Run("bgbb", func(t *testing.T) {
		e, hs := fittedBGBB(t, 5000)
		asLikely(t, clv.BGBB{}, hs, e, free("Alpha", "Beta", "Gamma", "Delta"), 1e-5)
		few := hs[:3]
		m, err := clv.FitMAP(ctx, clv.BGBB{}, few, nil, nil)
		if err != nil || m.Cov == nil || m.Unit != 0 || !strings.Contains(strings.Join(m.Warnings, " "), "posterior modes") {
			t.Errorf("%v, %v", m, err)
		}
		// Nobody ever bought: the prior and the silence tell.
		if m, err := clv.FitMAP(ctx, clv.BGBB{}, []clv.DiscreteHistory{{N: 6, Count: 50}}, nil, nil); err != nil || m.Model.Validate() != nil {
			t.Errorf("%v, %v", m, err)
		}
		p, err := clv.FitPenalized(ctx, clv.BGBB{}, hs, 5, nil)
		if err != nil || p.Cov != nil || !(p.LogLik < e.LogLik) {
			t.Errorf("%v, %v", p, err)
		}
	})
	t.Run("normalnormal", func(t *testing.T) {
		hs := refunding(t, refunds, 3000, 1, 1)
		e, err := clv.FitNormalNormal(ctx, hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		asLikely(t, clv.NormalNormal{}, hs, e, free("Mu", "Tau", "Sigma"), 1e-5)
		// A sure prior of Mu holds it, and moves with the unit of money.
		sure := clv.Prior{"Mu": clv.Normal(70, 0.01)}
		m, err := clv.FitMAP(ctx, clv.NormalNormal{}, hs, sure, nil)
		if err != nil || !golden.Close(m.Model.Mu, 70, 1e-3) || !golden.Close(m.Params[0].StdErr, 0.01, 1e-2) || m.LogLik > e.LogLik {
			t.Errorf("%v, %v", m, err)
		}
		one := &clv.Histories{Unit: clv.Week, Rows: hs.Rows[:1]}
		if m, err := clv.FitMAP(ctx, clv.NormalNormal{}, one, nil, nil); err != nil || m.Model.Validate() != nil {
			t.Errorf("one customer: %v, %v", m, err)
		}
		for _, c := range []struct {
			prior clv.Prior
			want  string
		}{
			{clv.Prior{"Mu": clv.LogNormal(1, 1)}, "clv: fit of normalnormal: prior of Mu: log-normal(median 1, sigma 1): want Normal for a parameter of any sign, LogNormal or Gamma for a positive one"},
			{clv.Prior{"Tau": clv.Normal(1, 1)}, "clv: fit of normalnormal: prior of Tau: normal(mean 1, sd 1): want Normal for a parameter of any sign, LogNormal or Gamma for a positive one"},
			{clv.Prior{"Mu": clv.Normal(0, 0)}, "clv: prior normal(mean 0, sd 0): sd = 0: want a positive finite number, of Mu"},
			{clv.Prior{"Mu": clv.Normal(math.NaN(), 1)}, "clv: prior normal(mean NaN, sd 1): mean = NaN: not a finite number, of Mu"},
		} {
			if _, err := clv.FitMAP(ctx, clv.NormalNormal{}, hs, c.prior, nil); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		}
	})
	t.Run("correlated", func(t *testing.T) {
		e, hs := fittedCorrelated(t, 2500)
		asLikely(t, clv.CorrelatedParetoNBD{}, hs, e, free("R", "Alpha", "S", "Beta", "M"), 2e-3)
		few := &clv.Histories{Unit: clv.Week, Rows: hs.Rows[:20]}
		m, err := clv.FitMAP(ctx, clv.CorrelatedParetoNBD{}, few, clv.Prior{"M": clv.Normal(0, 0.1)}, nil)
		if err != nil || m.Model.Validate() != nil || math.Abs(m.Model.M) > 0.5 {
			t.Errorf("%v, %v", m, err)
		}
	})
}

// asLikely holds an estimate under a flat prior against that by the likelihood.
func asLikely[M clv.Estimable[D], D any](t *testing.T, zero M, data D, want *fit.Estimate[M], flat clv.Prior, tolerance float64) {
	t.Helper()
	got, err := clv.FitMAP(context.Background(), zero, data, flat, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !golden.Close(got.LogLik, want.LogLik, 1e-8) || got.Customers != want.Customers || got.Unit != want.Unit {
		t.Errorf("log-likelihood %v of %d customers, want %v of %d", got.LogLik, got.Customers, want.LogLik, want.Customers)
	}
	for i, p := range got.Params {
		if q := want.Params[i]; !golden.Close(p.Value, q.Value, tolerance) || !golden.Close(p.StdErr, q.StdErr, 20*tolerance) || p.Name != q.Name {
			t.Errorf("%s = %v +- %v, want %v +- %v", p.Name, p.Value, p.StdErr, q.Value, q.StdErr)
		}
	}
}

// Draws of a bootstrap vary as the standard errors say.
func TestBootstrapOfOtherModels(t *testing.T) {
	ctx := context.Background()
	vary := func(t *testing.T, params []fit.Param, draws [][]float64, tolerance float64) {
		t.Helper()
		n := float64(len(draws))
		for j, p := range params {
			var mean, square float64
			for _, theta := range draws {
				mean += theta[j] / n
			}
			for _, theta := range draws {
				square += (theta[j] - mean) * (theta[j] - mean) / (n - 1)
			}
			if ratio := math.Sqrt(square) / p.StdErr; math.Abs(ratio-1) > tolerance {
				t.Errorf("%s: deviation of the draws is %v times the standard error", p.Name, ratio)
			}
		}
	}
	t.Run("bgbb", func(t *testing.T) {
		e, hs := fittedBGBB(t, 20_000)
		d, err := clv.BootstrapBGBB(ctx, e, hs, &clv.BootstrapOptions{Samples: 300, Seed: 1})
		if err != nil || d.Failed != 0 {
			t.Fatal(err, d)
		}
		vary(t, e.Params, d.Params, 0.17)
		back := slices.Clone(hs)
		slices.Reverse(back)
		again, err := clv.BootstrapBGBB(ctx, e, back, &clv.BootstrapOptions{Samples: 5, Seed: 1, Workers: 3})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.Params[:5], again.Params); diff != "" {
			t.Errorf("rows in another order, three workers (-want +got):\n%s", diff)
		}
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := clv.BootstrapBGBB(canceled, e, hs, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the context's error", err)
		}
		for _, c := range []struct {
			data []clv.DiscreteHistory
			want string
		}{{nil, "clv: no histories"}, {[]clv.DiscreteHistory{{X: 2, TX: 1, N: 3}}, `clv: row 1: field "X": value "2": greater than TX: at most one purchase an opportunity`}} {
			if _, err := clv.BootstrapBGBB(ctx, e, c.data, nil); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		}
		if _, err := clv.BootstrapBGBB(ctx, nil, hs, nil); err == nil {
			t.Error("no estimate, no error")
		}
	})
	t.Run("normalnormal", func(t *testing.T) {
		hs := refunding(t, refunds, 3000, 1, 1)
		e, err := clv.FitNormalNormal(ctx, hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := clv.Bootstrap(ctx, e, hs, clv.FitNormalNormal, &clv.BootstrapOptions{Samples: 300, Seed: 1})
		if err != nil || d.Failed != 0 {
			t.Fatal(err, d)
		}
		vary(t, e.Params, d.Params, 0.2)
	})
	t.Run("correlated", func(t *testing.T) {
		e, hs := fittedCorrelated(t, 400)
		d, err := clv.Bootstrap(ctx, e, hs, clv.FitCorrelatedParetoNBD, &clv.BootstrapOptions{Samples: 4, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range d.Models {
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Delta method and draws agree where the estimate is precise, in the models with parameters of other kinds.
func TestIntervalsOfOtherModels(t *testing.T) {
	t.Run("bgbb", func(t *testing.T) {
		e, _ := fittedBGBB(t, 100_000)
		h := clv.DiscreteHistory{X: 3, TX: 5, N: 8}
		agree(t, e, fit.Logit, func(m clv.BGBB) float64 { return m.ProbAlive(h) })
		agree(t, e, fit.Log, func(m clv.BGBB) float64 { return m.ExpectedPurchases(h, 10) })
		agree(t, e, fit.Log, func(m clv.BGBB) float64 { return m.DERT(h, 0.1) })
	})
	t.Run("normalnormal", func(t *testing.T) {
		e, err := clv.FitNormalNormal(context.Background(), refunding(t, refunds, 20_000, 1, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, e, fit.Identity, func(m clv.NormalNormal) float64 { return m.Mean(2, -100) })
	})
	t.Run("correlated", func(t *testing.T) {
		e, hs := fittedCorrelated(t, 2500)
		draws, err := clv.DrawParams(e, 2000, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range draws.Models {
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		h := hs.Rows[3]
		alive, err := clv.ProbAliveInterval(e, h, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := draws.Interval(func(m clv.CorrelatedParetoNBD) float64 { return m.ProbAlive(h) }, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		// The draws end at the bounds of M, where the normal distribution does not.
		if width := alive.High - alive.Low; math.Abs(alive.Low-drawn.Low) > 0.3*width || math.Abs(alive.High-drawn.High) > 0.3*width {
			t.Errorf("delta method %v, draws %v", alive, drawn)
		}
	})
}

func agree[M any](t *testing.T, e *fit.Estimate[M], scale fit.Scale, f func(m M) float64) {
	t.Helper()
	delta, err := clv.DeltaInterval(e, f, scale, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	d, err := clv.DrawParams(e, 10_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := d.Interval(f, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	if width := delta.High - delta.Low; !(width > 0) || math.Abs(delta.Low-drawn.Low) > 0.06*width || math.Abs(delta.High-drawn.High) > 0.06*width {
		t.Errorf("delta method %v, draws %v", delta, drawn)
	}
}

// A customer whose refunds exceed the purchases has a negative value under normal-normal, with an interval of both kinds.
func TestValueIntervalOfRefunds(t *testing.T) {
	ctx := context.Background()
	hs := refunding(t, refunds, 3000, 1, 1)
	spend, err := clv.FitNormalNormal(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	purchases := nbdEstimate()
	h := clv.History{Customer: "c1", X: 8, TX: 10, T: 16, Spend: money.MustParse("-2000", "USD")}
	v := clv.ValueOptions{Horizon: 52, Margin: 0.5}
	value, err := clv.Value(purchases.Model, spend.Model, h, clv.Week, v)
	if err != nil || value.Sign() >= 0 {
		t.Fatalf("%v, %v: want a negative value", value, err)
	}
	delta, err := clv.ValueInterval(purchases, spend, h, v, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := clv.DrawParams(purchases, 4000, 1)
	b, errB := clv.DrawParams(spend, 4000, 2)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	drawn, err := clv.DrawsValue(a, b, h, v, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	low, high := delta.Low.Float64(), delta.High.Float64()
	if width := high - low; !delta.Value.Equal(value) || !(low < value.Float64() && value.Float64() < high) ||
		math.Abs(drawn.Low.Float64()-low) > 0.1*width || math.Abs(drawn.High.Float64()-high) > 0.1*width {
		t.Errorf("value %v, delta method %v, draws %v", value, delta, drawn)
	}
}
