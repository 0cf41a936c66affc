package survival

import (
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/special"
)

// A Family is the shape of a parametric survival curve. In all but Gompertz's, covariates stretch or shrink time (an
// accelerated failure time model):
//
//	ln T = Intercept + Coef'x + Scale W
//
// with W of a standard distribution. In Gompertz's they multiply the hazard.
type Family uint8

// The families, with the survival curve at mu = Intercept + Coef'x and z = (ln t - mu)/Scale.
const (
	ExponentialFamily      Family = iota // exp(-e^z), Scale 1: a constant hazard exp(-mu)
	WeibullFamily                        // exp(-e^z): the hazard rises or falls with a power of time
	LogNormalFamily                      // 1 - Phi(z): the hazard rises and then falls
	LogLogisticFamily                    // 1/(1 + e^z): likewise, or falls from the start
	GompertzFamily                       // exp(-e^mu (e^(Shape t) - 1)/Shape): the hazard grows or shrinks exponentially
	GeneralizedGammaFamily               // the one with Q = Shape; Weibull at 1, log-normal at 0, gamma at Scale
)

var familyNames = []string{"exponential", "weibull", "log-normal", "log-logistic", "gompertz", "generalized-gamma"}

// String returns the name of the family, such as "log-normal".
func (f Family) String() string { return table.Name(familyNames, int(f)) }

// MarshalText writes the name of the family.
func (f Family) MarshalText() ([]byte, error) {
	return table.MarshalName("survival: no family", familyNames, int(f))
}

// UnmarshalText reads the name of a family.
func (f *Family) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("survival: no family", familyNames, text)
	*f = Family(i)
	return err
}

// shapes returns the parameters beside the linear predictor, with the scale they are searched on and where to start.
func (f Family) shapes() (params []fit.Param, starts []float64) {
	scale, shape := fit.Param{Name: "Scale", Scale: fit.Log}, fit.Param{Name: "Shape", Scale: fit.Identity}
	switch f {
	case ExponentialFamily:
		return nil, nil
	case GompertzFamily:
		return []fit.Param{shape}, []float64{0}
	case GeneralizedGammaFamily:
		return []fit.Param{scale, shape}, []float64{1, 0.5}
	default:
		return []fit.Param{scale}, []float64{1}
	}
}

// A local is a log-likelihood at one time with its derivatives with respect to the linear predictor and the shapes.
type local struct {
	v float64
	g [3]float64
	h [3][3]float64 // i <= j
}

// add adds sign times another local.
func (l *local) add(o *local, sign float64) {
	l.v += sign * o.v
	for i := range l.g {
		l.g[i] += sign * o.g[i]
		for j := i; j < len(l.g); j++ {
			l.h[i][j] += sign * o.h[i][j]
		}
	}
}

// at returns ln S(t), or ln f(t) where density is set, at a linear predictor and shapes.
func (f Family) at(t, eta float64, shapes []float64, density bool) local {
	if f == GompertzFamily {
		return gompertzAt(t, eta, shapes[0], density)
	}
	sigma, q := 1.0, 0.0
	if len(shapes) > 0 {
		sigma = shapes[0]
	}
	if len(shapes) > 1 {
		q = shapes[1]
	}
	lt := math.Log(t)
	z := (lt - eta) / sigma
	v, d1, d2 := f.standard(z, q, density)
	var l local
	s2 := sigma * sigma
	l.v = v
	l.g[0], l.g[1] = -d1/sigma, -z*d1/sigma
	l.h[0][0], l.h[0][1], l.h[1][1] = d2/s2, (d2*z+d1)/s2, z*(d2*z+2*d1)/s2
	if density {
		l.v -= math.Log(sigma) + lt
		l.g[1] -= 1 / sigma
		l.h[1][1] += 1 / s2
	}
	if f == GeneralizedGammaFamily {
		dq, dqq, d1q := f.byShape(z, q, density, v)
		l.g[2], l.h[2][2] = dq, dqq
		l.h[0][2], l.h[1][2] = -d1q/sigma, -z*d1q/sigma
	}
	return l
}

// standard returns ln S or ln f of the standard distribution of the family at z, with two derivatives.
func (f Family) standard(z, q float64, density bool) (v, d1, d2 float64) {
	var logf, f1, f2, logS float64
	switch f {
	case LogNormalFamily:
		logf, f1, f2 = -z*z/2-halfLog2Pi, -z, -1
		logS = logNormalTail(z)
	case LogLogisticFamily:
		p := 1 / (1 + math.Exp(-z))
		logS = -softplus(z)
		logf, f1, f2 = z+2*logS, 1-2*p, -2*p*(1-p)
	case GeneralizedGammaFamily:
		logf, f1, f2 = gammaDensity(z, q)
		if !density {
			logS = gammaTail(z, q)
		}
	default:
		w := math.Exp(z)
		logf, f1, f2, logS = z-w, 1-w, -w, -w
	}
	if density {
		return logf, f1, f2
	}
	h := math.Exp(logf - logS)
	return logS, -h, -h * (f1 + h)
}

const halfLog2Pi = 0.91893853320467274178032973640561763986 // ln(2 pi)/2

// softplus returns ln(1 + e^z).
func softplus(z float64) float64 {
	if z > 0 {
		return z + math.Log1p(math.Exp(-z))
	}
	return math.Log1p(math.Exp(z))
}

