// Rfmsegments puts every customer of a shop into a segment, follows the segments over half a year and writes the file
// that a CRM imports.
//
//	go run ./examples/rfmsegments -out pictures
package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/rfm"
)

func main() {
	dir := flag.String("out", filepath.Join(os.TempDir(), "custval-rfmsegments"), "directory of the charts and of segments.csv")
	flag.Parse()
	story.Main("rfmsegments", func(ctx context.Context, out io.Writer) error { return run(ctx, *dir, out) })
}

func run(ctx context.Context, dir string, out io.Writer) error {
	p := story.New(out)
	log, err := ledger.Collect(ledger.ReadCSV(ctx, sample.Shop(), &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		return err
	}

	p.Title("Recency, frequency, monetary value")
	june := sample.ShopEnd
	before, err := rfm.Analyze(ctx, ledger.Transactions(log), june, nil)
	if err != nil {
		return err
	}
	p.Say("Until %s each customer gets three scores from 1 to 5: how recently, how often and for how much they bought.\n"+
		"Customers who did the same get the same score, whatever the order of the rows. The best five:\n", june.Format(time.DateOnly))
	for _, r := range before.Top(5) {
		p.Say("  %s  R%d F%d M%d  %s", r.Customer, r.R, r.F, r.M, r.Segment)
	}

	p.Title("Segments")
	p.Say("Each cell of recency and frequency belongs to one of ten segments, with an action to take:\n\n%s", before.Segments())
	pareto, err := before.Pareto(len(before.Rows))
	if err != nil {
		return err
	}
	p.Say("The revenue is uneven: its Gini coefficient is %.2f.", float64(pareto.Gini))

	p.Title("What became of them half a year later")
	december := time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)
	after, err := rfm.Analyze(ctx, ledger.Transactions(log), december, &rfm.Options{Scales: &before.Scales})
	if err != nil {
		return err
	}
	moved, err := rfm.Compare(before, after)
	if err != nil {
		return err
	}
	p.Say("Scored on the scales of June, so that a move is the customer's and not the yardstick's: %d stayed, %d moved, %d entered, %d left.\n\n%s",
		moved.Stayed, moved.Moved, moved.Entered, moved.Left, moved)

	p.Title("Segments within each category")
	byCategory, err := rfm.AnalyzeBy(ctx, ledger.Transactions(log), june, func(t ledger.Transaction) string { return t.Category }, nil)
	if err != nil {
		return err
	}
	p.Say("The same customer may be a champion of shoes and new to hats:\n\n%s", byCategory)

	p.Title("Files")
	var table bytes.Buffer
	if err := before.WriteCSV(&table); err != nil {
		return err
	}
	if err := charts.WriteFile(filepath.Join(dir, "segments.csv"), &table); err != nil {
		return err
	}
	if err := draw(dir, before, pareto); err != nil {
		return err
	}
	p.Say("segments.csv for the CRM, heatmap and lorenz (PNG and SVG) are in %s", dir)
	return p.Err()
}

// draw writes the two charts.
func draw(dir string, t *rfm.Table, pareto *rfm.Pareto) error {
	h := t.HeatMap()
	n := len(h.Cells) / h.Bins
	g := charts.Grid{Z: make([][]float64, h.Bins)}
	most := 0.0
	for f := range n {
		g.X = append(g.X, float64(f+1))
	}
	for r := range h.Bins {
		g.Y = append(g.Y, float64(r+1))
		g.Z[r] = make([]float64, n)
	}
	for _, c := range h.Cells {
		g.Z[c.R-1][c.F-1] = float64(c.Customers)
		most = max(most, float64(c.Customers))
	}
	heat, err := charts.HeatMap(charts.Labels{Title: "Where the customers are", X: "frequency score (5 is most often)", Y: "recency score (5 is most recent)"},
		"customers", g, 0, most)
	if err != nil {
		return err
	}
	if err := heat.Save(dir, "heatmap"); err != nil {
		return err
	}
	// The curve of the best customers, turned round to begin with the poorest.
	points := charts.Points{{X: 0, Y: 0}}
	for i := len(pareto.Points) - 1; i >= 0; i-- {
		q := pareto.Points[i]
		points = append(points, charts.Point{X: 1 - float64(q.Share), Y: math.Max(0, 1-float64(q.RevenueShare))})
	}
	points = append(points, charts.Point{X: 1, Y: 1})
	lorenz, err := charts.Lorenz(charts.Labels{Title: "How uneven is the revenue?", X: "share of the customers, the poorest first", Y: "share of the revenue"}, points)
	if err != nil {
		return err
	}
	return lorenz.Save(dir, "lorenz")
}
