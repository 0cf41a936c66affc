package funnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// An Event is something that a customer did.
type Event struct {
	Customer string    // who; never empty
	At       time.Time // when
	Name     string    // what: "open", "click", "visit", "order"
	Platform string    // where: "web", "ios", "newsletter"; empty if unknown
}

// Events returns a stream of the events of a ledger, which have no platform.
func Events(log iter.Seq2[ledger.Event, error]) iter.Seq2[Event, error] {
	return ledger.Map(log, func(e ledger.Event) (Event, error) {
		return Event{Customer: e.Customer, At: e.At, Name: e.Name}, nil
	})
}

// Orders returns a stream of an order log in which every purchase is an event of that name, with the order's channel as
// its platform. Refunds are left out.
func Orders(log iter.Seq2[ledger.Transaction, error], name string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for t, err := range log {
			if err == nil && t.Amount.Sign() < 0 {
				continue
			}
			if !yield(Event{Customer: t.Customer, At: t.At, Name: name, Platform: t.Channel}, err) {
				return
			}
		}
	}
}

// ReadCSV reads events from CSV text. The fields customer, at and name are required, platform is optional; see
// [ledger.ReadRecords] for errors and options.
func ReadCSV(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Event, error] {
	s := ledger.Schema{Required: []string{"customer", "at", "name"}, Optional: []string{"platform"}, Prefix: "funnel"}
	return ledger.ReadRecords(ctx, r, o, s, func(rec *ledger.Record) (Event, error) {
		return Event{Customer: rec.Text("customer"), At: rec.Time("at"), Name: rec.Text("name"), Platform: rec.Text("platform")}, nil
	})
}

// A Step is one stage of a funnel.
type Step struct {
	Name  string           // shown in tables
	Match func(Event) bool // whether an event takes the step; nil: the event's name is Name
}

// Steps returns steps that events of these names take.
func Steps(names ...string) []Step {
	out := make([]Step, len(names))
	for i, n := range names {
		out[i] = Step{Name: n}
	}
	return out
}

func (s Step) matches(e Event) bool {
	if s.Match == nil {
		return e.Name == s.Name
	}
	return s.Match(e)
}

// A Reentry says what counts of a customer who takes the first step more than once.
type Reentry string

// The rules. The empty Reentry is BestEntry.
const (
	BestEntry  Reentry = "best"  // the attempt that gets furthest, the earliest of several; customers are counted
	FirstEntry Reentry = "first" // the first attempt; customers are counted
	EveryEntry Reentry = "every" // every attempt: one begins when none is under way; attempts are counted
)

// Options are the rules of [Analyze]. The zero Options, like nil, are the defaults.
type Options struct {
	Window  time.Duration      // from the first step to the last, at most; 0: no limit
	Strict  bool               // no other event of the customer may come between two steps
	Reentry Reentry            // what counts of several entries; empty: BestEntry
	By      func(Event) string // groups attempts by their first event; nil: one group. See ByPlatform and BySegment
	Period  ledger.Period      // only attempts that begin inside it; zero: all
	End     time.Time          // end of observation: later events do not count, and attempts whose window is not over are open; zero: none is
	Level   float64            // of the intervals; 0: 0.95
}

// ByPlatform groups attempts by the platform of their first event.
func ByPlatform(e Event) string { return e.Platform }

// BySegment groups attempts by a key of the customer.
func BySegment(key ledger.Key) func(Event) string {
	return func(e Event) string { return key(e.Customer) }
}

