package migration

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/mat"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/money"
)

// A Chain is a customer's states, the probabilities of moving between them in one period, and what the firm earns in a
// period that begins in each state.
type Chain struct {
	States  []string       `json:"states"`  // names, unique
	P       [][]float64    `json:"p"`       // P[i][j] is the probability of moving from state i to j; rows sum to 1
	Rewards []money.Amount `json:"rewards"` // one a state, costs negative
	Counts  []float64      `json:"counts"`  // moves that each row was estimated from; nil for known probabilities
}

// rowSum is how far the sum of a row may be from 1.
const rowSum = 1e-9

// Validate returns an error that names the first thing wrong: no states, a name twice, a matrix or rewards of another
// size, a probability outside [0, 1], a row that does not sum to 1 within 1e-9, a negative count, mixed currencies.
func (c *Chain) Validate() error {
	n := len(c.States)
	switch {
	case n == 0:
		return errors.New("migration: no states")
	case len(c.P) != n:
		return fmt.Errorf("migration: %d rows of probabilities for %d states", len(c.P), n)
	case len(c.Rewards) != n:
		return fmt.Errorf("migration: %d rewards for %d states", len(c.Rewards), n)
	case c.Counts != nil && len(c.Counts) != n:
		return fmt.Errorf("migration: %d counts for %d states", len(c.Counts), n)
	}
	for i, row := range c.P {
		if slices.Contains(c.States[:i], c.States[i]) {
			return fmt.Errorf("migration: two states %q", c.States[i])
		}
		if len(row) != n {
			return fmt.Errorf("migration: state %q: %d probabilities for %d states", c.States[i], len(row), n)
		}
		sum := 0.0
		for j, p := range row {
			if !(p >= 0 && p <= 1) {
				return fmt.Errorf("migration: from %q to %q: probability %v: want a number from 0 to 1", c.States[i], c.States[j], p)
			}
			sum += p
		}
		if math.Abs(sum-1) > rowSum {
			return fmt.Errorf("migration: state %q: the probabilities sum to %v: want 1", c.States[i], sum)
		}
		if c.Counts != nil && !(c.Counts[i] >= 0) {
			return fmt.Errorf("migration: state %q: count %v: negative", c.States[i], c.Counts[i])
		}
	}
	if _, err := money.Total(c.Rewards...); err != nil {
		return fmt.Errorf("migration: rewards: %w", err)
	}
	return nil
}

// A Valuation is the expected discounted earnings from a customer now in each state.
type Valuation struct {
	States   []string       `json:"states"`
	Values   []float64      `json:"values"`  // unrounded, in Currency
	StdErr   []fit.Number   `json:"std_err"` // of Values, from the sampling of the probabilities; NaN where the counts are not known
	Currency money.Currency `json:"currency"`
}

// Amounts returns the values as money, rounded to the minor unit.
func (v *Valuation) Amounts(r money.Rounding) ([]money.Amount, error) {
	amounts := make([]money.Amount, len(v.Values))
	for i, value := range v.Values {
		var err error
		if amounts[i], err = money.FromFloat(value, v.Currency, r); err != nil {
			return nil, fmt.Errorf("migration: state %q: %w", v.States[i], err)
		}
	}
	return amounts, nil
}

// String returns one line a state.
func (v *Valuation) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "state\tvalue (%s)\tstd. error\t\n", v.Currency)
	for i, s := range v.States {
		se := "-"
		if e := float64(v.StdErr[i]); !math.IsNaN(e) {
			se = fmt.Sprintf("%.4f", e)
		}
		fmt.Fprintf(w, "%s\t%.4f\t%s\t\n", s, v.Values[i], se)
	}
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

// ErrInfinite is wrapped by the error of a value that does not exist because nothing makes the future worth less.
var ErrInfinite = errors.New("infinite")

// Value returns the value for ever at the effective discount rate d a period, by solving
//
//	V = R + P V/(1+d)
//
// Absorbing states without a reward have the value 0 at any rate, so d may be 0 where every other state leaves in the
// end. Standard errors come from the multinomial sampling of each row, by the delta method.
//
// Value returns an error if the chain does not validate, if d is negative or not finite, and one that wraps ErrInfinite
// if d is 0 and some state earns for ever.
func (c *Chain) Value(d float64) (*Valuation, error) {
	if err := c.check(d); err != nil {
		return nil, err
	}
	values, inverse, err := c.solve(d, make([]bool, len(c.States)))
	if err != nil {
		return nil, err
	}
	v := c.valuation(values)
	if c.Counts != nil {
		c.errors(v, inverse, d)
	}
	return v, nil
}

// ValueOver returns the value of the present period and the given number of periods after it:
//
//	sum over t = 0 ... periods of (P/(1+d))^t R
//
// Errors are those of Value, without ErrInfinite, and one for negative periods.
func (c *Chain) ValueOver(d float64, periods int) (*Valuation, error) {
	if err := c.check(d); err != nil {
		return nil, err
	}
	if periods < 0 {
		return nil, fmt.Errorf("migration: %d periods: negative", periods)
	}
	rewards := c.floats()
	values := slices.Clone(rewards)
	for range periods {
		next := make([]float64, len(values))
		for i, row := range c.P {
			next[i] = rewards[i] + dot(row, values)/(1+d)
		}
		if slices.Equal(next, values) {
			break // nothing changes any more, however many periods are left
		}
		values = next
	}
	return c.valuation(values), nil
}

