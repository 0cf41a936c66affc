package cac

import (
	"fmt"
	"math"
	"math/big"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/money"
)

// A Holdout is the outcome of a campaign that a random part of its audience was kept from.
type Holdout struct {
	Treated            int // people who could see the campaign
	TreatedConversions int // of them, those who became customers
	Held               int // people who were kept from it
	HeldConversions    int // of them, those who became customers all the same
}

// Incremental is what a campaign caused, beyond what would have happened without it.
type Incremental struct {
	Spend          money.Amount  `json:"spend"`
	Expected       float64       `json:"expected"`        // customers whom the treated would have become without the campaign
	Customers      float64       `json:"customers"`       // incremental customers
	Low            float64       `json:"low"`             // of their interval (Newcombe's method 10); may be negative
	High           float64       `json:"high"`            //
	Level          float64       `json:"level"`           // of the interval
	Incrementality float64       `json:"incrementality"`  // incremental customers / all conversions of the treated
	Cost           money.Amount  `json:"cost"`            // spend / incremental customers, half to even to the minor unit
	Unrounded      float64       `json:"unrounded"`       // the same in units of the currency
	CostLow        money.Amount  `json:"cost_low"`        // at High incremental customers
	CostHigh       *money.Amount `json:"cost_high"`       // at Low; nil if Low is not positive, so that the cost has no upper bound
	Attributed     money.Amount  `json:"attributed_cost"` // spend / all conversions of the treated: what the cost seems to be
}

