package clv_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// giftShop draws the orders of a shop whose customers buy twice as often in December.
func giftShop(c *clv.Calendar, from, end time.Time) []ledger.Transaction {
	m := clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: 1, Alpha: 60, S: 0.8, Beta: 150}, Terms: c.Terms(), Effects: []clv.Effect{
		{Param: "Alpha", Coefficients: []float64{0.7}}, {Param: "Beta", Coefficients: []float64{0}}}}
	r := rand.New(rand.NewPCG(1, 2))
	var orders []ledger.Transaction
	for i := range 800 {
		id, first := fmt.Sprintf("c%03d", i), from.AddDate(0, 0, r.IntN(180))
		path, err := c.Path(id, first, clv.Day)
		if err != nil {
			log.Fatal(err)
		}
		orders = append(orders, ledger.Transaction{Customer: id, At: first})
		for _, t := range m.Along(path).RandTimes(r, end.Sub(first).Hours()/24) {
			orders = append(orders, ledger.Transaction{Customer: id, At: first.AddDate(0, 0, int(t))})
		}
	}
	return orders
}

// From orders and a calendar to forecasts that know of the season to come.
func ExampleFitDynamicParetoNBD() {
	ctx := context.Background()
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	// A season that is the same for all customers, until the end of the next year: the forecasts need it.
	rows := []clv.CalendarRow{{Name: "december"}}
	for year := 2023; year <= 2025; year++ {
		rows = append(rows, clv.CalendarRow{Name: "december", From: day(year, 12, 1), Value: 1}, clv.CalendarRow{Name: "december", From: day(year+1, 1, 1)})
	}
	calendar, err := clv.NewCalendar(ctx, calendarRows(rows...), &clv.CalendarOptions{Until: day(2026, 1, 1)})
	if err != nil {
		log.Fatal(err)
	}
	end := day(2025, 6, 30)
	orders := giftShop(calendar, day(2023, 7, 1), end)

	hs, design, err := clv.SummarizeDynamic(ctx, ledger.Transactions(orders), calendar, end, clv.Week, nil)
	if err != nil {
		log.Fatal(err)
	}
	e, err := clv.FitDynamicParetoNBD(ctx, hs, design, &clv.CovOptions{On: map[string][]string{"Beta": {}}})
	if err != nil {
		log.Fatal(err)
	}
	effect := e.Params[4]
	fmt.Printf("%s %.1f, standard error %.2f\n", effect.Name, effect.Value, effect.StdErr)
	for _, weeks := range []float64{13, 26} {
		total := 0.0
		for p, err := range clv.PredictDynamic(ctx, e, hs, design, &clv.PredictOptions{Horizon: weeks}) {
			if err != nil {
				log.Fatal(err)
			}
			total += p.Purchases
		}
		fmt.Printf("%.0f orders in the next %.0f weeks\n", total, weeks)
	}
	// Output:
	// Alpha.december 0.7, standard error 0.04
	// 268 orders in the next 13 weeks
	// 579 orders in the next 26 weeks
}

// Rows of a file: who got a mailing, and when.
func ExampleNewCalendar() {
	ctx := context.Background()
	file := strings.NewReader("customer,name,from,until,value\n" +
		"ann,mailing,2025-03-03,2025-03-10,1\n" +
		"ann,mailing,2025-03-10,,0\n" +
		"ann,mailing,2025-01-01,2025-03-03,0\n" +
		",mailing,2025-01-01,,0\n")
	calendar, err := clv.NewCalendar(ctx, clv.ReadCalendar(ctx, file, nil), &clv.CalendarOptions{Until: time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		log.Fatal(err)
	}
	for _, customer := range []string{"ann", "bob"} {
		path, err := calendar.Path(customer, time.Date(2025, 2, 24, 0, 0, 0, 0, time.UTC), clv.Day)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(customer, path.Starts, path.Rows, "known for", path.End, "days")
	}
	// Output:
	// ann [0 7 14] [[0] [1] [0]] known for 127 days
	// bob [0] [[0]] known for 127 days
}

// One customer under two plans for the weeks to come.
func ExampleDynamicParetoNBD_Along() {
	m := clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: 0.6, Alpha: 10, S: 0.6, Beta: 12}, Terms: clv.Terms{{Name: "discount"}},
		Effects: []clv.Effect{{Param: "Alpha", Coefficients: []float64{3}}, {Param: "Beta", Coefficients: []float64{-1}}}}
	h := clv.History{X: 3, TX: 30, T: 40}
	plain := clv.Path{Starts: []float64{0}, Rows: [][]float64{{0}}}
	campaign := clv.Path{Starts: []float64{0, 42, 46}, Rows: [][]float64{{0}, {0.20}, {0}}} // 20 % off in weeks 42 to 45
	fmt.Printf("%.3f purchases without, %.3f with\n",
		m.Along(plain).ExpectedPurchases(h, 13), m.Along(campaign).ExpectedPurchases(h, 13))
	// Output:
	// 0.721 purchases without, 0.913 with
}
