package report

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"
)

// A Report is a page: a title and its sections, in their order. New makes one of data; a Report written by hand, or one of
// New with further sections, is written in the same way.
type Report struct {
	Title    string
	Subtitle string    // what the report covers, in a line
	End      time.Time // the last day that it covers; the date of the message that WriteEML writes
	Sections []Section
}

// A Section is one question with its answer.
type Section struct {
	Name   string // of lower-case letters, digits and hyphens; the anchor on the page, unique in a report
	Title  string
	Lead   string // the answer in words, before any table or chart
	Blocks []Block
}

// A Block is a part of a section: a Text, a Note, Figures, a *Table, a *LineChart or a *BarChart.
type Block interface {
	// validate returns an error for what cannot be shown.
	validate() error
}

// A Text is a paragraph.
type Text string

// A Note is a paragraph set apart: what is missing, or how to read what is above.
type Note string

// Figures are numbers to see at a glance.
type Figures []Figure

// A Figure is one number with its name.
type Figure struct {
	Name     string
	Value    string // with its unit
	Interval string // what is known of its precision, such as "95 % interval 40 to 44"; may be empty
	Note     string // what it means, in a few words; may be empty
}

// A Table is rows under named columns. The first cell of a row names it.
type Table struct {
	Caption  string // what the table shows
	Columns  []Column
	Rows     [][]Cell
	Total    []Cell // a last row that sums up; nil if there is none
	Sortable bool   // readers may sort it by any column; without script the rows stay in the order given
}

// A Column is the head of a column of a Table.
type Column struct {
	Title   string // with the unit
	Numeric bool   // aligned to the right, and sorted by Cell.Number
}

// A Cell is one field of a Table.
type Cell struct {
	Text   string
	Note   string  // a second line, such as the name of what the text counts
	Number float64 // what a sortable numeric column is sorted by
	Shade  Shade   // a color behind the text; 0 is none
}

// A Shade is a step on the scale from light to dark of a heat map: 1 is the lowest, Shades the highest.
type Shade int

// Shades is the number of steps of a heat map.
const Shades = 7

// ShadeOf returns the step of a value between low and high, values beyond them the first or last. A value that is no
// number, or a scale without extent, has none.
func ShadeOf(value, low, high float64) Shade {
	share := (value - low) / (high - low)
	if math.IsNaN(share) || !(high > low) {
		return 0
	}
	return 1 + Shade(min(Shades-1, max(0, share*Shades)))
}

// A LineChart is lines over a numeric axis.
type LineChart struct {
	Title  string
	Says   string // what the chart shows, in a sentence: its alternative text, read out where it cannot be seen
	X, Y   Axis
	Series []Series
	Marks  []Mark
}

// An Axis is the name of an axis and where it has ticks.
type Axis struct {
	Title   string // with the unit
	Ticks   []Tick // nil means round numbers
	Percent bool   // values are shares, shown in per cent
	Low     float64
	High    float64 // the axis covers Low to High at least; both 0 for what the data need and zero
}

// A Tick is a labeled place of an axis.
type Tick struct {
	At    float64
	Label string
}

// A Series is a line with its name and, where Low and High are given, a band around it. The first of a chart is drawn on
// top of the others.
type Series struct {
	Name      string
	Points    []Point
	Low, High []float64 // one a point, or nil
	Dashed    bool
	Tone      Tone
}

// A Point is a corner of a line.
type Point struct{ X, Y float64 }

// A Mark is a vertical line with a word.
type Mark struct {
	X    float64
	Word string
}

// A Tone is the color of a line or bar. The tones are told apart with every kind of color vision, on light and on dark
// ground.
type Tone int

// The tones. Up and Down are for what adds and what takes away.
const (
	Blue Tone = iota
	Orange
	Green
	Purple
	Gray

	Up   = Green
	Down = Orange

	tones = int(Gray) + 1
)

// A BarChart is horizontal bars, one a name, so that names of any length fit on any screen.
type BarChart struct {
	Title string
	Says  string   // as in LineChart
	Axis  Axis     // of the lengths
	Parts []string // what the parts of the bars are, if they have several
	Bars  []Bar
}

// A Bar is one bar, made of one part or several.
type Bar struct {
	Name      string
	Start     float64   // where it begins: not 0 in a waterfall
	Parts     []float64 // lengths that follow one another
	Low, High float64   // an interval around the end, drawn if High > Low
	Label     string    // the value as text
	Tone      Tone      // of the first part; the further parts have the tones after it
}

