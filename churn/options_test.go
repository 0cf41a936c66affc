package churn

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestOptionErrors(t *testing.T) {
	ctx := context.Background()
	months := ledger.Months(day(2025, 1, 1), day(2025, 4, 1), nil)
	none := ledger.Slice[ledger.Event](nil)
	log := ledger.Transactions([]ledger.Transaction{buy("a", day(2025, 1, 1), "1"), buy("a", day(2025, 2, 1), "1")})
	by := func(o CohortOptions) error { return second(CohortsBy(ctx, none, months, &o)) }
	life := func(o LifecycleOptions) error { return second(Lifecycle(ctx, log, months, &o)) }
	e := must(FitSBG(ctx, seen(highEnd, 7), nil))
	bands := func(b []ScoreBand, es ...ledger.Event) error {
		return second(ByScore(ctx, ledger.Slice(es), b, func(string) (bool, bool) { return false, false }, nil))
	}
	for _, c := range []struct {
		err  error
		text string
	}{
		{by(CohortOptions{Counting: 7}), "churn: cohorts: unknown counting 7"},
		{by(CohortOptions{Counting: OnOrAfter, Brackets: [][2]int{{0, 1}}}), "churn: cohorts: brackets with on-or-after counting"},
		{by(CohortOptions{Every: -1}), "churn: cohorts: a negative Every, Floor or Ages"},
		{by(CohortOptions{Ages: 3}), "churn: cohorts: Floor and Ages are for rolling intervals; set Every"},
		{by(CohortOptions{Every: 1, Recurring: true}), "churn: cohorts: recurring cohorts are for calendar periods, not for rolling intervals"},
		{by(CohortOptions{Recurring: true, Born: func(string) time.Time { return time.Time{} }}), "churn: cohorts: recurring cohorts have no single start; leave Born nil"},
		{by(CohortOptions{Brackets: [][2]int{{0, 2}, {2, 3}}}), "churn: cohorts: bracket 2, [2 3]: want rising ranges of ages without overlap"},
		{by(CohortOptions{End: day(2024, 1, 1)}), "churn: cohorts: the end 2024-01-01T00:00:00Z is not after the start of the first period"},
		{life(LifecycleOptions{Periods: PeriodRule{AtRisk: 3, Dormant: 2}}), "churn: period rule: at risk, dormant and lost must be positive and rise"},
		{life(LifecycleOptions{Rhythm: &Rhythm{Quantile: -1}}), "churn: rhythm: quantile -1: want a number above 0 and at most 1"},
		{life(LifecycleOptions{Rhythm: &Rhythm{MinGaps: -1}}), "churn: rhythm: MinGaps, Default or Least is negative"},
		{life(LifecycleOptions{Rhythm: &Rhythm{Dormant: 3, Lost: 2}}), "churn: rhythm: dormant after 3 and lost after 2 times the silence at risk: want numbers of at least 1 that do not fall"},
		{second(Lifecycle(ctx, log, []ledger.Period{{Start: day(2025, 1, 1).Add(time.Hour), End: day(2025, 1, 2)}}, nil)),
			"churn: lifecycle: period 2025-01-01T01:00:00Z/2025-01-02T00:00:00Z does not begin with a calendar day of UTC"},
		{second(AtRisk(ctx, log, time.Time{}, nil)), "churn: at risk: no end of observation"},
		{second(Window(ctx, ledger.Slice[Span](nil), ledger.Period{}, nil)), "churn: window: ledger: period from 0001-01-01T00:00:00Z to 0001-01-01T00:00:00Z: the end is not after the start"},
		{second(Window(ctx, ledger.Slice[Span](nil), months[0], &WindowOptions{Gap: -1})), "churn: window: gap -1ns: negative"},
		{second(InactivityRate(ctx, log, months[0], 0)), "churn: inactivity: within 0s: want a positive duration"},
		{second(Renewals(nil, months[0], -1, day(2025, 1, 1))), "churn: renewals: grace -1ns: negative"},
		{second(Renewals([]Renewal{{Customer: "a"}}, months[0], 0, day(2025, 1, 1))), `churn: row 1: field "at": value "": no time`},
		{second(Project(ctx, e, nil, 0, nil)), "churn: project: 0 steps: want 1 to 25000 with 2000 draws"},
		{second(Project(ctx, e, nil, 1, &ProjectOptions{Level: 2})), "churn: level 2: want a number between 0 and 1"},
		{second(Project(ctx, e, nil, 1, &ProjectOptions{Draws: 5})), "churn: draws 5: want 100 to 1,000,000"},
		{second(Project(ctx, e, []Cohort{{}}, 1, nil)), `churn: row 1: field "Active": value "": empty`},
		{second(Band(e, -1, 0.95)), "churn: band: -1 renewals: want 0 to 1,000,000"},
		{second(Band(e, 1, 0)), "churn: level 0: want a number between 0 and 1"},
		{second(CSAT(ctx, none, 1, 5, nil)), "churn: csat: satisfied from 1 of 5: want more than 1 and at most the top"},
		{bands([]ScoreBand{{"a", 3, 2}}), `churn: score band 1, "a": want rising bands without overlap`},
		{bands(PromoterBands(), ledger.Event{Customer: "a", At: day(2025, 1, 1), Score: 6.5}), `churn: row 1: field "score": value "6.5": in no band`},
		{bands(PromoterBands()), "churn: by score: no customer with a score and a known outcome: undefined"},
		{second(SpansOf([]ledger.Tenure{{Duration: 1}}, time.Hour)), `churn: row 1: field "start": value "": no time`},
		{second(SpansOf([]ledger.Tenure{{Start: day(2025, 1, 1), Duration: 1e300, Ended: true}}, time.Hour)), `churn: row 1: field "duration": value "1e+300": not a positive duration that a time.Duration holds`},
		{second(SpansOf(nil, 0)), "churn: unit 0s: want a positive duration"},
		{Cohort{Active: []int{3, 5}}.Validate(), `churn: row 1: field "Active[1]": value "5": more than the 3 before; who has left a contract does not come back`},
		{second(CohortsOf(nil, day(2025, 1, 1), time.Hour, 0)), "churn: cohorts of tenures: unit 1h0m0s, period 0: want positive ones"},
	} {
		if c.err == nil || c.err.Error() != c.text {
			t.Errorf("error %q, want %q", c.err, c.text)
		}
	}
	if _, _, err := (Share{Part: 1, Base: 0}).Interval(0.9); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("interval of nothing: %v", err)
	}
	if _, err := (CohortCell{}).Rate(); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("rate of nobody: %v", err)
	}
}

