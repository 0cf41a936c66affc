package validate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func at(customer, day, amount string) ledger.Transaction {
	return ledger.Transaction{Customer: customer, At: date(day), Amount: money.MustParse(amount, "USD")}
}

func smallLog() []ledger.Transaction {
	return []ledger.Transaction{
		at("a", "2025-01-01", "10"), at("a", "2025-01-15", "20"), at("a", "2025-02-01", "5"), at("a", "2025-02-01", "7"), at("a", "2025-02-20", "30"),
		at("b", "2025-01-10", "10"), at("b", "2025-03-05", "99"),
		at("c", "2025-01-31", "4"), at("c", "2025-02-10", "-1"),
		at("d", "2025-02-15", "8"), at("d", "2025-02-16", "8"),
	}
}

// TestSplit cuts at 31 January: February is the holdout, with two purchase days of a, a refund of c and a new customer.
func TestSplit(t *testing.T) {
	h, err := validate.Split(context.Background(), ledger.Transactions(smallLog()), date("2025-01-31"), date("2025-02-28"), clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []validate.Outcome{{Customer: "a", Purchases: 2, Spend: money.MustParse("42", "USD")}, {Customer: "b", Spend: money.MustParse("0", "USD")},
		{Customer: "c", Spend: money.MustParse("0", "USD")}}
	// The only purchase of c is the first: its refund reduces that, and Spend is of repeat purchases.
	if diff := cmp.Diff(want, h.Rows, cmp.Comparer(money.Amount.Equal)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if h.Duration != 28 || h.New != 1 || len(h.Calibration.Rows) != 3 || h.Calibration.Rows[0].X != 1 {
		t.Errorf("holdout %+v", h)
	}
	if diff := cmp.Diff([]float64{1.0 / 30 * 28, 0, 0}, h.Naive(), cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("naive (-want +got):\n%s", diff)
	}
}

// TestScore computes every measure by hand, the rank correlation with scipy.
func TestScore(t *testing.T) {
	expected, actual := []float64{1, 2, 2, 4, 0.5, 0}, []float64{0, 1, 3, 3, 0, 2}
	p := []float64{0.5, 0.75, 0.75, 1, 0.25, 0}
	s, err := validate.Score("hand", expected, actual, p)
	if err != nil {
		t.Fatal(err)
	}
	// Gini in the order of the forecast: shares 2, 2, 2, then 4 more for the two tied ones, then 3, of 9.
	own := 1 - 2.0/6/9*(0.0/2+0.0/2+(0+0.5)+(1+1)+(3+1.5)+(6+1.5))
	byForecast := 1 - 2.0/6/9*((0+1.0)+(2+0)+(2+0)+2*(2+4.0/2)+(6+1.5))
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"expected", s.Expected, 9.5}, {"actual", s.Actual, 9}, {"bias", s.Bias, 0.5 / 9}, {"MAE", s.MAE, (1 + 1 + 1 + 1 + 0.5 + 2) / 6},
		{"RMSE", s.RMSE, math.Sqrt((1 + 1 + 1 + 1 + 0.25 + 4) / 6)}, {"MAPE", s.MAPE, (1 + 1.0/3 + 1.0/3 + 1) / 4},
		{"Spearman", s.Spearman, 0.5523003264745422}, {"Gini", s.Gini, byForecast / own},
		{"Brier", s.Brier, (0.25 + 0.0625 + 0.0625 + 0 + 0.0625 + 1) / 6},
	} {
		if !golden.Close(c.got, c.want, 1e-12) {
			t.Errorf("%s = %.15g, want %.15g", c.name, c.got, c.want)
		}
	}
	perfect, err := validate.Score("perfect", actual, actual, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !golden.Close(perfect.Spearman, 1, 1e-14) || !golden.Close(perfect.Gini, 1, 1e-14) || perfect.RMSE != 0 || !math.IsNaN(perfect.Brier) {
		t.Errorf("perfect forecast: %+v", perfect)
	}
	nothing, err := validate.Score("nothing", []float64{1, 2}, []float64{0, 0}, nil)
	if err != nil || !math.IsNaN(nothing.Bias) || !math.IsNaN(nothing.MAPE) || !math.IsNaN(nothing.Spearman) || !math.IsNaN(nothing.Gini) {
		t.Errorf("nobody bought: %+v with error %v", nothing, err)
	}
	text, err := json.Marshal(nothing)
	if err != nil {
		t.Fatal(err)
	}
	var back validate.Scorecard
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(nothing, back, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("after JSON (-want +got):\n%s", diff)
	}
}

// constant forecasts one purchase in ten units for everybody.
type constant struct{}

func (constant) ExpectedPurchases(_ clv.History, t float64) float64 { return t / 10 }

func TestGroups(t *testing.T) {
	h, err := validate.Split(context.Background(), ledger.Transactions(smallLog()), date("2025-01-31"), date("2025-02-28"), clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	byFrequency, err := h.ByFrequency(constant{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(validate.Groups{{"0", 2, 2.8, 0}, {"1+", 1, 2.8, 2}}, byFrequency, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// a and c bought 16 and 0 days before the split, b 21 days.
	byRecency, err := h.ByRecency(constant{}, 10, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(validate.Groups{{"0-10", 1, 2.8, 0}, {"10-20", 1, 2.8, 2}, {"20+", 1, 2.8, 0}}, byRecency, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	deciles, err := h.Deciles(constant{})
	if err != nil {
		t.Fatal(err)
	}
	want := validate.Deciles{{1, 1, 2.8, 2, 3, 1}, {2, 1, 2.8, 0, 0, 1}, {3, 1, 2.8, 0, 0, 1}}
	if diff := cmp.Diff(want, deciles, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var table bytes.Buffer
	if err := byFrequency.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("group,customers,expected,actual\n0,2,2.8000,0.0000\n1+,1,2.8000,2.0000\n", table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// coin gives a new customer 0 or 1 purchases with equal probability.
type coin struct{}

func (coin) PMF(n int, _ float64) float64 {
	if n < 2 {
		return 0.5
	}
	return 0
}

func TestFrequencies(t *testing.T) {
	hs := &clv.Histories{Unit: clv.Day, Rows: []clv.History{{T: 5}, {X: 1, TX: 2, T: 5, Count: 3}, {X: 4, TX: 2, T: 9}}}
	got, err := validate.Frequencies(coin{}, hs, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(validate.Histogram{{"0", 1, 2.5}, {"1", 3, 2.5}, {"2+", 1, 0}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDiaryEqualsSummarize compares the histories of a diary with those of clv.Summarize at several ends, spend apart.
func TestDiaryEqualsSummarize(t *testing.T) {
	ctx := context.Background()
	rows := simulated(t)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	d, err := validate.ReadDiary(ctx, ledger.Transactions(rows), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []time.Time{date("2024-02-10"), date("2024-09-01"), date("2025-12-31")} {
		want, err := clv.Summarize(ctx, ledger.Transactions(rows), end, clv.Week, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Histories(end, clv.Week)
		if err != nil {
			t.Fatal(err)
		}
		near := cmpopts.EquateApprox(1e-12, 0)
		if diff := cmp.Diff(want.Rows, got.Rows, near, cmpopts.IgnoreFields(clv.History{}, "Spend")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", end, diff)
		}
	}
}

func simulated(t *testing.T) []ledger.Transaction {
	t.Helper()
	rows, err := ledger.Collect(simulate.Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, Spend: clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit: clv.Week, Customers: 400, Currency: "USD", Seed: 3, Start: date("2024-01-01"), Acquired: date("2024-06-30"), End: date("2025-06-30"),
	}.Orders(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// line expects one purchase a week.
type line struct{}

func (line) NewCustomerPurchases(t float64) float64 { return t }

// TestTrack follows the small log by weeks with a model of one purchase a week.
func TestTrack(t *testing.T) {
	d, err := validate.ReadDiary(context.Background(), ledger.Transactions(smallLog()), nil)
	if err != nil {
		t.Fatal(err)
	}
	// Weeks from Wednesday, 1 January: ages on their last days are 6 days and so on.
	weeks := ledger.Weeks(date("2025-01-01"), date("2025-02-19"), time.Wednesday, nil)
	got, err := d.Track(line{}, clv.Week, weeks, date("2025-01-31"))
	if err != nil {
		t.Fatal(err)
	}
	var actual, total []float64
	for _, w := range got {
		actual, total = append(actual, w.Cumulative), append(total, w.Total)
	}
	if diff := cmp.Diff([]float64{0, 0, 1, 1, 2, 2, 2}, actual); diff != "" {
		t.Errorf("actual (-want +got):\n%s", diff)
	}
	// a came on day 0, b on day 9, c on day 30.
	want := []float64{6. / 7, (13. + 4) / 7, (20. + 11) / 7, (27. + 18) / 7, (34. + 25 + 4) / 7, (41. + 32 + 11) / 7, (48. + 39 + 18) / 7}
	if diff := cmp.Diff(want, total, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.String(), "2025-01-01/2025-01-07") {
		t.Errorf("table:\n%s", got)
	}
}

func bgnbd(ctx context.Context, hs *clv.Histories) (validate.Forecaster, error) {
	e, err := clv.FitBGNBD(ctx, hs, nil)
	if err != nil {
		return nil, err
	}
	return e.Model, nil
}

// TestBacktest lets the model that made the data beat the naive forecast at every origin; a candidate that always fails
// comes last with its reasons.
func TestBacktest(t *testing.T) {
	ctx := context.Background()
	d, err := validate.ReadDiary(ctx, ledger.Transactions(simulated(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	origins := []time.Time{date("2024-08-01"), date("2024-10-01"), date("2024-12-01")}
	ranks, err := d.Backtest(ctx, clv.Week, origins, 26, validate.Candidate{Name: "BG/NBD", Fit: bgnbd},
		validate.Candidate{Name: "broken", Fit: func(context.Context, *clv.Histories) (validate.Forecaster, error) { return nil, errors.New("no luck") }})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{ranks[0].Name, ranks[1].Name, ranks[2].Name}
	if diff := cmp.Diff([]string{"BG/NBD", validate.Naive, "broken"}, names); diff != "" {
		t.Fatalf("(-want +got):\n%s\n%s", diff, ranks)
	}
	if ranks[0].Best != 3 || len(ranks[0].Origins) != 3 || len(ranks[2].Failed) != 3 || ranks[2].Failed[0].Reason != "no luck" {
		t.Errorf("ranks %+v", ranks)
	}
	if _, err := json.Marshal(ranks); err != nil {
		t.Error(err)
	}
	if !(ranks[0].RMSE < 0.95*ranks[1].RMSE) {
		t.Errorf("RMSE %v and %v", ranks[0].RMSE, ranks[1].RMSE)
	}
}

// TestCDNOW holds the public data set against its known holdout: 1,882 purchases in 39 weeks.
func TestCDNOW(t *testing.T) {
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	text, err := os.ReadFile(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	log := func() ([]ledger.Transaction, error) {
		return ledger.Collect(ledger.ReadCSV(ctx, bytes.NewReader(text), &ledger.CSVOptions{Currency: "USD"}))
	}
	rows, err := log()
	if err != nil {
		t.Fatal(err)
	}
	h, err := validate.Split(ctx, ledger.Transactions(rows), date("1997-09-30"), date("1998-06-30"), clv.Week, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := clv.FitBGNBD(ctx, h.Calibration, nil)
	if err != nil {
		t.Fatal(err)
	}
	card, err := h.Scorecard(e.Model)
	if err != nil {
		t.Fatal(err)
	}
	if card.Actual != 1882 || card.Customers != 2357 || h.Duration != 39 || h.New != 0 {
		t.Errorf("scorecard %+v", card)
	}
	naive, err := validate.Score("naive", h.Naive(), h.Actual(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !(card.RMSE < naive.RMSE && card.Spearman > 0.4) {
		t.Errorf("the model is no better than the naive forecast:\n%s", validate.Scorecards{card, naive})
	}
	d, err := validate.ReadDiary(ctx, ledger.Transactions(rows), nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last := d.Span()
	tracks, err := d.Track(e.Model, clv.Week, ledger.Weeks(first, last.AddDate(0, 0, 1), first.Weekday(), nil), date("1997-09-30"))
	if err != nil {
		t.Fatal(err)
	}
	repeats := 0.0
	for _, c := range h.Calibration.Rows {
		repeats += float64(c.X)
	}
	if got := tracks[len(tracks)-1].Cumulative; got != repeats+1882 {
		t.Errorf("%v repeat purchases in all, want %v", got, repeats+1882)
	}
	if got := tracks[38]; math.Abs(got.Total/got.Cumulative-1) > 0.05 {
		t.Errorf("after 39 weeks %v purchases, expected %v", got.Cumulative, got.Total)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	log := func() []ledger.Transaction { return smallLog() }
	split := func(a, b string) error {
		_, err := validate.Split(ctx, ledger.Transactions(log()), date(a), date(b), clv.Day, nil)
		return err
	}
	d, err := validate.ReadDiary(ctx, ledger.Transactions(log()), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := validate.Split(ctx, ledger.Transactions(log()), date("2025-01-31"), date("2025-02-28"), clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	diary := func(rows ...ledger.Transaction) error {
		_, err := validate.ReadDiary(ctx, ledger.Transactions(rows), nil)
		return err
	}
	score := func(e, a, p []float64) error { _, err := validate.Score("s", e, a, p); return err }
	track := func(ps ...ledger.Period) error {
		_, err := d.Track(line{}, clv.Day, ps, date("2025-01-31"))
		return err
	}
	backtest := func(origin string, horizon float64, cs ...validate.Candidate) error {
		_, err := d.Backtest(ctx, clv.Day, []time.Time{date(origin)}, horizon, cs...)
		return err
	}
	_, frequency := h.ByFrequency(constant{}, 0)
	_, recency := h.ByRecency(constant{}, 0, 3)
	_, forecast := h.Forecast(negative{})
	_, histogram := validate.Frequencies(coin{}, nil, 3)
	_, unit := d.Histories(date("2025-01-31"), 0)
	_, noOrigins := d.Backtest(ctx, clv.Day, nil, 3)
	for _, c := range []struct {
		err  error
		want string
	}{
		{split("2025-02-28", "2025-02-28"), "validate: split at 2025-02-28 and end at 2025-02-28: want an end on a later day"},
		{split("2024-01-01", "2025-02-28"), "validate: no purchase on or before 2024-01-01"},
		{diary(), "validate: the log has no purchase"},
		{diary(ledger.Transaction{At: date("2025-01-01")}), `validate: row 1: field "Customer": value "": empty`},
		{diary(ledger.Transaction{Customer: "a"}), "no time"},
		{score(nil, nil, nil), "validate: s: 0 forecasts, 0 outcomes and 0 probabilities: want as many of each, and at least one"},
		{score([]float64{1}, []float64{1, 2}, nil), "validate: s: 1 forecasts, 2 outcomes"},
		{score([]float64{math.NaN()}, []float64{1}, nil), "validate: s: customer 1: expected NaN, actual 1: want finite numbers that are not negative"},
		{track(), "validate: no periods"},
		{track(ledger.Month(2025, 2, nil)), "validate: the periods begin with 2025-02, after the first purchase on 2025-01-01"},
		{track(ledger.Month(2025, 1, nil), ledger.Month(2025, 3, nil)), "validate: 2025-03 after 2025-01: periods must follow one another"},
		{backtest("2025-03-01", 30), "validate: the forecast from 2025-03-01 reaches to 2025-03-31, the log ends on 2025-03-05"},
		{backtest("2024-03-01", 30), "validate: no purchase on or before the origin 2024-03-01"},
		{backtest("2025-01-15", 0), "validate: horizon 0: want a positive finite number"},
		{backtest("2025-01-15", 5, validate.Candidate{}), `validate: candidate 1: name "": want a name of its own and a Fit`},
		{noOrigins, "validate: no origins"},
		{frequency, "validate: most 0: want 1 or more"},
		{recency, "validate: 3 bins of 0: want positive numbers"},
		{forecast, `validate: customer "a": expected purchases -1`},
		{histogram, "validate: no histories"},
		{unit, "validate: unit 0s: want a positive one, such as clv.Week"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

type negative struct{}

func (negative) ExpectedPurchases(clv.History, float64) float64 { return -1 }

func ExampleHoldout_ByFrequency() {
	ctx := context.Background()
	h, err := validate.Split(ctx, ledger.Transactions(smallLog()), date("2025-01-31"), date("2025-02-28"), clv.Day, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := h.ByFrequency(constant{}, 2) // a fitted model in earnest
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(table)
	// Output:
	//   group  customers  expected  actual
	//       0          2    2.8000  0.0000
	//       1          1    2.8000  2.0000
}