var name = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Validate returns an error that names the section and the block that cannot be shown: a name that is no anchor or is
// there twice, an empty title, a row with more or fewer cells than columns, a chart without data, title or sentence, and
// numbers that are not finite.
func (r *Report) Validate() error {
	if r.Title == "" {
		return errors.New("report: no title")
	}
	if r.End.IsZero() {
		return errors.New("report: no end of observation")
	}
	seen := map[string]bool{}
	for i, s := range r.Sections {
		switch {
		case !name.MatchString(s.Name):
			return fmt.Errorf("report: section %d: name %q: want lower-case letters, digits and hyphens", i+1, s.Name)
		case seen[s.Name]:
			return fmt.Errorf("report: section %s is there twice", s.Name)
		case s.Title == "":
			return fmt.Errorf("report: section %s: no title", s.Name)
		}
		seen[s.Name] = true
		for j, b := range s.Blocks {
			if b == nil {
				return fmt.Errorf("report: section %s: block %d: nil", s.Name, j+1)
			}
			if err := b.validate(); err != nil {
				return fmt.Errorf("report: section %s: block %d: %w", s.Name, j+1, err)
			}
		}
	}
	return nil
}

func (Text) validate() error { return nil }
func (Note) validate() error { return nil }

func (fs Figures) validate() error {
	for i, f := range fs {
		if f.Name == "" || f.Value == "" {
			return fmt.Errorf("figure %d: no name or no value", i+1)
		}
	}
	return nil
}

func (t *Table) validate() error {
	if t == nil {
		return errors.New("nil table")
	}
	if t.Caption == "" || len(t.Columns) == 0 {
		return fmt.Errorf("table %q: want a caption and columns", t.Caption)
	}
	rows := t.Rows
	if t.Total != nil {
		rows = append(rows[:len(rows):len(rows)], t.Total)
	}
	for i, row := range rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("table %q: row %d: %d cells for %d columns", t.Caption, i+1, len(row), len(t.Columns))
		}
		for j, c := range row {
			if c.Shade < 0 || c.Shade > Shades {
				return fmt.Errorf("table %q: row %d: column %d: shade %d: want 0 to %d", t.Caption, i+1, j+1, c.Shade, Shades)
			}
			if math.IsNaN(c.Number) || math.IsInf(c.Number, 0) {
				return fmt.Errorf("table %q: row %d: column %d: number %v: not finite", t.Caption, i+1, j+1, c.Number)
			}
		}
	}
	return nil
}

func (c *LineChart) validate() error {
	if c == nil {
		return errors.New("nil chart")
	}
	if err := checkLabels(c.Title, c.Says, c.X, c.Y); err != nil {
		return err
	}
	if len(c.Series) == 0 || len(c.Series) > tones {
		return fmt.Errorf("chart %q: %d series: want 1 to %d", c.Title, len(c.Series), tones)
	}
	var numbers []float64
	for _, s := range c.Series {
		if len(s.Points) == 0 {
			return fmt.Errorf("chart %q: series %q has no points", c.Title, s.Name)
		}
		if len(s.Low) != len(s.High) || s.Low != nil && len(s.Low) != len(s.Points) {
			return fmt.Errorf("chart %q: series %q: a band of %d and %d ends for %d points", c.Title, s.Name, len(s.Low), len(s.High), len(s.Points))
		}
		if s.Tone < 0 || int(s.Tone) >= tones {
			return fmt.Errorf("chart %q: series %q: unknown tone %d", c.Title, s.Name, s.Tone)
		}
		for _, p := range s.Points {
			numbers = append(numbers, p.X, p.Y)
		}
		numbers = append(append(numbers, s.Low...), s.High...)
	}
	for _, m := range c.Marks {
		numbers = append(numbers, m.X)
	}
	return finite(c.Title, numbers)
}

func (c *BarChart) validate() error {
	if c == nil {
		return errors.New("nil chart")
	}
	if err := checkLabels(c.Title, c.Says, c.Axis); err != nil {
		return err
	}
	if len(c.Bars) == 0 {
		return fmt.Errorf("chart %q: no bars", c.Title)
	}
	var numbers []float64
	for i, b := range c.Bars {
		if b.Name == "" || len(b.Parts) == 0 || len(b.Parts) > 1 && len(b.Parts) != len(c.Parts) {
			return fmt.Errorf("chart %q: bar %d: want a name and as many parts as the chart names", c.Title, i+1)
		}
		if b.Tone < 0 || int(b.Tone)+len(b.Parts) > tones {
			return fmt.Errorf("chart %q: bar %d: unknown tone %d", c.Title, i+1, int(b.Tone)+len(b.Parts)-1)
		}
		numbers = append(append(numbers, b.Start, b.Low, b.High), b.Parts...)
	}
	return finite(c.Title, numbers)
}

func checkLabels(title, says string, axes ...Axis) error {
	if title == "" || says == "" {
		return fmt.Errorf("chart %q: want a title and a sentence that says what it shows", title)
	}
	for _, a := range axes {
		if a.Title == "" {
			return fmt.Errorf("chart %q: want titles of the axes, with their units", title)
		}
	}
	return nil
}

func finite(title string, numbers []float64) error {
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("chart %q: number %v: not finite", title, x)
		}
	}
	return nil
}
