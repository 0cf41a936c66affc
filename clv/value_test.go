package clv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/money"
)

// cdnowModel and published are the estimates on CDNOW in weeks.
var cdnowModel = BGNBD{R: 0.242594522, Alpha: 4.41360202, A: 0.792922083, B: 2.42590702}

// slow hides the faster ways of a model.
type slow struct{ Model }

func TestDiscountedPurchasesGolden(t *testing.T) {
	for _, r := range golden.Load(t, "testdata/horizon.json").Rows {
		a := func(name string) float64 { return float64(r.Args[name]) }
		m := BGNBD{a("r"), a("alpha"), a("a"), a("b")}
		h := History{X: int(a("x")), TX: a("tx"), T: a("t")}
		r.Check(t, "discounted", DiscountedPurchases(m, h, a("horizon"), a("delta")))
		r.Check(t, "discounted", DiscountedPurchases(slow{m}, h, a("horizon"), a("delta")))
	}
}

func TestDiscountedPurchasesIdentities(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m := BGNBD{math.Exp(r.NormFloat64()), math.Exp(r.NormFloat64() + 1), 1.1 + r.ExpFloat64(), math.Exp(r.NormFloat64() + 1)}
		h := m.Rand(r, 50*r.Float64())
		horizon, delta := 100*r.Float64(), 0.05*r.Float64()
		got := DiscountedPurchases(m, h, horizon, delta)
		if want := DiscountedPurchases(slow{m}, h, horizon, delta); !golden.Close(got, want, 1e-11) {
			t.Errorf("%+v %+v, horizon %v, delta %v: fast %v, slow %v", m, h, horizon, delta, got, want)
		}
		plain := m.ExpectedPurchases(h, horizon)
		if got > plain || got < plain*math.Exp(-delta*horizon) {
			t.Errorf("%+v %+v: discounted %v outside [%v, %v]", m, h, got, plain*math.Exp(-delta*horizon), plain)
		}
		if zero := DiscountedPurchases(m, h, horizon, 0); zero != plain {
			t.Errorf("%+v %+v: %v at rate 0, want %v", m, h, zero, plain)
		}
		// A horizon after which nothing counts is for ever.
		if far, dert := DiscountedPurchases(m, h, 60/0.05, 0.05), m.DERT(h, 0.05); !golden.Close(far, dert, 1e-10) {
			t.Errorf("%+v %+v: %v within 60/delta, for ever %v", m, h, far, dert)
		}
		// Time in days gives the same purchases.
		d := BGNBD{m.R, 7 * m.Alpha, m.A, m.B}
		days := DiscountedPurchases(d, History{X: h.X, TX: 7 * h.TX, T: 7 * h.T}, 7*horizon, delta/7)
		if !golden.Close(days, got, 1e-11) {
			t.Errorf("%+v %+v: %v in days, %v in weeks", m, h, days, got)
		}
	}
	for _, v := range []float64{
		DiscountedPurchases(cdnowModel, History{T: 1}, -1, 0.1), DiscountedPurchases(cdnowModel, History{T: 1}, math.Inf(1), 0.1),
		DiscountedPurchases(cdnowModel, History{T: 1}, 1, -0.1), DiscountedPurchases(cdnowModel, History{T: 1}, 1, math.NaN()),
		DiscountedPurchases(cdnowModel, History{T: -1}, 1, 0.1), DiscountedPurchases(BGNBD{}, History{T: 1}, 1, 0.1),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%v for an argument outside the domain, want NaN", v)
		}
	}
	if v := DiscountedPurchases(cdnowModel, History{T: 1}, 0, 0.1); v != 0 {
		t.Errorf("%v at horizon 0, want 0", v)
	}
}

// customer is one of CDNOW with two repeat purchases of USD 22.35 on average.
var customer = History{Customer: "0001", X: 2, TX: 30.4285714, T: 38.8571429, Spend: usd("44.70")}

