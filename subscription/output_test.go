package subscription_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

// curve is an observed retention curve that stays at its last share.
type curve []float64

func (c curve) Survival(t float64) float64 {
	if i := int(t); i < len(c) {
		return c[i]
	}
	return c[len(c)-1]
}

// TestForecast follows USD 100 of age 1 and 60 of age 0 by the curve 1, 0.5, 0.4, 0.3, with USD 10 of new MRR a month.
//
//	month 1: 100 * 0.4/0.5 + 60 * 0.5 = 110, new 10
//	month 2: 100 * 0.3/0.5 + 60 * 0.4 = 84, new 10 + 10 * 0.5
//	month 3: 100 * 0.3/0.5 + 60 * 0.3 = 78, new 10 + 5 + 10 * 0.4
func TestForecast(t *testing.T) {
	b := book(t, row("a", "100", "2025-05-01", ""), row("b", "60", "2025-06-01", ""), row("gone", "60", "2025-01-01", "2025-02-01"))
	f, err := b.Forecast(t.Context(), at("2025-06-15"), 3, curve{1, 0.5, 0.4, 0.3}, &subscription.ForecastOptions{New: usd("10")})
	if err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR", f.MRR, "160")
	for i, want := range [][3]string{{"110", "10", "120"}, {"84", "15", "99"}, {"78", "19", "97"}} {
		p := f.Periods[i]
		wantAmount(t, "Existing", p.Existing, want[0])
		wantAmount(t, "New", p.New, want[1])
		wantAmount(t, "MRR", p.MRR, want[2])
	}
	for name, c := range map[string]curve{
		"subscription: forecast: Survival(0) is 1.5: not a share from 0 to 1 that never rises":  {1.5},
		"subscription: forecast: Survival(1) is 0.6: not a share from 0 to 1 that never rises":  {0.5, 0.6},
		"subscription: forecast: Survival(1) is NaN: not a share from 0 to 1 that never rises":  {1, math.NaN()},
		"subscription: forecast: Survival(1) is -0.1: not a share from 0 to 1 that never rises": {1, -0.1},
	} {
		if _, err := b.Forecast(t.Context(), at("2025-06-15"), 3, c, nil); err == nil || err.Error() != name {
			t.Errorf("%v: %v, want %s", c, err, name)
		}
	}
	if _, err := b.Forecast(t.Context(), at("2025-06-15"), 0, curve{1}, nil); err == nil {
		t.Error("no error for no intervals")
	}
	// A curve of 1 keeps what there is.
	flat, err := b.Forecast(t.Context(), at("2025-06-15"), 36, curve{1}, nil)
	if err != nil || !flat.Periods[35].MRR.Equal(usd("160")) {
		t.Errorf("flat: %v, %v", flat, err)
	}
}

