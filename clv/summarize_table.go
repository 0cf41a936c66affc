package clv

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/custval/custval/money"
)

// An entry is a row of the log as a table takes it: checked, dated by a clock and hashed.
type entry struct {
	id     string
	head   head
	hash   uint64
	tick   int64
	amount money.Amount // negative for a refund
}

// A head is the first 16 bytes of an id. It tells short ids apart without a look at the memory of the string.
type head [2]uint64

func headOf(id string) head {
	var b [16]byte
	copy(b[:], id)
	return head{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

// Ticks are what a table keeps of a purchase's time: 32 bits hold every calendar day, an instant needs 64.
type ticks interface{ int32 | int64 }

// A table holds the accounts of some of the customers: those whose hash chose it. It keeps a customer's distinct
// purchase ticks, so that rows may come in any order, and nothing else of a row.
type table[K ticks] struct {
	slots  []uint64        // open addressing: the low half of the hash, then index + 1; 0 is empty
	blocks [][]account[K]  // accounts by index, blockSize each
	n      int             // accounts
	early  map[int][]dated // refunds dated before the first purchase known so far, by account
	pool   pool[K]
	memory *atomic.Int64 // bytes in use, over all tables of a Partial

	touched int
}

// An account is what a table knows of one customer.
type account[K ticks] struct {
	id     string
	head   head
	first  money.Amount // purchases and refunds dated on the first purchase's tick
	rest   money.Amount // everything dated otherwise, but for early refunds
	days   []K          // ticks with a purchase: the first sorted of them ascending and distinct, the others as they came
	sorted int32
	early  bool
	start  int64 // the first purchase's tick, if there is one; 64 bits make accounts 128 bytes, two lines of the cache
}

// A dated amount is a refund that waits for its customer's first purchase.
type dated struct {
	tick   int64
	amount money.Amount
}

const (
	blockSize = 64
	outBytes  = int64(unsafe.Sizeof(History{})) + 16 // what Histories adds a customer
)

var errTooManyCustomers = errors.New("more than 2^32 customers with one hash")

// add puts a row into its customer's account.
func (t *table[K]) add(e *entry) error {
	i, err := t.find(e)
	if err != nil {
		return err
	}
	a := t.at(i)
	if e.amount.Sign() < 0 {
		err = t.refund(a, i, K(e.tick), e.amount)
	} else {
		err = t.purchase(a, i, K(e.tick), e.amount)
	}
	if err != nil {
		return fmt.Errorf("customer %q: %w", e.id, err)
	}
	return nil
}

// addAll adds rows of several customers, at most batchRows. Before, it reads a word of all that adding them will need: in
// these short loops the processor waits for many words at once, in add for one after the other.
func (t *table[K]) addAll(rows []entry) error {
	if mask := len(t.slots) - 1; mask > 0 {
		var where [batchRows]uint32
		for i := range rows {
			where[i] = uint32(t.slots[int(uint32(rows[i].hash))&mask]) // mostly the account, else one close by
		}
		sum := 0
		for _, w := range where[:len(rows)] {
			if w > 0 {
				a := t.at(int(w - 1))
				sum += len(a.id) + len(a.days)
			}
		}
		for _, w := range where[:len(rows)] {
			if w > 0 {
				if a := t.at(int(w - 1)); len(a.days) > 0 {
					sum += int(a.days[len(a.days)-1])
				}
			}
		}
		t.touched = sum // or the compiler may leave the loops out
	}
	for i := range rows {
		if err := t.add(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *table[K]) at(i int) *account[K] { return &t.blocks[i/blockSize][i%blockSize] }

// purchase enters a purchase. Whatever the order of the rows, first holds the amounts of the first purchase's tick.
func (t *table[K]) purchase(a *account[K], i int, at K, amount money.Amount) (err error) {
	switch {
	case len(a.days) > 0 && int64(at) > a.start:
		a.rest, err = a.rest.Add(amount)
	case len(a.days) > 0 && int64(at) == a.start:
		a.first, err = a.first.Add(amount)
	default:
		if a.rest, err = a.rest.Add(a.first); err != nil {
			return err
		}
		a.start, a.first = int64(at), amount
		if a.early {
			err = t.settle(a, i)
		}
	}
	t.insert(a, at)
	return err
}

// refund enters a refund by the date it has: on the first purchase's tick, later, or before any purchase known.
func (t *table[K]) refund(a *account[K], i int, at K, amount money.Amount) (err error) {
	switch {
	case len(a.days) > 0 && int64(at) > a.start:
		a.rest, err = a.rest.Add(amount)
	case len(a.days) > 0 && int64(at) == a.start:
		a.first, err = a.first.Add(amount)
	default:
		if t.early == nil {
			t.early = map[int][]dated{}
		}
		a.early = true
		t.early[i], err = addDated(t.early[i], int64(at), amount)
	}
	return err
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

// settle moves the early refunds that are no longer before the first purchase to where they belong.
func (t *table[K]) settle(a *account[K], i int) (err error) {
	list := t.early[i]
	for len(list) > 0 && err == nil {
		last := list[len(list)-1]
		if last.tick < a.start {
			break
		}
		if last.tick == a.start {
			a.first, err = a.first.Add(last.amount)
		} else {
			a.rest, err = a.rest.Add(last.amount)
		}
		list = list[:len(list)-1]
	}
	t.early[i] = list
	if a.early = len(list) > 0; !a.early {
		delete(t.early, i)
	}
	return err
}

// insert adds a tick to the account's set. A short set is kept sorted; a long one collects ticks that come out of order
// behind its sorted part and sorts them in when they are half as many.
func (t *table[K]) insert(a *account[K], at K) {
	const short = 256
	n := len(a.days)
	whole := int(a.sorted) == n
	if whole && (n == 0 || at > a.days[n-1]) {
		t.push(a, at)
		a.sorted++
		return
	}
	i, found := slices.BinarySearch(a.days[:a.sorted], at)
	switch {
	case found:
	case whole && n < short:
		t.push(a, at)
		copy(a.days[i+1:], a.days[i:n])
		a.days[i] = at
		a.sorted++
	default:
		t.push(a, at)
		if len(a.days) > int(a.sorted)*3/2 {
			a.sort()
		}
	}
}

// push appends a tick, in a larger piece of memory if need be.
func (t *table[K]) push(a *account[K], at K) {
	if len(a.days) == cap(a.days) {
		a.sort()
		if c := cap(a.days); len(a.days) > c*3/4 {
			a.days = t.pool.grow(a.days, t.memory)
		}
	}
	a.days = append(a.days, at)
}

// sort puts the whole set in order.
func (a *account[K]) sort() {
	if int(a.sorted) == len(a.days) {
		return
	}
	slices.Sort(a.days)
	a.days = slices.Compact(a.days)
	a.sorted = int32(len(a.days))
}

// find returns the index of the entry's account, which it makes if there is none.
func (t *table[K]) find(e *entry) (int, error) {
	if t.n >= len(t.slots)*3/4 {
		t.rehash()
	}
	hash := uint32(e.hash)
	mask := len(t.slots) - 1
	for s := int(hash) & mask; ; s = (s + 1) & mask {
		slot := t.slots[s]
		if slot == 0 {
			if uint64(t.n) == math.MaxUint32 {
				return 0, errTooManyCustomers
			}
			t.slots[s] = uint64(hash)<<32 | uint64(t.n+1)
			return t.open(e), nil
		}
		if uint32(slot>>32) == hash {
			if i := int(uint32(slot)) - 1; t.at(i).is(e) {
				return i, nil
			}
		}
	}
}

func (a *account[K]) is(e *entry) bool {
	return a.head == e.head && len(a.id) == len(e.id) && (len(e.id) <= len(a.head)*8 || a.id == e.id)
}

// open appends an account. Its id is copied, so that it pins no line of a file.
func (t *table[K]) open(e *entry) int {
	b := t.n / blockSize
	if b == len(t.blocks) {
		t.blocks = append(t.blocks, nil)
	}
	if block := t.blocks[b]; len(block) == cap(block) {
		size := blockSize
		if b == 0 { // the first block grows, so that many small tables cost little
			size = max(4, 2*cap(block))
		}
		t.blocks[b] = append(make([]account[K], 0, size), block...)
		t.memory.Add(int64(size-len(block)) * (int64(unsafe.Sizeof(account[K]{})) + outBytes))
	}
	t.blocks[b] = append(t.blocks[b], account[K]{id: strings.Clone(e.id), head: e.head})
	t.memory.Add(int64(len(e.id)+15) &^ 15)
	t.n++
	return t.n - 1
}

func (t *table[K]) rehash() {
	old := t.slots
	t.slots = make([]uint64, max(16, 2*len(old)))
	t.memory.Add(int64(8 * (len(t.slots) - len(old))))
	mask := len(t.slots) - 1
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		s := int(slot>>32) & mask
		for t.slots[s] != 0 {
			s = (s + 1) & mask
		}
		t.slots[s] = slot
	}
}

// A pool hands out short slices whose capacities are powers of two, cut from larger pieces, and takes them back. Longer
// ones are the business of the garbage collector.
type pool[K ticks] struct {
	piece []K
	last  int               // the size of the piece when it was new
	free  [poolClasses][]*K // the first elements of unused ones, by the logarithm of the capacity
}

const (
	poolPiece   = 1 << 10
	poolClasses = 5 // capacities up to 16
)

// grow returns the same ticks with a larger capacity.
func (p *pool[K]) grow(days []K, memory *atomic.Int64) []K {
	var k K
	size := max(2, 2*cap(days))
	var larger []K
	if class := bits.Len(uint(size)) - 1; class < poolClasses {
		larger = p.take(size, class, memory)[:len(days)]
	} else {
		size = cap(days) + cap(days)/2
		larger = make([]K, len(days), size)
		memory.Add(int64(size) * int64(unsafe.Sizeof(k)))
	}
	copy(larger, days)
	if class := bits.Len(uint(cap(days))) - 1; class >= poolClasses {
		memory.Add(-int64(cap(days)) * int64(unsafe.Sizeof(k)))
	} else if class >= 0 {
		p.free[class] = append(p.free[class], unsafe.SliceData(days))
	}
	return larger
}

func (p *pool[K]) take(size, class int, memory *atomic.Int64) []K {
	if f := p.free[class]; len(f) > 0 {
		p.free[class] = f[:len(f)-1]
		return unsafe.Slice(f[len(f)-1], size)[:0]
	}
	if len(p.piece) < size {
		var k K
		p.last = min(max(2*p.last, 4*size), poolPiece)
		p.piece = make([]K, p.last)
		memory.Add(int64(p.last) * int64(unsafe.Sizeof(k)))
	}
	out := p.piece[:0:size]
	p.piece = p.piece[size:]
	return out
}

// history returns the history of account i, and false if the customer has made no purchase.
func (t *table[K]) history(i int, end int64, unit time.Duration, zero money.Amount) (History, bool, error) {
	a := t.at(i)
	if len(a.days) == 0 {
		return History{}, false, nil
	}
	a.sort()
	grain := grainOf[K]()
	h := History{
		Customer: a.id,
		X:        len(a.days) - 1,
		TX:       elapsed(grain, int64(a.days[0]), int64(a.days[len(a.days)-1]), unit),
		T:        elapsed(grain, int64(a.days[0]), end, unit),
		Spend:    zero,
	}
	for j := 1; j < len(a.days); j++ {
		h.LogGaps += math.Log(elapsed(grain, int64(a.days[j-1]), int64(a.days[j]), unit))
	}
	if h.X == 0 {
		return h, true, nil
	}
	spend, err := zero.Add(a.rest)
	if a.early {
		for _, d := range t.early[i] {
			if err == nil {
				spend, err = spend.Add(d.amount)
			}
		}
	}
	if err == nil {
		h.Spend, err = plain(spend)
	}
	return h, true, err
}

// grainOf returns the granularity whose ticks have the type K.
func grainOf[K ticks]() Granularity {
	var k K
	if unsafe.Sizeof(k) == 4 {
		return ByDay
	}
	return ByInstant
}
