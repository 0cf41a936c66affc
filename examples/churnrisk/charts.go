package main

import (
	"github.com/custval/custval/churn"
	"github.com/custval/custval/churn/survival"
	"github.com/custval/custval/examples/charts"
)

// draw writes the two charts.
func draw(dir string, curves survival.Curves, observed *survival.Curve, band *churn.CurveBand) error {
	var series []charts.Series
	for _, c := range curves {
		series = append(series, steps(c))
	}
	stay, err := charts.Lines(charts.Labels{Title: "How soon accounts leave, by plan at the start", X: "years since the first payment", Y: "share that has left"}, series)
	if err != nil {
		return err
	}
	if err := stay.Save(dir, "survival"); err != nil {
		return err
	}

	model := charts.Series{Name: "sBG from yearly cohorts"}
	for _, r := range band.Rows {
		model.Points = append(model.Points, charts.Point{X: float64(r.T), Y: 1 - r.Survival})
		model.Low, model.High = append(model.Low, 1-r.SurvivalHigh), append(model.High, 1-r.SurvivalLow)
	}
	seen := steps(observed)
	seen.Name, seen.Low, seen.High = "seen (Kaplan-Meier)", nil, nil
	ahead, err := charts.Lines(charts.Labels{Title: "How many will have left?", X: "years since the first payment", Y: "share that has left"},
		[]charts.Series{model, seen}, charts.Mark{X: seen.Points[len(seen.Points)-1].X, Word: "few are older"})
	if err != nil {
		return err
	}
	return ahead.Save(dir, "projection")
}

// fewest is how many accounts must be at risk for a curve to be drawn and read: one of three who leaves is a third of them.
const fewest = 10

// steps is one less the curve of one group with its band, in years, a corner before and after each time at which somebody left.
func steps(c *survival.Curve) charts.Series {
	s := charts.Series{Name: c.Group, Points: charts.Points{{X: 0, Y: 0}}, Low: []float64{0}, High: []float64{0}}
	add := func(x, y, low, high float64) {
		s.Points = append(s.Points, charts.Point{X: x, Y: y})
		s.Low, s.High = append(s.Low, low), append(s.High, high)
	}
	for _, q := range c.Points {
		last := len(s.Points) - 1
		add(q.Time/12, s.Points[last].Y, s.Low[last], s.High[last])
		if q.AtRisk < fewest {
			break
		}
		add(q.Time/12, 1-q.Survival, 1-q.Upper, 1-q.Lower)
	}
	return s
}
