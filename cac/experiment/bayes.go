package experiment

import (
	"fmt"
	"math"

	"github.com/custval/custval/internal/special"
)

// A Beta is a beta distribution of a conversion rate: a belief of Alpha-1 conversions and Beta-1 failures. Beta{1, 1} is
// the uniform distribution.
type Beta struct {
	Alpha float64 `json:"alpha"` // > 0
	Beta  float64 `json:"beta"`  // > 0
}

// Validate returns an error unless both parameters are positive numbers below 1e9.
func (b Beta) Validate() error {
	for _, v := range []float64{b.Alpha, b.Beta} {
		if !(v > 0 && v <= 1e9) {
			return fail("beta distribution with %v and %v: not positive numbers up to 1e9", b.Alpha, b.Beta)
		}
	}
	return nil
}

// Posterior returns the distribution after a rate was observed.
func (b Beta) Posterior(r Rate) Beta {
	return Beta{b.Alpha + float64(r.Conversions), b.Beta + float64(r.Customers-r.Conversions)}
}

// Mean returns Alpha / (Alpha + Beta).
func (b Beta) Mean() float64 { return b.Alpha / (b.Alpha + b.Beta) }

// Interval returns the equal-tailed interval that holds the rate with a probability of level; 0 means 0.95.
func (b Beta) Interval(level float64) (low, high float64, err error) {
	if level, err = checkLevel(level); err != nil {
		return 0, 0, err
	}
	if err = b.Validate(); err != nil {
		return 0, 0, err
	}
	tail := (1 - level) / 2
	low = b.solve(func(lower, _ float64) float64 { return lower - tail })
	high = b.solve(func(_, upper float64) float64 { return tail - upper })
	return low, high, nil
}

// solve returns the rate at which an increasing function of both tails is zero, by bisection of its logit.
func (b Beta) solve(f func(lower, upper float64) float64) float64 {
	lo, hi := -700.0, 700.0
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		x, y := logistic(mid)
		if f(betaCDF(b.Alpha, b.Beta, x, y)) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	x, _ := logistic(lo + (hi-lo)/2)
	return x
}

// A Belief is what is known of an arm's rate beside those of the others.
type Belief struct {
	Posterior    Beta    `json:"posterior"`
	ProbBest     float64 `json:"prob_best"`     // that no other arm's rate is higher
	ExpectedLoss float64 `json:"expected_loss"` // what choosing this arm costs on average in conversion rate: E[best rate - its rate]
}

// Beliefs returns, for each arm, the probability that its rate is the highest and the expected loss of choosing it,
//
//	P(k best) = integral of f_k(x) product of F_j(x), j != k
//	loss of k = integral of F_k(x) (1 - product of F_j(x), j != k)
//
// with beta posteriors of a common prior; the zero Beta means the uniform one. For two arms and whole numbers the first
// equals the closed sum of Miller (Formulas for Bayesian A/B Testing, 2015). The integrands are positive and kept in
// logarithms, so that tiny probabilities keep their digits. Relative error seen: 1e-11 up to a million customers an arm,
// 1e-8 at a hundred million.
//
// It returns an error for fewer than two arms, or if a rate or the prior is not valid.
func Beliefs(prior Beta, arms ...Rate) ([]Belief, error) {
	if prior == (Beta{}) {
		prior = Beta{1, 1}
	}
	if err := prior.Validate(); err != nil {
		return nil, err
	}
	if len(arms) < 2 {
		return nil, fail("%w: %d arms, at least 2", ErrTooFew, len(arms))
	}
	out := make([]Belief, len(arms))
	for i, r := range arms {
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("%w (arm %d)", err, i+1)
		}
		out[i].Posterior = prior.Posterior(r)
		if err := out[i].Posterior.Validate(); err != nil {
			return nil, err
		}
	}
	for k := range out {
		var err error
		if out[k].ProbBest, err = out[k].integral(out, k, false); err != nil {
			return nil, err
		}
		if out[k].ExpectedLoss, err = out[k].integral(out, k, true); err != nil {
			return nil, err
		}
		out[k].ProbBest = min(1, out[k].ProbBest)
	}
	return out, nil
}

