package risk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// A record is all that the functions are given about one customer.
type record struct {
	Tenure        ledger.Tenure
	Left          bool
	Score, Other  float64
	P, X1, Weight float64
	Plan, Cluster string
}

func records(t testing.TB, n int) []record {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]record, n)
	for i := range out {
		x := math.Round(r.NormFloat64()*10) / 10
		life, end := math.Ceil(r.ExpFloat64()*6*math.Exp(-x/2)), float64(1+r.IntN(8))
		out[i] = record{Left: r.Float64() < sigmoid(x), X1: x, Score: math.Round(x + 3*r.NormFloat64()), Other: math.Round(3 * r.NormFloat64()),
			P: math.Round(1+98*r.Float64()) / 100, Weight: .1 + r.Float64(), Plan: []string{"a", "b", "c"}[r.IntN(3)], Cluster: fmt.Sprint(r.IntN(30)),
			Tenure: ledger.Tenure{Customer: fmt.Sprint("c", r.IntN(n)), Duration: min(life, end), Ended: life <= end, Weight: .1 + r.Float64()}}
	}
	return out
}

// A columns is the records as the slices that the functions take.
type columns struct {
	ts                          []ledger.Tenure
	left                        []bool
	score, other, p, x1, weight []float64
	plan, cluster               []string
	workers                     int
}

func columnsOf(rs []record) *columns {
	c := &columns{}
	for _, r := range rs {
		c.ts, c.left, c.plan, c.cluster = append(c.ts, r.Tenure), append(c.left, r.Left), append(c.plan, r.Plan), append(c.cluster, r.Cluster)
		c.score, c.other, c.p = append(c.score, r.Score), append(c.other, r.Other), append(c.p, r.P)
		c.x1, c.weight = append(c.x1, r.X1), append(c.weight, r.Weight)
	}
	return c
}

// calls are the exported functions that take slices, each returning something that the order of the rows must not change.
func calls(t testing.TB) map[string]func(c *columns) (any, error) {
	ctx := context.Background()
	design := func(c *columns) *Design {
		return mustDesign(t, Categorical("plan", c.plan, ""), Numeric("x1", c.x1))
	}
	ranking := func(f func(r *Ranking) (any, error)) func(c *columns) (any, error) {
		return func(c *columns) (any, error) {
			r, err := NewRanking(c.score, c.left, c.weight)
			if err != nil {
				return nil, err
			}
			return f(r)
		}
	}
	forecast := func(f func(r *Forecast) (any, error)) func(c *columns) (any, error) {
		return func(c *columns) (any, error) {
			r, err := NewForecast(c.p, c.left, c.weight)
			if err != nil {
				return nil, err
			}
			return f(r)
		}
	}
	return map[string]func(c *columns) (any, error){
		"logistic": func(c *columns) (any, error) {
			return FitLogistic(ctx, c.left, design(c), &LogisticOptions{Weights: c.weight, Workers: c.workers})
		},
		"logistic cluster": func(c *columns) (any, error) {
			return FitLogistic(ctx, c.left, design(c), &LogisticOptions{Weights: c.weight, Ridge: 2, Cluster: func(i int) string { return c.cluster[i] }, Workers: c.workers})
		},
		"logistic robust": func(c *columns) (any, error) {
			return FitLogistic(ctx, c.left, design(c), &LogisticOptions{Robust: true, Workers: c.workers})
		},
		"hazard": func(c *columns) (any, error) {
			return FitHazard(ctx, c.ts, design(c), &HazardOptions{Cuts: []int{3, 5}, Robust: true, Workers: c.workers})
		},
		"hazard cloglog": func(c *columns) (any, error) {
			return FitHazard(ctx, c.ts, design(c), &HazardOptions{Link: CloglogLink, Baseline: QuadraticAge, Workers: c.workers,
				Cluster: func(t ledger.Tenure) string { return t.Customer }})
		},
		"cuts": func(c *columns) (any, error) { return EventCuts(c.ts, 1, 20) },
		"platt": func(c *columns) (any, error) {
			return FitPlatt(ctx, c.score, c.left, &PlattOptions{Weights: c.weight, Workers: c.workers})
		},
		"isotonic": func(c *columns) (any, error) { return FitIsotonic(c.score, c.left, c.weight) },
		"compare":  func(c *columns) (any, error) { return CompareAUC(c.score, c.other, c.left) },
		"area":     ranking(func(r *Ranking) (any, error) { return r.AUC(), nil }),
		"curves": ranking(func(r *Ranking) (any, error) {
			return []any{r.ROC(), r.ConvexHull(), r.PR(), r.AveragePrecision(), r.KS()}, nil
		}),
		"gains":       ranking(func(r *Ranking) (any, error) { return r.Gains(7) }),
		"profit":      ranking(func(r *Ranking) (any, error) { return r.MaxProfit(telecom(t), .3) }),
		"profits":     ranking(func(r *Ranking) (any, error) { return r.ProfitCurve(telecom(t), .3) }),
		"expected":    ranking(func(r *Ranking) (any, error) { return r.ExpectedMaxProfit(telecom(t), TelecomAcceptance()) }),
		"brier":       forecast(func(f *Forecast) (any, error) { return f.Brier(&Bins{Count: 5}) }),
		"loss":        forecast(func(f *Forecast) (any, error) { return f.LogLoss(), nil }),
		"calibration": forecast(func(f *Forecast) (any, error) { return f.Calibration(ctx, nil) }),
		"hosmer":      forecast(func(f *Forecast) (any, error) { return f.HosmerLemeshow(nil, false) }),
	}
}

