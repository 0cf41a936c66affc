package experiment_test

import (
	"context"
	"fmt"
	"time"

	"github.com/custval/custval/cac/experiment"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func ExampleAnalyzeValues() {
	arms := []experiment.Arm{
		{Name: "control", Values: []float64{12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15}, Before: []float64{10, 0, 25, 40, 5, 15, 20, 50, 0, 12}},
		{Name: "voucher", Values: []float64{20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18}, Before: []float64{14, 2, 24, 41, 9, 16, 22, 55, 1, 11}},
	}
	r, err := experiment.AnalyzeValues(context.Background(), arms, &experiment.Options{Currency: "USD", Population: 10000, Shares: []float64{1, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	fmt.Println(r.Uplifts[0].Effect)
	// Output:
	// arm      customers  buyers  value per customer
	// control         10       7           USD 20.30
	// voucher         10       8           USD 26.45
	//
	// uplift of  per customer       low      high  relative         p  significant      in total
	// voucher        USD 3.83  USD 1.42  USD 6.24     17.8%  0.003683          yes  USD 38287.00
	// +3.8287 (95%: +1.41694 to +6.24046), p = 0.003683, CUPED, Welch's t
}

func ExampleAnalyzeRates() {
	arms := []experiment.RateArm{
		{Name: "control", Rate: experiment.Rate{Conversions: 200, Customers: 10000}},
		{Name: "new page", Rate: experiment.Rate{Conversions: 250, Customers: 10000}},
	}
	r, err := experiment.AnalyzeRates(context.Background(), arms, &experiment.Options{Value: usd("320")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	// Output:
	// arm       customers  conversions   rate    low   high    best  expected loss
	// control       10000          200  2.00%  1.74%  2.29%   0.86%        0.00501
	// new page      10000          250  2.50%  2.21%  2.82%  99.14%       6.02e-06
	//
	// uplift of  difference    low   high  relative        p  significant  per customer      in total
	// new page        0.50%  0.09%  0.91%     25.0%  0.01713          yes      USD 1.60  USD 16000.00
}

func ExampleWelch() {
	control, _ := experiment.SampleOfSums(3407, 1396.87, 52377.9767)
	treatment, _ := experiment.SampleOfSums(3461, 2422.70, 134698.29)
	e, err := experiment.Welch(control, treatment, 0.95)
	fmt.Println(e, err)
	e, err = experiment.WelchRelative(control, treatment, 0.95)
	fmt.Println(e, err)
	// Output:
	// +0.29 (95%: +0.0453779 to +0.534622), p = 0.02016, Welch's t <nil>
	// +70.73% (95%: -3.53% to +144.99%), p = 0.06191, Welch's t, relative by the delta method <nil>
}

func ExampleCUPED() {
	control := experiment.Paired{Values: []float64{12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15}, Before: []float64{10, 0, 25, 40, 5, 15, 20, 50, 0, 12}}
	treatment := experiment.Paired{Values: []float64{20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18}, Before: []float64{14, 2, 24, 41, 9, 16, 22, 55, 1, 11}}
	a, err := experiment.CUPED(control, treatment, 0.95)
	fmt.Println(a.Effect, err)
	fmt.Printf("variance explained: %.1f%%\n", 100*a.Reduction)
	// Output:
	// +3.8287 (95%: +1.41694 to +6.24046), p = 0.003683, CUPED, Welch's t <nil>
	// variance explained: 98.6%
}

func ExampleCompareRatios() {
	// revenue and orders of each customer
	control, _ := experiment.RatioOf([]float64{20, 0, 35, 50, 10}, []float64{1, 0, 2, 2, 1})
	treatment, _ := experiment.RatioOf([]float64{44, 0, 20, 61, 12}, []float64{2, 0, 1, 2, 1})
	fmt.Printf("%.2f and %.2f an order\n", control.Ratio(), treatment.Ratio())
	fmt.Println(experiment.CompareRatios(control, treatment, 0.95))
	// Output:
	// 19.17 and 22.83 an order
	// +3.66667 (95%: -6.90627 to +14.2396), p = 0.4443, delta method of a ratio, Welch's t <nil>
}

func ExampleNewcombe() {
	fmt.Println(experiment.Newcombe(experiment.Rate{Conversions: 48, Customers: 80}, experiment.Rate{Conversions: 56, Customers: 70}, 0.95))
	// Output:
	// +0.2 (95%: +0.0524315 to +0.333873), p = 0.008045, Newcombe's score interval, pooled z <nil>
}

func ExampleBeliefs() {
	b, err := experiment.Beliefs(experiment.Beta{}, experiment.Rate{Conversions: 200, Customers: 10000}, experiment.Rate{Conversions: 250, Customers: 10000})
	fmt.Printf("%.4f %.2g %v\n", b[1].ProbBest, b[1].ExpectedLoss, err)
	// Output: 0.9914 6e-06 <nil>
}

func ExampleBootstrap() {
	control := []float64{12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15}
	treatment := []float64{20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18}
	r, err := experiment.Bootstrap(context.Background(), control, treatment, &experiment.BootstrapOptions{Resamples: 5000, Seed: 7})
	fmt.Println(r, err)
	// Output:
	// +6.15 (95%: BCa -11.0558 to +24.45, percentile -11.3 to +24.15), 5000 resamples, seed 7 <nil>
}

func ExampleSequential() {
	control, _ := experiment.SampleOfSums(3407, 1396.87, 52377.9767)
	treatment, _ := experiment.SampleOfSums(3461, 2422.70, 134698.29)
	fmt.Println(experiment.Sequential(control, treatment, 5000, 0.95))
	// Output:
	// +0.29 (95%: -0.0894101 to +0.66941), p = 0.2907, asymptotic confidence sequence <nil>
}

func ExampleSampleRatio() {
	fmt.Println(experiment.SampleRatio([]int{50420, 49580}, []float64{0.5, 0.5}))
	fmt.Println(experiment.SampleRatio([]int{51420, 48580}, nil))
	// Output:
	// sample ratio: chi-squared 7.056 on 1 degrees of freedom, p = 0.0079: as planned <nil>
	// sample ratio: chi-squared 80.66 on 1 degrees of freedom, p = 2.686e-19: MISMATCH: do not trust the results <nil>
}

func ExampleSizeForRates() {
	n, err := experiment.SizeForRates(0.05, 0.06, experiment.Design{})
	fmt.Println(n.Control, n.Treatment, err)
	// Output: 8158 8158 <nil>
}

func ExampleSizeForMeans() {
	n, err := experiment.SizeForMeans(50, 5, experiment.Design{Power: 0.9, Formula: experiment.StudentTheory})
	fmt.Println(n.Control, err)
	// Output:
	// 2103 <nil>
}

func ExampleHolm() {
	fmt.Println(experiment.Holm([]float64{0.01, 0.04, 0.03, 0.005}))
	// Output:
	// [0.03 0.06 0.06 0.02] <nil>
}

func ExampleWinsorize() {
	arms, cut, err := experiment.Winsorize(0.9, []float64{0, 10, 20, 900}, []float64{0, 15, 25, 30, 35, 40, 45})
	fmt.Println(arms[0], cut, err)
	// Output:
	// [0 10 20 45] 45 <nil>
}

func ExampleArmsFromLog() {
	day := func(d int) time.Time { return time.Date(2025, time.March, d, 0, 0, 0, 0, time.UTC) }
	log := []ledger.Transaction{
		{Customer: "ann", At: day(1), Amount: usd("30")},
		{Customer: "ann", At: day(12), Amount: usd("50")},
		{Customer: "bob", At: day(14), Amount: usd("20")},
		{Customer: "bob", At: day(15), Amount: usd("-5")},
	}
	assigned := []experiment.Assignment{{Customer: "ann", Arm: "voucher", At: day(10)}, {Customer: "bob", Arm: "control", At: day(10)}, {Customer: "cem", Arm: "voucher", At: day(10)}}
	l, err := experiment.ArmsFromLog(context.Background(), ledger.Transactions(log), assigned, []string{"control", "voucher"}, day(31),
		&experiment.LogOptions{Window: 14 * 24 * time.Hour, Before: 30 * 24 * time.Hour})
	fmt.Println(l.Arms, l.Currency, err)
	// Output: [{control [15] [0]} {voucher [50 0] [30 0]}] USD <nil>
}
