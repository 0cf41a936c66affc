package risk

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestCalibrationAgainstR(t *testing.T) {
	ctx := context.Background()
	file := golden.Load(t, "testdata/calibration.json")
	c := readCustomers(t)
	for name, o := range map[string]*PlattOptions{"platt": nil, "platt plain": {Plain: true}} {
		m, err := FitPlatt(ctx, c.score, c.left, o)
		if err != nil {
			t.Fatal(err)
		}
		checkRow(t, goldenRow(t, file, name), map[string]float64{"a": m.A, "b": m.B})
	}
	iso, err := FitIsotonic(c.score, c.left, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range file.Rows {
		if strings.HasPrefix(row.Name, "isotonic") {
			row.Tolerance = file.Tolerance
			row.Check(t, "p", iso.Probability(float64(row.Args["score"])))
		}
	}
	f, err := NewForecast(c.probs, c.left, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, bins := range map[string]*Bins{"brier each": nil, "brier width": {Width: true}, "brier number": {}} {
		b, err := f.Brier(bins)
		if err != nil {
			t.Fatal(err)
		}
		row := goldenRow(t, file, name)
		if bins == nil { // the spread within groups of one value is exactly 0, and rounding in the generator
			delete(row.Want, "within_covariance")
			if b.WithinVariance != 0 || b.WithinCovariance != 0 {
				t.Errorf("%s: %+v", name, b)
			}
		}
		checkRow(t, row, map[string]float64{"groups": float64(b.Groups), "reliability": b.Reliability, "resolution": b.Resolution, "uncertainty": b.Uncertainty,
			"within_variance": b.WithinVariance, "within_covariance": b.WithinCovariance, "skill": b.Skill})
		if sum := b.Reliability - b.Resolution + b.Uncertainty + b.WithinVariance - b.WithinCovariance; !near(sum, b.Value, 1e-12) {
			t.Errorf("%s: the parts add up to %v, not %v", name, sum, b.Value)
		}
		goldenRow(t, file, "losses").Check(t, "brier", b.Value)
	}
	goldenRow(t, file, "losses").Check(t, "log_loss", f.LogLoss())
	cal, err := f.Calibration(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, goldenRow(t, file, "recalibrate"), map[string]float64{"intercept": cal.Intercept, "slope": cal.Slope})
	checkRow(t, goldenRow(t, file, "calibration"), map[string]float64{"expected": cal.ExpectedError, "maximum": cal.MaximumError})
	for i, r := range cal.Rows {
		checkRow(t, goldenRow(t, file, "calibration/"+string(rune('0'+i))), map[string]float64{"low": r.Low, "high": r.High, "customers": r.Customers,
			"left": r.Left, "predicted": r.Predicted, "lower": r.ObservedLower, "upper": r.ObservedUpper})
	}
	h, err := f.HosmerLemeshow(nil, true)
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, goldenRow(t, file, "hosmer-lemeshow"), map[string]float64{"statistic": h.Statistic, "df": float64(h.DF), "p": h.P})
}

// Pooled adjacent violators against the minimax formula: the value at i is the largest over starts up to i of the smallest
// over ends from i of the mean between them.
func TestIsotonicIsTheMinimax(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		n := 1 + r.IntN(30)
		scores, left, weights := make([]float64, n), make([]bool, n), make([]float64, n)
		for i := range scores {
			scores[i], left[i], weights[i] = float64(r.IntN(12)), r.IntN(2) == 0, float64(1+r.IntN(4))
		}
		m, err := FitIsotonic(scores, left, weights)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		mean := func(from, to float64) float64 {
			sum, all := 0.0, 0.0
			for i, s := range scores {
				if s >= from && s <= to {
					all += weights[i]
					sum += weights[i] * float64(b2i(left[i]))
				}
			}
			return sum / all
		}
		for _, s := range scores {
			best := 0.0
			for _, from := range scores {
				least := math.Inf(1)
				for _, to := range scores {
					if from <= s && to >= s {
						least = min(least, mean(from, to))
					}
				}
				if from <= s {
					best = max(best, least)
				}
			}
			if got := m.Probability(s); !near(got, best, 1e-12) {
				t.Fatalf("score %v: %v, want %v", s, got, best)
			}
		}
	}
}

