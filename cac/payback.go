package cac

import (
	"fmt"
	"math"
	"math/big"

	"github.com/custval/custval/money"
)

// PaybackMonths returns the months until a customer's gross margin has earned the cost of winning it,
//
//	cost / (monthly revenue * margin)
//
// supposing that the customer stays; [ChurnAdjustedPayback] does not suppose it. The margin is a fraction of revenue,
// at most 1. A revenue per year gives years. A cost of zero is paid back at once, in 0 months.
//
// PaybackMonths returns an error that wraps [ErrNever] (and ledger.ErrUndefined) if a month earns nothing or less,
// [ErrNonPositiveCost] if the cost is negative, [ErrCurrencyMismatch], and an error if the margin is greater than 1 or
// not finite.
func PaybackMonths(cost, monthlyRevenue money.Amount, margin float64) (float64, error) {
	return paybackTime(cost, monthlyRevenue, margin, big.NewRat(1, 1))
}

// SimplePayback is the payback on revenue, cost / monthly revenue. It flatters, as revenue is not earned. The errors are
// those of [PaybackMonths].
func SimplePayback(cost, monthlyRevenue money.Amount) (float64, error) {
	return PaybackMonths(cost, monthlyRevenue, 1)
}

// HaircutPayback takes one month's churn off the margin,
//
//	cost / (monthly revenue * margin * (1 - churn))
//
// which is a rule of thumb and no sum over the survivors; that is [ChurnAdjustedPayback]. The churn is a monthly rate
// between 0 and 1. The errors are those of [PaybackMonths].
func HaircutPayback(cost, monthlyRevenue money.Amount, margin, churn float64) (float64, error) {
	if err := within("churn", churn, 0, 1); err != nil {
		return 0, err
	}
	kept := big.NewRat(1, 1)
	return paybackTime(cost, monthlyRevenue, margin, kept.Sub(kept, number(churn)))
}

func paybackTime(cost, revenue money.Amount, margin float64, factor *big.Rat) (float64, error) {
	if err := checkMargin(margin); err != nil {
		return 0, err
	}
	if err := sameCurrency(cost, revenue); err != nil {
		return 0, prefixed(err)
	}
	if cost.Sign() < 0 {
		return 0, fail("%w: %s", ErrNonPositiveCost, cost)
	}
	if cost.Sign() == 0 {
		return 0, nil
	}
	earned := new(big.Rat).Mul(rat(revenue), number(margin))
	earned.Mul(earned, factor)
	if earned.Sign() <= 0 {
		return 0, fail("%w: a month earns nothing", ErrNever)
	}
	return float(new(big.Rat).Quo(rat(cost), earned)), nil
}

// Terms are the terms of a payback with what a sale brings and costs at once and every month.
type Terms struct {
	Cost       money.Amount // of winning a customer
	Onboarding money.Amount // gross profit of the first sale, which pays part of Cost at once; may be zero
	Revenue    money.Amount // a month
	Margin     float64      // gross margin, a fraction of revenue
	Fees       float64      // payment fees, a fraction of revenue
	Support    money.Amount // support and service, a month; may be zero
}

// Months returns
//
//	(cost - onboarding) / (revenue * (margin - fees) - support)
//
// and 0 if the first sale pays for all. The errors are those of [PaybackMonths].
func (t Terms) Months() (float64, error) {
	if err := checkMargin(t.Margin); err != nil {
		return 0, err
	}
	if err := within("fees", t.Fees, 0, 1); err != nil {
		return 0, err
	}
	for _, a := range []money.Amount{t.Onboarding, t.Revenue, t.Support} {
		if err := sameCurrency(t.Cost, a); err != nil {
			return 0, prefixed(err)
		}
	}
	if t.Cost.Sign() < 0 {
		return 0, fail("%w: %s", ErrNonPositiveCost, t.Cost)
	}
	due := new(big.Rat).Sub(rat(t.Cost), rat(t.Onboarding))
	if due.Sign() <= 0 {
		return 0, nil
	}
	earned := new(big.Rat).Sub(number(t.Margin), number(t.Fees))
	earned.Mul(earned, rat(t.Revenue)).Sub(earned, rat(t.Support))
	if earned.Sign() <= 0 {
		return 0, fail("%w: a month earns nothing", ErrNever)
	}
	return float(due.Quo(due, earned)), nil
}

// PaybackStatus says whether a cost is paid back.
type PaybackStatus string

// The states of a payback.
const (
	PaidBack PaybackStatus = "paid_back" // after so many months
	NotYet   PaybackStatus = "not_yet"   // not within the months observed; it may be later
	Never    PaybackStatus = "never"     // not in any time
)

