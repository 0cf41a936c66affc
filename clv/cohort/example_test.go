package cohort_test

import (
	"context"
	"fmt"
	"time"

	"github.com/custval/custval/clv/cohort"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The margin of the customers of each month, month by month, out of an order log.
func ExampleFromLog() {
	order := func(customer, day, amount string) ledger.Transaction {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			panic(err)
		}
		return ledger.Transaction{Customer: customer, At: at, Amount: money.MustParse(amount, "USD")}
	}
	log := []ledger.Transaction{
		order("ada", "2025-01-07", "100"), order("ada", "2025-02-11", "60"), order("ada", "2025-03-03", "40"),
		order("bo", "2025-01-20", "50"), order("cy", "2025-02-02", "80"), order("cy", "2025-03-15", "30"),
		order("di", "2025-03-29", "70"),
	}
	from := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	triangle, err := cohort.FromLog(context.Background(), ledger.Transactions(log), ledger.Months(from, from.AddDate(0, 3, 0), time.UTC),
		&cohort.LogOptions{Value: func(t ledger.Transaction) (money.Amount, error) { return t.Amount.MulRat(30, 100, money.HalfEven) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(triangle)
	// Output:
	// cohort  customers  age_0  age_1  age_2
	//   2025-01          2  45.00  63.00  75.00
	//   2025-02          1  24.00  33.00      .
	//   2025-03          1  21.00      .      .
}

// Young cohorts have shown little: Bornhuetter and Ferguson add what they are expected to be worth, Cape Cod takes that
// from the older ones.
func ExampleBornhuetterFerguson() {
	usd := func(amounts ...string) (out []money.Amount) {
		for _, a := range amounts {
			out = append(out, money.MustParse(a, "USD"))
		}
		return out
	}
	triangle := &cohort.Triangle{Rows: []cohort.Row{
		{Cohort: "2025-01", Customers: 100, Cumulative: usd("1000", "1500", "1650")},
		{Cohort: "2025-02", Customers: 120, Cumulative: usd("1300", "1900")},
		{Cohort: "2025-03", Customers: 80, Cumulative: usd("500")},
	}}
	expected, err := cohort.BornhuetterFerguson(triangle, usd("1650", "2000", "1400"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	own, err := cohort.CapeCod(triangle, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, r := range expected.Rows {
		fmt.Println(r.Cohort, r.Ultimate, "or", own.Rows[i].Ultimate)
	}
	// Output:
	// 2025-01 USD 1650.00 or USD 1650.00
	// 2025-02 USD 2081.82 or USD 2071.06
	// 2025-03 USD 1039.04 or USD 982.98
}
