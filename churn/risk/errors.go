package risk

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/custval/custval/ledger"
)

var (
	// ErrSeparation means that a covariate tells so well who leaves that the likelihood has no maximum: its coefficient
	// would be infinite.
	ErrSeparation = errors.New("separation: the likelihood rises without end as the coefficient grows")
	// ErrCollinear means that a covariate says nothing that the others do not say.
	ErrCollinear = errors.New("collinear")
)

var (
	errFinite      = errors.New("not a finite number")
	errProbability = errors.New("want a probability between 0 and 1")
	errWeight      = errors.New("want a finite weight above 0")
)

// A CovariateError says which covariate has no estimate and why.
type CovariateError struct {
	Covariate string   // the name of the coefficient
	With      []string // other coefficients that are part of the cause
	Err       error    // wraps ErrSeparation or ErrCollinear
}

// Error returns covariate and reason.
func (e *CovariateError) Error() string {
	if len(e.With) == 0 {
		return fmt.Sprintf("risk: covariate %q: %v", e.Covariate, e.Err)
	}
	quoted := make([]string, len(e.With))
	for i, name := range e.With {
		quoted[i] = strconv.Quote(name)
	}
	return fmt.Sprintf("risk: covariate %q with %s: %v", e.Covariate, strings.Join(quoted, ", "), e.Err)
}

// Unwrap returns the reason.
func (e *CovariateError) Unwrap() error { return e.Err }

// rowError names row i, counted from 0.
func rowError(i int, field, value string, reason error) error {
	return fmt.Errorf("risk: %w", &ledger.RowError{Row: i + 1, Field: field, Value: value, Err: reason})
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
