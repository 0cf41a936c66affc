package subscription

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// RenewalOptions say what is due and when a renewal is late. Nil, and the zero value, have the defaults.
type RenewalOptions struct {
	// GraceDays is how many days after the end of a term a renewal still counts, as late; 0 means 30, a negative number
	// none. What is renewed after that was lost, and is churn and reactivation.
	GraceDays int
	// EarlyDays is how many days before its day a renewal is on time; what is renewed before is early. 0 means that only
	// a renewal on the day itself, or a term that simply runs on, is on time.
	EarlyDays int
	// Implied makes subscriptions without terms due at the end of every billing interval, counted from their start: the
	// renewal rate of monthly plans is then their monthly retention.
	Implied bool
}

// RenewalStatus says what became of a term that was due.
type RenewalStatus uint8

// The statuses of terms.
const (
	RenewedEarly  RenewalStatus = iota + 1 // before its day
	RenewedOnTime                          // on the day, or the subscription ran on
	RenewedLate                            // within the days of grace
	Lost                                   // not, or after the grace
	Pending                                // not yet, and the end of observation is within the grace
)

// String returns the status in words, such as "on time".
func (s RenewalStatus) String() string {
	return name(s, "none", "early", "on time", "late", "lost", "pending")
}

// MarshalText returns the text of String.
func (s RenewalStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of String.
func (s *RenewalStatus) UnmarshalText(text []byte) (err error) {
	*s, err = value(text, "status of a renewal", RenewalStatus.String)
	return err
}

// A Renewal is one contract term that was due.
type Renewal struct {
	Customer     string        `json:"customer"`
	Subscription string        `json:"subscription"`
	Due          time.Time     `json:"due"` // the end of the term
	Status       RenewalStatus `json:"status"`
	Renewed      *time.Time    `json:"renewed"`  // when; nil if it was not
	Expiring     money.Amount  `json:"expiring"` // MRR of the term just before it was due
	Renewal      money.Amount  `json:"renewal"`  // MRR of the renewal at its start; zero if there is none

	expiring, renewal rational
}

// A Renewals table says what became of the contract terms that were due in a period. Due is decided by the end of the
// term, whenever invoices are sent: a term of three years is due once, and one that is renewed early counts in the period
// in which it would have ended. Renewed + Lost + Pending = Due.
//
//	Rate  = Renewed / Due                                 by count
//	Gross = sum of min(renewal, expiring) / sum of expiring    by value; at most 1
//	Net   = sum of renewal / sum of expiring                   by value
//
// Values are MRR, so that terms of different length compare. Pending terms are in the denominators.
type Renewals struct {
	Period   ledger.Period  `json:"period"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`

	Due     int64 `json:"due"`
	Early   int64 `json:"early"`
	OnTime  int64 `json:"on_time"`
	Late    int64 `json:"late"`
	Renewed int64 `json:"renewed"` // early, on time and late
	Lost    int64 `json:"lost"`
	Pending int64 `json:"pending"`

	Rate       CountRate `json:"rate"`         // Renewed / Due
	OnTimeRate CountRate `json:"on_time_rate"` // (Early + OnTime) / Due
	LateRate   CountRate `json:"late_rate"`    // Late / Due
	Gross      MoneyRate `json:"gross"`
	Net        MoneyRate `json:"net"`

	Expiring     money.Amount `json:"expiring"`      // MRR that was due
	LostValue    money.Amount `json:"lost_value"`    // MRR of the terms that were lost
	PendingValue money.Amount `json:"pending_value"` // MRR of the terms that are pending

	Terms []Renewal `json:"terms"` // by due date, customer and subscription
}

// Renewals returns what became of the terms that were due in a period. Terms come from the rows, each once for its
// subscription. A term without a Renewed date is renewed if its subscription runs on at the end, or starts again within
// the grace; the value of a renewal is the MRR with which it starts. Balances are those of subscriptions under the
// Book's policy, whatever its grain.
//
// Errors are those of [Book.Period].
func (b *Book) Renewals(p ledger.Period, o *RenewalOptions) (*Renewals, error) {
	cuts, err := spans([]ledger.Period{p})
	if err != nil {
		return nil, err
	}
	var opts RenewalOptions
	if o != nil {
		opts = *o
	}
	switch {
	case opts.GraceDays == 0:
		opts.GraceDays = 30
	case opts.GraceDays < 0:
		opts.GraceDays = 0
	}
	if opts.GraceDays > 36500 || opts.EarlyDays < 0 || opts.EarlyDays > 36500 {
		return nil, fmt.Errorf("subscription: renewals: grace of %d days, early by %d days: not from 0 to 36500", opts.GraceDays, opts.EarlyDays)
	}
	e, err := b.bySubscription(cuts[0].from, cuts[0].to)
	if err != nil {
		return nil, err
	}
	r := &renewer{e: e, w: &walker{e: e}, other: &walker{e: e}, opts: opts, period: p, cut: cuts[0]}
	items := e.data.items
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && e.sameUnit(&items[i], &items[j]) {
			j++
		}
		if err := r.subscription(i, j); err != nil {
			return nil, err
		}
		i = j
	}
	return r.result(b.policy)
}

