package clv_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// TestDynamicOnCDNOW fits the seasons of the CDNOW sample: the quarters of 1997 to its usual end of observation, and the
// weeks before Christmas and the quarters over the whole year and a half.
func TestDynamicOnCDNOW(t *testing.T) {
	ctx := context.Background()
	quarters := []clv.CalendarRow{
		{Name: "quarter", Level: "1", Until: on("1997-04-01")},
		{Name: "quarter", Level: "2", From: on("1997-04-01"), Until: on("1997-07-01")},
		{Name: "quarter", Level: "3", From: on("1997-07-01"), Until: on("1997-10-01")},
	}
	year := append([]clv.CalendarRow{
		{Name: "quarter", Level: "4", From: on("1997-10-01"), Until: on("1998-01-01")},
		{Name: "quarter", Level: "1", From: on("1998-01-01"), Until: on("1998-04-01")},
		{Name: "quarter", Level: "2", From: on("1998-04-01"), Until: on("1998-07-01")},
		{Name: "christmas", Until: on("1997-11-24")},
		{Name: "christmas", Value: 1, From: on("1997-11-24"), Until: on("1997-12-25")},
		{Name: "christmas", From: on("1997-12-25"), Until: on("1998-07-01")},
	}, quarters...)
	for _, c := range []struct {
		end  string
		rows []clv.CalendarRow
		o    *clv.CovOptions
	}{
		{"1997-09-30", quarters, &clv.CovOptions{On: map[string][]string{"Beta": {}}}},
		{"1997-09-30", quarters, nil},
		{"1998-06-30", year, nil},
	} {
		_ = cdnow(t) // skips where the data are absent
		f, err := os.Open(filepath.Join(os.Getenv("CUSTVAL_DATA"), "cdnow.csv"))
		if err != nil {
			t.Fatal(err)
		}
		calendar, err := clv.NewCalendar(ctx, calendarRows(c.rows...), nil)
		if err != nil {
			t.Fatal(err)
		}
		log := ledger.ReadCSV(ctx, f, &ledger.CSVOptions{Currency: "USD"})
		hs, d, err := clv.SummarizeDynamic(ctx, log, calendar, on(c.end), clv.Week, nil)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := clv.FitParetoNBD(ctx, hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := clv.FitDynamicParetoNBD(ctx, hs, d, c.o)
		if err != nil || e.Stop != fit.Converged {
			t.Fatal(e, err)
		}
		sum := 0.0
		for i, h := range hs.Rows {
			sum += e.Model.Along(d.Path(i)).LogLikelihood(h)
		}
		if e.LogLik < plain.LogLik || !golden.Close(e.LogLik, sum, 1e-12) {
			t.Errorf("log-likelihood %v, sum %v, without covariates %v", e.LogLik, sum, plain.LogLik)
		}
		lr, err := fit.Test(plain.Summary(), e.Summary())
		t.Logf("%v\n%+v, %v", e, lr, err)
	}
}
