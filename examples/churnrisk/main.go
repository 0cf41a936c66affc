// Churnrisk asks how long accounts stay, what makes them leave, how many will be left in years to come, and whom it pays to
// call now.
//
//	go run ./examples/churnrisk -out pictures
//	go run ./examples/churnrisk -csv subscriptions.csv -end 2025-12-31 -covariates region,size -currency EUR -contact 45
//
// Without -csv it reads the simulated software business of examples/sample. A file has the columns of subscription.ReadCSV,
// customer, plan, price, interval and start at least; other columns are labels, which -covariates may name.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/churn"
	"github.com/custval/custval/churn/survival"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/input"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// A config is what the flags say.
type config struct{ csv, end, covariates, currency, contact, out string }

func main() {
	var c config
	flag.StringVar(&c.csv, "csv", "", "subscriptions with the columns customer,plan,price,interval,start,end and others; a simulated business if empty")
	flag.StringVar(&c.end, "end", "", "day after the last one that the file knows of, as 2026-01-01; needed with -csv")
	flag.StringVar(&c.covariates, "covariates", "", "columns of -csv, such as region,size, that may tell who leaves, besides the plan")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the prices where no column says it, and of -contact")
	flag.StringVar(&c.contact, "contact", "60", "what a call costs")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-churnrisk"), "directory of the charts and of contacts.csv")
	flag.Parse()
	story.Main("churnrisk", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out) })
}

const month = 365.25 / 12 // days

func run(ctx context.Context, c config, out io.Writer) error {
	p := story.New(out)
	if c.csv != "" && c.end == "" {
		return errors.New("-end is needed with -csv: up to when does the file know who stayed?")
	}
	end, err := input.Day("end", c.end, sample.SaaSEnd)
	if err != nil {
		return err
	}
	contact, err := money.Parse(c.contact, money.Currency(c.currency))
	if err != nil {
		return fmt.Errorf("-contact %s -currency %s: %w", c.contact, c.currency, err)
	}
	read, err := input.Read(c.csv, sample.SaaS(), func(r io.Reader) iter.Seq2[subscription.Row, error] {
		return subscription.ReadCSV(ctx, r, &subscription.ReadOptions{CSVOptions: ledger.CSVOptions{Currency: money.Currency(c.currency)}})
	})
	if err != nil {
		return err
	}
	book, err := subscription.New(ledger.Slice(read))
	if err != nil {
		return err
	}
	book = book.Until(end)
	rows, err := ledger.Collect(book.Rows())
	if err != nil {
		return err
	}
	first := firstRows(rows)

	p.Title("How long do accounts stay?")
	tenures, err := book.Tenures(ctx, end, &subscription.TenureOptions{FirstOnly: true})
	if err != nil {
		return err
	}
	if len(tenures) == 0 {
		return fmt.Errorf("no account has paid before %s", end.Format(time.DateOnly))
	}
	tenures = prepared(tenures, first)
	ended := 0
	for _, t := range tenures {
		if t.Ended {
			ended++
		}
	}
	p.Say("%d accounts have paid at least once; %d of them left. The others are not finished stories: a mean of those who left\n"+
		"would count only the impatient. Kaplan and Meier's curve counts everyone for as long as they were seen.\n", len(tenures), ended)
	curves, err := survival.KaplanMeierBy(tenures, survival.Label("plan"), nil)
	if err != nil {
		return err
	}
	p.Say("%-10s%9s%6s%24s%34s", "plan", "accounts", "left", "still there at a year", "half have left after")
	for _, c := range curves {
		at := c.At(12)
		p.Say("%-10s%9.0f%6.0f%11.0f %% (%.0f-%.0f %%)%34s", c.Group, c.Customers, c.Events, 100*at.Survival, 100*at.Lower, 100*at.Upper, median(c.Median()))
	}
	if c.csv == "" {
		p.Say("\nIn brackets: 95 %% intervals. The steps at 12 and 24 months are the ends of yearly contracts. The chart shows the share that\n"+
			"has left, as long as %d accounts or more are that old.", fewest)
	} else {
		p.Say("\nIn brackets: 95 %% intervals. The chart shows the share that has left, as long as %d accounts or more are that old.", fewest)
	}

	if len(curves) > 1 {
		p.Title("Is the difference between the plans chance?")
		test, err := survival.Compare(tenures, survival.Label("plan"), nil)
		if err != nil {
			return err
		}
		p.Say("%s", test)
		p.Say("If the plans were the same, differences as large as these would come about with probability %.2g (log-rank test).", test.P)
	}

	p.Title("What makes them leave?")
	design, err := covariates(c, tenures, first)
	if err != nil {
		return err
	}
	options := &survival.CoxOptions{Strata: survival.Label(contract)}
	cox, err := survival.FitCox(ctx, tenures, design, options)
	if err != nil {
		return err
	}
	p.Say("%s", cox)
	hazards(p, cox)
	order, err := survival.ConcordanceOf(tenures, cox.Estimate.Model.Scores(design), nil)
	if err != nil {
		return err
	}
	constant, err := cox.TestProportionality(ctx, tenures, design, options, survival.KaplanMeierTime)
	if err != nil {
		return err
	}
	p.Say("Of two accounts the model tells rightly who leaves first in %.0f %% of the cases (a coin: 50).\n", 100*order.Value)
	p.Say("%s", constant)
	if c.csv != "" {
		p.Say("A ratio is taken to be the same at every age. A small P of the test speaks against that: then the ratio is an average over\n" +
			"the ages. Yearly contracts have a baseline of their own. The regression shows what goes together; an experiment would\n" +
			"show what causes what.")
	} else {
		p.Say("A ratio is taken to be the same at every age. A small P of the test speaks against that: then the ratio is an average over\n" +
			"the ages. Yearly contracts can end once a year only, so they have a baseline of their own instead of a ratio. Plan and size\n" +
			"are those at the start, so that the future does not explain the past. Who takes a training may also be who meant to stay\n" +
			"anyway: the regression shows what goes together, an experiment would show what causes what. (Here the truth is known: the\n" +
			"simulated training halves the hazard, plans differ, regions do not, and small companies leave more than the sample shows.)")
	}

	p.Title("How many will be left?")
	band, err := project(ctx, p, c, end, tenures)
	if err != nil {
		return err
	}

	p.Title("Whom to call")
	list, err := contacts(p, c, end, contact, book, rows, tenures, design, cox)
	if err != nil {
		return err
	}

	p.Title("Files")
	all, err := survival.KaplanMeier(tenures, nil)
	if err != nil {
		return err
	}
	if err := draw(c.out, curves, all, band); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := list.WriteCSV(&table); err != nil {
		return err
	}
	if err := charts.WriteFile(filepath.Join(c.out, "contacts.csv"), &table); err != nil {
		return err
	}
	p.Say("contacts.csv for the team that calls, survival and projection (PNG and SVG) are in %s", c.out)
	return p.Err()
}

