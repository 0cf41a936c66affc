package experiment

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/ledger"
)

var (
	// ErrTooFew means: fewer customers than a variance needs.
	ErrTooFew = errors.New("too few customers")
	// ErrNoVariance means: no customer differs from another, so nothing can be tested. It wraps [ledger.ErrUndefined].
	ErrNoVariance error = undefined("no variance")
	// ErrZeroBase means: a relative effect on a control of zero, or a ratio whose denominators sum to zero. It wraps [ledger.ErrUndefined].
	ErrZeroBase error = undefined("zero base")
)

// undefined is a sentinel that reads as its own text and wraps ledger.ErrUndefined.
type undefined string

func (e undefined) Error() string { return string(e) }
func (e undefined) Unwrap() error { return ledger.ErrUndefined }

func fail(format string, args ...any) error { return fmt.Errorf("experiment: "+format, args...) }

// checkLevel returns the level, 0.95 for 0.
func checkLevel(level float64) (float64, error) {
	if level == 0 {
		return 0.95, nil
	}
	if !(level > 0 && level < 1) {
		return 0, fail("level %v: not between 0 and 1", level)
	}
	return level, nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
