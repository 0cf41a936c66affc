package churn

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func visit(customer string, at time.Time) ledger.Event {
	return ledger.Event{Customer: customer, At: at, Name: "visit"}
}

func buy(customer string, at time.Time, amount string) ledger.Transaction {
	return ledger.Transaction{Customer: customer, At: at, Amount: usd(amount)}
}

// toyEvents are five customers: the offsets in days of their visits from the birth.
func toyEvents() []ledger.Event {
	var es []ledger.Event
	for c, offsets := range map[string][]int{"u1": {0, 1, 2, 7}, "u2": {0, 2}, "u3": {0}, "u4": {0, 1, 3, 6}, "u5": {0, 6}} {
		born := day(2025, 1, 1)
		if c > "u3" {
			born = day(2025, 1, 2)
		}
		for _, d := range offsets {
			es = append(es, visit(c, born.AddDate(0, 0, d)))
		}
	}
	return es
}

func fractions(cs []CohortCell) []string {
	var out []string
	for _, c := range cs {
		if c.Base > 0 {
			out = append(out, fmt.Sprintf("%d/%d", c.Active, c.Base))
		}
	}
	return out
}

func TestCohortCountings(t *testing.T) {
	days := ledger.Days(day(2025, 1, 1), day(2025, 1, 9), nil)
	for _, c := range []struct {
		name string
		o    CohortOptions
		want string
	}{
		// By hand from the offsets, with data complete through 8 January: only the first birthday has day 7.
		{"on", CohortOptions{}, "5/5 2/5 2/5 1/5 0/5 0/5 2/5 1/3"},
		{"on or after", CohortOptions{Counting: OnOrAfter}, "5/5 4/5 4/5 3/5 3/5 3/5 3/5 1/3"},
		{"brackets", CohortOptions{Brackets: [][2]int{{0, 0}, {1, 2}, {3, 6}}}, "5/5 3/5 2/5"},
		{"rolling", CohortOptions{Every: 24 * time.Hour}, "5/5 2/5 2/5 1/5 0/5 0/5 2/5 1/3"},
	} {
		o := c.o
		got := must(CohortsBy(context.Background(), ledger.Slice(toyEvents()), days, &o))
		if s := strings.Join(fractions(got.Total), " "); s != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.name, s, c.want, got)
		}
	}
	// Data that end before the last period: the cell of the running period is there and marked, and not in the totals.
	got := must(CohortsBy(context.Background(), ledger.Slice(toyEvents()), days, &CohortOptions{End: day(2025, 1, 3).Add(time.Hour)}))
	row := got.Rows[0]
	if len(row.Cells) != 3 || row.Cells[2].Mature || !row.Cells[1].Mature || row.Cells[2].Active != 2 || got.Total[2].Base != 0 {
		t.Errorf("running period: %+v, total %+v", row, got.Total[2])
	}
	if !strings.Contains(got.String(), "66.7 %*") {
		t.Errorf("no star:\n%s", got)
	}
}

func TestCohortsPublished(t *testing.T) {
	// The example of Mixpanel's retention reference: of 10 with a first event on 2 January 2012, 9, 7 and 6 did the return
	// event in the intervals 0, 1 and 2.
	var es []ledger.Event
	at := day(2012, 1, 2)
	for c := range 10 {
		id := fmt.Sprint(c)
		es = append(es, ledger.Event{Customer: id, At: at, Name: "signup"})
		for k, n := range []int{9, 7, 6} {
			if c < n {
				es = append(es, ledger.Event{Customer: id, At: at.AddDate(0, 0, k).Add(time.Hour), Name: "song"})
			}
		}
	}
	got := must(CohortsBy(context.Background(), ledger.Slice(es), ledger.Days(at, at.AddDate(0, 0, 3), nil), &CohortOptions{Start: "signup", Return: "song"}))
	if s := strings.Join(fractions(got.Rows[0].Cells), " "); s != "9/10 7/10 6/10" {
		t.Error(s)
	}
	// Amplitude's rolling days with the hour floor: 17:59 and 17:00 of the next day are a day apart.
	es = []ledger.Event{visit("a", time.Date(2025, 12, 1, 17, 59, 0, 0, time.UTC)), visit("a", time.Date(2025, 12, 2, 17, 0, 0, 0, time.UTC))}
	days := ledger.Days(day(2025, 12, 1), day(2025, 12, 5), nil)
	for floor, want := range map[time.Duration]string{0: "1/1 0/1 0/1", time.Hour: "1/1 1/1 0/1"} {
		got := must(CohortsBy(context.Background(), ledger.Slice(es), days, &CohortOptions{Every: 24 * time.Hour, Floor: floor, Ages: 3}))
		if s := strings.Join(fractions(got.Rows[0].Cells), " "); s != want {
			t.Errorf("floor %v: %s, want %s", floor, s, want)
		}
	}
}

func TestCohortsTimeZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data")
	}
	// 23:30 UTC on 31 January is 1 February in Berlin; and the day on which the clocks change has 23 hours.
	log := []ledger.Transaction{buy("a", time.Date(2025, 1, 31, 23, 30, 0, 0, time.UTC), "5"), buy("a", time.Date(2025, 3, 1, 0, 0, 0, 0, berlin), "5")}
	got := must(Cohorts(context.Background(), ledger.Transactions(log), ledger.Months(day(2025, 1, 1), day(2025, 4, 1), berlin)))
	if got.Rows[0].Size != 0 || got.Rows[1].Size != 1 || got.Rows[1].Cells[1].Active != 1 {
		t.Errorf("in Berlin:\n%s", got)
	}
	got = must(Cohorts(context.Background(), ledger.Transactions(log), ledger.Months(day(2025, 1, 1), day(2025, 4, 1), time.UTC)))
	if got.Rows[0].Size != 1 || got.Rows[0].Cells[1].Active != 1 {
		t.Errorf("in UTC:\n%s", got)
	}
	spring := ledger.Days(time.Date(2025, 3, 29, 0, 0, 0, 0, berlin), time.Date(2025, 4, 1, 0, 0, 0, 0, berlin), berlin)
	es := []ledger.Event{visit("a", time.Date(2025, 3, 30, 0, 30, 0, 0, berlin)), visit("a", time.Date(2025, 3, 30, 23, 30, 0, 0, berlin)), visit("a", time.Date(2025, 3, 31, 0, 0, 0, 0, berlin))}
	c := must(CohortsBy(context.Background(), ledger.Slice(es), spring, nil))
	if s := strings.Join(fractions(c.Rows[1].Cells), " "); s != "1/1 1/1" {
		t.Errorf("over the change of the clocks: %s", s)
	}
	// Weeks from Sunday and from Monday: Sunday 5 January and Monday 6 January 2025.
	es = []ledger.Event{visit("a", day(2025, 1, 5)), visit("a", day(2025, 1, 6))}
	for first, want := range map[time.Weekday]string{time.Sunday: "1/1", time.Monday: "1/1 1/1"} {
		c := must(CohortsBy(context.Background(), ledger.Slice(es), ledger.Weeks(day(2025, 1, 5), day(2025, 1, 7), first, nil), nil))
		i := slices.IndexFunc(c.Rows, func(r CohortRow) bool { return r.Size > 0 })
		if s := strings.Join(fractions(c.Rows[i].Cells), " "); s != want {
			t.Errorf("weeks from %s: %s, want %s", first, s, want)
		}
	}
}

