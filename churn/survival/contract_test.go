package survival

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/ledger"
)

// calls are the exported functions that take slices, each returning something that the row order must not change.
func calls() map[string]func(ts []ledger.Tenure) (any, error) {
	ctx := context.Background()
	group := Label("group")
	return map[string]func(ts []ledger.Tenure) (any, error){
		"KaplanMeier":         func(ts []ledger.Tenure) (any, error) { return KaplanMeier(ts, nil) },
		"NelsonAalen":         func(ts []ledger.Tenure) (any, error) { return NelsonAalen(ts, nil) },
		"FlemingHarrington":   func(ts []ledger.Tenure) (any, error) { return FlemingHarrington(ts, nil) },
		"KaplanMeierBy":       func(ts []ledger.Tenure) (any, error) { return KaplanMeierBy(ts, group, nil) },
		"Compare":             func(ts []ledger.Tenure) (any, error) { return Compare(ts, group, nil) },
		"CumulativeIncidence": func(ts []ledger.Tenure) (any, error) { return CumulativeIncidence(ts, nil) },
		"CumulativeIncidenceBy": func(ts []ledger.Tenure) (any, error) {
			return CumulativeIncidenceBy(ts, group, nil)
		},
		"FitWeibull":  func(ts []ledger.Tenure) (any, error) { return FitWeibull(ctx, ts, nil) },
		"FitGompertz": func(ts []ledger.Tenure) (any, error) { return FitGompertz(ctx, ts, nil) },
		"FitCox": func(ts []ledger.Tenure) (any, error) {
			e, err := NewDesign(LabelCovariate("group", ts, "a"))
			if err != nil {
				return nil, err
			}
			return FitCox(ctx, ts, e, &CoxOptions{Cluster: Customer})
		},
		"Brier": func(ts []ledger.Tenure) (any, error) {
			plain := slices.Clone(ts)
			for i := range plain {
				plain[i].Entry = 0
			}
			km, err := KaplanMeier(plain, nil)
			if err != nil {
				return nil, err
			}
			return Brier(plain, func(int) Survivor { return km }, []float64{3, 9})
		},
	}
}

func contractTenures() []ledger.Tenure {
	r := rand.New(rand.NewPCG(1, 2))
	ts := randomTenures(r, 120, true, true)
	for i := range ts {
		ts[i].Weight = math.Round(100*(.1+r.Float64())) / 100
		if ts[i].Ended {
			ts[i].Reason = []string{"voluntary", "involuntary"}[r.IntN(2)]
		}
	}
	return ts
}

func TestNothingIsModifiedAndOrderDoesNotMatter(t *testing.T) {
	ts := contractTenures()
	r := rand.New(rand.NewPCG(3, 4))
	for name, call := range calls() {
		given := slices.Clone(ts)
		want, err := call(given)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(ts, given); diff != "" {
			t.Errorf("%s modified its argument\n%s", name, diff)
		}
		r.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
		got, err := call(given)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s depends on the order of the rows (-want +got)\n%s", name, diff)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	ts := contractTenures()
	var wg sync.WaitGroup
	for name, call := range calls() {
		for range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if _, err := call(ts); err != nil {
					t.Error(name, err)
				}
			}()
		}
	}
	wg.Wait()
}

