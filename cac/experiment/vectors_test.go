package experiment_test

import (
	"math"
	"testing"

	"github.com/custval/custval/cac/experiment"
)

var (
	rawX = []float64{12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15}
	rawY = []float64{20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18}
	preX = []float64{10, 0, 25, 40, 5, 15, 20, 50, 0, 12}
	preY = []float64{14, 2, 24, 41, 9, 16, 22, 55, 1, 11}
)

func sample(t testing.TB, values []float64) experiment.Sample {
	t.Helper()
	s, err := experiment.SampleOf(values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sums(t testing.TB, n int, sum, squares float64) experiment.Sample {
	t.Helper()
	s, err := experiment.SampleOfSums(n, sum, squares)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// same fails unless got agrees with want to so many digits after the point, those printed.
func same(t *testing.T, name string, got, want float64, digits int) {
	t.Helper()
	if !(math.Abs(got-want) <= 0.51*math.Pow10(-digits)) || want != 0 && got == 0 {
		t.Errorf("%s = %.12g, want %.12g", name, got, want)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The sums are those of a public test of GrowthBook's statistics engine, the results computed independently with scipy.
func TestWelchOfSums(t *testing.T) {
	a, b := sums(t, 3407, 1396.87, 52377.9767), sums(t, 3461, 2422.70, 134698.29)
	e := must[experiment.Effect](t)(experiment.Welch(a, b, 0))
	same(t, "difference", e.Estimate, .29, 12)
	same(t, "se", e.StdErr, .12478363158758794, 14)
	same(t, "t", e.Statistic, 2.3240227609215203, 12)
	same(t, "df", e.DF, 5841.742032093565, 9)
	same(t, "p", e.P, .020158402643586957, 13)
	same(t, "low", e.Low, .04537789255929009, 13)
	same(t, "high", e.High, .5346221074407098, 13)
	e = must[experiment.Effect](t)(experiment.WelchRelative(a, b, 0))
	same(t, "relative", e.Estimate, .7073170731707317, 13)
	same(t, "relative se", e.StdErr, .3787943616681428, 13)
	same(t, "relative p", e.P, .06191182745618358, 13)
	same(t, "relative low", e.Low, -.03526008906611777, 13)
	same(t, "relative high", e.High, 1.449894235407581, 12)
}

func TestSequentialOfSums(t *testing.T) {
	a, b := sums(t, 3000, 1396.87, 52377.9767), sums(t, 3461, 2422.70, 134698.29)
	e := must[experiment.Effect](t)(experiment.SequentialRelative(a, b, 1000, 0))
	same(t, "relative", e.Estimate, .50336109, 8)
	same(t, "low", e.Low, -.55844051, 8)
	same(t, "high", e.High, 1.56516268, 8)
	same(t, "p", e.P, 1, 12)
	c, d := experiment.Rate{Conversions: 1396, Customers: 3000}, experiment.Rate{Conversions: 2422, Customers: 3461}
	e = must[experiment.Effect](t)(experiment.SequentialRelative(c.Sample(), d.Sample(), 0, 0))
	same(t, "low", e.Low, .40097850, 8)
	same(t, "high", e.High, .60674821, 8)
	// the p-value is the level at which the interval with the same tuning would touch zero
	e = must[experiment.Effect](t)(experiment.Sequential(sums(t, 3407, 1396.87, 52377.9767), b, 0, 0))
	n := 3407. + 3461
	r := (-2*math.Log(.05) + math.Log(1-2*math.Log(.05))) / 5000
	half := e.StdErr * math.Sqrt(2*(n*r+1)/(n*r)*math.Log(math.Sqrt(n*r+1)/e.P))
	if e.P < 1 {
		same(t, "half width at p", half, math.Abs(e.Estimate), 12)
	}
}

func TestWelchOfValues(t *testing.T) {
	e := must[experiment.Effect](t)(experiment.Welch(sample(t, rawX), sample(t, rawY), 0))
	same(t, "difference", e.Estimate, 6.15, 12)
	same(t, "t", e.Statistic, .6318706213485722, 13)
	same(t, "df", e.DF, 17.594316311924498, 12)
	same(t, "p", e.P, .5355961958933745, 13)
}

func TestCUPEDOfValues(t *testing.T) {
	a := must[experiment.Adjustment](t)(experiment.CUPED(experiment.Paired{Values: rawX, Before: preX}, experiment.Paired{Values: rawY, Before: preY}, 0))
	same(t, "theta", a.Theta, 1.2896113019044642, 13)
	same(t, "difference", a.Estimate, 3.828699656571967, 12)
	same(t, "se", a.StdErr, 1.147953253075627, 12)
	same(t, "p", a.P, .003683171788137823, 13)
	same(t, "low", a.Low, 1.4169391977248718, 12)
	same(t, "high", a.High, 6.2404601154190615, 12)
}

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		x, n      int
		low, high float64
	}{
		{81, 263, .2552885198782742, .36620957698280004}, {15, 148, .0623863995307363, .16048724172330803},
		{0, 20, 0, .16112515805281938}, {10, 10, .7224672001371107, 1},
	} {
		low, high, err := experiment.Rate{Conversions: c.x, Customers: c.n}.Interval(0)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "low", low, c.low, 14)
		same(t, "high", high, c.high, 14)
	}
}

// Newcombe (Statistics in Medicine 1998), method 10; further digits and the last row by statsmodels.
func TestNewcombeIntervals(t *testing.T) {
	for _, c := range []struct{ x1, n1, x2, n2, d, low, high float64 }{
		{56, 70, 48, 80, .2, .05243147240236498, .333872654036906},
		{9, 10, 3, 10, .6, .17052272393450302, .8090179735354881},
		{5, 56, 0, 29, 5. / 56, -.03813714790353688, .19256001385511162},
		{0, 10, 0, 20, 0, -.16112515805281938, .2775327998628892},
		{10, 10, 0, 20, 1, .6790860371419147, 1},
		{250, 10000, 200, 10000, .005, .0008870475992941457, .009138266721419232},
	} {
		e := must[experiment.Effect](t)(experiment.Newcombe(experiment.Rate{Conversions: int(c.x2), Customers: int(c.n2)}, experiment.Rate{Conversions: int(c.x1), Customers: int(c.n1)}, 0))
		same(t, "difference", e.Estimate, c.d, 15)
		same(t, "low", e.Low, c.low, 13)
		same(t, "high", e.High, c.high, 13)
	}
}

func TestRatesByHand(t *testing.T) {
	a, b := experiment.Rate{Conversions: 200, Customers: 10000}, experiment.Rate{Conversions: 250, Customers: 10000}
	e := must[experiment.Effect](t)(experiment.PooledZ(a, b, 0))
	same(t, "z", e.Statistic, 2.3839951328405053, 12)
	same(t, "p", e.P, .01712582887219501, 14)

	small := must[[]experiment.Belief](t)(experiment.Beliefs(experiment.Beta{}, experiment.Rate{Conversions: 3, Customers: 10}, experiment.Rate{Conversions: 6, Customers: 10}))
	same(t, "P(B>A)", small[1].ProbBest, .9008097165991903, 13)
	same(t, "expected loss", small[1].ExpectedLoss, .00937205545833885, 14)
	large := must[[]experiment.Belief](t)(experiment.Beliefs(experiment.Beta{Alpha: 1, Beta: 1}, a, b))
	same(t, "P(B>A)", large[1].ProbBest, .9914227751, 10)
	same(t, "expected loss", large[1].ExpectedLoss, 6.0156e-6, 10)
}

func TestSequentialRatioByHand(t *testing.T) {
	for _, c := range []struct {
		n      int
		ratio  float64
		p      float64
		digits int
	}{{100, .8874534402305833, 1, 13}, {1000, 3.278721627526389, .30499692, 8}, {5000, 32538.60469672129, 0.0000307327, 8}} {
		m := must[experiment.MSPRT](t)(experiment.SequentialRatio(.1, 1, .01, c.n))
		if math.Abs(m.Ratio/c.ratio-1) > 1e-13 {
			t.Errorf("ratio %v, want %v", m.Ratio, c.ratio)
		}
		same(t, "p", m.P, c.p, c.digits)
	}
}

func TestSizesByHand(t *testing.T) {
	d := experiment.Design{}
	n := must[experiment.Size](t)(experiment.SizeForRates(.05, .06, d))
	same(t, "pooled", n.Exact, 8157.73144784928, 8)
	if n.Control != 8158 || n.Treatment != 8158 {
		t.Errorf("%+v, want 8158 an arm", n)
	}
	n = must[experiment.Size](t)(experiment.SizeForRates(.05, .06, experiment.Design{Formula: experiment.UnpooledVariance}))
	same(t, "unpooled", n.Exact, 8154.99, 2)
	n = must[experiment.Size](t)(experiment.SizeForMeans(50, 5, d))
	same(t, "normal", n.Exact, 1569.78, 2)
	n = must[experiment.Size](t)(experiment.SizeForMeans(50, 5, experiment.Design{Formula: experiment.StudentTheory}))
	same(t, "student", n.Exact, 1570.73, 2)
	same(t, "least effect", must[float64](t)(experiment.EffectForRates(.02, 10000, d)), .00554686, 8)
}

func TestSampleRatioByHand(t *testing.T) {
	m := must[experiment.Mismatch](t)(experiment.SampleRatio([]int{50420, 49580}, nil))
	same(t, "chi-squared", m.Statistic, 7.056, 12)
	same(t, "p", m.P, .007900019690822041, 14)
	if m.Suspect {
		t.Error("0.0079 is not below 0.001")
	}
}

func TestRatioByHand(t *testing.T) {
	r := must[experiment.RatioSample](t)(experiment.RatioOf([]float64{20, 0, 35, 50, 10}, []float64{1, 0, 2, 2, 1}))
	same(t, "ratio", r.Ratio(), 115./6, 13)
	same(t, "se", r.StdErr(), 2.8378912141253516, 13)
	// against itself there is no difference; with denominators of one it is Welch
	e := must[experiment.Effect](t)(experiment.CompareRatios(r, r, 0))
	same(t, "difference", e.Estimate, 0, 15)
	ones := make([]float64, 10)
	for i := range ones {
		ones[i] = 1
	}
	x := must[experiment.RatioSample](t)(experiment.RatioOf(rawX, ones))
	y := must[experiment.RatioSample](t)(experiment.RatioOf(rawY, ones))
	e = must[experiment.Effect](t)(experiment.CompareRatios(x, y, 0))
	same(t, "p", e.P, .5355961958933745, 13)
}
