package risk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
)

// binomial is the likelihood of a logistic regression on standardized covariates. Rows with the same covariates are one,
// and rows are in an order that depends on their content only.
type binomial struct {
	p, rows     int
	x           []float64 // rows of p
	w1, w0      []float64 // weight that left and stayed
	offset      []float64 // nil for none
	mean, scale []float64
	left        float64 // sum of w1
	stayed      float64 // sum of w0
	least       float64 // smallest weight
	group       []int32 // the row that each input row is part of
}

// newBinomial merges and standardizes the rows. y is the share of each row that left.
func newBinomial(ctx context.Context, y, weights []float64, d *Design) (*binomial, error) {
	for _, t := range d.Terms() {
		if len(t.Levels) == 1 {
			return nil, &CovariateError{Covariate: t.Name, Err: fmt.Errorf("%w: every row has the level %q", ErrCollinear, t.Levels[0])}
		}
	}
	b := &binomial{p: d.width(), least: 1}
	var ties [][]float64
	if weights != nil {
		ties = [][]float64{y, weights}
	}
	order, err := contentOrder(ctx, len(y), d.contents(), ties...)
	if err == nil {
		err = b.merge(ctx, order, y, weights, d)
	}
	if err != nil {
		return nil, err
	}
	return b, b.standardize(d)
}

// contentOrder sorts rows by a hash of their columns and then, where there are ties, by those, so that what is summed over
// rows of equal columns does not depend on the order of the input.
func contentOrder(ctx context.Context, n int, columns [][]float64, ties ...[]float64) ([]keyed, error) {
	rows := make([]keyed, n)
	for i := range rows {
		rows[i].row = int32(i)
	}
	for _, column := range columns {
		if err := canceled(ctx, 0); err != nil {
			return nil, err
		}
		for i, x := range column {
			rows[i].key = mixBits(rows[i].key, x)
		}
	}
	rows = sortByKey(rows)
	for i, next := 0, 0; i < n; next++ {
		if err := canceled(ctx, next); err != nil {
			return nil, err
		}
		j := i + 1
		alike := true
		for ; j < n && rows[j].key == rows[i].key; j++ {
			alike = alike && compareRows(columns, rows[i].row, rows[j].row) == 0
		}
		if j-i > 1 && (!alike || len(ties) > 0) {
			slices.SortFunc(rows[i:j], func(a, b keyed) int {
				return cmp.Or(compareRows(columns, a.row, b.row), compareRows(ties, a.row, b.row))
			})
		}
		i = j
	}
	return rows, nil
}

