package clv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/custval/custval/money"
)

// An entry is a row of the log that has been checked and dated by a clock.
type entry struct {
	id     string
	tick   int64
	amount money.Amount // negative for a refund
	units  int64        // the amount in minor units; its sign where exact is set
	exact  bool         // the amount is not a whole number of minor units in 64 bits
}

// A head is the first 16 bytes of an id. It tells short ids apart without a look at the memory of the string.
type head [2]uint64

func headOf(id string) head {
	b := unsafe.Slice(unsafe.StringData(id), len(id))
	switch n := len(b); {
	case n >= 16:
		return head{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
	case n > 8:
		return head{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:]) >> (8 * (16 - n))}
	case n >= 4:
		low, high := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
		return head{low | high<<(8*(n-4))}
	}
	h := head{}
	for i, c := range b {
		h[0] |= uint64(c) << (8 * i)
	}
	return h
}

const headSize = len(head{}) * 8

// A packed row is an entry as a table takes it: 40 bytes without a pointer, so that many of them on their way cost the garbage
// collector nothing. The id behind its head and an exact amount are kept beside the rows.
type packed struct {
	head  head
	units int64
	tick  int64
	hash  uint32
	size  uint32 // bytes of the id, and exactRow
}

const (
	exactRow  = 1 << 31 // in packed.size: the amount is beside the rows
	maxIDSize = 1 << 30
)

func (r *packed) length() int { return int(r.size &^ exactRow) }

// rows are entries of one table.
type rows struct {
	all   []packed
	tails []byte         // the bytes behind the heads of longer ids, in the order of the rows
	exact []money.Amount // the amounts of the rows that have exactRow, in their order
}

func (b *rows) add(e *entry, hash uint64) {
	r := packed{head: headOf(e.id), units: e.units, tick: e.tick, hash: uint32(hash), size: uint32(len(e.id))}
	if len(e.id) > headSize {
		b.tails = append(b.tails, e.id[headSize:]...)
	}
	if e.exact {
		r.size |= exactRow
		b.exact = append(b.exact, e.amount)
	}
	b.all = append(b.all, r)
}

func (b *rows) reset() {
	clear(b.exact)
	b.all, b.tails, b.exact = b.all[:0], b.tails[:0], b.exact[:0]
}

// Ticks are what a table keeps of a purchase's time: 32 bits hold every calendar day, an instant needs 64.
type ticks interface{ int32 | int64 }

// A table holds the accounts of some of the customers: those whose hash chose it. It keeps a customer's distinct
// purchase ticks, so that rows may come in any order, and nothing else of a row.
type table[K ticks] struct {
	slots  []uint64       // open addressing: the low half of the hash, then index + 1; 0 is empty
	blocks [][]account[K] // accounts by index, blockSize each
	n      int            // accounts
	ids    arena
	pool   pool[K]
	extras []extra
	own    int64 // bytes of slots, accounts and extras
	common *common

	touched int
}

// An account is what a table knows of one customer. By days it has 64 bytes, a line of the cache, and no pointer.
type account[K ticks] struct {
	head   head
	units  [2]int64 // of the sums, see onFirst
	start  K        // the first purchase's tick, if there is one
	n      uint32   // ticks with a purchase: start alone, else as many in the list, start among them
	list   uint32   // where the list is in the pool
	extra  uint32   // index + 1 of what few accounts have
	size   uint32   // bytes of the id
	id     uint32   // where it is in the arena
	class  uint8    // of the list's capacity; 0 is none
	sorted bool     // the list is ascending and distinct; else it has ticks as they came
}

const (
	blockSize = 64
	outBytes  = int64(unsafe.Sizeof(History{})) + 2*int64(unsafe.Sizeof(sortKey{})) // what Histories adds a customer
)

var errTooManyCustomers = errors.New("more than 2^32 customers with one hash")

