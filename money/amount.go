package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"sort"

	"github.com/shopspring/decimal"
)

// Amount is an exact decimal amount of one currency. The zero value is zero of no currency and adds to any amount.
type Amount struct {
	_ [0]func() // forbids ==
	d *decimal.Decimal
	c Currency
}

var (
	errRange    = errors.New("money: amount out of range")
	errCurrency = errors.New("money: not an ISO 4217 code")
	errMinor    = errors.New("money: currency without a minor unit")
	errZero     = errors.New("money: division by zero")
	errMismatch = errors.New("money: mixed currencies")
)

// New returns d in the currency c.
func New(d decimal.Decimal, c Currency) (Amount, error) {
	if !c.wellFormed() {
		return Amount{}, fmt.Errorf("%w: %q", errCurrency, string(c))
	}
	return build(d, c)
}

func build(d decimal.Decimal, c Currency) (Amount, error) {
	if e := d.Exponent(); e > 38 || e < -76 || d.NumDigits() > 100 {
		return Amount{}, errRange
	}
	return Amount{d: &d, c: c}, nil
}

// Parse reads [+-]digits[.digits] as an amount of the currency c.
func Parse(s string, c Currency) (Amount, error) {
	if !c.wellFormed() {
		return Amount{}, fmt.Errorf("%w: %q", errCurrency, string(c))
	}
	bad := fmt.Errorf("money: %.70q is not a plain decimal number", s)
	if len(s) == 0 || len(s) > 64 {
		return Amount{}, bad
	}
	i, digits, dot := 0, 0, -1
	if s[0] == '+' || s[0] == '-' {
		i = 1
	}
	start := i
	for ; i < len(s); i++ {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			digits++
		case s[i] == '.' && dot < 0 && i > start && i+1 < len(s):
			dot = i
		default:
			return Amount{}, bad
		}
	}
	if digits == 0 || digits > 38 {
		return Amount{}, bad
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return Amount{}, bad
	}
	return build(d, c)
}

// MustParse is Parse for tests, examples and package variables; it panics on an error.
func MustParse(s string, c Currency) Amount {
	a, err := Parse(s, c)
	if err != nil {
		panic(err)
	}
	return a
}

// FromMinor returns the amount of units minor units of c.
func FromMinor(units int64, c Currency) (Amount, error) {
	n, ok := c.Digits()
	if !ok {
		return Amount{}, fmt.Errorf("%w: %q", errMinor, string(c))
	}
	return build(decimal.New(units, -n), c)
}

// FromFloat returns f rounded to the minor unit of c.
func FromFloat(f float64, c Currency, r Rounding) (Amount, error) {
	n, ok := c.Digits()
	if !ok {
		return Amount{}, fmt.Errorf("%w: %q", errMinor, string(c))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 1e36 {
		return Amount{}, errRange
	}
	d := decimal.NewFromFloat(f)
	return build(round(d, n, r), c)
}

func round(d decimal.Decimal, n int32, r Rounding) decimal.Decimal {
	if d.Exponent() >= -n {
		return d
	}
	switch r {
	case HalfUp:
		return d.Round(n)
	case HalfDown:
		half := decimal.New(5, -n-1)
		if t := d.Truncate(n); d.Sub(t).Abs().Cmp(half) <= 0 {
			return t
		}
		return d.Round(n)
	case Up:
		return d.RoundUp(n)
	case Down:
		return d.RoundDown(n)
	case Ceiling:
		return d.RoundCeil(n)
	case Floor:
		return d.RoundFloor(n)
	}
	return d.RoundBank(n)
}

// Decimal returns the value.
func (a Amount) Decimal() decimal.Decimal {
	if a.d == nil {
		return decimal.Decimal{}
	}
	return *a.d
}

// Currency returns the currency, empty in the zero Amount.
func (a Amount) Currency() Currency { return a.c }

// Float64 returns the nearest float64.
func (a Amount) Float64() float64 { f, _ := a.Decimal().Float64(); return f }

func (a Amount) with(b Amount) (Currency, error) {
	if a.c != "" && b.c != "" && a.c != b.c {
		return "", fmt.Errorf("%w: %s and %s", errMismatch, a.c, b.c)
	}
	if a.c == "" {
		return b.c, nil
	}
	return a.c, nil
}

// Add returns a + b. It returns an error if the currencies differ.
func (a Amount) Add(b Amount) (Amount, error) {
	c, err := a.with(b)
	if err != nil {
		return Amount{}, err
	}
	return build(a.Decimal().Add(b.Decimal()), c)
}

// Sub returns a - b. It returns an error if the currencies differ.
func (a Amount) Sub(b Amount) (Amount, error) { return a.Add(b.Neg()) }

// Neg returns -a.
func (a Amount) Neg() Amount { d := a.Decimal().Neg(); return Amount{d: &d, c: a.c} }

// Mul returns a times d, exactly.
func (a Amount) Mul(d decimal.Decimal) (Amount, error) {
	if _, err := build(d, a.c); err != nil {
		return Amount{}, err
	}
	return build(a.Decimal().Mul(d), a.c)
}

// Round returns a rounded to the minor unit; an amount whose currency has none is returned as it is.
func (a Amount) Round(r Rounding) Amount {
	n, ok := a.c.Digits()
	if !ok {
		return a
	}
	d := round(a.Decimal(), n, r)
	return Amount{d: &d, c: a.c}
}

// Div returns a divided by d, rounded once to the minor unit.
func (a Amount) Div(d decimal.Decimal, r Rounding) (Amount, error) {
	n, ok := a.c.Digits()
	if !ok {
		return Amount{}, fmt.Errorf("%w: %q", errMinor, string(a.c))
	}
	if _, err := build(d, a.c); err != nil {
		return Amount{}, err
	}
	if d.IsZero() {
		return Amount{}, errZero
	}
	q, rem := a.Decimal().QuoRem(d, n+2)
	if !rem.IsZero() { // a sticky digit
		q = q.Add(decimal.New(int64(a.Sign()*d.Sign()), -n-3))
	}
	return build(round(q, n, r), a.c)
}

// Ratio returns a/b. It returns an error if the currencies differ or b is zero.
func (a Amount) Ratio(b Amount) (float64, error) {
	if _, err := a.with(b); err != nil {
		return 0, err
	}
	if b.IsZero() {
		return 0, errZero
	}
	f, _ := new(big.Rat).Quo(a.Decimal().Rat(), b.Decimal().Rat()).Float64()
	return f, nil
}

// Cmp compares the values. It returns an error if the currencies differ.
func (a Amount) Cmp(b Amount) (int, error) {
	if _, err := a.with(b); err != nil {
		return 0, err
	}
	return a.Decimal().Cmp(b.Decimal()), nil
}

// Equal reports whether value and currency are equal; the zero Amount equals zero of any currency.
func (a Amount) Equal(b Amount) bool {
	n, err := a.Cmp(b)
	return err == nil && n == 0 && (a.c == b.c || a.IsZero())
}

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return a.Decimal().Sign() }

