package rfm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Axes say what the rules of a Map look at.
type Axes uint8

// The axes of maps.
const (
	RF  Axes = iota // recency and frequency: Bins x Bins cells
	RFM             // all three scores: Bins x Bins x Bins cells
	// RxFM is recency and FM, the average of the frequency and the monetary score with the map's weights, rounded half
	// up: Bins x Bins cells.
	RxFM
)

var axesNames = []string{"RF", "RFM", "R x FM"}

// String returns RF, RFM or R x FM.
func (a Axes) String() string { return name(axesNames, uint8(a)) }

// MarshalText returns String.
func (a Axes) MarshalText() ([]byte, error) { return nameText(axesNames, uint8(a), "axes") }

// UnmarshalText reads what MarshalText writes.
func (a *Axes) UnmarshalText(text []byte) error {
	v, err := nameOf(axesNames, text, "axes")
	*a = Axes(v)
	return err
}

// A Priority says which rule counts where several match a cell.
type Priority uint8

// The priorities of rules.
const (
	Exclusive  Priority = iota // none may: a map whose rules overlap is an error
	FirstMatch                 // the rule that stands first
)

var priorityNames = []string{"exclusive", "first match"}

// String returns exclusive or first match.
func (p Priority) String() string { return name(priorityNames, uint8(p)) }

// MarshalText returns String.
func (p Priority) MarshalText() ([]byte, error) { return nameText(priorityNames, uint8(p), "priority") }

// UnmarshalText reads what MarshalText writes.
func (p *Priority) UnmarshalText(text []byte) error {
	v, err := nameOf(priorityNames, text, "priority")
	*p = Priority(v)
	return err
}

// A Map gives every combination of scores a segment. It is data: take a preset such as [Grid], change it, store it as
// JSON. Validate and Coverage check it. Scores of a scale with another number of bins are brought to the map's by
// ceil(Bins * score / bins of the scale), so that a ten-bin scale fits a five-bin map.
type Map struct {
	Name     string   `json:"name"`
	Axes     Axes     `json:"axes"`
	Bins     int      `json:"bins"`
	Priority Priority `json:"priority"`
	Rules    []Rule   `json:"rules"`
	// Default is the segment of the cells that no rule matches. If it is empty, the rules have to match every cell.
	Default string `json:"default,omitempty"`
	// FrequencyWeight and MonetaryWeight weigh the two scores in FM; both zero means one each.
	FrequencyWeight int `json:"frequency_weight,omitempty"`
	MonetaryWeight  int `json:"monetary_weight,omitempty"`
}

// A Rule is a rectangle of scores, or a list of cells, that belongs to a segment. Several rules may name one segment.
type Rule struct {
	Segment string `json:"segment"`
	R       Range  `json:"r,omitzero"`
	F       Range  `json:"f,omitzero"`
	M       Range  `json:"m,omitzero"`
	FM      Range  `json:"fm,omitzero"` // only with the axes R x FM, which do not look at F and M
	// Cells, if not empty, lists the cells one by one instead: "444" for R 4, F 4, M 4, with as many digits as axes.
	Cells []string `json:"cells,omitempty"`
}

// A Range of scores, both ends included. A zero end is open, so the zero Range holds every score.
type Range struct {
	Low  int `json:"low,omitempty"`
	High int `json:"high,omitempty"`
}

func (r Range) contains(score int) bool {
	return score >= r.Low && (r.High == 0 || score <= r.High)
}

// A Cell is a combination of scores. F and M are 0 where the axes are R x FM, FM and M where they are RF, FM where RFM.
type Cell struct {
	R  int `json:"r"`
	F  int `json:"f,omitempty"`
	M  int `json:"m,omitempty"`
	FM int `json:"fm,omitempty"`
}

// String returns the digits of the cell, such as "54" or "541".
func (c Cell) String() string {
	var parts []string
	for _, s := range []int{c.R, c.F, c.M, c.FM} {
		if s != 0 {
			parts = append(parts, fmt.Sprint(s))
		}
	}
	if max(c.R, c.F, c.M, c.FM) > 9 {
		return strings.Join(parts, "-")
	}
	return strings.Join(parts, "")
}

