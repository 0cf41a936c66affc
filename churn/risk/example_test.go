package risk_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/custval/custval/churn/risk"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// support is last quarter's customers: tickets, plan, and who has left since.
func support() (tickets []float64, plan []string, left []bool) {
	for i := range 60 {
		tickets = append(tickets, float64(i*7%10))
		plan = append(plan, []string{"basic", "pro"}[i%2])
		left = append(left, (i*7%10+i*3%7-i%2*2) > 7)
	}
	return tickets, plan, left
}

// From customers to whom to contact: a score, its quality on customers that it was not made from, and the list.
func Example() {
	ctx := context.Background()
	tickets, plan, left := support()
	d, err := risk.NewDesign(risk.Numeric("tickets", tickets[:40]), risk.Categorical("plan", plan[:40], "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fit, err := risk.FitLogistic(ctx, left[:40], d, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	later, err := risk.NewDesign(risk.Numeric("tickets", tickets[40:]), risk.Categorical("plan", plan[40:], "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	probabilities, err := fit.Estimate.Model.Probabilities(later)
	if err != nil {
		fmt.Println(err)
		return
	}
	area, err := risk.AUC(probabilities, left[40:])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUC %.3f\n", area.Value)
	var prospects []risk.Prospect
	for i, p := range probabilities[:4] {
		prospects = append(prospects, risk.Prospect{Customer: fmt.Sprint("c", 41+i), Risk: p, Value: money.MustParse("240", "USD")})
	}
	list, err := risk.Contacts(prospects, risk.ContactOptions{Contact: money.MustParse("2", "USD"), Incentive: money.MustParse("20", "USD"), Accept: 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(list)
	// Output:
	// AUC 0.958
	// rank  customer      risk  value       saved      cost       gain
	//    1  c43            0.5  USD 240.00  USD 36.00  USD 15.00  USD 21.00
	//    2  c42       0.476945  USD 240.00  USD 34.34  USD 15.32  USD 19.02
	// 2 of 4 customers: saved USD 70.34, cost USD 30.32, gain USD 40.02, 0.293084 expected to stay because of it
}

func ExampleFitLogistic() {
	tickets, plan, left := support()
	d, err := risk.NewDesign(risk.Numeric("tickets", tickets), risk.Categorical("plan", plan, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := risk.FitLogistic(context.Background(), left, d, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(f)
	p, err := f.Estimate.Model.Predict(risk.Profile{Numbers: map[string]float64{"tickets": 6}, Levels: map[string]string{"plan": "pro"}})
	fmt.Printf("%.3f %v\n", p, err)
	// Output:
	// logistic  estimate  std. error   95% low  95% high
	//   Intercept  -4.21396     1.18919  -6.54474  -1.88319
	//     tickets  0.971529    0.241796  0.497618   1.44544
	//    plan=pro  -2.29637     0.97856  -4.21431  -0.37843
	// log-likelihood -19.3974, AIC 44.79, BIC 51.08, 60 customers
	// converged after 7 iterations and 8 evaluations
	// 0.336 <nil>
}

// A number that tells perfectly who leaves has no estimate; the error names it.
func ExampleFitLogistic_separation() {
	d, err := risk.NewDesign(risk.Numeric("notice", []float64{0, 0, 0, 1, 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = risk.FitLogistic(context.Background(), []bool{false, false, false, true, true}, d, nil)
	fmt.Println(err)
	var which *risk.CovariateError
	fmt.Println(errors.As(err, &which), errors.Is(err, risk.ErrSeparation))
	// Output:
	// risk: covariate "notice": separation: the likelihood rises without end as the coefficient grows to +Inf: no value of those who left lies among those of the others; leave it out or set Ridge
	// true true
}

func ExampleLogisticFit_OddsRatios() {
	tickets, plan, left := support()
	d, err := risk.NewDesign(risk.Numeric("tickets", tickets), risk.Categorical("plan", plan, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := risk.FitLogistic(context.Background(), left, d, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	odds, err := f.OddsRatios(0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(odds)
	// Output:
	// covariate     ratio      lower     upper            p
	// tickets     2.64198     1.6448   4.24372  5.87002e-05
	// plan=pro   0.100623  0.0147825  0.684936    0.0189412
}

func ExampleLogisticFit_Interval() {
	tickets, _, left := support()
	d, err := risk.NewDesign(risk.Numeric("tickets", tickets))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := risk.FitLogistic(context.Background(), left, d, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, lower, upper, err := f.Interval([]float64{7}, 0.95)
	fmt.Printf("%.2f (%.2f to %.2f) %v\n", p, lower, upper, err)
	// Output:
	// 0.76 (0.55 to 0.89) <nil>
}

// months is tenures in months with the plan of each customer.
func months() []ledger.Tenure {
	var ts []ledger.Tenure
	for i := range 80 {
		t := ledger.Tenure{Customer: fmt.Sprint("c", i), Duration: float64(1 + i*5%9), Ended: i%3 != 0, Labels: map[string]string{"plan": "monthly"}}
		if i*5%9 > 4 && i%4 != 0 {
			t.Labels["plan"] = "yearly"
		}
		ts = append(ts, t)
	}
	return ts
}

func ExampleFitHazard() {
	tenures := months()
	d, err := risk.NewDesign(risk.LabelCovariate("plan", tenures, "monthly"))
	if err != nil {
		fmt.Println(err)
		return
	}
	cuts, err := risk.EventCuts(tenures, 1, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := risk.FitHazard(context.Background(), tenures, d, &risk.HazardOptions{Cuts: cuts})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range f.Estimate.Params {
		fmt.Printf("%-12s %7.3f (%.3f)\n", p.Name, p.Value, p.StdErr)
	}
	monthly, err := f.Estimate.Model.Predict(risk.Profile{Levels: map[string]string{"plan": "monthly"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("stays a half year: %.3f; who has, leaves in the next month: %.3f\n", monthly.Survival(6), monthly.Leaves(6, 1))
	// Output:
	// period=1-3    -2.041 (0.257)
	// period=4-6    -1.292 (0.303)
	// period=7+      0.206 (0.394)
	// plan=yearly   -1.196 (0.351)
	// stays a half year: 0.335; who has, leaves in the next month: 0.551
}

func ExamplePersonPeriods() {
	periods, err := risk.PersonPeriods([]ledger.Tenure{{Duration: 3, Ended: true}, {Duration: 2.5}}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for p := range periods {
		fmt.Println(p.Row, p.Period, p.Left)
	}
	// Output:
	// 0 1 false
	// 0 2 false
	// 0 3 true
	// 1 1 false
	// 1 2 false
}

func ExampleAUC() {
	a, err := risk.AUC([]float64{.1, .2, .3, .4, .5, .7, .8, .9}, []bool{false, true, false, true, false, true, false, true})
	if err != nil {
		fmt.Println(err)
		return
	}
	lower, upper, err := a.Interval(0.95)
	fmt.Printf("%.3f, %.3f to %.3f %v\n", a.Value, lower, upper, err)
	// Output:
	// 0.625, 0.178 to 1.000 <nil>
}

func ExampleCompareAUC() {
	left := []bool{false, true, false, true, false, true, false, true}
	c, err := risk.CompareAUC([]float64{.1, .2, .3, .4, .5, .7, .8, .9}, []float64{.2, .6, .1, .8, .3, .7, .4, .5}, left)
	fmt.Printf("%.3f against %.3f, p %.3f %v\n", c.First.Value, c.Second.Value, c.P, err)
	// Output:
	// 0.625 against 1.000, p 0.100 <nil>
}

func ExampleRanking_Gains() {
	scores := []float64{9, 8, 7, 7, 5, 4, 3, 3, 2, 1}
	left := []bool{true, true, false, true, false, false, true, false, false, false}
	r, err := risk.NewRanking(scores, left, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := r.Gains(5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	fmt.Printf("KS %.3f, average precision %.3f, lift of the best 10 %%: %.2f\n", r.KS().Value, r.AveragePrecision(), r.Lift(0.1))
	// Output:
	// part  customers  left  rate  lift  targeted  gain  cumulative_lift  lowest
	//    1          2     2     1   2.5       0.2   0.5              2.5       8
	//    2          2     1   0.5  1.25       0.4  0.75            1.875       7
	//    3          2     0     0     0       0.6  0.75             1.25       4
	//    4          2     1   0.5  1.25       0.8     1             1.25       3
	//    5          2     0     0     0         1     1                1       1
	// KS 0.583, average precision 0.812, lift of the best 10 %: 2.50
}

func ExampleRanking_ROC() {
	r, err := risk.NewRanking([]float64{.9, .7, .7, .2}, []bool{true, true, false, false}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r.ROC())
	fmt.Print(r.PR())
	// Output:
	// threshold  false_positive_rate  true_positive_rate  targeted
	//         -                    0                   0         0
	//       0.9                    0                 0.5      0.25
	//       0.7                  0.5                   1      0.75
	//       0.2                    1                   1         1
	// threshold  recall  precision
	//       0.9     0.5          1
	//       0.7       1   0.666667
	//       0.2       1        0.5
}

func ExampleRanking_At() {
	r, err := risk.NewRanking([]float64{.9, .7, .7, .2}, []bool{true, true, false, false}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := r.At(.7)
	fmt.Printf("precision %.2f, recall %.2f, F1 %.2f\n", c.Precision(), c.Recall(), c.F1())
	// Output:
	// precision 0.67, recall 1.00, F1 0.80
}

func ExampleRanking_ExpectedMaxProfit() {
	scores := []float64{.1, .2, .3, .4, .5, .7, .8, .9}
	left := []bool{false, true, false, true, false, true, false, true}
	r, err := risk.NewRanking(scores, left, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := risk.TelecomCampaign("EUR")
	if err != nil {
		fmt.Println(err)
		return
	}
	expected, err := r.ExpectedMaxProfit(c, risk.TelecomAcceptance())
	fmt.Println(expected, err)
	best, err := r.MaxProfit(c, 0.3)
	fmt.Println(best, "from score", best.Threshold, err)
	// Output:
	// EUR 23.8756 per customer, contacting 0.87437 of them <nil>
	// EUR 23.875 per customer, contacting 0.875 of them from score 0.2 <nil>
}

func ExampleCampaign_BreakEvenRisk() {
	c := risk.Campaign{Value: money.MustParse("200", "USD"), Incentive: money.MustParse("10", "USD"), Contact: money.MustParse("1", "USD")}
	p, err := c.BreakEvenRisk(0.3)
	fmt.Printf("%.3f %v\n", p, err)
	// Output:
	// 0.164 <nil>
}

func ExampleContacts() {
	prospects := []risk.Prospect{
		{Customer: "Ada", Risk: 0.8, Value: money.MustParse("300", "USD")},
		{Customer: "Bo", Risk: 0.9, Value: money.MustParse("10", "USD")},   // leaves, but is not worth the call
		{Customer: "Cy", Risk: 0.01, Value: money.MustParse("500", "USD")}, // stays anyway
		{Customer: "Di", Risk: 0.4, Value: money.MustParse("300", "USD")},
	}
	list, err := risk.Contacts(prospects, risk.ContactOptions{Contact: money.MustParse("2", "USD"), Incentive: money.MustParse("10", "USD"), Accept: 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(list)
	if err := list.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rank  customer  risk  value       saved      cost      gain
	//    1  Ada        0.8  USD 300.00  USD 72.00  USD 6.40  USD 65.60
	//    2  Di         0.4  USD 300.00  USD 36.00  USD 9.20  USD 26.80
	// 2 of 4 customers: saved USD 108.00, cost USD 15.60, gain USD 92.40, 0.36 expected to stay because of it
	// rank,customer,risk,value,saved,cost,gain,currency
	// 1,Ada,0.8,300.00,72.00,6.40,65.60,USD
	// 2,Di,0.4,300.00,36.00,9.20,26.80,USD
}

func ExampleNewForecast() {
	probabilities := []float64{.1, .2, .3, .4, .5, .7, .8, .9}
	left := []bool{false, true, false, true, false, true, false, true}
	f, err := risk.NewForecast(probabilities, left, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := f.Brier(&risk.Bins{Count: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Brier %.5f, skill %.3f, reliability %.4f, log loss %.4f\n", b.Value, b.Skill, b.Reliability, f.LogLoss())
	c, err := f.Calibration(context.Background(), &risk.Bins{Count: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(c)
	fmt.Printf("intercept %.3f, slope %.3f\n", c.Intercept, c.Slope)
	h, err := f.HosmerLemeshow(&risk.Bins{Count: 4}, false)
	fmt.Printf("Hosmer-Lemeshow %.3f, p %.3f %v\n", h.Statistic, h.P, err)
	// Output:
	// Brier 0.26125, skill -0.045, reliability 0.0566, log loss 0.7190
	// low  high  customers  left  predicted  observed  observed_lower  observed_upper
	// 0.1   0.4          4     2       0.25       0.5        0.150039        0.849961
	// 0.5   0.9          4     2      0.725       0.5        0.150039        0.849961
	// intercept 0.071, slope 0.405
	// Hosmer-Lemeshow 4.124, p 0.389 <nil>
}

func ExampleFitPlatt() {
	scores := []float64{-2, -1, -1, 0, 0, 1, 1, 2, 3}
	left := []bool{false, false, true, false, true, false, true, true, true}
	m, err := risk.FitPlatt(context.Background(), scores, left, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f %.3f\n", m.Probability(0), m.Probability(2))
	// Output:
	// 0.516 0.750
}

func ExampleFitIsotonic() {
	scores := []float64{-2, -1, -1, 0, 0, 1, 1, 2, 3}
	left := []bool{false, false, true, false, true, false, true, true, true}
	m, err := risk.FitIsotonic(scores, left, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := risk.Calibrate(m, []float64{-5, -1, 0.5, 1.5, 9})
	fmt.Println(p, err)
	// Output:
	// [0 0.5 0.5 0.75 1] <nil>
}

func ExampleNewDesign() {
	d, err := risk.NewDesign(risk.Numeric("tickets", []float64{2, 0}), risk.Indicator("auto_renew", []bool{true, false}),
		risk.Categorical("plan", []string{"pro", "basic"}, "basic"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Columns(), d.Row(0))
	_, err = risk.NewDesign(risk.Categorical("plan", []string{"pro", ""}, ""))
	fmt.Println(err)
	// Output:
	// [tickets auto_renew plan=pro] [2 1 1]
	// risk: row 2: field "plan": value "": missing value
}
