package rfm

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/custval/custval/money"
)

// shards is the number of parts a summary is split into by the hash of the customer. The index of one part fits the
// processor's cache for some millions of customers, and parts are filled side by side.
const shards = 256

// An order is what a row, or the lines of one order, adds to its customer.
type order struct {
	amount money.Amount
	tag    uint32 // upper half of the hash of the customer
	id     uint32 // where the customer's id begins in the batch, which ends where the next begins
	day    Date
	kind   kind
}

// A kind says what an order is.
type kind uint8

const (
	purchase kind = iota // net positive
	free                 // every line is zero: a purchase without spend
	refund               // no line is zero or more, or the net is negative
	canceled             // lines that cancel out
)

func kindOf(net, positive int, anyLine bool) kind {
	switch {
	case net > 0 && anyLine:
		return purchase
	case net == 0 && positive == 0 && anyLine:
		return free
	case net == 0:
		return canceled
	}
	return refund
}

// A batch is a run of orders on their way to a shard. It holds copies of the ids, so that nothing of the caller's is
// touched again and the bytes to compare lie in one stretch. The slices costs and lines are used where the options ask.
type batch struct {
	orders []order
	ids    []byte
	costs  []money.Amount
	lines  []lineOf
}

// id returns the id of the customer of the i-th order.
func (b *batch) id(i int) []byte {
	to := len(b.ids)
	if i+1 < len(b.orders) {
		to = int(b.orders[i+1].id)
	}
	return b.ids[b.orders[i].id:to]
}

func (b *batch) reset() {
	clear(b.lines)
	clear(b.orders)
	b.orders, b.ids, b.costs, b.lines = b.orders[:0], b.ids[:0], b.costs[:0], b.lines[:0]
}

// A lineOf carries what MatchOrders needs of a row.
type lineOf struct {
	id       string
	positive bool // the row's amount is above zero
	any      bool // the row's amount is zero or more
}

// A state is what is known of one customer. All of it adds up in any order.
type state struct {
	id          string
	total       money.Amount // of all rows
	first, last Date         // of purchases, where there is one
	purchases   int32        // with free orders
	positive    int32        // net positive orders
	refunds     int32
}

// A shard holds the states of the customers whose hash falls to it.
type shard struct {
	columns
	mu     sync.Mutex
	slots  []slot // open addressing, a power of two
	byID   map[orderKey]int32
	orders []matched
	ids    strings.Builder
	warmth uint32 // see warm
}

// The columns of a shard are what it knows of its customers.
type columns struct {
	states []state
	costs  []money.Amount // beside states, for Margin
	days   [][]Date       // beside states, sorted, for KeepDays and CountDays
	refund money.Amount   // negative: what refunds took, for the report
	err    error
}

type slot struct {
	tag   uint32
	index uint32 // 1 is the first state, 0 an empty slot
}

type orderKey struct {
	customer uint32
	id       string
}

// A matched order gathers the lines of one ID.
type matched struct {
	customer uint32
	id       string
	net      money.Amount
	day      Date // earliest line that is not a refund
	any      bool // there is one
	positive bool
}

// find returns the index of a customer's state and adds one if there is none.
func (s *shard) find(customer []byte, tag uint32) (index uint32, added bool) {
	if 2*len(s.states) >= len(s.slots) {
		s.grow()
	}
	mask := uint32(len(s.slots) - 1)
	for at := tag & mask; ; at = (at + 1) & mask {
		c := s.slots[at]
		if c.index == 0 {
			if cap(s.states) == 0 {
				s.states = make([]state, 0, 8)
			}
			s.slots[at] = slot{tag, uint32(len(s.states)) + 1}
			s.states = append(s.states, state{id: keep(s, customer)})
			return uint32(len(s.states) - 1), true
		}
		if c.tag == tag && s.states[c.index-1].id == string(customer) {
			return c.index - 1, false
		}
	}
}

// grow doubles the slots.
func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, max(16, 2*len(old)))
	mask := uint32(len(s.slots) - 1)
	for _, c := range old {
		if c.index == 0 {
			continue
		}
		at := c.tag & mask
		for s.slots[at].index != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = c
	}
}

// keep copies an id into the shard's own memory, so that nothing of the caller's is held and ids lie close together.
func keep[T []byte | string](s *shard, id T) string {
	const least, most = 128, 4096
	if s.ids.Cap()-s.ids.Len() < len(id) {
		if len(id) > most/4 {
			return strings.Clone(string(id))
		}
		room := max(least, min(most, 2*s.ids.Cap()), len(id))
		s.ids = strings.Builder{}
		s.ids.Grow(room)
	}
	from := s.ids.Len()
	s.ids.WriteString(string(id))
	return s.ids.String()[from:]
}

