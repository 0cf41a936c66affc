package clv

import (
	"fmt"
	"math"
	"testing"

	"github.com/custval/custval/money"
)

func TestSimple(t *testing.T) {
	for _, c := range []struct {
		reason                       string
		value                        money.Amount
		ordersPerYear, years, margin float64
		want                         string
	}{
		{"the textbook's", usd("50"), 4, 5, 0.30, "USD 300.00"},
		{"a tie to even", usd("10.05"), 1, 1, 0.5, "USD 5.02"},
		{"the other tie to even", usd("10.15"), 1, 1, 0.5, "USD 5.08"},
		{"decimals as printed", usd("0.70"), 0.1, 3, 1, "USD 0.21"},
		{"thirds and sevenths", usd("12345.67"), 1.0 / 3, 1.0 / 7, 1.0 / 9, "USD 65.32"},
		{"all of the margin", usd("19.99"), 12, 3, 1, "USD 719.64"},
		{"nobody orders", usd("50"), 0, 5, 0.3, "USD 0.00"},
		{"yen", money.MustParse("1234", "JPY"), 1, 1, 0.5, "JPY 617"},
		{"beyond 2^53 cents", usd("900719925474099.93"), 1, 1, 1, "USD 900719925474099.93"},
		{"the zero Amount", money.Amount{}, 4, 5, 0.3, "0"},
	} {
		got, err := Simple(c.value, c.ordersPerYear, c.years, c.margin)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.reason, got, err, c.want)
		}
	}
}

func TestSimpleErrors(t *testing.T) {
	for _, c := range []struct {
		value                        money.Amount
		ordersPerYear, years, margin float64
		want                         string
	}{
		{usd("-1"), 4, 5, 0.3, "clv: simple: order value USD -1.00: negative"},
		{usd("50"), -4, 5, 0.3, "clv: simple: orders a year -4: want a finite number that is not negative"},
		{usd("50"), 4, math.NaN(), 0.3, "clv: simple: years NaN: want a finite number that is not negative"},
		{usd("50"), math.Inf(1), 5, 0.3, "clv: simple: orders a year +Inf: want a finite number that is not negative"},
		{usd("50"), 4, 5, 0, "clv: simple: margin 0: want a share above 0 and up to 1, 0.30 for 30 %"},
		{usd("50"), 4, 5, 30, "clv: simple: margin 30: want a share above 0 and up to 1, 0.30 for 30 %"},
		{usd("50"), 4, 5, math.NaN(), "clv: simple: margin NaN: want a share above 0 and up to 1, 0.30 for 30 %"},
		{money.MustParse("1", "XAU"), 4, 5, 0.3, "clv: simple: money: currency without a minor unit: XAU"},
	} {
		if got, err := Simple(c.value, c.ordersPerYear, c.years, c.margin); err == nil || err.Error() != c.want {
			t.Errorf("%v and error %v, want %s", got, err, c.want)
		}
	}
	if _, err := Simple(usd("50"), 1e300, 1e300, 1); err == nil {
		t.Error("no error for an amount out of range")
	}
}

func ExampleSimple() {
	value, err := Simple(money.MustParse("50", "USD"), 4, 5, 0.30)
	fmt.Println(value, err)
	// Output: USD 300.00 <nil>
}
