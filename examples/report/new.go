package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// Options are the data of a report and how to read them. Log alone is required.
type Options struct {
	Title string // "Customer value report" if empty

	Log           []ledger.Transaction     // the orders, in one currency; line items of an order are adjacent
	Costs         []cac.Cost               // of acquisition
	Touches       []attribution.Touchpoint // contacts with channels, also those of visitors who bought nothing
	Subscriptions *subscription.Book
	Customers     []ledger.Customer // their channels, used where the log has none, and the attribute "platform"
	Refused       []Refusal         // rows that were left out when the data were read
	Sources       []string          // what the data are called, such as file names; for the notes on the data

	End  time.Time     // the last day that counts; later rows are left out. Zero means the day of the last order
	Unit time.Duration // of the models' time, clv.Day or clv.Week; 0 means clv.Week
	// Margin is the share of an amount that is earned where the log has no cost of the goods, 0 < Margin <= 1. 0 means the
	// share that the log's costs leave; where any purchase lacks its cost, all of the amount, and value then is revenue.
	Margin   float64
	Discount float64  // effective rate a year at which future margins are discounted; 0 means 0.10
	Level    float64  // of all intervals; 0 means 0.95
	Top      int      // customers in the table of the most valuable; 0 means 25
	Sections []string // names of the sections, in the order wanted; nil means all that Names lists
}

// A Refusal is a row that was left out.
type Refusal struct {
	Source string // which data, such as "orders"
	Err    *ledger.RowError
}

// A builder makes one section.
type builder struct {
	name, title string
	build       func(context.Context, *facts) (Section, error)
}

// builders are the known sections in their usual order.
func builders() []builder {
	return []builder{
		{"headline", "At a glance", headline},
		{"channels", "Value by channel", channels},
		{"cohorts", "Value by cohort", cohorts},
		{"products", "Most profitable products", products},
		{"conversion", "Conversion", conversion},
		{"customers", "Most valuable customers", customers},
		{"segments", "Segments", segments},
		{"retention", "Retention", retention},
		{"forecast", "Forecast against what happened", forecast},
		{"acquisition", "Acquisition cost and payback", acquisition},
		{"recurring", "Recurring revenue", recurring},
		{"quality", "Notes on the data", quality},
		{"method", "Method", method},
	}
}

// Names returns the names of the sections that New can make, in their usual order.
func Names() []string {
	var names []string
	for _, b := range builders() {
		names = append(names, b.name)
	}
	return names
}

// New makes the report of an order log and what goes with it. A section whose data are absent, or for which the log is too
// short, is a note that says so.
//
// New returns an error if there are no orders up to the end, if an option is out of range, for an unknown section, which
// names the known ones, and the errors of the library for data that are not valid: of a row of the log the row, its field
// and its value. It stops when ctx is done.
func New(ctx context.Context, o *Options) (*Report, error) {
	if o == nil {
		return nil, errors.New("report: no options: Log is required")
	}
	wanted, err := choose(o.Sections)
	if err != nil {
		return nil, err
	}
	f, err := gather(ctx, *o)
	if err != nil {
		return nil, err
	}
	r := &Report{Title: f.o.Title, End: f.end,
		Subtitle: fmt.Sprintf("Orders of %s from %s to %s, in %s", f.people(len(f.pasts)), day(f.first), day(f.end), f.currency)}
	for _, b := range wanted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := b.build(ctx, f)
		var missing *missingError
		switch {
		case errors.As(err, &missing):
			s = Section{Blocks: []Block{Note(missing.why)}}
		case err != nil:
			return nil, fmt.Errorf("report: section %s: %w", b.name, err)
		}
		s.Name = b.name
		if s.Title == "" {
			s.Title = b.title
		}
		r.Sections = append(r.Sections, s)
	}
	return r, nil
}

// choose returns the builders of the named sections.
func choose(names []string) ([]builder, error) {
	all := builders()
	if names == nil {
		return all, nil
	}
	var wanted []builder
	for _, n := range names {
		i := slices.IndexFunc(all, func(b builder) bool { return b.name == n })
		if i < 0 {
			return nil, fmt.Errorf("report: unknown section %q: want some of %s", n, strings.Join(Names(), ", "))
		}
		if slices.ContainsFunc(wanted, func(b builder) bool { return b.name == n }) {
			return nil, fmt.Errorf("report: section %q is named twice", n)
		}
		wanted = append(wanted, all[i])
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("report: no sections: want some of %s", strings.Join(Names(), ", "))
	}
	return wanted, nil
}

// A missingError says why a section cannot be made of these data. It becomes a note.
type missingError struct{ why string }

func (e *missingError) Error() string { return e.why }

func missingf(format string, args ...any) error { return &missingError{fmt.Sprintf(format, args...)} }

// defaults fills in what the options leave to the package and checks the rest.
func (o *Options) defaults() error {
	if o.Title == "" {
		o.Title = "Customer value report"
	}
	if o.Unit == 0 {
		o.Unit = clv.Week
	}
	if o.Discount == 0 {
		o.Discount = 0.10
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Top == 0 {
		o.Top = 25
	}
	switch {
	case len(o.Log) == 0:
		return errors.New("report: no orders")
	case o.Unit != clv.Day && o.Unit != clv.Week:
		return fmt.Errorf("report: unit %v: want a day or a week", o.Unit)
	case !(o.Margin >= 0 && o.Margin <= 1):
		return fmt.Errorf("report: margin %v: want 0 to 1", o.Margin)
	case !(o.Discount > 0 && o.Discount < 10):
		return fmt.Errorf("report: discount rate %v a year: want more than 0 and less than 10", o.Discount)
	case !(o.Level > 0 && o.Level < 1):
		return fmt.Errorf("report: level %v: want a number between 0 and 1", o.Level)
	case o.Top < 0:
		return fmt.Errorf("report: top %d: want 0 or more", o.Top)
	}
	return nil
}

// Check returns the error that New would return for these names of sections, without any data.
func Check(sections []string) error {
	_, err := choose(sections)
	return err
}
