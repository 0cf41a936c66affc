package churn

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
)

// A Trigger names an action or an inaction of a customer that a Monitor reports. Exactly one of After and Count is set.
type Trigger struct {
	Name  string `json:"name"`            // of the transition reported
	Event string `json:"event,omitempty"` // name of the events that it watches; empty means any
	// After makes it a trigger of inaction: it fires when this much time has passed since the last such event or, before
	// the first, since the customer was first seen.
	After time.Duration `json:"after_ns,omitempty"`
	Count int           `json:"count,omitempty"` // makes it a trigger of action: it fires at this many such events
	// Repeat fires again each time After, then at least a minute, passes once more, or after Count further events. Without it a trigger of inaction
	// is armed again by the next event, and one of action fires once in the life of the customer.
	Repeat bool `json:"repeat,omitempty"`
}

// MonitorOptions say what a Monitor watches. Silence or Rhythm is needed for stages; without both there are triggers only.
type MonitorOptions struct {
	Activity string    `json:"activity,omitempty"` // name of the event that is a sign of life, such as Purchase; empty means any
	Silence  Silence   `json:"silence,omitzero"`   // fixed times
	Rhythm   *Rhythm   `json:"rhythm,omitempty"`   // each customer's own rhythm instead; its Default is required
	Triggers []Trigger `json:"triggers,omitempty"`
	// Memory is how many of a customer's last activities are kept for the rhythm; 0 means 64. Activities closer together
	// than Rhythm.Least are one.
	Memory int `json:"memory,omitempty"`
}

// A Transition is a change of a customer that a Monitor has noticed.
type Transition struct {
	Customer string    `json:"customer"`
	At       time.Time `json:"at"`   // when it happened, which may be before the call that returned it
	Name     string    `json:"name"` // the name of To, such as "at risk", or of the Trigger
	From     Stage     `json:"from"` // the stage before; equal to To for a Trigger
	To       Stage     `json:"to"`
	// Late marks what only an event that came late has brought to light.
	Late bool `json:"late,omitempty"`
}

// A Monitor follows customers as events arrive and time passes, and returns each transition once: that a customer became
// at risk, dormant or lost, came back, or met a trigger.
//
//	m, err := churn.NewMonitor(churn.MonitorOptions{Rhythm: &churn.Rhythm{Default: 60 * 24 * time.Hour}})
//	ts, err := m.Observe(ledger.Event{Customer: "ada", At: at, Name: churn.Purchase})
//	ts, err = m.Advance(now) // silence counts too: call it as often as you want to know
//
// Silence is over a limit when it lasts longer than it: a customer who comes at the very instant of the limit is in time,
// and a transition at an instant is returned by the first call that goes beyond it, with that instant as its At. So the
// transitions do not depend on how often Advance is called. They are in the order of At, in UTC; at one instant those of
// events come first, in their order, then those of silence by customer, stages before triggers.
//
// The state is JSON: json.Marshal the Monitor, store it, and json.Unmarshal it into a Monitor to go on, with the same
// transitions as if nothing had happened in between. Memory, and the size of the state, is for customers and at most
// MonitorOptions.Memory times of each.
//
// Events should arrive in the order of time. Observe explains what becomes of those that come late. A Monitor is not safe
// for concurrent use.
type Monitor struct {
	o       MonitorOptions
	now     time.Time // the zero time before the first call
	members map[string]*member
	queue   queue // those with a deadline
}

// A member is the state of one customer. Instants are unix nanoseconds.
type member struct {
	id       string
	first    int64   // first event of any name
	last     int64   // last activity, meaningless while stage is StageNone
	times    []int64 // last activities, sorted
	stage    Stage
	triggers []armed
	usual    float64 // silence in nanoseconds that the rhythm allows
	due      int64   // next deadline, noDeadline for none
	index    int     // in the queue, -1 for none
}

// An armed is the state of one trigger of a member.
type armed struct {
	since int64 // of inaction: the last such event, or first
	count int   // of action: such events
	fired int   // of inaction: times fired since then
}

const noDeadline = math.MaxInt64

// A queue is members by deadline, then id.
type queue []*member

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].due, q[j].due), cmp.Compare(q[i].id, q[j].id)) < 0
}
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *queue) Push(x any) {
	m := x.(*member)
	m.index = len(*q)
	*q = append(*q, m)
}
func (q *queue) Pop() any {
	m := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	m.index = -1
	return m
}

