package clv

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/internal/special"
)

// PathParetoNBD is the DynamicParetoNBD of one customer whose covariates take a known path; DynamicParetoNBD.Along makes
// it. With the factors a(t) and b(t) by which the covariates multiply the rates of purchase and of leaving, and
//
//	A(t) = integral from 0 to t of a(u) du,    B(t) = integral from 0 to t of b(u) du
//
// it is a Pareto/NBD model whose time runs at changing speeds. All methods are those of a Model; T and the times in a
// History are on the clock of the path. They return NaN also where they would need the covariates after the path's End,
// and LogLikelihood where the path has no sum over purchases. The zero value does not validate.
type PathParetoNBD struct {
	base       ParetoNBD
	starts     []float64 // of the pieces
	buy, leave []float64 // the factors on each piece
	bought     float64   // the logs of buy summed over repeat purchases
	from       float64   // where this model's time 0 lies on the path
	end        float64   // until when the path is known, +Inf for ever
}

var errNoPath = errors.New("no path, or one that does not fit the model")

// Kind returns "pathparetonbd".
func (PathParetoNBD) Kind() string { return "pathparetonbd" }

// Validate returns an error unless Along made the model of a path and a model that validate and fit each other.
func (w PathParetoNBD) Validate() error {
	if !w.valid() {
		return fmt.Errorf("clv: %s: %w", w.Kind(), errNoPath)
	}
	return nil
}

func (w PathParetoNBD) valid() bool { return len(w.starts) > 0 && w.base.valid() }

// knows reports whether the covariates are known until t, but for the rounding of a sum of times.
func (w PathParetoNBD) knows(t float64) bool { return w.from+t <= w.end*(1+1e-13) }

// usable reports whether the model is defined at h.
func (w PathParetoNBD) usable(h History) bool { return w.valid() && h.usable() && w.knows(h.T) }

// each visits the pieces between two times, +Inf included, in order: length is how much of each lies between them. It
// stops when visit returns false.
func (w PathParetoNBD) each(from, to float64, visit func(k int, length float64) bool) {
	from, to = w.from+from, w.from+to
	for k := pieceAt(w.starts, from); k < len(w.starts) && from < to; k++ {
		until := to
		if k+1 < len(w.starts) {
			until = min(to, w.starts[k+1])
		}
		if !visit(k, until-from) {
			return
		}
		from = until
	}
}

// elapsed returns A(t) and B(t).
func (w PathParetoNBD) elapsed(t float64) (a, b float64) {
	w.each(0, t, func(k int, length float64) bool {
		a += w.buy[k] * length
		b += w.leave[k] * length
		return true
	})
	return a, b
}

// LogLikelihood returns
//
//	sum of g1'x(t_j) over the repeat purchases + ln Gamma(r+x)/Gamma(r) + r ln alpha + s ln beta
//	  + ln( (alpha+A(T))^-(r+x) (beta+B(T))^-s + s integral from tx to T of (alpha+A(u))^-(r+x) (beta+B(u))^-(s+1) dB(u) )
//
// where x(t_j) are the covariates at the time of a purchase; the first, at time 0, does not enter. On a piece where the
// covariates do not change the integral is that of ParetoNBD in other parameters, and all terms are positive.
func (w PathParetoNBD) LogLikelihood(h History) float64 {
	if !w.usable(h) || (h.X > 0 && math.IsNaN(w.bought)) {
		return math.NaN()
	}
	m, x, bought := w.base, float64(h.X), 0.0
	if h.X > 0 {
		bought = w.bought
	}
	a, b := w.elapsed(h.TX)
	l := math.Log1p(a / m.Alpha)
	sum, _ := w.mix(h)
	return bought + special.LogGammaRatio(m.R, x) - m.R*l - x*(math.Log(m.Alpha)+l) - m.S*math.Log1p(b/m.Beta) + sum
}

// mix returns the log of the sum of the two cases, the living and the gone, with (alpha+A(tx))^-(r+x) (beta+B(tx))^-s
// taken out, and P(alive).
func (w PathParetoNBD) mix(h History) (sum, alive float64) {
	n, s := w.base.R+float64(h.X), w.base.S
	y, z := w.elapsed(h.TX)
	y, z = w.base.Alpha+y, w.base.Beta+z
	fall, gone := 0.0, 0.0
	w.each(h.TX, h.T, func(k int, length float64) bool {
		d := newDeparture(n, s, y/w.buy[k], z/w.leave[k], length)
		if left := math.Exp(-fall); left > 1e-18*gone { // else no more than that is to come
			gone += s * left * math.Exp(d.integral())
		}
		fall += n*d.logA + s*d.logB
		y += w.buy[k] * length
		z += w.leave[k] * length
		return true
	})
	return mix(-fall, math.Log(gone))
}

// ProbAlive returns P(alive at T | x, tx, T), the share of the first term in the sum that LogLikelihood takes the
// logarithm of.
func (w PathParetoNBD) ProbAlive(h History) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	_, alive := w.mix(h)
	return alive
}

