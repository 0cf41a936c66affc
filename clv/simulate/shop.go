package simulate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Purchaser draws the times of a new customer's repeat purchases in (0, T]; every purchase model of clv is one.
type Purchaser interface {
	Validate() error
	RandTimes(r *rand.Rand, T float64) []float64
}

// A Spender draws what one customer spends at each of n purchases; clv.GammaGamma is one.
type Spender interface {
	Validate() error
	RandSpends(r *rand.Rand, n int) []float64
}

// A Shop describes the customers of an order log.
type Shop struct {
	Purchases Purchaser     // required
	Spend     Spender       // required
	Unit      time.Duration // the unit of Purchases, such as clv.Week; required
	Customers int           // how many are acquired; required
	First     int           // number of the first customer, 0 by default: shards of one shop take ranges of numbers
	Start     time.Time     // when the first customers come; required
	Acquired  time.Time     // when the last ones come; zero means End
	End       time.Time     // the end of the log; required, after Start
	// StartUp is the share of the customers who have come after a share u of the time from Start to Acquired. It rises
	// from 0 at 0 to 1 at 1; nil means u, an even stream.
	StartUp  func(u float64) float64
	Currency money.Currency // required
	Seed     uint64
	// Describe fills the optional fields of an order, such as Channel or Category; nil leaves them empty. purchase is 0
	// for a customer's first. It must draw random numbers from r alone.
	Describe func(r *rand.Rand, customer, purchase int, t *ledger.Transaction)
}

// Validate returns an error that names the first field that is missing or out of range.
func (s Shop) Validate() error {
	switch {
	case s.Purchases == nil:
		return errors.New("simulate: Purchases is missing")
	case s.Spend == nil:
		return errors.New("simulate: Spend is missing")
	case s.Unit <= 0:
		return fmt.Errorf("simulate: Unit %v: want a positive one, such as clv.Week", s.Unit)
	case s.Customers < 0 || s.First < 0:
		return fmt.Errorf("simulate: %d customers from number %d: negative", s.Customers, s.First)
	case s.Start.IsZero() || !s.End.After(s.Start):
		return fmt.Errorf("simulate: from %v to %v: want an end after the start", s.Start, s.End)
	case !s.Acquired.IsZero() && (s.Acquired.Before(s.Start) || s.Acquired.After(s.End)):
		return fmt.Errorf("simulate: Acquired %v: want a time from Start to End", s.Acquired)
	}
	if _, ok := s.Currency.Digits(); !ok {
		return fmt.Errorf("simulate: Currency %q: want one with a minor unit", s.Currency)
	}
	if err := s.Purchases.Validate(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	if err := s.Spend.Validate(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}

// Name returns the id of customer number n: "c0000042".
func Name(n int) string { return fmt.Sprintf("c%07d", n) }

// Orders returns the orders of all customers, one customer after the other, each in order of time. Amounts are rounded
// to the minor unit, half to even. The stream can be read any number of times and ends with the error of Validate, of
// an amount out of range, or of the context.
func (s Shop) Orders(ctx context.Context) iter.Seq2[ledger.Transaction, error] {
	return func(yield func(ledger.Transaction, error) bool) {
		err := s.Validate()
		for n := s.First; err == nil && n < s.First+s.Customers; n++ {
			if err = ctx.Err(); err == nil {
				err = s.customer(n, yield)
			}
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(ledger.Transaction{}, err)
		}
	}
}

// errStopped tells that the consumer wants no more rows.
var errStopped = errors.New("stopped")

func (s Shop) customer(n int, yield func(ledger.Transaction, error) bool) error {
	r := rand.New(rand.NewPCG(s.Seed, uint64(n)))
	first := s.acquired(r)
	times := append([]float64{0}, s.Purchases.RandTimes(r, float64(s.End.Sub(first))/float64(s.Unit))...)
	spends := s.Spend.RandSpends(r, len(times))
	for i, at := range times {
		amount, err := money.FromFloat(spends[i], s.Currency, money.HalfEven)
		if err != nil {
			return fmt.Errorf("simulate: customer %s: %w", Name(n), err)
		}
		t := ledger.Transaction{Customer: Name(n), At: first.Add(time.Duration(at * float64(s.Unit))), Amount: amount}
		if s.Describe != nil {
			s.Describe(r, n, i, &t)
		}
		if !yield(t, nil) {
			return errStopped
		}
	}
	return nil
}

// acquired draws the time at which a customer comes, by bisection of the start-up curve.
func (s Shop) acquired(r *rand.Rand) time.Time {
	last := s.Acquired
	if last.IsZero() {
		last = s.End
	}
	u := r.Float64()
	if s.StartUp != nil {
		low, high := 0.0, 1.0
		for range 52 {
			if middle := (low + high) / 2; s.StartUp(middle) < u {
				low = middle
			} else {
				high = middle
			}
		}
		u = high
	}
	return s.Start.Add(time.Duration(math.Min(u, 1) * float64(last.Sub(s.Start))))
}
