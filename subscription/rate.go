package subscription

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A MoneyRate is a ratio of two amounts, such as net revenue retention: 0.95 means 95 %. It knows what was divided by
// what, so rates of segments can be added up by their parts. The zero MoneyRate is undefined, as is every rate with a
// zero base: it is neither 0 nor infinite. Its JSON has a value of null then.
type MoneyRate struct {
	Part money.Amount // the numerator, rounded as the policy says
	Base money.Amount // the denominator

	value rational // of the exact sums, not of the rounded ones
	ok    bool
}

// Value returns the ratio, computed from the exact sums and not from the rounded amounts. It returns an error that wraps
// [ledger.ErrUndefined] if the base is zero.
func (r MoneyRate) Value() (float64, error) {
	if !r.ok {
		return 0, fmt.Errorf("subscription: rate of %s to %s: %w", r.Part, r.Base, ledger.ErrUndefined)
	}
	return r.value.ratio(), nil
}

// Defined reports whether the base is not zero.
func (r MoneyRate) Defined() bool { return r.ok }

// Equal reports whether both rates are undefined or have the same value and amounts.
func (r MoneyRate) Equal(o MoneyRate) bool {
	return r.ok == o.ok && r.value.cmp(o.value) == 0 && r.Part.Equal(o.Part) && r.Base.Equal(o.Base)
}

// String returns the rate in percent with two decimals, such as "95.00%", or "undefined".
func (r MoneyRate) String() string {
	if !r.ok {
		return "undefined"
	}
	return percent(r.value)
}

// percent writes a fraction in percent with two decimals, half to even.
func percent(x rational) string { return decimalText(x.units(4, money.HalfEven), 2) + "%" }

type moneyRateJSON struct {
	Value *float64      `json:"value"`
	Exact string        `json:"exact,omitempty"`
	Part  *money.Amount `json:"part,omitempty"`
	Base  *money.Amount `json:"base,omitempty"`
}

// MarshalJSON returns {"value":0.95,"exact":"19/20","part":{...},"base":{...}}, with the value null if it is undefined.
func (r MoneyRate) MarshalJSON() ([]byte, error) {
	j := moneyRateJSON{}
	if r.ok {
		v := r.value.ratio()
		j.Value, j.Exact = &v, r.value.rat().RatString()
	}
	if r.Part.Currency() != "" {
		j.Part = &r.Part
	}
	if r.Base.Currency() != "" {
		j.Base = &r.Base
	}
	return json.Marshal(j)
}

var errExact = errors.New("subscription: rate without an exact value such as 19/20")

// UnmarshalJSON reads what MarshalJSON writes.
func (r *MoneyRate) UnmarshalJSON(text []byte) error {
	var j moneyRateJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*r = MoneyRate{}
	if j.Part != nil {
		r.Part = *j.Part
	}
	if j.Base != nil {
		r.Base = *j.Base
	}
	if j.Value == nil {
		return nil
	}
	x, err := parseExact(j.Exact)
	r.value, r.ok = x, err == nil
	return err
}

// parseExact reads a fraction of limited size.
func parseExact(s string) (rational, error) {
	if s == "" || len(s) > 400 {
		return rational{}, errExact
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '/' && (c != '-' || i > 0) {
			return rational{}, errExact
		}
	}
	x, ok := new(big.Rat).SetString(s)
	if !ok {
		return rational{}, errExact
	}
	return shrink(x), nil
}

// A CountRate is a ratio of two counts, such as logo churn. The zero CountRate is undefined, as is every rate with a zero
// Base; its JSON has a value of null then.
type CountRate struct {
	Part int64 // the numerator
	Base int64 // the denominator; 0 means that the rate is undefined
}

// Value returns Part/Base. It returns an error that wraps [ledger.ErrUndefined] if Base is zero.
func (r CountRate) Value() (float64, error) {
	if r.Base == 0 {
		return 0, fmt.Errorf("subscription: rate of %d to 0: %w", r.Part, ledger.ErrUndefined)
	}
	return float64(r.Part) / float64(r.Base), nil
}

