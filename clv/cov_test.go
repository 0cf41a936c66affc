package clv_test

import (
	"context"
	"encoding/json"
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
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// covShop draws customers with the covariates age, channel (of two effects) and income of a model; effects are in the order of
// the parameters that covariates act on.
func covShop[M interface {
	clv.Linked
	clv.Model
}](t testing.TB, base M, effects []clv.Effect, n int, seed uint64) (*clv.Histories, *clv.Design) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	income, channel := make([]float64, n), make([]string, n)
	for i := range n {
		income[i] = 50_000 + 15_000*r.NormFloat64()
		channel[i] = []string{"organic", "search", "social"}[r.IntN(3)]
	}
	d, err := clv.NewDesign(clv.Numeric("income", income), clv.Categorical("channel", channel, ""))
	if err != nil {
		t.Fatal(err)
	}
	m := clv.Cov[M]{Base: base, Terms: d.Terms(), Effects: effects}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	hs := &clv.Histories{Unit: clv.Week}
	for i := range n {
		h := m.For(d.Row(i)).Rand(r, 30+float64(r.IntN(40*7))/7)
		h.Customer = fmt.Sprintf("c%06d", i)
		hs.Rows = append(hs.Rows, h)
	}
	return hs, d
}

var (
	bgShop = clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}
	bgDoes = []clv.Effect{
		{Param: "Alpha", Coefficients: []float64{2e-5, 0.4, -0.3}},
		{Param: "A", Coefficients: []float64{-1e-5, 0.2, 0.5}},
		{Param: "B", Coefficients: []float64{0.5e-5, 0.1, -0.2}},
	}
	paretoShop = clv.ParetoNBD{R: 0.9, Alpha: 20, S: 0.8, Beta: 20}
	paretoDoes = []clv.Effect{
		{Param: "Alpha", Coefficients: []float64{2e-5, 0.4, -0.3}},
		{Param: "Beta", Coefficients: []float64{1e-5, 0.3, -0.4}},
	}
)

// truth flattens a model in the order of the estimate.
func truth[M clv.Linked](m M, base []float64, effects []clv.Effect) []float64 {
	out := slices.Clone(base)
	for _, e := range effects {
		out = append(out, e.Coefficients...)
	}
	return out
}

func recovered[M clv.Linked](t *testing.T, e *fit.Estimate[clv.Cov[M]], err error, want []float64) {
	t.Helper()
	if err != nil || e.Cov == nil {
		t.Fatal(err, e)
	}
	for i, p := range e.Params {
		if z := (p.Value - want[i]) / p.StdErr; !(math.Abs(z) < 4) {
			t.Errorf("%s = %v with standard error %v, want %v", p.Name, p.Value, p.StdErr, want[i])
		}
	}
}

func TestCovariatesAreRecovered(t *testing.T) {
	ctx := context.Background()
	t.Run("bgnbd", func(t *testing.T) {
		hs, d := covShop(t, bgShop, bgDoes, 4000, 1)
		e, err := clv.FitCovBGNBD(ctx, hs, d, nil)
		recovered(t, e, err, truth(bgShop, []float64{0.8, 5, 0.8, 2.5}, bgDoes))
		names := []string{"R", "Alpha", "A", "B", "Alpha.income", "Alpha.channel=search", "Alpha.channel=social", "A.income",
			"A.channel=search", "A.channel=social", "B.income", "B.channel=search", "B.channel=social"}
		for i, p := range e.Params {
			if p.Name != names[i] || (p.Scale == fit.Identity) != (i >= 4) {
				t.Errorf("parameter %d is %s on %v, want %s", i, p.Name, p.Scale, names[i])
			}
		}
	})
	t.Run("mbgnbd", func(t *testing.T) {
		base := clv.MBGNBD(bgShop)
		hs, d := covShop(t, base, bgDoes, 4000, 2)
		e, err := clv.FitCovMBGNBD(ctx, hs, d, nil)
		recovered(t, e, err, truth(base, []float64{0.8, 5, 0.8, 2.5}, bgDoes))
	})
	t.Run("paretonbd", func(t *testing.T) {
		hs, d := covShop(t, paretoShop, paretoDoes, 3000, 3)
		e, err := clv.FitCovParetoNBD(ctx, hs, d, nil)
		recovered(t, e, err, truth(paretoShop, []float64{0.9, 20, 0.8, 20}, paretoDoes))
	})
	t.Run("nbd", func(t *testing.T) {
		base := clv.NBD{R: 0.9, Alpha: 10}
		hs, d := covShop(t, base, paretoDoes[:1], 4000, 4)
		e, err := clv.FitCovNBD(ctx, hs, d, nil)
		recovered(t, e, err, truth(base, []float64{0.9, 10}, paretoDoes[:1]))
	})
}

