package survival

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

var familyByName = map[string]Family{"exponential": ExponentialFamily, "weibull": WeibullFamily, "lognormal": LogNormalFamily,
	"log-normal": LogNormalFamily, "loglogistic": LogLogisticFamily, "log-logistic": LogLogisticFamily,
	"gompertz": GompertzFamily, "generalized-gamma": GeneralizedGammaFamily}

func regressionValues(e *fit.Estimate[Regression]) map[string]float64 {
	got := map[string]float64{"log_lik": e.LogLik}
	for i, p := range e.Params {
		got[fmt.Sprint("param", i)] = p.Value
	}
	putMatrix(got, "cov", e.Cov)
	return got
}

// everyFour looks at the tenures at multiples of 4 only.
func everyFour(ts []ledger.Tenure) []Interval {
	out := make([]Interval, len(ts))
	for i, x := range ts {
		lower := math.Floor((x.Duration-1)/4) * 4
		out[i] = Interval{Lower: lower, Upper: math.Inf(1), Weight: x.Weight}
		if x.Ended {
			out[i].Upper = lower + 4
		}
	}
	return out
}

func TestRegressionAgreesWithR(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/regression.json").Rows {
		name, set, _ := strings.Cut(row.Name, "/")
		source := set
		if set == "interval" {
			source = "weighted"
		}
		ts, d, _ := coxCase(t, source)
		var e *fit.Estimate[Regression]
		var err error
		if set == "interval" {
			e, err = FitRegression(context.Background(), familyByName[name], everyFour(ts), d, nil)
		} else {
			e, err = FitRegression(context.Background(), familyByName[name], ts, d, nil)
		}
		if err != nil {
			t.Fatal(row.Name, err)
		}
		checkAll(t, row, regressionValues(e))
	}
}

func TestRegressionAgreesWithHighPrecision(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/parametric.json").Rows {
		name, set, _ := strings.Cut(row.Name, "/")
		ts, all, _ := coxCase(t, set)
		n := int(row.Args["count"])
		d, err := NewDesign(Numeric("x1", all.columns[0][:n]))
		if err != nil {
			t.Fatal(err)
		}
		e, err := FitRegression(context.Background(), familyByName[name], ts[:n], d, nil)
		if err != nil {
			t.Fatal(row.Name, err)
		}
		checkAll(t, row, regressionValues(e))
	}
}