func TestRevenueCohorts(t *testing.T) {
	months := ledger.Months(day(2025, 1, 1), day(2025, 4, 1), nil)
	log := []ledger.Transaction{buy("old", day(2024, 6, 1), "9"), buy("old", day(2025, 1, 5), "9"),
		buy("a", day(2025, 1, 3), "10.10"), buy("a", day(2025, 2, 3), "20"), buy("a", day(2025, 3, 3), "-5.05"), buy("b", day(2025, 1, 9), "1"), buy("c", day(2025, 3, 9), "7")}
	got := must(RevenueCohorts(context.Background(), ledger.Transactions(log), months))
	var texts []string
	for _, r := range got.Rows {
		for _, c := range r.Cells {
			texts = append(texts, fmt.Sprintf("%d %s", c.Active, c.Revenue))
		}
	}
	if s, want := strings.Join(texts, ", "), "2 USD 11.10, 1 USD 20.00, 0 USD -5.05, 0 0, 0 0, 1 USD 7.00"; s != want {
		t.Errorf("%s, want %s", s, want)
	}
	if got.Before != 1 || !got.Total[0].Revenue.Equal(usd("18.10")) {
		t.Errorf("before %d, total %v", got.Before, got.Total[0])
	}
	if mean := must(got.Mean(1)); mean != 0.5 {
		t.Errorf("mean %v", mean)
	}
	if s := must(got.Rows[0].Of(1, 0)); s.Value != 0.5 {
		t.Errorf("of the start: %v", s)
	}
	log = append(log, ledger.Transaction{Customer: "a", At: day(2025, 1, 4), Amount: money.MustParse("1", "EUR")})
	if _, err := RevenueCohorts(context.Background(), ledger.Transactions(log), months); err == nil || !strings.Contains(err.Error(), "row 8") {
		t.Errorf("two currencies: %v", err)
	}
	if _, err := Cohorts(context.Background(), ledger.Transactions(log), months); err != nil {
		t.Errorf("counting needs no currency: %v", err)
	}
}

// TestCohortProperties holds the countings of random events to each other and to a count by definition.
func TestCohortProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		var es []ledger.Event
		for range 1 + r.IntN(120) {
			es = append(es, visit(fmt.Sprint(r.IntN(12)), day(2025, 1, 1).Add(time.Duration(r.IntN(100*24))*time.Hour)))
		}
		periods := ledger.Days(day(2025, 1, 4), day(2025, 1, 4).AddDate(0, 0, 70+round), nil)
		run := func(o CohortOptions) *CohortTable {
			return must(CohortsBy(context.Background(), ledger.Slice(es), periods, &o))
		}
		on, after, bracket, recurring := run(CohortOptions{}), run(CohortOptions{Counting: OnOrAfter}), run(CohortOptions{Brackets: [][2]int{{0, 2}, {3, 30}}}), run(CohortOptions{Recurring: true})
		active := make([]map[string]bool, len(periods)) // who was active in each period, by definition
		for i, p := range periods {
			active[i] = map[string]bool{}
			for _, e := range es {
				if p.Contains(e.At) {
					active[i][e.Customer] = true
				}
			}
		}
		for i, row := range on.Rows {
			for k, c := range row.Cells {
				if k == 0 && c.Active != row.Size {
					t.Fatalf("age 0 of %s: %d of %d", row.Period, c.Active, row.Size)
				}
				a := after.Rows[i].Cells[k]
				if a.Active < c.Active || (k > 0 && a.Active > after.Rows[i].Cells[k-1].Active) {
					t.Fatalf("on or after, row %d age %d: %d, before %v, on %d", i, k, a.Active, after.Rows[i].Cells, c.Active)
				}
				for _, b := range bracket.Rows[i].Cells {
					if k >= b.From && k <= b.To && b.Active < c.Active {
						t.Fatalf("bracket %d-%d has %d, day %d has %d", b.From, b.To, b.Active, k, c.Active)
					}
				}
				want := 0
				for c := range active[i] {
					if active[i+k][c] {
						want++
					}
				}
				if n := recurring.Rows[i].Cells[k].Active; n != want {
					t.Fatalf("recurring row %d age %d: %d, want %d", i, k, n, want)
				}
			}
		}
		r.Shuffle(len(es), func(i, j int) { es[i], es[j] = es[j], es[i] })
		if diff := cmp.Diff(on, run(CohortOptions{})); diff != "" {
			t.Fatalf("another order (-want +got)\n%s", diff)
		}
	}
}

