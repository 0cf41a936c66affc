// Readme prints the customers of highest expected value in an order log.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

func main() {
	ctx := context.Background()
	orders := ledger.ReadCSV(ctx, os.Stdin, &ledger.CSVOptions{Currency: "USD"}) // columns customer, at, amount
	end := time.Date(2025, time.June, 30, 0, 0, 0, 0, time.UTC)
	histories, err := clv.Summarize(ctx, orders, end, clv.Week, nil)
	if err != nil {
		log.Fatal(err) // ledger: row 42: field "amount": value "12,5O": ...
	}
	scorer, err := clv.FitScorer(ctx, histories, clv.ValueOptions{Margin: 0.30, Horizon: 52, Discount: clv.Annual(0.10)})
	if err != nil {
		log.Fatal(err)
	}
	top, err := scorer.Top(histories, 5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(top)
}
