package cac

import (
	"fmt"
	"math/big"

	"github.com/custval/custval/money"
)

// MagicNumber returns the new recurring revenue, annualised, per unit of sales and marketing cost:
//
//	(revenue of the quarter - revenue of the quarter before) * 4 / sales and marketing cost of the quarter before
//
// About 0.75 is usually called efficient, 1 means that a year of the added revenue pays for the cost. Businesses whose
// sales take as long as they vary use the cost of the same quarter: pass that. The errors are those of [LTVToCAC].
func MagicNumber(before, now, priorCost money.Amount) (float64, error) {
	return annualised(before, now, priorCost)
}

// GrossMarginMagicNumber is the magic number on gross margin, which some lenders call the CAC ratio: the difference of
// quarterly gross margins times 4 / sales and marketing cost of the same quarter. The errors are those of [LTVToCAC].
func GrossMarginMagicNumber(before, now, cost money.Amount) (float64, error) {
	return annualised(before, now, cost)
}

func annualised(before, now, cost money.Amount) (float64, error) {
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

// CACRatios are the costs of one unit of contracted annual recurring revenue (CARR).
type CACRatios struct {
	Blended  float64 `json:"blended"`   // all sales and marketing / (new + expansion CARR)
	New      float64 `json:"new"`       // sales and marketing for new customers / new customers' CARR
	Suspect  bool    `json:"suspect"`   // New is less than Blended: costs of new customers are probably booked as expansion
	NewShare float64 `json:"new_share"` // part of the cost that was for new customers
}

// NewCACRatios returns the blended and the new-customer CAC ratio. New customers cost more per unit of revenue than
// expansion does; where the figures say otherwise the split of the costs is to be mistrusted, and Suspect says so.
//
// It returns an error that wraps [ErrCurrencyMismatch]; [ErrZeroBase] if there is no CARR to divide by; and an error if
// an amount is negative or the cost for new customers exceeds all cost.
func NewCACRatios(cost, costForNew, newCARR, expansionCARR money.Amount) (CACRatios, error) {
	for _, a := range []money.Amount{cost, costForNew, newCARR, expansionCARR} {
		if a.Sign() < 0 {
			return CACRatios{}, fail("CAC ratio: %s: negative", a)
		}
	}
	carr, err := total(newCARR, expansionCARR)
	if err != nil {
		return CACRatios{}, err
	}
	var r CACRatios
	if r.Blended, err = quotient(cost, carr); err != nil {
		return CACRatios{}, err
	}
	if r.New, err = quotient(costForNew, newCARR); err != nil {
		return CACRatios{}, err
	}
	if r.NewShare, err = quotient(costForNew, cost); err != nil {
		return CACRatios{}, err
	}
	if r.NewShare > 1 {
		return CACRatios{}, fail("CAC ratio: cost for new customers %s exceeds all cost %s", costForNew, cost)
	}
	r.Suspect = r.New < r.Blended
	return r, nil
}

// String returns both ratios in a line.
func (r CACRatios) String() string {
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
