package risk

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func logisticValues(f *LogisticFit) map[string]float64 {
	got := map[string]float64{"log_lik": f.Estimate.LogLik, "null": f.NullLogLik, "lr": f.LikelihoodRatio.Statistic, "p": f.LikelihoodRatio.P}
	vector(got, "coef", append([]float64{f.Estimate.Model.Intercept}, f.Estimate.Model.Coef...))
	vector(got, "cov", lower(f.Estimate.Cov))
	return got
}

func TestLogisticAgainstR(t *testing.T) {
	file := golden.Load(t, "testdata/logistic.json")
	c := readCustomers(t)
	d := c.design(t)
	cluster := func(i int) string { return c.cluster[i] }
	for name, o := range map[string]*LogisticOptions{
		"plain": nil, "weighted": {Weights: c.weight}, "robust": {Robust: true}, "robust weighted": {Robust: true, Weights: c.weight},
		"cluster": {Cluster: cluster}, "cluster weighted": {Cluster: cluster, Weights: c.weight},
		"ridge/1": {Ridge: 1}, "ridge/25": {Ridge: 25}, "ridge unscaled/1": {Ridge: 1, RidgeUnscaled: true},
		"ridge unscaled/25": {Ridge: 25, RidgeUnscaled: true},
	} {
		f, err := FitLogistic(context.Background(), c.left, d, o)
		if err != nil {
			t.Fatal(name, err)
		}
		checkRow(t, goldenRow(t, file, name), logisticValues(f))
		for j, p := range f.Estimate.Params {
			if p.StdErr != math.Sqrt(f.Estimate.Cov[j][j]) {
				t.Errorf("%s: standard error of %s", name, p.Name)
			}
		}
	}
	f, err := FitLogistic(context.Background(), c.left, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	row, err := f.Estimate.Model.Terms.Row(Profile{Levels: map[string]string{"plan": "team"}, Numbers: map[string]float64{"x1": .5, "x2": 1, "spend": 800}})
	if err != nil {
		t.Fatal(err)
	}
	p, low, high, err := f.Interval(row, 0.90)
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, goldenRow(t, file, "interval"), map[string]float64{"p": p, "lower": low, "upper": high})
}

// Scores of a maximum vanish: the mean probability is the share who left, and so it is in every level.
func TestLogisticMatchesRates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		n := 200 + r.IntN(200)
		plan, left := make([]string, n), make([]bool, n)
		for i := range plan {
			plan[i] = []string{"a", "b", "c"}[r.IntN(3)]
			left[i] = r.Float64() < .3
		}
		d := mustDesign(t, Categorical("plan", plan, ""))
		f, err := FitLogistic(context.Background(), left, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		probs, err := f.Estimate.Model.Probabilities(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{"a", "b", "c"} {
			count, gone, at := 0.0, 0.0, 0.0
			for i := range plan {
				if plan[i] == level {
					count, gone, at = count+1, gone+float64(b2i(left[i])), probs[i]
				}
			}
			if !near(at, gone/count, 1e-12) {
				t.Errorf("level %s: probability %v, share %v", level, at, gone/count)
			}
		}
	}
}

