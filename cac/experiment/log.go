package experiment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// An Assignment says when a customer entered which arm.
type Assignment struct {
	Customer string
	Arm      string
	At       time.Time
}

// LogOptions are the rules of [ArmsFromLog]. The zero LogOptions, like nil, are the defaults.
type LogOptions struct {
	Margin float64       // gross margin of transactions, a fraction of their amount; 0: revenue counts. With Cost set, not both
	Cost   bool          // value is amount less Transaction.Cost
	Window time.Duration // how long after the assignment transactions count; 0: up to the end. Customers assigned later than end - Window are left out
	Before time.Duration // how long before the assignment they count as the covariate; 0: no covariate
}

// A Log is what a log of orders says of an experiment.
type Log struct {
	Arms      []Arm          // in the order of their names given
	Currency  money.Currency // of the values
	Customers [][]string     // of each arm, in the order of its Values, sorted
	Immature  int            // customers left out as their window was still open at the end
	Strangers int            // transactions of customers who were not assigned
}

// ArmsFromLog adds up what every assigned customer was worth after the assignment, those who bought nothing as 0, and
// before it if Before is set. Refunds are negative. Transactions at the moment of the assignment count after it; those at
// or after end do not count. names orders the arms; its first is the control. The result does not depend on the order of
// rows.
//
// It returns a *[ledger.RowError] for an assignment without customer or time, to an unknown arm, at or after end, or of a
// customer who was assigned before; for a transaction in another currency or, with Cost, without one; an error if options
// are out of range; and the first error of the stream.
func ArmsFromLog(ctx context.Context, log iter.Seq2[ledger.Transaction, error], assignments []Assignment, names []string, end time.Time, o *LogOptions) (*Log, error) {
	var opt LogOptions
	if o != nil {
		opt = *o
	}
	if !(opt.Margin >= 0 && opt.Margin <= 1) || opt.Margin > 0 && opt.Cost {
		return nil, fail("margin %v: not between 0 and 1, or beside the cost", opt.Margin)
	}
	if opt.Window < 0 || opt.Before < 0 {
		return nil, fail("window %v, before %v: negative", opt.Window, opt.Before)
	}
	if err := checkNames(names); err != nil {
		return nil, err
	}
	arm := map[string]int{}
	for i, n := range names {
		arm[n] = i
	}
	g := &gathering{o: opt, end: end, of: map[string]*subject{}}
	out := &Log{Arms: make([]Arm, len(names)), Customers: make([][]string, len(names))}
	if err := g.assign(assignments, arm, out); err != nil {
		return nil, err
	}
	row := 0
	for t, err := range log {
		row++
		if row&1023 == 0 && ctx.Err() != nil {
			return nil, fail("%w", ctx.Err())
		}
		if err != nil {
			return nil, fail("%w", err)
		}
		if err := g.add(row, t, out); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fail("%w", err)
	}
	return out, g.arms(names, out)
}

// A subject is a customer of the experiment.
type subject struct {
	arm           int
	at            time.Time
	after, before money.Sum
}

type gathering struct {
	o   LogOptions
	end time.Time
	of  map[string]*subject
}

func (g *gathering) assign(assignments []Assignment, arm map[string]int, out *Log) error {
	seen := make(map[string]bool, len(assignments))
	for i, a := range assignments {
		bad := func(field, value, why string) error {
			return fail("%w", &ledger.RowError{Row: i + 1, Field: field, Value: value, Err: errors.New(why)})
		}
		k, ok := arm[a.Arm]
		switch {
		case a.Customer == "":
			return bad("customer", "", "empty")
		case !ok:
			return bad("arm", a.Arm, "not one of the arms")
		case a.At.IsZero():
			return bad("at", a.Customer, "no time")
		case !a.At.Before(g.end):
			return bad("at", a.At.Format(time.RFC3339), "not before the end of observation")
		case seen[a.Customer]:
			return bad("customer", a.Customer, "assigned before")
		}
		seen[a.Customer] = true
		if g.o.Window > 0 && a.At.Add(g.o.Window).After(g.end) {
			out.Immature++
			g.of[a.Customer] = nil
			continue
		}
		g.of[a.Customer] = &subject{arm: k, at: a.At}
	}
	return nil
}

func (g *gathering) add(row int, t ledger.Transaction, out *Log) error {
	s, ok := g.of[t.Customer]
	if !ok {
		out.Strangers++
		return nil
	}
	if s == nil || !t.At.Before(g.end) {
		return nil
	}
	bad := func(field, value string, why error) error {
		return fail("%w", &ledger.RowError{Row: row, Field: field, Value: value, Err: why})
	}
	if out.Currency == "" {
		out.Currency = t.Amount.Currency()
	}
	if c := t.Amount.Currency(); c != "" && c != out.Currency {
		return bad("amount", t.Amount.String(), fmt.Errorf("not in %s", out.Currency))
	}
	value := t.Amount
	if g.o.Cost {
		if t.Cost.Currency() == "" {
			return bad("cost", "", errors.New("the row has no cost"))
		}
		var err error
		if value, err = t.Amount.Sub(t.Cost); err != nil {
			return bad("cost", t.Cost.String(), err)
		}
	}
	switch {
	case !t.At.Before(s.at):
		if g.o.Window == 0 || t.At.Before(s.at.Add(g.o.Window)) {
			s.after.Add(value)
		}
	case g.o.Before > 0 && !t.At.Before(s.at.Add(-g.o.Before)):
		s.before.Add(value)
	}
	return nil
}

func (g *gathering) arms(names []string, out *Log) error {
	for i, n := range names {
		out.Arms[i].Name = n
	}
	for c, s := range g.of {
		if s != nil {
			out.Customers[s.arm] = append(out.Customers[s.arm], c)
		}
	}
	margin := 1.0
	if g.o.Margin > 0 {
		margin = g.o.Margin
	}
	for i := range out.Arms {
		a := &out.Arms[i]
		slices.Sort(out.Customers[i])
		if g.o.Before > 0 {
			a.Before = []float64{}
		}
		for _, c := range out.Customers[i] {
			s := g.of[c]
			after, err := s.after.Total()
			if err != nil {
				return fail("customer %q: %w", c, err)
			}
			a.Values = append(a.Values, margin*after.Float64())
			if g.o.Before > 0 {
				before, err := s.before.Total()
				if err != nil {
					return fail("customer %q: %w", c, err)
				}
				a.Before = append(a.Before, margin*before.Float64())
			}
		}
	}
	return nil
}
