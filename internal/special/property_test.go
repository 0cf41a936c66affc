package special

import (
	"math"
	"math/rand/v2"
	"testing"
)

// logUniform returns numbers from 10^lo to 10^hi.
func logUniform(r *rand.Rand, lo, hi float64) float64 { return math.Pow(10, lo+(hi-lo)*r.Float64()) }

// dyadic rounds up to a multiple of 2^−20, so that sums are exact.
func dyadic(x float64) float64 { return math.Ceil(math.Ldexp(x, 20)) / (1 << 20) }

// check fails unless got and want differ by less than tol of the larger of |want| and scale.
func check(t *testing.T, what string, got, want, scale, tol float64, args ...float64) {
	t.Helper()
	if d := math.Abs(got - want); !(d <= tol*math.Max(math.Abs(want), scale)) {
		t.Errorf("%s at %v: got %.17g, want %.17g (difference %.2g)", what, args, got, want, d)
	}
}

func TestIdentities(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		x := logUniform(r, -6, 6)
		check(t, "ψ(x+1) = ψ(x) + 1/x", Digamma(x+1)-1/x, Digamma(x), 1+1/x, 1e-15, x)
		check(t, "ψ'(x+1) = ψ'(x) − 1/x²", Trigamma(x+1)+1/x/x, Trigamma(x), 0, 1e-15, x)
		u := r.Float64() / 2
		check(t, "reflection of ψ'", Trigamma(1-u)+Trigamma(u), math.Pow(math.Pi/math.Sin(math.Pi*u), 2), 0, 1e-14, u)

		a, b := logUniform(r, -3, 5), logUniform(r, -3, 5)
		m, n := logUniform(r, -4, 4), logUniform(r, -4, 4)
		lm, ln := LogGammaRatio(a, m), LogGammaRatio(a+m, n)
		check(t, "additivity of LogGammaRatio", LogGammaRatio(a, m+n), lm+ln, math.Abs(lm)+math.Abs(ln)+m+n, 3e-15, a, m, n)
		check(t, "additivity of DigammaDiff", DigammaDiff(a, m+n), DigammaDiff(a, m)+DigammaDiff(a+m, n), 0, 3e-15, a, m, n)
		check(t, "additivity of TrigammaDiff", TrigammaDiff(a, m+n), TrigammaDiff(a, m)+TrigammaDiff(a+m, n), 0, 3e-15, a, m, n)
		h := 1e-4 * a
		check(t, "DigammaDiff is the derivative", (LogGammaRatio(a+h, n)-LogGammaRatio(a-h, n))/(2*h), DigammaDiff(a, n), math.Abs(LogGammaRatio(a, n)/a), 1e-7, a, n)

		check(t, "symmetry of LogBeta", LogBeta(a, b), LogBeta(b, a), 0, 1e-15, a, b)
		check(t, "B(a+1,b) + B(a,b+1) = B(a,b)", LogAddExp(LogBetaRatio(a, b, 1, 0), LogBetaRatio(a, b, 0, 1)), 0, 1, 1e-15, a, b)
		a, b, m, n = dyadic(a), dyadic(b), dyadic(m), dyadic(n)
		check(t, "LogBetaRatio to and fro", LogBetaRatio(a, b, m, n), -LogBetaRatio(a+m, b+n, -m, -n), 0, 3e-15, a, b, m, n)

		x = r.Float64()
		p, q := LogIncBeta(a, b, x), LogIncBetaComplement(a, b, x)
		check(t, "I + (1−I) = 1", LogAddExp(p, q), 0, 1, 1e-13, a, b, x)
		// I_x(a,b) = I_x(a+1,b) + x^a (1−x)^b / (a B(a,b))
		step := betaPower(a, b, x, 1-x) - math.Log(a)
		check(t, "recurrence of I", LogAddExp(LogIncBeta(a+1, b, x), step), p, 1, 1e-13, a, b, x)

		s := 12 * (r.Float64() - 0.7)
		a = logUniform(r, -1, 2)
		check(t, "J(a,b) = J(a+1,b) + J(a,b+1)", LogAddExp(LogBetaInt(a+1, s, x), LogBetaInt(a, s+1, x)), LogBetaInt(a, s, x), 1, 2e-14, a, s, x)

		g := logUniform(r, -4, 3)
		check(t, "P + Q = 1", LogAddExp(LogGammaP(a, g), LogGammaQ(a, g)), 0, 1, 1e-14, a, g)
		// Γ(a+1,x) = a Γ(a,x) + x^a e^−x
		check(t, "recurrence of Γ(a,x)", LogAddExp(math.Log(a)+LogUpperGammaScaled(a, g), a*math.Log(g)), LogUpperGammaScaled(a+1, g), 1, 2e-14, a, g)
		check(t, "recurrence of Γ(−a,x)", LogAddExp(math.Log(a)+LogUpperGammaScaled(-a, g), LogUpperGammaScaled(1-a, g)), -a*math.Log(g), 1, 2e-14, a, g)
	}
}

