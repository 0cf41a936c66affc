package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/cac/experiment"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// credit compares attribution models on the ways that customers came.
func credit(ctx context.Context, p *story.Printer, s *shop, _ string) error {
	p.Title("Who gets the credit?")
	var orders []attribution.Conversion
	for _, a := range s.won.Rows {
		orders = append(orders, attribution.Conversion{Customer: a.Customer.ID, At: a.Customer.Acquired, Value: a.FirstOrder})
	}
	js, err := attribution.Build(ctx, ledger.Slice(s.touches), ledger.Slice(orders), sample.MarketingEnd,
		&attribution.BuildOptions{Lookback: 30 * 24 * time.Hour, Direct: "direct", Repeat: attribution.FirstOnly})
	if err != nil {
		return err
	}
	t := js.Totals()
	p.Say("%d journeys of %.1f touches each led to %d first orders; %d led to none. The same orders by five models:\n",
		t.Journeys, float64(t.Touches)/float64(t.Journeys), t.Conversions, t.Nulls)
	models, err := attribution.Compare(ctx, js, attribution.Last{}, attribution.Linear{}, attribution.Position{}, attribution.Markov{}, attribution.Shapley{})
	if err != nil {
		return err
	}
	p.Say("%s", models)
	p.Say("Last touch gives display nothing, for a banner is rarely the last that one sees; all that look at whole journeys give it\n" +
		"some. Markov asks how many orders would be lost if a channel were taken away, Shapley shares each journey equally between\n" +
		"its channels. What a customer costs follows the model that one believes in:\n")
	spend := map[string]money.Amount{}
	for _, c := range s.costs {
		if c.Category != cac.PaidMedia {
			continue
		}
		if spend[c.Channel], err = spend[c.Channel].Add(c.Amount); err != nil {
			return err
		}
	}
	p.Say("  %-8s %16s %16s", "channel", "by Markov", "by Shapley")
	for _, channel := range []string{"display", "search", "social"} {
		line := fmt.Sprintf("  %-8s", channel)
		for _, r := range models.Results[3:] {
			c, ok := r.Credit(channel)
			if !ok {
				return fmt.Errorf("no journey has the channel %s", channel)
			}
			a, err := cac.AttributedCAC(spend[channel], c.Conversions)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %16s", a.Cost)
		}
		p.Say("%s", line)
	}
	p.Say("\nDisplay, a waste by the last touch, is the cheapest of the three by both.\n" +
		"None of the models knows what would have happened without a channel: they describe journeys. An experiment does know.")
	return nil
}

// A trial is what a random spend on a channel brought.
type trial struct {
	channel string
	budget.Point
}

func trials(ctx context.Context, r io.Reader) iter.Seq2[trial, error] {
	schema := ledger.Schema{Required: []string{"channel", "spend", "customers"}, Prefix: "trials"}
	return ledger.ReadRecords(ctx, r, nil, schema, func(r *ledger.Record) (trial, error) {
		return trial{r.Text("channel"), budget.Point{Spend: r.Float("spend"), Response: r.Float("customers")}}, nil
	})
}

func readTrials(ctx context.Context) (map[string][]budget.Point, error) {
	rows, err := ledger.Collect(trials(ctx, sample.MarketingTrials()))
	points := map[string][]budget.Point{}
	for _, t := range rows {
		points[t.channel] = append(points[t.channel], t.Point)
	}
	return points, err
}