// A Policy says in which states the firm stops contacting customers, and what they are worth under it.
type Policy struct {
	Stop  []bool     `json:"stop"` // one a state
	Value *Valuation `json:"value"`
}

// BestStopping returns the policy of highest value when the firm may stop in any state: it then earns and pays nothing
// any more. It is found by policy iteration and satisfies
//
//	V = max(0, R + P V/(1+d))
//
// Errors are those of Value.
func (c *Chain) BestStopping(d float64) (*Policy, error) {
	if err := c.check(d); err != nil {
		return nil, err
	}
	rewards := c.floats()
	stop := make([]bool, len(c.States))
	// Each round is at least as good as the one before and there are finitely many policies.
	for range 1 << 10 {
		values, _, err := c.solve(d, stop)
		if err != nil {
			return nil, err
		}
		changed := false
		for i, row := range c.P {
			goOn := rewards[i] + dot(row, values)/(1+d)
			// A tie, as in an absorbing state without a reward, keeps what it was.
			if slack := 1e-12 * (1 + math.Abs(rewards[i])); (goOn < -slack && !stop[i]) || (goOn > slack && stop[i]) {
				stop[i], changed = !stop[i], true
			}
		}
		if !changed {
			return &Policy{Stop: stop, Value: c.valuation(values)}, nil
		}
	}
	return nil, errors.New("migration: policy iteration does not settle")
}

func (c *Chain) check(d float64) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if !(d >= 0) || math.IsInf(d, 1) {
		return fmt.Errorf("migration: discount rate %v: want a finite number that is not negative", d)
	}
	return nil
}

func (c *Chain) floats() []float64 {
	r := make([]float64, len(c.Rewards))
	for i, a := range c.Rewards {
		r[i] = a.Float64()
	}
	return r
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// solve returns the values with those of stopped states 0, and the inverse of I - P/(1+d) over the states that are
// neither stopped nor absorbing without a reward; rows and columns of the others are 0.
func (c *Chain) solve(d float64, stop []bool) ([]float64, [][]float64, error) {
	rewards := c.floats()
	var open []int
	for i := range c.States {
		if !stop[i] && (c.P[i][i] != 1 || rewards[i] != 0) {
			open = append(open, i)
		}
	}
	values, inverse := make([]float64, len(rewards)), make([][]float64, len(rewards))
	for i := range inverse {
		inverse[i] = make([]float64, len(rewards))
	}
	if len(open) == 0 {
		return values, inverse, nil
	}
	m := mat.NewDense(len(open), len(open), nil)
	for k, i := range open {
		for l, j := range open {
			v := -c.P[i][j] / (1 + d)
			if k == l {
				v++
			}
			m.Set(k, l, v)
		}
	}
	var inv mat.Dense
	if err := inv.Inverse(m); err != nil {
		return nil, nil, fmt.Errorf("migration: the value for ever at the rate %v is %w: some states are never left", d, ErrInfinite)
	}
	for k, i := range open {
		for l, j := range open {
			inverse[i][j] = inv.At(k, l)
			values[i] += inv.At(k, l) * rewards[j]
		}
	}
	return values, inverse, nil
}

func (c *Chain) valuation(values []float64) *Valuation {
	v := &Valuation{States: slices.Clone(c.States), Values: values, StdErr: make([]fit.Number, len(values))}
	for i := range v.StdErr {
		v.StdErr[i] = fit.Number(math.NaN())
		if code := c.Rewards[i].Currency(); code != "" {
			v.Currency = code
		}
	}
	return v
}

// errors fills the standard errors: dV = (I - P/(1+d))^-1 dP V/(1+d), rows of dP independent with multinomial
// covariance.
func (c *Chain) errors(v *Valuation, inverse [][]float64, d float64) {
	for s := range v.States {
		variance := 0.0
		for i, row := range c.P {
			a := inverse[s][i] / (1 + d)
			if a == 0 {
				continue
			}
			mean, spread := dot(row, v.Values), 0.0
			for j, p := range row {
				spread += p * (v.Values[j] - mean) * (v.Values[j] - mean)
			}
			if spread > 0 {
				variance += a * a * spread / c.Counts[i] // +Inf for a row without data
			}
		}
		if !math.IsInf(variance, 0) {
			v.StdErr[s] = fit.Number(math.Sqrt(variance))
		}
	}
}

// UnmarshalJSON reads a chain and validates it.
func (c *Chain) UnmarshalJSON(text []byte) error {
	type plain Chain
	var p plain
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	chain := Chain(p)
	if err := chain.Validate(); err != nil {
		return err
	}
	*c = chain
	return nil
}
