package main

import (
	"math"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/ledger"
)

// draw writes the three charts.
func draw(c config, m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction, values []float64, first, last, end time.Time, unit time.Duration) error {
	cumulative, err := cumulativeChart(m, hs, log, first, last, end, unit)
	if err != nil {
		return err
	}
	alive, err := aliveChart(m, hs, c.unit)
	if err != nil {
		return err
	}
	currency := string(hs.Rows[0].Spend.Currency())
	histogram, err := charts.Histogram(charts.Labels{Title: "Value of the next 52 weeks",
		X: "value of a customer (" + currency + "; the highest percentile left out)", Y: "customers"}, withoutTail(values), 40)
	if err != nil {
		return err
	}
	for name, chart := range map[string]charts.Chart{"cumulative": cumulative, "alive": alive, "values": histogram} {
		if err := chart.Save(c.out, name); err != nil {
			return err
		}
	}
	return nil
}

// cumulativeChart compares the repeat purchases of all customers up to each week with what the model expects of
// customers who came when these did.
func cumulativeChart(m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction, first, last, end time.Time, unit time.Duration) (charts.Chart, error) {
	came := make(map[string]time.Time, len(hs.Rows)) // first purchase of each customer of the fit
	for _, h := range hs.Rows {
		came[h.Customer] = end.Add(-time.Duration(math.Round(h.T * float64(unit))))
	}
	weeks := int(last.Sub(first)/clv.Week) + 1
	actual, expected := make(charts.Points, weeks), make(charts.Points, weeks)
	seen := make(map[string]bool)
	for _, t := range log {
		start, ok := came[t.Customer]
		day := ledger.Day(t.At, nil).Start
		key := t.Customer + day.Format(time.DateOnly)
		if !ok || t.Amount.Sign() < 0 || !day.After(start) || seen[key] {
			continue
		}
		seen[key] = true
		actual[int(day.Sub(first)/clv.Week)].Y++
	}
	for w := range weeks {
		at := first.Add(time.Duration(w+1) * clv.Week)
		actual[w].X, expected[w].X = float64(w+1), float64(w+1)
		if w > 0 {
			actual[w].Y += actual[w-1].Y
		}
		for _, start := range came {
			if at.After(start) {
				expected[w].Y += m.NewCustomerPurchases(float64(at.Sub(start)) / float64(unit))
			}
		}
	}
	marks := []charts.Mark{{X: float64(end.Sub(first)) / float64(clv.Week), Word: "end of observation"}}
	if !last.After(end) {
		marks = nil
	}
	return charts.Lines(charts.Labels{Title: "Repeat purchases: what happened and what the model expects",
		X: "weeks since the first day of the log", Y: "cumulative repeat purchases"},
		[]charts.Series{{Name: "happened", Points: actual}, {Name: "expected", Points: expected, Dashed: true}}, marks...)
}

// aliveChart shows P(alive) of customers first seen when the oldest one was, by how often and how recently they bought.
func aliveChart(m clv.BGNBD, hs *clv.Histories, unit string) (charts.Chart, error) {
	age, most := 0.0, 2
	for _, h := range hs.Rows {
		age = max(age, h.T)
		most = max(most, h.X)
	}
	most = min(most, 30)
	var g charts.Grid
	for x := 1; x <= most; x++ {
		g.X = append(g.X, float64(x))
	}
	const steps = 40
	for i := range steps {
		recency := age * float64(i) / (steps - 1)
		row := make([]float64, most)
		for x := 1; x <= most; x++ {
			row[x-1] = m.ProbAlive(clv.History{X: x, TX: max(age-recency, 1e-9), T: age})
		}
		g.Y, g.Z = append(g.Y, recency), append(g.Z, row)
	}
	return charts.HeatMap(charts.Labels{Title: "Who is still a customer?", X: "repeat purchases", Y: unit + "s since the last purchase"},
		"P(alive)", g, 0, 1)
}

// withoutTail leaves out the highest percentile of values in falling order, so that the rest of a chart can be seen.
func withoutTail(values []float64) []float64 { return values[len(values)/100:] }
