package subscription

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Assumptions are the rates by which MRR moves in each period to come. Rates are shares of the opening, 0.02 meaning 2 %.
type Assumptions struct {
	New          money.Amount `json:"new"` // MRR of new business in each period
	Reactivation money.Amount `json:"reactivation"`
	Expansion    float64      `json:"expansion"`
	Contraction  float64      `json:"contraction"`
	Churn        float64      `json:"churn"`
}

// A Scenario changes assumptions. The zero Scenario changes nothing.
type Scenario struct {
	Name string `json:"name,omitempty"`

	// Price raises all prices by this share, -0.05 lowering them: the opening of period PriceFrom grows by it, as expansion
	// or contraction, and so does new business from then on.
	Price     float64 `json:"price"`
	PriceFrom int     `json:"price_from"` // 0 is the first period

	// Churn, Contraction, Expansion and New are multiplied with these factors; 0 means 1. Nothing turns one off: a factor of
	// 0.8 is a fifth less.
	Churn       float64 `json:"churn"`
	Contraction float64 `json:"contraction"`
	Expansion   float64 `json:"expansion"`
	New         float64 `json:"new"`
}

// A Projection is a roll-forward of what would be. Every line is rounded to the minor unit half to even, and closes.
type Projection struct {
	Scenario Scenario           `json:"scenario"`
	Periods  []ProjectionPeriod `json:"periods"`
}

// A ProjectionPeriod is one period of a Projection:
//
//	Opening + New + Reactivation + Expansion - Contraction - Churn = Closing
type ProjectionPeriod struct {
	Opening      money.Amount `json:"opening"`
	New          money.Amount `json:"new"`
	Reactivation money.Amount `json:"reactivation"`
	Expansion    money.Amount `json:"expansion"`
	Contraction  money.Amount `json:"contraction"`
	Churn        money.Amount `json:"churn"`
	Closing      money.Amount `json:"closing"`
}

// Assume returns the mean movements of the last n complete periods of the table, n of 0 meaning all: the sum of each line
// over the sum of the openings, and the mean new business and reactivation a period. It returns an error that wraps
// [ledger.ErrUndefined] if there is no such period or the openings are zero.
func (t *RollForward) Assume(n int) (Assumptions, error) {
	done := t.complete()
	if n > 0 && n < len(done) {
		done = done[len(done)-n:]
	}
	if n < 0 || len(done) == 0 {
		return Assumptions{}, fmt.Errorf("subscription: assumptions from %d complete periods: %w", len(done), ledger.ErrUndefined)
	}
	var sums [6]rational
	for _, p := range done {
		for i, a := range []money.Amount{p.Opening, p.New, p.Reactivation, p.Expansion, p.Contraction, p.Churn} {
			x, err := exactAmount(a)
			if err != nil {
				return Assumptions{}, fmt.Errorf("subscription: assumptions: %s: %w", a, err)
			}
			sums[i] = sums[i].add(x)
		}
	}
	if sums[0].sign() == 0 {
		return Assumptions{}, fmt.Errorf("subscription: assumptions: the openings are zero: %w", ledger.ErrUndefined)
	}
	s, err := newScale(done[0].Currency, t.Policy.Rounding.Digits, t.Policy.Rounding.Mode)
	if err != nil {
		return Assumptions{}, err
	}
	per := fraction(1, int64(len(done)))
	out := Assumptions{Expansion: sums[3].quo(sums[0]).ratio(), Contraction: sums[4].quo(sums[0]).ratio(), Churn: sums[5].quo(sums[0]).ratio()}
	if out.New, err = s.round(sums[1].mul(per)); err != nil {
		return out, err
	}
	out.Reactivation, err = s.round(sums[2].mul(per))
	return out, err
}