// prepared counts tenures in months instead of days and labels them with the contract at the start.
func prepared(tenures []ledger.Tenure, first map[string]subscription.Row) []ledger.Tenure {
	out := slices.Clone(tenures)
	for i, t := range out {
		out[i].Entry /= month
		out[i].Duration /= month
		out[i].Labels = map[string]string{"plan": t.Labels["plan"], contract: "monthly"}
		if first[t.Customer].Interval == subscription.Yearly {
			out[i].Labels[contract] = "yearly"
		}
	}
	return out
}

// firstRows returns the row with which each account begins.
func firstRows(rows []subscription.Row) map[string]subscription.Row {
	first := map[string]subscription.Row{}
	for _, r := range rows {
		if f, seen := first[r.Customer]; !seen || r.From.Before(f.From) {
			first[r.Customer] = r
		}
	}
	return first
}

// median says when half have left, and between which months that may be.
func median(q survival.Quantile) string {
	if math.IsNaN(q.Time) {
		return "not yet"
	}
	if math.IsNaN(q.Upper) {
		return fmt.Sprintf("%.0f months (%.0f or more)", q.Time, q.Lower)
	}
	return fmt.Sprintf("%.0f months (%.0f-%.0f)", q.Time, q.Lower, q.Upper)
}

// contract is the label of a tenure that says whether its price is monthly or yearly at the start.
const contract = "contract"

