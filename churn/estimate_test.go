package churn

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

func roundTrip[M Fitted[M]](t *testing.T, e *fit.Estimate[M], err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text := must(json.Marshal(e))
	var got fit.Estimate[M]
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, &got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.Contains(string(text), `"custval/estimate/`+e.Model.Kind()+`/v1"`) {
		t.Errorf("no schema in %s", text)
	}
}

func TestEstimateJSON(t *testing.T) {
	ctx, data := context.Background(), seen(highEnd, 7)
	e, err := FitSBG(ctx, data, nil)
	roundTrip(t, e, err)
	b, err := FitBdW(ctx, data, nil)
	roundTrip(t, b, err)
	g, err := FitGeometric(ctx, data, nil)
	roundTrip(t, g, err)
	w, err := FitDiscreteWeibull(ctx, data, nil)
	roundTrip(t, w, err)
	l, err := FitLatentClass(ctx, data, nil)
	roundTrip(t, l, err)
	var other Geometric
	if err := json.Unmarshal(must(json.Marshal(DiscreteWeibull{0.2, 1})), &other); err == nil {
		t.Error("a discrete Weibull is read as geometric")
	}
}

func TestProject(t *testing.T) {
	ctx := context.Background()
	e := must(FitSBG(ctx, seen(highEnd, 7), nil))
	cs := []Cohort{{Active: highEnd[:8]}, {Active: highEnd[:5]}}
	p := must(Project(ctx, e, cs, 5, nil))
	near(t, "expected", p.Rows[0].Expected, 491*e.Model.Survival(8)/e.Model.Survival(7), 1e-12)
	near(t, "expected of the second", p.Rows[9].Expected, 593*e.Model.Survival(9)/e.Model.Survival(4), 1e-12)
	near(t, "total", p.Totals[2].Expected, p.Rows[2].Expected+p.Rows[7].Expected, 1e-12)
	for i, r := range append(slices.Clone(p.Rows), p.Totals...) {
		if !(r.Low <= r.Expected && r.Expected <= r.High && r.Low < r.High) {
			t.Errorf("row %d: %+v", i, r)
		}
	}
	// What was seen of the first cohort later lies in the intervals.
	for s, n := range highEnd[8:13] {
		if r := p.Rows[s]; float64(n) < r.Low || float64(n) > r.High {
			t.Errorf("%d seen at renewal %d, interval %v to %v", n, r.Age, r.Low, r.High)
		}
	}
	known := must(Project(ctx, e, cs, 5, &ProjectOptions{Known: true, Draws: 20000}))
	// Of chance alone the interval of the first step is that of a binomial.
	q := e.Model.Retention(8)
	near(t, "width", (known.Rows[0].High-known.Rows[0].Low)/2, 1.96*math.Sqrt(491*q*(1-q)), 0.08)
	if known.Totals[4].High-known.Totals[4].Low >= p.Totals[4].High-p.Totals[4].Low {
		t.Error("knowing the parameters does not narrow the interval")
	}
	if diff := cmp.Diff(p, must(Project(ctx, e, cs, 5, nil))); diff != "" {
		t.Errorf("the same seed (-want +got)\n%s", diff)
	}
	e.Cov = nil
	if _, err := Project(ctx, e, cs, 5, nil); !errors.Is(err, fit.ErrNoCovariance) {
		t.Errorf("without a covariance: %v", err)
	}
}

// TestProjectCoverage draws truths and holds the share of intervals that contain what came to the stated level.
func TestProjectCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inside, all := 0, 0
	for range 150 {
		full := RandCohort(SBG{1.2, 4}, r, 1500, 10)
		e, err := FitSBG(context.Background(), []Cohort{{Active: full.Active[:7]}}, nil)
		if err != nil || e.Cov == nil {
			continue
		}
		p := must(Project(context.Background(), e, []Cohort{{Active: full.Active[:7]}}, 4, &ProjectOptions{Level: 0.8, Draws: 400}))
		last := p.Rows[3]
		all++
		if n := float64(full.Active[10]); n >= last.Low && n <= last.High {
			inside++
		}
	}
	if share := float64(inside) / float64(all); all < 120 || math.Abs(share-0.8) > 0.1 {
		t.Errorf("%d of %d intervals of 80 %% contain the truth", inside, all)
	}
}

