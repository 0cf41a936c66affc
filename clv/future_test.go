package clv

import "testing"

// The values for (39, 78] agree with a simulation and come from an integral over p with 40 digits.
func TestIntervalPMFValues(t *testing.T) {
	m := BGNBD{.2426, 4.4136, .7929, 2.4259}
	check(t, []checked{
		{"P(0 in (39,78])", m.IntervalPMF(0, 39, 78), .754243956129, 1e-11},
		{"P(1 in (39,78])", m.IntervalPMF(1, 39, 78), .121859886202, 1e-11},
		{"P(2 in (39,78])", m.IntervalPMF(2, 39, 78), .0479402846872, 1e-11},
	})
}
