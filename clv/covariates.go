package clv

import (
	"errors"
	"fmt"
	"slices"

	"github.com/custval/custval/internal/design"
	"github.com/custval/custval/ledger"
)

// A Covariate is what is known of each customer under one name, row by row in the order of the histories. Numeric,
// Indicator, Categorical and AttributeCovariate make one.
type Covariate struct{ given design.Covariate }

// Numeric is a covariate of numbers, such as the amount of the first order: one coefficient per unit.
func Numeric(name string, values []float64) Covariate { return Covariate{design.Numeric(name, values)} }

// Indicator is a covariate of yes and no, coded 1 and 0.
func Indicator(name string, values []bool) Covariate {
	return Covariate{design.Indicator(name, values)}
}

// Categorical is a covariate of levels, such as a channel: one coefficient for each level except the reference, which it
// is compared with. The coefficients are named name=level. An empty reference means the first level in alphabetical
// order.
func Categorical(name string, values []string, reference string) Covariate {
	return Covariate{design.Categorical(name, values, reference)}
}

// AttributeCovariate is the Categorical of an attribute of the histories' customers, such as ledger.By gives:
//
//	clv.AttributeCovariate("channel", ledger.By(customers, "channel"), hs, "organic")
func AttributeCovariate(name string, key ledger.Key, hs *Histories, reference string) Covariate {
	var values []string
	if hs != nil && key != nil {
		values = make([]string, len(hs.Rows))
		for i := range hs.Rows {
			values[i] = key(hs.Rows[i].Customer)
		}
	}
	return Categorical(name, values, reference)
}

// A Term is one covariate of a fitted model: a number, or levels of which the first is the reference.
type Term struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels,omitempty"` // reference first, the others in alphabetical order; nil for a number
}

// Columns returns the names of the coefficients of the term.
func (t Term) Columns() []string { return design.Term(t).Columns() }

// width is the number of the term's coefficients.
func (t Term) width() int {
	if len(t.Levels) == 0 {
		return 1
	}
	return len(t.Levels) - 1
}

// Terms are the covariates of a fitted model, in order.
type Terms []Term

// Columns returns the names of all coefficients.
func (ts Terms) Columns() []string { return design.Columns(ts) }

// Attributes say who a prediction is for: a number or a level for every term of the model.
type Attributes struct {
	Numbers map[string]float64 `json:"numbers,omitempty"`
	Levels  map[string]string  `json:"levels,omitempty"`
}

// Row codes the attributes of a customer as one number a coefficient, as Design.Row does; an Indicator is the number 1
// or 0. It returns an error that names a covariate that is missing, not a finite number, of an unknown level, or not one
// of the model.
func (ts Terms) Row(a Attributes) ([]float64, error) {
	row, err := design.Row(design.Plain(ts), a.Numbers, a.Levels)
	if err != nil {
		return nil, fmt.Errorf("clv: %w", err)
	}
	return row, nil
}

// A Design is the checked covariates of the customers of some histories, row by row. It is immutable and may serve
// several fits.
type Design struct {
	terms   Terms
	columns [][]float64
	rows    int
}

// NewDesign checks covariates and codes them as columns.
//
// It returns an error if there are none, for a name that is empty or used twice, for covariates of different lengths,
// for a reference level that does not occur and for a single level, and a ledger.RowError with row and name for a number
// that is NaN or infinite and for an empty level: rows with missing values are for the caller to leave out or to fill in.
func NewDesign(covariates ...Covariate) (*Design, error) {
	if len(covariates) == 0 {
		return nil, errors.New("clv: a design without covariates")
	}
	given := make([]design.Covariate, len(covariates))
	for i, c := range covariates {
		given[i] = c.given
	}
	coded, err := design.Code(given)
	if err != nil {
		return nil, fmt.Errorf("clv: %w", err)
	}
	d := &Design{columns: coded.Columns, rows: coded.Rows}
	for _, t := range coded.Terms {
		if len(t.Levels) == 1 {
			return nil, fmt.Errorf("clv: covariate %q: %w", t.Name, errConstant)
		}
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

// Len returns the number of rows.
func (d *Design) Len() int {
	if d == nil {
		return 0
	}
	return d.rows
}

// Row returns row i, counted from 0, as one number a coefficient; nil if there is no such row.
func (d *Design) Row(i int) []float64 {
	if d == nil || i < 0 || i >= d.rows {
		return nil
	}
	return design.At(d.columns, i)
}

// Pick returns the design of the given rows, counted from 0, in their order; a row may occur more than once. The terms
// stay those of d. It returns an error for a row that does not exist.
func (d *Design) Pick(rows []int) (*Design, error) {
	for _, r := range rows {
		if r < 0 || r >= d.rows {
			return nil, fmt.Errorf("clv: row %d of a design of %d rows", r, d.rows)
		}
	}
	return &Design{d.Terms(), design.Pick(d.columns, rows), len(rows)}, nil
}

// check returns an error unless the design fits the histories.
func (d *Design) check(hs *Histories) error {
	switch {
	case d == nil || len(d.terms) == 0:
		return errors.New("clv: no design; a fit without covariates is that of the plain model")
	case d.rows != len(hs.Rows):
		return fmt.Errorf("clv: the design has %d rows for %d histories", d.rows, len(hs.Rows))
	}
	return nil
}

var (
	errConstant    = errors.New("the same for all customers, so that it has no effect to estimate")
	errCombination = errors.New("a combination of the covariates before it, so that their effects cannot be told apart")
)
