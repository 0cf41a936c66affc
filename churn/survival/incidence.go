package survival

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// UnknownReason is the cause of the tenures that ended without a reason.
const UnknownReason = "unknown"

// An Incidence is how many customers have left for each reason as time goes by: the competing risks of leaving.
type Incidence struct {
	Group     string      `json:"group"` // empty for all customers
	Band      Band        `json:"band"`
	Level     float64     `json:"level"`
	Customers float64     `json:"customers"`
	Causes    []CauseRisk `json:"causes"` // in the order of their names
}

// A CauseRisk is the curve of one reason.
type CauseRisk struct {
	Cause  string       `json:"cause"`
	Events float64      `json:"events"`
	Points []CausePoint `json:"points"` // one for each time at which a customer left for any reason
}

// A CausePoint is the curve of one reason from one time with events to the next.
type CausePoint struct {
	Time      float64 `json:"time"`
	AtRisk    float64 `json:"at_risk"`
	Events    float64 `json:"events"`    // for this reason, at Time
	Survival  float64 `json:"survival"`  // P(still there after Time), all reasons
	Incidence float64 `json:"incidence"` // P(left for this reason by Time)
	StdErr    float64 `json:"std_err"`   // of Incidence
	Lower     float64 `json:"lower"`     // of the confidence band
	Upper     float64 `json:"upper"`
	CumHazard float64 `json:"cum_hazard"` // cumulative cause-specific hazard, sum d_k/n
	HazardSE  float64 `json:"cum_hazard_std_err"`
}

// CumulativeIncidence returns the Aalen-Johansen estimate of the probability of having left for each reason,
//
//	F_k(t) = sum over t_i <= t of S(t_i-) d_ki/n_i
//
// with S the Kaplan-Meier estimate of all reasons together, so that S + sum of F_k is 1. The reasons are those of the
// tenures that ended; an empty one is [UnknownReason]. Customers who leave at one time for different reasons are counted
// together, without any order among them. The variance is that of the delta method,
//
//	sum (F_k(t) - F_k(t_i))² d/(n (n-d)) + S(t_i-)² d_k (n-d_k)/n³ - 2 (F_k(t) - F_k(t_i)) S(t_i-) d_k/n²
//
// which without entries is also the infinitesimal jackknife. The band has the scale of the options with F in place of S.
//
// CumulativeIncidence returns the errors of [KaplanMeier] for the tenures, and one that wraps [ErrNoEvents] if nobody
// left.
//
// Aalen and Johansen, Scandinavian Journal of Statistics 5 (1978); Marubini and Valsecchi (Wiley, 1995)
// give the variance.
func CumulativeIncidence(tenures []ledger.Tenure, o *CurveOptions) (*Incidence, error) {
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	if s.events() == 0 {
		return nil, fmt.Errorf("survival: cumulative incidence: %w", ErrNoEvents)
	}
	causes, names := causesOf(tenures)
	return s.incidence(nil, causes, names, band, level), nil
}

// CumulativeIncidenceBy returns one [CumulativeIncidence] a group, in the order of the groups' names. All have the reasons
// of all tenures. Errors are as there.
func CumulativeIncidenceBy(tenures []ledger.Tenure, by By, o *CurveOptions) ([]*Incidence, error) {
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	if s.events() == 0 {
		return nil, fmt.Errorf("survival: cumulative incidence: %w", ErrNoEvents)
	}
	causes, reasons := causesOf(tenures)
	index, names := groups(tenures, by)
	rows := make([][]int32, len(names))
	for i, g := range index {
		rows[g] = append(rows[g], int32(i))
	}
	out := make([]*Incidence, len(names))
	for g, name := range names {
		out[g] = s.incidence(rows[g], causes, reasons, band, level)
		out[g].Group = name
	}
	return out, nil
}

// incidence estimates the curves of some rows, nil meaning all.
func (s *sample) incidence(rows []int32, causes []int32, reasons []string, band Band, level float64) *Incidence {
	points, _ := tally(s, rows)
	inc := &Incidence{Band: band, Level: level}
	for i := range points {
		inc.Customers += points[i].Events + points[i].Censored
	}
	died := s.byCause(points, rows, causes, len(reasons))
	for k, reason := range reasons {
		risk := causeRisk(points, died, k, len(reasons), band, stat.TwoSided(level))
		risk.Cause = reason
		inc.Causes = append(inc.Causes, risk)
	}
	return inc
}

// causesOf numbers the reasons of the tenures that ended; the others have -1.
func causesOf(tenures []ledger.Tenure) (causes []int32, names []string) {
	index := make(map[string]int32)
	for i := range tenures {
		if tenures[i].Ended {
			index[causeOf(&tenures[i])] = 0
		}
	}
	names = slices.Sorted(maps.Keys(index))
	for k, name := range names {
		index[name] = int32(k)
	}
	causes = make([]int32, len(tenures))
	for i := range tenures {
		causes[i] = -1
		if tenures[i].Ended {
			causes[i] = index[causeOf(&tenures[i])]
		}
	}
	return causes, names
}

