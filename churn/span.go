package churn

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Span is a time during which somebody was a customer: a subscription, a contract, a membership. A customer may have
// several, at the same time or one after another; rates are taken of customers and not of spans.
type Span struct {
	Customer string       `json:"customer"`
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to,omitzero"`    // the customer was there in [From, To); the zero time means still there
	Reason   string       `json:"reason"`         // why it ended, empty if unknown
	Value    money.Amount `json:"value,omitzero"` // what it was worth a period of the caller's choice, such as the MRR
}

// SpansOf makes spans of tenures, whose durations are in the given unit: time.Hour*24 for days. A tenure that has not
// ended is open.
//
// It returns an error with the row for a tenure without Start, or whose duration does not fit a time.Duration.
func SpansOf(ts []ledger.Tenure, unit time.Duration) ([]Span, error) {
	if unit <= 0 {
		return nil, fmt.Errorf("churn: unit %v: want a positive duration", unit)
	}
	spans := make([]Span, 0, len(ts))
	for i, t := range ts {
		if t.Start.IsZero() {
			return nil, rowError(i+1, "start", "", errNoTime)
		}
		s := Span{Customer: t.Customer, From: t.Start, Reason: t.Reason}
		if t.Ended {
			d := t.Duration * float64(unit)
			if !(d > 0 && d < 1<<62) {
				return nil, rowError(i+1, "duration", exactly(t.Duration), errDuration)
			}
			s.To = t.Start.Add(time.Duration(d + 0.5))
		}
		spans = append(spans, s)
	}
	return spans, nil
}

// at reports whether the span covers an instant.
func (s *Span) at(t time.Time) bool { return !s.From.After(t) && (s.To.IsZero() || s.To.After(t)) }

// collectSpans reads and checks a stream, sorted by customer and time.
func collectSpans(ctx context.Context, seq iter.Seq2[Span, error]) ([]Span, error) {
	var spans []Span
	for s, err := range seq {
		if err != nil {
			return nil, streamError(err)
		}
		row := len(spans) + 1
		if row%4096 == 0 && ctx.Err() != nil {
			break
		}
		switch {
		case s.Customer == "":
			return nil, rowError(row, "customer", "", errNoCustomer)
		case s.From.IsZero():
			return nil, rowError(row, "from", "", errNoTime)
		case !s.To.IsZero() && !s.To.After(s.From):
			return nil, rowError(row, "to", timeText(s.To), errBeforeStart)
		case s.Value.Sign() < 0:
			return nil, rowError(row, "value", s.Value.String(), errNegative)
		}
		spans = append(spans, s)
	}
	if err := ctx.Err(); err != nil {
		return nil, streamError(err)
	}
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Customer, b.Customer), a.From.Compare(b.From), compareOpen(a.To, b.To), cmp.Compare(a.Reason, b.Reason))
	})
	return spans, nil
}

// compareOpen compares ends, of which the zero time is the latest.
func compareOpen(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// customers yields the spans of each customer in turn, from sorted ones.
func customers(spans []Span) iter.Seq[[]Span] {
	return func(yield func([]Span) bool) {
		for i := 0; i < len(spans); {
			j := i + 1
			for j < len(spans) && spans[j].Customer == spans[i].Customer {
				j++
			}
			if !yield(spans[i:j]) {
				return
			}
			i = j
		}
	}
}

// stays merges one customer's sorted spans into stays without overlaps; a gap of up to tolerance is no departure. The
// reason is that of the span that ends last.
func stays(spans []Span, tolerance time.Duration) []Span {
	merged := []Span{spans[0]}
	for _, s := range spans[1:] {
		m := &merged[len(merged)-1]
		if !m.To.IsZero() && s.From.After(m.To.Add(tolerance)) {
			merged = append(merged, s)
		} else if compareOpen(s.To, m.To) >= 0 {
			m.To, m.Reason = s.To, s.Reason
		}
	}
	return merged
}

// An AgeRate is the churn of customers by a fixed age, such as 90 days, in two ways.
type AgeRate struct {
	Age time.Duration `json:"age_ns"`
	// Complete is the churn of the customers who could have reached the age: those who started at least that long before
	// the end. Nil if there are none.
	Complete *Loss `json:"complete"`
	// Young is the number of customers left out of Complete: not old enough, or gone before they could have been.
	Young int `json:"young"`
	// KaplanMeier uses all customers, each for as long as it was observed. Nil if nobody was observed up to the age while
	// some might still be there.
	KaplanMeier *AgeEstimate `json:"kaplan_meier"`
}

// An AgeEstimate is 1 minus the Kaplan-Meier estimate of survival, with Greenwood's standard error and the interval that
// is symmetric on the scale of log(-log S).
type AgeEstimate struct {
	Value  float64 `json:"value"`
	StdErr float64 `json:"std_err"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Level  float64 `json:"level"`
}

// String returns both estimates in two lines.
func (a *AgeRate) String() string {
	complete, km := "undefined: nobody is old enough", "undefined: nobody was observed for so long"
	if a.Complete != nil {
		complete = fmt.Sprintf("%s, %d too young", a.Complete, a.Young)
	}
	if k := a.KaplanMeier; k != nil {
		km = fmt.Sprintf("%s (%s to %s at %s)", percent(k.Value), percent(k.Low), percent(k.High), strconv.FormatFloat(100*k.Level, 'g', 4, 64)+" %")
	}
	return factTable([][2]string{{"complete", complete}, {"Kaplan-Meier", km}})
}

// ByAge returns the share of customers who left before a fixed age, as elapsed time since their first start: 90 *
// 24 * time.Hour for 90-day churn. Who leaves at exactly the age has left by it. A customer's overlapping and touching
// spans are one; later stays of who came back do not count. Only customers who started in the period are taken, unless
// it is the zero Period.
//
// A naive rate of those who left early over all who started is biased, since young customers have not had the time to
// leave; Complete excludes all young ones, those who have left already included, and KaplanMeier uses all.
//
// ByAge returns an error if age is not positive, if level is not between 0 and 1, for a span that is not valid, and
// one that wraps ledger.ErrUndefined if no customer started before the end.
func ByAge(ctx context.Context, seq iter.Seq2[Span, error], started ledger.Period, age time.Duration, end time.Time, level float64) (*AgeRate, error) {
	if age <= 0 {
		return nil, fmt.Errorf("churn: age %v: want a positive duration", age)
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("churn: level %v: want a number between 0 and 1", level)
	}
	spans, err := collectSpans(ctx, seq)
	if err != nil {
		return nil, err
	}
	r := &AgeRate{Age: age}
	var seen []observed
	lost, base := 0, 0
	for one := range customers(spans) {
		s := stays(one, 0)[0]
		if !s.From.Before(end) || (!started.IsZero() && !started.Contains(s.From)) {
			continue
		}
		o := observed{end.Sub(s.From), false}
		if !s.To.IsZero() && !s.To.After(end) {
			o = observed{s.To.Sub(s.From), true}
		}
		seen = append(seen, o)
		if end.Sub(s.From) < age {
			r.Young++
			continue
		}
		base++
		if o.ended && o.age <= age {
			lost++
		}
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("churn: by age: no customer started before the end: %w", ledger.ErrUndefined)
	}
	if base > 0 {
		r.Complete = &Loss{float64(lost), float64(base), float64(lost) / float64(base), FixedAge}
	}
	r.KaplanMeier = kaplanMeier(seen, age, level)
	return r, nil
}
