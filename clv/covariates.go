package clv

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/custval/custval/ledger"
)

var (
	errMissing   = errors.New("missing value")
	errReference = errors.New("the reference level does not occur")
)

// A Covariate is what is known of each customer under one name, row by row in the order of the histories. Numeric,
// Indicator, Categorical and AttributeCovariate make one.
type Covariate struct {
	name      string
	numbers   []float64
	levels    []string // per row; nil for a number
	reference string
}

// Numeric is a covariate of numbers, such as the amount of the first order: one coefficient per unit.
func Numeric(name string, values []float64) Covariate { return Covariate{name: name, numbers: values} }

// Indicator is a covariate of yes and no, coded 1 and 0.
func Indicator(name string, values []bool) Covariate {
	numbers := make([]float64, len(values))
	for i, v := range values {
		if v {
			numbers[i] = 1
		}
	}
	return Covariate{name: name, numbers: numbers}
}

// Categorical is a covariate of levels, such as a channel: one coefficient for each level except the reference, which it
// is compared with. The coefficients are named name=level. An empty reference means the first level in alphabetical
// order.
func Categorical(name string, values []string, reference string) Covariate {
	if values == nil {
		values = []string{}
	}
	return Covariate{name: name, levels: values, reference: reference}
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
func (t Term) Columns() []string {
	if t.Levels == nil {
		return []string{t.Name}
	}
	names := make([]string, 0, len(t.Levels))
	for i, level := range t.Levels {
		if i > 0 {
			names = append(names, t.Name+"="+level)
		}
	}
	return names
}

// width is the number of the term's coefficients.
func (t Term) width() int { return max(1, len(t.Levels)-1) }

// Terms are the covariates of a fitted model, in order.
type Terms []Term

// Columns returns the names of all coefficients.
func (ts Terms) Columns() []string {
	var names []string
	for _, t := range ts {
		names = append(names, t.Columns()...)
	}
	return names
}

// Attributes say who a prediction is for: a number or a level for every term of the model.
type Attributes struct {
	Numbers map[string]float64 `json:"numbers,omitempty"`
	Levels  map[string]string  `json:"levels,omitempty"`
}

// Row codes the attributes of a customer as one number a coefficient, as Design.Row does; an Indicator is the number 1
// or 0. It returns an error that names a covariate that is missing, not a finite number, of an unknown level, or not one
// of the model.
func (ts Terms) Row(a Attributes) ([]float64, error) {
	var row []float64
	known := map[string]bool{}
	for _, t := range ts {
		known[t.Name] = true
		if t.Levels == nil {
			x, ok := a.Numbers[t.Name]
			if !ok || !finite(x) {
				return nil, fmt.Errorf("clv: covariate %q has no finite number", t.Name)
			}
			row = append(row, x)
			continue
		}
		level, ok := a.Levels[t.Name]
		if !ok || !slices.Contains(t.Levels, level) {
			return nil, fmt.Errorf("clv: covariate %q has the level %q; the model knows %s", t.Name, level, strings.Join(t.Levels, ", "))
		}
		for _, l := range t.Levels[1:] {
			x := 0.0
			if l == level {
				x = 1
			}
			row = append(row, x)
		}
	}
	names := make([]string, 0, len(a.Numbers)+len(a.Levels))
	for name := range a.Numbers {
		names = append(names, name)
	}
	for name := range a.Levels {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !known[name] {
			return nil, fmt.Errorf("clv: covariate %q is not in the model", name)
		}
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
	d := &Design{}
	seen := map[string]bool{}
	for i, c := range covariates {
		n := len(c.numbers) + len(c.levels)
		switch {
		case c.name == "":
			return nil, fmt.Errorf("clv: covariate %d has no name", i+1)
		case seen[c.name]:
			return nil, fmt.Errorf("clv: two covariates are named %q", c.name)
		case i > 0 && n != d.rows:
			return nil, fmt.Errorf("clv: covariate %q has %d rows, %q has %d", c.name, n, covariates[0].name, d.rows)
		}
		seen[c.name], d.rows = true, n
		add := d.addNumbers
		if c.levels != nil {
			add = d.addLevels
		}
		if err := add(c); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Design) addNumbers(c Covariate) error {
	for i, x := range c.numbers {
		bad := &ledger.RowError{Row: i + 1, Field: c.name, Value: strconv.FormatFloat(x, 'g', -1, 64)}
		if math.IsNaN(x) {
			bad.Err = errMissing
		} else if math.IsInf(x, 0) {
			bad.Err = errNotFinite
		}
		if bad.Err != nil {
			return fmt.Errorf("clv: %w", bad)
		}
	}
	d.terms = append(d.terms, Term{Name: c.name})
	d.columns = append(d.columns, slices.Clone(c.numbers))
	return nil
}

func (d *Design) addLevels(c Covariate) error {
	for i, level := range c.levels {
		if level == "" {
			return fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: c.name, Err: errMissing})
		}
	}
	levels := slices.Compact(slices.Sorted(slices.Values(c.levels)))
	reference := c.reference
	if reference == "" && len(levels) > 0 {
		reference = levels[0]
	}
	at := slices.Index(levels, reference)
	if at < 0 {
		return fmt.Errorf("clv: covariate %q: level %q: %w", c.name, reference, errReference)
	}
	if len(levels) == 1 {
		return fmt.Errorf("clv: covariate %q: %w", c.name, errConstant)
	}
	ordered := append([]string{reference}, slices.Delete(levels, at, at+1)...)
	index := make(map[string]int, len(ordered))
	for j, level := range ordered {
		index[level] = j
	}
	columns := make([][]float64, len(ordered))
	for j := range columns {
		columns[j] = make([]float64, len(c.levels))
	}
	for i, level := range c.levels {
		columns[index[level]][i] = 1
	}
	d.terms = append(d.terms, Term{Name: c.name, Levels: ordered})
	d.columns = append(d.columns, columns[1:]...)
	return nil
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
	row := make([]float64, len(d.columns))
	for j := range row {
		row[j] = d.columns[j][i]
	}
	return row
}

// Pick returns the design of the given rows, counted from 0, in their order; a row may occur more than once. The terms
// stay those of d. It returns an error for a row that does not exist.
func (d *Design) Pick(rows []int) (*Design, error) {
	p := &Design{terms: d.Terms(), rows: len(rows)}
	for range d.columns {
		p.columns = append(p.columns, make([]float64, len(rows)))
	}
	for i, r := range rows {
		if r < 0 || r >= d.rows {
			return nil, fmt.Errorf("clv: row %d of a design of %d rows", r, d.rows)
		}
		for j := range p.columns {
			p.columns[j][i] = d.columns[j][r]
		}
	}
	return p, nil
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
