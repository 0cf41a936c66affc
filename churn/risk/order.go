package risk

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/custval/custval/internal/radix"
)

// contentOrder sorts rows by a hash of their columns and then, where there are ties, by those, so that what is summed over
// rows of equal columns does not depend on the order of the input.
func contentOrder(ctx context.Context, n int, columns [][]float64, ties ...[]float64) ([]radix.Keyed, error) {
	rows := make([]radix.Keyed, n)
	for i := range rows {
		rows[i].Row = int32(i)
	}
	for _, column := range columns {
		if err := canceled(ctx, 0); err != nil {
			return nil, err
		}
		for i, x := range column {
			rows[i].Key = mixBits(rows[i].Key, x)
		}
	}
	rows = radix.Sort(rows)
	for i, next := 0, 0; i < n; next++ {
		if err := canceled(ctx, next); err != nil {
			return nil, err
		}
		j := i + 1
		alike := true
		for ; j < n && rows[j].Key == rows[i].Key; j++ {
			alike = alike && compareRows(columns, rows[i].Row, rows[j].Row) == 0
		}
		if j-i > 1 && (!alike || len(ties) > 0) {
			slices.SortFunc(rows[i:j], func(a, b radix.Keyed) int {
				return cmp.Or(compareRows(columns, a.Row, b.Row), compareRows(ties, a.Row, b.Row))
			})
		}
		i = j
	}
	return rows, nil
}

// contents returns the columns, in a slice of its own.
func (d *Design) contents() [][]float64 {
	if d == nil {
		return nil
	}
	return slices.Clone(d.columns)
}

func compareRows(columns [][]float64, a, b int32) int {
	for _, column := range columns {
		if c := cmp.Compare(column[a], column[b]); c != 0 {
			return c
		}
	}
	return 0
}

// mixBits adds the bits of x to a hash.
func mixBits(hash uint64, x float64) uint64 {
	h := hash ^ math.Float64bits(x+0)
	h *= 0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}