func causeOf(t *ledger.Tenure) string {
	if t.Reason == "" {
		return UnknownReason
	}
	return t.Reason
}

// byCause sums the weights of those who left at each point for each reason.
func (s *sample) byCause(points []Point, rows, causes []int32, k int) []float64 {
	died := make([]float64, len(points)*k)
	at := 0
	for _, r := range s.ordered(s.time, rows) {
		for points[at].Time < s.time[r.Row] {
			at++
		}
		if c := causes[r.Row]; c >= 0 {
			died[at*k+int(c)] += s.weightOf(int(r.Row))
		}
	}
	return died
}

// causeRisk sums the estimate of reason k and its variance. The sums over earlier times of the distance F(t) - F(t_i) grow
// by the step of F, so that no two terms of the first part cancel.
func causeRisk(points []Point, died []float64, k, causes int, band Band, z float64) CauseRisk {
	times := 0
	for i := range points {
		times += b2i(points[i].Events > 0)
	}
	risk := CauseRisk{Points: make([]CausePoint, 0, times)}
	survival, incidence, hazard, hazardVar := 1.0, 0.0, 0.0, 0.0
	greenwood, once, twice := 0.0, 0.0, 0.0 // sums of a, a (F-F_i) and a (F-F_i)² with a = d/(n(n-d))
	own, cross, crossStep := 0.0, 0.0, 0.0  // the second part, the third one, and the sum of S d_k/n²
	for i := range points {
		q := &points[i]
		if q.Events == 0 {
			continue
		}
		n, dk := q.AtRisk, died[i*causes+k]
		step := survival * dk / n
		twice += step * (2*once + step*greenwood)
		once += step * greenwood
		cross += step * crossStep
		incidence += step
		if q.Events < n {
			greenwood += q.Events / (n * (n - q.Events))
		}
		own += survival * survival * dk * (n - dk) / (n * n * n)
		crossStep += survival * dk / (n * n)
		survival *= (n - q.Events) / n
		hazard += dk / n
		hazardVar += dk / (n * n)
		risk.Events += dk
		p := CausePoint{Time: q.Time, AtRisk: n, Events: dk, Survival: survival, Incidence: incidence, CumHazard: hazard,
			HazardSE: math.Sqrt(hazardVar), StdErr: math.Sqrt(math.Max(0, twice+own-2*cross))}
		if incidence > 0 {
			p.Lower, p.Upper = band.limits(math.Min(1, incidence), p.StdErr/incidence, z)
		}
		risk.Points = append(risk.Points, p)
	}
	return risk
}

// Cause returns the curve of a reason, nil if nobody left for it.
func (inc *Incidence) Cause(reason string) *CauseRisk {
	for k := range inc.Causes {
		if inc.Causes[k].Cause == reason {
			return &inc.Causes[k]
		}
	}
	return nil
}

// At returns the point that holds at time t; before the first one, the point at time 0 at which nobody has left.
func (c *CauseRisk) At(t float64) CausePoint {
	i := sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Time > t }) - 1
	switch {
	case math.IsNaN(t):
		nan := math.NaN()
		return CausePoint{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	case i < 0:
		return CausePoint{Survival: 1}
	}
	return c.Points[i]
}

// Incidence returns the probability of having left for this reason by time t. It is NaN for NaN and the last value after
// the last event.
func (c *CauseRisk) Incidence(t float64) float64 { return c.At(t).Incidence }

// String returns survival and incidences at the times at which customers left.
func (inc *Incidence) String() string {
	t := table.New("time", "at_risk", "survival")
	for _, c := range inc.Causes {
		t.Header = append(t.Header, c.Cause, c.Cause+" std_err")
	}
	for i, p := range inc.Causes[0].Points {
		row := []any{p.Time, p.AtRisk, p.Survival}
		for _, c := range inc.Causes {
			row = append(row, c.Points[i].Incidence, c.Points[i].StdErr)
		}
		t.Add(row...)
	}
	return t.String()
}

// WriteCSV writes one line a reason and time with a header.
func (inc *Incidence) WriteCSV(w io.Writer) error {
	t := table.New("cause", "time", "at_risk", "events", "survival", "incidence", "std_err", "lower", "upper",
		"cum_hazard", "cum_hazard_std_err")
	for _, c := range inc.Causes {
		for _, p := range c.Points {
			t.Add(c.Cause, p.Time, p.AtRisk, p.Events, p.Survival, p.Incidence, p.StdErr, p.Lower, p.Upper, p.CumHazard, p.HazardSE)
		}
	}
	return t.WriteCSV(w)
}

var errEntries = errors.New("entries are not supported here")

// noEntries returns a RowError for the first tenure with an entry.
func (s *sample) noEntries() error {
	if s.entry == nil {
		return nil
	}
	i := slices.IndexFunc(s.entry, func(x float64) bool { return x != 0 })
	return rowError(i, "Entry", formatFloat(s.entry[i]), errEntries)
}
