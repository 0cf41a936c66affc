package churn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

type monitorJSON struct {
	Schema    string         `json:"schema"`
	Options   MonitorOptions `json:"options"`
	Now       time.Time      `json:"now"`
	Customers []memberJSON   `json:"customers"`
}

type memberJSON struct {
	ID       string      `json:"id"`
	First    time.Time   `json:"first"`
	Last     *time.Time  `json:"last,omitempty"`
	Times    []time.Time `json:"times,omitempty"`
	Stage    Stage       `json:"stage"`
	Triggers []armedJSON `json:"triggers,omitempty"`
}

type armedJSON struct {
	Since time.Time `json:"since"`
	Count int       `json:"count,omitempty"`
	Fired int       `json:"fired,omitempty"`
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// MarshalJSON writes options and state under the schema "custval/monitor/v1". Customers are sorted, so equal states have
// equal texts.
func (m *Monitor) MarshalJSON() ([]byte, error) {
	j := monitorJSON{Schema: monitorSchema, Options: m.o, Now: m.now, Customers: []memberJSON{}}
	for _, id := range slices.Sorted(maps.Keys(m.members)) {
		c := m.members[id]
		out := memberJSON{ID: id, First: instant(c.first), Stage: c.stage}
		if c.stage != StageNone {
			last := instant(c.last)
			out.Last = &last
		}
		for _, t := range c.times {
			out.Times = append(out.Times, instant(t))
		}
		for _, a := range c.triggers {
			out.Triggers = append(out.Triggers, armedJSON{instant(a.since), a.count, a.fired})
		}
		j.Customers = append(j.Customers, out)
	}
	return json.Marshal(j)
}

const monitorSchema = "custval/monitor/v1"

// UnmarshalJSON reads what MarshalJSON wrote, in place of what the Monitor held. It returns an error, and changes nothing,
// for another schema, an unknown field, and a state that no Monitor has.
func (m *Monitor) UnmarshalJSON(text []byte) error {
	var j monitorJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return fmt.Errorf("churn: monitor: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("churn: monitor: more than one JSON value")
	}
	if j.Schema != monitorSchema {
		return fmt.Errorf("churn: monitor: the text is a %q, want %q", j.Schema, monitorSchema)
	}
	read, err := NewMonitor(j.Options)
	if err != nil {
		return err
	}
	read.now = j.Now
	if len(j.Customers) > 0 {
		if _, err := nanos(j.Now); err != nil {
			return fmt.Errorf("churn: monitor: now: %w", err)
		}
	}
	for _, c := range j.Customers {
		if err := read.load(c); err != nil {
			return fmt.Errorf("churn: monitor: customer %q: %w", c.ID, err)
		}
	}
	*m = *read
	return nil
}

// load adds a stored customer.
func (m *Monitor) load(j memberJSON) error {
	if j.ID == "" {
		return errNoCustomer
	}
	if m.members[j.ID] != nil {
		return errors.New("stored twice")
	}
	if len(j.Triggers) != len(m.o.Triggers) {
		return fmt.Errorf("%d triggers, want %d", len(j.Triggers), len(m.o.Triggers))
	}
	if (j.Last == nil) != (j.Stage == StageNone) || (j.Last == nil) != (len(j.Times) == 0) || len(j.Times) > m.o.Memory {
		return errors.New("stage, last and times do not fit together")
	}
	c := &member{id: j.ID, stage: j.Stage, index: -1}
	var err error
	past := func(t time.Time) int64 {
		ns, e := nanos(t)
		if e == nil && t.After(m.now) {
			e = fmt.Errorf("%s is after now", timeText(t))
		}
		err = first(err, e)
		return ns
	}
	c.first = past(j.First)
	if j.Last != nil {
		c.last = past(*j.Last)
	}
	for _, t := range j.Times {
		c.times = append(c.times, past(t))
	}
	if !slices.IsSorted(c.times) || (len(c.times) > 0 && c.times[len(c.times)-1] > c.last) {
		return errors.New("the times are not in order")
	}
	for _, t := range j.Triggers {
		if t.Count < 0 || t.Fired < 0 {
			return errors.New("a trigger has a negative count")
		}
		c.triggers = append(c.triggers, armed{past(t.Since), t.Count, t.Fired})
	}
	if err != nil {
		return err
	}
	m.learn(c)
	m.schedule(c)
	if c.due < m.now.UnixNano() {
		return errors.New("something is due before now")
	}
	m.members[c.id] = c
	return nil
}
