package churn

import (
	"fmt"
	"math"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// Basis says what a churn rate is a share of and which departures it counts. Rates of different bases are not
// comparable, so every rate carries its own.
type Basis string

// The bases of a churn rate over a window [t0, t1).
const (
	// AtStart: customers present at t0 and not at t1, of those present at t0. Who leaves and comes back within the window
	// has not left, who joins and leaves within it does not count. It is the complement of RetentionRate.
	AtStart Basis = "at start"
	// EventsPerStart: departures in the window, those of customers who joined within it and of those who came back
	// included, per customer present at t0. It may exceed 1.
	EventsPerStart Basis = "events per start"
	// StartPlusNew: departures in the window per customer present at t0 or joining in it.
	StartPlusNew Basis = "start plus new"
	// DailyAverage: departures in the window per customer present at the end of an average day.
	DailyAverage Basis = "daily average"
	// DailySum: the sum over the days of the window of departures on the day of those present when it began, per customer
	// present when it began.
	DailySum Basis = "daily sum"
	// Inactivity: customers who had purchased within a stated time before t0 and have not within that time before t1, of
	// the former.
	Inactivity Basis = "inactivity"
	// Probability: expected departures by a model's probability of being alive, of all customers asked for.
	Probability Basis = "probability"
	// FixedAge: customers who left before a stated age, of those who could have reached it.
	FixedAge Basis = "fixed age"
	// Scored: customers who left, of those in one band of a score.
	Scored Basis = "scored"
)

// IdealRetention is the retention rate a year that practitioners' guides to customer-value metrics call ideal: 80 % or
// more. It is a rule of thumb; no study that fixes the figure is known, and what is good depends on the trade and on the
// window. See Benchmarks.
const IdealRetention = 0.80

// A Benchmark is a threshold that people compare a rate with, and where it comes from.
type Benchmark struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Source string  `json:"source"`
}

// Benchmarks returns the thresholds that this package names. No function applies one by itself.
func Benchmarks() []Benchmark {
	return []Benchmark{
		{"ideal retention", IdealRetention, "practitioners' rule of thumb for the retention rate of a year; no study that fixes it is known"},
	}
}

// A Loss is a churn rate with the counts it is made of.
//
//	Value = Lost / Base
type Loss struct {
	Lost  float64 `json:"lost"`  // customers who left; whole unless weighted or expected
	Base  float64 `json:"base"`  // customers who could have
	Value float64 `json:"value"` // the churn rate, 0.10 meaning 10 %
	Basis Basis   `json:"basis"` // which customers both counts are of
}

// Rate returns the churn rate of a base of customers of whom lost have left: 500 and 50 give 0.10, on the basis AtStart.
//
// It returns an error if a count is negative or if more are lost than there were, and one that wraps
// ledger.ErrUndefined for an empty base.
func Rate(base, lost int) (Loss, error) {
	switch {
	case base < 0 || lost < 0:
		return Loss{}, fmt.Errorf("churn: rate: %d lost of %d: a count is negative", lost, base)
	case lost > base:
		return Loss{}, fmt.Errorf("churn: rate: %d lost of %d: more than there were; customers who joined later are not in the base", lost, base)
	}
	return loss(float64(lost), float64(base), AtStart)
}

// loss is Rate for any basis; departures may exceed the base where the basis says so.
func loss(lost, base float64, basis Basis) (Loss, error) {
	if base == 0 {
		return Loss{}, fmt.Errorf("churn: rate, %s: no customers in the base: %w", basis, ledger.ErrUndefined)
	}
	return Loss{Lost: lost, Base: base, Value: lost / base, Basis: basis}, nil
}

// Retained returns 1 - Value, the share that stayed.
func (l Loss) Retained() float64 { return (l.Base - l.Lost) / l.Base }

// Interval returns the Wilson score interval of the rate at a level such as 0.95. It treats each customer of the base as
// one that leaves or not; for the bases EventsPerStart and DailySum, where a customer can leave more than once, and for
// Probability, whose variance is not a binomial one, it returns an error.
func (l Loss) Interval(level float64) (low, high float64, err error) {
	if l.Basis == EventsPerStart || l.Basis == DailySum || l.Basis == DailyAverage || l.Basis == Probability {
		return 0, 0, fmt.Errorf("churn: rate, %s: not a share of independent customers, so it has no Wilson interval", l.Basis)
	}
	return wilson(l.Lost, l.Base, level)
}

func wilson(part, base, level float64) (low, high float64, err error) {
	if !(level > 0 && level < 1) {
		return 0, 0, fmt.Errorf("churn: level %v: want a number between 0 and 1", level)
	}
	low, high = stat.Wilson(part, base, level)
	if math.IsNaN(low) {
		return 0, 0, fmt.Errorf("churn: interval of %v of %v: %w", part, base, ledger.ErrUndefined)
	}
	return low, high, nil
}

