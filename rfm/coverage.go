package rfm

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A Coverage says what a map does with every cell.
type Coverage struct {
	Map       string            `json:"map"`
	Cells     int               `json:"cells"`     // in all
	Uncovered []Cell            `json:"uncovered"` // matched by no rule: they get the map's Default
	Overlaps  []Overlap         `json:"overlaps"`  // matched by rules of several segments
	Segments  []SegmentCoverage `json:"segments"`  // in the order of the rules
}

// An Overlap is a cell that rules of more than one segment match, the one that counts first.
type Overlap struct {
	Cell     Cell     `json:"cell"`
	Segments []string `json:"segments"`
}

// A SegmentCoverage counts the cells of a segment.
type SegmentCoverage struct {
	Segment  string `json:"segment"`
	Matched  int    `json:"matched"`  // cells that its rules match
	Own      int    `json:"own"`      // cells that it gets
	Shadowed bool   `json:"shadowed"` // it gets none, as rules before it take them all: no customer can be in it
}

// Coverage returns which cells are uncovered or hit more than once and which segments can never be reached. It works on
// maps that Validate refuses, to show why.
func (m *Map) Coverage() *Coverage {
	cov := &Coverage{Map: m.Name}
	at := make(map[string]int)
	for i := range m.Rules {
		if _, ok := at[m.Rules[i].Segment]; !ok {
			at[m.Rules[i].Segment] = len(cov.Segments)
			cov.Segments = append(cov.Segments, SegmentCoverage{Segment: m.Rules[i].Segment})
		}
	}
	if m.Bins > maxMapBins {
		return cov
	}
	for _, c := range m.cells() {
		cov.Cells++
		var hit []string
		for i := range m.Rules {
			if s := m.Rules[i].Segment; m.Rules[i].matches(c) && !slices.Contains(hit, s) {
				hit = append(hit, s)
				cov.Segments[at[s]].Matched++
			}
		}
		switch len(hit) {
		case 0:
			cov.Uncovered = append(cov.Uncovered, c)
			continue
		case 1:
		default:
			cov.Overlaps = append(cov.Overlaps, Overlap{c, hit})
		}
		cov.Segments[at[hit[0]]].Own++
	}
	for i := range cov.Segments {
		cov.Segments[i].Shadowed = cov.Segments[i].Own == 0
	}
	return cov
}

// Partition reports whether every cell belongs to exactly one segment by the rules alone.
func (c *Coverage) Partition() bool { return len(c.Uncovered) == 0 && len(c.Overlaps) == 0 }

func (c *Coverage) rows() ([]string, [][]string) {
	var rows [][]string
	for _, s := range c.Segments {
		rows = append(rows, []string{s.Segment, strconv.Itoa(s.Matched), strconv.Itoa(s.Own), strconv.FormatBool(s.Shadowed)})
	}
	rows = append(rows, []string{"(uncovered)", strconv.Itoa(len(c.Uncovered)), strconv.Itoa(len(c.Uncovered)), "false"})
	return []string{"segment", "matched", "own", "shadowed"}, rows
}

// String returns the segments as a text table, and the uncovered cells and the number of overlaps below it.
func (c *Coverage) String() string {
	header, rows := c.rows()
	text := textTable(header, rows, 1)
	if len(c.Uncovered) > 0 {
		names := make([]string, len(c.Uncovered))
		for i, cell := range c.Uncovered {
			names[i] = cell.String()
		}
		text += "uncovered: " + strings.Join(names, " ") + "\n"
	}
	return text + fmt.Sprintf("%d of %d cells match more than one segment\n", len(c.Overlaps), c.Cells)
}

// WriteCSV writes the rows of String's table with a header.
func (c *Coverage) WriteCSV(w io.Writer) error {
	header, rows := c.rows()
	return writeCSV(w, header, slices.Values(rows))
}
