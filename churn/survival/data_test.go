package survival

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// remission is Freireich's trial of 6-mercaptopurine (Gehan, Biometrika 52, 1965): weeks in remission, + for censored.
const remission = `6-MP: 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+
control: 1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23`

// leukemia is the maintenance trial of Miller, Survival Analysis (1981), page 49: R's aml.
const leukemia = `Maintained: 9 13 13+ 18 23 28+ 31 34 45+ 48 161+
Nonmaintained: 5 5 8 8 12 16+ 23 27 30 33 43 45`

// parseTenures reads lines of "group: 6 6+ 7" into tenures with a label "group".
func parseTenures(text string) []ledger.Tenure {
	var ts []ledger.Tenure
	for _, line := range strings.Split(text, "\n") {
		name, times, _ := strings.Cut(line, ":")
		for _, f := range strings.Fields(times) {
			x, err := strconv.ParseFloat(strings.TrimSuffix(f, "+"), 64)
			if err != nil {
				panic(err)
			}
			ts = append(ts, ledger.Tenure{Duration: x, Ended: !strings.HasSuffix(f, "+"),
				Labels: map[string]string{"group": name}})
		}
	}
	return ts
}

// only returns the tenures of one group.
func only(ts []ledger.Tenure, group string) []ledger.Tenure {
	var out []ledger.Tenure
	for _, t := range ts {
		if t.Labels["group"] == group {
			out = append(out, t)
		}
	}
	return out
}

// readTable reads a CSV of testdata as records by column name.
func readTable(t testing.TB, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for j, h := range rows[0] {
			m[h] = row[j]
		}
		out = append(out, m)
	}
	return out
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// readTenures reads a CSV of testdata; the set says whether its weights and entries count.
func readTenures(t testing.TB, path, set string) []ledger.Tenure {
	t.Helper()
	var ts []ledger.Tenure
	for _, r := range readTable(t, path) {
		x := ledger.Tenure{Customer: r["customer"], Duration: number(t, r["duration"]), Ended: r["ended"] == "1",
			Reason: r["reason"], Labels: map[string]string{"plan": r["plan"], "region": r["region"]}}
		if set == "weighted" || set == "both" {
			x.Weight = number(t, r["weight"])
		}
		if set == "truncated" || set == "both" {
			x.Entry = number(t, r["entry"])
		}
		ts = append(ts, x)
	}
	return ts
}

// near fails the test unless got agrees with want to a relative tolerance.
func near(t testing.TB, name string, got, want, tolerance float64) {
	t.Helper()
	if !golden.Close(got, want, tolerance) {
		t.Errorf("%s: got %.12g, want %.12g", name, got, want)
	}
}

// digits fails the test unless got rounds to the printed value, which has that many digits after the point.
func digits(t testing.TB, name string, got, want float64, after int) {
	t.Helper()
	if !(math.Abs(got-want) <= 0.5000001*math.Pow(10, -float64(after))) {
		t.Errorf("%s: got %.12g, want %.12g to %d digits", name, got, want, after)
	}
}
