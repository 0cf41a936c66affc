package attribution

import (
	"context"
	"encoding/binary"
	"slices"
)

// A chain is the Markov chain of order k that journeys walk: states are the last k channels, or all channels of a
// shorter journey. Counts and not probabilities are kept: they are exact, and the chain's flow through a state is the
// number of visits that were seen.
type chain struct {
	order    int
	channels int
	states   [][]int32 // the channels of each state, in the order in which paths reach it first
	start    []float64 // journeys that begin in the state
	conv     []float64 // journeys that convert from it
	null     []float64 // journeys that end there without conversion
	value    []float64 // value of the conversions
	visits   []float64 // start plus what flows in
	from     []int32   // the edges into state t are those of first[t] to first[t+1]: their origins
	count    []float64 // and their numbers
	first    []int32
	totals   struct{ start, conv, null, value float64 }
}

// newChain counts the transitions of the journeys.
func newChain(ctx context.Context, js *Journeys, m Markov) (*chain, error) {
	b := newChainBuilder(js, m)
	if err := b.addAll(ctx, js, m); err != nil {
		return nil, err
	}
	return b.finish(), nil
}

func newChainBuilder(js *Journeys, m Markov) *chainBuilder {
	return &chainBuilder{c: &chain{order: m.order(), channels: len(js.channels)}, ids: map[string]int32{}, edgeOf: map[uint64]int32{}}
}

// addAll counts the journeys.
func (b *chainBuilder) addAll(ctx context.Context, js *Journeys, m Markov) error {
	for i := range js.paths {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p := &js.paths[i]
		nulls := p.nulls
		if m.IgnoreNulls {
			nulls = 0
		}
		if p.conversions+nulls == 0 {
			continue
		}
		walk := p.channels
		if !m.KeepRepeats {
			walk = b.compact(p.channels)
		}
		b.add(walk, p.conversions, nulls, p.value)
	}
	return nil
}

type chainBuilder struct {
	c      *chain
	ids    map[string]int32 // by the channels of the state
	edgeOf map[uint64]int32 // by origin and next channel
	edges  []edge
	key    []byte
	walk   []int32
}

type edge struct {
	from, to int32
	count    float64
}

// compact drops repeats of a channel that follow each other.
func (b *chainBuilder) compact(channels []int32) []int32 {
	b.walk = b.walk[:0]
	for i, c := range channels {
		if i == 0 || c != channels[i-1] {
			b.walk = append(b.walk, c)
		}
	}
	return b.walk
}

// state returns the number of the state of these channels.
func (b *chainBuilder) state(channels []int32) int32 {
	b.key = b.key[:0]
	for _, c := range channels {
		b.key = binary.AppendUvarint(b.key, uint64(c))
	}
	id, ok := b.ids[string(b.key)]
	if !ok {
		c := b.c
		id = int32(len(c.states))
		b.ids[string(b.key)] = id
		c.states = append(c.states, slices.Clone(channels))
		c.start, c.conv, c.null = append(c.start, 0), append(c.conv, 0), append(c.null, 0)
		c.value, c.visits = append(c.value, 0), append(c.visits, 0)
	}
	return id
}

func (b *chainBuilder) add(walk []int32, conversions, nulls, value float64) {
	c, n := b.c, conversions+nulls
	k := min(c.order, len(walk))
	s := b.state(walk[:k])
	c.start[s] += n
	c.visits[s] += n
	for ; k < len(walk); k++ {
		key := uint64(uint32(s))<<32 | uint64(uint32(walk[k]))
		e, ok := b.edgeOf[key]
		if !ok {
			e = int32(len(b.edges))
			b.edgeOf[key] = e
			b.edges = append(b.edges, edge{from: s, to: b.state(walk[k+1-c.order : k+1])})
		}
		b.edges[e].count += n
		s = b.edges[e].to
		c.visits[s] += n
	}
	c.conv[s] += conversions
	c.null[s] += nulls
	c.value[s] += value
}

// finish lists the edges by the state that they lead to. An edge from a state to itself is left out: it changes nothing
// about where a journey has been.
func (b *chainBuilder) finish() *chain {
	c := b.c
	c.first = make([]int32, len(c.states)+1)
	kept := 0
	for _, e := range b.edges {
		if e.from != e.to {
			c.first[e.to+1]++
			kept++
		}
	}
	for i := range c.states {
		c.first[i+1] += c.first[i]
	}
	c.from, c.count = make([]int32, kept), make([]float64, kept)
	next := slices.Clone(c.first)
	for _, e := range b.edges {
		if e.from != e.to {
			c.from[next[e.to]], c.count[next[e.to]] = e.from, e.count
			next[e.to]++
		}
	}
	var start, conv, null, value kahan
	for s := range c.states {
		start.add(c.start[s])
		conv.add(c.conv[s])
		null.add(c.null[s])
		value.add(c.value[s])
	}
	c.totals.start, c.totals.conv, c.totals.null, c.totals.value = start.value(), conv.value(), null.value(), value.value()
	return c
}

// having returns the states that contain each channel.
func (c *chain) having() [][]int32 {
	out := make([][]int32, c.channels)
	for s, channels := range c.states {
		for i, ch := range channels {
			if !slices.Contains(channels[:i], ch) {
				out[ch] = append(out[ch], int32(s))
			}
		}
	}
	return out
}
