package risk

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// A Forecast is probabilities of leaving and who left: what every measure of how far probabilities can be believed is
// computed from. Where they are used as a ranking alone, see [Ranking]. It is immutable and safe for concurrent use.
type Forecast struct {
	groups *Ranking // by distinct probability; here nobody or everybody may have left
}

// NewForecast sorts the customers. Weights count customers; nil means 1 each.
//
// It returns an error if the lengths differ, a [ledger.RowError] for a probability outside [0, 1] and a weight that is not
// above 0, and one that wraps [ledger.ErrUndefined] if there are no customers.
func NewForecast(probabilities []float64, left []bool, weights []float64) (*Forecast, error) {
	for i, p := range probabilities {
		if !(p >= 0 && p <= 1) {
			return nil, rowError(i, "probability", formatFloat(p), errProbability)
		}
	}
	r, err := newRanking(probabilities, left, weights)
	if err != nil {
		return nil, err
	}
	if len(r.score) == 0 {
		return nil, fmt.Errorf("risk: forecast: no customers: %w", ledger.ErrUndefined)
	}
	return &Forecast{r}, nil
}

// Ranking returns the customers in the order of their probabilities, with the errors of [NewRanking].
func (f *Forecast) Ranking() (*Ranking, error) {
	if f.groups.leavers == 0 || f.groups.stayers == 0 {
		return nil, fmt.Errorf("risk: ranking: %w: %w", oneOutcome(f.groups.leavers == 0), ledger.ErrUndefined)
	}
	return f.groups, nil
}

// LogLoss returns the mean of minus the logarithm of the probability that was given to what happened:
//
//	-mean( ln p where the customer left, ln(1-p) where not )
//
// It is [Forecast.LogLoss] for one call, with the errors of [NewForecast].
func LogLoss(probabilities []float64, left []bool) (float64, error) {
	f, err := NewForecast(probabilities, left, nil)
	if err != nil {
		return 0, err
	}
	return f.LogLoss(), nil
}

// LogLoss returns the logarithmic loss; [LogLoss] has the formula. Special case: +Inf where something happened that had
// the probability 0; nothing is clipped.
func (f *Forecast) LogLoss() float64 {
	r, sum := f.groups, 0.0
	for g, p := range r.score {
		if r.left[g] > 0 {
			sum -= r.left[g] * math.Log(p)
		}
		if r.stayed[g] > 0 {
			sum -= r.stayed[g] * math.Log1p(-p)
		}
	}
	return sum / (r.leavers + r.stayers)
}

// BrierScore is the mean squared error of probabilities with its decomposition:
//
//	Value = Reliability - Resolution + Uncertainty + WithinVariance - WithinCovariance
//
// The last two are 0 where customers are grouped by equal probabilities.
type BrierScore struct {
	Value            float64 `json:"value"`             // mean of (probability - [left])²; 0 is perfect
	Reliability      float64 `json:"reliability"`       // mean squared distance of probability and share who left, by group; 0 is perfect
	Resolution       float64 `json:"resolution"`        // how far the shares of the groups are from the share of all; more is better
	Uncertainty      float64 `json:"uncertainty"`       // r (1 - r) for the share r of all who left: the score of always saying r
	WithinVariance   float64 `json:"within_variance"`   // spread of the probabilities in a group
	WithinCovariance float64 `json:"within_covariance"` // twice the covariance of probability and outcome in a group
	Skill            float64 `json:"skill"`             // 1 - Value/Uncertainty: 1 is perfect, 0 no better than the share of all; NaN if nobody or everybody left
	Groups           int     `json:"groups"`
}

// MarshalJSON writes the score; an undefined skill is null.
func (b BrierScore) MarshalJSON() ([]byte, error) {
	type plain BrierScore
	return table.Marshal(plain(b))
}

// Brier returns the mean squared error of the probabilities. It is the value of [Forecast.Brier] for one call, with the
// errors of [NewForecast].
func Brier(probabilities []float64, left []bool) (float64, error) {
	f, err := NewForecast(probabilities, left, nil)
	if err != nil {
		return 0, err
	}
	b, err := f.Brier(nil)
	return b.Value, err
}

// Brier returns the score with its decomposition by groups of customers: nil bins make a group of each distinct
// probability (Murphy, Journal of Applied Meteorology 12, 1973), which tells little where nearly all differ; bins group
// them and account for what they hide (Stephenson, Coelho and Jolliffe, Weather and Forecasting 23, 2008). It returns the
// errors of the bins.
func (f *Forecast) Brier(bins *Bins) (BrierScore, error) {
	r := f.groups
	groups, err := bins.of(r, true)
	if err != nil {
		return BrierScore{}, err
	}
	n := r.leavers + r.stayers
	base := r.leavers / n
	b := BrierScore{Uncertainty: base * (r.stayers / n), Groups: len(groups), Skill: math.NaN()}
	for _, c := range groups {
		b.Reliability += c.n / n * (c.mean - c.rate) * (c.mean - c.rate)
		b.Resolution += c.n / n * (c.rate - base) * (c.rate - base)
		for g := c.from; g < c.to; g++ {
			p, w := r.score[g], r.left[g]+r.stayed[g]
			b.Value += (r.left[g]*(1-p)*(1-p) + r.stayed[g]*p*p) / n
			b.WithinVariance += w / n * (p - c.mean) * (p - c.mean)
			b.WithinCovariance += 2 * (p - c.mean) * (r.left[g] - w*c.rate) / n
		}
	}
	if b.Uncertainty > 0 {
		b.Skill = 1 - b.Value/b.Uncertainty
	}
	return b, nil
}