func TestPrintedRegressions(t *testing.T) {
	ts := parseTenures(remission)
	d := groupDesign(t, ts, "6-MP")
	for _, w := range []struct {
		family               Family
		mu, b, scale, logLik float64
		digits               int
	}{
		{ExponentialFamily, 3.686097811, -1.526613562, 1, -108.5240495, 7},
		{WeibullFamily, 3.515686946, -1.267334585, .732194403, -106.5794916, 7},
		{LogLogisticFamily, 3.158153963, -1.265463385, .5465533304, -107.6614172, 7},
		{LogNormalFamily, 3.171967702, -1.346846682, .9238687798, -106.7046224, 7},
	} {
		e, err := FitRegression(context.Background(), w.family, ts, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		digits(t, w.family.String()+" intercept", e.Model.Intercept, w.mu, 8)
		digits(t, w.family.String()+" coefficient", e.Model.Coef[0], w.b, 8)
		digits(t, w.family.String()+" scale", e.Model.Scale, w.scale, 8)
		digits(t, w.family.String()+" log-likelihood", e.LogLik, w.logLik, 7)
	}
	ctx := context.Background()
	treated := only(ts, "6-MP")
	exponential, err := FitExponential(ctx, treated, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "events over time", exponential.Model.Rate, 9./359, 1e-11)
	near(t, "its std err", exponential.Params[0].StdErr, 9./359/3, 1e-8)
	weibull, err := FitWeibull(ctx, treated, nil)
	if err != nil {
		t.Fatal(err)
	}
	digits(t, "weibull shape", weibull.Model.Shape, 1.353734524, 8)
	digits(t, "weibull scale", weibull.Model.Scale, 33.76515097, 7)
	digits(t, "weibull log-likelihood", weibull.LogLik, -41.65867848, 8)
	logistic, err := FitLogLogistic(ctx, treated, nil)
	if err != nil {
		t.Fatal(err)
	}
	digits(t, "log-logistic intercept", math.Log(logistic.Model.Scale), 3.189074242, 8)
	digits(t, "log-logistic scale", 1/logistic.Model.Shape, .5938380439, 9)
	digits(t, "log-logistic log-likelihood", logistic.LogLik, -41.14410381, 8)

	// Grouped data with gaps, as in the tests of lifelines.
	var rows []Interval
	for i, n := range []float64{15, 17, 19, 26, 19, 43, 20, 15356} {
		r := Interval{Lower: 30*float64(i) + .1, Upper: 30 * float64(i+1), Weight: n}
		if i == 7 {
			r.Upper = math.Inf(1)
		}
		rows = append(rows, r)
	}
	grouped, err := FitWeibull(ctx, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	// R's survreg. Lifelines prints 1.272946 and 7646.68, where the likelihood is lower by a factor of 1 - 6e-7: its search
	// had stopped a little before the maximum.
	near(t, "grouped shape", grouped.Model.Shape, 1.272830536, 1e-9)
	near(t, "grouped scale", grouped.Model.Scale, 7649.209186158, 1e-9)
	digits(t, "grouped log-likelihood", grouped.LogLik, -1192.756334768, 9)
	near(t, "lifelines' shape", grouped.Model.Shape, 1.272946, 1e-4)
	near(t, "lifelines' scale", grouped.Model.Scale, 7646.68135, 4e-4)
}

func TestRegressionInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 150, false, true)
	ctx := context.Background()
	for f := range familyNames {
		family := Family(f)
		e, err := FitRegression(ctx, family, ts, d, nil)
		if err != nil {
			t.Fatal(family, err)
		}
		// Time in another unit.
		longer := append([]ledger.Tenure(nil), ts...)
		for i := range longer {
			longer[i].Entry *= 30
			longer[i].Duration *= 30
		}
		scaled, err := FitRegression(ctx, family, longer, d, nil)
		if err != nil {
			t.Fatal(family, err)
		}
		shift, shape := math.Log(30), 1.0
		if family == GompertzFamily {
			shift, shape = -shift, 1./30
		}
		near(t, family.String()+" intercept", scaled.Model.Intercept, e.Model.Intercept+shift, 1e-7)
		near(t, family.String()+" coefficient", scaled.Model.Coef[0], e.Model.Coef[0], 1e-7)
		near(t, family.String()+" scale", scaled.Model.Scale, e.Model.Scale, 1e-7)
		near(t, family.String()+" shape", scaled.Model.Shape, e.Model.Shape*shape, 1e-6)
		// Order of the rows.
		order := r.Perm(len(ts))
		shuffled, x, y := make([]ledger.Tenure, len(ts)), make([]float64, len(ts)), make([]float64, len(ts))
		for i, k := range order {
			shuffled[i], x[i], y[i] = ts[k], d.columns[0][k], d.columns[1][k]
		}
		moved, _ := NewDesign(Numeric("x", x), Numeric("y", y))
		again, err := FitRegression(ctx, family, shuffled, moved, nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, again, e)
	}
}

// The generalized gamma contains the Weibull and the log-normal; so do their likelihoods near q = 1 and 0.
func TestGeneralizedGammaLimits(t *testing.T) {
	for _, x := range []float64{0.2, 1, 3, 9, 40} {
		near(t, "weibull", GeneralizedGamma{2, .7, 1}.Survival(x), Weibull{1 / .7, math.Exp(2)}.Survival(x), 1e-13)
		near(t, "weibull density", GeneralizedGamma{2, .7, 1}.Density(x), Weibull{1 / .7, math.Exp(2)}.Density(x), 1e-13)
		near(t, "log-normal", GeneralizedGamma{2, .7, 0}.Survival(x), LogNormal{2, .7}.Survival(x), 1e-13)
		near(t, "log-normal density", GeneralizedGamma{2, .7, 0}.Density(x), LogNormal{2, .7}.Density(x), 1e-13)
		for _, q := range []float64{1e-5, -1e-5, 1.1e-5, -1.1e-5} { // on both sides of the switch to the expansion
			want := LogNormal{2, .7}.CumHazard(x)
			near(t, fmt.Sprint("cumulative hazard near q = ", q), GeneralizedGamma{2, .7, q}.CumHazard(x), want, 5e-4)
		}
		a, b := GeneralizedGamma{2, .7, 1.0009e-5}.CumHazard(x), GeneralizedGamma{2, .7, 1.0011e-5}.CumHazard(x)
		near(t, "across the switch", a, b, 1e-7) // q differs by 2e-9
	}
}