// bySubscription returns an engine of the Book's policy at the grain of subscriptions.
func (b *Book) bySubscription(from, to int64) (*engine, error) {
	p := b.policy
	p.Grain = BySubscription
	return b.With(p).engine(from, to)
}

// renewer collects the terms that are due in one period.
type renewer struct {
	e        *engine
	w, other *walker
	opts     RenewalOptions
	period   ledger.Period
	cut      span
	out      []Renewal
}

// subscription looks at the terms of the subscription of the rows lo to hi.
func (r *renewer) subscription(lo, hi int) error {
	terms := r.terms(lo, hi)
	if len(terms) == 0 {
		return nil
	}
	if err := r.w.path(lo, hi); err != nil {
		return err
	}
	for _, t := range terms {
		if err := r.term(t, lo); err != nil {
			return err
		}
	}
	return nil
}

// terms returns the terms of the rows that are due in the period, each once.
func (r *renewer) terms(lo, hi int) []Term {
	var due []Term
	any := false
	for i := lo; i < hi; i++ {
		m := r.e.data.items[i].more
		if m == nil {
			continue
		}
		for _, t := range m.terms {
			any = true
			if !r.period.Contains(t.End) {
				continue
			}
			at := slices.IndexFunc(due, func(x Term) bool { return x.End.Equal(t.End) })
			switch {
			case at < 0:
				due = append(due, t)
			case due[at].Renewed.IsZero() && !t.Renewed.IsZero():
				due[at] = t
			}
		}
	}
	if any || !r.opts.Implied {
		return due
	}
	return r.implied(lo, hi)
}

// implied returns the ends of billing intervals of a subscription without terms.
func (r *renewer) implied(lo, hi int) []Term {
	type run struct {
		span     span
		interval Interval
	}
	rows := slices.Clone(r.e.data.items[lo:hi])
	slices.SortStableFunc(rows, func(x, y item) int { return cmp.Compare(x.from, y.from) })
	var runs []run
	for i := range rows {
		it := &rows[i]
		life, interval := r.e.lifetime(it), r.e.data.intervals[it.interval]
		if it.kind != Recurring || !interval.Known() || life.from >= life.to {
			continue
		}
		if n := len(runs); n > 0 && life.from <= runs[n-1].span.to && runs[n-1].interval == interval {
			runs[n-1].span.to = max(runs[n-1].span.to, life.to)
			continue
		}
		runs = append(runs, run{life, interval})
	}
	var due []Term
	for _, x := range runs {
		anchor := clock(x.span.from).In(r.period.Start.Location())
		for k := 1; ; k++ {
			start, end := x.interval.From(anchor, k-1), x.interval.From(anchor, k)
			if until(start) >= x.span.to || !end.Before(r.period.End) {
				break
			}
			if r.period.Contains(end) && !slices.ContainsFunc(due, func(t Term) bool { return t.End.Equal(end) }) {
				due = append(due, Term{Start: start, End: end})
			}
		}
	}
	return due
}

// term judges one term.
func (r *renewer) term(t Term, lo int) error {
	it := &r.e.data.items[lo]
	w, due := r.w, until(t.End)
	out := Renewal{Customer: r.e.data.customers[it.customer], Subscription: r.e.data.subscriptions[it.subscription], Due: t.End}
	last := w.stepAt(due - 1)
	for last > 0 && !w.pays(last) { // it ended before its term
		last--
	}
	out.expiring = w.value(last, due-1)
	next := w
	if t.RenewedAs != "" {
		next = r.successor(lo, t.RenewedAs)
	}
	renewed := t.Renewed
	if renewed.IsZero() {
		renewed = r.derived(next, t.End, t.RenewedAs != "")
	}
	out.Status = r.status(t.End, renewed)
	if out.Status != Lost && out.Status != Pending {
		from := max(due, until(renewed))
		s := next.stepAt(from)
		for s < len(next.steps)-1 && !next.pays(s) {
			s++
		}
		out.renewal = next.value(s, from)
		out.Renewed = &renewed
	}
	var err1, err2 error
	out.Expiring, err1 = r.e.scale.round(out.expiring)
	out.Renewal, err2 = r.e.scale.round(out.renewal)
	r.out = append(r.out, out)
	return cmp.Or(w.err, r.other.err, err1, err2)
}

