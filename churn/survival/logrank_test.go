package survival

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestComparisonsAgreeWithR(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/comparisons.json").Rows {
		part := strings.Split(row.Name, "/")
		set := "plain"
		by, o := Label("plan"), &TestOptions{}
		for _, p := range part[1:] {
			switch {
			case p == "truncated" || p == "both":
				set = p
			case p == "strata":
				o.Strata = Label("region")
			case p == "region":
				by = Label("region")
			case p == "gehan-wilcoxon":
				o.Weighting = GehanWilcoxon
			case p == "tarone-ware":
				o.Weighting = TaroneWare
			case p == "fleming-harrington" || p == "peto-peto" || strings.HasPrefix(p, "rho"):
				o.Weighting, o.Rho, o.Gamma = RhoGamma, float64(row.Args["rho"]), float64(row.Args["gamma"])
			}
		}
		c, err := Compare(readTenures(t, "testdata/tenures.csv", set), by, o)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{"chi_square": c.ChiSquare, "p": c.P}
		for g := range c.Groups {
			got[fmt.Sprint("observed", g)], got[fmt.Sprint("expected", g)] = c.Groups[g].Observed, c.Groups[g].Expected
			got[fmt.Sprint("score", g)] = c.Score[g]
			for h := range c.Groups {
				got[fmt.Sprint("cov", g*len(c.Groups)+h)] = c.Cov[g][h]
			}
		}
		if _, ok := row.Want["trend"]; ok {
			trend, err := c.Trend(map[string]float64{"basic": 1, "pro": 2, "team": 4})
			if err != nil {
				t.Fatal(err)
			}
			got["trend"] = trend.Z
		}
		for name := range row.Want {
			row.Check(t, name, got[name])
		}
	}
}

// Printed values of R's survdiff.
func TestPrintedComparisons(t *testing.T) {
	c, err := Compare(parseTenures(remission), Label("group"), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, []float64{c.Groups[0].Observed, c.Groups[1].Observed}, []float64{9, 21})
	digits(t, "expected 6-MP", c.Groups[0].Expected, 19.25050095, 8)
	digits(t, "expected control", c.Groups[1].Expected, 10.74949905, 8)
	digits(t, "variance", c.Cov[0][0], 6.256960574, 9)
	digits(t, "chi-square", c.ChiSquare, 16.79294099, 8)
	digits(t, "p", c.P, 4.168809e-05, 11)
	peto, _ := Compare(parseTenures(remission), Label("group"), &TestOptions{Weighting: PetoPeto})
	digits(t, "Peto-Peto", peto.ChiSquare, 14.45715082, 8)
	aml, _ := Compare(parseTenures(leukemia), Label("group"), nil)
	digits(t, "aml", aml.ChiSquare, 3.396388699, 9)
	digits(t, "aml expected", aml.Groups[0].Expected, 10.68933599, 8)
	digits(t, "aml expected", aml.Groups[1].Expected, 7.310664008, 9)
	toy, _ := Compare(tiedToy(), Label("group"), nil)
	digits(t, "ties", toy.ChiSquare, .2964233219, 10)
}

func TestComparisonInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, w := range []Weighting{LogRank, GehanWilcoxon, TaroneWare, PetoPeto, RhoGamma} {
		for range 20 {
			ts := randomTenures(r, 40, r.IntN(2) == 0, r.IntN(2) == 0)
			o := &TestOptions{Weighting: w}
			if w == RhoGamma {
				o.Rho, o.Gamma = 0.5, 0.5
			}
			c, err := Compare(ts, Label("group"), o)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, u := range c.Score {
				sum += u
			}
			if sum > 1e-9 || sum < -1e-9 {
				t.Errorf("%v: scores add up to %v", w, sum)
			}
			copies, _ := Compare(expand(ts), Label("group"), o)
			near(t, "duplicates", copies.ChiSquare, c.ChiSquare, 1e-10)
			r.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
			again, _ := Compare(ts, Label("group"), o)
			equal(t, again, c)
		}
	}
}

func TestComparisonErrors(t *testing.T) {
	one := []ledger.Tenure{{Duration: 1, Ended: true}, {Duration: 2}}
	if _, err := Compare(one, Label("plan"), nil); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("one group: %v", err)
	}
	censored := []ledger.Tenure{{Duration: 1}, {Duration: 2}}
	if _, err := Compare(censored, Label("plan"), nil); !errors.Is(err, ErrNoEvents) {
		t.Errorf("no events: %v", err)
	}
	apart := parseTenures("a: 1 2\nb: 1+ 0.5+")
	apart[2].Entry, apart[2].Duration = 5, 6
	_, err := Compare(apart, Label("group"), nil)
	wantText(t, err, "survival: comparison: no event while two groups were at risk: undefined")
	_, err = Compare(one, Label("plan"), &TestOptions{Rho: 1})
	wantText(t, err, "survival: options Rho and Gamma need Weighting RhoGamma, not log-rank")
	c, _ := Compare(parseTenures(remission), Label("group"), nil)
	_, err = c.Trend(map[string]float64{"6-MP": 1})
	wantText(t, err, `survival: trend: group "control" has no finite number`)
	if _, err = c.Trend(map[string]float64{"6-MP": 1, "control": 1}); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("equal numbers: %v", err)
	}
}
