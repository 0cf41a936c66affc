package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
	"github.com/custval/custval/money"
)

// A Shop describes a simulated order log: simulate.Shop in a form that travels to the workers.
type Shop struct {
	Purchases clv.BGNBD
	Spend     clv.GammaGamma
	Unit      time.Duration // of Purchases
	Customers int
	Start     time.Time // when the first customers come
	Acquired  time.Time // when the last ones come; the zero time means End
	End       time.Time
	Currency  money.Currency
	Seed      uint64
}

// shop returns customers from first on.
func (p Shop) shop(first, customers int) simulate.Shop {
	return simulate.Shop{
		Purchases: p.Purchases, Spend: p.Spend, Unit: p.Unit, Customers: customers, First: first,
		Start: p.Start, Acquired: p.Acquired, End: p.End, Currency: p.Currency, Seed: p.Seed,
	}
}

// SimulateOrders makes the shop's orders, a PCollection<Order>. Each of the parts makes some of the customers; the orders
// do not depend on the number of parts. It returns an error if the shop is not valid or parts is not positive.
func SimulateOrders(s beam.Scope, shop Shop, parts int) (beam.PCollection, error) {
	s = s.Scope("SimulateOrders")
	if err := shop.shop(0, shop.Customers).Validate(); err != nil {
		return beam.PCollection{}, err
	}
	if parts <= 0 {
		return beam.PCollection{}, fmt.Errorf("pipeline: %d parts: want a positive number", parts)
	}
	numbers := make([]int, min(parts, shop.Customers))
	for i := range numbers {
		numbers[i] = i
	}
	return beam.ParDo(s, &simulateFn{shop, len(numbers)}, beam.Reshuffle(s, beam.CreateList(s, numbers))), nil
}

// simulateFn makes the orders of some customers.
type simulateFn struct {
	Shop  Shop
	Parts int
}

// ProcessElement emits the orders of the customers of a part.
func (fn *simulateFn) ProcessElement(ctx context.Context, part int, emit func(Order)) error {
	from, to := fn.Shop.Customers*part/fn.Parts, fn.Shop.Customers*(part+1)/fn.Parts
	for tx, err := range fn.Shop.shop(from, to-from).Orders(ctx) {
		if err != nil {
			return err
		}
		emit(Order{Customer: tx.Customer, At: tx.At, Amount: tx.Amount})
	}
	return nil
}
