package clv

import "math"

// manyPhases is the number of phases beyond which the expected purchases come from the roots of renewal theory.
const manyPhases = 4000

// expectedLong returns the expected purchases within y in units of the rate. Given the rate lambda, the probability p to
// leave, q = 1-p and the phase j, the generating function of the Erlang distribution has the roots
//
//	w_l = q^(1/k) e^(2 pi i l/k),    l = 0 ... k-1
//
// and over lambda the expected purchases are the sum over them of
//
//	w_l^(j+1)/(k q (1-w_l)) (1 - (1+(1-w_l) y)^-(shape+j))
//
// whose mean over p is taken by the rule for a beta variable. Next to p = 1, where the terms cancel, it is the sum over
// few purchases.
func (e erlang) expectedLong(y float64) float64 {
	const few = 0.25 // of q: 28 of its powers have all digits
	var space [16]float64
	var ps [512]node
	weights := e.weights(space[:])
	tails := e.tails(weights, y)
	roots := make([]root, e.k/2+1)
	for l := range roots {
		sin, cos := math.Sincos(2 * math.Pi * float64(l) / float64(e.k))
		roots[l] = root{cos, sin, 2}
		if l == 0 || 2*l == e.k {
			roots[l] = root{cos, 0, 1}
		}
	}
	sum := 0.0
	for _, p := range betaNodes(ps[:], e.a, e.b, 1e-17/(y*(1+e.shape))) {
		q, given := 1-p.value, 0.0
		if q < few {
			for i := len(tails) - 1; i >= 0; i-- {
				given = given*q + tails[i]
			}
		} else {
			logScale := math.Log1p(-p.value) / float64(e.k)
			scale, rest := math.Exp(logScale), -math.Expm1(logScale)
			for _, r := range roots {
				given += r.times * e.ofRoot(weights, y, complex(scale*r.cos, scale*r.sin), complex(rest+scale*(1-r.cos), -scale*r.sin))
			}
			given /= float64(e.k) * q
		}
		sum += p.weight * given
	}
	return sum
}

// A root is a root of unity of the upper half plane, with the number of roots that it stands for.
type root struct{ cos, sin, times float64 }

// ofRoot returns the real part of the term of a root w, rest being 1-w, summed over the phases passed.
func (e erlang) ofRoot(weights []float64, y float64, w, rest complex128) float64 {
	a, b := real(rest)*y, imag(rest)*y
	size, angle := 0.5*math.Log1p(a*(2+a)+b*b), math.Atan2(b, 1+a)
	power := w / rest
	if imag(w) == 0 && real(w) > 0 {
		sum, front := 0.0, real(power)
		for j, v := range weights {
			sum += v * front * -math.Expm1(-(e.shape+float64(j))*size)
			front *= real(w)
		}
		return sum
	}
	// left is (1+(1-w)y)^-(shape+j), from j to j+1 by the factor next.
	var left, next complex128
	if e.shape*size < 42 {
		left = polar(-e.shape*size, -e.shape*angle)
		next = polar(-size, -angle)
	}
	sum := 0.0
	for _, v := range weights {
		sum += v * real(power*(1-left))
		power *= w
		left *= next
	}
	return sum
}

// polar returns e^(x+iy).
func polar(x, y float64) complex128 {
	sin, cos := math.Sincos(y)
	size := math.Exp(x)
	return complex(size*cos, size*sin)
}

// tails returns the probabilities of at least 1, 2 ... 28 purchases' phases in y.
func (e erlang) tails(weights []float64, y float64) []float64 {
	tails := make([]float64, 28)
	z := y / (1 + y)
	for j, w := range weights {
		if w < 1e-18 {
			continue
		}
		shape := e.shape + float64(j)
		term := math.Exp(-shape * math.Log1p(y))
		rest, phase := 1.0, j
		for i, n := 0.0, 0; n < len(tails); i++ {
			rest -= term
			term *= (shape + i) / (i + 1) * z
			if phase++; phase == e.k {
				phase = 0
				tails[n] += w * max(0, rest)
				n++
			}
		}
	}
	return tails
}
