package clv

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/money"
)

// A BergerNasr is the lifetime value of a customer who buys in cycles of fixed length and is promoted to in the middle
// of each: cases 1 to 3 of the paper.
//
//	value = sum over i = 0..n of GC(i) r^i/(1+d)^(i e)  -  sum over i = 1..n of M(i) r^(i-1)/(1+d)^((i-1/2) e)
//
// with the gross contribution GC of a cycle, the promotion M, the retention rate r a cycle, the discount rate d a year,
// the length e of a cycle in years and n = Years/e cycles.
//
//	case 1   Every 1: once a year
//	case 2a  Every 1/p: p times a year
//	case 2b  Every q: every q years
//	case 3   ContributionAt or PromotionAt vary by cycle
//
// Source: P. Berger, N. Nasr, Customer lifetime value: marketing models and applications, Journal of Interactive
// Marketing 12(1), 1998.
type BergerNasr struct {
	Contribution money.Amount // gross contribution of a cycle, at its start
	Promotion    money.Amount // cost of promotion a cycle, in its middle
	Retention    float64      // share of customers who stay from one cycle to the next, 0 to 1
	Discount     float64      // effective rate a year, not negative
	Years        float64      // how long the firm looks ahead
	Every        float64      // years from one cycle to the next; 0 means 1

	ContributionAt func(cycle int) money.Amount // takes the place of Contribution for cycles 0, 1, ...; may be nil
	PromotionAt    func(cycle int) money.Amount // takes the place of Promotion for cycles 1, 2, ...; may be nil
	Rounding       money.Rounding               // of the value to the minor unit; half to even if zero
}

// maxCycles bounds the cycles of a sum.
const maxCycles = 10_000_000

// Value returns the value.
//
// It returns an error if a rate or length is out of range, if there would be more than ten million cycles, and those of
// money for mixed currencies and values out of range.
func (b BergerNasr) Value() (money.Amount, error) {
	every := b.Every
	if every == 0 {
		every = 1
	}
	switch {
	case !(b.Retention >= 0 && b.Retention <= 1):
		return money.Amount{}, fmt.Errorf("clv: berger-nasr: retention %v: %w", b.Retention, errRetention)
	case !(b.Discount >= 0) || math.IsInf(b.Discount, 1):
		return money.Amount{}, fmt.Errorf("clv: berger-nasr: discount %v: %w", b.Discount, errDiscount)
	case !(b.Years >= 0) || !(every > 0) || !(b.Years/every <= maxCycles):
		return money.Amount{}, fmt.Errorf("clv: berger-nasr: %v years in cycles of %v: want positive numbers and at most %d cycles", b.Years, every, maxCycles)
	}
	// A whole number of cycles may come out of the division a little low: 4/(1/3).
	n := int(math.Floor(b.Years/every + 1e-9))
	var currency money.Sum
	total, year := 0.0, math.Log1p(b.Discount)
	alive, before := 1.0, 1.0 // r^i and r^(i-1)
	for i := 0; i <= n; i++ {
		gc := b.Contribution
		if b.ContributionAt != nil {
			gc = b.ContributionAt(i)
		}
		total += gc.Float64() * alive * math.Exp(-year*float64(i)*every)
		currency.Add(gc)
		if i > 0 {
			m := b.Promotion
			if b.PromotionAt != nil {
				m = b.PromotionAt(i)
			}
			total -= m.Float64() * before * math.Exp(-year*(float64(i)-0.5)*every)
			currency.Add(m)
		}
		before, alive = alive, alive*b.Retention
	}
	sum, err := currency.Total()
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: berger-nasr: %w", err)
	}
	if sum.Currency() == "" {
		return money.Amount{}, nil
	}
	v, err := money.FromFloat(total, sum.Currency(), b.Rounding)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: berger-nasr: %w", err)
	}
	return v, nil
}

