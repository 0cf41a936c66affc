package clv_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/money"
)

func ExampleGGompertzNBD() {
	m := clv.GGompertzNBD{R: 0.55, Alpha: 10.6, B: 0.05, S: 0.6, Beta: 2}
	h := clv.History{X: 2, TX: 30.43, T: 38.86}
	fmt.Printf("P(alive) %.3f, purchases in 39 weeks %.3f\n", m.ProbAlive(h), m.ExpectedPurchases(h, 39))
	// The lifetime's hazard grows: in ten years nearly all have left.
	fmt.Printf("alive after 10 years %.2g\n", m.ProbAliveAt(clv.History{}, 520))
	// Output:
	// P(alive) 0.765, purchases in 39 weeks 0.942
	// alive after 10 years 2.5e-07
}

func ExampleFitGGompertzNBD() {
	m := clv.GGompertzNBD{R: 1.2, Alpha: 4, B: 0.15, S: 0.8, Beta: 20}
	r := rand.New(rand.NewPCG(1, 2))
	hs := &clv.Histories{Unit: clv.Week}
	for range 1000 {
		hs.Rows = append(hs.Rows, m.Rand(r, 20+60*r.Float64()))
	}
	e, err := clv.FitGGompertzNBD(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Stop, "with standard errors:", e.Cov != nil)
	// Output:
	// converged with standard errors: true
}

func ExampleBGBB() {
	// The donors of Fader, Hardie and Shang (2010), who may give once a year.
	m := clv.BGBB{Alpha: 1.204, Beta: 0.750, Gamma: 0.657, Delta: 2.783}
	h := clv.DiscreteHistory{X: 4, TX: 5, N: 6}
	fmt.Printf("there next year %.2f\n", m.ProbAlive(h))
	fmt.Printf("gifts in five years %.2f\n", m.ExpectedPurchases(h, 5))
	fmt.Printf("all future gifts at 10 %% a year %.2f\n", m.DERT(h, 0.10))
	// Output:
	// there next year 0.70
	// gifts in five years 2.03
	// all future gifts at 10 % a year 3.20
}

func ExampleFitBGBB() {
	data := []clv.DiscreteHistory{
		{X: 0, TX: 0, N: 3, Count: 500}, {X: 1, TX: 1, N: 3, Count: 150}, {X: 1, TX: 2, N: 3, Count: 60}, {X: 1, TX: 3, N: 3, Count: 50},
		{X: 2, TX: 2, N: 3, Count: 90}, {X: 2, TX: 3, N: 3, Count: 110}, {X: 3, TX: 3, N: 3, Count: 140},
	}
	e, err := clv.FitBGBB(context.Background(), data, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Customers, "customers, converged:", e.Stop)
	// Output:
	// 1100 customers, converged: converged
}

func ExamplePDO() {
	// Customers who may leave when a season of 13 weeks ends.
	m := clv.PDO{R: 0.55, Alpha: 10.6, A: 0.6, B: 2, Period: 13}
	for _, t := range []float64{12, 25, 38} {
		fmt.Printf("%.3f ", m.ProbAlive(clv.History{X: 2, TX: 11, T: t}))
	}
	fmt.Println()
	// Output:
	// 1.000 0.539 0.271
}

func ExampleFitPDO() {
	r := rand.New(rand.NewPCG(1, 2))
	m := clv.PDO{R: 1.2, Alpha: 6, A: 0.8, B: 5, Period: 4}
	hs := &clv.Histories{Unit: clv.Week}
	for range 2000 {
		hs.Rows = append(hs.Rows, m.Rand(r, 20+60*r.Float64()))
	}
	four, err := clv.FitPDO(context.Background(), hs, 4, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	thirteen, err := clv.FitPDO(context.Background(), hs, 13, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a period of 4 weeks is more likely than of 13:", four.LogLik > thirteen.LogLik)
	// Output:
	// a period of 4 weeks is more likely than of 13: true
}

func ExampleNormalNormal() {
	m := clv.NormalNormal{Mu: 30, Tau: 10, Sigma: 20}
	fmt.Println(m.Mean(0, 0))   // a new customer
	fmt.Println(m.Mean(4, 50))  // four purchases of 50 a piece: half way
	fmt.Println(m.Mean(1, -20)) // one that was sent back
	// Output:
	// 30
	// 40
	// 20
}

func ExampleFitNormalNormal() {
	r := rand.New(rand.NewPCG(1, 2))
	m := clv.NormalNormal{Mu: 30, Tau: 10, Sigma: 20}
	hs := &clv.Histories{Unit: clv.Week}
	for range 2000 {
		x := 1 + r.IntN(10)
		spend, err := money.FromFloat(m.Rand(r, x)*float64(x), "USD", money.HalfEven)
		if err != nil {
			fmt.Println(err)
			return
		}
		hs.Rows = append(hs.Rows, clv.History{X: x, TX: 1, T: 2, Spend: spend})
	}
	e, err := clv.FitNormalNormal(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Mu %.0f, Tau %.0f, Sigma %.0f\n", e.Model.Mu, e.Model.Tau, e.Model.Sigma)
	// Output:
	// Mu 30, Tau 10, Sigma 20
}
