// Package golden loads expected values for tests. A value counts only with its source: a published table or the script
// that computed it. Files are JSON so that generators in any language can write them:
//
//	{"source": "computed with 50 digits", "generator": "testdata/gen.py", "tolerance": 1e-13,
//	 "rows": [{"name": "x=3", "args": {"x": 3}, "want": {"ln_l": -12.3}}]}
package golden

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// A File is a set of expected values.
type File struct {
	Source    string  `json:"source"`    // authors, table and equation, or how the values were computed
	Generator string  `json:"generator"` // the script that wrote the file, relative to the package; empty for published tables
	Tolerance float64 `json:"tolerance"` // relative, for rows that do not state their own
	Rows      []Row   `json:"rows"`
}

// A Row is one point with its expected values.
type Row struct {
	Name      string           `json:"name"`
	Source    string           `json:"source"` // where it differs from the file's
	Args      map[string]Float `json:"args"`
	Want      map[string]Float `json:"want"`
	Tolerance float64          `json:"tolerance"`
}

// A Float is read from a JSON number or from a string, so that a generator can write more digits than a float64 has
// and the words inf, -inf and nan.
type Float float64

// UnmarshalJSON reads a number or a quoted one.
func (f *Float) UnmarshalJSON(text []byte) error {
	s := string(text)
	if len(s) > 1 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	v, err := strconv.ParseFloat(s, 64)
	*f = Float(v)
	return err
}

// Load reads a file of the calling test's package and fails the test if a row has no source, no name or no expected
// value, if the generator does not stand beside it, or if a tolerance is missing or would pass with a result of 0.
func Load(t testing.TB, path string) File {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if f.Generator != "" {
		if _, err := os.Stat(filepath.FromSlash(f.Generator)); err != nil {
			t.Fatalf("%s: the generator is missing: %v", path, err)
		}
	}
	if len(f.Rows) == 0 {
		t.Fatalf("%s: no rows", path)
	}
	for i := range f.Rows {
		f.complete(t, path, &f.Rows[i])
	}
	return f
}

func (f File) complete(t testing.TB, path string, r *Row) {
	t.Helper()
	if r.Source == "" {
		r.Source = f.Source
	}
	if r.Tolerance == 0 {
		r.Tolerance = f.Tolerance
	}
	switch {
	case r.Name == "" || len(r.Want) == 0:
		t.Fatalf("%s: a row without name or expected value: %+v", path, *r)
	case r.Source == "":
		t.Fatalf("%s: row %q has no source", path, r.Name)
	case !(r.Tolerance > 0 && r.Tolerance < 0.5):
		t.Fatalf("%s: row %q: tolerance %v: want a relative one above 0 and below 0.5", path, r.Name, r.Tolerance)
	}
}

// Check fails the test unless got agrees with the expected value of that name within the row's relative tolerance.
// An expected 0, infinity or NaN must be met exactly.
func (r Row) Check(t testing.TB, name string, got float64) {
	t.Helper()
	w, ok := r.Want[name]
	if !ok {
		t.Fatalf("%s: no expected value %q", r.Name, name)
	}
	want := float64(w)
	if !Close(got, want, r.Tolerance) {
		t.Errorf("%s: %s = %.17g, want %.17g (relative difference %.2g, allowed %.2g; %s)",
			r.Name, name, got, want, math.Abs(got-want)/math.Abs(want), r.Tolerance, r.Source)
	}
}

// Close reports whether got is within a relative tolerance of want; 0, infinities and NaN must be met exactly.
func Close(got, want, tolerance float64) bool {
	switch {
	case math.IsNaN(want):
		return math.IsNaN(got)
	case math.IsInf(want, 0) || want == 0:
		return got == want
	}
	return math.Abs(got-want) <= tolerance*math.Abs(want)
}
