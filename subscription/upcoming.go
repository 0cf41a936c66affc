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

// An UpcomingRenewal is a contract term that will be due.
type UpcomingRenewal struct {
	Customer     string       `json:"customer"`
	Subscription string       `json:"subscription"`
	Due          time.Time    `json:"due"`
	MRR          money.Amount `json:"mrr"`      // now
	Renewed      bool         `json:"renewed"`  // already
	Canceled     bool         `json:"canceled"` // the end has been asked for
	Overdue      bool         `json:"overdue"`  // a payment is overdue
	Paused       bool         `json:"paused"`

	mrr rational
}

// AtRisk reports whether the term shows a sign that it will not be renewed: a cancellation, an overdue payment, a pause.
func (u UpcomingRenewal) AtRisk() bool { return !u.Renewed && (u.Canceled || u.Overdue || u.Paused) }

// Upcoming lists the contract terms that are due in a period after a moment, as that moment knows them.
type Upcoming struct {
	At       time.Time      `json:"at"`
	Period   ledger.Period  `json:"period"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`

	Due     int64        `json:"due"`
	Renewed int64        `json:"renewed"` // already
	MRR     money.Amount `json:"mrr"`     // of the terms that are not renewed yet
	AtRisk  money.Amount `json:"at_risk"` // of those among them that show a sign of leaving

	Terms []UpcomingRenewal `json:"terms"` // by due date, customer and subscription
}

// Upcoming returns the renewals that are due in a period, which is usually one after the moment, and the MRR that depends
// on them. Only subscriptions that run at the moment are listed. Errors are those of [Book.Period].
func (b *Book) Upcoming(at time.Time, p ledger.Period) (*Upcoming, error) {
	t, ok := moment(at)
	if !ok {
		return nil, fmt.Errorf("subscription: upcoming renewals at %s: %w", showTime(at), errYear)
	}
	if _, err := spans([]ledger.Period{p}); err != nil {
		return nil, err
	}
	e, err := b.bySubscription(t, t)
	if err != nil {
		return nil, err
	}
	out := &Upcoming{At: at, Period: p, Policy: b.policy, Currency: e.scale.currency, Terms: []UpcomingRenewal{}}
	r := &renewer{e: e, w: &walker{e: e}, period: p}
	var mrr, risk rational
	items := e.data.items
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && e.sameUnit(&items[i], &items[j]) {
			j++
		}
		terms := r.terms(i, j)
		if len(terms) > 0 {
			if err := r.w.path(i, j); err != nil {
				return nil, err
			}
		}
		for _, term := range terms {
			u, runs := r.upcoming(term, i, j, t)
			if !runs {
				continue
			}
			if u.MRR, err = e.scale.round(u.mrr); err != nil {
				return nil, err
			}
			if u.Renewed {
				out.Renewed++
			} else {
				mrr = mrr.add(u.mrr)
			}
			if u.AtRisk() {
				risk = risk.add(u.mrr)
			}
			out.Terms = append(out.Terms, u)
		}
		i = j
	}
	slices.SortStableFunc(out.Terms, func(x, y UpcomingRenewal) int {
		return cmp.Or(x.Due.Compare(y.Due), cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Subscription, y.Subscription))
	})
	out.Due = int64(len(out.Terms))
	var err1, err2 error
	out.MRR, err1 = e.scale.round(mrr)
	out.AtRisk, err2 = e.scale.round(risk)
	return out, cmp.Or(r.w.err, err1, err2)
}

// upcoming looks at one term of the subscription of the rows lo to hi, and reports whether it runs at the moment.
func (r *renewer) upcoming(term Term, lo, hi int, t int64) (UpcomingRenewal, bool) {
	d := r.e.data
	u := UpcomingRenewal{
		Customer: d.customers[d.items[lo].customer], Subscription: d.subscriptions[d.items[lo].subscription], Due: term.End,
		Renewed: !term.Renewed.IsZero() && !term.Renewed.After(clock(t)), mrr: r.w.value(r.w.stepAt(t), t),
	}
	runs := false
	for i := lo; i < hi; i++ {
		it := &d.items[i]
		if !r.e.lifetime(it).has(t) {
			continue
		}
		runs = true
		u.Canceled = u.Canceled || it.cancel <= t
		if m := it.more; m != nil {
			u.Overdue = u.Overdue || slices.ContainsFunc(m.pastDue, func(s span) bool { return s.has(t) })
			u.Paused = u.Paused || slices.ContainsFunc(m.paused, func(s span) bool { return s.has(t) })
		}
	}
	return u, runs
}

// String returns an aligned table of the terms.
func (u *Upcoming) String() string {
	rows := [][]string{{"due", "customer", "subscription", "MRR", "signs"}}
	for _, t := range u.Terms {
		rows = append(rows, []string{t.Due.Format(time.DateOnly), t.Customer, t.Subscription, plain(t.MRR), t.signs()})
	}
	return fmt.Sprintf("renewals due in %s: %d, %s not renewed yet, %s at risk\n", u.Period, u.Due, u.MRR, u.AtRisk) + table(rows)
}

func (u UpcomingRenewal) signs() string {
	switch {
	case u.Renewed:
		return "renewed"
	case u.Canceled:
		return "canceled"
	case u.Overdue:
		return "overdue"
	case u.Paused:
		return "paused"
	}
	return ""
}

// WriteCSV writes one record for each term, with a header.
func (u *Upcoming) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	records := [][]string{{"due", "customer", "subscription", "currency", "mrr", "renewed", "canceled", "overdue", "paused"}}
	for _, t := range u.Terms {
		records = append(records, []string{t.Due.Format(time.RFC3339), t.Customer, t.Subscription, string(u.Currency), plain(t.MRR),
			strconv.FormatBool(t.Renewed), strconv.FormatBool(t.Canceled), strconv.FormatBool(t.Overdue), strconv.FormatBool(t.Paused)})
	}
	return c.WriteAll(records)
}
