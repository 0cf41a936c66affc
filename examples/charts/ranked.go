package charts

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// A Rank is a horizontal bar of one part or several.
type Rank struct {
	Name      string
	Start     float64   // where it begins
	Parts     []float64 // lengths that follow one another
	Low, High float64   // an interval, drawn if High > Low
	Color     int       // of the first part; the further parts have the colors after it
}

// Ranked draws horizontal bars, the first on top. Labels.X names the lengths; parts name the parts of bars that have
// several.
func Ranked(l Labels, parts []string, rows []Rank) (Chart, error) {
	if len(rows) == 0 {
		return Chart{}, fmt.Errorf("charts: %s: no bars", l.Title)
	}
	p := newPlot(l)
	g := grid()
	g.Horizontal.Color = nil
	p.Add(g)
	box := func(x0, x1, y, half float64, c color.Color) error {
		b, err := plotter.NewPolygon(plotter.XYs{{X: x0, Y: y - half}, {X: x1, Y: y - half}, {X: x1, Y: y + half}, {X: x0, Y: y + half}})
		if err != nil {
			return fmt.Errorf("charts: %s: %w", l.Title, err)
		}
		b.Color, b.Width = c, 0
		p.Add(b)
		return nil
	}
	ticks := make(plot.ConstantTicks, len(rows))
	for i, r := range rows {
		y, at := float64(len(rows)-1-i), r.Start
		ticks[i] = plot.Tick{Value: y, Label: r.Name}
		for j, v := range r.Parts {
			if err := box(at, at+v, y, 0.34, Color(r.Color+j)); err != nil {
				return Chart{}, err
			}
			at += v
		}
		if r.High > r.Low {
			whisker, err := plotter.NewLine(plotter.XYs{{X: r.Low, Y: y}, {X: r.High, Y: y}})
			if err != nil {
				return Chart{}, fmt.Errorf("charts: %s: %w", l.Title, err)
			}
			whisker.Width = vg.Points(1.5)
			p.Add(whisker)
		}
	}
	p.Y.Tick.Marker, p.Y.Tick.Length, p.Y.Width = ticks, 0, 0
	p.Y.Min, p.Y.Max = -0.6, float64(len(rows))-0.4
	p.X.Min = min(p.X.Min, 0)
	if len(parts) > 1 {
		for i, name := range parts {
			p.Legend.Add(name, swatch{Color(rows[0].Color + i)})
		}
		p.Y.Min -= 0.3 + 0.09*float64(len(rows)*len(parts)) // room for the legend below the bars
	}
	return Chart{p}, nil
}
