package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The charts of the page are SVG whose places are per cents of the plot and whose text has the page's size: they fill any
// width without the text growing or shrinking with it. The lines are drawn in a square of 1000 units that is stretched,
// with strokes that are not. Colors are the page's variables.

// a drawing collects the elements of an SVG.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

// percent of the plot, shortened.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e4)/1e2, 'f', -1, 64) + "%"
}

func units(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e5)/1e2, 'f', -1, 64)
}

// a scale maps values to shares of the plot.
type scale struct {
	low, high float64
	ticks     []Tick
}

func (s scale) at(v float64) float64 { return (v - s.low) / (s.high - s.low) }

// newScale covers the values, the axis's own limits and, unless those are set, zero. Without ticks of its own the axis gets
// round ones, at which it ends if stretch is set.
func newScale(a Axis, values []float64, most int, stretch bool) scale {
	s := scale{low: a.Low, high: a.High, ticks: a.Ticks}
	if len(values) > 0 && a.Low == 0 && a.High == 0 && a.Ticks != nil {
		s.low, s.high = values[0], values[0]
	}
	for _, v := range values {
		s.low, s.high = min(s.low, v), max(s.high, v)
	}
	if !(s.high > s.low) {
		s.low, s.high = s.low-0.5, s.high+0.5
	}
	if s.ticks != nil {
		return s
	}
	step := niceStep((s.high - s.low) / float64(most))
	if stretch {
		s.low, s.high = math.Floor(s.low/step+1e-9)*step, math.Ceil(s.high/step-1e-9)*step
	}
	first := math.Ceil(s.low/step - 1e-9)
	for i := 0; ; i++ {
		v := (first + float64(i)) * step
		if v > s.high+step*1e-9 {
			return s
		}
		s.ticks = append(s.ticks, Tick{v, tickLabel(v, step, max(s.high, -s.low), a.Percent)})
	}
}

// niceStep is 1, 2 or 5 times a power of ten, at least the least.
func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// tickLabel writes a value of an axis that reaches to most: from 100,000 on in thousands, millions or billions, for which
// there is room.
func tickLabel(v, step, most float64, percent bool) string {
	if percent {
		return decimals(100*v, places(100*step)) + "\u00a0%"
	}
	unit, word := 1.0, ""
	switch {
	case most >= 1e9:
		unit, word = 1e9, "\u00a0bn"
	case most >= 1e6:
		unit, word = 1e6, "\u00a0M"
	case most >= 1e5:
		unit, word = 1e3, "\u00a0k"
	}
	if v == 0 {
		return "0"
	}
	return decimals(v/unit, places(step/unit)) + word
}

// places is the number of decimals that a step needs.
func places(step float64) int { return max(0, int(math.Ceil(-math.Log10(step)-1e-9))) }

// longest is how many characters of a title fit on a phone.
const longest = 42

