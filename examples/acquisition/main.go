// Acquisition follows the money that wins a shop's customers: what they cost, when they have earned it back, which channel
// deserves the credit, where the next dollar earns most, and what an experiment says of all this.
//
//	go run ./examples/acquisition -out pictures
//	go run ./examples/acquisition -orders orders.csv -costs costs.csv -touches touches.csv -trials trials.csv -test test.csv -currency EUR
//
// Without files it tells the story of the simulated shop of examples/sample, whose files show the columns. With -orders and
// -costs it answers the same questions for any shop, with -touches, -trials and -test those that need them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func main() {
	var c config
	flag.StringVar(&c.orders, "orders", "", "order log with the columns customer,at,amount and perhaps cost,id,channel,campaign; a simulated shop if empty")
	flag.StringVar(&c.costs, "costs", "", "marketing costs with the columns of cac.ReadCosts: amount,date or start and end,category,channel,campaign")
	flag.StringVar(&c.touches, "touches", "", "touch-points with the columns customer,at,channel,campaign")
	flag.StringVar(&c.trials, "trials", "", "spends that were tried, with the columns channel,spend,customers, each for a month")
	flag.StringVar(&c.test, "test", "", "experiment with the columns subscriber,arm,orders,margin, whose arm control is compared with the others")
	flag.StringVar(&c.margin, "margin", "", "share of the amount that is margin, as 0.30, for orders without a cost")
	flag.StringVar(&c.end, "end", "", "last day of the orders that counts, as 2025-06-30; the last day of the log if empty")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-acquisition"), "directory of the charts")
	flag.Parse()
	story.Main("acquisition", func(ctx context.Context, out io.Writer) error {
		if c.own() {
			return runOwn(ctx, c, out)
		}
		return run(ctx, c.out, out)
	})
}

// A shop is what the story is about.
type shop struct {
	log       []ledger.Transaction
	won       *cac.Acquisitions
	customers []ledger.Customer // with the channel and the campaign of the last touch
	costs     []cac.Cost
	touches   []attribution.Touchpoint
	worth     cac.ValueOf // the margin that a customer has brought up to the end of the log
}

// end is the last moment of the order log.
var end = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func run(ctx context.Context, dir string, out io.Writer) error {
	p := story.New(out)
	s, err := read(ctx)
	if err != nil {
		return err
	}
	for _, chapter := range []func(context.Context, *story.Printer, *shop, string) error{
		channels, campaigns, payback, credit, move, experimentRead,
	} {
		if err := chapter(ctx, p, s, dir); err != nil {
			return err
		}
	}
	p.Say("\nThe charts loaded, campaigns, payback and curves (PNG and SVG) are in %s", dir)
	return p.Err()
}

// read loads the files and brings them together.
func read(ctx context.Context) (*shop, error) {
	o := &ledger.CSVOptions{Currency: "USD"}
	var s shop
	var err error
	if s.log, err = ledger.Collect(ledger.ReadCSV(ctx, sample.Shop(), o)); err != nil {
		return nil, err
	}
	if s.costs, err = ledger.Collect(cac.ReadCosts(ctx, sample.MarketingCosts(), o)); err != nil {
		return nil, err
	}
	if s.touches, err = ledger.Collect(attribution.ReadTouchpoints(ctx, sample.MarketingTouches(), o)); err != nil {
		return nil, err
	}
	if s.won, err = cac.Acquire(ctx, ledger.Transactions(s.log), nil); err != nil {
		return nil, err
	}
	s.customers = s.won.Customers()
	campaign := map[string]string{} // of the last touch; the file is in the order of time
	for _, t := range s.touches {
		campaign[t.Customer] = t.Campaign
	}
	for i := range s.customers {
		s.customers[i].Campaign = campaign[s.customers[i].ID]
	}
	margins := map[string]money.Amount{}
	for _, t := range s.log {
		margin, err := t.Amount.Sub(t.Cost)
		if err != nil {
			return nil, err
		}
		if margins[t.Customer], err = margins[t.Customer].Add(margin); err != nil {
			return nil, err
		}
	}
	s.worth = cac.Values(margins)
	return &s, nil
}

