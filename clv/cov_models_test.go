package clv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestCovariatesOfMoreModelsAreRecovered(t *testing.T) {
	ctx := context.Background()
	t.Run("bgcnbd", func(t *testing.T) {
		base := clv.BGCNBD{K: 3, R: 0.8, Alpha: 1.7, A: 0.8, B: 2.5}
		hs, d := covShop(t, base, bgDoes, 3000, 41)
		e, err := clv.FitCovBGCNBD(ctx, hs, d, 3, nil)
		recovered(t, e, err, truth(base, []float64{0.8, 1.7, 0.8, 2.5}, bgDoes))
		if e.Model.Base.K != 3 || len(e.Params) != 13 {
			t.Errorf("%+v", e.Model)
		}
	})
	t.Run("mbgcnbd", func(t *testing.T) {
		base := clv.MBGCNBD{K: 2, R: 0.8, Alpha: 2.5, A: 0.8, B: 2.5}
		hs, d := covShop(t, base, meanDoes, 1500, 42)
		o := &clv.CovOptions{Beta: clv.MeanForm}
		e, err := clv.FitCovMBGCNBD(ctx, hs, d, 0, o)
		recovered(t, e, err, truth(base, []float64{0.8, 2.5, 0.8, 2.5}, meanDoes))
		if e.Model.Base.K != 2 {
			t.Errorf("K %d is chosen, want 2", e.Model.Base.K)
		}
		given, err := clv.FitCovMBGCNBD(ctx, hs, d, 2, o)
		if err != nil || !golden.Close(given.LogLik, e.LogLik, 1e-12) {
			t.Errorf("log-likelihood %v for K given, %v for K chosen, %v", given.LogLik, e.LogLik, err)
		}
	})
	t.Run("pdo", func(t *testing.T) {
		base := clv.PDO{R: 0.8, Alpha: 5, A: 0.9, B: 6, Period: 4}
		hs, d := covShop(t, base, meanDoes, 3000, 43)
		e, err := clv.FitCovPDO(ctx, hs, d, 4, &clv.CovOptions{Beta: clv.MeanForm})
		recovered(t, e, err, truth(base, []float64{0.8, 5, 0.9, 6}, meanDoes))
		if e.Model.Base.Period != 4 || len(e.Params) != 13 {
			t.Errorf("%+v", e.Model)
		}
		all, err := ledger.Collect(clv.PredictCov(ctx, e, hs, d, &clv.PredictOptions{Horizon: 26}))
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range all {
			if m := e.Model.For(d.Row(i)); m.Period != 4 || p.Purchases != m.ExpectedPurchases(hs.Rows[i], 26) {
				t.Fatalf("row %d: %+v of %+v", i, p, m)
			}
		}
	})
}