// layout says which of the optional columns a summary has.
type layout struct {
	costs, days, match bool
}

func layoutOf(o *SummaryOptions) layout {
	return layout{costs: o.Value == Margin, days: o.KeepDays || o.Count == CountDays, match: o.Count == MatchOrders}
}

// add adds the orders of a batch and returns the number of customers seen for the first time.
func (s *shard) add(b *batch, l layout) (added int) {
	for i := range b.orders {
		if i%warmOrders == 0 {
			s.warmth += s.warm(b.orders[i:min(i+warmOrders, len(b.orders))])
		}
		o := &b.orders[i]
		at, isNew := s.find(b.id(i), o.tag)
		if isNew {
			added++
			s.widen(l)
		}
		if l.costs {
			s.sum(&s.costs[at], b.costs[i], at)
		}
		if l.match && b.lines[i].id != "" {
			s.match(at, o, b.lines[i])
			continue
		}
		s.apply(at, o, l)
	}
	return added
}

// warmOrders is the number of orders whose customers are brought into the cache at a time.
const warmOrders = 64

// warm touches the states that the orders will most likely need. Unlike the loop that follows it has nothing to wait for
// between two orders, so that their memory is fetched side by side; this halves the time of a large summary. The result
// only keeps the reads from being left out.
func (s *shard) warm(orders []order) (sum uint32) {
	if len(s.slots) == 0 {
		return 0
	}
	mask := uint32(len(s.slots) - 1)
	for i := range orders {
		if c := s.slots[orders[i].tag&mask]; c.index != 0 {
			sum += uint32(s.states[c.index-1].id[0])
		}
	}
	return sum
}

// widen gives the newest state its optional columns.
func (s *columns) widen(l layout) {
	if l.costs {
		s.costs = append(s.costs, money.Amount{})
	}
	if l.days {
		s.days = append(s.days, nil)
	}
}

func (s *columns) apply(at uint32, o *order, l layout) {
	c := &s.states[at]
	s.sum(&c.total, o.amount, at)
	switch o.kind {
	case refund, canceled:
		if o.kind == refund {
			s.sum(&s.refund, o.amount, at)
		}
		c.refunds++
		return
	case purchase:
		c.positive++
	}
	if c.purchases == 0 || o.day < c.first {
		c.first = o.day
	}
	if c.purchases == 0 || o.day > c.last {
		c.last = o.day
	}
	c.purchases++
	if l.days {
		s.days[at] = insertDay(s.days[at], o.day)
	}
}

// match adds a line to the order of its ID.
func (s *shard) match(at uint32, o *order, line lineOf) {
	key := orderKey{at, line.id}
	i, ok := s.byID[key]
	if !ok {
		if s.byID == nil {
			s.byID = make(map[orderKey]int32)
		}
		key.id = keep(s, line.id)
		i = int32(len(s.orders))
		s.byID[key] = i
		s.orders = append(s.orders, matched{customer: at, id: key.id})
	}
	m := &s.orders[i]
	s.sum(&m.net, o.amount, at)
	if line.any && (!m.any || o.day < m.day) {
		m.day = o.day
	}
	m.any = m.any || line.any
	m.positive = m.positive || line.positive
}

// sum adds to an amount and keeps the first error.
func (s *columns) sum(to *money.Amount, a money.Amount, at uint32) {
	t, err := to.Add(a)
	if err != nil {
		if s.err == nil {
			s.err = fmt.Errorf("rfm: customer %.80q: total: %w", s.states[at].id, err)
		}
		return
	}
	*to = t
}

// insertDay adds a day to a sorted set.
func insertDay(days []Date, d Date) []Date {
	if n := len(days); n == 0 || d > days[n-1] {
		return append(days, d)
	}
	i, found := slices.BinarySearch(days, d)
	if found {
		return days
	}
	return slices.Insert(days, i, d)
}

// settled returns the state of every customer with the matched orders applied, and the days beside them. The shard
// itself is left as it is, since later lines may change an order.
func (s *shard) settled(l layout) columns {
	if !l.match {
		return s.columns
	}
	t := columns{states: slices.Clone(s.states), costs: s.costs, refund: s.refund, err: s.err}
	if l.days {
		t.days = make([][]Date, len(s.days))
		for i, d := range s.days {
			t.days[i] = slices.Clone(d)
		}
	}
	for i := range s.orders {
		m := &s.orders[i]
		positive := 0
		if m.positive {
			positive = 1
		}
		o := order{amount: m.net, day: m.day, kind: kindOf(m.net.Sign(), positive, m.any)}
		t.apply(m.customer, &o, l)
	}
	return t
}
