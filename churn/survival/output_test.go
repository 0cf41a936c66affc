package survival

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
)

func TestTablesAsText(t *testing.T) {
	ctx := context.Background()
	ts := parseTenures(remission)
	d := groupDesign(t, ts, "6-MP")
	f, err := FitCox(ctx, ts, d, nil)
	must(t, err)
	z, err := f.TestProportionality(ctx, ts, d, nil, KaplanMeierTime)
	must(t, err)
	curves, err := KaplanMeierBy(ts, Label("group"), nil)
	must(t, err)
	tests := []struct {
		name  string
		value fmt.Stringer
		want  string
	}{
		{"cox", f, `covariate         coef  hazard_ratio  lower_95  upper_95   std_err        z            p
group=control  1.57213       4.81687   2.14651   10.8093  0.412397  3.81217  0.000137754
42 customers, 30 events, partial log-likelihood -85.0084, ties: efron
test              statistic  df            p
likelihood ratio    16.3517   1  5.26092e-05
Wald                14.5326   1  0.000137754
score               17.2465   1  3.28295e-05
`},
		{"proportionality", z, `term    chi_square  df         p
group    0.0228634   1  0.879813
GLOBAL   0.0228634   1  0.879813
`},
		{"curves", curves, `group    customers  events  median  lower  upper
6-MP            21       9      23     16      -
control         21      21       8      4     12
`},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.value.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

func TestTablesAsCSV(t *testing.T) {
	ctx := context.Background()
	ts := parseTenures(remission)
	d := groupDesign(t, ts, "6-MP")
	f, err := FitCox(ctx, ts, d, nil)
	must(t, err)
	z, err := f.TestProportionality(ctx, ts, d, nil, LogTime)
	must(t, err)
	c, err := Compare(ts, Label("group"), nil)
	must(t, err)
	b, err := Brier(ts, func(int) Survivor { return Weibull{1.2, 15} }, []float64{4, 8})
	must(t, err)
	e, err := FitRegression(ctx, WeibullFamily, ts, d, nil)
	must(t, err)
	band, err := PredictBand(e, Profile{Levels: map[string]string{"group": "control"}}, []float64{8}, nil)
	must(t, err)
	for header, write := range map[string]func(*bytes.Buffer) error{
		"term,chi_square,df,p":                func(w *bytes.Buffer) error { return z.WriteCSV(w) },
		"group,customers,observed,expected":   func(w *bytes.Buffer) error { return c.WriteCSV(w) },
		"time,score,reference,skill":          func(w *bytes.Buffer) error { return b.WriteCSV(w) },
		"time,survival,std_err,lower,upper":   func(w *bytes.Buffer) error { return band.WriteCSV(w) },
		"group,time,at_risk,events,censored,": func(w *bytes.Buffer) error { return kaplanMeier(t, ts).WriteCSV(w) },
	} {
		var w bytes.Buffer
		if err := write(&w); err != nil || !strings.HasPrefix(w.String(), header) || strings.Count(w.String(), "\n") < 2 {
			t.Errorf("%s: %v\n%s", header, err, w.String())
		}
	}
}

// kaplanMeier is the curve of tenures without errors.
func kaplanMeier(t testing.TB, ts []ledger.Tenure) *Curve {
	t.Helper()
	c, err := KaplanMeier(ts, nil)
	must(t, err)
	return c
}

func TestProfileErrors(t *testing.T) {
	terms := Terms{{Name: "seats"}, {Name: "plan", Levels: []string{"basic", "pro", "team"}}}
	row, err := terms.Row(Profile{Numbers: map[string]float64{"seats": 3}, Levels: map[string]string{"plan": "team"}})
	must(t, err)
	equal(t, row, []float64{3, 0, 1})
	tests := []struct {
		name    string
		profile Profile
		want    string
	}{
		{"no number", Profile{Levels: map[string]string{"plan": "pro"}}, `survival: profile: covariate "seats" has no finite number`},
		{"NaN", Profile{Numbers: map[string]float64{"seats": math.NaN()}}, `survival: profile: covariate "seats" has no finite number`},
		{"no level", Profile{Numbers: map[string]float64{"seats": 3}},
			`survival: profile: covariate "plan" has level ""; the model knows basic, pro, team`},
		{"unknown level", Profile{Numbers: map[string]float64{"seats": 3}, Levels: map[string]string{"plan": "x"}},
			`survival: profile: covariate "plan" has level "x"; the model knows basic, pro, team`},
		{"not in the model", Profile{Numbers: map[string]float64{"seats": 3, "age": 1}, Levels: map[string]string{"plan": "pro"}},
			`survival: profile: covariate "age" is not in the model`},
	}
	for _, tt := range tests {
		_, err := terms.Row(tt.profile)
		wantText(t, err, tt.want)
	}
}

func TestCoxModelErrors(t *testing.T) {
	ctx := context.Background()
	f, ts, d, o := fitCase(t, "both/efron/strata")
	m := f.Estimate.Model
	_, err := m.PredictRow([]float64{1}, "east", nil)
	wantText(t, err, "survival: cox: a row of 1 covariates for 4 coefficients")
	_, err = m.PredictRow([]float64{1, 0, 0, 0}, "north", nil)
	wantText(t, err, `survival: cox: no stratum "north"`)
	_, err = m.PredictRow([]float64{1e6, 0, 0, 0}, "east", nil)
	wantText(t, err, "survival: cox: the hazard of the row is not a finite number")
	if x := m.LinearPredictor(nil); !math.IsNaN(x) {
		t.Errorf("got %v", x)
	}
	other, err := NewDesign(Numeric("z", d.columns[0]))
	must(t, err)
	_, err = f.Residuals(ctx, ts, other, o)
	wantText(t, err, "survival: cox: the design or the ties are not those of the fit")
	_, err = f.TestProportionality(ctx, ts, d, o, 9)
	wantText(t, err, "survival: no time scale 9")
	curve, err := m.PredictRow(d.Row(0), "east", nil)
	must(t, err)
	mean, err := curve.RestrictedMean(10)
	if err != nil || !math.IsNaN(mean.StdErr) || !(mean.Mean > 0 && mean.Mean < 10) {
		t.Errorf("restricted mean of a regression: %+v, %v", mean, err)
	}
	_, err = CompareRestrictedMeans(curve, curve, 10)
	wantText(t, err, "survival: difference of restricted means: the curve of a regression has no standard error")
	ratio := m.HazardRatio([]float64{1, 0, 0, 0}, []float64{0, 0, 0, 0})
	near(t, "hazard ratio", ratio, math.Exp(m.Coef[0]), 1e-14)
	lower, upper := m.HazardRatioInterval([]float64{1, 0, 0, 0}, []float64{0, 0, 0, 0}, 0.95)
	near(t, "lower", math.Log(lower), m.Coef[0]-1.959963984540054*f.Estimate.Params[0].StdErr, 1e-12)
	near(t, "upper", math.Log(upper), m.Coef[0]+1.959963984540054*f.Estimate.Params[0].StdErr, 1e-12)
}

func TestLongCallsStop(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	ts, d, _ := coxCase(t, "plain/efron")
	if _, err := FitRegression(done, GeneralizedGammaFamily, ts, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("regression: %v", err)
	}
	if _, err := FitCox(done, ts, d, &CoxOptions{Ties: Exact}); !errors.Is(err, context.Canceled) {
		t.Errorf("exact ties: %v", err)
	}
}