// TestLifecyclePublished has PostHog's test of its lifecycle: active days of four persons and what each day counts.
func TestLifecyclePublished(t *testing.T) {
	var log []ledger.Transaction
	for c, ds := range map[string][]int{"p1": {11, 12, 13, 15, 17, 19}, "p2": {9, 12}, "p3": {12}, "p4": {15}} {
		for _, d := range ds {
			log = append(log, buy(c, day(2020, 1, d).Add(12*time.Hour), "1"))
		}
	}
	got := must(Lifecycle(context.Background(), ledger.Transactions(log), ledger.Days(day(2020, 1, 12), day(2020, 1, 20), nil), &LifecycleOptions{Periods: PeriodRule{Dormant: 1}}))
	want := map[string][]int{"new": {1, 0, 0, 1, 0, 0, 0, 0}, "active": {1, 1, 0, 0, 0, 0, 0, 0}, "resurrected": {1, 0, 0, 1, 0, 1, 0, 1}, "dormant": {0, 2, 1, 0, 2, 0, 1, 0}}
	for i, p := range got.Rows {
		for _, s := range []Stage{StageNew, StageActive, StageResurrected} {
			if n := p.Stage(s).Customers; n != want[s.String()][i] {
				t.Errorf("%s: %s %d, want %d", p.Period, s, n, want[s.String()][i])
			}
		}
		if c := must(p.Lost(StageDormant)); c.Customers != want["dormant"][i] {
			t.Errorf("%s: %d became dormant, want %d", p.Period, c.Customers, want["dormant"][i])
		}
	}
}

func TestLifecycleProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var log []ledger.Transaction
		customers := map[string]bool{}
		for range 5 + r.IntN(150) {
			c := fmt.Sprint(r.IntN(15))
			customers[c] = true
			log = append(log, ledger.Transaction{Customer: c, At: day(2024, 12, 1).Add(time.Duration(r.IntN(300*24)) * time.Hour), Amount: must(money.FromMinor(1+r.Int64N(900), "USD"))})
		}
		months := ledger.Months(day(2025, 1, 1), day(2025, 12, 1), nil)
		for _, o := range []*LifecycleOptions{nil, {Periods: PeriodRule{AtRisk: 1, Dormant: 3, Lost: 4}}, {Rhythm: &Rhythm{Default: 20 * 24 * time.Hour}}, {Periods: PeriodRule{Dormant: 1}}} {
			table := must(Lifecycle(context.Background(), ledger.Transactions(log), months, o))
			spent := map[string]money.Amount{}
			for i, p := range table.Rows {
				born, bought := map[string]bool{}, map[string]bool{}
				var total money.Sum
				clear(spent)
				for _, tx := range log {
					if tx.At.Before(p.Period.End) {
						born[tx.Customer] = true
						total.Add(tx.Amount)
					}
					if p.Period.Contains(tx.At) {
						bought[tx.Customer] = true
					}
				}
				n := 0
				var value money.Sum
				into := map[Stage]int{}
				for _, s := range p.Stages {
					n += s.Customers
					value.Add(s.Value)
				}
				for _, f := range p.Flows {
					into[f.To] += f.Customers
					if i > 0 && f.From != StageNone {
						into[f.From+100] += f.Customers
					}
				}
				if n != len(born) || p.Purchased != len(bought) {
					t.Fatalf("%s: %d customers, want %d; %d purchased, want %d", p.Period, n, len(born), p.Purchased, len(bought))
				}
				if a, b := must(value.Total()), must(total.Total()); !a.Equal(b) {
					t.Fatalf("%s: value %v, spent %v", p.Period, a, b)
				}
				for _, s := range Stages() {
					if into[s] != p.Stage(s).Customers {
						t.Fatalf("%s: flows into %s %d, want %d", p.Period, s, into[s], p.Stage(s).Customers)
					}
					if i > 0 && into[s+100] != table.Rows[i-1].Stage(s).Customers {
						t.Fatalf("%s: flows from %s %d, want %d", p.Period, s, into[s+100], table.Rows[i-1].Stage(s).Customers)
					}
				}
				if o != nil && o.Periods.Dormant == 1 {
					fine := p.Stage(StageNew).Customers + p.Stage(StageActive).Customers + p.Stage(StageResurrected).Customers
					if fine != len(bought) {
						t.Fatalf("%s: new, active and resurrected are %d, purchased %d", p.Period, fine, len(bought))
					}
				}
			}
		}
	}
}

