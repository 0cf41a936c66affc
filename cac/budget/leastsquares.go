package budget

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"gonum.org/v1/gonum/mat"
)

// An lsq is a search for least squares on the working scales.
type lsq struct {
	points      []Point
	scales      []fit.Scale
	grad        func(theta []float64, x float64, g []float64) float64
	theta       []float64
	jtj         *mat.SymDense // J'WJ by the working parameters
	jtr         []float64
	rss         float64
	stop        fit.Stop
	reason      string
	iter        int
	evaluations int
}

func newLSQ(points []Point, scales []fit.Scale, grad func([]float64, float64, []float64) float64) *lsq {
	return &lsq{points: points, scales: scales, grad: grad, stop: fit.MaxIterations}
}

// at returns the sum of squares at theta and, if wanted, the normal equations.
func (s *lsq) at(theta []float64, jtj *mat.SymDense, jtr []float64) float64 {
	s.evaluations++
	g := make([]float64, len(theta))
	rss := 0.0
	if jtj != nil {
		jtj.Zero()
		clear(jtr)
	}
	for _, p := range s.points {
		d := p.Response - s.grad(theta, p.Spend, g)
		w := p.weight()
		rss += w * d * d
		if jtj == nil {
			continue
		}
		for i := range g {
			jtr[i] += w * g[i] * d
			for j := i; j < len(g); j++ {
				jtj.SetSym(i, j, jtj.At(i, j)+w*g[i]*g[j])
			}
		}
	}
	if math.IsNaN(rss) {
		return math.Inf(1)
	}
	return rss
}

// run searches from theta by the method of Levenberg and Marquardt. It has converged where the residuals are
// perpendicular to every derivative within 1e-9, or where they vanish.
func (s *lsq) run(ctx context.Context, theta []float64, o fit.Options, number int) error {
	k := len(theta)
	s.theta = slices.Clone(theta)
	s.jtj, s.jtr = mat.NewSymDense(k, nil), make([]float64, k)
	s.rss = s.at(s.theta, s.jtj, s.jtr)
	total := 0.0
	for _, p := range s.points {
		total += p.weight() * p.Response * p.Response
	}
	damping := 1e-3
	for s.iter = 0; s.iter < o.MaxIter; s.iter++ {
		if err := ctx.Err(); err != nil {
			s.stop = fit.Canceled
			return err
		}
		cosine := 0.0
		for i := range k {
			if h := s.jtj.At(i, i); h > 0 && s.rss > 0 {
				cosine = max(cosine, math.Abs(s.jtr[i])/math.Sqrt(h*s.rss))
			}
		}
		if o.Progress != nil {
			o.Progress(fit.Progress{Start: number, Iter: s.iter, Evaluations: s.evaluations, LogLik: -s.rss, Gradient: cosine})
		}
		if cosine <= 1e-12 || s.rss <= 1e-30*total {
			s.stop = fit.Converged
			return nil
		}
		improved := false
		for range 40 {
			next, ok := s.step(damping)
			if ok {
				if rss := s.at(next, nil, nil); rss < s.rss {
					s.theta, improved = next, true
					damping = max(damping/10, 1e-15)
					break
				}
			}
			damping *= 4
		}
		if !improved {
			s.stop = fit.NoProgress
			if cosine <= 1e-6 || s.rss <= 1e-24*total { // rounding errors hide what is left
				s.stop = fit.Converged
			}
			return nil
		}
		s.rss = s.at(s.theta, s.jtj, s.jtr)
	}
	return nil
}

// step returns where a damped Gauss-Newton step on the working scales leads.
func (s *lsq) step(damping float64) ([]float64, bool) {
	k := len(s.theta)
	a := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			a.SetSym(i, j, s.jtj.At(i, j))
		}
		a.SetSym(i, i, s.jtj.At(i, i)*(1+damping)+1e-300)
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return nil, false
	}
	var d mat.VecDense
	if err := chol.SolveVecTo(&d, mat.NewVecDense(k, slices.Clone(s.jtr))); err != nil && d.Len() != k {
		return nil, false
	}
	next := make([]float64, k)
	for i, v := range s.theta {
		move := min(max(d.AtVec(i), -2), 2)
		if s.scales[i] == fit.Logit {
			odds := v / (1 - v) * math.Exp(move)
			next[i] = odds / (1 + odds)
			if !(next[i] > 0 && next[i] < 1) {
				return nil, false
			}
			continue
		}
		next[i] = v * math.Exp(move)
		if !(next[i] > 0 && next[i] <= math.MaxFloat64) {
			return nil, false
		}
	}
	return next, true
}

// bounds tells a search that ran off from one that ended.
func (s *lsq) bounds(low, high float64, names []string) {
	if s.stop == fit.Canceled {
		return
	}
	for i, v := range s.theta {
		off := false
		switch names[i] {
		case "B":
			off = v > 1-1e-4 || v < 1e-4
		case "C":
			off = v > 1e4*high || v < 1e-6*low
		case "K":
			off = v < 1e-4/high || v > 1e6/low
		case "S":
			off = v > 100 || v < 1e-3
		}
		if off {
			s.stop, s.reason = fit.Diverged, fmt.Sprintf("%s runs off to %.3g", names[i], v)
		}
	}
}

// covariance returns variance times the inverse of J'WJ on the natural scale, nil if that does not exist.
func (s *lsq) covariance(variance float64) [][]float64 {
	k := len(s.theta)
	scaled := mat.NewSymDense(k, nil) // to unit diagonal, so that its condition means something
	d := make([]float64, k)
	for i := range k {
		d[i] = math.Sqrt(s.jtj.At(i, i))
	}
	for i := range k {
		for j := i; j < k; j++ {
			scaled.SetSym(i, j, s.jtj.At(i, j)/d[i]/d[j])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(scaled) || chol.Cond() > 1e13 {
		return nil
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		return nil
	}
	cov := make([][]float64, k)
	for i := range k {
		cov[i] = make([]float64, k)
		for j := range k {
			cov[i][j] = variance * inverse.At(i, j) / d[i] / d[j] * s.natural(i) * s.natural(j)
		}
	}
	return cov
}

// natural returns the derivative of a parameter by its working scale.
func (s *lsq) natural(i int) float64 {
	if s.scales[i] == fit.Logit {
		return s.theta[i] * (1 - s.theta[i])
	}
	return s.theta[i]
}
