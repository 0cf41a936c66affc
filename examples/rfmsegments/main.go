// Rfmsegments puts every customer of a shop into a segment, follows the segments over half a year and writes the file
// that a CRM imports.
//
//	go run ./examples/rfmsegments -out pictures
//	go run ./examples/rfmsegments -csv orders.csv -end 2025-06-30 -currency EUR
//
// Without -csv it reads the simulated shop of examples/sample, scores June 2025 and looks ahead. A file needs the columns
// customer, at and amount, and perhaps category; its customers are scored at the end and compared with half a year before.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/input"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/rfm"
)

// A config is what the flags say.
type config struct{ csv, end, currency, out string }

func main() {
	var c config
	flag.StringVar(&c.csv, "csv", "", "order log with the columns customer,at,amount and perhaps category; a simulated shop if empty")
	flag.StringVar(&c.end, "end", "", "end of observation, as 2025-06-30; the last day of the log if empty")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-rfmsegments"), "directory of the charts and of segments.csv")
	flag.Parse()
	story.Main("rfmsegments", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out) })
}

func run(ctx context.Context, c config, out io.Writer) error {
	p := story.New(out)
	log, err := input.Read(c.csv, sample.Shop(), func(r io.Reader) iter.Seq2[ledger.Transaction, error] {
		return ledger.ReadCSV(ctx, r, &ledger.CSVOptions{Currency: money.Currency(c.currency)})
	})
	if err != nil {
		return err
	}
	_, last := input.Span(log)
	if c.csv == "" {
		last = sample.ShopEnd
	}
	end, err := input.Day("end", c.end, last)
	if err != nil {
		return err
	}

	p.Title("Recency, frequency, monetary value")
	scores, err := rfm.Analyze(ctx, ledger.Transactions(log), end, nil)
	if err != nil {
		return err
	}
	if len(scores.Rows) == 0 {
		return fmt.Errorf("no purchase on or before %s", end.Format(time.DateOnly))
	}
	p.Say("Until %s each customer gets three scores from 1 to 5: how recently, how often and for how much they bought.\n"+
		"Customers who did the same get the same score, whatever the order of the rows. The best five:\n", end.Format(time.DateOnly))
	for _, r := range scores.Top(5) {
		p.Say("  %s  R%d F%d M%d  %s", r.Customer, r.R, r.F, r.M, r.Segment)
	}

	p.Title("Segments")
	p.Say("Each cell of recency and frequency belongs to one of ten segments, with an action to take:\n\n%s", scores.Segments())
	pareto, err := scores.Pareto(len(scores.Rows))
	if err != nil {
		return err
	}
	p.Say("The revenue is uneven: its Gini coefficient is %.2f.", float64(pareto.Gini))

	if err := moves(ctx, p, c, log, scores, end); err != nil {
		return err
	}

	if slices.ContainsFunc(log, func(t ledger.Transaction) bool { return t.Category != "" }) {
		p.Title("Segments within each category")
		byCategory, err := rfm.AnalyzeBy(ctx, ledger.Transactions(log), end, func(t ledger.Transaction) string { return t.Category }, nil)
		if err != nil {
			return err
		}
		example := "a champion of shoes and new to hats"
		if c.csv != "" {
			example = "a champion of one and new to another"
		}
		p.Say("The same customer may be %s:\n\n%s", example, byCategory)
	}

	p.Title("Files")
	var table bytes.Buffer
	if err := scores.WriteCSV(&table); err != nil {
		return err
	}
	if err := charts.WriteFile(filepath.Join(c.out, "segments.csv"), &table); err != nil {
		return err
	}
	if err := draw(c.out, scores, pareto); err != nil {
		return err
	}
	p.Say("segments.csv for the CRM, heatmap and lorenz (PNG and SVG) are in %s", c.out)
	return p.Err()
}

// moves compares the segments of two dates, half a year apart: of the simulated shop the end and what followed, of a file the
// end and what went before.
func moves(ctx context.Context, p *story.Printer, c config, log []ledger.Transaction, scores *rfm.Table, end time.Time) error {
	before, to := scores, time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)
	words := "Scored on the scales of June"
	if c.csv != "" {
		to = end
		from := ledger.AddMonths(to, -6)
		p.Title("What became of the customers of %s", from.Format(time.DateOnly))
		if first, _ := input.Span(log); first.After(from) {
			p.Say("Nobody had bought by then: the log is too short.")
			return nil
		}
		var err error
		if before, err = rfm.Analyze(ctx, ledger.Transactions(log), from, nil); err != nil {
			return err
		}
		words = "Scored on the scales of that day"
	} else {
		p.Title("What became of them half a year later")
	}
	after, err := rfm.Analyze(ctx, ledger.Transactions(log), to, &rfm.Options{Scales: &before.Scales})
	if err != nil {
		return err
	}
	moved, err := rfm.Compare(before, after)
	if err != nil {
		return err
	}
	p.Say("%s, so that a move is the customer's and not the yardstick's: %d stayed, %d moved, %d entered, %d left.\n\n%s",
		words, moved.Stayed, moved.Moved, moved.Entered, moved.Left, moved)
	return nil
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
