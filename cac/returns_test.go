package cac_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/google/go-cmp/cmp"
)

func observations(stratum string, after ...string) []cac.Observation {
	var out []cac.Observation
	for _, a := range after {
		out = append(out, cac.Observation{After: usd(a), Before: usd("0"), Stratum: stratum})
	}
	return out
}

func TestMatchUplift(t *testing.T) {
	data := map[string][2][]cac.Observation{
		"welch": {observations("", "20", "0", "35", "52.5", "10", "24", "30", "75", "0", "18"), observations("", "12.5", "0", "30", "45", "0", "18", "22.5", "60", "0", "15")},
		"strata": {join(observations("b", "40", "55", "61.25"), observations("a", "10", "12.5", "9", "14"), observations("alone", "1000", "1000")),
			join(observations("a", "8", "9.5", "7"), observations("b", "38", "52", "41", "44", "30.5"), observations("c", "1"))},
	}
	for _, row := range golden.Load(t, "testdata/uplift.json").Rows {
		d := data[row.Name]
		u, err := cac.MatchUplift(d[0], d[1], &cac.UpliftOptions{Level: float64(row.Args["level"])})
		if err != nil {
			t.Fatal(err)
		}
		row.Check(t, "estimate", u.Estimate)
		row.Check(t, "std_err", u.StdErr)
		row.Check(t, "df", u.DF)
		for _, bound := range []struct {
			got  money.Amount
			name string
		}{{u.Low, "low"}, {u.High, "high"}} {
			if want := float64(row.Want[bound.name]); bound.got.Float64() < want-.005001 || bound.got.Float64() > want+.005001 {
				t.Errorf("%s: %s %v, want %v to the cent", row.Name, bound.name, bound.got, want)
			}
		}
		if row.Name == "strata" && (u.Unmatched != 2 || u.Strata != 2 || u.Members != 7 || u.Others != 8) {
			t.Errorf("%+v", u)
		}
	}
}

// Members spent more before they joined. Without matching the program seems to be worth 60 a member; matched on what
// they spent before it is worth the 10 that it is, and so in difference of differences.
func TestMatchingRemovesSelection(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var members, others []cac.Observation
	for range 4000 {
		before := 20 + r.IntN(100)
		joins := r.IntN(120) < before
		after := before + r.IntN(5) - 2
		o := cac.Observation{Before: minor(int64(before) * 100)}
		if joins {
			o.After = minor(int64(after+10) * 100)
			members = append(members, o)
		} else {
			o.After = minor(int64(after) * 100)
			others = append(others, o)
		}
	}
	naive, err1 := cac.MatchUplift(members, others, nil)
	matched, err2 := cac.MatchUplift(members, others, &cac.UpliftOptions{Bins: 50})
	did, err3 := cac.MatchUplift(members, others, &cac.UpliftOptions{Difference: true})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if naive.Estimate < 25 {
		t.Errorf("the naive estimate should be far too high, got %v", naive)
	}
	for _, u := range []cac.Uplift{matched, did} {
		if u.Estimate < 10-4*u.StdErr-.3 || u.Estimate > 10+4*u.StdErr+.3 { // a bin is two units of Before wide at most
			t.Errorf("uplift %v, want 10", u)
		}
	}
}

func minor(units int64) money.Amount {
	a, err := money.FromMinor(units, "USD")
	if err != nil {
		panic(err)
	}
	return a
}

func order(customer, id string, at time.Time, amount, channel string) ledger.Transaction {
	return ledger.Transaction{Customer: customer, ID: id, At: at, Amount: usd(amount), Channel: channel}
}

