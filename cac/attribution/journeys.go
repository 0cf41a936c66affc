package attribution

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"iter"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Journeys is a set of journeys, compressed: journeys over the same channels with the same milestones are one path with
// counts. It is what every model works on. It does not change once it is made and is safe for concurrent use; the order
// of the input does not matter to it.
type Journeys struct {
	channels []string // sorted
	direct   int32    // index of the direct channel; -1 if none is declared or it never occurs
	declared string   // its name
	paths    []path   // sorted
	atoms    []atom   // conversions, sorted by path
	totals   Totals
	report   Report
}

// A path is a distinct way.
type path struct {
	channels    []int32
	lead, oppo  int32 // numbers of touches from 1; 0 for none
	conversions float64
	nulls       float64
	value       float64
	exact       money.Amount // of value
}

// An atom is conversions of one path that are alike: of the same ages and the same value each.
type atom struct {
	path  int32
	ages  []time.Duration // nil if not known
	count float64
	value float64 // of all of them
}

// Totals are the sums over journeys.
type Totals struct {
	Journeys    int64        `json:"journeys"`    // converted or not
	Conversions int64        `json:"conversions"` // of them, those that converted
	Nulls       int64        `json:"nulls"`       // those that did not
	Touches     int64        `json:"touches"`     // over all journeys
	Paths       int          `json:"paths"`       // distinct ones
	Channels    int          `json:"channels"`
	Value       money.Amount `json:"value"` // of the conversions
}

// Options says how journeys are read into [Journeys]. The zero value, and nil, are the defaults.
type Options struct {
	// Direct is the name of the channel of customers who came by themselves. Models that treat it apart need it; empty
	// means that there is none.
	Direct string
}

// New compresses journeys. The errors are those of [Collect].
func New(journeys []Journey, o *Options) (*Journeys, error) {
	return Collect(context.Background(), ledger.Slice(journeys), o)
}

