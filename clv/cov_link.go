package clv

import (
	"reflect"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// Linked is a plain model whose parameters may depend on covariates.
type Linked interface {
	Validate() error
	Kind() string
	linkages() []linkage // that of ShapeForm, and that of MeanForm for models that have one
}

// A linkage says how covariates act on a model. They move coordinates: the logarithm of a parameter, the parameter
// itself where it may have any sign, or, for the parameters a and b of a beta distribution, the logits of its mean and of
// its polarization 1/(1+a+b),
//
//	m = ln a/b,    s = -ln(a+b)
//
// The zero linkage is that of parameters all of which are moved by their logarithms.
type linkage struct {
	params []string // of the plain model
	plain  []int    // those that are their own coordinates
	betas  []int    // each a whose coordinate, and that of the b after it, are m and s
	links  []link
}

// A link is a coordinate that covariates act on: they move it by sign g'x.
type link struct {
	name  string // of the effect
	param int    // the parameter in whose place the coordinate stands, by its number
	sign  float64
}

func (m NBD) linkages() []linkage {
	return []linkage{{params: baseParams(m), links: []link{{"Alpha", 1, -1}}}}
}

func (m ParetoNBD) linkages() []linkage {
	return []linkage{{params: baseParams(m), links: m.links()}}
}

func (ParetoNBD) links() []link { return []link{{"Alpha", 1, -1}, {"Beta", 3, -1}} }

func (m GGompertzNBD) linkages() []linkage {
	return []linkage{{params: baseParams(m), links: []link{{"Alpha", 1, -1}, {"Beta", 4, -1}}}}
}

func (BGNBD) linkages() []linkage   { return betaDropout() }
func (MBGNBD) linkages() []linkage  { return betaDropout() }
func (BGCNBD) linkages() []linkage  { return betaDropout() }
func (MBGCNBD) linkages() []linkage { return betaDropout() }
func (PDO) linkages() []linkage     { return betaDropout() }

// betaDropout is that of the models whose customers leave with a probability that has a beta distribution.
func betaDropout() []linkage {
	params := []string{"R", "Alpha", "A", "B"}
	return []linkage{
		{params: params, links: []link{{"Alpha", 1, -1}, {"A", 2, 1}, {"B", 3, 1}}},
		{params: params, betas: []int{2}, links: []link{{"Alpha", 1, -1}, {"Mean", 2, 1}, {"Polarization", 3, 1}}},
	}
}

func (m BGBB) linkages() []linkage {
	params := baseParams(m)
	return []linkage{
		{params: params, links: []link{{"Alpha", 0, 1}, {"Beta", 1, 1}, {"Gamma", 2, 1}, {"Delta", 3, 1}}},
		{params: params, betas: []int{0, 2}, links: []link{{"PurchaseMean", 0, 1}, {"PurchasePolarization", 1, 1},
			{"DropoutMean", 2, 1}, {"DropoutPolarization", 3, 1}}},
	}
}

func (m GammaGamma) linkages() []linkage {
	return []linkage{{params: baseParams(m), links: []link{{"Gamma", 2, 1}}}}
}

func (m NormalNormal) linkages() []linkage {
	return []linkage{{params: baseParams(m), plain: []int{0}, links: []link{{"Mu", 0, 1}}}}
}

// baseParams returns the names of a model's parameters, its float64 fields.
func baseParams(m any) []string {
	t := reflect.TypeOf(m)
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); f.Type.Kind() == reflect.Float64 {
			names = append(names, f.Name)
		}
	}
	return names
}

// scale returns the working scale of a parameter.
func (l *linkage) scale(p int) fit.Scale {
	if slices.Contains(l.plain, p) {
		return fit.Identity
	}
	return fit.Log
}

// paired reports whether a parameter is one of a beta distribution that is moved by its mean and polarization.
func (l *linkage) paired(p int) bool {
	return slices.Contains(l.betas, p) || slices.Contains(l.betas, p-1)
}

// move sets v to the parameters whose coordinates are greater than those of theta by so much. No move gives theta itself,
// to the bit.
func (l *linkage) move(theta, by, v []float64) {
	factor := make([]float64, len(theta))
	for p := range theta {
		l.factors(p, by[p:p+1], factor[p:p+1])
	}
	l.moveBy(theta, by, factor, v)
}

// factors sets each factor to that of the parameter, the odds or the sum of shapes that a move of coordinate p by so much
// multiplies.
func (l *linkage) factors(p int, by, factor []float64) {
	if l.betas != nil && slices.Contains(l.betas, p-1) {
		for i, v := range by {
			factor[i] = -v
		}
		by = factor
	}
	expAll(factor, by)
}

// moveBy is move with the factors known.
func (l *linkage) moveBy(theta, by, factor, v []float64) {
	for p, t := range theta {
		v[p] = t * factor[p]
	}
	for _, p := range l.plain {
		v[p] = theta[p] + by[p]
	}
	for _, i := range l.betas {
		a, b, odds := theta[i], theta[i+1], factor[i]
		total := (a + b) * factor[i+1]
		if ao := a * odds; ao > 1e-100 && ao < 1e100 {
			each := total / (ao + b)
			v[i], v[i+1] = ao*each, b*each
		} else {
			v[i], v[i+1] = a*(total/(a+b/odds)), b*(total/(ao+b))
		}
	}
}

