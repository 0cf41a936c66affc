package subscription_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// export is a table of subscriptions as a billing system has it.
const export = `customer,plan,price,currency,interval,quantity,start,end,reason
acme,team,20.00,USD,month,10,2025-01-15,2025-12-03,
acme,team,20.00,USD,month,12,2025-12-03,,
bolt,solo,120.00,USD,year,,2025-02-01,,
cozy,solo,12.00,USD,month,,2025-03-10,2025-12-10,voluntary
dune,team,20.00,USD,month,5,2025-12-20,,
`

func exampleBook() *subscription.Book {
	book, err := subscription.New(subscription.ReadCSV(context.Background(), strings.NewReader(export), nil))
	if err != nil {
		log.Fatal(err)
	}
	return book
}

func Example() {
	ctx := context.Background()
	book, err := subscription.New(subscription.ReadCSV(ctx, strings.NewReader(export), nil))
	if err != nil {
		log.Fatal(err)
	}
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now, err := book.At(end)
	if err != nil {
		log.Fatal(err)
	}
	dec, err := book.Period(ledger.Month(2025, time.December, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(now.MRR, now.ARR)
	fmt.Println(dec.NRR, dec.GRR, dec.LogoChurn, dec.Reasons)
	// Output:
	// USD 350.00 USD 4200.00
	// 112.61% 94.59% 33.33% voluntary 1 USD 12.00
}

func ExampleMonthly() {
	mrr, err := subscription.Monthly(money.MustParse("120", "USD"), subscription.Yearly)
	fmt.Println(mrr, err)
	mrr, err = subscription.Monthly(money.MustParse("20", "USD"), subscription.Weekly)
	fmt.Println(mrr, err)
	// Output:
	// USD 10.00 <nil>
	// USD 86.67 <nil>
}

func ExamplePolicy_Monthly() {
	weekly := money.MustParse("20", "USD")
	for _, p := range []subscription.Policy{subscription.Default(), subscription.RevenueCat(), subscription.PaddleClassic(), subscription.KillBill()} {
		mrr, err := p.Monthly(weekly, subscription.Weekly)
		fmt.Println(p.Name, mrr, err)
	}
	// Output:
	// default USD 86.67 <nil>
	// revenuecat USD 80.00 <nil>
	// paddle-classic USD 86.60 <nil>
	// killbill USD 0.00 <nil>
}

func ExampleRevenueChurn() {
	gone, err := subscription.RevenueChurn(money.MustParse("500", "USD"), money.MustParse("10000", "USD"))
	fmt.Println(gone, err)
	_, err = subscription.RevenueChurn(money.MustParse("500", "USD"), money.MustParse("0", "USD"))
	fmt.Println(err)
	// Output:
	// 0.05 <nil>
	// subscription: revenue churn: the base is zero: undefined
}

func ExampleRenewalRate() {
	kept, err := subscription.RenewalRate(45, 50)
	fmt.Println(kept, err)
	// Output: 0.9 <nil>
}

func ExampleLTV() {
	value, err := subscription.LTV(money.MustParse("100", "USD"), 0.8, 0.05)
	fmt.Println(value, err)
	// Output: USD 1600.00 <nil>
}

func ExampleBook_RollForward() {
	months := ledger.Months(time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	table, err := exampleBook().RollForward(context.Background(), months)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(table)
	// Output:
	// MRR in USD, policy default
	// period   opening     new  reactivation  expansion  contraction  churn    fx  closing  customers      NRR      GRR  logo churn
	// 2025-10   222.00    0.00          0.00       0.00         0.00   0.00  0.00   222.00          3  100.00%  100.00%       0.00%
	// 2025-11   222.00    0.00          0.00       0.00         0.00   0.00  0.00   222.00          3  100.00%  100.00%       0.00%
	// 2025-12   222.00  100.00          0.00      40.00         0.00  12.00  0.00   350.00          3  112.61%   94.59%      33.33%
}

func ExampleBook_With() {
	book := exampleBook()
	dec := ledger.Month(2025, time.December, time.UTC)
	for _, p := range []subscription.Policy{subscription.Default(), subscription.RevenueCat()} {
		r, err := book.With(p).Period(dec)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Policy.Name, r.Policy.Grain, r.LogoChurn)
	}
	// Output:
	// default customer 33.33%
	// revenuecat subscription 33.33%
}

func ExampleBook_Log() {
	movements, err := exampleBook().Log(context.Background(), []ledger.Period{ledger.Month(2025, time.December, time.UTC)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(movements)
	// Output:
	// at                customer       kind  change   after     reason
	// 2025-12-03 00:00      acme  expansion   40.00  240.00
	// 2025-12-10 00:00      cozy      churn  -12.00    0.00  voluntary
	// 2025-12-20 00:00      dune        new  100.00  100.00
}

func ExampleBook_By() {
	plans, err := exampleBook().By(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), subscription.Plans())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plans)
	// Output:
	// MRR in USD at 2026-01-01T00:00:00Z, policy default
	// plan      MRR  customers   share
	// solo    10.00          1   2.86%
	// team   340.00          2  97.14%
	// total  350.00
}

func ExampleBook_Cohorts() {
	quarters := subscription.Quarters(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	cohorts, err := exampleBook().Cohorts(context.Background(), quarters)
	if err != nil {
		log.Fatal(err)
	}
	last := cohorts.Rows[0].Cells[3]
	fmt.Println(cohorts.Rows[0].Size, last.MRR, last.Retention)
	// Output: 3 USD 250.00 112.61%
}

func ExampleBook_Renewals() {
	term := []subscription.Term{{End: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}}
	row := func(customer string, to time.Time) subscription.Row {
		return subscription.Row{Customer: customer, Price: money.MustParse("1200", "USD"), Interval: subscription.Yearly,
			From: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC), To: to, Terms: term}
	}
	book, err := subscription.New(subscription.Rows([]subscription.Row{row("acme", time.Time{}), row("bolt", term[0].End)}))
	if err != nil {
		log.Fatal(err)
	}
	r, err := book.Renewals(ledger.Month(2026, time.February, time.UTC), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Due, r.Renewed, r.Lost, r.Rate, r.Gross)
	// Output: 2 1 1 50.00% 50.00%
}

func ExampleBook_Upcoming() {
	row := subscription.Row{Customer: "acme", Price: money.MustParse("100", "USD"), Interval: subscription.EveryMonth,
		From: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC), CancelRequested: time.Date(2025, 12, 24, 0, 0, 0, 0, time.UTC),
		Terms: []subscription.Term{{End: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}}}
	book, err := subscription.New(subscription.Rows([]subscription.Row{row}))
	if err != nil {
		log.Fatal(err)
	}
	u, err := book.Upcoming(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ledger.Month(2026, time.February, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(u.Due, u.MRR, u.AtRisk)
	// Output: 1 USD 100.00 USD 100.00
}

func ExampleBook_Tenures() {
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tenures, err := exampleBook().Tenures(context.Background(), end, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tenures {
		fmt.Printf("%s %v %v %q\n", t.Customer, t.Duration, t.Ended, t.Reason)
	}
	// Output:
	// acme 351 false ""
	// bolt 334 false ""
	// cozy 275 true "voluntary"
	// dune 12 false ""
}

func ExampleBook_Forecast() {
	f, err := exampleBook().Forecast(context.Background(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 2, geometric(0.5),
		&subscription.ForecastOptions{New: money.MustParse("100", "USD")})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range f.Periods {
		fmt.Println(p.Period, p.Existing, p.New, p.MRR)
	}
	// Output:
	// 2026-01 USD 175.00 USD 100.00 USD 275.00
	// 2026-02 USD 87.50 USD 150.00 USD 237.50
}

// geometric keeps the same share every month.
type geometric float64

func (g geometric) Survival(t float64) float64 {
	share := 1.0
	for range int(t) {
		share *= float64(g)
	}
	return share
}

func ExampleProject() {
	a := subscription.Assumptions{New: money.MustParse("100", "USD"), Churn: 0.05}
	base, err := subscription.Project(money.MustParse("1000", "USD"), 2, a, subscription.Scenario{})
	if err != nil {
		log.Fatal(err)
	}
	rise, err := subscription.Project(money.MustParse("1000", "USD"), 2, a, subscription.Scenario{Name: "10 % dearer", Price: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	gain, err := rise.Less(base)
	fmt.Println(base.Periods[1].Closing, rise.Periods[1].Closing, gain[1], err)
	// Output: USD 1097.50 USD 1207.25 USD 109.75 <nil>
}

func ExampleFold() {
	day := func(d int) time.Time { return time.Date(2025, 3, d, 0, 0, 0, 0, time.UTC) }
	events := []subscription.Event{
		{At: day(1), Kind: subscription.Start, Subscription: "s1", Customer: "acme", Plan: "solo", Price: money.MustParse("12", "USD"), Interval: subscription.EveryMonth},
		{At: day(10), Kind: subscription.Change, Subscription: "s1", Plan: "team", Price: money.MustParse("20", "USD"), Interval: subscription.EveryMonth},
		{At: day(20), Kind: subscription.End, Subscription: "s1", Reason: subscription.Involuntary},
	}
	book, err := subscription.New(subscription.Fold(ledger.Slice(events)))
	if err != nil {
		log.Fatal(err)
	}
	march, err := book.Period(ledger.Month(2025, time.March, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(march.New, march.Expansion, march.Churn, march.Reasons)
	// Output: USD 12.00 USD 8.00 USD 20.00 involuntary 1 USD 20.00
}

func ExampleJoin() {
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	contracts := []subscription.Contract{{ID: "s1", Customer: "acme"}}
	items := []subscription.Item{
		{Subscription: "s1", Plan: "base", Price: money.MustParse("100", "USD"), Interval: subscription.EveryMonth, From: start},
		{Subscription: "s1", Plan: "seats", Price: money.MustParse("120", "USD"), Interval: subscription.Yearly, Quantity: 3, From: start},
	}
	book, err := subscription.New(subscription.Join(contracts, items))
	if err != nil {
		log.Fatal(err)
	}
	s, err := book.At(start)
	fmt.Println(s.MRR, s.Customers, s.Items, err)
	// Output: USD 130.00 1 2 <nil>
}

func ExampleNewBalances() {
	const snapshots = "customer,at,mrr,currency\nacme,2025-11-30,100,USD\nbolt,2025-11-30,50,USD\nacme,2025-12-31,120,USD\n"
	b, err := subscription.NewBalances(subscription.ReadBalances(context.Background(), strings.NewReader(snapshots), nil))
	if err != nil {
		log.Fatal(err)
	}
	table, err := b.RollForward(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	r := table.Periods[0]
	fmt.Println(r.Opening, r.Expansion, r.Churn, r.Closing, r.NRR)
	// Output: USD 150.00 USD 20.00 USD 50.00 USD 120.00 80.00%
}

func ExampleInvoiceLine_MRR() {
	june := ledger.Month(2025, time.June, time.UTC)
	upgrade := subscription.InvoiceLine{Customer: "acme", Amount: money.MustParse("125", "USD"), Interval: subscription.EveryMonth,
		ServiceStart: time.Date(2025, 6, 16, 0, 0, 0, 0, time.UTC), ServiceEnd: june.End, Full: june}
	mrr, err := upgrade.MRR(subscription.ChartMogul())
	fmt.Println(mrr, err)
	// Output: USD 250.00 <nil>
}

func ExampleMoneyRate() {
	dec, err := exampleBook().Period(ledger.Month(2025, time.December, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	nrr, err := dec.NRR.Value()
	fmt.Printf("%.4f %v: %s of %s\n", nrr, err, dec.NRR.Part, dec.NRR.Base)
	_, err = subscription.MoneyRate{}.Value()
	fmt.Println(err)
	// Output:
	// 1.1261 <nil>: USD 250.00 of USD 222.00
	// subscription: rate of 0 to 0: undefined
}

func ExampleInterval_From() {
	anchor := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
	for n := range 4 {
		fmt.Println(subscription.EveryMonth.From(anchor, n).Format(time.DateOnly))
	}
	// Output:
	// 2024-01-31
	// 2024-02-29
	// 2024-03-31
	// 2024-04-30
}

func ExampleBreakdown_WriteCSV() {
	plans, err := exampleBook().By(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), subscription.Plans())
	if err != nil {
		log.Fatal(err)
	}
	if err := plans.WriteCSV(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// plan,currency,mrr,customers,share,arpa
	// solo,USD,10.00,1,0.02857142857142857,10.00
	// team,USD,340.00,2,0.9714285714285714,170.00
}

func ExampleBook_Issues() {
	row := subscription.Row{Customer: "acme", Plan: "solo", Price: money.MustParse("12", "USD"), Interval: subscription.EveryMonth,
		From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	book, err := subscription.New(subscription.Rows([]subscription.Row{row, row}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(book.Issues()[0])
	// Output: row 2: customer "acme", subscription "acme": overlap with row 1
}

func ExampleBook_Trials() {
	start := time.Date(2025, 5, 10, 0, 0, 0, 0, time.UTC)
	row := func(customer string, to time.Time) subscription.Row {
		return subscription.Row{Customer: customer, Price: money.MustParse("12", "USD"), Interval: subscription.EveryMonth, From: start, To: to,
			Trial: ledger.Period{Start: start, End: start.AddDate(0, 0, 14)}}
	}
	book, err := subscription.New(subscription.Rows([]subscription.Row{row("acme", time.Time{}), row("bolt", start.AddDate(0, 0, 14))}))
	if err != nil {
		log.Fatal(err)
	}
	trials, err := book.Trials(ledger.Month(2025, time.May, time.UTC), subscription.TrialsStarted)
	fmt.Println(trials, err)
	// Output: trials started in 2025-05: 2, converted 1 (50.00%), lost 1, open 0 <nil>
}

func ExampleBook_Segments() {
	customers := []ledger.Customer{{ID: "acme", Channel: "ads"}, {ID: "bolt", Channel: "partner"}, {ID: "cozy", Channel: "ads"}, {ID: "dune", Channel: "partner"}}
	dec := []ledger.Period{ledger.Month(2025, time.December, time.UTC)}
	segments, err := exampleBook().Segments(context.Background(), ledger.By(customers, "channel"), dec)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range segments {
		p := s.Table.Periods[0]
		fmt.Println(s.Key, p.Opening, p.Closing, p.NRR)
	}
	// Output:
	// ads USD 212.00 USD 240.00 113.21%
	// partner USD 10.00 USD 110.00 100.00%
}
