package subscription

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Snapshot is recurring revenue at one moment.
//
//	MRR = sum over running items of (price * quantity - discounts - tax) * months
//	ARR = 12 MRR
//
// with the exact MRR in both. A row counts at its From and no longer at its To.
type Snapshot struct {
	At       time.Time      `json:"at"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`

	MRR money.Amount `json:"mrr"`
	ARR money.Amount `json:"arr"` // 12 times the exact MRR, rounded once

	// Committed is MRR without what is canceled but still runs, and with what is signed but has not started: rows with
	// CancelRequested at or before the moment are out, those with Signed at or before it and From after it are in, and a
	// row that such a one follows at once is out.
	Committed money.Amount `json:"committed"`
	// ContractARR is the annualized MRR of running rows whose contract Term holds and is at least a year long.
	ContractARR money.Amount `json:"contract_arr"`
	TrialMRR    money.Amount `json:"trial_mrr"` // what the items on trial would bring; no part of MRR

	Customers int64 `json:"customers"` // units of the policy's grain that count
	Paying    int64 `json:"paying"`    // those with a positive MRR: without those who are paused or free
	Items     int64 `json:"items"`     // rows that bring MRR
	Trials    int64 `json:"trials"`    // rows on trial
	Paused    int64 `json:"paused"`    // rows that are paused
	Overdue   int64 `json:"overdue"`   // rows that no longer count because they are overdue
	Excluded  int64 `json:"excluded"`  // running rows that are no MRR: metered, one-time, of an unknown interval

	ARPA Mean `json:"arpa"` // MRR per paying customer
}

// sums of one worker.
type snapshotSums struct {
	mrr, committed, contract, trial         rational
	customers, paying                       int64
	items, trials, paused, overdue, without int64
}

// At returns the recurring revenue at a moment, with all that happens at that moment done.
//
// It returns an error if the policy is not valid, an exchange rate is missing, or rows have several currencies and
// [Book.In] did not say which one is wanted.
func (b *Book) At(at time.Time) (*Snapshot, error) {
	t, ok := moment(at)
	if !ok {
		return nil, fmt.Errorf("subscription: snapshot at %s: %w", showTime(at), errYear)
	}
	e, err := b.engine(t, t)
	if err != nil {
		return nil, err
	}
	var parts []*snapshotSums
	err = e.eachUnit(context.Background(), func() func(*walker, int, int) {
		s := &snapshotSums{}
		parts = append(parts, s)
		return func(w *walker, lo, hi int) { s.unit(w, lo, hi, t) }
	})
	if err != nil {
		return nil, err
	}
	var s snapshotSums
	for _, p := range parts {
		s.merge(p)
	}
	out := &Snapshot{
		At: at, Policy: b.policy, Currency: e.scale.currency, Customers: s.customers, Paying: s.paying, Items: s.items,
		Trials: s.trials, Paused: s.paused, Overdue: s.overdue, Excluded: s.without,
	}
	for _, line := range []struct {
		to *money.Amount
		x  rational
	}{
		{&out.MRR, s.mrr}, {&out.ARR, s.mrr.mul(whole(12))}, {&out.Committed, s.committed},
		{&out.ContractARR, s.contract.mul(whole(12))}, {&out.TrialMRR, s.trial},
	} {
		if *line.to, err = e.scale.round(line.x); err != nil {
			return nil, err
		}
	}
	out.ARPA, err = e.mean(s.mrr, s.paying)
	return out, err
}

func (s *snapshotSums) unit(w *walker, lo, hi int, t int64) {
	at := w.stepAt(t)
	s.mrr = s.mrr.add(w.value(at, t))
	s.customers += one(w.alive(at))
	s.paying += one(w.pays(at))
	e := w.e
	for i := lo; i < hi; i++ {
		it := &e.data.items[i]
		if x := w.committed(lo, hi, i, t); x.sign() != 0 {
			s.committed = s.committed.add(w.convertRow(x, it, t))
		}
		if !e.lifetime(it).has(t) {
			continue
		}
		now := e.worth(it, t)
		s.items += one(now.mrr.sign() != 0)
		s.trials += one(now.onTrial)
		s.paused += one(now.paused)
		s.overdue += one(now.overdue)
		s.without += one(now.excluded)
		if now.onTrial {
			s.trial = s.trial.add(w.convertRow(e.price(it, t), it, t))
		}
		if it.more != nil && now.mrr.sign() != 0 && it.more.contract(it, t) {
			s.contract = s.contract.add(w.convertRow(now.mrr, it, t))
		}
	}
}

// contract reports whether the row has a term of at least a year at a moment.
func (m *more) contract(it *item, t int64) bool {
	return slices.ContainsFunc(m.terms, func(term Term) bool {
		start := term.Start
		if start.IsZero() {
			start = clock(it.from).In(term.End.Location())
		}
		return !ledger.AddMonths(start, 12).After(term.End) && !start.After(clock(t)) && term.End.After(clock(t))
	})
}