// NewMonitor returns a Monitor that has seen nothing. It returns an error for options that do not make sense: stages whose
// silences do not rise, a Rhythm without a Default, a Trigger without a name, with both or neither of After and Count, or
// with the name of another trigger or of a stage.
func NewMonitor(o MonitorOptions) (*Monitor, error) {
	o.Triggers = slices.Clone(o.Triggers)
	if o.Memory == 0 {
		o.Memory = 64
	}
	if o.Rhythm != nil {
		r, err := o.Rhythm.defaults()
		switch {
		case err != nil:
			return nil, err
		case o.Silence != Silence{}:
			return nil, errors.New("churn: monitor: both Silence and Rhythm")
		case r.Default == 0:
			return nil, errors.New("churn: monitor: Rhythm.Default is needed for customers without a rhythm of their own")
		}
		o.Rhythm = &r
	} else if (o.Silence != Silence{}) {
		if err := o.Silence.validate(); err != nil {
			return nil, err
		}
	}
	if o.Memory < 2 || o.Memory > 1e6 {
		return nil, fmt.Errorf("churn: monitor: memory %d: want 2 to 1,000,000", o.Memory)
	}
	names := map[string]bool{}
	for _, s := range Stages() {
		names[s.String()] = true
	}
	for i, t := range o.Triggers {
		switch {
		case t.Name == "":
			return nil, fmt.Errorf("churn: monitor: trigger %d has no name", i+1)
		case names[t.Name]:
			return nil, fmt.Errorf("churn: monitor: trigger %d: the name %q is taken", i+1, t.Name)
		case t.After < 0 || t.Count < 0 || (t.After > 0) == (t.Count > 0):
			return nil, fmt.Errorf("churn: monitor: trigger %q: want a positive After or a positive Count, and not both", t.Name)
		case t.Repeat && t.After > 0 && t.After < time.Minute:
			return nil, fmt.Errorf("churn: monitor: trigger %q: repeats every %v: want a minute or more", t.Name, t.After)
		}
		names[t.Name] = true
	}
	return &Monitor{o: o, members: map[string]*member{}}, nil
}

// Now returns the time of the Monitor: the latest that an event or Advance has told it, in UTC.
func (m *Monitor) Now() time.Time { return m.now }

// Customers returns how many customers the Monitor follows.
func (m *Monitor) Customers() int { return len(m.members) }

// Stage returns the stage of a customer at Now, StageNone for one without activity.
func (m *Monitor) Stage(customer string) Stage {
	if c := m.members[customer]; c != nil {
		return c.stage
	}
	return StageNone
}

var errRange = errors.New("outside the years 1678 to 2262")

func nanos(t time.Time) (int64, error) {
	if y := t.Year(); y < 1678 || y > 2261 {
		return 0, errRange
	}
	return t.UnixNano(), nil
}

// Advance moves the time to now and returns the transitions of silence since the last call. It returns an error if now is
// before Now, and then changes nothing.
func (m *Monitor) Advance(now time.Time) ([]Transition, error) {
	at, err := nanos(now)
	if err != nil {
		return nil, fmt.Errorf("churn: monitor: advance to %s: %w", timeText(now), err)
	}
	if now.Before(m.now) {
		return nil, fmt.Errorf("churn: monitor: advance to %s: before %s, where the monitor is", timeText(now), timeText(m.now))
	}
	m.now = now.UTC()
	var out []Transition
	for len(m.queue) > 0 && m.queue[0].due < at {
		c := m.queue[0]
		out = m.fire(out, c, false)
		m.schedule(c)
	}
	return out, nil
}