// successor reads the path of another subscription of the customer of a row; it is empty if there is none.
func (r *renewer) successor(row int, id string) *walker {
	items := r.e.data.items
	r.other.steps, r.other.balances = r.other.steps[:0], r.other.balances[:0]
	number, found := slices.BinarySearch(r.e.data.subscriptions, id)
	if !found {
		return r.other
	}
	lo := row
	for lo > 0 && items[lo-1].customer == items[row].customer {
		lo--
	}
	for ; lo < len(items) && items[lo].customer == items[row].customer; lo++ {
		if items[lo].subscription != int32(number) {
			continue
		}
		hi := lo
		for hi < len(items) && r.e.sameUnit(&items[lo], &items[hi]) {
			hi++
		}
		if err := r.other.path(lo, hi); err != nil && r.other.err == nil {
			r.other.err = err
		}
		break
	}
	return r.other
}

// derived returns when a term without a date of renewal was renewed: at its end if the subscription runs on, else when
// it next starts. A successor that started before counts from the end.
func (r *renewer) derived(w *walker, end time.Time, successor bool) time.Time {
	due := until(end)
	at := w.stepAt(due)
	if w.alive(at) {
		if at >= 0 && successor && w.steps[0].t < due {
			return clock(w.steps[0].t).In(end.Location())
		}
		return end
	}
	for i := at + 1; i < len(w.steps); i++ {
		if w.steps[i].alive {
			return clock(w.steps[i].t).In(end.Location())
		}
	}
	return time.Time{}
}

// status compares calendar days in the location of the period.
func (r *renewer) status(end, renewed time.Time) RenewalStatus {
	loc := r.period.Start.Location()
	day := ledger.Day(end, loc)
	limit := day.End.In(loc)
	if r.opts.GraceDays > 0 {
		limit = dayBefore(limit, -r.opts.GraceDays)
	}
	switch {
	case renewed.IsZero() || !renewed.Before(limit):
		if r.e.observed != open && r.e.observed < until(limit) {
			return Pending
		}
		return Lost
	case renewed.Before(dayBefore(day.Start, r.opts.EarlyDays)):
		return RenewedEarly
	case renewed.Before(day.End):
		return RenewedOnTime
	}
	return RenewedLate
}

func (r *renewer) result(p Policy) (*Renewals, error) {
	slices.SortStableFunc(r.out, func(x, y Renewal) int {
		return cmp.Or(x.Due.Compare(y.Due), cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Subscription, y.Subscription))
	})
	out := &Renewals{Period: r.period, Policy: p, Currency: r.e.scale.currency, Terms: append([]Renewal{}, r.out...), Due: int64(len(r.out))}
	var expiring, renewal, kept, lost, pending rational
	for i := range r.out {
		t := &r.out[i]
		expiring, renewal = expiring.add(t.expiring), renewal.add(t.renewal)
		kept = kept.add(least(t.expiring, t.renewal))
		switch t.Status {
		case RenewedEarly:
			out.Early++
		case RenewedOnTime:
			out.OnTime++
		case RenewedLate:
			out.Late++
		case Lost:
			out.Lost++
			lost = lost.add(t.expiring)
		case Pending:
			out.Pending++
			pending = pending.add(t.expiring)
		}
	}
	out.Renewed = out.Early + out.OnTime + out.Late
	out.Rate, out.OnTimeRate = CountRate{out.Renewed, out.Due}, CountRate{out.Early + out.OnTime, out.Due}
	out.LateRate = CountRate{out.Late, out.Due}
	var errs [5]error
	out.Gross, errs[0] = r.e.moneyRate(kept, expiring)
	out.Net, errs[1] = r.e.moneyRate(renewal, expiring)
	out.Expiring, errs[2] = r.e.scale.round(expiring)
	out.LostValue, errs[3] = r.e.scale.round(lost)
	out.PendingValue, errs[4] = r.e.scale.round(pending)
	return out, cmp.Or(errs[:]...)
}

// String returns the counts, values and rates as a table.
func (r *Renewals) String() string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return "renewals due in " + r.Period.String() + r.Policy.title() + "\n" + table([][]string{
		{"", "terms"}, {"due", n(r.Due)}, {"early", n(r.Early)}, {"on time", n(r.OnTime)}, {"late", n(r.Late)}, {"lost", n(r.Lost)},
		{"pending", n(r.Pending)}, {"rate", r.Rate.String()}, {"gross by value", r.Gross.String()}, {"net by value", r.Net.String()},
	})
}

// WriteCSV writes one record for each term, with a header.
func (r *Renewals) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	records := [][]string{{"due", "customer", "subscription", "status", "renewed", "currency", "expiring", "renewal"}}
	for _, t := range r.Terms {
		renewed := ""
		if t.Renewed != nil {
			renewed = t.Renewed.Format(time.RFC3339)
		}
		records = append(records, []string{t.Due.Format(time.RFC3339), t.Customer, t.Subscription, t.Status.String(), renewed,
			string(r.Currency), plain(t.Expiring), plain(t.Renewal)})
	}
	return c.WriteAll(records)
}
