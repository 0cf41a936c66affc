package clv_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/money"
)

// Another package returns -(negative log-likelihood/n + penalty) as the log-likelihood of a regularized fit, so that its
// AIC looks 300 times better.
func TestLikelihoodIsWithoutPrior(t *testing.T) {
	ctx := context.Background()
	hs := modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 60, 1)
	best, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	post, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ridge, err := clv.FitPenalized(ctx, clv.BGNBD{}, hs, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*fit.Estimate[clv.BGNBD]{post, ridge} {
		if want := logLik(e.Model, hs); !golden.Close(e.LogLik, want, 1e-12) || e.LogLik > best.LogLik || !golden.Close(e.AIC(), 8-2*want, 1e-12) {
			t.Errorf("log-likelihood %v, AIC %v; the sum over customers is %v, the largest %v", e.LogLik, e.AIC(), want, best.LogLik)
		}
		if e.Customers != 60 || e.Unit != clv.Week {
			t.Errorf("%d customers in units of %v", e.Customers, e.Unit)
		}
	}
	if post.Cov == nil || !strings.Contains(strings.Join(post.Warnings, "\n"),
		"the estimates are posterior modes under R log-normal(median 1, sigma 1.5), Alpha log-normal(median ") {
		t.Errorf("covariance %v, warnings %q", post.Cov, post.Warnings)
	}
	if ridge.Cov != nil || !math.IsNaN(ridge.Params[0].StdErr) || !strings.Contains(strings.Join(ridge.Warnings, "\n"),
		"standard errors are withheld: the estimates are shrunken by an L2 penalty of 5") {
		t.Errorf("covariance %v, warnings %q", ridge.Cov, ridge.Warnings)
	}
}

// The posterior of the NBD's parameters by a grid over their logarithms: the mode is the estimate, and the curvature
// there is the inverse of the covariance.
func TestMAPIsTheModeOfThePosterior(t *testing.T) {
	ctx := context.Background()
	hs := modeltest.Draw(clv.NBD{R: 0.8, Alpha: 5}, 40, 1)
	prior := clv.Prior{"R": clv.LogNormal(2, 0.5), "Alpha": clv.Gamma(3, 0.4)}
	e, err := clv.FitMAP(ctx, clv.NBD{}, hs, prior, nil)
	if err != nil {
		t.Fatal(err)
	}
	posterior := func(u, v float64) float64 {
		z := (u - math.Log(2)) / 0.5
		return logLik(clv.NBD{R: math.Exp(u), Alpha: math.Exp(v)}, hs) - z*z/2 + 3*v - 0.4*math.Exp(v)
	}
	u, v := math.Log(e.Model.R), math.Log(e.Model.Alpha)
	const h = 1e-3
	f := posterior(u, v)
	if du, dv := (posterior(u+h, v)-posterior(u-h, v))/(2*h), (posterior(u, v+h)-posterior(u, v-h))/(2*h); math.Abs(du) > 1e-4 || math.Abs(dv) > 1e-4 {
		t.Errorf("slopes %v, %v at the estimate", du, dv)
	}
	uu := (posterior(u+h, v) - 2*f + posterior(u-h, v)) / (h * h)
	vv := (posterior(u, v+h) - 2*f + posterior(u, v-h)) / (h * h)
	uv := (posterior(u+h, v+h) - posterior(u+h, v-h) - posterior(u-h, v+h) + posterior(u-h, v-h)) / (4 * h * h)
	det := uu*vv - uv*uv
	r, alpha := e.Model.R, e.Model.Alpha
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"R, R", e.Cov[0][0], -vv / det * r * r}, {"Alpha, Alpha", e.Cov[1][1], -uu / det * alpha * alpha}, {"R, Alpha", e.Cov[0][1], uv / det * r * alpha}} {
		if !golden.Close(c.got, c.want, 1e-4) {
			t.Errorf("covariance of %s %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestMAPOfLittleData(t *testing.T) {
	ctx := context.Background()
	one := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{X: 2, TX: 10, T: 30, LogGaps: 3}}}
	none := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{T: 30, Count: 20}}}
	for name, hs := range map[string]*clv.Histories{"one customer": one, "nobody came again": none} {
		check := func(kind string, err error, cov [][]float64, params []fit.Param) {
			if err != nil || cov == nil {
				t.Errorf("%s, %s: %v, covariance %v", name, kind, err, cov)
				return
			}
			for _, p := range params {
				if !(p.Value > 1e-3 && p.Value < 1e4 && p.StdErr > 0) {
					t.Errorf("%s, %s: %+v", name, kind, p)
				}
			}
		}
		nbd, err := clv.FitMAP(ctx, clv.NBD{}, hs, nil, nil)
		check("NBD", err, nbd.Cov, nbd.Params)
		pareto, err := clv.FitMAP(ctx, clv.ParetoNBD{}, hs, nil, nil)
		check("Pareto/NBD", err, pareto.Cov, pareto.Params)
		gompertz, err := clv.FitMAP(ctx, clv.GGompertzNBD{}, hs, nil, nil)
		check("GGompertz/NBD", err, gompertz.Cov, gompertz.Params)
		pdo, err := clv.FitMAP(ctx, clv.PDO{Period: 4}, hs, nil, nil)
		check("PDO", err, pdo.Cov, pdo.Params)
		bg, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, nil, nil)
		check("BG/NBD", err, bg.Cov, bg.Params)
		mbg, err := clv.FitMAP(ctx, clv.MBGNBD{}, hs, nil, nil)
		check("MBG/NBD", err, mbg.Cov, mbg.Params)
	}
	bgc, err := clv.FitMAP(ctx, clv.BGCNBD{K: 2}, one, nil, nil)
	if err != nil || bgc.Model.K != 2 || bgc.Cov == nil {
		t.Errorf("%v, %v", bgc, err)
	}
	spend := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{X: 2, TX: 10, T: 30, Spend: money.MustParse("80", "USD")}}}
	gg, err := clv.FitMAP(ctx, clv.GammaGamma{}, spend, nil, nil)
	if err != nil || gg.Unit != 0 || !(math.Abs(gg.Model.PopulationMean()-40) < 30) {
		t.Errorf("%v, %v", gg, err)
	}
}