func TestCovErrorsOfMoreModels(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, bgDoes, 100, 48)
	bare := &clv.Histories{Unit: hs.Unit}
	for range hs.Rows {
		bare.Rows = append(bare.Rows, clv.History{X: 1, TX: 5, T: 20})
	}
	fits := map[string]func() error{
		"clv: fit of bgcnbd: no history has LogGaps, the sum of the logs of the times between purchases; Summarize fills it": func() error {
			_, err := clv.FitCovBGCNBD(ctx, bare, d, 2, nil)
			return err
		},
		"clv: fit of mbgcnbd: k = -1: want a whole number from 1 to 100, or 0 to choose it": func() error {
			_, err := clv.FitCovMBGCNBD(ctx, hs, d, -1, nil)
			return err
		},
		"clv: fit of pdo: period = -1: want a positive finite number": func() error {
			_, err := clv.FitCovPDO(ctx, hs, d, -1, nil)
			return err
		},
		"clv: no histories": func() error {
			_, err := clv.FitCovNormalNormal(ctx, nil, d, nil)
			return err
		},
		`clv: covpdo: covariates on "Beta": they act on Alpha, A and B`: func() error {
			_, err := clv.FitCovPDO(ctx, hs, d, 4, &clv.CovOptions{On: map[string][]string{"Beta": nil}})
			return err
		},
		`clv: covnormalnormal: covariates on "Tau": they act on Mu`: func() error {
			_, err := clv.FitCovNormalNormal(ctx, hs, d, &clv.CovOptions{On: map[string][]string{"Tau": nil}})
			return err
		},
	}
	for want, f := range fits {
		if err := f(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := clv.FitCovMBGCNBD(canceled, hs, d, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// discreteShop is covShop for the BG/BB.
func discreteShop(t testing.TB, base clv.BGBB, effects []clv.Effect, n int, seed uint64) ([]clv.DiscreteHistory, *clv.Design) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	age, club := make([]float64, n), make([]bool, n)
	for i := range n {
		age[i], club[i] = r.NormFloat64(), r.IntN(3) == 0
	}
	d, err := clv.NewDesign(clv.Numeric("age", age), clv.Indicator("club", club))
	if err != nil {
		t.Fatal(err)
	}
	m := clv.CovBGBB{Base: base, Terms: d.Terms(), Effects: effects}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	var hs []clv.DiscreteHistory
	for i := range n {
		hs = append(hs, m.For(d.Row(i)).Rand(r, 6+r.IntN(7)))
	}
	return hs, d
}

func TestCovariatesOfBGBB(t *testing.T) {
	ctx := context.Background()
	base := clv.BGBB{Alpha: 1.2, Beta: 0.8, Gamma: 0.7, Delta: 2.8}
	for form, effects := range [][]clv.Effect{
		clv.ShapeForm: {{Param: "Alpha", Coefficients: []float64{0.1, 0.3}}, {Param: "Beta", Coefficients: []float64{-0.1, 0.1}},
			{Param: "Gamma", Coefficients: []float64{0.1, -0.4}}, {Param: "Delta", Coefficients: []float64{0.2, 0.1}}},
		clv.MeanForm: {{Param: "PurchaseMean", Coefficients: []float64{0.2, 0.5}}, {Param: "PurchasePolarization", Coefficients: []float64{0.1, -0.2}},
			{Param: "DropoutMean", Coefficients: []float64{-0.2, -0.5}}, {Param: "DropoutPolarization", Coefficients: []float64{0.1, 0.2}}},
	} {
		hs, d := discreteShop(t, base, effects, 6000, 45)
		e, err := clv.FitCovBGBB(ctx, hs, d, &clv.CovOptions{Beta: clv.BetaForm(form)})
		recovered(t, e, err, truth(base, []float64{1.2, 0.8, 0.7, 2.8}, effects))
		plain, err := clv.FitBGBB(ctx, hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		if lr, err := fit.Test(plain.Summary(), e.Summary()); err != nil || lr.DF != 8 || !(lr.P < 1e-6) {
			t.Errorf("%+v, %v", lr, err)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back fit.Estimate[clv.CovBGBB]
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.Model, back.Model); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	hs, d := discreteShop(t, base, []clv.Effect{{Param: "Alpha", Coefficients: []float64{0, 0}}, {Param: "Beta", Coefficients: []float64{0, 0}},
		{Param: "Gamma", Coefficients: []float64{0, 0}}, {Param: "Delta", Coefficients: []float64{0, 0}}}, 50, 45)
	if _, err := clv.FitCovBGBB(ctx, nil, d, nil); err == nil || err.Error() != "clv: no histories" {
		t.Error(err)
	}
	if _, err := clv.FitCovBGBB(ctx, hs[1:], d, nil); err == nil || err.Error() != "clv: the design has 50 rows for 49 histories" {
		t.Error(err)
	}
	if _, err := clv.FitCovBGBB(ctx, hs, nil, nil); err == nil || err.Error() != "clv: no design; a fit without covariates is that of the plain model" {
		t.Error(err)
	}
}

// normalShop has mean spends that shift with two covariates.
func normalShop(t testing.TB, n int, seed uint64) (*clv.Histories, *clv.Design, clv.CovNormalNormal) {
	t.Helper()
	hs, d := covShop(t, bgShop, bgDoes, n, seed)
	m := clv.CovNormalNormal{Base: clv.NormalNormal{Mu: 20, Tau: 12, Sigma: 30}, Terms: d.Terms(),
		Effects: []clv.Effect{{Param: "Mu", Coefficients: []float64{5e-4, 8, -6}}}}
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range hs.Rows {
		if h := &hs.Rows[i]; h.X > 0 {
			h.Spend, _ = money.FromFloat(float64(h.X)*m.For(d.Row(i)).Rand(r, h.X), "USD", money.HalfEven)
		}
	}
	return hs, d, m
}

func TestCovariatesOfNormalSpend(t *testing.T) {
	ctx := context.Background()
	hs, d, m := normalShop(t, 2500, 46)
	e, err := clv.FitCovNormalNormal(ctx, hs, d, nil)
	recovered(t, e, err, []float64{20, 12, 30, 5e-4, 8, -6})
	if m.For([]float64{0, 0, 0}) != m.Base || m.For([]float64{2e4, 1, 0}).Mu != 38 {
		t.Errorf("%+v", m.For([]float64{2e4, 1, 0}))
	}
	plain, err := clv.FitNormalNormal(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	lr, err := fit.Test(plain.Summary(), e.Summary())
	if err != nil || lr.DF != 3 || !(lr.P < 1e-10) {
		t.Errorf("%+v, %v", lr, err)
	}
	// In another currency all is in proportion.
	const rate = 1000
	yen := &clv.Histories{Unit: hs.Unit}
	for _, h := range hs.Rows {
		if h.X > 0 {
			h.Spend, _ = money.FromFloat(rate*h.Spend.Float64(), "JPY", money.HalfEven)
		}
		yen.Rows = append(yen.Rows, h)
	}
	var start []float64
	for _, p := range e.Params {
		start = append(start, rate*p.Value)
	}
	for _, o := range []*clv.CovOptions{nil, {Fit: fit.Options{Start: start}}} {
		f, err := clv.FitCovNormalNormal(ctx, yen, d, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range f.Params {
			if q := e.Params[i]; !golden.Close(p.Value, rate*q.Value, 1e-5) || !golden.Close(p.StdErr, rate*q.StdErr, 1e-5) {
				t.Errorf("%s %v +- %v, want %v times %v +- %v", p.Name, p.Value, p.StdErr, float64(rate), q.Value, q.StdErr)
			}
		}
		if o != nil && f.Iter > 1 {
			t.Errorf("%d iterations from the estimate", f.Iter)
		}
	}
}

// What the intervals of a customer's plain estimate are, against those of functions of the model with covariates.
func TestEstimateFor(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, bgShop, meanDoes, 2500, 47)
	for _, o := range []*clv.CovOptions{nil, {Beta: clv.MeanForm, Equal: []string{"channel"}}} {
		e, err := clv.FitCovBGNBD(ctx, hs, d, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 7, 99} {
			h, row := hs.Rows[i], d.Row(i)
			own, err := clv.EstimateFor(e, row)
			if err != nil {
				t.Fatal(err)
			}
			if own.Model != e.Model.For(row) || own.Unit != e.Unit || len(own.Params) != 4 {
				t.Errorf("%+v", own)
			}
			got, err := clv.ExpectedPurchasesInterval(own, h, 26, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			want, err := clv.DeltaInterval(e, func(m clv.CovBGNBD) float64 { return m.For(row).ExpectedPurchases(h, 26) }, fit.Log, 0.95)
			if err != nil || !golden.Close(got.Low, want.Low, 1e-7) || !golden.Close(got.Value, want.Value, 1e-14) || !golden.Close(got.High, want.High, 1e-7) {
				t.Errorf("customer %d: %v, by the model with covariates %v, %v", i, got, want, err)
			}
			draws, err := clv.DrawParams(e, 2000, 5)
			if err != nil {
				t.Fatal(err)
			}
			drawn, err := draws.Interval(func(m clv.CovBGNBD) float64 { return m.For(row).ExpectedPurchases(h, 26) }, 0.95)
			if width := math.Log(want.High / want.Low); err != nil || math.Abs(math.Log(drawn.Low/want.Low)) > 0.15*width || math.Abs(math.Log(drawn.High/want.High)) > 0.15*width {
				t.Errorf("customer %d: from draws %v, delta method %v, %v", i, drawn, want, err)
			}
		}
		if _, err := clv.EstimateFor(e, []float64{1}); err == nil || err.Error() != "clv: covbgnbd: a row of 1 covariates, want 3" {
			t.Error(err)
		}
		if _, err := clv.EstimateFor(e, []float64{math.Inf(1), 0, 0}); err == nil {
			t.Error("an infinite covariate gives an estimate")
		}
		e.Cov = nil
		own, err := clv.EstimateFor(e, d.Row(0))
		if err != nil || own.Cov != nil {
			t.Errorf("%v, %v", own, err)
		}
		if _, err := clv.ProbAliveInterval(own, hs.Rows[0], 0.95); !errors.Is(err, fit.ErrNoCovariance) {
			t.Errorf("%v, want ErrNoCovariance", err)
		}
	}
	if _, err := clv.EstimateFor[clv.BGNBD](nil, nil); err == nil {
		t.Error("no estimate and no error")
	}
}

// Without effects the p-values of the likelihood-ratio test are uniform: their distribution function is within the 99.9 %
// point of Kolmogorov's statistic.
func TestNullOfCovariates(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("fits thousands of models; set CUSTVAL_LONG to run it")
	}
	const repetitions, n = 400, 800
	ctx := context.Background()
	null := func(name string, p func(seed uint64) (float64, error)) {
		t.Run(name, func(t *testing.T) {
			var ps []float64
			for i := range uint64(repetitions) {
				v, err := p(i)
				if errors.Is(err, fit.ErrDiverged) { // the sample cannot tell S from infinity
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				ps = append(ps, v)
			}
			d := kolmogorov(ps)
			t.Logf("%d fits, distance to the uniform distribution %.3f", len(ps), d)
			if d > 1.95/math.Sqrt(repetitions) || len(ps) < repetitions*98/100 {
				t.Errorf("%d fits, Kolmogorov's distance to the uniform distribution is %.3f", len(ps), d)
			}
		})
	}
	zero := func(names ...string) []clv.Effect {
		var out []clv.Effect
		for _, name := range names {
			out = append(out, clv.Effect{Param: name, Coefficients: []float64{0, 0, 0}})
		}
		return out
	}
	for i, names := range [][]string{{"Alpha", "A", "B"}, {"Alpha", "Mean", "Polarization"}} {
		o := &clv.CovOptions{Beta: clv.BetaForm(i), On: map[string][]string{names[2]: nil}}
		null(fmt.Sprint("bgnbd ", names), func(seed uint64) (float64, error) {
			hs, d := covShop(t, bgShop, zero(names...), n, 1000+seed)
			return ratioTest(ctx, hs, d, clv.FitBGNBD, clv.FitCovBGNBD, o)
		})
	}
	null("normalnormal", func(seed uint64) (float64, error) {
		hs, d, m := normalShop(t, n, 5000+seed)
		r := rand.New(rand.NewPCG(seed, 8))
		for i := range hs.Rows {
			if h := &hs.Rows[i]; h.X > 0 {
				h.Spend, _ = money.FromFloat(float64(h.X)*m.Base.Rand(r, h.X), "USD", money.HalfEven)
			}
		}
		return ratioTest(ctx, hs, d, clv.FitNormalNormal, clv.FitCovNormalNormal, nil)
	})
	null("paretonbd", func(seed uint64) (float64, error) {
		hs, d := covShop(t, paretoShop, zero("Alpha", "Beta"), n, 3000+seed)
		return ratioTest(ctx, hs, d, clv.FitParetoNBD, clv.FitCovParetoNBD, nil)
	})
}

func ratioTest[M clv.Linked](ctx context.Context, hs *clv.Histories, d *clv.Design, plain clv.FitFunc[M], cov clv.CovFitFunc[M], o *clv.CovOptions) (float64, error) {
	nested, err := plain(ctx, hs, nil)
	if err != nil {
		return 0, err
	}
	full, err := cov(ctx, hs, d, o)
	if err != nil {
		return 0, err
	}
	lr, err := fit.Test(nested.Summary(), full.Summary())
	return lr.P, err
}

// kolmogorov returns the largest distance of the distribution function of ps to that of the uniform distribution.
func kolmogorov(ps []float64) float64 {
	most := 0.0
	for _, p := range ps {
		below, upTo := 0.0, 0.0
		for _, q := range ps {
			if q < p {
				below++
			}
			if q <= p {
				upTo++
			}
		}
		n := float64(len(ps))
		most = max(most, math.Abs(p-below/n), math.Abs(p-upTo/n))
	}
	return most
}
