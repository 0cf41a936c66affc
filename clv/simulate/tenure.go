package simulate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/ledger"
)

// A Curve gives the share of subscribers who are still there after t periods, from 1 at 0 downwards; the retention
// curves and survival curves of churn are such.
type Curve interface {
	Survival(t float64) float64
}

// Subscribers describes a contractual business observed at one moment: every subscriber renews or leaves at the end of
// each period.
type Subscribers struct {
	Curve     Curve // required
	Customers int   // required
	Periods   int   // age of the oldest at the end of observation, in periods; ages are spread evenly over 1 to Periods
	Seed      uint64
}

// Tenures returns one tenure a subscriber, whose Duration is the number of periods lived through: Ended if the
// subscriber left at the end of the last one, censored if still there at the end of observation. The stream can be read
// any number of times; it ends with an error if a field is missing or a survival is not a number between 0 and 1.
func (s Subscribers) Tenures(ctx context.Context) iter.Seq2[ledger.Tenure, error] {
	return func(yield func(ledger.Tenure, error) bool) {
		err := s.validate()
		for n := 0; err == nil && n < s.Customers; n++ {
			if err = ctx.Err(); err != nil {
				break
			}
			var t ledger.Tenure
			if t, err = s.tenure(n); err == nil && !yield(t, nil) {
				return
			}
		}
		if err != nil {
			yield(ledger.Tenure{}, err)
		}
	}
}

func (s Subscribers) validate() error {
	switch {
	case s.Curve == nil:
		return errors.New("simulate: Curve is missing")
	case s.Customers < 0:
		return fmt.Errorf("simulate: %d customers: negative", s.Customers)
	case s.Periods < 1:
		return fmt.Errorf("simulate: %d periods: want 1 or more", s.Periods)
	}
	return nil
}

// tenure inverts the curve at a uniform number: the subscriber leaves in the first period whose end fewer survive.
func (s Subscribers) tenure(n int) (ledger.Tenure, error) {
	r := rand.New(rand.NewPCG(s.Seed, uint64(n)))
	age, u := 1+r.IntN(s.Periods), r.Float64()
	for t := 1; t <= age; t++ {
		v := s.Curve.Survival(float64(t))
		if math.IsNaN(v) || v < 0 || v > 1 {
			return ledger.Tenure{}, fmt.Errorf("simulate: survival at %d is %v: want a number from 0 to 1", t, v)
		}
		if v < u {
			return ledger.Tenure{Customer: Name(n), Duration: float64(t), Ended: true}, nil
		}
	}
	return ledger.Tenure{Customer: Name(n), Duration: float64(age)}, nil
}
