package survival

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

var bands = map[string]Band{"log": LogBand, "plain": PlainBand, "log-log": LogLogBand}

var estimators = map[string]func([]ledger.Tenure, *CurveOptions) (*Curve, error){
	"kaplan-meier": KaplanMeier, "nelson-aalen": NelsonAalen, "fleming-harrington": FlemingHarrington,
}

func TestCurvesAgreeWithR(t *testing.T) {
	curves := map[string]*Curve{}
	for _, row := range golden.Load(t, "testdata/curves.json").Rows {
		part := strings.Split(row.Name, "/")
		key, index := strings.Join(part[:3], "/"), part[3]
		c := curves[key]
		if c == nil {
			var err error
			c, err = estimators[part[0]](readTenures(t, "testdata/tenures.csv", part[2]), &CurveOptions{Band: bands[part[1]]})
			if err != nil {
				t.Fatal(err)
			}
			curves[key] = c
		}
		i, _ := strconv.Atoi(index)
		p := c.Points[i]
		near(t, row.Name+" time", p.Time, float64(row.Args["time"]), 1e-15)
		for name, got := range map[string]float64{"at_risk": p.AtRisk, "events": p.Events, "censored": p.Censored,
			"survival": p.Survival, "std_err": p.StdErr, "lower": p.Lower, "upper": p.Upper, "cum_hazard": p.CumHazard,
			"cum_hazard_std_err": p.CumHazardStdErr} {
			row.Check(t, name, got)
		}
	}
}

func TestSummariesAgreeWithR(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/summaries.json").Rows {
		part := strings.Split(row.Name, "/")
		if part[0] == "quantile" {
			c, err := KaplanMeier(readTenures(t, "testdata/tenures.csv", "plain"), &CurveOptions{Band: bands[part[1]]})
			if err != nil {
				t.Fatal(err)
			}
			q := c.Quantile(float64(row.Args["p"]))
			row.Check(t, "time", q.Time)
			row.Check(t, "lower", q.Lower)
			row.Check(t, "upper", q.Upper)
			continue
		}
		c, err := KaplanMeier(readTenures(t, "testdata/tenures.csv", part[1]), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.RestrictedMean(float64(row.Args["tau"]))
		if err != nil {
			t.Fatal(err)
		}
		row.Check(t, "mean", r.Mean)
		row.Check(t, "std_err", r.StdErr)
	}
}

// The remission times of 6-MP: R's survival and lifelines, as printed.
func TestRemission(t *testing.T) {
	treated := only(parseTenures(remission), "6-MP")
	want := []struct{ t, n, d, km, se, logLo, logHi, llLo, llHi, na, fh, naSE float64 }{
		{6, 21, 3, .857142857, .0763603548, .719817084, 1, .619717955, .951551748, .142857143, .860492287, .0824786099},
		{7, 17, 1, .806722689, .0869352852, .653124218, .996443676, .563146565, .922809019, .201680672, .811335068, .1013061138},
		{10, 15, 1, .752941176, .0963496530, .585918982, .967574755, .503199511, .889361835, .268347339, .759009623, .1212739591},
		{13, 12, 1, .690196078, .1068147078, .509613099, .934769196, .431610222, .849065963, .351680672, .698322565, .1471455660},
		{16, 11, 1, .627450980, .1140538653, .439393925, .895994939, .367510856, .804912189, .442589763, .637638834, .1729632342},
		{22, 7, 1, .537815126, .1282337517, .337036616, .858200848, .267778937, .746790718, .585446906, .552755013, .2243311028},
		{23, 6, 1, .448179272, .1345914568, .248788227, .807372046, .188052006, .680142628, .752113573, .467897017, .2794677467},
	}
	log, err := KaplanMeier(treated, nil)
	if err != nil {
		t.Fatal(err)
	}
	loglog, _ := KaplanMeier(treated, &CurveOptions{Band: LogLogBand})
	plain, _ := KaplanMeier(treated, &CurveOptions{Band: PlainBand})
	fh, _ := FlemingHarrington(treated, nil)
	for _, w := range want {
		p, q := log.At(w.t), loglog.At(w.t)
		near(t, "at risk", p.AtRisk, w.n, 1e-15)
		near(t, "events", p.Events, w.d, 1e-15)
		digits(t, "survival", p.Survival, w.km, 9)
		digits(t, "std err", p.StdErr, w.se, 10)
		digits(t, "lower", p.Lower, w.logLo, 9)
		digits(t, "upper", p.Upper, w.logHi, 9)
		digits(t, "log-log lower", q.Lower, w.llLo, 9)
		digits(t, "log-log upper", q.Upper, w.llHi, 9)
		digits(t, "cumulative hazard", p.CumHazard, w.na, 9)
		digits(t, "its std err", p.CumHazardStdErr, w.naSE, 10)
		digits(t, "Fleming-Harrington", fh.Survival(w.t), w.fh, 9)
	}
	digits(t, "plain lower at 6", plain.At(6).Lower, .707479312, 9)
	near(t, "plain upper at 6", plain.At(6).Upper, 1, 1e-15)
	digits(t, "plain lower at 23", plain.At(23).Lower, .184384864, 9)
	digits(t, "plain upper at 23", plain.At(23).Upper, .711973680, 9)

	equal(t, log.Median(), Quantile{0.5, 23, 16, math.NaN()})
	equal(t, loglog.Median(), Quantile{0.5, 23, 13, math.NaN()})
	near(t, "quartile", log.Quantile(0.25).Time, 13, 1e-15)
	control, _ := KaplanMeier(only(parseTenures(remission), "control"), nil)
	equal(t, control.Median(), Quantile{0.5, 8, 4, 12})

	a, err := log.RestrictedMean(20)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := control.RestrictedMean(20)
	digits(t, "restricted mean 6-MP", a.Mean, 16.116526611, 9)
	digits(t, "its std err", a.StdErr, 1.251560196, 9)
	digits(t, "restricted mean control", b.Mean, 8.428571429, 9)
	digits(t, "its std err", b.StdErr, 1.268082683, 9)
	d, err := CompareRestrictedMeans(log, control, 20)
	if err != nil {
		t.Fatal(err)
	}
	digits(t, "difference", d.Difference, 16.116526611-8.428571429, 8)
	near(t, "its std err", d.StdErr, math.Sqrt(1.251560196*1.251560196+1.268082683*1.268082683), 1e-9)
	near(t, "z", d.Z, d.Difference/d.StdErr, 1e-15)
}

