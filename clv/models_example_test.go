package clv_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/custval/custval/clv"
)

// shop draws the customers of a shop, the way a Summarize of its orders would give them.
func shop(m clv.Model) *clv.Histories {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &clv.Histories{Unit: clv.Week}
	for i := range 2000 {
		h := m.Rand(r, 30+float64(i%40))
		h.Customer = fmt.Sprint("c", 1000+i)
		hs.Rows = append(hs.Rows, h)
	}
	return hs
}

// A customer who bought twice in 39 weeks, the last time 8 weeks ago, at the estimates from the CDNOW sample.
func ExampleParetoNBD() {
	m := clv.ParetoNBD{R: 0.553, Alpha: 10.578, S: 0.606, Beta: 11.669}
	h := clv.History{X: 2, TX: 30.43, T: 38.86}
	fmt.Printf("alive with probability %.3f, buys %.2f times in the next 39 weeks\n", m.ProbAlive(h), m.ExpectedPurchases(h, 39))
	fmt.Printf("a silent customer is alive with probability %.3f\n", m.ProbAlive(clv.History{T: 38.86}))
	// Output:
	// alive with probability 0.869, buys 1.46 times in the next 39 weeks
	// a silent customer is alive with probability 0.295
}

func ExampleNBD() {
	m := clv.NBD{R: 0.385, Alpha: 12.07}
	fmt.Printf("%.2f purchases in 39 weeks\n", m.ExpectedPurchases(clv.History{X: 2, TX: 30.43, T: 38.86}, 39))
	// Output: 1.83 purchases in 39 weeks
}

func ExampleMBGNBD() {
	m := clv.MBGNBD{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614}
	fmt.Printf("a silent customer is alive with probability %.3f\n", m.ProbAlive(clv.History{T: 38.86}))
	// Output: a silent customer is alive with probability 0.390
}

// Purchases every four weeks or so: eight weeks of silence tell more of a regular customer than of one who buys at
// random.
func ExampleBGCNBD() {
	h := clv.History{X: 8, TX: 32, T: 40}
	random := clv.BGCNBD{K: 1, R: 1, Alpha: 4, A: 1, B: 3}
	regular := clv.BGCNBD{K: 4, R: 1, Alpha: 1, A: 1, B: 3}
	fmt.Printf("alive with probability %.2f and %.2f\n", random.ProbAlive(h), regular.ProbAlive(h))
	// Output: alive with probability 0.62 and 0.37
}

func ExampleMBGCNBD() {
	m := clv.MBGCNBD{K: 2, R: 1.3292, Alpha: 2.8126, A: 0.4247, B: 0.7900}
	h := clv.History{X: 1, TX: 50.29, T: 52}
	fmt.Printf("%.2f purchases in the next year, at least one with probability %.2f\n", m.ExpectedPurchases(h, 52), m.ProbAnyPurchase(h, 52))
	// Output: 1.05 purchases in the next year, at least one with probability 0.60
}

func ExampleFitParetoNBD() {
	hs := shop(clv.ParetoNBD{R: 0.9, Alpha: 6, S: 0.7, Beta: 15})
	e, err := clv.FitParetoNBD(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range e.Params {
		fmt.Printf("%-5s %6.2f +- %.2f\n", p.Name, p.Value, p.StdErr)
	}
	// Output:
	// R       0.99 +- 0.07
	// Alpha   6.46 +- 0.42
	// S       0.62 +- 0.08
	// Beta   12.24 +- 2.82
}

// Choosing the regularity: the gaps between purchases are those of three phases.
func ExampleFitMBGCNBD() {
	hs := shop(clv.MBGCNBD{K: 3, R: 1.5, Alpha: 2, A: 0.6, B: 3})
	e, err := clv.FitMBGCNBD(context.Background(), hs, 0, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("K is", e.Model.K)
	// Output: K is 3
}

func ExampleFitBGCNBD() {
	hs := shop(clv.BGCNBD{K: 2, R: 1.5, Alpha: 3, A: 0.6, B: 3})
	e, err := clv.FitBGCNBD(context.Background(), hs, 2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a new customer buys %.1f times in the first year\n", e.Model.NewCustomerPurchases(52))
	// Output: a new customer buys 6.4 times in the first year
}

func ExampleFitMBGNBD() {
	hs := shop(clv.MBGNBD{R: 1.2, Alpha: 6, A: 0.6, B: 3})
	e, err := clv.FitMBGNBD(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a new customer buys %.1f times in the first year\n", e.Model.NewCustomerPurchases(52))
	// Output: a new customer buys 5.2 times in the first year
}

func ExampleFitNBD() {
	hs := shop(clv.NBD{R: 0.8, Alpha: 5})
	e, err := clv.FitNBD(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a new customer buys %.1f times in the first year\n", e.Model.NewCustomerPurchases(52))
	// Output: a new customer buys 8.4 times in the first year
}

func ExampleFitRegularity() {
	hs := shop(clv.BGCNBD{K: 3, R: 1.5, Alpha: 3, A: 0.6, B: 3})
	e, err := clv.FitRegularity(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("K = %.1f +- %.2f from %d customers\n", e.Model.K, e.Params[0].StdErr, e.Customers)
	// Output: K = 3.0 +- 0.04 from 1440 customers
}

// What a marketing department asks of one customer.
func ExampleForecaster() {
	var m clv.Forecaster = clv.ParetoNBD{R: 0.553, Alpha: 10.578, S: 0.606, Beta: 11.669}
	h := clv.History{X: 2, TX: 30.43, T: 38.86}
	fmt.Printf("still a customer in a year with probability %.2f\n", m.ProbAliveAt(h, 52))
	fmt.Printf("buys within 13 weeks with probability %.2f\n", m.ProbAnyPurchase(h, 13))
	fmt.Printf("exactly twice with probability %.2f\n", m.ConditionalPMF(h, 2, 13))
	fmt.Printf("the next purchase comes within %.0f weeks with probability 0.5\n", m.NextPurchaseQuantile(h, 0.5))
	fmt.Printf("a new customer skips the second year with probability %.2f\n", m.IntervalPMF(0, 52, 104))
	// Output:
	// still a customer in a year with probability 0.57
	// buys within 13 weeks with probability 0.37
	// exactly twice with probability 0.09
	// the next purchase comes within 24 weeks with probability 0.5
	// a new customer skips the second year with probability 0.80
}
