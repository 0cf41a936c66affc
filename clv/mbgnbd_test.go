package clv

import (
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// A checked value is one that a model must give within a relative tolerance.
type checked struct {
	name           string
	got, want, tol float64
}

func check(t *testing.T, values []checked) {
	t.Helper()
	for _, c := range values {
		if !golden.Close(c.got, c.want, c.tol) {
			t.Errorf("%s = %.15g, want %.15g", c.name, c.got, c.want)
		}
	}
}

// checkGolden holds a model against a file of values of its definition, the log-likelihood relative to its size or 1.
func checkGolden[M Model](t *testing.T, file string, model func(arg func(string) float64) M) {
	t.Helper()
	for _, row := range golden.Load(t, file).Rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		m := model(arg)
		h := History{X: int(arg("x")), TX: arg("tx"), T: arg("T"), LogGaps: arg("gaps")}
		if _, ok := row.Want["ln_l"]; ok {
			want := float64(row.Want["ln_l"])
			if got := m.LogLikelihood(h); !(math.Abs(got-want) <= row.Tolerance*max(1, math.Abs(want))) {
				t.Errorf("%s: ln L = %.15g, want %.15g", row.Name, got, want)
			}
		}
		for name, f := range map[string]func() float64{
			"alive":    func() float64 { return m.ProbAlive(h) },
			"expected": func() float64 { return m.ExpectedPurchases(h, arg("t")) },
			"dert":     func() float64 { return m.DERT(h, arg("delta")) },
			"new":      func() float64 { return m.NewCustomerPurchases(arg("t")) },
			"pmf":      func() float64 { return m.PMF(int(arg("n")), arg("t")) },
		} {
			if _, ok := row.Want[name]; ok {
				row.Check(t, name, f())
			}
		}
	}
}

// Independent computations with 40 digits, and the printed digits of the closed form.
func TestMBGNBDValues(t *testing.T) {
	m := MBGNBD{0.5248435586, 6.1830928451, 0.8913877802, 1.6140483344}
	two := History{X: 2, TX: 30.4285714, T: 38.8571429}
	check(t, []checked{
		{"E[purchases in 39 | 2, 30.43, 38.86]", m.ExpectedPurchases(two, 39), 1.26274696187, 2e-8},
		{"DERT of a silent customer", m.DERT(History{T: 38.8571429}, .0027), 0.72249850690504, 1e-10},
		{"DERT of two purchases", m.DERT(two, .0027), 4.9108795465048, 1e-10},
		{"P(alive) at once", MBGNBD{1, 1, 1, 3}.ProbAlive(History{}), 0.75, 1e-15},
	})
}

func TestMBGNBDGolden(t *testing.T) {
	checkGolden(t, "testdata/mbgnbd.json", func(arg func(string) float64) MBGNBD {
		return MBGNBD{arg("r"), arg("alpha"), arg("a"), arg("b")}
	})
}

func TestMBGNBDDerivatives(t *testing.T) {
	checkDerivatives(t, 4, true, cnbd{k: 1, first: 1}.sum, func(theta []float64, h History) float64 {
		return MBGNBD{theta[0], theta[1], theta[2], theta[3]}.LogLikelihood(h)
	})
}

func TestNBDValues(t *testing.T) {
	m := NBD{0.5533971, 10.5801985}
	two := History{X: 2, TX: 30.43, T: 38.86}
	check(t, []checked{
		{"ln L of two purchases", m.LogLikelihood(two), -8.8059792797018, 1e-13},
		{"E[purchases in 39]", m.ExpectedPurchases(two, 39), 39 * 2.5533971 / 49.4401985, 1e-15},
		{"E[X(52)]", m.NewCustomerPurchases(52), 52 * 0.5533971 / 10.5801985, 1e-15},
		{"P(alive)", m.ProbAlive(two), 1, 1e-15},
		{"DERT", m.DERT(two, 0.01), 100 * 2.5533971 / 49.4401985, 1e-15},
		{"DERT without discount", m.DERT(two, 0), math.Inf(1), 1e-15},
		// The count form is the timing form times T^x/x!.
		{"P(X(38.86)=2)", m.PMF(2, 38.86), math.Exp(m.LogLikelihood(two) + 2*math.Log(38.86) - math.Log(2)), 1e-13},
	})
}

func TestNBDGolden(t *testing.T) {
	checkGolden(t, "testdata/nbd.json", func(arg func(string) float64) NBD { return NBD{arg("r"), arg("alpha")} })
}

func TestNBDDerivatives(t *testing.T) {
	checkDerivatives(t, 2, true, sumNBD, func(theta []float64, h History) float64 {
		return NBD{theta[0], theta[1]}.LogLikelihood(h)
	})
}