func TestLogisticErrors(t *testing.T) {
	n := 12
	left := make([]bool, n)
	up, noise, twice, sum, mixed := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	plan, one := make([]string, n), make([]string, n)
	for i := range left {
		left[i] = i >= 6
		up[i] = float64(i)
		noise[i] = float64(i * 7 % 5)
		twice[i] = 3 - 2*noise[i]
		sum[i] = noise[i] + up[i]*up[i]
		plan[i] = []string{"a", "b", "a", "b"}[i%4]
		one[i] = "x"
	}
	for i := range mixed { // a+b separates, neither does alone
		mixed[i] = float64(i*5%12) / 2
	}
	other := make([]float64, n)
	for i := range other {
		other[i] = float64(b2i(left[i])) - mixed[i] + .1*float64(i%3)
	}
	plan[11], plan[3] = "gone", "kept"
	square := make([]float64, n)
	for i := range square {
		square[i] = up[i] * up[i]
	}
	messy := []bool{true, false, true, false, true, true, false, false, true, false, true, true}
	for _, c := range []struct {
		name string
		left []bool
		d    *Design
		o    *LogisticOptions
		want string
		is   error
	}{
		{"nobody", make([]bool, n), nil, nil, "risk: logistic regression: nobody left", nil},
		{"no rows", nil, nil, nil, "risk: logistic regression: nobody left", nil},
		{"length", left[:3], mustDesign(t, Numeric("x", up)), nil, "risk: the design has 12 rows for 3 customers", nil},
		{"weights length", left, nil, &LogisticOptions{Weights: []float64{1}}, "risk: 1 weights for 12 customers", nil},
		{"weight", left, nil, &LogisticOptions{Weights: []float64{1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
			`risk: row 3: field "weight": value "0": want a finite weight above 0`, nil},
		{"separated number", left, mustDesign(t, Numeric("noise", noise), Numeric("tickets", up)), nil,
			`risk: covariate "tickets": separation: the likelihood rises without end as the coefficient grows to +Inf: no value of those who left lies among those of the others; leave it out or set Ridge`, ErrSeparation},
		{"separated level", left, mustDesign(t, Categorical("plan", plan, "a")), nil,
			`risk: covariate "plan=gone": separation: the likelihood rises without end as the coefficient grows: everybody with this level left; merge it with another or set Ridge`, ErrSeparation},
		{"separated reference", left, mustDesign(t, Categorical("plan", plan, "kept")), nil,
			`risk: covariate "plan=kept": separation: the likelihood rises without end as the coefficient grows: nobody with this level left; merge it with another or set Ridge`, ErrSeparation},
		{"separated together", left, mustDesign(t, Numeric("a", mixed), Numeric("b", other)), nil,
			`risk: covariate "..." with "...": separation`, ErrSeparation},
		{"constant", messy, mustDesign(t, Numeric("noise", noise), Numeric("c", []float64{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2})), nil,
			`risk: covariate "c": collinear: it has the value 2 in every row`, ErrCollinear},
		{"one level", messy, mustDesign(t, Categorical("region", one, "")), nil,
			`risk: covariate "region": collinear: every row has the level "x"`, ErrCollinear},
		{"collinear pair", messy, mustDesign(t, Numeric("noise", noise), Numeric("twice", twice)), nil,
			`risk: covariate "twice" with "noise": collinear: it is a linear combination of them; leave one out or set Ridge`, ErrCollinear},
		{"collinear sum", messy, mustDesign(t, Numeric("noise", noise), Numeric("square", square), Numeric("sum", sum)), nil,
			`risk: covariate "sum" with "noise", "square": collinear: it is a linear combination of them; leave one out or set Ridge`, ErrCollinear},
		{"ridge", messy, nil, &LogisticOptions{Ridge: -1}, "risk: option Ridge: -1 is not a number from 0", nil},
		{"iterations", messy, nil, &LogisticOptions{MaxIter: -1}, "risk: option MaxIter: -1 is negative", nil},
		{"workers", messy, nil, &LogisticOptions{Workers: -1}, "risk: option Workers: -1 is negative", nil},
		{"one cluster", messy, nil, &LogisticOptions{Cluster: func(int) string { return "" }},
			"risk: option Cluster: all rows are in one cluster, which tells nothing of the spread", nil},
	} {
		f, err := FitLogistic(context.Background(), c.left, c.d, c.o)
		errorText(t, c.name, err, c.want)
		if f != nil {
			t.Errorf("%s: a fit with the error", c.name)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: error %v is not %v", c.name, err, c.is)
		}
	}
	// A ridge gives what has no estimate one.
	for _, d := range []*Design{mustDesign(t, Numeric("up", up)), mustDesign(t, Numeric("noise", noise), Numeric("twice", twice))} {
		f, err := FitLogistic(context.Background(), left, d, &LogisticOptions{Ridge: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Estimate.Params {
			if math.Abs(p.Value) > 10 {
				t.Errorf("coefficient of %s: %v", p.Name, p.Value)
			}
		}
	}
}

// Whether two groups of points on the plane can be parted by a line is known here by construction: every direction and
// threshold leaves a margin, or a few points across it.
func TestSeparationIsFoundAndNotMistaken(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for trial := range 300 {
		n := 30 + r.IntN(300)
		p := 2 + r.IntN(3)
		direction := make([]float64, p)
		for j := range direction {
			direction[j] = r.NormFloat64()
		}
		columns := make([][]float64, p)
		for j := range columns {
			columns[j] = make([]float64, n)
		}
		left := make([]bool, n)
		threshold := r.NormFloat64() / 2
		overlap := trial%2 == 1
		for i := range left {
			v := -threshold
			for j := range columns {
				columns[j][i] = r.NormFloat64() * math.Pow(10, float64(j-1))
				v += direction[j] * columns[j][i] / math.Pow(10, float64(j-1))
			}
			left[i] = v > 0
		}
		if overlap {
			// A customer who left and one who stayed with the same covariates, inside of each half, leave no direction.
			for i := range p + 3 {
				for j := range columns {
					columns[j][i*2] = columns[j][i*2+1]
				}
				left[i*2], left[i*2+1] = true, false
			}
		}
		var cs []Covariate
		for j, column := range columns {
			cs = append(cs, Numeric(string(rune('a'+j)), column))
		}
		if gone := countTrue(left); gone == 0 || gone == n {
			continue
		}
		f, err := FitLogistic(context.Background(), left, mustDesign(t, cs...), nil)
		switch {
		case overlap && err != nil:
			t.Errorf("trial %d: %d rows that overlap: %v", trial, n, err)
		case !overlap && !errors.Is(err, ErrSeparation):
			t.Errorf("trial %d: %d rows that a line parts: fit %v, error %v", trial, n, f, err)
		}
		// The same as one period of the other link.
		ts := make([]ledger.Tenure, n)
		for i := range ts {
			ts[i] = ledger.Tenure{Duration: 1, Ended: left[i]}
		}
		h, err := FitHazard(context.Background(), ts, mustDesign(t, cs...), &HazardOptions{Link: CloglogLink, Baseline: ConstantAge})
		switch {
		case overlap && err != nil:
			t.Errorf("trial %d: cloglog, %d rows that overlap: %v", trial, n, err)
		case !overlap && !errors.Is(err, ErrSeparation):
			t.Errorf("trial %d: cloglog, %d rows that a line parts: fit %v, error %v", trial, n, h, err)
		}
	}
}

// A rare level that has one customer who left among many has a finite, if far, estimate.
func TestRareIsNotSeparated(t *testing.T) {
	for _, n := range []int{10, 1000, 100000} {
		x, left := make([]float64, 2*n), make([]bool, 2*n)
		for i := range x {
			x[i] = float64(b2i(i < n))
			left[i] = i == 0 || i >= n && i%2 == 0
		}
		f, err := FitLogistic(context.Background(), left, mustDesign(t, Numeric("x", x)), nil)
		if err != nil {
			t.Fatal(n, err)
		}
		if want := logit(1 / float64(n)); !near(f.Estimate.Model.Coef[0], want, 1e-9) {
			t.Errorf("%d: coefficient %v, want %v", n, f.Estimate.Model.Coef[0], want)
		}
	}
}

func countTrue(b []bool) int {
	n := 0
	for _, x := range b {
		n += b2i(x)
	}
	return n
}

// Multiplying all weights by a number multiplies the log-likelihood and divides the covariance.
func TestWeightsScale(t *testing.T) {
	c := readCustomers(t)
	d := c.design(t)
	want, err := FitLogistic(context.Background(), c.left, d, &LogisticOptions{Weights: c.weight})
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []float64{1e-9, 1e-3, 1e6} {
		weights := make([]float64, len(c.weight))
		for i, w := range c.weight {
			weights[i] = scale * w
		}
		got, err := FitLogistic(context.Background(), c.left, d, &LogisticOptions{Weights: weights})
		if err != nil {
			t.Fatal(scale, err)
		}
		for j, p := range got.Estimate.Params {
			w := want.Estimate.Params[j]
			if !near(p.Value, w.Value, 1e-9) || !near(p.StdErr*math.Sqrt(scale), w.StdErr, 1e-9) {
				t.Errorf("scale %v: %v, want %v", scale, p, w)
			}
		}
		x := make([]float64, len(c.left))
		for i := range x {
			x[i] = c.x1[i]
			if c.left[i] {
				x[i] += 10
			}
		}
		// Alone x separates; with x1 known only the two together do.
		_, err = FitLogistic(context.Background(), c.left, mustDesign(t, Numeric("x", x), Numeric("x1", c.x1)), &LogisticOptions{Weights: weights})
		if !errors.Is(err, ErrSeparation) {
			t.Errorf("scale %v: %v", scale, err)
		}
	}
}

// Units and origins of the covariates do not matter.
func TestCovariatesOfAnyScale(t *testing.T) {
	c := readCustomers(t)
	want, err := FitLogistic(context.Background(), c.left, mustDesign(t, Numeric("x", c.x1)), &LogisticOptions{Ridge: 3})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, len(c.x1))
	for i, v := range c.x1 {
		x[i] = 1.7e9 + 86400*v // seconds since 1970
	}
	got, err := FitLogistic(context.Background(), c.left, mustDesign(t, Numeric("x", x)), &LogisticOptions{Ridge: 3})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := got.Estimate.Params[1], want.Estimate.Params[1]; !near(a.Value*86400, b.Value, 1e-7) || !near(a.StdErr*86400, b.StdErr, 1e-7) {
		t.Errorf("%v, want %v", a, b)
	}
}

// Four customers across the line, however close to it, give an estimate, if a large one: it must not be taken for separation.
func TestNearlySeparated(t *testing.T) {
	for _, gap := range []float64{.3, .1, .03, .01} {
		n := 200
		a, b, left := make([]float64, n), make([]float64, n), make([]bool, n)
		r := rand.New(rand.NewPCG(3, 4))
		for i := range a {
			side := float64(2*(i%2) - 1)
			a[i], b[i] = r.NormFloat64(), 0
			b[i] = side*(.1+r.Float64()) - a[i]
			left[i] = side > 0
		}
		for i, x := range []float64{.5, -.5} {
			a[2*i], b[2*i], left[2*i] = x, gap-x, false
			a[2*i+1], b[2*i+1], left[2*i+1] = x, -gap-x, true
		}
		f, err := FitLogistic(context.Background(), left, mustDesign(t, Numeric("a", a), Numeric("b", b)), nil)
		if err != nil {
			t.Errorf("gap %v: %v", gap, err)
			continue
		}
		// At a maximum the score vanishes.
		probs, err := f.Estimate.Model.Probabilities(mustDesign(t, Numeric("a", a), Numeric("b", b)))
		if err != nil {
			t.Fatal(err)
		}
		score := 0.0
		for i, p := range probs {
			score += a[i] * (float64(b2i(left[i])) - p)
		}
		if math.Abs(score) > 1e-9 {
			t.Errorf("gap %v: score %v", gap, score)
		}
	}
}