// ContinuousProfit is case 4 of Berger and Nasr: the value of a profit that flows at the rate profit(t) a year,
//
//	integral over t = 0..years of profit(t) retention^t e^(-rate t) dt
//
// with a continuous discount rate. The integral is computed to a relative accuracy of about 1e-10; profit must be smooth
// between its kinks. The value is rounded half to even to the minor unit of the currency.
//
// It returns an error if retention, rate or years is out of range, or if profit is not a finite number somewhere.
func ContinuousProfit(profit func(t float64) float64, currency money.Currency, retention, rate, years float64) (money.Amount, error) {
	switch {
	case profit == nil:
		return money.Amount{}, errors.New("clv: continuous profit: no profit")
	case !(retention > 0 && retention <= 1):
		return money.Amount{}, fmt.Errorf("clv: continuous profit: retention %v: want a number above 0 and up to 1", retention)
	case !(rate >= 0) || math.IsInf(rate, 1):
		return money.Amount{}, fmt.Errorf("clv: continuous profit: rate %v: %w", rate, errDiscount)
	case !(years > 0) || math.IsInf(years, 1):
		return money.Amount{}, fmt.Errorf("clv: continuous profit: %v years: want a positive finite number", years)
	}
	decay := rate - math.Log(retention)
	v, _, ok := special.Integrate(func(t float64) float64 { return profit(t) * math.Exp(-decay*t) }, 0, years, 1e-10)
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		return money.Amount{}, errors.New("clv: continuous profit: the integral does not exist or does not converge")
	}
	a, err := money.FromFloat(v, currency, money.HalfEven)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: continuous profit: %w", err)
	}
	return a, nil
}

// A RecencyModel is case 5 of Berger and Nasr: whether a customer buys in a period depends on how many periods ago the
// last purchase was, and who has not bought for longer than that is lost. The expected purchases in period i are
//
//	C_0 = 1,  C_i = sum over j of C_(i-j) p_j (1-p_1) ... (1-p_(j-1))
//
// and every customer who is not lost is promoted to in the middle of each period.
type RecencyModel struct {
	Contribution money.Amount // gross contribution of a purchase
	Promotion    money.Amount // cost of promoting to one customer for one period
	Probability  []float64    // p_j of a purchase j periods after the last, from j = 1 on
	Discount     float64      // effective rate a period, not negative
	Periods      int          // how far the firm looks ahead
	Rounding     money.Rounding
}

// Purchases returns the expected purchases C_i of periods 0 to Periods of a customer who buys in period 0, and the
// probability of not being lost before each of the periods 1 to Periods, which begins at index 1.
//
// It returns an error if there are no probabilities, one is outside 0 to 1, or Periods is negative or above ten million.
func (m RecencyModel) Purchases() (purchases, contacted []float64, err error) {
	if len(m.Probability) == 0 || m.Periods < 0 || m.Periods > maxCycles {
		return nil, nil, fmt.Errorf("clv: recency model: %d probabilities and %d periods: want some and at most %d", len(m.Probability), m.Periods, maxCycles)
	}
	silent := []float64{1} // probability of j periods without a purchase
	for j, p := range m.Probability {
		if !(p >= 0 && p <= 1) {
			return nil, nil, fmt.Errorf("clv: recency model: probability %d: %v: %w", j+1, p, errRetention)
		}
		silent = append(silent, silent[j]*(1-p))
	}
	purchases, contacted = make([]float64, m.Periods+1), make([]float64, m.Periods+1)
	purchases[0] = 1
	for i := 1; i <= m.Periods; i++ {
		for j := 1; j <= min(i, len(m.Probability)); j++ {
			last := purchases[i-j] * silent[j-1] // last bought j periods before i
			contacted[i] += last
			purchases[i] += last * m.Probability[j-1]
		}
	}
	return purchases, contacted, nil
}

// Value returns the value of a customer who buys in period 0, that purchase included.
//
// Errors are those of Purchases, of a discount rate out of range, and of money.
func (m RecencyModel) Value() (money.Amount, error) {
	if !(m.Discount >= 0) || math.IsInf(m.Discount, 1) {
		return money.Amount{}, fmt.Errorf("clv: recency model: discount %v: %w", m.Discount, errDiscount)
	}
	purchases, contacted, err := m.Purchases()
	if err != nil {
		return money.Amount{}, err
	}
	sum, err := m.Contribution.Add(m.Promotion)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: recency model: %w", err)
	}
	if sum.Currency() == "" {
		return money.Amount{}, nil
	}
	total, period := 0.0, math.Log1p(m.Discount)
	for i := range purchases {
		total += m.Contribution.Float64()*purchases[i]*math.Exp(-period*float64(i)) -
			m.Promotion.Float64()*contacted[i]*math.Exp(-period*(float64(i)-0.5))
	}
	v, err := money.FromFloat(total, sum.Currency(), m.Rounding)
	if err != nil {
		return money.Amount{}, fmt.Errorf("clv: recency model: %w", err)
	}
	return v, nil
}
