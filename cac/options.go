package cac

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Dimension is what a table groups by.
type Dimension string

// The dimensions. The empty Dimension groups by nothing: one row for each period, which is a table of the cohorts of
// customers acquired in it.
const (
	PerChannel  Dimension = "channel"
	PerCampaign Dimension = "campaign"
	PerSegment  Dimension = "segment"
)

// A SharingRule says how the costs that belong to no single group are shared between the groups of their period, to
// the minor unit by largest remainder.
type SharingRule string

// The rules. The empty SharingRule is Unallocated. Where a rule finds nothing to go by in a period (no spend, no new
// customers, no weights), the costs stay unallocated.
const (
	Unallocated    SharingRule = "unallocated"      // not at all: they have a row of their own, SharedGroup
	BySpend        SharingRule = "by_spend"         // by the groups' own spend, as far as it is positive
	ByNewCustomers SharingRule = "by_new_customers" // by the groups' new customers
	ByWeights      SharingRule = "by_weights"       // by weights that the caller states, such as headcounts
)

// Sharing is the rule for shared costs with its weights.
type Sharing struct {
	Rule    SharingRule
	Weights map[string]float64 // for ByWeights: by group; a group that is absent gets nothing
}

// ValueOf returns what a customer is worth in money, such as the value that a clv.Scorer gave, and false if that is not
// known.
type ValueOf func(customer string) (money.Amount, bool)

// Values returns the ValueOf of a map from customer to value. The map is copied.
func Values(worth map[string]money.Amount) ValueOf {
	worth = maps.Clone(worth)
	return func(customer string) (money.Amount, bool) {
		v, ok := worth[customer]
		return v, ok
	}
}

// Options are the rules of [Analyze]. The zero Options, like nil, are the defaults: fully loaded cost over all new
// customers, for all of time, in one row.
type Options struct {
	By           Dimension                  // what to group by; empty: nothing
	Periods      []ledger.Period            // disjoint, in any order; none: all of time as one
	Basis        Basis                      // which costs count; zero: FullyLoaded
	Denominator  Denominator                // which customers count; empty: the usual ones of the basis
	PaidChannels []string                   // the channels whose customers NewPaid counts; nil: the channels and campaigns that have a line of paid media
	Valid        func(customer string) bool // for NetNew, which needs it: whether the customer is still one after the refund window
	Segment      ledger.Key                 // the segment of a customer; PerSegment needs it
	Sharing      Sharing                    // how shared costs are shared; zero: not
	Lag          Lag                        // when the customers come that a cost wins; zero: in its own period
	Value        ValueOf                    // what a customer is worth; nil: no value, LTV:CAC and ROI
	ValueBasis   ValueBasis                 // what the values are measured in; empty: GrossMargin
	Missing      MissingValue               // what a customer is worth whose value is not known; empty: undefined
	Currency     money.Currency             // of the result; empty: the one of all lines
	Convert      Converter                  // rates of exchange; nil: lines of another currency are an error
}

// ByChannel returns spend, new customers, CAC, value and return by channel and period: [Analyze] with the default rules.
// Without periods it is a table over all of time. A nil value leaves the value and the returns out.
func ByChannel(costs []Cost, customers []ledger.Customer, value ValueOf, periods ...ledger.Period) (*Table, error) {
	return Analyze(context.Background(), costs, customers, &Options{By: PerChannel, Value: value, Periods: periods})
}

// ByCampaign returns the same by campaign.
func ByCampaign(costs []Cost, customers []ledger.Customer, value ValueOf, periods ...ledger.Period) (*Table, error) {
	return Analyze(context.Background(), costs, customers, &Options{By: PerCampaign, Value: value, Periods: periods})
}

// BySegment returns the same by segment of customers; costs name theirs in Cost.Segment.
func BySegment(costs []Cost, customers []ledger.Customer, segment ledger.Key, value ValueOf, periods ...ledger.Period) (*Table, error) {
	return Analyze(context.Background(), costs, customers, &Options{By: PerSegment, Segment: segment, Value: value, Periods: periods})
}

// ByCohort returns the same by cohort of acquisition: a row for each period, with all costs of the period over the
// customers who were won in it.
func ByCohort(costs []Cost, customers []ledger.Customer, value ValueOf, periods ...ledger.Period) (*Table, error) {
	return Analyze(context.Background(), costs, customers, &Options{Value: value, Periods: periods})
}

func (o *Options) validate() error {
	switch o.By {
	case "", PerChannel, PerCampaign:
	case PerSegment:
		if o.Segment == nil {
			return fail("grouping by segment needs Options.Segment")
		}
	default:
		return fail("unknown dimension %q", string(o.By))
	}
	if o.Denominator == NetNew && o.Valid == nil {
		return fail("net new customers need Options.Valid")
	}
	if len(o.Periods) == 0 && (o.Lag.Periods > 0 || o.Lag.Weights != nil || o.Lag.Functions != nil || o.Lag.Categories != nil) {
		return fail("a lag needs periods")
	}
	return cmp.Or(o.Basis.Validate(), o.Denominator.validate(), o.Lag.Validate(), o.Sharing.validate(), o.Missing.validate(), o.ValueBasis.validate())
}

func (s Sharing) validate() error {
	switch s.Rule {
	case "", Unallocated, BySpend, ByNewCustomers:
		if s.Weights != nil {
			return fail("sharing %q takes no weights", string(s.Rule))
		}
		return nil
	case ByWeights:
		for _, g := range slices.Sorted(maps.Keys(s.Weights)) {
			if w := s.Weights[g]; finite("", w) != nil || w < 0 {
				return fail("sharing: weight %v of %q: not a finite number of at least 0", w, g)
			}
		}
		return nil
	}
	return fail("unknown sharing rule %q", string(s.Rule))
}

func (o *Options) policy(c money.Currency) Policy {
	p := Policy{Basis: o.Basis.clone(), Denominator: cmp.Or(o.Denominator, o.Basis.usual()), Lag: o.Lag.clone(),
		Sharing: cmp.Or(o.Sharing.Rule, Unallocated), Currency: c}
	if o.Value != nil {
		p.ValueBasis, p.Missing = cmp.Or(o.ValueBasis, GrossMargin), cmp.Or(o.Missing, ValueUndefined)
	}
	return p
}

// currency returns the currency of the result: the one asked for, or else the only one there is.
func (o *Options) currency(costs []Cost) (money.Currency, error) {
	if o.Currency != "" {
		return o.Currency, nil
	}
	var first money.Currency
	for i, c := range costs {
		switch at := c.Amount.Currency(); {
		case first == "":
			first = at
		case at != "" && at != first:
			return "", c.at(i+1, "amount", c.Amount.String(),
				fmt.Errorf("%w: %s and %s, and Options.Currency names none", ErrCurrencyMismatch, first, at))
		}
	}
	return first, nil
}
