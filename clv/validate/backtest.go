package validate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/text"
)

// A Candidate is a way to forecast that a back-test tries: Fit returns a model of the purchases up to an origin.
type Candidate struct {
	Name string
	Fit  func(ctx context.Context, hs *clv.Histories) (Forecaster, error)
}

// A Rank is a candidate's result over all origins.
type Rank struct {
	Name    string       `json:"name"`
	RMSE    float64      `json:"rmse"` // mean over the origins; the table is sorted by it
	MAE     float64      `json:"mae"`  // likewise
	Bias    float64      `json:"bias"` // mean of the absolute biases
	Best    int          `json:"best"` // origins at which its RMSE was the lowest
	Origins Scorecards   `json:"origins"`
	Failed  []OriginFail `json:"failed,omitempty"` // origins at which there was no forecast; the means leave them out
}

// An OriginFail says why a candidate has no forecast at an origin.
type OriginFail struct {
	Origin time.Time `json:"origin"`
	Reason string    `json:"reason"`
}

// Ranks is the table of a back-test, the lowest RMSE first; candidates that failed at more origins come after those that
// failed at fewer.
type Ranks []Rank

// Naive is the name of the forecast that Backtest adds to every table: in the next horizon each customer does the same
// as in the last one.
const Naive = "same as last period"

// Backtest fits each candidate to the purchases up to each origin and compares its forecast of the horizon, in units,
// with what happened, beside the naive forecast. A candidate that fails at an origin is reported there and does not end
// the work.
//
// It returns an error if there are no origins, if the horizon is not positive, if a forecast period reaches beyond the
// last purchase of the log, if two candidates have one name, and the context's.
func (d *Diary) Backtest(ctx context.Context, unit time.Duration, origins []time.Time, horizon float64, candidates ...Candidate) (Ranks, error) {
	if err := d.backtestable(unit, origins, horizon, candidates); err != nil {
		return nil, err
	}
	ranks := make(Ranks, len(candidates)+1)
	ranks[len(candidates)].Name = Naive
	for i, c := range candidates {
		ranks[i].Name = c.Name
	}
	for _, origin := range origins {
		hs, err := d.Histories(origin, unit)
		if err != nil {
			return nil, err
		}
		if len(hs.Rows) == 0 {
			return nil, fmt.Errorf("validate: no purchase on or before the origin %s", origin.Format(time.DateOnly))
		}
		step := time.Duration(math.Round(horizon * float64(unit)))
		actual, naive := d.purchases(hs, origin, origin.Add(step)), d.purchases(hs, origin.Add(-step), origin)
		for i := range ranks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			forecast, fault := naive, error(nil)
			if i < len(candidates) {
				forecast, fault = candidates[i].forecast(ctx, hs, horizon)
			}
			var card Scorecard
			if fault == nil {
				card, fault = Score(origin.Format(time.DateOnly), forecast, actual, nil)
			}
			if fault != nil {
				ranks[i].Failed = append(ranks[i].Failed, OriginFail{origin, fault.Error()})
				continue
			}
			ranks[i].Origins = append(ranks[i].Origins, card)
		}
	}
	ranks.settle()
	return ranks, ctx.Err()
}

func (d *Diary) backtestable(unit time.Duration, origins []time.Time, horizon float64, candidates []Candidate) error {
	switch {
	case unit <= 0:
		return fmt.Errorf("validate: unit %v: want a positive one, such as clv.Week", unit)
	case len(origins) == 0:
		return errors.New("validate: no origins")
	case !(horizon > 0) || math.IsInf(horizon, 1):
		return fmt.Errorf("validate: horizon %v: want a positive finite number", horizon)
	}
	for _, o := range origins {
		if end := o.Add(time.Duration(horizon * float64(unit))); day(end, d.loc) > d.last {
			return fmt.Errorf("validate: the forecast from %s reaches to %s, the log ends on %s", o.Format(time.DateOnly),
				end.Format(time.DateOnly), d.date(d.last).Format(time.DateOnly))
		}
	}
	for i, c := range candidates {
		same := func(o Candidate) bool { return o.Name == c.Name }
		if c.Name == "" || c.Name == Naive || c.Fit == nil || slices.ContainsFunc(candidates[:i], same) {
			return fmt.Errorf("validate: candidate %d: name %q: want a name of its own and a Fit", i+1, c.Name)
		}
	}
	return nil
}

func (c Candidate) forecast(ctx context.Context, hs *clv.Histories, horizon float64) ([]float64, error) {
	m, err := c.Fit(ctx, hs)
	if err != nil {
		return nil, err
	}
	h := &Holdout{Calibration: hs, Duration: horizon, Rows: make([]Outcome, len(hs.Rows))}
	return h.Forecast(m)
}

// purchases counts the purchases of each customer of hs on the days after that of from up to that of to, the first
// purchase of all excepted.
func (d *Diary) purchases(hs *clv.Histories, from, to time.Time) []float64 {
	first, last := day(from, d.loc)+1, day(to, d.loc)
	counts := make([]float64, len(hs.Rows))
	i := 0
	for j, h := range hs.Rows {
		for d.customers[i] != h.Customer {
			i++
		}
		low, _ := slices.BinarySearch(d.days[i], max(first, d.days[i][0]+1))
		high, _ := slices.BinarySearch(d.days[i], last+1)
		counts[j] = float64(max(0, high-low))
	}
	return counts
}

// settle fills the means and sorts.
func (rs Ranks) settle() {
	for i := range rs {
		n := float64(len(rs[i].Origins))
		for _, card := range rs[i].Origins {
			rs[i].RMSE += card.RMSE / n
			rs[i].MAE += card.MAE / n
			if !math.IsNaN(card.Bias) {
				rs[i].Bias += math.Abs(card.Bias) / n
			}
			lowest := true
			for _, other := range rs {
				for _, o := range other.Origins {
					lowest = lowest && (o.Name != card.Name || o.RMSE >= card.RMSE)
				}
			}
			if lowest {
				rs[i].Best++
			}
		}
	}
	slices.SortStableFunc(rs, func(a, b Rank) int {
		switch {
		case len(a.Failed) != len(b.Failed):
			return len(a.Failed) - len(b.Failed)
		case a.RMSE < b.RMSE:
			return -1
		case a.RMSE > b.RMSE:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
}

func (rs Ranks) records() [][]string {
	records := [][]string{{"forecast", "origins", "failed", "rmse", "mae", "bias", "best"}}
	for _, r := range rs {
		records = append(records, []string{r.Name, strconv.Itoa(len(r.Origins)), strconv.Itoa(len(r.Failed)), number(r.RMSE, 4),
			number(r.MAE, 4), number(r.Bias, 4), strconv.Itoa(r.Best)})
	}
	return records
}

// String returns the table as aligned text.
func (rs Ranks) String() string { return text.Aligned(rs.records()) }

// WriteCSV writes the table with a header.
func (rs Ranks) WriteCSV(w io.Writer) error { return writeCSV(w, rs.records()) }
