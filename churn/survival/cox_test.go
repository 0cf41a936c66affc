package survival

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// coxCase reads the data and the options that a golden row's name tells, such as "both/efron/strata".
func coxCase(t testing.TB, name string) ([]ledger.Tenure, *Design, *CoxOptions) {
	t.Helper()
	part := strings.Split(name, "/")
	path, set, o := "testdata/tenures.csv", part[0], &CoxOptions{}
	for _, p := range part {
		switch p {
		case "intervals":
			path, set, o.Intervals = "testdata/intervals.csv", "truncated", true
		case "breslow":
			o.Ties = Breslow
		case "exact":
			o.Ties = Exact
		case "strata":
			o.Strata = Label("region")
		case "cluster":
			o.Cluster = Customer
		case "ridge":
			o.Ridge = 10
		case "ridge-unscaled":
			o.Ridge, o.RidgeUnscaled = 5, true
		}
	}
	if strings.HasPrefix(name, "intervals/efron/cluster") {
		set = "both"
	}
	var x1, x2 []float64
	for _, r := range readTable(t, path) {
		x1, x2 = append(x1, number(t, r["x1"])), append(x2, number(t, r["x2"]))
	}
	tenures := readTenures(t, path, set)
	if strings.HasSuffix(name, "/first40") {
		tenures, x1, x2 = tenures[:40], x1[:40], x2[:40]
	}
	covariates := []Covariate{Numeric("x1", x1), Numeric("x2", x2), LabelCovariate("plan", tenures, "basic")}
	if o.Ridge > 0 {
		covariates = covariates[:2]
	}
	d, err := NewDesign(covariates...)
	if err != nil {
		t.Fatal(err)
	}
	return tenures, d, o
}

func fitCase(t testing.TB, name string) (*CoxFit, []ledger.Tenure, *Design, *CoxOptions) {
	t.Helper()
	tenures, d, o := coxCase(t, name)
	f, err := FitCox(context.Background(), tenures, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, tenures, d, o
}

func putMatrix(into map[string]float64, name string, m [][]float64) {
	for j := range m {
		for k := range m[j] {
			into[fmt.Sprint(name, j*len(m)+k)] = m[j][k]
		}
	}
}

func putVector(into map[string]float64, name string, v []float64) {
	for j := range v {
		into[fmt.Sprint(name, j)] = v[j]
	}
}

func checkAll(t *testing.T, row golden.Row, got map[string]float64) {
	t.Helper()
	for name := range row.Want {
		x, ok := got[name]
		if !ok {
			t.Fatalf("%s: no value %s", row.Name, name)
		}
		row.Check(t, name, x)
	}
}

func TestCoxAgreesWithR(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/cox.json").Rows {
		f, _, _, _ := fitCase(t, row.Name)
		got := map[string]float64{"log_lik": f.Estimate.LogLik, "null_log_lik": f.NullLogLik, "wald": f.Wald.Statistic,
			"score": f.Score.Statistic, "lrt": f.LikelihoodRatio.Statistic}
		putVector(got, "coef", f.Estimate.Model.Coef)
		for j, p := range f.Estimate.Params {
			got[fmt.Sprint("se", j)] = p.StdErr
		}
		putMatrix(got, "cov", f.Estimate.Cov)
		putMatrix(got, "naive", f.NaiveCov)
		if f.RobustScore != nil {
			got["robust_score"] = f.RobustScore.Statistic
		}
		checkAll(t, row, got)
	}
}

