package survival

import "math"

// A keyed is a row and the bits by which it is sorted.
type keyed struct {
	key uint64
	row int32
}

// sortKey returns bits that have the order of x, which must not be NaN.
func sortKey(x float64) uint64 {
	bits := math.Float64bits(x + 0)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// sortByKey sorts the rows by key and leaves rows of equal keys in their order. It is a radix sort by bytes that skips
// the bytes in which all keys agree, so that whole days take two or three passes.
func sortByKey(rows []keyed) []keyed {
	if len(rows) < 2 {
		return rows
	}
	var counts [8][256]int32
	for i := range rows {
		k := rows[i].key
		for b := range counts {
			counts[b][byte(k>>(8*b))]++
		}
	}
	spare := make([]keyed, len(rows))
	for b := range counts {
		count, shift := &counts[b], 8*b
		if count[byte(rows[0].key>>shift)] == int32(len(rows)) {
			continue
		}
		sum := int32(0)
		for v := range count {
			count[v], sum = sum, sum+count[v]
		}
		for i := range rows {
			v := byte(rows[i].key >> shift)
			spare[count[v]] = rows[i]
			count[v]++
		}
		rows, spare = spare, rows
	}
	return rows
}

// orderBy returns the rows in ascending order of value, equal values in the order of the rows.
func orderBy(values []float64) []keyed {
	rows := make([]keyed, len(values))
	for i, v := range values {
		rows[i] = keyed{sortKey(v), int32(i)}
	}
	return sortByKey(rows)
}
