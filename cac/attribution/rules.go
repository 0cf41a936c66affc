package attribution

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// A step is one converting journey as the rules see it.
type step struct {
	channels   []int32
	lead, oppo int32 // from 1; 0 for none
	ages       []time.Duration
	direct     int32 // -1 for none
}

// A rule fills in the weight of each touch; together they are 1.
type rule func(s *step, w []float64)

// weighPaths applies a rule that does not look at ages: once per distinct path.
func weighPaths(ctx context.Context, js *Journeys, r rule) (Weights, error) {
	conversions, value := make([]kahan, len(js.channels)), make([]kahan, len(js.channels))
	var w []float64
	var s step
	for i := range js.paths {
		if i%4096 == 0 && ctx.Err() != nil {
			return Weights{}, ctx.Err()
		}
		p := &js.paths[i]
		if p.conversions == 0 {
			continue
		}
		w = resize(w, len(p.channels))
		s = step{channels: p.channels, lead: p.lead, oppo: p.oppo, direct: js.direct}
		r(&s, w)
		for k, c := range p.channels {
			if w[k] != 0 {
				conversions[c].add(p.conversions * w[k])
				value[c].add(p.value * w[k])
			}
		}
	}
	return Weights{Conversions: values(conversions), Value: values(value)}, nil
}

// resize returns a zeroed slice of length n.
func resize(w []float64, n int) []float64 {
	if cap(w) < n {
		return make([]float64, n, 2*n)
	}
	w = w[:n]
	clear(w)
	return w
}

// single applies a rule to one journey.
func single(j Journey, direct string, r rule) ([]float64, error) {
	if j.Conversions == 0 && j.Nulls == 0 {
		j.Conversions = 1
	}
	var wrong *ledger.RowError
	if errors.As(j.Validate(), &wrong) {
		return nil, fail("%s: %w", wrong.Field, wrong.Err) // there are no rows
	}
	s := step{channels: make([]int32, len(j.Channels)), lead: int32(j.Lead), oppo: int32(j.Opportunity), ages: j.Ages, direct: -1}
	ids := map[string]int32{}
	for i, c := range j.Channels {
		if _, ok := ids[c]; !ok {
			ids[c] = int32(len(ids))
		}
		s.channels[i] = ids[c]
	}
	if id, ok := ids[direct]; ok && direct != "" {
		s.direct = id
	}
	w := make([]float64, len(j.Channels))
	r(&s, w)
	return w, nil
}

// First gives all credit to the first touch of each journey.
type First struct{}

// Name returns "first".
func (First) Name() string { return "first" }

func (First) rule(_ *step, w []float64) { w[0] = 1 }

// Touches returns the weight of each touch of one journey.
func (m First) Touches(j Journey) ([]float64, error) { return single(j, "", m.rule) }

// Weigh implements [Model].
func (m First) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	return weighPaths(ctx, js, m.rule)
}

// Last gives all credit to the last touch of each journey.
type Last struct{}

// Name returns "last".
func (Last) Name() string { return "last" }

func (Last) rule(_ *step, w []float64) { w[len(w)-1] = 1 }

// Touches returns the weight of each touch of one journey.
func (m Last) Touches(j Journey) ([]float64, error) { return single(j, "", m.rule) }

// Weigh implements [Model].
func (m Last) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	return weighPaths(ctx, js, m.rule)
}

// LastNonDirect gives all credit to the last touch of another channel than the direct one. A journey of direct touches
// alone gives it to the direct channel.
type LastNonDirect struct {
	Direct string // the direct channel; empty means the one that the journeys declare
}

// Name returns "last non-direct".
func (LastNonDirect) Name() string { return "last non-direct" }

func (LastNonDirect) rule(s *step, w []float64) {
	for i := len(w) - 1; i >= 0; i-- {
		if s.channels[i] != s.direct {
			w[i] = 1
			return
		}
	}
	w[len(w)-1] = 1
}

// Touches returns the weight of each touch of one journey, with an error that wraps [ErrNoDirect] if Direct is empty.
func (m LastNonDirect) Touches(j Journey) ([]float64, error) {
	if m.Direct == "" {
		return nil, fail("%s: %w", m.Name(), ErrNoDirect)
	}
	return single(j, m.Direct, m.rule)
}

// Weigh implements [Model]. It returns an error that wraps [ErrNoDirect] if neither the model nor the journeys name the
// direct channel. A name that no journey has is no error: then the last touch is never direct.
func (m LastNonDirect) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	direct := m.Direct
	if direct == "" {
		direct = js.declared
	}
	if direct == "" {
		return Weights{}, fail("%s: %w", m.Name(), ErrNoDirect)
	}
	id := int32(-1)
	for i, c := range js.channels {
		if c == direct {
			id = int32(i)
		}
	}
	return weighPaths(ctx, js, func(s *step, w []float64) {
		s.direct = id
		m.rule(s, w)
	})
}

// Linear gives every touch of a journey the same credit, so that a channel touched twice gets twice as much: 1/n each.
type Linear struct{}