// integral returns the probability that arm k is best, or its expected loss, by quadrature over the logit of the rate.
func (b Belief) integral(all []Belief, k int, loss bool) (float64, error) {
	norm := special.LogBeta(b.Posterior.Alpha, b.Posterior.Beta)
	logf := func(u float64) float64 {
		x, y := logistic(u)
		logX, logY := -special.LogAddExp(0, -u), -special.LogAddExp(0, u)
		others := 0.0
		for j := range all {
			if j == k {
				continue
			}
			lower, upper := betaCDF(all[j].Posterior.Alpha, all[j].Posterior.Beta, x, y)
			if lower < 0.5 {
				others += math.Log(lower)
			} else {
				others += math.Log1p(-upper)
			}
		}
		if !loss {
			return float64(b.Posterior.Alpha*logX) + float64(b.Posterior.Beta*logY) - norm + others
		}
		lower, _ := betaCDF(b.Posterior.Alpha, b.Posterior.Beta, x, y)
		return math.Log(lower) + special.Log1mExp(min(0, others)) + logX + logY
	}
	peak, ok := summit(logf, all)
	if !ok {
		return 0, nil // below what a float64 holds
	}
	top := logf(peak)
	left, right := reachOf(logf, peak, top, -1), reachOf(logf, peak, top, 1)
	const pieces = 8
	total := 0.0
	for i := range 2 * pieces {
		a, c := left, peak
		if i >= pieces {
			a, c = peak, right
		}
		w := (c - a) / pieces
		from := a + w*float64(i%pieces)
		v, _, ok := special.Integrate(func(u float64) float64 { return math.Exp(logf(u) - top) }, from, from+w, 1e-12)
		if !ok && !(v >= 0) {
			return 0, fail("beta distributions with %v and %v: the integral does not converge", b.Posterior.Alpha, b.Posterior.Beta)
		}
		total += v
	}
	return total * math.Exp(top), nil
}

// summit returns where a function with one top is greatest, from a scan around the arms' means.
func summit(logf func(float64) float64, all []Belief) (float64, bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, b := range all {
		u := math.Log(b.Posterior.Alpha / b.Posterior.Beta)
		w := 3 * math.Sqrt(1/b.Posterior.Alpha+1/b.Posterior.Beta)
		lo, hi = min(lo, u-w), max(hi, u+w)
	}
	best, at := math.Inf(-1), 0.0
	const steps = 200
	for i := range steps + 1 {
		u := lo + (hi-lo)*float64(i)/steps
		if v := logf(u); v > best {
			best, at = v, u
		}
	}
	if math.IsInf(best, -1) {
		return 0, false
	}
	a, c := at-(hi-lo)/steps, at+(hi-lo)/steps
	const g = 0.3819660112501051
	for range 60 {
		x, y := a+g*(c-a), c-g*(c-a)
		if logf(x) < logf(y) {
			a = x
		} else {
			c = y
		}
	}
	return a + (c-a)/2, true
}

// reachOf returns how far from the peak the function is worth integrating.
func reachOf(logf func(float64) float64, peak, top, direction float64) float64 {
	const drop = 42
	step := 1e-6
	for step < 1e4 && logf(peak+direction*step) > top-drop {
		step *= 2
	}
	a, b := step/2, step
	for range 20 {
		mid := (a + b) / 2
		if logf(peak+direction*mid) > top-drop {
			a = mid
		} else {
			b = mid
		}
	}
	return peak + direction*b
}

// logistic returns 1/(1+e^-u) and its complement, each to full precision.
func logistic(u float64) (x, y float64) {
	if u < 0 {
		e := math.Exp(u)
		return e / (1 + e), 1 / (1 + e)
	}
	e := math.Exp(-u)
	return 1 / (1 + e), e / (1 + e)
}
