package clv

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/custval/custval/money"
)

// A sum of amounts of one log: minor units while all of them are whole numbers of those, else an exact amount. Units need
// no currency and no more than an addition.
type sum struct {
	units int64
	top   int64        // the sum is 2^64 times as many minor units more
	exact money.Amount // if it has a currency, it is the sum and the others are 0
}

// sumOf returns the sum of one amount.
func sumOf(a money.Amount) sum {
	if units, ok := a.Minor(); ok {
		return sum{units: units}
	}
	return sum{exact: a}
}

func (s *sum) add(o sum) error {
	a, b := s.exact.Currency(), o.exact.Currency()
	if a == "" && b == "" {
		units := s.units + o.units
		s.top += o.top
		if (s.units^units)&(o.units^units) < 0 { // beyond 64 bits
			s.top += 1 - 2*int64(uint64(o.units)>>63)
		}
		s.units = units
		return nil
	}
	x, err := s.amount(cmp.Or(a, b))
	if err != nil {
		return err
	}
	y, err := o.amount(cmp.Or(b, a))
	if err != nil {
		return err
	}
	*s = sum{}
	s.exact, err = x.Add(y)
	return err
}

// amount returns the sum in the currency of the log, the zero Amount if it is 0 units.
func (s sum) amount(c money.Currency) (money.Amount, error) {
	if s.exact.Currency() != "" || s.units == 0 && s.top == 0 {
		return s.exact, nil
	}
	low, err := money.FromMinor(s.units, c)
	if err != nil || s.top == 0 {
		return low, err
	}
	high, err := money.FromMinor(1<<62, c)
	if err == nil {
		high, err = high.MulInt(4)
	}
	if err == nil {
		high, err = high.MulInt(s.top)
	}
	if err != nil {
		return low, err
	}
	return low.Add(high)
}

// An extra holds what few accounts have: the parts of their sums that are not units, and the refunds dated before the
// first purchase known so far.
type extra struct {
	sums  [2]sum // with units 0
	early []early
}

// An early refund waits for its customer's first purchase.
type early struct {
	tick int64
	sum  sum
}

// The sums of an account.
const (
	onFirst = iota // purchases and refunds dated on the first purchase's tick
	onOther        // everything dated otherwise, but for early refunds
)

// extra returns the account's, which it makes if there is none.
func (t *table[K]) extra(a *account[K]) *extra {
	if a.extra == 0 {
		n := cap(t.extras)
		t.extras = append(t.extras, extra{})
		t.own += int64(cap(t.extras)-n) * int64(unsafe.Sizeof(extra{}))
		a.extra = uint32(len(t.extras))
	}
	return &t.extras[a.extra-1]
}

// sum returns a sum of the account.
func (t *table[K]) sum(a *account[K], on int) sum {
	s := sum{}
	if a.extra != 0 {
		s = t.extras[a.extra-1].sums[on]
	}
	s.units = a.units[on]
	return s
}

func (t *table[K]) setSum(a *account[K], on int, s sum) {
	a.units[on] = s.units
	if s.units = 0; a.extra != 0 || s.top != 0 || s.exact.Currency() != "" {
		t.extra(a).sums[on] = s
	}
}

// addSum adds to a sum of the account.
func (t *table[K]) addSum(a *account[K], on int, more sum) error {
	if a.extra == 0 && more.exact.Currency() == "" && more.top == 0 {
		units := a.units[on] + more.units
		if (a.units[on]^units)&(more.units^units) >= 0 {
			a.units[on] = units
			return nil
		}
	}
	s := t.sum(a, on)
	err := s.add(more)
	if err == nil {
		t.setSum(a, on, s)
	}
	return err
}

// demote makes what was dated on the first purchase's tick a part of the rest: an earlier purchase has come up.
func (t *table[K]) demote(a *account[K]) error {
	err := t.addSum(a, onOther, t.sum(a, onFirst))
	if err == nil {
		t.setSum(a, onFirst, sum{})
	}
	return err
}

// addEarly keeps a refund from before the first purchase known so far.
func (t *table[K]) addEarly(a *account[K], tick int64, more sum) error {
	x := t.extra(a)
	i, found := slices.BinarySearchFunc(x.early, tick, func(e early, tick int64) int { return cmp.Compare(e.tick, tick) })
	if found {
		return x.early[i].sum.add(more)
	}
	n := cap(x.early)
	x.early = slices.Insert(x.early, i, early{tick, more})
	t.own += int64(cap(x.early)-n) * int64(unsafe.Sizeof(early{}))
	return nil
}

// settle moves the early refunds that are no longer before the first purchase to where they belong.
func (t *table[K]) settle(a *account[K]) error {
	list := t.early(a)
	for len(list) > 0 {
		last := list[len(list)-1]
		if last.tick < int64(a.start) {
			break
		}
		on := onOther
		if last.tick == int64(a.start) {
			on = onFirst
		}
		if err := t.addSum(a, on, last.sum); err != nil {
			return err
		}
		list = list[:len(list)-1]
		t.extra(a).early = list
	}
	return nil
}

// early returns the refunds dated before the first purchase, by tick.
func (t *table[K]) early(a *account[K]) []early {
	if a.extra == 0 {
		return nil
	}
	return t.extras[a.extra-1].early
}

// repeat returns the spend of the repeat purchases, in a form that does not depend on how it was computed.
func (t *table[K]) repeat(a *account[K], zero money.Amount) (money.Amount, error) {
	if a.extra == 0 {
		if a.units[onOther] == 0 {
			return zero, nil
		}
		return money.FromMinor(a.units[onOther], zero.Currency())
	}
	s := t.sum(a, onOther)
	for _, e := range t.early(a) {
		if err := s.add(e.sum); err != nil {
			return zero, err
		}
	}
	return s.plain(zero)
}

// plain returns the sum in a form that does not depend on how it was computed, with the currency of zero.
func (s sum) plain(zero money.Amount) (money.Amount, error) {
	a, err := s.amount(zero.Currency())
	if err == nil {
		a, err = zero.Add(a)
	}
	if err != nil {
		return zero, err
	}
	return plain(a)
}

// A dated amount is a refund that waits for its customer's first purchase.
type dated struct {
	tick   int64
	amount money.Amount
}

// addDated adds an amount to the one of its tick in a list sorted by tick.
func addDated(list []dated, tick int64, amount money.Amount) ([]dated, error) {
	i, found := slices.BinarySearchFunc(list, tick, func(d dated, t int64) int { return cmp.Compare(d.tick, t) })
	if !found {
		return slices.Insert(list, i, dated{tick, amount}), nil
	}
	sum, err := list[i].amount.Add(amount)
	list[i].amount = sum
	return list, err
}
