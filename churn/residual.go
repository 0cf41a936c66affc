package churn

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// residual returns the sum over t > n of S(t)/S(n) / (1+d)^(t-n-1) for a smooth survival function given as ln S(e^u),
// which falls as t^-power for large t (+Inf for faster than any power).
//
// Terms are added up until they are negligible or change slowly; the rest is Gregory's formula, the integral of the
// terms with corrections by forward differences.
func residual(logSAt func(u float64) float64, power float64, n int, d float64) float64 {
	if d == 0 && power <= 1 {
		return math.Inf(1)
	}
	logV := -math.Log1p(d)
	start := 0.0
	if n > 0 {
		start = logSAt(math.Log(float64(n)))
	}
	// The log of the j-th term, j = 0 for t = n+1, relative to S(n); u is ln t.
	at := func(u, j float64) float64 {
		l := logSAt(u) - start
		if logV != 0 {
			l += j * logV
		}
		return l
	}
	log := func(j float64) float64 { return at(math.Log(float64(n)+1+j), j) }
	sum := 0.0
	last := math.Inf(1)
	const most = 1 << 20
	for j := 0.0; j < most; j++ {
		l := log(j)
		f := math.Exp(l)
		step := last - l // how fast the log falls
		if j >= 32 && step < 0.02 {
			return sum + f*tail(log, func(u float64) float64 { return at(u, math.Exp(u)-float64(n)-1) }, math.Log(float64(n)+1+j), j)
		}
		sum += f
		if f == 0 || (j > 0 && step > 0.02 && f < 1e-17*sum*step) {
			return sum
		}
		last = l
	}
	return math.NaN()
}

// tail returns the sum of e^log(i) over integers i >= j, relative to the first term; at is log as a function of u = ln t,
// in which the terms are integrated since they may have a power tail, and from the u of j.
func tail(log, at func(float64) float64, from, j float64) float64 {
	base := log(j)
	integral, _, ok := special.LogIntegrate(func(u float64) float64 { return at(u) - base + u }, from, math.Inf(1), 1e-13)
	if !ok {
		return math.NaN()
	}
	var diff [8]float64
	for i := range diff {
		diff[i] = math.Exp(log(j+float64(i)) - base)
	}
	// Coefficients of Gregory's formula; the k-th applies to the k-th forward difference at the first term.
	coefficients := [...]float64{1.0 / 2, -1.0 / 12, 1.0 / 24, -19.0 / 720, 3.0 / 160, -863.0 / 60480, 275.0 / 24192, -33953.0 / 3628800}
	sum := math.Exp(integral)
	for _, c := range coefficients {
		sum += c * diff[0]
		for i := range len(diff) - 1 {
			diff[i] = diff[i+1] - diff[i]
		}
	}
	return sum
}
