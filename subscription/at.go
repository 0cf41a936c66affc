package subscription

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
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

// At returns the recurring revenue at a moment, with all that happens at that moment done. At(p.End) so has what starts at
// the end of a period p, which [Book.Period] of p leaves to the next one: the closing of p is the MRR just before p.End.
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
	follows := w.signed(lo, hi, t)
	for i := lo; i < hi; i++ {
		it := &e.data.items[i]
		if x := w.committed(it, follows, t); x.sign() != 0 {
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

// signed returns where rows of a unit start that are signed at a moment and start after it. It is nil if there are none.
func (w *walker) signed(lo, hi int, t int64) map[start]bool {
	var follows map[start]bool
	for i := lo; i < hi; i++ {
		if it := &w.e.data.items[i]; it.more != nil && it.from > t && it.more.signed <= t {
			if follows == nil {
				follows = map[start]bool{}
			}
			follows[start{it.customer, it.subscription, it.from}] = true
		}
	}
	return follows
}

// start is the start of a row of a subscription.
type start struct {
	customer, subscription int32
	at                     int64
}

// committed returns what a row brings to committed MRR, in its own currency. A row that a signed one follows at once
// brings nothing.
func (w *walker) committed(it *item, follows map[start]bool, t int64) rational {
	e := w.e
	signed := it.from
	if it.more != nil {
		signed = it.more.signed
	}
	life := e.lifetime(it)
	if life.to <= t || it.cancel <= t || min(signed, it.from) > t || follows[start{it.customer, it.subscription, it.to}] {
		return rational{}
	}
	if it.from <= t {
		return e.worth(it, t).mrr
	}
	at := it.from
	if m := it.more; m != nil && m.trial.has(at) && m.trial.to != open {
		at = m.trial.to
	}
	return e.worth(it, at).mrr
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