func TestHypergeometricIdentities(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		a, b, c, z := logUniform(r, -1, 1.5), logUniform(r, -1, 1.5), logUniform(r, -1, 1.5), r.Float64()
		v := LogHyp2F1(a, b, c, z)
		check(t, "symmetry", LogHyp2F1(b, a, c, z), v, 0, 1e-15, a, b, c, z)
		check(t, "rises with z", LogHyp2F1(a, b, c, z*0.999), v-math.Min(v, 1e-12), v, 1, a, b, c, z)
		// Gauss's contiguous relation (c−a) F(a−1) + (a−b)(1−z) F... in the positive form
		// F(a,b;c) = F(a,b;c+1) + (ab/(c(c+1))) z F(a+1,b+1;c+2)
		w := LogAddExp(LogHyp2F1(a, b, c+1, z), math.Log(a*b/(c*(c+1))*z)+LogHyp2F1(a+1, b+1, c+2, z))
		check(t, "contiguous in c", w, v, 1, 5e-13, a, b, c, z)
		if c > a && c > b {
			lz := math.Log1p(-z)
			check(t, "Euler", (c-a-b)*lz+LogHyp2F1(c-a, c-b, c, z), v, math.Abs((c-a-b)*lz)+1, 5e-13, a, b, c, z)
		}
		y := logUniform(r, -5, 5)
		check(t, "ln(1+y)/y", LogHyp2F1Neg(1, 1, 2, y), math.Log(math.Log1p(y)/y), 1, 1e-14, y)
		check(t, "binomial", LogHyp2F1Neg(a, b, b, y), -a*math.Log1p(y), 0, 1e-13, a, b, y)
		check(t, "binomial, 1−z", LogHyp2F1(a, b, b, z), -a*math.Log1p(-z), 0, 1e-15, a, b, z)
		check(t, "Γ(1−s,z) at integers", LogTricomi(math.Ceil(a), math.Ceil(a), y), LogTricomi(math.Ceil(a)*(1+1e-13), math.Ceil(a)*(1+1e-13), y), 1, 1e-11, a, y)
	}
}

// TestGaussAtOne approaches Gauss's sum at z = 1.
func TestGaussAtOne(t *testing.T) {
	for _, x := range [][3]float64{{0.5, 0.7, 3}, {2, 3, 9.5}, {1, 4, 7}, {20, 30, 70}} {
		check(t, "z = 1", LogHyp2F1C(x[0], x[1], x[2], 1, 1e-18), LogHyp2F1(x[0], x[1], x[2], 1), 0, 1e-13, x[:]...)
		want := lgamma(x[2]) + lgamma(x[2]-x[0]-x[1]) - lgamma(x[2]-x[0]) - lgamma(x[2]-x[1])
		check(t, "Gauss's sum", LogHyp2F1(x[0], x[1], x[2], 1), want, 0, 1e-13, x[:]...)
	}
}

