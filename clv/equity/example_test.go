package equity_test

import (
	"fmt"

	"github.com/custval/custval/clv/equity"
	"github.com/custval/custval/money"
)

// How much to spend on winning and on keeping customers, from one observed pair of spending and success each.
func ExampleBlattbergDeighton() {
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	won, err := equity.NewResponse(0.40, 0.20, usd("5"))
	if err != nil {
		fmt.Println(err)
		return
	}
	kept, err := equity.NewResponse(0.70, 0.40, usd("10"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := equity.BlattbergDeighton{Margin: usd("50"), Acquisition: won, Retention: kept, Discount: 0.20}
	now, err := plan.At(usd("5"), usd("10"))
	if err != nil {
		fmt.Println(err)
		return
	}
	best, err := plan.Best()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("now: %s a prospect\n", now.Equity)
	fmt.Printf("best: %s a prospect, with %s on winning and %s on keeping, which keeps %.0f %%\n", best.Equity, best.Acquisition, best.Retention, 100*best.Retained)
	// Output:
	// now: USD 7.50 a prospect
	// best: USD 9.44 a prospect, with USD 9.21 on winning and USD 15.87 on keeping, which keeps 52 %
}

// Customers worth 60 million of a firm of 100 million after debt.
func ExampleLeverage() {
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	share, err := equity.Leverage(usd("60000000"), usd("60000000"), usd("20000000"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("one per cent more customer equity is %.1f %% more shareholder value\n", share)
	// Output:
	// one per cent more customer equity is 0.6 % more shareholder value
}
