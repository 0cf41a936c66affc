package subscription

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Monthly returns what a price is worth a month, rounded once to the minor unit, half to even. Intervals are exact: a
// year is 12 months, a week 12/52 of a month, a day 12/365.
//
//	MRR = price / n           every n months        MRR = price * 52 / (12 n)     every n weeks
//	MRR = price / (12 n)      every n years         MRR = price * 365 / (12 n)    every n days
//
// It returns an error for an unknown interval and for a currency without a minor unit. [Policy.Monthly] does the same by
// other rules.
func Monthly(price money.Amount, every Interval) (money.Amount, error) {
	return Policy{}.Monthly(price, every)
}

// Monthly returns what a price is worth a month by the policy's normalizer and rounding.
func (p Policy) Monthly(price money.Amount, every Interval) (money.Amount, error) {
	if err := p.Validate(); err != nil {
		return money.Amount{}, err
	}
	f, ok := p.Normalizer.factor(every)
	if !ok {
		return money.Amount{}, fmt.Errorf("subscription: %s: %w", every, errInterval)
	}
	x, err := exactAmount(price)
	if err != nil {
		return money.Amount{}, fmt.Errorf("subscription: price %s: %w", price, err)
	}
	s, err := newScale(price.Currency(), p.Rounding.Digits, p.Rounding.Mode)
	if err != nil {
		return money.Amount{}, err
	}
	return s.round(x.mul(f))
}

// Annual returns the annual run-rate of a monthly amount, exactly: ARR = 12 MRR. A Snapshot's ARR is computed from the
// exact MRR and may differ from this by rounding.
func Annual(mrr money.Amount) (money.Amount, error) {
	x, err := exactAmount(mrr)
	if err != nil {
		return money.Amount{}, fmt.Errorf("subscription: MRR %s: %w", mrr, err)
	}
	digits := max(-mrr.Decimal().Exponent(), 0)
	s, err := newScale(mrr.Currency(), digits, money.HalfEven)
	if err != nil {
		return money.Amount{}, err
	}
	return s.round(x.mul(whole(12)))
}

// RevenueChurn returns lost / opening: 0.05 for USD 500 lost of 10,000. What is lost is a positive amount: churn alone
// for the MRR churn rate, churn and contraction for the gross one.
//
// Errors: the opening is zero (wraps [ledger.ErrUndefined]); an amount is negative; the currencies differ.
func RevenueChurn(lost, opening money.Amount) (float64, error) {
	return share("revenue churn", []money.Amount{lost}, nil, opening)
}

// NetRevenueChurn returns (lost - gained) / opening, where gained is expansion and, for those who count it, reactivation.
// It is negative if more was gained than lost. Errors are those of [RevenueChurn].
func NetRevenueChurn(lost, gained, opening money.Amount) (float64, error) {
	return share("net revenue churn", []money.Amount{lost}, []money.Amount{gained}, opening)
}

// NetRetention returns NRR in its flow form, (opening + expansion - contraction - churn) / opening, of movements within
// the customers at the opening. Errors are those of [RevenueChurn].
func NetRetention(opening, expansion, contraction, churn money.Amount) (float64, error) {
	return share("net retention", []money.Amount{opening, expansion}, []money.Amount{contraction, churn}, opening)
}

// GrossRetention returns GRR in its flow form, (opening - contraction - churn) / opening. Errors are those of
// [RevenueChurn].
func GrossRetention(opening, contraction, churn money.Amount) (float64, error) {
	return share("gross retention", []money.Amount{opening}, []money.Amount{contraction, churn}, opening)
}

// QuickRatio returns gained / lost: new business, expansion and, for those who count it, reactivation over churn and
// contraction. Nothing lost is an error that wraps [ledger.ErrUndefined]. Errors are those of [RevenueChurn].
func QuickRatio(gained, lost money.Amount) (float64, error) {
	return share("quick ratio", []money.Amount{gained}, nil, lost)
}

// Growth returns (now - before) / before. Errors are those of [RevenueChurn].
func Growth(before, now money.Amount) (float64, error) {
	return share("growth", []money.Amount{now}, []money.Amount{before}, before)
}

// Attainment returns actual / target. Errors are those of [RevenueChurn].
func Attainment(actual, target money.Amount) (float64, error) {
	return share("attainment", []money.Amount{actual}, nil, target)
}

