package subscription

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Book is a history of subscriptions with the policy by which it is read. It is made by [New], is immutable, and is
// safe for concurrent use; [Book.With] and its like return another view of the same rows.
//
// A Book holds what it was given and no more, so every figure is a function of its rows: when late changes arrive, a new
// Book restates the past.
type Book struct {
	data     *data
	policy   Policy
	currency money.Currency // of the results; empty means the only one
	rates    *rateTable
	observed int64 // end of observation; open if not stated
}

// data is the sorted rows. Names are numbers in the order of their text, so that sorting by number sorts by name.
type data struct {
	items         []item // by parent, customer, subscription, key, from, row
	customers     []string
	parents       []string
	subscriptions []string
	keys          []string
	plans         []string
	codes         []string
	intervals     []Interval
	currencies    []money.Currency
	issues        []Issue
}

// Rows returns a stream over a slice, for [New]. It can be read any number of times.
func Rows(rows []Row) iter.Seq2[Row, error] { return ledger.Slice(rows) }

// New reads rows into a Book with the default policy, in any order. It stops at the first row that cannot be true and
// returns a *[ledger.RowError] with its number; wrap the stream in [ledger.Skip] to leave such rows out. Rows that are
// odd but possible, such as overlaps, are kept and listed by [Book.Issues].
//
// New returns an error if
//   - the stream does;
//   - a row fails [Row.Validate];
//   - a customer has two parents.
func New(rows iter.Seq2[Row, error]) (*Book, error) {
	b := newBuilder()
	n := 0
	for r, err := range rows {
		if err != nil {
			return nil, prefixed(err)
		}
		n++
		if err := b.add(&r, n); err != nil {
			return nil, prefixed(err)
		}
	}
	d, err := b.finish()
	if err != nil {
		return nil, prefixed(err)
	}
	return &Book{data: d, policy: Default(), observed: open}, nil
}

// prefixed adds the package's name to an error that has no package's name yet.
func prefixed(err error) error {
	if bad, ok := err.(*ledger.RowError); ok { //nolint:errorlint // a wrapped one has its prefix
		return fmt.Errorf("subscription: %w", bad)
	}
	return err
}

// With returns a view of the Book under another policy.
func (b *Book) With(p Policy) *Book {
	view := *b
	view.policy = p
	return &view
}

// In returns a view whose results are in the given currency, with the exchange rates that this needs. A Book of one
// currency needs neither. Rates must be positive and have an AsOf,
// from which each holds until the next one; they may come in any order and in either direction.
func (b *Book) In(c money.Currency, rates []money.Rate) (*Book, error) {
	table, err := newRateTable(c, rates)
	if err != nil {
		return nil, err
	}
	view := *b
	view.currency, view.rates = c, table
	return &view, nil
}

// Until returns a view that states the end of observation: what the rows say of later is not complete. Periods that end
// after it are marked Incomplete and left out of means, and terms due near it are pending rather than lost. Future ends
// and starts stay known, since cancellations are scheduled ahead.
func (b *Book) Until(end time.Time) *Book {
	view := *b
	view.observed = until(end)
	return &view
}

// Where returns a view of the rows that keep accepts, in the order of customer, subscription, item and time. Figures of
// such a view are those of a business that has only these rows: in a view of one plan, who moves to another plan churns.
func (b *Book) Where(keep func(Row) bool) *Book {
	d := *b.data
	d.items, d.currencies, d.issues = nil, nil, nil
	rows := map[int]bool{}
	used := make([]bool, max(len(b.data.currencies), 1))
	for i := range b.data.items {
		if it := &b.data.items[i]; keep(b.data.row(i)) {
			d.items = append(d.items, *it)
			rows[int(it.row)] = true
			used[it.currency] = used[it.currency] || it.amount.Currency() != ""
		}
	}
	number := make([]int32, len(used))
	for i, c := range b.data.currencies {
		if number[i] = int32(len(d.currencies)); used[i] {
			d.currencies = append(d.currencies, c)
		}
	}
	for i := range d.items {
		it := &d.items[i]
		if it.currency = number[it.currency]; it.amount.Currency() == "" {
			it.currency = 0
		}
	}
	for _, issue := range b.data.issues {
		if rows[issue.Row] && (issue.Other == 0 || rows[issue.Other]) {
			d.issues = append(d.issues, issue)
		}
	}
	view := *b
	view.data = &d
	return &view
}

