package subscription

import (
	"cmp"
	"slices"
)

// step is a point where a unit's balance changes; the balance itself is in walker.balances.
type step struct {
	t      int64
	expiry [2]int // the events of walker.expiries that are part of the change
	code   int32
	reason Reason
	alive  bool
}

// walker makes the paths of units, one after the other, in buffers that it keeps.
type walker struct {
	e        *engine
	events   []event
	steps    []step
	balances []rational // engine.balances for each step
	expiries []event    // the ends of discounts
	err      error
}

// path reads the unit of the rows lo to hi.
func (w *walker) path(lo, hi int) error {
	e := w.e
	w.events, w.steps, w.balances, w.expiries = w.events[:0], w.steps[:0], w.balances[:0], w.expiries[:0]
	for i := lo; i < hi; i++ {
		var err error
		if w.events, err = e.events(&e.data.items[i], w.events); err != nil {
			return err
		}
	}
	if len(w.events) > 1 {
		slices.SortStableFunc(w.events, func(x, y event) int { return cmp.Compare(x.t, y.t) })
	}
	count := int32(0)
	for i := 0; i < len(w.events); {
		j := i
		for j < len(w.events) && w.events[j].t == w.events[i].t {
			j++
		}
		w.fold(w.events[i:j], &count)
		i = j
	}
	w.bridge()
	return nil
}

// fold makes one step of the events of one moment, unless they cancel out.
func (w *walker) fold(events []event, count *int32) {
	n := w.e.balances
	was := len(w.steps)
	at := len(w.balances)
	for c := 0; c < n; c++ {
		var b rational
		if was > 0 {
			b = w.balances[at-n+c]
		}
		w.balances = append(w.balances, b)
	}
	s := step{t: events[0].t, expiry: [2]int{len(w.expiries), len(w.expiries)}}
	alive := *count > 0
	var last *event
	for i := range events {
		ev := &events[i]
		w.balances[at+int(ev.currency)] = w.balances[at+int(ev.currency)].add(ev.mrr)
		*count += ev.count
		if ev.expiry {
			w.expiries = append(w.expiries, *ev)
			s.expiry[1]++
		}
		if ev.ends && (last == nil || graver(ev, last) > 0) {
			last = ev
		}
	}
	if last != nil {
		s.reason, s.code = last.reason, last.code
	}
	s.alive = *count > 0
	same := alive == s.alive
	for c := 0; same && c < n; c++ {
		var b rational
		if was > 0 {
			b = w.balances[at-n+c]
		}
		same = w.balances[at+c].cmp(b) == 0
	}
	if same {
		w.balances = w.balances[:at]
		return
	}
	w.steps = append(w.steps, s)
}

// graver compares two ends of the same moment: the churn of a unit has the reason of its largest row, a known reason
// before an unknown one.
func graver(x, y *event) int {
	known := func(ev *event) int { return min(int(ev.reason), 1) }
	return cmp.Or(cmp.Compare(known(x), known(y)), y.mrr.cmp(x.mrr), cmp.Compare(x.reason, y.reason), cmp.Compare(y.code, x.code))
}

// bridge keeps a unit alive over gaps that are shorter than the policy's Return.
func (w *walker) bridge() {
	if w.e.policy.Return == 0 {
		return
	}
	for i := 1; i+1 < len(w.steps); i++ {
		if s := &w.steps[i]; !s.alive && w.steps[i-1].alive &&
			w.steps[i+1].t < until(w.e.policy.Return.From(clock(s.t), 1)) {
			s.alive = true
		}
	}
}

// value returns the balance after a step in the currency of the results, at the rates of a moment; step -1 is nothing.
func (w *walker) value(step int, t int64) rational {
	if step < 0 {
		return rational{}
	}
	if w.e.balances == 1 && !w.e.convertsLater() {
		return w.balances[step]
	}
	var sum rational
	n := w.e.balances
	for c, b := range w.balances[step*n : (step+1)*n] {
		sum = sum.add(w.convert(b, int32(c), t))
	}
	return sum
}

// expiry returns the part of a step's change that ended discounts make, at the rates of the moment.
func (w *walker) expiry(step int) rational {
	var sum rational
	from, to := w.steps[step].expiry[0], w.steps[step].expiry[1]
	for _, ev := range w.expiries[from:to] {
		sum = sum.add(w.convert(ev.mrr, ev.currency, ev.t))
	}
	return sum
}

// convert values an amount of a currency at a moment, and keeps the first error.
func (w *walker) convert(x rational, currency int32, t int64) rational {
	if x.sign() == 0 || !w.e.convertsLater() {
		return x
	}
	r, err := w.e.rate(currency, t)
	if err != nil {
		if w.err == nil {
			w.err = err
		}
		return rational{}
	}
	return x.mul(r)
}

// pays reports whether the balance after a step is positive.
func (w *walker) pays(step int) bool {
	if step < 0 {
		return false
	}
	n := w.e.balances
	for _, b := range w.balances[step*n : (step+1)*n] {
		if b.sign() > 0 {
			return true
		}
	}
	return false
}

// alive reports whether the unit counts after a step.
func (w *walker) alive(step int) bool { return step >= 0 && w.steps[step].alive }
