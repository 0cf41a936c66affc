package fit

import (
	"errors"
	"fmt"
	"math"
)

// Options control a fit. The zero value, and a nil pointer, are the defaults.
type Options struct {
	Start    []float64      // natural scale, in the order of the model's fields; nil lets the fit choose and try several
	MaxIter  int            // most iterations of one search; 0 means 500
	GradTol  float64        // largest element of the mean log-likelihood's gradient on the working scale at which a search has converged; 0 means 1e-8
	Workers  int            // goroutines that sum the likelihood; 0 means GOMAXPROCS. The result does not depend on it
	Progress func(Progress) // called after each iteration on the caller's goroutine; may be nil
}

// Progress tells how far a search has come.
type Progress struct {
	Start       int     // which start the search began from, 0 first
	Iter        int     // iterations so far
	Evaluations int     // evaluations of the likelihood so far, over all starts
	LogLik      float64 // the best log-likelihood of this search
	Gradient    float64 // the largest element of the mean gradient on the working scale
}

// Defaults of Options.
const (
	defaultMaxIter = 500
	defaultGradTol = 1e-8
)

// WithDefaults returns the options with every zero replaced by its default; o may be nil.
func (o *Options) WithDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	if r.MaxIter == 0 {
		r.MaxIter = defaultMaxIter
	}
	if r.GradTol == 0 {
		r.GradTol = defaultGradTol
	}
	return r
}

// Validate returns an error that names the first option out of range.
func (o *Options) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.MaxIter < 0:
		return fmt.Errorf("fit: MaxIter %d: negative", o.MaxIter)
	case o.Workers < 0:
		return fmt.Errorf("fit: Workers %d: negative", o.Workers)
	case math.IsNaN(o.GradTol) || o.GradTol < 0 || o.GradTol >= 1:
		return fmt.Errorf("fit: GradTol %v: want 0 or a number between 0 and 1", o.GradTol)
	}
	return nil
}

// Errors that a fit wraps when it returns an estimate that is not a maximum.
var (
	// ErrNotConverged means that the search stopped early: out of iterations or unable to improve.
	ErrNotConverged = errors.New("not converged")
	// ErrDiverged means that the likelihood still rises while a parameter runs off to 0 or to infinity.
	ErrDiverged = errors.New("diverged")
	// ErrNoCovariance means that the information matrix is not positive definite, or that standard errors are withheld.
	ErrNoCovariance = errors.New("no covariance")
)
