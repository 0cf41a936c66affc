package risk

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// A Ranking is scored customers of whom it is known who left, in the order of their scores: what every measure of how well
// a score finds those who leave is computed from. A higher score means a higher risk; only the order matters. Customers of
// the same score are one step of the order, never broken apart by chance. It is immutable and safe for concurrent use.
type Ranking struct {
	score        []float64 // distinct, highest first
	left, stayed []float64 // weight of those of each score
	leavers      float64   // in all
	stayers      float64
}

// NewRanking sorts the customers. Weights count customers: one of weight 3 is three customers; nil means 1 each.
//
// It returns an error if the lengths differ, a [ledger.RowError] for a score that is not a finite number and a weight that
// is not above 0, and one that wraps [ledger.ErrUndefined] if nobody or everybody left.
func NewRanking(scores []float64, left []bool, weights []float64) (*Ranking, error) {
	r, err := newRanking(scores, left, weights)
	if err != nil {
		return nil, err
	}
	if r.leavers == 0 || r.stayers == 0 {
		return nil, fmt.Errorf("risk: ranking: %w: %w", oneOutcome(r.leavers == 0), ledger.ErrUndefined)
	}
	return r, nil
}

func newRanking(scores []float64, left []bool, weights []float64) (*Ranking, error) {
	if len(left) != len(scores) {
		return nil, fmt.Errorf("risk: %d scores for %d customers", len(scores), len(left))
	}
	if len(scores) > math.MaxInt32 {
		return nil, fmt.Errorf("risk: %d customers are more than %d", len(scores), math.MaxInt32)
	}
	if err := checkWeights(weights, len(scores)); err != nil {
		return nil, err
	}
	rows := make([]radix.Keyed, len(scores))
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, rowError(i, "score", formatFloat(s), errFinite)
		}
		rows[i] = radix.Keyed{Key: ^radix.Key(s), Row: int32(i)}
	}
	rows = radix.Sort(rows)
	if weights != nil {
		sortTies(rows, left, weights)
	}
	steps := 0
	for i := range rows {
		if i == 0 || rows[i].Key != rows[i-1].Key {
			steps++
		}
	}
	cells := make([]float64, 3*steps)
	r := &Ranking{score: cells[:steps:steps], left: cells[steps : 2*steps : 2*steps], stayed: cells[2*steps:]}
	at := -1
	for i, k := range rows {
		if i == 0 || k.Key != rows[i-1].Key {
			at++
			r.score[at] = scores[k.Row] + 0
		}
		w := 1.0
		if weights != nil {
			w = weights[k.Row]
		}
		if left[k.Row] {
			r.left[at] += w
		} else {
			r.stayed[at] += w
		}
	}
	for g := range r.score {
		r.leavers += r.left[g]
		r.stayers += r.stayed[g]
	}
	return r, nil
}

// sortTies orders the weights of equal scores, so that their sums do not depend on the order of the input.
func sortTies(rows []radix.Keyed, left []bool, weights []float64) {
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].Key == rows[i].Key {
			j++
		}
		if j-i > 1 {
			slices.SortFunc(rows[i:j], func(a, b radix.Keyed) int {
				return cmp.Or(b2i(left[a.Row])-b2i(left[b.Row]), cmp.Compare(weights[a.Row], weights[b.Row]))
			})
		}
		i = j
	}
}

// Customers returns the weight of all customers, and of those who left.
func (r *Ranking) Customers() (all, left float64) { return r.leavers + r.stayers, r.leavers }

// BaseRate returns the share of customers who left.
func (r *Ranking) BaseRate() float64 { return r.leavers / (r.leavers + r.stayers) }

// An Area is the area under the ROC curve with the standard error of DeLong, DeLong and Clarke-Pearson.
type Area struct {
	Value  float64 `json:"value"`   // P(score of one who left > score of one who stayed) + 1/2 P(equal)
	StdErr float64 `json:"std_err"` // NaN if only one customer left or stayed
}

