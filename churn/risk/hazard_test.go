package risk

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestHazardAgainstR(t *testing.T) {
	file := golden.Load(t, "testdata/hazard.json")
	weighted, d := readTenures(t)
	sets := map[string][]ledger.Tenure{"plain": unweighted(weighted), "weighted": weighted}
	baselines := map[string]HazardOptions{"each period": {}, "cuts": {Cuts: []int{3, 5}}, "constant": {Baseline: ConstantAge},
		"linear": {Baseline: LinearAge}, "log": {Baseline: LogAge}, "quadratic": {Baseline: QuadraticAge}}
	for link, name := range linkNames {
		for base, o := range baselines {
			for set, ts := range sets {
				row := goldenRow(t, file, name+"/"+base+"/"+set)
				o.Link = Link(link)
				got := map[string]float64{}
				for prefix, option := range map[string]func(*HazardOptions){"cov": func(*HazardOptions) {},
					"robust":  func(o *HazardOptions) { o.Robust = true },
					"cluster": func(o *HazardOptions) { o.Cluster = func(t ledger.Tenure) string { return t.Customer } }} {
					o := o
					option(&o)
					f, err := FitHazard(context.Background(), ts, d, &o)
					if err != nil {
						t.Fatal(row.Name, err)
					}
					vector(got, "coef", append(append([]float64(nil), f.Estimate.Model.Base...), f.Estimate.Model.Coef...))
					vector(got, prefix, lower(f.Estimate.Cov))
					got["log_lik"], got["null"], got["periods"], got["left"] = f.Estimate.LogLik, f.NullLogLik, f.Periods, f.Left
				}
				checkRow(t, row, got)
			}
		}
	}
	f, err := FitHazard(context.Background(), sets["plain"], d, nil)
	if err != nil {
		t.Fatal(err)
	}
	look, err := f.Estimate.Model.Predict(Profile{Levels: map[string]string{"plan": "pro"}, Numbers: map[string]float64{"x1": .7}})
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, goldenRow(t, file, "outlook"), map[string]float64{"h3": look.Hazard(3), "s2": look.Survival(2.99), "s8": look.Survival(8),
		"leaves": look.Leaves(3, 3)})
}

