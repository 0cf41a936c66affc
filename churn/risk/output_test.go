package risk

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/money"
)

// Every table prints, writes CSV with as many columns as its header in each row, and is JSON with the same names.
func TestTables(t *testing.T) {
	ctx := context.Background()
	c := readCustomers(t)
	r := mustRank(t, c.score, c.left, nil)
	f, err := NewForecast(c.probs, c.left, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := FitLogistic(ctx, c.left, c.design(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	odds, err := l.OddsRatios(.95)
	if err != nil {
		t.Fatal(err)
	}
	gains, err := r.Gains(0)
	if err != nil {
		t.Fatal(err)
	}
	calibration, err := f.Calibration(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	profits, err := r.ProfitCurve(telecom(t), .3)
	if err != nil {
		t.Fatal(err)
	}
	contacts := contactsOf(t, []Prospect{{Customer: "a", Risk: 1, Value: eur("50")}, {Customer: "b", Risk: .5, Value: eur("70.5")}}, ContactOptions{Accept: .5})
	for _, table := range []interface {
		String() string
		WriteCSV(io.Writer) error
	}{odds, gains, calibration, profits, r.ROC(), r.PR(), r.ConvexHull(), contacts} {
		name := fmt.Sprintf("%T", table)
		var b bytes.Buffer
		if err := table.WriteCSV(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
			continue
		}
		text, err := json.Marshal(table)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, column := range rows[0] {
			if !strings.Contains(string(text), `"`+column+`"`) {
				t.Errorf("%s: JSON without %s", name, column)
			}
			if !strings.Contains(table.String(), column) && column != "currency" {
				t.Errorf("%s: text without %s", name, column)
			}
		}
		if strings.Contains(string(text), "NaN") || strings.Contains(table.String(), "NaN") {
			t.Errorf("%s: NaN", name)
		}
		if err := table.WriteCSV(broken{}); err == nil {
			t.Errorf("%s: no error of a writer that fails", name)
		}
	}
	if text, err := json.Marshal(r.ROC()[:1]); err != nil || string(text) != `[{"threshold":null,"false_positive_rate":0,"true_positive_rate":0,"targeted":0}]` {
		t.Errorf("%s, %v", text, err)
	}
	if text, err := json.Marshal(Area{.5, math.NaN()}); err != nil || string(text) != `{"value":0.5,"std_err":null}` {
		t.Errorf("%s, %v", text, err)
	}
	if text, err := json.Marshal(Profit{PerCustomer: 1.5, Currency: "EUR", Target: .2, Threshold: math.NaN()}); err != nil ||
		string(text) != `{"per_customer":1.5,"currency":"EUR","target":0.2,"threshold":null}` {
		t.Errorf("%s, %v", text, err)
	}
	if a, err := (Profit{PerCustomer: 1.555, Currency: "EUR"}).Amount(money.HalfUp); err != nil || a.String() != "EUR 1.56" {
		t.Errorf("%v, %v", a, err)
	}
	if !strings.Contains(l.String(), "plan=pro") {
		t.Error(l)
	}
	for link := range linkNames {
		var back Link
		text, err := Link(link).MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || int(back) != link || Link(link).String() != string(text) {
			t.Errorf("link %d: %s %v", link, text, err)
		}
	}
	if _, err := Link(9).MarshalText(); err == nil || Link(9).String() != "unknown" || new(Baseline).UnmarshalText([]byte("x")) == nil {
		t.Error("a link that there is not")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestValidate(t *testing.T) {
	good := Hazard{Length: 1, Base: []float64{-1}}
	with := func(change func(*Hazard)) Hazard {
		m := good
		change(&m)
		return m
	}
	for _, c := range []struct {
		m    interface{ Validate() error }
		want string
	}{
		{with(func(m *Hazard) { m.Link = 7 }), "risk: discrete-hazard: no link 7"},
		{with(func(m *Hazard) { m.Baseline = 7 }), "risk: discrete-hazard: no baseline 7"},
		{with(func(m *Hazard) { m.Length = 0 }), "risk: discrete-hazard: a period of length 0"},
		{with(func(m *Hazard) { m.Base = nil }), "risk: discrete-hazard: 0 values of the baseline, want 1"},
		{with(func(m *Hazard) { m.Baseline = QuadraticAge }), "risk: discrete-hazard: 1 values of the baseline, want 3"},
		{with(func(m *Hazard) { m.Cuts, m.Baseline = []int{2}, ConstantAge }), "risk: discrete-hazard: cuts are for a baseline of each period"},
		{with(func(m *Hazard) { m.Cuts, m.Base = []int{1}, []float64{1, 2} }), "risk: cuts: 1 does not come after 1"},
		{with(func(m *Hazard) { m.Coef = []float64{1} }), "risk: discrete-hazard: 1 coefficients for 0 columns"},
		{with(func(m *Hazard) { m.Base = []float64{math.NaN()} }), "risk: discrete-hazard: a coefficient is NaN"},
		{Logistic{Intercept: math.Inf(1)}, "risk: logistic: a coefficient is +Inf"},
		{Platt{A: math.NaN()}, "risk: platt: A NaN, B 0: not finite numbers"},
		{Isotonic{}, "risk: isotonic: 0, 0 and 0 numbers"},
		{Isotonic{[]float64{1, 2}, []float64{1, 2}, []float64{.5, .4}}, "risk: isotonic: step 2 does not rise"},
		{Isotonic{[]float64{1}, []float64{0}, []float64{.5}}, "risk: isotonic: step 1 does not rise"},
		{Isotonic{[]float64{1}, []float64{1}, []float64{1.5}}, "risk: isotonic: step 1 does not rise"},
	} {
		errorText(t, fmt.Sprintf("%T", c.m), c.m.Validate(), c.want)
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := with(func(m *Hazard) { m.Length = 0 })
	if _, err := bad.PredictRow(nil); err == nil || !math.IsNaN(bad.Hazard(nil, 1)) {
		t.Error("a model that does not validate predicts")
	}
}

// The shapes of the baseline, by their formulas.
func TestBaselines(t *testing.T) {
	for _, c := range []struct {
		m    Hazard
		want func(age float64) float64
	}{
		{Hazard{Baseline: ConstantAge, Base: []float64{-1}}, func(float64) float64 { return -1 }},
		{Hazard{Baseline: LinearAge, Base: []float64{-1, .1}}, func(a float64) float64 { return -1 + .1*a }},
		{Hazard{Baseline: LogAge, Base: []float64{-1, -.3}}, func(a float64) float64 { return -1 - .3*math.Log(a) }},
		{Hazard{Baseline: QuadraticAge, Base: []float64{-1, .2, -.05}}, func(a float64) float64 { return -1 + .2*a - .05*a*a }},
		{Hazard{Cuts: []int{3, 4}, Base: []float64{-1, -2, -3}}, func(a float64) float64 { return -1 - min(2, max(0, a-2)) }},
	} {
		for _, link := range []Link{LogitLink, CloglogLink} {
			m := c.m
			m.Link, m.Length, m.Terms, m.Coef = link, 2, Terms{{Name: "x"}}, []float64{.5}
			o, err := m.Predict(Profile{Numbers: map[string]float64{"x": 3}})
			if err != nil {
				t.Fatal(err)
			}
			stays := 1.0
			for age := 1; age <= 12; age++ {
				eta := c.want(float64(age)) + 1.5
				h := 1 / (1 + math.Exp(-eta))
				if link == CloglogLink {
					h = 1 - math.Exp(-math.Exp(eta))
				}
				if !near(o.Hazard(age), h, 1e-12) || !near(m.Hazard([]float64{3}, age), h, 1e-12) {
					t.Fatalf("%v %v: hazard %d is %v, want %v", m.Baseline, link, age, o.Hazard(age), h)
				}
				stays *= 1 - h
				if !near(o.Survival(2*float64(age)+1), stays, 1e-11) || math.Abs(o.Leaves(0, age)-(1-stays)) > 1e-12 {
					t.Fatalf("%v %v: survival %d is %v, want %v", m.Baseline, link, age, o.Survival(2*float64(age)), stays)
				}
			}
		}
	}
}

func TestIntervalErrors(t *testing.T) {
	c := readCustomers(t)
	l, err := FitLogistic(context.Background(), c.left, mustDesign(t, Numeric("x1", c.x1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = l.Interval([]float64{1}, 1)
	errorText(t, "level", err, "risk: level 1 is not between 0 and 1")
	_, _, _, err = l.Interval(nil, .9)
	errorText(t, "row", err, "risk: a row of 0 numbers for 1 coefficients")
	_, _, _, err = l.Interval([]float64{math.Inf(1)}, .9)
	errorText(t, "infinite", err, "risk: interval: the row has the log-odds +Inf")
	_, err = l.OddsRatios(0)
	errorText(t, "odds", err, "risk: level 0 is not between 0 and 1")
	_, err = l.Estimate.Model.Predict(Profile{})
	errorText(t, "profile", err, `risk: profile: covariate "x1" has no finite number`)
	_, err = l.Estimate.Model.Predict(Profile{Numbers: map[string]float64{"x1": 1, "age": 2}})
	errorText(t, "profile", err, `risk: profile: covariate "age" is not in the model`)
}

func TestNotConverged(t *testing.T) {
	c := readCustomers(t)
	f, err := FitLogistic(context.Background(), c.left, c.design(t), &LogisticOptions{MaxIter: 1})
	errorText(t, "iterations", err, "risk: not converged after 1 iterations: raise MaxIter or set Ridge")
	if f != nil {
		t.Error("a fit that has not converged")
	}
}