// shorten cuts a text that has more characters, at a space if one is near. The alternative text and the tables have it whole.
func shorten(text string, most int) string {
	most = max(most, 8)
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	cut := string([]rune(text)[:most-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)*2/3 {
		cut = cut[:i]
	}
	return cut + "\u2026"
}

// lineHeight is the distance of the lines of a title in its em.
const lineHeight = 1.3

// broken breaks a title into two lines at most, the second one shortened.
func broken(title string) []string {
	if utf8.RuneCountInString(title) <= longest {
		return []string{title}
	}
	at := strings.LastIndexByte(string([]rune(title)[:longest+1]), ' ')
	if at < 0 {
		return []string{shorten(title, longest)}
	}
	return []string{title[:at], shorten(title[at+1:], longest)}
}

// tall adds to a class what makes room for titles of two lines.
func tall(class string, titles ...string) string {
	for _, t := range titles {
		if len(broken(t)) > 1 {
			return class + " tall"
		}
	}
	return class
}

// title adds the lines of an axis title at a height of the plot, moved by so many em.
func (d *drawing) title(lines []string, y string, right, down float64) {
	for i, line := range lines {
		d.add(`<text class="title" x="0" y="%s" dx="%.1fem" dy="%.1fem">%s</text>`, y, right, down+lineHeight*float64(i), html.EscapeString(line))
	}
}

// open begins the SVG of a plot with its alternative text.
func (d *drawing) open(class, title, says, height string) {
	d.add(`<svg class="plot %s" role="img" aria-label="%s" style="height:%s">`, class, html.EscapeString(title+": "+says), height)
	d.add(`<title>%s</title><desc>%s</desc>`, html.EscapeString(title), html.EscapeString(says))
}

// svg draws the lines.
func (c *LineChart) svg() template.HTML {
	var xs, ys []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
		ys = append(append(ys, s.Low...), s.High...)
	}
	x, y := newScale(c.X, xs, 6, false), newScale(c.Y, ys, 5, true)
	var d drawing
	d.open(tall("lines", c.X.Title, c.Y.Title), c.Title, c.Says, "17rem")
	for _, t := range y.ticks {
		at := percent(1 - y.at(t.At))
		d.add(`<line class="grid" x1="0" x2="100%%" y1="%s" y2="%s"/>`, at, at)
		d.add(`<text class="tick" x="0" dx="-.6em" y="%s" dy=".35em" text-anchor="end">%s</text>`, at, html.EscapeString(t.Label))
	}
	for i, t := range x.ticks {
		class, at := "tick", percent(x.at(t.At))
		if i%2 == 1 && len(x.ticks) > 3 {
			class = "tick odd"
		}
		d.add(`<text class="%s" x="%s" y="100%%" dy="1.5em" text-anchor="middle">%s</text>`, class, at, html.EscapeString(t.Label))
	}
	d.add(`<line class="axis" x1="0" x2="100%%" y1="%[1]s" y2="%[1]s"/>`, percent(1-max(0, min(1, y.at(0)))))
	above := broken(c.Y.Title)
	d.title(above, "0", -4.3, -1.5-lineHeight*float64(len(above)-1))
	d.title(broken(c.X.Title), "100%", -4.3, 3.4)
	for _, m := range c.Marks {
		at := x.at(m.X)
		anchor, dx := "start", ".5em"
		if at > 0.6 {
			anchor, dx = "end", "-.5em"
		}
		d.add(`<line class="mark" x1="%[1]s" x2="%[1]s" y1="0" y2="100%%"/>`, percent(at))
		d.add(`<text class="tick" x="%s" y="100%%" dx="%s" dy="-.7em" text-anchor="%s">%s</text>`, percent(at), dx, anchor, html.EscapeString(m.Word))
	}
	d.add(`<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%%" height="100%%" overflow="visible">`)
	for _, s := range c.Series {
		if s.Low == nil {
			continue
		}
		d.add(`<path class="band" fill="var(--t%d)" d="`, s.Tone)
		for i, p := range s.Points {
			d.add("%s%s %s", map[bool]string{true: "M", false: "L"}[i == 0], units(x.at(p.X)), units(1-y.at(s.High[i])))
		}
		for i := len(s.Points) - 1; i >= 0; i-- {
			d.add("L%s %s", units(x.at(s.Points[i].X)), units(1-y.at(s.Low[i])))
		}
		d.add(`Z"/>`)
	}
	for _, s := range slices.Backward(c.Series) { // the first on top
		class := "series"
		if s.Dashed {
			class += " dashed"
		}
		d.add(`<path class="%s" stroke="var(--t%d)" d="`, class, s.Tone)
		for i, p := range s.Points {
			d.add("%s%s %s", map[bool]string{true: "M", false: "L"}[i == 0], units(x.at(p.X)), units(1-y.at(p.Y)))
		}
		if len(s.Points) == 1 {
			d.add("h0.01") // a dot, by the round caps
		}
		d.add(`"/>`)
	}
	d.add(`</svg></svg>`)
	return template.HTML(d.String()) //nolint:gosec // every text in it is escaped above
}

