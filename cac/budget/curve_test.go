package budget_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/budget"
)

func TestCurvesMarginalAndInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		c := randomCurve(r, true)
		x := math.Exp(10*r.Float64() - 2)
		h := 1e-5 * x
		want := (c.Response(x-2*h) - 8*c.Response(x-h) + 8*c.Response(x+h) - c.Response(x+2*h)) / (12 * h)
		if got := c.Marginal(x); !relative(got, want, 1e-6) && math.Abs(got-want) > 1e-9*c.Response(x)/x {
			t.Fatalf("%#v: marginal at %v = %v, differences %v", c, x, got, want)
		}
		s := c.(budget.Shape)
		bend := s.Inflection()
		m := c.Marginal(x)
		if x > bend && m > 1e-290 {
			if got := s.Spend(m); !relative(c.Marginal(got), m, 1e-9) || got < bend {
				t.Fatalf("%#v: spend of marginal %v = %v, want %v", c, m, got, x)
			}
		}
		if bend > 0 && !(c.Marginal(bend) >= c.Marginal(bend*0.999) && c.Marginal(bend) >= c.Marginal(bend*1.001)) {
			t.Fatalf("%#v: the marginal is not greatest at the inflection %v", c, bend)
		}
		if got := s.Spend(math.Inf(1)); got != bend {
			t.Fatalf("%#v: Spend(+Inf) = %v, want %v", c, got, bend)
		}
		if got := s.Spend(0); !math.IsInf(got, 1) {
			t.Fatalf("%#v: Spend(0) = %v", c, got)
		}
	}
}

func TestCurvesByHand(t *testing.T) {
	for _, c := range []struct {
		curve                 budget.Curve
		x, response, marginal float64
		tolerance             float64
	}{
		{power(3, .5), 900, 90, .05, 1e-15},
		{logarithmic(500, 100), 400, 500 * math.Log(5), 1, 1e-15},
		{negExp(100, .01), 100, 100 * (1 - math.Exp(-1)), math.Exp(-1), 1e-15},
		{mm(100, 50), 50, 50, .5, 1e-15},
		{hill(100, 50, 3), 50, 50, 1.5, 1e-15},
		{hill(100, 50, 3), 50 * math.Cbrt(2), 200. / 3, 1.0582673679787997, 1e-14}, // the tangent of the envelope
		{hill(7, 50, 1), 0, 0, .14, 1e-15},
		{hill(7, 50, 2), 0, 0, 0, 1e-15},
		{hill(7, 50, .5), 0, 0, math.Inf(1), 1e-15},
		{power(7, .5), 0, 0, math.Inf(1), 1e-15},
		{hill(1, .5, 3), .5, .5, 1.5, 1e-15}, // a Robyn curve: alpha 3, inflection 0.5
		{budget.Steady{Curve: mm(100, 50), Multiplier: 2, Carry: 10}, 20, 50, 1, 1e-15},
	} {
		if got := c.curve.Response(c.x); !relative(got, c.response, c.tolerance) {
			t.Errorf("%#v: response %.17g, want %.17g", c.curve, got, c.response)
		}
		if got := c.curve.Marginal(c.x); !relative(got, c.marginal, c.tolerance) {
			t.Errorf("%#v: marginal %.17g, want %.17g", c.curve, got, c.marginal)
		}
		if !math.IsNaN(c.curve.Response(-1)) || !math.IsNaN(c.curve.Marginal(math.NaN())) {
			t.Errorf("%#v: a number outside the domain", c.curve)
		}
	}
	// Hill with alpha 3 and the inflection at half of the greatest spend, 100 of 200
	for i, want := range []float64{.5, .771428571, .830881109, .872757348, .888888889} {
		if got := hill(1, 100, 3).Response([]float64{100, 150, 170, 190, 200}[i]); !relative(got, want, 1e-9) {
			t.Errorf("response %d = %.9f, want %v", i, got, want)
		}
	}
	average, marginal, err := cac.CurveCAC(logarithmic(500, 100), usd("400"))
	if err != nil || !average.Equal(usd("0.50")) || !marginal.Equal(usd("1")) {
		t.Errorf("CAC %s on average, %s at the margin: %v", average, marginal, err)
	}
}

