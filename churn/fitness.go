package churn

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// A Fitness is how well a curve describes cohorts.
type Fitness struct {
	Model     string       `json:"model"`
	ChiSquare float64      `json:"chi_square"` // Pearson's, over the pooled cells
	Deviance  float64      `json:"deviance"`   // 2 (ln L of the observed rates - ln L of the curve), over all cells
	DF        int          `json:"df"`         // pooled cells less cohorts less parameters
	P         float64      `json:"p"`          // P(chi-squared with DF degrees > ChiSquare)
	Rows      []FitnessRow `json:"rows"`
}

// A FitnessRow is the losses of a cohort at one renewal, or with K = 0 those still there at the end.
type FitnessRow struct {
	Cohort   int     `json:"cohort"`
	K        int     `json:"k"` // renewals since the start of the cohort
	Observed int     `json:"observed"`
	Expected float64 `json:"expected"`
}

// GoodnessOfFit tests a fitted curve against the cohorts that it was fitted to: Pearson's chi-squared of the losses at
// each renewal and of the survivors, neighboring cells of a cohort pooled until five are expected. A small P says that
// the curve is not the whole story; with many customers it always becomes small, and Rows tell by how much the curve
// misses.
//
// It returns an error for a cohort that does not validate, and one that wraps ledger.ErrUndefined if no degrees of
// freedom are left.
func GoodnessOfFit[M Fitted[M]](e *fit.Estimate[M], cohorts []Cohort) (*Fitness, error) {
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	if _, _, err := terms(cohorts); err != nil {
		return nil, err
	}
	f := &Fitness{Model: e.Model.Kind(), DF: -len(e.Params)}
	for i, c := range cohorts {
		n, last := float64(c.Active[0]), len(c.Active)-1
		base := e.Model.Survival(float64(c.Age))
		observed, expected, cells := 0.0, 0.0, 0
		var pooled float64
		flush := func() {
			pooled = (observed - expected) * (observed - expected) / expected
			f.ChiSquare += pooled
			cells++
			observed, expected = 0, 0
		}
		var rows []FitnessRow
		for k := 1; k <= last; k++ {
			rows = append(rows, FitnessRow{i, c.Age + k, c.Active[k-1] - c.Active[k], n * e.Model.PMF(c.Age+k) / base})
			at, lost := float64(c.Active[k-1]), float64(c.Active[k-1]-c.Active[k])
			r := e.Model.Retention(c.Age + k)
			f.Deviance += 2 * (xlog(lost, lost/at, 1-r) + xlog(at-lost, (at-lost)/at, r))
		}
		rows = append(rows, FitnessRow{i, 0, c.Active[last], n * e.Model.Survival(float64(c.Age+last)) / base})
		f.Rows = append(f.Rows, rows...)
		rest := n // expected in this row and the following ones
		for _, r := range rows {
			observed += float64(r.Observed)
			expected += r.Expected
			if rest -= r.Expected; expected >= 5 && (rest >= 5 || r.K == 0) {
				flush()
			}
		}
		if expected > 0 {
			flush()
		}
		f.DF += cells - 1
	}
	if f.DF <= 0 {
		return nil, fmt.Errorf("churn: goodness of fit: %w", errFreedom)
	}
	f.P = distuv.ChiSquared{K: float64(f.DF)}.Survival(f.ChiSquare)
	return f, nil
}

var errFreedom = fmt.Errorf("more parameters than cells of at least five customers, so no degrees of freedom: %w", ledger.ErrUndefined)

// xlog is n ln(p/q), 0 for n = 0.
func xlog(n, p, q float64) float64 {
	if n == 0 {
		return 0
	}
	return n * math.Log(p/q)
}

// String returns the tests and the table of observed and expected numbers.
func (f *Fitness) String() string {
	var rows [][]string
	for _, r := range f.Rows {
		k := strconv.Itoa(r.K)
		if r.K == 0 {
			k = "still there"
		}
		rows = append(rows, []string{strconv.Itoa(r.Cohort), k, strconv.Itoa(r.Observed), decimals(r.Expected, 1)})
	}
	return textTable([]string{"cohort", "left at renewal", "observed", "expected"}, rows, 0) +
		fmt.Sprintf("\nchi-squared %.2f on %d degrees of freedom, p = %.3g; deviance %.2f", f.ChiSquare, f.DF, f.P, f.Deviance)
}

// WriteCSV writes one line a row with a header; k is empty for those still there.
func (f *Fitness) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range f.Rows {
		k := strconv.Itoa(r.K)
		if r.K == 0 {
			k = ""
		}
		rows = append(rows, []string{strconv.Itoa(r.Cohort), k, strconv.Itoa(r.Observed), number(r.Expected)})
	}
	return writeCSV(w, []string{"cohort", "k", "observed", "expected"}, rows)
}
