package churn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/custval/custval/churn"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

var ctx = context.Background()

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

// log is a small shop.
func log() []ledger.Transaction {
	var log []ledger.Transaction
	for customer, days := range map[string][]int{"ada": {3, 34, 62, 95}, "bob": {5, 12, 19, 26, 33}, "eve": {10}, "kim": {40, 71, 100}, "lee": {45}} {
		for _, d := range days {
			log = append(log, ledger.Transaction{Customer: customer, At: date(2025, 1, d), Amount: usd("25")})
		}
	}
	return log
}

func ExampleRate() {
	lost, err := churn.Rate(500, 50)
	if err != nil {
		fmt.Println(err)
		return
	}
	low, high, _ := lost.Interval(0.95)
	fmt.Println(lost)
	fmt.Printf("%.3f to %.3f\n", low, high)
	_, err = churn.Rate(0, 0)
	fmt.Println(err, errors.Is(err, ledger.ErrUndefined))
	// Output:
	// 10.0 % (50 of 500, at start)
	// 0.077 to 0.129
	// churn: rate, at start: no customers in the base: undefined true
}

func ExampleRetentionRate() {
	crr, err := churn.RetentionRate(500, 550, 100) // customers at the start, at the end, and new among the latter
	fmt.Println(crr, err, crr >= churn.IdealRetention)
	_, err = churn.RetentionRate(500, 550, 20) // 20 newly acquired, but who came back is missing
	fmt.Println(err)
	// Output:
	// 0.9 <nil> true
	// churn: retention: 550 at the end without 20 new are 530, more than the 500 at the start: new must count everybody at the end who was not there at the start, customers who came back included
}

func ExampleRetention() {
	s, _ := churn.Retention(500, 550, 100)
	fmt.Println(s)
	// Output: 90.0 % (450 of 500)
}

func ExampleRenewalRate() {
	s, _ := churn.RenewalRate(45, 50)
	fmt.Println(s)
	// Output: 90.0 % (45 of 50)
}

func ExampleBenchmarks() {
	for _, b := range churn.Benchmarks() {
		fmt.Println(b.Name, b.Value)
	}
	// Output: ideal retention 0.8
}

func ExampleExpectedRate() {
	alive := map[string]float64{"ada": 0.95, "bob": 0.10, "eve": 0.75} // of a model of package clv
	e, _ := churn.ExpectedRate([]string{"ada", "bob", "eve"}, func(c string) float64 { return alive[c] })
	fmt.Printf("%.2f with standard error %.2f\n", e.Value, e.StdErr)
	// Output: 0.40 with standard error 0.19
}

func ExampleInactivityRate() {
	march := ledger.Month(2025, time.March, nil)
	fmt.Println(churn.InactivityRate(ctx, ledger.Transactions(log()), march, 45*24*time.Hour))
	// Output: 50.0 % (2 of 4, inactivity) <nil>
}

func ExampleWindow() {
	spans := []churn.Span{
		{Customer: "ada", From: date(2025, 1, 5), Value: usd("100")},
		{Customer: "bob", From: date(2025, 1, 10), To: date(2025, 6, 20), Reason: "payment failed", Value: usd("80")},
		{Customer: "eve", From: date(2025, 2, 1), To: date(2025, 3, 1), Reason: "too expensive", Value: usd("60")},
		{Customer: "eve", From: date(2025, 6, 12), Value: usd("60")},
		{Customer: "kim", From: date(2025, 6, 3), To: date(2025, 6, 25), Reason: "unused", Value: usd("40")},
	}
	w, err := churn.Window(ctx, ledger.Slice(spans), ledger.Month(2025, time.June, nil), nil)
	fmt.Println(w, err)
	// Output:
	// window                   2025-06
	// opening                  2
	// lost                     1
	// new                      0
	// returned                 1
	// closing                  2
	// retention                50.0 % (1 of 2)
	// churn, at start          50.0 %
	// churn, events per start  100.0 %
	// churn, start plus new    66.7 %
	// churn, daily average     66.7 %
	// churn, daily sum         58.3 %
	// revenue churn, gross     44.4 % of USD 180.00
	// revenue churn, net       44.4 % of USD 180.00
	// lost: payment failed     1 (involuntary) <nil>
}