func TestCoxResidualsAgreeWithR(t *testing.T) {
	fits, residuals := map[string]*CoxFit{}, map[string]*CoxResiduals{}
	for _, row := range golden.Load(t, "testdata/residuals.json").Rows {
		part := strings.Split(row.Name, "/")
		name, kind, index := strings.Join(part[:len(part)-2], "/"), part[len(part)-2], part[len(part)-1]
		tenures, d, o := coxCase(t, name)
		if fits[name] == nil {
			fits[name], _, _, _ = fitCase(t, name)
			var err error
			if residuals[name], err = fits[name].Residuals(context.Background(), tenures, d, o); err != nil {
				t.Fatal(err)
			}
		}
		r, got := residuals[name], map[string]float64{}
		i, _ := strconv.Atoi(index)
		switch kind {
		case "row":
			got["martingale"], got["deviance"] = r.Martingale[i], r.Deviance[i]
			if r.Score != nil {
				putVector(got, "score", r.Score[i])
				putVector(got, "dfbeta", r.DFBeta[i])
				putVector(got, "dfbetas", r.DFBetas[i])
			}
		case "event":
			putVector(got, "schoenfeld", r.Schoenfeld[i].Residual)
			putVector(got, "scaled", r.Schoenfeld[i].Scaled)
			for _, q := range r.Schoenfeld {
				got["sum"] += q.Residual[0] * q.Residual[0]
				got["sum_scaled"] += q.Scaled[1] * q.Scaled[1]
			}
		case "zph":
			for scale, n := range timeScaleNames {
				if n != index {
					continue
				}
				z, err := fits[name].TestProportionality(context.Background(), tenures, d, o, TimeScale(scale))
				if err != nil {
					t.Fatal(err)
				}
				for j, c := range append(z.Terms, ProportionalTerm{Test: z.Global}) {
					got[fmt.Sprint("chi_square", j)], got[fmt.Sprint("p", j)] = c.Test.Statistic, c.Test.P
					got[fmt.Sprint("df", j)] = float64(c.Test.DF)
				}
			}
		}
		checkAll(t, row, got)
	}
}

func TestCoxPredictionsAgreeWithR(t *testing.T) {
	profile := Profile{Numbers: map[string]float64{"x1": .7, "x2": 1}, Levels: map[string]string{"plan": "pro"}}
	fits := map[string]*CoxFit{}
	for _, row := range golden.Load(t, "testdata/predictions.json").Rows {
		part := strings.Split(row.Name, "/")
		name := part[0] + "/" + part[1]
		rest := part[2:]
		if rest[0] == "strata" || rest[0] == "cluster" {
			name, rest = name+"/"+rest[0], rest[1:]
		}
		band := bands[rest[0]]
		stratum := map[float64]string{0: "", 1: "east", 2: "west"}[float64(row.Args["stratum"])]
		if fits[name] == nil {
			fits[name], _, _, _ = fitCase(t, name)
		}
		c, err := fits[name].Estimate.Model.Predict(profile, stratum, &CurveOptions{Band: band})
		if err != nil {
			t.Fatal(err)
		}
		p := c.At(float64(row.Args["time"]))
		checkAll(t, row, map[string]float64{"survival": p.Survival, "cum_hazard": p.CumHazard, "std_err": p.StdErr,
			"lower": p.Lower, "upper": p.Upper})
	}
}

func TestConcordanceAgreesWithR(t *testing.T) {
	kinds := map[string]PairWeight{"n": HarrellPairs, "nG2": UnoPairs, "SG": SchemperPairs, "S": SurvivalPairs}
	for _, row := range golden.Load(t, "testdata/concordance.json").Rows {
		part := strings.Split(row.Name, "/")
		tenures, d, _ := coxCase(t, part[0])
		scores, o := d.columns[0], &ConcordanceOptions{Pairs: kinds[part[len(part)-1]]}
		if part[1] == "x2" {
			scores = d.columns[1]
		}
		if part[1] == "strata" {
			o.Strata = Label("region")
		}
		c, err := ConcordanceOf(tenures, scores, o)
		if err != nil {
			t.Fatal(err)
		}
		checkAll(t, row, map[string]float64{"concordance": c.Value, "std_err": c.StdErr, "concordant": c.Concordant,
			"discordant": c.Discordant, "tied_score": c.TiedScore})
	}
}