// after returns the model of the future of a customer who is alive at T: the posterior of lambda and mu, and the path
// from there.
func (w PathParetoNBD) after(h History) PathParetoNBD {
	a, b := w.elapsed(h.T)
	w.base = ParetoNBD{w.base.R + float64(h.X), w.base.Alpha + a, w.base.S, w.base.Beta + b}
	w.from += h.T
	return w
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T]:
//
//	P(alive) (r+x)/(alpha+A(T)) integral from T to T+t of ((beta+B(T))/(beta+B(u)))^s dA(u)
//
// It is NaN for a negative or infinite t.
func (w PathParetoNBD) ExpectedPurchases(h History, t float64) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	return w.ProbAlive(h) * w.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases in (0, t] of a new customer whose first purchase is
// at the beginning of the path. It is NaN for a negative or infinite t.
func (w PathParetoNBD) NewCustomerPurchases(t float64) float64 {
	if !w.valid() || !validTime(t) || !w.knows(t) {
		return math.NaN()
	}
	s, sum := w.base.S, 0.0
	w.living(t, func(k int, length, _, z, fall float64) bool {
		l := math.Log1p(w.leave[k] * length / z)
		sum += math.Exp(-fall) * w.buy[k] / w.leave[k] * z * l * special.Expm1Ratio((1-s)*l)
		return true
	})
	return w.base.R / w.base.Alpha * sum
}

// living visits the pieces until t with the time since 0 and beta+B at the beginning of each, and minus the log of the
// probability to live until then.
func (w PathParetoNBD) living(t float64, visit func(k int, length, at, z, fall float64) bool) {
	at, z, fall := 0.0, w.base.Beta, 0.0
	w.each(0, t, func(k int, length float64) bool {
		if !visit(k, length, at, z, fall) {
			return false
		}
		at += length
		fall += w.base.S * math.Log1p(w.leave[k]*length/z)
		z += w.leave[k] * length
		return true
	})
}

// DERT returns the discounted expected residual purchases at the continuous rate delta a unit, piece by piece and, on
// the last piece, as ParetoNBD does. It is NaN for a negative or infinite delta and for a path that ends.
func (w PathParetoNBD) DERT(h History, delta float64) float64 {
	if !w.usable(h) || !validTime(delta) || !math.IsInf(w.end, 1) {
		return math.NaN()
	}
	alive := w.ProbAlive(h)
	if alive == 0 {
		return 0
	}
	return alive * w.after(h).discounted(math.Inf(1), delta)
}

// withinHorizon is for DiscountedPurchases.
func (w PathParetoNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	purchases = w.ExpectedPurchases(h, horizon)
	if math.IsNaN(purchases) || !validTime(delta) {
		return purchases, math.NaN()
	}
	return purchases, w.ProbAlive(h) * w.after(h).discounted(horizon, delta)
}

// discounted returns the discounted repeat purchases until t, +Inf included, of a customer who is alive at 0.
func (w PathParetoNBD) discounted(t, delta float64) float64 {
	sum := 0.0
	w.living(t, func(k int, length, at, z, fall float64) bool {
		now := math.Exp(-fall - delta*at)
		if delta*at > 745 {
			return false
		}
		b := z / w.leave[k]
		var life float64
		if math.IsInf(length, 1) {
			life = ParetoNBD{1, 1, w.base.S, b}.DERT(History{}, delta)
		} else {
			life = discountedLife(w.base.S, b, length, delta)
		}
		sum += now * w.buy[k] * life
		return true
	})
	return w.base.R / w.base.Alpha * sum
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T, one after the path's End, and
// an invalid model give a history whose T is NaN.
func (w PathParetoNBD) Rand(r *rand.Rand, T float64) History {
	if !w.knows(T) {
		return History{T: math.NaN()}
	}
	return randHistory(w, r, T)
}

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and where Rand gives NaN.
// Path.WithPurchases turns them into what LogLikelihood needs.
func (w PathParetoNBD) RandTimes(r *rand.Rand, T float64) []float64 {
	if !w.knows(T) {
		return nil
	}
	return randTimes(w, r, T)
}

// gaps goes along the path: a purchase and the departure come when A and B have grown by exponential variables.
func (w PathParetoNBD) gaps(r *rand.Rand) func() float64 {
	lambda, mu := randGamma(r, w.base.R)/w.base.Alpha, randGamma(r, w.base.S)/w.base.Beta
	left := r.ExpFloat64() / mu
	at, k := w.from, pieceAt(w.starts, w.from)
	return func() float64 {
		before, wait := at, r.ExpFloat64()/lambda
		for {
			until := w.end
			if k+1 < len(w.starts) {
				until = w.starts[k+1]
			}
			length := min(until-at, wait/w.buy[k])
			if left -= w.leave[k] * length; !(left >= 0) {
				return math.Inf(1)
			}
			if length < until-at {
				at += length
				return at - before
			}
			if k+1 == len(w.starts) {
				return math.Inf(1)
			}
			wait -= w.buy[k] * length
			at, k = until, k+1
		}
	}
}
