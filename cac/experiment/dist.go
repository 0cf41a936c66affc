package experiment

import (
	"math"

	"github.com/custval/custval/internal/special"
	"gonum.org/v1/gonum/stat/distuv"
)

// betaCDF returns P(X <= x) and P(X > x) of a beta distribution, each to full relative precision. y is 1 - x.
func betaCDF(a, b, x, y float64) (lower, upper float64) {
	switch {
	case x <= 0:
		return 0, 1
	case y <= 0:
		return 1, 0
	}
	norm := special.LogBeta(a, b)
	if x < a/(a+b) {
		lower = math.Exp(special.LogBetaIntC(a, b, x, y) - norm)
		return lower, 1 - lower
	}
	upper = math.Exp(special.LogBetaIntC(b, a, y, x) - norm)
	return 1 - upper, upper
}

// studentTail returns P(|T| > |t|) of Student's t with df degrees of freedom.
func studentTail(t, df float64) float64 {
	if math.IsInf(df, 1) {
		return normalTail(t)
	}
	t2 := t * t
	if math.IsInf(t2, 1) {
		return 0
	}
	x, y := df/(df+t2), t2/(df+t2)
	lower, _ := betaCDF(df/2, 0.5, x, y)
	return lower
}

// studentQuantile returns t with P(|T| <= t) = level, by Newton's method on the tail from the normal quantile's expansion.
func studentQuantile(level, df float64) float64 {
	z := normalQuantile(level)
	if math.IsInf(df, 1) {
		return z
	}
	tail := 1 - level
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
	if !isFinite(t) || t <= 0 {
		t = z * (1 + (z*z+1)/(4*df))
	}
	logConst := -special.LogBeta(df/2, 0.5) - 0.5*math.Log(df)
	for range 50 {
		density := 2 * math.Exp(logConst-(df+1)/2*math.Log1p(t*t/df))
		step := (studentTail(t, df) - tail) / density
		if !isFinite(step) {
			break
		}
		step = min(max(step, -t/2), t+1)
		t += step
		if math.Abs(step) <= 1e-15*t {
			break
		}
	}
	return t
}

// normalTail returns P(|Z| > |z|).
func normalTail(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// normalQuantile returns z with P(|Z| <= z) = level.
func normalQuantile(level float64) float64 {
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	for range 3 {
		step := (normalTail(z) - (1 - level)) / (2 * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi))
		if !isFinite(step) || math.Abs(step) > 0.1 {
			break
		}
		z += step
	}
	return z
}

// normalCDF returns P(Z <= z).
func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// normalInverse returns z with P(Z <= z) = p.
func normalInverse(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// chiSquaredTail returns P(X > x) of a chi-squared distribution.
func chiSquaredTail(x float64, df int) float64 {
	if x <= 0 {
		return 1
	}
	return math.Exp(special.LogGammaQ(float64(df)/2, x/2))
}
