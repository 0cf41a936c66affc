// Cltvreport turns an order log into one page for a manager: a single HTML file that works offline, with what customers
// are worth, where they come from, what they cost, who leaves, and how sure all of that is.
//
//	go run ./examples/cltvreport -out report.html
//	go run ./examples/cltvreport -orders orders.csv -costs costs.csv -currency EUR -out report.html -eml report.eml
//	go run ./examples/cltvreport -sections headline,segments,quality
//
// Without -orders it reports on the simulated shop of examples/sample, with its costs, touch-points and customers and the
// subscriptions of the simulated software business. The columns of the files are those of ledger.ReadCSV, cac.ReadCosts,
// attribution.ReadTouchpoints, subscription.ReadCSV and ledger.ReadCustomers.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/report"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// A config is what the flags say.
type config struct {
	orders, costs, touches, subscriptions, customers string
	end, unit, currency, title, sections             string
	margin                                           float64
	skip                                             bool
	out, eml, from, to                               string
}

func main() {
	var c config
	flag.StringVar(&c.orders, "orders", "", "order log with the columns customer,at,amount and perhaps currency,id,channel,product,category,cost; a simulated shop if empty")
	flag.StringVar(&c.costs, "costs", "", "costs of acquisition with the columns amount and date, or start and end, and perhaps category,channel,campaign")
	flag.StringVar(&c.touches, "touches", "", "touch-points with the columns customer,at,channel")
	flag.StringVar(&c.subscriptions, "subscriptions", "", "subscriptions in the columns of subscription.ReadCSV")
	flag.StringVar(&c.customers, "customers", "", "customers with the column id and perhaps channel,platform")
	flag.StringVar(&c.end, "end", "", "last day that counts, as 2025-12-31; the day of the last order if empty")
	flag.StringVar(&c.unit, "unit", "week", "unit of the models' time: day or week")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.title, "title", "", "title of the report")
	flag.StringVar(&c.sections, "sections", "", "sections in the order wanted, separated by commas; all if empty: "+strings.Join(report.Names(), ","))
	flag.Float64Var(&c.margin, "margin", 0, "share of an order that is earned where it has no cost, as 0.3; if 0, what the costs of the goods leave")
	flag.BoolVar(&c.skip, "skip", false, "leave out the rows that cannot be read and list them in the report, instead of stopping at the first")
	flag.StringVar(&c.out, "out", "cltv-report.html", "the page to write")
	flag.StringVar(&c.eml, "eml", "", "also write the report as a message for a mailer to this file")
	flag.StringVar(&c.from, "from", "", "sender of the message, as an address")
	flag.StringVar(&c.to, "to", "", "recipients of the message, as addresses separated by commas")
	flag.Parse()
	story.Main("cltvreport", func(ctx context.Context, out io.Writer) error {
		if flag.NArg() > 0 {
			return fmt.Errorf("%s: no argument wanted, only flags", flag.Arg(0))
		}
		return run(ctx, c, out)
	})
}

// run reads the data, makes the report and writes the files: both or, if anything is wrong, none.
func run(ctx context.Context, c config, out io.Writer) error {
	o, err := options(c)
	if err != nil {
		return err
	}
	m, err := envelope(c)
	if err != nil {
		return err
	}
	if err := read(ctx, c, o); err != nil {
		return err
	}
	r, err := report.New(ctx, o)
	if err != nil {
		return place(c, err)
	}
	var page, message bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		return err
	}
	size := page.Len()
	if c.eml != "" {
		if err := r.WriteEML(&message, m); err != nil {
			return err
		}
		if err := charts.WriteFile(c.eml, &message); err != nil {
			return err
		}
	}
	if err := charts.WriteFile(c.out, &page); err != nil {
		if c.eml != "" {
			err = errors.Join(err, os.Remove(c.eml))
		}
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d sections, %d kB\n%s\n", c.out, len(r.Sections), (size+999)/1000, r.Sections[0].Lead)
	return err
}

// options are what the flags say of the report.
func options(c config) (*report.Options, error) {
	unit, ok := map[string]time.Duration{"day": clv.Day, "week": clv.Week}[c.unit]
	if !ok {
		return nil, fmt.Errorf("-unit %s: want day or week", c.unit)
	}
	if _, err := money.ParseCurrency(c.currency); err != nil {
		return nil, fmt.Errorf("-currency %s: want a code as USD", c.currency)
	}
	if !(c.margin >= 0 && c.margin <= 1) {
		return nil, fmt.Errorf("-margin %v: want 0 to 1", c.margin)
	}
	o := &report.Options{Title: c.title, Unit: unit, Margin: c.margin}
	if c.end != "" {
		end, err := time.Parse(time.DateOnly, c.end)
		if err != nil {
			return nil, fmt.Errorf("-end %s: want a date as 2025-12-31", c.end)
		}
		o.End = end
	}
	if c.sections != "" {
		for _, name := range strings.Split(c.sections, ",") {
			o.Sections = append(o.Sections, strings.TrimSpace(name))
		}
		if err := report.Check(o.Sections); err != nil {
			return nil, fmt.Errorf("-sections: %w", err)
		}
	}
	if c.out == "" {
		return nil, errors.New("-out: want the name of a file")
	}
	return o, nil
}