// Policy returns the policy by which the Book is read.
func (b *Book) Policy() Policy { return b.policy }

// Len returns the number of rows.
func (b *Book) Len() int { return len(b.data.items) }

// Currencies returns the currencies of the rows, sorted.
func (b *Book) Currencies() []money.Currency { return slices.Clone(b.data.currencies) }

// Rows iterates over the rows, in the order of customer, subscription, item and time. Times are in UTC.
func (b *Book) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i := range b.data.items {
			if !yield(b.data.row(i), nil) {
				return
			}
		}
	}
}

// row gives a row back as it came.
func (d *data) row(i int) Row {
	it := &d.items[i]
	r := Row{
		Customer: d.customers[it.customer], Subscription: d.subscriptions[it.subscription], Item: d.keys[it.key],
		Plan: d.plans[it.plan], Parent: d.parents[it.parent], Price: it.amount, Interval: d.intervals[it.interval],
		Quantity: it.quantity, Kind: it.kind, From: clock(it.from), To: clock(it.to), CancelRequested: clock(it.cancel),
		Reason: it.reason, Code: d.codes[it.code],
	}
	if r.Parent == r.Customer {
		r.Parent = ""
	}
	m := it.more
	if m == nil {
		return r
	}
	r.Tax, r.TaxInclusive, r.Discounts, r.Terms = m.taxAmount, m.taxInclusive, slices.Clone(m.source), slices.Clone(m.terms)
	for j := range r.Discounts {
		r.Discounts[j].Start, r.Discounts[j].End = clock(m.discounts[j].span.from), clock(m.discounts[j].span.to)
	}
	r.Paused, r.PastDue, r.PaidThrough = periods(m.paused), periods(m.pastDue), clock(m.paidThrough)
	if m.trial != (span{}) {
		r.Trial = ledger.Period{Start: clock(m.trial.from), End: clock(m.trial.to)}
	}
	if m.signed != it.from {
		r.Signed = clock(m.signed)
	}
	r.Labels = maps.Clone(m.labels)
	return r
}

func periods(spans []span) []ledger.Period {
	var ps []ledger.Period
	for _, s := range spans {
		ps = append(ps, ledger.Period{Start: clock(s.from), End: clock(s.to)})
	}
	return ps
}