// bytes returns the memory in use, what Histories will add included.
func (t *table[K]) bytes() int64 {
	var k K
	return t.own + t.ids.bytes + t.pool.size*int64(unsafe.Sizeof(k)) + int64(cap(t.pool.long))*int64(unsafe.Sizeof([]K(nil)))
}

// add puts a row into its customer's account.
func (t *table[K]) add(r *packed, tail []byte, amount sum) error {
	i, err := t.find(r, tail)
	if err != nil {
		return err
	}
	a := t.at(i)
	if r.units < 0 {
		err = t.refund(a, K(r.tick), amount)
	} else {
		err = t.purchase(a, K(r.tick), amount)
	}
	if err != nil {
		return fmt.Errorf("customer %q: %w", t.id(i), err)
	}
	return nil
}

// addAll adds rows of several customers, at most batchRows. Before, it reads a word of all that adding them will need: in
// these short loops the processor waits for many words at once, in add for one after the other.
func (t *table[K]) addAll(b *rows) error {
	if mask := len(t.slots) - 1; mask > 0 {
		var where [batchRows]uint32
		for i := range b.all {
			where[i] = uint32(t.slots[int(b.all[i].hash)&mask]) // mostly the account, else one close by
		}
		sum := 0
		for _, w := range where[:len(b.all)] {
			if w > 0 {
				sum += int(t.at(int(w - 1)).n)
			}
		}
		for _, w := range where[:len(b.all)] {
			if w > 0 {
				if list := t.list(t.at(int(w - 1))); len(list) > 1 {
					sum += int(list[len(list)-1])
				}
			}
		}
		t.touched = sum // or the compiler may leave the loops out
	}
	tails, amounts := b.tails, b.exact
	for i := range b.all {
		r := &b.all[i]
		var tail []byte
		if n := r.length() - headSize; n > 0 {
			tail, tails = tails[:n], tails[n:]
		}
		amount := sum{units: r.units}
		if r.size&exactRow != 0 {
			amount = sum{exact: amounts[0]}
			amounts = amounts[1:]
		}
		if err := t.add(r, tail, amount); err != nil {
			return err
		}
	}
	return nil
}

func (t *table[K]) at(i int) *account[K] { return &t.blocks[uint(i)/blockSize][uint(i)%blockSize] }

func (t *table[K]) len() int { return t.n }

func (t *table[K]) id(i int) string {
	a := t.at(i)
	return t.ids.text(a.id, a.size)
}

// purchase enters a purchase. Whatever the order of the rows, onFirst sums the amounts of the first purchase's tick.
func (t *table[K]) purchase(a *account[K], at K, amount sum) error {
	switch {
	case a.n > 0 && at > a.start:
		t.insert(a, at)
		return t.addSum(a, onOther, amount)
	case a.n > 0 && at == a.start:
		return t.addSum(a, onFirst, amount)
	}
	if err := t.demote(a); err != nil {
		return err
	}
	t.insert(a, at)
	if err := t.addSum(a, onFirst, amount); err != nil {
		return err
	}
	return t.settle(a)
}

// refund enters a refund by the date it has: on the first purchase's tick, later, or before any purchase known.
func (t *table[K]) refund(a *account[K], at K, amount sum) error {
	switch {
	case a.n > 0 && at > a.start:
		return t.addSum(a, onOther, amount)
	case a.n > 0 && at == a.start:
		return t.addSum(a, onFirst, amount)
	}
	return t.addEarly(a, int64(at), amount)
}

// find returns the index of the row's account, which it makes if there is none.
func (t *table[K]) find(r *packed, tail []byte) (int, error) {
	if t.n >= len(t.slots)*3/4 {
		t.rehash()
	}
	mask := len(t.slots) - 1
	for s := int(r.hash) & mask; ; s = (s + 1) & mask {
		slot := t.slots[s]
		if slot == 0 {
			i, err := t.open(r, tail)
			if err == nil {
				t.slots[s] = uint64(r.hash)<<32 | uint64(i+1)
			}
			return i, err
		}
		if uint32(slot>>32) == r.hash {
			if i := int(uint32(slot)) - 1; t.is(t.at(i), r, tail) {
				return i, nil
			}
		}
	}
}