func TestLogs(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name      string
		got, want float64
	}{
		{"LogAddExp", LogAddExp(1000, 1000), 1000 + math.Ln2},
		{"LogAddExp of zero", LogAddExp(-inf, 3), 3},
		{"LogAddExp of zeros", LogAddExp(-inf, -inf), -inf},
		{"LogAddExp of infinities", LogAddExp(inf, inf), inf},
		{"LogAddExp of NaN", LogAddExp(nan, 3), nan},
		{"LogSubExp", LogSubExp(1000+math.Ln2, 1000), 1000.0000000000001},
		{"LogSubExp of equals", LogSubExp(5, 5), -inf},
		{"LogSubExp below zero", LogSubExp(1, 2), nan},
		{"LogSubExp of nothing", LogSubExp(1, -inf), 1},
		{"LogSumExp", LogSumExp([]float64{-1000, -1000, -1000}), -1000 + math.Log(3)},
		{"LogSumExp of nothing", LogSumExp(nil), -inf},
		{"LogSumExp of infinity", LogSumExp([]float64{1, inf}), inf},
		{"LogSumExp of NaN", LogSumExp([]float64{1, nan, inf}), nan},
		{"Log1mExp near 0", Log1mExp(-1e-20), math.Log(1e-20)},
		{"Log1mExp far", Log1mExp(-100), -math.Exp(-100)},
		{"Log1mExp of 0", Log1mExp(0), -inf},
		{"Log1mExp of -Inf", Log1mExp(-inf), 0},
		{"Log1mExp above", Log1mExp(1), nan},
		{"Expm1Ratio", Expm1Ratio(0), 1},
		{"Expm1Ratio near 0", Expm1Ratio(1e-18), 1},
		{"Expm1Ratio at 1", Expm1Ratio(1), math.E - 1},
		{"Expm1Ratio at -Inf", Expm1Ratio(-inf), 0},
		{"Expm1Ratio at +Inf", Expm1Ratio(inf), inf},
		{"LogExpm1Ratio", LogExpm1Ratio(2000), 2000 - math.Log(2000)},
		{"LogExpm1Ratio below", LogExpm1Ratio(-2000), -math.Log(2000)},
		{"LogExpm1Ratio at 1", LogExpm1Ratio(1), math.Log(math.E - 1)},
		{"LogExpm1Ratio near 0", LogExpm1Ratio(1e-9), 0.5e-9 + 1e-18/24},
		{"LogExpm1Ratio at 0.4", LogExpm1Ratio(0.4), math.Log(math.Expm1(0.4) / 0.4)},
	}
	for _, tt := range tests {
		if math.IsNaN(tt.got) != math.IsNaN(tt.want) || !math.IsNaN(tt.want) && tt.got != tt.want && !(math.Abs(tt.got-tt.want) <= 2e-15*math.Abs(tt.want)) {
			t.Errorf("%s: got %.17g, want %.17g", tt.name, tt.got, tt.want)
		}
	}
}