// Collect compresses a stream of journeys, such as that of [ReadJourneys]. Memory is needed for the distinct paths and,
// where conversions have ages or values, for those.
//
// Collect stops at the first error: that of the stream, a *[ledger.RowError] for a journey that is not valid (see
// [Journey.Validate]) or of another currency than those before it, more than 2^53 journeys, or that of the context. No
// journeys at all are an error.
func Collect(ctx context.Context, seq iter.Seq2[Journey, error], o *Options) (*Journeys, error) {
	c := newCollector()
	if o != nil {
		c.declared = o.Direct
	}
	row := 0
	for j, err := range seq {
		row++
		if err != nil {
			return nil, fail("%w", err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := j.Validate()
		if err == nil {
			err = c.add(&j)
		}
		if err != nil {
			return nil, atRow(row, err)
		}
	}
	return c.finish(ctx)
}

// A collector gathers journeys into paths. The key of a path in index has its milestones and channels as varints.
type collector struct {
	declared string
	ids      map[string]int32
	names    []string
	index    map[string]int32
	keys     []string
	paths    []path // without channels
	atoms    []atom
	total    money.Amount
	journeys int64
	key      []byte
	ages     arena[time.Duration]
	report   Report
}

func newCollector() *collector {
	return &collector{ids: map[string]int32{}, index: map[string]int32{}}
}

// intern returns the number of a channel.
func (c *collector) intern(name string) int32 {
	id, ok := c.ids[name]
	if !ok {
		id = int32(len(c.names))
		name = string([]byte(name)) // the caller's text may be part of a long line
		c.ids[name] = id
		c.names = append(c.names, name)
	}
	return id
}

// add takes a valid journey.
func (c *collector) add(j *Journey) error {
	c.begin(j.Lead, j.Opportunity)
	for _, name := range j.Channels {
		c.touch(c.intern(name))
	}
	return c.end(j.Ages, j.Conversions, j.Nulls, j.Value)
}

func (c *collector) begin(lead, opportunity int) {
	c.key = binary.AppendUvarint(binary.AppendUvarint(c.key[:0], uint64(lead)), uint64(opportunity))
}

func (c *collector) touch(channel int32) { c.key = binary.AppendUvarint(c.key, uint64(channel)) }

// end closes the journey that begin and touch have described.
func (c *collector) end(ages []time.Duration, conversions, nulls int64, value money.Amount) error {
	if c.journeys += conversions + nulls; c.journeys > maxCount {
		return bad("conversions", conversions, "more than 2^53 journeys in all")
	}
	total, err := c.total.Add(value)
	if err != nil {
		return &ledger.RowError{Field: "value", Value: value.String(), Err: err}
	}
	c.total = total
	id, ok := c.index[string(c.key)]
	if !ok {
		id = int32(len(c.paths))
		key := string(c.key)
		c.index[key] = id
		c.keys = append(c.keys, key)
		c.paths = append(c.paths, path{})
	}
	p := &c.paths[id]
	p.nulls += float64(nulls)
	if p.exact, err = p.exact.Add(value); err != nil { // without conversions it may be 0 of a currency
		return err
	}
	if conversions == 0 {
		return nil
	}
	p.conversions += float64(conversions)
	a := atom{path: id, count: float64(conversions), value: value.Float64()}
	if ages != nil {
		a.ages = c.ages.take(len(ages))
		copy(a.ages, ages)
	}
	c.atoms = append(c.atoms, a)
	return nil
}

// finish numbers channels by name, sorts paths and conversions, and merges what is alike.
func (c *collector) finish(ctx context.Context) (*Journeys, error) {
	if c.journeys == 0 {
		return nil, fail("no journeys")
	}
	js := &Journeys{channels: slices.Clone(c.names), declared: c.declared, direct: -1, report: c.report}
	slices.Sort(js.channels)
	rank := make([]int32, len(c.names))
	for i, name := range c.names {
		at, _ := slices.BinarySearch(js.channels, name)
		rank[i] = int32(at)
	}
	if at, ok := slices.BinarySearch(js.channels, c.declared); ok && c.declared != "" {
		js.direct = int32(at)
	}
	order, err := c.sortPaths(ctx, rank)
	if err != nil {
		return nil, err
	}
	js.paths = make([]path, len(order))
	position := make([]int32, len(order))
	for to, from := range order {
		js.paths[to] = c.paths[from]
		js.paths[to].value = js.paths[to].exact.Float64()
		position[from] = int32(to)
	}
	if js.atoms, err = c.sortAtoms(ctx, position); err != nil {
		return nil, err
	}
	t := Totals{Journeys: c.journeys, Paths: len(js.paths), Channels: len(js.channels), Value: c.total}
	for i := range js.paths {
		p := &js.paths[i]
		t.Conversions += int64(p.conversions)
		t.Nulls += int64(p.nulls)
		t.Touches += int64(len(p.channels)) * int64(p.conversions+p.nulls)
	}
	js.totals = t
	return js, nil
}

// sortPaths fills in the channels of the paths and returns their order.
func (c *collector) sortPaths(ctx context.Context, rank []int32) ([]int32, error) {
	var channels arena[int32]
	order := make([]int32, len(c.paths))
	var decoded []int32
	for i, key := range c.keys {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		order[i] = int32(i)
		b := []byte(key)
		lead, n := binary.Uvarint(b)
		b = b[n:]
		oppo, n := binary.Uvarint(b)
		b = b[n:]
		decoded = decoded[:0]
		for len(b) > 0 {
			id, n := binary.Uvarint(b)
			b = b[n:]
			decoded = append(decoded, rank[id])
		}
		p := &c.paths[i]
		p.lead, p.oppo = int32(lead), int32(oppo)
		p.channels = channels.take(len(decoded))
		copy(p.channels, decoded)
	}
	return order, sortWithin(ctx, order, func(a, b int32) int {
		p, q := &c.paths[a], &c.paths[b]
		return cmp.Or(slices.Compare(p.channels, q.channels), cmp.Compare(p.lead, q.lead), cmp.Compare(p.oppo, q.oppo))
	})
}

// sortAtoms sorts the conversions by path, ages and value of each, and merges those that are alike.
func (c *collector) sortAtoms(ctx context.Context, position []int32) ([]atom, error) {
	begin := make([]int32, len(position)+1)
	for i := range c.atoms {
		c.atoms[i].path = position[c.atoms[i].path]
		begin[c.atoms[i].path+1]++
	}
	for i := range position {
		begin[i+1] += begin[i]
	}
	sorted := make([]atom, len(c.atoms))
	next := slices.Clone(begin)
	for _, a := range c.atoms {
		sorted[next[a.path]] = a
		next[a.path]++
	}
	out := sorted[:0]
	for i := range position {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		group := sorted[begin[i]:begin[i+1]]
		if len(group) > 1 {
			byCount := func(a, b atom) int { return cmp.Or(compareAtoms(a, b), cmp.Compare(a.count, b.count)) }
			if err := sortWithin(ctx, group, byCount); err != nil {
				return nil, err
			}
		}
		for _, a := range group {
			if n := len(out); n > 0 && out[n-1].path == a.path && compareAtoms(out[n-1], a) == 0 {
				out[n-1].count += a.count
				out[n-1].value += a.value
				continue
			}
			out = append(out, a)
		}
	}
	return slices.Clip(out), nil
}

// compareAtoms orders conversions of one path; those without ages come first.
func compareAtoms(a, b atom) int {
	return cmp.Or(slices.Compare(a.ages, b.ages), cmp.Compare(a.value/a.count, b.value/b.count))
}

// sortWithin is slices.SortFunc that gives up soon after the context ends.
func sortWithin[T any](ctx context.Context, s []T, compare func(a, b T) int) error {
	if len(s) < 4096 {
		slices.SortFunc(s, compare)
		return nil
	}
	calls, ended := 0, false
	slices.SortFunc(s, func(a, b T) int {
		if calls++; calls%4096 == 0 && ctx.Err() != nil {
			ended = true
		}
		if ended {
			return 0
		}
		return compare(a, b)
	})
	if ended {
		return ctx.Err()
	}
	return nil
}

// An arena hands out small slices of large blocks.
type arena[T any] struct{ free []T }

func (a *arena[T]) take(n int) []T {
	if n > len(a.free) {
		a.free = make([]T, max(n, 1<<14))
	}
	s := a.free[:n:n]
	a.free = a.free[n:]
	return s
}

// Channels returns the names of the channels in alphabetical order.
func (js *Journeys) Channels() []string { return slices.Clone(js.channels) }

// Direct returns the declared name of the direct channel, empty if there is none.
func (js *Journeys) Direct() string { return js.declared }

// Totals returns the sums over all journeys.
func (js *Journeys) Totals() Totals { return js.totals }

// Report returns what [Build] made of the records; it is the zero Report for journeys that came as such.
func (js *Journeys) Report() Report { return js.report }

// Paths returns the distinct paths in order of their channels, each as a Journey without ages.
func (js *Journeys) Paths() iter.Seq[Journey] {
	return func(yield func(Journey) bool) {
		for i := range js.paths {
			if !yield(js.journey(&js.paths[i])) {
				return
			}
		}
	}
}

func (js *Journeys) journey(p *path) Journey {
	return Journey{Channels: js.names(p.channels), Lead: int(p.lead), Opportunity: int(p.oppo),
		Conversions: int64(p.conversions), Nulls: int64(p.nulls), Value: p.exact}
}

// names returns the names of channels.
func (js *Journeys) names(channels []int32) []string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = js.channels[c]
	}
	return names
}

