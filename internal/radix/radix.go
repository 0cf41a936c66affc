// Package radix sorts rows by a float64.
package radix

import (
	"cmp"
	"math"
	"slices"
)

// A Keyed is a row and the bits by which it is sorted.
type Keyed struct {
	Key uint64
	Row int32
}

// Key returns bits that have the order of x, which must not be NaN. Both zeros have the same.
func Key(x float64) uint64 {
	bits := math.Float64bits(x + 0)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// Order returns the rows in ascending order of value, equal values in the order of the rows.
func Order(values []float64) []Keyed {
	rows := make([]Keyed, len(values))
	for i, v := range values {
		rows[i] = Keyed{Key(v), int32(i)}
	}
	return Sort(rows)
}

const (
	digitBits = 11
	digits    = 6   // of 64 bits
	few       = 256 // rows that comparisons sort faster
)

// Sort sorts the rows by key and leaves rows of equal keys in their order. It may overwrite its argument and return
// another slice. Digits in which all keys agree take no pass, so that whole days take two or three.
func Sort(rows []Keyed) []Keyed {
	if len(rows) < few {
		slices.SortStableFunc(rows, func(a, b Keyed) int { return cmp.Compare(a.Key, b.Key) })
		return rows
	}
	const mask = 1<<digitBits - 1
	counts := new([digits][1 << digitBits]int32)
	for i := range rows {
		k := rows[i].Key
		counts[0][k&mask]++
		counts[1][k>>digitBits&mask]++
		counts[2][k>>(2*digitBits)&mask]++
		counts[3][k>>(3*digitBits)&mask]++
		counts[4][k>>(4*digitBits)&mask]++
		counts[5][k>>(5*digitBits)&mask]++
	}
	spare := make([]Keyed, len(rows))
	for b := range counts {
		count, shift := &counts[b], digitBits*b
		if count[rows[0].Key>>shift&mask] == int32(len(rows)) {
			continue
		}
		sum := int32(0)
		for v := range count {
			count[v], sum = sum, sum+count[v]
		}
		for i := range rows {
			v := rows[i].Key >> shift & mask
			spare[count[v]] = rows[i]
			count[v]++
		}
		rows, spare = spare, rows
	}
	return rows
}
