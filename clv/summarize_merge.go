package clv

import (
	"errors"
	"fmt"
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
	for _, from := range q.tables {
		if from == nil {
			continue
		}
		for i := range from.len() {
			id := from.id(i)
			if err := p.enter(id, from.record(i)); err != nil {
				return fmt.Errorf("clv: merge: customer %q: %w", id, err)
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

// enter adds a stored account to the customer's, which it makes if there is none.
func (t *table[K]) enter(r *packed, tail []byte, rec record) error {
	i, err := t.find(r, tail)
	if err != nil {
		return err
	}
	a := t.at(i)
	if len(rec.days) > 0 {
		if err := t.join(a, rec); err != nil {
			return err
		}
	}
	for _, d := range rec.early {
		if err := t.refund(a, K(d.tick), sumOf(d.amount)); err != nil {
			return err
		}
	}
	return nil
}

// join adds the purchases of a stored account, and the refunds that are not early.
func (t *table[K]) join(a *account[K], rec record) error {
	start := K(rec.days[0])
	first := onFirst
	switch {
	case a.n > 0 && a.start < start:
		first = onOther
	case a.n > 0 && a.start > start:
		if err := t.demote(a); err != nil {
			return err
		}
	}
	if err := t.addSum(a, first, sumOf(rec.first)); err != nil {
		return err
	}
	if err := t.addSum(a, onOther, sumOf(rec.rest)); err != nil {
		return err
	}
	for _, day := range rec.days {
		t.insert(a, K(day))
	}
	return t.settle(a)
}