// Interval returns the interval Value -+ z StdErr of the given level, cut at 0 and 1. Special case: where the ranking is
// perfect the standard error is 0, and so is the width. It returns an error for a level outside (0, 1) and where there is
// no standard error.
func (a Area) Interval(level float64) (lower, upper float64, err error) {
	z := stat.TwoSided(level)
	if math.IsNaN(z) {
		return 0, 0, fmt.Errorf("risk: level %v is not between 0 and 1", level)
	}
	if math.IsNaN(a.StdErr) {
		return 0, 0, errors.New("risk: area: no standard error from one customer who left or stayed")
	}
	return max(0, a.Value-z*a.StdErr), min(1, a.Value+z*a.StdErr), nil
}

// MarshalJSON writes the area; a missing standard error is null.
func (a Area) MarshalJSON() ([]byte, error) {
	type plain Area
	return table.Marshal(plain(a))
}

// AUC returns the area under the ROC curve of the scores: how often a customer who left had a higher score than one who
// stayed. It is [Ranking.AUC] for one call.
func AUC(scores []float64, left []bool) (Area, error) {
	r, err := NewRanking(scores, left, nil)
	if err != nil {
		return Area{}, err
	}
	return r.AUC(), nil
}

// AUC returns the area under the ROC curve, ties counting one half, exactly: it is the statistic of Mann and Whitney over
// the number of pairs. 0.5 is no better than chance.
//
// The standard error is that of E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44 (1988), in the fast form of X. Sun
// and W. Xu, IEEE Signal Processing Letters 21 (2014): with the share V1 of those who stayed that are below each customer
// who left, and V0 of those who left that are above each who stayed,
//
//	variance = var(V1)/(number who left) + var(V0)/(number who stayed)
func (r *Ranking) AUC() Area {
	pairs := 0.0 // twice the number of ordered pairs, ties counting 1
	above := 0.0
	for g := range r.score {
		pairs += r.stayed[g] * (2*above + r.left[g])
		above += r.left[g]
	}
	a := Area{Value: pairs / 2 / (r.leavers * r.stayers), StdErr: math.NaN()}
	if r.leavers <= 1 || r.stayers <= 1 {
		return a
	}
	var v1, v0, below float64
	above, below = 0, r.stayers
	for g := range r.score {
		below -= r.stayed[g]
		p1 := (below+r.stayed[g]/2)/r.stayers - a.Value
		p0 := (above+r.left[g]/2)/r.leavers - a.Value
		v1 += r.left[g] * p1 * p1
		v0 += r.stayed[g] * p0 * p0
		above += r.left[g]
	}
	a.StdErr = math.Sqrt(v1/(r.leavers-1)/r.leavers + v0/(r.stayers-1)/r.stayers)
	return a
}

// An AreaComparison is the test of DeLong, DeLong and Clarke-Pearson that two scores of the same customers have the same
// area under the ROC curve.
type AreaComparison struct {
	First      Area    `json:"first"`
	Second     Area    `json:"second"`
	Difference float64 `json:"difference"` // First - Second
	StdErr     float64 `json:"std_err"`    // of the difference
	Z          float64 `json:"z"`          // Difference / StdErr, 0 where both are 0
	P          float64 `json:"p"`          // two-sided
}

// CompareAUC compares two scores of the same customers, whose areas are not independent. It returns the errors of
// [NewRanking] for either score, and one that wraps [ledger.ErrUndefined] if only one customer left or stayed or if the
// difference of the areas has no variance.
func CompareAUC(first, second []float64, left []bool) (AreaComparison, error) {
	var c AreaComparison
	a, err := NewRanking(first, left, nil)
	if err != nil {
		return c, err
	}
	b, err := NewRanking(second, left, nil)
	if err != nil {
		return c, err
	}
	if a.leavers <= 1 || a.stayers <= 1 {
		return c, fmt.Errorf("risk: compare areas: one customer who left or stayed: %w", ledger.ErrUndefined)
	}
	c = AreaComparison{First: a.AUC(), Second: b.AUC()}
	va, vb := a.placements(first, left), b.placements(second, left)
	var gone, there []float64 // differences of the placements
	for i, l := range left {
		if l {
			gone = append(gone, va[i]-vb[i])
		} else {
			there = append(there, va[i]-vb[i])
		}
	}
	c.Difference = c.First.Value - c.Second.Value
	c.StdErr = math.Sqrt(variance(gone)/a.leavers + variance(there)/a.stayers)
	c.P = 1
	switch {
	case c.StdErr > 0:
		c.Z = c.Difference / c.StdErr
		c.P = math.Erfc(math.Abs(c.Z) / math.Sqrt2)
	case math.Abs(c.Difference) > 1e-12:
		return c, fmt.Errorf("risk: compare areas: their difference has no variance: %w", ledger.ErrUndefined)
	}
	return c, nil
}

