package survival

import (
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/ledger"
)

// coxPath is what happens at each event apart from the likelihood: sums over the parts of its hazard, as in coxSums. All
// vectors are of standardized covariates, p to an event.
type coxPath struct {
	mean     []float64 // of the covariates at risk, averaged over the parts
	step     []float64 // sum of hazard x mean
	own      []float64 // the same for those who leave at the event
	cum      []float64 // sum of step within the stratum
	variance []float64 // of the hazard, summed within the stratum
	atRisk   []float64
	events   []float64
}

func (c *coxData) newPath(s *coxSums, ties Ties) *coxPath {
	m, p := len(c.time), c.p
	h := &coxPath{mean: make([]float64, m*p), step: make([]float64, m*p), own: make([]float64, m*p),
		cum: make([]float64, m*p), variance: make([]float64, m), atRisk: make([]float64, m), events: make([]float64, m)}
	r, count, t := c.newRiskSet(), c.newRiskSet(), &tied{d1: make([]float64, p)}
	ones := make([]float64, c.n)
	for i := range ones {
		ones[i] = 1
	}
	for e := m - 1; e >= 0; e-- {
		r.move(c, s.risk, e)
		count.move(c, ones, e)
		c.tiedAt(e, s.risk, nil, t)
		h.atRisk[e], h.events[e] = count.s0, t.weight
		parts := t.parts(ties)
		unit := t.weight / float64(parts)
		for k := range parts {
			f := float64(k) / float64(parts)
			s0 := r.s0 - f*t.d0
			h.variance[e] += unit / (s0 * s0)
			for j := range p {
				mean := (r.s1[j] - f*t.d1[j]) / s0
				h.mean[e*p+j] += mean / float64(parts)
				h.step[e*p+j] += unit / s0 * mean
				h.own[e*p+j] += (1 - f) * unit / s0 * mean
			}
		}
	}
	for _, sp := range c.strata {
		for e := int(sp.lo); e < int(sp.hi); e++ {
			for j := range p {
				h.cum[e*p+j] = h.step[e*p+j]
				if e > int(sp.lo) {
					h.cum[e*p+j] += h.cum[(e-1)*p+j]
				}
			}
			if e > int(sp.lo) {
				h.variance[e] += h.variance[e-1]
			}
		}
	}
	return h
}

// baselines returns the cumulative hazards of the strata on the scale of the covariates.
func (c *coxData) baselines(s *coxSums, h *coxPath) []Baseline {
	out := make([]Baseline, len(c.strata))
	for i, sp := range c.strata {
		out[i].Stratum = c.names[i]
		out[i].Steps = make([]BaselineStep, sp.hi-sp.lo)
		shifts := make([]float64, int(sp.hi-sp.lo)*c.p)
		for k := range out[i].Steps {
			e := int(sp.lo) + k
			shift := shifts[k*c.p : (k+1)*c.p : (k+1)*c.p]
			for j := range shift {
				shift[j] = h.cum[e*c.p+j] * c.scale[j]
			}
			out[i].Steps[k] = BaselineStep{c.time[e], h.atRisk[e], h.events[e], s.cum[e], h.variance[e], shift}
		}
	}
	return out
}

// score puts the score residual of row i, for the standardized covariates, into u:
//
//	(x - mean) if it left - integral of (x - mean) over the hazard that it met
func (c *coxData) score(s *coxSums, h *coxPath, i int, u []float64) {
	e := int(c.hi[i]) - 1
	expected := s.expected(c, i)
	x := c.x[i*c.p : (i+1)*c.p]
	lo := int(c.lo[i])
	for j := range u {
		met := h.cum[e*c.p+j]
		if c.dead[i] {
			met += h.own[e*c.p+j] - h.step[e*c.p+j]
		}
		if lo > 0 && !c.opens[lo-1] {
			met -= h.cum[(lo-1)*c.p+j]
		}
		u[j] = s.risk[i]*met - expected*x[j]
		if c.dead[i] {
			u[j] += x[j] - h.mean[e*c.p+j]
		}
	}
}

// clusterScores sums the weighted score residuals of each cluster.
func (c *coxData) clusterScores(s *coxSums, h *coxPath, tenures []ledger.Tenure, o *CoxOptions) [][]float64 {
	index, names := groups(tenures, o.Cluster)
	sums := make([]float64, len(names)*c.p)
	u := make([]float64, c.p)
	for i, r := range c.rows {
		c.score(s, h, i, u)
		for j := range u {
			sums[int(index[r])*c.p+j] += c.weight[i] * u[j]
		}
	}
	out := make([][]float64, len(names))
	for g := range out {
		out[g] = sums[g*c.p : (g+1)*c.p]
	}
	return out
}

// robust returns the sandwich: the cross product of what each cluster moves the coefficients by.
func (c *coxData) robust(s *coxSums, h *coxPath, tenures []ledger.Tenure, o *CoxOptions, cov [][]float64) [][]float64 {
	out, move := linalg.NewMatrix(c.p), make([]float64, c.p)
	for _, u := range c.clusterScores(s, h, tenures, o) {
		for j := range u {
			u[j] *= c.scale[j]
		}
		for j := range move {
			move[j] = linalg.Dot(cov[j], u)
		}
		for j := range move {
			for k := range j + 1 {
				out[j][k] += move[j] * move[k]
			}
		}
	}
	mirror(out)
	return out
}

// robustScore is the score test with the variance between clusters.
func (c *coxData) robustScore(s *coxSums, h *coxPath, tenures []ledger.Tenure, o *CoxOptions) *ChiSquare {
	total, cross := make([]float64, c.p), linalg.NewMatrix(c.p)
	for _, u := range c.clusterScores(s, h, tenures, o) {
		for j := range u {
			total[j] += u[j]
			for k := range j + 1 {
				cross[j][k] += u[j] * u[k]
			}
		}
	}
	mirror(cross)
	l, bad := linalg.Cholesky(cross, 1e-12)
	if bad >= 0 {
		return &ChiSquare{math.NaN(), c.p, math.NaN()}
	}
	test := newChiSquare(linalg.Quadratic(l, total), c.p)
	return &test
}
