package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/cac/experiment"
	"github.com/custval/custval/examples/internal/input"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A config is what the flags say.
type config struct{ orders, costs, touches, trials, test, margin, end, currency, out string }

// own reports whether a file is given.
func (c config) own() bool { return c.orders+c.costs+c.touches+c.trials+c.test != "" }

// runOwn asks the questions of the story of somebody's own files, and leaves out what only the simulated shop can tell.
func runOwn(ctx context.Context, c config, out io.Writer) error {
	p := story.New(out)
	if (c.orders == "") != (c.costs == "") || c.touches != "" && c.orders == "" {
		return errors.New("-orders and -costs go together, and -touches needs both")
	}
	var curves *cac.PaybackTable
	if c.orders != "" {
		var err error
		if curves, err = ownCosts(ctx, p, c); err != nil {
			return err
		}
	}
	if c.trials != "" {
		if err := ownTrials(ctx, p, c); err != nil {
			return err
		}
	}
	if c.test != "" {
		if err := ownTest(ctx, p, c); err != nil {
			return err
		}
	}
	if curves != nil {
		if err := drawPayback(curves, c.out); err != nil {
			return err
		}
		p.Say("\nThe chart payback (PNG and SVG) is in %s", c.out)
	}
	return p.Err()
}

func (c config) csv() *ledger.CSVOptions {
	return &ledger.CSVOptions{Currency: money.Currency(c.currency)}
}

// readOwn loads the orders up to the end, the costs and the touch-points.
func readOwn(ctx context.Context, c config) (s *shop, end time.Time, err error) {
	s = &shop{}
	s.log, err = input.Read(c.orders, nil, func(r io.Reader) iter.Seq2[ledger.Transaction, error] { return ledger.ReadCSV(ctx, r, c.csv()) })
	if err != nil {
		return nil, end, err
	}
	_, last := input.Span(s.log)
	if last, err = input.Day("end", c.end, last); err != nil {
		return nil, end, err
	}
	end = last.AddDate(0, 0, 1)
	s.log = slices.DeleteFunc(s.log, func(t ledger.Transaction) bool { return !t.At.Before(end) })
	s.costs, err = input.Read(c.costs, nil, func(r io.Reader) iter.Seq2[cac.Cost, error] { return cac.ReadCosts(ctx, r, c.csv()) })
	if err != nil {
		return nil, end, err
	}
	if s.won, err = cac.Acquire(ctx, ledger.Transactions(s.log), nil); err != nil {
		return nil, end, err
	}
	s.customers = s.won.Customers()
	if len(s.customers) == 0 {
		return nil, end, fmt.Errorf("%s: no paid order on or before %s", c.orders, last.Format(time.DateOnly))
	}
	if c.touches == "" {
		return s, end, nil
	}
	s.touches, err = input.Read(c.touches, nil, func(r io.Reader) iter.Seq2[attribution.Touchpoint, error] {
		return attribution.ReadTouchpoints(ctx, r, c.csv())
	})
	return s, end, err
}

// ownCosts has the tables of cost, payback and attribution.
func ownCosts(ctx context.Context, p *story.Printer, c config) (*cac.PaybackTable, error) {
	s, end, err := readOwn(ctx, c)
	if err != nil {
		return nil, err
	}
	p.Title("What a customer costs")
	first, _ := input.Span(s.log)
	p.Say("%d customers placed their first paid order from %s to %s. Paid media alone, by the channel of that order:\n",
		len(s.customers), first.Format(time.DateOnly), end.AddDate(0, 0, -1).Format(time.DateOnly))
	paid, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerChannel, Basis: cac.Paid()})
	if err != nil {
		return nil, err
	}
	p.Say("%s", paid)
	loaded, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerChannel, Sharing: cac.Sharing{Rule: cac.ByNewCustomers}})
	if err != nil {
		return nil, err
	}
	p.Say("All costs; those of no channel are shared by the customers whom each channel won:\n\n%s", loaded)

	p.Title("The last months that won customers")
	latest := slices.MaxFunc(s.customers, func(a, b ledger.Customer) int { return a.Acquired.Compare(b.Acquired) }).Acquired
	month := ledger.Month(latest.Year(), latest.Month(), latest.Location())
	months, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{Periods: ledger.Months(ledger.AddMonths(month.End, -6), month.End, nil)})
	if err != nil {
		return nil, err
	}
	p.Say("All costs over all new customers, month by month:\n\n%s", months)

	p.Title("When is the cost earned back?")
	var quarters []ledger.Period
	for q := ledger.Quarter(first.Year(), quarterOf(first), nil); q.Start.Before(end); q = ledger.Quarter(q.End.Year(), quarterOf(q.End), nil) {
		quarters = append(quarters, q)
	}
	t, err := cac.ByCohort(s.costs, s.customers, nil, quarters...)
	if err != nil {
		return nil, err
	}
	o := &cac.CurveOptions{}
	if c.margin != "" {
		if o.Margin, err = strconv.ParseFloat(c.margin, 64); err != nil || !(o.Margin > 0 && o.Margin <= 1) {
			return nil, fmt.Errorf("-margin %s: want a share as 0.30", c.margin)
		}
	}
	curves, err := cac.PaybackCurves(ctx, ledger.Transactions(s.log), s.customers, t, end, o)
	if err != nil {
		return nil, err
	}
	p.Say("The margin of the customers won in each quarter against their full cost, by the months since each was won:\n\n%s", curves)
	if len(s.touches) > 0 {
		if err := ownCredit(ctx, p, s, end); err != nil {
			return nil, err
		}
	}
	return curves, nil
}

