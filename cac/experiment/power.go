package experiment

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// A Formula says how a sample size is computed.
type Formula string

// The formulas. The first of each pair is the default.
const (
	PooledVariance   Formula = "pooled"   // rates: the test pools the variance, the power does not (Fleiss, Levin and Paik)
	UnpooledVariance Formula = "unpooled" // rates: neither pools
	NormalTheory     Formula = "normal"   // means: the variance is known
	StudentTheory    Formula = "student"  // means: it is estimated, by the non-central t distribution; equal variances
)

// A Design is what an experiment is planned by. The zero Design is a two-sided test at 95 % with a power of 80 % and arms
// of equal size.
type Design struct {
	Level       float64 // 1 - the chance of finding an effect that is not there; 0 means 0.95
	Power       float64 // the chance of finding the effect; 0 means 0.8
	OneSided    bool    // only an effect in the direction supposed counts
	Allocation  float64 // customers of the treatment per customer of the control; 0 means 1
	Comparisons int     // tests in all, each at level 1 - (1-Level)/Comparisons (Bonferroni); 0 means 1
	Formula     Formula // empty: PooledVariance for rates, NormalTheory for means
}

func (d Design) withDefaults(formulas ...Formula) (Design, error) {
	if d.Level == 0 {
		d.Level = 0.95
	}
	if d.Power == 0 {
		d.Power = 0.8
	}
	if d.Allocation == 0 {
		d.Allocation = 1
	}
	if d.Comparisons == 0 {
		d.Comparisons = 1
	}
	if d.Formula == "" {
		d.Formula = formulas[0]
	}
	switch {
	case !(d.Level > 0 && d.Level < 1):
		return d, fail("level %v: not between 0 and 1", d.Level)
	case !(d.Power > 0 && d.Power < 1):
		return d, fail("power %v: not between 0 and 1", d.Power)
	case !(d.Allocation > 0) || !isFinite(d.Allocation):
		return d, fail("allocation %v: not a positive number", d.Allocation)
	case d.Comparisons < 0:
		return d, fail("comparisons %d: negative", d.Comparisons)
	case d.Formula != formulas[0] && d.Formula != formulas[1]:
		return d, fail("formula %q: not %q or %q", string(d.Formula), string(formulas[0]), string(formulas[1]))
	}
	return d, nil
}

// tail returns the probability beyond the critical value, on one side.
func (d Design) tail() float64 {
	a := (1 - d.Level) / float64(d.Comparisons)
	if !d.OneSided {
		a /= 2
	}
	return a
}

// quantiles returns the critical value and the quantile of the power.
func (d Design) quantiles() (za, zb float64) {
	za = normalQuantile(1 - 2*d.tail())
	if d.tail() >= 0.5 {
		za = normalInverse(1 - d.tail())
	}
	if d.Power > 0.5 {
		return za, normalQuantile(2*d.Power - 1)
	}
	return za, normalInverse(d.Power)
}

// A Size is how many customers an experiment needs.
type Size struct {
	Exact     float64 `json:"exact"`     // customers of the control before rounding up
	Control   int     `json:"control"`   // customers of the control
	Treatment int     `json:"treatment"` // customers of the treatment
	Formula   Formula `json:"formula"`
}

func sizeOf(exact float64, d Design) (Size, error) {
	if !(exact < 1e15) || !(exact*d.Allocation < 1e15) {
		return Size{}, fail("%.3g customers: the effect is too small to be found", exact)
	}
	exact = max(exact, 0)
	up := func(x float64) int { return int(math.Ceil(x * (1 - 1e-12))) }
	return Size{exact, max(1, up(exact)), max(1, up(exact*d.Allocation)), d.Formula}, nil
}

