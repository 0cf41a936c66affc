package risk

import (
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/table"
)

// A PRPoint is the precision and the recall of a threshold.
type PRPoint struct {
	Threshold float64 `json:"threshold"` // scores at or above it count as leaving
	Recall    float64 `json:"recall"`    // share of those who left that have such a score
	Precision float64 `json:"precision"` // share of those with such a score who left
}

// PRCurve is the points of a precision-recall curve, highest threshold first.
type PRCurve []PRPoint

// PR returns the curve with one point a distinct score.
func (r *Ranking) PR() PRCurve {
	points := make(PRCurve, 0, len(r.score))
	var l, s float64
	for g, score := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		points = append(points, PRPoint{score, l / r.leavers, l / (l + s)})
	}
	return points
}

// AveragePrecision returns the area under the precision-recall curve as the sum of its steps, without interpolation:
//
//	sum over thresholds of (recall - recall before) precision
//
// Customers of the same score are one step. A score that says nothing has about [Ranking.BaseRate].
func (r *Ranking) AveragePrecision() float64 {
	var l, s, sum float64
	for g := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		sum += r.left[g] / r.leavers * (l / (l + s))
	}
	return sum
}

func (c PRCurve) table() *table.Table {
	t := table.New("threshold", "recall", "precision")
	for _, p := range c {
		t.Add(p.Threshold, p.Recall, p.Precision)
	}
	return t
}

// String returns an aligned table.
func (c PRCurve) String() string { return c.table().String() }

// WriteCSV writes the table with a header.
func (c PRCurve) WriteCSV(w io.Writer) error { return c.table().WriteCSV(w) }

// top returns the expected weight of those who left among the given weight of customers with the highest scores. Where it
// ends among customers of one score, they count by the share of them that is in: the mean over all orders of the ties.
func (r *Ranking) top(weight float64) float64 {
	var left float64
	for g := range r.score {
		n := r.left[g] + r.stayed[g]
		if n >= weight {
			return left + r.left[g]*(weight/n)
		}
		left, weight = left+r.left[g], weight-n
	}
	return left
}

// Gain returns the share of all who left that are among the given share of customers with the highest scores, a point of
// the cumulative gains curve. Where the share ends among customers of one score, these count by how many of them are in,
// which is the mean over all orders of the ties. It is NaN for a share outside [0, 1].
func (r *Ranking) Gain(share float64) float64 {
	if !(share >= 0 && share <= 1) {
		return math.NaN()
	}
	return r.top(share*(r.leavers+r.stayers)) / r.leavers
}

// Lift returns how many times more often customers among the given share with the highest scores left than all did, with
// ties as in [Ranking.Gain]:
//
//	lift = Gain(share) / share
//
// It is NaN for a share outside (0, 1].
func (r *Ranking) Lift(share float64) float64 {
	if !(share > 0) {
		return math.NaN()
	}
	return r.Gain(share) / share
}

// A GainsRow is one of the equal parts into which the customers are cut, highest scores first.
type GainsRow struct {
	Part       int     `json:"part"`      // 1 has the highest scores
	Customers  float64 `json:"customers"` // weight in the part; the same in all
	Left       float64 `json:"left"`      // of them; a fraction where ties lie across the end of the part
	Rate       float64 `json:"rate"`      // Left / Customers
	Lift       float64 `json:"lift"`      // Rate over the rate of all
	Targeted   float64 `json:"targeted"`  // share of all customers in this part and those before
	Gain       float64 `json:"gain"`      // share of all who left that are in them
	Cumulative float64 `json:"cumulative_lift"`
	Lowest     float64 `json:"lowest"` // the lowest score in the part
}

// GainsTable is the gains and lift of equal parts.
type GainsTable []GainsRow

// Gains cuts the customers into equal parts, 10 if parts is 0, and returns who left in each, with ties as in
// [Ranking.Gain]. It returns an error for a number of parts that is negative or more than the customers.
func (r *Ranking) Gains(parts int) (GainsTable, error) {
	if parts == 0 {
		parts = 10
	}
	all := r.leavers + r.stayers
	if parts < 0 || float64(parts) > all {
		return nil, fmt.Errorf("risk: gains: %d parts of %v customers", parts, all)
	}
	rows := make(GainsTable, parts)
	base := r.BaseRate()
	before, step, sum, cum := 0.0, 0, 0.0, 0.0 // cum is the weight of the steps before step
	for i := range rows {
		end := all * float64(i+1) / float64(parts)
		for step < len(r.score)-1 && cum+r.left[step]+r.stayed[step] < end {
			cum += r.left[step] + r.stayed[step]
			sum += r.left[step]
			step++
		}
		n := r.left[step] + r.stayed[step]
		left := sum + r.left[step]*min(1, (end-cum)/n)
		if i == parts-1 {
			left = r.leavers
		}
		row := GainsRow{Part: i + 1, Customers: all / float64(parts), Left: left - before, Targeted: float64(i+1) / float64(parts),
			Gain: left / r.leavers, Lowest: r.score[step]}
		row.Rate = row.Left / row.Customers
		row.Lift, row.Cumulative = row.Rate/base, row.Gain/row.Targeted
		rows[i], before = row, left
	}
	return rows, nil
}

func (g GainsTable) table() *table.Table {
	t := table.New("part", "customers", "left", "rate", "lift", "targeted", "gain", "cumulative_lift", "lowest")
	for _, r := range g {
		t.Add(r.Part, r.Customers, r.Left, r.Rate, r.Lift, r.Targeted, r.Gain, r.Cumulative, r.Lowest)
	}
	return t
}

// String returns an aligned table.
func (g GainsTable) String() string { return g.table().String() }

// WriteCSV writes the table with a header.
func (g GainsTable) WriteCSV(w io.Writer) error { return g.table().WriteCSV(w) }