// envelope is what the flags say of the message.
func envelope(c config) (*report.MailOptions, error) {
	m := &report.MailOptions{}
	if c.from != "" {
		from, err := mail.ParseAddress(c.from)
		if err != nil {
			return nil, fmt.Errorf("-from %s: want an address as sales@example.com", c.from)
		}
		m.From = *from
	}
	if c.to != "" {
		to, err := mail.ParseAddressList(c.to)
		if err != nil {
			return nil, fmt.Errorf("-to %s: want addresses as boss@example.com", c.to)
		}
		for _, a := range to {
			m.To = append(m.To, *a)
		}
	}
	return m, nil
}

// place puts the name of the order log before an error of one of its rows.
func place(c config, err error) error {
	var row *ledger.RowError
	if c.orders != "" && errors.As(err, &row) {
		return fmt.Errorf("%s: %w", c.orders, err)
	}
	return err
}

// A source is a stream of data: a file, or the sample in its place.
type source struct {
	name, file string
	sample     io.Reader
	words      string // what the sample is called
}

// read fills the options with the data.
func read(ctx context.Context, c config, o *report.Options) error {
	csv := &ledger.CSVOptions{Currency: money.Currency(c.currency)}
	src := func(name, file string, data io.Reader, words string) source {
		if c.orders != "" {
			data = nil // the sample goes with the sample shop alone
		}
		return source{name, file, data, words}
	}
	var err error
	if o.Log, err = collect(c, o, src("orders", c.orders, sample.Shop(), "the simulated shop"),
		func(r io.Reader) iter.Seq2[ledger.Transaction, error] { return ledger.ReadCSV(ctx, r, csv) }); err != nil {
		return err
	}
	if len(o.Log) == 0 {
		return fmt.Errorf("%s: no rows after the header", c.orders)
	}
	if o.Costs, err = collect(c, o, src("costs", c.costs, sample.MarketingCosts(), "its costs of acquisition"),
		func(r io.Reader) iter.Seq2[cac.Cost, error] { return cac.ReadCosts(ctx, r, csv) }); err != nil {
		return err
	}
	if o.Touches, err = collect(c, o, src("touches", c.touches, sample.MarketingTouches(), "its touch-points"),
		func(r io.Reader) iter.Seq2[attribution.Touchpoint, error] {
			return attribution.ReadTouchpoints(ctx, r, csv)
		}); err != nil {
		return err
	}
	if o.Customers, err = collect(c, o, src("customers", c.customers, sample.ShopCustomers(), "its customers"),
		func(r io.Reader) iter.Seq2[ledger.Customer, error] { return ledger.ReadCustomers(ctx, r, csv) }); err != nil {
		return err
	}
	rows, err := collect(c, o, src("subscriptions", c.subscriptions, sample.SaaS(), "the subscriptions of a simulated software business"),
		func(r io.Reader) iter.Seq2[subscription.Row, error] {
			return subscription.ReadCSV(ctx, r, &subscription.ReadOptions{CSVOptions: *csv})
		})
	if err != nil || rows == nil {
		return err
	}
	o.Subscriptions, err = subscription.New(subscription.Rows(rows))
	if err != nil && c.subscriptions != "" {
		err = fmt.Errorf("%s: %w", c.subscriptions, err)
	}
	return err
}

// collect reads all of a source. Of a file that was not given, and has no sample, it returns nil.
func collect[T any](c config, o *report.Options, s source, rows func(io.Reader) iter.Seq2[T, error]) ([]T, error) {
	in := s.sample
	word := s.words
	if s.file != "" {
		f, err := os.Open(s.file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in, word = f, filepath.Base(s.file)
	}
	if in == nil {
		return nil, nil
	}
	o.Sources = append(o.Sources, word)
	seq := rows(in)
	if c.skip {
		seq = ledger.Skip(seq, func(e *ledger.RowError) { o.Refused = append(o.Refused, report.Refusal{Source: s.name, Err: e}) })
	}
	all, err := ledger.Collect(seq)
	if err != nil && s.file != "" {
		err = fmt.Errorf("%s: %w", s.file, err)
	}
	return all, err
}