func ExampleByAge() {
	var spans []churn.Span
	for i := range 10 { // one starts every month; every third leaves after 40 days
		s := churn.Span{Customer: fmt.Sprint(i), From: date(2025, time.Month(1+i), 1)}
		if i%3 == 0 {
			s.To = s.From.AddDate(0, 0, 40)
		}
		spans = append(spans, s)
	}
	a, err := churn.ByAge(ctx, ledger.Slice(spans), ledger.Period{}, 90*24*time.Hour, date(2025, 11, 1), 0.95)
	fmt.Println(a, err)
	// Output:
	// complete      37.5 % (3 of 8, fixed age), 2 too young
	// Kaplan-Meier  33.3 % (12.2 % to 71.8 % at 95 %) <nil>
}

func ExampleRenewals() {
	june := ledger.Month(2025, time.June, nil)
	t, err := churn.Renewals([]churn.Renewal{
		{Customer: "ada", Due: date(2025, 6, 10), At: date(2025, 6, 1), Expiring: usd("1000"), Renewed: usd("1100")},
		{Customer: "bob", Due: date(2025, 6, 15), At: date(2025, 6, 20), Expiring: usd("1000"), Renewed: usd("900")},
		{Customer: "eve", Due: date(2025, 6, 20), Expiring: usd("500")},
	}, june, 30*24*time.Hour, date(2025, 9, 1))
	fmt.Println(t, err)
	// Output:
	// period        2025-06
	// due           3
	// early         1
	// on time       0
	// late          1
	// lost          1
	// pending       0
	// renewal rate  66.7 % (2 of 3)
	// gross value   76.0 % of USD 2500.00
	// net value     80.0 % of USD 2500.00 <nil>
}

func ExampleCohorts() {
	t, err := churn.Cohorts(ctx, ledger.Transactions(log()), ledger.Months(date(2025, 1, 1), date(2025, 5, 1), nil))
	fmt.Println(t, err)
	// Output:
	// cohort   size        0       1       2       3
	// 2025-01     3  100.0 %  66.7 %  33.3 %  33.3 %
	// 2025-02     2  100.0 %  50.0 %  50.0 %
	// 2025-03     0        -       -
	// 2025-04     0        -
	// all         5  100.0 %  60.0 %  40.0 %  33.3 % <nil>
}

func ExampleRevenueCohorts() {
	t, _ := churn.RevenueCohorts(ctx, ledger.Transactions(log()), ledger.Months(date(2025, 1, 1), date(2025, 3, 1), nil))
	fmt.Println(t.Rows[0].Cells[0].Revenue, t.Rows[0].Cells[1].Revenue)
	// Output: USD 150.00 USD 50.00
}

func ExampleCohortsBy() {
	days := ledger.Days(date(2025, 1, 1), date(2025, 1, 9), nil)
	events := []ledger.Event{
		{Customer: "ada", At: date(2025, 1, 1), Name: "signup"}, {Customer: "ada", At: date(2025, 1, 3), Name: "login"},
		{Customer: "bob", At: date(2025, 1, 1), Name: "signup"}, {Customer: "bob", At: date(2025, 1, 7), Name: "login"},
	}
	t, _ := churn.CohortsBy(ctx, ledger.Slice(events), days, &churn.CohortOptions{Start: "signup", Return: "login", Brackets: [][2]int{{1, 2}, {3, 7}}})
	for _, c := range t.Rows[0].Cells {
		fmt.Println(c.From, c.To, c.Active, "of", c.Base)
	}
	// Output:
	// 1 2 1 of 2
	// 3 7 1 of 2
}

func ExampleLifecycle() {
	t, err := churn.Lifecycle(ctx, ledger.Transactions(log()), ledger.Months(date(2025, 1, 1), date(2025, 5, 1), nil), nil)
	fmt.Println(t, err)
	lost, _ := t.Rows[2].Lost(churn.StageDormant)
	fmt.Println("dormant since March:", lost.Customers, lost.Value)
	// Output:
	// period   new  active  returning  resurrected  at risk  dormant  lost
	// 2025-01    3       0          0            0        0        0     0
	// 2025-02    2       2          0            0        1        0     0
	// 2025-03    0       2          0            0        2        1     0
	// 2025-04    0       2          0            0        0        3     0 <nil>
	// dormant since March: 1 USD 25.00
}