// JSON must never hold a NaN; encoding/json refuses one.
func TestResultsAreJSON(t *testing.T) {
	for name, call := range calls() {
		v, err := call(contractTenures())
		if err != nil {
			t.Fatal(name, err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(string(text), "NaN") {
			t.Errorf("%s: NaN in %s", name, text)
		}
	}
	f, ts, d, o := fitCase(t, "plain/efron")
	res, err := f.Residuals(context.Background(), ts, d, o)
	must(t, err)
	z, err := f.TestProportionality(context.Background(), ts, d, o, KaplanMeierTime)
	must(t, err)
	c, err := ConcordanceOf(ts, f.Estimate.Model.Scores(d), nil)
	must(t, err)
	for _, v := range []any{res, z, c} {
		if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
	}
}

// A single covariate separates the customers exactly if whoever leaves always has the largest, or always the smallest,
// value at risk.
func TestSeparationIsFoundExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 3000 {
		n := 3 + r.IntN(8)
		ts, x := make([]ledger.Tenure, n), make([]float64, n)
		for i := range ts {
			ts[i] = ledger.Tenure{Duration: float64(1 + r.IntN(6)), Ended: r.IntN(2) == 0}
			x[i] = float64(r.IntN(3))
		}
		up, down, varies := true, true, false
		for i := range ts {
			for j := range ts {
				if ts[i].Ended && ts[j].Duration >= ts[i].Duration {
					up, down, varies = up && x[i] >= x[j], down && x[i] <= x[j], varies || x[i] != x[j]
				}
			}
		}
		d, err := NewDesign(Numeric("x", x))
		must(t, err)
		for _, ties := range []Ties{Breslow, Efron} {
			_, err = FitCox(context.Background(), ts, d, &CoxOptions{Ties: ties})
			switch {
			case errors.Is(err, ErrNoEvents), errors.Is(err, ErrCollinear):
				if varies {
					t.Errorf("%v: %v of %v, %v", ties, err, ts, x)
				}
			case errors.Is(err, ErrSeparation) != (up || down):
				t.Errorf("%v: %v of %v, %v", ties, err, ts, x)
			case err == nil:
			case up || down:
				found++
			default:
				t.Errorf("%v: %v of %v, %v", ties, err, ts, x)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d separated samples", found)
	}
}

func TestCoxIntervalsEqualWholeRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 80, true, true)
	var cut []ledger.Tenure
	var x, y []float64
	for i, one := range ts {
		at := one.Entry + (one.Duration-one.Entry)*r.Float64()
		first, second := one, one
		first.Duration, first.Ended, second.Entry = at, false, at
		for _, part := range []ledger.Tenure{first, second} {
			if part.Entry < part.Duration && part.Duration > 0 {
				cut, x, y = append(cut, part), append(x, d.columns[0][i]), append(y, d.columns[1][i])
			}
		}
	}
	e, err := NewDesign(Numeric("x", x), Numeric("y", y))
	must(t, err)
	for _, ties := range []Ties{Efron, Breslow, Exact} {
		whole, err := FitCox(context.Background(), ts, d, &CoxOptions{Ties: ties, Intervals: true})
		must(t, err)
		parts, err := FitCox(context.Background(), cut, e, &CoxOptions{Ties: ties, Intervals: true})
		must(t, err)
		if diff := cmp.Diff(whole.Estimate, parts.Estimate, cmpopts.EquateApprox(1e-9, 1e-10),
			cmpopts.IgnoreFields(Cox{}, "Means", "Baselines")); diff != "" {
			t.Errorf("%v: (-whole +cut)\n%s", ties, diff)
		}
	}
}

func FuzzCurveJSON(f *testing.F) {
	c, _ := KaplanMeier([]ledger.Tenure{{Duration: 2, Ended: true}, {Duration: 3}}, nil)
	text, _ := json.Marshal(c)
	f.Add(text)
	f.Add([]byte(`{"points":[{"time":1,"survival":0}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Curve
		if json.Unmarshal(text, &c) != nil {
			return
		}
		if s := c.Survival(1); !(s >= 0 && s <= 1) {
			t.Errorf("survival %v", s)
		}
		if _, err := json.Marshal(&c); err != nil {
			t.Error(err)
		}
	})
}

func FuzzModelJSON(f *testing.F) {
	for _, d := range someDistributions {
		text, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, m := range []interface {
			json.Unmarshaler
			Distribution
		}{new(Exponential), new(Weibull), new(LogNormal), new(LogLogistic), new(Gompertz), new(GeneralizedGamma)} {
			if m.UnmarshalJSON(text) != nil {
				continue
			}
			if err := m.Validate(); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			if s := m.Survival(1); math.IsNaN(s) || s < 0 || s > 1 {
				t.Errorf("%s: survival %v", text, s)
			}
		}
		var c Cox
		var r Regression
		_, _ = c.UnmarshalJSON(text), r.UnmarshalJSON(text)
	})
}
