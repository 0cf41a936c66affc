package clv

import "testing"

// The values come from computations with 60 digits, by hypergeometric functions and by quadrature of the definition.
func TestParetoNBDValues(t *testing.T) {
	cdnow := ParetoNBD{.5533971, 10.5801985, .6060625, 11.6562237}
	c1516 := History{X: 26, TX: 30.857142857, T: 31}
	dert := ParetoNBD{.5629966, 12.5590370, .4081095, 10.5148048}
	five := History{X: 5, TX: 30, T: 40}
	late := History{X: 5, TX: 90, T: 100}
	one, two := ParetoNBD{.55, 10.6, 1, 11.7}, ParetoNBD{.55, 10.6, 2, 11.7}
	check(t, []checked{
		{"E[X(52)]", cdnow.NewCustomerPurchases(52), 1.473112578, 1e-9},
		{"ln L of customer 1516", cdnow.LogLikelihood(c1516), -39.1320434852, 1e-11},
		{"P(alive) of customer 1516", cdnow.ProbAlive(c1516), .997873408203, 1e-11},
		{"E[purchases in 52] of customer 1516", cdnow.ExpectedPurchases(c1516, 52), 25.4541832312, 1e-11},
		{"P(alive) of a silent customer", ParetoNBD{.553277043, 10.5776834, .60623999, 11.6687354}.ProbAlive(History{T: 39}), .294276310816939, 1e-13},
		{"ln L of two purchases", cdnow.LogLikelihood(History{X: 2, TX: 30.43, T: 38.86}), -9.554466091361, 1e-12},
		{"DERT", dert.DERT(History{X: 7, TX: 35, T: 77.86}, .0027), 1.86418332807, 1e-11},
		{"ln L of x=200", ParetoNBD{.55, 10.6, .6, 11.7}.LogLikelihood(History{X: 200, TX: 90, T: 100}), -70.2241479987, 1e-11},
		{"P(alive) of x=200", ParetoNBD{.55, 10.6, .6, 11.7}.ProbAlive(History{X: 200, TX: 90, T: 100}), 1.784632471e-6, 1e-9},
		{"ln L of alpha above beta", ParetoNBD{1.2, 1000, .6, .01}.LogLikelihood(late), -35.3732681244, 1e-11},
		{"ln L of beta above alpha", ParetoNBD{1.2, .01, .6, 1e5}.LogLikelihood(late), -28.8617220694, 1e-11},
		{"s=1 expected", one.ExpectedPurchases(five, 52), 2.66757978608, 1e-11},
		{"s=1 DERT", one.DERT(five, .0027), 6.72753921632, 1e-11},
		{"s=2 expected", two.ExpectedPurchases(five, 52), 1.35605018768, 1e-11},
		{"s=2 DERT", two.DERT(five, .0027), 2.04163158107, 1e-11},
		{"ln L of far apart parameters", ParetoNBD{1.2, .001, 3, 1e4}.LogLikelihood(History{X: 50, TX: .5, T: 100}), 163.73, 1e-4},
	})
}

func TestParetoNBDGolden(t *testing.T) {
	checkGolden(t, "testdata/paretonbd.json", func(arg func(string) float64) ParetoNBD {
		return ParetoNBD{arg("r"), arg("alpha"), arg("s"), arg("beta")}
	})
}

func TestParetoNBDDerivatives(t *testing.T) {
	checkDerivatives(t, 4, true, sumParetoNBD, func(theta []float64, h History) float64 {
		return ParetoNBD{theta[0], theta[1], theta[2], theta[3]}.LogLikelihood(h)
	})
}