func TestValue(t *testing.T) {
	mean := published.Mean(2, 22.35)
	for _, c := range []struct {
		reason string
		h      History
		v      ValueOptions
		want   float64 // before rounding
	}{
		{"a horizon without discount", customer, ValueOptions{Horizon: 39, Margin: 0.3}, 0.3 * mean * cdnowModel.ExpectedPurchases(customer, 39)},
		{"all of the margin", customer, ValueOptions{Horizon: 39, Margin: 1}, mean * cdnowModel.ExpectedPurchases(customer, 39)},
		{"a horizon with discount", customer, ValueOptions{Horizon: 39, Margin: 0.3, Discount: PerUnitContinuous(0.0018)}, 0.3 * mean * 1.1863182157333747},
		{"for ever", customer, ValueOptions{Margin: 0.3, Discount: Annual(0.1)}, 0.3 * mean * cdnowModel.DERT(customer, math.Log(1.1)*7/365.25)},
		{"a new customer", History{T: 38.8571429, Spend: usd("0")}, ValueOptions{Horizon: 52, Margin: 1, Discount: PerUnitContinuous(0.0018)},
			published.PopulationMean() * 0.24077562041412852},
		{"more refunds than purchases", History{X: 2, TX: 30.4285714, T: 38.8571429, Spend: usd("-1")}, ValueOptions{Horizon: 39, Margin: 1},
			published.Mean(2, 0) * cdnowModel.ExpectedPurchases(customer, 39)},
	} {
		got, err := Value(cdnowModel, published, c.h, Week, c.v)
		if want, _ := money.FromFloat(c.want, "USD", money.HalfEven); err != nil || !got.Equal(want) || got.Sign() <= 0 {
			t.Errorf("%s: %v, %v, want %v", c.reason, got, err, want)
		}
	}
	exact := 0.3 * mean * cdnowModel.ExpectedPurchases(customer, 39)
	for _, r := range []money.Rounding{money.Floor, money.Ceiling} {
		want, _ := money.FromFloat(exact, "USD", r)
		if got, err := Value(cdnowModel, published, customer, Week, ValueOptions{Horizon: 39, Margin: 0.3, Rounding: r}); err != nil || !got.Equal(want) {
			t.Errorf("rounding %v: %v, %v, want %v", r, got, err, want)
		}
	}
}

// An annual rate means the same to a weekly and a daily model; taking it for a weekly one would cost most of the value.
func TestValueTakesAnnualRatesInAnyUnit(t *testing.T) {
	days := BGNBD{cdnowModel.R, 7 * cdnowModel.Alpha, cdnowModel.A, cdnowModel.B}
	inDays := customer
	inDays.TX, inDays.T = 7*customer.TX, 7*customer.T
	week, err := Value(cdnowModel, published, customer, Week, ValueOptions{Margin: 1, Discount: Annual(0.10)})
	if err != nil {
		t.Fatal(err)
	}
	day, err := Value(days, published, inDays, Day, ValueOptions{Margin: 1, Discount: Annual(0.10)})
	if err != nil || !week.Equal(day) {
		t.Errorf("%v in days (%v), %v in weeks", day, err, week)
	}
	wrong, err := Value(cdnowModel, published, customer, Week, ValueOptions{Margin: 1, Discount: PerUnit(0.10)})
	if err != nil || wrong.Float64() > week.Float64()/4 {
		t.Errorf("10%% a week gives %v (%v), 10%% a year %v", wrong, err, week)
	}
}

