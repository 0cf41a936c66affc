// Package mle maximizes likelihoods. A model gives the sum of its log-densities over a range of rows with first and,
// where it can, second derivatives on the natural scale of its parameters; everything else is done here: working
// scales, parallel sums in fixed chunks, several starts, the search, guards against run-away parameters, the
// information matrix and the covariance.
package mle

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/fit"
)

// Derivs accumulates a sum and its derivatives with respect to the parameters on their natural scale.
type Derivs struct {
	Value float64
	Grad  []float64 // one element a parameter
	Hess  []float64 // rows of the symmetric matrix one after the other, only i <= j is read; nil where it is not wanted
}

// AddHess adds v to the second derivative with respect to parameters i <= j.
func (d *Derivs) AddHess(i, j int, v float64) { d.Hess[i*len(d.Grad)+j] += v }

// A Param names a parameter and its working scale.
type Param struct {
	Name  string
	Scale fit.Scale
}

// A Problem is a likelihood to maximize.
type Problem struct {
	Params []Param
	Rows   int     // rows that Sum ranges over; rows may stand for several customers
	Weight float64 // customers in all: the divisor that makes the objective a mean

	// Sum adds the weighted log-likelihood of rows lo to hi-1 at theta to d, with its gradient and, unless d.Hess is
	// nil, its Hessian. It must be safe for concurrent calls and must not keep theta or d. Where the likelihood cannot
	// be computed it adds NaN.
	Sum func(theta []float64, lo, hi int, d *Derivs)
	// Second tells that Sum fills Hess. Without it the information matrix comes from differences of the gradient.
	Second bool

	// Starts are tried in order until a search converges; Options.Start goes first.
	Starts [][]float64
	// Fixed marks parameters that keep the value of the start; nil means none.
	Fixed []bool
	// Prior adds a log prior or minus a penalty and its derivatives to d, once; nil means none. It steers the search
	// and is not part of the log-likelihood of the result.
	Prior func(theta []float64, d *Derivs)
	// Withhold, unless empty, is the reason why standard errors would mislead; the covariance is then nil.
	Withhold string
	// Rough tells that the end of the search is wanted without the Newton steps to its last digits, and no covariance.
	Rough bool
}

// A Result is where the search ended.
type Result struct {
	Theta       []float64   // natural scale
	LogLik      float64     // without the prior
	Cov         [][]float64 // natural scale, zero for fixed parameters; nil where it does not exist
	Iter        int
	Evaluations int
	Stop        fit.Stop
	Warnings    []string
}

// A BadRow is the error of a row whose log-likelihood is not a finite number at the start.
type BadRow struct {
	Row   int // index into the problem's rows
	Value float64
}

// Error names the row and the value.
func (e *BadRow) Error() string {
	return fmt.Sprintf("row %d has the log-likelihood %v", e.Row+1, e.Value)
}

func (p *Problem) validate(o *fit.Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if p.Rows <= 0 || !(p.Weight > 0) || math.IsInf(p.Weight, 0) {
		return errors.New("no data")
	}
	for _, start := range p.starts(o) {
		if len(start) != len(p.Params) {
			return fmt.Errorf("a start of %d values for %d parameters", len(start), len(p.Params))
		}
		for i, v := range start {
			if u := working(p.Params[i].Scale, v); math.IsNaN(u) || math.Abs(u) > limit(p.Params[i].Scale) {
				return fmt.Errorf("start of %s: %v is outside its domain", p.Params[i].Name, v)
			}
		}
	}
	return nil
}

func (p *Problem) starts(o *fit.Options) [][]float64 {
	if o != nil && o.Start != nil {
		return append([][]float64{o.Start}, p.Starts...)
	}
	return p.Starts
}

// free returns the indices of the parameters that the search moves.
func (p *Problem) free() []int {
	var free []int
	for i := range p.Params {
		if p.Fixed == nil || !p.Fixed[i] {
			free = append(free, i)
		}
	}
	return free
}

// working maps a parameter to its working scale, NaN outside its domain.
func working(s fit.Scale, v float64) float64 {
	switch s {
	case fit.Log:
		if !(v > 0) {
			return math.NaN()
		}
		return math.Log(v)
	case fit.Logit:
		return math.Log(v) - math.Log1p(-v)
	default:
		return v
	}
}

// natural maps a working value back, with the first and second derivative of the map.
func natural(s fit.Scale, u float64) (v, d1, d2 float64) {
	switch s {
	case fit.Log:
		v = math.Exp(u)
		return v, v, v
	case fit.Logit:
		v = 1 / (1 + math.Exp(-u))
		d1 = v * (1 - v)
		return v, d1, d1 * (1 - 2*v)
	default:
		return u, 1, 0
	}
}

// limit is the size of a working value beyond which a parameter has run off: 1e12 and 1e-12 for positive ones.
func limit(s fit.Scale) float64 {
	if s == fit.Identity {
		return 1e9
	}
	return 27.6
}
