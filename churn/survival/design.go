package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/custval/custval/ledger"
)

var (
	errMissing   = errors.New("missing value")
	errReference = errors.New("the reference level does not occur")
)

// A Covariate is what is known of each customer under one name, row by row in the order of the tenures. [Numeric],
// [Indicator], [Categorical] and [LabelCovariate] make one.
type Covariate struct {
	name      string
	numbers   []float64
	levels    []string // per row; nil for a number
	reference string
}

// Numeric is a covariate of numbers, such as a price: one coefficient per unit.
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

// Categorical is a covariate of levels, such as a plan: one coefficient for each level except the reference, which it is
// compared with. The coefficients are named name=level. An empty reference means the first level in alphabetical order.
func Categorical(name string, values []string, reference string) Covariate {
	if values == nil {
		values = []string{}
	}
	return Covariate{name: name, levels: values, reference: reference}
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
func (t Term) Columns() []string {
	if len(t.Levels) == 0 {
		return []string{t.Name}
	}
	var names []string
	for _, level := range t.Levels[1:] {
		names = append(names, t.Name+"="+level)
	}
	return names
}

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

// A Profile says who a prediction is for: a number or a level for every term of the model.
type Profile struct {
	Numbers map[string]float64 `json:"numbers,omitempty"`
	Levels  map[string]string  `json:"levels,omitempty"`
}

// Row codes a profile as one number a coefficient. It returns an error that names a covariate that is missing, not a
// finite number, of an unknown level, or not one of the model.
func (ts Terms) Row(p Profile) ([]float64, error) {
	var row []float64
	known := map[string]bool{}
	for _, t := range ts {
		known[t.Name] = true
		if len(t.Levels) == 0 {
			x, ok := p.Numbers[t.Name]
			if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("survival: profile: covariate %q has no finite number", t.Name)
			}
			row = append(row, x)
			continue
		}
		level, ok := p.Levels[t.Name]
		if !ok || !slices.Contains(t.Levels, level) {
			return nil, fmt.Errorf("survival: profile: covariate %q has level %q; the model knows %s", t.Name, level,
				strings.Join(t.Levels, ", "))
		}
		for _, l := range t.Levels[1:] {
			row = append(row, float64(b2i(l == level)))
		}
	}
	for _, name := range append(sortedKeys(p.Numbers), sortedKeys(p.Levels)...) {
		if !known[name] {
			return nil, fmt.Errorf("survival: profile: covariate %q is not in the model", name)
		}
	}
	return row, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// A Design is the checked covariates of a set of tenures. It is immutable and may serve several fits. The nil Design has
// no covariates.
type Design struct {
	terms   Terms
	names   []string
	columns [][]float64
	rows    int
}

// NewDesign checks covariates and codes them as columns.
//
// It returns an error for a name that is empty or used twice, for covariates of different lengths and for a reference
// level that does not occur, and a [ledger.RowError] with row and name for a number that is NaN or infinite and for an
// empty level: rows with missing values are for the caller to leave out or to fill in.
func NewDesign(covariates ...Covariate) (*Design, error) {
	d := &Design{}
	seen := map[string]bool{}
	for i, c := range covariates {
		n := len(c.numbers) + len(c.levels)
		switch {
		case c.name == "":
			return nil, fmt.Errorf("survival: covariate %d has no name", i+1)
		case seen[c.name]:
			return nil, fmt.Errorf("survival: two covariates are named %q", c.name)
		case i > 0 && n != d.rows:
			return nil, fmt.Errorf("survival: covariate %q has %d rows, %q has %d", c.name, n, covariates[0].name, d.rows)
		}
		seen[c.name], d.rows = true, n
		var err error
		if c.levels == nil {
			err = d.addNumbers(c)
		} else {
			err = d.addLevels(c)
		}
		if err != nil {
			return nil, err
		}
	}
	d.names = d.terms.Columns()
	return d, nil
}

func (d *Design) addNumbers(c Covariate) error {
	for i, x := range c.numbers {
		if math.IsNaN(x) {
			return rowError(i, c.name, "NaN", errMissing)
		}
		if math.IsInf(x, 0) {
			return rowError(i, c.name, formatFloat(x), errFinite)
		}
	}
	d.terms = append(d.terms, Term{Name: c.name})
	d.columns = append(d.columns, slices.Clone(c.numbers))
	return nil
}

func (d *Design) addLevels(c Covariate) error {
	seen := map[string]bool{}
	for i, level := range c.levels {
		if level == "" {
			return rowError(i, c.name, "", errMissing)
		}
		seen[level] = true
	}
	levels := sortedKeys(seen)
	reference := c.reference
	if reference == "" && len(levels) > 0 {
		reference = levels[0]
	}
	if !seen[reference] {
		return fmt.Errorf("survival: covariate %q: level %s: %w", c.name, strconv.Quote(reference), errReference)
	}
	ordered := []string{reference}
	index := map[string]int{reference: -1}
	for _, level := range levels {
		if level != reference {
			index[level] = len(ordered) - 1
			ordered = append(ordered, level)
		}
	}
	d.terms = append(d.terms, Term{Name: c.name, Levels: ordered})
	columns := make([][]float64, len(ordered)-1)
	for j := range columns {
		columns[j] = make([]float64, len(c.levels))
	}
	for i, level := range c.levels {
		if j := index[level]; j >= 0 {
			columns[j][i] = 1
		}
	}
	d.columns = append(d.columns, columns...)
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
func (d *Design) Columns() []string {
	if d == nil {
		return nil
	}
	return slices.Clone(d.names)
}

// Row returns row i, counted from 0, as one number a coefficient.
func (d *Design) Row(i int) []float64 {
	if d == nil {
		return nil
	}
	row := make([]float64, len(d.columns))
	for j := range row {
		row[j] = d.columns[j][i]
	}
	return row
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