func (t *table[K]) is(a *account[K], r *packed, tail []byte) bool {
	return a.head == r.head && a.size == r.size&^exactRow && (len(tail) == 0 || t.ids.text(a.id, a.size)[headSize:] == string(tail))
}

// lookup returns the index of the account of an id, -1 if there is none.
func (t *table[K]) lookup(id string, hash uint32) int {
	if len(t.slots) == 0 {
		return -1
	}
	mask := len(t.slots) - 1
	for s := int(hash) & mask; ; s = (s + 1) & mask {
		slot := t.slots[s]
		if slot == 0 {
			return -1
		}
		if uint32(slot>>32) == hash {
			if i := int(uint32(slot)) - 1; t.id(i) == id {
				return i
			}
		}
	}
}

// open appends an account. Its id is copied, so that it pins no line of a file.
func (t *table[K]) open(r *packed, tail []byte) (int, error) {
	if uint64(t.n) == math.MaxUint32 {
		return 0, errTooManyCustomers
	}
	id, ok := t.ids.keep(r.head, r.length(), tail)
	if !ok {
		return 0, errTooManyCustomers
	}
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
		t.own += int64(size-len(block)) * (int64(unsafe.Sizeof(account[K]{})) + outBytes)
	}
	t.blocks[b] = append(t.blocks[b], account[K]{head: r.head, size: uint32(r.length()), id: id})
	t.n++
	return t.n - 1, nil
}

func (t *table[K]) rehash() {
	old := t.slots
	t.slots = make([]uint64, max(16, 2*len(old)))
	t.own += int64(8 * (len(t.slots) - len(old)))
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

// touch reads a word of what history needs, so that the processor fetches it for several accounts at once.
func (t *table[K]) touch(i int) int {
	list := t.list(t.at(i))
	if len(list) == 0 {
		return 0
	}
	return int(list[0])
}

// A view is how accounts are turned into histories: with the unit, up to the end.
type view struct {
	grain Granularity
	unit  time.Duration
	end   int64
	zero  money.Amount // of the log's currency
	logs  []float64    // of the gaps of few ticks, by their length
}

func newView(g Granularity, unit time.Duration, end int64, zero money.Amount, customers int) *view {
	v := &view{grain: g, unit: unit, end: end, zero: zero}
	if g == ByDay && customers > 100 {
		v.logs = make([]float64, 400)
		for i := range v.logs {
			v.logs[i] = math.Log(elapsed(g, 0, int64(i), unit))
		}
	}
	return v
}

// logGap returns the log of the time between two ticks.
func (v *view) logGap(from, to int64) float64 {
	if gap := uint64(to) - uint64(from); gap < uint64(len(v.logs)) {
		return v.logs[gap]
	}
	return math.Log(elapsed(v.grain, from, to, v.unit))
}

// history returns the history of account i, and false if the customer has made no purchase.
func (t *table[K]) history(i int, v *view) (History, bool, error) {
	a := t.at(i)
	if a.n == 0 {
		return History{}, false, nil
	}
	t.sort(a)
	days := t.list(a)
	h := History{
		Customer: t.ids.text(a.id, a.size),
		X:        len(days) - 1,
		TX:       elapsed(v.grain, int64(days[0]), int64(days[len(days)-1]), v.unit),
		T:        elapsed(v.grain, int64(days[0]), v.end, v.unit),
		Spend:    v.zero,
	}
	for j := 1; j < len(days); j++ {
		h.LogGaps += v.logGap(int64(days[j-1]), int64(days[j]))
	}
	if h.X == 0 {
		return h, true, nil
	}
	var err error
	h.Spend, err = t.repeat(a, v.zero)
	return h, true, err
}
