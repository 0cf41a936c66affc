package risk

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/custval/custval/internal/special"
)

// predictor returns intercept + coef'x of every row of a design with the covariates of the terms.
func (ts Terms) predictor(d *Design, coef []float64, intercept float64) ([]float64, error) {
	if len(coef) != len(ts.Columns()) {
		return nil, fmt.Errorf("risk: %d coefficients for %d columns", len(coef), len(ts.Columns()))
	}
	if d == nil {
		return nil, fmt.Errorf("risk: no design")
	}
	have := map[string]int{} // term to its first column
	at := 0
	for _, t := range d.terms {
		have[t.Name] = at
		at += len(t.Columns())
	}
	eta := make([]float64, d.rows)
	for i := range eta {
		eta[i] = intercept
	}
	k := 0
	for _, t := range ts {
		n := len(t.Columns())
		first, ok := have[t.Name]
		if !ok {
			return nil, fmt.Errorf("risk: the design lacks the covariate %q", t.Name)
		}
		i := slices.IndexFunc(d.terms, func(o Term) bool { return o.Name == t.Name })
		if err := t.addTo(eta, d.terms[i], d.columns[first:], coef[k:k+n]); err != nil {
			return nil, err
		}
		k += n
	}
	return eta, nil
}

// addTo adds the effects of one term, which the design may have coded with other levels.
func (t Term) addTo(eta []float64, as Term, columns [][]float64, coef []float64) error {
	if (len(t.Levels) == 0) != (len(as.Levels) == 0) {
		return fmt.Errorf("risk: covariate %q: the model and the design do not agree whether it is a number or has levels", t.Name)
	}
	if len(t.Levels) == 0 {
		for i, x := range columns[0] {
			eta[i] += coef[0] * x
		}
		return nil
	}
	effect := make([]float64, len(as.Levels))
	for l, level := range as.Levels {
		k := slices.Index(t.Levels, level)
		if k < 0 {
			return fmt.Errorf("risk: covariate %q has level %q; the model knows %s", t.Name, level, strings.Join(t.Levels, ", "))
		}
		if k > 0 {
			effect[l] = coef[k-1]
		}
	}
	for i := range eta {
		l := 0
		for j := range as.Levels[1:] {
			if columns[j][i] != 0 {
				l = j + 1
			}
		}
		eta[i] += effect[l]
	}
	return nil
}

// chiSquaredP returns P(chi-squared with df degrees > x).
func chiSquaredP(x float64, df int) float64 {
	if df == 0 || x <= 0 {
		return 1
	}
	return math.Exp(special.LogGammaQ(float64(df)/2, x/2))
}
