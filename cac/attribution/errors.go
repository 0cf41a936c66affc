package attribution

import (
	"errors"

	"github.com/custval/custval/ledger"
)

// The reasons for which credit cannot be given. Test for them with errors.Is.
var (
	// ErrNoConversions: nothing to give credit for. It wraps [ledger.ErrUndefined].
	ErrNoConversions error = undefined("no conversions")
	// ErrNoAges: a model of time on journeys whose ages are not known.
	ErrNoAges = errors.New("journeys without ages")
	// ErrNoDirect: a model asks for the direct channel and none is declared.
	ErrNoDirect = errors.New("no direct channel is declared")
	// ErrWeights: weights that are negative, not finite, or do not add up to 1.
	ErrWeights = errors.New("bad weights")
	// ErrTooManyPlayers: a game of more than 20 players has too many coalitions to look at each.
	ErrTooManyPlayers = errors.New("too many players for the exact value")
	// ErrNotConverged: an iteration has not reached its precision.
	ErrNotConverged = errors.New("not converged")
)

// undefined is a sentinel that reads as its own text and wraps ledger.ErrUndefined.
type undefined string

func (e undefined) Error() string { return string(e) }
func (e undefined) Unwrap() error { return ledger.ErrUndefined }
