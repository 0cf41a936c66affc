// Package stat has the small statistics that several packages share and gonum's stat package lacks.
package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// NormalQuantile returns z with P(Z <= z) = p for a standard normal Z, NaN outside [0, 1].
func NormalQuantile(p float64) float64 {
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return distuv.UnitNormal.Quantile(p)
}

// TwoSided returns the z of a two-sided normal interval of the given level: 1.96 for 0.95. It is NaN outside (0, 1).
func TwoSided(level float64) float64 {
	if !(level > 0 && level < 1) {
		return math.NaN()
	}
	return NormalQuantile(0.5 + level/2)
}

// Wilson returns the score interval of a proportion (Wilson, JASA 1927) of successes out of n trials, both of which may
// be sums of weights. It lies in [0, 1] and exists for 0 and n successes. It is NaN for n <= 0 or a level outside (0, 1).
func Wilson(successes, n, level float64) (low, high float64) {
	z := TwoSided(level)
	if !(n > 0 && successes >= 0 && successes <= n) || math.IsNaN(z) {
		return math.NaN(), math.NaN()
	}
	p, z2 := successes/n, z*z
	center := (p + z2/(2*n)) / (1 + z2/n)
	half := z / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	low, high = max(0, center-half), min(1, center+half)
	if successes == 0 {
		low = 0
	}
	if successes == n {
		high = 1
	}
	return low, high
}

// Quantile returns the p-quantile of sorted values by linear interpolation between order statistics at 1 + (n-1)p
// (Hyndman and Fan, American Statistician 1996, definition 7). It is NaN for no values or p outside [0, 1].
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i == len(sorted)-1 {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Median returns the middle value, or the mean of the two middle ones, without modifying values.
func Median(values []float64) float64 {
	return Quantile(slices.Sorted(slices.Values(values)), 0.5)
}
