// Subscriptionmrr turns the history of subscriptions into recurring revenue: what it is today, what moved it over the last
// year, how well it is kept, what is at risk next, and how other billing systems would count the same history.
//
//	go run ./examples/subscriptionmrr -out pictures
//	go run ./examples/subscriptionmrr -csv subscriptions.csv -end 2025-12-31 -currency EUR
//
// Without -csv it reads the subscriptions of a simulated software business (examples/sample). The columns of a file are
// those of subscription.ReadCSV.
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

	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// A config is what the flags say.
type config struct{ csv, end, currency, out string }

func main() {
	var c config
	flag.StringVar(&c.csv, "csv", "", "subscriptions in the columns of subscription.ReadCSV; a simulated business if empty")
	flag.StringVar(&c.end, "end", "", "last day that the file covers, as 2025-12-31; needed with -csv")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the prices where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-subscriptionmrr"), "directory of the charts")
	flag.Parse()
	story.Main("subscriptionmrr", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out) })
}

func run(ctx context.Context, c config, out io.Writer) error {
	p := story.New(out)
	book, end, err := read(ctx, c)
	if err != nil {
		return err
	}

	p.Title("Recurring revenue today")
	now, err := book.At(end)
	if err != nil {
		return err
	}
	if now.MRR.IsZero() {
		return fmt.Errorf("no recurring revenue on %s", end.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	p.Say("%d rows of prices, quantities and dates say what every subscription is worth a month:\n\n%s", book.Len(), now)
	p.Say("A year's contract counts a twelfth a month. Trials bring nothing until they convert; who pauses stays a customer who\n" +
		"does not pay. Committed MRR leaves out what is canceled and still runs.")
	plans, err := book.By(end, subscription.Plans())
	if err != nil {
		return err
	}
	p.Say("\n%s", plans)

	p.Title("What moved it over the last year")
	months := ledger.Months(end.AddDate(-1, 0, 0), end, time.UTC)
	table, err := book.RollForward(ctx, months)
	if err != nil {
		return err
	}
	year, err := book.Period(ledger.Period{Start: end.AddDate(-1, 0, 0), End: end})
	if err != nil {
		return err
	}
	trials, err := book.Trials(year.Period, subscription.TrialsEnded)
	if err != nil {
		return err
	}
	p.Say("Each month closes to the cent: opening + new + reactivation + expansion - contraction - churn = closing. A pause is a\n"+
		"contraction, and its end an expansion.\n\n%s", table)
	p.Say("Over the year MRR went from %s to %s (%s). Of %d trials that ended,\n%d became customers (%s). Who left, and why:\n", year.Opening, year.Closing, year.Growth, trials.Trials, trials.Converted, trials.Rate)
	for _, r := range year.Reasons {
		p.Say("  %-12s %-18s%4d customers%16s a month", r.Reason, r.Code, r.Customers, r.MRR)
	}
	p.Say("\nVoluntary churn is a matter of the product, involuntary churn of failed payments: reminders win some of it back.")

	p.Title("How well is revenue kept?")
	p.Say("Of every 100 that customers paid a year ago, those same customers pay %s now (net revenue retention); without what\n"+
		"they added, %s is kept (gross). The chart has both, by month: NRR above 100 %% means growth without a single new customer.", percent(year.NRR), percent(year.GRR))

	p.Title("Cohorts")
	quarters := subscription.Quarters(end.AddDate(-3, 0, 0), end, time.UTC)
	cohorts, err := book.Cohorts(ctx, quarters)
	if err != nil {
		return err
	}
	retention(p, cohorts)

	p.Title("Renewals of the next 90 days")
	upcoming, err := book.Upcoming(end, ledger.Period{Start: end, End: end.AddDate(0, 0, 90)})
	if err != nil {
		return err
	}
	renewals(p, upcoming)

	p.Title("The same history by three rules")
	if err := policies(p, book, end); err != nil {
		return err
	}

	p.Title("Charts")
	if err := draw(c.out, year, table, cohorts); err != nil {
		return err
	}
	p.Say("waterfall, retention and cohorts (PNG and SVG) are in %s", c.out)
	return p.Err()
}

// read returns the book and the moment up to which it is known.
func read(ctx context.Context, c config) (*subscription.Book, time.Time, error) {
	r, end := sample.SaaS(), sample.SaaSEnd
	if c.end != "" {
		day, err := time.Parse(time.DateOnly, c.end)
		if err != nil {
			return nil, end, fmt.Errorf("-end %s: want a date as 2025-12-31", c.end)
		}
		end = day.AddDate(0, 0, 1)
	}
	if c.csv != "" {
		if c.end == "" {
			return nil, end, errors.New("-csv needs -end, the last day that the file covers")
		}
		f, err := os.Open(c.csv)
		if err != nil {
			return nil, end, err
		}
		defer func() { _ = f.Close() }() // it was only read
		r = f
	}
	book, err := subscription.New(subscription.ReadCSV(ctx, r, &subscription.ReadOptions{CSVOptions: ledger.CSVOptions{Currency: money.Currency(c.currency)}}))
	if err != nil {
		if c.csv != "" {
			err = fmt.Errorf("%s: %w", c.csv, err)
		}
		return nil, end, err
	}
	return book.Until(end), end, nil
}

// percent is a rate for prose.
func percent(r subscription.MoneyRate) string {
	v, err := r.Value()
	if err != nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*v)
}

// retention prints the MRR of each cohort over that of its first quarter.
func retention(p *story.Printer, m *subscription.CohortMatrix) {
	p.Say("MRR of the customers who first paid in a quarter, in per cent of their MRR at its end, a quarter a column:\n")
	for _, row := range m.Rows {
		if row.Start == nil {
			continue // customers from before the first quarter: their first MRR is not in the table
		}
		line := fmt.Sprintf("  from %s %4d customers ", row.Start.Start.Format("2006-01"), row.Size)
		for i, c := range row.Cells {
			if !m.Periods[i].Start.Before(row.Start.Start) {
				line += fmt.Sprintf("%6s", percent(c.Retention))
			}
		}
		p.Say("%s", line)
	}
	p.Say("\nRead a row from left to right: where it falls, leaving outweighs expansion; where it rises, a cohort grows by itself.\n" +
		"A few large customers move a whole row: look at the number of customers before reading a trend into it.")
}

// renewals prints the contracts that end soon, those at risk by name.
func renewals(p *story.Printer, u *subscription.Upcoming) {
	p.Say("%d annual contracts end by %s, worth %s a month. %s of it shows a sign of leaving:\n", u.Due,
		u.Period.End.AddDate(0, 0, -1).Format(time.DateOnly), u.MRR, u.AtRisk)
	for _, t := range u.Terms {
		if !t.AtRisk() {
			continue
		}
		sign := "the end has been asked for"
		switch {
		case t.Canceled:
		case t.Overdue:
			sign = "a payment is overdue"
		case t.Paused:
			sign = "it is paused"
		}
		p.Say("  %s  due %s  %16s  %s", t.Customer, t.Due.Format(time.DateOnly), t.MRR, sign)
	}
	p.Say("\nThe others renew by themselves unless somebody objects: the days before are the time to call.")
}