// A flat prior is the likelihood alone, and so is any prior with enough customers; time has no unit.
func TestMAPLimits(t *testing.T) {
	ctx := context.Background()
	hs := modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 3000, 1)
	best, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, clv.Prior{"R": clv.Flat()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	vague, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	days := &clv.Histories{Unit: clv.Day}
	for _, h := range hs.Rows {
		h.TX, h.T = 7*h.TX, 7*h.T
		days.Rows = append(days.Rows, h)
	}
	daily, err := clv.FitMAP(ctx, clv.BGNBD{}, days, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range best.Params {
		factor := 1.0
		if p.Name == "Alpha" {
			factor = 7
		}
		if !golden.Close(same.Params[i].Value, p.Value, 1e-7) || !golden.Close(same.Params[i].StdErr, p.StdErr, 1e-6) {
			t.Errorf("%s with a flat prior %+v, without %+v", p.Name, same.Params[i], p)
		}
		if math.Abs(vague.Params[i].Value-p.Value) > 0.2*p.StdErr {
			t.Errorf("%s with a vague prior %+v, without %+v", p.Name, vague.Params[i], p)
		}
		if !golden.Close(daily.Params[i].Value, factor*vague.Params[i].Value, 1e-7) {
			t.Errorf("%s in days %v, in weeks %v", p.Name, daily.Params[i].Value, vague.Params[i].Value)
		}
	}
}

func TestPriorErrors(t *testing.T) {
	ctx := context.Background()
	hs := modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 60, 1)
	for _, c := range []struct {
		prior clv.Prior
		want  string
	}{
		{clv.Prior{"S": clv.Flat()}, `clv: fit of bgnbd: prior of "S", which is not a parameter of the model`},
		{clv.Prior{"A": clv.LogNormal(-1, 1)}, "clv: prior log-normal(median -1, sigma 1): median = -1: want a positive finite number, of A"},
		{clv.Prior{"A": clv.Gamma(1, math.NaN())}, "clv: prior gamma(shape 1, rate NaN): rate = NaN: want a positive finite number, of A"},
	} {
		if _, err := clv.FitMAP(ctx, clv.BGNBD{}, hs, c.prior, nil); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.prior, err, c.want)
		}
	}
	if _, err := clv.FitPenalized(ctx, clv.BGNBD{}, hs, 0, nil); err == nil || err.Error() != "clv: fit of bgnbd: lambda = 0: want a positive finite number" {
		t.Error(err)
	}
	if _, err := clv.FitMAP(ctx, clv.BGCNBD{}, hs, nil, nil); err == nil || err.Error() != "clv: bgcnbd: K = 0: want a whole number from 1 to 100" {
		t.Error(err)
	}
}
