package cac_test

import (
	"fmt"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func ExampleCAC() {
	cost, err := cac.CAC(usd("100000"), 1000)
	fmt.Println(cost, err)
	_, err = cac.CAC(usd("5000"), 0)
	fmt.Println(err)
	// Output:
	// USD 100.00 <nil>
	// cac: no new customers
}

func ExampleLTVToCAC() {
	ratio, err := cac.LTVToCAC(usd("300"), usd("100"))
	fmt.Println(ratio, err)
	// Output: 3 <nil>
}

func ExampleROI() {
	roi, err := cac.ROI(usd("30000"), usd("10000"))
	fmt.Println(roi, err) // 200 %
	// Output: 2 <nil>
}

func ExamplePaybackMonths() {
	months, err := cac.PaybackMonths(usd("600"), usd("100"), 0.80)
	fmt.Println(months, err)
	_, err = cac.PaybackMonths(usd("600"), usd("0"), 0.80)
	fmt.Println(err)
	// Output:
	// 7.5 <nil>
	// cac: never pays back: a month earns nothing
}

// Campaigns month by month: what was spent, whom it won, what they cost and are worth, and how that changed.
func ExampleByCampaign() {
	jan, feb := ledger.Month(2025, time.January, nil), ledger.Month(2025, time.February, nil)
	costs := []cac.Cost{
		{Amount: usd("3000"), Period: jan, Category: cac.PaidMedia, Channel: "search", Campaign: "winter"},
		{Amount: usd("2000"), Period: feb, Category: cac.PaidMedia, Channel: "search", Campaign: "winter"},
		{Amount: usd("900"), Date: day(2025, time.February, 10), Category: cac.PaidMedia, Channel: "social", Campaign: "spring"},
		{Amount: usd("500"), Date: day(2025, time.February, 1), Category: cac.Tools},
	}
	customers := []ledger.Customer{
		{ID: "ada", Acquired: day(2025, time.January, 5), Channel: "search", Campaign: "winter"},
		{ID: "ben", Acquired: day(2025, time.January, 20), Channel: "search", Campaign: "winter"},
		{ID: "cleo", Acquired: day(2025, time.February, 3), Channel: "search", Campaign: "winter"},
	}
	value := cac.Values(map[string]money.Amount{"ada": usd("4000"), "ben": usd("3500"), "cleo": usd("5000")})

	r, err := cac.ByCampaign(costs, customers, value, ledger.Months(jan.Start, feb.End, nil)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	_, err = r.Change(1, cac.MetricCAC)
	fmt.Println(err)
	// Output:
	// campaign  period         spend  new          CAC         value    LTV:CAC        ROI  CAC change
	// spring    2025-02   USD 900.00    0    undefined      USD 0.00  undefined    -100.0%   undefined
	// winter    2025-01  USD 3000.00    2  USD 1500.00   USD 7500.00       2.50     150.0%
	// winter    2025-02  USD 2000.00    1  USD 2000.00   USD 5000.00       2.50     150.0%       33.3%
	// (shared)  2025-02   USD 500.00    0    undefined     undefined  undefined  undefined   undefined
	// spring    all       USD 900.00    0    undefined      USD 0.00  undefined    -100.0%
	// winter    all      USD 5000.00    3  USD 1666.67  USD 12500.00       2.50     150.0%
	// (shared)  all       USD 500.00    0    undefined     undefined  undefined  undefined
	// (total)   2025-01  USD 3000.00    2  USD 1500.00   USD 7500.00       2.50     150.0%
	// (total)   2025-02  USD 3400.00    1  USD 3400.00   USD 5000.00       1.47      47.1%
	// (total)   all      USD 6400.00    3  USD 2133.33  USD 12500.00       1.95      95.3%
	// cost: fully loaded; customers: new_customers; shared costs: unallocated; value: gross_margin
	// cac: campaign "winter", period 2025-01: not enough history
}