// Relabel returns the journeys with every channel renamed by f, such as from campaigns to groups of campaigns; channels
// of one new name become one. The direct channel is renamed too, and ages are kept. It returns an error if a new name is
// empty.
func (js *Journeys) Relabel(ctx context.Context, f func(channel string) string) (*Journeys, error) {
	c := newCollector()
	c.report = js.report
	if js.declared != "" {
		c.declared = f(js.declared)
	}
	ids := make([]int32, len(js.channels))
	for i, name := range js.channels {
		renamed := f(name)
		if renamed == "" {
			return nil, fail("channel %q: renamed to nothing", name)
		}
		ids[i] = c.intern(renamed)
	}
	c.total, c.journeys = js.totals.Value, js.totals.Journeys
	to := make([]int32, len(js.paths))
	for i := range js.paths {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p := &js.paths[i]
		c.begin(int(p.lead), int(p.oppo))
		for _, id := range p.channels {
			c.touch(ids[id])
		}
		id, ok := c.index[string(c.key)]
		if !ok {
			id = int32(len(c.paths))
			key := string(bytes.Clone(c.key))
			c.index[key], c.keys, c.paths = id, append(c.keys, key), append(c.paths, path{})
		}
		to[i] = id
		q := &c.paths[id]
		q.conversions += p.conversions
		q.nulls += p.nulls
		var err error
		if q.exact, err = q.exact.Add(p.exact); err != nil {
			return nil, fail("%w", err)
		}
	}
	c.atoms = slices.Clone(js.atoms)
	for i := range c.atoms {
		c.atoms[i].path = to[c.atoms[i].path]
	}
	return c.finish(ctx)
}
