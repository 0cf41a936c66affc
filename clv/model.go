package clv

import "math/rand/v2"

// A Model is a repeat-purchase model in continuous time. All of its methods are safe for concurrent use. The float
// methods return NaN for invalid parameters, for a History that does not validate and for a time or rate out of range.
type Model interface {
	// Validate returns an error that names the first parameter outside the model's domain.
	Validate() error
	// Kind is the name of the model in stored estimates, such as "bgnbd".
	Kind() string
	// LogLikelihood returns the natural log of the density of one customer's history; Count is not applied.
	LogLikelihood(h History) float64
	// ProbAlive returns the probability that the customer is still a customer at T.
	ProbAlive(h History) float64
	// ExpectedPurchases returns the expected number of purchases in (T, T+t].
	ExpectedPurchases(h History, t float64) float64
	// NewCustomerPurchases returns the expected number of repeat purchases in (0, t] of a new customer.
	NewCustomerPurchases(t float64) float64
	// PMF returns the probability that a new customer makes n repeat purchases in (0, t].
	PMF(n int, t float64) float64
	// DERT returns the discounted expected residual purchases at the continuous rate delta a unit.
	DERT(h History, delta float64) float64
	// Rand draws the history of a new customer observed for T units.
	Rand(r *rand.Rand, T float64) History
	// RandTimes draws the times of the repeat purchases of a new customer in (0, T].
	RandTimes(r *rand.Rand, T float64) []float64
}