// Every derivative against central differences.
func TestFamilyDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for f := range familyNames {
		family := Family(f)
		params, _ := family.shapes()
		for range 20 {
			theta := []float64{r.NormFloat64() * .5}
			for range params {
				theta = append(theta, .3+r.Float64())
			}
			if family == GeneralizedGammaFamily && r.IntN(2) == 0 {
				theta[2] = -theta[2]
			}
			row := Interval{Lower: .5 + r.Float64()}
			row.Upper = row.Lower + r.Float64()
			switch r.IntN(3) {
			case 0:
				row.Upper = row.Lower
			case 1:
				row.Upper = math.Inf(1)
			}
			row.Entry = row.Lower * .5
			value := func(th []float64) local { return row.likelihood(family, th[0], th[1:]) }
			l := value(theta)
			const h = 1e-5
			for i := range theta {
				up, down := append([]float64(nil), theta...), append([]float64(nil), theta...)
				up[i] += h
				down[i] -= h
				a, b := value(up), value(down)
				if diff := (a.v-b.v)/(2*h) - l.g[i]; math.Abs(diff) > 1e-6*(1+math.Abs(l.g[i])) {
					t.Errorf("%v %+v: slope %d is %v, off by %v", family, row, i, l.g[i], diff)
				}
				for j := i; j < len(theta); j++ {
					if diff := (a.g[j]-b.g[j])/(2*h) - l.h[i][j]; math.Abs(diff) > 1e-5*(1+math.Abs(l.h[i][j])) {
						t.Errorf("%v %+v: second derivative %d, %d is %v, off by %v", family, row, i, j, l.h[i][j], diff)
					}
				}
			}
		}
	}
}

func TestRegressionRecovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range []Distribution{Exponential{.1}, Weibull{1.4, 8}, LogNormal{2, .6}, LogLogistic{2, 6}, Gompertz{.05, .08},
		GeneralizedGamma{2, .6, .5}} {
		ts := make([]ledger.Tenure, 3000)
		for i := range ts {
			life, end := d.Rand(r), 30*r.Float64()
			ts[i] = ledger.Tenure{Duration: math.Min(life, end), Ended: life <= end}
		}
		check := func(e []fit.Param, want ...float64) {
			t.Helper()
			for i, p := range e {
				if math.Abs(p.Value-want[i]) > 4*p.StdErr {
					t.Errorf("%s %s: got %v (%v), want %v", d.Kind(), p.Name, p.Value, p.StdErr, want[i])
				}
			}
		}
		ctx := context.Background()
		switch m := d.(type) {
		case Exponential:
			e, err := FitExponential(ctx, ts, nil)
			must(t, err)
			check(e.Params, m.Rate)
		case Weibull:
			e, err := FitWeibull(ctx, ts, &fit.Options{Start: []float64{1.2, 7}})
			must(t, err)
			check(e.Params, m.Shape, m.Scale)
		case LogNormal:
			e, err := FitLogNormal(ctx, ts, nil)
			must(t, err)
			check(e.Params, m.Mu, m.Sigma)
		case LogLogistic:
			e, err := FitLogLogistic(ctx, ts, nil)
			must(t, err)
			check(e.Params, m.Shape, m.Scale)
		case Gompertz:
			e, err := FitGompertz(ctx, ts, nil)
			must(t, err)
			check(e.Params, m.Shape, m.Rate)
		case GeneralizedGamma:
			e, err := FitGeneralizedGamma(ctx, ts, nil)
			must(t, err)
			check(e.Params, m.Mu, m.Sigma, m.Q)
			text, err := json.Marshal(e)
			must(t, err)
			var back fit.Estimate[GeneralizedGamma]
			must(t, json.Unmarshal(text, &back))
			if diff := cmp.Diff(*e, back, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRegressionErrors(t *testing.T) {
	ctx, inf, nan := context.Background(), math.Inf(1), math.NaN()
	ok := Interval{Lower: 1, Upper: 2}
	tests := []struct {
		name string
		row  Interval
		want string
	}{
		{"order", Interval{Lower: 3, Upper: 2}, `survival: row 2: field "Upper": value "2": before Lower (Lower is 3)`},
		{"NaN", Interval{Lower: nan, Upper: 2}, `survival: row 2: field "Lower": value "NaN": not a finite number`},
		{"infinite lower", Interval{Lower: inf, Upper: inf}, `survival: row 2: field "Lower": value "+Inf": not a finite number`},
		{"NaN upper", Interval{Lower: 1, Upper: nan}, `survival: row 2: field "Upper": value "NaN": not a finite number`},
		{"negative", Interval{Lower: -1, Upper: 2}, `survival: row 2: field "Lower": value "-1": negative`},
		{"weight", Interval{Lower: 1, Upper: 2, Weight: -2}, `survival: row 2: field "Weight": value "-2": negative`},
		{"entry", Interval{Entry: 3, Lower: 2, Upper: 4},
			`survival: row 2: field "Entry": value "3": after Lower (which is 2): entry after exit`},
		{"zero", Interval{}, `survival: row 2: field "Upper": value "0": ` + errAtZero.Error()},
	}
	for _, tt := range tests {
		_, err := FitWeibull(ctx, []Interval{ok, tt.row}, nil)
		wantText(t, err, tt.want)
	}
	_, err := FitWeibull(ctx, []ledger.Tenure{{Duration: 3, Ended: true}, {Duration: 0, Ended: true}}, nil)
	wantText(t, err, `survival: row 2: field "Duration": value "0": `+errAtZero.Error())
	if _, err := FitLogNormal(ctx, []ledger.Tenure{{Duration: 3}}, nil); !errors.Is(err, ErrNoEvents) {
		t.Errorf("got %v", err)
	}
	_, err = FitWeibull(ctx, []Interval{}, nil)
	wantText(t, err, "survival: no tenures")
	_, err = FitWeibull(ctx, []Interval{ok}, &fit.Options{Start: []float64{1}})
	wantText(t, err, "survival: option Start: 1 values for 2 parameters")
	_, err = FitWeibull(ctx, []Interval{ok}, &fit.Options{Start: []float64{-1, 1}})
	wantText(t, err, "survival: weibull: Shape -1 is not a positive number (option Start)")

	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 50, false, false)
	both, never := make([]float64, 50), make([]bool, 50)
	for i := range both {
		both[i] = d.columns[0][i] - 2*d.columns[1][i]
		never[i] = !ts[i].Ended
	}
	bad, _ := NewDesign(Numeric("x", d.columns[0]), Numeric("y", d.columns[1]), Numeric("both", both))
	_, err = FitRegression(ctx, WeibullFamily, ts, bad, nil)
	wantText(t, err, `survival: covariate "both" with "x", "y": collinear: it is a linear combination of them; leave one out`)
	bad, _ = NewDesign(Indicator("never", never))
	_, err = FitRegression(ctx, WeibullFamily, ts, bad, nil)
	wantText(t, err, `survival: covariate "never": separation: the likelihood rises without end as the coefficient grows: `+
		`nobody with the value 1 left; leave it out or merge levels`)
}

// The band against derivatives of the survival of the distribution taken by differences.
func TestPredictBand(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 150, false, true)
	profile := Profile{Numbers: map[string]float64{"x": .3, "y": 1}}
	for f := range familyNames {
		e, err := FitRegression(context.Background(), Family(f), ts, d, nil)
		must(t, err)
		points, err := PredictBand(e, profile, []float64{2, 9}, &CurveOptions{Band: LogLogBand})
		must(t, err)
		for _, p := range points {
			slope := make([]float64, len(e.Params))
			for i := range e.Params {
				const h = 1e-5
				moved := func(by float64) float64 {
					m := e.Model
					m.Coef = append([]float64(nil), m.Coef...)
					switch name := e.Params[i].Name; name {
					case "Intercept":
						m.Intercept += by
					case "Scale":
						m.Scale += by
					case "Shape":
						m.Shape += by
					default:
						m.Coef[i-1] += by
					}
					dist, err := m.Predict(profile)
					must(t, err)
					return dist.Survival(p.Time)
				}
				slope[i] = (moved(h) - moved(-h)) / (2 * h)
			}
			near(t, Family(f).String()+" std err", p.StdErr, math.Sqrt(linalg.Form(e.Cov, slope)), 1e-7)
			if !(p.Lower < p.Survival && p.Survival < p.Upper) {
				t.Errorf("%v: %v outside %v to %v", Family(f), p.Survival, p.Lower, p.Upper)
			}
		}
		_, err = PredictBand(e, profile, []float64{0}, nil)
		wantText(t, err, "survival: band: time 0 is not a positive number")
		_, err = PredictBand(e, Profile{}, []float64{1}, nil)
		wantText(t, err, `survival: profile: covariate "x" has no finite number`)
		e.Cov = nil
		if _, err = PredictBand(e, profile, []float64{1}, nil); !errors.Is(err, fit.ErrNoCovariance) {
			t.Errorf("got %v", err)
		}
	}
}
