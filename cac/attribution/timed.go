package attribution

import (
	"context"
	"math"
	"time"
)

// weighAtoms applies a rule that looks at ages: once per conversion of a path with its ages.
func weighAtoms(ctx context.Context, js *Journeys, name string, needAges bool, r func(a *atom, s *step, w []float64) error) (Weights, error) {
	conversions, value := make([]kahan, len(js.channels)), make([]kahan, len(js.channels))
	var w []float64
	var s step
	for i := range js.atoms {
		if i%4096 == 0 && ctx.Err() != nil {
			return Weights{}, ctx.Err()
		}
		a := &js.atoms[i]
		if a.count == 0 {
			continue
		}
		p := &js.paths[a.path]
		if needAges && a.ages == nil && len(p.channels) > 1 {
			return Weights{}, fail("%s: path %s: %w", name, pathText(js.names(p.channels)), ErrNoAges)
		}
		w = resize(w, len(p.channels))
		s = step{channels: p.channels, lead: p.lead, oppo: p.oppo, ages: a.ages, direct: js.direct}
		if err := r(a, &s, w); err != nil {
			return Weights{}, err
		}
		for k, c := range p.channels {
			if w[k] != 0 {
				conversions[c].add(a.count * w[k])
				value[c].add(a.value * w[k])
			}
		}
	}
	return Weights{Conversions: values(conversions), Value: values(value)}, nil
}

// TimeDecay halves the weight of a touch for every half-life that it lies before the conversion:
//
//	w(i) = 2^(-age(i)/HalfLife) / Σ 2^(-age(j)/HalfLife)
//
// The zero value has a half-life of seven days.
type TimeDecay struct {
	HalfLife time.Duration // 0 means seven days
	Whole    bool          // count only whole half-lives: ages are cut down to a multiple of HalfLife
}

func (m TimeDecay) halfLife() time.Duration {
	if m.HalfLife == 0 {
		return 7 * 24 * time.Hour
	}
	return m.HalfLife
}

// Name returns the half-life, such as "time decay 168h0m0s".
func (m TimeDecay) Name() string {
	name := "time decay " + m.halfLife().String()
	if m.Whole {
		name += " whole"
	}
	return name
}

// Validate returns an error if the half-life is negative.
func (m TimeDecay) Validate() error {
	if m.HalfLife < 0 {
		return fail("%s: the half-life is negative", m.Name())
	}
	return nil
}

func (m TimeDecay) rule(s *step, w []float64) {
	if len(w) == 1 {
		w[0] = 1
		return
	}
	h := float64(m.halfLife())
	age := func(i int) float64 {
		if m.Whole {
			return math.Floor(float64(s.ages[i]) / h)
		}
		return float64(s.ages[i]) / h
	}
	youngest, sum := age(len(w)-1), 0.0
	for i := range w {
		w[i] = math.Exp2(youngest - age(i))
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
}

// Touches returns the weight of each touch of one journey, with the error of Validate and one that wraps [ErrNoAges] if
// there are several touches and no ages.
func (m TimeDecay) Touches(j Journey) ([]float64, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if j.Ages == nil && len(j.Channels) > 1 {
		return nil, fail("%s: %w", m.Name(), ErrNoAges)
	}
	return single(j, "", m.rule)
}

// Weigh implements [Model]. It returns the error of Validate, and one that wraps [ErrNoAges] if a conversion after
// several touches has no ages.
func (m TimeDecay) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if err := m.Validate(); err != nil {
		return Weights{}, err
	}
	return weighAtoms(ctx, js, m.Name(), true, func(_ *atom, s *step, w []float64) error {
		m.rule(s, w)
		return nil
	})
}

// Custom is a model by a rule of one's own.
type Custom struct {
	Label string // its name

	// Weights returns the weight of each touch of a journey, not negative and with a positive sum, which is scaled to 1.
	// The journey counts the conversions that went its way at these ages. It must not be kept or modified.
	Weights func(j Journey) []float64
}

// Name returns the label.
func (m Custom) Name() string {
	if m.Label == "" {
		return "custom"
	}
	return m.Label
}

// Weigh implements [Model]. It returns an error that wraps [ErrWeights] and names the path for weights that are not one
// per touch, negative, not finite or all zero.
func (m Custom) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if m.Weights == nil {
		return Weights{}, fail("%s: no function of weights", m.Name())
	}
	return weighAtoms(ctx, js, m.Name(), false, func(a *atom, _ *step, w []float64) error {
		j := js.journey(&js.paths[a.path])
		j.Ages, j.Conversions, j.Nulls = a.ages, int64(a.count), 0
		given := m.Weights(j)
		if err := checkWeights(given, len(w), true); err != nil {
			return fail("%s: path %s: %w", m.Name(), pathText(j.Channels), err)
		}
		sum := 0.0
		for _, x := range given {
			sum += x
		}
		for i, x := range given {
			w[i] = x / sum
		}
		return nil
	})
}
