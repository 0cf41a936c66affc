package subscription

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A RetentionCurve says which share of customers is left at an age: Survival(0) is 1 and it never rises. The models of
// retention, and a table of observed shares, satisfy it.
type RetentionCurve interface {
	Survival(t float64) float64
}

// ForecastOptions say what a forecast assumes. Nil, and the zero value, assume no new business.
type ForecastOptions struct {
	New money.Amount // MRR that is won in each period, from then on subject to the curve from age 0
	Age Interval     // the unit of the curve's age; the zero Interval means months
}

// A Forecast is the MRR to come by a retention curve. It is an expectation and not a statement of what will be.
type Forecast struct {
	At       time.Time        `json:"at"`
	Policy   Policy           `json:"policy"`
	Currency money.Currency   `json:"currency"`
	MRR      money.Amount     `json:"mrr"` // now
	Periods  []ForecastPeriod `json:"periods"`
}

// A ForecastPeriod is the expected MRR at the end of one period. Existing + New = MRR to the minor unit.
type ForecastPeriod struct {
	Period   ledger.Period `json:"period"`
	Existing money.Amount  `json:"existing"` // of the customers of today
	New      money.Amount  `json:"new"`      // of those to be won
	MRR      money.Amount  `json:"mrr"`
}

var errCurve = errors.New("not a share from 0 to 1 that never rises")

// Forecast returns the expected MRR at the ends of the n intervals after a moment. Every unit of the policy's grain keeps
// its MRR with the probability that the curve gives its age, which is counted in whole units since it last came:
//
//	Existing(k) = sum over a of MRR(age a) * S(a + k) / S(a)
//	New(k)      = New * (S(0) + S(1) + ... + S(k - 1))
//
// The shares of the curve enter as the decimal numbers that they print as, the terms of the sums are exact to twenty
// decimals beyond those of the result, and each figure is rounded once. Exchange rates stay as they are.
//
// It returns an error if the curve leaves [0, 1] or rises, if n or the interval is not positive, if New is in another
// currency, or if [Book.At] would.
func (b *Book) Forecast(ctx context.Context, at time.Time, n int, curve RetentionCurve, o *ForecastOptions) (*Forecast, error) {
	t, ok := moment(at)
	var opts ForecastOptions
	if o != nil {
		opts = *o
	}
	if opts.Age == 0 {
		opts.Age = EveryMonth
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("subscription: forecast at %s: %w", showTime(at), errYear)
	case n < 1 || n > 1200 || !opts.Age.Known():
		return nil, fmt.Errorf("subscription: forecast of %d intervals of %s: not from 1 to 1200 of a known one", n, opts.Age)
	case curve == nil:
		return nil, errors.New("subscription: forecast without a curve")
	}
	e, err := b.engine(t, t)
	if err != nil {
		return nil, err
	}
	ages, err := e.ages(ctx, at, t, opts.Age)
	if err != nil {
		return nil, err
	}
	shares, err := survival(curve, len(ages)+n)
	if err != nil {
		return nil, err
	}
	won, err := exactAmount(opts.New)
	if err != nil || opts.New.Sign() < 0 || opts.New.Sign() != 0 && e.scale.currency != "" && opts.New.Currency() != e.scale.currency {
		return nil, fmt.Errorf("subscription: forecast: new MRR %s: not an amount from 0 in %s", opts.New, e.scale.currency)
	}
	return e.forecast(at, n, opts.Age, ages, shares, won)
}

