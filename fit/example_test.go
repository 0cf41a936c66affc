package fit_test

import (
	"fmt"
	"math"

	"github.com/custval/custval/fit"
)

// summary is what Estimate.Summary returns of a fit to the 2,357 customers of CDNOW.
func summary(kind string, logLik float64, params ...string) fit.Summary {
	s := fit.Summary{Kind: kind, LogLik: logLik, Customers: 2357}
	for _, name := range params {
		s.Params = append(s.Params, fit.Param{Name: name})
	}
	return s
}

// Three models of the same customers, the best first; a weight is the support that the data give to each.
func ExampleCompare() {
	table, err := fit.Compare(
		summary("nbd", -9763.658, "R", "Alpha"),
		summary("paretonbd", -9594.976, "R", "Alpha", "S", "Beta"),
		summary("bgnbd", -9582.429, "R", "Alpha", "A", "B"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, weight := range table.Weights() {
		fmt.Printf("%s: AIC %.1f, weight %.3f\n", table[i].Kind, table[i].AIC(), weight)
	}
	// Output:
	// bgnbd: AIC 19172.9, weight 1.000
	// paretonbd: AIC 19198.0, weight 0.000
	// nbd: AIC 19531.3, weight 0.000
}

// NBD is Pareto/NBD without dropout: do customers leave at all?
func ExampleTest() {
	test, err := fit.Test(summary("nbd", -9763.658, "R", "Alpha"), summary("paretonbd", -9594.976, "R", "Alpha", "S", "Beta"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("chi-squared %.1f, %d degrees of freedom, leaving is certain: %t\n", test.Statistic, test.DF, test.P < 1e-6)
	// Output: chi-squared 337.4, 2 degrees of freedom, leaving is certain: true
}

// A parameter that must be positive has a positive interval.
func ExampleEstimate_Interval() {
	e := fit.Estimate[struct{}]{
		Params: []fit.Param{{Name: "Rate", Value: 0.5, StdErr: 0.4, Scale: fit.Log}},
		Cov:    [][]float64{{0.16}},
	}
	interval, err := e.Interval(0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	byHand := 0.5 * math.Exp(-1.959964*0.4/0.5)
	fmt.Printf("%.3f to %.3f; the lower end by hand %.3f\n", interval[0][0], interval[0][1], byHand)
	// Output: 0.104 to 2.398; the lower end by hand 0.104
}