func TestTextRoundTrips(t *testing.T) {
	type all struct {
		Stage    Stage
		Choice   Choice
		Counting Counting
	}
	for i, s := range append(Stages(), StageNone) {
		want := all{s, Choice(i % 3), Counting(i % 2)}
		var got all
		if err := json.Unmarshal(must(json.Marshal(want)), &got); err != nil || got != want {
			t.Errorf("%+v comes back as %+v, %v", want, got, err)
		}
	}
	for _, text := range []string{`{"Stage":"asleep"}`, `{"Choice":"maybe"}`, `{"Counting":"never"}`} {
		var got all
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
	for reason, want := range map[string]Choice{"Payment_Failed": Involuntary, "non-payment": Involuntary, " Cancel" + "led ": Voluntary, "canceled": Voluntary,
		"too expensive": Voluntary, "": Unknown, "aliens": Unknown} {
		if got := ChoiceOf(reason); got != want {
			t.Errorf("%q is %s, want %s", reason, got, want)
		}
	}
}

func TestCohortOptions(t *testing.T) {
	ctx := context.Background()
	months := ledger.Months(day(2025, 1, 1), day(2025, 4, 1), nil)
	es := []ledger.Event{visit("a", day(2025, 2, 3)), visit("b", day(2025, 2, 3)), visit("c", day(2025, 1, 5)), visit("c", day(2025, 5, 1))}
	born := map[string]time.Time{"a": day(2025, 1, 9), "b": day(2025, 2, 1)}
	got := must(CohortsBy(ctx, ledger.Slice(es), months, &CohortOptions{Born: func(c string) time.Time { return born[c] }}))
	if got.Rows[0].Size != 1 || got.Rows[0].Cells[0].Active != 0 || got.Rows[0].Cells[1].Active != 1 || got.Rows[1].Size != 1 || got.Unborn != 1 || got.Late != 1 {
		t.Errorf("known starts:\n%s\n%+v", got, got)
	}
	// On or after makes cohorts for the curves.
	table := must(CohortsBy(ctx, ledger.Slice(toyEvents()), ledger.Days(day(2025, 1, 1), day(2025, 1, 9), nil), &CohortOptions{Counting: OnOrAfter}))
	want := []Cohort{{Start: day(2025, 1, 1), Active: []int{3, 2, 2, 1, 1, 1, 1, 1}}, {Start: day(2025, 1, 2), Active: []int{2, 2, 2, 2, 2, 2, 2}}}
	want[0].Active = []int{3, 2, 2, 1, 1, 1, 1, 1}
	if diff := cmp.Diff(want, table.Cohorts()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := FitGeometric(ctx, table.Cohorts(), nil); err != nil {
		t.Errorf("fit: %v", err)
	}
	var again CohortTable
	if err := json.Unmarshal(must(json.Marshal(table)), &again); err != nil || cmp.Diff(table.Rows, again.Rows) != "" {
		t.Errorf("JSON: %v", err)
	}
}

func TestLifecycleOptions(t *testing.T) {
	ctx := context.Background()
	months := ledger.Months(day(2025, 1, 1), day(2025, 6, 1), nil)
	log := []ledger.Transaction{buy("a", day(2025, 1, 5), "10"), buy("a", day(2025, 4, 5), "10"), buy("b", day(2024, 12, 5), "7"), buy("b", day(2025, 2, 5), "7"),
		{Customer: "c", At: day(2025, 1, 1), Amount: money.MustParse("5", "EUR")}}
	if _, err := Lifecycle(ctx, ledger.Transactions(log), months, nil); err == nil {
		t.Error("two currencies are added up")
	}
	got := must(Lifecycle(ctx, ledger.Transactions(log), months, &LifecycleOptions{Value: func(c string) money.Amount {
		return map[string]money.Amount{"a": usd("100"), "b": usd("20"), "c": usd("3")}[c]
	}, End: day(2025, 5, 20)}))
	back := must(got.Rows[3].WonBack(StageDormant))
	if back.Customers != 1 || !back.Value.Equal(usd("100")) {
		t.Errorf("won back in April: %+v", back)
	}
	// b was there in December, silent in January: at risk, and back in February.
	back = must(got.Rows[1].WonBack(StageAtRisk))
	if back.Customers != 1 || !back.Value.Equal(usd("20")) || got.Rows[1].Stage(StageReturning).Customers != 1 {
		t.Errorf("back in February: %+v", back)
	}
	if risk := must(got.Rows[1].Lost(StageAtRisk)); risk.Customers != 2 || !risk.Value.Equal(usd("103")) {
		t.Errorf("at risk in February: %+v", risk)
	}
	if got.Rows[4].Complete || !got.Rows[3].Complete || !strings.Contains(got.String(), "2025-05*") {
		t.Errorf("completeness\n%s", got)
	}
	plain := must(Lifecycle(ctx, ledger.Transactions(log), months, &LifecycleOptions{NoValue: true}))
	for i := range plain.Rows {
		for k, s := range plain.Rows[i].Stages {
			if s.Customers != got.Rows[i].Stages[k].Customers || s.Value.Currency() != "" {
				t.Errorf("without value: %+v", s)
			}
		}
	}
	if _, err := AtRisk(ctx, ledger.Transactions(log), day(2025, 12, 1), &AtRiskOptions{Lost: true}); err == nil || !strings.Contains(err.Error(), "ledger.Convert") {
		t.Errorf("at risk in two currencies: %v", err)
	}
	if risk := must(AtRisk(ctx, ledger.Transactions(log), day(2025, 12, 1), &AtRiskOptions{Lost: true, NoValue: true})); len(risk.Rows) != 3 {
		t.Errorf("without value:\n%s", risk)
	}
}

func TestWindowOptions(t *testing.T) {
	p := ledger.Month(2025, time.June, nil)
	spans := []Span{{Customer: "a", From: day(2025, 1, 1), To: day(2025, 6, 10)}, {Customer: "a", From: day(2025, 6, 15)},
		{Customer: "b", From: day(2025, 1, 1), To: day(2025, 7, 1)}, {Customer: "c", From: day(2025, 7, 1)}, {Customer: "d", From: day(2025, 1, 1), To: day(2025, 6, 1)}}
	w := must(Window(context.Background(), ledger.Slice(spans), p, nil))
	// b ends and c begins at the closing instant: b is gone at it and c is there. d is gone at the opening instant.
	if w.Opening != 2 || w.Closing != 2 || w.Lost != 1 || w.New != 1 || w.Departed != 2 || !w.Complete {
		t.Errorf("%+v", w)
	}
	w = must(Window(context.Background(), ledger.Slice(spans), p, &WindowOptions{Gap: 5 * 24 * time.Hour, End: day(2025, 6, 20)}))
	if w.Departed != 1 || w.Complete || !strings.Contains(w.String(), "incomplete") {
		t.Errorf("gap of five days: %+v", w)
	}
	empty := must(Window(context.Background(), ledger.Slice[Span](nil), p, nil))
	for _, b := range []Basis{AtStart, EventsPerStart, StartPlusNew, DailyAverage, DailySum} {
		if _, err := empty.Rate(b); !errors.Is(err, ledger.ErrUndefined) {
			t.Errorf("%s of nobody: %v", b, err)
		}
	}
	if _, err := empty.Rate(Inactivity); err == nil || errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("a basis of something else: %v", err)
	}
	if _, err := empty.RevenueChurn(false); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("revenue churn of nothing: %v", err)
	}
	euro := append(juneSpans(), Span{Customer: "A", From: day(2025, 1, 1), Value: money.MustParse("1", "EUR")})
	if _, err := Window(context.Background(), ledger.Slice(euro), p, nil); err == nil {
		t.Error("two currencies are added up")
	}
	ten := must(SpansOf([]ledger.Tenure{{Customer: "a", Start: day(2025, 1, 1), Duration: 1.5, Ended: true, Reason: "moved"}, {Customer: "b", Start: day(2025, 1, 1), Duration: 3}}, 24*time.Hour))
	want := []Span{{Customer: "a", From: day(2025, 1, 1), To: day(2025, 1, 2).Add(12 * time.Hour), Reason: "moved"}, {Customer: "b", From: day(2025, 1, 1)}}
	if diff := cmp.Diff(want, ten); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBandOfEveryModel(t *testing.T) {
	ctx, data := context.Background(), seen(highEnd, 12)
	check := func(b *CurveBand, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range b.Rows[1:] {
			if !(r.SurvivalLow < r.Survival && r.Survival < r.SurvivalHigh && r.RetentionLow < r.Retention && r.Retention < r.RetentionHigh && r.SurvivalHigh < 1) {
				t.Errorf("%s: %+v", b.Model, r)
			}
		}
	}
	check(Band(must(FitSBG(ctx, data, nil)), 30, 0.9))
	check(Band(must(FitBdW(ctx, data, nil)), 30, 0.9))
	check(Band(must(FitDiscreteWeibull(ctx, data, nil)), 30, 0.9))
	check(Band(must(FitGeometric(ctx, data, nil)), 30, 0.9))
	var full []Cohort
	for _, k := range []int{4, 8, 12} {
		full = append(full, RandCohort(LatentClass{0.4, 0.05, 0.5}, rand.New(rand.NewPCG(1, 2)), 20000, k))
	}
	l := must(FitLatentClass(ctx, full, nil))
	check(Band(l, 30, 0.9))
	if p, err := Project(ctx, l, full, 3, nil); err != nil || !(p.Totals[2].Low < p.Totals[2].High) || p.String() == "" {
		t.Errorf("projection of two classes: %v, %v", p, err)
	}
	for _, p := range l.Params {
		if want := map[string]float64{"Share": 0.4, "Theta1": 0.05, "Theta2": 0.5}[p.Name]; !(p.Value-want < 4*p.StdErr && want-p.Value < 4*p.StdErr) {
			t.Errorf("%s = %v with standard error %v, drawn from %v", p.Name, p.Value, p.StdErr, want)
		}
	}
	if _, err := Band(&fit.Estimate[SBG]{Model: SBG{1, 1}}, 3, 0.9); !errors.Is(err, fit.ErrNoCovariance) {
		t.Errorf("no covariance: %v", err)
	}
}
