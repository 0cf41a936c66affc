package clv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
)

// dynamicShop draws customers who come over the first half year and are observed until the end of week 78; the paths go on
// for half a year. Covariates: mailings, of months that differ, and a season that is the same for all and changes every so
// many weeks.
func dynamicShop(t testing.TB, m clv.DynamicParetoNBD, n int, seed uint64, weeks int) (*clv.Histories, *clv.DynamicDesign) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	hs := &clv.Histories{Unit: clv.Week}
	var paths []clv.Path
	for i := range n {
		born := float64(r.IntN(26*7)) / 7
		p, mail := clv.Path{End: 78 + 26 - born}, 0.0
		for week := math.Floor(born); week < 78+26; week++ {
			if p.Starts == nil || int(week)%4 == 0 {
				mail = float64(r.IntN(5) / 3)
			}
			season := math.Cos(2 * math.Pi * week / 52)
			if p.Starts != nil && int(week)%weeks > 0 {
				continue
			}
			p.Starts, p.Rows = append(p.Starts, max(0, week-born)), append(p.Rows, []float64{mail, season})
		}
		h := clv.History{Customer: fmt.Sprintf("c%06d", i), T: 78 - born}
		times := m.Along(p).RandTimes(r, h.T)
		if h.X = len(times); h.X > 0 {
			h.TX = times[h.X-1]
		}
		p, err := p.WithPurchases(times)
		if err != nil {
			t.Fatal(err)
		}
		hs.Rows, paths = append(hs.Rows, h), append(paths, p)
	}
	d, err := clv.NewDynamicDesign(hs, m.Terms, paths)
	if err != nil {
		t.Fatal(err)
	}
	return hs, d
}

var dynamicTruth = clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: 0.9, Alpha: 10, S: 0.8, Beta: 20},
	Terms:   clv.Terms{{Name: "mail"}, {Name: "season"}},
	Effects: []clv.Effect{{Param: "Alpha", Coefficients: []float64{0.7, 0.4}}, {Param: "Beta", Coefficients: []float64{-0.8, 0.5}}}}

func dynamicRecovered(t *testing.T, e *fit.Estimate[clv.DynamicParetoNBD], err error) (within [8]int) {
	t.Helper()
	if err != nil || e.Cov == nil {
		t.Fatal(err, e)
	}
	intervals, err := e.Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.9, 10, 0.8, 20, 0.7, 0.4, -0.8, 0.5} {
		p := e.Params[i]
		z := (p.Value - want) / p.StdErr
		if p.Scale == fit.Log {
			z = math.Log(p.Value/want) * p.Value / p.StdErr
		}
		if !(math.Abs(z) < 4) {
			t.Errorf("%s = %v with standard error %v, want %v", p.Name, p.Value, p.StdErr, want)
		}
		if intervals[i][0] <= want && want <= intervals[i][1] {
			within[i] = 1
		}
	}
	return within
}

func TestDynamicRecovers(t *testing.T) {
	hs, d := dynamicShop(t, dynamicTruth, 2000, 1, 4)
	e, err := clv.FitDynamicParetoNBD(context.Background(), hs, d, nil)
	dynamicRecovered(t, e, err)
	names := []string{"R", "Alpha", "S", "Beta", "Alpha.mail", "Alpha.season", "Beta.mail", "Beta.season"}
	for i, p := range e.Params {
		if p.Name != names[i] || (p.Scale == fit.Identity) != (i >= 4) {
			t.Errorf("parameter %d is %s on %v, want %s", i, p.Name, p.Scale, names[i])
		}
	}
}

