package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/internal/golden"
)

// coin is a model with one parameter, for the tests.
type coin struct{ P float64 }

func (coin) Kind() string { return "coin" }

func (c coin) Validate() error {
	if !(c.P > 0 && c.P < 1) {
		return errors.New("coin: P is not between 0 and 1")
	}
	return nil
}

func estimate() *Estimate[coin] {
	return &Estimate[coin]{Model: coin{0.25}, Params: []Param{{"P", 0.25, 0.05, Logit}}, Cov: [][]float64{{0.0025}},
		LogLik: -56.2335, Customers: 75, Unit: 7 * 24 * time.Hour, Iter: 5, Evaluations: 9}
}

func TestCriteria(t *testing.T) {
	e := estimate()
	if got, want := e.AIC(), 2+2*56.2335; got != want {
		t.Errorf("AIC %v, want %v", got, want)
	}
	if got, want := e.BIC(), math.Log(75)+2*56.2335; got != want {
		t.Errorf("BIC %v, want %v", got, want)
	}
}

// The intervals are symmetric on the working scale: ends are the formula's, computed by hand for z = 1.959963985.
func TestInterval(t *testing.T) {
	e := &Estimate[coin]{Params: []Param{{"A", 2, 0.5, Log}, {"P", 0.25, 0.05, Logit}, {"M", -1, 2, Identity}}}
	got, err := e.Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	const z = 1.9599639845400545
	half := z * 0.05 / (0.25 * 0.75)
	want := [][2]float64{
		{2 * math.Exp(-z/4), 2 * math.Exp(z/4)},
		{1 / (1 + 3*math.Exp(half)), 1 / (1 + 3*math.Exp(-half))},
		{-1 - 2*z, -1 + 2*z},
	}
	for i := range want {
		for j := range 2 {
			if !golden.Close(got[i][j], want[i][j], 1e-14) {
				t.Errorf("interval %d: %v, want %v", i, got[i], want[i])
			}
		}
	}
	for _, level := range []float64{0, 1, -1, 2, math.NaN()} {
		if _, err := e.Interval(level); err == nil {
			t.Errorf("level %v: no error", level)
		}
	}
	e.Params[1].StdErr = math.NaN()
	if _, err := e.Interval(0.95); !errors.Is(err, ErrNoCovariance) {
		t.Errorf("error %v, want ErrNoCovariance", err)
	}
}

