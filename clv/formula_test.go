package clv_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/migration"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func dollars(s string) money.Amount { return money.MustParse(s, "USD") }

// TestFormulaMultiples holds the published table of r/(1+i-r) (Gupta and Lehmann) and its variants.
func TestFormulaMultiples(t *testing.T) {
	table := map[float64][]float64{0.6: {1.20, 1.15, 1.11, 1.07}, 0.7: {1.75, 1.67, 1.59, 1.52}, 0.8: {2.67, 2.50, 2.35, 2.22}, 0.9: {4.50, 4.09, 3.75, 3.46}}
	for r, row := range table {
		for i, want := range row {
			got, err := clv.Formula{Retention: r, Discount: 0.10 + 0.02*float64(i)}.Multiple()
			if err != nil || math.Abs(got-want) > 0.005+1e-12 {
				t.Errorf("r %v, i %v: %v with error %v, want %v", r, 0.10+0.02*float64(i), got, err, want)
			}
		}
	}
	for _, c := range []struct {
		f    clv.Formula
		want float64
	}{
		{clv.Formula{Retention: 0.8, Discount: 0.12, Growth: 0.08}, 3.125},
		{clv.Formula{Retention: 0.8, Discount: 0.12}, 2.5},
		{clv.Formula{Retention: 1, Discount: 0.12, Periods: 5, Timing: clv.EndOfPeriod}, 3.604776202}, // an annuity of five years
		{clv.Formula{Retention: 0.8, Discount: 0.12, Timing: clv.Immediate}, 3.5},
		{clv.Formula{Retention: 0.8, Discount: 0.12, Timing: clv.EndOfPeriod}, 3.125},
		{clv.Formula{Retention: 0.75, Discount: 0, Periods: 3, Timing: clv.Immediate}, 1 + 0.75 + 0.5625},
		{clv.Formula{Retention: 1, Discount: 0.1, Growth: 0.1, Periods: 7, Timing: clv.Immediate}, 7}, // q = 1
		{clv.Formula{Retention: 0, Discount: 0.1, Periods: 3, Timing: clv.Immediate}, 1},
		{clv.Formula{Retention: 0, Discount: 0.1}, 0},
	} {
		if got, err := c.f.Multiple(); err != nil || !golden.Close(got, c.want, 1e-9) {
			t.Errorf("%+v: %v with error %v, want %v", c.f, got, err, c.want)
		}
	}
}

// TestFormulaEqualsItsSum adds the terms one by one.
func TestFormulaEqualsItsSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		f := clv.Formula{Retention: r.Float64(), Discount: 0.3 * r.Float64(), Growth: 0.3*r.Float64() - 0.1, Periods: 1 + r.IntN(40), Timing: clv.Timing(r.IntN(3))}
		sum, now := 0.0, 1.0
		for k := range f.Periods {
			p, d := now, math.Pow(1+f.Discount, float64(k))
			switch f.Timing {
			case clv.AfterRenewal:
				p, d = p*f.Retention, d*(1+f.Discount)
			case clv.EndOfPeriod:
				d *= 1 + f.Discount
			}
			sum += p * math.Pow(1+f.Growth, float64(k)) / d
			now *= f.Retention
		}
		if got, err := f.Multiple(); err != nil || !golden.Close(got, sum, 1e-12) {
			t.Errorf("%+v: %v with error %v, want %v", f, got, err, sum)
		}
		f.Periods = 0
		forever, err := f.Multiple()
		if f.Retention*(1+f.Growth) >= 1+f.Discount {
			if !errors.Is(err, clv.ErrInfinite) {
				t.Errorf("%+v: %v with error %v, want ErrInfinite", f, forever, err)
			}
			continue
		}
		f.Periods = 100_000
		if long, err2 := f.Multiple(); err != nil || err2 != nil || !golden.Close(forever, long, 1e-9) {
			t.Errorf("%+v: %v for ever, %v for long", f, forever, long)
		}
	}
}

// TestBreakEven puts the break-even rate back into the formula.
func TestBreakEven(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		f := clv.Formula{Margin: dollars("40"), Discount: 0.02 + 0.3*r.Float64(), Growth: 0.02 * r.Float64(), Timing: clv.Timing(r.IntN(3))}
		cost := dollars(fmt.Sprintf("%.2f", 10+150*r.Float64()))
		rate, err := f.BreakEvenRetention(cost)
		if err != nil {
			if !strings.Contains(err.Error(), "never earned back") {
				t.Error(err)
			}
			continue
		}
		f.Retention = rate
		m, err := f.Multiple()
		if err != nil {
			t.Fatal(err)
		}
		if want := cost.Float64() / 40; rate > 0 && !golden.Close(m, want, 1e-9) || rate == 0 && m < want {
			t.Errorf("%+v: multiple %v, want %v", f, m, want)
		}
	}
}

