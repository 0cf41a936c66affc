package report

import (
	"fmt"

	"github.com/custval/custval/examples/charts"
)

// The pictures of messages are drawn by package charts, for mail programs show no SVG.

// place gives a tone its color in package charts.
func (t Tone) place() int { return [tones]int{0, 1, 2, 3, 6}[t] }

func (c *LineChart) png() ([]byte, error) {
	scaled := func(a Axis, v float64) float64 {
		if a.Percent {
			return 100 * v
		}
		return v
	}
	drawn := make([]charts.Series, 0, len(c.Series))
	for _, s := range c.Series {
		d := charts.Series{Name: s.Name, Dashed: s.Dashed, Color: s.Tone.place() + 1}
		for _, p := range s.Points {
			d.Points = append(d.Points, charts.Point{X: scaled(c.X, p.X), Y: scaled(c.Y, p.Y)})
		}
		for i := range s.Low {
			d.Low, d.High = append(d.Low, scaled(c.Y, s.Low[i])), append(d.High, scaled(c.Y, s.High[i]))
		}
		drawn = append(drawn, d)
	}
	var marks []charts.Mark
	for _, m := range c.Marks {
		marks = append(marks, charts.Mark{X: scaled(c.X, m.X), Word: m.Word})
	}
	var ticks []charts.Tick
	for _, t := range c.X.Ticks {
		ticks = append(ticks, charts.Tick{Value: scaled(c.X, t.At), Label: t.Label})
	}
	p, err := charts.Lines(charts.Labels{Title: c.Title, X: c.X.Title, Y: c.Y.Title, Ticks: ticks}, drawn, marks...)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return p.PNG()
}

func (c *BarChart) png() ([]byte, error) {
	factor := 1.0
	if c.Axis.Percent {
		factor = 100
	}
	rows := make([]charts.Rank, 0, len(c.Bars))
	for _, b := range c.Bars {
		r := charts.Rank{Name: b.Name, Start: factor * b.Start, Low: factor * b.Low, High: factor * b.High, Color: b.Tone.place()}
		for _, p := range b.Parts {
			r.Parts = append(r.Parts, factor*p)
		}
		rows = append(rows, r)
	}
	p, err := charts.Ranked(charts.Labels{Title: c.Title, X: c.Axis.Title}, c.Parts, rows)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return p.PNG()
}