func TestOrderWorkersAndCopies(t *testing.T) {
	rs := records(t, 9000) // more than two chunks
	r := rand.New(rand.NewPCG(3, 4))
	for name, call := range calls(t) {
		given := columnsOf(rs)
		want, err := call(given)
		if err != nil {
			t.Fatal(name, err)
		}
		if fresh := columnsOf(rs); !reflect.DeepEqual(fresh, given) {
			t.Errorf("%s modified its arguments", name)
		}
		for _, workers := range []int{1, 2, 7} {
			mixed := slices.Clone(rs)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			given = columnsOf(mixed)
			given.workers = workers
			got, err := call(given)
			if err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s with %d workers depends on the order of the rows (-want +got)\n%s", name, workers, diff)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	rs := columnsOf(records(t, 500))
	for name, call := range calls(t) {
		v, err := call(rs)
		if err != nil {
			t.Fatal(name, err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch v := v.(type) {
		case *LogisticFit:
			roundTrip(t, name, text, v)
			roundTripOf(t, name, v.Estimate.Model)
			roundTripOf(t, name, &v.Estimate)
		case *HazardFit:
			roundTrip(t, name, text, v)
			roundTripOf(t, name, v.Estimate.Model)
			roundTripOf(t, name, &v.Estimate)
		case Platt:
			roundTrip(t, name, text, &v)
		case Isotonic:
			roundTrip(t, name, text, &v)
		}
	}
	for text, want := range map[string]string{
		`{"schema":"custval/model/platt/v1","params":{"terms":null,"intercept":1,"coef":null}}`:                           `fit: the text is a "custval/model/platt/v1", want "custval/model/logistic/v1"`,
		`{"schema":"custval/model/logistic/v1","params":{"terms":null,"intercept":1,"coef":[2]}}`:                         "risk: logistic: 1 coefficients for 0 columns",
		`{"schema":"custval/model/logistic/v1","params":{"terms":[{"name":"x","levels":[]}],"intercept":1,"coef":[2,3]}}`: "risk: logistic: 2 coefficients for 1 columns",
		`{"schema":"custval/model/logistic/v1","params":{"terms":[{"name":""}],"intercept":1,"coef":[2]}}`:                "risk: logistic: a covariate without a name of its own",
	} {
		var m Logistic
		errorText(t, text, json.Unmarshal([]byte(text), &m), want)
	}
}

func roundTripOf[T any](t *testing.T, name string, v T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	roundTrip(t, name, text, &v)
}

func roundTrip[T any](t *testing.T, name string, text []byte, want *T) {
	t.Helper()
	got := new(T)
	if err := json.Unmarshal(text, got); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("%s: JSON (-want +got)\n%s", name, diff)
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := columnsOf(records(t, 500))
	d := mustDesign(t, Numeric("x1", c.x1))
	f, err := NewForecast(c.p, c.left, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"logistic":    func() error { _, err := FitLogistic(ctx, c.left, d, nil); return err },
		"hazard":      func() error { _, err := FitHazard(ctx, c.ts, d, &HazardOptions{Baseline: LogAge}); return err },
		"platt":       func() error { _, err := FitPlatt(ctx, c.score, c.left, nil); return err },
		"calibration": func() error { _, err := f.Calibration(ctx, nil); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := columnsOf(records(t, 500))
	f, err := FitHazard(context.Background(), c.ts, mustDesign(t, Numeric("x1", c.x1)), &HazardOptions{Cuts: []int{3}})
	if err != nil {
		t.Fatal(err)
	}
	r := mustRank(t, c.score, c.left, nil)
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			_, _ = f.Estimate.Model.PredictRow([]float64{1})
			_, _ = r.ExpectedMaxProfit(telecom(t), TelecomAcceptance())
			_, _ = r.Gains(0)
		}()
	}
	all.Wait()
}

// Weights are copies.
func TestWeightsAreCopies(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	rs := records(t, 300)
	var many []record
	for i := range rs {
		rs[i].Weight = float64(1 + r.IntN(3))
		rs[i].Tenure.Weight = rs[i].Weight
		for range int(rs[i].Weight) {
			one := rs[i]
			one.Weight, one.Tenure.Weight = 1, 1
			many = append(many, one)
		}
	}
	for name, call := range calls(t) {
		if name == "compare" || name == "logistic robust" {
			continue // without weights
		}
		want, err := call(columnsOf(many))
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := call(columnsOf(rs))
		if err != nil {
			t.Fatal(name, err)
		}
		skip := cmpopts.IgnoreFields(fit.Estimate[Logistic]{}, "Iter", "Evaluations")
		skipHazard := cmpopts.IgnoreFields(fit.Estimate[Hazard]{}, "Iter", "Evaluations")
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-9, 1e-15), skip, skipHazard); diff != "" {
			t.Errorf("%s (-copies +weights)\n%s", name, diff)
		}
	}
}

// Simulated customers give their coefficients back.
func TestSimulateFitRecover(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	n := 20000
	x, plan, left := make([]float64, n), make([]string, n), make([]bool, n)
	ts := make([]ledger.Tenure, n)
	for i := range x {
		x[i], plan[i] = r.NormFloat64(), []string{"a", "b"}[r.IntN(2)]
		eta := .7*x[i] - .4*float64(b2i(plan[i] == "b"))
		left[i] = r.Float64() < sigmoid(-1+eta)
		end := 1 + r.IntN(9)
		ts[i] = ledger.Tenure{Duration: float64(end)}
		for age := 1; age <= end; age++ {
			if r.Float64() < CloglogLink.inverse(-2+.5*math.Log(float64(age))+eta) {
				ts[i] = ledger.Tenure{Duration: float64(age), Ended: true}
				break
			}
		}
	}
	d := mustDesign(t, Numeric("x", x), Categorical("plan", plan, "a"))
	l, err := FitLogistic(context.Background(), left, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := FitHazard(context.Background(), ts, d, &HazardOptions{Link: CloglogLink, Baseline: LogAge})
	if err != nil {
		t.Fatal(err)
	}
	check := func(params []fit.Param, want ...float64) {
		for j, p := range params {
			if math.Abs(p.Value-want[j]) > 4*p.StdErr || p.StdErr > .1 {
				t.Errorf("%s: %v, want %v", p.Name, p, want[j])
			}
		}
	}
	check(l.Estimate.Params, -1, .7, -.4)
	check(h.Estimate.Params, -2, .5, .7, -.4)
}

func TestPredictions(t *testing.T) {
	m := Logistic{Terms: Terms{{Name: "x"}, {Name: "plan", Levels: []string{"a", "b", "c"}}}, Intercept: -1, Coef: []float64{2, .5, .7}}
	// A design may have other orders, other references and fewer levels, and more covariates.
	d := mustDesign(t, Categorical("plan", []string{"c", "b"}, ""), Numeric("y", []float64{1, 2}), Numeric("x", []float64{.1, .2}))
	got, err := m.Probabilities(d)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{sigmoid(-1 + .2 + .7), sigmoid(-1 + .4 + .5)}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-15, 0)); diff != "" {
		t.Error(diff)
	}
	p, err := m.Predict(Profile{Numbers: map[string]float64{"x": .1}, Levels: map[string]string{"plan": "c"}})
	if err != nil || !near(p, want[0], 1e-15) {
		t.Error(p, err)
	}
	for name, c := range map[string]struct {
		d    *Design
		want string
	}{
		"lacks":  {mustDesign(t, Numeric("x", []float64{1})), `risk: the design lacks the covariate "plan"`},
		"type":   {mustDesign(t, Categorical("x", []string{"1"}, ""), Categorical("plan", []string{"a"}, "")), `risk: covariate "x": the model and the design do not agree whether it is a number or has levels`},
		"level":  {mustDesign(t, Numeric("x", []float64{1}), Categorical("plan", []string{"d"}, "")), `risk: covariate "plan" has level "d"; the model knows a, b, c`},
		"design": {nil, "risk: no design"},
	} {
		_, err := m.Probabilities(c.d)
		errorText(t, name, err, c.want)
	}
	if !math.IsNaN(m.Probability([]float64{1})) {
		t.Error("a row of another length has a probability")
	}
	h := Hazard{Length: 30, Cuts: []int{2}, Base: []float64{-1, -2}, Terms: Terms{{Name: "x"}}, Coef: []float64{.5}}
	after, err := h.Probabilities(mustDesign(t, Numeric("x", []float64{0, 2})), []int{0, 5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	q := func(eta float64) float64 { return 1 - sigmoid(eta) }
	want = []float64{1 - q(-1)*q(-2), 1 - q(-1)*q(-1)}
	if diff := cmp.Diff(want, after, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Error(diff)
	}
	look, err := h.PredictRow([]float64{0})
	if err != nil || look.Survival(29.9) != 1 || !near(look.Survival(30), q(-1), 1e-15) || !near(look.Survival(95), q(-1)*q(-2)*q(-2), 1e-15) {
		t.Error(look, err)
	}
	if !math.IsNaN(look.Hazard(0)) || !math.IsNaN(look.Leaves(-1, 1)) || !math.IsNaN(look.Survival(math.NaN())) || look.Survival(math.Inf(1)) != 0 ||
		!math.IsNaN(Outlook{}.Survival(1)) || !math.IsNaN(h.Hazard(nil, 1)) {
		t.Error("predictions outside their domain")
	}
	_, err = h.Probabilities(nil, nil, 1)
	errorText(t, "nil design", err, "risk: no design")
	_, err = h.Probabilities(mustDesign(t, Numeric("x", []float64{0})), []int{-1}, 1)
	errorText(t, "age", err, `risk: row 1: field "age": value "-1": negative`)
}

func TestDesignErrors(t *testing.T) {
	for name, c := range map[string]struct {
		cs   []Covariate
		want string
	}{
		"NaN":       {[]Covariate{Numeric("x", []float64{1, math.NaN()})}, `risk: row 2: field "x": value "NaN": missing value`},
		"Inf":       {[]Covariate{Numeric("x", []float64{math.Inf(-1)})}, `risk: row 1: field "x": value "-Inf": not a finite number`},
		"empty":     {[]Covariate{Categorical("plan", []string{"a", ""}, "")}, `risk: row 2: field "plan": value "": missing value`},
		"reference": {[]Covariate{Categorical("plan", []string{"a"}, "b")}, `risk: covariate "plan": level "b": the reference level does not occur`},
		"length":    {[]Covariate{Numeric("x", []float64{1}), Numeric("y", nil)}, `risk: covariate "y" has 0 rows, "x" has 1`},
		"name":      {[]Covariate{Numeric("", nil)}, "risk: covariate 1 has no name"},
		"twice":     {[]Covariate{Numeric("x", nil), Numeric("x", nil)}, `risk: two covariates are named "x"`},
		"columns":   {[]Covariate{Numeric("plan=b", []float64{1, 2}), Categorical("plan", []string{"a", "b"}, "")}, `risk: two coefficients are named "plan=b"`},
		"attribute": {[]Covariate{AttributeCovariate("region", []ledger.Customer{{ID: "1"}}, "")}, `risk: row 1: field "region": value "": missing value`},
	} {
		_, err := NewDesign(c.cs...)
		errorText(t, name, err, c.want)
	}
	d := mustDesign(t, Indicator("auto", []bool{true, false}), AttributeCovariate("region", []ledger.Customer{{Attributes: map[string]string{"region": "n"}},
		{Attributes: map[string]string{"region": "s"}}}, "s"))
	if got := fmt.Sprint(d.Columns(), d.Row(0), d.Row(1), d.Row(2), d.Rows()); got != "[auto region=n] [1 1] [0 0] [] 2" {
		t.Error(got)
	}
}

func FuzzModels(f *testing.F) {
	f.Add([]byte(`{"schema":"custval/model/logistic/v1","params":{"terms":[{"name":"x"},{"name":"p","levels":["a","b"]}],"intercept":1,"coef":[2,3]}}`))
	f.Add([]byte(`{"schema":"custval/model/discrete-hazard/v1","params":{"link":"cloglog","baseline":"each period","length":1,"cuts":[2],"base":[1,2],"terms":null,"coef":null}}`))
	f.Add([]byte(`{"schema":"custval/model/isotonic/v1","params":{"low":[1,3],"high":[2,4],"probabilities":[0.1,0.2]}}`))
	f.Add([]byte(`{"schema":"custval/model/platt/v1","params":{"a":-1,"b":2}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l Logistic
		if json.Unmarshal(text, &l) == nil {
			again(t, l)
			_, _ = l.Predict(Profile{})
			l.Probability(make([]float64, len(l.Coef)))
		}
		var h Hazard
		if json.Unmarshal(text, &h) == nil {
			again(t, h)
			if o, err := h.PredictRow(make([]float64, len(h.Coef))); err == nil {
				if s := o.Survival(3); !(s >= 0 && s <= 1) {
					t.Errorf("survival %v", s)
				}
				o.Leaves(2, 5)
			}
		}
		var i Isotonic
		if json.Unmarshal(text, &i) == nil {
			again(t, i)
			if p := i.Probability(0); !(p >= 0 && p <= 1) {
				t.Errorf("probability %v", p)
			}
		}
		var p Platt
		if json.Unmarshal(text, &p) == nil {
			again(t, p)
		}
	})
}

func again[M any](t *testing.T, m M) {
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var second M
	if err := json.Unmarshal(text, &second); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