func equal[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// R's aml, a truncated sample, a tied one and a renewal cohort, as printed by R.
func TestPrintedCurves(t *testing.T) {
	truncated := []ledger.Tenure{{Duration: 3, Ended: true}, {Duration: 5}, {Duration: 6, Ended: true},
		{Entry: 2, Duration: 6, Ended: true}, {Entry: 3, Duration: 7}, {Entry: 1, Duration: 4, Ended: true},
		{Duration: 2, Ended: true}, {Entry: 4, Duration: 8, Ended: true}}
	renewals := []ledger.Tenure{{Duration: 1, Ended: true, Weight: 369}, {Duration: 2, Ended: true, Weight: 163},
		{Duration: 3, Ended: true, Weight: 86}, {Duration: 4, Ended: true, Weight: 56}, {Duration: 4, Weight: 326}}
	tests := []struct {
		name                    string
		tenures                 []ledger.Tenure
		times, atRisk, surv, se []float64
		digits, seDigits        int
	}{
		{"aml", only(parseTenures(leukemia), "Maintained"), []float64{9, 13, 18, 23, 31, 34, 48}, nil,
			[]float64{.909091, .818182, .715909, .613636, .490909, .368182, .184091}, nil, 6, 0},
		{"left truncation", truncated, []float64{2, 3, 4, 6, 8}, []float64{5, 5, 5, 4, 1},
			[]float64{.8, .64, .512, .256, 0}, nil, 12, 0},
		{"ties", tiedToy(), []float64{1, 2, 4, 6, 7}, nil, []float64{.9, .7, .466667, .311111, 0},
			[]float64{.094868330, .144913767, .165775395, .168361750}, 6, 9},
		{"renewal cohort", renewals, []float64{1, 2, 3, 4}, []float64{1000, 631, 468, 382},
			[]float64{.631, .468, .382, .326}, []float64{.015259063, .015778973, .015364765, .014823090}, 9, 9},
	}
	for _, tt := range tests {
		c, err := KaplanMeier(tt.tenures, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range tt.times {
			digits(t, tt.name, c.Survival(x), tt.surv[i], tt.digits)
			if i < len(tt.atRisk) {
				near(t, tt.name+" at risk", c.At(x).AtRisk, tt.atRisk[i], 1e-15)
			}
			if i < len(tt.se) {
				digits(t, tt.name+" std err", c.At(x).StdErr, tt.se[i], tt.seDigits)
			}
		}
	}
}

// tiedToy is a small sample with ties; its label "group" is the covariate x.
func tiedToy() []ledger.Tenure {
	times := []float64{1, 2, 2, 3, 4, 4, 5, 6, 6, 7}
	ended := []int{1, 1, 1, 0, 1, 1, 0, 1, 0, 1}
	x := []string{"1", "1", "0", "1", "0", "1", "0", "0", "1", "0"}
	ts := make([]ledger.Tenure, len(times))
	for i := range ts {
		ts[i] = ledger.Tenure{Duration: times[i], Ended: ended[i] == 1, Labels: map[string]string{"group": x[i]}}
	}
	return ts
}

// randomTenures draws tenures with ties, entries and weights.
func randomTenures(r *rand.Rand, n int, truncated, weighted bool) []ledger.Tenure {
	ts := make([]ledger.Tenure, n)
	for i := range ts {
		ts[i] = ledger.Tenure{Customer: strconv.Itoa(i), Duration: float64(1 + r.IntN(30)), Ended: r.IntN(3) > 0,
			Labels: map[string]string{"group": string(rune('a' + r.IntN(3)))}}
		if truncated && r.IntN(2) == 0 {
			ts[i].Entry = ts[i].Duration * r.Float64() * 0.9
		}
		if weighted {
			ts[i].Weight = float64(1 + r.IntN(4))
		}
	}
	return ts
}

func TestCurveInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		ts := randomTenures(r, 2+r.IntN(60), r.IntN(2) == 0, r.IntN(2) == 0)
		km, err := KaplanMeier(ts, nil)
		if err != nil {
			t.Fatal(err)
		}
		na, _ := NelsonAalen(ts, nil)
		fh, _ := FlemingHarrington(ts, nil)
		last := 1.0
		for i, p := range km.Points {
			if p.Survival < 0 || p.Survival > last || (p.Events == 0) != (p.Survival == last) {
				t.Fatalf("survival %v after %v with %v events", p.Survival, last, p.Events)
			}
			last = p.Survival
			if na.Points[i].Survival < p.Survival || na.Points[i].Survival < fh.Points[i].Survival-1e-15 {
				t.Fatalf("at %v: exp(-H) %v below Kaplan-Meier %v", p.Time, na.Points[i].Survival, p.Survival)
			}
		}
		shuffled := append([]ledger.Tenure(nil), ts...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, _ := KaplanMeier(shuffled, nil)
		equal(t, again, km)
		single, _ := KaplanMeier(expand(ts), nil)
		if diff := cmp.Diff(km, single, cmpopts.EquateApprox(1e-13, 0), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("weights against duplicates (-weights +duplicates)\n%s", diff)
		}
	}
}

// expand repeats each tenure as often as its weight says.
func expand(ts []ledger.Tenure) []ledger.Tenure {
	var out []ledger.Tenure
	for _, x := range ts {
		n := max(1, int(x.Weight))
		x.Weight = 0
		for range n {
			out = append(out, x)
		}
	}
	return out
}

func TestUncensoredCurveIsTheEmpiricalSurvivor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts := randomTenures(r, 50, false, false)
	for i := range ts {
		ts[i].Ended = true
	}
	c, _ := KaplanMeier(ts, nil)
	for _, p := range c.Points {
		left := 0
		for _, x := range ts {
			if x.Duration > p.Time {
				left++
			}
		}
		want := float64(left) / 50
		near(t, "survival", p.Survival, want, 1e-13)
		if want > 0 {
			near(t, "std err", p.StdErr, math.Sqrt(want*(1-want)/50), 1e-12)
		}
	}
	mean, err := c.RestrictedMean(1000)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, x := range ts {
		sum += x.Duration
	}
	near(t, "restricted mean", mean.Mean, sum/50, 1e-13)
}

