package clv_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// A batch has the bits of each customer alone, whatever the number of workers.
func TestPredictDynamic(t *testing.T) {
	ctx := context.Background()
	hs, d := dynamicShop(t, dynamicTruth, 700, 21, 1)
	e := &fit.Estimate[clv.DynamicParetoNBD]{Model: dynamicTruth, Unit: clv.Week}
	for _, discount := range []clv.Discount{{}, clv.Annual(0.1)} {
		all, err := ledger.Collect(clv.PredictDynamic(ctx, e, hs, d, &clv.PredictOptions{Horizon: 26, Discount: discount, Workers: 1}))
		if err != nil || len(all) != 700 {
			t.Fatal(len(all), err)
		}
		again, err := ledger.Collect(clv.PredictDynamic(ctx, e, hs, d, &clv.PredictOptions{Horizon: 26, Discount: discount, Workers: 5}))
		if diff := cmp.Diff(all, again); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		delta, _ := discount.Rate(clv.Week)
		for i, p := range all {
			w, h := dynamicTruth.Along(d.Path(i)), hs.Rows[i]
			if p.Customer != h.Customer || p.ProbAlive != w.ProbAlive(h) || p.Purchases != clv.DiscountedPurchases(w, h, 26, delta) {
				t.Fatalf("row %d: %+v", i, p)
			}
		}
	}
	one, err := d.Pick([]int{17})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Pick([]int{700}); err == nil || err.Error() != "clv: row 700 of a design of 700 rows" {
		t.Error(err)
	}
	other := *e
	other.Model.Terms = clv.Terms{{Name: "mail"}, {Name: "price"}}
	for _, c := range []struct {
		e       *fit.Estimate[clv.DynamicParetoNBD]
		d       *clv.DynamicDesign
		horizon float64
		want    string
	}{
		{nil, d, 26, "clv: no estimate"},
		{&other, d, 26, `clv: the design has the columns ["mail" "season"], the model ["mail" "price"]`},
		{e, one, 26, "clv: the design has 1 rows for 700 histories"},
		{e, nil, 26, "clv: no design; a fit without covariates is that of the plain model"},
		{e, d, -1, "clv: horizon -1: want a finite number of units that is not negative"},
		{e, d, 26.5, fmt.Sprintf(`clv: row 1: field "Horizon": value "26.5": customer "c000000": the covariates are known until %v only`, d.Path(0).End)},
	} {
		if _, err := ledger.Collect(clv.PredictDynamic(ctx, c.e, hs, c.d, &clv.PredictOptions{Horizon: c.horizon})); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// A path that ends too early is an error of its customer, with the date, and the stream goes on.
func TestPredictDynamicBeyondTheCalendar(t *testing.T) {
	ctx := context.Background()
	c, err := clv.NewCalendar(ctx, calendarRows(
		clv.CalendarRow{Name: "mail"},
		clv.CalendarRow{Customer: "ann", Name: "mail", Until: on("2025-06-20")},
		clv.CalendarRow{Customer: "bob", Name: "mail", From: on("2025-03-01"), Value: 1}), &clv.CalendarOptions{Forever: true})
	if err != nil {
		t.Fatal(err)
	}
	log := slices.Concat(buys("ann", "2025-02-03", "2025-02-10"), buys("bob", "2025-03-31", "2025-04-01"))
	hs, d, err := clv.SummarizeDynamic(ctx, ledger.Transactions(log), c, on("2025-06-15"), clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &fit.Estimate[clv.DynamicParetoNBD]{Unit: clv.Day, Model: clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: 1, Alpha: 30, S: 1, Beta: 100},
		Terms: c.Terms(), Effects: []clv.Effect{{Param: "Alpha", Coefficients: []float64{1}}, {Param: "Beta", Coefficients: []float64{0}}}}}
	var errs []string
	var good []string
	for p, err := range clv.PredictDynamic(ctx, e, hs, d, &clv.PredictOptions{Horizon: 30}) {
		var bad *ledger.RowError
		if errors.As(err, &bad) {
			errs = append(errs, err.Error())
			continue
		}
		good = append(good, p.Customer)
	}
	if diff := cmp.Diff([]string{`clv: row 1: field "Horizon": value "30": customer "ann": the covariates are known until 2025-06-20 only`}, errs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bob"}, good); diff != "" {
		t.Error(diff)
	}
	if _, err := ledger.Collect(clv.PredictDynamic(ctx, e, hs, d, &clv.PredictOptions{Horizon: 5})); err != nil {
		t.Errorf("to the last day that is known: %v", err)
	}
}

// Customers who are drawn along a path buy, leave and come again as the model says.
func TestDynamicRand(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := dynamicModel(clv.ParetoNBD{R: 2, Alpha: 10, S: 1.5, Beta: 30}, []float64{0.5, 0, 1}, []float64{-0.5, 1, 0}).Along(weekly(r, 9, 6, 0))
	const n, T, t2 = 40_000, 30.0, 20.0
	var total, none, back, want float64
	for range n {
		times := w.RandTimes(r, T+t2)
		h := clv.History{T: T}
		later := 0.0
		for _, at := range times {
			if at <= T {
				h.X, h.TX = h.X+1, at
			} else {
				later++
			}
		}
		total += float64(h.X)
		if h.X == 0 {
			none++
		}
		back += later
		want += w.ExpectedPurchases(h, t2)
	}
	if got, want := total/n, w.NewCustomerPurchases(T); math.Abs(got/want-1) > 0.03 {
		t.Errorf("mean of %v purchases, want %v", got, want)
	}
	if got, want := none/n, w.PMF(0, T); math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/n) {
		t.Errorf("%v without a purchase, want %v", got, want)
	}
	if math.Abs(back/want-1) > 0.03 {
		t.Errorf("%v purchases after T, expected %v", back, want)
	}
	if a, b := w.Rand(rand.New(rand.NewPCG(3, 4)), T), w.RandTimes(rand.New(rand.NewPCG(3, 4)), T); a.X != len(b) || a.T != T || (a.X > 0 && a.TX != b[a.X-1]) {
		t.Errorf("Rand %+v, RandTimes %v", a, b)
	}
}

