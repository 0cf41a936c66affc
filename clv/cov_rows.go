package clv

import (
	"cmp"
	"context"
	"math"

	"github.com/custval/custval/internal/mle"
)

// A covRows is the data of a likelihood, sorted by covariates first.
type covRows struct {
	index   []int   // the history of each row
	of      []int32 // the number of its pattern
	weights []float64
	kernel  covKernel
	// The outcome less location is measured in units of scale; 0 for models that know no such unit.
	location, scale float64
}

// A covKernel begins a sum for a base theta and returns the sum of the rows lo to hi-1 of customers with the parameters
// v, whose coordinates are by greater than those of theta. A sum of no rows, which has the last word, adds what the
// others have kept back.
type covKernel func(theta []float64, second bool) covSum

type covSum func(v, by []float64, lo, hi int, d *mle.Derivs)

// A covBuilder makes the rows of a likelihood from data that the plain fit has accepted. If ctx ends they are any.
type covBuilder func(ctx context.Context, p patterns, workers int) covRows

// patterns orders the rows of a design, in an order that depends on their values alone; customers with the same
// covariates are neighbors.
type patterns struct {
	columns [][]float64
	names   []string
	order   []int   // the rows
	starts  []int32 // where in the order each pattern begins, and where the last one ends
}

func newPatterns(ctx context.Context, d *Design, workers int) patterns {
	p := patterns{columns: d.columns, names: d.Columns()}
	keys := make([]rowKey, d.Len()) // a hash of the covariates spares most comparisons of the values
	for i := range keys {
		keys[i].index = i
	}
	for _, column := range p.columns {
		for i, v := range column {
			h := (keys[i].bits ^ math.Float64bits(v+0)) * 0x9e3779b97f4a7c15 // no -0
			keys[i].bits = h ^ h>>32
		}
	}
	compare := func(a, b rowKey) int {
		if a.bits != b.bits {
			return cmp.Compare(a.bits, b.bits)
		}
		for _, column := range p.columns {
			if column[a.index] != column[b.index] {
				return cmp.Compare(column[a.index], column[b.index])
			}
		}
		return 0
	}
	keys, low, err := sortKeys(ctx, keys, workers)
	if err != nil {
		return p
	}
	var spare []rowKey
	for from := 0; from < len(keys); {
		to := from + 1
		for to < len(keys) && keys[to].bits>>low == keys[from].bits>>low {
			to++
		}
		if to > from+1 {
			if len(spare) < to-from {
				spare = make([]rowKey, to-from)
			}
			sortParallel(ctx, keys[from:to], spare[:to-from], compare, workers)
		}
		from = to
	}
	p.order = make([]int, len(keys))
	for k, key := range keys {
		p.order[k] = key.index
		if k == 0 || compare(keys[k-1], key) != 0 {
			p.starts = append(p.starts, int32(k))
		}
	}
	p.starts = append(p.starts, int32(len(keys)))
	return p
}

// rowsByPattern makes the rows of the histories for which of is true, sorted by pattern and value, those that are equal
// in both merged. Where most customers have covariates of their own, the rows are sorted by x first, so that neighbors are
// computed in the same steps.
func rowsByPattern[T any](ctx context.Context, p patterns, workers int, of func(i int) (T, bool), compare func(a, b T) int,
	x func(r *T) int, weight func(r *T) *float64) ([]T, covRows) {
	type numbered struct {
		row   T
		index int
	}
	n := len(p.order)
	all, used := make([]T, n), make([]bool, n)
	if err := inParallel(ctx, n, workers, func(from, to int) error {
		for i := from; i < to; i++ {
			all[i], used[i] = of(i)
		}
		return nil
	}); err != nil {
		return nil, covRows{}
	}
	rows := make([]T, 0, n)
	c := covRows{index: make([]int, 0, n), of: make([]int32, 0, n)}
	add := func(r T, pattern, index int) {
		rows, c.of, c.index = append(rows, r), append(c.of, int32(pattern)), append(c.index, index)
	}
	var run, spare []numbered
	for k := range len(p.starts) - 1 {
		members := p.order[p.starts[k]:p.starts[k+1]]
		if len(members) == 1 {
			if i := members[0]; used[i] {
				add(all[i], k, i)
			}
			continue
		}
		run = run[:0]
		for _, i := range members {
			if used[i] {
				run = append(run, numbered{all[i], i})
			}
		}
		if len(spare) < len(run) {
			spare = make([]numbered, len(run))
		}
		sortParallel(ctx, run, spare[:len(run)], func(a, b numbered) int {
			return cmp.Or(compare(a.row, b.row), cmp.Compare(*weight(&a.row), *weight(&b.row)))
		}, workers)
		for i, r := range run {
			if i > 0 && compare(rows[len(rows)-1], r.row) == 0 {
				*weight(&rows[len(rows)-1]) += *weight(&r.row)
				continue
			}
			add(r.row, k, r.index)
		}
	}
	if len(rows) < 2*len(p.starts) {
		rows = groupByX(rows, &c, x)
	}
	c.weights = make([]float64, len(rows))
	for i := range rows {
		c.weights[i] = *weight(&rows[i])
	}
	return rows, c
}