func groupDesign(t testing.TB, tenures []ledger.Tenure, reference string) *Design {
	t.Helper()
	d, err := NewDesign(LabelCovariate("group", tenures, reference))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPrintedCox(t *testing.T) {
	data := map[string][]ledger.Tenure{"6-MP": parseTenures(remission), "aml": parseTenures(leukemia), "toy": tiedToy()}
	reference := map[string]string{"6-MP": "6-MP", "aml": "Maintained", "toy": "0"}
	const none = 0
	tests := []struct {
		data                        string
		ties                        Ties
		b, se, null, logLik         float64
		bDigits, seDigits, llDigits int
	}{
		{"6-MP", Efron, 1.572125149, .4123967177, -93.18427, -85.00842458, 9, 10, 5},
		{"6-MP", Breslow, 1.509191413, .4095644064, -93.98505048, -86.37962207, 9, 10, 8},
		{"6-MP", Exact, 1.628243952, .4331312965, -82.66927925, -74.54310116, 9, 10, 8},
		{"aml", Efron, .915532575, .5119342752, none, none, 8, 10, 0},
		{"aml", Breslow, .9042197237, none, none, none, 10, 0, 0},
		{"aml", Exact, .9217608692, none, none, none, 10, 0, 0},
		{"toy", Breslow, .4213607942, .8246001705, -11.37916547, -11.24952134, 10, 10, 8},
		{"toy", Efron, .4516355716, .8261384399, -11.07906088, -10.93080731, 10, 10, 8},
		{"toy", Exact, .4760226025, .8799049814, none, none, 10, 10, 0},
	}
	for _, tt := range tests {
		ts := data[tt.data]
		f, err := FitCox(context.Background(), ts, groupDesign(t, ts, reference[tt.data]), &CoxOptions{Ties: tt.ties})
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(tt.data, " ", tt.ties)
		digits(t, name, f.Estimate.Model.Coef[0], tt.b, tt.bDigits)
		if tt.se != none {
			digits(t, name+" std err", f.Estimate.Params[0].StdErr, tt.se, tt.seDigits)
		}
		if tt.null != none {
			digits(t, name+" null", f.NullLogLik, tt.null, tt.llDigits)
			digits(t, name+" log-likelihood", f.Estimate.LogLik, tt.logLik, tt.llDigits)
		}
		if tt.data == "6-MP" && tt.ties == Efron {
			digits(t, "likelihood ratio", f.LikelihoodRatio.Statistic, 16.35169, 5)
		}
		if tt.ties == Exact { // the score test is the log-rank test
			test, _ := Compare(ts, Label("group"), nil)
			near(t, name+" score", f.Score.Statistic, test.ChiSquare, 1e-11)
		}
	}
}

// The baseline hazard for 6-MP and the concordances, as printed by R.
func TestPrintedBaseline(t *testing.T) {
	ts := parseTenures(remission)
	d := groupDesign(t, ts, "6-MP")
	want := map[Ties][]float64{Efron: {.0167087903, .1273504601, .2198764089, .8099312271},
		Breslow: {.0172436816, .1311529108, .2216375801, .7788345467}}
	for ties, w := range want {
		f, err := FitCox(context.Background(), ts, d, &CoxOptions{Ties: ties})
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.Estimate.Model.Predict(Profile{Levels: map[string]string{"group": "6-MP"}}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range []float64{1, 6, 10, 23} {
			digits(t, fmt.Sprint(ties, " at ", x), c.CumHazard(x), w[i], 10)
		}
		scores := f.Estimate.Model.Scores(d)
		harrell, _ := ConcordanceOf(ts, scores, nil)
		digits(t, "Harrell", harrell.Value, .6900420757, 10)
		uno, _ := ConcordanceOf(ts, scores, &ConcordanceOptions{Pairs: UnoPairs})
		digits(t, "Uno", uno.Value, .6928002124, 10)
	}
	toy := tiedToy()
	c, _ := ConcordanceOf(toy, groupDesign(t, toy, "0").columns[0], nil)
	equal(t, []float64{c.Concordant, c.Discordant, c.TiedScore}, []float64{12, 5, 16})
	digits(t, "toy", c.Value, .6060606, 7)
}

// coxSample draws tenures with two covariates.
func coxSample(r *rand.Rand, n int, tied, truncated bool) ([]ledger.Tenure, *Design) {
	ts, x, y := make([]ledger.Tenure, n), make([]float64, n), make([]float64, n)
	for i := range ts {
		x[i], y[i] = r.NormFloat64(), float64(r.IntN(2))
		life := r.ExpFloat64() * 10 * math.Exp(-.7*x[i]+.5*y[i])
		if tied {
			life = math.Ceil(life)
		}
		end := 1 + 20*r.Float64()
		ts[i] = ledger.Tenure{Customer: strconv.Itoa(i), Duration: math.Min(life, end), Ended: life <= end,
			Labels: map[string]string{"region": string(rune('a' + r.IntN(2)))}}
		if truncated && r.IntN(2) == 0 {
			ts[i].Entry = ts[i].Duration * r.Float64()
		}
	}
	d, err := NewDesign(Numeric("x", x), Numeric("y", y))
	if err != nil {
		panic(err)
	}
	return ts, d
}

func TestCoxInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ctx := context.Background()
	approx := cmpopts.EquateApprox(1e-9, 1e-9)
	for trial := range 20 {
		ts, d := coxSample(r, 80, false, trial%2 == 0)
		efron, err := FitCox(ctx, ts, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, ties := range []Ties{Breslow, Exact} {
			other, err := FitCox(ctx, ts, d, &CoxOptions{Ties: ties})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(efron.Estimate.Params, other.Estimate.Params, approx); diff != "" {
				t.Fatalf("without ties efron and %v differ\n%s", ties, diff)
			}
		}
		res, err := efron.Residuals(ctx, ts, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, scores := 0.0, make([]float64, 2)
		for i, m := range res.Martingale {
			sum += m
			for j := range scores {
				scores[j] += res.Score[i][j]
			}
		}
		if math.Abs(sum) > 1e-9 || math.Abs(scores[0]) > 1e-7 || math.Abs(scores[1]) > 1e-7 {
			t.Errorf("residuals add up to %v and %v", sum, scores)
		}
		// A monotone transform of time changes nothing.
		moved := append([]ledger.Tenure(nil), ts...)
		for i := range moved {
			moved[i].Entry, moved[i].Duration = math.Sqrt(moved[i].Entry), math.Sqrt(moved[i].Duration)
		}
		again, _ := FitCox(ctx, moved, d, nil)
		equal(t, again.Estimate.Params, efron.Estimate.Params)
	}
}

func TestCoxRowOrderDoesNotChangeABit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 200, true, true)
	o := &CoxOptions{Strata: Label("region"), Ridge: 1}
	want, err := FitCox(context.Background(), ts, d, o)
	if err != nil {
		t.Fatal(err)
	}
	order := r.Perm(len(ts))
	shuffled, x, y := make([]ledger.Tenure, len(ts)), make([]float64, len(ts)), make([]float64, len(ts))
	for i, k := range order {
		shuffled[i], x[i], y[i] = ts[k], d.columns[0][k], d.columns[1][k]
	}
	e, _ := NewDesign(Numeric("x", x), Numeric("y", y))
	got, err := FitCox(context.Background(), shuffled, e, o)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
}

func TestBreslowWeightsAreDuplicates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 60, true, true)
	var copies []ledger.Tenure
	var x, y []float64
	for i := range ts {
		ts[i].Weight = float64(1 + r.IntN(3))
		for range int(ts[i].Weight) {
			c := ts[i]
			c.Weight = 0
			copies, x, y = append(copies, c), append(x, d.columns[0][i]), append(y, d.columns[1][i])
		}
	}
	e, _ := NewDesign(Numeric("x", x), Numeric("y", y))
	o := &CoxOptions{Ties: Breslow}
	weighted, err := FitCox(context.Background(), ts, d, o)
	if err != nil {
		t.Fatal(err)
	}
	repeated, err := FitCox(context.Background(), copies, e, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(weighted, repeated, cmpopts.EquateApprox(1e-9, 1e-11), cmpopts.IgnoreUnexported(Cox{}),
		cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-weights +duplicates)\n%s", diff)
	}
}

func TestCoxErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 100, false, false)
	x, y := d.columns[0], d.columns[1]
	both, flat, first := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	never := make([]bool, len(x))
	for i := range x {
		both[i], flat[i], first[i] = 2*x[i]-y[i]+3, 7, -ts[i].Duration
		never[i] = !ts[i].Ended && i%2 == 0
	}
	design := func(cs ...Covariate) *Design {
		d, err := NewDesign(cs...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	exact := &CoxOptions{Ties: Exact}
	weighted := append([]ledger.Tenure(nil), ts...)
	weighted[3].Weight = 2
	censored := append([]ledger.Tenure(nil), ts...)
	for i := range censored {
		censored[i].Ended = false
	}
	tests := []struct {
		name    string
		tenures []ledger.Tenure
		design  *Design
		options *CoxOptions
		is      error
		want    string
	}{
		{"collinear", ts, design(Numeric("x", x), Numeric("other", first), Numeric("y", y), Numeric("both", both)), nil, ErrCollinear,
			`survival: covariate "both" with "x", "y": collinear: it is a linear combination of them; leave one out or set Ridge`},
		{"constant", ts, design(Numeric("x", x), Numeric("flat", flat)), nil, ErrCollinear,
			`survival: covariate "flat": collinear: it has the value 7 in every row at risk`},
		{"perfect order", ts, design(Numeric("x", x), Numeric("first", first)), nil, ErrSeparation,
			`survival: covariate "first": separation: the likelihood rises without end as the coefficient grows to +Inf; ` +
				`leave it out, merge levels or set Ridge`},
		{"level without events", ts, design(Indicator("never", never), Numeric("x", x)), nil, ErrSeparation,
			`survival: covariate "never": separation: the likelihood rises without end as the coefficient grows to -Inf; ` +
				`leave it out, merge levels or set Ridge`},
		{"the same with breslow", ts, design(Indicator("never", never), Numeric("x", x)), &CoxOptions{Ties: Breslow}, ErrSeparation,
			`survival: covariate "never": separation: the likelihood rises without end as the coefficient grows to -Inf; ` +
				`leave it out, merge levels or set Ridge`},
		{"no events", censored, d, nil, ErrNoEvents, "survival: cox: no events"},
		{"weights with exact ties", weighted, d, exact, nil,
			`survival: row 4: field "Weight": value "2": exact ties know no weights; use Efron or Breslow`},
		{"rows", ts[:50], d, nil, nil, "survival: the design has 100 rows for 50 tenures"},
		{"no covariates", ts, nil, nil, nil, "survival: cox: the design has no covariates"},
		{"ridge", ts, d, &CoxOptions{Ridge: -1}, nil, "survival: option Ridge: -1 is not a number from 0"},
	}
	for _, tt := range tests {
		_, err := FitCox(context.Background(), tt.tenures, tt.design, tt.options)
		if err == nil || err.Error() != tt.want || (tt.is != nil && !errors.Is(err, tt.is)) {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	if _, err := FitCox(context.Background(), ts, design(Numeric("x", x), Numeric("y", y), Numeric("both", both)), &CoxOptions{Ridge: 1}); err != nil {
		t.Errorf("collinear under a ridge: %v", err)
	}
	early, err := FitCox(context.Background(), ts, d, &CoxOptions{MaxIter: 1})
	wantText(t, err, "survival: cox: not converged after 1 iterations: raise MaxIter or set Ridge")
	if early == nil || early.Estimate.Stop != fit.MaxIterations || early.Estimate.LogLik <= early.NullLogLik {
		t.Errorf("the best so far: %v", early)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := FitCox(done, ts, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestDesignErrors(t *testing.T) {
	one := []float64{1, 2}
	tests := []struct {
		name       string
		covariates []Covariate
		want       string
	}{
		{"missing number", []Covariate{Numeric("age", []float64{1, math.NaN()})}, `survival: row 2: field "age": value "NaN": missing value`},
		{"infinite number", []Covariate{Numeric("age", []float64{math.Inf(1)})}, `survival: row 1: field "age": value "+Inf": not a finite number`},
		{"missing level", []Covariate{Categorical("plan", []string{"a", ""}, "a")}, `survival: row 2: field "plan": value "": missing value`},
		{"reference", []Covariate{Categorical("plan", []string{"a"}, "b")}, `survival: covariate "plan": level "b": the reference level does not occur`},
		{"lengths", []Covariate{Numeric("a", one), Numeric("b", one[:1])}, `survival: covariate "b" has 1 rows, "a" has 2`},
		{"twice", []Covariate{Numeric("a", one), Numeric("a", one)}, `survival: two covariates are named "a"`},
		{"no name", []Covariate{Numeric("", one)}, `survival: covariate 1 has no name`},
	}
	for _, tt := range tests {
		_, err := NewDesign(tt.covariates...)
		wantText(t, err, tt.want)
	}
}

func TestIntervalErrors(t *testing.T) {
	d, _ := NewDesign(Numeric("x", []float64{1, 2, 3}))
	fit := func(ts ...ledger.Tenure) error {
		_, err := FitCox(context.Background(), ts, d, &CoxOptions{Intervals: true})
		return err
	}
	a := ledger.Tenure{Customer: "a", Duration: 5}
	wantText(t, fit(ledger.Tenure{Customer: "b", Duration: 1}, a, ledger.Tenure{Customer: "a", Entry: 4, Duration: 7}),
		`survival: row 3: field "Entry": value "4": overlaps row 2 of the same customer`)
	a.Ended = true
	wantText(t, fit(ledger.Tenure{Customer: "b", Duration: 1}, a, ledger.Tenure{Customer: "a", Entry: 5, Duration: 7}),
		`survival: row 2: field "Ended": value "true": row 3 of the same customer goes on later`)
	wantText(t, fit(a, ledger.Tenure{Duration: 1}, ledger.Tenure{Customer: "c", Duration: 1}),
		`survival: row 2: field "Customer": value "": intervals need the name of the customer`)
}

func TestCoxJSON(t *testing.T) {
	f, _, _, _ := fitCase(t, "both/efron/strata")
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var parts struct{ Estimate json.RawMessage }
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	back := f.Estimate
	back.LogLik = 0
	if err := json.Unmarshal(parts.Estimate, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, back, f.Estimate)
}

// A stratum of one row says nothing and does no harm.
func TestCoxStrataOfOneRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, d := coxSample(r, 60, true, false)
	alone := append([]ledger.Tenure(nil), ts...)
	alone = append(alone, ledger.Tenure{Customer: "alone", Duration: 4, Ended: true, Labels: map[string]string{"region": "z"}})
	e, err := NewDesign(Numeric("x", append(append([]float64(nil), d.columns[0]...), 9)),
		Numeric("y", append(append([]float64(nil), d.columns[1]...), 1)))
	must(t, err)
	o := &CoxOptions{Strata: Label("region")}
	want, err := FitCox(context.Background(), ts, d, o)
	must(t, err)
	got, err := FitCox(context.Background(), alone, e, o)
	must(t, err)
	for j := range want.Estimate.Params {
		near(t, want.Estimate.Params[j].Name, got.Estimate.Params[j].Value, want.Estimate.Params[j].Value, 1e-10)
		near(t, "its std err", got.Estimate.Params[j].StdErr, want.Estimate.Params[j].StdErr, 1e-10)
	}
}