// The probabilities of all counts add up to 1 and to the mean; a quantile is where the probability is reached.
func TestDynamicFuture(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := weekly(r, 30, 3, 120)
	for _, base := range dynamicBases[:2] {
		w := dynamicModel(base, []float64{0.3, -0.5, 0.8}, []float64{-0.7, 0.4, 0.1}).Along(p)
		h := clv.History{X: 3, TX: 30, T: 40}
		sum, mean := 0.0, 0.0
		for n := range 200 {
			v := w.ConditionalPMF(h, n, 20)
			sum, mean = sum+v, mean+float64(n)*v
		}
		if !golden.Close(sum, 1, 1e-9) || !golden.Close(mean, w.ExpectedPurchases(h, 20), 1e-8) {
			t.Errorf("probabilities sum to %v, mean %v, want %v", sum, mean, w.ExpectedPurchases(h, 20))
		}
		if got, want := w.IntervalPMF(2, 0, 20), w.PMF(2, 20); !golden.Close(got, want, 1e-12) {
			t.Errorf("IntervalPMF %v, PMF %v", got, want)
		}
		for _, share := range []float64{0.01, 0.4, 0.999} {
			want := share * w.ProbAnyPurchase(h, 80)
			if q := w.NextPurchaseQuantile(h, want); !golden.Close(w.ProbAnyPurchase(h, q), want, 1e-10) {
				t.Errorf("quantile of %v is %v with the probability %v", want, q, w.ProbAnyPurchase(h, q))
			}
		}
		if q := w.NextPurchaseQuantile(h, 1); !math.IsNaN(q) {
			t.Errorf("the quantile of 1 is %v on a path that ends", q)
		}
		// What is discounted to nothing is plain, and for ever is the limit of long horizons.
		forever := dynamicModel(base, []float64{0.3, -0.5, 0.8}, []float64{-0.7, 0.4, 0.1}).Along(clv.Path{Starts: p.Starts, Rows: p.Rows})
		if got, want := clv.DiscountedPurchases(forever, h, 5000, 0.02), forever.DERT(h, 0.02); !golden.Close(got, want, 1e-10) {
			t.Errorf("discounted purchases %v, DERT %v", got, want)
		}
	}
}