// Observe takes an event in and returns the transitions up to its time, of all customers, and those that it causes.
//
// An event that comes late, that is before Now, is taken in as far as the state allows. It counts for the rhythm and for
// triggers of action. If it is later than the customer's last activity, silence is counted from it; a silence that was
// reported and that it proves wrong is taken back by a transition to the stage that is right, at Now and Late. A customer
// first seen by a late event gets the transitions since then at their own instants, Late. What has been reported is never
// reported again. An event that is delivered twice changes no stage, but counts twice for triggers of action.
//
// Observe returns an error for an event without customer or with a time outside the years 1678 to 2262, and then changes
// nothing.
func (m *Monitor) Observe(e ledger.Event) ([]Transition, error) {
	at, bad := checkEvent(e)
	if bad != nil {
		return nil, fmt.Errorf("churn: monitor: event of customer %q: field %q: value %q: %w", e.Customer, bad.Field, bad.Value, bad.Err)
	}
	var out []Transition
	late := e.At.Before(m.now)
	if !late {
		var err error
		if out, err = m.Advance(e.At); err != nil {
			return nil, err
		}
	}
	c, known := m.members[e.Customer], true
	if c == nil {
		known = false
		c = &member{id: e.Customer, first: at, index: -1, triggers: make([]armed, len(m.o.Triggers))}
		for i := range c.triggers {
			c.triggers[i].since = at
		}
		m.members[e.Customer] = c
	}
	c.first = min(c.first, at)
	when := e.At.UTC()
	if late && known {
		when = m.now.UTC()
	}
	if m.o.Activity == "" || e.Name == m.o.Activity {
		out = m.active(out, c, at, when, late)
	}
	for i := range c.triggers {
		if t := &m.o.Triggers[i]; t.Event == "" || e.Name == t.Event {
			out = c.triggers[i].saw(out, t, c, at, when, late)
		}
	}
	m.schedule(c)
	for late && c.due < m.now.UnixNano() {
		out = m.fire(out, c, true)
		m.schedule(c)
	}
	return out, nil
}

// checkEvent returns the instant of an event, or what is wrong with it, without the row.
func checkEvent(e ledger.Event) (int64, *ledger.RowError) {
	if e.Customer == "" {
		return 0, &ledger.RowError{Field: "customer", Err: errNoCustomer}
	}
	if e.At.IsZero() {
		return 0, &ledger.RowError{Field: "at", Err: errNoTime}
	}
	at, err := nanos(e.At)
	if err != nil {
		return 0, &ledger.RowError{Field: "at", Value: timeText(e.At), Err: err}
	}
	return at, nil
}

// active takes an activity of a member in.
func (m *Monitor) active(out []Transition, c *member, at int64, when time.Time, late bool) []Transition {
	born := c.stage == StageNone
	before := len(c.times)
	m.remember(c, at)
	again := len(c.times) > before || at > c.last // a second sign of life, not the same event again
	if born || at > c.last {
		c.last = at
	}
	to := c.stage.back()
	switch {
	case born:
	case late && c.stage.Silent():
		to = m.silentSince(c, m.now.UnixNano()-c.last)
		if !to.Silent() {
			to = c.stage.back()
		} else if to > c.stage {
			to = c.stage // Observe fires what the changed rhythm makes due
		}
	case !again:
		to = c.stage
	}
	if to != c.stage {
		out = append(out, Transition{c.id, when, to.String(), c.stage, to, late})
		c.stage = to
	}
	return out
}

// remember adds an activity to the times of the rhythm and finds the usual silence again.
func (m *Monitor) remember(c *member, at int64) {
	least, most := int64(1), 2 // without a rhythm, enough to tell a second activity from the first one again
	if m.o.Rhythm != nil {
		least, most = int64(m.o.Rhythm.Least), m.o.Memory
	}
	i, _ := slices.BinarySearch(c.times, at)
	switch {
	case i > 0 && at-c.times[i-1] < least, i < len(c.times) && c.times[i]-at < least:
		return
	case i == 0 && len(c.times) == most:
		return
	}
	c.times = slices.Insert(c.times, i, at)
	if len(c.times) > most {
		c.times = slices.Delete(c.times, 0, 1)
	}
	m.learn(c)
}

// learn finds the usual silence of a member from its times.
func (m *Monitor) learn(c *member) {
	if m.o.Rhythm == nil {
		return
	}
	var gaps []float64
	for i := 1; i < len(c.times); i++ {
		gaps = append(gaps, float64(c.times[i]-c.times[i-1]))
	}
	slices.Sort(gaps)
	c.usual, _ = m.o.Rhythm.usual(gaps, float64(m.o.Rhythm.Default), float64(m.o.Rhythm.Least))
}

