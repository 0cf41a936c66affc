package attribution

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"

	"github.com/custval/custval/cac/internal/table"
)

// Shapley gives each channel its Shapley value (Shapley, 1953) in the game whose worth is the conversions that the
// channels of a coalition S can make among themselves:
//
//	v(S) = Σ conversions of the journeys whose channels are all in S
//
// Every journey is a unanimity game of its channels, so the value has a closed form: conversions split equally over the
// distinct channels of each journey. It costs one pass and needs no coalitions. Ordered is the same game with a touch
// for a player, (channel, position): then each touch gets 1/n, and a channel what [Linear] gives. [OrderedShapley] has
// the credit by position. For other games see [ShapleyExact] and [ShapleySampled].
type Shapley struct {
	Ordered bool // players are touches and not channels
}

// Name returns "Shapley" or "Shapley ordered".
func (m Shapley) Name() string {
	if m.Ordered {
		return "Shapley ordered"
	}
	return "Shapley"
}

// Weigh implements [Model].
func (m Shapley) Weigh(ctx context.Context, js *Journeys) (Weights, error) {
	if m.Ordered {
		return Linear{}.Weigh(ctx, js)
	}
	return weighDistinct(ctx, js)
}

// weighDistinct splits every conversion equally over the distinct channels of its path.
func weighDistinct(ctx context.Context, js *Journeys) (Weights, error) {
	conversions, value := make([]kahan, len(js.channels)), make([]kahan, len(js.channels))
	d := newDistinct(js)
	for i := range js.paths {
		if i%4096 == 0 && ctx.Err() != nil {
			return Weights{}, ctx.Err()
		}
		p := &js.paths[i]
		if p.conversions == 0 {
			continue
		}
		set := d.of(p.channels)
		n := float64(len(set))
		for _, c := range set {
			conversions[c].add(p.conversions / n)
			value[c].add(p.value / n)
		}
	}
	return Weights{Conversions: values(conversions), Value: values(value)}, nil
}

// A distinct finds the distinct channels of paths.
type distinct struct {
	seen []int // number of the last path that had the channel
	path int
	set  []int32
}

func newDistinct(js *Journeys) *distinct { return &distinct{seen: make([]int, len(js.channels))} }

// of returns the channels without repeats, in the order of their first touches; valid until the next call.
func (d *distinct) of(channels []int32) []int32 {
	d.path++
	d.set = d.set[:0]
	for _, c := range channels {
		if d.seen[c] != d.path {
			d.seen[c] = d.path
			d.set = append(d.set, c)
		}
	}
	return d.set
}

// A PositionCredit is what a channel gets for its touches at one position.
type PositionCredit struct {
	Channel     string  `json:"channel"`
	Position    int     `json:"position"` // of the touch in its journey, counted from 1
	Conversions float64 `json:"conversions"`
	Value       float64 `json:"value"` // in units of the currency, not rounded
}

// PositionCredits is credit by channel and position, in this order.
type PositionCredits []PositionCredit

// OrderedShapley returns the Shapley value of every channel at every position: the game of [Shapley] with (channel,
// position) for a player. Its sums by channel are the credits of [Linear]. It returns an error that wraps
// [ErrNoConversions] if there are none.
func OrderedShapley(ctx context.Context, js *Journeys) (PositionCredits, error) {
	if js == nil || js.totals.Conversions == 0 {
		return nil, fail("%s: %w", Shapley{Ordered: true}.Name(), ErrNoConversions)
	}
	var sums [][2][]kahan // by position, then channel
	for i := range js.paths {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p := &js.paths[i]
		if p.conversions == 0 {
			continue
		}
		for len(sums) < len(p.channels) {
			sums = append(sums, [2][]kahan{make([]kahan, len(js.channels)), make([]kahan, len(js.channels))})
		}
		n := float64(len(p.channels))
		for k, c := range p.channels {
			sums[k][0][c].add(p.conversions / n)
			sums[k][1][c].add(p.value / n)
		}
	}
	var out PositionCredits
	for k := range sums {
		for c, name := range js.channels {
			if x := sums[k][0][c].value(); x > 0 {
				out = append(out, PositionCredit{Channel: name, Position: k + 1, Conversions: x, Value: sums[k][1][c].value()})
			}
		}
	}
	slices.SortFunc(out, func(a, b PositionCredit) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Position, b.Position))
	})
	return out, nil
}

// String returns the credits as an aligned table.
func (ps PositionCredits) String() string {
	rows := make([][]string, len(ps))
	for i, p := range ps {
		rows[i] = []string{p.Channel, strconv.Itoa(p.Position), table.Fixed(p.Conversions, 2, nil), table.Fixed(p.Value, 2, nil)}
	}
	return table.Text([]string{"channel", "position", "conversions", "value"}, rows, 1)
}

// WriteCSV writes the credits with the columns channel, position, conversions and value.
func (ps PositionCredits) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(ps))
	for i, p := range ps {
		rows[i] = []string{p.Channel, strconv.Itoa(p.Position), table.Float(p.Conversions, nil), table.Float(p.Value, nil)}
	}
	return table.CSV(w, []string{"channel", "position", "conversions", "value"}, rows)
}