func TestCurveSpecialCases(t *testing.T) {
	c, _ := KaplanMeier([]ledger.Tenure{{Duration: 0, Ended: true}, {Duration: 2, Ended: true}, {Duration: 5}}, nil)
	near(t, "leaving at once", c.Survival(0), 2./3, 1e-15)
	near(t, "before", c.Survival(-1), 1, 1e-15)
	near(t, "after the end", c.Survival(100), 1./3, 1e-15)
	near(t, "nobody at risk", c.AtRisk(5.1), 0, 1e-15)
	near(t, "at risk between", c.AtRisk(1), 2, 1e-15)
	near(t, "at risk before", c.At(-1).AtRisk, 3, 1e-15)
	for _, x := range []float64{c.Survival(math.NaN()), c.AtRisk(math.NaN()), c.CumHazard(math.NaN()), c.Quantile(0).Time,
		c.Quantile(1).Time, c.Quantile(math.NaN()).Time, c.Quantile(0.9).Time} {
		if !math.IsNaN(x) {
			t.Errorf("got %v, want NaN", x)
		}
	}
	none, err := KaplanMeier([]ledger.Tenure{{Duration: 3}}, nil)
	if err != nil || none.Survival(3) != 1 || none.Points[0].StdErr != 0 {
		t.Errorf("without events: %+v, %v", none, err)
	}
}

func TestCurveErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ok := ledger.Tenure{Duration: 1, Ended: true}
	tests := []struct {
		name   string
		tenure ledger.Tenure
		want   string
	}{
		{"negative duration", ledger.Tenure{Duration: -1}, `survival: row 2: field "Duration": value "-1": negative`},
		{"NaN duration", ledger.Tenure{Duration: nan}, `survival: row 2: field "Duration": value "NaN": not a finite number`},
		{"infinite duration", ledger.Tenure{Duration: inf}, `survival: row 2: field "Duration": value "+Inf": not a finite number`},
		{"negative entry", ledger.Tenure{Entry: -1, Duration: 1}, `survival: row 2: field "Entry": value "-1": negative`},
		{"NaN entry", ledger.Tenure{Entry: nan, Duration: 1}, `survival: row 2: field "Entry": value "NaN": not a finite number`},
		{"entry after exit", ledger.Tenure{Entry: 3, Duration: 2},
			`survival: row 2: field "Entry": value "3": not before Duration: entry after exit (Duration is 2)`},
		{"entry at exit", ledger.Tenure{Entry: 2, Duration: 2},
			`survival: row 2: field "Entry": value "2": not before Duration: entry after exit (Duration is 2)`},
		{"negative weight", ledger.Tenure{Duration: 2, Weight: -1}, `survival: row 2: field "Weight": value "-1": negative`},
		{"huge weight", ledger.Tenure{Duration: 2, Weight: 1e100},
			`survival: row 2: field "Weight": value "1e+100": not between 1e-90 and 1e90`},
		{"tiny weight", ledger.Tenure{Duration: 2, Weight: 5e-324},
			`survival: row 2: field "Weight": value "5e-324": not between 1e-90 and 1e90`},
		{"infinite weight", ledger.Tenure{Duration: 2, Weight: inf}, `survival: row 2: field "Weight": value "+Inf": not a finite number`},
	}
	for _, tt := range tests {
		for name, estimate := range estimators {
			if _, err := estimate([]ledger.Tenure{ok, tt.tenure}, nil); err == nil || err.Error() != tt.want {
				t.Errorf("%s, %s: got %v, want %s", tt.name, name, err, tt.want)
			}
		}
	}
	wantError(t, "survival: no tenures")(KaplanMeier(nil, nil))
	wantError(t, "survival: option Level: 1 is not between 0 and 1")(KaplanMeier([]ledger.Tenure{ok}, &CurveOptions{Level: 1}))
	wantError(t, "survival: option Band: no band 9")(KaplanMeier([]ledger.Tenure{ok}, &CurveOptions{Band: 9}))
	c, _ := KaplanMeier([]ledger.Tenure{ok, {Duration: 4}}, nil)
	_, err := c.RestrictedMean(5)
	wantText(t, err, "survival: restricted mean: horizon 5 is after the last observed time 4; choose one within it or "+
		"extrapolate with a parametric model")
	_, err = c.RestrictedMean(nan)
	wantText(t, err, "survival: restricted mean: horizon NaN is not a positive number")
}

func wantError(t testing.TB, want string) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		wantText(t, err, want)
	}
}

func wantText(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestCurveOutput(t *testing.T) {
	curves, err := KaplanMeierBy(parseTenures(remission), Label("group"), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(curves.Group("control"))
	if err != nil {
		t.Fatal(err)
	}
	var back Curve
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, &back, curves.Group("control"))
	if curves.Group("none") != nil {
		t.Error("a curve of no group")
	}
	var b bytes.Buffer
	if err := curves.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if want := "group,time,at_risk,events,censored,survival,std_err,lower,upper,cum_hazard,cum_hazard_std_err"; lines[0] != want {
		t.Errorf("got header %s", lines[0])
	}
	if !strings.HasPrefix(lines[1], "6-MP,6,21,3,1,0.857142857142857") {
		t.Errorf("got line %s", lines[1])
	}
}