// IncrementalCAC returns the cost of a customer whom a campaign caused,
//
//	spend / (treated conversions - treated * held conversions / held)
//
// with an interval of the level (0 means 0.95) for the difference of the two rates by Newcombe's hybrid score method
// (Newcombe, Statistics in Medicine 1998, method 10). It returns an error that wraps [ErrNotIncremental] if the treated
// did not convert more than the held, [ErrNonPositiveCost] if the spend is negative; and an error if a group is empty
// or converts more than it has.
func IncrementalCAC(spend money.Amount, h Holdout, level float64) (Incremental, error) {
	if level == 0 {
		level = 0.95
	}
	if err := h.validate(); err != nil {
		return Incremental{}, err
	}
	if !(level > 0 && level < 1) {
		return Incremental{}, fail("level %v: not between 0 and 1", level)
	}
	if spend.Sign() < 0 {
		return Incremental{}, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	expected := big.NewRat(int64(h.HeldConversions), int64(h.Held))
	expected.Mul(expected, big.NewRat(int64(h.Treated), 1))
	more := new(big.Rat).Sub(big.NewRat(int64(h.TreatedConversions), 1), expected)
	out := Incremental{Spend: spend, Expected: float(expected), Customers: float(more), Level: level}
	out.Low, out.High = h.interval(level)
	if more.Sign() <= 0 {
		return out, fail("%w: %.6g of the treated were to be expected, %d came", ErrNotIncremental, out.Expected, h.TreatedConversions)
	}
	out.Incrementality = float(new(big.Rat).Quo(more, big.NewRat(int64(h.TreatedConversions), 1)))
	cost := new(big.Rat).Quo(rat(spend), more)
	out.Unrounded = float(cost)
	var err error
	if out.Cost, err = amountOf(cost, spend.Currency()); err != nil {
		return out, err
	}
	if out.Attributed, _, err = perUnit(spend, int64(h.TreatedConversions)); err != nil {
		return out, err
	}
	if out.CostLow, err = spendOver(spend, out.High); err != nil {
		return out, err
	}
	if out.Low > 0 {
		high, err := spendOver(spend, out.Low)
		if err != nil {
			return out, err
		}
		out.CostHigh = &high
	}
	return out, nil
}

func spendOver(spend money.Amount, customers float64) (money.Amount, error) {
	return amountOf(new(big.Rat).Quo(rat(spend), number(customers)), spend.Currency())
}

func (h Holdout) validate() error {
	for _, g := range []struct {
		name             string
		size, conversion int
	}{{"treated", h.Treated, h.TreatedConversions}, {"held", h.Held, h.HeldConversions}} {
		switch {
		case g.size <= 0:
			return fail("%s: %d people: a group needs some", g.name, g.size)
		case g.conversion < 0 || g.conversion > g.size:
			return fail("%s: %d conversions of %d people", g.name, g.conversion, g.size)
		}
	}
	return nil
}

// interval returns the bounds of the incremental customers among the treated.
func (h Holdout) interval(level float64) (low, high float64) {
	n1, n2 := float64(h.Treated), float64(h.Held)
	x1, x2 := float64(h.TreatedConversions), float64(h.HeldConversions)
	l1, u1 := stat.Wilson(x1, n1, level)
	l2, u2 := stat.Wilson(x2, n2, level)
	p1, p2 := x1/n1, x2/n2
	d := p1 - p2
	return n1 * (d - math.Hypot(p1-l1, u2-p2)), n1 * (d + math.Hypot(u1-p1, p2-l2))
}

// String returns the result in a line.
func (i Incremental) String() string {
	high := "no upper bound"
	if i.CostHigh != nil {
		high = i.CostHigh.String()
	}
	return fmt.Sprintf("%.6g incremental customers (%.0f%%: %.6g to %.6g), %s each (%s to %s); attributed %s",
		i.Customers, 100*i.Level, i.Low, i.High, i.Cost, i.CostLow, high, i.Attributed)
}

// DiscountedCAC returns the incremental cost of a customer where only the share of conversions that would have happened
// anyway is known: attributed CAC / (1 - share). The share is at least 0; one of 1 or more is an error that wraps
// [ErrNotIncremental].
func DiscountedCAC(attributed money.Amount, notIncremental float64) (money.Amount, error) {
	if err := within("share", notIncremental, 0, math.MaxFloat64); err != nil {
		return money.Amount{}, err
	}
	if attributed.Sign() < 0 {
		return money.Amount{}, fail("%w: %s", ErrNonPositiveCost, attributed)
	}
	if notIncremental >= 1 {
		return money.Amount{}, fail("%w: share %v", ErrNotIncremental, notIncremental)
	}
	kept := new(big.Rat).Sub(big.NewRat(1, 1), number(notIncremental))
	return amountOf(kept.Quo(rat(attributed), kept), attributed.Currency())
}

// BaselineCAC returns the cost of a customer beyond a baseline: spend / (new customers - baseline). The baseline is how
// many would have come without the spend. No more customers than that is an error that wraps [ErrNotIncremental].
func BaselineCAC(spend money.Amount, newCustomers int, baseline float64) (money.Amount, error) {
	if err := within("baseline", baseline, 0, math.MaxFloat64); err != nil {
		return money.Amount{}, err
	}
	if newCustomers < 0 {
		return money.Amount{}, fail("%d new customers: negative", newCustomers)
	}
	if spend.Sign() < 0 {
		return money.Amount{}, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	more := new(big.Rat).Sub(big.NewRat(int64(newCustomers), 1), number(baseline))
	if more.Sign() <= 0 {
		return money.Amount{}, fail("%w: %d new customers, %v without the spend", ErrNotIncremental, newCustomers, baseline)
	}
	return amountOf(more.Quo(rat(spend), more), spend.Currency())
}

// MarginalCAC returns the cost of one more customer: the difference of spend divided by the difference of new customers,
// rounded half to even to the minor unit. Both may be negative together. No difference of customers is an error that
// wraps [ErrNoNewCustomers]; differences of opposite sign are one that wraps [ErrNonPositiveCost], as less spend then
// brings more customers.
func MarginalCAC(moreSpend money.Amount, moreCustomers int) (money.Amount, error) {
	if moreCustomers == 0 {
		return money.Amount{}, prefixed(ErrNoNewCustomers)
	}
	if moreSpend.Sign()*sign(moreCustomers) < 0 {
		return money.Amount{}, fail("%w: %s for %+d customers", ErrNonPositiveCost, moreSpend, moreCustomers)
	}
	a, _, err := perUnit(moreSpend, int64(moreCustomers))
	return a, err
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// A Curve is how customers respond to spend; the curves of cac/budget are ones.
type Curve interface {
	Response(spend float64) float64 // customers won by a spend
	Marginal(spend float64) float64 // its derivative: customers won by one more unit of spend
}

// CurveCAC returns the average cost of a customer at a spend on a response curve, spend / response, and the marginal one,
// 1 / marginal response, both rounded half to even to the minor unit. A response or a slope of zero is an error that
// wraps [ErrNoNewCustomers]; a curve that is negative or not finite there is an error.
func CurveCAC(c Curve, spend money.Amount) (average, marginal money.Amount, err error) {
	if spend.Sign() < 0 {
		return average, marginal, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	x := spend.Float64()
	response, slope := c.Response(x), c.Marginal(x)
	for _, v := range []float64{response, slope} {
		if err := within("response", v, 0, math.MaxFloat64); err != nil {
			return average, marginal, err
		}
		if v == 0 {
			return average, marginal, fail("%w at a spend of %s", ErrNoNewCustomers, spend)
		}
	}
	if average, err = spendOver(spend, response); err != nil {
		return average, marginal, err
	}
	marginal, err = amountOf(new(big.Rat).Inv(number(slope)), spend.Currency())
	return average, marginal, err
}