// channels divides the costs by the customers whom each channel won, first the media alone and then everything.
func channels(ctx context.Context, p *story.Printer, s *shop, dir string) error {
	p.Title("What a customer costs")
	p.Say("%d customers were won from January 2024 to March 2025. What the media cost, divided by the customers of the channels\n"+
		"that have media, is the figure that platforms show:\n", len(s.customers))
	paid, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerChannel, Basis: cac.Paid(), Value: s.worth})
	if err != nil {
		return err
	}
	p.Say("%s", paid)
	loaded, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerChannel, Value: s.worth,
		Sharing: cac.Sharing{Rule: cac.ByNewCustomers}})
	if err != nil {
		return err
	}
	p.Say("The full cost has the salary, the tools, the agency and the gifts as well. What belongs to no channel is shared between\n"+
		"the channels by the customers whom they won, to the cent. Value is the margin that customers have brought by the\n"+
		"end of 2025:\n\n%s", loaded)
	before, err := paid.Total.CAC()
	if err != nil {
		return err
	}
	after, err := loaded.Total.CAC()
	if err != nil {
		return err
	}
	worth, err := loaded.Total.LTVToCAC()
	if err != nil {
		return err
	}
	p.Say("A customer of a paid channel seems to cost %s; a customer costs %s when everything is counted, and has\n"+
		"brought %.1f times that so far. Direct and email are not free, and social looks far worse than its platform says.", before.Cost, after.Cost, worth)
	if row, ok := paid.Find("display", ledger.Period{}); ok {
		if _, err := row.CAC(); errors.Is(err, cac.ErrNoNewCustomers) {
			p.Say("Display has no cost per customer, neither zero nor infinite: %s were spent and nobody's last touch was a banner.\n"+
				"Whether it was wasted is the question of section 4.", row.Spend)
		}
	}
	return drawLoaded(ctx, p, s, dir)
}

// drawLoaded shows what each kind of cost adds to the cost of a customer.
func drawLoaded(ctx context.Context, p *story.Printer, s *shop, dir string) error {
	var bars []charts.Bar
	for _, kind := range []struct {
		name     string
		category cac.Category
	}{{"media", cac.PaidMedia}, {"agency", cac.Agency}, {"tools", cac.Tools}, {"gifts", cac.Other}, {"salary", cac.Payroll}} {
		t, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{Denominator: cac.NewAll,
			Basis: cac.Basis{Name: kind.name, Categories: []cac.Category{kind.category}}})
		if err != nil {
			return err
		}
		f, err := t.Total.CAC()
		if err != nil {
			return err
		}
		bars = append(bars, charts.Bar{Name: kind.name, Value: f.Unrounded})
	}
	p.Say("The chart loaded builds the full cost up. Its media are USD %.2f a customer, since those who came by themselves count too.", bars[0].Value)
	total := 0.0
	for _, b := range bars {
		total += b.Value
	}
	chart, err := charts.Waterfall(charts.Labels{Title: "From the media to the full cost", X: "kind of cost", Y: "USD per new customer"},
		append(bars, charts.Bar{Name: "all", Value: total}))
	if err != nil {
		return err
	}
	return chart.Save(dir, "loaded")
}

// campaigns follows the cost of a customer by campaign and month.
func campaigns(ctx context.Context, p *story.Printer, s *shop, dir string) error {
	p.Title("Campaigns month by month")
	all, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerCampaign, Basis: cac.Paid(),
		Periods: ledger.Months(sample.MarketingStart, sample.MarketingEnd, nil)})
	if err != nil {
		return err
	}
	last, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerCampaign, Basis: cac.Paid(),
		Periods: ledger.Months(sample.MarketingEnd.AddDate(0, -3, 0), sample.MarketingEnd, nil)})
	if err != nil {
		return err
	}
	p.Say("Media by campaign over the last three months:\n\n%s", last)
	p.Say("Totals are ratios of sums, never means of ratios. A campaign wins some ten customers in a month, so a change by a third\n" +
		"is often chance. Brand looks best, but those who search for the shop's name knew it already. Over a year the\n" +
		"trend is plain (the chart has it by campaign):")
	if err := trend(ctx, p, s); err != nil {
		return err
	}
	return drawCampaigns(all, dir)
}

