package clv

import (
	"math/rand/v2"
)

// RandSpends draws what one new customer spends at each of n purchases; nil for an invalid model or n <= 0.
func (m GammaGamma) RandSpends(r *rand.Rand, n int) []float64 {
	if !m.valid() || n <= 0 {
		return nil
	}
	rate := randGamma(r, m.Q) / m.Gamma
	spends := make([]float64, n)
	for i := range spends {
		spends[i] = randGamma(r, m.P) / rate
	}
	return spends
}
