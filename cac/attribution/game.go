package attribution

import (
	"context"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/custval/custval/cac/internal/table"
)

// exactPlayers is the most players for which every coalition is looked at.
const exactPlayers = 20

// A Coalition is a set of players, by their numbers from 0.
type Coalition struct{ words []uint64 }

// Has reports whether player i is in the coalition.
func (c Coalition) Has(i int) bool { return i/64 < len(c.words) && c.words[i/64]>>(i%64)&1 == 1 }

// Len returns the number of players in the coalition.
func (c Coalition) Len() int {
	n := 0
	for _, w := range c.words {
		n += bits.OnesCount64(w)
	}
	return n
}

func (c Coalition) add(i int) { c.words[i/64] |= 1 << (i % 64) }

// A Game gives every coalition of players a worth.
type Game struct {
	Players []string // one or more, each once

	// Worth returns the finite worth of a coalition. It is called from several goroutines and must not keep the coalition.
	Worth func(c Coalition) float64

	table func(ctx context.Context) ([]float64, error) // worth of all coalitions at once, by their bits; nil if there is no short cut
}

func (g Game) validate() error {
	if len(g.Players) == 0 {
		return fail("game: no players")
	}
	if g.Worth == nil {
		return fail("game: no worth")
	}
	sorted := slices.Sorted(slices.Values(g.Players))
	if len(slices.Compact(sorted)) < len(g.Players) {
		return fail("game: a player is there twice")
	}
	return nil
}

// A Value is the Shapley value of a player.
type Value struct {
	Player string  `json:"player"`
	Value  float64 `json:"value"`
	StdErr float64 `json:"std_err"` // standard error of sampling; 0 if exact
}

// Values are the Shapley values of the players of a game. They add up to the worth of all players less that of nobody.
type Values struct {
	Values       []Value `json:"values"`       // in the order of the players
	Total        float64 `json:"total"`        // worth of all players less that of nobody
	Permutations int     `json:"permutations"` // that were sampled; 0 if exact
}

// ShapleyExact returns the Shapley value of every player of a game,
//
//	φ(i) = Σ |S|! (n-1-|S|)! / n! (v(S + i) - v(S))    over the coalitions S without i
//
// (Shapley, Contributions to the Theory of Games 2, 1953), from the worth of all 2^n coalitions. Worths may be negative
// and need not rise with the coalition.
//
// It returns an error that wraps [ErrTooManyPlayers] for more than 20 players, and an error for no players, one who is
// there twice, or a worth that is not finite.
func ShapleyExact(ctx context.Context, g Game) (*Values, error) {
	if err := g.validate(); err != nil {
		return nil, err
	}
	n := len(g.Players)
	if n > exactPlayers {
		return nil, fail("game of %d players: %w", n, ErrTooManyPlayers)
	}
	v, err := g.all(ctx)
	if err != nil {
		return nil, err
	}
	out := &Values{Values: make([]Value, n), Total: v[len(v)-1] - v[0]}
	weight := make([]float64, n) // by the size of S: 1 / (n binomial(n-1, |S|))
	for s, c := 0, 1.0; s < n; s++ {
		weight[s] = 1 / (float64(n) * c)
		c = c * float64(n-1-s) / float64(s+1)
	}
	err = parallel(ctx, 0, n, func(ctx context.Context, i int) error {
		var sum kahan
		for s := range v {
			if s%(1<<18) == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if s>>i&1 == 0 {
				sum.add(weight[bits.OnesCount(uint(s))] * (v[s|1<<i] - v[s]))
			}
		}
		out.Values[i] = Value{Player: g.Players[i], Value: sum.value()}
		return nil
	})
	return out, err
}

// all returns the worth of every coalition, by its bits.
func (g Game) all(ctx context.Context) ([]float64, error) {
	if g.table != nil {
		return g.table(ctx)
	}
	v := make([]float64, 1<<len(g.Players))
	const chunk = 1024
	err := parallel(ctx, 0, (len(v)+chunk-1)/chunk, func(ctx context.Context, p int) error {
		c := Coalition{make([]uint64, 1)}
		for s := p * chunk; s < min((p+1)*chunk, len(v)); s++ {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.words[0] = uint64(s)
			v[s] = g.Worth(c)
			if err := g.finite(c, v[s]); err != nil {
				return err
			}
		}
		return nil
	})
	return v, err
}

func (g Game) finite(c Coalition, worth float64) error {
	if math.IsNaN(worth) || math.IsInf(worth, 0) {
		return fail("game: the worth of a coalition of %d players is %v", c.Len(), worth)
	}
	return nil
}

