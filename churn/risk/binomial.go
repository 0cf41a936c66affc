package risk

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/radix"
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

// canceled returns the error of the context at every 2^14th step.
func canceled(ctx context.Context, step int) error {
	if step&(1<<14-1) == 0 && ctx.Err() != nil {
		return fmt.Errorf("risk: %w", ctx.Err())
	}
	return nil
}

func (b *binomial) merge(ctx context.Context, order []radix.Keyed, y, weights []float64, d *Design) error {
	columns := d.contents()
	b.group = make([]int32, len(order))
	var first []int32
	for i, k := range order {
		if err := canceled(ctx, i); err != nil {
			return err
		}
		if i == 0 || k.Key != order[i-1].Key || compareRows(columns, k.Row, order[i-1].Row) != 0 {
			first = append(first, k.Row)
			b.w1, b.w0 = append(b.w1, 0), append(b.w0, 0)
		}
		g := len(first) - 1
		b.group[k.Row] = int32(g)
		w := 1.0
		if weights != nil {
			w = weights[k.Row]
			b.least = min(b.least, w)
		}
		b.w1[g] += w * y[k.Row]
		b.w0[g] += w * (1 - y[k.Row])
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
			return constantColumn(d.Columns()[j], b.mean[j], b.scale[j])
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
	return &CovariateError{Covariate: name, Err: fmt.Errorf("%w: it has the value %v in every row", ErrCollinear, table.Number(mean))}
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

// likelihoodRatio tests that df coefficients are 0.
func likelihoodRatio(null, full float64, df int) fit.LikelihoodRatio {
	statistic := max(0, 2*(full-null))
	return fit.LikelihoodRatio{Statistic: statistic, DF: df, P: chiSquaredP(statistic, df)}
}