func TestCovariatesOfGGompertzAreRecovered(t *testing.T) {
	base := clv.GGompertzNBD{R: 0.9, Alpha: 3, B: 0.2, S: 0.8, Beta: 15}
	hs, d := covShop(t, base, paretoDoes, 3000, 13)
	e, err := clv.FitCovGGompertzNBD(context.Background(), hs, d, nil)
	recovered(t, e, err, truth(base, []float64{0.9, 3, 0.2, 0.8, 15}, paretoDoes))
}

func TestCovariatesOfSpendAreRecovered(t *testing.T) {
	hs, d := covShop(t, bgShop, bgDoes, 6000, 5)
	m := clv.CovGammaGamma{Base: clv.GammaGamma{P: 6, Q: 4, Gamma: 15}, Terms: d.Terms(),
		Effects: []clv.Effect{{Param: "Gamma", Coefficients: []float64{1e-5, 0.3, -0.2}}}}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range hs.Rows {
		if h := &hs.Rows[i]; h.X > 0 {
			total := float64(h.X) * m.For(d.Row(i)).Rand(r, h.X)
			h.Spend, _ = money.FromFloat(total, "USD", money.HalfEven)
		}
	}
	e, err := clv.FitCovGammaGamma(context.Background(), hs, d, nil)
	recovered(t, e, err, []float64{6, 4, 15, 1e-5, 0.3, -0.2})
	if e.Unit != 0 || !strings.Contains(strings.Join(e.Warnings, "\n"), "customers without a repeat purchase are not used") {
		t.Errorf("unit %v, warnings %q", e.Unit, e.Warnings)
	}
	plain, err := clv.FitGammaGamma(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lr, err := fit.Test(plain.Summary(), e.Summary()); err != nil || !(lr.P < 1e-6) || lr.DF != 3 {
		t.Errorf("%+v, %v", lr, err)
	}
}

// The log-likelihood is the sum over customers of that of their plain models, and the covariance the inverse of minus its
// second derivatives, here by differences.
func TestCovariatesByDefinition(t *testing.T) {
	hs, d := covShop(t, paretoShop, paretoDoes, 600, 6)
	for _, c := range []struct {
		name string
		o    *clv.CovOptions
	}{
		{"all", nil},
		{"equal", &clv.CovOptions{Equal: []string{"income"}}},
		{"on", &clv.CovOptions{On: map[string][]string{"Alpha": {"income"}, "Beta": {"channel"}}}},
		{"equal in part", &clv.CovOptions{Equal: []string{"channel"}, On: map[string][]string{"Alpha": {"channel"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := clv.FitCovParetoNBD(context.Background(), hs, d, c.o)
			if err != nil {
				t.Fatal(err)
			}
			// The model of other parameters: theta is found by name.
			f := func(theta []float64) float64 {
				m := clv.CovParetoNBD{Terms: e.Model.Terms}
				m.Base = clv.ParetoNBD{R: theta[0], Alpha: theta[1], S: theta[2], Beta: theta[3]}
				for _, param := range []string{"Alpha", "Beta"} {
					effect := clv.Effect{Param: param, Coefficients: make([]float64, 3)}
					for j, column := range e.Model.Terms.Columns() {
						for i, p := range e.Params[4:] {
							who, what, _ := strings.Cut(p.Name, ".")
							if what == column && slices.Contains(strings.Split(who, "+"), param) {
								effect.Coefficients[j] = theta[4+i]
							}
						}
					}
					m.Effects = append(m.Effects, effect)
				}
				sum := 0.0
				for i, h := range hs.Rows {
					sum += m.For(d.Row(i)).LogLikelihood(h)
				}
				return sum
			}
			at := make([]float64, len(e.Params))
			for i, p := range e.Params {
				at[i] = p.Value
			}
			if got := f(at); !golden.Close(e.LogLik, got, 1e-12) {
				t.Errorf("log-likelihood %v, sum over customers %v", e.LogLik, got)
			}
			moved := func(steps map[int]float64) float64 {
				theta := slices.Clone(at)
				for i, by := range steps {
					theta[i] += by * 0.05 * e.Params[i].StdErr
				}
				return f(theta)
			}
			n := len(at)
			center := f(at)
			for i := range n { // information times covariance is one
				row := make([]float64, n)
				up, down := moved(map[int]float64{i: 1}), moved(map[int]float64{i: -1})
				if s := (moved(map[int]float64{i: 0.01}) - moved(map[int]float64{i: -0.01})) / 0.001; math.Abs(s) > 1e-4 {
					t.Errorf("slope %v in standard errors of %s", s, e.Params[i].Name)
				}
				for j := range n {
					si, sj := 0.05*e.Params[i].StdErr, 0.05*e.Params[j].StdErr
					if i == j {
						row[j] = -(up - 2*center + down) / (si * sj)
						continue
					}
					row[j] = -(moved(map[int]float64{i: 1, j: 1}) - moved(map[int]float64{i: 1, j: -1}) - moved(map[int]float64{i: -1, j: 1}) +
						moved(map[int]float64{i: -1, j: -1})) / (4 * si * sj)
				}
				for k := range n {
					sum, want := 0.0, 0.0
					for j := range n {
						sum += row[j] * e.Cov[j][k]
					}
					if i == k {
						want = 1
					}
					if got := sum * e.Params[i].StdErr / e.Params[k].StdErr; math.Abs(got-want) > 0.05 {
						t.Errorf("information times covariance of %s and %s is %v, want %v", e.Params[i].Name, e.Params[k].Name, got, want)
					}
				}
			}
		})
	}
}

// A covariate without effect changes nothing but by chance; a model without one is the plain model.
func TestCovariatesOfZero(t *testing.T) {
	hs, d := covShop(t, bgShop, bgDoes, 500, 7)
	m := clv.CovBGNBD{Base: bgShop, Terms: d.Terms(), Effects: []clv.Effect{
		{Param: "Alpha", Coefficients: make([]float64, 3)}, {Param: "A", Coefficients: make([]float64, 3)}, {Param: "B", Coefficients: make([]float64, 3)}}}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	for i := range hs.Rows {
		if got := m.For(d.Row(i)); got != bgShop {
			t.Fatalf("row %d: %+v", i, got)
		}
	}
	with := clv.CovBGNBD{Base: bgShop, Terms: d.Terms(), Effects: bgDoes}
	if got := with.For([]float64{0, 0, 0}); got != bgShop {
		t.Errorf("covariates of zero: %+v", got)
	}
	if got := with.For([]float64{1}); !math.IsNaN(got.ProbAlive(hs.Rows[0])) {
		t.Errorf("a row that is too short: %+v", got)
	}
	if got := with.For([]float64{1e4, 1, 0}); !golden.Close(got.Alpha, 5*math.Exp(-0.6), 1e-14) || !golden.Close(got.A, 0.8*math.Exp(0.1), 1e-14) ||
		!golden.Close(got.B, 2.5*math.Exp(0.15), 1e-14) {
		t.Errorf("%+v", got)
	}
}

// The fit with covariates begins at the one without, so that it is never below it, whatever the covariates.
func TestCovariatesNeverLowerTheLikelihood(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hs, _ := covShop(t, paretoShop, paretoDoes, 400, 8)
	plain, err := clv.FitParetoNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		noise := make([]float64, len(hs.Rows))
		for i := range noise {
			noise[i] = math.Exp(2 * r.NormFloat64())
		}
		d, err := clv.NewDesign(clv.Numeric("noise", noise))
		if err != nil {
			t.Fatal(err)
		}
		e, err := clv.FitCovParetoNBD(context.Background(), hs, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if lr, err := fit.Test(plain.Summary(), e.Summary()); err != nil || lr.Statistic < 0 || lr.DF != 2 {
			t.Errorf("%+v, %v", lr, err)
		}
	}
}

func TestCovariatesInOtherUnitsAndOrders(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, bgShop, bgDoes, 2000, 9)
	e, err := clv.FitCovBGNBD(ctx, hs, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	days := &clv.Histories{Unit: clv.Day}
	var order []int
	for i := len(hs.Rows) - 1; i >= 0; i-- {
		h := hs.Rows[i]
		h.TX, h.T = 7*h.TX, 7*h.T
		days.Rows = append(days.Rows, h)
		order = append(order, i)
	}
	back, err := d.Pick(order)
	if err != nil {
		t.Fatal(err)
	}
	daily, err := clv.FitCovBGNBD(ctx, days, back, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range e.Params {
		factor := 1.0
		if p.Name == "Alpha" {
			factor = 7
		}
		if q := daily.Params[i]; !golden.Close(q.Value, factor*p.Value, 1e-6) || !golden.Close(q.StdErr, factor*p.StdErr, 1e-6) {
			t.Errorf("%s in days %v +- %v, in weeks %v +- %v", p.Name, q.Value, q.StdErr, p.Value, p.StdErr)
		}
	}
	for _, workers := range []int{1, 3} {
		again, err := clv.FitCovBGNBD(ctx, hs, d, &clv.CovOptions{Fit: fit.Options{Workers: workers}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.Params, again.Params); diff != "" || again.LogLik != e.LogLik {
			t.Errorf("%d workers (-want +got):\n%s", workers, diff)
		}
	}
	// A start from the estimate leads back to it.
	var start []float64
	for _, p := range e.Params {
		start = append(start, p.Value)
	}
	again, err := clv.FitCovBGNBD(ctx, hs, d, &clv.CovOptions{Fit: fit.Options{Start: start}})
	if err != nil || again.Iter > 1 || !golden.Close(again.LogLik, e.LogLik, 1e-13) {
		t.Errorf("%v after %d iterations, %v", again.LogLik, again.Iter, err)
	}
	// Rows with a Count stand for as many.
	twice := &clv.Histories{Unit: hs.Unit}
	for _, h := range hs.Rows {
		h.Count = 2
		twice.Rows = append(twice.Rows, h)
	}
	double, err := clv.FitCovBGNBD(ctx, twice, d, nil)
	if err != nil || double.Customers != 4000 || !golden.Close(double.LogLik, 2*e.LogLik, 1e-12) ||
		!golden.Close(double.Params[4].StdErr*math.Sqrt2, e.Params[4].StdErr, 1e-6) {
		t.Errorf("%v, %v", double, err)
	}
}

// The log-likelihood and its criteria do not count the penalty, and standard errors are withheld.
func TestRidge(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, paretoShop, paretoDoes, 500, 10)
	free, err := clv.FitCovParetoNBD(ctx, hs, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	size := func(e *fit.Estimate[clv.CovParetoNBD]) (sum float64) {
		for _, c := range e.Params[4:] {
			sum += math.Abs(c.Value)
		}
		return sum
	}
	last := size(free)
	for _, ridge := range []float64{1, 10, 1e4} {
		e, err := clv.FitCovParetoNBD(ctx, hs, d, &clv.CovOptions{Ridge: ridge})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, h := range hs.Rows {
			sum += e.Model.For(d.Row(i)).LogLikelihood(h)
		}
		if !golden.Close(e.LogLik, sum, 1e-12) || e.LogLik > free.LogLik || size(e) >= last {
			t.Errorf("ridge %v: log-likelihood %v, sum %v, size of the coefficients %v after %v", ridge, e.LogLik, sum, size(e), last)
		}
		last = size(e)
		if e.Cov != nil || !strings.Contains(strings.Join(e.Warnings, "\n"), "standard errors are withheld: the coefficients are shrunken by an L2 penalty") {
			t.Errorf("covariance %v, warnings %q", e.Cov, e.Warnings)
		}
		if _, err := e.Interval(0.95); !errors.Is(err, fit.ErrNoCovariance) {
			t.Errorf("%v, want ErrNoCovariance", err)
		}
	}
	plain, err := clv.FitParetoNBD(ctx, hs, nil)
	if err != nil || last > 1e-2*size(free) {
		t.Errorf("%v of %v left under a huge penalty, %v", last, size(free), err)
	}
	_ = plain
}

func TestCovJSON(t *testing.T) {
	hs, d := covShop(t, paretoShop, paretoDoes, 500, 11)
	e, err := clv.FitCovParetoNBD(context.Background(), hs, d, &clv.CovOptions{Equal: []string{"income"}, On: map[string][]string{"Beta": {"income"}}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back fit.Estimate[clv.CovParetoNBD]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(e.Model, back.Model); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var other clv.CovBGNBD
	model, _ := json.Marshal(e.Model)
	if err := json.Unmarshal(model, &other); err == nil {
		t.Errorf("a %s was read as a %s", e.Model.Kind(), other.Kind())
	}
	// Intervals of predictions move all parameters, the shared one in both places.
	row := d.Row(0)
	i, err := clv.DeltaInterval(e, func(m clv.CovParetoNBD) float64 { return m.For(row).ExpectedPurchases(hs.Rows[0], 52) }, fit.Log, 0.95)
	if err != nil || !(i.Low < i.Value && i.Value < i.High) {
		t.Errorf("%v, %v", i, err)
	}
}

func TestDesignErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		cs   []clv.Covariate
		want string
	}{
		{"none", nil, "clv: a design without covariates"},
		{"name", []clv.Covariate{clv.Numeric("", nil)}, "clv: covariate 1 has no name"},
		{"twice", []clv.Covariate{clv.Numeric("a", nil), clv.Indicator("a", nil)}, `clv: two covariates are named "a"`},
		{"lengths", []clv.Covariate{clv.Numeric("a", []float64{1}), clv.Categorical("b", []string{"x", "y"}, "")},
			`clv: covariate "b" has 2 rows, "a" has 1`},
		{"NaN", []clv.Covariate{clv.Numeric("a", []float64{1, math.NaN()})}, `clv: row 2: field "a": value "NaN": missing value`},
		{"Inf", []clv.Covariate{clv.Numeric("a", []float64{math.Inf(1)})}, `clv: row 1: field "a": value "+Inf": not a finite number`},
		{"empty", []clv.Covariate{clv.Categorical("b", []string{"x", "", "y"}, "")}, `clv: row 2: field "b": value "": missing value`},
		{"reference", []clv.Covariate{clv.Categorical("b", []string{"x", "y"}, "z")},
			`clv: covariate "b": level "z": the reference level does not occur`},
		{"one level", []clv.Covariate{clv.Categorical("b", []string{"x", "x"}, "")},
			`clv: covariate "b": the same for all customers, so that it has no effect to estimate`},
	} {
		_, err := clv.NewDesign(c.cs...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		var row *ledger.RowError
		if strings.Contains(c.want, "row ") && strings.Contains(c.want, "field") && !errors.As(err, &row) {
			t.Errorf("%s: %T is not a RowError", c.name, err)
		}
	}
}

func TestCovFitErrors(t *testing.T) {
	hs, d := covShop(t, paretoShop, paretoDoes, 100, 12)
	ones, twice, a := make([]float64, 100), make([]float64, 100), make([]float64, 100)
	for i := range a {
		ones[i], a[i], twice[i] = 3, float64(i), 5-2*float64(i)
	}
	design := func(cs ...clv.Covariate) *clv.Design {
		d, err := clv.NewDesign(cs...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name string
		hs   *clv.Histories
		d    *clv.Design
		o    *clv.CovOptions
		want string
	}{
		{"no histories", nil, d, nil, "clv: no histories"},
		{"no design", hs, nil, nil, "clv: no design; a fit without covariates is that of the plain model"},
		{"rows", hs, design(clv.Numeric("a", a[:99])), nil, "clv: the design has 99 rows for 100 histories"},
		{"constant", hs, design(clv.Numeric("a", ones)), nil,
			`clv: covariate "a": the same for all customers, so that it has no effect to estimate`},
		{"combination", hs, design(clv.Numeric("a", a), clv.Numeric("b", twice)), nil,
			`clv: covariate "b": a combination of the covariates before it, so that their effects cannot be told apart`},
		{"parameter", hs, d, &clv.CovOptions{On: map[string][]string{"S": nil}}, `clv: covparetonbd: covariates on "S": they act on Alpha and Beta`},
		{"covariate", hs, d, &clv.CovOptions{On: map[string][]string{"Beta": {"age"}}}, `clv: covparetonbd: no covariate is named "age"`},
		{"equal", hs, d, &clv.CovOptions{Equal: []string{"age"}}, `clv: covparetonbd: no covariate is named "age"`},
		{"nothing", hs, d, &clv.CovOptions{On: map[string][]string{"Alpha": nil, "Beta": nil}}, "clv: no covariate acts on any parameter"},
		{"ridge", hs, d, &clv.CovOptions{Ridge: -1}, "clv: ridge -1: want 0 or a positive finite number"},
		{"start", hs, d, &clv.CovOptions{Fit: fit.Options{Start: []float64{1}}}, "clv: fit of covparetonbd: a start of 1 values for 10 parameters"},
	} {
		if _, err := clv.FitCovParetoNBD(context.Background(), c.hs, c.d, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestTermsRow(t *testing.T) {
	d, err := clv.NewDesign(clv.Numeric("age", []float64{30, 40}), clv.Categorical("channel", []string{"web", "shop"}, "web"),
		clv.Indicator("app", []bool{true, false}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"age", "channel=shop", "app"}, d.Columns()); diff != "" {
		t.Error(diff)
	}
	row, err := d.Terms().Row(clv.Attributes{Numbers: map[string]float64{"age": 40, "app": 0}, Levels: map[string]string{"channel": "shop"}})
	if diff := cmp.Diff(d.Row(1), row); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, c := range []struct {
		a    clv.Attributes
		want string
	}{
		{clv.Attributes{}, `clv: covariate "age" has no finite number`},
		{clv.Attributes{Numbers: map[string]float64{"age": 1}, Levels: map[string]string{"channel": "tv"}},
			`clv: covariate "channel" has level "tv"; the model knows web, shop`},
		{clv.Attributes{Numbers: map[string]float64{"age": 1, "app": 1, "x": 1}, Levels: map[string]string{"channel": "web"}},
			`clv: covariate "x" is not in the model`},
	} {
		if _, err := d.Terms().Row(c.a); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func BenchmarkFitCov(b *testing.B) {
	for _, n := range []int{100_000} {
		hs, d := covShop(b, bgShop, bgDoes, n, 1)
		for i := range hs.Rows {
			hs.Rows[i].T += 1e-7 * float64(i)
		}
		b.Run(fmt.Sprint("bgnbd/plain=", n), func(b *testing.B) { benchmarkFit(b, hs, clv.FitBGNBD) })
		b.Run(fmt.Sprint("bgnbd/covariates=", n), func(b *testing.B) {
			benchmarkFit(b, hs, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.CovBGNBD], error) {
				return clv.FitCovBGNBD(ctx, hs, d, nil)
			})
		})
		ps, d := covShop(b, paretoShop, paretoDoes, n, 1)
		for i := range ps.Rows {
			ps.Rows[i].T += 1e-7 * float64(i)
		}
		b.Run(fmt.Sprint("paretonbd/plain=", n), func(b *testing.B) { benchmarkFit(b, ps, clv.FitParetoNBD) })
		b.Run(fmt.Sprint("paretonbd/covariates=", n), func(b *testing.B) {
			benchmarkFit(b, ps, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.CovParetoNBD], error) {
				return clv.FitCovParetoNBD(ctx, hs, d, nil)
			})
		})
	}
}
