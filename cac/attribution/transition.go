package attribution

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/custval/custval/cac/internal/table"
)

// The ends of a journey in a table of transitions.
const (
	StateStart      = "(start)"
	StateConversion = "(conversion)"
	StateNull       = "(null)"
)

// A Transition is a step between two states of a Markov chain of journeys.
type Transition struct {
	From        []string `json:"from"`        // the channels of the state, oldest first; StateStart alone where journeys begin
	To          []string `json:"to"`          // those of the next; StateConversion or StateNull alone where journeys end
	Count       int64    `json:"count"`       // how many journeys took the step, repeats counted
	Probability float64  `json:"probability"` // Count divided by all steps from the state
}

// Transitions is the transition matrix of a chain, without its zeros, sorted by origin and destination; the start comes
// first and the ends last.
type Transitions []Transition

// Transitions returns the transition matrix of the chain. It returns the error of Validate.
func (m Markov) Transitions(ctx context.Context, js *Journeys) (Transitions, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if js == nil {
		return nil, fail("no journeys")
	}
	b := newChainBuilder(js, m)
	if err := b.addAll(ctx, js, m); err != nil {
		return nil, err
	}
	c := b.c
	out := make([]float64, len(c.states)) // steps from each state
	for s := range c.states {
		out[s] = c.conv[s] + c.null[s]
	}
	for _, e := range b.edges {
		out[e.from] += e.count
	}
	begun := 0.0
	for _, n := range c.start {
		begun += n
	}
	var ts Transitions
	step := func(from, to []string, n, of float64) {
		if n > 0 {
			ts = append(ts, Transition{From: from, To: to, Count: int64(n), Probability: n / of})
		}
	}
	names := make([][]string, len(c.states))
	for s, channels := range c.states {
		names[s] = js.names(channels)
		step([]string{StateStart}, names[s], c.start[s], begun)
		step(names[s], []string{StateConversion}, c.conv[s], out[s])
		step(names[s], []string{StateNull}, c.null[s], out[s])
	}
	for _, e := range b.edges {
		step(names[e.from], names[e.to], e.count, out[e.from])
	}
	slices.SortFunc(ts, func(a, b Transition) int { return cmp.Or(compareStates(a.From, b.From), compareStates(a.To, b.To)) })
	return ts, nil
}

// compareStates puts the start first and the ends last.
func compareStates(a, b []string) int {
	class := func(s []string) int {
		if len(s) == 1 {
			switch s[0] {
			case StateStart:
				return -1
			case StateConversion:
				return 1
			case StateNull:
				return 2
			}
		}
		return 0
	}
	return cmp.Or(cmp.Compare(class(a), class(b)), slices.Compare(a, b))
}

// String returns the steps as an aligned table.
func (ts Transitions) String() string {
	rows := make([][]string, len(ts))
	for i, t := range ts {
		rows[i] = []string{pathText(t.From), pathText(t.To), strconv.FormatInt(t.Count, 10), table.Fixed(t.Probability, 4, nil)}
	}
	return table.Text([]string{"from", "to", "count", "probability"}, rows, 2)
}

// WriteCSV writes the steps with the columns from, to, count and probability, the channels of a state separated by >.
func (ts Transitions) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(ts))
	for i, t := range ts {
		rows[i] = []string{strings.Join(t.From, separator), strings.Join(t.To, separator), strconv.FormatInt(t.Count, 10), table.Float(t.Probability, nil)}
	}
	return table.CSV(w, []string{"from", "to", "count", "probability"}, rows)
}