// committed returns what a row brings to committed MRR, in its own currency.
func (w *walker) committed(lo, hi, i int, t int64) rational {
	e, it := w.e, &w.e.data.items[i]
	signed := it.from
	if it.more != nil {
		signed = it.more.signed
	}
	life := e.lifetime(it)
	if life.to <= t || it.cancel <= t || min(signed, it.from) > t {
		return rational{}
	}
	if it.from > t {
		at := it.from
		if m := it.more; m != nil && m.trial.has(at) && m.trial.to != open {
			at = m.trial.to
		}
		return e.worth(it, at).mrr
	}
	for j := lo; it.to != open && j < hi; j++ {
		next := &e.data.items[j]
		if next.from == it.to && next.subscription == it.subscription && next.customer == it.customer &&
			next.more != nil && next.more.signed <= t {
			return rational{}
		}
	}
	return e.worth(it, t).mrr
}

// convertRow values an amount of a row's currency at a moment, by the policy.
func (w *walker) convertRow(x rational, it *item, t int64) rational {
	if w.e.policy.FX == StartRates {
		t = it.from
	}
	if w.e.rates == nil || x.sign() == 0 {
		return x
	}
	r, err := w.e.rate(it.currency, t)
	if err != nil && w.err == nil {
		w.err = err
	}
	return x.mul(r)
}

// stepAt returns the last step at or before a moment, -1 if there is none.
func (w *walker) stepAt(t int64) int {
	i, found := slices.BinarySearchFunc(w.steps, t, func(s step, t int64) int { return cmp.Compare(s.t, t) })
	if found {
		return i
	}
	return i - 1
}

func (s *snapshotSums) merge(o *snapshotSums) {
	s.mrr, s.committed = s.mrr.add(o.mrr), s.committed.add(o.committed)
	s.contract, s.trial = s.contract.add(o.contract), s.trial.add(o.trial)
	s.customers, s.paying, s.items = s.customers+o.customers, s.paying+o.paying, s.items+o.items
	s.trials, s.paused, s.overdue, s.without = s.trials+o.trials, s.paused+o.paused, s.overdue+o.overdue, s.without+o.without
}

// String returns the figures, one on each line.
func (s Snapshot) String() string {
	rows := [][]string{
		{"MRR", s.MRR.String()}, {"ARR", s.ARR.String()}, {"committed MRR", s.Committed.String()},
		{"ARPA", s.ARPA.String()}, {"customers", strconv.FormatInt(s.Customers, 10)},
		{"paying", strconv.FormatInt(s.Paying, 10)}, {"on trial", strconv.FormatInt(s.Trials, 10)},
		{"paused", strconv.FormatInt(s.Paused, 10)},
	}
	return "at " + showTime(s.At) + s.Policy.title() + "\n" + table(rows)
}

// A Dimension is what MRR is broken down by.
type Dimension struct {
	name   string
	key    func(d *data, it *item) string
	cohort func(first time.Time) string
}

// Plans is the dimension of plans.
func Plans() Dimension {
	return Dimension{name: "plan", key: func(d *data, it *item) string { return d.plans[it.plan] }}
}

// Currencies is the dimension of the currencies of the prices; the amounts are in that of the results.
func Currencies() Dimension {
	return Dimension{name: "currency", key: func(d *data, it *item) string {
		if len(d.currencies) == 0 {
			return ""
		}
		return string(d.currencies[it.currency])
	}}
}

// Parents is the dimension of parent accounts; a customer without a parent is its own.
func Parents() Dimension {
	return Dimension{name: "parent", key: func(d *data, it *item) string { return d.parents[it.parent] }}
}

// Label is the dimension of one of the rows' Labels; rows without it are the group "".
func Label(label string) Dimension {
	return Dimension{name: label, key: func(_ *data, it *item) string {
		if it.more == nil {
			return ""
		}
		return it.more.labels[label]
	}}
}

// Customers is the dimension of any attribute of the customers, as [ledger.By] makes it.
func Customers(name string, key ledger.Key) Dimension {
	return Dimension{name: name, key: func(d *data, it *item) string { return key(d.customers[it.customer]) }}
}

// Cohorts is the dimension of the calendar month in which a customer first paid; nil means UTC. Who comes back stays in
// the first cohort.
func Cohorts(loc *time.Location) Dimension {
	if loc == nil {
		loc = time.UTC
	}
	return Dimension{name: "cohort", cohort: func(first time.Time) string { return first.In(loc).Format("2006-01") }}
}

// A Breakdown is MRR at a moment by groups, which add up to the total to the minor unit.
type Breakdown struct {
	At       time.Time      `json:"at"`
	By       string         `json:"by"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`
	Total    money.Amount   `json:"total"`
	Groups   []Group        `json:"groups"` // in the order of their keys
}