func TestSpecialCases(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name      string
		got, want float64
	}{
		{"Digamma(0)", Digamma(0), -inf},
		{"Digamma(-1)", Digamma(-1), nan},
		{"Digamma(+Inf)", Digamma(inf), inf},
		{"Trigamma(0)", Trigamma(0), inf},
		{"Trigamma(-1)", Trigamma(-1), nan},
		{"Trigamma(+Inf)", Trigamma(inf), 0},
		{"Trigamma of the least", Trigamma(5e-324), inf},
		{"LogGammaRatio at n = 0", LogGammaRatio(2, 0), 0},
		{"LogGammaRatio at n = +Inf", LogGammaRatio(2, inf), inf},
		{"LogGammaRatio at n < 0", LogGammaRatio(2, -1), nan},
		{"LogGammaRatio at a = 0", LogGammaRatio(0, 1), nan},
		{"DigammaDiff at n = 0", DigammaDiff(2, 0), 0},
		{"DigammaDiff at a = 0", DigammaDiff(0, 1), inf},
		{"TrigammaDiff at a = 0", TrigammaDiff(0, 1), -inf},
		{"TrigammaDiff at n = +Inf", TrigammaDiff(1, inf), -Trigamma(1)},
		{"TrigammaDiff of large a at n = +Inf", TrigammaDiff(100, inf), -Trigamma(100)},
		{"LogBeta at 0", LogBeta(0, 1), inf},
		{"LogBeta at -1", LogBeta(-1, 1), nan},
		{"LogBeta at +Inf", LogBeta(1, inf), -inf},
		{"LogBetaRatio beyond", LogBetaRatio(1, 1, -1, 0), nan},
		{"LogBetaRatio of nothing", LogBetaRatio(1, 1, 0, 0), 0},
		{"LogIncBeta at 0", LogIncBeta(2, 3, 0), -inf},
		{"LogIncBeta at 1", LogIncBeta(2, 3, 1), 0},
		{"LogIncBeta at 2", LogIncBeta(2, 3, 2), nan},
		{"LogIncBeta of a = 0", LogIncBeta(0, 3, 0.5), nan},
		{"LogIncBetaComplement at 0", LogIncBetaComplement(2, 3, 0), 0},
		{"RegIncBeta at 0", RegIncBeta(2, 3, 0), 0},
		{"RegIncBeta at 1", RegIncBeta(2, 3, 1), 1},
		{"LogBetaInt at 0", LogBetaInt(2, -3, 0), -inf},
		{"LogBetaInt at 1", LogBetaInt(2, -3, 1), inf},
		{"LogBetaInt at 1, b = 0", LogBetaInt(2, 0, 1), inf},
		{"LogBetaInt at 1, b > 0", LogBetaInt(1, 4, 1), -math.Log(4)},
		{"LogBetaInt of a = 0", LogBetaInt(0, 1, 0.5), nan},
		{"LogHyp2F1 at 0", LogHyp2F1(1, 2, 3, 0), 0},
		{"LogHyp2F1 at 1, infinite", LogHyp2F1(1, 2, 3, 1), inf},
		{"LogHyp2F1 at 1, finite", LogHyp2F1(1, 2, 4, 1), math.Log(3)},
		{"LogHyp2F1 below 0", LogHyp2F1(1, 2, 3, -0.1), nan},
		{"LogHyp2F1 of a < 0", LogHyp2F1(-1, 2, 3, 0.1), nan},
		{"LogHyp2F1 of a = 0", LogHyp2F1(0, 2, 3, 0.1), 0},
		{"LogHyp2F1Neg at 0", LogHyp2F1Neg(1, 2, 3, 0), 0},
		{"LogHyp2F1Neg of small c", LogHyp2F1Neg(4, 5, 3, 1), nan},
		{"LogGammaP at 0", LogGammaP(1, 0), -inf},
		{"LogGammaP at +Inf", LogGammaP(1, inf), 0},
		{"LogGammaQ at 0", LogGammaQ(1, 0), 0},
		{"LogGammaQ at +Inf", LogGammaQ(1, inf), -inf},
		{"LogGammaQ of a = 0", LogGammaQ(0, 1), nan},
		{"LogUpperGammaScaled at 0", LogUpperGammaScaled(0, 0), inf},
		{"LogUpperGammaScaled at 0, a = 1", LogUpperGammaScaled(1, 0), 0},
		{"LogUpperGammaScaled below 0", LogUpperGammaScaled(1, -1), nan},
		{"LogTricomi at 0", LogTricomi(1, 1, 0), inf},
		{"LogTricomi at 0, finite", LogTricomi(1, 0.5, 0), lgamma(0.5) - lgamma(1.5)},
		{"LogTricomi of a = 0", LogTricomi(0, 1, 1), nan},
	}
	for _, tt := range tests {
		if math.IsNaN(tt.got) != math.IsNaN(tt.want) || !math.IsNaN(tt.want) && tt.got != tt.want && !(math.Abs(tt.got-tt.want) <= 1e-15*math.Abs(tt.want)) {
			t.Errorf("%s: got %.17g, want %.17g", tt.name, tt.got, tt.want)
		}
	}
}

// TestGarbage runs every function over extreme and meaningless arguments: each returns, and without a panic.
func TestGarbage(t *testing.T) {
	values := []float64{math.NaN(), math.Inf(-1), -1, 0, 5e-324, 1e-300, 1e-8, 0.5, 1 - 1e-16, 1, 2, 1e5, 1e12, 1e300, math.Inf(1)}
	for _, g := range goldenFuncs {
		x := make([]float64, len(g.args))
		var fill func(i int)
		fill = func(i int) {
			if i == len(x) {
				g.f(x)
				return
			}
			for _, v := range values {
				x[i] = v
				fill(i + 1)
			}
		}
		if len(x) < 4 {
			fill(0)
			continue
		}
		r := rand.New(rand.NewPCG(5, 6))
		for range 3000 {
			for i := range x {
				x[i] = values[r.IntN(len(values))]
			}
			if k := len(x) - 1; r.IntN(4) > 0 && g.args[k] != "z" {
				x[k] = 1 - x[k-1] // a complement
			}
			g.f(x)
		}
	}
}
