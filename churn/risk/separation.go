package risk

import (
	"fmt"
	"math"
)

// separated returns an error that names a level all or none of which left, or a number whose values of those who left and
// of those who stayed do not overlap. Separation by several covariates together is for the search to find.
func (b *binomial) separated(d *Design) error {
	return separatedAlone(d, b.x, b.w1, b.w0)
}

// separatedAlone is separated for rows x of the covariates with the weights of those who left and of those who stayed.
func separatedAlone(d *Design, x, w1, w0 []float64) error {
	p, j := d.width(), 0
	for _, t := range d.Terms() {
		width := len(t.Columns())
		if len(t.Levels) != 0 {
			if err := separatedLevel(t, x[j:], p, width, w1, w0); err != nil {
				return err
			}
		}
		j += width
	}
	for j := range p {
		low := [2]float64{math.Inf(1), math.Inf(1)} // of those who stayed, left
		high := [2]float64{math.Inf(-1), math.Inf(-1)}
		for g := range w1 {
			v := x[g*p+j]
			if w0[g] > 0 {
				low[0], high[0] = min(low[0], v), max(high[0], v)
			}
			if w1[g] > 0 {
				low[1], high[1] = min(low[1], v), max(high[1], v)
			}
		}
		sign := ""
		if high[0] <= low[1] {
			sign = "+Inf"
		} else if high[1] <= low[0] {
			sign = "-Inf"
		}
		if sign != "" {
			return &CovariateError{Covariate: d.Columns()[j],
				Err: fmt.Errorf("%w to %s: no value of those who left lies among those of the others; leave it out or set Ridge", ErrSeparation, sign)}
		}
	}
	return nil
}

// separatedLevel checks a term whose columns are the first ones of x, which has rows of p.
func separatedLevel(t Term, x []float64, p, width int, w1, w0 []float64) error {
	left, stayed := make([]bool, width+1), make([]bool, width+1)
	// Standardized columns have two values; the larger one marks the level.
	high := make([]float64, width)
	for j := range high {
		high[j] = math.Inf(-1)
		for g := range w1 {
			high[j] = max(high[j], x[g*p+j])
		}
	}
	for g := range w1 {
		level := 0
		for j := range high {
			if x[g*p+j] == high[j] {
				level = j + 1
			}
		}
		left[level] = left[level] || w1[g] > 0
		stayed[level] = stayed[level] || w0[g] > 0
	}
	for l, name := range t.Levels {
		if left[l] == stayed[l] { // both, or nobody has the level
			continue
		}
		who := "nobody"
		if left[l] {
			who = "everybody"
		}
		return &CovariateError{Covariate: t.Name + "=" + name,
			Err: fmt.Errorf("%w: %s with this level left; merge it with another or set Ridge", ErrSeparation, who)}
	}
	return nil
}