// CMGR returns the compound growth rate a month over a number of months, from -1 on:
//
//	CMGR = (last / first)^(1/months) - 1
//
// Errors: first is zero (wraps [ledger.ErrUndefined]); an amount is negative; the currencies differ; months is below 1.
func CMGR(first, last money.Amount, months int) (float64, error) {
	ratio, err := share("CMGR", []money.Amount{last}, nil, first)
	if err != nil {
		return 0, err
	}
	if months < 1 {
		return 0, fmt.Errorf("subscription: CMGR over %d months: not at least 1", months)
	}
	return math.Expm1(math.Log(ratio) / float64(months)), nil
}

// share returns (sum of plus - sum of minus) / base.
func share(what string, plus, minus []money.Amount, base money.Amount) (float64, error) {
	var c money.Currency
	sum := func(as []money.Amount) (rational, error) {
		var total rational
		for _, a := range as {
			x, err := exactAmount(a)
			switch {
			case err != nil:
				return total, fmt.Errorf("subscription: %s: %s: %w", what, a, err)
			case a.Sign() < 0:
				return total, fmt.Errorf("subscription: %s: %s: %w", what, a, errNegative)
			case a.Currency() != "" && c != "" && a.Currency() != c:
				return total, fmt.Errorf("subscription: %s: amounts in %s and %s", what, c, a.Currency())
			case a.Currency() != "":
				c = a.Currency()
			}
			total = total.add(x)
		}
		return total, nil
	}
	p, err1 := sum(plus)
	m, err2 := sum(minus)
	b, err3 := sum([]money.Amount{base})
	if err := errors.Join(err1, err2, err3); err != nil {
		return 0, err
	}
	if b.sign() == 0 {
		return 0, fmt.Errorf("subscription: %s: the base is zero: %w", what, ledger.ErrUndefined)
	}
	return p.sub(m).quo(b).ratio(), nil
}

// RenewalRate returns renewed / due by count: 0.90 for 45 of 50 contracts. It returns an error that wraps
// [ledger.ErrUndefined] if none was due, and an error if a count is negative or more were renewed than due.
func RenewalRate(renewed, due int) (float64, error) {
	switch {
	case renewed < 0 || due < 0:
		return 0, fmt.Errorf("subscription: renewal rate of %d renewed and %d due: %w", renewed, due, errNegative)
	case renewed > due:
		return 0, fmt.Errorf("subscription: renewal rate: %d renewed, but %d due", renewed, due)
	case due == 0:
		return 0, fmt.Errorf("subscription: renewal rate: none was due: %w", ledger.ErrUndefined)
	}
	return float64(renewed) / float64(due), nil
}

// ARPA returns MRR / customers, rounded to the minor unit half to even. It is also the average selling price, of the new
// MRR and the new customers. It returns an error that wraps [ledger.ErrUndefined] if there are no customers.
func ARPA(mrr money.Amount, customers int) (money.Amount, error) {
	m, err := meanOf(mrr, customers)
	if err != nil {
		return money.Amount{}, err
	}
	return m.Value()
}

func meanOf(total money.Amount, count int) (Mean, error) {
	if count < 0 {
		return Mean{}, fmt.Errorf("subscription: mean over %d customers: %w", count, errNegative)
	}
	x, err := exactAmount(total)
	if err != nil {
		return Mean{}, fmt.Errorf("subscription: mean of %s: %w", total, err)
	}
	s, err := newScale(total.Currency(), 0, money.HalfEven)
	return Mean{Total: total, Count: int64(count), total: x, scale: s}, err
}

// LTV returns the simple lifetime value arpa * margin / churn, with the margin above 0 and at most 1 and the churn a month,
// rounded to the minor unit half to even. It returns an error that wraps [ledger.ErrUndefined] if churn is zero: the
// formula has no finite value then.
func LTV(arpa money.Amount, margin, churn float64) (money.Amount, error) {
	m, err := meanOf(arpa, 1)
	if err != nil {
		return money.Amount{}, err
	}
	c, err := exactRate(churn)
	if err != nil {
		return money.Amount{}, fmt.Errorf("subscription: LTV: churn %v: %w", churn, err)
	}
	return ltv(m, margin, c)
}
