package risk

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
)

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