// clock turns a moment into a time in UTC, and open into the zero time.
func clock(t int64) time.Time {
	if t == open {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}

// builder numbers names as they come.
type builder struct {
	chunks        [][]item // so that a large table is not copied again and again as it grows
	customers     names
	parents       names
	subscriptions names
	keys          names
	plans         names
	codes         names
	intervals     map[Interval]int32
	currencies    names
	parentOf      []int32 // by customer
	parentRow     []int32
	issues        []Issue
}

const chunkSize = 1 << 14

// chunkCapacity starts the first chunk small, for small tables; append makes it grow.
func chunkCapacity(chunks int) int {
	if chunks == 0 {
		return 16
	}
	return chunkSize
}

// names numbers texts in the order of their first appearance.
type names struct {
	ids  map[string]int32
	list []string
	last int32
}

func (n *names) id(s string) int32 {
	if int(n.last) < len(n.list) && n.list[n.last] == s {
		return n.last
	}
	id, ok := n.ids[s]
	if !ok {
		id = int32(len(n.list))
		if n.ids == nil {
			n.ids = map[string]int32{}
		}
		n.ids[s] = id
		n.list = append(n.list, s)
	}
	n.last = id
	return id
}

// sorted returns the names in order and the new number of each.
func (n *names) sorted() (list []string, rank []int32) {
	order := make([]int32, len(n.list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(n.list[a], n.list[b]) })
	list, rank = make([]string, len(order)), make([]int32, len(order))
	for i, id := range order {
		list[i], rank[id] = n.list[id], int32(i)
	}
	return list, rank
}

func newBuilder() *builder { return &builder{intervals: map[Interval]int32{}} }

func (b *builder) add(r *Row, row int) error {
	it, err := newItem(r)
	if err != nil {
		return numbered(err, row)
	}
	it.row = int32(row)
	it.customer = b.customers.id(r.Customer)
	parent := r.Parent
	if parent == "" {
		parent = r.Customer
	}
	it.parent = b.parents.id(parent)
	if int(it.customer) == len(b.parentOf) {
		b.parentOf, b.parentRow = append(b.parentOf, it.parent), append(b.parentRow, it.row)
	} else if b.parentOf[it.customer] != it.parent {
		return numbered(bad("Parent", r.Parent, fmt.Errorf("customer %q has the parent %q in row %d",
			r.Customer, b.parents.list[b.parentOf[it.customer]], b.parentRow[it.customer])), row)
	}
	subscription, key := r.Subscription, r.Item
	if subscription == "" {
		subscription = r.Customer
	}
	if key == "" {
		key = r.Plan
	}
	it.subscription, it.key, it.plan = b.subscriptions.id(subscription), b.keys.id(key), b.plans.id(r.Plan)
	it.code = b.codes.id(r.Code)
	it.currency = b.currencies.id(string(r.Price.Currency()))
	interval, ok := b.intervals[r.Interval]
	if !ok {
		interval = int32(len(b.intervals))
		b.intervals[r.Interval] = interval
	}
	it.interval = interval
	if n := len(b.chunks); n == 0 || len(b.chunks[n-1]) == chunkSize {
		b.chunks = append(b.chunks, make([]item, 0, chunkCapacity(n)))
	}
	last := &b.chunks[len(b.chunks)-1]
	*last = append(*last, it)
	b.issues = append(b.issues, oddities(r, &it)...)
	return nil
}

func numbered(err error, row int) error {
	var e *ledger.RowError
	if !errors.As(err, &e) {
		return err
	}
	return &ledger.RowError{Row: row, Field: e.Field, Value: e.Value, Err: e.Err}
}

func (b *builder) finish() (*data, error) {
	d := &data{}
	var customers, parents, subscriptions, keys, plans, codes []int32
	var group sync.WaitGroup
	for _, list := range []struct {
		names  *names
		sorted *[]string
		rank   *[]int32
	}{
		{&b.customers, &d.customers, &customers}, {&b.parents, &d.parents, &parents},
		{&b.subscriptions, &d.subscriptions, &subscriptions}, {&b.keys, &d.keys, &keys},
		{&b.plans, &d.plans, &plans}, {&b.codes, &d.codes, &codes},
	} {
		group.Add(1)
		go func() {
			defer group.Done()
			*list.sorted, *list.rank = list.names.sorted()
		}()
	}
	group.Wait()
	texts, currencies := b.currencies.sorted()
	none := int32(0) // a price without a currency is zero: it counts as the first one
	for _, c := range texts {
		if c == "" {
			none = 1
			continue
		}
		d.currencies = append(d.currencies, money.Currency(c))
	}
	intervals := slices.Sorted(maps.Keys(b.intervals))
	d.intervals = intervals
	rank := make([]int32, len(intervals))
	for i, interval := range intervals {
		rank[b.intervals[interval]] = int32(i)
	}
	for _, chunk := range b.chunks {
		for i := range chunk {
			it := &chunk[i]
			it.customer, it.parent, it.subscription = customers[it.customer], parents[it.parent], subscriptions[it.subscription]
			it.key, it.plan, it.code = keys[it.key], plans[it.plan], codes[it.code]
			it.currency = max(currencies[it.currency]-none, 0)
			it.interval = rank[it.interval]
		}
	}
	d.items = sortItems(b.chunks)
	d.issues = append(b.issues, neighbors(d)...)
	slices.SortFunc(d.issues, func(x, y Issue) int {
		return cmp.Or(cmp.Compare(x.Row, y.Row), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Other, y.Other))
	})
	return d, nil
}

// sortItems sorts by parent, customer, subscription, key, time and row. Items are large, so their places are sorted by
// the first two and each is moved once.
func sortItems(chunks [][]item) []item {
	type place struct {
		key  uint64
		item *item
	}
	n := 0
	for _, chunk := range chunks {
		n += len(chunk)
	}
	places := make([]place, 0, n)
	for _, chunk := range chunks {
		for i := range chunk {
			it := &chunk[i]
			places = append(places, place{uint64(it.parent)<<32 | uint64(it.customer), it})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return compareItems(a.item, b.item)
	})
	items := make([]item, n)
	for i, p := range places {
		items[i] = *p.item
	}
	return items
}

func compareItems(x, y *item) int {
	return cmp.Or(cmp.Compare(x.subscription, y.subscription), cmp.Compare(x.key, y.key), cmp.Compare(x.from, y.from),
		cmp.Compare(x.to, y.to), cmp.Compare(x.row, y.row))
}
