package survival

import (
	"fmt"
	"math"
	"sort"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// A Band is the scale on which the confidence band of a survival curve is symmetric. With the curve's standard error
// se = S sigma and the normal quantile z, the bands are
//
//	LogBand      S exp(-+ z sigma)            cut at 1
//	PlainBand    S -+ z se                    cut at 0 and 1
//	LogLogBand   S^exp(+- z sigma/|ln S|)     always inside (0, 1)
//
// Packages differ in their default: LogBand is that of R's survival, LogLogBand that of Python's lifelines.
type Band uint8

// The bands.
const (
	LogBand Band = iota
	PlainBand
	LogLogBand
)

var bandNames = []string{"log", "plain", "log-log"}

// String returns "log", "plain" or "log-log".
func (b Band) String() string { return table.Name(bandNames, int(b)) }

// MarshalText writes the name of the band.
func (b Band) MarshalText() ([]byte, error) {
	return table.MarshalName("survival: no band", bandNames, int(b))
}

// UnmarshalText reads the name of a band.
func (b *Band) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("survival: no band", bandNames, text)
	*b = Band(i)
	return err
}

// CurveOptions control the estimate of a curve. The zero value, and a nil pointer, are the defaults.
type CurveOptions struct {
	Band  Band    // the scale of the confidence band; zero is LogBand
	Level float64 // of the band, pointwise; 0 means 0.95
}

func (o *CurveOptions) resolve() (Band, float64, error) {
	if o == nil {
		return LogBand, 0.95, nil
	}
	level, err := resolveLevel(o.Level)
	if err != nil {
		return 0, 0, err
	}
	if int(o.Band) >= len(bandNames) {
		return 0, 0, fmt.Errorf("survival: option Band: no band %d", o.Band)
	}
	return o.Band, level, nil
}

func resolveLevel(level float64) (float64, error) {
	if level == 0 {
		return 0.95, nil
	}
	if !(level > 0 && level < 1) {
		return 0, fmt.Errorf("survival: option Level: %v is not between 0 and 1", level)
	}
	return level, nil
}

// A Point is a survival curve from one observed time to the next. Counts are sums of weights.
type Point struct {
	Time            float64 `json:"time"`               // a time at which a customer left or was last seen
	AtRisk          float64 `json:"at_risk"`            // customers with entry < Time <= duration
	Events          float64 `json:"events"`             // those of them who left at Time
	Censored        float64 `json:"censored"`           // those last seen at Time, counted as at risk in it
	Survival        float64 `json:"survival"`           // P(still there after Time)
	StdErr          float64 `json:"std_err"`            // of Survival; NaN where Survival is 0
	Lower           float64 `json:"lower"`              // of the confidence band; NaN where Survival is 0
	Upper           float64 `json:"upper"`              // of the confidence band; NaN where Survival is 0
	CumHazard       float64 `json:"cum_hazard"`         // cumulative hazard in [0, Time]
	CumHazardStdErr float64 `json:"cum_hazard_std_err"` // of CumHazard
}

// A Curve is a nonparametric survival curve, a step function that falls at the times at which customers left. It is
// made by [KaplanMeier], [NelsonAalen] or [FlemingHarrington] and not to be modified.
type Curve struct {
	Method    string  `json:"method"` // "kaplan-meier", "nelson-aalen" or "fleming-harrington"
	Group     string  `json:"group"`  // the group of the customers, empty for all of them
	Band      Band    `json:"band"`
	Level     float64 `json:"level"`
	Customers float64 `json:"customers"` // sum of the weights of the tenures
	Events    float64 `json:"events"`    // sum of the weights of those that ended
	Points    []Point `json:"points"`    // one for each distinct duration, in ascending order
}

// method is an estimator of the curve.
type method uint8

const (
	productLimit method = iota
	nelsonAalen
	flemingHarrington
)

var methodNames = []string{"kaplan-meier", "nelson-aalen", "fleming-harrington"}

