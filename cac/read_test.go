package cac_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/google/go-cmp/cmp"
)

func read(text string, o *ledger.CSVOptions) ([]cac.Cost, error) {
	return ledger.Collect(cac.ReadCosts(context.Background(), strings.NewReader(text), o))
}

func TestReadCosts(t *testing.T) {
	got, err := read("tarih;tutar;kanal;category;function;charge;units;start;end\n"+
		"31.12.2025;1.234,56;arama;paid_media;;;;;\n"+
		";31.000,00;;payroll;sales;fixed;;01.01.2025;31.01.2025\n"+
		"02.01.2025;0,50;posta;other;marketing;per_unit;300;;\n"+
		";20;;commission;sales;per_customer;;;\n"+
		"03.01.2025;-150;arama;;;;;;\n",
		&ledger.CSVOptions{Columns: map[string]string{"date": "tarih", "amount": "tutar", "channel": "kanal"}, Comma: ';', DecimalMark: ',', Grouping: '.', Layouts: []string{"02.01.2006"}, Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	want := []cac.Cost{
		{Amount: usd("1234.56"), Date: day(2025, 12, 31), Channel: "arama", Category: cac.PaidMedia},
		{Amount: usd("31000"), Period: jan, Category: cac.Payroll, Function: cac.Sales, Charge: cac.Fixed},
		{Amount: usd("0.50"), Date: day(2025, 1, 2), Channel: "posta", Category: cac.Other, Function: cac.Marketing, Charge: cac.PerUnit, Units: 300},
		{Amount: usd("20"), Category: cac.Commission, Function: cac.Sales, Charge: cac.PerCustomer},
		{Amount: usd("-150"), Date: day(2025, 1, 3), Channel: "arama"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := cac.WriteCosts(&b, got); err != nil {
		t.Fatal(err)
	}
	again, err := read(b.String(), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	for i := range want { // empty words are written out
		if want[i].Category == "" {
			want[i].Category = cac.Other
		}
		if want[i].Function == "" {
			want[i].Function = cac.Marketing
		}
		if want[i].Charge == "" {
			want[i].Charge = cac.Fixed
		}
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("written and read back (-want +got):\n%s", diff)
	}
}

func TestReadCostsErrors(t *testing.T) {
	for _, c := range []struct{ row, want string }{
		{"x,USD,2025-01-01,,,,,", `field "amount": value "x"`},
		{"1,USD,,,,,,", `cac: row 1: field "date": value "": neither date nor period`},
		{"1,USD,,2025-01-01,,,,", `cac: row 1: field "end": value "": a start without an end`},
		{"1,USD,,,2025-01-01,,,", `cac: row 1: field "start": value "": an end without a start`},
		{"1,USD,,2025-01-02,2025-01-01,,,", `cac: row 1: field "end": value "2025-01-01": the end is not after the start`},
		{"1,USD,2025-01-01,,,beer,,", `cac: row 1: field "category": value "beer": unknown category`},
		{"1,USD,2025-01-01,,,,per_unit,-3", `cac: row 1: field "units": value "-3": negative`},
		{"1,USD,2025-01-01,,,,per_customer,", `cac: row 1: field "date": value "2025-01-01": a cost per customer has a period, or neither date nor period`},
		{"1,,2025-01-01,,,,,", `field "currency"`},
		{"1,USD,yesterday,,,,,", `field "date": value "yesterday"`},
	} {
		_, err := read("amount,currency,date,start,end,category,charge,units\n"+c.row+"\n", nil)
		var bad *ledger.RowError
		if err == nil || !errors.As(err, &bad) || bad.Row != 1 || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "cac: ") {
			t.Errorf("%s: %v, want %s", c.row, err, c.want)
		}
	}
}

func TestPeriodsOfOneDayAndInOtherZones(t *testing.T) {
	zone := time.FixedZone("UTC+3", 3*60*60)
	exact, err := read("amount,currency,start,end\n1,USD,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z\n", nil)
	if err != nil || !exact[0].Period.End.Equal(jan.End) {
		t.Errorf("with a clock the end is the moment after: %v, %v", exact, err)
	}
	got, err := read("amount,start,end\n1,2025-01-01,2025-01-01\n", &ledger.CSVOptions{Currency: "USD", Location: zone})
	if err != nil {
		t.Fatal(err)
	}
	if want := ledger.Day(time.Date(2025, 1, 1, 0, 0, 0, 0, zone), nil); !got[0].Period.Start.Equal(want.Start) || !got[0].Period.End.Equal(want.End) {
		t.Errorf("%v, want %v", got[0].Period, want)
	}
}

func FuzzReadCosts(f *testing.F) {
	f.Add("amount,currency,date\n1.50,USD,2025-01-01\n")
	f.Add("amount,currency,start,end,category,function,charge,units\n-3,EUR,2025-01-01,2025-02-01,other,sales,per_unit,5\n")
	f.Add("amount,currency,date\n\"1,50\",usd,\n")
	f.Fuzz(func(t *testing.T, text string) {
		var good []cac.Cost
		for c, err := range cac.ReadCosts(context.Background(), strings.NewReader(text), nil) {
			if err == nil {
				good = append(good, c)
			}
		}
		for _, c := range good {
			if err := c.Validate(); err != nil {
				t.Fatalf("a line was read that is not valid: %+v: %v", c, err)
			}
		}
		cac.Analyze(context.Background(), good, nil, &cac.Options{By: cac.PerChannel, Periods: []ledger.Period{jan, feb}, Sharing: cac.Sharing{Rule: cac.BySpend}}) //nolint:errcheck // it must not panic
	})
}