func TestPlattWithSeparatedScores(t *testing.T) {
	scores, left := []float64{1, 2, 3, 4}, []bool{false, false, true, true}
	m, err := FitPlatt(context.Background(), scores, left, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The targets are 1/4 and 3/4 and the curve is symmetric about 2.5; its slope solves sum of score (p - target) = 0.
	if p := m.Probability(2.5); !near(p, .5, 1e-12) {
		t.Errorf("middle %v", p)
	}
	if sum := 3*m.Probability(1) + m.Probability(2); !near(sum, 1, 1e-12) {
		t.Errorf("slope of the likelihood: %v", sum-1)
	}
	_, err = FitPlatt(context.Background(), scores, left, &PlattOptions{Plain: true})
	if !errors.Is(err, ErrSeparation) {
		t.Errorf("plain: %v", err)
	}
	_, err = FitPlatt(context.Background(), []float64{5, 5, 5, 5}, left, nil)
	errorText(t, "equal", err, `risk: covariate "score": collinear: it has the value 5 in every row`)
	_, err = FitPlatt(context.Background(), scores, make([]bool, 4), nil)
	errorText(t, "nobody", err, "risk: ranking: nobody left: undefined")
	_, err = FitPlatt(context.Background(), scores, left, &PlattOptions{Workers: -1})
	errorText(t, "workers", err, "risk: option Workers: -1 is negative")
}

func TestForecastEdges(t *testing.T) {
	_, err := NewForecast([]float64{.5, 1.5}, []bool{true, false}, nil)
	errorText(t, "above 1", err, `risk: row 2: field "probability": value "1.5": want a probability between 0 and 1`)
	_, err = Brier([]float64{math.NaN()}, []bool{true})
	errorText(t, "NaN", err, `risk: row 1: field "probability": value "NaN": want a probability between 0 and 1`)
	_, err = LogLoss(nil, nil)
	errorText(t, "none", err, "risk: forecast: no customers: undefined")
	if !errors.Is(err, ledger.ErrUndefined) {
		t.Error(err)
	}
	loss, err := LogLoss([]float64{0, 1}, []bool{true, true})
	if err != nil || !math.IsInf(loss, 1) {
		t.Errorf("loss %v, %v", loss, err)
	}
	loss, err = LogLoss([]float64{0, 1}, []bool{false, true})
	if err != nil || loss != 0 {
		t.Errorf("loss of what is certain: %v, %v", loss, err)
	}
	f, err := NewForecast([]float64{.2, .4, 1}, []bool{true, true, true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Brier(nil)
	if err != nil || !math.IsNaN(b.Skill) || b.Uncertainty != 0 {
		t.Errorf("everybody left: %+v, %v", b, err)
	}
	if _, err := f.Ranking(); !errors.Is(err, ledger.ErrUndefined) {
		t.Error(err)
	}
	c, err := f.Calibration(context.Background(), nil)
	if err != nil || !math.IsNaN(c.Slope) || c.Observed != 1 {
		t.Errorf("everybody left: %+v, %v", c, err)
	}
	if text, err := c.MarshalJSON(); err != nil || !strings.Contains(string(text), `"slope":null`) {
		t.Errorf("%s, %v", text, err)
	}
	_, err = f.HosmerLemeshow(nil, false)
	errorText(t, "certain", err, "risk: hosmer-lemeshow: a group of probability 1: undefined")
	_, err = f.Brier(&Bins{Count: -1})
	errorText(t, "bins", err, "risk: -1 bins")
	// Ends of bins of equal width belong to the lower bin.
	w, err := NewForecast([]float64{0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}, make([]bool, 11), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err = w.Calibration(context.Background(), &Bins{Width: true})
	if err != nil || len(c.Rows) != 10 || c.Rows[0].High != .1 || c.Rows[2].Low != .3 || c.Rows[9].Customers != 1 {
		t.Errorf("%v, %v", c, err)
	}
}

func TestCalibrate(t *testing.T) {
	got, err := Calibrate(Platt{A: -1}, []float64{0, 100})
	if err != nil || got[0] != .5 || got[1] != 1 {
		t.Error(got, err)
	}
	_, err = Calibrate(Isotonic{}, []float64{3})
	errorText(t, "no steps", err, `risk: row 1: field "score": value "3": want a probability between 0 and 1`)
	_, err = Calibrate(nil, nil)
	errorText(t, "nil", err, "risk: no calibrator")
}
