package clv

import (
	"math"

	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// A dynamicRow is what the likelihood reads of a customer, with the weight.
type dynamicRow struct {
	course int // the path
	x      int
	tx, t  float64
	bought []float64 // the scaled covariates summed over repeat purchases
	weight float64
	index  int // of the first history that has these values
}

// A track is a path at one theta: for each piece the factors of the rates, and for its beginning A and B with their
// derivatives in the coefficients.
type track struct {
	starts     []float64
	buy, leave side
}

// A side is what a track knows of one of the two processes.
type side struct {
	columns int       // those that act
	factor  []float64 // on each piece
	sum     []float64 // the integral of the factor up to each piece
	x       []float64 // on each piece, the columns that act
	first   []float64 // the integral of x times the factor
	second  []float64 // that of x x' times the factor, upper triangles in full matrices
}

// set computes a side for the pieces of a course that begin before end.
func (v *side) set(starts []float64, rows []int32, values []float64, width int, columns []int, g []float64, second bool) {
	n, w := len(starts), len(columns)
	v.columns = w
	v.factor, v.sum = resized(v.factor, n), resized(v.sum, n)
	v.x, v.first = resized(v.x, n*w), resized(v.first, n*w)
	if second {
		v.second = resized(v.second, n*w*w)
	}
	for k := range n {
		row := values[int(rows[k])*width : (int(rows[k])+1)*width]
		x, eta := v.x[k*w:(k+1)*w], 0.0
		for c, column := range columns {
			x[c] = row[column]
			eta += g[c] * x[c]
		}
		v.factor[k] = math.Exp(eta)
	}
	v.accumulate(starts, second)
}

// accumulate fills the integrals.
func (v *side) accumulate(starts []float64, second bool) {
	w := v.columns
	clear(v.first[:w])
	v.sum[0] = 0
	if second {
		clear(v.second[:w*w])
	}
	for k := 1; k < len(starts); k++ {
		grown := v.factor[k-1] * (starts[k] - starts[k-1])
		v.sum[k] = v.sum[k-1] + grown
		x := v.x[(k-1)*w : k*w]
		for c, xc := range x {
			v.first[k*w+c] = v.first[(k-1)*w+c] + grown*xc
			if !second {
				continue
			}
			for d := c; d < w; d++ {
				v.second[(k*w+c)*w+d] = v.second[((k-1)*w+c)*w+d] + grown*xc*x[d]
			}
		}
	}
}

func resized(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// at moves the side's integrals to a time after the beginning of piece k: the integral itself, and the derivatives into
// first and second.
func (v *side) at(k int, after float64, first, second []float64) float64 {
	w := v.columns
	grown := v.factor[k] * after
	x := v.x[k*w : (k+1)*w]
	for c, xc := range x {
		first[c] = v.first[k*w+c] + grown*xc
		if second == nil {
			continue
		}
		for d := c; d < w; d++ {
			second[c*w+d] = v.second[(k*w+c)*w+d] + grown*xc*x[d]
		}
	}
	return v.sum[k] + grown
}

// A dynamicSum adds up customers. The places are R, Alpha, S, Beta, the coefficients of Alpha and those of Beta.
//
// A customer's likelihood is a mixture over what may have happened: alive, or left on some piece after TX. With G the
// gradient of the log of a part, the gradient of the log of the sum is the mean of G over the parts, and the Hessian that
// of G's derivatives plus the covariance of G. With Y = alpha+A(u) and Z = beta+B(u), G is on each piece
//
//	-ln Y,  -n Y_i/Y,  1/s - ln Z,  -(s+1) Z_i/Z [+ x for a coefficient of Beta],
//
// where the derivatives Y_i and Z_i are linear in Y and Z: each G is a constant plus a multiple of one of the moments of
// a departure.
type dynamicSum struct {
	alpha, beta []int // the columns that act
	places      int
	second      bool
	track       track

	moment []int // of a departure that each place moves with
	c, d   []float64
	mean   []float64 // of G, not normalized
	hess   []float64 // of the derivatives of G and G G', not normalized, upper triangle
	first  [2][]float64
	cross  [2][]float64
	m      moments
}

func newDynamicSum(alpha, beta []int, second bool) *dynamicSum {
	a := &dynamicSum{alpha: alpha, beta: beta, places: 4 + len(alpha) + len(beta), second: second}
	a.moment = []int{0, 1, 2, 3}
	for range alpha {
		a.moment = append(a.moment, 1)
	}
	for range beta {
		a.moment = append(a.moment, 3)
	}
	a.c, a.d, a.mean = make([]float64, a.places), make([]float64, a.places), make([]float64, a.places)
	for i, columns := range [2][]int{alpha, beta} {
		a.first[i] = make([]float64, len(columns))
		if second {
			a.cross[i] = make([]float64, len(columns)*len(columns))
		}
	}
	if second {
		a.hess = make([]float64, a.places*a.places)
	}
	return a
}

// add adds a customer, whose track is set, to the derivatives by place.
func (a *dynamicSum) add(w *dynamicRow, m ParetoNBD, g []float64, out *mle.Derivs) {
	n, x := m.R+float64(w.x), float64(w.x)
	clear(a.mean)
	clear(a.hess)
	starts := a.track.starts
	k := pieceAt(starts, w.tx)
	at := w.tx
	A := a.track.buy.sum[k] + a.track.buy.factor[k]*(at-starts[k])
	B := a.track.leave.sum[k] + a.track.leave.factor[k]*(at-starts[k])
	ta, tb := math.Log1p(A/m.Alpha), math.Log1p(B/m.Beta)
	y, z := m.Alpha+A, m.Beta+B
	var la, lb float64 // ln Y and ln Z since tx
	gone := 0.0
	for ; k < len(starts) && at < w.t; k++ {
		until := w.t
		if k+1 < len(starts) {
			until = min(until, starts[k+1])
		}
		buy, leave := a.track.buy.factor[k], a.track.leave.factor[k]
		left := math.Exp(-n*la - m.S*lb)
		if !(left > 1e-18*gone) { // no more than that is to come
			break
		}
		ra, rb := a.departed(n, m.S, y/buy, z/leave, until-at)
		part := m.S * left * a.m.total
		gone += part
		a.left(k, at-starts[k], part, n, m.S, y, z, la, lb)
		la += ra
		lb += rb
		y += buy * (until - at)
		z += leave * (until - at)
		at = until
	}
	total := gone
	if at >= w.t {
		k = pieceAt(starts, w.t)
		living := math.Exp(-n*la - m.S*lb)
		total += living
		a.stayed(k, w.t-starts[k], living, n, m.S, y, z, la, lb)
	}
	value, weight := special.LogGammaRatio(m.R, x), w.weight
	bought := 0.0
	for c, column := range a.alpha {
		bought += g[c] * w.bought[column]
	}
	out.Value += weight * (value + bought - m.R*ta - x*(math.Log(m.Alpha)+ta) - m.S*tb + math.Log(total))
	for i := range a.mean {
		a.mean[i] /= total
		out.Grad[i] += weight * a.mean[i]
	}
	out.Grad[0] += weight * (special.DigammaDiff(m.R, x) - ta)
	out.Grad[1] += weight * m.R / m.Alpha
	out.Grad[2] -= weight * tb
	out.Grad[3] += weight * m.S / m.Beta
	for c, column := range a.alpha {
		out.Grad[4+c] += weight * w.bought[column]
	}
	if !a.second {
		return
	}
	for i := range a.places {
		for j := i; j < a.places; j++ {
			out.Hess[i*a.places+j] += weight * (a.hess[i*a.places+j]/total - a.mean[i]*a.mean[j])
		}
	}
	out.AddHess(0, 0, weight*special.TrigammaDiff(m.R, x))
	out.AddHess(0, 1, weight/m.Alpha)
	out.AddHess(1, 1, -weight*m.R/(m.Alpha*m.Alpha))
	out.AddHess(2, 3, weight/m.Beta)
	out.AddHess(3, 3, -weight*m.S/(m.Beta*m.Beta))
}

// departed fills m with the integral of a departure and its moments, and returns how much ln Y and ln Z grow.
func (a *dynamicSum) departed(n, s, ya, zb, t float64) (la, lb float64) {
	if rule, ok := brief(n, s, ya, zb, t); ok {
		a.m.brief(rule, n, s, ya, zb, t)
		return log1pBrief(t / ya), log1pBrief(t / zb)
	}
	p := newDeparture(n, s, ya, zb, t)
	p.moments(&a.m)
	a.m.total *= p.scale
	return p.logA, p.logB
}

// left adds those who left on piece k after some time of it, whose moments are those of a.m.
func (a *dynamicSum) left(k int, after, part, n, s, y, z, la, lb float64) {
	buy, leave := &a.track.buy, &a.track.leave
	buy.at(k, after, a.first[0], a.cross[0])
	leave.at(k, after, a.first[1], a.cross[1])
	xa, xb := buy.x[k*buy.columns:(k+1)*buy.columns], leave.x[k*leave.columns:(k+1)*leave.columns]
	c, d := a.c, a.d
	c[0], d[0] = -la, -1
	c[1], d[1] = 0, -n/y
	c[2], d[2] = 1/s-lb, -1
	c[3], d[3] = 0, -(s+1)/z
	for i, x := range xa {
		c[4+i], d[4+i] = -n*x, -n*(a.first[0][i]/y-x)
	}
	at := 4 + len(xa)
	for i, x := range xb {
		c[at+i], d[at+i] = -s*x, -(s+1)*(a.first[1][i]/z-x)
	}
	m := &a.m
	if !a.second {
		for i := range a.mean {
			a.mean[i] += part * (c[i] + d[i]*m.first[a.moment[i]])
		}
		return
	}
	var cov [4][4]float64 // of the moments
	for i := range 4 {
		for j := i; j < 4; j++ {
			cov[i][j] = m.second[i][j] - m.first[i]*m.first[j]
			cov[j][i] = cov[i][j]
		}
	}
	for i := range c { // now the mean of G on the piece
		c[i] += d[i] * m.first[a.moment[i]]
		a.mean[i] += part * c[i]
	}
	places := a.places
	for i := range places {
		of, ci, di, row := &cov[a.moment[i]], part*c[i], part*d[i], a.hess[i*places:(i+1)*places]
		for j := i; j < places; j++ {
			row[j] += ci*c[j] + di*d[j]*of[a.moment[j]]
		}
	}
	// The derivatives of G: n Y_i Y_j/Y^2 - n Y_ij/Y, likewise of Z, and -Y_i/Y with R.
	ia, ib := m.first[1], m.first[3]
	a.bend(part, n, y, ia, m.second[1][1], 0, 1, 4, xa, a.first[0], a.cross[0])
	a.bend(part, s+1, z, ib, m.second[3][3], 2, 3, at, xb, a.first[1], a.cross[1])
	// The 1/s^2 of the logarithm's second derivative and that of the gradient's square cancel.
	a.hess[2*places+2] -= part / (s * s)
}

// bend adds the derivatives of G of one process: with Y_i/Y = x_i + e_i v, where v = Y_k/Y has the moments v and vv.
func (a *dynamicSum) bend(part, n, y, v, vv float64, shape, rate, from int, x, first, cross []float64) {
	places, w := a.places, len(x)
	a.hess[shape*places+rate] -= part * v / y
	a.hess[rate*places+rate] += part * n * vv / (y * y)
	for i, xi := range x {
		ei := first[i]/y - xi
		a.hess[shape*places+from+i] -= part * (xi + ei*v)
		a.hess[rate*places+from+i] += part * n * (xi*v + ei*vv) / y
		row := a.hess[(from+i)*places+from : (from+i)*places+from+w]
		for j := i; j < w; j++ {
			xj := x[j]
			ej := first[j]/y - xj
			row[j] += part * n * (xi*xj + (xi*ej+ei*xj)*v + ei*ej*vv - xi*xj - (cross[i*w+j]/y-xi*xj)*v)
		}
	}
}

// stayed adds those who are alive at T, on piece k after some time of it.
func (a *dynamicSum) stayed(k int, after, part, n, s, y, z, la, lb float64) {
	a.track.buy.at(k, after, a.first[0], a.cross[0])
	a.track.leave.at(k, after, a.first[1], a.cross[1])
	c := a.c
	c[0], c[1], c[2], c[3] = -la, -n/y, -lb, -s/z
	for i, v := range a.first[0] {
		c[4+i] = -n * v / y
	}
	at := 4 + len(a.first[0])
	for i, v := range a.first[1] {
		c[at+i] = -s * v / z
	}
	for i, v := range c {
		a.mean[i] += part * v
	}
	if !a.second {
		return
	}
	places := a.places
	for i := range places {
		for j := i; j < places; j++ {
			a.hess[i*places+j] += part * c[i] * c[j]
		}
	}
	a.still(part, n, y, 0, 1, 4, a.first[0], a.cross[0])
	a.still(part, s, z, 2, 3, at, a.first[1], a.cross[1])
}

// still is bend where nothing varies.
func (a *dynamicSum) still(part, n, y float64, shape, rate, from int, first, cross []float64) {
	places, w := a.places, len(first)
	a.hess[shape*places+rate] -= part / y
	a.hess[rate*places+rate] += part * n / (y * y)
	for i, v := range first {
		a.hess[shape*places+from+i] -= part * v / y
		a.hess[rate*places+from+i] += part * n * v / (y * y)
		for j := i; j < w; j++ {
			a.hess[(from+i)*places+from+j] += part * n * (v*first[j]/(y*y) - cross[i*w+j]/y)
		}
	}
}