func TestValueErrors(t *testing.T) {
	ok := ValueOptions{Horizon: 39, Margin: 0.3}
	with := func(change func(v *ValueOptions)) ValueOptions { v := ok; change(&v); return v }
	bad := customer
	bad.TX = 99
	poor := customer
	poor.Spend = money.Amount{}
	for _, c := range []struct {
		m    Model
		s    SpendModel
		h    History
		v    ValueOptions
		want string
	}{
		{cdnowModel, published, customer, with(func(v *ValueOptions) { v.Margin = 0 }), "clv: margin 0: want a share above 0 and up to 1, 0.30 for 30 %"},
		{cdnowModel, published, customer, with(func(v *ValueOptions) { v.Margin = 30 }), "clv: margin 30: want a share above 0 and up to 1, 0.30 for 30 %"},
		{cdnowModel, published, customer, with(func(v *ValueOptions) { v.Horizon = -1 }), "clv: horizon -1: want a finite number of units that is not negative, 0 for ever"},
		{cdnowModel, published, customer, with(func(v *ValueOptions) { v.Horizon = math.NaN() }), "clv: horizon NaN: want a finite number of units that is not negative, 0 for ever"},
		{cdnowModel, published, customer, with(func(v *ValueOptions) { v.Discount = Annual(-1) }), "clv: discount rate -1: want a finite number that is not negative"},
		{cdnowModel, published, bad, ok, `clv: customer "0001": TX 99: greater than T`},
		{cdnowModel, published, poor, ok, `clv: customer "0001": Spend has no currency`},
		{BGNBD{R: 1}, published, customer, ok, "clv: bgnbd: Alpha = 0: want a positive finite number"},
		{cdnowModel, GammaGamma{P: 1, Q: 1}, customer, ok, "clv: gammagamma: Gamma = 0: want a positive finite number"},
		{nil, published, customer, ok, "clv: no model"},
		{cdnowModel, published, customer, ValueOptions{Margin: 0.3},
			`clv: customer "0001": the expected purchases for ever are infinite: set a Horizon or a Discount`},
		{cdnowModel, GammaGamma{P: 0.1, Q: 0.5, Gamma: 1}, customer, ok,
			`clv: customer "0001": the expected spend a purchase is infinite: too few purchases for the spend model, whose mean over customers does not exist`},
	} {
		got, err := Value(c.m, c.s, c.h, Week, c.v)
		if err == nil || err.Error() != c.want {
			t.Errorf("%v and error %v, want %s", got, err, c.want)
		}
	}
	if _, err := Value(cdnowModel, published, customer, 0, ok); err == nil {
		t.Error("no error without a unit")
	}
	if _, err := Value(cdnowModel, published, customer, Week, ValueOptions{Margin: 0.3}); !errors.Is(err, ErrInfinite) {
		t.Errorf("error %v, want ErrInfinite", err)
	}
	// With A above 1 the purchases for ever are finite even without a discount.
	m := BGNBD{0.25, 4.4, 2, 2.4}
	if got, err := Value(m, published, customer, Week, ValueOptions{Margin: 1}); err != nil || got.Sign() <= 0 {
		t.Errorf("for ever without discount at A = 2: %v, %v", got, err)
	}
}

func TestValueOptionsJSON(t *testing.T) {
	v := ValueOptions{Horizon: 52, Margin: 0.3, Discount: Annual(0.1), Rounding: money.Floor}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back ValueOptions
	if err := json.Unmarshal(text, &back); err != nil || back != v {
		t.Errorf("%s became %+v (%v)", text, back, err)
	}
}

func estimateOf[M any](m M) *fit.Estimate[M] { return &fit.Estimate[M]{Model: m, Unit: Week} }

