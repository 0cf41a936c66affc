package subscription

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// An Event is one entry of a subscription log. Which fields count depends on its Kind.
type Event struct {
	At           time.Time
	Kind         EventKind
	Subscription string // never empty
	Customer     string // needed in the subscription's first event
	Parent       string

	Item     string // of Start and Change: the line; empty means that the subscription has one
	Plan     string
	Price    money.Amount
	Interval Interval
	Quantity int64 // 0 means 1

	Discount Discount  // of DiscountStart; of DiscountStop its ID
	Until    time.Time // of TrialStart: the end of the trial; of CancelRequest: the end of the subscription; of Renew: the end of the new term
	Reason   Reason    // of End and CancelRequest
	Code     string
	Labels   map[string]string
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	Start         EventKind = iota + 1 // an item starts; the first one starts the subscription
	Change                             // an item has another plan, price, interval or quantity
	Stop                               // an item ends and the subscription goes on
	TrialStart                         // the subscription is on trial, until Until or TrialStop
	TrialStop                          // the trial ends: it converts
	Pause                              // it is paused
	Resume                             // it goes on
	Overdue                            // a payment is overdue
	Paid                               // the overdue payment arrived
	DiscountStart                      // Discount holds from now on
	DiscountStop                       // the discount of that ID no longer does
	CancelRequest                      // the end was asked for, at Until if that is known
	CancelUndone                       // the request is taken back
	Renew                              // the term is renewed until Until; the first one starts the first term
	End                                // the subscription ends with all its items
)

// String returns the kind's name, such as "start".
func (k EventKind) String() string {
	return name(k, "none", "start", "change", "stop", "trial-start", "trial-stop", "pause", "resume", "overdue", "paid",
		"discount-start", "discount-stop", "cancel-request", "cancel-undone", "renew", "end")
}

// MarshalText returns the text of String.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text of String.
func (k *EventKind) UnmarshalText(text []byte) (err error) {
	*k, err = value(text, "kind of event", EventKind.String)
	return err
}

// Fold makes Rows of a log of events, in any order: it is a pure function of the log, which it keeps in memory. Events of
// one subscription and moment happen in the order in which they come, but what ends comes before what starts. A
// subscription that starts again after its End has new rows. Its discounts go to all its items, but an amount off to the
// first by name.
//
// The stream has a *[ledger.RowError], whose Row counts the events, for an event that cannot be: a change of an item that
// is not running, a resumption without a pause, anything after the end. It is that event alone that is left out where the
// stream is wrapped in [ledger.Skip].
func Fold(events iter.Seq2[Event, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var all []numberedEvent
		n := 0
		for ev, err := range events {
			n++
			if err == nil {
				err = ev.check(n)
			}
			if err == nil {
				all = append(all, numberedEvent{ev, n})
				continue
			}
			var row *ledger.RowError
			if !yield(Row{}, err) || !errors.As(err, &row) {
				return
			}
		}
		slices.SortStableFunc(all, func(x, y numberedEvent) int {
			return cmp.Or(cmp.Compare(x.Subscription, y.Subscription), x.At.Compare(y.At), cmp.Compare(x.rank(), y.rank()))
		})
		for i := 0; i < len(all); {
			j := i
			for j < len(all) && all[j].Subscription == all[i].Subscription {
				j++
			}
			if !fold(all[i:j], yield) {
				return
			}
			i = j
		}
	}
}

type numberedEvent struct {
	Event
	row int
}

// rank orders the events of one moment: an end before a new start.
func (e *numberedEvent) rank() int {
	if e.Kind == End {
		return 0
	}
	return 1
}

var (
	errNoSubscription = errors.New("an event needs a subscription")
	errNotRunning     = errors.New("the subscription is not running")
	errItemRuns       = errors.New("this item runs already")
	errNoItem         = errors.New("no such item runs")
	errTwice          = errors.New("it is so already")
	errNotSo          = errors.New("it is not so")
)