// Bins say how customers are grouped by their probabilities. The zero value, and nil where a function does not say
// otherwise, are ten groups of equal numbers.
type Bins struct {
	Count int  // 0 means 10
	Width bool // bins of equal width from 0 to 1, closed on the right except that the first has 0; else of equal numbers of customers
}

// A bin is the steps from ... to-1 of a ranking.
type bin struct {
	from, to            int
	n, left, mean, rate float64
}

// of returns the bins that have customers, lowest probability last. Equal probabilities are never parted: with equal numbers
// they go where the middle of them belongs, and
// from the border of two bins to the higher one.
func (b *Bins) of(r *Ranking, each bool) ([]bin, error) {
	key := func(g int, _ float64) int { return g }
	if b != nil || !each {
		var o Bins
		if b != nil {
			o = *b
		}
		if o.Count == 0 {
			o.Count = 10
		}
		if o.Count < 0 || o.Count > 1<<20 {
			return nil, fmt.Errorf("risk: %d bins", o.Count)
		}
		count := float64(o.Count)
		if o.Width {
			key = func(g int, _ float64) int { return max(1, int(math.Ceil(r.score[g]*count-1e-12*count))) }
		} else {
			all := r.leavers + r.stayers
			key = func(_ int, middle float64) int { return int(math.Floor((all - middle) * count / all)) }
		}
	}
	var bins []bin
	before, last := 0.0, 0
	for g := range r.score {
		w := r.left[g] + r.stayed[g]
		k := key(g, before+w/2)
		if g == 0 || k != last {
			bins = append(bins, bin{from: g})
		}
		c := &bins[len(bins)-1]
		c.to, last = g+1, k
		c.n, c.left = c.n+w, c.left+r.left[g]
		c.mean += w * r.score[g]
		before += w
	}
	for i := range bins {
		c := &bins[i]
		c.mean, c.rate = c.mean/c.n, c.left/c.n
		if c.to == c.from+1 {
			c.mean = r.score[c.from]
		}
	}
	return bins, nil
}

// A CalibrationRow compares the probabilities of a group of customers with what they did.
type CalibrationRow struct {
	Low           float64 `json:"low"`  // lowest probability in the group
	High          float64 `json:"high"` // highest
	Customers     float64 `json:"customers"`
	Left          float64 `json:"left"`
	Predicted     float64 `json:"predicted"`      // mean probability
	Observed      float64 `json:"observed"`       // Left / Customers
	ObservedLower float64 `json:"observed_lower"` // Wilson's 95 % interval
	ObservedUpper float64 `json:"observed_upper"`
}

// A Calibration says how far probabilities agree with what happened.
type Calibration struct {
	Predicted float64 `json:"predicted"` // mean probability of all
	Observed  float64 `json:"observed"`  // share of all who left
	// Intercept is calibration in the large on the scale of log-odds: what must be added to all log-odds for the mean
	// probability to be right. 0 is perfect, below 0 the probabilities are too high.
	Intercept float64 `json:"intercept"`
	// Slope is the coefficient of the log-odds in a logistic regression of who left: 1 is perfect, below 1 the
	// probabilities are too extreme. Intercept and Slope are NaN where a probability is 0 or 1 and where the regressions
	// have no estimate.
	Slope         float64          `json:"slope"`
	ExpectedError float64          `json:"expected_error"` // mean over customers of the distance of Predicted and Observed of their row
	MaximumError  float64          `json:"maximum_error"`  // the largest such distance
	Rows          []CalibrationRow `json:"rows"`           // lowest probabilities first
}

// Calibration compares the probabilities with what happened, by groups; nil bins are ten of equal numbers. It returns the
// errors of the bins and of ctx.
//
// Intercept and slope: D. R. Cox, Biometrika 45 (1958); Steyerberg, Clinical Prediction Models (2009), chapter 15.
func (f *Forecast) Calibration(ctx context.Context, bins *Bins) (*Calibration, error) {
	r := f.groups
	groups, err := bins.of(r, false)
	if err != nil {
		return nil, err
	}
	n := r.leavers + r.stayers
	c := &Calibration{Observed: r.leavers / n}
	for i := len(groups) - 1; i >= 0; i-- {
		g := groups[i]
		row := CalibrationRow{Low: r.score[g.to-1], High: r.score[g.from], Customers: g.n, Left: g.left, Predicted: g.mean, Observed: g.rate}
		row.ObservedLower, row.ObservedUpper = stat.Wilson(g.left, g.n, 0.95)
		c.Predicted += g.n / n * g.mean
		c.ExpectedError += g.n / n * math.Abs(g.mean-g.rate)
		c.MaximumError = max(c.MaximumError, math.Abs(g.mean-g.rate))
		c.Rows = append(c.Rows, row)
	}
	c.Intercept, err = f.recalibrate(ctx, false)
	if err == nil {
		c.Slope, err = f.recalibrate(ctx, true)
	}
	return c, err
}