func TestAtRisk(t *testing.T) {
	var log []ledger.Transaction
	for _, d := range []int{0, 10, 20, 30, 40} { // every ten days
		log = append(log, buy("regular", day(2025, 1, 1).AddDate(0, 0, d), "10"))
	}
	for _, d := range []int{0, 2, 4, 30, 35, 35} { // gaps 2, 2, 26, 5: quantile .95 is 5 + .85 21 = 22.85
		log = append(log, buy("bursts", day(2025, 1, 1).AddDate(0, 0, d), "20"))
	}
	log = append(log, buy("once", day(2025, 1, 1), "500"), buy("refund", day(2025, 1, 1), "-5"))
	at := func(d int) *RiskTable {
		return must(AtRisk(context.Background(), ledger.Transactions(log), day(2025, 1, 1).AddDate(0, 0, d), nil))
	}
	if got := at(50); len(got.Rows) != 1 || got.Rows[0].Customer != "once" || got.Customers != 3 {
		t.Errorf("day 50: ten days after ten is in time\n%s", got)
	}
	got := at(61)
	var names []string
	for _, r := range got.Rows {
		names = append(names, fmt.Sprintf("%s %s %.4f", r.Customer, r.Stage, r.Usual))
	}
	// Pooled gaps 2 2 5 10 10 10 10 26: quantile .95 is at 1 + 7 .95 = 7.65, 10 + .65 16 = 20.4.
	if s, want := strings.Join(names, ", "), "once dormant 20.4000, bursts at risk 22.8500, regular dormant 10.0000"; s != want {
		t.Errorf("day 61: %s, want %s", s, want)
	}
	near(t, "overdue", got.Rows[1].Overdue, 26/22.85, 1e-12)
	for _, o := range []AtRiskOptions{{Rhythm: Rhythm{Quantile: 2}}, {Rhythm: Rhythm{Dormant: 0.5}}, {Rhythm: Rhythm{Least: -1}}} {
		if _, err := AtRisk(context.Background(), ledger.Transactions(log), day(2025, 3, 1), &o); err == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
}

func TestSurvey(t *testing.T) {
	var es []ledger.Event
	score := func(c string, d int, s float64) {
		es = append(es, ledger.Event{Customer: c, At: day(2025, 1, d), Name: "nps", Score: s})
	}
	for i := range 50 {
		score(fmt.Sprint("p", i), 1, 9+float64(i%2))
	}
	for i := range 30 {
		score(fmt.Sprint("s", i), 1, 7+float64(i%2))
	}
	for i := range 20 {
		score(fmt.Sprint("d", i), 2, float64(i%7))
	}
	score("d0", 1, 10) // an earlier answer does not count
	es = append(es, ledger.Event{Customer: "x", At: day(2025, 1, 1), Name: "visit", Score: 77})
	s := must(NPS(context.Background(), ledger.Slice(es), &SurveyOptions{Name: "nps"}))
	if diff := cmp.Diff(PromoterScore{50, 30, 20, 0.3}, s); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	low, high, err := s.Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	// At each end the score statistic is z: checked with the restricted likelihood maximized by a search.
	for _, d := range []float64{low, high} {
		best, q := math.Inf(-1), 0.0
		for i := 1; i < 400000; i++ {
			x := float64(i) / 1e6
			if l := 50*math.Log(x+d) + 20*math.Log(x) + 30*math.Log(1-2*x-d); l > best {
				best, q = l, x
			}
		}
		near(t, "statistic", math.Abs(0.3-d)/math.Sqrt((2*q+d-d*d)/100), 1.959963984540054, 1e-5)
	}
	all := must(NPSOf(8, 0, 0))
	if low, high, _ := all.Interval(0.95); high != 1 || !(low > 0.3 && low < 0.9) {
		t.Errorf("eight promoters: %v to %v", low, high)
	}
	if _, err := NPSOf(0, 0, 0); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("no answers: %v", err)
	}
	if _, err := NPS(context.Background(), ledger.Slice(es), nil); err == nil || err.Error() != `churn: row 102: field "score": value "77": want a whole number from 0 to 10` {
		t.Errorf("score 77: %v", err)
	}
	var cs []ledger.Event
	for i, v := range []float64{5, 4, 4, 3, 1} {
		cs = append(cs, ledger.Event{Customer: fmt.Sprint(i), At: day(2025, 1, 1), Score: v})
	}
	if s := must(CSAT(context.Background(), ledger.Slice(cs), 4, 5, nil)); s.Part != 3 || s.Base != 5 {
		t.Errorf("csat %v", s)
	}
	bands := must(ByScore(context.Background(), ledger.Slice(es), PromoterBands(), func(c string) (bool, bool) { return c[0] == 'd', c != "p0" }, &SurveyOptions{Name: "nps"}))
	if bands.Left != 1 || bands.Rows[0].Lost != 20 || *bands.Rows[0].Rate != 1 || bands.Rows[2].Base != 49 || *bands.Rows[2].Rate != 0 || *bands.Rows[2].High < 0.01 {
		t.Errorf("bands\n%s", bands)
	}
}

