package attribution

import (
	"context"
	"slices"
)

// ByGame credits channels in proportion to their Shapley value in a game made of the journeys, conversions and value
// alike. With the [ConversionGame] it is [Shapley] by way of coalitions.
type ByGame struct {
	Label string // its name; empty means "game"

	// Game makes the game, whose players are [Journeys.Channels] in their order. No value may be negative, as in a game
	// whose worth rises with the coalition.
	Game func(js *Journeys) Game

	// Sample is how to sample a game of more than 20 channels. Without permutations such a game is an error.
	Sample SampleOptions
}

// Name returns the label.
func (m ByGame) Name() string {
	if m.Label == "" {
		return "game"
	}
	return m.Label
}

// Weigh implements [Model]. It returns the errors of [ShapleyExact] up to 20 channels and those of [ShapleySampled]
// beyond, one that wraps [ErrTooManyPlayers] for more than 20 channels without permutations, and an error if the players
// are not the channels. Negative values become an error that wraps [ErrWeights].
func (m ByGame) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if m.Game == nil {
		return Weights{}, fail("%s: no game", m.Name())
	}
	g := m.Game(js)
	if !slices.Equal(g.Players, js.channels) {
		return Weights{}, fail("%s: the players are not the channels", m.Name())
	}
	var v *Values
	var err error
	if len(g.Players) > exactPlayers && m.Sample.Permutations > 0 {
		v, err = ShapleySampled(ctx, g, m.Sample)
	} else {
		v, err = ShapleyExact(ctx, g)
	}
	if err != nil {
		return Weights{}, err
	}
	w := make([]float64, len(v.Values))
	for i, x := range v.Values {
		w[i] = x.Value
	}
	return Weights{Conversions: w, Value: slices.Clone(w)}, nil
}
