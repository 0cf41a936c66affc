// Package charts draws the pictures of the example programs with gonum.org/v1/plot: lines with bands, heat maps, bars,
// waterfalls, histograms and Lorenz curves, in one style whose colors are safe for the color-blind (Okabe and Ito), each
// as PNG and SVG.
package charts

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colors of Okabe and Ito, told apart with every kind of color vision.
var palette = [...]color.NRGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 0, 0, 255},
}

// Color returns the color of series i.
func Color(i int) color.NRGBA { return palette[i%len(palette)] }

// Width and Height are the size of every chart.
const (
	Width  = 16 * vg.Centimeter
	Height = 9.5 * vg.Centimeter
)

// A Chart is a finished picture.
type Chart struct{ plot *plot.Plot }

// A Labels names what a chart shows; axis titles state the unit.
type Labels struct {
	Title, X, Y string
	Legend      Corner // where Lines puts its legend
	Ticks       []Tick // of the x axis of Lines; nil means round numbers
}

// A Tick is a labeled place of an axis.
type Tick = plot.Tick

// A Corner is a corner of a chart.
type Corner int

// The corners. Clear, the zero Corner, is the one that the fewest points of the lines are near.
const (
	Clear Corner = iota
	TopLeft
	TopRight
	BottomLeft
	BottomRight
)

func newPlot(l Labels) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = l.Title, l.X, l.Y
	for style, size := range map[*text.Style]vg.Length{
		&p.Title.TextStyle: 13, &p.X.Label.TextStyle: 10.5, &p.Y.Label.TextStyle: 10.5,
		&p.X.Tick.Label: 9.5, &p.Y.Tick.Label: 9.5, &p.Legend.TextStyle: 10,
	} {
		style.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
	}
	p.Title.Padding = 8
	p.Legend.Padding = 2
	p.BackgroundColor = color.White
	return p
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = color.Gray{230}, color.Gray{230}
	return g
}

// Save writes name.png and name.svg into the directory, which it creates. Each file is written whole or not at all.
func (c Chart) Save(dir, name string) error {
	for _, format := range []string{"png", "svg"} {
		w, err := c.plot.WriterTo(Width, Height, format)
		if err != nil {
			return fmt.Errorf("charts: %s: %w", name, err)
		}
		if err := WriteFile(filepath.Join(dir, name+"."+format), w); err != nil {
			return err
		}
	}
	return nil
}

// PNG returns the chart as a PNG picture, for messages.
func (c Chart) PNG() ([]byte, error) {
	w, err := c.plot.WriterTo(Width, Height, "png")
	if err != nil {
		return nil, fmt.Errorf("charts: %w", err)
	}
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	return b.Bytes(), err
}

// SVG returns the chart as the text of an SVG element, for pages.
func (c Chart) SVG() ([]byte, error) {
	w, err := c.plot.WriterTo(Width, Height, "svg")
	if err != nil {
		return nil, fmt.Errorf("charts: %w", err)
	}
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	return b.Bytes(), err
}