// ages returns the MRR of the units by their age in whole intervals.
func (e *engine) ages(ctx context.Context, at time.Time, t int64, unit Interval) ([]rational, error) {
	var parts []map[int]rational
	err := e.eachUnit(ctx, func() func(*walker, int, int) {
		sums := map[int]rational{}
		parts = append(parts, sums)
		return func(w *walker, _, _ int) {
			i := w.stepAt(t)
			if !w.pays(i) {
				return
			}
			for i > 0 && w.alive(i-1) {
				i--
			}
			age := elapsed(clock(w.steps[i].t).In(at.Location()), at, unit)
			sums[age] = sums[age].add(w.value(w.stepAt(t), t))
		}
	})
	if err != nil {
		return nil, err
	}
	var ages []rational
	for _, part := range parts {
		for age, x := range part {
			for len(ages) <= age {
				ages = append(ages, rational{})
			}
			ages[age] = ages[age].add(x)
		}
	}
	return ages, nil
}

// elapsed returns how many whole intervals lie between two moments.
func elapsed(from, to time.Time, unit Interval) int {
	lo, hi := 0, 1
	for !unit.From(from, hi).After(to) {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; unit.From(from, mid).After(to) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// survival reads the curve at the ages 0 to n.
func survival(curve RetentionCurve, n int) ([]rational, error) {
	shares := make([]rational, n+1)
	before := whole(1)
	for t := range shares {
		s := curve.Survival(float64(t))
		x, err := exactRate(s)
		if err != nil || x.sign() < 0 || x.cmp(before) > 0 {
			return nil, fmt.Errorf("subscription: forecast: Survival(%d) is %v: %w", t, s, errCurve)
		}
		shares[t], before = x, x
	}
	return shares, nil
}

func (e *engine) forecast(at time.Time, n int, unit Interval, ages, shares []rational, won rational) (*Forecast, error) {
	f := &Forecast{At: at, Policy: e.policy, Currency: e.scale.currency}
	// Terms are cut to twenty decimals beyond those of the result, or the denominators of a long curve would grow without end.
	digits := e.scale.digits + 20
	sum := func(total *big.Int, x rational) { total.Add(total, x.units(digits, money.HalfEven)) }
	now, fresh := new(big.Int), new(big.Int)
	for _, x := range ages {
		sum(now, x)
	}
	decimal := func(total *big.Int) rational { return rational{big: new(big.Rat).SetFrac(total, bigPow10(digits))} }
	var err error
	if f.MRR, err = e.scale.round(decimal(now)); err != nil {
		return nil, err
	}
	for k := 1; k <= n; k++ {
		existing := new(big.Int)
		for a, x := range ages {
			if shares[a].sign() > 0 {
				sum(existing, x.mul(shares[a+k]).quo(shares[a]))
			}
		}
		sum(fresh, won.mul(shares[k-1]))
		parts := []rational{decimal(existing), decimal(fresh)}
		total := e.scale.units(parts[0].add(parts[1]))
		units := e.scale.closeTo(total, parts)
		p := ForecastPeriod{Period: ledger.Period{Start: unit.From(at, k-1), End: unit.From(at, k)}}
		for i, to := range []*money.Amount{&p.Existing, &p.New} {
			if *to, err = e.scale.amount(units[i]); err != nil {
				return nil, err
			}
		}
		if p.MRR, err = e.scale.amount(total); err != nil {
			return nil, err
		}
		f.Periods = append(f.Periods, p)
	}
	return f, nil
}

// String returns an aligned table.
func (f *Forecast) String() string {
	rows := [][]string{{"period", "existing", "new", "MRR"}}
	for _, p := range f.Periods {
		rows = append(rows, []string{p.Period.String(), plain(p.Existing), plain(p.New), plain(p.MRR)})
	}
	return "forecast of MRR from " + f.MRR.String() + " at " + showTime(f.At) + f.Policy.title() + "\n" + table(rows)
}

// WriteCSV writes one record for each period, with a header.
func (f *Forecast) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	records := [][]string{{"period", "start", "end", "currency", "existing", "new", "mrr"}}
	for i, p := range f.Periods {
		records = append(records, []string{strconv.Itoa(i + 1), p.Period.Start.Format(time.RFC3339), p.Period.End.Format(time.RFC3339),
			string(f.Currency), plain(p.Existing), plain(p.New), plain(p.MRR)})
	}
	return c.WriteAll(records)
}
