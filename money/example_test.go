package money_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/custval/custval/money"
)

func Example() {
	price := money.MustParse("12.50", "USD")
	three, _ := price.MulInt(3)
	taxed, _ := three.Mul(decimal.RequireFromString("1.0875"))
	fmt.Println(three, taxed, taxed.Round(money.HalfEven))

	parts, _ := taxed.Round(money.HalfEven).Split(3)
	fmt.Println(parts)

	_, err := price.Add(money.MustParse("1", "EUR"))
	fmt.Println(err)
	// Output:
	// USD 37.50 USD 40.78125 USD 40.78
	// [USD 13.60 USD 13.59 USD 13.59]
	// money: currencies differ: USD and EUR
}

func ExampleCurrency_Digits() {
	for _, c := range []money.Currency{"USD", "JPY", "BHD", "XAU"} {
		fmt.Println(c.Digits())
	}
	// Output:
	// 2 true
	// 0 true
	// 3 true
	// 0 false
}

func ExampleParseCurrency() {
	c, err := money.ParseCurrency("usd")
	fmt.Println(c, err)
	// Output: USD <nil>
}

func ExampleNew() {
	d, _ := decimal.NewFromString("19.99")
	fmt.Println(money.New(d, "EUR"))
	// Output: EUR 19.99 <nil>
}

func ExampleParse() {
	fmt.Println(money.Parse("1234.5", "USD"))
	_, err := money.Parse("1,234.50", "USD")
	fmt.Println(err)
	// Output:
	// USD 1234.50 <nil>
	// money: not an amount: "1,234.50": byte 2: ',' is not expected
}

func ExampleFromMinor() {
	cents, _ := money.FromMinor(1250, "USD")
	yen, _ := money.FromMinor(1250, "JPY")
	fmt.Println(cents, yen)
	// Output: USD 12.50 JPY 1250
}

func ExampleFromFloat() {
	model := 1234.5678
	fmt.Println(money.FromFloat(model, "USD", money.HalfEven))
	// Output: USD 1234.57 <nil>
}

func ExampleAmount_Round() {
	a := money.MustParse("2.345", "USD")
	fmt.Println(a.Round(money.HalfEven), a.Round(money.HalfUp), a.Round(money.Down))
	// Output: USD 2.34 USD 2.35 USD 2.34
}

func ExampleAmount_RoundTo() {
	fmt.Println(money.MustParse("1234.56", "USD").RoundTo(-2, money.HalfUp))
	// Output: USD 1200.00 <nil>
}

func ExampleAmount_RoundCash() {
	step := money.MustParse("0.05", "CHF")
	fmt.Println(money.MustParse("12.33", "CHF").RoundCash(step, money.HalfUp))
	// Output: CHF 12.35 <nil>
}

func ExampleAmount_Allocate() {
	total := money.MustParse("0.10", "USD")
	fmt.Println(total.Allocate(1, 98, 1))
	// Output: [USD 0.00 USD 0.10 USD 0.00] <nil>
}

func ExampleAmount_AllocateBy() {
	budget := money.MustParse("1000", "USD")
	fmt.Println(budget.AllocateBy([]float64{0.125, 0.33, 0.545}))
	// Output: [USD 125.00 USD 330.00 USD 545.00] <nil>
}

func ExampleAmount_Split() {
	fmt.Println(money.MustParse("-1", "USD").Split(3))
	// Output: [USD -0.34 USD -0.33 USD -0.33] <nil>
}

func ExampleAmount_MulRat() {
	month := money.MustParse("49", "USD") // 17 of the 31 days
	fmt.Println(month.MulRat(17, 31, money.HalfEven))
	// Output: USD 26.87 <nil>
}

func ExampleAmount_Div() {
	cost := money.MustParse("1000", "USD")
	fmt.Println(cost.Div(decimal.NewFromInt(7), money.HalfEven))
	// Output: USD 142.86 <nil>
}

func ExampleAmount_Ratio() {
	value, cost := money.MustParse("300", "USD"), money.MustParse("100", "USD")
	fmt.Println(value.Ratio(cost))
	// Output: 3 <nil>
}

func ExampleAmount_Key() {
	orders := map[string]int{}
	for _, s := range []string{"12.5", "12.50", "9"} {
		orders[money.MustParse(s, "USD").Key()]++
	}
	fmt.Println(orders)
	// Output: map[USD 12.5:2 USD 9:1]
}

func ExampleAmount_MarshalJSON() {
	text, _ := json.Marshal(money.MustParse("12.5", "USD"))
	fmt.Println(string(text))

	var a money.Amount
	err := json.Unmarshal([]byte(`{"amount":9007199254740993,"currency":"JPY"}`), &a)
	fmt.Println(a, err)
	// Output:
	// {"amount":"12.50","currency":"USD"}
	// JPY 9007199254740993 <nil>
}

func ExampleSum() {
	var s money.Sum
	for _, cents := range []int64{1250, 99, -300} {
		a, _ := money.FromMinor(cents, "USD")
		s.Add(a)
	}
	fmt.Println(s.Total())
	// Output: USD 10.49 <nil>
}

func ExampleTotal() {
	fmt.Println(money.Total(money.MustParse("1.10", "EUR"), money.MustParse("2.205", "EUR")))
	// Output: EUR 3.305 <nil>
}

func ExampleCurrencyMismatchError() {
	_, err := money.Total(money.MustParse("1", "USD"), money.MustParse("1", "EUR"))
	var mismatch *money.CurrencyMismatchError
	if errors.As(err, &mismatch) {
		fmt.Println(mismatch.A, mismatch.B)
	}
	// Output: USD EUR
}

func ExampleRate_Convert() {
	rate := money.Rate{Base: "EUR", Quote: "USD", Value: decimal.RequireFromString("1.0845")}
	exact, err := rate.Convert(money.MustParse("10.01", "EUR"))
	fmt.Println(exact, exact.Round(money.HalfEven), err)
	// Output: USD 10.855845 USD 10.86 <nil>
}

func ExampleAmount_WithCurrency() {
	total, _ := money.Total() // of no orders
	fmt.Println(total)
	fmt.Println(total.WithCurrency("USD"))
	// Output:
	// 0
	// USD 0.00 <nil>
}

func ExampleRounding() {
	a := money.MustParse("-2.5", "JPY")
	for _, r := range []money.Rounding{money.HalfEven, money.HalfUp, money.HalfDown, money.Up, money.Down, money.Ceiling, money.Floor} {
		fmt.Println(r, a.Round(r))
	}
	// Output:
	// HalfEven JPY -2
	// HalfUp JPY -3
	// HalfDown JPY -2
	// Up JPY -3
	// Down JPY -2
	// Ceiling JPY -2
	// Floor JPY -3
}