func TestBandAndFitness(t *testing.T) {
	ctx := context.Background()
	g := must(FitGeometric(ctx, seen(regular, 4), nil))
	b := must(Band(g, 3, 0.95))
	// On the logit scale the interval of r is that of theta: 1 - theta's Wald interval.
	wald := must(g.Interval(0.95))
	near(t, "low", b.Rows[2].RetentionLow, 1-wald[0][1], 1e-6)
	near(t, "high", b.Rows[2].RetentionHigh, 1-wald[0][0], 1e-6)
	if b.Rows[0].Survival != 1 || b.Rows[0].SurvivalLow != 1 {
		t.Errorf("at 0: %+v", b.Rows[0])
	}
	f := must(GoodnessOfFit(g, seen(regular, 4)))
	// By hand: expected losses 1000 theta (1-theta)^(k-1) and survivors 1000 (1-theta)^4 against 369, 163, 86, 56, 326.
	want, theta := 0.0, 674.0/2481
	for k, n := range []float64{369, 163, 86, 56, 326} {
		e := 1000 * theta * math.Pow(1-theta, float64(k))
		if k == 4 {
			e = 1000 * math.Pow(1-theta, 4)
		}
		want += (n - e) * (n - e) / e
	}
	near(t, "chi-squared", f.ChiSquare, want, 1e-9)
	if f.DF != 3 || f.P > 1e-10 {
		t.Errorf("%d degrees of freedom, p = %v", f.DF, f.P)
	}
	saturated := 0.0
	for k := 1; k <= 4; k++ {
		a, n := float64(regular[k-1]), float64(regular[k])
		saturated += (a-n)*math.Log((a-n)/a) + n*math.Log(n/a)
	}
	near(t, "deviance", f.Deviance, 2*(saturated-g.LogLik), 1e-8)
	s := must(FitSBG(ctx, seen(regular, 7), nil))
	if f := must(GoodnessOfFit(s, seen(regular, 7))); f.P < 0.05 || f.DF != 5 {
		t.Errorf("sBG of the regular customers: %+v", f)
	}
	if _, err := GoodnessOfFit(s, seen(regular, 2)); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("no degrees of freedom: %v", err)
	}
}

func TestCohortsOf(t *testing.T) {
	end := day(2025, 7, 1)
	ten := func(months int, lived float64, ended bool) ledger.Tenure {
		return ledger.Tenure{Customer: "c", Start: end.AddDate(0, 0, -30*months), Duration: lived, Ended: ended}
	}
	// Months of 30 days. Three started four months ago: one left after exactly 2 months (made 1 renewal), one after 2.5 (2
	// renewals), one is there; one started a month ago.
	got := must(CohortsOf([]ledger.Tenure{ten(1, 30, false), ten(4, 60, true), ten(4, 75, true), ten(4, 120, false)}, end, 24*time.Hour, 30))
	want := []Cohort{{Start: end.AddDate(0, 0, -120), Active: []int{3, 3, 2, 1, 1}}, {Start: end.AddDate(0, 0, -30), Active: []int{1, 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	weighted := ten(3, 45, true)
	weighted.Weight, weighted.Entry = 10, 20
	stay := ten(3, 90, false)
	stay.Weight, stay.Entry = 5, 20
	got = must(CohortsOf([]ledger.Tenure{weighted, stay}, end, 24*time.Hour, 30))
	if diff := cmp.Diff([]Cohort{{Start: end.AddDate(0, 0, -90), Active: []int{15, 5, 5}, Age: 1}}, got); diff != "" {
		t.Errorf("weights and entry (-want +got)\n%s", diff)
	}
	for text, bad := range map[string]ledger.Tenure{
		`churn: row 1: field "start": value "": no time`:                                          {Duration: 3},
		`churn: row 1: field "duration": value "NaN": not a number after the entry`:               {Start: end, Duration: math.NaN()},
		`churn: row 1: field "weight": value "0.5": want a whole number of at least 0`:            {Start: end, Duration: 1, Weight: 0.5},
		`churn: row 1: field "start": value "2025-07-02T00:00:00Z": after the end of observation`: {Start: day(2025, 7, 2), Duration: 1},
		`churn: row 1: field "duration": value "500": reaches beyond the end of observation`:      {Start: end.AddDate(0, 0, -60), Duration: 500},
	} {
		if _, err := CohortsOf([]ledger.Tenure{bad}, end, 24*time.Hour, 30); err == nil || err.Error() != text {
			t.Errorf("error %q, want %q", err, text)
		}
	}
}
