package rfm

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// A place is where a customer's state lies, with the part of the id by which it is sorted first.
type place struct {
	key   uint64
	shard uint32
	index uint32
}

// sorted returns the places of all customers in the order of their ids, or nothing useful once stop
// reports true.
func sorted(parts []columns, workers int, stop func() bool) []place {
	n := 0
	for i := range parts {
		n += len(parts[i].states)
	}
	places := make([]place, 0, n)
	skip := commonPrefix(parts)
	for i := range parts {
		if stop() {
			return nil
		}
		for j := range parts[i].states {
			places = append(places, place{prefixKey(parts[i].states[j].id[skip:]), uint32(i), uint32(j)})
		}
	}
	id := func(p place) string { return parts[p.shard].states[p.index].id }
	radixSort(places, func(p place) uint64 { return p.key }, workers, stop)
	if stop() {
		return nil
	}
	for from := 0; from < n; {
		to := from + 1
		for to < n && places[to].key == places[from].key {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(places[from:to], func(a, b place) int { return strings.Compare(id(a), id(b)) })
		}
		from = to
	}
	return places
}

// commonPrefix returns the length of the prefix that all ids share.
func commonPrefix(parts []columns) int {
	common, first := "", true
	for i := range parts {
		for j := range parts[i].states {
			id := parts[i].states[j].id
			if first {
				common, first = id, false
			}
			k := 0
			for k < len(common) && k < len(id) && common[k] == id[k] {
				k++
			}
			common = common[:k]
		}
	}
	return len(common)
}

// prefixKey returns the first eight bytes of s as a number that sorts like s.
func prefixKey(s string) uint64 {
	var key uint64
	for i := range 8 {
		key <<= 8
		if i < len(s) {
			key |= uint64(s[i])
		}
	}
	return key
}

// radixBelow is the length below which a comparison sort is used.
const radixBelow = 1 << 10

// radixSort sorts items by key, in byte passes of which those with a constant byte are left out. Long slices are
// sorted in two halves side by side. Where stop reports true the items are left in any order.
func radixSort[T any](items []T, key func(T) uint64, workers int, stop func() bool) {
	if len(items) < radixBelow {
		slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
		return
	}
	if workers < 2 || len(items) < 1<<16 {
		radixPasses(items, make([]T, len(items)), key, stop)
		return
	}
	half := len(items) / 2
	buffer := make([]T, len(items))
	var other sync.WaitGroup
	other.Add(1)
	go func() {
		defer other.Done()
		radixPasses(items[:half], buffer[:half], key, stop)
	}()
	radixPasses(items[half:], buffer[half:], key, stop)
	other.Wait()
	copy(buffer, items)
	merge(items, buffer[:half], buffer[half:], key)
}

func merge[T any](to, a, b []T, key func(T) uint64) {
	for i := range to {
		if len(b) == 0 || len(a) > 0 && key(a[0]) <= key(b[0]) {
			to[i], a = a[0], a[1:]
		} else {
			to[i], b = b[0], b[1:]
		}
	}
}

func radixPasses[T any](items, buffer []T, key func(T) uint64, stop func() bool) {
	var counts [8][256]uint32
	for i := range items {
		k := key(items[i])
		for b := range 8 {
			counts[b][byte(k>>(8*b))]++
		}
	}
	from, to := items, buffer
	for b := range 8 {
		c := &counts[b]
		if int(c[byte(key(items[0])>>(8*b))]) == len(items) {
			continue
		}
		if stop != nil && stop() {
			return
		}
		var at uint32
		for i := range c {
			c[i], at = at, at+c[i]
		}
		for i := range from {
			d := byte(key(from[i]) >> (8 * b))
			to[c[d]] = from[i]
			c[d]++
		}
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// sortFloats sorts finite or infinite values, as slices.Sort does; -0 comes before 0.
func sortFloats(values []float64, stop func() bool) {
	if len(values) < radixBelow {
		slices.Sort(values)
		return
	}
	radixSort(values, floatKey, 1, stop)
}

// floatKey maps a float64 to a number of the same order.
func floatKey(f float64) uint64 {
	k := math.Float64bits(f)
	if k>>63 != 0 {
		return ^k
	}
	return k | 1<<63
}