// Where the path does not reach, or nothing is valid, the answer is NaN and no panic.
func TestDynamicGarbage(t *testing.T) {
	m := dynamicModel(dynamicBases[0], make([]float64, 3), make([]float64, 3))
	short := m.Along(clv.Path{Starts: []float64{0, 5}, Rows: [][]float64{{0, 0, 0}, {1, 0, 0}}, End: 50, Purchases: []float64{1, 0, 0}})
	h := clv.History{X: 2, TX: 30, T: 40}
	late := clv.History{X: 2, TX: 30, T: 51}
	for name, v := range map[string]float64{
		"expected beyond":  short.ExpectedPurchases(h, 11),
		"new beyond":       short.NewCustomerPurchases(51),
		"alive beyond":     short.ProbAliveAt(h, 11),
		"likelihood":       short.LogLikelihood(late),
		"alive":            short.ProbAlive(late),
		"pmf":              short.PMF(2, 51),
		"conditional":      short.ConditionalPMF(h, 1, 11),
		"any":              short.ProbAnyPurchase(h, 11),
		"interval":         short.IntervalPMF(0, 10, 51),
		"dert":             short.DERT(h, 0.1),
		"discounted":       clv.DiscountedPurchases(short, h, 11, 0.1),
		"rand":             short.Rand(rand.New(rand.NewPCG(1, 2)), 51).T,
		"negative":         short.ExpectedPurchases(h, -1),
		"infinite":         short.NewCustomerPurchases(math.Inf(1)),
		"bad history":      short.ProbAlive(clv.History{X: 1, TX: 0, T: 1}),
		"zero model":       clv.PathParetoNBD{}.ProbAlive(h),
		"zero expectation": clv.PathParetoNBD{}.ExpectedPurchases(h, 1),
		"zero pmf":         clv.PathParetoNBD{}.PMF(0, 1),
		"zero quantile":    clv.PathParetoNBD{}.NextPurchaseQuantile(h, 0.1),
		"invalid base":     clv.DynamicParetoNBD{}.Along(clv.ConstantPath(nil)).ProbAlive(h),
		"other columns":    m.Along(clv.ConstantPath([]float64{1})).ProbAlive(h),
		"no path":          m.Along(clv.Path{}).ProbAlive(h),
		"no purchases":     m.Along(clv.ConstantPath([]float64{1, 2, 3})).LogLikelihood(h),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v, want NaN", name, v)
		}
	}
	if times := short.RandTimes(rand.New(rand.NewPCG(1, 2)), 51); times != nil {
		t.Errorf("times %v beyond the path", times)
	}
	if v := short.ExpectedPurchases(h, 10); !(v > 0) {
		t.Errorf("%v purchases to the end of the path", v)
	}
	for _, v := range []interface{ Validate() error }{clv.PathParetoNBD{}, clv.DynamicParetoNBD{},
		clv.DynamicParetoNBD{Base: dynamicBases[0], Terms: dynamicTerms}} {
		if v.Validate() == nil {
			t.Errorf("%+v validates", v)
		}
	}
	if err := short.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPathErrors(t *testing.T) {
	row := [][]float64{{1}}
	for _, c := range []struct {
		p    clv.Path
		want string
	}{
		{clv.Path{}, "clv: path with 0 starts and 0 rows: no pieces, or not as many rows as starts"},
		{clv.Path{Starts: []float64{0, 1}, Rows: row}, "clv: path with 2 starts and 1 rows: no pieces, or not as many rows as starts"},
		{clv.Path{Starts: []float64{1}, Rows: row}, "clv: path: start 1: 1: the first piece must begin at 0"},
		{clv.Path{Starts: []float64{math.NaN()}, Rows: row}, "clv: path: start 1: NaN: not a finite number"},
		{clv.Path{Starts: []float64{0, 2, 2}, Rows: [][]float64{{1}, {2}, {3}}}, "clv: path: start 3: 2: not after the start before it"},
		{clv.Path{Starts: []float64{0, 2}, Rows: [][]float64{{1}, {2, 3}}}, "clv: path: row 2 has 2 values, row 1 has 1"},
		{clv.Path{Starts: []float64{0}, Rows: [][]float64{{1, math.Inf(1)}}}, "clv: path: row 1: value 2: +Inf: not a finite number"},
		{clv.Path{Starts: []float64{0, 2}, Rows: [][]float64{{1}, {2}}, End: 2}, "clv: path: end 2: not after the start of the last piece"},
		{clv.Path{Starts: []float64{0}, Rows: row, Purchases: []float64{1, 2}}, "clv: path: 2 sums over purchases for rows of 1 values"},
		{clv.Path{Starts: []float64{0}, Rows: row, Purchases: []float64{math.NaN()}}, "clv: path: sum 1 over purchases: NaN: not a finite number"},
	} {
		if err := c.p.Validate(); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.p, err, c.want)
		}
		if _, err := c.p.WithPurchases(nil); c.p.Purchases == nil && (err == nil || err.Error() != c.want) {
			t.Errorf("%+v: WithPurchases: %v, want %s", c.p, err, c.want)
		}
	}
	p := clv.Path{Starts: []float64{0, 2}, Rows: [][]float64{{1}, {5}}, End: 9}
	for _, times := range [][]float64{{0, 1}, {1, 1}, {3, 2}, {1, 9.5}, {math.NaN()}} {
		if _, err := p.WithPurchases(times); err == nil {
			t.Errorf("times %v are taken", times)
		}
	}
	got, err := p.WithPurchases([]float64{1, 2, 9}) // on the change: the new piece; at the end: the last
	if err != nil || got.Purchases[0] != 11 || p.Purchases != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for at, want := range map[float64][]float64{-1: nil, 0: {1}, 1.99: {1}, 2: {5}, 9: {5}, 9.1: nil} {
		if diff := cmp.Diff(want, p.At(at)); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", at, diff)
		}
	}
	hs := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{T: 10}, {X: 1, TX: 2, T: 8}}}
	ten := clv.ConstantPath([]float64{1})
	for _, c := range []struct {
		terms clv.Terms
		paths []clv.Path
		want  string
	}{
		{clv.Terms{{Name: "a"}}, []clv.Path{ten}, "clv: 1 paths for 2 histories"},
		{nil, []clv.Path{ten, ten}, "clv: a design without covariates"},
		{clv.Terms{{}}, []clv.Path{ten, ten}, "clv: covariate 1 has no name"},
		{clv.Terms{{Name: "a"}, {Name: "a"}}, []clv.Path{ten, ten}, `clv: two covariates are named "a"`},
		{clv.Terms{{Name: "a"}, {Name: "b"}}, []clv.Path{ten, ten}, `clv: row 1: path: rows of 1 values for the columns ["a" "b"]`},
		{clv.Terms{{Name: "a"}}, []clv.Path{p, ten}, "clv: row 1: path: end 9: before T 10"},
		{clv.Terms{{Name: "a"}}, []clv.Path{ten, {}}, "clv: row 2: path with 0 starts and 0 rows: no pieces, or not as many rows as starts"},
	} {
		if _, err := clv.NewDynamicDesign(hs, c.terms, c.paths); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestBootstrapDynamic(t *testing.T) {
	ctx := context.Background()
	hs, d := dynamicShop(t, dynamicTruth, 250, 22, 4)
	o := &clv.CovOptions{On: map[string][]string{"Beta": {}}}
	e, err := clv.FitDynamicParetoNBD(ctx, hs, d, o)
	if err != nil {
		t.Fatal(err)
	}
	draws, err := clv.BootstrapDynamic(ctx, e, hs, d, o, clv.FitDynamicParetoNBD, &clv.BootstrapOptions{Samples: 12, Seed: 1})
	if err != nil || len(draws.Models) < 6 {
		t.Fatal(err, draws)
	}
	ps, err := draws.ParamIntervals(0.9)
	if err != nil || ps[4].Name != "Alpha.mail" || !(ps[4].Interval.Low < 0.75 && ps[4].Interval.High > 0.6) {
		t.Errorf("%v, %v", ps, err)
	}
}
