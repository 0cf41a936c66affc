package validate_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// candidate turns a fit into a candidate of a back-test.
func candidate[M clv.Model](name string, f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error)) validate.Candidate {
	return validate.Candidate{Name: name, Fit: func(ctx context.Context, hs *clv.Histories) (validate.Forecaster, error) {
		e, err := f(ctx, hs, nil)
		if err != nil {
			return nil, err
		}
		return e.Model, nil
	}}
}

// TestCDNOWBacktest ranks every model on the public data set, 39 weeks ahead from the end of the published calibration
// period; docs/VALIDATION.md shows the table and explains it.
func TestCDNOWBacktest(t *testing.T) {
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	ctx := context.Background()
	d, err := validate.ReadDiary(ctx, ledger.ReadCSV(ctx, f, &ledger.CSVOptions{Currency: "USD"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	ranks, err := d.Backtest(ctx, clv.Week, []time.Time{date("1997-09-30")}, 39,
		candidate("NBD", clv.FitNBD), candidate("BG/NBD", clv.FitBGNBD), candidate("MBG/NBD", clv.FitMBGNBD), candidate("Pareto/NBD", clv.FitParetoNBD), candidate("GGompertz/NBD", clv.FitGGompertzNBD),
		candidate("BG/CNBD-k", func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.BGCNBD], error) {
			return clv.FitBGCNBD(ctx, hs, 0, o)
		}),
		candidate("MBG/CNBD-k", func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
			return clv.FitMBGCNBD(ctx, hs, 0, o)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", ranks)
	byName := make(map[string]validate.Rank)
	for _, r := range ranks {
		if len(r.Failed) > 0 {
			t.Errorf("%s: %v", r.Name, r.Failed)
		}
		byName[r.Name] = r
	}
	for _, name := range []string{"BG/NBD", "MBG/NBD", "Pareto/NBD"} {
		if !(byName[name].RMSE < byName[validate.Naive].RMSE) {
			t.Errorf("%s does not beat the naive forecast:\n%s", name, ranks)
		}
	}
}
