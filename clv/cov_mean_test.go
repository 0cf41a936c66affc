package clv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
)

var meanDoes = []clv.Effect{
	{Param: "Alpha", Coefficients: []float64{2e-5, 0.4, -0.3}},
	{Param: "Mean", Coefficients: []float64{-2e-5, 0.4, -0.5}},
	{Param: "Polarization", Coefficients: []float64{1e-5, -0.3, 0.2}},
}

// The coordinates of MeanForm by their definition.
func TestMeanForm(t *testing.T) {
	m := clv.CovBGNBD{Base: bgShop, Terms: clv.Terms{{Name: "x"}, {Name: "y"}}, Effects: []clv.Effect{
		{Param: "Alpha", Coefficients: []float64{0.5, 0}}, {Param: "Mean", Coefficients: []float64{0.3, -1}},
		{Param: "Polarization", Coefficients: []float64{-0.2, 2}}}}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	for _, row := range [][]float64{{1, 0}, {0, 1}, {-3, 2}, {40, -20}} {
		c := m.For(row)
		mean, polarization := c.A/(c.A+c.B), 1/(c.A+c.B+1)
		base, index := bgShop.A/(bgShop.A+bgShop.B), 1/(bgShop.A+bgShop.B+1)
		if want := logit(base) + 0.3*row[0] - row[1]; !golden.Close(math.Log(c.A/c.B), want, 1e-13) || !golden.Close(mean, 1/(1+math.Exp(-want)), 1e-13) {
			t.Errorf("%v: logit of the mean %v, want %v", row, math.Log(c.A/c.B), want)
		}
		if want := logit(index) - 0.2*row[0] + 2*row[1]; !golden.Close(logit(polarization), want, 1e-8) {
			t.Errorf("%v: logit of the polarization %v, want %v", row, logit(polarization), want)
		}
		if want := 5 * math.Exp(-0.5*row[0]); !golden.Close(c.Alpha, want, 1e-14) || c.R != bgShop.R {
			t.Errorf("%v: %+v", row, c)
		}
	}
	if got := m.For([]float64{0, 0}); got != bgShop {
		t.Errorf("covariates of zero: %+v", got)
	}
	if got := m.For([]float64{1}); !math.IsNaN(got.A) || !math.IsNaN(got.B) {
		t.Errorf("a row that is too short: %+v", got)
	}
	m.Effects[1].Param = "A" // neither form
	if err := m.Validate(); err == nil {
		t.Error("effects of both forms validate")
	}
}

