package migration

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// FromCounts returns the chain whose probabilities are the shares of the observed moves: counts[i][j] customers moved
// from state i to j. A state that nobody was seen to leave or stay in is taken as absorbing, with a count of 0.
//
// It returns an error for counts of another size or a negative one, and those of Chain.Validate.
func FromCounts(states []string, counts [][]int, rewards []money.Amount) (*Chain, error) {
	c := &Chain{States: slices.Clone(states), Rewards: slices.Clone(rewards), Counts: make([]float64, len(counts))}
	for i, row := range counts {
		if i >= len(states) || len(row) != len(states) {
			return nil, fmt.Errorf("migration: counts of %d rows, row %d of %d, for %d states", len(counts), i+1, len(row), len(states))
		}
		for j, n := range row {
			if n < 0 {
				return nil, fmt.Errorf("migration: from %q to %q: count %d: negative", states[i], states[j], n)
			}
			c.Counts[i] += float64(n)
		}
		p := make([]float64, len(row))
		for j, n := range row {
			if c.Counts[i] > 0 {
				p[j] = float64(n) / c.Counts[i]
			} else if i == j {
				p[j] = 1
			}
		}
		c.P = append(c.P, p)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// StdErr returns the standard error of each probability, sqrt(p (1-p)/n), NaN where the counts are not known or 0.
func (c *Chain) StdErr() [][]float64 {
	errs := make([][]float64, len(c.P))
	for i, row := range c.P {
		errs[i] = make([]float64, len(row))
		for j, p := range row {
			errs[i][j] = math.NaN()
			if c.Counts != nil && c.Counts[i] > 0 {
				errs[i][j] = math.Sqrt(p * (1 - p) / c.Counts[i])
			}
		}
	}
	return errs
}

// Recency estimates the chain of Pfeifer and Carraway from a log: the states are "recency 1" (bought in the period that
// just ended) to "recency N", and "former" for customers who have not bought for N periods and never come back. earned
// is what a period with a purchase earns on average, contact what the firm spends in each period on a customer who is
// not former; in the state "recency 1" both count, elsewhere the cost alone, as in the paper.
//
// Moves are counted from the period of each customer's first purchase to the last of the periods, which must follow one
// another. Refunds are not purchases. Rows may come in any order.
//
// Recency returns an error if states is below 1, there are fewer than two periods, the stream's errors, and those of
// money.
func Recency(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period, states int, earned, contact money.Amount) (*Chain, error) {
	switch {
	case states < 1:
		return nil, fmt.Errorf("migration: %d states of recency: want 1 or more", states)
	case len(periods) < 2:
		return nil, errors.New("migration: a move needs two periods")
	}
	for i := range periods[1:] {
		if !periods[i+1].Start.Equal(periods[i].End) {
			return nil, fmt.Errorf("migration: %s after %s: periods must follow one another", periods[i+1], periods[i])
		}
	}
	bought, err := purchases(ctx, log, periods)
	if err != nil {
		return nil, err
	}
	counts := make([][]int, states+1)
	for i := range counts {
		counts[i] = make([]int, states+1)
	}
	for _, in := range bought { // counts do not depend on the order
		count(in, counts)
	}
	c := &Chain{States: make([]string, states+1), Rewards: make([]money.Amount, states+1)}
	for i := range states {
		c.States[i] = "recency " + strconv.Itoa(i+1)
		c.Rewards[i] = contact.Neg()
	}
	c.States[states] = "former"
	if c.Rewards[0], err = earned.Sub(contact); err != nil {
		return nil, fmt.Errorf("migration: %w", err)
	}
	if c.Rewards[states], err = earned.Sub(earned); err != nil {
		return nil, fmt.Errorf("migration: %w", err)
	}
	return FromCounts(c.States, counts, c.Rewards)
}

// purchases returns in which periods each customer bought.
func purchases(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period) (map[string][]bool, error) {
	bought := make(map[string][]bool)
	row := 0
	for t, err := range log {
		row++
		if err == nil && row%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil && t.Customer == "" {
			err = &ledger.RowError{Row: row, Field: "Customer", Err: errors.New("empty")}
		}
		if err != nil {
			return nil, fmt.Errorf("migration: %w", err)
		}
		at := slices.IndexFunc(periods, func(p ledger.Period) bool { return p.Contains(t.At) })
		if at < 0 || t.Amount.Sign() < 0 {
			continue
		}
		if bought[t.Customer] == nil {
			bought[t.Customer] = make([]bool, len(periods))
		}
		bought[t.Customer][at] = true
	}
	return bought, nil
}

// count adds one customer's moves.
func count(in []bool, counts [][]int) {
	former := len(counts) - 1
	state := 0
	for at := slices.Index(in, true) + 1; at < len(in) && state != former; at++ {
		next := state + 1
		if in[at] {
			next = 0
		}
		counts[state][next]++
		state = next
	}
}