func quarterOf(t time.Time) int { return 1 + int(t.Month()-1)/3 }

// ownCredit compares attribution models.
func ownCredit(ctx context.Context, p *story.Printer, s *shop, end time.Time) error {
	p.Title("Who gets the credit?")
	var orders []attribution.Conversion
	for _, a := range s.won.Rows {
		orders = append(orders, attribution.Conversion{Customer: a.Customer.ID, At: a.Customer.Acquired, Value: a.FirstOrder})
	}
	js, err := attribution.Build(ctx, ledger.Slice(s.touches), ledger.Slice(orders), end,
		&attribution.BuildOptions{Lookback: 30 * 24 * time.Hour, Direct: "direct", Repeat: attribution.FirstOnly})
	if err != nil {
		return err
	}
	t := js.Totals()
	models, err := attribution.Compare(ctx, js, attribution.Last{}, attribution.Linear{}, attribution.Position{}, attribution.Markov{}, attribution.Shapley{})
	if err != nil {
		return err
	}
	p.Say("%d journeys within 30 days led to %d first orders; %d led to none. The same orders by five models, which describe journeys\n"+
		"and do not know what would have happened without a channel:\n\n%s", t.Journeys, t.Conversions, t.Nulls, models)
	return nil
}

// ownTrials fits a curve to the trials of each channel.
func ownTrials(ctx context.Context, p *story.Printer, c config) error {
	rows, err := input.Read(c.trials, nil, func(r io.Reader) iter.Seq2[trial, error] { return trials(ctx, r) })
	if err != nil {
		return err
	}
	points := map[string][]budget.Point{}
	for _, t := range rows {
		points[t.channel] = append(points[t.channel], t.Point)
	}
	p.Title("What does a spend win?")
	p.Say("A saturating curve of each channel, from what each spend brought in a month. If the spends were not drawn at random, it\n" +
		"shows what went together and not what a spend causes:\n")
	for _, channel := range slices.Sorted(maps.Keys(points)) {
		f, err := budget.FitMichaelisMenten(ctx, points[channel], nil)
		if err != nil {
			return fmt.Errorf("%s: channel %s: %w", c.trials, channel, err)
		}
		p.Say("  %-12s at most %.1f customers, half of them with %s %.0f (R2 %.2f, %d trials up to %.0f)", channel, f.Estimate.Model.A,
			c.currency, f.Estimate.Model.C, f.RSquared, len(points[channel]), f.SpendHigh)
	}
	return nil
}

// ownTest reads an experiment: who bought, and what it was worth.
func ownTest(ctx context.Context, p *story.Printer, c config) error {
	rows, err := input.Read(c.test, nil, func(r io.Reader) iter.Seq2[subscriber, error] { return subscribers(ctx, r, c.csv()) })
	if err != nil {
		return err
	}
	var names []string
	for _, r := range rows {
		if !slices.Contains(names, r.arm) {
			names = append(names, r.arm)
		}
	}
	slices.SortFunc(names, func(a, b string) int { // control is the arm that the others are compared with
		if (a == "control") != (b == "control") {
			return map[bool]int{true: -1, false: 1}[a == "control"]
		}
		return cmp.Compare(a, b)
	})
	if names[0] != "control" || len(names) < 2 {
		return fmt.Errorf("%s: field \"arm\": want control and at least one other, not %v", c.test, names)
	}
	rates, values := make([]experiment.RateArm, len(names)), make([]experiment.Arm, len(names))
	for i, name := range names {
		rates[i].Name, values[i].Name = name, name
	}
	for _, r := range rows {
		i := slices.Index(names, r.arm)
		rates[i].Customers++
		if r.orders > 0 {
			rates[i].Conversions++
		}
		values[i].Values = append(values[i].Values, r.margin.Float64())
	}
	p.Title("How to read an experiment")
	o := &experiment.Options{Currency: money.Currency(c.currency)}
	bought, err := experiment.AnalyzeRates(ctx, rates, o)
	if err != nil {
		return err
	}
	worth, err := experiment.AnalyzeValues(ctx, values, o)
	if err != nil {
		return err
	}
	p.Say("Who bought, of %d subscribers:\n\n%s\nWhat each was worth, those who bought nothing included:\n\n%s", len(rows), bought, worth)
	return nil
}
