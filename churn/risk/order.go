package risk

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

const (
	digitBits = 11
	digits    = 6 // of 64 bits
)

// sortByKey sorts the rows by key and leaves rows of equal keys in their order. It is a radix sort that skips the digits
// in which all keys agree.
func sortByKey(rows []keyed) []keyed {
	if len(rows) < 2 {
		return rows
	}
	const mask = 1<<digitBits - 1
	counts := new([digits][1 << digitBits]int32)
	for i := range rows {
		k := rows[i].key
		counts[0][k&mask]++
		counts[1][k>>digitBits&mask]++
		counts[2][k>>(2*digitBits)&mask]++
		counts[3][k>>(3*digitBits)&mask]++
		counts[4][k>>(4*digitBits)&mask]++
		counts[5][k>>(5*digitBits)&mask]++
	}
	spare := make([]keyed, len(rows))
	for b := range counts {
		count, shift := &counts[b], digitBits*b
		if count[rows[0].key>>shift&mask] == int32(len(rows)) {
			continue
		}
		sum := int32(0)
		for v := range count {
			count[v], sum = sum, sum+count[v]
		}
		for i := range rows {
			v := rows[i].key >> shift & mask
			spare[count[v]] = rows[i]
			count[v]++
		}
		rows, spare = spare, rows
	}
	return rows
}

// mixBits adds the bits of x to a hash.
func mixBits(hash uint64, x float64) uint64 {
	h := hash ^ math.Float64bits(x+0)
	h *= 0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}
