package experiment

import (
	"math"
	"sort"
)

// A Correction is a way to keep several tests from finding effects by chance.
type Correction string

// The corrections.
const (
	HolmBonferroni    Correction = "holm"               // keeps the chance of any false finding; never worse than Bonferroni
	PlainBonferroni   Correction = "bonferroni"         // the same, one step; with intervals that match
	BenjaminiHochberg Correction = "benjamini-hochberg" // keeps the share of false findings among the findings
	NoCorrection      Correction = "none"
)

// Adjust returns the p-values corrected for their number, to be compared with the level of the whole, in the order given.
// It returns an error if one is not between 0 and 1 or the correction is unknown.
func (c Correction) Adjust(p []float64) ([]float64, error) {
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return nil, fail("p-value %d: %v: not between 0 and 1", i+1, v)
		}
	}
	switch c {
	case HolmBonferroni:
		return adjustHolm(p), nil
	case PlainBonferroni:
		out := make([]float64, len(p))
		for i, v := range p {
			out[i] = min(1, v*float64(len(p)))
		}
		return out, nil
	case BenjaminiHochberg:
		return adjustHochberg(p), nil
	case NoCorrection:
		return append([]float64(nil), p...), nil
	}
	return nil, fail("unknown correction %q", string(c))
}

// Bonferroni returns p-values multiplied by their number, at most 1 (Dunn, JASA 1961).
func Bonferroni(p []float64) ([]float64, error) { return PlainBonferroni.Adjust(p) }

// Holm returns p-values adjusted by the step-down method of Holm (Scandinavian Journal of Statistics 1979): the k-th
// smallest of m is multiplied by m-k+1, and none is smaller than one before it.
func Holm(p []float64) ([]float64, error) { return HolmBonferroni.Adjust(p) }

// FalseDiscovery returns p-values adjusted by the step-up method of Benjamini and Hochberg (JRSS B 1995): the k-th
// smallest of m is multiplied by m/k, and none is greater than one after it.
func FalseDiscovery(p []float64) ([]float64, error) { return BenjaminiHochberg.Adjust(p) }

func ranked(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	return order
}

func adjustHolm(p []float64) []float64 {
	out := make([]float64, len(p))
	most := 0.0
	for k, i := range ranked(p) {
		most = max(most, min(1, p[i]*float64(len(p)-k)))
		out[i] = most
	}
	return out
}

func adjustHochberg(p []float64) []float64 {
	out := make([]float64, len(p))
	order := ranked(p)
	least := math.Inf(1)
	for k := len(order) - 1; k >= 0; k-- {
		least = min(least, 1, p[order[k]]*float64(len(p))/float64(k+1))
		out[order[k]] = least
	}
	return out
}