// placements returns, for each customer, the share of those of the other kind that the score puts on the right side.
func (r *Ranking) placements(scores []float64, left []bool) []float64 {
	p1, p0 := make([]float64, len(r.score)), make([]float64, len(r.score))
	above, below := 0.0, r.stayers
	for g := range r.score {
		below -= r.stayed[g]
		p1[g], p0[g] = (below+r.stayed[g]/2)/r.stayers, (above+r.left[g]/2)/r.leavers
		above += r.left[g]
	}
	out := make([]float64, len(scores))
	for i, s := range scores {
		g, _ := slices.BinarySearchFunc(r.score, s, func(a, b float64) int { return cmp.Compare(b, a) })
		if out[i] = p0[g]; left[i] {
			out[i] = p1[g]
		}
	}
	return out
}

// variance returns the sample variance; it sorts the values, so that their order does not matter.
func variance(values []float64) float64 {
	slices.Sort(values)
	n := float64(len(values))
	var mean, sum float64
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum / (n - 1)
}

// A KolmogorovSmirnov is the largest distance between the distributions of the scores of those who left and of those who
// stayed.
type KolmogorovSmirnov struct {
	Value     float64 `json:"value"`
	Threshold float64 `json:"threshold"` // the score at or above which the shares differ most, the highest of several
}

// KS returns the statistic of Kolmogorov and Smirnov: the largest difference between the shares of those who left and of
// those who stayed that have at least some score, whichever is larger.
func (r *Ranking) KS() KolmogorovSmirnov {
	var best KolmogorovSmirnov
	best.Threshold = r.score[0]
	var l, s float64
	for g, score := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		// The difference over a common denominator is exact for whole weights.
		if d := math.Abs(l*r.stayers-s*r.leavers) / (r.leavers * r.stayers); d > best.Value {
			best = KolmogorovSmirnov{d, score}
		}
	}
	return best
}

// A Confusion counts what happens where all customers with at least some score are taken for leaving.
type Confusion struct {
	Threshold      float64 `json:"threshold"`
	TruePositives  float64 `json:"true_positives"`  // left, and taken for leaving
	FalsePositives float64 `json:"false_positives"` // stayed, but taken for leaving
	TrueNegatives  float64 `json:"true_negatives"`  // stayed, and taken for staying
	FalseNegatives float64 `json:"false_negatives"` // left, but taken for staying
}

// At returns the counts for a threshold.
func (r *Ranking) At(threshold float64) Confusion {
	c := Confusion{Threshold: threshold}
	for g, score := range r.score {
		if !(score >= threshold) {
			break
		}
		c.TruePositives += r.left[g]
		c.FalsePositives += r.stayed[g]
	}
	c.FalseNegatives, c.TrueNegatives = r.leavers-c.TruePositives, r.stayers-c.FalsePositives
	return c
}

// ratio returns a/b, NaN for b = 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

// Precision returns the share of those taken for leaving who left, NaN if there are none.
func (c Confusion) Precision() float64 {
	return ratio(c.TruePositives, c.TruePositives+c.FalsePositives)
}

// Recall returns the share of those who left that were taken for leaving, the sensitivity.
func (c Confusion) Recall() float64 { return ratio(c.TruePositives, c.TruePositives+c.FalseNegatives) }