// String returns the rate with its counts, such as "10.0 % (50 of 500, at start)".
func (l Loss) String() string {
	return fmt.Sprintf("%s (%s of %s, %s)", percent(l.Value), number(l.Lost), number(l.Base), l.Basis)
}

// A Share is any other rate of counts: of a retention, a renewal, a satisfied customer.
//
//	Value = Part / Base
type Share struct {
	Part  float64 `json:"part"`  // whole unless weighted
	Base  float64 `json:"base"`  // what it is a part of
	Value float64 `json:"value"` // 0.90 meaning 90 %
}

func share(what string, part, base float64) (Share, error) {
	if base == 0 {
		return Share{}, fmt.Errorf("churn: %s: nothing in the base: %w", what, ledger.ErrUndefined)
	}
	return Share{part, base, part / base}, nil
}

// Interval returns the Wilson score interval of the share at a level such as 0.95.
func (s Share) Interval(level float64) (low, high float64, err error) {
	return wilson(s.Part, s.Base, level)
}

// String returns the share with its counts, such as "90.0 % (450 of 500)".
func (s Share) String() string {
	return fmt.Sprintf("%s (%s of %s)", percent(s.Value), number(s.Part), number(s.Base))
}

// Retention returns the customer retention rate (CRR) of a window with its counts:
//
//	(end - new) / start
//
// Start is the number of customers when the window begins, end when it ends, and new the number of those at the end who
// were not there at the start. That is the only reading of new under which the formula is right: customers who came back
// after they had left earlier are new in this sense, and those who joined and left again within the window are in
// neither number.
//
// It returns an error if a count is negative, if new exceeds end, or if end - new exceeds start, which proves that new
// leaves somebody out; and one that wraps ledger.ErrUndefined if start is 0.
func Retention(start, end, new int) (Share, error) {
	const what = "churn: retention"
	switch {
	case start < 0 || end < 0 || new < 0:
		return Share{}, fmt.Errorf("%s: start %d, end %d, new %d: a count is negative", what, start, end, new)
	case new > end:
		return Share{}, fmt.Errorf("%s: %d new of %d at the end: new counts only customers who are there at the end, not all who joined in the window", what, new, end)
	case end-new > start:
		return Share{}, fmt.Errorf("%s: %d at the end without %d new are %d, more than the %d at the start: "+
			"new must count everybody at the end who was not there at the start, customers who came back included", what, end, new, end-new, start)
	}
	return share("retention", float64(end-new), float64(start))
}

// RetentionRate returns the value of Retention as a plain number: 500 customers at the start, 550 at the end of whom 100
// are new give 0.90. Its errors are those of Retention. Compare it with IdealRetention where that is what you go by.
func RetentionRate(start, end, new int) (float64, error) {
	s, err := Retention(start, end, new)
	return s.Value, err
}

// RenewalRate returns the share of the contracts due that were renewed: 45 of 50 give 0.90. Renewals has the same from
// single contracts, with value and timing.
//
// It returns an error if a count is negative or renewed exceeds due, and one that wraps ledger.ErrUndefined if nothing
// was due.
func RenewalRate(renewed, due int) (Share, error) {
	if renewed < 0 || renewed > due {
		return Share{}, fmt.Errorf("churn: renewal rate: %d renewed of %d due", renewed, due)
	}
	return share("renewal rate", float64(renewed), float64(due))
}

// An ExpectedLoss is the churn rate that a model expects.
type ExpectedLoss struct {
	Loss           // Lost is the sum of the probabilities of having left; Basis is Probability
	StdErr float64 `json:"std_err"` // of Value, from chance alone: customers leave independently with the given probabilities
}

// ExpectedRate returns the churn rate of customers who do not tell that they leave, from a model's probability that each
// is still a customer:
//
//	Lost = sum (1 - alive)    StdErr = sqrt(sum alive (1 - alive)) / n
//
// The uncertainty of the model itself is not in StdErr. A customer listed twice counts twice.
//
// It returns an error that names the customer if a probability is not between 0 and 1, and one that wraps
// ledger.ErrUndefined for no customers.
func ExpectedRate(customers []string, alive func(customer string) float64) (ExpectedLoss, error) {
	var lost, variance float64
	for i, c := range customers {
		p := alive(c)
		if !(p >= 0 && p <= 1) {
			return ExpectedLoss{}, rowError(i+1, "alive", fmt.Sprintf("%s: %v", c, p), errProbability)
		}
		lost += 1 - p
		variance += float64(p * (1 - p))
	}
	l, err := loss(lost, float64(len(customers)), Probability)
	if err != nil {
		return ExpectedLoss{}, err
	}
	return ExpectedLoss{l, math.Sqrt(variance) / l.Base}, nil
}
