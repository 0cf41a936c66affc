package cac

import (
	"fmt"
	"math/big"

	"github.com/custval/custval/money"
)

// MagicNumber returns the new recurring revenue, annualized, per unit of sales and marketing cost:
//
//	(revenue of the quarter - revenue of the quarter before) * 4 / sales and marketing cost of the quarter before
//
// About 0.75 is usually called efficient, 1 means that a year of the added revenue pays for the cost. Businesses whose
// sales take as long as they vary use the cost of the same quarter: pass that. The errors are those of [LTVToCAC].
func MagicNumber(before, now, priorCost money.Amount) (float64, error) {
	return annualized(before, now, priorCost)
}

// GrossMarginMagicNumber is the magic number on gross margin, which some lenders call the CAC ratio: the difference of
// quarterly gross margins times 4 / sales and marketing cost of the same quarter. The errors are those of [LTVToCAC].
func GrossMarginMagicNumber(before, now, cost money.Amount) (float64, error) {
	return annualized(before, now, cost)
}

func annualized(before, now, cost money.Amount) (float64, error) {
	if err := sameCurrency(before, now); err != nil {
		return 0, prefixed(err)
	}
	added, err := now.Sub(before)
	if err != nil {
		return 0, prefixed(err)
	}
	if added, err = timesInt(added, 4); err != nil {
		return 0, err
	}
	return over(added, cost)
}

// GrossSalesEfficiency returns new annual recurring revenue / sales and marketing cost of the same quarter. The errors
// are those of [LTVToCAC].
func GrossSalesEfficiency(newARR, cost money.Amount) (float64, error) { return over(newARR, cost) }

// NetSalesEfficiency returns (new ARR - churned ARR) / sales and marketing cost of the same quarter. The errors are those
// of [LTVToCAC], and one if the churned ARR is negative: it is a positive amount that was lost.
func NetSalesEfficiency(newARR, churnedARR, cost money.Amount) (float64, error) {
	if churnedARR.Sign() < 0 {
		return 0, fail("churned ARR %s: negative; it is the amount lost", churnedARR)
	}
	if err := sameCurrency(newARR, churnedARR); err != nil {
		return 0, prefixed(err)
	}
	net, err := newARR.Sub(churnedARR)
	if err != nil {
		return 0, prefixed(err)
	}
	return over(net, cost)
}

// BlendedCACRatio returns the cost of one unit of contracted annual recurring revenue (CARR),
//
//	all sales and marketing cost / (new CARR + expansion CARR)
//
// The errors are those of [LTVToCAC], and one if a CARR is negative.
func BlendedCACRatio(cost, newCARR, expansionCARR money.Amount) (float64, error) {
	carr, err := total(newCARR, expansionCARR)
	if err != nil {
		return 0, err
	}
	return perCARR(cost, newCARR, expansionCARR, carr)
}

// NewCACRatio returns the cost of one unit of CARR of new customers: sales and marketing cost for new customers / their
// CARR. The errors are those of [LTVToCAC], and one if the CARR is negative.
func NewCACRatio(costForNew, newCARR money.Amount) (float64, error) {
	return perCARR(costForNew, newCARR, newCARR, newCARR)
}

func perCARR(cost, a, b, base money.Amount) (float64, error) {
	if cost.Sign() < 0 {
		return 0, fail("%w: %s", ErrNonPositiveCost, cost)
	}
	for _, x := range []money.Amount{a, b} {
		if x.Sign() < 0 {
			return 0, fail("CARR %s: negative", x)
		}
	}
	return quotient(cost, base)
}

// Ratios are the costs of one unit of CARR, blended and of new customers.
type Ratios struct {
	Blended  float64 `json:"blended"`   // see BlendedCACRatio
	New      float64 `json:"new"`       // see NewCACRatio
	Suspect  bool    `json:"suspect"`   // New is less than Blended: costs of new customers are probably booked as expansion
	NewShare float64 `json:"new_share"` // part of the cost that was for new customers
}

// CARRRatios returns the blended and the new CAC ratio together. New customers cost more per unit of revenue than
// expansion does; where the figures say otherwise the split of the costs is to be mistrusted, and Suspect says so.
//
// It returns the errors of [BlendedCACRatio] and [NewCACRatio], and one if the cost for new customers exceeds all cost.
func CARRRatios(cost, costForNew, newCARR, expansionCARR money.Amount) (Ratios, error) {
	var r Ratios
	var err error
	if r.Blended, err = BlendedCACRatio(cost, newCARR, expansionCARR); err != nil {
		return Ratios{}, err
	}
	if r.New, err = NewCACRatio(costForNew, newCARR); err != nil {
		return Ratios{}, err
	}
	if r.NewShare, err = quotient(costForNew, cost); err != nil {
		return Ratios{}, err
	}
	if r.NewShare > 1 {
		return Ratios{}, fail("CAC ratio: cost for new customers %s exceeds all cost %s", costForNew, cost)
	}
	r.Suspect = r.New < r.Blended
	return r, nil
}

// String returns both ratios in a line.
func (r Ratios) String() string {
	s := fmt.Sprintf("blended CAC ratio %.2f, new CAC ratio %.2f", r.Blended, r.New)
	if r.Suspect {
		s += " (less than blended: check how costs are split between new customers and expansion)"
	}
	return s
}

// PaybackOnARR returns the time to earn sales and marketing cost back from the gross margin of added annual recurring
// revenue, in years: cost / (added ARR * margin). The errors are those of [PaybackMonths].
func PaybackOnARR(cost, addedARR money.Amount, margin float64) (float64, error) {
	return paybackTime(cost, addedARR, margin, big.NewRat(1, 1))
}
