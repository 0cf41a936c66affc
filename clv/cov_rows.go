package clv

import (
	"cmp"
	"context"
	"math"

	"github.com/custval/custval/internal/mle"
)

// A covRows is the data of a likelihood, sorted by covariates first.
type covRows struct {
	index   []int // the history of each row
	weights []float64
	kernel  covKernel
	// The outcome less location is measured in units of scale; 0 for models that know no such unit.
	location, scale float64
}

// A covKernel begins a sum for a base theta and returns the sum of the rows lo to hi-1 of customers with the parameters
// v, which differ from theta only in what covariates act on.
type covKernel func(theta []float64, second bool) func(v []float64, lo, hi int, d *mle.Derivs)

// A covBuilder makes the rows of a likelihood from data that the plain fit has accepted. If ctx ends they are any.
type covBuilder func(ctx context.Context, p patterns, workers int) covRows

// patterns orders the rows of a design; customers with the same covariates get the same number.
type patterns struct {
	columns [][]float64
	names   []string
	of      []int32 // of each row of the design
	order   []int   // the rows by their pattern
}

func newPatterns(ctx context.Context, d *Design, workers int) patterns {
	order := make([]int, d.Len())
	for i := range order {
		order[i] = i
	}
	p := patterns{d.columns, d.Columns(), make([]int32, len(order)), order}
	compare := func(i, j int) int {
		for _, column := range p.columns {
			if column[i] != column[j] {
				return cmp.Compare(column[i], column[j])
			}
		}
		return 0
	}
	sortParallel(ctx, order, make([]int, len(order)), compare, workers)
	n := int32(0)
	for k, i := range order {
		if k > 0 && compare(order[k-1], i) != 0 {
			n++
		}
		p.of[i] = n
	}
	return p
}

// A patternRow is a row with the number of its history.
type patternRow[T any] struct {
	row   T
	index int
}

// rowsByPattern makes the rows of the histories for which of is true, sorts them by pattern and value, and merges those that
// are equal in both.
func rowsByPattern[T any](ctx context.Context, p patterns, workers int, of func(i int) (T, bool), compare func(a, b T) int,
	weight func(r *T) *float64) ([]T, covRows) {
	all := make([]patternRow[T], 0, len(p.order))
	for _, i := range p.order {
		if r, ok := of(i); ok {
			all = append(all, patternRow[T]{r, i})
		}
	}
	spare := make([]patternRow[T], len(all))
	rows := make([]T, 0, len(all))
	var c covRows
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && p.of[all[to].index] == p.of[all[from].index] {
			to++
		}
		if to-from > 1 {
			sortParallel(ctx, all[from:to], spare[from:to], func(a, b patternRow[T]) int {
				return cmp.Or(compare(a.row, b.row), cmp.Compare(*weight(&a.row), *weight(&b.row)))
			}, workers)
		}
		for i := from; i < to; i++ {
			r := &all[i].row
			if i > from && compare(rows[len(rows)-1], *r) == 0 {
				*weight(&rows[len(rows)-1]) += *weight(r)
				continue
			}
			rows, c.index = append(rows, *r), append(c.index, all[i].index)
		}
		from = to
	}
	for i := range rows {
		c.weights = append(c.weights, *weight(&rows[i]))
	}
	return rows, c
}

// purchaseRows is that of the models in continuous time.
func purchaseRows(ctx context.Context, data *Histories, p patterns, workers int, gaps bool, kernel func(rows []row) covKernel) covRows {
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (row, bool) { return newRow(&data.Rows[i], i, gaps), true },
		row.compare, func(r *row) *float64 { return &r.weight })
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
	}, func(r *discreteRow) *float64 { return &r.weight })
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
	}, func(r *spendRow) *float64 { return &r.weight })
	c.kernel = plainKernel(sumGammaGamma)(rows)
	return c
}

// normalRows is that of the normal-normal, whose plain fit measures the means in their standard deviations too.
func normalRows(ctx context.Context, data *Histories, p patterns, workers int) covRows {
	sample, err := newNormalSample(data)
	if err != nil { // the plain fit has accepted it
		return covRows{}
	}
	rows, c := rowsByPattern(ctx, p, workers, func(i int) (normalRow, bool) {
		h := &data.Rows[i]
		if h.X == 0 {
			return normalRow{}, false
		}
		return normalRow{float64(h.X), (h.MeanSpend() - sample.mean) / sample.sd, float64(h.customers())}, true
	}, func(a, b normalRow) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.z, b.z))
	}, func(r *normalRow) *float64 { return &r.weight })
	c.kernel = plainKernel(sumNormalNormal)(rows)
	c.location, c.scale = sample.mean, sample.sd
	return c
}