// KaplanMeier returns the product-limit estimate of the survival curve,
//
//	S(t) = product over t_i <= t of (1 - d_i/n_i)
//
// with d_i customers leaving at t_i of the n_i at risk, those with entry < t_i <= duration: a customer last seen at t_i
// is still at risk in it. Its standard error is Greenwood's,
//
//	se² = S² sum d/(n (n-d))
//
// CumHazard is the Nelson-Aalen estimate sum d/n with variance sum d/n². Weights count customers: a tenure of weight 3 is
// three tenures.
//
// Where entries are late, the first risk sets may be so small that everyone in one leaves: the curve is 0 from there on,
// whoever enters later. Then estimate survival given that a customer has reached an age, from the tenures of at least that
// duration.
//
// KaplanMeier returns an error if there are no tenures and a [ledger.RowError] for a duration, entry or weight that is
// negative or not a finite number and for an entry that is not before its duration. Tenures without any event give the
// curve that stays at 1.
//
// Kaplan and Meier, Journal of the American Statistical Association 53 (1958).
func KaplanMeier(tenures []ledger.Tenure, o *CurveOptions) (*Curve, error) {
	return newCurve(tenures, productLimit, o)
}

// NelsonAalen returns the survival curve S(t) = exp(-H(t)) of the Nelson-Aalen cumulative hazard
//
//	H(t) = sum over t_i <= t of d_i/n_i,  variance sum d_i/n_i²
//
// also known as the Breslow estimate of survival. It lies above [KaplanMeier] and never reaches 0. Errors are as there.
//
// Aalen, Annals of Statistics 6 (1978); Nelson, Technometrics 14 (1972).
func NelsonAalen(tenures []ledger.Tenure, o *CurveOptions) (*Curve, error) {
	return newCurve(tenures, nelsonAalen, o)
}

// FlemingHarrington returns the survival curve S(t) = exp(-H(t)) of a cumulative hazard that treats the d customers who
// left at one time as leaving one after the other:
//
//	H(t) = sum over t_i <= t of sum_{k<d_i} 1/(n_i - k),  variance the sum of 1/(n_i - k)²
//
// Without ties it is [NelsonAalen]. Tied tenures of total weight w leave in as many steps of equal weight as there are
// tenures. Errors are as in [KaplanMeier].
//
// Fleming and Harrington, Communications in Statistics 13 (1984).
func FlemingHarrington(tenures []ledger.Tenure, o *CurveOptions) (*Curve, error) {
	return newCurve(tenures, flemingHarrington, o)
}

// KaplanMeierBy returns one [KaplanMeier] curve a group, in the order of the groups' names. Errors are as there.
func KaplanMeierBy(tenures []ledger.Tenure, by By, o *CurveOptions) (Curves, error) {
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	index, names := groups(tenures, by)
	rows := make([][]int32, len(names))
	for i, g := range index {
		rows[g] = append(rows[g], int32(i))
	}
	curves := make(Curves, len(names))
	for g, name := range names {
		c := curveOf(s, rows[g], productLimit, band, level)
		c.Group, curves[g] = name, c
	}
	return curves, nil
}

func newCurve(tenures []ledger.Tenure, m method, o *CurveOptions) (*Curve, error) {
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	return curveOf(s, nil, m, band, level), nil
}

// curveOf estimates the curve of some rows of a sample, nil meaning all.
func curveOf(s *sample, subset []int32, m method, band Band, level float64) *Curve {
	points, counts := tally(s, subset)
	c := &Curve{Method: methodNames[m], Band: band, Level: level, Points: points}
	z := stat.TwoSided(level)
	survival, greenwood, hazard, hazardVar := 1.0, 0.0, 0.0, 0.0
	for i := range points {
		p := &points[i]
		c.Customers += p.Events + p.Censored
		c.Events += p.Events
		if i > 0 && p.Events == 0 {
			q := &points[i-1]
			p.Survival, p.StdErr, p.Lower, p.Upper = q.Survival, q.StdErr, q.Lower, q.Upper
			p.CumHazard, p.CumHazardStdErr = q.CumHazard, q.CumHazardStdErr
			continue
		}
		if p.Events > 0 {
			dh, dv := hazardStep(p.Events, p.AtRisk, counts[i], m)
			hazard += dh
			hazardVar += dv
			if m == productLimit {
				survival *= (p.AtRisk - p.Events) / p.AtRisk
				greenwood += p.Events / (p.AtRisk * (p.AtRisk - p.Events))
			} else {
				survival, greenwood = math.Exp(-hazard), hazardVar
			}
		}
		sigma := math.Sqrt(greenwood)
		p.Survival, p.StdErr = survival, survival*sigma
		p.Lower, p.Upper = band.limits(survival, sigma, z)
		p.CumHazard, p.CumHazardStdErr = hazard, math.Sqrt(hazardVar)
	}
	return c
}

