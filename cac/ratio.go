package cac

import (
	"fmt"
	"math/big"

	"github.com/custval/custval/money"
)

// LTVToCAC returns the value of a customer divided by the cost of winning one; 3 means that a customer is worth three
// times the cost. Both must be of the same customers, and the value should be margin and not revenue: [Compare] checks
// and says so.
//
// LTVToCAC returns an error that wraps [ErrCurrencyMismatch], [ErrZeroBase] if the cost is zero (which wraps
// ledger.ErrUndefined) and [ErrNonPositiveCost] if it is negative.
func LTVToCAC(value, cost money.Amount) (float64, error) { return over(value, cost) }

// over returns a ratio to a cost or spend, which must be positive.
func over(a, cost money.Amount) (float64, error) {
	if err := sameCurrency(a, cost); err != nil {
		return 0, prefixed(err)
	}
	if cost.Sign() < 0 {
		return 0, fail("%w: %s", ErrNonPositiveCost, cost)
	}
	return quotient(a, cost)
}

// ROI returns the return on a cost,
//
//	(gain - cost) / cost
//
// where 2 means 200 %. The gain is whatever the cost brought in, before the cost: the value of the customers won, or a
// gross profit. Where all there is is a revenue, use [ROMI] with its margin. The errors are those of [LTVToCAC].
func ROI(gain, cost money.Amount) (float64, error) {
	if _, err := over(gain, cost); err != nil {
		return 0, err
	}
	net := new(big.Rat).Sub(rat(gain), rat(cost))
	return float(net.Quo(net, rat(cost))), nil
}

// ROMI returns the return on marketing investment, on margin:
//
//	(revenue * margin - spend) / spend
//
// The margin is a fraction of revenue, at most 1. With margin 1 it is the return on revenue. The errors are those of
// [LTVToCAC], and one for a margin that is greater than 1 or not finite.
func ROMI(revenue money.Amount, margin float64, spend money.Amount) (float64, error) {
	if err := checkMargin(margin); err != nil {
		return 0, err
	}
	if _, err := over(revenue, spend); err != nil {
		return 0, err
	}
	profit := new(big.Rat).Mul(rat(revenue), number(margin))
	return float(profit.Sub(profit, rat(spend)).Quo(profit, rat(spend))), nil
}

func checkMargin(margin float64) error {
	if err := finite("margin", margin); err != nil {
		return err
	}
	if margin > 1 {
		return fail("margin %v: greater than 1", margin)
	}
	return nil
}

// ROAS returns the return on ad spend: attributed revenue / ad spend. The errors are those of [LTVToCAC].
func ROAS(attributedRevenue, adSpend money.Amount) (float64, error) {
	return over(attributedRevenue, adSpend)
}

// BreakEvenROAS returns the ROAS at which gross profit covers the ad spend, 1 / margin, for a margin above 0 and at
// most 1. It is also the marginal aMER below which one more unit of spend loses money. A margin of 0 or less has none:
// the error wraps [ErrZeroBase].
func BreakEvenROAS(margin float64) (float64, error) {
	if err := checkMargin(margin); err != nil {
		return 0, err
	}
	if margin <= 0 {
		return 0, fail("%w: margin %v", ErrZeroBase, margin)
	}
	return 1 / margin, nil
}

// MER returns the marketing efficiency ratio: all revenue / all ad spend, whoever brought the revenue. The errors are
// those of [LTVToCAC].
func MER(revenue, adSpend money.Amount) (float64, error) { return over(revenue, adSpend) }

// AMER returns the acquisition MER: net revenue of the first orders of new customers / all marketing cost. The errors
// are those of [LTVToCAC].
func AMER(newCustomerRevenue, marketing money.Amount) (float64, error) {
	return over(newCustomerRevenue, marketing)
}

// MarginalAMER returns what one more unit of marketing brought in new customers' revenue: the difference of revenue
// divided by the difference of spend. Compare it with [BreakEvenROAS]. Both differences may be negative; a difference
// of spend of zero is an error that wraps [ErrZeroBase].
func MarginalAMER(moreRevenue, moreSpend money.Amount) (float64, error) {
	return quotient(moreRevenue, moreSpend)
}

