package clv

import (
	"math"
	"math/rand/v2"
)

// A process draws new customers: gaps draws one, and the function that it returns gives the time from each purchase to
// the next, +Inf after the last.
type process interface {
	valid() bool
	gaps(r *rand.Rand) func() float64
}

// randHistory draws a new customer's history up to T.
func randHistory(p process, r *rand.Rand, T float64) History {
	if !p.valid() || !(T >= 0) || math.IsInf(T, 1) {
		return History{T: math.NaN()}
	}
	h := History{T: T}
	for next := p.gaps(r); ; {
		gap := next()
		at := h.TX + gap
		if !(at <= T) || at == h.TX {
			return h
		}
		h.X, h.TX, h.LogGaps = h.X+1, at, h.LogGaps+math.Log(gap)
	}
}

// randTimes draws the times of a new customer's repeat purchases up to T.
func randTimes(p process, r *rand.Rand, T float64) []float64 {
	if !p.valid() || !(T >= 0) || math.IsInf(T, 1) {
		return nil
	}
	var times []float64
	last := 0.0
	for next := p.gaps(r); ; {
		at := last + next()
		if !(at <= T) || at == last {
			return times
		}
		times, last = append(times, at), at
	}
}

// randGamma draws from the gamma distribution with rate 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000; for shapes below
// 1 with their power of a uniform).
func randGamma(r *rand.Rand, shape float64) float64 { return math.Exp(logRandGamma(r, shape)) }

// logRandGamma is the log of randGamma, which shapes near 0 would underflow.
func logRandGamma(r *rand.Rand, shape float64) float64 {
	boost := 0.0
	if shape < 1 {
		boost = -r.ExpFloat64() / shape // ln of a uniform to the power 1/shape
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := r.NormFloat64()
		v := 1 + c*z
		if v <= 0 {
			continue
		}
		v *= v * v
		if e := r.ExpFloat64(); -e < z*z/2+d-d*v+d*math.Log(v) {
			return math.Log(d*v) + boost
		}
	}
}

// randBeta draws from the beta distribution, as the share of one of two gammas.
func randBeta(r *rand.Rand, a, b float64) float64 {
	return 1 / (1 + math.Exp(logRandGamma(r, b)-logRandGamma(r, a)))
}
