package cac

import (
	"github.com/custval/custval/cac/internal/table"
	"io"
	"math"
	"math/big"
	"strconv"

	"github.com/custval/custval/money"
)

// Quotients are taken of exact fractions and rounded once, so that a ratio is the float64 nearest to the true one and an
// amount is right to the last minor unit.

// rat returns the exact value of an amount.
func rat(a money.Amount) *big.Rat { return a.Decimal().Rat() }

// number returns the fraction that a finite float64 shows when it is printed: 0.3 is 3/10.
func number(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	return r
}

// finite returns an error unless x is a number.
func finite(name string, x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fail("%s %v: not a finite number", name, x)
	}
	return nil
}

// within returns an error unless low <= x <= high.
func within(name string, x, low, high float64) error {
	if !(x >= low && x <= high) {
		return fail("%s %v: not between %v and %v", name, x, low, high)
	}
	return nil
}

// float returns the float64 nearest to r.
func float(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// quotient returns a/b of two amounts of one currency; b = 0 is ErrZeroBase.
func quotient(a, b money.Amount) (float64, error) {
	if err := sameCurrency(a, b); err != nil {
		return 0, prefixed(err)
	}
	if b.Sign() == 0 {
		return 0, prefixed(ErrZeroBase)
	}
	return float(new(big.Rat).Quo(rat(a), rat(b))), nil
}

// perUnit returns a/n rounded half to even to the minor unit, and unrounded.
func perUnit(a money.Amount, n int64) (money.Amount, float64, error) {
	if a.Sign() == 0 {
		return a, 0, nil
	}
	each, err := a.MulRat(1, n, money.HalfEven)
	if err != nil {
		return money.Amount{}, 0, prefixed(err)
	}
	return each, float(new(big.Rat).Quo(rat(a), new(big.Rat).SetInt64(n))), nil
}

// amountOf returns a fraction as money, rounded half to even to the minor unit.
func amountOf(r *big.Rat, c money.Currency) (money.Amount, error) {
	if c == "" && r.Sign() == 0 {
		return money.Amount{}, nil
	}
	digits, ok := c.Digits()
	if !ok {
		return money.Amount{}, fail("currency %q has no minor unit to round to", string(c))
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	units := new(big.Rat).Mul(r, new(big.Rat).SetInt(scale))
	whole := new(big.Rat).SetFrac(halfEven(units), scale)
	text := whole.FloatString(int(digits))
	if len(text) > 60 { // no need to read it to know
		return money.Amount{}, fail("quotient too large: %w", money.ErrRange)
	}
	a, err := money.Parse(text, c)
	return a, prefixed(err)
}

// halfEven returns the integer nearest to r, a tie going to the even one.
func halfEven(r *big.Rat) *big.Int {
	floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the floor, as the denominator is positive
	rest := new(big.Rat).Sub(r, new(big.Rat).SetInt(floor))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		return floor.Add(floor, big.NewInt(1))
	case 0:
		if floor.Bit(0) == 1 {
			return floor.Add(floor, big.NewInt(1))
		}
	}
	return floor
}

// times returns a multiplied by a float64, exactly: 0.3 is taken as three tenths.
func times(a money.Amount, x float64) (money.Amount, error) {
	if err := finite("factor", x); err != nil {
		return money.Amount{}, err
	}
	factor, err := money.Parse(strconv.FormatFloat(x, 'f', -1, 64), "XXX") // XXX stands for no currency: a plain number
	if err != nil {
		return money.Amount{}, prefixed(err)
	}
	product, err := a.Mul(factor.Decimal())
	return product, prefixed(err)
}

// timesInt returns a multiplied by n, exactly.
func timesInt(a money.Amount, n int64) (money.Amount, error) {
	product, err := a.MulInt(n)
	return product, prefixed(err)
}

// total returns the exact sum of the amounts.
func total(amounts ...money.Amount) (money.Amount, error) {
	var s money.Sum
	for i, a := range amounts {
		if i > 0 {
			if err := sameCurrency(amounts[0], a); err != nil {
				return money.Amount{}, prefixed(err)
			}
		}
		s.Add(a)
	}
	sum, err := s.Total()
	return sum, prefixed(err)
}

func plain(a money.Amount) string { return table.Plain(a) }

func writeCSV(w io.Writer, header []string, rows [][]string) error { return table.CSV(w, header, rows) }

// like gives an amount of no currency, which is zero, the currency of another, so that tables show it alike.
func like(a, other money.Amount) money.Amount {
	if a.Currency() != "" || other.Currency() == "" {
		return a
	}
	zero, err := a.WithCurrency(other.Currency())
	if err != nil {
		return a
	}
	return zero
}
