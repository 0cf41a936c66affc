// Customervalue summarizes an order log on Apache Beam, fits BG/NBD and gamma-gamma to the compressed summary, and writes
// summaries, estimates and scores. Without a flag that names an engine it runs in this process:
//
//	go run ./cmd/customervalue -orders 'orders/*.csv' -currency USD -end 2025-06-30 -margin 0.3 -out result
//	go run ./cmd/customervalue -simulate 100000 -margin 0.3 -out result
//
// Directory and globs may be of a store that the workers reach, such as gs://bucket/orders/*.csv. README.md says how to
// run it on Flink, Spark and Dataflow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"
	_ "time/tzdata" // workers may have no zones of their own

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/custval/custval/beam/pipeline"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/money"
)

func main() {
	c := newConfig(flag.CommandLine)
	flag.Parse()
	beam.Init() // a worker stays in here
	if !c.verbose {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // the engine's log; its errors come back from Run
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customervalue:", err)
		os.Exit(1) //nolint:forbidigo // this is a program's main
	}
}

// A config is what the flags say.
type config struct {
	orders, before, out          string
	end, location                string
	columns, layouts             string
	comma, decimalMark, grouping string
	currency                     string
	minor, verbose               bool
	simulate, shards             int
	seed                         uint64
	margin, horizon, discount    float64
}

func newConfig(f *flag.FlagSet) *config {
	c := &config{}
	f.StringVar(&c.orders, "orders", "", "glob of the order files: CSV, or .csv.gz, with a header")
	f.IntVar(&c.simulate, "simulate", 0, "make the orders of so many customers instead of reading files")
	f.Uint64Var(&c.seed, "seed", 1, "of the simulated orders")
	f.StringVar(&c.before, "before", "", "glob of the summaries of an earlier run, whose orders count as well")
	f.StringVar(&c.out, "out", "", "directory of the results")
	f.StringVar(&c.end, "end", "", "end of observation, such as 2025-06-30; with -simulate 2025-12-31 if empty")
	f.StringVar(&c.location, "location", "UTC", "whose calendar days count, such as Europe/Istanbul")
	f.StringVar(&c.columns, "columns", "", "columns of the fields, such as customer=Kunde,at=Datum,amount=Betrag")
	f.StringVar(&c.layouts, "layouts", "", "layouts of the dates, such as 02.01.2006, separated by |")
	f.StringVar(&c.comma, "comma", "", "separator of the columns; a comma if empty")
	f.StringVar(&c.decimalMark, "decimal-mark", "", "decimal mark of the amounts; a point if empty")
	f.StringVar(&c.grouping, "grouping", "", "separator of thousands; none if empty")
	f.StringVar(&c.currency, "currency", "", "currency of the amounts where no column says it")
	f.BoolVar(&c.minor, "minor", false, "amounts are whole numbers of the minor unit")
	f.IntVar(&c.shards, "shards", 64, "parts into which the customers are divided")
	f.Float64Var(&c.margin, "margin", 0, "share of the spend that is earned, such as 0.3; required")
	f.Float64Var(&c.horizon, "horizon", 52, "weeks to look ahead; 0 means for ever")
	f.Float64Var(&c.discount, "discount", 0.10, "annual discount rate")
	f.BoolVar(&c.verbose, "v", false, "show the log of the engine")
	return c
}

func run(ctx context.Context, c *config, w io.Writer) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	r, err := pipeline.Run(ctx, job)
	if err != nil {
		return err
	}
	if r == nil {
		_, err = fmt.Fprintln(w, "Not waiting for the engine; results that it makes will be in", c.out)
		return err
	}
	_, err = fmt.Fprintf(w, "%v\nWritten to %s: result.json, summaries and scores\n", r, c.out)
	return err
}

func (c *config) job() (*pipeline.Job, error) {
	j := &pipeline.Job{
		Options: pipeline.Options{Location: c.location, Shards: c.shards},
		Orders:  c.orders, Before: c.before, Out: c.out,
		Format: pipeline.Format{
			Comma: c.comma, Currency: money.Currency(c.currency), Location: c.location,
			DecimalMark: c.decimalMark, Grouping: c.grouping, Minor: c.minor,
		},
		Value: clv.ValueOptions{Margin: c.margin, Horizon: c.horizon, Discount: clv.Annual(c.discount)},
	}
	if c.layouts != "" {
		j.Format.Layouts = strings.Split(c.layouts, "|")
	}
	var err error
	if j.Format.Columns, err = parseColumns(c.columns); err != nil {
		return nil, err
	}
	if c.end == "" && c.simulate > 0 {
		c.end = "2025-12-31"
	}
	loc, err := time.LoadLocation(c.location)
	if err != nil {
		return nil, fmt.Errorf("-location %q: %w", c.location, err)
	}
	if j.End, err = time.ParseInLocation(time.DateOnly, c.end, loc); err != nil {
		return nil, fmt.Errorf("-end %q: want a day, such as 2025-06-30", c.end)
	}
	if c.simulate > 0 {
		j.Shop = simulated(c, j.End)
	}
	return j, nil
}

// simulated is the shop of -simulate: two years in which customers come evenly.
func simulated(c *config, end time.Time) *pipeline.Shop {
	currency := money.Currency(c.currency)
	if currency == "" {
		currency = "USD"
	}
	return &pipeline.Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 6, A: 0.8, B: 2.5}, Spend: clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit: clv.Week, Customers: c.simulate, Start: end.AddDate(-2, 0, 0), End: end, Currency: currency, Seed: c.seed,
	}
}

func parseColumns(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	columns := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		field, column, ok := strings.Cut(pair, "=")
		if !ok || field == "" || column == "" {
			return nil, fmt.Errorf("-columns %q: %w", pair, errors.New("want FIELD=COLUMN"))
		}
		columns[field] = column
	}
	return columns, nil
}