func ExampleAtRisk() {
	t, err := churn.AtRisk(ctx, ledger.Transactions(log()), date(2025, 3, 1), &churn.AtRiskOptions{Lost: true})
	fmt.Println(t, err)
	// Output:
	// customer  stage    last        silence  usual  overdue  purchases       value
	// bob       dormant  2025-02-02       27    7.0     3.86          5  USD 125.00
	// eve       at risk  2025-01-10       50   26.2     1.91          1   USD 25.00 <nil>
}

func ExampleMonitor() {
	m, err := churn.NewMonitor(churn.MonitorOptions{
		Activity: churn.Purchase,
		Silence:  churn.Silence{AtRisk: 30 * 24 * time.Hour, Dormant: 90 * 24 * time.Hour},
		Triggers: []churn.Trigger{{Name: "fifth purchase", Event: churn.Purchase, Count: 5}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func(ts []churn.Transition, err error) {
		for _, t := range ts {
			fmt.Println(t.At.Format(time.DateOnly), t.Customer, t.Name)
		}
	}
	show(m.Observe(ledger.Event{Customer: "ada", At: date(2025, 1, 1), Name: churn.Purchase}))

	state, _ := json.Marshal(m) // the program stops here and goes on later
	var again churn.Monitor
	_ = json.Unmarshal(state, &again)

	show(again.Advance(date(2025, 3, 1)))
	show(again.Observe(ledger.Event{Customer: "ada", At: date(2025, 3, 2), Name: churn.Purchase}))
	// Output:
	// 2025-01-01 ada new
	// 2025-01-31 ada at risk
	// 2025-03-02 ada returning
}

func ExampleNPS() {
	var answers []ledger.Event
	for i, score := range []float64{10, 9, 9, 8, 7, 6, 10, 3} {
		answers = append(answers, ledger.Event{Customer: fmt.Sprint(i), At: date(2025, 1, 1), Name: "nps", Score: score})
	}
	s, _ := churn.NPS(ctx, ledger.Slice(answers), nil)
	low, high, _ := s.Interval(0.95)
	fmt.Println(s)
	fmt.Printf("%+.0f to %+.0f\n", 100*low, 100*high)
	t, _ := churn.ByScore(ctx, ledger.Slice(answers), churn.PromoterBands(), func(c string) (lost, known bool) { return c == "5" || c == "7", true }, nil)
	fmt.Println(t)
	// Output:
	// +25 (4 promoters, 2 passives, 2 detractors)
	// -33 to +68
	// band        lost  base     rate     low     high
	// detractors     2     2  100.0 %  34.2 %  100.0 %
	// passives       0     2    0.0 %   0.0 %   65.8 %
	// promoters      0     4    0.0 %   0.0 %   49.0 %
}

func ExampleCSAT() {
	var answers []ledger.Event
	for i, score := range []float64{5, 4, 4, 3, 1} {
		answers = append(answers, ledger.Event{Customer: fmt.Sprint(i), At: date(2025, 1, 1), Score: score})
	}
	fmt.Println(churn.CSAT(ctx, ledger.Slice(answers), 4, 5, nil))
	// Output: 60.0 % (3 of 5) <nil>
}

// The customers of a subscription over seven renewals (Fader and Hardie, Journal of Interactive Marketing 2007): the
// projection of the years not used, 8 to 12, against what came.
func ExampleFitSBG() {
	seen := []churn.Cohort{{Active: []int{1000, 869, 743, 653, 593, 551, 517, 491}}}
	e, err := churn.FitSBG(ctx, seen, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("alpha %.3f, beta %.3f\n", e.Model.Alpha, e.Model.Beta)
	for i, left := range []int{468, 445, 427, 409, 394} {
		fmt.Printf("%.0f of 1000, seen %d\n", 1000*e.Model.Survival(float64(8+i)), left)
	}
	fmt.Printf("discounted residual lifetime after 7 renewals %.3f\n", e.Model.DERL(7, 0.10))
	// Output:
	// alpha 0.668, beta 3.806
	// 460 of 1000, seen 468
	// 436 of 1000, seen 445
	// 414 of 1000, seen 427
	// 395 of 1000, seen 409
	// 378 of 1000, seen 394
	// discounted residual lifetime after 7 renewals 7.530
}

func ExampleFitBdW() {
	e, _ := churn.FitBdW(ctx, []churn.Cohort{{Active: []int{1000, 869, 743, 653, 593, 551, 517, 491}}}, nil)
	fmt.Printf("c %.2f, after 12 renewals %.3f\n", e.Model.C, e.Model.Survival(12))
	// Output:
	// c 1.72, after 12 renewals 0.404
}

func ExampleProject() {
	seen := []churn.Cohort{{Active: []int{1000, 631, 468, 382, 326}}, {Active: []int{2000, 1262, 936}}}
	e, _ := churn.FitSBG(ctx, seen, nil)
	p, err := churn.Project(ctx, e, seen, 2, &churn.ProjectOptions{Seed: 1})
	for _, t := range p.Totals {
		fmt.Printf("renewal %d: %.0f, between %t\n", t.Step, t.Expected, t.Low < t.Expected && t.Expected < t.High)
	}
	fmt.Println(err)
	// Output:
	// renewal 1: 1040, between true
	// renewal 2: 891, between true
	// <nil>
}

func ExampleGoodnessOfFit() {
	seen := []churn.Cohort{{Active: []int{1000, 631, 468, 382, 326, 289, 262, 241}}}
	g, _ := churn.FitGeometric(ctx, seen, nil)
	s, _ := churn.FitSBG(ctx, seen, nil)
	bad, _ := churn.GoodnessOfFit(g, seen)
	good, _ := churn.GoodnessOfFit(s, seen)
	fmt.Printf("constant churn: p = %.1g\nsBG: p = %.2f\n", bad.P, good.P)
	// Output:
	// constant churn: p = 7e-46
	// sBG: p = 0.92
}

// Aggregate retention rises from year to year although no customer changes: here a third of the customers always stay
// with 90 %, the others with 50 %, and the same number starts every year. Valuing today's customers by the aggregate rate
// of 69 % misses that those who are still there are mostly the loyal ones. (The example of Fader and Hardie, Customer-Base
// Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity, Marketing Science 2010.)
func Example_risingRetention() {
	m := churn.LatentClass{Share: 1.0 / 3, Theta1: 0.1, Theta2: 0.5}
	const perYear, years = 10000.0, 5
	fmt.Println("year  customers  retention of all  value of one, naive  true")
	for year := 2; year <= years; year++ {
		before, kept, worth := 0.0, 0.0, 0.0
		for age := range year - 1 { // the cohorts of the years before, by renewals made
			n := perYear * m.Survival(float64(age))
			before += n
			kept += n * m.Retention(age+1)
			worth += n * m.DERL(age, 0.10)
		}
		r := kept / before
		naive := churn.Geometric{Theta: 1 - r}.DERL(0, 0.10)
		fmt.Printf("%d     %9.0f  %16.3f  %19.2f  %.2f\n", year, before, r, naive, worth/before)
	}
	// Output:
	// year  customers  retention of all  value of one, naive  true
	// 2         10000             0.633                 1.49  2.26
	// 3         16333             0.655                 1.62  2.48
	// 4         20700             0.675                 1.74  2.68
	// 5         23963             0.691                 1.86  2.85
}

func ExampleCohortsOf() {
	end := date(2025, 7, 1)
	var tenures []ledger.Tenure
	for i := range 90 { // started 90 days ago; a third left after 45 days
		tenures = append(tenures, ledger.Tenure{Start: end.AddDate(0, 0, -90), Duration: 90})
		if i%3 == 0 {
			tenures[i].Duration, tenures[i].Ended = 45, true
		}
	}
	cohorts, err := churn.CohortsOf(tenures, end, 24*time.Hour, 30)
	fmt.Println(cohorts[0].Active, err)
	// Output: [90 90 60 60] <nil>
}

func ExampleRandCohort() {
	c := churn.RandCohort(churn.Geometric{Theta: 0.5}, rand.New(rand.NewPCG(1, 2)), 1000, 2)
	fmt.Println(c.Active[0], c.Active[1] > 400 && c.Active[1] < 600)
	// Output: 1000 true
}

func ExampleLifetimeWithin() {
	m := churn.SBG{Alpha: 0.668, Beta: 3.806}
	fmt.Printf("%v periods in all, %.2f in the first ten\n", m.Lifetime(), churn.LifetimeWithin(m, 10))
	// Output:
	// +Inf periods in all, 6.35 in the first ten
}

func ExampleSBGFromRates() {
	m, _, err := churn.SBGFromRates(ctx, []float64{0.631, 0.742, 0.816, 0.853}, nil) // read off a chart
	fmt.Printf("alpha %.2f, beta %.2f, %v\n", m.Alpha, m.Beta, err)
	// Output: alpha 0.76, beta 1.29, <nil>
}