// IsZero reports whether the value is zero, whatever the currency.
func (a Amount) IsZero() bool { return a.Sign() == 0 }

// Allocate splits a by largest remainder; the parts add up to a exactly.
func (a Amount) Allocate(weights ...int64) ([]Amount, error) {
	w := make([]*big.Rat, len(weights))
	for i, x := range weights {
		w[i] = new(big.Rat).SetInt64(x)
	}
	return a.allocate(w)
}

// AllocateBy is Allocate by float64 weights.
func (a Amount) AllocateBy(weights []float64) ([]Amount, error) {
	w := make([]*big.Rat, len(weights))
	for i, x := range weights {
		if w[i] = new(big.Rat).SetFloat64(x); w[i] == nil {
			return nil, fmt.Errorf("money: weight %d: %v is not finite", i, x)
		}
	}
	return a.allocate(w)
}

func (a Amount) allocate(weights []*big.Rat) ([]Amount, error) {
	if len(weights) == 0 {
		return nil, errors.New("money: no weights")
	}
	n, ok := a.c.Digits()
	if !ok {
		return nil, fmt.Errorf("%w: %q", errMinor, string(a.c))
	}
	d := a.Decimal()
	if -d.Exponent() > n {
		n = -d.Exponent()
	}
	total := new(big.Rat)
	for i, w := range weights {
		if w.Sign() < 0 {
			return nil, fmt.Errorf("money: weight %d is negative", i)
		}
		total.Add(total, w)
	}
	if total.Sign() == 0 {
		return nil, errors.New("money: all weights are zero")
	}
	units := d.Abs().Shift(n).BigInt()
	left := new(big.Int).Set(units)
	parts, rems, order := make([]*big.Int, len(weights)), make([]*big.Rat, len(weights)), make([]int, len(weights))
	for i, w := range weights {
		x := new(big.Rat).SetInt(units)
		x.Mul(x, w).Quo(x, total)
		parts[i] = new(big.Int).Quo(x.Num(), x.Denom())
		rems[i] = x.Sub(x, new(big.Rat).SetInt(parts[i]))
		left.Sub(left, parts[i])
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return rems[order[i]].Cmp(rems[order[j]]) > 0 })
	for i := range int(left.Int64()) {
		parts[order[i]].Add(parts[order[i]], big.NewInt(1))
	}
	out := make([]Amount, len(weights))
	for i, p := range parts {
		if a.Sign() < 0 {
			p.Neg(p)
		}
		v := decimal.NewFromBigInt(p, -n)
		out[i] = Amount{d: &v, c: a.c}
	}
	return out, nil
}

// String returns the currency and the value, such as "USD 12.50".
func (a Amount) String() string {
	if a.c == "" {
		return a.number()
	}
	return string(a.c) + " " + a.number()
}

func (a Amount) number() string {
	n, _ := a.c.Digits()
	d := a.Decimal()
	for ; n < -d.Exponent(); n++ {
		if d.Truncate(n).Equal(d) {
			break
		}
	}
	return d.StringFixed(n)
}

type wire struct {
	Amount   json.RawMessage `json:"amount"`
	Currency *Currency       `json:"currency"`
}

// MarshalJSON returns {"amount":"12.50","currency":"USD"}.
func (a Amount) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"amount":%q,"currency":%q}`, a.number(), string(a.c)), nil
}

// UnmarshalJSON reads what MarshalJSON writes; the amount may be a number token.
func (a *Amount) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.Currency == nil || w.Amount == nil {
		return errors.New("money: JSON without amount or currency")
	}
	s := string(w.Amount)
	if len(s) > 1 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	if *w.Currency == "" && s == "0" {
		*a = Amount{}
		return nil
	}
	v, err := Parse(s, *w.Currency)
	if err == nil {
		*a = v
	}
	return err
}

// Sum is an exact accumulator; the zero value is ready to use. It keeps the first error.
type Sum struct {
	total Amount
	err   error
}

// Add adds a.
func (s *Sum) Add(a Amount) {
	if s.err != nil {
		return
	}
	if t, err := s.total.Add(a); err != nil {
		s.err = err
	} else {
		s.total = t
	}
}

// Total returns the sum, or the first error.
func (s *Sum) Total() (Amount, error) {
	if s.err != nil {
		return Amount{}, s.err
	}
	return s.total, nil
}
