package budget

import (
	"errors"
	"fmt"
)

var (
	// ErrInfeasible means: no plan keeps to the budget, the bounds and the entry amounts together.
	ErrInfeasible = errors.New("no plan is possible")
	// ErrUnbounded means: the return of a channel never falls to the target, however much is spent.
	ErrUnbounded = errors.New("no end to the spend")
	// ErrShape means: a curve is neither concave nor S-shaped, falls, or is not a number somewhere.
	ErrShape = errors.New("unsuitable response curve")
	// ErrTooFewPoints means: fewer points, or fewer different spends, than a curve has parameters.
	ErrTooFewPoints = errors.New("too few points")
)

// A ChannelError says which channel made a plan impossible, such as
//
//	budget: channel "Search": the minimum USD 20.00 exceeds the maximum USD 10.00
type ChannelError struct {
	Channel string
	Err     error // why
}

// Error returns channel and reason.
func (e *ChannelError) Error() string { return fmt.Sprintf("budget: channel %q: %v", e.Channel, e.Err) }

// Unwrap returns the reason.
func (e *ChannelError) Unwrap() error { return e.Err }

// ownError is an error with the package's name before it.
type ownError struct{ err error }

func (e *ownError) Error() string { return "budget: " + e.err.Error() }
func (e *ownError) Unwrap() error { return e.err }

func fail(format string, args ...any) error { return &ownError{fmt.Errorf(format, args...)} }

// unprefixed takes the package's name off an error that a channel's error will carry.
func unprefixed(err error) error {
	if own, ok := err.(*ownError); ok { //nolint:errorlint // only the outermost layer is meant
		return own.err
	}
	return err
}