// A Group is one group of a Breakdown.
type Group struct {
	Key       string       `json:"key"`
	MRR       money.Amount `json:"mrr"`
	Customers int64        `json:"customers"` // with MRR in this group; one customer may be in several
	Share     MoneyRate    `json:"share"`     // of the total
	ARPA      Mean         `json:"arpa"`
}

type groupSum struct {
	mrr       rational
	customers int64
	last      int32 // the customer counted last, plus 1
}

// By breaks the MRR at a moment down by a dimension. Errors are those of [Book.At].
func (b *Book) By(at time.Time, dim Dimension) (*Breakdown, error) {
	t, ok := moment(at)
	if !ok {
		return nil, fmt.Errorf("subscription: breakdown at %s: %w", showTime(at), errYear)
	}
	if dim.key == nil && dim.cohort == nil {
		return nil, fmt.Errorf("subscription: breakdown by the zero Dimension")
	}
	e, err := b.engine(t, t)
	if err != nil {
		return nil, err
	}
	var parts []map[string]*groupSum
	err = e.eachUnit(context.Background(), func() func(*walker, int, int) {
		groups := map[string]*groupSum{}
		parts = append(parts, groups)
		return func(w *walker, lo, hi int) { w.group(lo, hi, t, dim, groups) }
	})
	if err != nil {
		return nil, err
	}
	total := map[string]*groupSum{}
	for _, part := range parts {
		for k, g := range part {
			if total[k] == nil {
				total[k] = &groupSum{}
			}
			total[k].mrr = total[k].mrr.add(g.mrr)
			total[k].customers += g.customers
		}
	}
	return e.breakdown(at, dim.name, total)
}

// group adds the rows of a unit to their groups.
func (w *walker) group(lo, hi int, t int64, dim Dimension, groups map[string]*groupSum) {
	e := w.e
	for i := lo; i < hi; i++ {
		it := &e.data.items[i]
		if !e.lifetime(it).has(t) {
			continue
		}
		x := w.convertRow(e.worth(it, t).mrr, it, t)
		if x.sign() == 0 {
			continue
		}
		var key string
		if dim.cohort != nil {
			key = dim.cohort(clock(w.first()))
		} else {
			key = dim.key(e.data, it)
		}
		g := groups[key]
		if g == nil {
			g = &groupSum{}
			groups[key] = g
		}
		g.mrr = g.mrr.add(x)
		if g.last != it.customer+1 {
			g.last = it.customer + 1
			g.customers++
		}
	}
}

// first returns when the unit was first alive.
func (w *walker) first() int64 {
	for _, s := range w.steps {
		if s.alive {
			return s.t
		}
	}
	return open
}

func (e *engine) breakdown(at time.Time, name string, sums map[string]*groupSum) (*Breakdown, error) {
	keys := slices.Sorted(maps.Keys(sums))
	parts := make([]rational, len(keys))
	var total rational
	for i, k := range keys {
		parts[i] = sums[k].mrr
		total = total.add(parts[i])
	}
	out := &Breakdown{At: at, By: name, Policy: e.policy, Currency: e.scale.currency, Groups: make([]Group, len(keys))}
	whole := e.scale.units(total)
	units := e.scale.closeTo(whole, parts)
	var err error
	if out.Total, err = e.scale.amount(whole); err != nil {
		return nil, err
	}
	for i, k := range keys {
		if out.Groups[i], err = e.groupOf(k, units[i], sums[k], total); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e *engine) groupOf(key string, units *big.Int, sum *groupSum, total rational) (Group, error) {
	g := Group{Key: key, Customers: sum.customers}
	var err error
	if g.MRR, err = e.scale.amount(units); err != nil {
		return g, err
	}
	if g.Share, err = e.moneyRate(sum.mrr, total); err != nil {
		return g, err
	}
	g.ARPA, err = e.mean(sum.mrr, sum.customers)
	return g, err
}

// String returns an aligned table of the groups and their total.
func (b *Breakdown) String() string {
	rows := [][]string{{b.By, "MRR", "customers", "share"}}
	for _, g := range b.Groups {
		rows = append(rows, []string{g.Key, plain(g.MRR), strconv.FormatInt(g.Customers, 10), g.Share.String()})
	}
	rows = append(rows, []string{"total", plain(b.Total), "", ""})
	return strings.TrimSpace("MRR in "+string(b.Currency)) + " at " + showTime(b.At) + b.Policy.title() + "\n" + table(rows)
}

// WriteCSV writes one record for each group, with a header.
func (b *Breakdown) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	records := [][]string{{b.By, "currency", "mrr", "customers", "share", "arpa"}}
	for _, g := range b.Groups {
		records = append(records, []string{g.Key, string(b.Currency), plain(g.MRR), strconv.FormatInt(g.Customers, 10), number(g.Share), meanText(g.ARPA)})
	}
	return c.WriteAll(records)
}