// POAS returns the profit on ad spend: gross profit / ad spend. At 1 the spend is just earned back. The errors are those
// of [LTVToCAC].
func POAS(grossProfit, adSpend money.Amount) (float64, error) { return over(grossProfit, adSpend) }

// IROAS returns the incremental return on ad spend: the revenue that a holdout shows would not have come without the
// spend / the spend. The errors are those of [LTVToCAC].
func IROAS(incrementalRevenue, adSpend money.Amount) (float64, error) {
	return over(incrementalRevenue, adSpend)
}

// ValueBasis says what a customer's value is measured in.
type ValueBasis string

// The bases of value. In options the empty ValueBasis means GrossMargin.
const (
	Revenue      ValueBasis = "revenue"      // what customers pay
	GrossMargin  ValueBasis = "gross_margin" // revenue less the cost of what they buy
	Contribution ValueBasis = "contribution" // gross margin less the variable costs of payment, shipping, support and returns
)

func (b ValueBasis) validate() error {
	switch b {
	case "", Revenue, GrossMargin, Contribution:
		return nil
	}
	return fail("unknown value basis %q", string(b))
}

// A Value is what one customer is worth, with what it is measured in and whose it is.
type Value struct {
	Amount money.Amount `json:"amount"`
	Basis  ValueBasis   `json:"basis"`       // empty: GrossMargin
	Of     Place        `json:"of,omitzero"` // whose it is, as in Figure.Of; the zero Place for all customers
}

// A ValueRatio is an LTV:CAC with what it was made of.
type ValueRatio struct {
	Ratio float64  `json:"ratio"`
	Name  string   `json:"name"` // such as "gross_margin LTV : fully loaded CAC"
	Value Value    `json:"value"`
	Cost  Figure   `json:"cost"`
	Notes []string `json:"notes,omitempty"` // where the bases do not match, in words
}

// Compare returns the LTV:CAC of a value and a cost, named by its bases. Where they do not go together (a value in
// revenue, a cost that leaves out a part of sales and marketing) the ratio has a note that says what it overstates.
// The unrounded cost is divided by.
//
// Compare returns a *[PlaceError] that wraps [ErrBasisMismatch] if the two are of different customers, and the errors of
// [LTVToCAC].
func Compare(v Value, c Figure) (ValueRatio, error) {
	if err := v.Basis.validate(); err != nil {
		return ValueRatio{}, err
	}
	if v.Basis == "" {
		v.Basis = GrossMargin
	}
	if !v.Of.same(c.Of) {
		return ValueRatio{}, &PlaceError{c.Of, fmt.Errorf("%w: a value of %s and a cost of %s", ErrBasisMismatch, whose(v.Of), whose(c.Of))}
	}
	if c.Customers <= 0 {
		return ValueRatio{}, &PlaceError{c.Of, ErrNoNewCustomers}
	}
	if _, err := over(v.Amount, c.Spend); err != nil {
		return ValueRatio{}, &PlaceError{c.Of, bare(err)}
	}
	ratio := new(big.Rat).Mul(rat(v.Amount), big.NewRat(int64(c.Customers), 1))
	return ValueRatio{Ratio: float(ratio.Quo(ratio, rat(c.Spend))), Value: v, Cost: c, Notes: notes(v, c),
		Name: fmt.Sprintf("%s LTV : %s CAC", v.Basis, c.Basis)}, nil
}

func whose(p Place) string {
	if s := p.String(); s != "" {
		return s
	}
	return "all customers"
}

func notes(v Value, c Figure) []string {
	var out []string
	if v.Basis == Revenue {
		out = append(out, "the value is revenue, not margin: the ratio is too high by 1 / margin")
	}
	if !c.Basis.Equal(FullyLoaded()) {
		out = append(out, fmt.Sprintf("the cost is %s, not fully loaded: the ratio is too high by what it leaves out", c.Basis))
	}
	if c.Denominator == NewAll && c.Basis.usual() == NewPaid {
		out = append(out, "the cost of paid channels is divided by customers of all channels")
	}
	return out
}

// String returns the ratio with its name and notes.
func (r ValueRatio) String() string {
	s := fmt.Sprintf("%s: %.2f", r.Name, r.Ratio)
	for _, n := range r.Notes {
		s += "\n  note: " + n
	}
	return s
}