// TestProject rolls USD 1,000 forward by 5 % churn, 1 % contraction, 2 % expansion and 100 of new business, and raises
// prices by a tenth in the second month.
func TestProject(t *testing.T) {
	a := subscription.Assumptions{New: usd("100"), Expansion: 0.02, Contraction: 0.01, Churn: 0.05}
	base, err := subscription.Project(usd("1000"), 3, a, subscription.Scenario{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1060.00", "1117.60", "1172.89"} { // 1117.60 - 55.88 - 11.18 + 22.35 + 100
		wantAmount(t, fmt.Sprint("closing ", i+1), base.Periods[i].Closing, want)
	}
	rise, err := subscription.Project(usd("1000"), 3, a, subscription.Scenario{Price: 0.1, PriceFrom: 1, Churn: 2})
	if err != nil {
		t.Fatal(err)
	}
	// 1000 - 100 - 10 + 20 + 100 = 1010; then churn 101, contraction 10.10, expansion 20.20 + 0.1 * 898.90, new 110;
	// then 1118.99 - 111.90 - 11.19 + 22.38 + 110.
	for i, want := range []string{"1010.00", "1118.99", "1128.28"} {
		wantAmount(t, fmt.Sprint("closing ", i+1), rise.Periods[i].Closing, want)
		p := rise.Periods[i]
		if sum := plus(t, p.Opening, p.New, p.Reactivation, p.Expansion, p.Contraction.Neg(), p.Churn.Neg()); !sum.Equal(p.Closing) {
			t.Errorf("period %d leads to %s, the closing is %s", i+1, sum, p.Closing)
		}
	}
	diff, err := rise.Less(base)
	if err != nil || !diff[0].Equal(usd("-50")) || !diff[2].Equal(usd("-44.61")) {
		t.Errorf("Less = %v, %v", diff, err)
	}
	for name, call := range map[string]func() error{
		"subscription: projection of 0 periods: not from 1 to 1200": func() error { _, err := subscription.Project(usd("1"), 0, a, subscription.Scenario{}); return err },
		"subscription: projection: churn of NaN times 0: not a finite number from 0 on": func() error {
			_, err := subscription.Project(usd("1"), 1, subscription.Assumptions{Churn: math.NaN()}, subscription.Scenario{})
			return err
		},
		"subscription: projection: churn and contraction take 120.00% of the opening": func() error {
			_, err := subscription.Project(usd("1"), 1, subscription.Assumptions{Churn: 0.6}, subscription.Scenario{Churn: 2})
			return err
		},
		"subscription: projection: price change of -1.5: not a finite number from -1 on": func() error {
			_, err := subscription.Project(usd("1"), 1, a, subscription.Scenario{Price: -1.5})
			return err
		},
	} {
		if err := call(); err == nil || err.Error() != name {
			t.Errorf("error %v, want %s", err, name)
		}
	}
	got, err := roll(t, book(t, scenario()...), []ledger.Period{june()}).Assume(0)
	if err != nil || !got.New.Equal(usd("95")) || got.Churn != 190.0/600 || got.Contraction != 80.0/600 || !got.Reactivation.Equal(usd("130")) {
		t.Errorf("Assume = %+v, %v", got, err)
	}
}

func TestGrowthAndTargets(t *testing.T) {
	b := book(t, row("a", "100", "2023-01-01", ""), row("b", "33.33", "2024-08-01", ""))
	g, err := b.YearOverYear(at("2025-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	wantRate(t, "growth of ARR", g, 0.3333)
	if g, err = b.YearOverYear(at("2023-06-01")); err != nil || g.Defined() {
		t.Errorf("growth from nothing = %v, %v", g, err)
	}
	targets, err := roll(t, b, ledger.Months(at("2024-07-01"), at("2024-09-01"), nil)).Targets(amounts("80", "200"))
	if err != nil {
		t.Fatal(err)
	}
	wantRate(t, "attainment", targets[0].Attainment, 1.25)
	wantAmount(t, "difference", targets[1].Difference, "-66.67")
}

// TestJSON reads back what results write, and finds no NaN and stable names.
func TestJSON(t *testing.T) {
	m := newMaker(5)
	for i := range 200 {
		b := book(t, m.rows()...).With(m.policy())
		if i == 0 {
			b = book(t).With(subscription.Default())
		}
		s, err := b.At(at("2025-04-10"))
		if err != nil {
			t.Fatal(err)
		}
		groups, err := b.By(at("2025-04-10"), subscription.Plans())
		if err != nil {
			t.Fatal(err)
		}
		cohorts, err := b.Cohorts(t.Context(), halfYear())
		if err != nil {
			t.Fatal(err)
		}
		log, err := b.Log(t.Context(), halfYear())
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, roll(t, b, halfYear()))
		roundTrip(t, s)
		roundTrip(t, groups)
		roundTrip(t, cohorts)
		roundTrip(t, log)
	}
	text, err := json.Marshal(period(t, book(t, row("a", "10", "2025-06-05", "")), june()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"nrr":{"value":null,"part":{"amount":"0.00","currency":"USD"},"base":{"amount":"0.00","currency":"USD"}}`,
		`"logo_churn":{"value":null,"part":0,"base":0}`, `"discounts":"running"`, `"grain":"customer"`, `"day":"default"`, `"incomplete":false`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("JSON lacks %s:\n%s", want, text)
		}
	}
}

func roundTrip[T any](t *testing.T, v *T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	again, err := json.Marshal(&back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, again) {
		t.Fatalf("%T changes on its way:\n%s\n%s", v, text, again)
	}
}

// TestCSVOfResults checks that every table writes records of the same length with a header.
func TestCSVOfResults(t *testing.T) {
	b := book(t, scenario()...)
	groups, _ := b.By(at("2025-06-10"), subscription.Plans())
	cohorts, _ := b.Cohorts(t.Context(), halfYear())
	log, _ := b.Log(t.Context(), halfYear())
	forecast, _ := b.Forecast(t.Context(), at("2025-06-10"), 4, curve{1, 0.5}, nil)
	renewals, _ := book(t, contract("a", "2025-06-10", "", "")).Renewals(june(), nil)
	upcoming, _ := book(t, contract("a", "2025-06-10", "", "")).Upcoming(at("2025-05-10"), june())
	project, _ := subscription.Project(usd("5"), 2, subscription.Assumptions{}, subscription.Scenario{})
	for _, table := range []interface {
		String() string
		WriteCSV(io.Writer) error
	}{roll(t, b, halfYear()), groups, cohorts, log, forecast, renewals, upcoming, project} {
		var buf bytes.Buffer
		if err := table.WriteCSV(&buf); err != nil {
			t.Errorf("%T: %v", table, err)
		}
		if records, err := csv.NewReader(&buf).ReadAll(); err != nil || len(records) < 2 {
			t.Errorf("%T: %d records, %v", table, len(records), err)
		}
		if err := table.WriteCSV(broken{}); !errors.Is(err, errBroken) {
			t.Errorf("%T hides the error of its writer: %v", table, err)
		}
		if s := table.String(); strings.Count(s, "\n") < 2 || strings.Contains(s, "NaN") {
			t.Errorf("%T prints as %q", table, s)
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWorkersChangeNothing(t *testing.T) {
	var rows []subscription.Row
	for r, err := range manyRows(20000) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	b := book(t, rows...)
	want := roll(t, b, threeYears())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range []int{1, 3, 8} {
		runtime.GOMAXPROCS(n)
		if diff := cmp.Diff(want, roll(t, b, threeYears())); diff != "" {
			t.Fatalf("%d workers (-want +got):\n%s", n, diff)
		}
	}
}

func TestCancellation(t *testing.T) {
	b := book(t, scenario()...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"RollForward": func() error { _, err := b.RollForward(ctx, halfYear()); return err },
		"Log":         func() error { _, err := b.Log(ctx, halfYear()); return err },
		"Cohorts":     func() error { _, err := b.Cohorts(ctx, halfYear()); return err },
		"Tenures":     func() error { _, err := b.Tenures(ctx, at("2025-06-01"), nil); return err },
		"Forecast":    func() error { _, err := b.Forecast(ctx, at("2025-06-01"), 3, curve{1}, nil); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "subscription: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestArgumentsStay checks that no call modifies what it is given.
func TestArgumentsStay(t *testing.T) {
	make := func() ([]subscription.Row, []ledger.Period, []money.Rate) {
		m := newMaker(77)
		m.currencies = append(m.currencies, "EUR")
		var rows []subscription.Row
		for range 20 {
			rows = append(rows, m.rows()...)
		}
		return rows, []ledger.Period{month(2025, time.June), month(2025, time.March), month(2025, time.May)}, m.rates()
	}
	rows, ps, rates := make()
	rows0, ps0, rates0 := make()
	b, err := book(t, rows...).In("USD", rates)
	if err != nil {
		t.Fatal(err)
	}
	if table := roll(t, b, ps); table.Periods[1].Period != ps[1] {
		t.Error("results are not in the order of the periods")
	}
	if _, err := b.Log(t.Context(), ps); err != nil {
		t.Fatal(err)
	}
	for r, err := range b.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Discounts {
			r.Discounts[i] = subscription.Discount{}
		}
		clear(r.Paused)
	}
	again, err := book(t, rows...).In("USD", rates)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(roll(t, again, ps), roll(t, b, ps)); diff != "" {
		t.Errorf("rows given out reach back into the Book:\n%s", diff)
	}
	if !cmp.Equal(rows, rows0, equal) || !reflect.DeepEqual(ps, ps0) || !cmp.Equal(rates, rates0, equal) {
		t.Error("arguments were modified")
	}
}

// TestRowsComeBack makes a Book of a Book's rows and expects the same figures.
func TestRowsComeBack(t *testing.T) {
	for i := range 300 {
		m := newMaker(uint64(i))
		b := book(t, m.rows()...)
		p := m.policy()
		back, err := subscription.New(b.Rows())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(roll(t, b.With(p), halfYear()), roll(t, back.With(p), halfYear())); diff != "" {
			t.Fatalf("history %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	b := book(t, scenario()...)
	for want, p := range map[string]subscription.Policy{
		"subscription: policy: Grain: 9: not one of the rules":          {Grain: 9},
		"subscription: policy: Rounding.Mode: 12: not one of the rules": {Rounding: subscription.Rounding{Mode: 12}},
		"subscription: policy: Rounding.Digits: 13: not from 0 to 12":   {Rounding: subscription.Rounding{Digits: 13}},
		"subscription: policy: PastDueDays: -1: not from 0 to 36500":    {PastDueDays: -1},
		"subscription: policy: Coalesce: -1s: negative":                 {Coalesce: -time.Second},
		"subscription: policy: Return: not an interval":                 {Return: 7},
		"subscription: normalizer -1/2: not a fraction from 0 on":       {Normalizer: subscription.Normalizer{Week: subscription.Fraction{Num: -1, Den: 2}}},
	} {
		if _, err := b.With(p).Period(june()); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, p := range subscription.Presets() {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back subscription.Policy
		if err := json.Unmarshal(text, &back); err != nil || back != p {
			t.Errorf("%s comes back as %+v, %v", text, back, err)
		}
		if p.Name == "" || p.Validate() != nil {
			t.Errorf("preset %+v: %v", p, p.Validate())
		}
	}
	for _, p := range []ledger.Period{{}, {Start: at("2025-06-02"), End: at("2025-06-01")}, {Start: at("1500-06-02"), End: at("2025-06-01")}} {
		if _, err := b.Period(p); err == nil || !strings.HasPrefix(err.Error(), "subscription: period 1: ") {
			t.Errorf("%s: %v", p, err)
		}
	}
}