// Name returns "linear".
func (Linear) Name() string { return "linear" }

func (Linear) rule(_ *step, w []float64) {
	for i := range w {
		w[i] = 1 / float64(len(w))
	}
}

// Touches returns the weight of each touch of one journey.
func (m Linear) Touches(j Journey) ([]float64, error) { return single(j, "", m.rule) }

// Weigh implements [Model].
func (m Linear) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	return weighPaths(ctx, js, m.rule)
}

// LinearDistinct gives every channel of a journey the same credit, however often it was touched. It is the [Shapley]
// value of the conversions that channels can make among themselves. Touches of one channel share its part equally.
type LinearDistinct struct{}

// Name returns "linear distinct".
func (LinearDistinct) Name() string { return "linear distinct" }

func (LinearDistinct) rule(s *step, w []float64) {
	touches := map[int32]int{}
	for _, c := range s.channels {
		touches[c]++
	}
	for i, c := range s.channels {
		w[i] = 1 / (float64(len(touches)) * float64(touches[c]))
	}
}

// Touches returns the weight of each touch of one journey.
func (m LinearDistinct) Touches(j Journey) ([]float64, error) { return single(j, "", m.rule) }

// Weigh implements [Model].
//
// It is the closed form of [Shapley].
func (m LinearDistinct) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	return weighDistinct(ctx, js)
}

// A TwoTouch says how a position model treats a journey of two touches, which has no middle.
type TwoTouch string

// The conventions.
const (
	SplitMiddle TwoTouch = "split_middle" // each end gets half of the middle's weight; the default
	Renormalize TwoTouch = "renormalize"  // the ends share in proportion to their weights
)

// Position gives fixed parts to the first and to the last touch of a journey and shares the rest equally between those
// in the middle. With one touch it gets everything; with two, see [TwoTouch].
//
// The zero value is 40/20/40, also known as U-shaped. J-shaped is 20/20/60, inverse J 60/20/20.
type Position struct {
	First  float64  // of the first touch
	Middle float64  // of all touches between
	Last   float64  // of the last touch; First + Middle + Last must be 1
	Two    TwoTouch // empty means SplitMiddle
}

func (m Position) defaults() Position {
	if m.First == 0 && m.Middle == 0 && m.Last == 0 {
		m.First, m.Middle, m.Last = 0.4, 0.2, 0.4
	}
	if m.Two == "" {
		m.Two = SplitMiddle
	}
	return m
}

// Name returns the parts in percent, such as "position 40/20/40".
func (m Position) Name() string {
	m = m.defaults()
	name := "position " + percents(m.First, m.Middle, m.Last)
	if m.Two == Renormalize {
		name += " renormalized"
	}
	return name
}

func percents(parts ...float64) string {
	text := make([]string, len(parts))
	for i, p := range parts {
		text[i] = strconv.FormatFloat(math.Round(p*1e8)/1e6, 'g', -1, 64)
	}
	return strings.Join(text, "/")
}

// Validate returns an error that wraps [ErrWeights] if a part is negative or not a number or they do not add up to 1
// (within a billionth), if both ends are 0 though Two is Renormalize, or if Two is not a convention.
func (m Position) Validate() error {
	m = m.defaults()
	if err := unit(m.First, m.Middle, m.Last); err != nil {
		return fail("%s: %w", m.Name(), err)
	}
	switch {
	case m.Two != SplitMiddle && m.Two != Renormalize:
		return fail("%s: two touches %q: not a convention", m.Name(), m.Two)
	case m.Two == Renormalize && m.First+m.Last == 0:
		return fail("%s: %w: nothing to renormalize for two touches", m.Name(), ErrWeights)
	}
	return nil
}

// unit returns an error unless the parts are shares of 1.
func unit(parts ...float64) error {
	sum := 0.0
	for _, p := range parts {
		if !(p >= 0) {
			return fmt.Errorf("%w: %v is negative or not a number", ErrWeights, p)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("%w: they add up to %v, not 1", ErrWeights, sum)
	}
	return nil
}

func (m Position) rule(_ *step, w []float64) {
	n := len(w)
	switch {
	case n == 1:
		w[0] = 1
	case n == 2 && m.Two == Renormalize:
		w[0], w[1] = m.First/(m.First+m.Last), m.Last/(m.First+m.Last)
	case n == 2:
		w[0], w[1] = m.First+m.Middle/2, m.Last+m.Middle/2
	default:
		for i := 1; i < n-1; i++ {
			w[i] = m.Middle / float64(n-2)
		}
		w[0], w[n-1] = m.First, m.Last
	}
}

// Touches returns the weight of each touch of one journey, with the error of Validate.
func (m Position) Touches(j Journey) ([]float64, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return single(j, "", m.defaults().rule)
}

// Weigh implements [Model], with the error of Validate.
func (m Position) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if err := m.Validate(); err != nil {
		return Weights{}, err
	}
	return weighPaths(ctx, js, m.defaults().rule)
}
