package main

import (
	"context"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/ledger"
)

// draw writes the three charts.
func draw(ctx context.Context, c config, m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction, values []float64) error {
	cumulative, err := cumulativeChart(ctx, m, hs, log)
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
func cumulativeChart(ctx context.Context, m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction) (charts.Chart, error) {
	diary, err := validate.ReadDiary(ctx, ledger.Transactions(log), hs.End.Location())
	if err != nil {
		return charts.Chart{}, err
	}
	first, last := diary.Span()
	tracks, err := diary.Track(m, hs.Unit, ledger.Weeks(first, last.AddDate(0, 0, 1), first.Weekday(), nil), hs.End)
	if err != nil {
		return charts.Chart{}, err
	}
	var happened, expected charts.Points
	for i, t := range tracks {
		happened = append(happened, charts.Point{X: float64(i + 1), Y: t.Cumulative})
		expected = append(expected, charts.Point{X: float64(i + 1), Y: t.Total})
	}
	var marks []charts.Mark
	if last.After(hs.End) {
		marks = []charts.Mark{{X: float64(hs.End.Sub(first)) / float64(clv.Week), Word: "end of observation"}}
	}
	return charts.Lines(charts.Labels{Title: "Repeat purchases: what happened and what the model expects",
		X: "weeks since the first day of the log", Y: "cumulative repeat purchases"},
		[]charts.Series{{Name: "happened", Points: happened}, {Name: "expected", Points: expected, Dashed: true}}, marks...)
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
