package survival_test

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/churn/survival"
	"github.com/custval/custval/ledger"
)

// subscriptions are months of twelve customers on two plans.
func subscriptions() []ledger.Tenure {
	var ts []ledger.Tenure
	add := func(plan, reason string, months ...float64) {
		for _, m := range months {
			ts = append(ts, ledger.Tenure{Customer: fmt.Sprint("c", len(ts)+1), Duration: m, Ended: reason != "",
				Reason: reason, Labels: map[string]string{"plan": plan}})
		}
	}
	add("basic", "voluntary", 2, 4, 5, 9)
	add("basic", "involuntary", 3)
	add("basic", "", 12)
	add("pro", "voluntary", 6, 11)
	add("pro", "involuntary", 8)
	add("pro", "", 12, 10, 12)
	return ts
}

func ExampleKaplanMeier() {
	curve, err := survival.KaplanMeier(subscriptions(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(curve)
	fmt.Printf("still there after half a year: %.0f %%\n", 100*curve.Survival(6))
	// Output:
	// kaplan-meier: 12 customers, 8 left, median 8 (5 to not reached); 95 % band (log)
	// time  at_risk  events  survival    std_err     lower     upper
	//    2       12       1  0.916667  0.0797856  0.772901         1
	//    3       11       1  0.833333   0.107583  0.647037         1
	//    4       10       1      0.75      0.125  0.540996         1
	//    5        9       1  0.666667   0.136083  0.446846  0.994625
	//    6        8       1  0.583333   0.142319  0.361614  0.940998
	//    8        7       1       0.5   0.144338  0.283955  0.880422
	//    9        6       1  0.416667   0.142319  0.213328  0.813822
	//   11        4       1    0.3125   0.139754  0.130071  0.750791
	// still there after half a year: 58 %
}

func ExampleCurve_RestrictedMean() {
	curves, err := survival.KaplanMeierBy(subscriptions(), survival.Label("plan"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := survival.CompareRestrictedMeans(curves.Group("pro"), curves.Group("basic"), 12)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("pro customers stay %.1f months longer within a year (%.1f to %.1f)\n", d.Difference, d.Lower, d.Upper)
	// Output: pro customers stay 4.3 months longer within a year (0.9 to 7.7)
}

func ExampleCompare() {
	test, err := survival.Compare(subscriptions(), survival.Label("plan"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(test)
	// Output:
	// group  customers  observed  expected
	// basic          6         5   2.80693
	// pro            6         3   5.19307
	// log-rank test: chi-square 2.73045, df 1, p 0.0984518
}

func ExampleFitCox() {
	ts := subscriptions()
	seats := []float64{1, 3, 1, 2, 1, 4, 5, 2, 2, 8, 6, 9}
	design, err := survival.NewDesign(survival.Numeric("seats", seats), survival.LabelCovariate("plan", ts, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := survival.FitCox(context.Background(), ts, design, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m := f.Estimate.Model
	fmt.Printf("one more seat: hazard x %.2f\n", math.Exp(m.Coef[0]))
	curve, err := m.Predict(survival.Profile{Numbers: map[string]float64{"seats": 5}, Levels: map[string]string{"plan": "pro"}}, "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("pro with five seats: %.0f %% stay for 9 months\n", 100*curve.Survival(9))
	// Output:
	// one more seat: hazard x 0.53
	// pro with five seats: 84 % stay for 9 months
}

func ExampleFitWeibull() {
	e, err := survival.FitWeibull(context.Background(), subscriptions(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("shape %.2f, mean tenure %.1f months, %.0f %% stay for two years\n", e.Model.Shape, e.Model.Mean(),
		100*e.Model.Survival(24))
	// Output: shape 1.64, mean tenure 9.6 months, 2 % stay for two years
}

// Churn that is counted once a month: nobody knows the day.
func ExampleInterval() {
	var rows []survival.Interval
	for month, gone := range []float64{369, 163, 86, 56} {
		rows = append(rows, survival.Interval{Lower: float64(month), Upper: float64(month + 1), Weight: gone})
	}
	rows = append(rows, survival.Interval{Lower: 4, Upper: math.Inf(1), Weight: 326})
	e, err := survival.FitLogNormal(context.Background(), rows, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("half of the customers have left after %.2f months\n", e.Model.Quantile(0.5))
	// Output: half of the customers have left after 1.79 months
}

func ExampleFitRegression() {
	ts := subscriptions()
	design, err := survival.NewDesign(survival.LabelCovariate("plan", ts, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := survival.FitRegression(context.Background(), survival.LogLogisticFamily, ts, design, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := e.Model.Predict(survival.Profile{Levels: map[string]string{"plan": "pro"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("pro stretches time by %.2f; median %.1f months\n", math.Exp(e.Model.Coef[0]), d.Quantile(0.5))
	// Output: pro stretches time by 2.50; median 12.1 months
}

func ExampleCumulativeIncidence() {
	inc, err := survival.CumulativeIncidence(subscriptions(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cause := range inc.Causes {
		p := cause.At(12)
		fmt.Printf("%s within a year: %.2f (%.2f to %.2f)\n", cause.Cause, p.Incidence, p.Lower, p.Upper)
	}
	// Output:
	// involuntary within a year: 0.17 (0.05 to 0.59)
	// voluntary within a year: 0.52 (0.30 to 0.92)
}

func ExampleBrier() {
	ts := subscriptions()
	curves, err := survival.KaplanMeierBy(ts, survival.Label("plan"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := survival.Brier(ts, func(i int) survival.Survivor { return curves.Group(ts[i].Labels["plan"]) }, []float64{3, 6, 9})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(scores)
	// Output:
	// time     score  reference     skill
	//    3  0.111111   0.138889       0.2
	//    6  0.180556   0.243056  0.257143
	//    9  0.180556   0.243056  0.257143
}

func ExampleConcordanceOf() {
	ts := subscriptions()
	seats := []float64{1, 3, 1, 2, 1, 4, 5, 2, 2, 8, 6, 9}
	risk := make([]float64, len(seats))
	for i, s := range seats {
		risk[i] = -s // fewer seats, higher risk
	}
	c, err := survival.ConcordanceOf(ts, risk, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f (%.2f to %.2f)\n", c.Value, c.Lower, c.Upper)
	// Output: 0.81 (0.67 to 0.96)
}

// A customer who changes plans has one row for each stretch of time.
func ExampleFitCox_intervals() {
	type stretch struct {
		customer string
		from, to float64
		left     bool
		tickets  float64 // open support tickets in the stretch
	}
	stretches := []stretch{
		{"a", 0, 3, false, 0}, {"a", 3, 5, true, 2}, {"b", 0, 6, false, 1}, {"b", 6, 12, false, 0}, {"c", 0, 2, true, 3},
		{"d", 0, 4, false, 0}, {"d", 4, 9, true, 1}, {"e", 0, 12, false, 0}, {"f", 0, 7, true, 0}, {"g", 0, 8, true, 2},
		{"h", 0, 1, false, 2}, {"h", 1, 10, true, 1},
	}
	var ts []ledger.Tenure
	var tickets []float64
	for _, s := range stretches {
		ts = append(ts, ledger.Tenure{Customer: s.customer, Entry: s.from, Duration: s.to, Ended: s.left})
		tickets = append(tickets, s.tickets)
	}
	design, err := survival.NewDesign(survival.Numeric("tickets", tickets))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := survival.FitCox(context.Background(), ts, design, &survival.CoxOptions{Intervals: true, Cluster: survival.Customer})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := f.Estimate.Params[0]
	fmt.Printf("%d customers; one more ticket: hazard x %.2f (robust standard error of the log %.2f)\n", f.Estimate.Customers,
		math.Exp(p.Value), p.StdErr)
	// Output: 8 customers; one more ticket: hazard x 4.70 (robust standard error of the log 0.83)
}

func ExampleNewDesign() {
	design, err := survival.NewDesign(
		survival.Numeric("seats", []float64{1, 12, 3}),
		survival.Indicator("annual", []bool{true, false, false}),
		survival.Categorical("plan", []string{"pro", "basic", "team"}, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(design.Columns(), design.Row(0))
	_, err = survival.NewDesign(survival.Numeric("seats", []float64{1, math.NaN()}))
	fmt.Println(err)
	// Output:
	// [seats annual plan=pro plan=team] [1 1 1 0]
	// survival: row 2: field "seats": value "NaN": missing value
}

func ExampleForReason() {
	ts := subscriptions()
	all, err := survival.Compare(ts, survival.Label("plan"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	voluntary, err := survival.Compare(survival.ForReason(ts, "voluntary"), survival.Label("plan"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("plans differ: p %.2f for all reasons, %.2f for those who canceled\n", all.P, voluntary.P)
	// Output: plans differ: p 0.10 for all reasons, 0.09 for those who canceled
}

func ExampleSubdistribution() {
	ts := subscriptions()
	design, err := survival.NewDesign(survival.LabelCovariate("plan", ts, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, source, err := survival.Subdistribution(ts, "voluntary")
	if err != nil {
		fmt.Println(err)
		return
	}
	weighted, err := design.Pick(source)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := survival.FitCox(context.Background(), rows, weighted, &survival.CoxOptions{Cluster: survival.Customer})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("pro: subdistribution hazard x %.2f, p %.2f\n", math.Exp(f.Estimate.Model.Coef[0]), f.RobustScore.P)
	// Output: pro: subdistribution hazard x 0.32, p 0.16
}

func ExampleCoxFit_TestProportionality() {
	ctx, ts := context.Background(), subscriptions()
	design, err := survival.NewDesign(survival.LabelCovariate("plan", ts, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := survival.FitCox(ctx, ts, design, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	test, err := f.TestProportionality(ctx, ts, design, nil, survival.KaplanMeierTime)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(test)
	// Output:
	// term    chi_square  df        p
	// plan       1.88171   1  0.17014
	// GLOBAL     1.88171   1  0.17014
}

func ExamplePredictBand() {
	ts := subscriptions()
	e, err := survival.FitRegression(context.Background(), survival.WeibullFamily, ts, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	band, err := survival.PredictBand(e, survival.Profile{}, []float64{6, 12, 24}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(band)
	// Output:
	// time   survival    std_err        lower     upper
	//    6   0.678876   0.112481     0.490633  0.939343
	//   12   0.298987   0.133756      0.12441  0.718538
	//   24  0.0232001  0.0508376  0.000316431         1
}
