package clv

import (
	"context"
	"math"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// barrier is the weight of the logarithms that keep a search within the bounds of M: so small that an estimate next to
// a bound loses no more than about this much log-likelihood.
const barrier = 1e-5

// slacks returns how far M is from the bounds of its sign, as 1 - M/bound for each of the two that make one, with their
// derivatives in R, Alpha, S, Beta and M.
func (m CorrelatedParetoNBD) slacks() (slack [2]float64, grad [2][5]float64) {
	la, lb, ca, cb := m.means()
	c := m.span()
	dla := [5]float64{-la * math.Log1p(c/m.Alpha), la * m.R * c / (m.Alpha * (c + m.Alpha))}
	dlb := [5]float64{2: -lb * math.Log1p(c/m.Beta), 3: lb * m.S * c / (m.Beta * (c + m.Beta))}
	set := func(k int, sign, p, q, dp, dq float64) {
		slack[k] = 1 - sign*m.M*p*q
		for i := range 4 {
			grad[k][i] = -sign * m.M * (dp*dla[i]*q + p*dq*dlb[i])
		}
		grad[k][4] = -sign * p * q
	}
	if m.M >= 0 {
		set(0, 1, la, cb, 1, -1)
		set(1, 1, ca, lb, -1, 1)
	} else {
		set(0, -1, la, lb, 1, 1)
		set(1, -1, ca, cb, -1, -1)
	}
	return slack, grad
}

// evidence searches in M itself, within its bounds, so that M can be held.
func (m CorrelatedParetoNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	e, s, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha", "S", "Beta"}, nil)
	if err != nil {
		return nil, err
	}
	span := m.Span
	if span == 0 {
		span = weekIn(data)
	}
	at := func(theta []float64) CorrelatedParetoNBD {
		return CorrelatedParetoNBD{theta[0], theta[1], theta[2], theta[3], theta[4], span}
	}
	p := &e.problem
	p.Params = append(p.Params, mle.Param{Name: "M", Scale: fit.Identity})
	p.Second = false
	p.Sum = func(theta []float64, lo, hi int, d *mle.Derivs) {
		m := at(theta)
		if !m.valid() {
			d.Value = math.NaN()
			return
		}
		m.sumSarmanov(s.rows[lo:hi], d)
	}
	p.Prior = func(theta []float64, d *mle.Derivs) {
		slack, grad := at(theta).slacks()
		for k, v := range slack {
			d.Value += barrier * math.Log(v) // NaN beyond the bound
			for i, g := range grad[k] {
				d.Grad[i] += barrier * g / v
			}
		}
	}
	e.vague = append(e.vague, Flat())
	e.inside = func(theta []float64, held int) { moveInside(theta, held, span) }
	return e, nil
}

// moveInside changes a start until M is within its bounds by a ten-millionth of them: M itself, or where that is held the
// shapes, which move the bounds.
func moveInside(theta []float64, held int, span float64) {
	const margin = 1e-7
	for range 2000 {
		m := CorrelatedParetoNBD{theta[0], theta[1], theta[2], theta[3], theta[4], span}
		slack, _ := m.slacks()
		if min(slack[0], slack[1]) >= margin {
			return
		}
		switch low, high := m.Bounds(); {
		case held != 4:
			theta[4] = min(max(theta[4], low*(1-2*margin)), high*(1-2*margin))
		case theta[4] > 0: // both means nearer to 1
			theta[0], theta[2] = 0.98*theta[0], 0.98*theta[2]
		case theta[0]*span/theta[1] < theta[2]*span/theta[3]: // one nearer to 1, the other to 0
			theta[0], theta[2] = 0.98*theta[0], theta[2]/0.98
		default:
			theta[0], theta[2] = theta[0]/0.98, 0.98*theta[2]
		}
	}
}

// withParams keeps M within the bounds that the other parameters set.
func (m CorrelatedParetoNBD) withParams(theta []float64) CorrelatedParetoNBD {
	m = CorrelatedParetoNBD{theta[0], theta[1], theta[2], theta[3], theta[4], m.Span}
	low, high := m.Bounds()
	m.M = min(max(m.M, low), high)
	return m
}
