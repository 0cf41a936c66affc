package survival

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestSubdistributionAgreesWithR(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/subdistribution.json").Rows {
		set, reason, _ := strings.Cut(row.Name, "/")
		ts, d, _ := coxCase(t, set)
		rows, source, err := Subdistribution(ts, reason)
		must(t, err)
		picked, err := d.Pick(source)
		must(t, err)
		f, err := FitCox(context.Background(), rows, picked, &CoxOptions{Cluster: Customer})
		must(t, err)
		got := map[string]float64{"log_lik": f.Estimate.LogLik, "robust_score": f.RobustScore.Statistic}
		putVector(got, "coef", f.Estimate.Model.Coef)
		putMatrix(got, "cov", f.Estimate.Cov)
		putMatrix(got, "naive", f.NaiveCov)
		checkAll(t, row, got)
	}
}

// Customers 1 and 4 leave for another reason; G falls to 5/6 at 2, 5/8 at 4 and 5/16 at 6.
func TestSubdistributionRows(t *testing.T) {
	var ts []ledger.Tenure
	for i, reason := range []string{"b", "", "a", "b", "", "a", "", "a"} {
		ts = append(ts, ledger.Tenure{Duration: []float64{1, 2, 2, 3, 4, 5, 6, 7}[i], Ended: reason != "", Reason: reason})
	}
	rows, source, err := Subdistribution(ts, "a")
	must(t, err)
	type stretch struct {
		Source               int
		Entry, Until, Weight float64
		Ended                bool
	}
	var got []stretch
	for k, r := range rows {
		got = append(got, stretch{source[k], r.Entry, r.Duration, r.Weight, r.Ended})
	}
	want := []stretch{{0, 0, 1, 0, false}, {0, 1, 2, 1, false}, {0, 2, 5, .625, false}, {0, 5, 7, .3125, false}, {1, 0, 2, 0, false},
		{2, 0, 2, 0, true}, {3, 0, 3, 0, false}, {3, 3, 5, .75, false}, {3, 5, 7, .375, false}, {4, 0, 4, 0, false},
		{5, 0, 5, 0, true}, {6, 0, 6, 0, false}, {7, 0, 7, 0, true}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-14, 0)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if rows[1].Customer != "#1" {
		t.Errorf("customer %q", rows[1].Customer)
	}
	if _, _, err := Subdistribution(ts, "c"); !errors.Is(err, ErrNoEvents) {
		t.Errorf("got %v", err)
	}
	ts[2].Entry = 1
	_, _, err = Subdistribution(ts, "a")
	wantText(t, err, `survival: row 3: field "Entry": value "1": entries are not supported here`)
	ts[2].Duration = math.NaN()
	_, _, err = Subdistribution(ts, "a")
	wantText(t, err, `survival: row 3: field "Duration": value "NaN": not a finite number`)
	d, _ := NewDesign(Numeric("x", []float64{1}))
	_, err = d.Pick([]int{1})
	wantText(t, err, "survival: design: row 1 is taken from row 2 of 1")
}

// A tenure of weight 3 is three tenures, in the weights of observation too.
func TestSubdistributionWeightsAreDuplicates(t *testing.T) {
	ts, d, _ := coxCase(t, "weighted")
	var source []int
	for i := range ts {
		for range int(ts[i].Weight) {
			source = append(source, i)
		}
	}
	copies, err := d.Pick(source)
	must(t, err)
	estimate := func(ts []ledger.Tenure, d *Design) []float64 {
		rows, source, err := Subdistribution(ts, "voluntary")
		must(t, err)
		picked, err := d.Pick(source)
		must(t, err)
		f, err := FitCox(context.Background(), rows, picked, &CoxOptions{Ties: Breslow})
		must(t, err)
		return f.Estimate.Model.Coef
	}
	if diff := cmp.Diff(estimate(ts, d), estimate(expand(ts), copies), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("(-weights +duplicates)\n%s", diff)
	}
}
