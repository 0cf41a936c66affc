package subscription

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// An Issue is something odd in a Book's rows that is counted all the same.
type Issue struct {
	Kind         IssueKind `json:"kind"`
	Row          int       `json:"row"`             // where it is; 1 is the first row
	Other        int       `json:"other,omitempty"` // the earlier row that it collides with, 0 if none
	Customer     string    `json:"customer"`
	Subscription string    `json:"subscription"`
	Detail       string    `json:"detail,omitempty"`
}

// IssueKind says what is odd.
type IssueKind uint8

// The kinds of issues.
const (
	// Overlap is two rows of the same item at the same time; both count. Give two lines of one plan different Items.
	Overlap IssueKind = iota + 1
	// ShortGap is at most a second between two rows of an item, as ends of 23:59:59 make it. It is churn and
	// reactivation unless the policy's Return or Coalesce says otherwise.
	ShortGap
	// UnknownInterval is a recurring price whose interval is not known; it brings no MRR.
	UnknownInterval
	// OneTimePrice is a price that is charged once; it brings no MRR.
	OneTimePrice
	// DiscountOverPrice is a discount of more than the price; the row brings 0 and never less.
	DiscountOverPrice
	// CanceledEarly is a cancellation asked for before the row began; under AtCancelRequest the row never counts.
	CanceledEarly
	// SharedSubscription is one subscription of two customers; it counts as two.
	SharedSubscription
)

// String returns the kind in words, such as "overlap".
func (k IssueKind) String() string {
	return name(k, "none", "overlap", "short gap", "unknown interval", "one-time price", "discount over price",
		"canceled early", "shared subscription")
}

// MarshalText returns the text of String.
func (k IssueKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text of String.
func (k *IssueKind) UnmarshalText(text []byte) (err error) {
	*k, err = value(text, "kind of issue", IssueKind.String)
	return err
}

// String returns the issue as one line.
func (i Issue) String() string {
	s := fmt.Sprintf("row %d: customer %q, subscription %q: %s", i.Row, i.Customer, i.Subscription, i.Kind)
	if i.Other > 0 {
		s += fmt.Sprintf(" with row %d", i.Other)
	}
	if i.Detail != "" {
		s += ": " + i.Detail
	}
	return s
}

// Issues returns what is odd in the rows, in the order of the rows.
func (b *Book) Issues() []Issue { return slices.Clone(b.data.issues) }

// maxShown is how many issues an error of Check repeats.
const maxShown = 20

// Check returns nil if the Book has no Issues, else an error with the first twenty of them, for programs that accept only
// clean tables.
func (b *Book) Check() error {
	n := len(b.data.issues)
	if n == 0 {
		return nil
	}
	var errs []error
	for _, i := range b.data.issues[:min(n, maxShown)] {
		errs = append(errs, fmt.Errorf("subscription: %s", i))
	}
	if n > maxShown {
		errs = append(errs, fmt.Errorf("subscription: and %d more issues", n-maxShown))
	}
	return errors.Join(errs...)
}

// oddities finds the issues of one row.
func oddities(r *Row, it *item) []Issue {
	var found []Issue
	note := func(kind IssueKind, detail string) {
		subscription := r.Subscription
		if subscription == "" {
			subscription = r.Customer
		}
		found = append(found, Issue{Kind: kind, Row: int(it.row), Customer: r.Customer, Subscription: subscription, Detail: detail})
	}
	switch {
	case r.Kind == OneTime:
		note(OneTimePrice, "")
	case !r.Interval.Known():
		note(UnknownInterval, "")
	}
	if it.cancel < it.from {
		note(CanceledEarly, "asked for on "+showTime(clock(it.cancel)))
	}
	if it.more == nil || r.Kind == Credit {
		return found
	}
	gross := it.price.mul(whole(it.quantity))
	for i, d := range it.more.discounts {
		if gross.sign() > 0 && d.amount.cmp(gross) > 0 {
			note(DiscountOverPrice, fmt.Sprintf("%s off %s", r.Discounts[i].Amount, r.Price))
		}
	}
	return found
}

// neighbors finds the issues between rows of one item, and subscriptions of two customers.
func neighbors(d *data) []Issue {
	var found []Issue
	owner := make([]int32, len(d.subscriptions))
	first := make([]int32, len(d.subscriptions))
	reach := 0 // the row of the item that lasts longest so far
	for i := range d.items {
		it := &d.items[i]
		issue := Issue{Row: int(it.row), Customer: d.customers[it.customer], Subscription: d.subscriptions[it.subscription]}
		switch s := it.subscription; {
		case first[s] == 0:
			owner[s], first[s] = it.customer, it.row
		case owner[s] != it.customer:
			issue.Kind, issue.Other = SharedSubscription, int(first[s])
			issue.Detail = fmt.Sprintf("of customer %q there", d.customers[owner[s]])
			found = append(found, issue)
			owner[s] = it.customer
		}
		if i == 0 || !sameKey(&d.items[i-1], it) {
			reach = i
			continue
		}
		before := &d.items[reach]
		issue.Other, issue.Detail = int(before.row), ""
		switch gap := it.from - before.to; {
		case before.to > it.from:
			issue.Kind = Overlap
			found = append(found, issue)
		case gap > 0 && gap <= int64(time.Second):
			issue.Kind, issue.Detail = ShortGap, time.Duration(gap).String()
			found = append(found, issue)
		}
		if it.to > before.to {
			reach = i
		}
	}
	return found
}

func sameKey(x, y *item) bool {
	return x.customer == y.customer && x.subscription == y.subscription && x.key == y.key
}