// TestDynamicRecoversLong is TestDynamicRecovers with 20,000 customers, and the coverage of 95 % intervals over 200 shops.
func TestDynamicRecoversLong(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is not set: 200 simulated fits and one of 20,000 customers")
	}
	hs, d := dynamicShop(t, dynamicTruth, 20_000, 1, 1)
	e, err := clv.FitDynamicParetoNBD(context.Background(), hs, d, nil)
	dynamicRecovered(t, e, err)
	t.Log(e)
	const shops = 200
	var covered [8]int
	lost := 0 // fits without standard errors, which cover nothing
	for seed := range uint64(shops) {
		hs, d := dynamicShop(t, dynamicTruth, 1500, 100+seed, 1)
		e, err := clv.FitDynamicParetoNBD(context.Background(), hs, d, nil)
		if err == nil && e.Cov == nil {
			lost++
			t.Logf("shop %d: %v", seed, e)
			continue
		}
		for i, in := range dynamicRecovered(t, e, err) {
			covered[i] += in
		}
	}
	if lost > shops/50 {
		t.Errorf("%d of %d fits without standard errors", lost, shops)
	}
	for i, p := range e.Params {
		share := float64(covered[i]) / shops
		t.Logf("%s: %v", p.Name, share)
		if share < 0.90 || share > 0.99 {
			t.Errorf("%s: 95 %% intervals cover %v", p.Name, share)
		}
	}
}