// SampleOptions says how [ShapleySampled] samples. There is no default number of permutations: sampling is a choice.
type SampleOptions struct {
	Permutations int    // orders in which players join, 4 or more; an odd number is rounded up
	Seed         uint64 // the same seed gives the same result
	Workers      int    // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

// ShapleySampled estimates the Shapley value of a game of any number of players: players join in random orders, and each
// gets the mean of what the worth rises when it joins (Castro, Gómez and Tejada, Computers & Operations Research 36,
// 2009). Every order is also used backwards, which lowers the variance; the standard error is that of the means of such
// pairs. The values add up to the total as the exact ones do.
//
// It returns the errors of [ShapleyExact] but for the number of players, and an error for options out of range.
func ShapleySampled(ctx context.Context, g Game, o SampleOptions) (*Values, error) {
	if err := g.validate(); err != nil {
		return nil, err
	}
	switch {
	case o.Permutations < 4 || o.Permutations > 1<<30:
		return nil, fail("game: %d permutations: not between 4 and 2^30", o.Permutations)
	case o.Workers < 0:
		return nil, fail("game: %d workers: negative", o.Workers)
	}
	n := len(g.Players)
	pairs := (o.Permutations + 1) / 2
	chunks := min(pairs, 256)
	parts := make([]gameSums, chunks)
	err := parallel(ctx, o.Workers, chunks, func(ctx context.Context, p int) error {
		s := gameSums{mean: make([]float64, n), squares: make([]float64, n)}
		r := rand.New(rand.NewPCG(o.Seed, uint64(p)))
		for range pairs/chunks + btoi(p < pairs%chunks) {
			if err := g.pair(ctx, r, &s); err != nil {
				return err
			}
		}
		parts[p] = s
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := parts[0]
	for _, s := range parts[1:] {
		all.merge(s)
	}
	nobody, everybody := Coalition{make([]uint64, (n+63)/64)}, Coalition{make([]uint64, (n+63)/64)}
	for i := range n {
		everybody.add(i)
	}
	out := &Values{Values: make([]Value, n), Total: g.Worth(everybody) - g.Worth(nobody), Permutations: 2 * pairs}
	for i := range n {
		out.Values[i] = Value{Player: g.Players[i], Value: all.mean[i], StdErr: math.Sqrt(all.squares[i] / float64(pairs-1) / float64(pairs))}
	}
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// gameSums are the mean and the sum of squared deviations of pairs of orders, by player (Welford).
type gameSums struct {
	n             float64
	mean, squares []float64
	order         []int
	gain          []float64
}

func (s *gameSums) merge(t gameSums) {
	n := s.n + t.n
	for i := range s.mean {
		d := t.mean[i] - s.mean[i]
		s.squares[i] += t.squares[i] + float64(d*d)*s.n*t.n/n
		s.mean[i] += d * t.n / n
	}
	s.n = n
}

// pair adds one random order and its reverse.
func (g Game) pair(ctx context.Context, r *rand.Rand, s *gameSums) error {
	n := len(g.Players)
	if s.order == nil {
		s.order, s.gain = make([]int, n), make([]float64, n)
		for i := range n {
			s.order[i] = i
		}
	}
	r.Shuffle(n, func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
	clear(s.gain)
	for range 2 {
		c := Coalition{make([]uint64, (n+63)/64)}
		before := g.Worth(c)
		if err := g.finite(c, before); err != nil {
			return err
		}
		for _, i := range s.order {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.add(i)
			worth := g.Worth(c)
			if err := g.finite(c, worth); err != nil {
				return err
			}
			s.gain[i] += (worth - before) / 2
			before = worth
		}
		slices.Reverse(s.order)
	}
	s.n++
	for i, x := range s.gain {
		d := x - s.mean[i]
		s.mean[i] += d / s.n
		s.squares[i] += float64(d * (x - s.mean[i]))
	}
	return nil
}

// String returns the values as an aligned table.
func (v *Values) String() string {
	rows := make([][]string, len(v.Values))
	for i, x := range v.Values {
		rows[i] = []string{x.Player, table.Fixed(x.Value, 4, nil), table.Fixed(x.StdErr, 4, nil)}
	}
	rows = append(rows, []string{"(total)", table.Fixed(v.Total, 4, nil), ""})
	return table.Text([]string{"player", "value", "std err"}, rows, 1)
}

// WriteCSV writes the values with the columns player, value, std_err and permutations.
func (v *Values) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(v.Values))
	for i, x := range v.Values {
		rows[i] = []string{x.Player, table.Float(x.Value, nil), table.Float(x.StdErr, nil), strconv.Itoa(v.Permutations)}
	}
	return table.CSV(w, []string{"player", "value", "std_err", "permutations"}, rows)
}