func (r *Rule) matches(c Cell) bool {
	if len(r.Cells) > 0 {
		return slices.Contains(r.Cells, c.String())
	}
	return r.R.contains(c.R) && (c.F == 0 || r.F.contains(c.F)) && (c.M == 0 || r.M.contains(c.M)) &&
		(c.FM == 0 || r.FM.contains(c.FM))
}

// cells returns all cells of the map, by R, then F or FM, then M.
func (m *Map) cells() []Cell {
	var cells []Cell
	for r := 1; r <= m.Bins; r++ {
		for f := 1; f <= m.Bins; f++ {
			switch m.Axes {
			case RF:
				cells = append(cells, Cell{R: r, F: f})
			case RxFM:
				cells = append(cells, Cell{R: r, FM: f})
			default:
				for mo := 1; mo <= m.Bins; mo++ {
					cells = append(cells, Cell{R: r, F: f, M: mo})
				}
			}
		}
	}
	return cells
}

// FM returns the average of a frequency and a monetary score with the map's weights, rounded half up.
func (m *Map) FM(f, mo int) int {
	wf, wm := m.FrequencyWeight, m.MonetaryWeight
	if wf == 0 && wm == 0 {
		wf, wm = 1, 1
	}
	return (2*(wf*f+wm*mo) + wf + wm) / (2 * (wf + wm))
}

// cell returns the cell of three scores of the map's own bins.
func (m *Map) cell(r, f, mo int) Cell {
	switch m.Axes {
	case RF:
		return Cell{R: r, F: f}
	case RxFM:
		return Cell{R: r, FM: m.FM(f, mo)}
	}
	return Cell{R: r, F: f, M: mo}
}

// Segment returns the segment of three scores from 1 to Bins: that of the first rule that matches, else Default. It
// returns an error for a score outside the bins, and the empty string where nothing matches and there is no Default.
func (m *Map) Segment(r, f, mo int) (string, error) {
	for _, s := range []int{r, f, mo} {
		if s < 1 || s > m.Bins {
			return "", fmt.Errorf("rfm: map %q: score %d: want 1 to %d", m.Name, s, m.Bins)
		}
	}
	return m.find(m.cell(r, f, mo)), nil
}

func (m *Map) find(c Cell) string {
	for i := range m.Rules {
		if m.Rules[i].matches(c) {
			return m.Rules[i].Segment
		}
	}
	return m.Default
}

// Segments returns the names of the segments in the order of the rules, Default last.
func (m *Map) Segments() []string {
	var names []string
	for i := range m.Rules {
		if !slices.Contains(names, m.Rules[i].Segment) {
			names = append(names, m.Rules[i].Segment)
		}
	}
	if m.Default != "" && !slices.Contains(names, m.Default) {
		names = append(names, m.Default)
	}
	return names
}

// maxMapBins bounds the cells of a map.
const maxMapBins = 20

