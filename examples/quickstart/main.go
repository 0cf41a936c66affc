// Quickstart turns an order log into the value of each customer, in seven steps that read from top to bottom.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -csv orders.csv -end 2025-06-30 -unit week -currency EUR -out pictures
//
// Without -csv it reads the log of a small web shop that the library simulated (examples/sample). A file needs the
// columns customer, at and amount; a column currency is used where there is one.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/internal/input"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A config is what the flags say.
type config struct {
	csv      string
	end      string
	unit     string
	currency string
	out      string
}

func main() {
	var c config
	flag.StringVar(&c.csv, "csv", "", "order log with the columns customer,at,amount; a simulated shop if empty")
	flag.StringVar(&c.end, "end", "", "end of observation, as 2025-06-30; later rows are compared with the forecast; the last day of the log if empty")
	flag.StringVar(&c.unit, "unit", "week", "unit of the models' time: day or week")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-quickstart"), "directory of the charts")
	flag.Parse()
	story.Main("quickstart", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out, os.Stderr) })
}

// run is the whole program: it prints its story to out and its progress to progress.
func run(ctx context.Context, c config, out, progress io.Writer) error {
	unit, ok := map[string]time.Duration{"day": clv.Day, "week": clv.Week}[c.unit]
	if !ok {
		return fmt.Errorf("-unit %s: want day or week", c.unit)
	}
	p := story.New(out)

	p.Title("The order log")
	log, name, err := read(ctx, c)
	if err != nil {
		return err
	}
	first, last := input.Span(log)
	p.Say("%s has %d rows from %s to %s.", name, len(log), first.Format(time.DateOnly), last.Format(time.DateOnly))
	end, err := endOf(c, last)
	if err != nil {
		return err
	}

	p.Title("What each customer did until %s", end.Format(time.DateOnly))
	hs, err := clv.Summarize(ctx, ledger.Transactions(log), end, unit, &clv.SummaryOptions{Progress: report(progress)})
	if err != nil {
		return err
	}
	if len(hs.Rows) == 0 {
		return fmt.Errorf("no purchase on or before %s", end.Format(time.DateOnly))
	}
	p.Say("%d customers, %d of them repeat buyers. A customer is reduced to three numbers: repeat purchases (x), time of the\n"+
		"last one (t_x) and time since the first one (T), both in %ss. What became of the rows:", hs.Customers(), repeatBuyers(hs), c.unit)
	p.Say("%s", hs.Report)

	p.Title("How often, and for how long: the BG/NBD model")
	purchases, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		return err
	}
	p.Say("%s", purchases)
	m := purchases.Model
	p.Say("While they stay, customers place %.3f repeat orders a %s on average, and after an order %.0f %% leave for good.",
		m.R/m.Alpha, c.unit, 100*m.A/(m.A+m.B))

	p.Title("How much they spend: the gamma-gamma model")
	spend, err := clv.FitGammaGamma(ctx, hs, nil)
	if err != nil {
		return err
	}
	p.Say("%s", spend)
	p.Say("The mean order of a customer is drawn towards %.2f, the more so the fewer orders there are.", spend.Model.PopulationMean())

	horizon := float64(last.Sub(end)) / float64(unit)
	if !last.After(end) {
		horizon = 52 * float64(clv.Week) / float64(unit)
	}
	p.Title("Forecast of the next %.0f %ss", horizon, c.unit)
	if err := forecast(ctx, p, m, hs, log, last, horizon); err != nil {
		return err
	}

	p.Title("The value of each customer")
	scorer, err := clv.NewScorer(purchases, spend, hs.Rows[0].Spend.Currency(), clv.ValueOptions{
		Margin: 0.30, Horizon: 52 * float64(clv.Week) / float64(unit), Discount: clv.Annual(0.10)}, nil)
	if err != nil {
		return err
	}
	values, err := score(p, scorer, hs)
	if err != nil {
		return err
	}

	p.Title("Charts")
	if err := draw(ctx, c, m, hs, log, values); err != nil {
		return err
	}
	p.Say("cumulative, alive and values (PNG and SVG) are in %s", c.out)
	return p.Err()
}

// read returns the log as it came and what to call it.
func read(ctx context.Context, c config) ([]ledger.Transaction, string, error) {
	name := "The simulated shop"
	if c.csv != "" {
		name = filepath.Base(c.csv)
	}
	log, err := input.Read(c.csv, sample.Shop(), func(r io.Reader) iter.Seq2[ledger.Transaction, error] {
		return ledger.ReadCSV(ctx, r, &ledger.CSVOptions{Currency: money.Currency(c.currency)})
	})
	return log, name, err
}

func endOf(c config, last time.Time) (time.Time, error) {
	if c.csv == "" {
		last = sample.ShopEnd
	}
	return input.Day("end", c.end, last)
}

func report(w io.Writer) func(rows int) {
	const step = 1_000_000
	next := step
	return func(rows int) {
		if rows >= next {
			fmt.Fprintf(w, "%d rows summarized\n", rows)
			next += step
		}
	}
}

func repeatBuyers(hs *clv.Histories) int {
	n := 0
	for _, h := range hs.Rows {
		if h.X > 0 {
			n++
		}
	}
	return n
}