// move fits response curves to trials and moves the media budget to where it earns most.
func move(ctx context.Context, p *story.Printer, s *shop, dir string) error {
	p.Title("Where does the next dollar earn most?")
	points, err := readTrials(ctx)
	if err != nil {
		return err
	}
	p.Say("In some regions and months the spend on a channel was drawn at random, so that what followed was caused by it. A curve of\n" +
		"each channel says how many customers a month a spend wins:\n")
	search, err := budget.FitMichaelisMenten(ctx, points["search"], nil)
	if err != nil {
		return err
	}
	social, err := budget.FitHill(ctx, points["social"], nil)
	if err != nil {
		return err
	}
	display, err := budget.FitNegExp(ctx, points["display"], nil)
	if err != nil {
		return err
	}
	p.Say("  search   saturates: at most %.0f customers, half of them with USD %.0f (R2 %.2f)", search.Estimate.Model.A, search.Estimate.Model.C, search.RSquared)
	p.Say("  social   S-shaped: at most %.0f, half with USD %.0f, and below USD %.0f more spend works ever better (R2 %.2f)",
		social.Estimate.Model.A, social.Estimate.Model.C, social.Estimate.Model.Inflection(), social.RSquared)
	p.Say("  display  saturates: at most %.0f (R2 %.2f)", display.Estimate.Model.A, display.RSquared)
	sure, err := social.Interval(0.95)
	if err != nil {
		return err
	}
	p.Say("\nThe limit of social is between %.0f and %.0f with a confidence of 95 %%; the trials were simulated with 75.", sure[0][0], sure[0][1])
	curves := []budget.Channel{{Name: "search", Curve: search.Estimate.Model}, {Name: "social", Curve: social.Estimate.Model}, {Name: "display", Curve: display.Estimate.Model}}
	if err := setValues(ctx, s, curves); err != nil {
		return err
	}
	total, err := money.Total(curves[0].Current, curves[1].Current, curves[2].Current)
	if err != nil {
		return err
	}
	now, err := budget.Evaluate(curves, []money.Amount{curves[0].Current, curves[1].Current, curves[2].Current}, nil)
	if err != nil {
		return err
	}
	p.Say("\nThe spend of March 2025, by these curves:\n\n%s", now)
	if row := now.Rows[0]; row.AverageCAC != nil && row.MarginalCAC != nil {
		p.Say("The average misleads: a customer of %s costs %s, the least of all, but the last one %s, and the last\n"+
			"dollar there returns %.2f. Nor do equal returns alone make a plan good: a little spend on social is wasted, and the\n"+
			"search for the best plan knows it.\n",
			row.Channel, *row.AverageCAC, *row.MarginalCAC, row.Return)
	}
	best, err := budget.Allocate(ctx, total, curves, nil)
	if err != nil {
		return err
	}
	p.Say("The same money, divided so that the last dollar returns the same everywhere:\n\n%s", best)
	gain, err := best.Profit.Sub(now.Profit)
	if err != nil {
		return err
	}
	p.Say("Moving money brings %s a month more without spending more.", gain)
	free, err := budget.AllocateTarget(ctx, curves, budget.Target{MarginalReturn: 1.25}, nil)
	if err != nil {
		return err
	}
	p.Say("And as long as the last dollar returns 1.25, there is more to spend:\n\n%s", free)
	p.Say("The value of a customer is the margin up to today, so these plans are careful; beyond the spends that were tried, USD %.0f\n"+
		"on search and on social and %.0f on display, they would be guesses.", min(search.SpendHigh, social.SpendHigh), display.SpendHigh)
	return drawCurves(dir, []fitted{{"search", search.SpendHigh, search.Band}, {"social", social.SpendHigh, social.Band}, {"display", display.SpendHigh, display.Band}})
}

// setValues states what a customer of each channel is worth and what was spent on the channel in March 2025.
func setValues(ctx context.Context, s *shop, channels []budget.Channel) error {
	march := ledger.Month(2025, time.March, nil)
	spent, err := cac.Analyze(ctx, s.costs, s.customers, &cac.Options{By: cac.PerChannel, Basis: cac.Paid(), Periods: []ledger.Period{march}})
	if err != nil {
		return err
	}
	worth, err := cac.ByChannel(s.costs, s.customers, s.worth)
	if err != nil {
		return err
	}
	for i := range channels {
		c := &channels[i]
		if row, ok := spent.Find(c.Name, march); ok {
			c.Current = row.Spend
		}
		row, ok := worth.Find(c.Name, ledger.Period{})
		if !ok || row.New == 0 {
			row = worth.Total // nobody's last touch was here: a customer like any other
		}
		v, err := row.MeanValue()
		if err != nil {
			return err
		}
		c.Value = v.Amount
	}
	return nil
}

// A fitted curve gives its response with an interval up to the greatest spend that was tried.
type fitted struct {
	name string
	high float64
	band func(level float64, spends ...float64) ([]budget.Band, error)
}