// Validate returns an error if a map cannot be used: no rules, a rule without segment or with a range outside the bins,
// rules that look at scores that are not on its axes, rules that overlap although Priority is Exclusive, or cells that no
// rule matches although there is no Default. The last two errors name the cells.
func (m *Map) Validate() error {
	if m.Bins < 2 || m.Bins > maxMapBins {
		return fmt.Errorf("rfm: map %q: %d bins: want 2 to %d", m.Name, m.Bins, maxMapBins)
	}
	if int(m.Axes) >= len(axesNames) || int(m.Priority) >= len(priorityNames) {
		return fmt.Errorf("rfm: map %q: axes %v, priority %v: not known", m.Name, m.Axes, m.Priority)
	}
	if w := max(m.FrequencyWeight, m.MonetaryWeight); min(m.FrequencyWeight, m.MonetaryWeight) < 0 || w > 1000 {
		return fmt.Errorf("rfm: map %q: weights %d and %d: want 0 to 1000", m.Name, m.FrequencyWeight, m.MonetaryWeight)
	}
	if len(m.Rules) == 0 {
		return fmt.Errorf("rfm: map %q has no rules", m.Name)
	}
	for i := range m.Rules {
		if err := m.validateRule(&m.Rules[i]); err != nil {
			return fmt.Errorf("rfm: map %q: rule %d (%q): %w", m.Name, i+1, m.Rules[i].Segment, err)
		}
	}
	c := m.Coverage()
	if len(c.Uncovered) > 0 && m.Default == "" {
		return fmt.Errorf("rfm: map %q: no rule for %s: add one or set Default", m.Name, listCells(c.Uncovered))
	}
	if len(c.Overlaps) > 0 && m.Priority == Exclusive {
		o := c.Overlaps[0]
		return fmt.Errorf("rfm: map %q: cell %s belongs to %s, one of %d cells with more than one rule: set Priority to FirstMatch or part them",
			m.Name, o.Cell, strings.Join(quoted(o.Segments), " and "), len(c.Overlaps))
	}
	return nil
}

func (m *Map) validateRule(r *Rule) error {
	if r.Segment == "" {
		return errors.New("no segment")
	}
	for _, x := range []struct {
		name string
		Range
		used bool
	}{{"R", r.R, true}, {"F", r.F, m.Axes != RxFM}, {"M", r.M, m.Axes == RFM}, {"FM", r.FM, m.Axes == RxFM}} {
		switch {
		case x.Range == (Range{}):
		case !x.used:
			return fmt.Errorf("a range of %s, which the axes %s do not have", x.name, m.Axes)
		case len(r.Cells) > 0:
			return fmt.Errorf("a range of %s beside a list of cells", x.name)
		case x.Low < 0 || x.High < 0 || x.Low > m.Bins || x.High > m.Bins || x.High != 0 && x.High < x.Low:
			return fmt.Errorf("%s from %d to %d: want a range within 1 to %d", x.name, x.Low, x.High, m.Bins)
		}
	}
	return m.validateCells(r)
}

func (m *Map) validateCells(r *Rule) error {
	if len(r.Cells) == 0 {
		return nil
	}
	known := make(map[string]bool)
	for _, c := range m.cells() {
		known[c.String()] = true
	}
	for i, c := range r.Cells {
		if !known[c] {
			return fmt.Errorf("cell %.40q: not a cell of %s with %d bins", c, m.Axes, m.Bins)
		}
		if slices.Contains(r.Cells[:i], c) {
			return fmt.Errorf("cell %q twice", c)
		}
	}
	return nil
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}

func listCells(cells []Cell) string {
	const shown = 12
	text := make([]string, 0, shown)
	for _, c := range cells[:min(shown, len(cells))] {
		text = append(text, c.String())
	}
	if len(cells) > shown {
		return fmt.Sprintf("cells %s and %d more", strings.Join(text, " "), len(cells)-shown)
	}
	if len(cells) == 1 {
		return "cell " + text[0]
	}
	return "cells " + strings.Join(text, " ")
}

const mapSchema = "custval/rfm-map/v1"

type plainMap Map

// MarshalJSON returns the map with its schema, "custval/rfm-map/v1".
func (m Map) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schema string `json:"schema"`
		plainMap
	}{mapSchema, plainMap(m)})
}

// UnmarshalJSON reads what MarshalJSON writes and validates it. Unknown fields are errors.
func (m *Map) UnmarshalJSON(text []byte) error {
	var v struct {
		Schema string `json:"schema"`
		plainMap
	}
	if err := decodeStrict(text, &v); err != nil {
		return fmt.Errorf("rfm: map: %w", err)
	}
	if v.Schema != mapSchema {
		return fmt.Errorf("rfm: map: schema %.60q: want %q", v.Schema, mapSchema)
	}
	read := Map(v.plainMap)
	if err := read.Validate(); err != nil {
		return err
	}
	*m = read
	return nil
}