// hazardStep returns the step of the cumulative hazard and of its variance where d of n leave in count tenures.
func hazardStep(d, n float64, count int32, m method) (step, variance float64) {
	if m != flemingHarrington || count == 1 {
		return d / n, d / (n * n)
	}
	unit := d / float64(count)
	for k := range count {
		left := n - float64(k)*unit
		step += unit / left
		variance += unit / (left * left)
	}
	return step, variance
}

// limits returns the confidence limits of a survival probability whose logarithm has standard error sigma.
func (b Band) limits(s, sigma, z float64) (lower, upper float64) {
	switch {
	case s == 0:
		return math.NaN(), math.NaN()
	case s == 1:
		return 1, 1
	case b == PlainBand:
		return math.Max(0, s-z*s*sigma), math.Min(1, s+z*s*sigma)
	case b == LogLogBand:
		l := math.Log(s)
		e := math.Exp(-z * sigma / l)
		return math.Exp(l * e), math.Exp(l / e)
	default:
		e := math.Exp(z * sigma)
		return s / e, math.Min(1, s*e)
	}
}

// tally counts, at each distinct time of the rows, who left, who was last seen and who was at risk; counts are the
// numbers of tenures that ended.
func tally(s *sample, subset []int32) (points []Point, counts []int32) {
	rows := s.ordered(s.time, subset)
	distinct := 0
	for i := range rows {
		if i == 0 || rows[i].Key != rows[i-1].Key {
			distinct++
		}
	}
	points, counts = make([]Point, distinct), make([]int32, distinct)
	at := -1
	for i, r := range rows {
		if i == 0 || r.Key != rows[i-1].Key {
			at++
			points[at].Time = s.time[r.Row]
		}
		if w := s.weightOf(int(r.Row)); s.event[r.Row] {
			points[at].Events += w
			counts[at]++
		} else {
			points[at].Censored += w
		}
	}
	s.countAtRisk(points, subset)
	return points, counts
}

// countAtRisk sums from the last time to the first, so that small risk sets are sums of few weights.
func (s *sample) countAtRisk(points []Point, subset []int32) {
	var waiting []radix.Keyed
	if s.entry != nil {
		waiting = s.ordered(s.entry, subset)
	}
	leaving, outside := 0.0, 0.0
	for i := len(points) - 1; i >= 0; i-- {
		p := &points[i]
		leaving += p.Events + p.Censored
		for len(waiting) > 0 {
			last := int(waiting[len(waiting)-1].Row)
			if s.enters(last) < p.Time {
				break
			}
			outside += s.weightOf(last)
			waiting = waiting[:len(waiting)-1]
		}
		p.AtRisk = leaving - outside
	}
}

// ordered returns the rows of the subset, nil meaning all, in ascending order of value. Equal values are in the order of
// their weights, so that sums of weights come to the same bits for any order of the rows.
func (s *sample) ordered(values []float64, subset []int32) []radix.Keyed {
	if subset == nil && s.weight == nil {
		return radix.Order(values)
	}
	n := len(subset)
	if subset == nil {
		n = len(values)
	}
	rows := make([]radix.Keyed, n)
	for i := range rows {
		rows[i].Row = int32(i)
		if subset != nil {
			rows[i].Row = subset[i]
		}
	}
	if s.weight != nil {
		rows = resort(rows, s.weight)
	}
	return resort(rows, values)
}

