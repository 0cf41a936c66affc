package subscription_test

import (
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

func event(day string, kind subscription.EventKind) subscription.Event {
	return subscription.Event{At: at(day), Kind: kind, Subscription: "s"}
}

func folded(t *testing.T, events ...subscription.Event) []subscription.Row {
	t.Helper()
	rows, err := ledger.Collect(subscription.Fold(ledger.Slice(events)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestFold tells the life of one subscription and expects the rows that a table would have.
func TestFold(t *testing.T) {
	start := event("2025-01-10", subscription.Start)
	start.Customer, start.Plan, start.Price, start.Interval = "a", "basic", usd("20"), subscription.EveryMonth
	trial := event("2025-01-10", subscription.TrialStart)
	trial.Until = at("2025-02-10")
	change := event("2025-03-01", subscription.Change)
	change.Plan, change.Price, change.Interval, change.Quantity = "pro", usd("30"), subscription.EveryMonth, 2
	discount := event("2025-03-05", subscription.DiscountStart)
	discount.Discount = subscription.Discount{ID: "d", Percent: "10"}
	undiscount := event("2025-04-05", subscription.DiscountStop)
	undiscount.Discount.ID = "d"
	term := event("2025-01-10", subscription.Renew)
	term.Until = at("2025-04-10")
	renew := event("2025-04-01", subscription.Renew)
	renew.Until = at("2025-07-10")
	cancel := event("2025-06-01", subscription.CancelRequest)
	cancel.Reason, cancel.Code, cancel.Until = subscription.Voluntary, "price", at("2025-07-10")
	again := event("2025-09-01", subscription.Start)
	again.Plan, again.Price, again.Interval = "basic", usd("20"), subscription.Yearly
	events := []subscription.Event{start, trial, event("2025-02-05", subscription.TrialStop), term, change, discount, undiscount, renew,
		event("2025-05-01", subscription.Pause), event("2025-05-11", subscription.Resume), event("2025-05-20", subscription.Overdue),
		event("2025-05-25", subscription.Paid), cancel, event("2025-07-10", subscription.End), again}
	off := []subscription.Discount{{ID: "d", Percent: "10", Start: at("2025-03-05"), End: at("2025-04-05")}}
	trialed := ledger.Period{Start: at("2025-01-10"), End: at("2025-02-05")}
	paused := []ledger.Period{{Start: at("2025-05-01"), End: at("2025-05-11")}}
	overdue := []ledger.Period{{Start: at("2025-05-20"), End: at("2025-05-25")}}
	terms := []subscription.Term{{Start: at("2025-01-10"), End: at("2025-04-10"), Renewed: at("2025-04-01")}, {Start: at("2025-04-10"), End: at("2025-07-10")}}
	want := []subscription.Row{
		{Customer: "a", Subscription: "s", Item: "s", Plan: "basic", Price: usd("20"), Interval: subscription.EveryMonth, From: at("2025-01-10"),
			To: at("2025-03-01"), Discounts: off, Trial: trialed, Paused: paused, PastDue: overdue, Terms: terms[:1]},
		{Customer: "a", Subscription: "s", Item: "s", Plan: "pro", Price: usd("30"), Interval: subscription.EveryMonth, Quantity: 2, From: at("2025-03-01"),
			To: at("2025-07-10"), Discounts: off, Trial: trialed, Paused: paused, PastDue: overdue, Terms: terms,
			CancelRequested: at("2025-06-01"), Reason: subscription.Voluntary, Code: "price"},
		{Customer: "a", Subscription: "s", Item: "s", Plan: "basic", Price: usd("20"), Interval: subscription.Yearly, From: at("2025-09-01")},
	}
	if diff := cmp.Diff(want, folded(t, events...), equal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The order of the log does not matter beyond that of one moment.
	var late []subscription.Event
	for i := range events {
		late = append(late, events[(i+7)%len(events)])
	}
	// Events of one moment keep their order: start, trial and term are first in both.
	sortable := append([]subscription.Event{start, trial, term}, late...)
	var once []subscription.Event
	for i, e := range sortable {
		if i < 3 || !(e.At.Equal(start.At)) {
			once = append(once, e)
		}
	}
	if diff := cmp.Diff(want, folded(t, once...), equal); diff != "" {
		t.Errorf("out of order (-want +got):\n%s", diff)
	}
	b := book(t, folded(t, events...)...)
	wantLines(t, period(t, b, month(2025, time.July)), "60", "0", "0", "0", "0", "60", "0", "0")
	wantLines(t, period(t, b, month(2025, time.September)), "0", "0", "1.67", "0", "0", "0", "0", "1.67")
}

// TestFoldScheduledEnd ends a subscription when its cancellation said, though no End was logged.
func TestFoldScheduledEnd(t *testing.T) {
	start := event("2025-01-10", subscription.Start)
	start.Customer, start.Price, start.Interval = "a", usd("20"), subscription.EveryMonth
	cancel := event("2025-03-01", subscription.CancelRequest)
	cancel.Until = at("2025-04-10")
	if rows := folded(t, start, cancel); len(rows) != 1 || !rows[0].To.Equal(at("2025-04-10")) {
		t.Errorf("rows = %+v", rows)
	}
	if rows := folded(t, start, cancel, event("2025-03-05", subscription.CancelUndone)); len(rows) != 1 || !rows[0].To.IsZero() {
		t.Errorf("rows = %+v", rows)
	}
}

func TestFoldErrors(t *testing.T) {
	start := event("2025-01-10", subscription.Start)
	start.Customer, start.Price, start.Interval = "a", usd("20"), subscription.EveryMonth
	nobody := start
	nobody.Customer = ""
	nameless := event("2025-02-10", subscription.Pause)
	nameless.Subscription = ""
	other := event("2025-02-10", subscription.Change)
	other.Item = "other"
	stop := event("2025-02-10", subscription.DiscountStop)
	stop.Discount.ID = "d"
	for _, tc := range []struct {
		events []subscription.Event
		text   string
	}{
		{[]subscription.Event{event("2025-01-01", subscription.Pause)}, `row 1: field "Kind": value "pause": the subscription is not running`},
		{[]subscription.Event{nobody}, `row 1: field "Customer": value "": a row needs a customer`},
		{[]subscription.Event{start, nameless}, `row 2: field "Subscription": value "": an event needs a subscription`},
		{[]subscription.Event{start, start}, `row 2: field "Item": value "": this item runs already`},
		{[]subscription.Event{start, other}, `row 2: field "Item": value "other": no such item runs`},
		{[]subscription.Event{start, stop}, `row 2: field "Discount": value "d": it is not so`},
		{[]subscription.Event{start, event("2025-02-01", subscription.Resume)}, `row 2: field "Kind": value "resume": it is not so`},
		{[]subscription.Event{start, event("2025-02-01", subscription.Pause), event("2025-02-02", subscription.Pause)}, `row 3: field "Kind": value "pause": it is so already`},
		{[]subscription.Event{start, event("2025-02-01", subscription.End), event("2025-02-02", subscription.Pause)}, `row 3: field "Kind": value "pause": the subscription is not running`},
		{[]subscription.Event{start, event("2025-02-01", 99)}, `row 2: field "Kind": value "invalid(99)": not a kind of event`},
	} {
		_, err := subscription.New(subscription.Fold(ledger.Slice(tc.events)))
		if err == nil || err.Error() != "subscription: "+tc.text {
			t.Errorf("\n got %v\nwant subscription: %s", err, tc.text)
		}
	}
	rows, err := ledger.Collect(ledger.Skip(subscription.Fold(ledger.Slice([]subscription.Event{start, other})), nil))
	if err != nil || len(rows) != 1 {
		t.Errorf("Skip: %v, %v", rows, err)
	}
}

func TestReadEvents(t *testing.T) {
	const text = `at,kind,subscription,customer,plan,price,currency,interval,quantity,discount_id,discount_percent,reason,region
2025-01-10,start,s,a,basic,20,USD,month,2,,,,north
2025-02-10,discount-start,s,,,,,,,d,10%,,
2025-03-10,discount-stop,s,,,,,,,d,,,
2025-04-10,end,s,,,,,,,,,voluntary,
`
	b, err := subscription.New(subscription.Fold(subscription.ReadEvents(t.Context(), strings.NewReader(text), nil)))
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]string{"2025-01-15": "40", "2025-02-15": "36", "2025-03-15": "40", "2025-04-15": "0"} {
		wantAmount(t, "MRR on "+day, snapshot(t, b, day).MRR, want)
	}
	f := &fakeDB{columns: []string{"at", "kind", "subscription", "customer", "price", "currency", "interval"},
		values: [][]driver.Value{{at("2025-01-10"), "start", "s", "a", "20", "USD", "month"}}}
	if b, err = subscription.New(subscription.Fold(subscription.EventsFromRows(t.Context(), query(t, f), nil))); err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR", snapshot(t, b, "2025-01-15").MRR, "20")
	f = &fakeDB{columns: []string{"customer", "at", "mrr", "currency"}, values: [][]driver.Value{{"a", at("2025-01-31"), "20.00", "USD"}}}
	bal, err := subscription.NewBalances(subscription.BalancesFromRows(t.Context(), query(t, f), nil))
	if err != nil || len(bal.Dates()) != 1 {
		t.Errorf("balances: %v", err)
	}
	for row, want := range map[string]string{
		"2025-01-10,begin,s,a,,,,,,,,,":             `subscription: row 1: field "kind": value "begin": subscription: "begin" is no kind of event`,
		"2025-01-10,start,s,a,,,,,,,,,":             `subscription: row 1: field "price": value "": an item that starts or changes needs a price`,
		"2025-01-10,start,s,a,,20,USD,,,,,,":        `subscription: row 1: field "interval": value "": no interval: give the column interval, or ReadOptions.Interval`,
		"2025-01-10,discount-start,s,,,,,,,d,,,":    `subscription: row 1: field "discount_percent": value "": a discount needs a percentage or an amount`,
		"2025-01-10,discount-start,s,,,,,,,d,120,,": `subscription: row 1: field "discount_percent": value "120": not a percentage from 0 to 100`,
	} {
		head, _, _ := strings.Cut(text, "\n")
		_, err := subscription.New(subscription.Fold(subscription.ReadEvents(t.Context(), strings.NewReader(head+"\n"+row+"\n"), nil)))
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", row, err, want)
		}
	}
}