func (o *Options) validate(steps []Step) error {
	switch {
	case len(steps) < 2:
		return fmt.Errorf("funnel: %d steps: at least two make a funnel", len(steps))
	case o.Window < 0:
		return fmt.Errorf("funnel: window %v: negative", o.Window)
	case o.Reentry != "" && o.Reentry != BestEntry && o.Reentry != FirstEntry && o.Reentry != EveryEntry:
		return fmt.Errorf("funnel: unknown rule %q for re-entry", string(o.Reentry))
	case o.Level != 0 && !(o.Level > 0 && o.Level < 1):
		return fmt.Errorf("funnel: level %v: not between 0 and 1", o.Level)
	case !o.Period.IsZero() && o.Period.Validate() != nil:
		return fmt.Errorf("funnel: period from %v to %v: the end is not after the start", o.Period.Start, o.Period.End)
	}
	seen := map[string]bool{}
	for i, s := range steps {
		if s.Name == "" || seen[s.Name] {
			return fmt.Errorf("funnel: step %d: name %q is empty or there twice", i+1, s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// Analyze follows every customer of the events, which may come in any order, through the steps, by the rules of o. It
// keeps the events that matter in memory: those of a step, or all of them if o.Strict.
//
// It returns an error if an option or a step is not valid, if an event has no customer or no time (a
// *[ledger.RowError]), and the first error of the stream. It checks ctx now and then.
func Analyze(ctx context.Context, events iter.Seq2[Event, error], steps []Step, o *Options) (*Report, error) {
	var rules Options
	if o != nil {
		rules = *o
	}
	if err := rules.validate(steps); err != nil {
		return nil, err
	}
	rules.Reentry = cmp.Or(rules.Reentry, BestEntry)
	rules.Level = cmp.Or(rules.Level, 0.95)
	logs, err := collect(ctx, events, steps, &rules)
	if err != nil {
		return nil, err
	}
	r := newReporter(steps, &rules)
	for i, customer := range slices.Sorted(maps.Keys(logs)) {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("funnel: %w", ctx.Err())
		}
		p := newPath(logs[customer], steps, &rules)
		for _, a := range p.attempts() {
			r.add(a, p)
		}
	}
	return r.report(), nil
}

// collect sorts the events into customers.
func collect(ctx context.Context, events iter.Seq2[Event, error], steps []Step, o *Options) (map[string][]Event, error) {
	logs := map[string][]Event{}
	row := 0
	for e, err := range events {
		row++
		if err == nil && row%4096 == 0 {
			err = ctx.Err()
		}
		switch {
		case err != nil:
			if strings.HasPrefix(err.Error(), "funnel: ") {
				return nil, err
			}
			return nil, fmt.Errorf("funnel: %w", err)
		case e.Customer == "":
			return nil, fmt.Errorf("funnel: %w", &ledger.RowError{Row: row, Field: "customer", Err: errors.New("empty")})
		case e.At.IsZero():
			return nil, fmt.Errorf("funnel: %w", &ledger.RowError{Row: row, Field: "at", Value: e.Customer, Err: errors.New("no time")})
		case !o.End.IsZero() && e.At.After(o.End):
			continue
		case o.Strict || slices.ContainsFunc(steps, func(s Step) bool { return s.matches(e) }):
			logs[e.Customer] = append(logs[e.Customer], e)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("funnel: %w", err)
	}
	return logs, nil
}

// path is the events of one customer in order.
type path struct {
	o      *Options
	steps  []Step
	events []Event
	at     [][]int // by step: the events that take it
}

func newPath(events []Event, steps []Step, o *Options) *path {
	p := &path{o: o, steps: steps, events: events, at: make([][]int, len(steps))}
	first := func(e Event) int {
		if k := slices.IndexFunc(steps, func(s Step) bool { return s.matches(e) }); k >= 0 {
			return k
		}
		return len(steps)
	}
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), first(a)-first(b), strings.Compare(a.Name, b.Name), strings.Compare(a.Platform, b.Platform))
	})
	for i, e := range events {
		for k, s := range steps {
			if s.matches(e) {
				p.at[k] = append(p.at[k], i)
			}
		}
	}
	return p
}

// attempt is the events that took the steps, as far as they went.
type attempt []int

// attempts returns the attempts that count.
func (p *path) attempts() []attempt {
	var out []attempt
	var best attempt
	next := 0 // the first event that may begin an attempt, for EveryEntry
	for _, start := range p.at[0] {
		if !p.o.Period.IsZero() && !p.o.Period.Contains(p.events[start].At) || start < next {
			continue
		}
		a := p.from(start)
		switch p.o.Reentry {
		case FirstEntry:
			return []attempt{a}
		case EveryEntry:
			out = append(out, a)
			next = p.after(a)
		default:
			if len(a) > len(best) {
				best = a
			}
			if len(best) == len(p.at) {
				return []attempt{best}
			}
		}
	}
	if best != nil {
		return []attempt{best}
	}
	return out
}

// from returns the attempt that begins with an event.
func (p *path) from(start int) attempt {
	a := attempt{start}
	for k := 1; k < len(p.at); k++ {
		i, ok := p.next(a[k-1], k)
		if !ok || p.o.Window > 0 && p.events[i].At.Sub(p.events[start].At) > p.o.Window {
			break
		}
		a = append(a, i)
	}
	return a
}

// next returns the event after i that takes step k.
func (p *path) next(i, k int) (int, bool) {
	if p.o.Strict {
		return i + 1, i+1 < len(p.events) && p.steps[k].matches(p.events[i+1])
	}
	j := sort.SearchInts(p.at[k], i+1)
	if j == len(p.at[k]) {
		return 0, false
	}
	return p.at[k][j], true
}

// after returns the first event that may begin another attempt.
func (p *path) after(a attempt) int {
	last := a[len(a)-1]
	switch {
	case len(a) == len(p.at) || p.o.Strict:
		return last + 1
	case p.o.Window > 0:
		over := p.events[a[0]].At.Add(p.o.Window)
		return sort.Search(len(p.events), func(i int) bool { return p.events[i].At.After(over) })
	}
	return len(p.events) // without a window an attempt stays under way
}

// open reports whether an attempt may yet go on at the end of observation.
func (p *path) open(a attempt) bool {
	if p.o.End.IsZero() || len(a) == len(p.at) {
		return false
	}
	if p.o.Strict && a[len(a)-1]+1 < len(p.events) {
		return false
	}
	return p.o.Window == 0 || p.events[a[0]].At.Add(p.o.Window).After(p.o.End)
}
