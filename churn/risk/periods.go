package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// personPeriods is the likelihood of a hazard model. The coefficients are those of the groups of periods, of q functions
// of time and of p covariates, the latter two standardized over all periods. Periods in which the baseline is the same are
// one cell.
type personPeriods struct {
	link         Link
	cuts         []int
	groups, q, p int
	rows         int
	x            []float64 // rows of p
	first, last  []int32   // cells
	stays        []int32   // periods in the first cell that the row stayed in; the whole of those between; in the last cell
	ends         []int32
	left         []bool
	weight       []float64
	least        float64
	cellGroup    []int32
	cellLength   []int32
	z            []float64 // rows of q, one a cell
	mean, scale  []float64 // of the functions of time and of the covariates
	start        []float64
	total, gone  float64 // periods, and those who left
	source       []int32 // the row that each tenure is part of, -1 for none
}

const groupsMost = 1000

func newPersonPeriods(ctx context.Context, spans []span, d *Design, o *HazardOptions) (*personPeriods, error) {
	for _, t := range d.Terms() {
		if len(t.Levels) == 1 {
			return nil, &CovariateError{Covariate: t.Name, Err: fmt.Errorf("%w: every row has the level %q", ErrCollinear, t.Levels[0])}
		}
	}
	left, stayed, err := perPeriod(spans)
	if err != nil {
		return nil, err
	}
	h := &personPeriods{link: o.Link, p: d.width(), least: 1, q: len(o.Baseline.names()), groups: 1}
	if err := h.cells(left, stayed, o); err != nil {
		return nil, err
	}
	if err := h.merge(ctx, spans, d); err != nil {
		return nil, err
	}
	return h, h.standardize(d, o)
}

// cells cuts the periods into cells and groups and checks that every group has an estimate.
func (h *personPeriods) cells(left, stayed []float64, o *HazardOptions) error {
	var l, s float64
	for t := range left {
		l, s = l+left[t], s+stayed[t]
	}
	if l == 0 {
		return errors.New("risk: hazard model: nobody left")
	}
	if s == 0 {
		return errors.New("risk: hazard model: everybody left in the first period")
	}
	if o.Baseline != EachPeriod {
		for t := range left {
			if h.q == 0 {
				h.cellGroup, h.cellLength = []int32{0}, []int32{int32(len(left))}
				return nil
			}
			h.cellGroup, h.cellLength = append(h.cellGroup, 0), append(h.cellLength, 1)
			h.z = append(h.z, o.Baseline.terms(t+1)...)
		}
		return nil
	}
	h.cuts = slices.Clone(o.Cuts)
	if h.cuts == nil {
		for t := 2; t <= len(left); t++ {
			h.cuts = append(h.cuts, t)
		}
	}
	h.groups = 1 + len(h.cuts)
	if h.groups > groupsMost {
		return fmt.Errorf("risk: hazard model: %d periods with a value of their own, more than %d: set Cuts or choose a longer period", h.groups, groupsMost)
	}
	names := groupNames(h.cuts)
	for g := range h.groups {
		from, to := 1, len(left)+1
		if g > 0 {
			from = h.cuts[g-1]
		}
		if g < len(h.cuts) {
			to = min(to, h.cuts[g])
		}
		l, s = 0, 0
		for t := from; t < to; t++ {
			l, s = l+left[t-1], s+stayed[t-1]
		}
		who := ""
		switch {
		case l == 0 && s == 0:
			return fmt.Errorf("risk: hazard model: %s: nobody was there; choose other Cuts", names[g])
		case l == 0:
			who = "nobody"
		case s == 0:
			who = "everybody"
		}
		if who != "" {
			return &CovariateError{Covariate: names[g],
				Err: fmt.Errorf("%w: %s left in it; join it with others by Cuts, such as those of EventCuts", ErrSeparation, who)}
		}
		h.cellGroup, h.cellLength = append(h.cellGroup, int32(g)), append(h.cellLength, int32(to-from))
	}
	return nil
}

// of returns the linear predictor of a probability.
func (l Link) of(p float64) float64 {
	if l == CloglogLink {
		return math.Log(-math.Log1p(-p))
	}
	return logit(p)
}

