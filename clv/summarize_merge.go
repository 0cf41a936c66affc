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
	var way parcel
	for _, from := range q.tables {
		if from == nil {
			continue
		}
		for i := range from.len() {
			id := from.id(i)
			way = from.parcel(i, way)
			if err := p.enter(id, way); err != nil {
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

// A parcel is an account on its way from one table to another.
type parcel struct {
	days  []int64 // ascending
	sums  [2]sum
	early []early
}

// parcel returns account i. Its days use the memory of another parcel, which is spent.
func (t *table[K]) parcel(i int, spent parcel) parcel {
	a := t.at(i)
	return parcel{
		days:  t.appendTicks(spent.days[:0], i),
		sums:  [2]sum{t.sum(a, onFirst), t.sum(a, onOther)},
		early: t.early(a),
	}
}

// enter adds a parcel to its customer's account, which it makes if there is none.
func (t *table[K]) enter(r *packed, tail []byte, from parcel) error {
	i, err := t.find(r, tail)
	if err != nil {
		return err
	}
	a := t.at(i)
	if len(from.days) > 0 {
		if err := t.join(a, from); err != nil {
			return err
		}
	}
	for _, e := range from.early {
		if err := t.refund(a, K(e.tick), e.sum); err != nil {
			return err
		}
	}
	return nil
}

// join adds the purchases of a parcel, and the refunds that are not early.
func (t *table[K]) join(a *account[K], from parcel) error {
	start := K(from.days[0])
	on := onFirst
	switch {
	case a.n > 0 && a.start < start:
		on = onOther
	case a.n > 0 && a.start > start:
		if err := t.demote(a); err != nil {
			return err
		}
	}
	if err := t.addSum(a, on, from.sums[onFirst]); err != nil {
		return err
	}
	if err := t.addSum(a, onOther, from.sums[onOther]); err != nil {
		return err
	}
	for _, day := range from.days {
		t.insert(a, K(day))
	}
	return t.settle(a)
}
