package cac_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/google/go-cmp/cmp"
)

var sixDecimals = regexp.MustCompile(`(\.\d{6})\d+`)

// Every table as CSV, in full: column names, plain numbers, empty cells where a ratio is undefined.
func TestCSV(t *testing.T) {
	ctx := context.Background()
	log := []ledger.Transaction{
		{Customer: "a", At: day(2025, 1, 2), Product: "tea", Channel: "ads", Amount: usd("30"), Cost: usd("10"), Quantity: 2},
		{Customer: "b", At: day(2025, 1, 3), Product: "pot", Channel: "seo", Amount: usd("9.5")},
		{Customer: "a", At: day(2025, 3, 3), Product: "tea", Channel: "seo", Amount: usd("15"), Cost: usd("5"), Quantity: 1},
	}
	won, err0 := cac.Acquire(ctx, ledger.Transactions(log), &cac.AcquireOptions{Dormant: time.Hour})
	profit, err1 := cac.Profitability(ctx, ledger.Transactions(log), cac.ProductOf, nil)
	serve, err2 := cac.CostToServe(ctx, ledger.Transactions(log), ledger.Slice([]ledger.Event{{Customer: "b", At: day(2025, 1, 4), Name: "call"}}), map[string]money.Amount{"call": usd("4")}, nil, .5)
	cohorts, err3 := cac.ByCohort([]cac.Cost{{Amount: usd("40"), Date: day(2025, 1, 1)}}, won.Customers(), nil, jan)
	curves, err4 := cac.PaybackCurves(ctx, ledger.Transactions(log), won.Customers(), cohorts, day(2025, 3, 1), &cac.CurveOptions{Margin: .5})
	rates, err5 := cac.ConversionRates([]cac.Traffic{{Platform: "web", Visits: 4, Conversions: 1, Spend: usd("3")}, {Platform: "tv", Visits: 2}}, "visits", 0)
	attributed, err6 := cac.AttributeCAC(map[string]money.Amount{"ads": usd("10")}, map[string]float64{"ads": 2.5, "seo": 1})
	loyalty, err7 := cac.LoyaltyProgram{PointValue: usd("0.01"), Redemption: .5, Tiers: []cac.Tier{{Name: "gold", Members: 2, Profit: usd("9"), Points: 400}, {Name: "new"}}}.Evaluate()
	stacked, err8 := cac.StackedCost(usd("20"), cac.Stage{Name: "lead", Count: 4, Each: usd("1")}, cac.Stage{Name: "win", Count: 2})
	if err := errors.Join(err0, err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		x    interface{ WriteCSV(io.Writer) error }
		want string
	}{
		{"acquisitions", won, "customer,acquired,channel,campaign,first_order,currency,refunded,reactivations\n" +
			"a,2025-01-02T00:00:00Z,ads,,30.00,USD,false,1\nb,2025-01-03T00:00:00Z,seo,,9.50,USD,false,0\n"},
		{"profit", profit, "group,lines,units,sales,refunds,revenue,cost,profit,margin,spend,net,discounts,lines_without_cost,currency\n" +
			"tea,2,3,45.00,0.00,45.00,15.00,30.00,0.666666,0.00,30.00,0.00,0,USD\npot,1,0,9.50,0.00,9.50,0.00,,,0.00,,0.00,1,USD\n"},
		{"cost to serve", serve, "group,customers,revenue,profit,cost_to_serve,cost_per_customer,contribution,cost_share,currency\n" +
			"a,1,45.00,30.00,0.00,0.00,30.00,0,USD\nb,1,9.50,4.75,4.00,4.00,0.75,0.421052,USD\n"},
		{"curves", curves, "start,end,customers,currency,spend,month,profit,returned,status,payback_months\n" +
			"2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,2,USD,40.00,1,19.75,0.49375,not_yet,\n"},
		{"rates", rates, "platform,visits,conversions,rate,low,high,share,spend,cost_per_conversion,currency\n" +
			"tv,2,0,0,0,0.657619,0,0.00,,USD\nweb,4,1,0.25,0.045587,0.699358,1,3.00,3.00,USD\n"},
		{"attributed", attributed, "channel,currency,spend,credit,cac\nads,USD,10.00,2.5,4.00\nseo,USD,0.00,1,0.00\n"},
		{"loyalty", loyalty, "tier,members,gain,points_cost,fixed,cost,net,roi,liability,breakage,currency\n" +
			"gold,2,18.00,2.00,0.00,2.00,16.00,8,2.00,2.00,USD\nnew,0,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,USD\n"},
		{"stacked", stacked, "stage,count,rate,each,spend,cost_per,per_final,currency\nlead,4,1,1.00,4.00,6.00,2.00,USD\nwin,2,0.5,0.00,0.00,12.00,0.00,USD\n"},
	} {
		var b strings.Builder
		if err := c.x.WriteCSV(&b); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, sixDecimals.ReplaceAllString(b.String(), "$1")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if j, err := json.Marshal(c.x); err != nil || !json.Valid(j) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAcquisitionsPrint(t *testing.T) {
	log := []ledger.Transaction{order("a", "1", day(2025, 1, 2), "5", "ads"), order("b", "2", day(2025, 1, 2), "5", ""), order("b", "2", day(2025, 1, 3), "-5", ""), order("c", "3", day(2025, 1, 2), "0", "")}
	a, err := cac.Acquire(context.Background(), ledger.Transactions(log), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "channel  customers  refunded  reactivated\n(none)           1         1            0\nads              1         0            0\n(total)          2         1            0\ntrials: 1\n"
	if diff := cmp.Diff(want, a.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A driver of one fixed answer, to read cost lines from SQL.
type answer struct{ at int }

func (a *answer) Open(string) (driver.Conn, error)           { return a, nil }
func (a *answer) Prepare(string) (driver.Stmt, error)        { return a, nil }
func (a *answer) Close() error                               { return nil }
func (a *answer) Begin() (driver.Tx, error)                  { return nil, errors.New("no transactions") }
func (a *answer) NumInput() int                              { return 0 }
func (a *answer) Exec([]driver.Value) (driver.Result, error) { return nil, errors.New("read only") }
func (a *answer) Query([]driver.Value) (driver.Rows, error)  { return &answer{}, nil }
func (a *answer) Columns() []string {
	return []string{"amount", "currency", "date", "channel", "category"}
}
func (a *answer) Next(row []driver.Value) error {
	lines := [][]driver.Value{{"12.50", "USD", day(2025, 1, 2), "ads", "paid_media"}, {int64(-3), "USD", day(2025, 1, 9), nil, "beer"}}
	if a.at == len(lines) {
		return io.EOF
	}
	copy(row, lines[a.at])
	a.at++
	return nil
}

// connector opens answers.
type connector struct{ *answer }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.answer, nil }
func (c connector) Driver() driver.Driver                        { return c.answer }

func TestCostsFromRows(t *testing.T) {
	db := sql.OpenDB(connector{&answer{}})
	defer db.Close()
	rows, err := db.Query("select")
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	got, err := ledger.Collect(ledger.Skip(cac.CostsFromRows(context.Background(), rows, nil), func(e *ledger.RowError) { bad = append(bad, e.Error()) }))
	want := []cac.Cost{{Amount: usd("12.50"), Date: day(2025, 1, 2), Channel: "ads", Category: cac.PaidMedia}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if !slices.Equal(bad, []string{`row 2: field "category": value "beer": unknown category`}) {
		t.Errorf("%q", bad)
	}
}

func TestWords(t *testing.T) {
	ratios, err := cac.CARRRatios(usd("1000"), usd("300"), usd("500"), usd("500"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{ratios.String(), "blended CAC ratio 1.00, new CAC ratio 0.60 (less than blended: check how costs are split between new customers and expansion)"},
		{cac.Place{}.String(), ""},
		{cac.Place{Dimension: "region", Group: "north", Period: jan}.String(), `region "north", period 2025-01`},
		{cac.Basis{Shares: map[cac.Category]float64{cac.Payroll: .5}}.String(), "custom"},
		{cac.Payback{Status: cac.PaidBack, Months: 2.5, Whole: 3}.String(), "2.5 months (month 3)"},
		{cac.Payback{Status: cac.Never}.Err().Error(), "cac: never pays back"},
		{cac.Payback{Status: cac.NotYet, Observed: 3}.Err().Error(), "cac: not enough history: not paid back after 3 months"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
	if got, err := cac.GrossMarginMagicNumber(usd("80"), usd("104"), usd("120")); err != nil || got != .8 {
		t.Errorf("%v, %v", got, err)
	}
	if err := (cac.Payback{Status: cac.PaidBack}).Err(); err != nil {
		t.Error(err)
	}
}