// drawCampaigns shows the cost of a customer over three months that move on month by month: of one month alone it would
// jump with every customer.
func drawCampaigns(t *cac.Table, dir string) error {
	var lines []charts.Series
	for _, campaign := range []string{"brand", "shopping", "lookalike", "retargeting"} {
		line := charts.Series{Name: campaign}
		for i := 2; i < len(t.Periods); i++ {
			var spend money.Amount
			won := 0
			for _, month := range t.Periods[i-2 : i+1] {
				r, ok := t.Find(campaign, month.Period)
				if !ok {
					continue
				}
				var err error
				if spend, err = spend.Add(r.Spend); err != nil {
					return err
				}
				won += r.New
			}
			cost, err := cac.CAC(spend, won)
			if errors.Is(err, cac.ErrNoNewCustomers) {
				continue
			}
			if err != nil {
				return err
			}
			line.Points = append(line.Points, charts.Point{X: float64(i + 1), Y: cost.Float64()})
		}
		lines = append(lines, line)
	}
	chart, err := charts.Lines(charts.Labels{Title: "Media cost of a new customer by campaign, over three months", X: "last of the three months, 1 is January 2024", Y: "USD per new customer"}, lines)
	if err != nil {
		return err
	}
	return chart.Save(dir, "campaigns")
}

// trend compares the first quarters of two years over all campaigns.
func trend(ctx context.Context, p *story.Printer, s *shop) error {
	quarters, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{Basis: cac.Paid(),
		Periods: []ledger.Period{ledger.Quarter(2024, 1, nil), ledger.Quarter(2025, 1, nil)}})
	if err != nil {
		return err
	}
	before, err := quarters.Periods[0].CAC()
	if err != nil {
		return err
	}
	after, err := quarters.Periods[1].CAC()
	if err != nil {
		return err
	}
	change, err := cac.Change(before, after)
	if err != nil {
		return err
	}
	p.Say("%s of media a customer in the first quarter of 2024 and %s in that of 2025, %+.0f %%.", before.Cost, after.Cost, 100*change)
	return nil
}

// payback follows the cohorts of each quarter until they have earned what they cost.
func payback(ctx context.Context, p *story.Printer, s *shop, dir string) error {
	p.Title("When is the cost earned back?")
	var quarters []ledger.Period
	for q := ledger.Quarter(2024, 1, nil); q.Start.Before(sample.MarketingEnd); q = ledger.Quarter(q.End.Year(), 1+int(q.End.Month()-1)/3, nil) {
		quarters = append(quarters, q)
	}
	t, err := cac.ByCohort(s.costs, s.customers, nil, quarters...)
	if err != nil {
		return err
	}
	curves, err := cac.PaybackCurves(ctx, ledger.Transactions(s.log), s.customers, t, end, nil)
	if err != nil {
		return err
	}
	p.Say("The margin of the customers won in each quarter against their full cost, by the months since each was won:\n\n%s", curves)
	open := 0
	for _, r := range curves.Rows {
		if r.Payback.Status == cac.NotYet {
			open++
		}
	}
	p.Say("Cohorts that have not earned their cost yet: %d of %d. The youngest pay for a second marketer since January 2025.\n"+
		"Not yet is no loss: nothing says that they will not. Never is another word, and takes a reason:\n", open, len(curves.Rows))
	for _, monthly := range []string{"6.00", "3.00"} {
		profit := money.MustParse(monthly, "USD")
		b, err := cac.ChurnAdjustedPayback(money.MustParse("75.00", "USD"), profit, 0.06)
		if err != nil {
			return err
		}
		p.Say("  a cost of USD 75 and a margin of %s a month, of whose payers 6 %% leave every month: %s", profit, b)
	}
	p.Say("\nfor what the second will ever earn, 3.00 / 0.06 = USD 50, is less than it cost.")
	return drawPayback(curves, dir)
}

// drawPayback shows how much of its cost each cohort has earned, by age.
func drawPayback(curves *cac.PaybackTable, dir string) error {
	var lines []charts.Series
	most := 0
	for _, r := range curves.Rows {
		start := r.Cohort.Start
		line := charts.Series{Name: fmt.Sprintf("quarter %d of %d", 1+int(start.Month()-1)/3, start.Year()), Points: charts.Points{{X: 0, Y: 0}}}
		for i, x := range r.Returned {
			line.Points = append(line.Points, charts.Point{X: float64(i + 1), Y: 100 * x})
		}
		most = max(most, len(r.Returned))
		lines = append(lines, line)
	}
	lines = append(lines, charts.Series{Name: "the cost", Dashed: true, Points: charts.Points{{X: 0, Y: 100}, {X: float64(most), Y: 100}}})
	chart, err := charts.Lines(charts.Labels{Title: "How much of their cost has each cohort earned?", X: "months since a customer was won", Y: "margin / full cost (%)"}, lines)
	if err != nil {
		return err
	}
	return chart.Save(dir, "payback")
}
