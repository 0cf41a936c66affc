package survival

import (
	"fmt"
	"slices"

	"github.com/custval/custval/internal/design"
	"github.com/custval/custval/ledger"
)

// A Covariate is what is known of each customer under one name, row by row in the order of the tenures. [Numeric],
// [Indicator], [Categorical] and [LabelCovariate] make one.
type Covariate struct{ given design.Covariate }

// Numeric is a covariate of numbers, such as a price: one coefficient per unit.
func Numeric(name string, values []float64) Covariate { return Covariate{design.Numeric(name, values)} }

// Indicator is a covariate of yes and no, coded 1 and 0.
func Indicator(name string, values []bool) Covariate {
	return Covariate{design.Indicator(name, values)}
}

// Categorical is a covariate of levels, such as a plan: one coefficient for each level except the reference, which it is
// compared with. The coefficients are named name=level. An empty reference means the first level in alphabetical order.
func Categorical(name string, values []string, reference string) Covariate {
	return Covariate{design.Categorical(name, values, reference)}
}

// LabelCovariate is the [Categorical] of a label of the tenures.
func LabelCovariate(label string, tenures []ledger.Tenure, reference string) Covariate {
	values := make([]string, len(tenures))
	for i := range tenures {
		values[i] = tenures[i].Labels[label]
	}
	return Categorical(label, values, reference)
}

// A Term is one covariate of a fitted model: a number, or levels of which the first is the reference.
type Term struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels,omitempty"` // reference first, the others in alphabetical order; nil for a number
}

// Columns returns the names of the coefficients of the term.
func (t Term) Columns() []string { return design.Term(t).Columns() }

// Terms are the covariates of a fitted model, in order.
type Terms []Term

// Columns returns the names of all coefficients.
func (ts Terms) Columns() []string { return design.Columns(ts) }

// A Profile says who a prediction is for: a number or a level for every term of the model.
type Profile struct {
	Numbers map[string]float64 `json:"numbers,omitempty"`
	Levels  map[string]string  `json:"levels,omitempty"`
}

// Row codes a profile as one number a coefficient. It returns an error that names a covariate that is missing, not a
// finite number, of an unknown level, or not one of the model.
func (ts Terms) Row(p Profile) ([]float64, error) {
	row, err := design.Row(design.Plain(ts), p.Numbers, p.Levels)
	if err != nil {
		return nil, fmt.Errorf("survival: profile: %w", err)
	}
	return row, nil
}

// A Design is the checked covariates of a set of tenures. It is immutable and may serve several fits. The nil Design has
// no covariates.
type Design struct {
	terms   Terms
	columns [][]float64
	rows    int
}

// NewDesign checks covariates and codes them as columns.
//
// It returns an error for a name that is empty or used twice, for covariates of different lengths and for a reference
// level that does not occur, and a [ledger.RowError] with row and name for a number that is NaN or infinite and for an
// empty level: rows with missing values are for the caller to leave out or to fill in.
func NewDesign(covariates ...Covariate) (*Design, error) {
	given := make([]design.Covariate, len(covariates))
	for i, c := range covariates {
		given[i] = c.given
	}
	coded, err := design.Code(given)
	if err != nil {
		return nil, fmt.Errorf("survival: %w", err)
	}
	d := &Design{columns: coded.Columns, rows: coded.Rows}
	for _, t := range coded.Terms {
		d.terms = append(d.terms, Term(t))
	}
	return d, nil
}

// Terms returns the covariates.
func (d *Design) Terms() Terms {
	if d == nil {
		return nil
	}
	return slices.Clone(d.terms)
}

// Columns returns the names of the coefficients.
func (d *Design) Columns() []string { return d.Terms().Columns() }

// Rows returns the number of tenures.
func (d *Design) Rows() int {
	if d == nil {
		return 0
	}
	return d.rows
}

// Row returns row i, counted from 0, as one number a coefficient; nil for a row that there is not.
func (d *Design) Row(i int) []float64 {
	if d == nil || i < 0 || i >= d.rows {
		return nil
	}
	return design.At(d.columns, i)
}

// Pick returns the design whose row k is row source[k] of this one, such as for [Subdistribution]. It returns an error for
// a row that is not there.
func (d *Design) Pick(source []int) (*Design, error) {
	if d == nil {
		return nil, nil
	}
	for k, i := range source {
		if i < 0 || i >= d.rows {
			return nil, fmt.Errorf("survival: design: row %d is taken from row %d of %d", k+1, i+1, d.rows)
		}
	}
	return &Design{d.Terms(), design.Pick(d.columns, source), len(source)}, nil
}

// check returns an error unless the design fits the tenures.
func (d *Design) check(rows int) error {
	if d != nil && len(d.terms) > 0 && d.rows != rows {
		return fmt.Errorf("survival: the design has %d rows for %d tenures", d.rows, rows)
	}
	return nil
}

func (d *Design) width() int {
	if d == nil {
		return 0
	}
	return len(d.columns)
}