// resort sorts the rows by value and keeps the order of those with equal ones.
func resort(rows []radix.Keyed, values []float64) []radix.Keyed {
	for i := range rows {
		rows[i].Key = radix.Key(values[rows[i].Row])
	}
	return radix.Sort(rows)
}

// at returns the index of the last point at or before t, -1 before the first.
func (c *Curve) at(t float64) int {
	return sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Time > t }) - 1
}

// At returns the point of the curve that holds at time t: the last one at or before t. Before the first one it is the
// point at time 0 with a survival of 1. Special cases are those of [Curve.Survival].
func (c *Curve) At(t float64) Point {
	if math.IsNaN(t) {
		nan := math.NaN()
		return Point{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	}
	i := c.at(t)
	if i < 0 {
		return Point{AtRisk: c.AtRisk(t), Survival: 1, Lower: 1, Upper: 1}
	}
	return c.Points[i]
}

// Survival returns the estimate of P(tenure > t), right-continuous.
//
// Special cases are:
//
//	Survival(t) = 1 before the first observed time
//	Survival(t) = the last value after End: the data say nothing of what follows
//	Survival(NaN) = NaN
func (c *Curve) Survival(t float64) float64 {
	if math.IsNaN(t) {
		return t
	}
	if i := c.at(t); i >= 0 {
		return c.Points[i].Survival
	}
	return 1
}

// CumHazard returns the estimate of the cumulative hazard in [0, t], with the special cases of [Curve.Survival].
func (c *Curve) CumHazard(t float64) float64 { return c.At(t).CumHazard }

// AtRisk returns how many customers were under observation just before t: those with entry < t <= duration, at the
// next observed time if t is none. It is 0 after End and NaN for NaN.
func (c *Curve) AtRisk(t float64) float64 {
	if math.IsNaN(t) {
		return t
	}
	i := sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Time >= t })
	if i == len(c.Points) {
		return 0
	}
	return c.Points[i].AtRisk
}

// End returns the longest duration observed. What the curve says after it is the last value carried forward.
func (c *Curve) End() float64 {
	if len(c.Points) == 0 {
		return 0
	}
	return c.Points[len(c.Points)-1].Time
}

// A Quantile is a time by which a fraction P of the customers has left, with its confidence interval.
type Quantile struct {
	P     float64 `json:"p"`
	Time  float64 `json:"time"`  // NaN if the curve does not fall so far
	Lower float64 `json:"lower"` // NaN if the lower band does not fall so far
	Upper float64 `json:"upper"` // NaN if the upper band does not fall so far
}

// Quantile returns the smallest time at which the curve is at or below 1-p; the limits are those times of the lower and
// the upper confidence band. A limit that is not reached is NaN, as is everything for a p outside (0, 1).
//
// Where the curve is flat at exactly 1-p some programs, R's survival among them, return the middle of the flat stretch;
// the smallest time is the definition here.
func (c *Curve) Quantile(p float64) Quantile {
	q := Quantile{p, math.NaN(), math.NaN(), math.NaN()}
	if !(p > 0 && p < 1) {
		return q
	}
	q.Time = c.first(func(x *Point) float64 { return x.Survival }, 1-p)
	q.Lower = c.first(func(x *Point) float64 { return x.Lower }, 1-p)
	q.Upper = c.first(func(x *Point) float64 { return x.Upper }, 1-p)
	return q
}

// Median returns the Quantile of 0.5.
func (c *Curve) Median() Quantile { return c.Quantile(0.5) }

// first returns the first time at which a value of the points is at or below level. A product of fractions that is
// mathematically equal to level may exceed it by rounding, which the factor forgives.
func (c *Curve) first(value func(*Point) float64, level float64) float64 {
	level *= 1 + 1e-12
	for i := range c.Points {
		if value(&c.Points[i]) <= level {
			return c.Points[i].Time
		}
	}
	return math.NaN()
}

// Curves are the curves of several groups, in the order of the groups' names.
type Curves []*Curve

// Group returns the curve of the group, nil if there is none.
func (cs Curves) Group(name string) *Curve {
	for _, c := range cs {
		if c.Group == name {
			return c
		}
	}
	return nil
}
