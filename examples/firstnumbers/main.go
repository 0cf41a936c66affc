// Firstnumbers answers the questions of a management meeting from the numbers that everybody has in their head. Each
// answer is one call: numbers in, number and error out; no log, no model, no options.
//
//	go run ./examples/firstnumbers
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/churn"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "firstnumbers:", err)
		os.Exit(1)
	}
}

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func run(w io.Writer) error {
	m := meeting{w: w}

	m.say("Of 500 customers in January, 550 were there in December, 100 of them new.")
	m.rate("We kept", first(churn.RetentionRate(500, 550, 100)))
	m.rate("   and what guides call ideal is", first(churn.IdealRetention, nil))
	lost, err := churn.Rate(500, 50)
	m.rate("We lost", first(lost.Value, err))

	m.say("A customer orders for USD 50, four times a year for five years, at a margin of 30 %.")
	value, err := clv.Simple(usd("50"), 4, 5, 0.30)
	m.amount("Such a customer is worth", value, err)
	yen, err := clv.Simple(money.MustParse("5000", "JPY"), 4, 5, 0.30)
	m.amount("   and in Tokyo, at JPY 5,000 an order", yen, err)

	m.say("Winning 1,000 of them cost USD 100,000.")
	cost, err := cac.CAC(usd("100000"), 1000)
	m.amount("One cost", cost, err)
	m.times("Lifetime value over cost", first(cac.LTVToCAC(value, cost)))
	m.times("Months of USD 20 until it is earned back", first(cac.PaybackMonths(cost, usd("20"), 0.30)))
	m.rate("The campaign that brought USD 30,000 for USD 10,000 returned", first(cac.ROI(usd("30000"), usd("10000"))))

	m.say("Subscriptions: USD 120 a year, USD 500 of USD 10,000 lost, 45 of 50 contracts renewed.")
	monthly, err := subscription.Monthly(usd("120"), subscription.Yearly)
	m.amount("A subscription recurs at, a month", monthly, err)
	lira, err := subscription.Monthly(money.MustParse("4999.90", "TRY"), subscription.Yearly)
	m.amount("   and one of TRY 4,999.90 a year", lira, err)
	m.rate("Revenue churn", first(subscription.RevenueChurn(usd("500"), usd("10000"))))
	m.rate("Renewed", first(subscription.RenewalRate(45, 50)))
	return m.err
}
