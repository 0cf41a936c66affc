// Package design codes what is known of customers, numbers and levels, as columns of numbers for regressions. The
// packages that have regressions show it to their callers under names of their own and put theirs before its errors.
package design

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/custval/custval/ledger"
)

var (
	errMissing   = errors.New("missing value")
	errFinite    = errors.New("not a finite number")
	errReference = errors.New("the reference level does not occur")
)

// A Covariate is what is known of each customer under one name, row by row.
type Covariate struct {
	Name      string
	Numbers   []float64
	Levels    []string // per row; nil for a number
	Reference string   // empty: the first level in alphabetical order
}

// Numeric returns a covariate of numbers.
func Numeric(name string, values []float64) Covariate { return Covariate{Name: name, Numbers: values} }

// Indicator returns a covariate of yes and no, coded 1 and 0.
func Indicator(name string, values []bool) Covariate {
	numbers := make([]float64, len(values))
	for i, v := range values {
		if v {
			numbers[i] = 1
		}
	}
	return Numeric(name, numbers)
}

// Categorical returns a covariate of levels.
func Categorical(name string, values []string, reference string) Covariate {
	if values == nil {
		values = []string{} // not a number
	}
	return Covariate{Name: name, Levels: values, Reference: reference}
}

// A Term is a coded covariate: a number, or levels of which the first is the reference.
type Term struct {
	Name   string
	Levels []string // reference first, the others in alphabetical order; nil for a number
}

// Columns returns the names of the term's columns.
func (t Term) Columns() []string {
	if len(t.Levels) == 0 {
		return []string{t.Name}
	}
	names := make([]string, 0, len(t.Levels)-1)
	for _, level := range t.Levels[1:] {
		names = append(names, t.Name+"="+level)
	}
	return names
}

// Columns returns the names of the columns of terms, in a slice of their own.
func Columns[T interface{ Columns() []string }](terms []T) []string {
	var names []string
	for _, t := range terms {
		names = append(names, t.Columns()...)
	}
	return names
}

// Plain returns terms of a package as those of this one.
func Plain[T ~struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels,omitempty"`
}](terms []T) []Term {
	plain := make([]Term, len(terms))
	for i, t := range terms {
		plain[i] = Term(t)
	}
	return plain
}

// Coded is covariates as columns: for each term one, or one a level other than the reference.
type Coded struct {
	Terms   []Term
	Columns [][]float64
	Rows    int
}

// Code checks covariates and codes them. The columns are copies.
//
// It returns an error for a name that is empty or used twice, also by the column of a level, for covariates of different
// lengths and for a reference that does not occur, and a [ledger.RowError] with row and name for a number that is NaN or
// infinite and for an empty level.
func Code(covariates []Covariate) (*Coded, error) {
	c := &Coded{}
	seen := map[string]bool{}
	for i, v := range covariates {
		n := len(v.Numbers) + len(v.Levels)
		switch {
		case v.Name == "":
			return nil, fmt.Errorf("covariate %d has no name", i+1)
		case seen[v.Name]:
			return nil, fmt.Errorf("two covariates are named %q", v.Name)
		case i > 0 && n != c.Rows:
			return nil, fmt.Errorf("covariate %q has %d rows, %q has %d", v.Name, n, covariates[0].Name, c.Rows)
		}
		seen[v.Name], c.Rows = true, n
		add := c.addNumbers
		if v.Levels != nil {
			add = c.addLevels
		}
		if err := add(v); err != nil {
			return nil, err
		}
	}
	clear(seen)
	for _, name := range Columns(c.Terms) {
		if seen[name] {
			return nil, fmt.Errorf("two coefficients are named %q", name)
		}
		seen[name] = true
	}
	return c, nil
}

func (c *Coded) addNumbers(v Covariate) error {
	for i, x := range v.Numbers {
		if reason := errFinite; math.IsNaN(x) || math.IsInf(x, 0) {
			if math.IsNaN(x) {
				reason = errMissing
			}
			return &ledger.RowError{Row: i + 1, Field: v.Name, Value: strconv.FormatFloat(x, 'g', -1, 64), Err: reason}
		}
	}
	c.Terms = append(c.Terms, Term{Name: v.Name})
	c.Columns = append(c.Columns, slices.Clone(v.Numbers))
	return nil
}

func (c *Coded) addLevels(v Covariate) error {
	index := map[string]int{}
	for i, level := range v.Levels {
		if level == "" {
			return &ledger.RowError{Row: i + 1, Field: v.Name, Err: errMissing}
		}
		index[level] = 0
	}
	levels := slices.Sorted(maps.Keys(index))
	reference := v.Reference
	if reference == "" && len(levels) > 0 {
		reference = levels[0]
	}
	at := slices.Index(levels, reference)
	if at < 0 {
		return fmt.Errorf("covariate %q: level %q: %w", v.Name, reference, errReference)
	}
	levels = slices.Insert(slices.Delete(levels, at, at+1), 0, reference)
	columns := make([][]float64, len(levels))
	for j, level := range levels {
		columns[j], index[level] = make([]float64, len(v.Levels)), j
	}
	for i, level := range v.Levels {
		columns[index[level]][i] = 1
	}
	c.Terms = append(c.Terms, Term{Name: v.Name, Levels: levels})
	c.Columns = append(c.Columns, columns[1:]...)
	return nil
}

// Row codes the numbers and levels of one customer as one number a column. It returns an error that names a covariate
// that is missing, not a finite number, of an unknown level, or not one of the terms.
func Row(terms []Term, numbers map[string]float64, levels map[string]string) ([]float64, error) {
	var row []float64
	known := map[string]bool{}
	for _, t := range terms {
		known[t.Name] = true
		if len(t.Levels) == 0 {
			x, ok := numbers[t.Name]
			if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("covariate %q has no finite number", t.Name)
			}
			row = append(row, x)
			continue
		}
		level, ok := levels[t.Name]
		if !ok || !slices.Contains(t.Levels, level) {
			return nil, fmt.Errorf("covariate %q has level %q; the model knows %s", t.Name, level, strings.Join(t.Levels, ", "))
		}
		for _, l := range t.Levels[1:] {
			x := 0.0
			if l == level {
				x = 1
			}
			row = append(row, x)
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(numbers)), slices.Sorted(maps.Keys(levels))...) {
		if !known[name] {
			return nil, fmt.Errorf("covariate %q is not in the model", name)
		}
	}
	return row, nil
}

// Pick returns the columns with the given rows, counted from 0, in their order; a row may occur more than once.
func Pick(columns [][]float64, rows []int) [][]float64 {
	picked := make([][]float64, len(columns))
	for j, column := range columns {
		picked[j] = make([]float64, len(rows))
		for i, r := range rows {
			picked[j][i] = column[r]
		}
	}
	return picked
}

// At returns row i of columns.
func At(columns [][]float64, i int) []float64 {
	row := make([]float64, len(columns))
	for j, column := range columns {
		row[j] = column[i]
	}
	return row
}