// recalibrate returns the intercept of a logistic regression with the log-odds as offset, or their slope.
func (f *Forecast) recalibrate(ctx context.Context, slope bool) (float64, error) {
	r := f.groups
	if r.leavers == 0 || r.stayers == 0 || r.score[0] == 1 || r.score[len(r.score)-1] == 0 {
		return math.NaN(), nil
	}
	b := &binomial{rows: len(r.score), w1: r.left, w0: r.stayed, left: r.leavers, stayed: r.stayers, least: 1}
	for g := range r.score {
		b.least = min(b.least, r.left[g]+r.stayed[g])
	}
	odds := make([]float64, len(r.score))
	for g, p := range r.score {
		odds[g] = logit(p)
	}
	n := &newton{lik: b, names: []string{"Intercept"}, free: 1, maxIter: 100, least: b.least, mean: (b.left + b.stayed) / float64(b.rows)}
	start := []float64{0}
	if slope {
		d, err := NewDesign(Numeric("log-odds", odds))
		if err != nil {
			return math.NaN(), nil
		}
		b.p, b.x = 1, odds
		if b.standardize(d) != nil || b.separated(d) != nil {
			return math.NaN(), nil
		}
		n.names = append(n.names, "log-odds")
		start = []float64{logit(r.leavers / (r.leavers + r.stayers)), 0}
	} else {
		b.offset = odds
	}
	if err := n.run(ctx, start); err != nil {
		if ctx.Err() != nil {
			return 0, err
		}
		return math.NaN(), nil
	}
	if slope {
		return n.b[1] / b.scale[0], nil
	}
	return n.b[0], nil
}

// MarshalJSON writes the calibration; what is undefined is null.
func (c Calibration) MarshalJSON() ([]byte, error) {
	type plain Calibration
	return table.Marshal(plain(c))
}

func (c *Calibration) table() *table.Table {
	t := table.New("low", "high", "customers", "left", "predicted", "observed", "observed_lower", "observed_upper")
	for _, r := range c.Rows {
		t.Add(r.Low, r.High, r.Customers, r.Left, r.Predicted, r.Observed, r.ObservedLower, r.ObservedUpper)
	}
	return t
}

// String returns an aligned table of the rows.
func (c *Calibration) String() string { return c.table().String() }

// WriteCSV writes the rows with a header.
func (c *Calibration) WriteCSV(w io.Writer) error { return c.table().WriteCSV(w) }

// A HosmerLemeshow is the test of Hosmer and Lemeshow that the probabilities are right.
type HosmerLemeshow struct {
	Statistic float64 `json:"statistic"`
	DF        int     `json:"df"`
	P         float64 `json:"p"` // P(chi-squared with DF degrees > Statistic); small means that they are not
	Groups    int     `json:"groups"`
}

// HosmerLemeshow returns the test by groups; nil bins are ten of equal numbers:
//
//	statistic = sum over groups of (left - n p)² / (n p (1 - p))     p: mean probability
//
// Fitted tells that the probabilities were fitted to these same customers, which takes two degrees of freedom from the
// number of groups; for other customers all are left. With many customers the test rejects probabilities that are good
// enough for any use; see the table of [Forecast.Calibration].
//
// It returns the errors of the bins, and one that wraps [ledger.ErrUndefined] if there are too few groups or if all
// probabilities of a group are 0 or 1.
//
// D. Hosmer and S. Lemeshow, Communications in Statistics A9 (1980).
func (f *Forecast) HosmerLemeshow(bins *Bins, fitted bool) (HosmerLemeshow, error) {
	groups, err := bins.of(f.groups, false)
	if err != nil {
		return HosmerLemeshow{}, err
	}
	h := HosmerLemeshow{Groups: len(groups), DF: len(groups) - 2*b2i(fitted)}
	if h.DF < 1 {
		return HosmerLemeshow{}, fmt.Errorf("risk: hosmer-lemeshow: %d groups: %w", len(groups), ledger.ErrUndefined)
	}
	for _, g := range groups {
		if g.mean <= 0 || g.mean >= 1 {
			return HosmerLemeshow{}, fmt.Errorf("risk: hosmer-lemeshow: a group of probability %v: %w", g.mean, ledger.ErrUndefined)
		}
		d := g.left - g.n*g.mean
		h.Statistic += d * d / (g.n * g.mean * (1 - g.mean))
	}
	h.P = chiSquaredP(h.Statistic, h.DF)
	return h, nil
}