// covariates codes what is known of each tenure's account from the start: of a file the plan and the columns that -covariates
// names, as far as accounts differ in them.
func covariates(c config, tenures []ledger.Tenure, first map[string]subscription.Row) (*survival.Design, error) {
	column := func(name string) []string {
		values := make([]string, len(tenures))
		for i, t := range tenures {
			if values[i] = first[t.Customer].Labels[name]; name == "plan" {
				values[i] = t.Labels[name]
			}
		}
		return values
	}
	if c.csv == "" {
		training := make([]bool, len(tenures))
		for i, value := range column("training") {
			training[i] = value == "yes"
		}
		return survival.NewDesign(survival.Categorical("plan", column("plan"), "starter"), survival.Categorical("size", column("size"), "medium"),
			survival.Indicator("training", training), survival.Categorical("region", column("region"), "Americas"))
	}
	names := []string{"plan"}
	if c.covariates != "" {
		names = append(names, strings.Split(c.covariates, ",")...)
	}
	var used []survival.Covariate
	for _, name := range names {
		values := column(name)
		levels := slices.Compact(slices.Sorted(slices.Values(values)))
		if len(levels) == 1 && levels[0] == "" && name != "plan" {
			return nil, fmt.Errorf("-covariates: no account has a value in the column %q", name)
		}
		if len(levels) > 1 {
			used = append(used, survival.Categorical(name, values, ""))
		}
	}
	if len(used) == 0 {
		return nil, errors.New("all accounts have one plan: -covariates names columns that may tell who leaves")
	}
	return survival.NewDesign(used...)
}

// hazards says in words what the regression found.
func hazards(p *story.Printer, f *survival.CoxFit) {
	var clear, unclear []string
	for i, name := range f.Estimate.Model.Terms.Columns() {
		b, se := f.Estimate.Model.Coef[i], math.Sqrt(f.Estimate.Model.Cov[i][i])
		if math.Abs(b) > 1.96*se {
			clear = append(clear, fmt.Sprintf("%s %.2f (%.2f to %.2f)", name, math.Exp(b), math.Exp(b-1.96*se), math.Exp(b+1.96*se)))
		} else {
			unclear = append(unclear, name)
		}
	}
	p.Say("The hazard is the risk to leave now, of those still there; a ratio of 0.5 halves it. Clearly different from 1:\n  %s\nNot told apart from chance: %s.",
		strings.Join(clear, "\n  "), strings.Join(unclear, ", "))
}

// project fits the shifted beta-geometric model to yearly cohorts and returns its curve of ten years.
func project(ctx context.Context, p *story.Printer, c config, end time.Time, tenures []ledger.Tenure) (*churn.CurveBand, error) {
	cohorts, err := churn.CohortsOf(tenures, end, time.Duration(month*24*float64(time.Hour)), 12)
	if err != nil {
		return nil, err
	}
	p.Say("Accounts by the year in which they came, and how many were left after each whole year:\n")
	for _, c := range cohorts {
		line := fmt.Sprintf("  from %s", c.Start.Format("2006-01"))
		for _, n := range c.Active {
			line += fmt.Sprintf("%6d", n)
		}
		p.Say("%s", line)
	}
	e, err := churn.FitSBG(ctx, cohorts, nil)
	if err != nil {
		return nil, err
	}
	p.Say("\n%s", e)
	band, err := churn.Band(e, 10, 0.95)
	if err != nil {
		return nil, err
	}
	p.Say("%s", band)
	caveat := "Three years of data say\nlittle of the tenth: "
	if c.csv != "" {
		caveat = "Beyond the\nyears seen, "
	}
	p.Say("Every account leaves at a renewal with a probability of its own. Those with a high one go first, so the share that stays\n"+
		"rises with age: %.0f %% at the first renewal, %.0f %% at the fifth. Of 100 new accounts %.0f (%.0f to %.0f) are left after five years.\n"+
		"To project the first year's churn unchanged would give %.0f, and undervalue those who have stayed. %s"+
		"the band is what the data allow, given that the model is right.",
		100*band.Rows[1].Retention, 100*band.Rows[5].Retention, 100*band.Rows[5].Survival, 100*band.Rows[5].SurvivalLow, 100*band.Rows[5].SurvivalHigh,
		100*math.Pow(band.Rows[1].Retention, 5), caveat)
	return band, nil
}
