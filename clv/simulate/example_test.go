package simulate_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
)

func ExampleShop() {
	shop := simulate.Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5},
		Spend:     clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit:      clv.Week, Customers: 3, Currency: "USD", Seed: 1,
		Start: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		End:   time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC),
	}
	customers := make(map[string]int)
	for order, err := range shop.Orders(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		customers[order.Customer]++
	}
	fmt.Println(len(customers), "customers, each with an order or more")
	// Output: 3 customers, each with an order or more
}

// halves is a curve by which half of the subscribers leave at each renewal.
type halves struct{}

func (halves) Survival(t float64) float64 { return math.Exp2(-t) }

func ExampleSubscribers() {
	subscribers := simulate.Subscribers{Curve: halves{}, Customers: 10000, Periods: 1, Seed: 1}
	left := 0
	for tenure, err := range subscribers.Tenures(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if tenure.Ended {
			left++
		}
	}
	fmt.Printf("%.2f of them left at the first renewal\n", float64(left)/10000)
	// Output: 0.50 of them left at the first renewal
}