func TestPredict(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &Histories{Unit: Week}
	for i := range 40_000 {
		h := cdnowModel.Rand(r, 39)
		h.Customer = fmt.Sprint(i)
		hs.Rows = append(hs.Rows, h)
	}
	for _, o := range []*PredictOptions{nil, {Workers: 1}, {Horizon: 39, Workers: 7}, {Horizon: 39, Discount: Annual(0.1)}} {
		horizon, rate := 365.25/7, 0.0
		if o != nil && o.Horizon > 0 {
			horizon = o.Horizon
		}
		if o != nil {
			rate, _ = o.Discount.Rate(Week)
		}
		i := 0
		for p, err := range Predict(context.Background(), estimateOf(cdnowModel), hs, o) {
			if err != nil {
				t.Fatal(err)
			}
			h := hs.Rows[i]
			want := Prediction{h.Customer, cdnowModel.ProbAlive(h), DiscountedPurchases(cdnowModel, h, horizon, rate)}
			if p != want {
				t.Fatalf("options %+v, row %d: %+v, want %+v", o, i+1, p, want)
			}
			i++
		}
		if i != len(hs.Rows) {
			t.Errorf("%d predictions, want %d", i, len(hs.Rows))
		}
	}
	n := 0
	for _, err := range Predict(context.Background(), estimateOf(cdnowModel), hs, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
}

func TestPredictErrors(t *testing.T) {
	e := estimateOf(cdnowModel)
	hs := &Histories{Unit: Week, Rows: []History{{T: 3}, {Customer: "bad", X: 1, TX: 4, T: 3}, {T: 4}}}
	first := func(e *fit.Estimate[BGNBD], hs *Histories, o *PredictOptions) string {
		for _, err := range Predict(context.Background(), e, hs, o) {
			if err != nil {
				return err.Error()
			}
		}
		return ""
	}
	for _, c := range []struct{ got, want string }{
		{first(nil, hs, nil), "clv: no estimate"},
		{first(e, nil, nil), "clv: no histories"},
		{first(e, &Histories{Unit: Day}, nil), "clv: the model counts time in units of 168h0m0s, the histories in units of 24h0m0s"},
		{first(e, &Histories{}, nil), "clv: histories with the unit 0s: want a positive one, such as clv.Week"},
		{first(estimateOf(BGNBD{R: 1}), hs, nil), "clv: bgnbd: Alpha = 0: want a positive finite number"},
		{first(e, hs, &PredictOptions{Horizon: -1}), "clv: horizon -1: want a finite number of units that is not negative"},
		{first(e, hs, &PredictOptions{Workers: -1}), "clv: -1 workers: negative"},
		{first(e, hs, &PredictOptions{Discount: Annual(-1)}), "clv: discount rate -1: want a finite number that is not negative"},
		{first(e, hs, nil), `clv: row 2: field "TX": value "4": greater than T`},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	// A bad row does not end the stream.
	good := 0
	for _, err := range Predict(context.Background(), e, hs, nil) {
		if err == nil {
			good++
		}
	}
	if good != 2 {
		t.Errorf("%d good rows, want 2", good)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range Predict(ctx, e, hs, nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}
}

func ExampleValue() {
	purchases := BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426} // in weeks
	spend := GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}
	h := History{Customer: "0001", X: 2, TX: 30.43, T: 38.86, Spend: money.MustParse("44.70", "USD")}
	year, err := Value(purchases, spend, h, Week, ValueOptions{Horizon: 52, Margin: 0.30, Discount: Annual(0.10)})
	fmt.Println(year, err)
	ever, err := Value(purchases, spend, h, Week, ValueOptions{Margin: 0.30, Discount: Annual(0.10)})
	fmt.Println(ever, err)
	// Output:
	// USD 11.04 <nil>
	// USD 47.15 <nil>
}

func ExamplePredict() {
	e := &fit.Estimate[BGNBD]{Model: BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}, Unit: Week}
	hs := &Histories{Unit: Week, Rows: []History{
		{Customer: "ada", X: 2, TX: 30.43, T: 38.86},
		{Customer: "bob", X: 6, TX: 12, T: 38.86},
	}}
	for p, err := range Predict(context.Background(), e, hs, &PredictOptions{Horizon: 39}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: alive with probability %.2f, %.2f purchases in 39 weeks\n", p.Customer, p.ProbAlive, p.Purchases)
	}
	// Output:
	// ada: alive with probability 0.73, 1.23 purchases in 39 weeks
	// bob: alive with probability 0.02, 0.10 purchases in 39 weeks
}

func BenchmarkPredict(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &Histories{Unit: Week}
	for range 100_000 {
		hs.Rows = append(hs.Rows, cdnowModel.Rand(r, 39))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range Predict(context.Background(), estimateOf(cdnowModel), hs, &PredictOptions{Horizon: 39}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}

// TestValueOfRefunds gives a customer whose refunds exceed the repeat purchases the shrunken negative mean of a spend
// model that knows such, and a mean of 0 in gamma-gamma, which does not.
func TestValueOfRefunds(t *testing.T) {
	h := History{X: 2, TX: 20, T: 30, Spend: money.MustParse("-80", "USD")}
	normal := NormalNormal{Mu: 30, Tau: 10, Sigma: 20}
	v := ValueOptions{Margin: 1, Horizon: 52}
	purchases := cdnowModel.ExpectedPurchases(h, 52)
	for _, spend := range []SpendModel{normal, published} {
		got, err := Value(cdnowModel, spend, h, Week, v)
		if err != nil {
			t.Fatal(err)
		}
		mean := spend.Mean(2, -40)
		if spend.Kind() == published.Kind() {
			mean = spend.Mean(2, 0)
		}
		if want := purchases * mean; math.Abs(got.Float64()-want) > 0.005+1e-9 {
			t.Errorf("%s: value %v, want %v", spend.Kind(), got, want)
		}
	}
	// The posterior mean of mu with prior variance 100 and error variance 400/2: (30/100 - 40/200)/(1/100 + 1/200).
	if m := normal.Mean(2, -40); math.Abs(m-(0.3-0.2)/0.015) > 1e-12 {
		t.Errorf("mean %v", m)
	}
}