func TestEstimateString(t *testing.T) {
	e := estimate()
	e.Warnings = []string{"a word"}
	want := `  coin  estimate  std. error  95% low  95% high
     P      0.25        0.05  0.16503  0.359864
log-likelihood -56.2335, AIC 114.47, BIC 116.78, 75 customers
unit of time 168h0m0s; converged after 5 iterations and 9 evaluations
note: a word
`
	if diff := cmp.Diff(want, e.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEstimateJSON(t *testing.T) {
	e := estimate()
	for _, missing := range []bool{false, true} {
		if missing {
			e.Cov, e.Params[0].StdErr = nil, math.NaN()
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Estimate[coin]
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&back)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Errorf("after a round trip (-want +got):\n%s", diff)
		}
		if missing && !math.IsNaN(back.Params[0].StdErr) {
			t.Errorf("missing standard error came back as %v", back.Params[0].StdErr)
		}
	}
}

func TestEstimateJSONRefuses(t *testing.T) {
	text, err := json.Marshal(estimate())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"estimate/coin", "estimate/die", `the text is a "custval/estimate/die/v1", want "custval/estimate/coin/v1"`},
		{`{"P":0.25}`, `{"P":1.25}`, "coin: P is not between 0 and 1"},
		{`"cov":[[0.0025]]`, `"cov":[[1,2]]`, "the covariance is not a 1 by 1 matrix"},
		{`"unit":"168h0m0s"`, `"unit":"a week"`, `unit "a week"`},
		{`"value":0.25`, `"value":null`, "parameter P: value NaN"},
		{`"customers":75`, `"customers":-1`, "customers -1: negative"},
		{`"stop":"converged"`, `"stop":"tired"`, `unknown stop "tired"`},
		{`"scale":"logit"`, `"scale":"cubic"`, `unknown scale "cubic"`},
		{`"customers"`, `"clients"`, `unknown field "clients"`},
	} {
		changed := strings.Replace(string(text), c.old, c.new, 1)
		if changed == string(text) {
			t.Fatalf("%s is not in %s", c.old, text)
		}
		var back Estimate[coin]
		if err := json.Unmarshal([]byte(changed), &back); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func FuzzEstimateJSON(f *testing.F) {
	text, err := json.Marshal(estimate())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"custval/estimate/coin/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e Estimate[coin]
		if json.Unmarshal(text, &e) != nil {
			return
		}
		if err := e.Model.Validate(); err != nil {
			t.Fatalf("an invalid model was read: %v", err)
		}
		_ = e.String()
		if _, err := json.Marshal(&e); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func TestModelEnvelope(t *testing.T) {
	type plain struct{ P float64 }
	text, err := MarshalModel("coin", plain{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"schema":"custval/model/coin/v1","params":{"P":0.5}}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	var p plain
	if err := UnmarshalModel(text, "coin", &p); err != nil || p.P != 0.5 {
		t.Errorf("read %v with error %v", p, err)
	}
	for _, bad := range []string{`{}`, `{"P":0.5}`, `{"schema":"custval/model/coin/v1"}`,
		`{"schema":"custval/model/die/v1","params":{"P":0.5}}`, string(text) + "{}",
		`{"schema":"custval/model/coin/v1","params":{"Q":0.5}}`} {
		if err := UnmarshalModel([]byte(bad), "coin", &p); err == nil {
			t.Errorf("%s is read without an error", bad)
		}
	}
}

func TestCompareSortsAndRefuses(t *testing.T) {
	a, b := estimate().Summary(), estimate().Summary()
	b.Kind, b.LogLik, b.Params = "die", -50, append(b.Params, Param{"Q", 1, 1, Log})
	c, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if c[0].Kind != "die" {
		t.Errorf("%s is first", c[0].Kind)
	}
	// exp(-difference of AIC / 2) over the sum.
	ratio := math.Exp(-(c[1].AIC() - c[0].AIC()) / 2)
	if w := c.Weights(); !golden.Close(w[1], ratio/(1+ratio), 1e-14) || !golden.Close(w[0]+w[1], 1, 1e-14) {
		t.Errorf("weights %v", w)
	}
	var csv bytes.Buffer
	if err := c.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("model,parameters,log_lik,aic,bic,delta_aic,weight\n"+
		"die,2,-50.0000,104.00,108.63,0.00,0.9947\ncoin,1,-56.2335,114.47,116.78,10.47,0.0053\n", csv.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(strings.TrimSpace(c.String()), "model") || strings.Count(c.String(), "\n") != 3 {
		t.Errorf("table:\n%s", c)
	}
	other := a
	other.Customers = 76
	days := a
	days.Unit = time.Hour
	early := a
	early.Stop = MaxIterations
	for _, bad := range [][]Summary{nil, {a, other}, {a, days}, {a, early}} {
		if _, err := Compare(bad...); err == nil {
			t.Errorf("%v compared without an error", bad)
		}
	}
}

func TestLikelihoodRatio(t *testing.T) {
	nested, full := estimate().Summary(), estimate().Summary()
	full.Params, full.LogLik = append(full.Params, Param{"Q", 1, 1, Log}), nested.LogLik+1.920729410347062
	r, err := Test(nested, full)
	if err != nil {
		t.Fatal(err)
	}
	// 3.841458820694124 is the 95 % point of the chi-squared distribution with one degree of freedom.
	if r.DF != 1 || !golden.Close(r.P, 0.05, 1e-9) || !golden.Close(r.Statistic, 3.841458820694124, 1e-9) {
		t.Errorf("test %+v", r)
	}
	full.LogLik = nested.LogLik - 2.7
	if _, err := Test(nested, full); !errors.Is(err, ErrNotConverged) {
		t.Errorf("a full model below the nested one: error %v, want ErrNotConverged", err)
	}
	full.LogLik = nested.LogLik - 1e-9
	if r, err := Test(nested, full); err != nil || r.Statistic != 0 || r.P != 1 {
		t.Errorf("equal up to rounding: %+v with error %v", r, err)
	}
	if _, err := Test(full, nested); err == nil {
		t.Error("a full model with fewer parameters is tested without an error")
	}
}
