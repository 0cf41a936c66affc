package risk

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// goldenRow returns a row of a golden file.
func goldenRow(t testing.TB, f golden.File, name string) golden.Row {
	t.Helper()
	for _, r := range f.Rows {
		if r.Name == name {
			if r.Tolerance == 0 {
				r.Tolerance = f.Tolerance
			}
			return r
		}
	}
	t.Fatalf("no golden row %q", name)
	return golden.Row{}
}

// checkRow checks every value of a row that got has, and that got has them all.
func checkRow(t *testing.T, r golden.Row, got map[string]float64) {
	t.Helper()
	for name := range r.Want {
		value, ok := got[name]
		if !ok {
			t.Errorf("%s: %s is not computed", r.Name, name)
			continue
		}
		r.Check(t, name, value)
	}
}

// vector names the elements of v as the generator does.
func vector(into map[string]float64, prefix string, v []float64) {
	for i, x := range v {
		into[prefix+strconv.Itoa(i)] = x
	}
}

// lower is the lower triangle by columns.
func lower(m [][]float64) []float64 {
	var v []float64
	for j := range m {
		for i := j; i < len(m); i++ {
			v = append(v, m[i][j])
		}
	}
	return v
}

// customers are the rows of testdata/customers.csv.
type customers struct {
	plan, cluster                              []string
	x1, x2, spend, weight, score, other, probs []float64
	left                                       []bool
}

func readCSV(t testing.TB, file string) []map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for j, v := range r {
			row[records[0][j]] = v
		}
		rows = append(rows, row)
	}
	return rows
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func readCustomers(t testing.TB) customers {
	t.Helper()
	var c customers
	for _, r := range readCSV(t, "testdata/customers.csv") {
		c.plan, c.cluster = append(c.plan, r["plan"]), append(c.cluster, r["cluster"])
		c.left = append(c.left, r["left"] == "1")
		for name, column := range map[string]*[]float64{"x1": &c.x1, "x2": &c.x2, "spend": &c.spend, "weight": &c.weight,
			"score": &c.score, "other": &c.other, "probability": &c.probs} {
			*column = append(*column, number(t, r[name]))
		}
	}
	return c
}

func (c customers) design(t testing.TB) *Design {
	t.Helper()
	return mustDesign(t, Categorical("plan", c.plan, "basic"), Numeric("x1", c.x1), Numeric("x2", c.x2), Numeric("spend", c.spend))
}

func mustDesign(t testing.TB, cs ...Covariate) *Design {
	t.Helper()
	d, err := NewDesign(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readTenures(t testing.TB) ([]ledger.Tenure, *Design) {
	t.Helper()
	var ts []ledger.Tenure
	var x1 []float64
	for _, r := range readCSV(t, "testdata/tenures.csv") {
		ts = append(ts, ledger.Tenure{Customer: r["customer"], Entry: number(t, r["entry"]), Duration: number(t, r["duration"]),
			Ended: r["ended"] == "1", Weight: number(t, r["weight"]), Labels: map[string]string{"plan": r["plan"]}})
		x1 = append(x1, number(t, r["x1"]))
	}
	return ts, mustDesign(t, LabelCovariate("plan", ts, "basic"), Numeric("x1", x1))
}

func unweighted(ts []ledger.Tenure) []ledger.Tenure {
	out := append([]ledger.Tenure(nil), ts...)
	for i := range out {
		out[i].Weight = 0
	}
	return out
}

func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), 1e-300)
}

// errorText checks an error's text by its beginning or, with "...", by its parts.
func errorText(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %q", name, want)
		return
	}
	rest := err.Error()
	for _, part := range strings.Split(want, "...") {
		at := strings.Index(rest, part)
		if at < 0 {
			t.Errorf("%s: error %q, want %q", name, err, want)
			return
		}
		rest = rest[at+len(part):]
	}
	if !strings.Contains(want, "...") && err.Error() != want {
		t.Errorf("%s: error %q, want %q", name, err, want)
	}
}

func sprint(v any) string { return fmt.Sprintf("%+v", v) }
