package validate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/text"
)

// A Scorecard says how good a forecast was. What does not exist, such as a rank correlation where all customers did the
// same, is NaN in Go, null in JSON and empty in tables.
type Scorecard struct {
	Name      string  // of the forecast
	Customers int     // compared
	Expected  float64 // purchases of all customers
	Actual    float64 // purchases of all customers
	Bias      float64 // (Expected - Actual)/Actual; NaN if nobody bought
	MAE       float64 // mean of |expected - actual| a customer
	RMSE      float64 // root of the mean of (expected - actual)^2
	MAPE      float64 // mean of |expected - actual|/actual over the customers who bought; NaN if none did
	Spearman  float64 // rank correlation of expected and actual, ties with their mean rank
	Gini      float64 // Gini coefficient of actual in the order of expected over that in its own order: 1 is a perfect ranking, 0 a random one
	Brier     float64 // mean squared error of P(buys again); NaN for a forecast without probabilities
}

// Score compares a forecast with what happened. probabilities of any purchase are used for Brier and may be nil.
//
// It returns an error if there is nothing to compare, the lengths differ, or a number is not finite or is negative.
func Score(name string, expected, actual, probabilities []float64) (Scorecard, error) {
	if len(expected) == 0 || len(expected) != len(actual) || (probabilities != nil && len(probabilities) != len(actual)) {
		return Scorecard{}, fmt.Errorf("validate: %s: %d forecasts, %d outcomes and %d probabilities: want as many of each, and at least one",
			name, len(expected), len(actual), len(probabilities))
	}
	s := Scorecard{Name: name, Customers: len(actual), Brier: math.NaN(), MAPE: math.NaN(), Bias: math.NaN()}
	var buyers, relative, brier float64
	for i, a := range actual {
		e := expected[i]
		if !(a >= 0 && e >= 0) || math.IsInf(a, 1) || math.IsInf(e, 1) {
			return Scorecard{}, fmt.Errorf("validate: %s: customer %d: expected %v, actual %v: want finite numbers that are not negative", name, i+1, e, a)
		}
		s.Expected, s.Actual = s.Expected+e, s.Actual+a
		s.MAE += math.Abs(e - a)
		s.RMSE += (e - a) * (e - a)
		bought := 0.0
		if a > 0 {
			bought = 1
			buyers++
			relative += math.Abs(e-a) / a
		}
		if probabilities != nil {
			brier += (probabilities[i] - bought) * (probabilities[i] - bought)
		}
	}
	n := float64(len(actual))
	s.MAE, s.RMSE = s.MAE/n, math.Sqrt(s.RMSE/n)
	if s.Actual > 0 {
		s.Bias, s.MAPE = (s.Expected-s.Actual)/s.Actual, relative/buyers
	}
	if probabilities != nil {
		s.Brier = brier / n
	}
	s.Spearman = correlation(ranks(expected), ranks(actual))
	s.Gini = gini(expected, actual) / gini(actual, actual)
	return s, nil
}

// ranks returns the rank of each value from 1, ties with their mean.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	r := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			r[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return r
}

// correlation returns Pearson's correlation, NaN where one side does not vary.
func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var mx, my float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	var sxx, syy, sxy float64
	for i := range x {
		sxx += (x[i] - mx) * (x[i] - mx)
		syy += (y[i] - my) * (y[i] - my)
		sxy += (x[i] - mx) * (y[i] - my)
	}
	return sxy / math.Sqrt(sxx*syy)
}

// gini returns one minus twice the area under the share of values held by the customers of lowest key up to a share of
// the customers; customers with equal keys share their values evenly. It is NaN where all values are 0.
func gini(key, value []float64) float64 {
	n := len(key)
	order := make([]int, n)
	total := 0.0
	for i := range order {
		order[i] = i
		total += value[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
	area, below := 0.0, 0.0
	for i := 0; i < n; {
		j, sum := i, 0.0
		for j < n && key[order[j]] == key[order[i]] {
			sum += value[order[j]]
			j++
		}
		area += float64(j-i) / float64(n) * (below + sum/2) / total
		below += sum
		i = j
	}
	return 1 - 2*area
}

// A Prober gives the probability of at least one purchase within t; every continuous model of clv is one.
type Prober interface {
	ProbAnyPurchase(h clv.History, t float64) float64
}

// Scorecard compares the model's forecast with what happened; Brier needs a model that is a Prober. The name is the
// model's Kind where it has one.
func (h *Holdout) Scorecard(m Forecaster) (Scorecard, error) {
	forecast, err := h.Forecast(m)
	if err != nil {
		return Scorecard{}, err
	}
	var probabilities []float64
	if p, ok := m.(Prober); ok {
		for _, c := range h.Calibration.Rows {
			probabilities = append(probabilities, p.ProbAnyPurchase(c, h.Duration))
		}
	}
	return Score(nameOf(m), forecast, h.Actual(), probabilities)
}

func nameOf(m any) string {
	if k, ok := m.(interface{ Kind() string }); ok {
		return k.Kind()
	}
	return "model"
}

// Scorecards is a table of forecasts of the same customers.
type Scorecards []Scorecard

func (cs Scorecards) records() [][]string {
	records := [][]string{{"forecast", "customers", "expected", "actual", "bias", "mae", "rmse", "mape", "spearman", "gini", "brier"}}
	for _, s := range cs {
		records = append(records, []string{s.Name, strconv.Itoa(s.Customers), number(s.Expected, 1), number(s.Actual, 0), number(s.Bias, 4),
			number(s.MAE, 4), number(s.RMSE, 4), number(s.MAPE, 4), number(s.Spearman, 4), number(s.Gini, 4), number(s.Brier, 4)})
	}
	return records
}

// String returns the table as aligned text.
func (cs Scorecards) String() string { return text.Aligned(cs.records()) }

// WriteCSV writes the table with a header.
func (cs Scorecards) WriteCSV(w io.Writer) error { return writeCSV(w, cs.records()) }

// String returns the scorecard as a table of one line.
func (s Scorecard) String() string { return Scorecards{s}.String() }

type scorecardJSON struct {
	Name      string     `json:"name"`
	Customers int        `json:"customers"`
	Expected  fit.Number `json:"expected"`
	Actual    fit.Number `json:"actual"`
	Bias      fit.Number `json:"bias"`
	MAE       fit.Number `json:"mae"`
	RMSE      fit.Number `json:"rmse"`
	MAPE      fit.Number `json:"mape"`
	Spearman  fit.Number `json:"spearman"`
	Gini      fit.Number `json:"gini"`
	Brier     fit.Number `json:"brier"`
}

// MarshalJSON writes the scorecard; what does not exist is null.
func (s Scorecard) MarshalJSON() ([]byte, error) {
	return json.Marshal(scorecardJSON{s.Name, s.Customers, fit.Number(s.Expected), fit.Number(s.Actual), fit.Number(s.Bias), fit.Number(s.MAE),
		fit.Number(s.RMSE), fit.Number(s.MAPE), fit.Number(s.Spearman), fit.Number(s.Gini), fit.Number(s.Brier)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Scorecard) UnmarshalJSON(text []byte) error {
	var j scorecardJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	if j.Customers < 1 {
		return errors.New("validate: a scorecard without customers")
	}
	*s = Scorecard{j.Name, j.Customers, float64(j.Expected), float64(j.Actual), float64(j.Bias), float64(j.MAE), float64(j.RMSE),
		float64(j.MAPE), float64(j.Spearman), float64(j.Gini), float64(j.Brier)}
	return nil
}