func TestPersonPeriods(t *testing.T) {
	ts := []ledger.Tenure{{Duration: 2, Ended: true}, {Duration: 2.5}, {Duration: 2.5, Ended: true, Weight: 3}, {Duration: .5},
		{Entry: 1.2, Duration: 4, Ended: true}, {Entry: 1, Duration: 3}, {Entry: 1.2, Duration: 1.7, Ended: true}}
	seq, err := PersonPeriods(ts, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []PersonPeriod
	for p := range seq {
		got = append(got, p)
	}
	want := []PersonPeriod{{0, 1, false, 1}, {0, 2, true, 1}, {1, 1, false, 1}, {1, 2, false, 1}, {2, 1, false, 3}, {2, 2, false, 3},
		{2, 3, true, 3}, {4, 3, false, 1}, {4, 4, true, 1}, {5, 2, false, 1}, {5, 3, false, 1}}
	if sprint(got) != sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// 0.3 is not quite 3 times 0.1.
	seq, err = PersonPeriods([]ledger.Tenure{{Duration: 0.3, Ended: true}, {Duration: 0.7}}, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range seq {
		n++
	}
	if n != 10 {
		t.Errorf("%d periods, want 3 and 7", n)
	}
}

// The regression of the expanded rows and the hazard model are the same likelihood.
func TestHazardIsTheRegressionOfPersonPeriods(t *testing.T) {
	ts, d := readTenures(t)
	cuts, err := EventCuts(ts, 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	f, err := FitHazard(context.Background(), ts, d, &HazardOptions{Cuts: cuts})
	if err != nil {
		t.Fatal(err)
	}
	seq, err := PersonPeriods(ts, 1)
	if err != nil {
		t.Fatal(err)
	}
	var group, plan []string
	var x1, weight []float64
	var left []bool
	for p := range seq {
		group = append(group, groupNames(cuts)[groupOf(cuts, p.Period)])
		plan, x1 = append(plan, ts[p.Row].Labels["plan"]), append(x1, d.Row(p.Row)[1])
		left, weight = append(left, p.Left), append(weight, p.Weight)
	}
	l, err := FitLogistic(context.Background(), left, mustDesign(t, Categorical("period", group, ""), Categorical("plan", plan, ""), Numeric("x1", x1)),
		&LogisticOptions{Weights: weight})
	if err != nil {
		t.Fatal(err)
	}
	if !near(l.Estimate.LogLik, f.Estimate.LogLik, 1e-12) || !near(l.Estimate.Model.Coef[len(cuts)], f.Estimate.Model.Coef[0], 1e-9) ||
		!near(l.Estimate.Model.Intercept, f.Estimate.Model.Base[0], 1e-9) {
		t.Errorf("%v\n%v", l, f)
	}
}

// Tenures cut into successive ones of the same customer are the same data.
func TestHazardOfCutTenures(t *testing.T) {
	ts, d := readTenures(t)
	var cut []ledger.Tenure
	var plan []string
	var x1 []float64
	for i, r := range ts {
		row := d.Row(i)
		add := func(r ledger.Tenure) {
			cut, plan, x1 = append(cut, r), append(plan, r.Labels["plan"]), append(x1, row[1])
		}
		if r.Entry < 2 && r.Duration > 2 {
			early, late := r, r
			early.Duration, early.Ended, late.Entry = 2, false, 2
			add(early)
			r = late
		}
		add(r)
	}
	for _, o := range []HazardOptions{{}, {Link: CloglogLink, Baseline: QuadraticAge}, {Baseline: LogAge, Robust: true, Cluster: func(t ledger.Tenure) string { return t.Customer }}} {
		want, err := FitHazard(context.Background(), ts, d, &o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FitHazard(context.Background(), cut, mustDesign(t, Categorical("plan", plan, "basic"), Numeric("x1", x1)), &o)
		if err != nil {
			t.Fatal(err)
		}
		for j, p := range got.Estimate.Params {
			if w := want.Estimate.Params[j]; !near(p.Value, w.Value, 1e-9) || !near(p.StdErr, w.StdErr, 1e-9) {
				t.Errorf("%s: got %v, want %v", p.Name, p, w)
			}
		}
	}
}

// A model of the periods alone has the observed share of those at risk in each, and its survival is that of Kaplan-Meier.
func TestHazardAloneIsTheLifeTable(t *testing.T) {
	ts := []ledger.Tenure{{Duration: 1, Ended: true}, {Duration: 1}, {Duration: 2, Ended: true}, {Duration: 2}, {Duration: 3, Ended: true}, {Duration: 3}, {Duration: 3}}
	for _, link := range []Link{LogitLink, CloglogLink} {
		f, err := FitHazard(context.Background(), ts, nil, &HazardOptions{Link: link})
		if err != nil {
			t.Fatal(err)
		}
		look, err := f.Estimate.Model.PredictRow(nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{1. / 7, 1. / 5, 1. / 3, 1. / 3} {
			if got := look.Hazard(i + 1); !near(got, want, 1e-12) {
				t.Errorf("hazard %d: %v, want %v", i+1, got, want)
			}
		}
		for i, want := range []float64{1, 6. / 7, 24. / 35, 16. / 35, 32. / 105} {
			if got := look.Survival(float64(i)); !near(got, want, 1e-12) {
				t.Errorf("survival %d: %v, want %v", i, got, want)
			}
		}
		if got, want := look.Leaves(3, math.MaxInt32), 1.0; got != want {
			t.Errorf("leaves: %v, want %v", got, want)
		}
	}
}

func TestHazardErrors(t *testing.T) {
	good := []ledger.Tenure{{Duration: 1, Ended: true}, {Duration: 2, Ended: true}, {Duration: 2}, {Duration: 2}}
	with := func(i int, change ledger.Tenure) []ledger.Tenure {
		ts := append([]ledger.Tenure(nil), good...)
		ts[i] = change
		return ts
	}
	for _, c := range []struct {
		name string
		ts   []ledger.Tenure
		d    *Design
		o    *HazardOptions
		want string
		is   error
	}{
		{"negative", with(1, ledger.Tenure{Duration: -1}), nil, nil, `risk: row 2: field "Duration": value "-1": want a finite number from 0`, nil},
		{"NaN", with(2, ledger.Tenure{Duration: math.NaN()}), nil, nil, `risk: row 3: field "Duration": value "NaN": want a finite number from 0`, nil},
		{"entry", with(0, ledger.Tenure{Entry: 3, Duration: 2}), nil, nil, `risk: row 1: field "Entry": value "3": after the duration 2`, nil},
		{"at once", with(0, ledger.Tenure{Ended: true}), nil, nil, `risk: row 1: field "Duration": value "0": ended without having been at risk`, nil},
		{"weight", with(0, ledger.Tenure{Duration: 1, Weight: -2}), nil, nil, `risk: row 1: field "Weight": value "-2": want a finite number from 0`, nil},
		{"nobody", good[2:], nil, nil, "risk: hazard model: nobody left", nil},
		{"none", nil, nil, nil, "risk: hazard model: nobody left", nil},
		{"everybody", good[:1], nil, nil, "risk: hazard model: everybody left in the first period", nil},
		{"period without", with(0, ledger.Tenure{Duration: 1}), nil, nil,
			`risk: covariate "period=1": separation: the likelihood rises without end as the coefficient grows: nobody left in it; join it with others by Cuts, such as those of EventCuts`, ErrSeparation},
		{"last period", append(good[:4:4], ledger.Tenure{Duration: 3, Ended: true}), nil, nil,
			`risk: covariate "period=3+": separation: the likelihood rises without end as the coefficient grows: everybody left in it; join it with others by Cuts, such as those of EventCuts`, ErrSeparation},
		{"empty group", good, nil, &HazardOptions{Cuts: []int{9}}, "risk: hazard model: period=9+: nobody was there; choose other Cuts", nil},
		{"cuts", good, nil, &HazardOptions{Cuts: []int{2, 2}}, "risk: cuts: 2 does not come after 2", nil},
		{"cuts of a line", good, nil, &HazardOptions{Cuts: []int{2}, Baseline: LinearAge}, `risk: option Cuts: the baseline "linear" has no groups of periods`, nil},
		{"length", good, nil, &HazardOptions{Length: -1}, "risk: a period of length -1", nil},
		{"rows", good, mustDesign(t, Numeric("x", []float64{1})), nil, "risk: the design has 1 rows for 4 customers", nil},
		{"separated", good, mustDesign(t, Numeric("x", []float64{4, 3, 1, 2})), &HazardOptions{Baseline: ConstantAge},
			`risk: covariate "x": separation: ...+Inf`, ErrSeparation},
		{"age", good, mustDesign(t, Numeric("a", []float64{1, 2, 1, 3}), Numeric("b", []float64{2, 4, 2, 6})), &HazardOptions{Baseline: ConstantAge},
			`risk: covariate "b" with "a": collinear`, ErrCollinear},
		{"long", with(2, ledger.Tenure{Duration: 1e9}), nil, nil, "risk: row 3 has 1000000000 periods, more than 1048576: choose a longer period", nil},
		{"link", good, nil, &HazardOptions{Link: 9}, "risk: option Link: no link 9", nil},
		{"baseline", good, nil, &HazardOptions{Baseline: 9}, "risk: option Baseline: no baseline 9", nil},
	} {
		f, err := FitHazard(context.Background(), c.ts, c.d, c.o)
		if c.name == "age" || c.name == "separated" {
			errorText(t, c.name, err, c.want+"...")
		} else {
			errorText(t, c.name, err, c.want)
		}
		if f != nil {
			t.Errorf("%s: a fit with the error", c.name)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: error %v is not %v", c.name, err, c.is)
		}
	}
}

// The ridge of a constant hazard is that of the regression of the person-periods.
func TestHazardRidge(t *testing.T) {
	ts, d := readTenures(t)
	seq, err := PersonPeriods(ts, 1)
	if err != nil {
		t.Fatal(err)
	}
	var plan []string
	var x1, weight []float64
	var left []bool
	for p := range seq {
		plan, x1 = append(plan, ts[p.Row].Labels["plan"]), append(x1, d.Row(p.Row)[1])
		left, weight = append(left, p.Left), append(weight, p.Weight)
	}
	expanded := mustDesign(t, Categorical("plan", plan, "basic"), Numeric("x1", x1))
	for _, unscaled := range []bool{false, true} {
		h, err := FitHazard(context.Background(), ts, d, &HazardOptions{Baseline: ConstantAge, Ridge: 12, RidgeUnscaled: unscaled})
		if err != nil {
			t.Fatal(err)
		}
		l, err := FitLogistic(context.Background(), left, expanded, &LogisticOptions{Weights: weight, Ridge: 12, RidgeUnscaled: unscaled})
		if err != nil {
			t.Fatal(err)
		}
		for j, p := range h.Estimate.Params {
			if w := l.Estimate.Params[j]; !near(p.Value, w.Value, 1e-10) || !near(p.StdErr, w.StdErr, 1e-10) {
				t.Errorf("%v, want %v", p, w)
			}
		}
		if h.NullLogLik != l.NullLogLik && !near(h.NullLogLik, l.NullLogLik, 1e-12) {
			t.Errorf("null %v, want %v", h.NullLogLik, l.NullLogLik)
		}
	}
}

func TestEventCuts(t *testing.T) {
	var ts []ledger.Tenure
	add := func(n int, duration float64, ended bool) {
		for range n {
			ts = append(ts, ledger.Tenure{Duration: duration, Ended: ended})
		}
	}
	add(5, 1, true)
	add(1, 2, true)
	add(6, 4, true)
	add(2, 6, true)
	add(10, 7, false)
	for least, want := range map[float64][]int{1: {2, 3, 5}, 3: {2}, 5: {2}, 6: {3}, 7: nil, 14: nil} {
		got, err := EventCuts(ts, 1, least)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || sprint(got) != sprint(want) && len(want) > 0 {
			t.Errorf("least %v: %v, want %v", least, got, want)
		}
		if least < 6 {
			if _, err := FitHazard(context.Background(), ts, nil, &HazardOptions{Cuts: got}); err != nil {
				t.Errorf("least %v: %v", least, err)
			}
		}
	}
	_, err := EventCuts(ts, 1, 15)
	errorText(t, "too many", err, "risk: cuts: all periods together have fewer than 15 who left, or who stayed")
	_, err = EventCuts(ts, 1, 0)
	errorText(t, "least", err, "risk: cuts: least 0 is not positive")
}
