package cluster

import (
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/internal/stat"
)

// A Scaling brings coordinates of different units to one size; without it the money alone would decide the clusters.
type Scaling uint8

// The scalings.
const (
	// LogStandard takes log(1 + (x - least) / (mean - least)) first, since frequency and money are skew, and then
	// Standard. Like the others it does not depend on the unit.
	LogStandard Scaling = iota
	Standard            // (x - mean) / standard deviation
	Robust              // (x - median) / (third quartile - first quartile), or Standard's deviation where that is 0
	MinMax              // (x - least) / (greatest - least)
	Unscaled            // as it is
)

var scalingNames = []string{"log standard", "standard", "robust", "min-max", "unscaled"}

// String returns log standard, standard, robust, min-max or unscaled.
func (s Scaling) String() string {
	if int(s) < len(scalingNames) {
		return scalingNames[s]
	}
	return fmt.Sprintf("%%!(%d)", uint8(s))
}

// MarshalText returns String.
func (s Scaling) MarshalText() ([]byte, error) {
	if int(s) >= len(scalingNames) {
		return nil, fmt.Errorf("cluster: scaling %d: not one of %q", s, scalingNames)
	}
	return []byte(scalingNames[s]), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Scaling) UnmarshalText(text []byte) error {
	i := slices.Index(scalingNames, string(text))
	if i < 0 {
		return fmt.Errorf("cluster: scaling %.40q: not one of %q", text, scalingNames)
	}
	*s = Scaling(i)
	return nil
}

// Scale returns scaled copies of the points, every coordinate by itself. A coordinate that is the same for all points
// becomes 0. It returns an error for points that [KMeans] refuses and an unknown scaling.
func Scale(points [][]float64, s Scaling) ([][]float64, error) {
	if int(s) >= len(scalingNames) {
		return nil, fmt.Errorf("cluster: scaling %d: not one of %q", s, scalingNames)
	}
	if err := check(points); err != nil {
		return nil, err
	}
	dim := len(points[0])
	flat := make([]float64, len(points)*dim)
	out := make([][]float64, len(points))
	for i := range out {
		out[i] = flat[i*dim : (i+1)*dim : (i+1)*dim]
	}
	column := make([]float64, len(points))
	for j := range dim {
		for i, p := range points {
			column[i] = p[j]
		}
		scale(column, s)
		for i := range out {
			out[i][j] = column[i]
		}
	}
	return out, nil
}

func scale(x []float64, s Scaling) {
	least, most := slices.Min(x), slices.Max(x)
	switch {
	case s == Unscaled:
		return
	case least == most:
		clear(x)
		return
	case s == MinMax:
		shift(x, least, most-least)
		return
	case s == Robust:
		sorted := slices.Sorted(slices.Values(x))
		middle, spread := stat.Quantile(sorted, 0.5), stat.Quantile(sorted, 0.75)-stat.Quantile(sorted, 0.25)
		if spread == 0 {
			_, spread = moments(x)
		}
		shift(x, middle, spread)
		return
	case s == LogStandard:
		mean, _ := moments(x)
		for i := range x {
			x[i] = math.Log1p((x[i] - least) / (mean - least))
		}
	}
	mean, deviation := moments(x)
	shift(x, mean, deviation)
}

func shift(x []float64, by, unit float64) {
	for i := range x {
		x[i] = (x[i] - by) / unit
	}
}

// moments returns the mean and the standard deviation (divided by n).
func moments(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	sum := 0.0
	for _, v := range x {
		sum += float64((v - mean) * (v - mean))
	}
	return mean, math.Sqrt(sum / float64(len(x)))
}
