package clv

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/custval/custval/money"
)

var (
	errNotPlain = errors.New("want a finite number that is not negative")
	errMargin   = errors.New("want a share above 0 and up to 1, 0.30 for 30 %")
)

// Simple returns the customer lifetime value of a typical customer from four averages:
//
//	orderValue * ordersPerYear * years * margin
//
// The margin is a share: 0.30 for 30 %. Nothing is discounted, and every customer stays for exactly that many years.
// The product of the numbers as they are printed is exact; it is rounded once to the minor unit, half to even.
//
// Simple returns an error if a number is negative or not finite, if the margin is 0 or above 1, if the order value is
// negative, and the errors of money for values out of range.
func Simple(orderValue money.Amount, ordersPerYear, years, margin float64) (money.Amount, error) {
	if orderValue.Sign() < 0 {
		return money.Amount{}, fmt.Errorf("clv: simple: order value %v: %w", orderValue, errNegAmount)
	}
	if err := checkMargin(margin); err != nil {
		return money.Amount{}, fmt.Errorf("clv: simple: %w", err)
	}
	product := big.NewRat(1, 1)
	for _, f := range []struct {
		name   string
		factor float64
	}{{"orders a year", ordersPerYear}, {"years", years}, {"margin", margin}} {
		if !(f.factor >= 0) || math.IsInf(f.factor, 1) {
			return money.Amount{}, fmt.Errorf("clv: simple: %s %v: %w", f.name, f.factor, errNotPlain)
		}
		// The fraction that the float64 shows when it is printed: 0.3 is 3/10.
		r, _ := new(big.Rat).SetString(strconv.FormatFloat(f.factor, 'g', -1, 64))
		product.Mul(product, r)
	}
	value, err := orderValue.MulFraction(product, money.HalfEven)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: simple: %w", err)
	}
	return value, nil
}

func checkMargin(margin float64) error {
	if !(margin > 0 && margin <= 1) {
		return fmt.Errorf("margin %v: %w", margin, errMargin)
	}
	return nil
}
