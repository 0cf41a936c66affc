package experiment

import "math"

// Sequential compares two means at any time, and as often as one likes, by an asymptotic confidence sequence
// (Waudby-Smith and others, Time-uniform central limit theory, Annals of Statistics 2024, equation 9),
//
//	difference -+ se sqrt(2 (n r^2 + 1) / (n r^2) ln(sqrt(n r^2 + 1) / a)),   a = 1 - level, n = n1 + n2
//	r = sqrt((-2 ln a + ln(-2 ln a + 1)) / expected)
//
// All intervals looked at hold together with a probability of level: stop when one leaves out zero, or whenever else.
// They are wider than those of [Welch], least so where n is the expected total number of customers, which is declared
// before the experiment; 0 means 5,000. P is always valid as well: the largest 1 - level at which the interval with the
// same r holds zero.
//
// It returns the errors of Welch, and one if expected is negative or not finite.
func Sequential(control, treatment Sample, expected, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	vc, vt, _, err := pair(control, treatment)
	if err != nil {
		return Effect{}, err
	}
	return sequence(treatment.Mean-control.Mean, vc+vt, control.N+treatment.N, expected, level)
}

// SequentialRelative is [Sequential] for the effect relative to the control, by the delta method as in [WelchRelative].
func SequentialRelative(control, treatment Sample, expected, level float64) (Effect, error) {
	level, err := checkLevel(level)
	if err != nil {
		return Effect{}, err
	}
	if _, _, _, err := pair(control, treatment); err != nil {
		return Effect{}, err
	}
	estimate, v, err := relative(control, treatment)
	if err != nil {
		return Effect{}, err
	}
	e, err := sequence(estimate, v, control.N+treatment.N, expected, level)
	e.Relative = true
	return e, err
}

func sequence(estimate, variance float64, customers int, expected, level float64) (Effect, error) {
	if expected == 0 {
		expected = 5000
	}
	if !(expected > 0 && expected <= math.MaxFloat64) {
		return Effect{}, fail("expected number of customers %v: not a positive number", expected)
	}
	if variance == 0 {
		return Effect{}, fail("%w", ErrNoVariance)
	}
	alpha := 1 - level
	tuning := (-2*math.Log(alpha) + math.Log1p(-2*math.Log(alpha))) / expected
	nr := float64(customers) * tuning
	se := math.Sqrt(variance)
	half := se * math.Sqrt(2*(nr+1)/nr*(0.5*math.Log1p(nr)-math.Log(alpha)))
	z := estimate / se
	p := math.Exp(0.5*math.Log1p(nr) - z*z*nr/(2*(nr+1)))
	return Effect{Estimate: estimate, StdErr: se, Statistic: z, P: min(1, p), Low: estimate - half, High: estimate + half, Level: level, Method: "asymptotic confidence sequence"}, nil
}

// An MSPRT is the mixture sequential probability ratio test of a normal difference with known variance (Robbins, Annals
// of Mathematical Statistics 1970; Johari, Koomen, Pekelis and Walsh, KDD 2017).
type MSPRT struct {
	Ratio float64 `json:"ratio"` // of the likelihoods, mixture over none; stop where it reaches 1/(1-level)
	P     float64 `json:"p"`     // min(1, 1/Ratio); the always-valid p-value of a stream is the least one so far
}

// SequentialRatio returns the test of a difference of means after n customers in each arm,
//
//	Ratio = sqrt(V / (V + n tau2)) exp(n^2 tau2 difference^2 / (2 V (V + n tau2))),   V = 2 variance
//
// where variance is that of one customer's value and tau2 the variance of effects expected before the experiment. Ratio
// is +Inf where it overflows. It returns an error if n, variance or tau2 is not positive.
func SequentialRatio(difference, variance, tau2 float64, n int) (MSPRT, error) {
	if n <= 0 || !(variance > 0 && variance <= math.MaxFloat64) || !(tau2 > 0 && tau2 <= math.MaxFloat64) || !isFinite(difference) {
		return MSPRT{}, fail("difference %v, variance %v, tau2 %v, n %d: not a number or not positive", difference, variance, tau2, n)
	}
	v, m := 2*variance, float64(n)
	log := 0.5*math.Log(v/(v+m*tau2)) + m*tau2/(v+m*tau2)*m*difference*difference/(2*v)
	return MSPRT{math.Exp(log), min(1, math.Exp(-log))}, nil
}
