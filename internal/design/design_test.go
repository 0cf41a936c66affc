package design

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCode(t *testing.T) {
	ages := []float64{31, 45, 28}
	c, err := Code([]Covariate{Numeric("age", ages), Categorical("plan", []string{"pro", "basic", "team"}, "pro"), Indicator("card", []bool{true, false, true})})
	if err != nil {
		t.Fatal(err)
	}
	ages[0] = 0 // the columns are copies
	want := &Coded{Terms: []Term{{Name: "age"}, {"plan", []string{"pro", "basic", "team"}}, {Name: "card"}}, Rows: 3,
		Columns: [][]float64{{31, 45, 28}, {0, 1, 0}, {0, 0, 1}, {1, 0, 1}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"age", "plan=basic", "plan=team", "card"}, Columns(c.Terms)); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
	row, err := Row(c.Terms, map[string]float64{"age": 45, "card": 0}, map[string]string{"plan": "basic"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(At(c.Columns, 1), row); diff != "" {
		t.Errorf("row (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([][]float64{{28, 31, 28}, {0, 0, 0}, {1, 0, 1}, {1, 1, 1}}, Pick(c.Columns, []int{2, 0, 2})); diff != "" {
		t.Errorf("picked (-want +got)\n%s", diff)
	}
}

func TestCodeErrors(t *testing.T) {
	one := []float64{1}
	for want, given := range map[string][]Covariate{
		`covariate 2 has no name`:                                      {Numeric("a", one), Numeric("", one)},
		`two covariates are named "a"`:                                 {Numeric("a", one), Indicator("a", []bool{true})},
		`two coefficients are named "a=y"`:                             {Numeric("a=y", []float64{1, 2}), Categorical("a", []string{"x", "y"}, "")},
		`covariate "b" has 2 rows, "a" has 1`:                          {Numeric("a", one), Categorical("b", []string{"x", "y"}, "")},
		`covariate "a": level "z": the reference level does not occur`: {Categorical("a", []string{"x", "y"}, "z")},
		`covariate "a": level "": the reference level does not occur`:  {Categorical("a", nil, "")},
		`row 2: field "a": value "NaN": missing value`:                 {Numeric("a", []float64{1, math.NaN()})},
		`row 1: field "a": value "-Inf": not a finite number`:          {Numeric("a", []float64{math.Inf(-1)})},
		`row 2: field "a": value "": missing value`:                    {Categorical("a", []string{"x", ""}, "")},
	} {
		if _, err := Code(given); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRowErrors(t *testing.T) {
	terms := []Term{{Name: "age"}, {"plan", []string{"basic", "pro"}}}
	age, plan := map[string]float64{"age": 1}, map[string]string{"plan": "pro"}
	for _, c := range []struct {
		numbers map[string]float64
		levels  map[string]string
		want    string
	}{
		{nil, plan, `covariate "age" has no finite number`},
		{map[string]float64{"age": math.NaN()}, plan, `covariate "age" has no finite number`},
		{age, nil, `covariate "plan" has level ""; the model knows basic, pro`},
		{age, map[string]string{"plan": "old"}, `covariate "plan" has level "old"; the model knows basic, pro`},
		{map[string]float64{"age": 1, "z": 1, "a": 1}, plan, `covariate "a" is not in the model`},
	} {
		if _, err := Row(terms, c.numbers, c.levels); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