func TestFormulaMoneyAndDrivers(t *testing.T) {
	f := clv.Formula{Margin: dollars("100"), Retention: 0.8, Discount: 0.12}
	v, err := f.Value()
	if err != nil || v.String() != "USD 250.00" {
		t.Errorf("value %v with error %v, want USD 250.00", v, err)
	}
	drivers, err := f.Drivers()
	if err != nil {
		t.Fatal(err)
	}
	// 80.8/31.2 and 80/32.12 per cent against 250.
	for i, want := range []string{"order value USD 2.50", "frequency USD 2.50", "margin USD 2.50", "retention USD 8.97", "discount USD -0.93"} {
		if got := drivers[i].Name + " " + drivers[i].Effect.String(); got != want {
			t.Errorf("driver %s, want %s", got, want)
		}
	}
	if c, err := clv.ContinuousValue(dollars("100"), 0.1, 0.15, 0); err != nil || c.String() != "USD 400.00" {
		t.Errorf("continuous value %v with error %v", c, err)
	}
	// 100 (1-e^-1)/0.25
	if c, err := clv.ContinuousValue(dollars("100"), 0.1, 0.15, 4); err != nil || c.String() != "USD 252.85" {
		t.Errorf("continuous value of four years %v with error %v", c, err)
	}
	if c, err := clv.ContinuousValue(dollars("100"), 0, 0, 4); err != nil || c.String() != "USD 400.00" {
		t.Errorf("continuous value without decay %v with error %v", c, err)
	}
}

// TestBergerNasr holds the examples: 568.78 for the insurance company, 354.688 for two cycles a year.
func TestBergerNasr(t *testing.T) {
	one := clv.BergerNasr{Contribution: dollars("260"), Promotion: dollars("50"), Retention: 0.75, Discount: 0.2, Years: 10}
	if v, err := one.Value(); err != nil || v.String() != "USD 568.78" {
		t.Errorf("case 1: %v with error %v", v, err)
	}
	two := clv.BergerNasr{Contribution: dollars("125"), Promotion: dollars("25"), Retention: 0.8, Discount: 0.2, Years: 4, Every: 0.5}
	if v, err := two.Value(); err != nil || v.String() != "USD 354.69" {
		t.Errorf("case 2a: %v with error %v", v, err)
	}
	// Case 2b by hand: every two years over four, 100 + 50/1.44 + 25/2.0736 - 10/1.2 - 5/1.728.
	rare := clv.BergerNasr{Contribution: dollars("100"), Promotion: dollars("10"), Retention: 0.5, Discount: 0.2, Years: 5, Every: 2}
	if v, err := rare.Value(); err != nil || v.String() != "USD 135.55" {
		t.Errorf("case 2b: %v with error %v", v, err)
	}
	three := one
	three.ContributionAt = func(int) money.Amount { return dollars("260") }
	three.PromotionAt = func(int) money.Amount { return dollars("50") }
	if v, err := three.Value(); err != nil || v.String() != "USD 568.78" {
		t.Errorf("case 3 with constant functions: %v with error %v", v, err)
	}
	// Case 4 with constant profit is the continuous formula: hazard -ln 0.8.
	four, err := clv.ContinuousProfit(func(float64) float64 { return 100 }, "USD", 0.8, 0.1, 6)
	if err != nil {
		t.Fatal(err)
	}
	want, err := clv.ContinuousValue(dollars("100"), 0.1, -math.Log(0.8), 6)
	if err != nil || !four.Equal(want) {
		t.Errorf("case 4: %v, want %v", four, want)
	}
}

// TestRecencyModel is case 5 against the Markov chain of the same probabilities, whose costs fall at the start of a
// period instead of its middle.
func TestRecencyModel(t *testing.T) {
	m := clv.RecencyModel{Contribution: dollars("40"), Probability: []float64{0.3, 0.2, 0.15, 0.05}, Discount: 0.2, Periods: 4}
	got, err := m.Value()
	if err != nil {
		t.Fatal(err)
	}
	chain := migration.Chain{States: []string{"1", "2", "3", "4", "former"},
		P:       [][]float64{{0.3, 0.7, 0, 0, 0}, {0.2, 0, 0.8, 0, 0}, {0.15, 0, 0, 0.85, 0}, {0.05, 0, 0, 0, 0.95}, {0, 0, 0, 0, 1}},
		Rewards: []money.Amount{dollars("40"), dollars("0"), dollars("0"), dollars("0"), dollars("0")}}
	v, err := chain.ValueOver(0.2, 4)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Float64()-v.Values[0]) > 0.005+1e-9 {
		t.Errorf("value %v, the chain gives %v", got, v.Values[0])
	}
	_, contacted, err := m.Purchases()
	if err != nil {
		t.Fatal(err)
	}
	// Nobody is lost before the fifth period without a purchase.
	for i := 1; i <= 4; i++ {
		if !golden.Close(contacted[i], 1, 1e-14) {
			t.Errorf("period %d: %v contacted", i, contacted[i])
		}
	}
}