// SizeForRates returns the customers needed to tell a rate from that of the control. By default, with q = 1-p and k the
// allocation,
//
//	n = (za sqrt(p q (1 + 1/k)) + zb sqrt(p1 q1 + p2 q2/k))^2 / (p2 - p1)^2,   p = (p1 + k p2) / (1 + k)
//
// With UnpooledVariance the first root is as the second. It returns an error if a rate is not between 0 and 1, if they
// are equal, or if the design is not valid.
func SizeForRates(control, treatment float64, d Design) (Size, error) {
	d, err := d.withDefaults(PooledVariance, UnpooledVariance)
	if err != nil {
		return Size{}, err
	}
	if err := checkShares(control, treatment); err != nil {
		return Size{}, err
	}
	if control == treatment {
		return Size{}, fail("rates of %v and %v: no effect to be found", control, treatment)
	}
	za, zb := d.quantiles()
	s0, s1 := d.rateErrors(control, treatment)
	root := (za*s0 + zb*s1) / (treatment - control)
	return sizeOf(root*root, d)
}

// rateErrors returns the standard errors of the difference for one customer in the control, without and with an effect.
func (d Design) rateErrors(control, treatment float64) (s0, s1 float64) {
	k := d.Allocation
	s1 = math.Sqrt(control*(1-control) + treatment*(1-treatment)/k)
	if d.Formula == UnpooledVariance {
		return s1, s1
	}
	p := (control + k*treatment) / (1 + k)
	return math.Sqrt(p * (1 - p) * (1 + 1/k)), s1
}

func checkShares(rates ...float64) error {
	for _, p := range rates {
		if !(p > 0 && p < 1) {
			return fail("rate %v: not between 0 and 1", p)
		}
	}
	return nil
}

// PowerForRates returns the chance of finding the difference of two rates with n customers in the control. The errors are
// those of [SizeForRates]; equal rates have the power of a chance finding.
func PowerForRates(control, treatment float64, n int, d Design) (float64, error) {
	d, err := d.withDefaults(PooledVariance, UnpooledVariance)
	if err != nil {
		return 0, err
	}
	if err := checkShares(control, treatment); err != nil {
		return 0, err
	}
	if n < 1 {
		return 0, fail("%w: %d customers", ErrTooFew, n)
	}
	za, _ := d.quantiles()
	s0, s1 := d.rateErrors(control, treatment)
	delta := math.Abs(treatment-control) * math.Sqrt(float64(n))
	p := normalCDF((delta - za*s0) / s1)
	if !d.OneSided {
		p += normalCDF((-delta - za*s0) / s1)
	}
	return p, nil
}

// EffectForRates returns the least difference to a control's rate that n customers in the control find, with the
// variance of the control in both arms:
//
//	(za + zb) sqrt(p (1-p) (1 + 1/k) / n)
func EffectForRates(control float64, n int, d Design) (float64, error) {
	d, err := d.withDefaults(PooledVariance, UnpooledVariance)
	if err != nil {
		return 0, err
	}
	if err := checkShares(control); err != nil {
		return 0, err
	}
	d.Formula = NormalTheory
	return EffectForMeans(math.Sqrt(control*(1-control)), n, d)
}