// groupByX sorts the rows by x, those beyond some hundreds being one group, and keeps the order within.
func groupByX[T any](rows []T, c *covRows, x func(r *T) int) []T {
	const most = 255
	var starts [most + 2]int
	for i := range rows {
		starts[1+min(most, x(&rows[i]))]++
	}
	for k := range most {
		starts[k+1] += starts[k]
	}
	sorted, index, of := make([]T, len(rows)), make([]int, len(rows)), make([]int32, len(rows))
	for i := range rows {
		to := &starts[min(most, x(&rows[i]))]
		sorted[*to], index[*to], of[*to] = rows[i], c.index[i], c.of[i]
		*to++
	}
	c.index, c.of = index, of
	return sorted
}

// purchaseRows is that of the models in continuous time.
func purchaseRows(ctx context.Context, data *Histories, p patterns, workers int, gaps bool, kernel func(rows []row) covKernel) covRows {
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (row, bool) { return newRow(&data.Rows[i], i, gaps), true },
		row.compare, func(r *row) int { return r.x }, func(r *row) *float64 { return &r.weight })
	c.kernel = kernel(rows)
	return c
}

// opportunityRows is that of the BG/BB.
func opportunityRows(ctx context.Context, data []DiscreteHistory, p patterns, workers int) covRows {
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (discreteRow, bool) {
		h := &data[i]
		return discreteRow{x: h.X, tx: h.TX, n: h.N, weight: float64(h.customers()), index: i}, true
	}, func(a, b discreteRow) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.x, b.x), cmp.Compare(b.tx, a.tx)) // as sumBGBB reads them
	}, func(r *discreteRow) int { return r.x }, func(r *discreteRow) *float64 { return &r.weight })
	c.kernel = plainKernel(sumBGBB)(rows)
	return c
}

// spendRows is that of the gamma-gamma.
func spendRows(ctx context.Context, data *Histories, p patterns, workers int) covRows {
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (spendRow, bool) {
		h := &data.Rows[i]
		if h.X == 0 || h.Spend.Sign() <= 0 {
			return spendRow{}, false
		}
		mean := h.MeanSpend()
		total := float64(h.X) * mean
		return spendRow{h.X, total, math.Log(total), math.Log(mean), float64(h.customers())}, true
	}, func(a, b spendRow) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.total, b.total))
	}, func(r *spendRow) int { return r.x }, func(r *spendRow) *float64 { return &r.weight })
	c.kernel = gammaGammaKernel(rows)
	return c
}

// normalRows is that of the normal-normal. The means are measured in their standard deviations, so that the search does
// not depend on the currency.
func normalRows(ctx context.Context, data *Histories, p patterns, workers int) covRows {
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (normalRow, bool) {
		h := &data.Rows[i]
		if h.X == 0 {
			return normalRow{}, false
		}
		return normalRow{float64(h.X), h.MeanSpend(), float64(h.customers())}, true
	}, func(a, b normalRow) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.z, b.z))
	}, func(r *normalRow) int { return int(r.x) }, func(r *normalRow) *float64 { return &r.weight })
	weight := 0.0
	for _, r := range rows {
		weight += r.weight
		c.location += r.weight * r.z
	}
	c.location /= weight
	for _, r := range rows {
		c.scale += r.weight * (r.z - c.location) * (r.z - c.location)
	}
	c.scale = math.Sqrt(c.scale / weight)
	for i := range rows {
		rows[i].z = (rows[i].z - c.location) / c.scale
	}
	c.kernel = plainKernel(sumNormalNormal)(rows)
	return c
}
