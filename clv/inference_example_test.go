package clv_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
)

// members draws customers of a shop, some of whom are members of its club and buy half as often again.
func members() (*clv.Histories, []string) {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &clv.Histories{Unit: clv.Week}
	var club []string
	for i := range 600 {
		m, card := clv.BGNBD{R: 0.8, Alpha: 6, A: 0.8, B: 2.5}, "none"
		if i%3 == 0 {
			m.Alpha, card = 4, "gold"
		}
		h := m.Rand(r, 52)
		h.Customer = fmt.Sprintf("c%03d", i)
		hs.Rows, club = append(hs.Rows, h), append(club, card)
	}
	return hs, club
}

func ExampleProbAliveInterval() {
	hs, _ := members()
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	quiet := clv.History{X: 6, TX: 30, T: 52}
	alive, err := clv.ProbAliveInterval(e, quiet, 0.95)
	if err != nil {
		log.Fatal(err)
	}
	year, err := clv.ExpectedPurchasesInterval(e, quiet, 52, 0.95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("alive %.2f, between %.2f and %.2f\n", alive.Value, alive.Low, alive.High)
	fmt.Printf("purchases next year %.1f, between %.1f and %.1f\n", year.Value, year.Low, year.High)
	// Output:
	// alive 0.26, between 0.22 and 0.31
	// purchases next year 1.3, between 1.0 and 1.6
}

func ExampleDeltaInterval() {
	hs, _ := members()
	e, err := clv.FitBGNBD(context.Background(), hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	leave, err := clv.DeltaInterval(e, func(m clv.BGNBD) float64 { return m.A / (m.A + m.B) }, fit.Logit, 0.95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("after a purchase %.3f leave, between %.3f and %.3f\n", leave.Value, leave.Low, leave.High)
	// Output:
	// after a purchase 0.224 leave, between 0.187 and 0.265
}

func ExampleBootstrap() {
	ctx := context.Background()
	hs, _ := members()
	e, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	draws, err := clv.Bootstrap(ctx, e, hs, clv.FitBGNBD, &clv.BootstrapOptions{Samples: 100, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	year, err := draws.Interval(func(m clv.BGNBD) float64 { return m.NewCustomerPurchases(52) }, 0.9)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a new customer's first year: %.1f, between %.1f and %.1f; %d refits failed\n", year.Value, year.Low, year.High, draws.Failed)
	// Output:
	// a new customer's first year: 3.6, between 3.3 and 4.0; 0 refits failed
}

func ExampleProfileIntervals() {
	ctx := context.Background()
	hs, _ := members()
	e, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	profile, err := clv.ProfileIntervals(ctx, e, hs, 0.95, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range profile {
		fmt.Printf("%s %.2f, between %.2f and %.2f\n", p.Name, p.Interval.Value, p.Interval.Low, p.Interval.High)
	}
	// Output:
	// R 0.76, between 0.66 and 0.88
	// Alpha 4.94, between 4.03 and 6.03
	// A 0.81, between 0.56 and 1.25
	// B 2.81, between 1.70 and 5.03
}

func ExampleFitMAP() {
	hs, _ := members()
	few := &clv.Histories{Unit: hs.Unit, Rows: hs.Rows[:25]}
	e, err := clv.FitMAP(context.Background(), clv.ParetoNBD{}, few, clv.Prior{
		"R": clv.LogNormal(1, 0.7), "Alpha": clv.LogNormal(6, 0.7), // as in the year before
		"S": clv.LogNormal(1, 1), "Beta": clv.LogNormal(20, 1),
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range e.Params {
		fmt.Printf("%s %.2f +- %.2f\n", p.Name, p.Value, p.StdErr)
	}
	// Output:
	// R 1.14 +- 0.38
	// Alpha 8.42 +- 3.18
	// S 0.78 +- 0.45
	// Beta 26.32 +- 20.18
}

func ExampleFitCovBGNBD() {
	ctx := context.Background()
	hs, club := members()
	design, err := clv.NewDesign(clv.Categorical("club", club, "none"))
	if err != nil {
		log.Fatal(err)
	}
	plain, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	e, err := clv.FitCovBGNBD(ctx, hs, design, &clv.CovOptions{On: map[string][]string{"A": nil, "B": nil}})
	if err != nil {
		log.Fatal(err)
	}
	effect := e.Params[4]
	fmt.Printf("%s %.2f +- %.2f\n", effect.Name, effect.Value, effect.StdErr)
	lr, err := fit.Test(plain.Summary(), e.Summary())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("likelihood ratio %.1f, p %.4f\n", lr.Statistic, lr.P)
	for _, card := range []string{"none", "gold"} {
		row, err := e.Model.Terms.Row(clv.Attributes{Levels: map[string]string{"club": card}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("first year of a new customer, club %s: %.1f\n", card, e.Model.For(row).NewCustomerPurchases(52))
	}
	// Output:
	// Alpha.club=gold 0.46 +- 0.12
	// likelihood ratio 14.1, p 0.0002
	// first year of a new customer, club none: 3.3
	// first year of a new customer, club gold: 4.3
}

// Models of the same customers are compared by their criteria, nested ones tested by their likelihoods.
func ExampleFitNBD_comparison() {
	ctx := context.Background()
	hs, _ := members()
	nbd, err := clv.FitNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	bg, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	pareto, err := clv.FitParetoNBD(ctx, hs, nil)
	if err != nil {
		log.Fatal(err)
	}
	table, err := fit.Compare(nbd.Summary(), bg.Summary(), pareto.Summary())
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range table {
		fmt.Printf("%s: AIC %.0f, BIC %.0f\n", s.Kind, s.AIC(), s.BIC())
	}
	lr, err := fit.Test(nbd.Summary(), pareto.Summary()) // the NBD is a Pareto/NBD whom nobody leaves
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("NBD against Pareto/NBD: ratio %.0f with %d degrees, p %.3f\n", lr.Statistic, lr.DF, lr.P)
	// Output:
	// bgnbd: AIC 13768, BIC 13785
	// paretonbd: AIC 13901, BIC 13919
	// nbd: AIC 14564, BIC 14573
	// NBD against Pareto/NBD: ratio 667 with 2 degrees, p 0.000
}