// sbg is the shifted beta-geometric retention curve.
type sbg struct{ alpha, beta float64 }

func (m sbg) Survival(t float64) float64 {
	a, _ := math.Lgamma(m.beta + t)
	b, _ := math.Lgamma(m.alpha + m.beta)
	c, _ := math.Lgamma(m.beta)
	d, _ := math.Lgamma(m.alpha + m.beta + t)
	return math.Exp(a + b - c - d)
}

// TestResidualValue holds the residual values of Fader and Hardie (2010): 100 at each renewal, 10 % discount.
func TestResidualValue(t *testing.T) {
	s := clv.SurvivalValue{Margin: dollars("100"), Curve: sbg{0.764, 1.296}, Discount: 0.1}
	for n, want := range map[int]string{1: "USD 288.22", 2: "USD 393.94", 5: "USD 568.25"} {
		if v, err := s.BeforeRenewal(n); err != nil || v.String() != want {
			t.Errorf("renewal %d: %v with error %v, want %s", n, v, err, want)
		}
	}
}

// geometricCurve has a constant hazard.
type geometricCurve struct{ retention float64 }

func (g geometricCurve) Survival(t float64) float64 { return math.Pow(g.retention, t) }

// TestSurvivalValueAtConstantHazard equals the formula at every age, timing and horizon.
func TestSurvivalValueAtConstantHazard(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		f := clv.Formula{Margin: dollars("1000"), Retention: r.Float64(), Discount: 0.03 + 0.3*r.Float64(), Timing: clv.Timing(r.IntN(3)), Periods: r.IntN(20)}
		s := clv.SurvivalValue{Margin: f.Margin, Curve: geometricCurve{f.Retention}, Discount: f.Discount, Timing: f.Timing, Horizon: float64(f.Periods)}
		want, err := f.Value()
		if err != nil {
			t.Fatal(err)
		}
		for _, age := range []float64{0, 3} {
			got, err := s.Residual(age)
			if err != nil || math.Abs(got.Float64()-want.Float64()) > 0.011 {
				t.Errorf("%+v, age %v: %v with error %v, want %v", f, age, got, err, want)
			}
		}
		s.Continuous = true
		got, err := s.New()
		if err != nil {
			t.Fatal(err)
		}
		c, err := clv.ContinuousValue(f.Margin, math.Log1p(f.Discount), -math.Log(f.Retention), s.Horizon)
		if err != nil || math.Abs(got.Float64()-c.Float64()) > 0.011 {
			t.Errorf("%+v: continuous %v, want %v", f, got, c)
		}
	}
}

// step is a Kaplan-Meier curve: half leave at age 1.5, the others at 2.
type step struct{}

func (step) Survival(t float64) float64 {
	switch {
	case t < 1.5:
		return 1
	case t < 2:
		return 0.5
	}
	return 0
}

func TestSurvivalValueOfAStepFunction(t *testing.T) {
	s := clv.SurvivalValue{Margin: dollars("100"), Curve: step{}, Continuous: true, Horizon: 10}
	if v, err := s.New(); err != nil || v.String() != "USD 175.00" {
		t.Errorf("value %v with error %v, want USD 175.00", v, err)
	}
	if v, err := s.Residual(1); err != nil || v.String() != "USD 75.00" {
		t.Errorf("residual value %v with error %v, want USD 75.00", v, err)
	}
}

// rising is no survival curve.
type rising struct{}

func (rising) Survival(t float64) float64 { return min(1, 0.1+t/10) }

type nothing struct{}

func (nothing) Survival(float64) float64 { return math.NaN() }

