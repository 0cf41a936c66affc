package subscription

// MovementKind says how a balance moved.
type MovementKind uint8

// The kinds of movements. A unit of the grain counts while it pays; see [Policy] for pauses and free plans.
const (
	NewBusiness  MovementKind = iota + 1 // the first time that a unit pays
	Reactivation                         // it pays again after it had stopped
	Expansion                            // it pays more
	Contraction                          // it pays less, and does not leave
	Churn                                // it leaves; the amount is what it paid just before
	FX                                   // exchange rates changed what it pays
)

// String returns the kind's name, such as "new".
func (k MovementKind) String() string {
	return name(k, "none", "new", "reactivation", "expansion", "contraction", "churn", "fx")
}

// MarshalText returns the text of String.
func (k MovementKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text of String.
func (k *MovementKind) UnmarshalText(text []byte) (err error) {
	*k, err = value(text, "kind of movement", MovementKind.String)
	return err
}

// move is a movement of a unit from one step of its path to a later one.
type move struct {
	kind          MovementKind
	period        int
	before, after int      // steps
	amount        rational // at the rates that the policy says; positive in every kind but for credits
	expiry        rational
	gap           int64 // of a reactivation: how long the unit was away
	reason        Reason
	code          int32
}

// visit is what happens to a unit within a period in which its balance changes.
type visit struct {
	period        int
	before, after int  // the steps at the opening and at the closing
	ever          bool // whether the unit was alive at any time before the opening
}

// unitPeriods walks through the periods in which a unit changes, in order. The periods are sorted and do not overlap.
// outside gets the changes between periods: the steps before and after them, and the period that comes next, which may
// be one past the last.
func (w *walker) unitPeriods(cuts []span, inside func(visit), outside func(next, before, after int)) {
	i, k, ever := 0, 0, false
	for i < len(w.steps) {
		t := w.steps[i].t
		for k < len(cuts) && cuts[k].to <= t {
			k++
		}
		limit := int64(open)
		in := k < len(cuts) && cuts[k].from <= t
		if in {
			limit = cuts[k].to
		} else if k < len(cuts) {
			limit = cuts[k].from
		}
		j := i
		now := ever
		for j < len(w.steps) && w.steps[j].t < limit {
			now = now || w.steps[j].alive
			j++
		}
		if j == i { // a step at the end of time
			return
		}
		if in {
			inside(visit{k, i - 1, j - 1, ever})
		} else {
			outside(k, i-1, j-1)
		}
		i, ever = j, now
	}
}

// moves finds the movements of a visit. emit is called in the order of time.
func (w *walker) moves(v visit, opening int64, emit func(*move)) {
	p := &w.e.policy
	if p.Mode == PeriodNet {
		m := move{period: v.period, before: v.before, after: v.after}
		for i := v.before + 1; i <= v.after; i++ {
			m.expiry = m.expiry.add(w.expiry(i))
		}
		w.classify(&m, v.ever, opening, emit)
		return
	}
	if p.SamePeriod == SamePeriodIgnored && !v.ever && !w.alive(v.after) {
		return
	}
	ever := v.ever
	for i := v.before; i < v.after; {
		first := i + 1
		m := move{period: v.period, before: i, after: first}
		for m.after < v.after && w.steps[m.after+1].t-w.steps[first].t <= int64(p.Coalesce) {
			m.after++
		}
		was := ever
		for j := first; j <= m.after; j++ {
			m.expiry = m.expiry.add(w.expiry(j))
			ever = ever || w.steps[j].alive
		}
		w.classify(&m, was, w.steps[m.after].t, emit)
		i = m.after
	}
}

// classify names the movement between two steps, valued at the rates of a moment, and emits it unless nothing moved.
func (w *walker) classify(m *move, ever bool, rates int64, emit func(*move)) {
	was, is := w.alive(m.before), w.alive(m.after)
	change := w.value(m.after, rates).sub(w.value(m.before, rates))
	switch {
	case !was && !is:
		return
	case !was && ever:
		m.kind, m.gap = Reactivation, w.away(m)
	case !was:
		m.kind = NewBusiness
	case !is:
		m.kind, change = Churn, change.neg()
		m.reason, m.code = w.steps[m.after].reason, w.steps[m.after].code
	case change.sign() > 0:
		m.kind = Expansion
	case change.sign() < 0:
		m.kind, change = Contraction, change.neg()
	default:
		return
	}
	if m.kind != Expansion {
		m.expiry = rational{}
	} else if m.expiry.cmp(change) > 0 {
		m.expiry = change
	}
	m.amount = change
	emit(m)
}

// away returns how long a unit that comes back was away.
func (w *walker) away(m *move) int64 {
	back := m.before + 1 // the step with which it came back, if it came several times the last one
	for i := m.after; i > m.before; i-- {
		if w.steps[i].alive && !w.alive(i-1) {
			back = i
			break
		}
	}
	for i := back - 1; i >= 0; i-- {
		if !w.steps[i].alive && w.alive(i-1) {
			return w.steps[back].t - w.steps[i].t
		}
	}
	return 0
}
