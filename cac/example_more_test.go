package cac_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Cost lines as a shop exports them: salaries accrue by days, a credit note is negative, clicks are paid per unit.
func ExampleReadCosts() {
	file := strings.NewReader(`amount,date,start,end,category,function,channel,charge,units
3000,2025-01-05,,,paid_media,marketing,ads,,
-500,2025-01-20,,,paid_media,marketing,ads,,
0.25,2025-01-31,,,paid_media,marketing,social,per_unit,1600
6000,,2025-01-16,2025-02-14,payroll,sales,,,
`)
	costs, err := ledger.Collect(cac.ReadCosts(context.Background(), file, &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	total, err := cac.TotalCost(costs)
	fmt.Println(len(costs), "lines,", total, err)
	january, err := costs[3].Accrued(ledger.Month(2025, time.January, nil)) // 16 of 30 days
	fmt.Println(january, err)
	// Output:
	// 4 lines, USD 8900.00 <nil>
	// USD 3200.00 <nil>
}

// The rules in the open: paid media and half of the payroll, shared by new customers, customers of refunded orders left
// out, commissions due for each customer.
func ExampleAnalyze() {
	jan := ledger.Month(2025, time.January, nil)
	costs := []cac.Cost{
		{Amount: usd("2000"), Date: day(2025, 1, 7), Category: cac.PaidMedia, Channel: "ads"},
		{Amount: usd("500"), Date: day(2025, 1, 7), Category: cac.PaidMedia, Channel: "social"},
		{Amount: usd("3100"), Period: jan, Category: cac.Payroll, Function: cac.Sales},
		{Amount: usd("15"), Charge: cac.PerCustomer, Category: cac.Commission, Function: cac.Sales},
		{Amount: usd("800"), Date: day(2025, 1, 7), Category: cac.Tools},
	}
	customers := []ledger.Customer{
		{ID: "1", Acquired: day(2025, 1, 8), Channel: "ads"}, {ID: "2", Acquired: day(2025, 1, 9), Channel: "ads"},
		{ID: "3", Acquired: day(2025, 1, 9), Channel: "social"}, {ID: "4", Acquired: day(2025, 1, 30), Channel: "social"},
	}
	t, err := cac.Analyze(context.Background(), costs, customers, &cac.Options{
		By:          cac.PerChannel,
		Periods:     []ledger.Period{jan},
		Basis:       cac.Basis{Name: "media, commission, half of payroll", Categories: []cac.Category{cac.PaidMedia, cac.Commission, cac.Payroll}, Shares: map[cac.Category]float64{cac.Payroll: 0.5}},
		Denominator: cac.NetNew,
		Valid:       func(customer string) bool { return customer != "4" },
		Sharing:     cac.Sharing{Rule: cac.ByNewCustomers},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(t)
	// Output:
	// channel  period         spend  new          CAC  CAC change
	// ads      2025-01  USD 3063.33    2  USD 1531.66
	// social   2025-01  USD 1031.67    1  USD 1031.67
	// (total)  all      USD 4095.00    3  USD 1365.00
	// cost: media, commission, half of payroll; customers: net_new_customers; shared costs: by_new_customers
	// not in the basis: USD 2350.00
	// new customers not counted: 1
}

func ExampleNewFigure() {
	f, err := cac.NewFigure(usd("70000"), 120, cac.Paid(), cac.NewAll)
	fmt.Println(f, err)
	fmt.Println(f.Unrounded)
	// Output:
	// USD 583.33 (paid, new_customers: USD 70000.00 / 120) <nil>
	// 583.3333333333334
}

func ExampleCompare() {
	cost, err := cac.NewFigure(usd("90000"), 180, cac.Paid(), cac.NewPaid)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cac.Compare(cac.Value{Amount: usd("1500"), Basis: cac.Revenue}, cost))
	// Output:
	// revenue LTV : paid CAC: 3.00
	//   note: the value is revenue, not margin: the ratio is too high by 1 / margin
	//   note: the cost is paid, not fully loaded: the ratio is too high by what it leaves out <nil>
}

// The customers of a month were won by the cost of the month before.
func ExampleLaggedCAC() {
	points := []cac.Point{
		{Period: ledger.Month(2025, time.January, nil), Marketing: usd("10000"), New: 50},
		{Period: ledger.Month(2025, time.February, nil), Marketing: usd("12000"), New: 48},
		{Period: ledger.Month(2025, time.March, nil), Marketing: usd("15000"), New: 60},
	}
	rows, err := cac.LaggedCAC(points, cac.Lag{Periods: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		f, err := r.CAC()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(r.Period, f.Cost)
	}
	// Output:
	// cac: period 2025-01: not enough history
	// 2025-02 USD 208.33
	// 2025-03 USD 200.00
}

func ExampleChurnAdjustedPayback() {
	fmt.Println(cac.ChurnAdjustedPayback(usd("600"), usd("80"), 0.03))
	fmt.Println(cac.ChurnAdjustedPayback(usd("2700"), usd("80"), 0.03)) // 80 / 0.03 is all a customer ever earns
	// Output:
	// 8.4 months (month 9) <nil>
	// never (99% returned) <nil>
}

func ExampleCohortPayback() {
	profits := []money.Amount{usd("150"), usd("110"), usd("90"), usd("80"), usd("70")}
	fmt.Println(cac.CohortPayback(usd("480"), profits))
	fmt.Println(cac.CohortPayback(usd("480"), profits[:3])) // a young cohort: not yet is not never
	// Output:
	// 4.7 months (month 5) <nil>
	// not yet in month 3 (73% returned) <nil>
}

func ExampleIncrementalCAC() {
	fmt.Println(cac.IncrementalCAC(usd("60000"), cac.Holdout{Treated: 100000, TreatedConversions: 1500, Held: 100000, HeldConversions: 1200}, 0))
	// Output:
	// 300 incremental customers (95%: 198.925 to 401.348), USD 200.00 each (USD 149.50 to USD 301.62); attributed USD 40.00 <nil>
}

func ExampleStackedCost() {
	s, err := cac.StackedCost(usd("20000"),
		cac.Stage{Name: "lead", Count: 800, Each: usd("15")},
		cac.Stage{Name: "opportunity", Count: 200, Each: usd("120")},
		cac.Stage{Name: "win", Count: 40, Each: usd("300")})
	fmt.Print(s, err, "\n")
	// Output:
	// stage        count    rate        each         spend     cost per  per customer
	// lead           800  100.0%   USD 15.00  USD 12000.00    USD 40.00    USD 300.00
	// opportunity    200   25.0%  USD 120.00  USD 24000.00   USD 280.00    USD 600.00
	// win             40   20.0%  USD 300.00  USD 12000.00  USD 1700.00    USD 300.00
	// media: USD 20000.00
	// cost of a customer: USD 1700.00
	//  <nil>
}

func ExampleAttributeCAC() {
	t, err := cac.AttributeCAC(
		map[string]money.Amount{"search": usd("400"), "display": usd("300")},
		map[string]float64{"search": 9.138, "display": 7.958, "direct": 9.044})
	fmt.Print(t, err, "\n")
	// Output:
	// channel       spend  credit        CAC
	// direct     USD 0.00  9.0440   USD 0.00
	// display  USD 300.00  7.9580  USD 37.70
	// search   USD 400.00  9.1380  USD 43.77
	//  <nil>
}

func ExampleConversionRates() {
	c, err := cac.ConversionRates([]cac.Traffic{
		{Platform: "web", Visits: 10000, Conversions: 40, Spend: usd("800")},
		{Platform: "app", Visits: 1200, Conversions: 30, Spend: usd("300")},
	}, "visits", 0.95)
	fmt.Print(c, err, "\n")
	// Output:
	// platform  visits  conversions   rate   95% interval   share        spend       cost
	// app         1200           30  2.50%  1.76% - 3.55%   42.9%   USD 300.00  USD 10.00
	// web        10000           40  0.40%  0.29% - 0.54%   57.1%   USD 800.00  USD 20.00
	// (total)    11200           70  0.62%  0.50% - 0.79%  100.0%  USD 1100.00  USD 15.71
	//  <nil>
}

func ExampleMagicNumber() {
	fmt.Println(cac.MagicNumber(usd("100000"), usd("130000"), usd("120000")))
	// Output:
	// 1 <nil>
}

func ExampleLoyaltyProgram_Evaluate() {
	p := cac.LoyaltyProgram{
		PointValue: usd("0.01"), Redemption: 0.7, Fixed: usd("12000"),
		Tiers: []cac.Tier{
			{Name: "basic", Members: 4000, Profit: usd("125"), Baseline: usd("118"), Points: 2500000, Redeemed: 1600000},
			{Name: "gold", Members: 1000, Profit: usd("190"), Baseline: usd("155.50"), Points: 1500000, Redeemed: 1000000},
		},
	}
	r, err := p.Evaluate()
	fmt.Print(r, err, "\n")
	// Output:
	// tier     members          gain        points         fixed          cost           net     ROI    liability      breakage
	// basic       4000  USD 28000.00  USD 17500.00   USD 9600.00  USD 27100.00    USD 900.00    3.3%  USD 1500.00   USD 7500.00
	// gold        1000  USD 34500.00  USD 10500.00   USD 2400.00  USD 12900.00  USD 21600.00  167.4%   USD 500.00   USD 4500.00
	// (total)     5000  USD 62500.00  USD 28000.00  USD 12000.00  USD 40000.00  USD 22500.00   56.2%  USD 2000.00  USD 12000.00
	//  <nil>
}

func ExampleMatchUplift() {
	spend := func(stratum string, after ...string) (out []cac.Observation) {
		for _, a := range after {
			out = append(out, cac.Observation{Stratum: stratum, After: usd(a)})
		}
		return out
	}
	members := append(spend("small", "10", "12.50", "9", "14"), spend("large", "40", "55", "61.25")...)
	others := append(spend("small", "8", "9.50", "7"), spend("large", "38", "52", "41", "44", "30.50")...)
	fmt.Println(cac.MatchUplift(members, others, nil))
	// Output:
	// USD 6.54 per member (95%: USD -2.61 to USD 15.69), USD 45.78 for 7 members in 2 strata; 0 unmatched <nil>
}

func ExampleReferrals() {
	customers := []ledger.Customer{{ID: "ada"}, {ID: "ben"}, {ID: "cleo"}, {ID: "dan"}}
	by := map[string]string{"ben": "ada", "cleo": "ada"}
	worth := map[string]money.Amount{"ada": usd("100"), "ben": usd("150"), "cleo": usd("120"), "dan": usd("80")}
	r, err := cac.Referrals(customers,
		func(c string) (string, bool) { from, ok := by[c]; return from, ok },
		func(c string) (money.Amount, bool) { v, ok := worth[c]; return v, ok }, usd("20"))
	fmt.Print(r, err, "\n")
	// Output:
	// group     customers       value        mean
	// referred          2  USD 270.00  USD 135.00
	// others            2  USD 180.00   USD 90.00
	// referral rate 50.0%, 1 referrers (25.0% of customers), 2.00 referred by each
	// rewards USD 40.00, ROI 575.0%
	//  <nil>
}

func ExampleProfitability() {
	log := []ledger.Transaction{
		{Customer: "ada", At: day(2025, 1, 2), Product: "tea", Quantity: 3, Amount: usd("30"), Cost: usd("10")},
		{Customer: "ben", At: day(2025, 1, 3), Product: "tea", Quantity: 1, Amount: usd("10"), Cost: usd("4")},
		{Customer: "ben", At: day(2025, 1, 9), Product: "tea", Quantity: 1, Amount: usd("-10"), Cost: usd("-4")},
		{Customer: "ben", At: day(2025, 1, 9), Product: "pot", Quantity: 1, Amount: usd("60"), Cost: usd("45")},
	}
	t, err := cac.Profitability(context.Background(), ledger.Transactions(log), cac.ProductOf, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(t)
	fmt.Println("most profitable:", t.Top(1)[0].Group)
	// Output:
	// group    lines  units       sales    refunds    revenue       cost     profit  margin     spend        net
	// tea          2      3   USD 40.00  USD 10.00  USD 30.00  USD 10.00  USD 20.00   66.7%  USD 0.00  USD 20.00
	// pot          1      1   USD 60.00   USD 0.00  USD 60.00  USD 45.00  USD 15.00   25.0%  USD 0.00  USD 15.00
	// (total)      3      4  USD 100.00  USD 10.00  USD 90.00  USD 55.00  USD 35.00   38.9%  USD 0.00  USD 35.00
	// most profitable: tea
}

func ExampleCostToServe() {
	log := []ledger.Transaction{
		{Customer: "ada", At: day(2025, 1, 2), Amount: usd("100"), Cost: usd("40")},
		{Customer: "ben", At: day(2025, 1, 3), Amount: usd("80"), Cost: usd("30")},
	}
	events := []ledger.Event{
		{Customer: "ada", At: day(2025, 1, 3), Name: "delivery"},
		{Customer: "ben", At: day(2025, 1, 4), Name: "delivery"},
		{Customer: "ben", At: day(2025, 1, 5), Name: "call"},
		{Customer: "ben", At: day(2025, 1, 6), Name: "return", Value: usd("12.50")},
	}
	rates := map[string]money.Amount{"delivery": usd("6"), "call": usd("9")}
	t, err := cac.CostToServe(context.Background(), ledger.Transactions(log), ledger.Slice(events), rates, nil, 0)
	fmt.Print(t, err, "\n")
	// Output:
	// group    customers     revenue      profit  cost to serve  per customer  contribution  share
	// ada              1  USD 100.00   USD 60.00       USD 6.00      USD 6.00     USD 54.00   6.0%
	// ben              1   USD 80.00   USD 50.00      USD 27.50     USD 27.50     USD 22.50  34.4%
	// (total)          2  USD 180.00  USD 110.00      USD 33.50     USD 16.75     USD 76.50  18.6%
	//  <nil>
}

// From an order log to cohorts and the time in which each earns its cost back.
func ExamplePaybackCurves() {
	ctx := context.Background()
	log := []ledger.Transaction{
		{Customer: "ada", At: day(2025, 1, 5), Amount: usd("80"), Channel: "ads"},
		{Customer: "ben", At: day(2025, 1, 20), Amount: usd("60"), Channel: "mail"},
		{Customer: "ada", At: day(2025, 2, 25), Amount: usd("90"), Channel: "mail"},
		{Customer: "cleo", At: day(2025, 2, 3), Amount: usd("50"), Channel: "ads"},
	}
	won, err := cac.Acquire(ctx, ledger.Transactions(log), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	periods := ledger.Months(day(2025, 1, 1), day(2025, 3, 1), nil)
	costs := []cac.Cost{{Amount: usd("100"), Date: day(2025, 1, 1)}, {Amount: usd("70"), Date: day(2025, 2, 1)}}
	cohorts, err := cac.ByCohort(costs, won.Customers(), nil, periods...)
	if err != nil {
		fmt.Println(err)
		return
	}
	curves, err := cac.PaybackCurves(ctx, ledger.Transactions(log), won.Customers(), cohorts, day(2025, 4, 1), &cac.CurveOptions{Margin: 0.5})
	fmt.Print(curves, err, "\n")
	// Output:
	// cohort   payback                            new        CAC      1       2
	// 2025-01  1.7 months (month 2)                 2  USD 50.00  70.0%  115.0%
	// 2025-02  not yet in month 1 (36% returned)    1  USD 70.00  35.7%
	//  <nil>
}

func ExampleRates() {
	rates, err := cac.Rates(money.Rate{Base: "EUR", Quote: "USD", Value: usd("1.10").Decimal(), AsOf: day(2025, 1, 1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	costs := []cac.Cost{{Amount: money.MustParse("5000", "EUR"), Date: day(2025, 1, 7)}, {Amount: usd("4500"), Date: day(2025, 1, 9)}}
	costs, err = cac.Convert(costs, "USD", rates)
	if err != nil {
		fmt.Println(err)
		return
	}
	total, err := cac.TotalCost(costs)
	fmt.Println(total, err)
	fmt.Println(cac.CAC(total, 100))
	// Output:
	// USD 10000.00 <nil>
	// USD 100.00 <nil>
}

func ExampleTable_WriteCSV() {
	t, err := cac.ByChannel(
		[]cac.Cost{{Amount: usd("900"), Date: day(2025, 1, 7), Channel: "ads"}, {Amount: usd("50"), Date: day(2025, 1, 7), Channel: "tv"}},
		[]ledger.Customer{{ID: "ada", Acquired: day(2025, 1, 9), Channel: "ads"}}, nil, ledger.Month(2025, time.January, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := t.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// dimension,group,start,end,currency,spend,direct,allocated,new_customers,cac,value,ltv_to_cac,roi,spend_change,new_customers_change,cac_change,ltv_to_cac_change,roi_change,basis,denominator,undefined
	// channel,ads,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,USD,900.00,900.00,0.00,1,900.00,,,,,,,,,fully loaded,new_customers,
	// channel,tv,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,USD,50.00,50.00,0.00,0,,,,,,,,,,fully loaded,new_customers,cac: no new customers
}

func ExampleProjection_Payback() {
	p := cac.Projection{Cost: usd("6000"), Profit: usd("640"), Churn: []float64{0.06, 0.06, 0.06, 0.01}, Expansion: 0.005}
	fmt.Println(p.Payback())
	// Output:
	// 10.9 months (month 11) <nil>
}

// The rows of a table are sums; its ratios are methods that say why they are undefined.
func ExampleByChannel() {
	costs := []cac.Cost{{Amount: usd("1000"), Channel: "ads"}, {Amount: usd("200"), Channel: "tv"}}
	customers := []ledger.Customer{{ID: "ada", Channel: "ads"}, {ID: "ben", Channel: "ads"}, {ID: "cleo", Channel: "word of mouth"}}
	t, err := cac.ByChannel(costs, customers, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range append(t.Rows, t.Total) {
		f, err := r.CAC()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(f.Of, f.Cost)
	}
	// Output:
	// channel "ads" USD 500.00
	// cac: channel "tv": no new customers
	// channel "word of mouth" USD 0.00
	//  USD 400.00
}

func ExampleBySegment() {
	jan := ledger.Month(2025, time.January, nil)
	costs := []cac.Cost{{Amount: usd("300"), Date: day(2025, 1, 3), Segment: "north"}, {Amount: usd("100"), Date: day(2025, 1, 3)}}
	customers := []ledger.Customer{
		{ID: "ada", Acquired: day(2025, 1, 5), Attributes: map[string]string{"region": "north"}},
		{ID: "ben", Acquired: day(2025, 1, 6), Attributes: map[string]string{"region": "south"}},
	}
	t, err := cac.BySegment(costs, customers, ledger.By(customers, "region"), nil, jan)
	fmt.Print(t, err, "\n")
	// Output:
	// segment   period        spend  new         CAC  CAC change
	// north     2025-01  USD 300.00    1  USD 300.00
	// south     2025-01    USD 0.00    1    USD 0.00
	// (shared)  2025-01  USD 100.00    0   undefined
	// (total)   all      USD 400.00    2  USD 200.00
	// cost: fully loaded; customers: new_customers; shared costs: unallocated
	//  <nil>
}

func ExampleByCohort() {
	jan, feb := ledger.Month(2025, time.January, nil), ledger.Month(2025, time.February, nil)
	costs := []cac.Cost{{Amount: usd("590"), Period: ledger.Period{Start: jan.Start, End: feb.End}, Category: cac.Payroll}}
	customers := []ledger.Customer{{ID: "ada", Acquired: day(2025, 1, 5)}, {ID: "ben", Acquired: day(2025, 2, 6)}, {ID: "cleo", Acquired: day(2025, 2, 7)}}
	t, err := cac.ByCohort(costs, customers, nil, jan, feb)
	fmt.Print(t, err, "\n")
	// Output:
	// period        spend  new         CAC  CAC change
	// 2025-01  USD 310.00    1  USD 310.00
	// 2025-02  USD 280.00    2  USD 140.00      -54.8%
	// all      USD 590.00    3  USD 196.67
	// cost: fully loaded; customers: new_customers; shared costs: unallocated
	//  <nil>
}

// Who was won by what, and who is still a customer after the refund window.
func ExampleAcquire() {
	log := []ledger.Transaction{
		{Customer: "ada", ID: "1", At: day(2025, 1, 2), Amount: usd("0"), Channel: "trial"},
		{Customer: "ada", ID: "2", At: day(2025, 1, 9), Amount: usd("40"), Channel: "ads"},
		{Customer: "ben", ID: "3", At: day(2025, 1, 9), Amount: usd("25"), Channel: "ads"},
		{Customer: "ben", ID: "3", At: day(2025, 1, 12), Amount: usd("-25"), Channel: "ads"},
	}
	won, err := cac.Acquire(context.Background(), ledger.Transactions(log), &cac.AcquireOptions{RefundWindow: 30 * 24 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, denominator := range []cac.Denominator{cac.NewAll, cac.NetNew} {
		t, err := cac.Analyze(context.Background(), []cac.Cost{{Amount: usd("60")}}, won.Customers(), &cac.Options{Denominator: denominator, Valid: won.Valid()})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Total.CAC())
	}
	// Output:
	// USD 30.00 (fully loaded, new_customers: USD 60.00 / 2) <nil>
	// USD 60.00 (fully loaded, net_new_customers: USD 60.00 / 1) <nil>
}

func ExampleTerms_Months() {
	t := cac.Terms{Cost: usd("1200"), Onboarding: usd("45"), Revenue: usd("250"), Margin: 0.75, Fees: 0.03, Support: usd("25")}
	months, err := t.Months()
	fmt.Printf("%.2f %v\n", months, err)
	// Output:
	// 7.45 <nil>
}
