package attribution

import (
	"math"
	"math/rand/v2"
)

// binomial draws from the binomial distribution of n trials with probability p: by inversion where the mean is small, by
// transformed rejection with squeeze (Hörmann, Journal of Statistical Computation and Simulation 46, 1993) otherwise.
func binomial(r *rand.Rand, n, p float64) float64 {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	case n*p < 10:
		return binomialInversion(r, n, p)
	}
	return binomialRejection(r, n, p)
}

func binomialInversion(r *rand.Rand, n, p float64) float64 {
	odds := p / (1 - p)
	for {
		u := r.Float64()
		f := math.Exp(n * math.Log1p(-p))
		for k := 0.0; k <= min(n, 200); k++ {
			if u < f {
				return k
			}
			u -= f
			f *= odds * (n - k) / (k + 1)
		}
	}
}

func binomialRejection(r *rand.Rand, n, p float64) float64 {
	sd := math.Sqrt(n * p * (1 - p))
	b := 1.15 + 2.53*sd
	a := -0.0873 + 0.0248*b + 0.01*p
	c := n*p + 0.5
	squeeze := 0.92 - 4.2/b
	alpha := (2.83 + 5.1/b) * sd
	odds := math.Log(p / (1 - p))
	mode := math.Floor((n + 1) * p)
	lgMode := logGamma(mode+1) + logGamma(n-mode+1)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + c)
		if us >= 0.07 && v <= squeeze {
			return k
		}
		if k < 0 || k > n || us == 0 {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		if v <= lgMode-logGamma(k+1)-logGamma(n-k+1)+(k-mode)*odds {
			return k
		}
	}
}

func logGamma(x float64) float64 {
	y, _ := math.Lgamma(x)
	return y
}
