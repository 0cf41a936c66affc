package cac

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"gonum.org/v1/gonum/stat/distuv"
)

// An Observation is what one customer spent before and during a program.
type Observation struct {
	Customer string       // for errors only
	Before   money.Amount // spend or profit in a period before the program
	After    money.Amount // the same measure in the period of the program
	Stratum  string       // members are compared with others of the same stratum: region, age band; empty if none
}

// UpliftOptions are the rules of [MatchUplift]. The zero UpliftOptions, like nil, are the defaults.
type UpliftOptions struct {
	Bins       int     // also match on Before, in so many bins at the quantiles of the members; 0: not
	Difference bool    // compare After - Before instead of After: difference in differences
	Level      float64 // of the interval; 0: 0.95
}

// Uplift is what a program adds to the spend of a member.
type Uplift struct {
	PerMember money.Amount `json:"per_member"` // half to even to the minor unit
	Low       money.Amount `json:"low"`        // of its interval
	High      money.Amount `json:"high"`
	Total     money.Amount `json:"total"`    // of the members matched
	Estimate  float64      `json:"estimate"` // PerMember unrounded
	StdErr    float64      `json:"std_err"`
	DF        float64      `json:"df"` // degrees of freedom of the interval (Welch and Satterthwaite)
	Level     float64      `json:"level"`
	Members   int          `json:"members"`   // members who were matched
	Others    int          `json:"others"`    // non-members whom they were compared with
	Unmatched int          `json:"unmatched"` // members without at least two of each kind in their stratum
	Strata    int          `json:"strata"`    // strata used
}

// MatchUplift returns how much more members of a program spend than non-members who are like them,
//
//	sum over strata of members_s * (mean of members_s - mean of others_s)  /  sum of members_s
//
// with a t interval whose variance is the sum of those of the two means in each stratum. A stratum is a value of
// Observation.Stratum and, with Bins, a range of Before. With neither, and with members chosen at random, it is the
// difference of means of an experiment with Welch's interval.
//
// Members choose to join, and those who spend more join more. Matching removes what the strata tell and no more, so
// the uplift of a program that nobody was randomly kept from is an upper guess rather than a measurement.
//
// It returns an error if there are no members or no others in any stratum, if currencies differ, Bins is negative or
// greater than the number of members, or the level is not between 0 and 1.
func MatchUplift(members, others []Observation, o *UpliftOptions) (Uplift, error) {
	var rule UpliftOptions
	if o != nil {
		rule = *o
	}
	if rule.Level == 0 {
		rule.Level = 0.95
	}
	if !(rule.Level > 0 && rule.Level < 1) {
		return Uplift{}, fail("level %v: not between 0 and 1", rule.Level)
	}
	if rule.Bins < 0 || rule.Bins > len(members) {
		return Uplift{}, fail("%d bins for %d members", rule.Bins, len(members))
	}
	currency, err := upliftCurrency(members, others)
	if err != nil {
		return Uplift{}, err
	}
	strata := rule.strata(members, others)
	out := Uplift{Level: rule.Level}
	var keys []stratum
	for k, s := range strata {
		if len(s[0]) < 2 || len(s[1]) < 2 {
			out.Unmatched += len(s[0])
			continue
		}
		keys = append(keys, k)
		out.Members += len(s[0])
		out.Others += len(s[1])
	}
	if len(keys) == 0 {
		return Uplift{}, fail("uplift: no stratum has two members and two others")
	}
	slices.SortFunc(keys, stratum.compare)
	out.Strata = len(keys)
	var variance, fourth float64
	for _, k := range keys {
		s := strata[k]
		w := float64(len(s[0])) / float64(out.Members)
		m0, v0 := moments(s[0])
		m1, v1 := moments(s[1])
		out.Estimate += w * (m0 - m1)
		for i, v := range []float64{v0, v1} {
			n := float64(len(s[i]))
			part := w * w * v / n
			variance += part
			fourth += part * part / (n - 1)
		}
	}
	out.StdErr = math.Sqrt(variance)
	half := 0.0
	if variance > 0 {
		out.DF = variance * variance / fourth
		half = out.StdErr * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: out.DF}.Quantile(0.5+rule.Level/2)
	}
	return out, out.round(half, currency)
}

func (u *Uplift) round(half float64, c money.Currency) error {
	for into, x := range map[*money.Amount]float64{&u.PerMember: u.Estimate, &u.Low: u.Estimate - half, &u.High: u.Estimate + half,
		&u.Total: u.Estimate * float64(u.Members)} {
		a, err := money.FromFloat(x, c, money.HalfEven)
		if err != nil {
			return prefixed(err)
		}
		*into = a
	}
	return nil
}

func upliftCurrency(groups ...[]Observation) (money.Currency, error) {
	var first money.Amount
	for _, g := range groups {
		for i, x := range g {
			for _, a := range []money.Amount{x.Before, x.After} {
				if first.Currency() == "" {
					first = a
				}
				if err := sameCurrency(first, a); err != nil {
					return "", fail("%w", &ledger.RowError{Row: i + 1, Field: "customer", Value: x.Customer, Err: err})
				}
			}
		}
	}
	if first.Currency() == "" {
		return "", fail("uplift: %w", errors.New("no amount has a currency"))
	}
	return first.Currency(), nil
}

type stratum struct {
	name string
	bin  int
}

func (s stratum) compare(o stratum) int {
	if s.name != o.name {
		if s.name < o.name {
			return -1
		}
		return 1
	}
	return s.bin - o.bin
}

// strata returns the sorted measures of members [0] and others [1] by stratum.
func (o UpliftOptions) strata(members, others []Observation) map[stratum]*[2][]float64 {
	var cuts []float64
	if o.Bins > 1 {
		before := make([]float64, len(members))
		for i, m := range members {
			before[i] = m.Before.Float64()
		}
		slices.Sort(before)
		for k := 1; k < o.Bins; k++ {
			cuts = append(cuts, stat.Quantile(before, float64(k)/float64(o.Bins)))
		}
	}
	out := map[stratum]*[2][]float64{}
	for kind, group := range [][]Observation{members, others} {
		for _, x := range group {
			k := stratum{x.Stratum, sort.SearchFloat64s(cuts, x.Before.Float64())}
			if out[k] == nil {
				out[k] = &[2][]float64{}
			}
			measure := rat(x.After)
			if o.Difference {
				measure = new(big.Rat).Sub(measure, rat(x.Before))
			}
			out[k][kind] = append(out[k][kind], float(measure))
		}
	}
	for _, s := range out {
		slices.Sort(s[0]) // so that sums do not depend on the order of the input
		slices.Sort(s[1])
	}
	return out
}

// moments returns mean and sample variance.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x)-1)
}

// String returns the uplift in a line.
func (u Uplift) String() string {
	return fmt.Sprintf("%s per member (%.0f%%: %s to %s), %s for %d members in %d strata; %d unmatched",
		u.PerMember, 100*u.Level, u.Low, u.High, u.Total, u.Members, u.Strata, u.Unmatched)
}
