package clv

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// insert adds a tick to the account's set. Ticks that come in order keep the list sorted; others are put behind it, and
// the list is sorted when it is full, and when it is read.
func (t *table[K]) insert(a *account[K], at K) {
	switch {
	case a.n == 0:
		a.start, a.n, a.sorted = at, 1, true
		return
	case at == a.start:
		return
	case a.n == 1:
		a.list, a.class = t.pool.take(1), 1
		pair := t.pool.list(a.list, 1)
		a.start, pair[0], pair[1] = min(at, a.start), min(at, a.start), max(at, a.start)
		a.n = 2
		return
	}
	list := t.pool.list(a.list, a.class)
	if at == list[a.n-1] {
		return
	}
	if int(a.n) == len(list) {
		t.sort(a)
		if int(a.n) > len(list)*3/4 {
			list = t.grow(a)
		}
		if at == list[a.n-1] {
			return
		}
	}
	a.sorted = a.sorted && at > list[a.n-1]
	list[a.n] = at
	a.n++
	a.start = min(at, a.start)
}

// list returns the ticks of the account, sorted if it says so.
func (t *table[K]) list(a *account[K]) []K {
	if a.n < 2 {
		return unsafe.Slice(&a.start, a.n)
	}
	return t.pool.list(a.list, a.class)[:a.n]
}

// appendTicks appends the purchase ticks of account i, ascending.
func (t *table[K]) appendTicks(to []int64, i int) []int64 {
	a := t.at(i)
	t.sort(a)
	for _, at := range t.list(a) {
		to = append(to, int64(at))
	}
	return to
}

// sort puts the list in order, each tick once.
func (t *table[K]) sort(a *account[K]) {
	if a.sorted || a.n < 2 {
		return
	}
	list := t.list(a)
	if len(list) > 24 {
		slices.Sort(list)
	} else {
		for i := 1; i < len(list); i++ {
			at, j := list[i], i
			for ; j > 0 && list[j-1] > at; j-- {
				list[j] = list[j-1]
			}
			list[j] = at
		}
	}
	a.n, a.sorted = uint32(len(slices.Compact(list))), true
}

// grow moves the account's ticks to a longer list, which it returns.
func (t *table[K]) grow(a *account[K]) []K {
	old := t.pool.list(a.list, a.class)[:a.n]
	if a.class >= pageClass {
		more := cap(old) / 2
		if cap(old) > 64 {
			more = cap(old) / 4
		}
		list := slices.Grow([]K(nil), cap(old)+more)
		list = list[:cap(list)] // all that was allocated
		copy(list, old)
		t.pool.size += int64(len(list))
		if a.class == pageClass {
			t.pool.give(a.list, a.class)
			t.pool.long = append(t.pool.long, nil)
			a.list, a.class = uint32(len(t.pool.long)-1), longClass
		} else {
			t.pool.size -= int64(cap(old))
		}
		t.pool.long[a.list] = list
		return list
	}
	where := t.pool.take(a.class + 1)
	list := t.pool.list(where, a.class+1)
	copy(list, t.pool.list(a.list, a.class)[:a.n])
	t.pool.give(a.list, a.class)
	a.list, a.class = where, a.class+1
	return list
}

// A pool hands out short lists whose capacities are powers of two, cut from pages, and takes them back. Longer ones have
// memory of their own, which the garbage collector takes back: in pages what they leave behind as they grow would add up.
type pool[K ticks] struct {
	pages [][]K                 // of pageTicks; the first one begins small and grows
	used  int                   // ticks of the last page
	free  [pageClass + 1]uint32 // 1 + the place of an unused list, which begins with that of the next one, by class
	long  [][]K
	size  int64 // ticks in all
}

const (
	pageBits  = 10
	pageTicks = 1 << pageBits
	pageClass = 4 // the last class of lists in pages; the capacity of class c is 1<<c
	longClass = pageClass + 1
	firstPage = 32
)

func (p *pool[K]) list(where uint32, class uint8) []K {
	if class == longClass {
		return p.long[where]
	}
	return p.pages[where>>pageBits][where&(pageTicks-1):][: 1<<class : 1<<class]
}

// take returns the place of a list of the class.
func (p *pool[K]) take(class uint8) uint32 {
	if at := p.free[class]; at != 0 {
		p.free[class] = uint32(p.list(at-1, class)[0])
		return at - 1
	}
	size := 1 << class
	last := len(p.pages) - 1
	if last < 0 || p.used+size > pageTicks {
		if last >= 0 {
			p.giveRest()
		}
		length := pageTicks
		if last < 0 {
			length = max(firstPage, size)
		}
		p.pages, p.used = append(p.pages, make([]K, length)), 0
		p.size += int64(length)
		last++
	} else if p.used+size > len(p.pages[last]) { // the first page
		page := make([]K, max(2*len(p.pages[last]), p.used+size))
		p.size += int64(len(page) - len(p.pages[last]))
		copy(page, p.pages[last])
		p.pages[last] = page
	}
	where := uint32(last<<pageBits | p.used)
	p.used += size
	return where
}

// give takes a list back.
func (p *pool[K]) give(where uint32, class uint8) {
	p.list(where, class)[0] = K(p.free[class])
	p.free[class] = where + 1
}

// giveRest gives what is left of the last page.
func (p *pool[K]) giveRest() {
	last := len(p.pages) - 1
	for class := uint8(pageClass); class > 0; class-- {
		for p.used+1<<class <= len(p.pages[last]) {
			p.give(uint32(last<<pageBits|p.used), class)
			p.used += 1 << class
		}
	}
}

// An arena keeps the ids of a table in chunks. A place is the number of the chunk and the position in it.
type arena struct {
	chunks [][]byte
	bytes  int64
}

const (
	chunkBits  = 12
	chunkSize  = 1 << chunkBits
	firstChunk = 64
)

// keep stores an id and returns its place, false if there is no room.
func (a *arena) keep(h head, size int, tail []byte) (uint32, bool) {
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < size {
		if last+1 == 1<<(32-chunkBits) {
			return 0, false
		}
		room := firstChunk
		if last >= 0 {
			room = min(2*cap(a.chunks[last]), chunkSize)
		}
		room = max(room, size)
		a.chunks = append(a.chunks, make([]byte, 0, room))
		a.bytes += int64(room)
		last++
	}
	var b [headSize]byte
	binary.LittleEndian.PutUint64(b[:8], h[0])
	binary.LittleEndian.PutUint64(b[8:], h[1])
	chunk := a.chunks[last]
	at := len(chunk)
	a.chunks[last] = append(append(chunk, b[:min(size, headSize)]...), tail...)
	return uint32(last<<chunkBits | at), true
}

// text returns an id. It stays valid and unchanged for ever.
func (a *arena) text(where, size uint32) string {
	chunk := a.chunks[where>>chunkBits]
	return unsafe.String(&chunk[where&(chunkSize-1)], size)
}
