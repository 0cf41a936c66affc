package survival

import (
	"fmt"
	"io"
	"math"
	"sort"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/ledger"
)

// A Survivor is a survival curve: P(tenure > t). [Curve] and the parametric models are Survivors.
type Survivor interface {
	Survival(t float64) float64
}

// A BrierPoint is the score of predictions at one time.
type BrierPoint struct {
	Time      float64 `json:"time"`
	Score     float64 `json:"score"`     // mean squared error of the predicted survival, 0 best
	Reference float64 `json:"reference"` // the score of the Kaplan-Meier curve of all, the same for every customer
	Skill     float64 `json:"skill"`     // 1 - Score/Reference; NaN where Reference is 0
}

// BrierScores are scores at several times, in ascending order.
type BrierScores []BrierPoint

// Brier scores predicted survival against what happened, at each of the given times:
//
//	BS(t) = sum of [left by t] S(t)²/G(T-) + [T > t] (1-S(t))²/G(t), divided by the customers
//
// G is the Kaplan-Meier estimate of still being observed: the curve of the tenures with left and censored exchanged.
// Customers censored by t have no term; the others weigh more instead. Predicted(i) is the curve of
// tenure i, counted from 0; it is called once for each.
//
// Brier returns the errors of [KaplanMeier] for the tenures, a [ledger.RowError] for an entry other than 0 and for a
// prediction that is not a probability, an error for times that are not positive or not ascending, and one that wraps
// [ledger.ErrUndefined] for a time by which nobody was under observation any more.
//
// Graf, Schmoor, Sauerbrei and Schumacher, Statistics in Medicine 18 (1999).
func Brier(tenures []ledger.Tenure, predicted func(i int) Survivor, times []float64) (BrierScores, error) {
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	if err := s.noEntries(); err != nil {
		return nil, err
	}
	for i, t := range times {
		if !(t > 0) || math.IsInf(t, 1) || i > 0 && !(t > times[i-1]) {
			return nil, fmt.Errorf("survival: brier: time %d is %v: want positive times in ascending order", i+1, t)
		}
	}
	observed := s.observation()
	for _, t := range times {
		if g := observed.at(t); !(g > 0) || t > observed.end {
			return nil, undefined(fmt.Sprintf("brier: nobody was observed after time %v", t))
		}
	}
	all := curveOf(s, nil, productLimit, LogBand, 0.95)
	total := 0.0
	scores := make(BrierScores, len(times))
	for _, r := range s.ordered(s.time, nil) {
		i := int(r.Row)
		curve, w := predicted(i), s.weightOf(i)
		total += w
		for k, t := range times {
			p := curve.Survival(t)
			if !(p >= 0 && p <= 1) {
				return nil, rowError(i, "prediction", formatFloat(p), fmt.Errorf("not a probability (at time %v)", t))
			}
			scores[k].Score += w * s.squaredError(i, t, p, observed)
			scores[k].Reference += w * s.squaredError(i, t, all.Survival(t), observed)
		}
	}
	for k, t := range times {
		p := &scores[k]
		p.Time, p.Score, p.Reference = t, p.Score/total, p.Reference/total
		p.Skill = 1 - p.Score/p.Reference
		if p.Reference == 0 {
			p.Skill = math.NaN()
		}
	}
	return scores, nil
}

func (s *sample) squaredError(i int, t, p float64, observed *steps) float64 {
	switch {
	case s.time[i] > t:
		return (1 - p) * (1 - p) / observed.at(t)
	case s.event[i]:
		return p * p / observed.before(s.time[i])
	}
	return 0
}

// steps is a right-continuous step function that starts at 1.
type steps struct {
	time, value []float64
	end         float64
}

// observation returns the Kaplan-Meier estimate of the time of censoring.
func (s *sample) observation() *steps {
	points, _ := tally(s, nil)
	g := &steps{end: points[len(points)-1].Time}
	value := 1.0
	for i := range points {
		p := &points[i]
		if p.Censored == 0 {
			continue
		}
		value *= (p.AtRisk - p.Censored) / p.AtRisk
		g.time, g.value = append(g.time, p.Time), append(g.value, value)
	}
	return g
}

// at returns the value at t, before that just before it.
func (g *steps) at(t float64) float64 {
	return g.index(sort.Search(len(g.time), func(i int) bool { return g.time[i] > t }))
}

func (g *steps) before(t float64) float64 {
	return g.index(sort.Search(len(g.time), func(i int) bool { return g.time[i] >= t }))
}

func (g *steps) index(i int) float64 {
	if i == 0 {
		return 1
	}
	return g.value[i-1]
}

// Integrated returns the mean score between the first and the last time, by the trapezoidal rule:
//
//	1/(t_m - t_1) integral of BS(t) from t_1 to t_m
//
// It returns an error that wraps [ledger.ErrUndefined] for fewer than two times.
func (b BrierScores) Integrated() (float64, error) {
	if len(b) < 2 {
		return 0, undefined("integrated brier score: fewer than two times")
	}
	sum := 0.0
	for i := 1; i < len(b); i++ {
		sum += (b[i].Score + b[i-1].Score) / 2 * (b[i].Time - b[i-1].Time)
	}
	return sum / (b[len(b)-1].Time - b[0].Time), nil
}

func (b BrierScores) table() *table.Table {
	t := table.New("time", "score", "reference", "skill")
	for _, p := range b {
		t.Add(p.Time, p.Score, p.Reference, p.Skill)
	}
	return t
}

// String returns the scores as a table.
func (b BrierScores) String() string { return b.table().String() }

// WriteCSV writes the scores with a header.
func (b BrierScores) WriteCSV(w io.Writer) error { return b.table().WriteCSV(w) }

// MarshalJSON writes the scores; a number that does not exist is null.
func (b BrierScores) MarshalJSON() ([]byte, error) { return table.Marshal([]BrierPoint(b)) }