// limits are the silences after which a member is at risk, dormant and lost; 0 means that there is no such stage.
func (m *Monitor) limits(c *member) [3]int64 {
	if r := m.o.Rhythm; r != nil {
		return [3]int64{clip(c.usual), clip(c.usual * r.Dormant), clip(c.usual * r.Lost)}
	}
	return [3]int64{int64(m.o.Silence.AtRisk), int64(m.o.Silence.Dormant), int64(m.o.Silence.Lost)}
}

func clip(x float64) int64 {
	if x >= 1<<62 {
		return 1 << 62
	}
	return int64(x)
}

// silentSince returns the stage of a silence.
func (m *Monitor) silentSince(c *member, silence int64) Stage {
	stage := StageActive
	for i, limit := range m.limits(c) {
		if limit > 0 && silence > limit {
			stage = StageAtRisk + Stage(i)
		}
	}
	return stage
}

// next returns the next stage of a silent member and when it is reached.
func (m *Monitor) next(c *member) (Stage, int64) {
	if c.stage != StageNone {
		for i, limit := range m.limits(c) {
			if to := StageAtRisk + Stage(i); limit > 0 && to > c.stage {
				return to, later(c.last, limit)
			}
		}
	}
	return StageNone, noDeadline
}

// later adds without overflow.
func later(t, d int64) int64 {
	if t > 0 && d > noDeadline-t {
		return noDeadline
	}
	return t + d
}

// deadline returns when an armed trigger of inaction fires.
func (a *armed) deadline(t *Trigger) int64 {
	if t.After == 0 || (a.fired > 0 && !t.Repeat) {
		return noDeadline
	}
	if int64(a.fired)+1 > noDeadline/int64(t.After) {
		return noDeadline
	}
	return later(a.since, int64(t.After)*int64(a.fired+1))
}

// saw takes an event in that the trigger watches.
func (a *armed) saw(out []Transition, t *Trigger, c *member, at int64, when time.Time, late bool) []Transition {
	if t.Count == 0 {
		if at > a.since {
			a.since, a.fired = at, 0
		}
		return out
	}
	a.count++
	if a.count == t.Count || (t.Repeat && a.count%t.Count == 0) {
		out = append(out, Transition{c.id, when, t.Name, c.stage, c.stage, late})
	}
	return out
}

// fire does what is due for a member at its deadline.
func (m *Monitor) fire(out []Transition, c *member, late bool) []Transition {
	at := instant(c.due)
	if to, due := m.next(c); due == c.due {
		out = append(out, Transition{c.id, at, to.String(), c.stage, to, late})
		c.stage = to
	}
	for i := range c.triggers {
		if a, t := &c.triggers[i], &m.o.Triggers[i]; a.deadline(t) == c.due {
			out = append(out, Transition{c.id, at, t.Name, c.stage, c.stage, late})
			a.fired++
		}
	}
	return out
}

// schedule finds the next deadline of a member and its place in the queue.
func (m *Monitor) schedule(c *member) {
	_, c.due = m.next(c)
	for i := range c.triggers {
		c.due = min(c.due, c.triggers[i].deadline(&m.o.Triggers[i]))
	}
	switch {
	case c.due == noDeadline && c.index >= 0:
		heap.Remove(&m.queue, c.index)
	case c.due != noDeadline && c.index < 0:
		heap.Push(&m.queue, c)
	case c.due != noDeadline:
		heap.Fix(&m.queue, c.index)
	}
}

// Run takes a stream of events in and returns the transitions as they come, the last ones up to end, unless that is the
// zero time. It stops at the first error.
func (m *Monitor) Run(events iter.Seq2[ledger.Event, error], end time.Time) iter.Seq2[Transition, error] {
	return func(yield func(Transition, error) bool) {
		row := 0
		pass := func(ts []Transition, err error) bool {
			if err != nil {
				yield(Transition{}, err)
				return false
			}
			for _, t := range ts {
				if !yield(t, nil) {
					return false
				}
			}
			return true
		}
		for e, err := range events {
			row++
			if err != nil {
				yield(Transition{}, streamError(err))
				return
			}
			if _, bad := checkEvent(e); bad != nil {
				bad.Row = row
				yield(Transition{}, streamError(bad))
				return
			}
			if !pass(m.Observe(e)) {
				return
			}
		}
		if !end.IsZero() {
			pass(m.Advance(end))
		}
	}
}
