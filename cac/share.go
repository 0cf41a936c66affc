package cac

import (
	"maps"
	"math/big"
	"slices"

	"github.com/custval/custval/money"
)

// share divides the shared costs of every period between its groups.
func (b *builder) share() error {
	if b.policy.Sharing == Unallocated {
		return nil
	}
	for t := range b.periods {
		shared := b.cells[place{shared: true, period: t}]
		if shared == nil {
			continue
		}
		groups, weights, err := b.weights(t)
		if err != nil {
			return err
		}
		if len(groups) == 0 {
			continue
		}
		sum, err := shared.direct.Total()
		if err != nil {
			return prefixed(err)
		}
		parts, err := allocate(sum, weights)
		if err != nil {
			return prefixed(err)
		}
		for i, g := range groups {
			into := b.at(place{group: g, period: t})
			into.allocated.Add(parts[i])
			into.credits = into.credits || shared.credits
		}
		delete(b.cells, place{shared: true, period: t})
	}
	return nil
}

// weights returns the groups that share the costs of a period, sorted, with their positive weights.
func (b *builder) weights(t int) ([]string, []*big.Rat, error) {
	of := map[string]*big.Rat{}
	if b.policy.Sharing == ByWeights {
		for g, w := range b.o.Sharing.Weights {
			of[g] = number(w)
		}
	} else {
		for p, c := range b.cells {
			if p.period != t || p.shared {
				continue
			}
			of[p.group] = new(big.Rat).SetInt64(int64(c.new))
			if b.policy.Sharing == BySpend {
				own, err := c.direct.Total()
				if err != nil {
					return nil, nil, prefixed(err)
				}
				of[p.group] = rat(own)
			}
		}
	}
	maps.DeleteFunc(of, func(_ string, w *big.Rat) bool { return w.Sign() <= 0 })
	groups := slices.Sorted(maps.Keys(of))
	weights := make([]*big.Rat, len(groups))
	for i, g := range groups {
		weights[i] = of[g]
	}
	return groups, weights, nil
}

// allocate divides an amount by exact weights: as integers where they are ones of ordinary size, else as floats.
func allocate(a money.Amount, weights []*big.Rat) ([]money.Amount, error) {
	denominator := big.NewInt(1)
	for _, w := range weights {
		gcd := new(big.Int).GCD(nil, nil, denominator, w.Denom())
		denominator.Mul(denominator, new(big.Int).Quo(w.Denom(), gcd))
	}
	ints, floats := make([]int64, len(weights)), make([]float64, len(weights))
	whole := true
	for i, w := range weights {
		n := new(big.Rat).Mul(w, new(big.Rat).SetInt(denominator))
		ints[i], floats[i] = n.Num().Int64(), float(w)
		whole = whole && n.Num().BitLen() < 53
	}
	if whole {
		return a.Allocate(ints...)
	}
	return a.AllocateBy(floats)
}
