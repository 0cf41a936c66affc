package clv_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/money"
)

// nbdEstimate is a made-up estimate with a covariance whose off-diagonals matter.
func nbdEstimate() *fit.Estimate[clv.NBD] {
	return &fit.Estimate[clv.NBD]{
		Model:     clv.NBD{R: 0.5, Alpha: 4},
		Params:    []fit.Param{{Name: "R", Value: 0.5, StdErr: 0.05}, {Name: "Alpha", Value: 4, StdErr: 0.6}},
		Cov:       [][]float64{{0.0025, 0.024}, {0.024, 0.36}},
		Customers: 100, Unit: clv.Week,
	}
}

// The expected purchases of the NBD are t (r+x)/(alpha+T), whose log has the derivatives r/(r+x) in ln r and
// -alpha/(alpha+T) in ln alpha: with x = 2, T = 16 these are 0.2 and -0.2. The covariance of the logs is 0.01, 0.012,
// 0.0225.
func TestDeltaMethodInClosedForm(t *testing.T) {
	h := clv.History{X: 2, TX: 10, T: 16}
	got, err := clv.ExpectedPurchasesInterval(nbdEstimate(), h, 52, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	const z = 1.959963984540054
	value := 52 * 2.5 / 20
	half := z * math.Sqrt(0.04*(0.01+0.0225-2*0.012))
	want := clv.Interval{Value: value, Low: value * math.Exp(-half), High: value * math.Exp(half)}
	for _, v := range [][2]float64{{got.Value, want.Value}, {got.Low, want.Low}, {got.High, want.High}} {
		if !golden.Close(v[0], v[1], 1e-10) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	// A function of other sign on its own scale: r - alpha has the variance 0.0025 + 0.36 - 2*0.024.
	got, err = clv.DeltaInterval(nbdEstimate(), func(m clv.NBD) float64 { return m.R - m.Alpha }, fit.Identity, 0.95)
	if half := z * math.Sqrt(0.0025+0.36-0.048); err != nil || !golden.Close(got.Low, -3.5-half, 1e-10) || !golden.Close(got.High, -3.5+half, 1e-10) {
		t.Errorf("got %v, %v, want half a width of %v", got, err, half)
	}
}

func TestIntervalsWithoutWidth(t *testing.T) {
	h := clv.History{X: 2, TX: 10, T: 16}
	got, err := clv.ProbAliveInterval(nbdEstimate(), h, 0.95)
	if want := (clv.Interval{Value: 1, Low: 1, High: 1}); err != nil || got != want {
		t.Errorf("NBD customers never leave: got %v, %v", got, err)
	}
	got, err = clv.ExpectedPurchasesInterval(nbdEstimate(), h, 0, 0.95)
	if want := (clv.Interval{}); err != nil || got != want {
		t.Errorf("no time, no purchases: got %v, %v", got, err)
	}
}

func TestIntervalErrors(t *testing.T) {
	h := clv.History{X: 2, TX: 10, T: 16}
	withheld := nbdEstimate()
	withheld.Cov = nil
	unknown := nbdEstimate()
	unknown.Params[0].Name = "Rate"
	for _, c := range []struct {
		name string
		e    *fit.Estimate[clv.NBD]
		h    clv.History
		t    float64
		l    float64
		want string
	}{
		{"no estimate", nil, h, 1, 0.95, "clv: no estimate"},
		{"no covariance", withheld, h, 1, 0.95, "clv: no covariance"},
		{"level", nbdEstimate(), h, 1, 95, "clv: level 95: want a number between 0 and 1, such as 0.95"},
		{"history", nbdEstimate(), clv.History{Customer: "c1", X: 1, TX: 3, T: 2}, 1, 0.95, `clv: customer "c1": TX 3: greater than T`},
		{"horizon", nbdEstimate(), h, -1, 0.95, "clv: the model gives no number for this history"},
		{"field", unknown, h, 1, 0.95, "clv: clv.NBD has no field Rate that is a float64"},
	} {
		if _, err := clv.ExpectedPurchasesInterval(c.e, c.h, c.t, c.l); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := clv.DERTInterval(nbdEstimate(), h, 0, 0.95); !errors.Is(err, clv.ErrInfinite) {
		t.Errorf("purchases for ever: %v, want ErrInfinite", err)
	}
	if _, err := clv.ExpectedPurchasesInterval(withheld, h, 1, 0.95); !errors.Is(err, fit.ErrNoCovariance) {
		t.Errorf("%v, want ErrNoCovariance", err)
	}
}

func TestIntervalJSON(t *testing.T) {
	for _, c := range []struct {
		i    clv.Interval
		text string
	}{
		{clv.Interval{Value: 1.5, Low: 1, High: 2}, `{"value":1.5,"low":1,"high":2}`},
		{clv.Interval{Value: 1.5, Low: 0, High: math.Inf(1)}, `{"value":1.5,"low":0,"high":null}`},
		{clv.Interval{Value: -1, Low: math.Inf(-1), High: 0}, `{"value":-1,"low":null,"high":0}`},
	} {
		text, err := json.Marshal(c.i)
		if err != nil || string(text) != c.text {
			t.Errorf("%v: %s, %v, want %s", c.i, text, err, c.text)
		}
		var back clv.Interval
		if err := json.Unmarshal(text, &back); err != nil || back != c.i {
			t.Errorf("%s: %v, %v", text, back, err)
		}
	}
	if _, err := json.Marshal(clv.Interval{Value: math.NaN()}); err == nil {
		t.Error("NaN became JSON")
	}
}

// Delta method and parametric bootstrap agree where the estimate is precise.
func TestIntervalsOfTwoKindsAgree(t *testing.T) {
	m := clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}
	e, err := clv.FitBGNBD(context.Background(), modeltest.Draw(m, 20_000, 7), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := clv.DrawParams(e, 20_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	h := clv.History{X: 3, TX: 20, T: 40}
	for _, c := range []struct {
		name  string
		scale fit.Scale
		f     func(m clv.BGNBD) float64
	}{
		{"ProbAlive", fit.Logit, func(m clv.BGNBD) float64 { return m.ProbAlive(h) }},
		{"ExpectedPurchases", fit.Log, func(m clv.BGNBD) float64 { return m.ExpectedPurchases(h, 52) }},
		{"DERT", fit.Log, func(m clv.BGNBD) float64 { return m.DERT(h, 0.002) }},
	} {
		delta, err := clv.DeltaInterval(e, c.f, c.scale, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := d.Interval(c.f, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		width := delta.High - delta.Low
		if math.Abs(delta.Low-drawn.Low) > 0.06*width || math.Abs(delta.High-drawn.High) > 0.06*width || drawn.Value != delta.Value {
			t.Errorf("%s: delta method %v, draws %v", c.name, delta, drawn)
		}
	}
	again, _ := clv.DrawParams(e, 20_000, 1)
	if diff := cmp.Diff(d.Params, again.Params); diff != "" {
		t.Error("the same seed gave other draws")
	}
	// The draws have the covariance of the estimate, off-diagonals included.
	ps, err := d.ParamIntervals(0.9)
	if err != nil {
		t.Fatal(err)
	}
	wald, _ := e.Interval(0.9)
	for i, p := range ps {
		if width := wald[i][1] - wald[i][0]; math.Abs(p.Interval.Low-wald[i][0]) > 0.06*width || math.Abs(p.Interval.High-wald[i][1]) > 0.06*width {
			t.Errorf("%s: draws %v, Wald %v", p.Name, p.Interval, wald[i])
		}
	}
	var cross, va, vb float64
	for _, theta := range d.Params {
		a, b := math.Log(theta[2]/e.Model.A), math.Log(theta[3]/e.Model.B)
		cross, va, vb = cross+a*b, va+a*a, vb+b*b
	}
	if got, want := cross/math.Sqrt(va*vb), e.Cov[2][3]/math.Sqrt(e.Cov[2][2]*e.Cov[3][3]); math.Abs(got-want) > 0.01 {
		t.Errorf("correlation of ln A and ln B among draws %v, in the estimate %v", got, want)
	}
}

func TestValueInterval(t *testing.T) {
	purchases := nbdEstimate()
	spend := &fit.Estimate[clv.GammaGamma]{
		Model:  clv.GammaGamma{P: 6, Q: 4, Gamma: 15},
		Params: []fit.Param{{Name: "P", Value: 6, StdErr: 0.6}, {Name: "Q", Value: 4, StdErr: 0.2}, {Name: "Gamma", Value: 15, StdErr: 1.5}},
		Cov:    [][]float64{{0.36, 0, 0}, {0, 0.04, 0}, {0, 0, 2.25}}, Customers: 100,
	}
	h := clv.History{Customer: "c1", X: 2, TX: 10, T: 16, Spend: money.MustParse("60", "USD")}
	v := clv.ValueOptions{Horizon: 52, Margin: 0.5}
	got, err := clv.ValueInterval(purchases, spend, h, v, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	value, err := clv.Value(purchases.Model, spend.Model, h, clv.Week, v)
	if err != nil {
		t.Fatal(err)
	}
	// ln mean = ln p + ln(gamma + x z) - ln(p x + q - 1), with x z = 60.
	dp, dq, dg := 1-12.0/15, -4.0/15, 15.0/75
	variance := 0.04*(0.01+0.0225-2*0.012) + 0.01*dp*dp + 0.0025*dq*dq + 0.01*dg*dg
	half := 1.959963984540054 * math.Sqrt(variance)
	if !got.Value.Equal(value) || math.Abs(got.Low.Float64()/value.Float64()-math.Exp(-half)) > 1e-4 ||
		math.Abs(got.High.Float64()/value.Float64()-math.Exp(half)) > 1e-4 {
		t.Errorf("got %v, want %v by factors of %v", got, value, math.Exp(half))
	}
	a, err := clv.DrawParams(purchases, 4000, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := clv.DrawParams(spend, 4000, 2)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := clv.DrawsValue(a, b, h, v, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	width := got.High.Float64() - got.Low.Float64()
	if math.Abs(drawn.Low.Float64()-got.Low.Float64()) > 0.1*width || math.Abs(drawn.High.Float64()-got.High.Float64()) > 0.1*width {
		t.Errorf("draws %v, delta method %v", drawn, got)
	}
	short, _ := clv.DrawParams(spend, 400, 2)
	if _, err := clv.DrawsValue(a, short, h, v, 0.95); err == nil || !strings.Contains(err.Error(), "4000 draws of the purchase model and 400") {
		t.Errorf("unequal numbers of draws: %v", err)
	}
}