// With one category on everything the forms are one model, and each group has the estimates that it has alone given R.
func TestFormsAgreeOnGroups(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, bgShop, bgDoes, 3000, 31)
	group := make([]bool, len(hs.Rows))
	for i := range group {
		group[i] = d.Row(i)[1] == 1
	}
	d, err := clv.NewDesign(clv.Indicator("search", group))
	if err != nil {
		t.Fatal(err)
	}
	shape, err := clv.FitCovBGNBD(ctx, hs, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	mean, err := clv.FitCovBGNBD(ctx, hs, d, &clv.CovOptions{Beta: clv.MeanForm})
	if err != nil {
		t.Fatal(err)
	}
	if !golden.Close(shape.LogLik, mean.LogLik, 1e-12) {
		t.Errorf("log-likelihoods %v and %v", shape.LogLik, mean.LogLik)
	}
	names := []string{"R", "Alpha", "A", "B", "Alpha.search", "Mean.search", "Polarization.search"}
	for i, p := range mean.Params {
		if p.Name != names[i] || (p.Scale == fit.Identity) != (i >= 4) {
			t.Errorf("parameter %d is %s on %v, want %s", i, p.Name, p.Scale, names[i])
		}
		if q := shape.Params[i]; i < 5 && (!golden.Close(p.Value, q.Value, 1e-6) || !golden.Close(p.StdErr, q.StdErr, 1e-5)) {
			t.Errorf("%s %v +- %v in one form, %v +- %v in the other", p.Name, p.Value, p.StdErr, q.Value, q.StdErr)
		}
	}
	for j, x := range []float64{0, 1} {
		own := &clv.Histories{Unit: hs.Unit}
		for i, h := range hs.Rows {
			if group[i] == (j == 1) {
				own.Rows = append(own.Rows, h)
			}
		}
		alone, err := clv.FitMAP(ctx, clv.BGNBD{}, own, clv.Prior{"R": clv.LogNormal(mean.Model.Base.R, 1e-5)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := alone.Model
		for _, got := range []clv.BGNBD{shape.Model.For([]float64{x}), mean.Model.For([]float64{x})} {
			if !golden.Close(got.Alpha, want.Alpha, 1e-5) || !golden.Close(got.A, want.A, 1e-5) || !golden.Close(got.B, want.B, 1e-5) {
				t.Errorf("group %v: %+v, alone %+v", x, got, want)
			}
		}
	}
}

// Log-likelihood, slopes and covariance of the mean form, with a coefficient of two places, by their definitions.
func TestMeanFormByDefinition(t *testing.T) {
	hs, d := covShop(t, clv.MBGNBD(bgShop), meanDoes, 250, 32)
	for _, o := range []*clv.CovOptions{
		{Beta: clv.MeanForm, On: map[string][]string{"Polarization": nil}},
		{Beta: clv.MeanForm, Equal: []string{"income"}, On: map[string][]string{"Alpha": {"income"}}},
	} {
		e, err := clv.FitCovMBGNBD(context.Background(), hs, d, o)
		if err != nil {
			t.Fatal(err)
		}
		checkCovByDefinition(t, e, func(m clv.CovMBGNBD) float64 {
			sum := 0.0
			for i, h := range hs.Rows {
				sum += m.For(d.Row(i)).LogLikelihood(h)
			}
			return sum
		})
	}
}

// checkCovByDefinition holds the log-likelihood of an estimate, its slopes at the maximum and its covariance against
// the sum over customers and its differences.
func checkCovByDefinition[M clv.Linked](t *testing.T, e *fit.Estimate[clv.Cov[M]], f func(m clv.Cov[M]) float64) {
	t.Helper()
	if e.Cov == nil {
		t.Fatalf("no covariance: %q", e.Warnings)
	}
	n := len(e.Params)
	at := func(u []float64) float64 { // u is in standard errors
		return f(movedBy(e, u))
	}
	center := at(make([]float64, n))
	if !golden.Close(e.LogLik, center, 1e-11) {
		t.Errorf("log-likelihood %v, sum over customers %v", e.LogLik, center)
	}
	moved := func(i, j int, a, b float64) float64 {
		u := make([]float64, n)
		u[i] += a
		u[j] += b
		return at(u)
	}
	const h = 0.02
	for i := range n {
		if s := (moved(i, i, h/10, 0) - moved(i, i, -h/10, 0)) / (h / 5); math.Abs(s) > 1e-3 {
			t.Errorf("slope %v in standard errors of %s", s, e.Params[i].Name)
		}
		row := make([]float64, n)
		for j := range n {
			if i == j {
				row[j] = -(moved(i, i, h, 0) - 2*center + moved(i, i, -h, 0)) / (h * h)
				continue
			}
			row[j] = -(moved(i, j, h, h) - moved(i, j, h, -h) - moved(i, j, -h, h) + moved(i, j, -h, -h)) / (4 * h * h)
		}
		for k := range n { // information times covariance is one
			sum, want := 0.0, 0.0
			for j := range n {
				sum += row[j] * e.Cov[j][k] / (e.Params[j].StdErr * e.Params[k].StdErr)
			}
			if i == k {
				want = 1
			}
			if math.Abs(sum-want) > 0.05 {
				t.Errorf("information times covariance of %s and %s is %v, want %v", e.Params[i].Name, e.Params[k].Name, sum, want)
			}
		}
	}
}

// movedBy returns the model with its parameters, which it finds by their names, so many standard errors away.
func movedBy[M clv.Linked](e *fit.Estimate[clv.Cov[M]], u []float64) clv.Cov[M] {
	m := e.Model
	base := reflect.ValueOf(&m.Base).Elem()
	m.Effects = slices.Clone(m.Effects)
	for i := range m.Effects {
		m.Effects[i].Coefficients = slices.Clone(m.Effects[i].Coefficients)
	}
	columns := m.Terms.Columns()
	for i, p := range e.Params {
		v := p.Value + u[i]*p.StdErr
		who, column, ok := strings.Cut(p.Name, ".")
		if !ok {
			base.FieldByName(p.Name).SetFloat(v)
			continue
		}
		for j := range m.Effects {
			if slices.Contains(strings.Split(who, "+"), m.Effects[j].Param) {
				m.Effects[j].Coefficients[slices.Index(columns, column)] = v
			}
		}
	}
	return m
}

func TestMeanFormIsRecovered(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, bgShop, meanDoes, 4000, 33)
	e, err := clv.FitCovBGNBD(ctx, hs, d, &clv.CovOptions{Beta: clv.MeanForm})
	recovered(t, e, err, truth(bgShop, []float64{0.8, 5, 0.8, 2.5}, meanDoes))
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back fit.Estimate[clv.CovBGNBD]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Model, back.Model); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	plain, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lr, err := fit.Test(plain.Summary(), e.Summary()); err != nil || lr.DF != 9 || !(lr.P < 1e-10) {
		t.Errorf("%+v, %v", lr, err)
	}
	// A start from the estimate leads back to it.
	var start []float64
	for _, p := range e.Params {
		start = append(start, p.Value)
	}
	again, err := clv.FitCovBGNBD(ctx, hs, d, &clv.CovOptions{Beta: clv.MeanForm, Fit: fit.Options{Start: start}})
	if err != nil || again.Iter > 1 || !golden.Close(again.LogLik, e.LogLik, 1e-13) {
		t.Errorf("%v after %d iterations, %v", again.LogLik, again.Iter, err)
	}
}

