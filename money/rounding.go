package money

import "fmt"

// Rounding names how a value between two neighbours is rounded. The names are those of Java's RoundingMode.
type Rounding uint8

const (
	HalfEven Rounding = iota // to the nearest, a tie to the even neighbour
	HalfUp                   // to the nearest, a tie away from zero
	HalfDown                 // to the nearest, a tie towards zero
	Up                       // away from zero
	Down                     // towards zero
	Ceiling                  // towards +infinity
	Floor                    // towards -infinity
)

var roundingNames = [...]string{"HalfEven", "HalfUp", "HalfDown", "Up", "Down", "Ceiling", "Floor"}

// String returns the name of the mode, such as "HalfEven".
func (r Rounding) String() string {
	if int(r) < len(roundingNames) {
		return roundingNames[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}