// svg draws the bars, each below a line with its name and value.
func (c *BarChart) svg() template.HTML {
	var values []float64
	for _, b := range c.Bars {
		end := b.Start
		values = append(values, end)
		for _, p := range b.Parts {
			end += p
			values = append(values, end)
		}
		if b.High > b.Low {
			values = append(values, b.Low, b.High)
		}
	}
	x := newScale(c.Axis, values, 5, false)
	const row = 2.7 // rem
	down := func(i int, rem float64) string { return percent((row*float64(i) + rem) / (row * float64(len(c.Bars)))) }
	var d drawing
	d.open(tall("bars", c.Axis.Title), c.Title, c.Says, strconv.FormatFloat(row*float64(len(c.Bars)), 'f', -1, 64)+"rem")
	for i, t := range x.ticks {
		class, at := "tick", percent(x.at(t.At))
		if i%2 == 1 && len(x.ticks) > 4 {
			class = "tick odd"
		}
		anchor := "middle"
		switch share := x.at(t.At); {
		case share < 0.03:
			anchor = "start"
		case share > 0.97:
			anchor = "end"
		}
		d.add(`<line class="grid" x1="%[1]s" x2="%[1]s" y1="0" y2="100%%"/>`, at)
		d.add(`<text class="%s" x="%s" y="100%%" dy="1.4em" text-anchor="%s">%s</text>`, class, at, anchor, html.EscapeString(t.Label))
	}
	d.title(broken(c.Axis.Title), "100%", 0, 3.3)
	for i, b := range c.Bars {
		d.add(`<text class="name" x="0" y="%s" dy="1.05em">%s</text>`, down(i, 0), html.EscapeString(shorten(b.Name, longest-8-utf8.RuneCountInString(b.Label))))
		d.add(`<text class="value" x="100%%" y="%s" dy="1.05em" text-anchor="end">%s</text>`, down(i, 0), html.EscapeString(b.Label))
		at := b.Start
		for j, p := range b.Parts {
			from, to := x.at(min(at, at+p)), x.at(max(at, at+p))
			d.add(`<rect x="%s" width="%s" y="%s" height="%s" fill="var(--t%d)"/>`, percent(from), percent(to-from), down(i, 1.45), down(0, 0.75), int(b.Tone)+j)
			at += p
		}
		if b.High > b.Low {
			low, high := percent(x.at(b.Low)), percent(x.at(b.High))
			d.add(`<line class="whisker" x1="%s" x2="%s" y1="%[3]s" y2="%[3]s"/>`, low, high, down(i, 1.825))
			for _, end := range []string{low, high} {
				d.add(`<line class="whisker" x1="%[1]s" x2="%[1]s" y1="%s" y2="%s"/>`, end, down(i, 1.575), down(i, 2.075))
			}
		}
	}
	if x.low < 0 {
		d.add(`<line class="axis" x1="%[1]s" x2="%[1]s" y1="0" y2="100%%"/>`, percent(x.at(0)))
	}
	d.add(`</svg>`)
	return template.HTML(d.String()) //nolint:gosec // every text in it is escaped above
}

// A key is an entry of a legend.
type key struct {
	Tone         Tone
	Line, Dashed bool
	Band         bool // around the line, or a bar
	Word         string
}

// legend names the lines, where there are several or one has a band.
func (c *LineChart) legend() (keys []key) {
	if len(c.Series) == 1 && c.Series[0].Low == nil {
		return nil
	}
	for _, s := range c.Series {
		keys = append(keys, key{s.Tone, true, s.Dashed, s.Low != nil, s.Name})
	}
	return keys
}

// legend names the parts of bars that have several.
func (c *BarChart) legend() (keys []key) {
	for i, p := range c.Parts {
		keys = append(keys, key{Tone: c.Bars[0].Tone + Tone(i), Band: true, Word: p})
	}
	return keys
}
