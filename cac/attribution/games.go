package attribution

import (
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// sets returns the distinct sets of channels with their conversions and nulls, sorted.
func (js *Journeys) sets() (sets [][]int32, conversions, nulls []float64) {
	type row struct {
		set         []int32
		conversions float64
		nulls       float64
	}
	d := newDistinct(js)
	rows := make([]row, len(js.paths))
	for i := range js.paths {
		set := slices.Clone(d.of(js.paths[i].channels))
		slices.Sort(set)
		rows[i] = row{set, js.paths[i].conversions, js.paths[i].nulls}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(len(a.set)-len(b.set), slices.Compare(a.set, b.set)) })
	for _, r := range rows {
		if n := len(sets); n > 0 && slices.Equal(sets[n-1], r.set) {
			conversions[n-1] += r.conversions
			nulls[n-1] += r.nulls
			continue
		}
		sets, conversions, nulls = append(sets, r.set), append(conversions, r.conversions), append(nulls, r.nulls)
	}
	return sets, conversions, nulls
}

func setBits(set []int32) int {
	b := 0
	for _, c := range set {
		b |= 1 << c
	}
	return b
}

// TableGame is the game of a table of worths, by the names of the players with + between them in any order, such as
// "Search+Email". A coalition that is not in the table is worth nothing.
//
// It returns an error for a key with a player who is not in the game or is there twice, for two keys of one coalition,
// for a worth that is not finite, and for the players that [ShapleyExact] refuses.
func TableGame(players []string, worth map[string]float64) (Game, error) {
	words := (len(players) + 63) / 64
	table := make(map[string]float64, len(worth))
	key := func(c Coalition) string {
		b := make([]byte, 0, 8*words)
		for i := range words {
			b = binary.LittleEndian.AppendUint64(b, c.words[i])
		}
		return string(b)
	}
	g := Game{Players: slices.Clone(players), Worth: func(c Coalition) float64 { return table[key(c)] }}
	if err := g.validate(); err != nil {
		return Game{}, err
	}
	for _, text := range slices.Sorted(maps.Keys(worth)) {
		c := Coalition{make([]uint64, words)}
		for name := range strings.SplitSeq(text, "+") {
			i := slices.Index(players, name)
			if i < 0 || c.Has(i) {
				return Game{}, fail("game: coalition %q: %q is no player or is there twice", text, name)
			}
			c.add(i)
		}
		if err := g.finite(c, worth[text]); err != nil {
			return Game{}, err
		}
		if _, ok := table[key(c)]; ok {
			return Game{}, fail("game: coalition %q is there twice", text)
		}
		table[key(c)] = worth[text]
	}
	return g, nil
}

// ConversionGame is the game whose worth is the conversions that the channels of a coalition can make among themselves:
// those of the journeys all of whose channels are in it. Its value is that of [Shapley], by coalitions.
func ConversionGame(js *Journeys) Game {
	if js == nil {
		return Game{}
	}
	sets, conversions, _ := js.sets()
	return Game{
		Players: js.Channels(),
		Worth: func(c Coalition) float64 {
			sum := 0.0
			for i, set := range sets {
				if within(set, c) {
					sum += conversions[i]
				}
			}
			return sum
		},
		table: func(ctx context.Context) ([]float64, error) {
			v := make([]float64, 1<<len(js.channels))
			for i, set := range sets {
				v[setBits(set)] += conversions[i]
			}
			return v, sumSubsets(ctx, v, len(js.channels))
		},
	}
}

func within(set []int32, c Coalition) bool {
	for _, i := range set {
		if !c.Has(int(i)) {
			return false
		}
	}
	return true
}

// sumSubsets replaces the worth of every coalition by the sum over its subsets, itself included.
func sumSubsets(ctx context.Context, v []float64, players int) error {
	for i := range players {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range v {
			if s>>i&1 == 1 {
				v[s] += v[s&^(1<<i)]
			}
		}
	}
	return nil
}

// RateGame is the game whose worth is the part of the journeys over exactly the channels of a coalition that converted,
// 0 where there were none. It does not rise with the coalition, so that values can be negative: they tell of synergy and
// are no credits.
func RateGame(js *Journeys) Game {
	if js == nil {
		return Game{}
	}
	sets, conversions, nulls := js.sets()
	return Game{
		Players: js.Channels(),
		Worth: func(c Coalition) float64 {
			n := c.Len()
			// Sets are sorted by size and content; those of the size of c are few enough to look at.
			lo, _ := slices.BinarySearchFunc(sets, n, func(s []int32, n int) int { return cmp.Compare(len(s), n) })
			for i := lo; i < len(sets) && len(sets[i]) == n; i++ {
				if within(sets[i], c) {
					return conversions[i] / (conversions[i] + nulls[i])
				}
			}
			return 0
		},
		table: func(ctx context.Context) ([]float64, error) {
			v := make([]float64, 1<<len(js.channels))
			for i, set := range sets {
				v[setBits(set)] = conversions[i] / (conversions[i] + nulls[i])
			}
			return v, ctx.Err()
		},
	}
}