// Specificity returns the share of those who stayed that were taken for staying.
func (c Confusion) Specificity() float64 {
	return ratio(c.TrueNegatives, c.TrueNegatives+c.FalsePositives)
}

// Accuracy returns the share of customers taken for what they did.
func (c Confusion) Accuracy() float64 {
	return ratio(c.TruePositives+c.TrueNegatives, c.TruePositives+c.TrueNegatives+c.FalsePositives+c.FalseNegatives)
}

// F1 returns the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).
func (c Confusion) F1() float64 {
	return ratio(2*c.TruePositives, 2*c.TruePositives+c.FalsePositives+c.FalseNegatives)
}

// Matthews returns the correlation of Matthews (1975) between what was predicted and what happened, NaN if all are taken
// for the same.
func (c Confusion) Matthews() float64 {
	tp, fp, tn, fn := c.TruePositives, c.FalsePositives, c.TrueNegatives, c.FalseNegatives
	return ratio(tp*tn-fp*fn, math.Sqrt(tp+fp)*math.Sqrt(tp+fn)*math.Sqrt(tn+fp)*math.Sqrt(tn+fn))
}

// A ROCPoint is what a threshold achieves.
type ROCPoint struct {
	Threshold     float64 `json:"threshold"`           // scores at or above it count as leaving; NaN for the point where none do
	FalsePositive float64 `json:"false_positive_rate"` // share of those who stayed that have such a score
	TruePositive  float64 `json:"true_positive_rate"`  // share of those who left that have such a score
	Targeted      float64 `json:"targeted"`            // share of all customers that have such a score
}

// ROCCurve is the points of a receiver operating characteristic, from nobody to everybody.
type ROCCurve []ROCPoint

// ROC returns the curve with one point a distinct score, and one before them for nobody.
func (r *Ranking) ROC() ROCCurve {
	points := make(ROCCurve, 1, len(r.score)+1)
	points[0].Threshold = math.NaN()
	var l, s float64
	for g, score := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		points = append(points, r.point(score, l, s))
	}
	return points
}

func (r *Ranking) point(score, left, stayed float64) ROCPoint {
	return ROCPoint{score, stayed / r.stayers, left / r.leavers, (left + stayed) / (r.leavers + r.stayers)}
}

// ConvexHull returns the points of the curve that are best for some costs: the upper hull from nobody to everybody.
func (r *Ranking) ConvexHull() ROCCurve {
	points := ROCCurve{{Threshold: math.NaN()}}
	for _, h := range r.hull()[1:] {
		points = append(points, r.point(r.score[h.step], h.left, h.stayed))
	}
	return points
}

// A hullPoint is a corner of the hull: the steps up to step, and the weights of those in them.
type hullPoint struct {
	step         int
	left, stayed float64
}

// hull returns the corners of the upper hull by a scan that drops every corner that is not above its neighbours' line.
// Cross products of whole weights are exact below 2^53.
func (r *Ranking) hull() []hullPoint {
	corners := []hullPoint{{step: -1}}
	var l, s float64
	for g := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		for n := len(corners); n > 1; n-- {
			a, b := corners[n-2], corners[n-1]
			if (b.left-a.left)*(s-b.stayed) > (l-b.left)*(b.stayed-a.stayed) {
				break
			}
			corners = corners[:n-1]
		}
		corners = append(corners, hullPoint{g, l, s})
	}
	return corners
}

func (c ROCCurve) table() *table.Table {
	t := table.New("threshold", "false_positive_rate", "true_positive_rate", "targeted")
	for _, p := range c {
		t.Add(p.Threshold, p.FalsePositive, p.TruePositive, p.Targeted)
	}
	return t
}

// MarshalJSON writes the points; the threshold for nobody is null.
func (c ROCCurve) MarshalJSON() ([]byte, error) { return table.Marshal([]ROCPoint(c)) }

// String returns an aligned table.
func (c ROCCurve) String() string { return c.table().String() }

// WriteCSV writes the table with a header.
func (c ROCCurve) WriteCSV(w io.Writer) error { return c.table().WriteCSV(w) }