func TestCurveJSON(t *testing.T) {
	for _, c := range []budget.Curve{power(3, .5), logarithmic(500, 100), negExp(100, .01), mm(100, 50), hill(100, 50, 3)} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := budget.ParseCurve(text)
		if err != nil || back != c {
			t.Errorf("%s reads back as %#v: %v", text, back, err)
		}
	}
	for text, want := range map[string]string{
		`{"schema":"custval/model/hill/v1","params":{"a":1,"c":0,"s":1}}`:        "budget: Hill: C 0: not a positive number",
		`{"schema":"custval/model/power/v1","params":{"a":1,"b":1}}`:             "budget: power: B 1: not between 0 and 1",
		`{"schema":"custval/model/cube/v1"}`:                                     `budget: curve: unknown schema "custval/model/cube/v1"`,
		`{"schema":"custval/model/log/v1","params":{"a":1,"c":2,"d":3}}`:         `unknown field "d"`,
		`{"schema":"custval/model/negexp/v1","params":{"a":-1,"k":2}}`:           "budget: negative exponential: A -1: not a positive number",
		`{"schema":"custval/model/michaelis-menten/v1","params":{"a":1,"c":-1}}`: "budget: Michaelis-Menten: C -1: not a positive number",
	} {
		if _, err := budget.ParseCurve([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := json.Marshal(budget.Hill{A: math.NaN(), C: 1, S: 1}); err == nil {
		t.Error("NaN becomes JSON")
	}
}

func FuzzParseCurve(f *testing.F) {
	f.Add([]byte(`{"schema":"custval/model/hill/v1","params":{"a":1,"c":2,"s":1.5}}`))
	f.Add([]byte(`{"schema":"custval/model/power/v1","params":{"a":1,"b":0.5}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := budget.ParseCurve(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%#v: %v", c, err)
		}
		if back, err := budget.ParseCurve(again); err != nil || back != c {
			t.Fatalf("%s: %v", again, err)
		}
	})
}

func TestAdstock(t *testing.T) {
	spend := []float64{100, 0, 0, 50, 0}
	for _, c := range []struct {
		name  string
		apply func([]float64) ([]float64, error)
		spend []float64
		want  []float64
	}{
		{"geometric", budget.Geometric{Theta: .5}.Apply, spend, []float64{100, 50, 25, 62.5, 31.25}},
		{"geometric, normalized", budget.Geometric{Theta: .5, Normalize: true}.Apply, spend, []float64{50, 25, 12.5, 31.25, 15.625}},
		{"geometric of 3 periods", budget.Geometric{Theta: .5, Length: 3}.Apply, spend, []float64{100, 50, 25, 50, 25}},
		{"geometric of 3 periods, normalized", budget.Geometric{Theta: .5, Length: 3, Normalize: true}.Apply, spend, []float64{400. / 7, 200. / 7, 100. / 7, 200. / 7, 100. / 7}},
		{"delayed", budget.Delayed{Alpha: .5, Theta: 1, Length: 4}.Apply, []float64{100, 0, 0, 0, 0}, []float64{50, 100, 50, 6.25, 0}},
		{"delayed, normalized", budget.Delayed{Alpha: .5, Theta: 1, Length: 4, Normalize: true}.Apply, []float64{100, 0, 0, 0, 0}, []float64{50 / 2.0625, 100 / 2.0625, 50 / 2.0625, 6.25 / 2.0625, 0}},
		{"none", budget.Geometric{}.Apply, spend, spend},
	} {
		got, err := c.apply(c.spend)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.want {
			if !relative(got[i], c.want[i], 1e-15) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
	if h := (budget.Geometric{Theta: .7}).HalfLife(); !relative(h, 1.9433582098747315, 1e-15) {
		t.Errorf("half-life %v", h)
	}
	if g, err := budget.GeometricOf(2); err != nil || !relative(g.Theta, math.Sqrt2/2, 1e-15) {
		t.Errorf("theta %v: %v", g, err)
	}
	if m := (budget.Geometric{Theta: .75}).Multiplier(); m != 4 {
		t.Errorf("multiplier %v", m)
	}
	if m := (budget.Delayed{Alpha: .5, Theta: 1, Length: 4}).Multiplier(); m != 2.0625 {
		t.Errorf("multiplier %v", m)
	}
	// a steady spend of 10 for long amounts to Multiplier * 10
	long := make([]float64, 400)
	for i := range long {
		long[i] = 10
	}
	g := budget.Geometric{Theta: .9}
	y, err := g.Apply(long)
	if err != nil || !relative(y[399], 10*g.Multiplier(), 1e-14) {
		t.Errorf("%v, want %v: %v", y[399], 10*g.Multiplier(), err)
	}
	for want, apply := range map[string]func() ([]float64, error){
		"budget: geometric adstock: Theta 1: not at least 0 and below 1":   func() ([]float64, error) { return budget.Geometric{Theta: 1}.Apply(spend) },
		"budget: geometric adstock: Length -1: negative":                   func() ([]float64, error) { return budget.Geometric{Length: -1}.Apply(spend) },
		"budget: delayed adstock: Alpha 0: not between 0 and 1":            func() ([]float64, error) { return budget.Delayed{Length: 1}.Apply(spend) },
		"budget: delayed adstock: Length 0: not at least 1":                func() ([]float64, error) { return budget.Delayed{Alpha: .5}.Apply(spend) },
		"budget: delayed adstock: Theta 2: not between 0 and Length-1 = 1": func() ([]float64, error) { return budget.Delayed{Alpha: .5, Theta: 2, Length: 2}.Apply(spend) },
		"budget: period 2: spend NaN: not a number of at least 0":          func() ([]float64, error) { return budget.Geometric{}.Apply([]float64{1, math.NaN()}) },
		"budget: half-life -1: not a number of periods":                    func() ([]float64, error) { _, err := budget.GeometricOf(-1); return nil, err },
	} {
		if _, err := apply(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
