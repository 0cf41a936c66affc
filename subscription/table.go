package subscription

import (
	"fmt"
	"math/big"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// complete returns the periods that are complete.
func (t *RollForward) complete() []*PeriodResult {
	var out []*PeriodResult
	for i := range t.Periods {
		if !t.Periods[i].Incomplete {
			out = append(out, &t.Periods[i])
		}
	}
	return out
}

// MeanLogoChurn returns the mean of the logo churn of the last n complete periods that have one, each with the same
// weight; n of 0 means all. ChartMogul divides ARPA by that of the six months before the current one. It returns an error
// that wraps [ledger.ErrUndefined] if no period has a logo churn.
func (t *RollForward) MeanLogoChurn(n int) (float64, error) {
	x, err := t.meanChurn(n)
	return x.ratio(), err
}

func (t *RollForward) meanChurn(n int) (rational, error) {
	if n < 0 {
		return rational{}, fmt.Errorf("subscription: mean of %d periods: %w", n, errNegative)
	}
	var sum rational
	count := int64(0)
	done := t.complete()
	for i := len(done) - 1; i >= 0 && (n == 0 || count < int64(n)); i-- {
		if c := done[i].LogoChurn; c.Defined() {
			sum = sum.add(fraction(c.Part, c.Base))
			count++
		}
	}
	if count == 0 {
		return rational{}, fmt.Errorf("subscription: mean logo churn: no complete period has one: %w", ledger.ErrUndefined)
	}
	return sum.mul(fraction(1, count)), nil
}

// LTV returns the simple lifetime value ARPA * margin / churn with the ARPA of the last complete period and the mean logo
// churn of the n complete periods up to it; n of 0 means all. Errors are those of [PeriodResult.LTV].
func (t *RollForward) LTV(margin float64, n int) (money.Amount, error) {
	churn, err := t.meanChurn(n)
	if err != nil {
		return money.Amount{}, err
	}
	done := t.complete()
	return ltv(done[len(done)-1].ARPA, margin, churn)
}

// CMGR returns the compound growth rate a period from the opening of the first to the closing of the last complete
// period. It returns an error that wraps [ledger.ErrUndefined] if there is none or the opening is zero.
func (t *RollForward) CMGR() (float64, error) {
	done := t.complete()
	if len(done) == 0 {
		return 0, fmt.Errorf("subscription: CMGR: no complete period: %w", ledger.ErrUndefined)
	}
	return CMGR(done[0].Opening, done[len(done)-1].Closing, len(done))
}

// SumOfNetChurn returns the sum of the periods' net MRR churn rates. Over the days of a month it is the rate that
// ChartMogul offers for businesses that grow within the month: each day's base has those who came before it. A period
// without an opening balance adds nothing; incomplete periods are left out. It returns an error that wraps
// [ledger.ErrUndefined] if no period has a rate.
func (t *RollForward) SumOfNetChurn() (float64, error) {
	return t.sumOf("net churn", func(p *PeriodResult) (rational, bool) { return p.NetChurn.value, p.NetChurn.ok })
}

// SumOfGrossChurn returns the sum of the periods' gross MRR churn rates, as [RollForward.SumOfNetChurn] does of net ones.
func (t *RollForward) SumOfGrossChurn() (float64, error) {
	return t.sumOf("gross churn", func(p *PeriodResult) (rational, bool) { return p.GrossChurn.value, p.GrossChurn.ok })
}

// SumOfLogoChurn returns the sum of the periods' logo churn rates, as [RollForward.SumOfNetChurn] does of net MRR churn.
func (t *RollForward) SumOfLogoChurn() (float64, error) {
	return t.sumOf("logo churn", func(p *PeriodResult) (rational, bool) {
		c := p.LogoChurn
		if !c.Defined() {
			return rational{}, false
		}
		return fraction(c.Part, c.Base), true
	})
}

func (t *RollForward) sumOf(what string, rate func(*PeriodResult) (rational, bool)) (float64, error) {
	sum := new(big.Rat) // denominators of many days outgrow words soon
	any := false
	for _, p := range t.complete() {
		if x, ok := rate(p); ok {
			sum.Add(sum, x.rat())
			any = true
		}
	}
	if !any {
		return 0, fmt.Errorf("subscription: sum of %s: no complete period has one: %w", what, ledger.ErrUndefined)
	}
	return rational{big: sum}.ratio(), nil
}

// ChurnOverAverage returns the churns of all complete periods over the mean number of customers at their ends: over the
// days of a month, the monthly churn rate on the average daily base. It returns an error that wraps [ledger.ErrUndefined]
// if there are no customers.
func (t *RollForward) ChurnOverAverage() (float64, error) {
	var churned, customers, n int64
	for _, p := range t.complete() {
		churned += p.Customers.Churned
		customers += p.Customers.Closing
		n++
	}
	if customers == 0 {
		return 0, fmt.Errorf("subscription: churn over the average number of customers: there are none: %w", ledger.ErrUndefined)
	}
	return fraction(churned, customers).mul(whole(n)).ratio(), nil
}

// Target compares the closing MRR of each period with a target. See [RollForward.Targets].
type Target struct {
	Period     ledger.Period `json:"period"`
	Actual     money.Amount  `json:"actual"`
	Target     money.Amount  `json:"target"`
	Difference money.Amount  `json:"difference"` // actual less target
	Attainment MoneyRate     `json:"attainment"` // actual over target
	Incomplete bool          `json:"incomplete"`
}

// Targets compares the closing MRR of each period with the target of the same index. It returns an error if there are not
// as many targets as periods, or one is in another currency.
func (t *RollForward) Targets(targets []money.Amount) ([]Target, error) {
	if len(targets) != len(t.Periods) {
		return nil, fmt.Errorf("subscription: %d targets for %d periods", len(targets), len(t.Periods))
	}
	out := make([]Target, len(targets))
	for i := range t.Periods {
		p := &t.Periods[i]
		diff, err := p.Closing.Sub(targets[i])
		if err != nil {
			return nil, fmt.Errorf("subscription: target %d: %w", i+1, err)
		}
		actual, err1 := exactAmount(p.Closing)
		base, err2 := exactAmount(targets[i])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("subscription: target %d: %w", i+1, errSize)
		}
		rate := MoneyRate{Part: p.Closing, Base: targets[i]}
		if base.sign() != 0 {
			rate.value, rate.ok = actual.quo(base), true
		}
		out[i] = Target{Period: p.Period, Actual: p.Closing, Target: targets[i], Difference: diff, Attainment: rate, Incomplete: p.Incomplete}
	}
	return out, nil
}

// YearOverYear returns the growth of ARR from a year before a moment to it, (ARR now - ARR then) / ARR then, undefined if
// there was none. Use ledger.AddMonths(at, -12) for another distance.
func (b *Book) YearOverYear(at time.Time) (MoneyRate, error) {
	return b.ARRGrowth(ledger.AddMonths(at, -12), at)
}

// ARRGrowth returns the growth of ARR from one moment to another, undefined if there was none at the first. Errors are
// those of [Book.At].
func (b *Book) ARRGrowth(from, to time.Time) (MoneyRate, error) {
	before, err := b.At(from)
	if err != nil {
		return MoneyRate{}, err
	}
	now, err := b.At(to)
	if err != nil {
		return MoneyRate{}, err
	}
	e, err := b.engine(0, 0)
	if err != nil {
		return MoneyRate{}, err
	}
	base := before.ARPA.total.mul(whole(12)) // the total of ARPA is the exact MRR
	return e.moneyRate(now.ARPA.total.mul(whole(12)).sub(base), base)
}
