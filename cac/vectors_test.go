package cac_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/money"
)

// The values of this file are published worked examples of the metric, most of them from the calculators named beside
// them, with the result as an exact fraction. A fraction is computed with math/big and must be met to the last bit, as
// both sides are the float64 nearest to it.

func frac(t *testing.T, s string) float64 {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no fraction", s)
	}
	f, _ := r.Float64()
	return f
}

func sum(t *testing.T, amounts ...string) money.Amount {
	t.Helper()
	var s money.Sum
	for _, a := range amounts {
		s.Add(usd(a))
	}
	total, err := s.Total()
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestCACOfPublishedExamples(t *testing.T) {
	for _, c := range []struct {
		source    string
		cost      []string
		customers int
		want      string
		rounded   string
	}{
		{"metrickit, paid", []string{"60000", "10000"}, 120, "1750/3", "USD 583.33"},
		{"metrickit, fully loaded", []string{"60000", "10000", "80000", "5000"}, 120, "3875/3", "USD 1291.67"},
		{"metrickit, fully loaded with sales", []string{"60000", "90000", "12000", "8000"}, 120, "170000/120", "USD 1416.67"},
		{"propelcollective, 75 % of payroll", []string{"50000", "41250", "17000"}, 100, "2165/2", "USD 1082.50"},
		{"pitchkit, blended", []string{"120000"}, 240, "500", "USD 500.00"},
		{"pitchkit, paid", []string{"90000"}, 180, "500", "USD 500.00"},
		{"mv3marketing", []string{"200000"}, 40, "5000", "USD 5000.00"},
		{"mediabuyer.site, per customer", []string{"42", "6", "1.20", "8"}, 1, "286/5", "USD 57.20"},
		{"a credit note", []string{"10000", "-1500"}, 85, "100", "USD 100.00"},
		{"nothing spent", []string{"0"}, 12, "0", "USD 0.00"},
		{"a tie goes to even", []string{"0.25"}, 10, "1/40", "USD 0.02"},
		{"a tie goes to even, upwards", []string{"0.75"}, 10, "3/40", "USD 0.08"},
	} {
		f, err := cac.NewFigure(sum(t, c.cost...), c.customers, cac.FullyLoaded(), cac.NewAll)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if f.Unrounded != frac(t, c.want) {
			t.Errorf("%s: %v, want %s", c.source, f.Unrounded, c.want)
		}
		cost, err := cac.CAC(sum(t, c.cost...), c.customers)
		if err != nil || cost.String() != c.rounded {
			t.Errorf("%s: CAC = %v, %v, want %s", c.source, cost, err, c.rounded)
		}
	}
}

func TestTotalsAreRatiosOfSums(t *testing.T) {
	a, errA := cac.NewFigure(usd("10000"), 100, cac.Paid(), cac.NewAll)
	b, errB := cac.NewFigure(usd("9000"), 30, cac.Paid(), cac.NewAll)
	all, err := cac.Combine(a, b)
	if errA != nil || errB != nil || err != nil {
		t.Fatal(errA, errB, err)
	}
	if want := frac(t, "1900/13"); all.Unrounded != want { // and not the mean of 100 and 300
		t.Errorf("combined %v, want %v", all.Unrounded, want)
	}
	if change, err := cac.Change(a, b); err != nil || change != 2 {
		t.Errorf("change from 100 to 300 = %v, %v, want 2", change, err)
	}
}

// Attributed CAC of the case of four channels credited by an order-1 Markov chain; the credits are exact fractions.
func TestAttributedCAC(t *testing.T) {
	credit := map[string]float64{"Paid Search": frac(t, "28008/3065"), "Display": frac(t, "24392/3065"), "Email": frac(t, "6044/613"), "Direct": frac(t, "5544/613")}
	spend := map[string]money.Amount{"Paid Search": usd("400"), "Display": usd("300"), "Email": usd("100")}
	rows, err := cac.AttributeCAC(spend, credit)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Paid Search": "153250/3501", "Display": "229875/6098", "Email": "15325/1511", "Direct": "0"}
	for _, r := range rows {
		if w := frac(t, want[r.Channel]); math.Abs(r.Unrounded-w) > 4e-16*w { // the credit itself is a rounded fraction
			t.Errorf("%s: %v, want %v", r.Channel, r.Unrounded, w)
		}
	}
	if got := rows[3].Cost.String(); rows[3].Channel != "Paid Search" || got != "USD 43.77" {
		t.Errorf("rows are not sorted or rounded: %+v", rows)
	}
}

func TestUnitCosts(t *testing.T) {
	spend := usd("20000")
	for _, c := range []struct {
		name string
		f    func(money.Amount, int64) (money.Amount, error)
		n    int64
		want string
	}{
		{"CPM", cac.CPM, 500000, "USD 40.00"},
		{"CPC", cac.CPC, 10000, "USD 2.00"},
		{"CPL", cac.CPL, 800, "USD 25.00"},
		{"CPO", cac.CPO, 200, "USD 100.00"},
		{"CPA", cac.CPA, 40, "USD 500.00"},
	} {
		got, err := c.f(spend, c.n)
		if err != nil || got.String() != c.want {
			t.Errorf("%s = %v, %v, want %s", c.name, got, err, c.want)
		}
	}
	if got, err := cac.FunnelCAC(usd("2"), .08, .25, .20); err != nil || got.String() != "USD 500.00" {
		t.Errorf("funnel identity: %v, %v", got, err)
	}
	s, err := cac.StackedCost(spend, cac.Stage{Name: "click", Count: 10000}, cac.Stage{Name: "lead", Count: 800, Each: usd("15")},
		cac.Stage{Name: "opportunity", Count: 200, Each: usd("120")}, cac.Stage{Name: "win", Count: 40, Each: usd("300")})
	if err != nil || s.Cost.Cost.String() != "USD 1700.00" {
		t.Fatalf("stacked: %v, %v", s.Cost.Cost, err)
	}
	identity := 2/(.08*.25*.20) + 15/(.25*.20) + 120/.20 + 300 // each stage's cost over the rates below it
	if math.Abs(identity-s.Cost.Unrounded) > 1e-12*identity {
		t.Errorf("stacked %v, identity %v", s.Cost.Unrounded, identity)
	}
}

func TestIncrementalCAC(t *testing.T) {
	for _, c := range []struct {
		spend             string
		h                 cac.Holdout
		customers, cost   string
		attributed        string
		incrementality    string
		low, high         float64 // of the difference of rates, times the treated: statsmodels, confint_proportions_2indep, method newcomb
		boundedAboveByLow bool
	}{
		{"60000", cac.Holdout{Treated: 100000, TreatedConversions: 1500, Held: 100000, HeldConversions: 1200}, "300", "200", "USD 40.00", "1/5", 0, 0, true},
		{"50000", cac.Holdout{Treated: 90000, TreatedConversions: 1440, Held: 10000, HeldConversions: 130}, "270", "5000/27", "USD 34.72", "270/1440", 0, 0, true},
		{"1000", cac.Holdout{Treated: 10000, TreatedConversions: 250, Held: 10000, HeldConversions: 200}, "50", "20", "USD 4.00", "1/5", .0008870475992941457e4, .009138266721419232e4, true},
		{"1000", cac.Holdout{Treated: 10, TreatedConversions: 9, Held: 10, HeldConversions: 3}, "6", "500/3", "USD 111.11", "2/3", 1.7052272393450302, 8.090179735354481, true},
		{"1000", cac.Holdout{Treated: 56, TreatedConversions: 5, Held: 29, HeldConversions: 0}, "5", "200", "USD 200.00", "1", 56 * -0.03813714790353688, 56 * 0.19256001385511162, false},
	} {
		got, err := cac.IncrementalCAC(usd(c.spend), c.h, 0)
		if err != nil {
			t.Errorf("%+v: %v", c.h, err)
			continue
		}
		if got.Customers != frac(t, c.customers) || got.Unrounded != frac(t, c.cost) || got.Incrementality != frac(t, c.incrementality) || got.Attributed.String() != c.attributed {
			t.Errorf("%+v: got %+v", c.h, got)
		}
		if (got.CostHigh != nil) != c.boundedAboveByLow {
			t.Errorf("%+v: upper bound of the cost %v", c.h, got.CostHigh)
		}
		if c.high != 0 && (!near(got.Low, c.low, 1e-11) || !near(got.High, c.high, 1e-11)) {
			t.Errorf("%+v: interval %v %v, want %v %v", c.h, got.Low, got.High, c.low, c.high)
		}
	}
	if got, err := cac.DiscountedCAC(usd("50"), .60); err != nil || got.String() != "USD 125.00" {
		t.Errorf("exacti.us: %v, %v", got, err)
	}
	if got, err := cac.BaselineCAC(usd("60000"), 1500, 1200); err != nil || got.String() != "USD 200.00" {
		t.Errorf("baseline: %v, %v", got, err)
	}
	for _, c := range []struct {
		spend string
		more  int
		want  string
	}{{"2500", 100, "USD 25.00"}, {"2000", 50, "USD 40.00"}, {"-2000", -50, "USD 40.00"}} {
		if got, err := cac.MarginalCAC(usd(c.spend), c.more); err != nil || got.String() != c.want {
			t.Errorf("marginal %s/%d: %v, %v", c.spend, c.more, got, err)
		}
	}
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*math.Abs(want) }

// logCurve is a*ln(1+x/c).
type logCurve struct{ a, c float64 }

func (l logCurve) Response(x float64) float64 { return l.a * math.Log1p(x/l.c) }
func (l logCurve) Marginal(x float64) float64 { return l.a / (l.c + x) }

func TestCurveCAC(t *testing.T) {
	average, marginal, err := cac.CurveCAC(logCurve{500, 100}, usd("400"))
	if err != nil || average.String() != "USD 0.50" || marginal.String() != "USD 1.00" { // 0.4971 and 1
		t.Errorf("%v, %v, %v", average, marginal, err)
	}
}

func TestLaggedCAC(t *testing.T) {
	spend := []string{"10000", "12000", "15000", "15000", "18000", "20000"}
	won := []int{50, 48, 60, 70, 80, 72}
	points := make([]cac.Point, len(spend))
	for i := range spend {
		points[i] = cac.Point{Marketing: usd(spend[i]), New: won[i]}
	}
	split := make([]cac.Point, 6)
	for i, marketing := range []string{"8000", "9000", "10000", "11000", "12000", "13000"} {
		split[i] = cac.Point{Marketing: usd(marketing), Sales: usd([]string{"4000", "5000", "6000", "7000", "8000", "9000"}[i]), New: 48}
	}
	for _, c := range []struct {
		name   string
		points []cac.Point
		lag    cac.Lag
		want   []string // empty: undefined
	}{
		{"none", points, cac.Lag{}, []string{"200", "250", "250", "1500/7", "225", "2500/9"}},
		{"one period", points, cac.Lag{Periods: 1}, []string{"", "625/3", "200", "1500/7", "375/2", "250"}},
		{"two periods", points, cac.Lag{Periods: 2}, []string{"", "", "500/3", "1200/7", "375/2", "625/3"}},
		{"distributed", points, cac.Lag{Weights: []float64{.5, .3, .2}}, []string{"", "", "13100/60", "14400/70", "16500/80", "2300/9"}},
		{"the first takes its own", points, cac.Lag{Periods: 1, FirstOwn: true}, []string{"200", "625/3", "200", "1500/7", "375/2", "250"}},
		{"marketing two periods, sales half and half", split, cac.Lag{Functions: map[cac.Function][]float64{cac.Marketing: {0, 0, 1}, cac.Sales: {.5, .5}}},
			[]string{"", "", "13500/48", "15500/48", "17500/48", "19500/48"}},
	} {
		rows, err := cac.LaggedCAC(c.points, c.lag)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, r := range rows {
			f, err := r.CAC()
			if c.want[i] == "" {
				if err == nil {
					t.Errorf("%s: period %d: %v, want no history", c.name, i+1, f)
				}
				continue
			}
			if err != nil || f.Unrounded != frac(t, c.want[i]) {
				t.Errorf("%s: period %d: %v, %v, want %s", c.name, i+1, f.Unrounded, err, c.want[i])
			}
		}
	}
	// the published last month of the split: (11000 + 8000/2 + 9000/2) / 72
	split[5].New = 72
	rows, err := cac.LaggedCAC(split, cac.Lag{Functions: map[cac.Function][]float64{cac.Marketing: {0, 0, 1}, cac.Sales: {.5, .5}}})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := rows[5].CAC(); err != nil || f.Unrounded != frac(t, "1625/6") {
		t.Errorf("split: %v, %v", f.Unrounded, err)
	}
}

func TestPaybackOfPublishedExamples(t *testing.T) {
	for _, c := range []struct {
		source  string
		cost    string
		revenue string
		margin  float64
		want    string
	}{
		{"heretool.com, on revenue", "600", "100", 1, "6"},
		{"on margin", "600", "100", .8, "15/2"},
		{"calcmastery", "1200", "180", .75, "80/9"},
		{"calcsimpler", "8000", "1200", .78, "1000/117"},
		{"callculator", "600", "120", .8, "25/4"},
		{"metrickit", "775", "480", .8, "775/384"},
		{"a cost of nothing", "0", "0", .8, "0"},
	} {
		got, err := cac.PaybackMonths(usd(c.cost), usd(c.revenue), c.margin)
		if err != nil || got != frac(t, c.want) {
			t.Errorf("%s: %v, %v, want %s", c.source, got, err, c.want)
		}
	}
	if got, err := cac.SimplePayback(usd("600"), usd("100")); err != nil || got != 6 {
		t.Errorf("simple: %v, %v", got, err)
	}
	if got, err := cac.HaircutPayback(usd("11500"), usd("1450"), .82, .025); err != nil || got != frac(t, "460000/46371") {
		t.Errorf("calcsimpler with churn: %v, %v", got, err)
	}
	terms := cac.Terms{Cost: usd("1200"), Revenue: usd("250"), Margin: .75, Fees: .03, Support: usd("25")}
	if got, err := terms.Months(); err != nil || got != frac(t, "1200/155") {
		t.Errorf("propelcollective: %v, %v", got, err)
	}
	if got, err := cac.PaybackOnARR(usd("5"), usd("10"), .8); err != nil || got != .625 {
		t.Errorf("himodus, years: %v, %v", got, err)
	}
}

func TestChurnAdjustedPayback(t *testing.T) {
	p, err := cac.ChurnAdjustedPayback(usd("600"), usd("80"), .03)
	if err != nil || p.Status != cac.PaidBack || p.Whole != 9 || !near(p.Months, 8.36831522148938, 1e-14) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, c := range []struct {
		cost, profit string
		churn        float64
		status       cac.PaybackStatus
		whole        int
		reason       string
	}{
		{"2666.66", "80", .03, cac.PaidBack, 424, "a cent below profit/churn"},
		{"2666.67", "80", .03, cac.Never, 0, "a cent above it"},
		{"8000", "80", .01, cac.Never, 0, "exactly profit/churn is reached in no time"},
		{"152", "80", .1, cac.PaidBack, 2, "80 + 72 is the cost to the cent"},
		{"152.01", "80", .1, cac.PaidBack, 3, "and a cent more takes another month"},
		{"160", "80", 0, cac.PaidBack, 2, "without churn it is a division"},
		{"160.01", "80", 0, cac.PaidBack, 3, "rounded up"},
		{"80", "80", 1, cac.PaidBack, 1, "one month is all there is"},
		{"80.01", "80", 1, cac.Never, 0, "and it is too little"},
		{"60", "80", 1, cac.PaidBack, 1, "or more than enough"},
		{"0", "80", .03, cac.PaidBack, 0, "nothing to pay back"},
		{"100", "0", .03, cac.Never, 0, "nothing is earned"},
		{"100", "-5", .03, cac.Never, 0, "every month costs"},
	} {
		p, err := cac.ChurnAdjustedPayback(usd(c.cost), usd(c.profit), c.churn)
		if err != nil || p.Status != c.status || c.whole != 0 && p.Whole != c.whole {
			t.Errorf("%s of %s at %v: %+v, %v, want %s after %d: %s", c.cost, c.profit, c.churn, p, err, c.status, c.whole, c.reason)
		}
	}
	var earned float64
	for k := range 9 { // the published sum of nine months
		earned += 80 * math.Pow(.97, float64(k))
	}
	if !near(earned, 639.383843587826, 1e-13) {
		t.Errorf("sum of nine months %v", earned)
	}
}

func amounts(values ...string) []money.Amount {
	out := make([]money.Amount, len(values))
	for i, v := range values {
		out[i] = usd(v)
	}
	return out
}

func TestCohortPayback(t *testing.T) {
	profits := amounts("150", "110", "90", "80", "70", "65", "60", "55")
	p, err := cac.CohortPayback(usd("480"), profits)
	if err != nil || p.Whole != 5 || p.Months != frac(t, "33/7") || p.Status != cac.PaidBack {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = cac.CohortPayback(usd("480"), profits[:4])
	if err != nil || p.Status != cac.NotYet || p.Share != frac(t, "430/480") || p.Observed != 4 {
		t.Errorf("a young cohort: %+v, %v", p, err)
	}
	p, err = cac.CohortPayback(usd("100"), amounts("150", "-100", "60"))
	if err != nil || p.Whole != 1 {
		t.Errorf("the first month counts even if refunds follow: %+v, %v", p, err)
	}
	p, err = cac.CohortPayback(usd("100"), amounts("-50", "75", "75"))
	if err != nil || p.Months != 3 || p.Whole != 3 {
		t.Errorf("a loss at first: %+v, %v", p, err)
	}
}

// metrickit's cohort curve: CAC 6000, ARPA 800, margin 80 %, churn 6 % three times and then 1 %, expansion 0.5 %. The
// page prints 10.9; with the first month unchurned and expansion from the second it is 10.890653.
func TestProjection(t *testing.T) {
	p := cac.Projection{Cost: usd("6000"), Profit: usd("640"), Churn: []float64{.06, .06, .06, .01}, Expansion: .005}
	got, err := p.Payback()
	if err != nil || got.Status != cac.PaidBack || !near(got.Months, 10.890653, 5e-8) || got.Whole != 11 {
		t.Errorf("%+v, %v", got, err)
	}
	p = cac.Projection{Cost: usd("2700"), Profit: usd("80"), Churn: []float64{.03}}
	if got, err := p.Payback(); err != nil || got.Status != cac.Never || !near(got.Share, 80/.03/2700, 1e-12) {
		t.Errorf("beyond the last survivor: %+v, %v", got, err)
	}
	p = cac.Projection{Cost: usd("2700"), Profit: usd("80"), Churn: []float64{.03}, Expansion: .05}
	if got, err := p.Payback(); err != nil || got.Status != cac.PaidBack {
		t.Errorf("expansion beats churn: %+v, %v", got, err)
	}
}

func TestRatios(t *testing.T) {
	for _, c := range []struct {
		name string
		want string
		got  func() (float64, error)
	}{
		{"LTV:CAC of a first hour", "3", func() (float64, error) { return cac.LTVToCAC(usd("300"), usd("100")) }},
		{"LTV:CAC, mediabuyer.site", "475/143", func() (float64, error) { return cac.LTVToCAC(usd("190"), usd("57.20")) }},
		{"ROI of a first hour", "2", func() (float64, error) { return cac.ROI(usd("30000"), usd("10000")) }},
		{"ROI on revenue, kameir", "4", func() (float64, error) { return cac.ROI(usd("50000"), usd("10000")) }},
		{"ROMI, calculatorlib", "2", func() (float64, error) { return cac.ROMI(usd("50000"), .6, usd("10000")) }},
		{"a total loss", "-1", func() (float64, error) { return cac.ROI(usd("0"), usd("10000")) }},
		{"MER", "5/2", func() (float64, error) { return cac.MER(usd("20000"), usd("8000")) }},
		{"MER, prospamedia", "3", func() (float64, error) { return cac.MER(usd("15000"), usd("5000")) }},
		{"MER, bloomanalytics", "21/5", func() (float64, error) { return cac.MER(usd("210000"), usd("50000")) }},
		{"POAS", "5/2", func() (float64, error) { return cac.POAS(usd("20000"), usd("8000")) }},
		{"ROAS", "7/2", func() (float64, error) { return cac.ROAS(usd("3500"), usd("1000")) }},
		{"aMER", "3/2", func() (float64, error) { return cac.AMER(usd("1500"), usd("1000")) }},
		{"iROAS of 300 customers of 75", "3/8", func() (float64, error) { return cac.IROAS(usd("22500"), usd("60000")) }},
		{"break-even ROAS", "5/2", func() (float64, error) { return cac.BreakEvenROAS(.4) }},
		{"marginal aMER", "10/7", func() (float64, error) { return cac.MarginalAMER(usd("1000"), usd("700")) }},
		{"magic number, eastsea", "1", func() (float64, error) { return cac.MagicNumber(usd("100000"), usd("130000"), usd("120000")) }},
		{"magic number, xlslides", "16/15", func() (float64, error) { return cac.MagicNumber(usd("0"), usd("480000"), usd("1800000")) }},
		{"magic number, an outlier", "2", func() (float64, error) { return cac.MagicNumber(usd("0"), usd("5000"), usd("10000")) }},
		{"magic number, himodus", "2", func() (float64, error) { return cac.MagicNumber(usd("10"), usd("12"), usd("4")) }},
		{"magic number, shrinking", "-2", func() (float64, error) { return cac.MagicNumber(usd("12"), usd("10"), usd("4")) }},
		{"sales efficiency", "13/10", func() (float64, error) { return cac.GrossSalesEfficiency(usd("2.6"), usd("2")) }},
		{"net sales efficiency", "1", func() (float64, error) { return cac.NetSalesEfficiency(usd("2.6"), usd("0.6"), usd("2")) }},
		{"blended CAC ratio", "4/5", func() (float64, error) { return cac.BlendedCACRatio(usd("800"), usd("600"), usd("400")) }},
		{"new CAC ratio", "7/6", func() (float64, error) { return cac.NewCACRatio(usd("700"), usd("600")) }},
		{"referral rate", "1/8", func() (float64, error) { return cac.ReferralRate(50, 400) }},
		{"viral coefficient", "1/2", func() (float64, error) { return cac.ViralCoefficient(5, .1) }},
	} {
		got, err := c.got()
		if err != nil || got != frac(t, c.want) {
			t.Errorf("%s: %v, %v, want %s", c.name, got, err, c.want)
		}
	}
	// a customer who earns 80 a month and leaves at 3 % a month is worth 8000/3
	v, err := cac.Compare(cac.Value{Amount: money.MustParse("2666.666666666666666666666667", "USD")}, cac.Figure{Spend: usd("600"), Customers: 1, Basis: cac.FullyLoaded(), Denominator: cac.NewAll})
	if err != nil || !near(v.Ratio, frac(t, "40/9"), 1e-15) {
		t.Errorf("LTV:CAC: %v, %v", v, err)
	}
	r, err := cac.CARRRatios(usd("1000"), usd("800"), usd("500"), usd("500"))
	if err != nil || r.Blended != 1 || r.New != 1.6 || r.Suspect {
		t.Errorf("CAC ratios: %+v, %v", r, err)
	}
	if r, err = cac.CARRRatios(usd("1000"), usd("300"), usd("500"), usd("500")); err != nil || !r.Suspect {
		t.Errorf("new below blended must be suspect: %+v, %v", r, err)
	}
}

func TestLoyaltyProgram(t *testing.T) {
	p := cac.LoyaltyProgram{PointValue: usd("0.01"), Redemption: .7, Fixed: usd("12000"),
		Tiers: []cac.Tier{{Name: "all", Members: 5000, Profit: usd("132.50"), Baseline: usd("120"), Points: 4000000, Redeemed: 2600000}}}
	r, err := p.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	total := r.Total
	if total.ROI == nil || *total.ROI != frac(t, "9/16") || total.Gain.String() != "USD 62500.00" || total.PointsCost.String() != "USD 28000.00" ||
		total.Liability.String() != "USD 2000.00" || total.Breakage.String() != "USD 12000.00" {
		t.Errorf("%+v", total)
	}
	p.Tiers = []cac.Tier{
		{Name: "basic", Members: 4000, Profit: usd("122"), Baseline: usd("120"), Points: 1000000, Redeemed: 300000, Redemption: .4},
		{Name: "gold", Members: 1000, Profit: usd("174.50"), Baseline: usd("120"), Points: 3000000, Redeemed: 2300000, Redemption: .8},
	}
	if r, err = p.Evaluate(); err != nil {
		t.Fatal(err)
	}
	if got := r.Total.Gain.String(); got != "USD 62500.00" || r.Rows[0].Fixed.String() != "USD 9600.00" || r.Rows[1].Liability.String() != "USD 1000.00" {
		t.Errorf("tiers: %+v", r)
	}
	if *r.Rows[0].ROI >= 0 || *r.Rows[1].ROI <= 0 {
		t.Errorf("basic loses and gold earns: %v, %v", *r.Rows[0].ROI, *r.Rows[1].ROI)
	}
}
