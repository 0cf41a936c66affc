package migration_test

import (
	"context"
	"fmt"
	"time"

	"github.com/custval/custval/clv/migration"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// States of one's own, and how many customers moved between them in a quarter.
func ExampleFromCounts() {
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	chain, err := migration.FromCounts([]string{"gold", "silver", "gone"},
		[][]int{{80, 15, 5}, {10, 70, 20}, {0, 0, 100}},
		[]money.Amount{usd("40"), usd("12"), usd("0")})
	if err != nil {
		fmt.Println(err)
		return
	}
	worth, err := chain.Value(0.025)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(worth)
	// Output:
	// state  value (USD)  std. error
	//     gold     260.9892     44.3395
	//   silver     118.1505     29.4482
	//     gone       0.0000      0.0000
}

// The chain of recencies out of an order log: who has not bought for two months is given up.
func ExampleRecency() {
	log := []ledger.Transaction{}
	for customer, months := range map[string][]time.Month{"ada": {1, 2, 3, 4}, "bo": {1, 3}, "cy": {2}} {
		for _, m := range months {
			log = append(log, ledger.Transaction{Customer: customer, At: time.Date(2025, m, 15, 0, 0, 0, 0, time.UTC), Amount: money.MustParse("50", "USD")})
		}
	}
	from := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	chain, err := migration.Recency(context.Background(), ledger.Transactions(log), ledger.Months(from, from.AddDate(0, 4, 0), time.UTC), 2,
		money.MustParse("15", "USD"), money.MustParse("1", "USD"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, state := range chain.States {
		fmt.Printf("%s: %.2f, seen %g times, earns %s\n", state, chain.P[i], chain.Counts[i], chain.Rewards[i])
	}
	// Output:
	// recency 1: [0.50 0.50 0.00], seen 6 times, earns USD 14.00
	// recency 2: [0.50 0.00 0.50], seen 2 times, earns USD -1.00
	// former: [0.00 0.00 1.00], seen 0 times, earns USD 0.00
}
