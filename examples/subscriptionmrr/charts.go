package main

import (
	"math"

	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// draw writes the three charts.
func draw(dir string, year *subscription.PeriodResult, table *subscription.RollForward, cohorts *subscription.CohortMatrix) error {
	thousands := func(a money.Amount) float64 { return a.Float64() / 1000 }
	fall, err := charts.Waterfall(charts.Labels{Title: "A year of recurring revenue", Y: "MRR, thousand " + string(year.Currency)}, []charts.Bar{
		{Name: "opening", Value: thousands(year.Opening)},
		{Name: "new", Value: thousands(year.New)},
		{Name: "back", Value: thousands(year.Reactivation)},
		{Name: "expansion", Value: thousands(year.Expansion)},
		{Name: "contraction", Value: -thousands(year.Contraction)},
		{Name: "churn", Value: -thousands(year.Churn)},
		{Name: "closing", Value: thousands(year.Closing)},
	})
	if err != nil {
		return err
	}
	if err := fall.Save(dir, "waterfall"); err != nil {
		return err
	}

	var net, gross charts.Points
	for i, r := range table.Periods {
		if v, err := r.NRR.Value(); err == nil { // undefined where nobody paid at the opening
			net = append(net, charts.Point{X: float64(i + 1), Y: 100 * v})
		}
		if v, err := r.GRR.Value(); err == nil {
			gross = append(gross, charts.Point{X: float64(i + 1), Y: 100 * v})
		}
	}
	kept, err := charts.Lines(charts.Labels{Title: "How much of a month's revenue is kept", X: "month of the last year", Y: "per cent of the opening MRR"},
		[]charts.Series{{Name: "net revenue retention", Points: net}, {Name: "gross revenue retention", Points: gross}})
	if err != nil {
		return err
	}
	if err := kept.Save(dir, "retention"); err != nil {
		return err
	}
	return drawCohorts(dir, cohorts)
}

// drawCohorts writes the heat map of each cohort's MRR over that of its first quarter.
func drawCohorts(dir string, m *subscription.CohortMatrix) error {
	n := len(m.Periods)
	g := charts.Grid{}
	low, high := 100.0, 100.0
	for i := range n {
		g.X = append(g.X, float64(i))
	}
	for _, row := range m.Rows {
		if row.Start == nil {
			continue // began before the first quarter, at ages that are not known
		}
		cells := make([]float64, n)
		age := 0
		for i := range cells {
			cells[i] = math.NaN()
		}
		for i, c := range row.Cells {
			if m.Periods[i].Start.Before(row.Start.Start) {
				continue
			}
			if v, err := c.Retention.Value(); err == nil {
				cells[age] = 100 * v
				low, high = min(low, 100*v), max(high, 100*v)
			}
			age++
		}
		g.Y = append(g.Y, float64(len(g.Y)+1))
		g.Z = append(g.Z, cells)
	}
	if len(g.Y) < 2 {
		return nil // one cohort makes no map
	}
	heat, err := charts.HeatMap(charts.Labels{Title: "MRR of each cohort, by age", X: "quarters since the cohort's first", Y: "cohort (1 is the oldest)"},
		"% of first", g, low, max(high, low+1))
	if err != nil {
		return err
	}
	return heat.Save(dir, "cohorts")
}