// A Payback is the time after which a cost is earned back, or the reason why there is none.
type Payback struct {
	Status   PaybackStatus `json:"status"`
	Months   float64       `json:"months"`         // months until the cost is earned, with the fraction of the last one; 0 unless PaidBack
	Whole    int           `json:"whole_months"`   // the first whole month at whose end it is; 0 unless PaidBack
	Observed int           `json:"observed"`       // months that were looked at; 0 if the payback follows from a formula
	Share    float64       `json:"share_returned"` // part of the cost that is earned: 1 or more when PaidBack, else what the months observed, or all of time, earn
}

// String returns the status with the months.
func (p Payback) String() string {
	switch p.Status {
	case PaidBack:
		return fmt.Sprintf("%.1f months (month %d)", p.Months, p.Whole)
	case NotYet:
		return fmt.Sprintf("not yet in month %d (%.0f%% returned)", p.Observed, 100*p.Share)
	case Never:
		return fmt.Sprintf("never (%.0f%% returned)", 100*p.Share)
	}
	return string(p.Status)
}

// Err returns nil for a cost that is paid back, and an error that wraps [ErrNever] or [ErrInsufficientHistory] for one
// that never is or is not yet, for callers who want a number or an error.
func (p Payback) Err() error {
	switch p.Status {
	case PaidBack:
		return nil
	case Never:
		return prefixed(ErrNever)
	}
	return fail("%w: not paid back after %d months", ErrInsufficientHistory, p.Observed)
}

// ChurnAdjustedPayback returns the payback of a cost from a monthly profit per customer of which only the survivors
// pay: every month the share churn of them leaves, and the first month is paid by all. Whole is the smallest k with
//
//	sum of monthlyProfit * (1 - churn)^t for t = 0 ... k-1  >=  cost
//
// and Months is where its continuous form meets the cost, ln(1 - cost*churn/monthlyProfit) / ln(1 - churn). The payback
// is Never if cost >= monthlyProfit / churn, or if a month earns nothing. Without churn Months is cost / monthlyProfit.
//
// It returns an error if the currencies differ, the cost is negative or the churn is not between 0 and 1.
func ChurnAdjustedPayback(cost, monthlyProfit money.Amount, churn float64) (Payback, error) {
	if err := within("churn", churn, 0, 1); err != nil {
		return Payback{}, err
	}
	if err := sameCurrency(cost, monthlyProfit); err != nil {
		return Payback{}, prefixed(err)
	}
	switch {
	case cost.Sign() < 0:
		return Payback{}, fail("%w: %s", ErrNonPositiveCost, cost)
	case cost.Sign() == 0:
		return Payback{Status: PaidBack, Share: 1}, nil
	case monthlyProfit.Sign() <= 0:
		return Payback{Status: Never}, nil
	}
	months := new(big.Rat).Quo(rat(cost), rat(monthlyProfit)) // of profit at full strength
	if churn == 0 {
		return Payback{Status: PaidBack, Months: float(months), Whole: ceiling(months), Share: 1}, nil
	}
	lost := new(big.Rat).Mul(months, number(churn)) // cost * churn / profit: the part that can be lost for ever
	one := big.NewRat(1, 1)
	if lost.Cmp(one) == 0 && churn == 1 { // the one month there is earns it to the cent
		return Payback{Status: PaidBack, Months: 1, Whole: 1, Share: 1}, nil
	}
	if lost.Cmp(one) >= 0 {
		return Payback{Status: Never, Share: float(new(big.Rat).Inv(lost))}, nil
	}
	if churn == 1 { // one month is all there is, and it earns more than the cost
		return Payback{Status: PaidBack, Months: float(months), Whole: 1, Share: 1}, nil
	}
	k := log1m(lost) / math.Log1p(-churn)
	return Payback{Status: PaidBack, Months: k, Whole: survivorMonths(lost, churn, k), Share: 1}, nil
}

// survivorMonths returns the smallest k with 1 - (1-churn)^k >= lost, near the float that solves it. Up to a thousand
// months the comparison is exact.
func survivorMonths(lost *big.Rat, churn, near float64) int {
	if near > 1000 {
		return int(min(math.Ceil(near), math.MaxInt32))
	}
	one := big.NewRat(1, 1)
	kept := new(big.Rat).Sub(one, number(churn))
	k := max(1, int(math.Ceil(near))-1)
	left := new(big.Rat).SetFrac(power(kept.Num(), k), power(kept.Denom(), k)) // (1-churn)^k
	for new(big.Rat).Sub(one, left).Cmp(lost) < 0 {
		left.Mul(left, kept)
		k++
	}
	return k
}

func power(x *big.Int, k int) *big.Int { return new(big.Int).Exp(x, big.NewInt(int64(k)), nil) }

// log1m returns ln(1 - x) of an exact 0 <= x < 1 without losing digits at either end.
func log1m(x *big.Rat) float64 {
	if f := float(x); f < 0.5 {
		return math.Log1p(-f)
	}
	return math.Log(float(new(big.Rat).Sub(big.NewRat(1, 1), x)))
}