// logNormalTail returns ln(1 - Phi(z)). Beyond z = 30 it is the asymptotic series, whose next term is below 1e-14.
func logNormalTail(z float64) float64 {
	switch {
	case z < 0:
		return math.Log1p(-math.Erfc(-z/math.Sqrt2) / 2)
	case z < 30:
		return math.Log(math.Erfc(z/math.Sqrt2) / 2)
	}
	r := 1 / (z * z)
	return -z*z/2 - halfLog2Pi - math.Log(z) + math.Log1p(-r*(1-r*(3-r*(15-r*(105-945*r)))))
}

// gammaDensity returns the log-density of the standard log generalized gamma (Prentice, Biometrika 61, 1974),
//
//	-ln(2 pi)/2 - stirling(1/q²) - (e^w - 1 - w)/q²,  w = q z
//
// a form without the powers of 1/q that would cancel near the log-normal at q = 0.
func gammaDensity(z, q float64) (logf, f1, f2 float64) {
	w := q * z
	return -halfLog2Pi - stirling(q) - z*z*secondRatio(w), -z * firstRatio(w), -math.Exp(w)
}

// firstRatio returns (e^w - 1)/w.
func firstRatio(w float64) float64 {
	if w == 0 {
		return 1
	}
	return math.Expm1(w) / w
}

// secondRatio returns (e^w - 1 - w)/w², by its series where the difference would lose more than two digits.
func secondRatio(w float64) float64 {
	if math.Abs(w) > 0.5 {
		return (math.Expm1(w) - w) / (w * w)
	}
	sum, term := 0.0, 0.5
	for k := 3.0; math.Abs(term) > 1e-18; k++ {
		sum += term
		term *= w / k
	}
	return sum
}

// stirling returns ln Gamma(k) - ((k-1/2) ln k - k + ln(2 pi)/2) for k = 1/q².
func stirling(q float64) float64 {
	r := q * q // 1/k
	if r < 1.0/15 {
		return r * (1./12 - r*r*(1./360-r*r*(1./1260-r*r*(1./1680-r*r*(1./1188-r*r*(691./360360-r*r/156))))))
	}
	k := 1 / r
	lg, _ := math.Lgamma(k)
	return lg - ((k-0.5)*math.Log(k) - k + halfLog2Pi)
}

// gammaTail returns the logarithm of the survival that goes with gammaDensity.
func gammaTail(z, q float64) float64 {
	if math.Abs(q) < 1.001e-5 {
		// The density is to first order in q the normal one times 1 - q z³/6; the error is of the order of q².
		return logNormalTail(z + q*(z*z+2)/6)
	}
	k := 1 / (q * q)
	u := k * math.Exp(q*z)
	if q > 0 {
		return special.LogGammaQ(k, u)
	}
	return special.LogGammaP(k, u)
}

// byShape returns the derivatives of ln S or ln f with respect to q, by central differences of fourth order: the
// incomplete gamma function has no closed derivative in its first argument. Their error is about 1e-11 of the value.
func (f Family) byShape(z, q float64, density bool, v float64) (dq, dqq, d1q float64) {
	const step = 2e-3
	var value, slope [4]float64
	for i, k := range []float64{-2, -1, 1, 2} {
		value[i], slope[i], _ = f.standard(z, q+k*step, density)
	}
	dq = (value[0] - 8*value[1] + 8*value[2] - value[3]) / (12 * step)
	d1q = (slope[0] - 8*slope[1] + 8*slope[2] - slope[3]) / (12 * step)
	dqq = (-value[0] + 16*value[1] - 30*v + 16*value[2] - value[3]) / (12 * step * step)
	return dq, dqq, d1q
}

// gompertzAt is at for the hazard exp(eta + shape t) and the cumulative hazard exp(eta) t (e^u - 1)/u with u = shape t.
func gompertzAt(t, eta, shape float64, density bool) local {
	var l local
	u, r := shape*t, math.Exp(eta)
	h := r * t * firstRatio(u)
	h1 := r * t * t * ratioSlope(u)
	h2 := r * t * t * t * ratioCurve(u)
	l.v = -h
	l.g[0], l.g[1] = -h, -h1
	l.h[0][0], l.h[0][1], l.h[1][1] = -h, -h1, -h2
	if density {
		l.v += eta + u
		l.g[0]++
		l.g[1] += t
	}
	return l
}

// ratioSlope returns the derivative of (e^u - 1)/u.
func ratioSlope(u float64) float64 {
	if math.Abs(u) > 0.5 {
		return (math.Exp(u) - firstRatio(u)) / u
	}
	sum, term := 0.0, 1.0 // sum of u^k/(k! (k+2))
	for k := 0.0; math.Abs(term) > 1e-18; k++ {
		sum += term / (k + 2)
		term *= u / (k + 1)
	}
	return sum
}

// ratioCurve returns the second derivative of (e^u - 1)/u.
func ratioCurve(u float64) float64 {
	if math.Abs(u) > 0.5 {
		return (math.Exp(u) - 2*ratioSlope(u)) / u
	}
	sum, term := 0.0, 1.0 // sum of u^k/(k! (k+3))
	for k := 0.0; math.Abs(term) > 1e-18; k++ {
		sum += term / (k + 3)
		term *= u / (k + 1)
	}
	return sum
}