// merge puts tenures with the same covariates and periods together, in an order that depends on their content only.
func (h *personPeriods) merge(ctx context.Context, spans []span, d *Design) error {
	n := len(spans)
	firsts, lasts, weights := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, s := range spans {
		// Whole numbers below 2^53: the last period and whether the tenure ended in it.
		firsts[i], lasts[i], weights[i] = float64(s.first), 2*float64(s.last)+float64(b2i(s.left)), s.weight
	}
	columns := append(d.contents(), firsts, lasts)
	h.source = make([]int32, n)
	ends := make([]int, len(h.cellLength)+1) // the last period of the cells before
	for c, l := range h.cellLength {
		ends[c+1] = ends[c] + int(l)
	}
	cellOf := func(t int32) int32 {
		if h.q > 0 {
			return t - 1
		}
		return int32(groupOf(h.cuts, int(t)))
	}
	order, err := contentOrder(ctx, n, columns, weights)
	if err != nil {
		return err
	}
	last := int32(-1)
	for i, k := range order {
		if err := canceled(ctx, i); err != nil {
			return err
		}
		s := spans[k.Row]
		if s.last < s.first {
			h.source[k.Row] = -1
			continue
		}
		h.least = min(h.least, s.weight)
		if last >= 0 && compareRows(columns, last, k.Row) == 0 {
			h.weight[h.rows-1] += s.weight
			h.source[k.Row] = int32(h.rows - 1)
			continue
		}
		last = k.Row
		h.source[k.Row] = int32(h.rows)
		h.rows++
		a, b := cellOf(s.first), cellOf(s.last)
		h.first, h.last = append(h.first, a), append(h.last, b)
		stays, end := int32(min(int(s.last), ends[a+1]))-s.first+1, int32(0)
		if b > a {
			end = s.last - int32(ends[b])
		}
		h.stays, h.ends = append(h.stays, stays), append(h.ends, end)
		h.left, h.weight = append(h.left, s.left), append(h.weight, s.weight)
		for j := range h.p {
			h.x = append(h.x, d.columns[j][k.Row])
		}
	}
	at, gone := make([]float64, h.groups), make([]float64, h.groups)
	for r := range h.rows {
		h.each(r, func(c int, stays, left float64) {
			at[h.cellGroup[c]] += h.weight[r] * (stays + left)
			gone[h.cellGroup[c]] += h.weight[r] * left
		})
	}
	for g := range at {
		h.total, h.gone = h.total+at[g], h.gone+gone[g]
		h.start = append(h.start, h.link.of(gone[g]/at[g]))
	}
	return nil
}

// each calls f with every cell of a row and the periods in it that the row stayed in and left in.
func (h *personPeriods) each(r int, f func(cell int, stays, left float64)) {
	for c := h.first[r]; c <= h.last[r]; c++ {
		stays, left := h.inCell(r, c)
		f(int(c), stays, left)
	}
}

func (h *personPeriods) inCell(r int, c int32) (stays, left float64) {
	n := h.cellLength[c]
	switch c {
	case h.first[r]:
		n = h.stays[r]
	case h.last[r]:
		n = h.ends[r]
	}
	if h.left[r] && c == h.last[r] {
		return float64(n - 1), 1
	}
	return float64(n), 0
}

// standardize centers and scales the functions of time and the covariates over all periods.
func (h *personPeriods) standardize(d *Design, o *HazardOptions) error {
	h.mean, h.scale = make([]float64, h.q+h.p), make([]float64, h.q+h.p)
	exposure := make([]float64, h.rows)
	byCell := make([]float64, len(h.cellGroup))
	for r := range h.rows {
		h.each(r, func(c int, stays, left float64) {
			exposure[r] += h.weight[r] * (stays + left)
			byCell[c] += h.weight[r] * (stays + left)
		})
	}
	names := append(o.Baseline.names(), d.Columns()...)
	for _, part := range [...]struct {
		x      []float64
		width  int
		first  int
		weight []float64
	}{{h.z, h.q, 0, byCell}, {h.x, h.p, h.q, exposure}} {
		if part.width == 0 {
			continue
		}
		mean, scale := h.mean[part.first:part.first+part.width], h.scale[part.first:part.first+part.width]
		for r, w := range part.weight {
			for j, x := range part.x[r*part.width : (r+1)*part.width] {
				mean[j] += w / h.total * x
			}
		}
		for r, w := range part.weight {
			row := part.x[r*part.width : (r+1)*part.width]
			for j := range row {
				row[j] -= mean[j]
				scale[j] += w / h.total * row[j] * row[j]
			}
		}
		for j := range scale {
			scale[j] = math.Sqrt(scale[j])
			if !(scale[j] > 1e-12*math.Abs(mean[j])) || math.IsInf(scale[j], 1) {
				return constantColumn(names[part.first+j], mean[j], scale[j])
			}
		}
		for r := range part.weight {
			row := part.x[r*part.width : (r+1)*part.width]
			for j := range row {
				row[j] /= scale[j]
			}
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