// Project rolls an opening MRR forward over n periods by the assumptions, changed as the scenario says. Compare two
// scenarios with [Projection.Less].
//
// It returns an error if n is not from 1 to 1200, a rate or factor is not finite or negative, churn and contraction
// together are above 1, prices fall by more than all, or currencies differ.
func Project(opening money.Amount, n int, a Assumptions, s Scenario) (*Projection, error) {
	if n < 1 || n > 1200 {
		return nil, fmt.Errorf("subscription: projection of %d periods: not from 1 to 1200", n)
	}
	p, err := newProjector(opening, a, s)
	if err != nil {
		return nil, err
	}
	out := &Projection{Scenario: s, Periods: make([]ProjectionPeriod, n)}
	for i := range out.Periods {
		if out.Periods[i], err = p.next(i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// projector has the assumptions as exact numbers.
type projector struct {
	scale                         scale
	opening, fresh, back          rational
	expansion, contraction, churn rational
	price                         rational
	priceFrom                     int
}

var errFactor = errors.New("not a finite number from 0 on")

func newProjector(opening money.Amount, a Assumptions, s Scenario) (*projector, error) {
	p := &projector{priceFrom: s.PriceFrom}
	var c money.Currency
	for _, in := range []struct {
		name string
		a    money.Amount
		to   *rational
	}{{"opening", opening, &p.opening}, {"new", a.New, &p.fresh}, {"reactivation", a.Reactivation, &p.back}} {
		x, err := exactAmount(in.a)
		if err != nil || x.sign() < 0 || in.a.Currency() != "" && c != "" && in.a.Currency() != c {
			return nil, fmt.Errorf("subscription: projection: %s %s: not an amount from 0 in one currency", in.name, in.a)
		}
		if in.a.Currency() != "" {
			c = in.a.Currency()
		}
		*in.to = x
	}
	var err error
	if p.scale, err = newScale(c, 0, money.HalfEven); err != nil {
		return nil, err
	}
	fresh := whole(1)
	for _, in := range []struct {
		name         string
		rate, factor float64
		to           *rational
	}{
		{"expansion", a.Expansion, s.Expansion, &p.expansion}, {"contraction", a.Contraction, s.Contraction, &p.contraction},
		{"churn", a.Churn, s.Churn, &p.churn}, {"new", 1, s.New, &fresh},
	} {
		rate, err1 := exactRate(in.rate)
		factor, err2 := exactRate(in.factor)
		if err1 != nil || err2 != nil || rate.sign() < 0 || factor.sign() < 0 {
			return nil, fmt.Errorf("subscription: projection: %s of %v times %v: %w", in.name, in.rate, in.factor, errFactor)
		}
		if factor.sign() == 0 {
			factor = whole(1)
		}
		*in.to = rate.mul(factor)
	}
	p.fresh = p.fresh.mul(fresh)
	if sum := p.churn.add(p.contraction); sum.cmp(whole(1)) > 0 {
		return nil, fmt.Errorf("subscription: projection: churn and contraction take %s of the opening", percent(sum))
	}
	if p.price, err = exactRate(s.Price); err != nil || p.price.cmp(whole(-1)) < 0 {
		return nil, fmt.Errorf("subscription: projection: price change of %v: not a finite number from -1 on", s.Price)
	}
	return p, nil
}

// next rolls one period forward. Each line is rounded, and the next opening is the rounded closing.
func (p *projector) next(i int) (ProjectionPeriod, error) {
	o := p.opening
	churn, contraction, expansion, fresh := o.mul(p.churn), o.mul(p.contraction), o.mul(p.expansion), p.fresh
	if p.price.sign() != 0 && i >= p.priceFrom {
		fresh = fresh.add(fresh.mul(p.price))
		// The new price is paid by those who stay.
		change := o.sub(churn).sub(contraction).mul(p.price)
		if i > p.priceFrom {
			change = rational{}
		}
		if change.sign() > 0 {
			expansion = expansion.add(change)
		} else {
			contraction = contraction.sub(change)
		}
	}
	units := []*big.Int{p.scale.units(o), p.scale.units(fresh), p.scale.units(p.back), p.scale.units(expansion),
		p.scale.units(contraction), p.scale.units(churn)}
	closing := new(big.Int)
	for k, u := range units {
		if k < 4 {
			closing.Add(closing, u)
		} else {
			closing.Sub(closing, u)
		}
	}
	var out ProjectionPeriod
	for k, to := range []*money.Amount{&out.Opening, &out.New, &out.Reactivation, &out.Expansion, &out.Contraction, &out.Churn, &out.Closing} {
		u := closing
		if k < len(units) {
			u = units[k]
		}
		var err error
		if *to, err = p.scale.amount(u); err != nil {
			return out, err
		}
	}
	var err error
	p.opening, err = exact(closing, -p.scale.digits)
	return out, err
}

// Less returns what this projection's closing MRR is above that of another one, period by period. It returns an error if
// they are not of the same length or currency.
func (p *Projection) Less(other *Projection) ([]money.Amount, error) {
	if len(p.Periods) != len(other.Periods) {
		return nil, fmt.Errorf("subscription: projections of %d and %d periods", len(p.Periods), len(other.Periods))
	}
	out := make([]money.Amount, len(p.Periods))
	for i := range p.Periods {
		var err error
		if out[i], err = p.Periods[i].Closing.Sub(other.Periods[i].Closing); err != nil {
			return nil, fmt.Errorf("subscription: projections: %w", err)
		}
	}
	return out, nil
}

func (p *ProjectionPeriod) lines() []money.Amount {
	return []money.Amount{p.Opening, p.New, p.Reactivation, p.Expansion, p.Contraction, p.Churn, p.Closing}
}

func projectionHeader() []string {
	return []string{"period", "opening", "new", "reactivation", "expansion", "contraction", "churn", "closing"}
}

func (p *Projection) records() [][]string {
	rows := [][]string{projectionHeader()}
	for i := range p.Periods {
		row := []string{strconv.Itoa(i + 1)}
		for _, a := range p.Periods[i].lines() {
			row = append(row, plain(a))
		}
		rows = append(rows, row)
	}
	return rows
}

// String returns an aligned table.
func (p *Projection) String() string {
	title := "projection"
	if p.Scenario.Name != "" {
		title += ": " + p.Scenario.Name
	}
	return title + "\n" + table(p.records())
}

// WriteCSV writes one record for each period, with a header.
func (p *Projection) WriteCSV(w io.Writer) error {
	return csv.NewWriter(w).WriteAll(p.records())
}
