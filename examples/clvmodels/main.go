// Clvmodels fits several purchase models to one shop, compares them by likelihood, tests them against what happened later
// and shows how sure one can be of the winner's parameters.
//
//	go run ./examples/clvmodels -out pictures
//	go run ./examples/clvmodels -csv orders.csv -end 2025-06-30 -unit week -currency EUR
//
// Without -csv it reads the simulated shop of examples/sample. A file needs the columns customer, at and amount.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/input"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A config is what the flags say.
type config struct{ csv, end, unit, currency, out string }

func main() {
	var c config
	flag.StringVar(&c.csv, "csv", "", "order log with the columns customer,at,amount; a simulated shop if empty")
	flag.StringVar(&c.end, "end", "", "end of observation, as 2025-06-30; the last day of the log if empty")
	flag.StringVar(&c.unit, "unit", "week", "unit of the models' time: day or week")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-clvmodels"), "directory of the charts")
	flag.Parse()
	story.Main("clvmodels", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out) })
}

func run(ctx context.Context, c config, out io.Writer) error {
	unit, ok := map[string]time.Duration{"day": clv.Day, "week": clv.Week}[c.unit]
	if !ok {
		return fmt.Errorf("-unit %s: want day or week", c.unit)
	}
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
	hs, err := clv.Summarize(ctx, ledger.Transactions(log), end, unit, nil)
	if err != nil {
		return err
	}
	if len(hs.Rows) == 0 {
		return fmt.Errorf("no purchase on or before %s", end.Format(time.DateOnly))
	}

	p.Title("Four stories of the same customers")
	p.Say("NBD         customers buy at random, each at a rate of their own, and never leave\n" +
		"BG/NBD      they may leave after an order\n" +
		"MBG/NBD     they may also leave right after the first\n" +
		"Pareto/NBD  they may leave at any time")
	nbd, err := clv.FitNBD(ctx, hs, nil)
	if err != nil {
		return err
	}
	bg, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		return err
	}
	mbg, err := clv.FitMBGNBD(ctx, hs, nil)
	if err != nil {
		return err
	}
	pareto, err := clv.FitParetoNBD(ctx, hs, nil)
	if err != nil {
		return err
	}
	table, err := fit.Compare(nbd.Summary(), bg.Summary(), mbg.Summary(), pareto.Summary())
	if err != nil {
		return err
	}
	p.Say("\n%s", table)
	p.Say("The lower the AIC, the better a story explains the %d customers; a difference of 10 is strong evidence.", hs.Customers())
	if c.csv == "" {
		p.Say("The shop was simulated with BG/NBD: customers leave after an order.")
	}

	p.Title("Do customers leave at all?")
	lr, err := fit.Test(nbd.Summary(), pareto.Summary())
	if err != nil {
		return err
	}
	p.Say("NBD is Pareto/NBD without dropout. The likelihood-ratio test of the two: statistic %.0f with %d degrees of freedom, P %.2g.",
		lr.Statistic, lr.DF, lr.P)

	p.Title("Which forecast comes true?")
	if err := backtest(ctx, p, c, log, unit); err != nil {
		return err
	}

	p.Title("How sure are the parameters?")
	p.Say("%s", bg)
	if c.csv != "" {
		p.Say("Of A and B, what counts is A/(A+B) = %.2f, the probability to leave after an order; it is much better known than either.",
			bg.Model.A/(bg.Model.A+bg.Model.B))
	} else {
		p.Say("A shop of this size tells how often its customers buy better than how they leave: the intervals of A and B are wide,\nand what counts, their ratio A/(A+B) = %.2f, is much better known than either.", bg.Model.A/(bg.Model.A+bg.Model.B))
	}

	p.Title("The distribution of purchases")
	h, err := validate.Frequencies(bg.Model, hs, 8)
	if err != nil {
		return err
	}
	p.Say("Customers by the number of their repeat purchases, and how many BG/NBD expects:\n\n%s", h)
	if err := draw(c.out, h); err != nil {
		return err
	}
	p.Say("frequencies (PNG and SVG) are in %s", c.out)
	return p.Err()
}

// horizon is how far the backtest looks ahead, in weeks.
const horizon = 26

// backtest fits each model at three dates and compares its forecast of 26 weeks with what happened.
func backtest(ctx context.Context, p *story.Printer, c config, log []ledger.Transaction, unit time.Duration) error {
	diary, err := validate.ReadDiary(ctx, ledger.Transactions(log), nil)
	if err != nil {
		return err
	}
	var origins []time.Time
	for _, month := range []time.Month{time.February, time.April, time.June} {
		origins = append(origins, ledger.Month(2025, month, nil).End.AddDate(0, 0, -1))
	}
	when := "the end of February, April and June 2025"
	if c.csv != "" {
		first, last := diary.Span() // of the purchases: a refund may be later
		latest := last.AddDate(0, 0, -7*horizon)
		origins = []time.Time{ledger.AddMonths(latest, -4), ledger.AddMonths(latest, -2), latest}
		if origins[0].Before(ledger.AddMonths(first, 3)) {
			p.Say("That takes three dates with %d weeks after them and three months before the first: the log is too short.", horizon)
			return nil
		}
		when = fmt.Sprintf("%s, %s and %s", origins[0].Format(time.DateOnly), origins[1].Format(time.DateOnly), origins[2].Format(time.DateOnly))
	}
	ranks, err := diary.Backtest(ctx, unit, origins, horizon*float64(clv.Week)/float64(unit), candidate("NBD", clv.FitNBD), candidate("BG/NBD", clv.FitBGNBD),
		candidate("MBG/NBD", clv.FitMBGNBD), candidate("Pareto/NBD", clv.FitParetoNBD))
	if err != nil {
		return err
	}
	p.Say("Each model forecasts the %d weeks after %s:\n\n%s", horizon, when, ranks)
	if c.csv != "" {
		p.Say("The errors are those of a customer's purchases. A model that does not beat the forecast that everybody goes on as before,\n" +
			"same as last period, is of no use; of those that do, small differences matter little.")
		return nil
	}
	p.Say("A model without dropout, and the forecast that everybody goes on as before, are far off; the three that let customers\n" +
		"leave are close to one another. That is the usual finding: dropout matters, its exact form much less.")
	return nil
}

func candidate[M clv.Model](name string, f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error)) validate.Candidate {
	return validate.Candidate{Name: name, Fit: func(ctx context.Context, hs *clv.Histories) (validate.Forecaster, error) {
		e, err := f(ctx, hs, nil)
		if err != nil {
			return nil, err
		}
		return e.Model, nil
	}}
}

func draw(dir string, h validate.Histogram) error {
	var actual, expected charts.Points
	for i, f := range h {
		actual = append(actual, charts.Point{X: float64(i), Y: f.Actual})
		expected = append(expected, charts.Point{X: float64(i), Y: f.Expected})
	}
	chart, err := charts.Lines(charts.Labels{Title: "How often do customers come back?", X: "repeat purchases (" + strconv.Itoa(len(h)-1) + " or more at the right)", Y: "customers"},
		[]charts.Series{{Name: "happened", Points: actual}, {Name: "expected", Points: expected, Dashed: true}})
	if err != nil {
		return err
	}
	return chart.Save(dir, "frequencies")
}
