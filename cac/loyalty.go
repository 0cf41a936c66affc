package cac

import (
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// A Tier is one level of a loyalty program: basic, silver, gold.
type Tier struct {
	Name       string       // its name
	Members    int          // customers in it
	Profit     money.Amount // gross profit of a member in the period
	Baseline   money.Amount // what it would have been without the program: see [MatchUplift]
	Points     int64        // points issued in the period
	Redeemed   int64        // of them, redeemed to date
	Redemption float64      // share of the points that will ever be redeemed; 0: the program's
}

// A LoyaltyProgram is a program that gives points on purchases.
type LoyaltyProgram struct {
	Tiers      []Tier       // one or more; members and points belong to one tier each
	PointValue money.Amount // what a redeemed point costs
	Redemption float64      // share of the points that will ever be redeemed, 0 to 1; 1 - Redemption is the breakage
	Fixed      money.Amount // cost of running the program in the period; shared between tiers by members
}

// A LoyaltyRow is what one tier, or all of them, brought and cost.
type LoyaltyRow struct {
	Tier       string       `json:"tier"`
	Members    int          `json:"members"`
	Gain       money.Amount `json:"gain"`        // members * (profit - baseline)
	PointsCost money.Amount `json:"points_cost"` // points that will be redeemed * point value
	Fixed      money.Amount `json:"fixed"`       // the tier's part of the fixed cost
	Cost       money.Amount `json:"cost"`        // points and fixed
	Net        money.Amount `json:"net"`         // gain - cost
	ROI        *float64     `json:"roi"`         // net / cost; nil if nothing was spent
	Liability  money.Amount `json:"liability"`   // points that will be redeemed and are not yet, at their value
	Breakage   money.Amount `json:"breakage"`    // points that will never be redeemed, at their value
}

// LoyaltyReport is the return of a loyalty program by tier.
type LoyaltyReport struct {
	Rows  []LoyaltyRow `json:"rows"` // in the order of the tiers
	Total LoyaltyRow   `json:"total"`
}

// Evaluate returns what the program brought and cost,
//
//	ROI       = (incremental gross profit - (expected redeemed points * point value + fixed)) / cost
//	liability = (expected redeemed points - points redeemed to date) * point value
//
// by tier and in total; the total is the sum of the tiers. The fixed cost is shared between tiers by members, by largest
// remainder, or all on the first tier if there are no members.
//
// Evaluate returns an error that names the tier if a count, a value or a cost is negative, more points are redeemed than
// expected or issued, a redemption is not between 0 and 1 or currencies differ.
func (p LoyaltyProgram) Evaluate() (*LoyaltyReport, error) {
	if len(p.Tiers) == 0 {
		return nil, fail("loyalty program: no tiers")
	}
	if err := within("redemption", p.Redemption, 0, 1); err != nil {
		return nil, err
	}
	if p.PointValue.Sign() < 0 || p.Fixed.Sign() < 0 {
		return nil, fail("loyalty program: %w: point value %s, fixed cost %s", ErrNonPositiveCost, p.PointValue, p.Fixed)
	}
	for _, t := range p.Tiers { // the program's amounts that are zero get the currency of the tiers
		p.Fixed, p.PointValue = like(p.Fixed, t.Profit), like(p.PointValue, t.Profit)
	}
	fixed, err := p.fixed()
	if err != nil {
		return nil, err
	}
	out := &LoyaltyReport{Total: LoyaltyRow{Tier: "(total)"}}
	for i, t := range p.Tiers {
		row, err := p.evaluate(t, fixed[i])
		if err == nil {
			err = out.Total.add(row)
		}
		if err != nil {
			return nil, fail("tier %q: %w", t.Name, bare(err))
		}
		out.Rows = append(out.Rows, row)
	}
	out.Total.rate()
	return out, nil
}

func (p LoyaltyProgram) fixed() ([]money.Amount, error) {
	weights, members := make([]int64, len(p.Tiers)), 0
	for i, t := range p.Tiers {
		if t.Members < 0 {
			return nil, fail("tier %q: %d members: negative", t.Name, t.Members)
		}
		weights[i] = int64(t.Members)
		members += t.Members
	}
	if p.Fixed.Sign() == 0 || members == 0 {
		parts := make([]money.Amount, len(p.Tiers))
		parts[0] = p.Fixed
		return parts, nil
	}
	parts, err := p.Fixed.Allocate(weights...)
	return parts, prefixed(err)
}

func (p LoyaltyProgram) evaluate(t Tier, fixed money.Amount) (LoyaltyRow, error) {
	row := LoyaltyRow{Tier: t.Name, Members: t.Members, Fixed: like(fixed, p.PointValue)}
	redemption := t.Redemption
	if redemption == 0 {
		redemption = p.Redemption
	}
	if err := within("redemption", redemption, 0, 1); err != nil {
		return row, err
	}
	expected := new(big.Rat).Mul(number(redemption), new(big.Rat).SetInt64(t.Points))
	open := new(big.Rat).Sub(expected, new(big.Rat).SetInt64(t.Redeemed))
	switch {
	case t.Points < 0 || t.Redeemed < 0:
		return row, fmt.Errorf("%d points, %d redeemed: negative", t.Points, t.Redeemed)
	case open.Sign() < 0:
		return row, fmt.Errorf("%d points are redeemed already, more than the %s expected of %d", t.Redeemed, expected.FloatString(0), t.Points)
	}
	for _, a := range []money.Amount{t.Baseline, p.PointValue, p.Fixed} {
		if err := sameCurrency(t.Profit, a); err != nil {
			return row, err
		}
	}
	each, err := like(t.Profit, p.PointValue).Sub(t.Baseline)
	if err != nil {
		return row, err
	}
	if row.Gain, err = timesInt(each, int64(t.Members)); err != nil {
		return row, err
	}
	unused := new(big.Rat).Sub(new(big.Rat).SetInt64(t.Points), expected)
	for into, points := range map[*money.Amount]*big.Rat{&row.PointsCost: expected, &row.Liability: open, &row.Breakage: unused} {
		if *into, err = amountOf(points.Mul(points, rat(p.PointValue)), p.PointValue.Currency()); err != nil {
			return row, err
		}
	}
	if row.Cost, err = row.PointsCost.Add(fixed); err != nil {
		return row, err
	}
	if row.Net, err = row.Gain.Sub(row.Cost); err != nil {
		return row, err
	}
	row.rate()
	return row, nil
}

// rate sets the ROI.
func (r *LoyaltyRow) rate() {
	r.ROI = nil
	if x, err := quotient(r.Net, r.Cost); err == nil {
		r.ROI = &x
	}
}

func (r *LoyaltyRow) add(o LoyaltyRow) error {
	r.Members += o.Members
	for _, pair := range [][2]*money.Amount{{&r.Gain, &o.Gain}, {&r.PointsCost, &o.PointsCost}, {&r.Fixed, &o.Fixed},
		{&r.Cost, &o.Cost}, {&r.Net, &o.Net}, {&r.Liability, &o.Liability}, {&r.Breakage, &o.Breakage}} {
		sum, err := total(*pair[0], *pair[1])
		if err != nil {
			return err
		}
		*pair[0] = sum
	}
	return nil
}

func (r LoyaltyRow) cells(show func(money.Amount) string) []string {
	return []string{r.Tier, fmt.Sprint(r.Members), show(r.Gain), show(r.PointsCost), show(r.Fixed), show(r.Cost), show(r.Net), "", show(r.Liability), show(r.Breakage)}
}

// String returns the tiers and the total as an aligned table.
func (l *LoyaltyReport) String() string {
	var rows [][]string
	for _, r := range append(l.Rows[:len(l.Rows):len(l.Rows)], l.Total) {
		row := r.cells(money.Amount.String)
		row[7] = table.Undefined
		if r.ROI != nil {
			row[7] = table.Percent(*r.ROI, nil)
		}
		rows = append(rows, row)
	}
	return table.Text([]string{"tier", "members", "gain", "points", "fixed", "cost", "net", "ROI", "liability", "breakage"}, rows, 1)
}

// WriteCSV writes the tiers with the header
// tier,members,gain,points_cost,fixed,cost,net,roi,liability,breakage,currency.
func (l *LoyaltyReport) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range l.Rows {
		row := r.cells(plain)
		if r.ROI != nil {
			row[7] = table.Float(*r.ROI, nil)
		}
		rows = append(rows, append(row, string(l.Total.Net.Currency())))
	}
	return table.CSV(w, strings.Split("tier,members,gain,points_cost,fixed,cost,net,roi,liability,breakage,currency", ","), rows)
}