// Covariates that never change are those of FitCovParetoNBD.
func TestDynamicFitOfStaticCovariates(t *testing.T) {
	ctx := context.Background()
	hs, static := covShop(t, paretoShop, paretoDoes, 1000, 3)
	var paths []clv.Path
	for i := range hs.Rows {
		p := clv.ConstantPath(static.Row(i))
		for _, v := range static.Row(i) {
			p.Purchases = append(p.Purchases, v*float64(hs.Rows[i].X))
		}
		paths = append(paths, p)
	}
	d, err := clv.NewDynamicDesign(hs, static.Terms(), paths)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*clv.CovOptions{nil, {Equal: []string{"channel"}}, {On: map[string][]string{"Beta": {"income"}}}} {
		want, err := clv.FitCovParetoNBD(ctx, hs, static, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := clv.FitDynamicParetoNBD(ctx, hs, d, o)
		if err != nil {
			t.Fatal(err)
		}
		if !golden.Close(got.LogLik, want.LogLik, 1e-11) || got.Customers != want.Customers || got.Unit != want.Unit {
			t.Errorf("%+v: log-likelihood %.14g, want %.14g", o, got.LogLik, want.LogLik)
		}
		for i, p := range want.Params {
			if q := got.Params[i]; q.Name != p.Name || math.Abs(q.Value-p.Value) > 1e-5*math.Abs(p.Value) || (want.Cov != nil && !golden.Close(q.StdErr, p.StdErr, 1e-5)) {
				t.Errorf("%+v: %s %v +- %v, want %s %v +- %v", o, q.Name, q.Value, q.StdErr, p.Name, p.Value, p.StdErr)
			}
		}
		if diff := cmp.Diff(want.Warnings, got.Warnings); diff != "" {
			t.Errorf("%+v: warnings (-want +got):\n%s", o, diff)
		}
	}
}

// The order of the customers and the number of workers change no bit, Count stands for as many customers, and a start from
// the estimate leads back to it.
func TestDynamicFitInOtherOrders(t *testing.T) {
	ctx := context.Background()
	hs, d := dynamicShop(t, dynamicTruth, 400, 5, 4)
	e, err := clv.FitDynamicParetoNBD(ctx, hs, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	back := &clv.Histories{Unit: hs.Unit}
	var order []int
	var paths []clv.Path
	for i := len(hs.Rows) - 1; i >= 0; i-- {
		back.Rows, order, paths = append(back.Rows, hs.Rows[i]), append(order, i), append(paths, d.Path(i))
	}
	picked, err := d.Pick(order)
	if err != nil {
		t.Fatal(err)
	}
	rebuilt, err := clv.NewDynamicDesign(back, d.Terms(), paths)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hs      *clv.Histories
		d       *clv.DynamicDesign
		workers int
	}{{hs, d, 1}, {hs, d, 3}, {back, picked, 2}, {back, rebuilt, 2}} {
		again, err := clv.FitDynamicParetoNBD(ctx, c.hs, c.d, &clv.CovOptions{Fit: fit.Options{Workers: c.workers}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.Params, again.Params); diff != "" || again.LogLik != e.LogLik {
			t.Errorf("%d workers (-want +got):\n%s", c.workers, diff)
		}
	}
	var start []float64
	for _, p := range e.Params {
		start = append(start, p.Value)
	}
	twice := &clv.Histories{Unit: hs.Unit}
	for _, h := range hs.Rows {
		h.Count = 2
		twice.Rows = append(twice.Rows, h)
	}
	double, err := clv.FitDynamicParetoNBD(ctx, twice, d, &clv.CovOptions{Fit: fit.Options{Start: start}})
	if err != nil || double.Iter > 1 || double.Customers != 800 || !golden.Close(double.LogLik, 2*e.LogLik, 1e-12) ||
		!golden.Close(double.Params[4].StdErr*math.Sqrt2, e.Params[4].StdErr, 1e-6) {
		t.Errorf("%v, %v", double, err)
	}
}

// The fit is never below the one without covariates, whatever these are.
func TestDynamicNeverLowersTheLikelihood(t *testing.T) {
	ctx := context.Background()
	hs, d := dynamicShop(t, dynamicModel2(0, 0), 400, 6, 4)
	plain, err := clv.FitParetoNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*clv.CovOptions{nil, {Equal: []string{"mail", "season"}}, {On: map[string][]string{"Alpha": {}}}} {
		e, err := clv.FitDynamicParetoNBD(ctx, hs, d, o)
		if err != nil {
			t.Fatal(err)
		}
		if lr, err := fit.Test(plain.Summary(), e.Summary()); err != nil || lr.Statistic < 0 {
			t.Errorf("%+v, %v", lr, err)
		}
	}
}

func dynamicModel2(buy, leave float64) clv.DynamicParetoNBD {
	m := dynamicTruth
	m.Effects = []clv.Effect{{Param: "Alpha", Coefficients: []float64{buy, 0}}, {Param: "Beta", Coefficients: []float64{leave, 0}}}
	return m
}

// A ridge makes the coefficients smaller, and withholds standard errors.
func TestDynamicRidge(t *testing.T) {
	ctx := context.Background()
	hs, d := dynamicShop(t, dynamicTruth, 300, 9, 4)
	last := math.Inf(1)
	for _, ridge := range []float64{0, 10, 1e5} {
		e, err := clv.FitDynamicParetoNBD(ctx, hs, d, &clv.CovOptions{Ridge: ridge})
		if err != nil {
			t.Fatal(err)
		}
		sum, size := 0.0, 0.0
		for i, h := range hs.Rows {
			sum += e.Model.Along(d.Path(i)).LogLikelihood(h)
		}
		for _, p := range e.Params[4:] {
			size += math.Abs(p.Value)
		}
		if !golden.Close(e.LogLik, sum, 1e-12) || !(size < last) {
			t.Errorf("ridge %v: log-likelihood %v, sum %v, size %v after %v", ridge, e.LogLik, sum, size, last)
		}
		if ridge > 0 && (e.Cov != nil || !strings.Contains(strings.Join(e.Warnings, "\n"), "standard errors are withheld")) {
			t.Errorf("covariance %v, warnings %q", e.Cov, e.Warnings)
		}
		last = size
	}
	if last > 0.01 {
		t.Errorf("%v left under a huge penalty", last)
	}
}

func TestDynamicJSON(t *testing.T) {
	hs, d := dynamicShop(t, dynamicTruth, 400, 7, 4)
	e, err := clv.FitDynamicParetoNBD(context.Background(), hs, d, &clv.CovOptions{Equal: []string{"season"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back fit.Estimate[clv.DynamicParetoNBD]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(e.Model, back.Model); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(string(text), `"custval/model/dynamicparetonbd/v1"`) {
		t.Errorf("%s", text)
	}
	model, err := json.Marshal(e.Model)
	if err != nil {
		t.Fatal(err)
	}
	var other clv.CovParetoNBD
	if err := json.Unmarshal(model, &other); err == nil {
		t.Errorf("a %s was read as a %s", e.Model.Kind(), other.Kind())
	}
	var bad clv.DynamicParetoNBD
	if err := json.Unmarshal([]byte(strings.Replace(string(model), `"Beta"`, `"S"`, 1)), &bad); err == nil {
		t.Error("effects on S were read")
	}
	// Intervals of predictions move all parameters, the shared one in both places.
	p := d.Path(0)
	i, err := clv.DeltaInterval(e, func(m clv.DynamicParetoNBD) float64 { return m.Along(p).ExpectedPurchases(hs.Rows[0], 26) }, fit.Log, 0.95)
	if err != nil || !(i.Low < i.Value && i.Value < i.High) {
		t.Errorf("%v, %v", i, err)
	}
}

func TestDynamicFitErrors(t *testing.T) {
	hs, d := dynamicShop(t, dynamicTruth, 100, 8, 4)
	design := func(of func(row []float64) []float64, names ...string) *clv.DynamicDesign {
		var terms clv.Terms
		for _, name := range names {
			terms = append(terms, clv.Term{Name: name})
		}
		var paths []clv.Path
		for i := range hs.Rows {
			p := d.Path(i)
			for k, row := range p.Rows {
				p.Rows[k] = of(row)
			}
			p.Purchases = make([]float64, len(names))
			paths = append(paths, p)
		}
		d, err := clv.NewDynamicDesign(hs, terms, paths)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	few, err := d.Pick([]int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	longer := &clv.Histories{Unit: hs.Unit, Rows: slices.Clone(hs.Rows)}
	longer.Rows[3].T = 200
	var bare []clv.Path
	for i := range hs.Rows {
		p := d.Path(i)
		p.Purchases = nil
		bare = append(bare, p)
	}
	unknown, err := clv.NewDynamicDesign(hs, d.Terms(), bare)
	if err != nil {
		t.Fatal(err)
	}
	buyer := slices.IndexFunc(hs.Rows, func(h clv.History) bool { return h.X > 0 }) + 1
	for _, c := range []struct {
		name string
		hs   *clv.Histories
		d    *clv.DynamicDesign
		o    *clv.CovOptions
		want string
	}{
		{"no histories", nil, d, nil, "clv: no histories"},
		{"no design", hs, nil, nil, "clv: no design; a fit without covariates is that of the plain model"},
		{"rows", hs, few, nil, "clv: the design has 2 rows for 100 histories"},
		{"path too short", longer, d, nil, fmt.Sprintf(`clv: row 4: field "T": value "200": the covariates are known until %v only`, d.Path(3).End)},
		{"no purchases", hs, unknown, nil, fmt.Sprintf(`clv: row %d: field "Purchases": value "": the path has no sum over purchases; WithPurchases gives it`, buyer)},
		{"constant", hs, design(func(row []float64) []float64 { return []float64{3} }, "a"), nil,
			`clv: covariate "a": the same at all times and for all customers, so that it has no effect to estimate`},
		{"combination", hs, design(func(row []float64) []float64 { return []float64{row[1], 5 - 2*row[1]} }, "a", "b"), nil,
			`clv: covariate "b": a combination of the covariates before it, so that their effects cannot be told apart`},
		{"parameter", hs, d, &clv.CovOptions{On: map[string][]string{"S": nil}}, `clv: covparetonbd: covariates on "S": they act on Alpha and Beta`},
		{"covariate", hs, d, &clv.CovOptions{On: map[string][]string{"Beta": {"age"}}}, `clv: covparetonbd: no covariate is named "age"`},
		{"nothing", hs, d, &clv.CovOptions{On: map[string][]string{"Alpha": nil, "Beta": nil}}, "clv: no covariate acts on any parameter"},
		{"ridge", hs, d, &clv.CovOptions{Ridge: -1}, "clv: ridge -1: want 0 or a positive finite number"},
		{"start", hs, d, &clv.CovOptions{Fit: fit.Options{Start: []float64{1}}}, "clv: fit of dynamicparetonbd: a start of 1 values for 8 parameters"},
	} {
		if _, err := clv.FitDynamicParetoNBD(context.Background(), c.hs, c.d, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := clv.FitDynamicParetoNBD(ctx, hs, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}