// canceled returns the error of the context at every 2^14th step.
func canceled(ctx context.Context, step int) error {
	if step&(1<<14-1) == 0 && ctx.Err() != nil {
		return fmt.Errorf("risk: %w", ctx.Err())
	}
	return nil
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

func (b *binomial) merge(ctx context.Context, order []keyed, y, weights []float64, d *Design) error {
	columns := d.contents()
	b.group = make([]int32, len(order))
	var first []int32
	for i, k := range order {
		if err := canceled(ctx, i); err != nil {
			return err
		}
		if i == 0 || k.key != order[i-1].key || compareRows(columns, k.row, order[i-1].row) != 0 {
			first = append(first, k.row)
			b.w1, b.w0 = append(b.w1, 0), append(b.w0, 0)
		}
		g := len(first) - 1
		b.group[k.row] = int32(g)
		w := 1.0
		if weights != nil {
			w = weights[k.row]
			b.least = min(b.least, w)
		}
		b.w1[g] += w * y[k.row]
		b.w0[g] += w * (1 - y[k.row])
	}
	b.rows = len(first)
	for g := range first {
		b.left += b.w1[g]
		b.stayed += b.w0[g]
	}
	b.x = make([]float64, b.rows*b.p)
	for j := range b.p {
		column := d.columns[j]
		for g, r := range first {
			b.x[g*b.p+j] = column[r]
		}
		if err := canceled(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// standardize centers and scales the covariates and returns an error that names one that does not vary.
func (b *binomial) standardize(d *Design) error {
	b.mean, b.scale = make([]float64, b.p), make([]float64, b.p)
	total := b.left + b.stayed
	for g := range b.rows {
		w := b.w1[g] + b.w0[g]
		for j, x := range b.x[g*b.p : (g+1)*b.p] {
			b.mean[j] += w / total * x
		}
	}
	for g := range b.rows {
		w := b.w1[g] + b.w0[g]
		row := b.x[g*b.p : (g+1)*b.p]
		for j := range row {
			row[j] -= b.mean[j]
			b.scale[j] += w / total * row[j] * row[j]
		}
	}
	for j := range b.p {
		b.scale[j] = math.Sqrt(b.scale[j])
		if !(b.scale[j] > 1e-12*math.Abs(b.mean[j])) || math.IsInf(b.scale[j], 1) {
			return constantColumn(d.names[j], b.mean[j], b.scale[j])
		}
	}
	for g := range b.rows {
		row := b.x[g*b.p : (g+1)*b.p]
		for j := range row {
			row[j] /= b.scale[j]
		}
	}
	return nil
}

func constantColumn(name string, mean, scale float64) error {
	if math.IsInf(mean, 0) || math.IsInf(scale, 1) || math.IsNaN(scale) {
		return fmt.Errorf("risk: covariate %q: numbers too large to compute with: rescale it", name)
	}
	return &CovariateError{Covariate: name, Err: fmt.Errorf("%w: it has the value %v in every row", ErrCollinear, short(cell(mean)))}
}

func (b *binomial) size() (k, rows int) { return 1 + b.p, b.rows }

func (b *binomial) eta(beta []float64, g int) float64 {
	eta := beta[0]
	if b.offset != nil {
		eta += b.offset[g]
	}
	for j, x := range b.x[g*b.p : (g+1)*b.p] {
		eta += beta[1+j] * x
	}
	return eta
}

// split returns p = 1/(1+exp(-eta)), 1-p and the logarithms of both.
func split(eta float64) (p, q, lnP, lnQ float64) {
	z := math.Exp(-math.Abs(eta))
	l := math.Log1p(z)
	p, q, lnP, lnQ = 1/(1+z), z/(1+z), -l, -math.Abs(eta)-l
	if eta < 0 {
		p, q, lnP, lnQ = q, p, lnQ, lnP
	}
	return p, q, lnP, lnQ
}

// add is the likelihood's; observed and expected information are the same. With z = exp(-|eta|) a row of weight w has
//
//	-w ln(1+z) - |eta| (weight of the less likely outcome)
//
// and the factors 1+z of rows of weight 1 are multiplied before the logarithm is taken.
func (b *binomial) add(beta []float64, lo, hi int, _ bool, s *sums) {
	k := 1 + b.p
	factors := 1.0
	for g := lo; g < hi; g++ {
		eta := b.eta(beta, g)
		z := math.Exp(-math.Abs(eta))
		p, q := 1/(1+z), z/(1+z)
		w1, w0 := b.w1[g], b.w0[g]
		if eta < 0 {
			p, q = q, p
			s.logLik += eta * w1
		} else {
			s.logLik -= eta * w0
		}
		if w1+w0 == 1 {
			factors *= 1 + z
			if factors > 1e300 {
				s.logLik -= math.Log(factors)
				factors = 1
			}
		} else {
			s.logLik -= (w1 + w0) * math.Log1p(z)
		}
		r, w := w1*q-w0*p, (w1+w0)*p*q
		s.grad[0] += r
		s.info[0] += w
		addRow(s, b.x[g*b.p:(g+1)*b.p], 1, k, r, w, w)
	}
	s.logLik -= math.Log(factors)
}

// addRow adds a row of covariates, whose coefficients begin at first, with score r and weight w to gradient and
// information, and its products with coefficient 0 where w0 is not 0.
func addRow(s *sums, row []float64, first, k int, r, w, w0 float64) {
	for j, x := range row {
		s.grad[first+j] += r * x
		wx := w * x
		info := s.info[(first+j)*k : (first+j)*k+first+j+1]
		info[0] += w0 * x
		info = info[first:]
		for l := range info {
			info[l] += wx * row[l]
		}
	}
}

func (b *binomial) against(d []float64) (worst, largest float64) {
	for g := range b.rows {
		v := d[0]
		for j, x := range b.x[g*b.p : (g+1)*b.p] {
			v += d[1+j] * x
		}
		largest = max(largest, math.Abs(v))
		if b.w1[g] > 0 {
			worst = max(worst, -v)
		}
		if b.w0[g] > 0 {
			worst = max(worst, v)
		}
	}
	return worst, largest
}

// separated returns an error that names a level all or none of which left, or a number whose values of those who left and
// of those who stayed do not overlap. Separation by several covariates together is for the search to find.
func (b *binomial) separated(d *Design) error {
	return separatedAlone(d, b.x, b.w1, b.w0)
}

// separatedAlone is separated for rows x of the covariates with the weights of those who left and of those who stayed.
func separatedAlone(d *Design, x, w1, w0 []float64) error {
	p, j := d.width(), 0
	for _, t := range d.Terms() {
		width := len(t.Columns())
		if len(t.Levels) != 0 {
			if err := separatedLevel(t, x[j:], p, width, w1, w0); err != nil {
				return err
			}
		}
		j += width
	}
	for j := range p {
		low := [2]float64{math.Inf(1), math.Inf(1)} // of those who stayed, left
		high := [2]float64{math.Inf(-1), math.Inf(-1)}
		for g := range w1 {
			v := x[g*p+j]
			if w0[g] > 0 {
				low[0], high[0] = min(low[0], v), max(high[0], v)
			}
			if w1[g] > 0 {
				low[1], high[1] = min(low[1], v), max(high[1], v)
			}
		}
		sign := ""
		if high[0] <= low[1] {
			sign = "+Inf"
		} else if high[1] <= low[0] {
			sign = "-Inf"
		}
		if sign != "" {
			return &CovariateError{Covariate: d.names[j],
				Err: fmt.Errorf("%w to %s: no value of those who left lies among those of the others; leave it out or set Ridge", ErrSeparation, sign)}
		}
	}
	return nil
}

// separatedLevel checks a term whose columns are the first ones of x, which has rows of p.
func separatedLevel(t Term, x []float64, p, width int, w1, w0 []float64) error {
	left, stayed := make([]bool, width+1), make([]bool, width+1)
	// Standardized columns have two values; the larger one marks the level.
	high := make([]float64, width)
	for j := range high {
		high[j] = math.Inf(-1)
		for g := range w1 {
			high[j] = max(high[j], x[g*p+j])
		}
	}
	for g := range w1 {
		level := 0
		for j := range high {
			if x[g*p+j] == high[j] {
				level = j + 1
			}
		}
		left[level] = left[level] || w1[g] > 0
		stayed[level] = stayed[level] || w0[g] > 0
	}
	for l, name := range t.Levels {
		if left[l] == stayed[l] { // both, or nobody has the level
			continue
		}
		who := "nobody"
		if left[l] {
			who = "everybody"
		}
		return &CovariateError{Covariate: t.Name + "=" + name,
			Err: fmt.Errorf("%w: %s with this level left; merge it with another or set Ridge", ErrSeparation, who)}
	}
	return nil
}

// meat returns the sum of the outer products of the scores of independent rows or clusters.
func (b *binomial) meat(ctx context.Context, beta []float64, d *Design, o *LogisticOptions, left []bool) ([][]float64, error) {
	k := 1 + b.p
	meat := linalg.NewMatrix(k)
	score := make([]float64, k)
	if o.Cluster == nil {
		score[0] = 1
		for g := range b.rows {
			p, q, _, _ := split(b.eta(beta, g))
			copy(score[1:], b.x[g*b.p:(g+1)*b.p])
			addOuter(meat, score, b.w1[g]*q*q+b.w0[g]*p*p)
		}
		mirror(meat)
		return meat, nil
	}
	names := make([]string, len(left))
	order := make([]int32, len(left))
	for i := range order {
		order[i], names[i] = int32(i), o.Cluster(i)
	}
	weight := func(i int32) float64 {
		if o.Weights == nil {
			return 1
		}
		return o.Weights[i]
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(names[i], names[j]), cmp.Compare(b.group[i], b.group[j]), b2i(left[i])-b2i(left[j]),
			cmp.Compare(weight(i), weight(j)))
	})
	if len(order) > 0 && names[order[0]] == names[order[len(order)-1]] {
		return nil, errors.New("risk: option Cluster: all rows are in one cluster, which tells nothing of the spread")
	}
	for at, i := range order {
		if at > 0 && names[i] != names[order[at-1]] {
			addOuter(meat, score, 1)
			clear(score)
		}
		if err := canceled(ctx, at); err != nil {
			return nil, err
		}
		g := int(b.group[i])
		p, q, _, _ := split(b.eta(beta, g))
		r := -p
		if left[i] {
			r = q
		}
		r *= weight(i)
		score[0] += r
		for j, x := range b.x[g*b.p : (g+1)*b.p] {
			score[1+j] += r * x
		}
	}
	addOuter(meat, score, 1)
	mirror(meat)
	return meat, nil
}

// addOuter adds w v v' to the lower triangle of m.
func addOuter(m [][]float64, v []float64, w float64) {
	for i, x := range v {
		wx := w * x
		for j, y := range v[:i+1] {
			m[i][j] += wx * y
		}
	}
}

func mirror(m [][]float64) {
	for i := range m {
		for j := range i {
			m[j][i] = m[i][j]
		}
	}
}

// sandwich returns bread meat bread, exactly symmetric.
func sandwich(bread, meat [][]float64) [][]float64 {
	m := product(product(bread, meat), bread)
	for i := range m {
		for j := range i {
			mean := (m[i][j] + m[j][i]) / 2
			m[i][j], m[j][i] = mean, mean
		}
	}
	return m
}

func product(a, b [][]float64) [][]float64 {
	m := linalg.NewMatrix(len(a))
	for i := range m {
		for k, x := range a[i] {
			for j, y := range b[k] {
				m[i][j] += x * y
			}
		}
	}
	return m
}

// unscaleCoef returns the coefficients of the covariates themselves from those of the standardized ones; the first free
// ones are intercepts.
func unscaleCoef(b []float64, free int, mean, scale []float64) (base, coef []float64) {
	base, coef = slices.Clone(b[:free]), slices.Clone(b[free:])
	shift := 0.0
	for j := range coef {
		coef[j] /= scale[j]
		shift += coef[j] * mean[j]
	}
	for j := range base {
		base[j] -= shift
	}
	return base, coef
}

// unscale returns the covariance of unscaleCoef's result.
func unscale(cov [][]float64, free int, mean, scale []float64) [][]float64 {
	a := linalg.NewMatrix(len(cov))
	for i := range cov {
		a[i][i] = 1
		if i >= free {
			a[i][i] = 1 / scale[i-free]
			continue
		}
		for j := range scale {
			a[i][free+j] = -mean[j] / scale[j]
		}
	}
	t := linalg.NewMatrix(len(cov))
	for i := range a {
		for j := range a {
			t[i][j] = a[j][i]
		}
	}
	m := product(product(a, cov), t)
	for i := range m {
		for j := range i {
			mean := (m[i][j] + m[j][i]) / 2
			m[i][j], m[j][i] = mean, mean
		}
	}
	return m
}

// likelihoodRatio tests that df coefficients are 0.
func likelihoodRatio(null, full float64, df int) fit.LikelihoodRatio {
	statistic := max(0, 2*(full-null))
	return fit.LikelihoodRatio{Statistic: statistic, DF: df, P: chiSquaredP(statistic, df)}
}