// drawCurves shows the curves with their 95 % intervals.
func drawCurves(dir string, curves []fitted) error {
	var lines []charts.Series
	for _, c := range curves {
		spends := make([]float64, 101)
		for i := range spends {
			spends[i] = c.high * float64(i) / 100
		}
		bands, err := c.band(0.95, spends...)
		if err != nil {
			return err
		}
		line := charts.Series{Name: c.name}
		for _, b := range bands {
			line.Points = append(line.Points, charts.Point{X: b.Spend, Y: b.Response})
			line.Low, line.High = append(line.Low, b.Low), append(line.High, b.High)
		}
		lines = append(lines, line)
	}
	chart, err := charts.Lines(charts.Labels{Title: "What a spend wins, with 95 % intervals", X: "media spend in a month (USD)", Y: "new customers in a month"}, lines)
	if err != nil {
		return err
	}
	return chart.Save(dir, "curves")
}

// A subscriber is one participant of the experiment.
type subscriber struct {
	arm    string
	orders int64
	margin money.Amount
}

func subscribers(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[subscriber, error] {
	schema := ledger.Schema{Required: []string{"subscriber", "arm", "orders", "margin", "currency"}, Prefix: "test"}
	return ledger.ReadRecords(ctx, r, o, schema, func(r *ledger.Record) (subscriber, error) {
		return subscriber{r.Text("arm"), r.Int("orders"), r.Amount("margin")}, nil
	})
}

// experimentRead reads the experiment on the gift: first who bought, then what it was worth.
func experimentRead(ctx context.Context, p *story.Printer, _ *shop, _ string) error {
	p.Title("How to read an experiment")
	rows, err := ledger.Collect(subscribers(ctx, sample.MarketingTest(), &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		return err
	}
	rates := []experiment.RateArm{{Name: "control"}, {Name: "gift"}}
	values := []experiment.Arm{{Name: "control"}, {Name: "gift"}}
	for _, r := range rows {
		i := slices.IndexFunc(values, func(a experiment.Arm) bool { return a.Name == r.arm })
		if i < 0 {
			return fmt.Errorf("test: unknown arm %q", r.arm)
		}
		rates[i].Customers++
		if r.orders > 0 {
			rates[i].Conversions++
		}
		values[i].Values = append(values[i].Values, r.margin.Float64())
	}
	o := &experiment.Options{Currency: "USD", Shares: []float64{1, 1}}
	bought, err := experiment.AnalyzeRates(ctx, rates, o)
	if err != nil {
		return err
	}
	p.Say("One in two of %d subscribers, drawn at random, was promised a gift of USD 8 with the first order. Did more of them buy?\n\n%s", len(rows), bought)
	gift, err := money.MustParse("8.00", "USD").MulInt(int64(rates[1].Conversions))
	if err != nil {
		return err
	}
	caused, err := cac.IncrementalCAC(gift, cac.Holdout{Treated: rates[1].Customers, TreatedConversions: rates[1].Conversions,
		Held: rates[0].Customers, HeldConversions: rates[0].Conversions}, 0)
	if err != nil {
		return err
	}
	p.Say("They did. But most would have bought anyway and took the gift as well. A customer seems to cost %s, and a customer whom\n"+
		"the gift caused costs %s, at best %s.", caused.Attributed, caused.Cost, caused.CostLow)
	if caused.CostHigh != nil {
		p.Say("At worst it is %s: how many were caused is known badly even where there is no doubt that some were.", *caused.CostHigh)
	}
	worth, err := experiment.AnalyzeValues(ctx, values, o)
	if err != nil {
		return err
	}
	p.Say("\nIs it worth it? The margin of all subscribers, those who bought nothing included, after twelve weeks and less the gift:\n\n%s", worth)
	u := worth.Uplifts[0]
	verdict := "The interval holds zero: the gift may earn or lose money. More orders are not more profit; a larger test, or a longer\nlook at whether the new customers come back, decides."
	if u.Significant {
		verdict = "The interval leaves out zero: the gift earns or loses money for certain, as certain as the level says."
	}
	p.Say("%s", verdict)
	size, err := experiment.SizeForMeans(math.Sqrt(worth.Arms[0].Sample.Variance), 0.5, experiment.Design{})
	if err != nil {
		return err
	}
	p.Say("To find a difference of USD 0.50 a subscriber, 4 times out of 5, takes %d subscribers in each arm.", size.Control)
	return nil
}
