package risk

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/ledger"
)

// meat returns the sum of the outer products of the scores of tenures or clusters.
func (h *personPeriods) meat(ctx context.Context, beta []float64, tenures []ledger.Tenure, o *HazardOptions) ([][]float64, error) {
	k, _ := h.size()
	meat := linalg.NewMatrix(k)
	if o.Cluster == nil {
		score := make([]float64, k)
		for r := range h.rows {
			if err := canceled(ctx, r); err != nil {
				return nil, err
			}
			clear(score)
			h.score(beta, r, 1, score)
			addOuter(meat, score, h.weight[r])
		}
		mirror(meat)
		return meat, nil
	}
	names := make([]string, len(tenures))
	var order []int32
	for i, r := range h.source {
		if r >= 0 {
			names[i] = o.Cluster(tenures[i])
			order = append(order, int32(i))
		}
	}
	weight := func(i int32) float64 {
		if w := tenures[i].Weight; w != 0 {
			return w
		}
		return 1
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(names[i], names[j]), cmp.Compare(h.source[i], h.source[j]), cmp.Compare(weight(i), weight(j)))
	})
	if names[order[0]] == names[order[len(order)-1]] {
		return nil, errors.New("risk: option Cluster: all rows are in one cluster, which tells nothing of the spread")
	}
	score := make([]float64, k)
	for at, i := range order {
		if err := canceled(ctx, at); err != nil {
			return nil, err
		}
		if at > 0 && names[i] != names[order[at-1]] {
			addOuter(meat, score, 1)
			clear(score)
		}
		h.score(beta, int(h.source[i]), weight(i), score)
	}
	addOuter(meat, score, 1)
	mirror(meat)
	return meat, nil
}

// score adds the gradient of one row.
func (h *personPeriods) score(beta []float64, r int, weight float64, score []float64) {
	row := h.x[r*h.p : (r+1)*h.p]
	eta := linalg.Dot(beta[h.groups+h.q:], row)
	sum := 0.0
	h.each(r, func(c int, stays, left float64) {
		_, slope, _ := h.link.derivs(eta+h.base(beta, c), stays, left, false)
		slope *= weight
		score[h.cellGroup[c]] += slope
		for j, z := range h.z[c*h.q : (c+1)*h.q] {
			score[h.groups+j] += slope * z
		}
		sum += slope
	})
	for j, x := range row {
		score[h.groups+h.q+j] += sum * x
	}
}

// derivs returns the log-likelihood of a number of periods at eta, with its slope in eta and its information.
func (l Link) derivs(eta, stays, left float64, expected bool) (value, slope, info float64) {
	if l == LogitLink {
		p, q, lnP, lnQ := split(eta)
		return left*lnP + stays*lnQ, left*q - stays*p, (left + stays) * p * q
	}
	e := math.Exp(min(eta, 700)) // so that 0 times it is 0
	q := 1.0                     // e/(exp(e)-1)
	if e > 0 {
		q = e / math.Expm1(e)
	}
	value, slope = -stays*e, left*q-stays*e
	if left > 0 {
		value += left * math.Log(-math.Expm1(-e))
	}
	if expected {
		return value, slope, (left + stays) * e * q
	}
	bend := e + q - 1
	if e < 1e-3 {
		bend = e/2 + e*e/12
	}
	return value, slope, stays*e + left*q*bend
}

// base returns the baseline of a cell.
func (h *personPeriods) base(beta []float64, c int) float64 {
	base := beta[h.cellGroup[c]]
	for j, z := range h.z[c*h.q : (c+1)*h.q] {
		base += beta[h.groups+j] * z
	}
	return base
}

func (h *personPeriods) size() (k, rows int) { return h.groups + h.q + h.p, h.rows }

func (h *personPeriods) add(beta []float64, lo, hi int, expected bool, s *sums) {
	k, _ := h.size()
	first := h.groups + h.q // of the covariates
	base := make([]float64, len(h.cellGroup))
	for c := range base {
		base[c] = h.base(beta, c)
	}
	byGroup := make([]float64, h.groups) // information of the row
	byTime := make([]float64, h.q)
	for r := lo; r < hi; r++ {
		row := h.x[r*h.p : (r+1)*h.p]
		eta, weight := linalg.Dot(beta[first:], row), h.weight[r]
		var slope, info float64
		for c := h.first[r]; c <= h.last[r]; c++ {
			stays, left := h.inCell(r, c)
			v, u, w := h.link.derivs(eta+base[c], stays, left, expected)
			v, u, w = v*weight, u*weight, w*weight
			g := int(h.cellGroup[c])
			s.logLik += v
			s.grad[g] += u
			s.info[g*k+g] += w
			byGroup[g] += w
			slope, info = slope+u, info+w
			for i, z := range h.z[int(c)*h.q : (int(c)+1)*h.q] {
				s.grad[h.groups+i] += u * z
				s.info[(h.groups+i)*k+g] += w * z
				byTime[i] += w * z
				for j := range i + 1 {
					s.info[(h.groups+i)*k+h.groups+j] += w * z * h.z[int(c)*h.q+j]
				}
			}
		}
		from, to := h.cellGroup[h.first[r]], h.cellGroup[h.last[r]]
		for j, x := range row {
			cross := s.info[(first+j)*k : (first+j)*k+first]
			for g := from; g <= to; g++ {
				cross[g] += byGroup[g] * x
			}
			for i, w := range byTime {
				cross[h.groups+i] += w * x
			}
		}
		clear(byGroup[from : to+1])
		clear(byTime)
		addRow(s, row, first, k, slope, info, 0)
	}
}

func (h *personPeriods) against(d []float64) (worst, largest float64) {
	for r := range h.rows {
		v := linalg.Dot(d[h.groups+h.q:], h.x[r*h.p:(r+1)*h.p])
		h.each(r, func(c int, stays, left float64) {
			w := v + h.base(d, c)
			largest = max(largest, math.Abs(w))
			if left > 0 {
				worst = max(worst, -w)
			}
			if stays > 0 {
				worst = max(worst, w)
			}
		})
	}
	return worst, largest
}