// Defined reports whether the base is not zero.
func (r CountRate) Defined() bool { return r.Base != 0 }

// String returns the rate in percent with two decimals, such as "16.67%", or "undefined".
func (r CountRate) String() string {
	if r.Base == 0 {
		return "undefined"
	}
	return percent(fraction(r.Part, r.Base))
}

type countRateJSON struct {
	Value *float64 `json:"value"`
	Part  int64    `json:"part"`
	Base  int64    `json:"base"`
}

// MarshalJSON returns {"value":0.5,"part":1,"base":2}, with the value null if it is undefined.
func (r CountRate) MarshalJSON() ([]byte, error) {
	j := countRateJSON{Part: r.Part, Base: r.Base}
	if v, err := r.Value(); err == nil {
		j.Value = &v
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes; the value is computed from part and base.
func (r *CountRate) UnmarshalJSON(text []byte) error {
	var j countRateJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	r.Part, r.Base = j.Part, j.Base
	return nil
}

// A Mean is an amount for each of some number, such as ARPA. The zero Mean is undefined, as is every Mean of no one.
type Mean struct {
	Total money.Amount // what is shared out, rounded as the policy says
	Count int64        // among how many; 0 means that the Mean is undefined

	total rational // exact
	scale scale
}

func (e *engine) mean(total rational, count int64) (Mean, error) {
	a, err := e.scale.round(total)
	return Mean{Total: a, Count: count, total: total, scale: e.scale}, err
}

// Value returns the exact total divided by the count, rounded once as the policy says. It returns an error that wraps
// [ledger.ErrUndefined] if the count is zero.
func (m Mean) Value() (money.Amount, error) {
	if m.Count == 0 {
		return money.Amount{}, fmt.Errorf("subscription: mean of %s over none: %w", m.Total, ledger.ErrUndefined)
	}
	return m.scale.round(m.exact())
}

func (m Mean) exact() rational { return m.total.mul(fraction(1, m.Count)) }

// Equal reports whether both means have the same total and count.
func (m Mean) Equal(o Mean) bool {
	return m.Count == o.Count && m.Total.Equal(o.Total) && m.total.cmp(o.total) == 0
}

// String returns the mean as an amount, or "undefined".
func (m Mean) String() string {
	a, err := m.Value()
	if err != nil {
		return "undefined"
	}
	return a.String()
}

type meanJSON struct {
	Value  *money.Amount  `json:"value"`
	Total  money.Amount   `json:"total"`
	Count  int64          `json:"count"`
	Exact  string         `json:"exact"`
	Digits int32          `json:"digits"`
	Mode   money.Rounding `json:"mode"`
}

// MarshalJSON returns the value, null if it is undefined, with the rounded and the exact total, the count and the
// rounding.
func (m Mean) MarshalJSON() ([]byte, error) {
	if m.Total.Currency() == "" {
		return []byte(`{"value":null,"count":` + strconv.FormatInt(m.Count, 10) + `}`), nil
	}
	j := meanJSON{Total: m.Total, Count: m.Count, Exact: m.total.rat().RatString(), Digits: m.scale.digits, Mode: m.scale.mode}
	if a, err := m.Value(); err == nil {
		j.Value = &a
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes; the value is computed from the exact total.
func (m *Mean) UnmarshalJSON(text []byte) error {
	var j struct {
		Total  *money.Amount  `json:"total"`
		Count  int64          `json:"count"`
		Exact  string         `json:"exact"`
		Digits int32          `json:"digits"`
		Mode   money.Rounding `json:"mode"`
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	if j.Count < 0 || j.Digits < 0 || j.Digits > 12 {
		return errors.New("subscription: mean with a negative count or too many digits")
	}
	*m = Mean{Count: j.Count}
	if j.Total == nil {
		return nil
	}
	total, err := parseExact(j.Exact)
	if err != nil {
		return err
	}
	s, err := newScale(j.Total.Currency(), j.Digits, j.Mode)
	if err != nil {
		return err
	}
	*m = Mean{Total: *j.Total, Count: j.Count, total: total, scale: s}
	return nil
}