// TestTables: a table prints, is CSV with as many fields in each line, and JSON in snake case without NaN.
func TestTables(t *testing.T) {
	ctx := context.Background()
	log := []ledger.Transaction{buy("a", day(2025, 1, 3), "10.10"), buy("a", day(2025, 2, 3), "20"), buy("b,\"x\"", day(2025, 1, 9), "1"), buy("b,\"x\"", day(2025, 2, 9), "1")}
	months := ledger.Months(day(2025, 1, 1), day(2025, 6, 1), nil)
	e := must(FitSBG(ctx, seen(highEnd, 7), nil))
	tables := map[string]any{
		"cohorts":    must(RevenueCohorts(ctx, ledger.Transactions(log), months)),
		"lifecycle":  must(Lifecycle(ctx, ledger.Transactions(log), months, nil)),
		"at risk":    must(AtRisk(ctx, ledger.Transactions(log), day(2025, 4, 20), &AtRiskOptions{Lost: true})),
		"window":     must(Window(ctx, ledger.Slice(juneSpans()), ledger.Month(2025, time.June, nil), nil)),
		"renewals":   must(Renewals([]Renewal{{Customer: "a", Due: day(2025, 1, 3)}}, months[0], 0, day(2025, 6, 1))),
		"age":        must(ByAge(ctx, ledger.Slice(juneSpans()), ledger.Period{}, 90*24*time.Hour, day(2025, 7, 1), 0.95)),
		"bands":      must(ByScore(ctx, ledger.Slice([]ledger.Event{{Customer: "a", At: day(2025, 1, 1), Score: 3}}), PromoterBands(), func(string) (bool, bool) { return true, true }, nil)),
		"projection": must(Project(ctx, e, seen(highEnd, 7), 3, nil)),
		"band":       must(Band(e, 3, 0.95)),
		"fitness":    must(GoodnessOfFit(e, seen(highEnd, 7))),
	}
	for name, table := range tables {
		text := must(json.Marshal(table))
		if bytes.Contains(text, []byte("NaN")) || !json.Valid(text) {
			t.Errorf("%s: JSON %s", name, text)
		}
		var keys map[string]any
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for k := range keys {
			if k != strings.ToLower(k) {
				t.Errorf("%s: key %q is not in snake case", name, k)
			}
		}
		if s := table.(fmt.Stringer).String(); s == "" || strings.HasSuffix(s, "\n") || strings.Contains(s, "NaN") {
			t.Errorf("%s: text %q", name, s)
		}
	}
	var b bytes.Buffer
	for name, write := range map[string]func() error{
		"cohorts": func() error { return tables["cohorts"].(*CohortTable).WriteCSV(&b) }, "lifecycle": func() error { return tables["lifecycle"].(*LifecycleTable).WriteCSV(&b) },
		"at risk": func() error { return tables["at risk"].(*RiskTable).WriteCSV(&b) }, "window": func() error { return tables["window"].(*WindowTable).WriteCSV(&b) },
		"bands": func() error { return tables["bands"].(*BandTable).WriteCSV(&b) }, "projection": func() error { return tables["projection"].(*Projection).WriteCSV(&b) },
		"band": func() error { return tables["band"].(*CurveBand).WriteCSV(&b) }, "fitness": func() error { return tables["fitness"].(*Fitness).WriteCSV(&b) },
	} {
		b.Reset()
		if err := write(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) < 2 {
			t.Errorf("%s: CSV of %d rows, %v", name, len(rows), err)
		}
	}
}