func TestFormulaErrors(t *testing.T) {
	m := dollars("10")
	formula := func(f clv.Formula) error { _, err := f.Value(); return err }
	breakEven := func(f clv.Formula, c money.Amount) error { _, err := f.BreakEvenRetention(c); return err }
	continuous := func(rate, hazard, horizon float64) error {
		_, err := clv.ContinuousValue(m, rate, hazard, horizon)
		return err
	}
	berger := func(b clv.BergerNasr) error { _, err := b.Value(); return err }
	recency := func(r clv.RecencyModel) error { _, err := r.Value(); return err }
	survival := func(s clv.SurvivalValue) error { _, err := s.New(); return err }
	_, drivers := clv.Formula{Margin: m, Discount: 0.1}.Drivers()
	_, profit := clv.ContinuousProfit(func(float64) float64 { return math.NaN() }, "USD", 0.5, 0.1, 2)
	_, none := clv.ContinuousProfit(nil, "USD", 0.5, 0.1, 2)
	_, late := clv.SurvivalValue{Margin: m, Curve: step{}, Discount: 0.1}.Residual(5)
	for _, c := range []struct {
		err  error
		want string
	}{
		{formula(clv.Formula{Retention: 1.2}), "clv: formula: retention 1.2: want a number from 0 to 1"},
		{formula(clv.Formula{Retention: math.NaN()}), "retention NaN"},
		{formula(clv.Formula{Discount: -0.1}), "clv: formula: discount -0.1: want a finite number that is not negative"},
		{formula(clv.Formula{Growth: -1}), "clv: formula: growth -1: want a finite number above -1"},
		{formula(clv.Formula{Periods: -1}), "clv: formula: periods -1: negative"},
		{formula(clv.Formula{Timing: 9}), "clv: formula: Timing(9): unknown"},
		{formula(clv.Formula{Margin: m, Retention: 0.9, Discount: 0.05, Growth: 0.2}), "it needs retention (1+growth) < 1+discount, which are 1.08 and 1.05; set Periods"},
		{formula(clv.Formula{Margin: m, Retention: 1, Discount: 0, Growth: 9, Periods: 1000}), "too large to be a number"},
		{breakEven(clv.Formula{Margin: m, Discount: 0.5}, dollars("1000")), "never earned back: a retention of 1.485 would be needed"},
		{breakEven(clv.Formula{Discount: 0.5}, m), "want positive amounts"},
		{breakEven(clv.Formula{Margin: m}, money.MustParse("1", "EUR")), "EUR"},
		{continuous(-1, 0, 0), "clv: continuous value: rate -1"},
		{continuous(0, 0, 0), "clv: continuous value: without rate and hazard the value for ever is infinite"},
		{berger(clv.BergerNasr{Retention: 2}), "clv: berger-nasr: retention 2"},
		{berger(clv.BergerNasr{Years: 1e9, Every: 1e-9}), "at most 10000000 cycles"},
		{berger(clv.BergerNasr{Contribution: m, Promotion: money.MustParse("1", "EUR"), Years: 2}), "clv: berger-nasr: "},
		{recency(clv.RecencyModel{}), "clv: recency model: 0 probabilities and 0 periods"},
		{recency(clv.RecencyModel{Probability: []float64{0.5, 1.5}}), "clv: recency model: probability 2: 1.5"},
		{survival(clv.SurvivalValue{}), "clv: survival value: no curve"},
		{survival(clv.SurvivalValue{Curve: step{}}), "the value for ever without a discount may be infinite"},
		{survival(clv.SurvivalValue{Curve: step{}, Horizon: 1.5}), "horizon 1.5"},
		{survival(clv.SurvivalValue{Curve: rising{}, Discount: 0.1}), "want a curve that starts at 1 or below and falls towards 0"},
		{survival(clv.SurvivalValue{Curve: nothing{}, Discount: 0.1}), "survival at 0 is NaN"},
		{late, "clv: survival value: nobody survives to that age"},
		{drivers, "clv: drivers of a value of 0: undefined"},
		{profit, "does not converge"},
		{none, "clv: continuous profit: no profit"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
	if !errors.Is(drivers, ledger.ErrUndefined) {
		t.Error("drivers of nothing are not ErrUndefined")
	}
}

func ExampleFormula() {
	f := clv.Formula{Margin: money.MustParse("100", "USD"), Retention: 0.80, Discount: 0.12}
	value, err := f.Value()
	if err != nil {
		fmt.Println(err)
		return
	}
	rate, err := f.BreakEvenRetention(money.MustParse("150", "USD"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v; a cost of USD 150 pays from a retention of %.1f %% on\n", value, 100*rate)
	// Output: USD 250.00; a cost of USD 150 pays from a retention of 67.2 % on
}

func ExampleBergerNasr() {
	insurance := clv.BergerNasr{Contribution: money.MustParse("260", "USD"), Promotion: money.MustParse("50", "USD"),
		Retention: 0.75, Discount: 0.20, Years: 10}
	fmt.Println(insurance.Value())
	// Output: USD 568.78 <nil>
}
