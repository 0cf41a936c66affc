// Command gen writes the sample data of the examples into the current directory.
package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The shop wins 1,200 customers from January 2024 to March 2025. They buy 0.13 times a week while they are customers,
// one in four leaves after an order, the mean order is USD 40, and one order in thirty comes back.
func main() {
	orders, err := ledger.Collect(simulate.Shop{
		Purchases: clv.BGNBD{R: 0.7, Alpha: 5.4, A: 0.8, B: 2.4},
		Spend:     clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit:      clv.Week,
		Customers: 1200,
		Start:     time.Date(2024, time.January, 1, 8, 0, 0, 0, time.UTC),
		Acquired:  time.Date(2025, time.March, 31, 20, 0, 0, 0, time.UTC),
		End:       time.Date(2025, time.December, 31, 20, 0, 0, 0, time.UTC),
		Currency:  "USD",
		Seed:      2024,
		Describe:  describe,
	}.Orders(context.Background()))
	if err != nil {
		log.Fatal(err)
	}
	orders = returns(orders, time.Date(2025, time.December, 31, 20, 0, 0, 0, time.UTC))
	slices.SortStableFunc(orders, func(a, b ledger.Transaction) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Customer, b.Customer))
	})
	if err := write("shop.csv", orders); err != nil {
		log.Fatal(err)
	}
	if err := writeSaaS("saas.csv"); err != nil {
		log.Fatal(err)
	}
}

// describe gives each customer one channel, drawn anew but equal for all of a customer's orders, and each order a
// category and the cost of its goods.
func describe(r *rand.Rand, customer, _ int, t *ledger.Transaction) {
	channels := [...]string{"search", "search", "social", "social", "email", "direct"}
	own := rand.New(rand.NewPCG(7, uint64(customer)))
	t.Channel = channels[own.IntN(len(channels))]
	categories := [...]struct {
		name string
		cost int64 // per cent of the amount
	}{{"shoes", 55}, {"shoes", 55}, {"shirts", 45}, {"shirts", 45}, {"shirts", 45}, {"hats", 30}, {"bags", 62}}
	c := categories[r.IntN(len(categories))]
	cost, err := t.Amount.MulRat(c.cost, 100, money.HalfEven)
	if err != nil {
		log.Fatal(err) // a dollar amount and a percentage: it does not happen
	}
	t.Category, t.Cost = c.name, cost
	t.ID = fmt.Sprintf("%s-%s", t.Customer, t.At.Format("060102150405"))
}

// returns adds a refund of the whole order, goods included, for one order in thirty, eight days later.
func returns(orders []ledger.Transaction, end time.Time) []ledger.Transaction {
	r := rand.New(rand.NewPCG(8, 9))
	for _, o := range orders {
		back := o.At.AddDate(0, 0, 8)
		if r.IntN(30) > 0 || back.After(end) {
			continue
		}
		o.At, o.Amount, o.Cost = back, o.Amount.Neg(), o.Cost.Neg()
		orders = append(orders, o)
	}
	return orders
}

func write(path string, orders []ledger.Transaction) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	rows := [][]string{{"customer", "at", "amount", "id", "channel", "category", "cost"}}
	for _, o := range orders {
		rows = append(rows, []string{o.Customer, o.At.Format(time.DateOnly), o.Amount.Number(), o.ID, o.Channel, o.Category, o.Cost.Number()})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return f.Close()
}
