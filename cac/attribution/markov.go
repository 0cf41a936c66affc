package attribution

import (
	"context"
	"io"
	"math"
	"runtime"
	"strconv"

	"github.com/custval/custval/cac/internal/table"
)

// Markov credits each channel with its removal effect in a Markov chain of journeys (Anderl, Becker, von Wangenheim and
// Schumann, International Journal of Research in Marketing 33, 2016). The states of a chain of order k are the last k
// channels of a journey, a shorter journey being one state of its own; the first state is that of the first k channels.
// A channel is removed by ending every journey that would enter a state that contains it:
//
//	RE(c)          = 1 - P(conversion without c) / P(conversion)
//	conversions(c) = conversions * RE(c) / Σ RE
//
// For value, a conversion from state s pays the mean value of the conversions from s, and P is the expected payment.
//
// A channel that no converting journey has can get credit, for leading to channels from which others convert.
//
// Nothing is simulated: the effects solve a linear system, directly up to 2,000 states and beyond by iteration to a
// residual of 1e-12.
type Markov struct {
	Order       int  // channels that a state remembers; 0 means 1
	KeepRepeats bool // keep repeats of a channel in a row, which are dropped otherwise; of no effect at order 1
	IgnoreNulls bool // leave out journeys that did not convert, as tools do whose input has conversions alone
	Workers     int  // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

func (m Markov) order() int { return max(m.Order, 1) }

// Name returns the order and what is not usual, such as "Markov 2".
func (m Markov) Name() string {
	name := "Markov " + strconv.Itoa(m.order())
	if m.KeepRepeats {
		name += " with repeats"
	}
	if m.IgnoreNulls {
		name += " without nulls"
	}
	return name
}

// Validate returns an error if the order or the number of workers is negative.
func (m Markov) Validate() error {
	switch {
	case m.Order < 0:
		return fail("Markov: order %d: negative", m.Order)
	case m.Workers < 0:
		return fail("%s: %d workers: negative", m.Name(), m.Workers)
	}
	return nil
}

func (m Markov) workers() int {
	if m.Workers == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return m.Workers
}

// Weigh implements [Model]. It returns the error of Validate, and one that wraps [ErrNotConverged] if the iteration for
// a chain of more than 2,000 states does not settle.
func (m Markov) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	_, effects, err := m.solve(ctx, js)
	if err != nil {
		return Weights{}, err
	}
	w := Weights{Conversions: make([]float64, len(effects)), Value: make([]float64, len(effects))}
	for i, e := range effects {
		w.Conversions[i], w.Value[i] = e.conversions, e.value
	}
	return w, nil
}

func (m Markov) solve(ctx context.Context, js *Journeys) (*chain, []effect, error) {
	if err := m.Validate(); err != nil {
		return nil, nil, err
	}
	c, err := newChain(ctx, js, m)
	if err != nil {
		return nil, nil, err
	}
	effects, err := c.effects(ctx, m.workers(), directStates)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, fail("%s: %w", m.Name(), err)
	}
	return c, effects, nil
}

// A RemovalEffect is what is lost without a channel.
type RemovalEffect struct {
	Channel     string  `json:"channel"`
	Conversions float64 `json:"conversions"` // the part of the conversions, 0 to 1
	Value       float64 `json:"value"`       // the part of their value; 0 if there is none
}

// RemovalEffects is the removal effect of every channel in a Markov chain, and how it was found. The effects add up to
// more than 1 where journeys have several channels.
type RemovalEffects struct {
	Model       string          `json:"model"`
	Effects     []RemovalEffect `json:"effects"`     // by channel
	Conversion  float64         `json:"conversion"`  // the probability that a journey converts
	Value       float64         `json:"value"`       // the expected value of a journey, in units of the currency
	States      int             `json:"states"`      // of the chain, without start, conversion and null
	Transitions int             `json:"transitions"` // between those states
	Solver      string          `json:"solver"`      // "direct" or "iteration"
	Sweeps      int             `json:"sweeps"`      // most sweeps of the iteration for one channel; 0 if direct
	Residual    float64         `json:"residual"`    // bound of the largest residual of the iteration; 0 if direct
}

// Removal returns the removal effects behind the credits. It returns the errors of Weigh, and one that wraps
// [ErrNoConversions] if there are none.
func (m Markov) Removal(ctx context.Context, js *Journeys) (*RemovalEffects, error) {
	if js == nil || js.totals.Conversions == 0 {
		return nil, fail("%s: %w", m.Name(), ErrNoConversions)
	}
	c, effects, err := m.solve(ctx, js)
	if err != nil {
		return nil, err
	}
	r := &RemovalEffects{Model: m.Name(), States: len(c.states), Transitions: len(c.from), Solver: "direct",
		Conversion: c.totals.conv / c.totals.start, Value: c.totals.value / c.totals.start}
	for i, e := range effects {
		r.Effects = append(r.Effects, RemovalEffect{Channel: js.channels[i], Conversions: e.conversions, Value: e.value})
		r.Sweeps, r.Residual = max(r.Sweeps, e.sweeps), math.Max(r.Residual, e.residual)
	}
	if r.Sweeps > 0 {
		r.Solver = "iteration"
	}
	return r, nil
}

// String returns the effects as an aligned table.
func (r *RemovalEffects) String() string {
	rows := make([][]string, len(r.Effects))
	for i, e := range r.Effects {
		rows[i] = []string{e.Channel, table.Fixed(e.Conversions, 4, nil), table.Fixed(e.Value, 4, nil)}
	}
	return r.Model + "\n" + table.Text([]string{"channel", "conversions", "value"}, rows, 1)
}

// WriteCSV writes the effects with the columns channel, conversions and value.
func (r *RemovalEffects) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(r.Effects))
	for i, e := range r.Effects {
		rows[i] = []string{e.Channel, table.Float(e.Conversions, nil), table.Float(e.Value, nil)}
	}
	return table.CSV(w, []string{"channel", "conversions", "value"}, rows)
}