// SizeForMeans returns the customers needed to find a difference of means, where customers' values have a standard
// deviation,
//
//	n = (za + zb)^2 sd^2 (1 + 1/k) / difference^2
//
// With StudentTheory n solves the power of the t-test instead, about one customer more. It returns an error if the
// difference is zero, the standard deviation not positive or the design not valid.
func SizeForMeans(sd, difference float64, d Design) (Size, error) {
	d, err := d.withDefaults(NormalTheory, StudentTheory)
	if err != nil {
		return Size{}, err
	}
	if err := checkMeans(sd, difference); err != nil {
		return Size{}, err
	}
	if difference == 0 {
		return Size{}, fail("a difference of 0: no effect to be found")
	}
	za, zb := d.quantiles()
	root := (za + zb) * sd / difference
	n := root * root * (1 + 1/d.Allocation)
	if d.Formula == NormalTheory {
		return sizeOf(n, d)
	}
	if !(n < 1e12) {
		return sizeOf(n, d)
	}
	lo, hi := max(n*(1-1e-9), 2.000001/(1+d.Allocation)), n+10*(1+1/d.Allocation)
	for d.student(sd, difference, hi) < d.Power {
		hi *= 2
	}
	for range 100 {
		mid := lo + (hi-lo)/2
		if hi-lo <= 1e-12*hi || mid <= lo || mid >= hi {
			break
		}
		if d.student(sd, difference, mid) < d.Power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return sizeOf(hi, d)
}

func checkMeans(sd, difference float64) error {
	if !(sd > 0) || !isFinite(sd) || !isFinite(difference) {
		return fail("standard deviation %v and difference %v: not numbers of an experiment", sd, difference)
	}
	return nil
}

// PowerForMeans returns the chance of finding a difference of means with n customers in the control.
func PowerForMeans(sd, difference float64, n int, d Design) (float64, error) {
	d, err := d.withDefaults(NormalTheory, StudentTheory)
	if err != nil {
		return 0, err
	}
	if err := checkMeans(sd, difference); err != nil {
		return 0, err
	}
	if n < 2 {
		return 0, fail("%w: %d customers, at least 2", ErrTooFew, n)
	}
	if d.Formula == StudentTheory {
		return d.student(sd, difference, float64(n)), nil
	}
	za, _ := d.quantiles()
	shift := d.shift(sd, difference, float64(n))
	p := normalCDF(shift - za)
	if !d.OneSided {
		p += normalCDF(-shift - za)
	}
	return p, nil
}

// EffectForMeans returns the least difference of means that n customers in the control find,
//
//	(za + zb) sd sqrt((1 + 1/k) / n)
//
// It does not know StudentTheory: plan with SizeForMeans then.
func EffectForMeans(sd float64, n int, d Design) (float64, error) {
	d, err := d.withDefaults(NormalTheory, NormalTheory)
	if err != nil {
		return 0, err
	}
	if err := checkMeans(sd, 0); err != nil {
		return 0, err
	}
	if n < 1 {
		return 0, fail("%w: %d customers", ErrTooFew, n)
	}
	za, zb := d.quantiles()
	return (za + zb) * sd * math.Sqrt((1+1/d.Allocation)/float64(n)), nil
}

// shift returns the effect in standard errors.
func (d Design) shift(sd, difference, n float64) float64 {
	return math.Abs(difference) / sd * math.Sqrt(n/(1+1/d.Allocation))
}

// student returns the power of the t-test with n customers in the control, which may be a fraction.
func (d Design) student(sd, difference, n float64) float64 {
	df := n*(1+d.Allocation) - 2
	shift := d.shift(sd, difference, n)
	critical := studentQuantile(1-2*d.tail(), df)
	p := nonCentralTail(critical, df, shift)
	if !d.OneSided {
		p += nonCentralTail(critical, df, -shift)
	}
	return min(1, p)
}

// nonCentralTail returns P(T > t) of the non-central t distribution: the integral over the estimated standard deviation s
// of P(Z > t s - shift), in v = ln s, whose density has its top near v = 0.
func nonCentralTail(t, df, shift float64) float64 {
	a := df / 2
	norm := math.Ln2 + stirling(a)
	f := func(v float64) float64 {
		return math.Exp(norm-float64(a*(math.Expm1(2*v)-2*v))) * normalCDF(shift-float64(t*math.Exp(v)))
	}
	width := 12 / math.Sqrt(2*df)
	left, right := -width-42/df, width
	total := 0.0
	const pieces = 16
	for i := range pieces {
		from := left + (right-left)*float64(i)/pieces
		v, _, _ := special.Integrate(f, from, from+(right-left)/pieces, 1e-13)
		total += v
	}
	return total
}

// stirling returns a ln a - a - ln Gamma(a).
func stirling(a float64) float64 {
	if a < 100 {
		v, _ := math.Lgamma(a)
		return float64(a*math.Log(a)) - a - v
	}
	return 0.5*math.Log(a/(2*math.Pi)) - 1/(12*a) + 1/(360*a*a*a) - 1/(1260*math.Pow(a, 5))
}
