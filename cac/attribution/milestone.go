package attribution

import (
	"context"
	"slices"
)

// MilestoneWeights returns the weights of n touches of which some are milestones: touches[i], counted from 0, gets
// weights[i], and rest is shared equally by the touches that are none. Milestones that coincide add up. Without other
// touches, and with a milestone of a negative number, which the journey lacks, the remaining weights are scaled to 1.
//
// It returns an error that wraps [ErrWeights] unless the weights with rest are shares that add up to 1, and an error if
// n is not positive, a touch is n or more, or there are not as many weights as touches.
func MilestoneWeights(n int, touches []int, weights []float64, rest float64) ([]float64, error) {
	if n < 1 {
		return nil, fail("milestones: %d touches", n)
	}
	if len(touches) != len(weights) {
		return nil, fail("milestones: %d touches for %d weights", len(touches), len(weights))
	}
	for _, t := range touches {
		if t >= n {
			return nil, fail("milestones: touch %d of %d", t, n)
		}
	}
	if err := unit(append(slices.Clone(weights), rest)...); err != nil {
		return nil, fail("milestones: %w", err)
	}
	w := make([]float64, n)
	milestones(w, touches, weights, rest)
	return w, nil
}

// milestones fills in w, which is zero.
func milestones(w []float64, touches []int, weights []float64, rest float64) {
	sum := 0.0
	for i, t := range touches {
		if t >= 0 {
			w[t] += weights[i]
			sum += weights[i]
		}
	}
	others := 0
	for t := range w {
		if !slices.Contains(touches, t) {
			others++
		}
	}
	if others > 0 {
		sum += rest
	}
	if sum == 0 { // all weight is on milestones that the journey lacks
		for t := range w {
			w[t] = 1 / float64(len(w))
		}
		return
	}
	for t := range w {
		if slices.Contains(touches, t) {
			w[t] /= sum
		} else {
			w[t] = rest / float64(others) / sum
		}
	}
}

// WShaped gives fixed parts to the first touch, to the one that made the lead and to the one that made the opportunity,
// and shares the rest equally between all other touches. Where a journey marks no opportunity, its last touch counts as
// that; where it marks no lead, the other parts are scaled to 1. See [MilestoneWeights].
//
// The zero value is 30/30/30/10.
type WShaped struct {
	First       float64 // of the first touch
	Lead        float64 // of the touch that made the lead
	Opportunity float64 // of the touch that made the opportunity
	Rest        float64 // of all others; the four must add up to 1
}

func (m WShaped) defaults() WShaped {
	if m == (WShaped{}) {
		return WShaped{0.3, 0.3, 0.3, 0.1}
	}
	return m
}

// Name returns the parts in percent, such as "W-shaped 30/30/30/10".
func (m WShaped) Name() string {
	m = m.defaults()
	return "W-shaped " + percents(m.First, m.Lead, m.Opportunity, m.Rest)
}

// Validate returns an error that wraps [ErrWeights] unless the parts are shares that add up to 1.
func (m WShaped) Validate() error {
	m = m.defaults()
	if err := unit(m.First, m.Lead, m.Opportunity, m.Rest); err != nil {
		return fail("%s: %w", m.Name(), err)
	}
	return nil
}

func (m WShaped) rule(s *step, w []float64) {
	opportunity := int(s.oppo) - 1
	if opportunity < 0 {
		opportunity = len(w) - 1
	}
	milestones(w, []int{0, int(s.lead) - 1, opportunity}, []float64{m.First, m.Lead, m.Opportunity}, m.Rest)
}

// Touches returns the weight of each touch of one journey, with the error of Validate.
func (m WShaped) Touches(j Journey) ([]float64, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return single(j, "", m.defaults().rule)
}

// Weigh implements [Model], with the error of Validate.
func (m WShaped) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if err := m.Validate(); err != nil {
		return Weights{}, err
	}
	return weighPaths(ctx, js, m.defaults().rule)
}

// FullPath gives fixed parts to the first touch, to those that made the lead and the opportunity, and to the last one,
// and shares the rest equally between all other touches. Where a journey marks no lead or no opportunity, the other
// parts are scaled to 1. See [MilestoneWeights].
//
// The zero value is 22.5/22.5/22.5/22.5/10.
type FullPath struct {
	First       float64 // of the first touch
	Lead        float64 // of the touch that made the lead
	Opportunity float64 // of the touch that made the opportunity
	Close       float64 // of the last touch
	Rest        float64 // of all others; the five must add up to 1
}

func (m FullPath) defaults() FullPath {
	if m == (FullPath{}) {
		return FullPath{0.225, 0.225, 0.225, 0.225, 0.1}
	}
	return m
}

// Name returns the parts in percent, such as "full path 22.5/22.5/22.5/22.5/10".
func (m FullPath) Name() string {
	m = m.defaults()
	return "full path " + percents(m.First, m.Lead, m.Opportunity, m.Close, m.Rest)
}

// Validate returns an error that wraps [ErrWeights] unless the parts are shares that add up to 1.
func (m FullPath) Validate() error {
	m = m.defaults()
	if err := unit(m.First, m.Lead, m.Opportunity, m.Close, m.Rest); err != nil {
		return fail("%s: %w", m.Name(), err)
	}
	return nil
}

func (m FullPath) rule(s *step, w []float64) {
	milestones(w, []int{0, int(s.lead) - 1, int(s.oppo) - 1, len(w) - 1},
		[]float64{m.First, m.Lead, m.Opportunity, m.Close}, m.Rest)
}

// Touches returns the weight of each touch of one journey, with the error of Validate.
func (m FullPath) Touches(j Journey) ([]float64, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return single(j, "", m.defaults().rule)
}

// Weigh implements [Model], with the error of Validate.
func (m FullPath) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if err := m.Validate(); err != nil {
		return Weights{}, err
	}
	return weighPaths(ctx, js, m.defaults().rule)
}