func TestAcquire(t *testing.T) {
	log := []ledger.Transaction{
		order("ada", "1", day(2025, 1, 5), "0", "trial"),   // a trial is no acquisition
		order("ada", "2", day(2025, 1, 20), "30", "mail"),  // the first paid order
		order("ada", "2", day(2025, 1, 20), "12", "mail"),  // with two lines
		order("ada", "2", day(2025, 1, 25), "-12", "mail"), // one sent back
		order("ada", "3", day(2025, 6, 1), "50", "ads"),    // back after a long silence
		order("ben", "4", day(2025, 1, 7), "20", "ads"),    //
		order("ben", "4", day(2025, 1, 9), "-20", "ads"),   // refunded inside the window
		order("cleo", "5", day(2025, 1, 8), "20", "ads"),   //
		order("cleo", "5", day(2025, 3, 9), "-20", "ads"),  // refunded long after it
		order("dan", "6", day(2025, 1, 8), "0", "ads"),     // never paid
		order("eve", "", day(2025, 2, 1), "10", "tv"),      // without order numbers
		order("eve", "", day(2025, 2, 3), "-4", ""),        // a refund before the second purchase is of the first
		order("eve", "", day(2025, 2, 5), "6", "ads"),      //
		order("eve", "", day(2025, 2, 6), "-6", ""),        // and one after it is not
		order("gus", "9", day(2025, 2, 2), "-5", "ads"),    // a refund at the very moment
		order("gus", "9", day(2025, 2, 2), "8", "seo"),     //
		order("fay", "7", day(2025, 2, 2), "9", "seo"),     // two channels at the same moment:
		order("fay", "8", day(2025, 2, 2), "9", "ads"),     // the first in the alphabet
	}
	o := &cac.AcquireOptions{RefundWindow: 30 * 24 * time.Hour, Dormant: 90 * 24 * time.Hour}
	r := rand.New(rand.NewPCG(1, 2))
	var want *cac.Acquisitions
	for range 20 {
		a, err := cac.Acquire(context.Background(), ledger.Transactions(log), o)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = a
		}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Fatalf("the order of rows matters (-want +got):\n%s", diff)
		}
		r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	}
	var got []string
	for _, a := range want.Rows {
		got = append(got, strings.Join([]string{a.Customer.ID, a.Customer.Acquired.Format(time.DateOnly), a.Customer.Channel, a.FirstOrder.String()}, " "))
	}
	if diff := cmp.Diff([]string{"ada 2025-01-20 mail USD 30.00", "ben 2025-01-07 ads USD 0.00", "cleo 2025-01-08 ads USD 20.00",
		"eve 2025-02-01 tv USD 6.00", "fay 2025-02-02 ads USD 9.00", "gus 2025-02-02 seo USD 3.00"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want.Trials != 1 || len(want.Customers()) != 6 {
		t.Errorf("%d trials, %d customers", want.Trials, len(want.Customers()))
	}
	valid := want.Valid()
	if valid("ben") || !valid("cleo") || !valid("ada") {
		t.Error("ben is refunded inside the window, cleo and ada are not")
	}
	if rev, err := want.FirstRevenue(jan); err != nil || rev.String() != "USD 50.00" {
		t.Errorf("first revenue %v, %v", rev, err)
	}
	if n := want.Reactivations(ledger.Month(2025, time.June, nil)); n != 1 {
		t.Errorf("%d reactivations", n)
	}
}

func TestPaybackCurves(t *testing.T) {
	customers := []ledger.Customer{
		{ID: "a", Acquired: day(2025, 1, 10)}, {ID: "b", Acquired: day(2025, 1, 31)}, {ID: "c", Acquired: day(2025, 3, 1)},
	}
	costs := []cac.Cost{{Amount: usd("100"), Date: day(2025, 1, 2)}, {Amount: usd("70"), Date: day(2025, 2, 2)}, {Amount: usd("60"), Date: day(2025, 3, 2)}}
	periods := []ledger.Period{jan, feb, mar}
	table, err := cac.ByCohort(costs, customers, nil, periods...)
	if err != nil {
		t.Fatal(err)
	}
	sale := func(c string, at time.Time, amount, cost string) ledger.Transaction {
		return ledger.Transaction{Customer: c, At: at, Amount: usd(amount), Cost: usd(cost)}
	}
	log := []ledger.Transaction{
		sale("a", day(2025, 1, 10), "50", "20"), // month 1: 30
		sale("b", day(2025, 2, 27), "40", "20"), // month 1 of b, acquired on the 31st: 20
		sale("b", day(2025, 2, 28), "40", "10"), // month 2 of b: 30
		sale("a", day(2025, 3, 9), "-10", "-4"), // month 2 of a, a refund: -6
		sale("a", day(2025, 3, 10), "80", "28"), // month 3: 52
		sale("a", day(2025, 4, 20), "80", "28"), // month 4, which b has not had to the full
		sale("c", day(2025, 3, 1), "30", "20"),  // a young cohort
		sale("x", day(2025, 3, 1), "30", "20"),  // not in a cohort
	}
	got, err := cac.PaybackCurves(context.Background(), ledger.Transactions(log), customers, table, day(2025, 5, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 2 || got.Empty != 1 || got.Strangers != 1 {
		t.Fatalf("%+v", got)
	}
	a := got.Rows[0]
	if diff := cmp.Diff([]string{"USD 50.00", "USD 24.00", "USD 52.00"}, texts(a.Profit)); diff != "" {
		t.Errorf("january (-want +got):\n%s", diff)
	}
	if a.Payback.Status != cac.PaidBack || a.Payback.Whole != 3 || a.Payback.Months != frac(t, "2.5") {
		t.Errorf("january: %+v", a.Payback)
	}
	if c := got.Rows[1]; c.Payback.Status != cac.NotYet || len(c.Profit) != 1 || c.Returned[0] != frac(t, "1/6") {
		t.Errorf("march: %+v", c)
	}
	slices.Reverse(log)
	again, err := cac.PaybackCurves(context.Background(), ledger.Transactions(log), customers, table, day(2025, 5, 1), nil)
	if diff := cmp.Diff(got, again); err != nil || diff != "" {
		t.Errorf("another order of rows: %v\n%s", err, diff)
	}
	margin, err := cac.PaybackCurves(context.Background(), ledger.Transactions(log), customers, table, day(2025, 5, 1), &cac.CurveOptions{Margin: .5, Months: 1})
	if err != nil || margin.Rows[0].Profit[0].String() != "USD 45.00" || len(margin.Rows[0].Profit) != 1 {
		t.Errorf("by margin: %+v, %v", margin, err)
	}
	_, err = cac.PaybackCurves(context.Background(), ledger.Transactions(log), customers[1:], table, day(2025, 5, 1), nil)
	if want := `cac: period 2025-01: bases differ: 1 customers are given and the table counts 2`; !errors.Is(err, cac.ErrBasisMismatch) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = cac.PaybackCurves(context.Background(), ledger.Transactions([]ledger.Transaction{order("a", "", day(2025, 1, 9), "1", "")}), customers, table, day(2025, 5, 1), nil)
	if want := `cac: row 1: field "at": value "2025-01-09T00:00:00Z": before customer "a" was acquired`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func texts(amounts []money.Amount) []string {
	var out []string
	for _, a := range amounts {
		out = append(out, a.String())
	}
	return out
}

func TestProfitability(t *testing.T) {
	sale := func(product, channel, amount, cost string, n int64) ledger.Transaction {
		x := ledger.Transaction{Customer: "c", At: day(2025, 1, 2), Product: product, Channel: channel, Amount: usd(amount), Quantity: n, Discount: usd("1")}
		if cost != "" {
			x.Cost = usd(cost)
		}
		return x
	}
	log := []ledger.Transaction{
		sale("tea", "web", "30", "10", 3), sale("tea", "app", "20", "8", 2), sale("tea", "web", "-10", "-3", 1),
		sale("cup", "web", "15", "12", 1), sale("pot", "app", "99", "", 1), sale("pot", "web", "99", "60", 1),
	}
	p, err := cac.Profitability(context.Background(), ledger.Transactions(log), cac.ProductOf, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Rows {
		got = append(got, r.Group+" "+r.Revenue.String()+" "+r.Profit.String())
	}
	if diff := cmp.Diff([]string{"tea USD 40.00 USD 25.00", "cup USD 15.00 USD 3.00", "pot USD 198.00 USD 39.00"}, got); diff != "" {
		t.Errorf("pot has a line without cost and comes last (-want +got):\n%s", diff)
	}
	if m, err := p.Rows[0].Margin(); err != nil || m != frac(t, "5/8") || p.Rows[0].Units != 4 || p.Rows[0].Lines != 2 {
		t.Errorf("tea: %v, %v, %+v", m, err, p.Rows[0])
	}
	if _, err := p.Rows[2].Margin(); !errors.Is(err, cac.ErrMissingValue) || len(p.Top(5)) != 2 || p.Top(1)[0].Group != "tea" {
		t.Errorf("pot: %v; top %v", err, p.Top(5))
	}
	p, err = cac.Profitability(context.Background(), ledger.Transactions(log), cac.ChannelOf, &cac.ProfitOptions{Margin: .4, Spend: map[string]money.Amount{"web": usd("20"), "tv": usd("5")}})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, r := range p.Rows {
		got = append(got, r.Group+" "+r.Net.String())
	}
	// app: 12 + 99 * 0.4; web: 20 - 7 + 3 + 39 - 20
	if diff := cmp.Diff([]string{"app USD 51.60", "web USD 35.00", "tv USD -5.00"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if poas, err := p.Rows[1].POAS(); err != nil || poas != frac(t, "55/20") {
		t.Errorf("POAS of web %v, %v", poas, err)
	}
	if p.Total.Net.String() != "USD 81.60" {
		t.Errorf("total %+v", p.Total)
	}
}

func TestCostToServe(t *testing.T) {
	log := []ledger.Transaction{order("a", "", day(2025, 1, 1), "100", ""), order("b", "", day(2025, 1, 1), "50", "")}
	events := []ledger.Event{
		{Customer: "a", At: day(2025, 1, 2), Name: "call"}, {Customer: "b", At: day(2025, 1, 2), Name: "call"}, {Customer: "b", At: day(2025, 1, 3), Name: "call"},
		{Customer: "b", At: day(2025, 1, 3), Name: "courier", Value: usd("7.50")}, {Customer: "z", At: day(2025, 1, 3), Name: "visit"},
	}
	got, err := cac.CostToServe(context.Background(), ledger.Transactions(log), ledger.Slice(events), map[string]money.Amount{"call": usd("4")}, nil, .5)
	if err != nil {
		t.Fatal(err)
	}
	a, b := got.Rows[0], got.Rows[1]
	if a.Group != "a" || a.Contribution.String() != "USD 46.00" || b.Contribution.String() != "USD 9.50" || *b.Share != frac(t, "31/100") {
		t.Errorf("%+v\n%+v", a, b)
	}
	if got.Total.Cost.String() != "USD 19.50" || got.Unpriced["visit"] != 1 || got.Total.PerCustomer.String() != "USD 9.75" {
		t.Errorf("%+v", got)
	}
}

func TestReferrals(t *testing.T) {
	from := map[string]string{"b": "a", "c": "a", "d": "someone else", "e": "b"}
	by := func(c string) (string, bool) { r, ok := from[c]; return r, ok }
	value := func(c string) (money.Amount, bool) {
		return usd(map[string]string{"a": "100", "b": "150", "c": "90", "d": "120", "e": "60", "f": "80", "g": "0", "h": "60"}[c]), true
	}
	var customers []ledger.Customer
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		customers = append(customers, ledger.Customer{ID: id})
	}
	r, err := cac.Referrals(customers, by, value, usd("20"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rate != .5 || r.Participation != .25 || r.PerReferrer != 1.5 || r.Outside != 1 || r.Rewards.String() != "USD 80.00" ||
		r.Referred.Mean.String() != "USD 105.00" || r.Others.Mean.String() != "USD 60.00" || *r.Lift != .75 || *r.ROI != 4.25 {
		t.Errorf("%+v", r)
	}
	var b strings.Builder
	if err := r.WriteCSV(&b); err != nil || b.String() != "group,customers,valued,value,mean_value,currency\nreferred,4,4,420.00,105.00,USD\nothers,4,4,240.00,60.00,USD\n" {
		t.Errorf("%v\n%s", err, b.String())
	}
	_, err = cac.Referrals([]ledger.Customer{{ID: "b", Acquired: jan.Start}, {ID: "a", Acquired: feb.Start}}, by, nil, money.Amount{})
	if want := `cac: row 1: field "referred by": value "a": acquired later than the customer it referred`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestConversionRates(t *testing.T) {
	c, err := cac.ConversionRates([]cac.Traffic{
		{Platform: "web", Visits: 9000, Conversions: 30, Spend: usd("300")}, {Platform: "app", Visits: 263, Conversions: 81},
		{Platform: "web", Visits: 1000, Conversions: 10, Spend: usd("100")}, {Platform: "tv", Visits: 20, Conversions: 0, Spend: usd("5")},
	}, "visits", 0)
	if err != nil {
		t.Fatal(err)
	}
	app, tv, web := c.Rows[0], c.Rows[1], c.Rows[2]
	if web.Rate != .004 || web.Cost.String() != "USD 10.00" || tv.Cost != nil || tv.Low != 0 || web.Share != frac(t, "40/121") {
		t.Errorf("%+v", c)
	}
	// Wilson's interval of 81/263 (Newcombe 1998, table I) and of 0/20
	if !near(app.Low, .2552885198782742, 1e-13) || !near(app.High, .36620957698280004, 1e-13) || !near(tv.High, .16112515805281938, 1e-13) {
		t.Errorf("intervals %+v %+v", app, tv)
	}
}

// Every exported result prints, writes CSV and has JSON without NaN.
func TestResultsAreTables(t *testing.T) {
	loyalty, err1 := cac.LoyaltyProgram{Tiers: []cac.Tier{{Name: "empty"}}}.Evaluate()
	profit, err2 := cac.Profitability(context.Background(), ledger.Transactions([]ledger.Transaction{order("a", "", day(2025, 1, 1), "1", "")}), cac.ChannelOf, nil)
	table, err3 := cac.ByChannel([]cac.Cost{{Amount: usd("5"), Date: day(2025, 1, 1)}}, won(1, jan, "seo"), worth("2"), jan, feb)
	rates, err4 := cac.ConversionRates([]cac.Traffic{{Platform: "web", Visits: 1}}, "visits", 0)
	empty, err5 := cac.ByChannel(nil, nil, nil)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]any{"loyalty": loyalty, "profit": profit, "table": table, "rates": rates, "empty": empty} {
		j, err := json.Marshal(x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var back any
		if err := json.Unmarshal(j, &back); err != nil || strings.Contains(string(j), "NaN") {
			t.Errorf("%s: %v: %s", name, err, j)
		}
	}
	j, err := json.Marshal(table.Rows[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"dimension":"channel","group":"seo","period":{"start":"2025-01-01T00:00:00Z","end":"2025-02-01T00:00:00Z"},` +
		`"spend":{"amount":"0.00","currency":"USD"},"direct":{"amount":"0.00","currency":"USD"},"allocated":{"amount":"0.00","currency":"USD"},` +
		`"new_customers":1,"value":{"amount":"2.00","currency":"USD"},"valued":1,"cac":{"amount":"0.00","currency":"USD"},"ltv_to_cac":null,"roi":null,` +
		`"undefined":{"ltv_to_cac":"zero base","roi":"zero base"},"basis":"fully loaded","denominator":"new_customers"}`
	if diff := cmp.Diff(want, string(j)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := cac.Acquire(ctx, ledger.Transactions(nil), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire: %v", err)
	}
	if _, err := cac.Profitability(ctx, ledger.Transactions(nil), cac.ProductOf, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Profitability: %v", err)
	}
}
