package clv

import (
	"math"
	"math/rand/v2"

	"github.com/custval/custval/internal/special"
)

// GammaGamma is the gamma-gamma model of spend: a customer's purchases vary around a mean of the customer's own, which
// varies between customers and has nothing to do with how often they buy.
//
//	one purchase            gamma with shape P and rate nu: mean P/nu
//	nu of a customer        gamma with shape Q and rate Gamma
//	mean of x purchases     scaled beta prime, with P x and Q
//	mean over customers     P Gamma/(Q-1), for Q > 1
//
// All three parameters are positive; Gamma has the unit of the currency. The model has no time.
//
// Sources: R. Colombo, W. Jiang, A stochastic RFM model, Journal of Interactive Marketing 13(3), 1999; P. Fader,
// B. Hardie, K. L. Lee, RFM and CLV: using iso-value curves for customer base analysis, Journal of Marketing Research
// 42(4), 2005.
type GammaGamma struct {
	P     float64 `json:"p"`
	Q     float64 `json:"q"`
	Gamma float64 `json:"gamma"`
}

// Kind returns "gammagamma".
func (GammaGamma) Kind() string { return "gammagamma" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m GammaGamma) Validate() error {
	return positive(m.Kind(), []param{{"P", m.P}, {"Q", m.Q}, {"Gamma", m.Gamma}})
}

func (m GammaGamma) valid() bool { return allPositive(m.P, m.Q, m.Gamma) }

// MarshalJSON writes the parameters under the schema "custval/model/gammagamma/v1".
func (m GammaGamma) MarshalJSON() ([]byte, error) {
	type plain GammaGamma
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *GammaGamma) UnmarshalJSON(text []byte) error {
	type plain GammaGamma
	return unmarshalModel(text, m, (*plain)(m))
}

// LogLikelihood returns the log-density of the mean of x purchases of one customer:
//
//	ln 1/B(px, q) + q ln gamma/(gamma + x mean) + p x ln x mean/(gamma + x mean) - ln mean
//
// It does not cancel for large P and Q.
//
// Special cases: NaN for x < 1, for a mean that is not a positive finite number and for invalid parameters.
func (m GammaGamma) LogLikelihood(x int, mean float64) float64 {
	if !m.valid() || x < 1 || !(mean > 0) || math.IsInf(mean, 1) {
		return math.NaN()
	}
	a := m.P * float64(x)
	return logBetaPrime(newBetaPrime(a, m.Q), float64(x)*mean, m.Gamma) - math.Log(mean)
}

// A betaPrime is what the log-density of a beta prime variable with shapes a and b needs of the shapes.
type betaPrime struct {
	a, b  float64
	large bool
	norm  float64 // -ln B(a, b); of large shapes that at the mean, ln (a^a b^b / ((a+b)^(a+b) B(a, b)))
}

// Shapes from here on are large: Stirling's series has all digits and the plain form begins to cancel.
const largeShape = 16

func newBetaPrime(a, b float64) betaPrime {
	s := betaPrime{a: a, b: b, large: min(a, b) >= largeShape}
	if !s.large {
		s.norm = -special.LogBeta(a, b)
		return s
	}
	const halfLog2Pi = 0.91893853320467274178
	lo, hi := min(a, b), max(a, b)
	s.norm = 0.5*(math.Log(lo)-math.Log1p(lo/hi)) - halfLog2Pi - stirlingTail(lo) - (stirlingTail(hi) - stirlingTail(a+b))
	return s
}

// stirlingTail returns ln Gamma(x) - (x-1/2) ln x + x - ln(2 pi)/2 for x >= 16.
func stirlingTail(x float64) float64 {
	u := 1 / x
	s := u * u
	return u * (1.0/12 - s*(1.0/360-s*(1.0/1260-s*(1.0/1680-s*(1.0/1188-s*(691.0/360360-s*(1.0/156)))))))
}

// logBetaPrime returns the log-density at total of the scaled beta prime variable, times total.
func logBetaPrime(s betaPrime, total, scale float64) float64 {
	if !s.large {
		return s.norm - s.b*math.Log1p(total/scale) - s.a*math.Log1p(scale/total)
	}
	// With u = total/(total+scale) and its mean-like center a/(a+b), the two logs are the divergence of the two
	// points; their linear parts cancel exactly and are left out.
	d := math.FMA(total, s.b, -s.a*scale) + math.FMA(-s.a, scale, s.a*scale)
	d /= total + scale
	return s.norm + s.a*log1pmx(d/s.a) + s.b*log1pmx(-d/s.b)
}

// log1pmx returns ln(1+t) - t for t > -1 without cancellation.
func log1pmx(t float64) float64 {
	if !(math.Abs(t) < 0.3) {
		return math.Log1p(t) - t
	}
	r := t / (2 + t)
	y := r * r
	sum := 0.0
	for k := 25.0; k >= 3; k -= 2 {
		sum = sum*y + 1/k
	}
	return 2*r*y*sum - r*t
}

// Mean returns the expected spend a purchase of a customer whose x repeat purchases had the given mean, equation 5 of
// Fader, Hardie and Lee (2005): a weighted mean of the customer's own and the population's,
//
//	P (Gamma + x mean)/(P x + Q - 1)
//
// Special cases:
//
//	+Inf where P x + Q <= 1: the expectation does not exist
//	x = 0 gives PopulationMean, whatever the mean
//	NaN for x < 0, a mean that is negative or not finite, and invalid parameters
func (m GammaGamma) Mean(x int, mean float64) float64 {
	if x == 0 {
		mean = 0
	}
	if !m.valid() || x < 0 || !(mean >= 0) || math.IsInf(mean, 1) {
		return math.NaN()
	}
	n := float64(x)
	below := m.P*n + (m.Q - 1)
	if below <= 0 {
		return math.Inf(1)
	}
	// A huge P or Gamma must not overflow where the quotient does not.
	return m.P / below * (m.Gamma + n*mean)
}

// PopulationMean returns the expected spend a purchase of a new customer, P Gamma/(Q-1).
//
// Special cases: +Inf where Q <= 1, NaN for invalid parameters.
func (m GammaGamma) PopulationMean() float64 { return m.Mean(0, 0) }

// Rand draws the mean spend of a new customer's x purchases. It is NaN for x < 1 and invalid parameters.
func (m GammaGamma) Rand(r *rand.Rand, x int) float64 {
	if !m.valid() || x < 1 {
		return math.NaN()
	}
	n := float64(x)
	nu := logRandGamma(r, m.Q) - math.Log(m.Gamma)
	return math.Exp(logRandGamma(r, m.P*n) - nu - math.Log(n))
}

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
