package clv

import (
	"errors"
	"fmt"

	"github.com/custval/custval/money"
)

var errItself = errors.New("clv: merge: a summary with itself")

// Merge adds what another Partial has read, as if p had read its rows too; q does not change. The order of merges does
// not matter. A row after the End of p's options cannot be left out any more and is an error.
//
// Merge returns an error, and leaves p as it was, if granularity, location or currency differ, if q is p or has rows
// after p's End; and one that wraps ErrMemory if the customers need more than the limit, after which p is not usable.
func (p *Partial) Merge(q *Partial) error {
	p.ready()
	if q == nil {
		return nil
	}
	if q == p {
		return errItself
	}
	q.ready()
	if err := p.mergeable(q); err != nil {
		return fmt.Errorf("clv: merge: %w", err)
	}
	if err := p.count(q); err != nil {
		return fmt.Errorf("clv: merge: %w", err)
	}
	var e entry
	for _, from := range q.tables {
		if from == nil {
			continue
		}
		for i := range from.len() {
			e.id = from.id(i)
			p.hash(&e)
			if err := p.table(e.hash).absorb(&e, from, i); err != nil {
				return fmt.Errorf("clv: merge: customer %q: %w", e.id, err)
			}
		}
		if err := p.withinLimit(); err != nil {
			return fmt.Errorf("clv: merge: %w", err)
		}
	}
	return nil
}

func (p *Partial) mergeable(q *Partial) error {
	if p.o.Granularity != q.o.Granularity {
		return fmt.Errorf("summaries by %v and by %v", p.o.Granularity, q.o.Granularity)
	}
	if a, b := locationName(p.o.Location), locationName(q.o.Location); p.o.Granularity == ByDay && a != b {
		return fmt.Errorf("summaries by days of %s and of %s", a, b)
	}
	if q.last > p.end {
		return fmt.Errorf("rows up to %s, after the end %s", tickText(p.o.Granularity, q.last), tickText(p.o.Granularity, p.end))
	}
	return nil
}

// absorb adds account i of another table to the entry's.
func (t *table[K]) absorb(e *entry, other cells, i int) error {
	from := other.(*table[K]) // mergeable has compared the granularities
	n, err := t.find(e)
	if err != nil {
		return err
	}
	a, b := t.at(n), from.at(i)
	b.sort()
	if len(b.days) > 0 {
		if err := t.join(a, n, b); err != nil {
			return err
		}
	}
	if b.early {
		for _, d := range from.early[i] {
			if err := t.refund(a, n, K(d.tick), d.amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// join adds the purchases of b, and the refunds that are not early, to a.
func (t *table[K]) join(a *account[K], n int, b *account[K]) error {
	var err error
	add := func(to *money.Amount, amount money.Amount) {
		if err == nil {
			*to, err = to.Add(amount)
		}
	}
	add(&a.rest, b.rest)
	switch {
	case len(a.days) > 0 && a.start < b.start:
		add(&a.rest, b.first)
	case len(a.days) > 0 && a.start == b.start:
		add(&a.first, b.first)
	default: // b has the first purchase
		add(&a.rest, a.first)
		a.first, a.start = b.first, b.start
	}
	for _, day := range b.days {
		t.insert(a, day)
	}
	if a.early && err == nil {
		err = t.settle(a, n)
	}
	return err
}