// inCoordinates turns derivatives in the parameters v into those in the coordinates, in place.
func (l *linkage) inCoordinates(v []float64, d *mle.Derivs) {
	n := len(v)
	for p, factor := range v {
		if l.plain != nil && l.scale(p) != fit.Log {
			continue
		}
		g := d.Grad[p] * factor
		d.Grad[p] = g
		if d.Hess != nil {
			for q := range p {
				d.Hess[q*n+p] *= factor
			}
			row := d.Hess[p*n+p : (p+1)*n]
			row[0] = row[0]*factor*factor + g
			for q := 1; q < len(row); q++ {
				row[q] *= factor
			}
		}
	}
	for _, i := range l.betas {
		inMean(d, i, v[i]/(v[i]+v[i+1]))
	}
}

// inMean turns derivatives in ln a and ln b, which stand at i and i+1, into those in m and s:
//
//	ln a = ln mean - s,    ln b = ln(1-mean) - s
func inMean(d *mle.Derivs, i int, mean float64) {
	n, j, rest := len(d.Grad), i+1, 1-mean
	a, b := d.Grad[i], d.Grad[j]
	d.Grad[i], d.Grad[j] = rest*a-mean*b, -(a + b)
	if d.Hess == nil {
		return
	}
	h := d.Hess
	for q := range i {
		ha, hb := h[q*n+i], h[q*n+j]
		h[q*n+i], h[q*n+j] = rest*ha-mean*hb, -(ha + hb)
	}
	for q := j + 1; q < n; q++ {
		ha, hb := h[i*n+q], h[j*n+q]
		h[i*n+q], h[j*n+q] = rest*ha-mean*hb, -(ha + hb)
	}
	aa, ab, bb := h[i*n+i], h[i*n+j], h[j*n+j]
	h[i*n+i] = rest*(rest*aa-mean*ab) - mean*(rest*ab-mean*bb) - mean*rest*(a+b)
	h[i*n+j] = -rest*(aa+ab) + mean*(ab+bb)
	h[j*n+j] = aa + 2*ab + bb
}

// slopes returns the derivatives of the coordinates, row by row, in the parameters.
func (l *linkage) slopes(theta []float64) [][]float64 {
	d := l.diagonal(theta, func(v float64) float64 { return 1 / v })
	for _, i := range l.betas {
		a, b := theta[i], theta[i+1]
		d[i][i], d[i][i+1] = 1/a, -1/b
		d[i+1][i], d[i+1][i+1] = -1/(a+b), -1/(a+b)
	}
	return d
}

// rates returns the derivatives of the parameters, row by row, in the coordinates: the inverse of slopes.
func (l *linkage) rates(theta []float64) [][]float64 {
	d := l.diagonal(theta, func(v float64) float64 { return v })
	for _, i := range l.betas {
		a, b := theta[i], theta[i+1]
		odd := a * (b / (a + b))
		d[i][i], d[i][i+1] = odd, -a
		d[i+1][i], d[i+1][i+1] = -odd, -b
	}
	return d
}

// diagonal has the given elements, 1 for parameters that are their own coordinates.
func (l *linkage) diagonal(theta []float64, of func(v float64) float64) [][]float64 {
	d := square(len(theta))
	for p, v := range theta {
		d[p][p] = 1
		if l.scale(p) == fit.Log {
			d[p][p] = of(v)
		}
	}
	return d
}

// bend adds to the Hessian in the parameters what comes from the second derivatives of the coordinates, in which the
// gradient is grad.
func (l *linkage) bend(theta, grad []float64, hess [][]float64) {
	for p, v := range theta {
		if l.scale(p) == fit.Log && !l.paired(p) {
			hess[p][p] -= grad[p] / (v * v)
		}
	}
	for _, i := range l.betas {
		a, b := theta[i], theta[i+1]
		both := grad[i+1] / ((a + b) * (a + b))
		hess[i][i] += both - grad[i]/(a*a)
		hess[i][i+1] += both
		hess[i+1][i] += both
		hess[i+1][i+1] += both + grad[i]/(b*b)
	}
}

func square(n int) [][]float64 {
	all, m := make([]float64, n*n), make([][]float64, n)
	for i := range m {
		m[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return m
}

// jacobian fills the first rows of j with the derivatives of the parameters v in the parameters theta, from which they are
// moved, and in the coefficients, one unit of which moves the coordinates by by.
func (l *linkage) jacobian(theta, v []float64, by, j [][]float64) {
	n := len(theta)
	slopes, rates := l.slopes(theta), l.rates(v)
	for p := range n {
		for k := range n {
			for q := range n {
				j[p][q] += rates[p][k] * slopes[k][q]
			}
			for q := n; q < len(by[k]); q++ {
				j[p][q] += rates[p][k] * by[k][q]
			}
		}
	}
}