// ceiling returns the smallest whole number that is not less than r, at most the greatest int32.
func ceiling(r *big.Rat) int {
	n := new(big.Int).Add(r.Num(), r.Denom())
	n.Sub(n, big.NewInt(1)).Div(n, r.Denom())
	if n.Cmp(big.NewInt(math.MaxInt32)) > 0 {
		return math.MaxInt32
	}
	return int(n.Int64())
}

// CohortPayback returns the payback of a cohort: the first month by whose end the gross profit per acquired customer,
// added up from the month of acquisition on, reaches the cost per customer. Profits are per customer who was acquired,
// whether still there or not, net of refunds, and may be negative. Months is interpolated linearly within the month, as
// of the cost that was still open at its beginning. A cohort that has not earned the cost in the months observed is
// NotYet: nothing says that it will not.
//
// It returns an error if the currencies differ or the cost is negative.
func CohortPayback(cost money.Amount, profits []money.Amount) (Payback, error) {
	if cost.Sign() < 0 {
		return Payback{}, fail("%w: %s", ErrNonPositiveCost, cost)
	}
	exact := make([]*big.Rat, len(profits))
	for i, p := range profits {
		if err := sameCurrency(cost, p); err != nil {
			return Payback{}, fail("month %d: %w", i+1, err)
		}
		exact[i] = rat(p)
	}
	return paybackOf(rat(cost), exact), nil
}

// paybackOf adds profits up until they reach the cost.
func paybackOf(cost *big.Rat, profits []*big.Rat) Payback {
	if cost.Sign() == 0 {
		return Payback{Status: PaidBack, Observed: len(profits), Share: 1}
	}
	earned := new(big.Rat)
	for i, p := range profits {
		open := new(big.Rat).Sub(cost, earned)
		earned.Add(earned, p)
		if earned.Cmp(cost) >= 0 {
			part := open.Quo(open, p)
			part.Add(part, big.NewRat(int64(i), 1))
			return Payback{Status: PaidBack, Months: float(part), Whole: i + 1, Observed: len(profits),
				Share: float(new(big.Rat).Quo(earned, cost))}
		}
	}
	return Payback{Status: NotYet, Observed: len(profits), Share: float(new(big.Rat).Quo(earned, cost))}
}

// maxMonths bounds a projection: a payback later than a thousand years is never one.
const maxMonths = 12000

// A Projection is a payback that is forecast from rates.
type Projection struct {
	Cost      money.Amount // of winning a customer
	Profit    money.Amount // gross profit of a customer in the first month
	Churn     []float64    // monthly churn after month 1, 2, ...; the last one goes on for ever; none: nobody leaves
	Expansion float64      // monthly growth of the profit of those who stay, from month 2 on; may be negative, above -1
}

// Payback returns the first month by which the profit of the survivors,
//
//	profit * (1 + expansion)^(t-1) * (1 - churn_1) ... (1 - churn_(t-1))  in month t,
//
// adds up to the cost, interpolated linearly within it. It is Never if all months to come do not earn it.
//
// It returns an error if the currencies differ, the cost is negative, a churn is not between 0 and 1 or the expansion is
// not a number above -1.
func (p Projection) Payback() (Payback, error) {
	if err := p.validate(); err != nil {
		return Payback{}, err
	}
	cost, profit := p.Cost.Float64(), p.Profit.Float64()
	if cost == 0 {
		return Payback{Status: PaidBack, Share: 1}, nil
	}
	if profit <= 0 {
		return Payback{Status: Never}, nil
	}
	earned, month := 0.0, profit
	for t := 1; t <= maxMonths; t++ {
		if earned+month >= cost {
			return Payback{Status: PaidBack, Months: float64(t-1) + (cost-earned)/month, Whole: t, Share: (earned + month) / cost}, nil
		}
		earned += month
		factor := (1 - p.churn(t)) * (1 + p.Expansion)
		month *= factor
		if t >= len(p.Churn) && factor < 1 { // what is left is a geometric series
			if all := earned + month/(1-factor); all < cost {
				return Payback{Status: Never, Share: all / cost}, nil
			}
		}
	}
	return Payback{Status: Never, Share: earned / cost}, nil
}

func (p Projection) churn(t int) float64 {
	if len(p.Churn) == 0 {
		return 0
	}
	return p.Churn[min(t, len(p.Churn))-1]
}

func (p Projection) validate() error {
	if err := sameCurrency(p.Cost, p.Profit); err != nil {
		return prefixed(err)
	}
	if p.Cost.Sign() < 0 {
		return fail("%w: %s", ErrNonPositiveCost, p.Cost)
	}
	for i, c := range p.Churn {
		if err := within(fmt.Sprintf("churn of month %d", i+1), c, 0, 1); err != nil {
			return err
		}
	}
	if err := finite("expansion", p.Expansion); err != nil {
		return err
	}
	if p.Expansion <= -1 {
		return fail("expansion %v: not above -1", p.Expansion)
	}
	return nil
}