// WriteFile writes a file whole or not at all, by way of a temporary one beside it, and creates its directory.
func WriteFile(path string, content io.WriterTo) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err := content.WriteTo(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Points are the corners of a line.
type Points = plotter.XYs

// A Point is a corner of a line.
type Point = plotter.XY

// A Series is a line with a name, and a band around it where Low and High are given.
type Series struct {
	Name      string
	Points    Points
	Low, High []float64 // same length as Points, or nil
	Dashed    bool
	Color     int // 1 is the first color; 0 means that of the place among the series
}

// color returns the color of the series in place i.
func (s Series) color(i int) color.NRGBA {
	if s.Color > 0 {
		i = s.Color - 1
	}
	return Color(i)
}

// A Mark is a vertical line with a word beside it, such as the end of a calibration.
type Mark struct {
	X    float64
	Word string
}

// Lines draws several series over one another. Without points it returns an error.
func Lines(l Labels, series []Series, marks ...Mark) (Chart, error) {
	p := newPlot(l)
	p.Add(grid())
	corner := l.Legend
	if corner == Clear {
		corner = clearest(series)
	}
	p.Legend.Top = corner == TopLeft || corner == TopRight
	p.Legend.Left = corner == TopLeft || corner == BottomLeft
	if l.Ticks != nil {
		p.X.Tick.Marker = plot.ConstantTicks(l.Ticks)
	}
	top := 0.0
	for i, s := range series {
		if len(s.Points) == 0 {
			return Chart{}, fmt.Errorf("charts: %s: series %s has no points", l.Title, s.Name)
		}
		if s.Low != nil {
			band, err := plotter.NewPolygon(bandOf(s))
			if err != nil {
				return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
			}
			c := s.color(i)
			c.A = 50
			band.Color, band.Width = c, 0
			p.Add(band)
		}
		line, err := plotter.NewLine(s.Points)
		if err != nil {
			return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
		}
		line.Color, line.Width = s.color(i), vg.Points(2)
		if s.Dashed {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(line)
		p.Legend.Add(s.Name, line)
		for _, q := range s.Points {
			top = max(top, q.Y)
		}
	}
	for _, m := range marks {
		if err := mark(p, m, top); err != nil {
			return Chart{}, err
		}
	}
	return Chart{p}, nil
}

// clearest returns the corner whose surroundings, two fifths of the width and of the height, have the smallest part of the
// lines' points, which count alike for every line.
func clearest(series []Series) Corner {
	low, high := Point{X: math.Inf(1), Y: math.Inf(1)}, Point{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, s := range series {
		for _, q := range s.Points {
			low = Point{X: min(low.X, q.X), Y: min(low.Y, q.Y)}
			high = Point{X: max(high.X, q.X), Y: max(high.Y, q.Y)}
		}
	}
	var near [BottomRight + 1]float64
	for _, s := range series {
		for _, q := range s.Points {
			x, y := (q.X-low.X)/(high.X-low.X), (q.Y-low.Y)/(high.Y-low.Y)
			weight := 1 / float64(len(s.Points))
			for corner, inside := range map[Corner]bool{
				TopLeft: x < 0.4 && y > 0.6, TopRight: x > 0.6 && y > 0.6, BottomLeft: x < 0.4 && y < 0.4, BottomRight: x > 0.6 && y < 0.4,
			} {
				if inside {
					near[corner] += weight
				}
			}
		}
	}
	best := TopLeft
	for c := TopLeft; c <= BottomRight; c++ {
		if near[c] < near[best] {
			best = c
		}
	}
	return best
}

func bandOf(s Series) plotter.XYs {
	var ring plotter.XYs
	for i, q := range s.Points {
		ring = append(ring, plotter.XY{X: q.X, Y: s.High[i]})
	}
	for i := len(s.Points) - 1; i >= 0; i-- {
		ring = append(ring, plotter.XY{X: s.Points[i].X, Y: s.Low[i]})
	}
	return ring
}

func mark(p *plot.Plot, m Mark, top float64) error {
	line, err := plotter.NewLine(plotter.XYs{{X: m.X}, {X: m.X, Y: top}})
	if err != nil {
		return err
	}
	line.Color, line.Width = color.Gray{120}, vg.Points(1)
	word, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: m.X, Y: top * 0.02}}, Labels: []string{" " + m.Word}})
	if err != nil {
		return err
	}
	for i := range word.TextStyle {
		word.TextStyle[i].Font = p.X.Tick.Label.Font
		word.TextStyle[i].Color = color.Gray{90}
	}
	p.Add(line, word)
	return nil
}

// Histogram draws counts over equal bins. Without values it returns an error.
func Histogram(l Labels, values []float64, bins int) (Chart, error) {
	if len(values) == 0 {
		return Chart{}, fmt.Errorf("charts: %s: no values", l.Title)
	}
	p := newPlot(l)
	p.Add(grid())
	h, err := plotter.NewHist(plotter.Values(values), bins)
	if err != nil {
		return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
	}
	h.FillColor, h.Color, h.LineStyle.Width = Color(0), color.White, vg.Points(0.5)
	p.Add(h)
	p.Y.Min = 0
	return Chart{p}, nil
}

// A Grid is the values of a heat map: Z has one row for each Y and one column for each X; NaN is left white.
type Grid struct {
	X, Y []float64
	Z    [][]float64
}