func (e *Event) check(row int) error {
	fail := func(field, value string, err error) error {
		return &ledger.RowError{Row: row, Field: field, Value: value, Err: err}
	}
	switch _, ok := moment(e.At); {
	case e.Subscription == "":
		return fail("Subscription", "", errNoSubscription)
	case e.At.IsZero():
		return fail("At", "", errors.New("an event needs a moment"))
	case !ok:
		return fail("At", showTime(e.At), errYear)
	case e.Kind < Start || e.Kind > End:
		return fail("Kind", e.Kind.String(), errors.New("not a kind of event"))
	}
	return nil
}

// folder is the state of one subscription as its events go by.
type folder struct {
	customer, parent string
	labels           map[string]string
	running          map[string]*Row // items by name
	done             []Row
	run              int // the first row of the current run: what is before ended for good
	trial            ledger.Period
	paused, pastDue  []ledger.Period
	discounts        []Discount
	cancel, until    time.Time
	reason           Reason
	code             string
	term             Term
	terms            []Term
}

// fold makes the rows of one subscription.
func fold(events []numberedEvent, yield func(Row, error) bool) bool {
	f := &folder{running: map[string]*Row{}}
	for i := range events {
		ev := &events[i]
		if field, value, err := f.apply(&ev.Event); err != nil {
			if !yield(Row{}, &ledger.RowError{Row: ev.row, Field: field, Value: value, Err: err}) {
				return false
			}
		}
	}
	f.finish(time.Time{})
	for _, r := range f.done {
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

func (f *folder) apply(ev *Event) (field, value string, err error) {
	if ev.Kind != Start && len(f.running) == 0 {
		return "Kind", ev.Kind.String(), errNotRunning
	}
	switch ev.Kind {
	case Start, Change, Stop:
		return f.item(ev)
	case TrialStart:
		f.trial = ledger.Period{Start: ev.At, End: ev.Until}
	case TrialStop:
		if f.trial.Start.IsZero() {
			return "Kind", ev.Kind.String(), errNotSo
		}
		f.trial.End = ev.At
	case Pause:
		return begin(&f.paused, ev)
	case Resume:
		return finish(f.paused, ev)
	case Overdue:
		return begin(&f.pastDue, ev)
	case Paid:
		return finish(f.pastDue, ev)
	case DiscountStart:
		d := ev.Discount
		if d.Start.IsZero() {
			d.Start = ev.At
		}
		f.discounts = append(f.discounts, d)
	case DiscountStop:
		return f.stopDiscount(ev)
	case CancelRequest:
		f.cancel, f.until, f.reason, f.code = ev.At, ev.Until, ev.Reason, ev.Code
	case CancelUndone:
		f.cancel, f.until, f.reason, f.code = time.Time{}, time.Time{}, Unknown, ""
	case Renew:
		f.renew(ev)
	case End:
		if ev.Reason != Unknown || ev.Code != "" {
			f.reason, f.code = ev.Reason, ev.Code
		}
		f.finish(ev.At)
	}
	return "", "", nil
}

// begin opens a pause or an overdue payment, and finish closes it.
func begin(ps *[]ledger.Period, ev *Event) (field, value string, err error) {
	if n := len(*ps); n > 0 && (*ps)[n-1].End.IsZero() {
		return "Kind", ev.Kind.String(), errTwice
	}
	*ps = append(*ps, ledger.Period{Start: ev.At})
	return "", "", nil
}

func finish(ps []ledger.Period, ev *Event) (field, value string, err error) {
	n := len(ps)
	if n == 0 || !ps[n-1].End.IsZero() || !ev.At.After(ps[n-1].Start) {
		return "Kind", ev.Kind.String(), errNotSo
	}
	ps[n-1].End = ev.At
	return "", "", nil
}

func (f *folder) item(ev *Event) (field, value string, err error) {
	r := f.running[ev.Item]
	switch {
	case ev.Kind == Start && r != nil:
		return "Item", ev.Item, errItemRuns
	case ev.Kind != Start && r == nil:
		return "Item", ev.Item, errNoItem
	case ev.Kind == Start && ev.Customer == "" && f.customer == "":
		return "Customer", "", errNoCustomer
	case r != nil && ev.At.Before(r.From):
		return "At", showTime(ev.At), errOrder
	}
	if ev.Customer != "" {
		f.customer = ev.Customer
	}
	if ev.Parent != "" {
		f.parent = ev.Parent
	}
	if ev.Labels != nil {
		f.labels = maps.Clone(ev.Labels)
	}
	if r != nil {
		f.close(ev.Item, ev.At)
	}
	if ev.Kind != Stop {
		item := ev.Item
		if item == "" {
			item = ev.Subscription
		}
		f.running[ev.Item] = &Row{Customer: f.customer, Parent: f.parent, Subscription: ev.Subscription, Item: item, Plan: ev.Plan,
			Price: ev.Price, Interval: ev.Interval, Quantity: ev.Quantity, From: ev.At, Labels: f.labels}
	}
	return "", "", nil
}

// close ends the running row of an item, unless it would last no time.
func (f *folder) close(item string, end time.Time) {
	r := f.running[item]
	delete(f.running, item)
	if !end.IsZero() && !end.After(r.From) {
		return
	}
	r.To = end
	f.done = append(f.done, *r)
}

func (f *folder) stopDiscount(ev *Event) (field, value string, err error) {
	for i := range f.discounts {
		d := &f.discounts[i]
		if d.ID == ev.Discount.ID && ev.At.After(d.Start) && (d.End.IsZero() || d.End.After(ev.At)) {
			d.End = ev.At
			return "", "", nil
		}
	}
	return "Discount", ev.Discount.ID, errNotSo
}

func (f *folder) renew(ev *Event) {
	start := ev.At
	if !f.term.End.IsZero() {
		f.term.Renewed = ev.At
		f.terms = append(f.terms, f.term)
		start = f.term.End
	}
	f.term = Term{Start: start, End: ev.Until}
}

// finish ends the subscription, or the log if end is zero, and gives all its rows the facts that were met on the way.
func (f *folder) finish(end time.Time) {
	if end.IsZero() {
		end = f.until // a cancellation that is scheduled
	}
	ending := len(f.done)
	for _, item := range slices.Sorted(maps.Keys(f.running)) {
		f.close(item, end)
	}
	if !f.term.End.IsZero() {
		f.terms = append(f.terms, f.term)
	}
	lead := "" // the item that carries the amounts off
	for i, r := range f.done[f.run:] {
		if i == 0 || r.Item < lead {
			lead = r.Item
		}
	}
	for i := f.run; i < len(f.done); i++ {
		r := &f.done[i]
		r.Trial, r.Paused, r.PastDue = f.trial, f.paused, f.pastDue
		for _, d := range f.discounts {
			if d.Amount.Sign() == 0 || r.Item == lead {
				r.Discounts = append(r.Discounts, d)
			}
		}
		r.Terms = termsOf(f.terms, r)
		if i < ending {
			continue
		}
		r.CancelRequested = f.cancel
		if !r.To.IsZero() || !r.CancelRequested.IsZero() {
			r.Reason, r.Code = f.reason, f.code
		}
	}
	f.restart()
}

// restart forgets what belonged to the subscription that ended; its rows are kept apart.
func (f *folder) restart() {
	done := f.done
	*f = folder{customer: f.customer, parent: f.parent, labels: f.labels, running: map[string]*Row{},
		done: done, run: len(done)}
}

// termsOf returns the terms during which a row runs.
func termsOf(terms []Term, r *Row) []Term {
	var own []Term
	for _, t := range terms {
		if t.End.After(r.From) && (r.To.IsZero() || t.Start.Before(r.To)) {
			own = append(own, t)
		}
	}
	return own
}

// String returns the event in one line.
func (e Event) String() string {
	return fmt.Sprintf("%s %s %s", showTime(e.At), e.Subscription, e.Kind)
}