// A constant added to a covariate moves the base and nothing else.
func TestConstantsMoveTheBase(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 2))
	hs, _ := covShop(t, bgShop, bgDoes, 1500, 34)
	x, later := make([]float64, len(hs.Rows)), make([]float64, len(hs.Rows))
	for i := range x {
		x[i] = r.NormFloat64()
		later[i] = x[i] + 2
	}
	for _, form := range []clv.BetaForm{clv.ShapeForm, clv.MeanForm} {
		o := &clv.CovOptions{Beta: form}
		var es [2]*fit.Estimate[clv.CovBGNBD]
		for k, values := range [][]float64{x, later} {
			d, err := clv.NewDesign(clv.Numeric("x", values))
			if err != nil {
				t.Fatal(err)
			}
			if es[k], err = clv.FitCovBGNBD(ctx, hs, d, o); err != nil {
				t.Fatal(err)
			}
		}
		want := es[0].Model.For([]float64{-2})
		got := es[1].Model.Base
		for _, p := range [][2]float64{{got.R, want.R}, {got.Alpha, want.Alpha}, {got.A, want.A}, {got.B, want.B}} {
			if !golden.Close(p[0], p[1], 1e-8) {
				t.Errorf("form %d: base %+v, want %+v", form, got, want)
			}
		}
		for i, p := range es[1].Params[4:] {
			if q := es[0].Params[4+i]; !golden.Close(p.Value, q.Value, 1e-6) || !golden.Close(p.StdErr, q.StdErr, 1e-7) {
				t.Errorf("%s %v +- %v, want %v +- %v", p.Name, p.Value, p.StdErr, q.Value, q.StdErr)
			}
		}
		if !golden.Close(es[1].LogLik, es[0].LogLik, 1e-13) {
			t.Errorf("log-likelihood %v, want %v", es[1].LogLik, es[0].LogLik)
		}
	}
}

func TestMeanFormErrors(t *testing.T) {
	hs, d := covShop(t, bgShop, bgDoes, 200, 35)
	ctx := context.Background()
	for _, c := range []struct {
		o    *clv.CovOptions
		want string
	}{
		{&clv.CovOptions{Beta: 7}, "clv: beta form 7: want ShapeForm or MeanForm"},
		{&clv.CovOptions{Beta: clv.MeanForm, On: map[string][]string{"A": nil}}, `clv: covbgnbd: covariates on "A": they act on Alpha, Mean and Polarization`},
		{&clv.CovOptions{On: map[string][]string{"Mean": nil}}, `clv: covbgnbd: covariates on "Mean": they act on Alpha, A and B`},
	} {
		if _, err := clv.FitCovBGNBD(ctx, hs, d, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	_, err := clv.FitCovNBD(ctx, hs, d, &clv.CovOptions{Beta: clv.MeanForm})
	if want := "clv: covnbd has no beta distribution, and so no MeanForm"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func ExampleCovOptions_meanForm() {
	// The coefficient of Mean is the log of the odds ratio of leaving after a purchase.
	ctx := context.Background()
	hs, club := members()
	design, err := clv.NewDesign(clv.Categorical("club", club, "none"))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := clv.FitCovBGNBD(ctx, hs, design, &clv.CovOptions{Beta: clv.MeanForm, On: map[string][]string{"Polarization": nil}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range e.Params[4:] {
		fmt.Printf("%s %.2f +- %.2f\n", p.Name, p.Value, p.StdErr)
	}
	gold := e.Model.For([]float64{1})
	fmt.Printf("leaves after a purchase: %.3f of gold customers, %.3f of the others\n", gold.A/(gold.A+gold.B),
		e.Model.Base.A/(e.Model.Base.A+e.Model.Base.B))
	// Output:
	// Alpha.club=gold 0.46 +- 0.12
	// Mean.club=gold -0.02 +- 0.17
	// leaves after a purchase: 0.221 of gold customers, 0.225 of the others
}

func ExampleEstimateFor() {
	// The purchases that a new customer of the gold club is expected to make in a year, with their interval.
	ctx := context.Background()
	hs, club := members()
	design, err := clv.NewDesign(clv.Categorical("club", club, "none"))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := clv.FitCovBGNBD(ctx, hs, design, &clv.CovOptions{On: map[string][]string{"A": nil, "B": nil}})
	if err != nil {
		fmt.Println(err)
		return
	}
	row, err := e.Model.Terms.Row(clv.Attributes{Levels: map[string]string{"club": "gold"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	gold, err := clv.EstimateFor(e, row)
	if err != nil {
		fmt.Println(err)
		return
	}
	year, err := clv.ExpectedPurchasesInterval(gold, clv.History{}, 52, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f [%.1f, %.1f]\n", year.Value, year.Low, year.High)
	// Output: 4.3 [3.7, 5.0]
}