// HeatMap draws a grid from low (light) to high (dark) with a scale of the values beside it, whose title is z.
func HeatMap(l Labels, z string, g Grid, low, high float64) (Chart, error) {
	if len(g.X) < 2 || len(g.Y) < 2 || len(g.Z) != len(g.Y) || !(high > low) {
		return Chart{}, fmt.Errorf("charts: %s: want a grid of at least two by two and a range of values", l.Title)
	}
	p := newPlot(l)
	dx, dy := (g.X[1]-g.X[0])/2, (g.Y[1]-g.Y[0])/2
	for i, row := range g.Z {
		for j, v := range row {
			if math.IsNaN(v) {
				continue
			}
			x, y := g.X[j], g.Y[i]
			cell, err := plotter.NewPolygon(plotter.XYs{{X: x - dx, Y: y - dy}, {X: x + dx, Y: y - dy}, {X: x + dx, Y: y + dy}, {X: x - dx, Y: y + dy}})
			if err != nil {
				return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
			}
			cell.Color = shade(max(0, min(1, (v-low)/(high-low))))
			cell.LineStyle.Color, cell.Width = cell.Color, vg.Points(0.5) // closes the seams between cells
			p.Add(cell)
		}
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = marks(g.X), marks(g.Y)
	p.Legend.Top = true
	p.Legend.Add(z)
	for i := range 6 {
		share := 1 - float64(i)/5
		p.Legend.Add(fmt.Sprintf("%.3g", low+share*(high-low)), swatch{shade(share)})
	}
	p.X.Max = g.X[len(g.X)-1] + dx + (g.X[len(g.X)-1]-g.X[0]+2*dx)*0.24 // room for the scale
	return Chart{p}, nil
}

// marks labels every value of an axis with few of them, and otherwise about five.
func marks(values []float64) plot.Ticker {
	step := max(1, (len(values)+4)/8)
	var ticks plot.ConstantTicks
	for i := 0; i < len(values); i += step {
		ticks = append(ticks, plot.Tick{Value: values[i], Label: strconv.FormatFloat(math.Round(values[i]*10)/10, 'g', -1, 64)})
	}
	return ticks
}

// shade is a scale from almost white to dark blue whose lightness falls evenly.
func shade(share float64) color.NRGBA {
	mix := func(light, dark float64) uint8 { return uint8(light + share*(dark-light)) }
	return color.NRGBA{mix(239, 8), mix(243, 48), mix(255, 107), 255}
}

// swatch is a legend entry of one color.
type swatch struct{ color color.Color }

// Thumbnail fills the entry.
func (s swatch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.color, []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Min.Y}})
}

// A Bar is one bar with its name.
type Bar struct {
	Name  string
	Value float64
}

// Bars draws one bar a name.
func Bars(l Labels, bars []Bar) (Chart, error) { return columns(l, bars, nil) }

// Waterfall draws each value from where the one before it ended: first and last are totals that stand on the axis.
func Waterfall(l Labels, bars []Bar) (Chart, error) {
	if len(bars) < 2 {
		return Chart{}, fmt.Errorf("charts: %s: a waterfall needs two totals", l.Title)
	}
	starts := make([]float64, len(bars))
	at := bars[0].Value
	for i := 1; i < len(bars)-1; i++ {
		starts[i] = at
		at += bars[i].Value
	}
	return columns(l, bars, starts)
}

func columns(l Labels, bars []Bar, starts []float64) (Chart, error) {
	if len(bars) == 0 {
		return Chart{}, fmt.Errorf("charts: %s: no bars", l.Title)
	}
	p := newPlot(l)
	g := grid()
	g.Vertical.Color = nil
	p.Add(g)
	names := make([]string, len(bars))
	for i, b := range bars {
		names[i] = b.Name
		start := 0.0
		if starts != nil {
			start = starts[i]
		}
		fill := Color(0)
		if starts != nil && i > 0 && i < len(bars)-1 {
			if fill = Color(2); b.Value < 0 {
				fill = Color(1)
			}
		}
		x := float64(i)
		box, err := plotter.NewPolygon(plotter.XYs{{X: x - 0.38, Y: start}, {X: x + 0.38, Y: start},
			{X: x + 0.38, Y: start + b.Value}, {X: x - 0.38, Y: start + b.Value}})
		if err != nil {
			return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
		}
		box.Color, box.Width = fill, 0
		p.Add(box)
	}
	p.NominalX(names...)
	if len(bars) > 8 {
		p.X.Tick.Label.Rotation = 0.6
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YCenter
	}
	p.Y.Min = min(p.Y.Min, 0)
	return Chart{p}, nil
}

// Lorenz draws the share of value that the customers up to a share own, the poorest first, beside the line of equality.
func Lorenz(l Labels, points Points) (Chart, error) {
	return Lines(l, []Series{{Name: "customers", Points: points}, {Name: "equal shares", Points: Points{{X: 0, Y: 0}, {X: 1, Y: 1}}, Dashed: true}})
}
