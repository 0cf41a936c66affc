package report_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/churn"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/internal/story/storytest"
	"github.com/custval/custval/examples/report"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

var csv = &ledger.CSVOptions{Currency: "USD"}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func shop(t *testing.T) []ledger.Transaction {
	t.Helper()
	return must(ledger.Collect(ledger.ReadCSV(context.Background(), sample.Shop(), csv)))(t)
}

// all is all that the sample has. It is known to be readable.
func all() *report.Options {
	ctx := context.Background()
	o := &report.Options{Sources: []string{"the simulated shop"}}
	errs := make([]error, 5)
	o.Log, errs[0] = ledger.Collect(ledger.ReadCSV(ctx, sample.Shop(), csv))
	o.Costs, errs[1] = ledger.Collect(cac.ReadCosts(ctx, sample.MarketingCosts(), csv))
	o.Touches, errs[2] = ledger.Collect(attribution.ReadTouchpoints(ctx, sample.MarketingTouches(), csv))
	o.Customers, errs[3] = ledger.Collect(ledger.ReadCustomers(ctx, sample.ShopCustomers(), csv))
	o.Subscriptions, errs[4] = subscription.New(subscription.ReadCSV(ctx, sample.SaaS(), &subscription.ReadOptions{CSVOptions: *csv}))
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
	return o
}

// whole is the report of everything, made once.
var whole = sync.OnceValues(func() (*report.Report, error) { return report.New(context.Background(), all()) })

func made(t *testing.T, o *report.Options) *report.Report {
	t.Helper()
	return must(report.New(context.Background(), o))(t)
}

func section(t *testing.T, r *report.Report, name string) report.Section {
	t.Helper()
	i := slices.IndexFunc(r.Sections, func(s report.Section) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no section %s", name)
	}
	return r.Sections[i]
}

// block returns the n-th block of a type of a section.
func block[T report.Block](t *testing.T, s report.Section, n int) T {
	t.Helper()
	for _, b := range s.Blocks {
		if v, ok := b.(T); ok {
			if n == 0 {
				return v
			}
			n--
		}
	}
	t.Fatalf("%s: block not found", s.Name)
	panic("unreachable")
}

// cell returns the text of a table by the names of its row and column.
func cell(t *testing.T, tb *report.Table, row, column string) string {
	t.Helper()
	j := slices.IndexFunc(tb.Columns, func(c report.Column) bool { return strings.HasPrefix(c.Title, column) })
	for _, r := range append(slices.Clone(tb.Rows), tb.Total) {
		if len(r) > 0 && r[0].Text == row && j >= 0 {
			return r[j].Text
		}
	}
	t.Fatalf("%s: no %s of %s", tb.Caption, column, row)
	return ""
}

func figure(t *testing.T, fs report.Figures, name string) report.Figure {
	t.Helper()
	i := slices.IndexFunc(fs, func(f report.Figure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no figure %s", name)
	}
	return fs[i]
}

// plainNumber reads the first number of a text back.
func plainNumber(t *testing.T, text string) float64 {
	t.Helper()
	found := regexp.MustCompile(`[\d,]+(\.\d+)?`).FindString(text)
	return must(strconv.ParseFloat(strings.ReplaceAll(found, ",", ""), 64))(t)
}

// near holds a number that was printed rounded against one that was not.
func near(t *testing.T, what string, got, want, rounding float64) {
	t.Helper()
	if !(math.Abs(got-want) <= rounding/2+1e-9*math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestFigures holds the report's figures against the library's own calls.
func TestFigures(t *testing.T) {
	ctx := context.Background()
	o, r := all(), must(whole())(t)
	last := time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)
	after := last.AddDate(0, 0, 1)
	log := ledger.Transactions(o.Log)
	if !r.End.Equal(last) {
		t.Fatalf("end %v", r.End)
	}

	hs := must(clv.Summarize(ctx, log, last, clv.Week, nil))(t)
	pasts := must(clv.Historic(ctx, log, after, nil))(t)
	earned := must(pasts.Total())(t)
	var revenue, cost money.Sum
	for _, x := range o.Log {
		revenue.Add(x.Amount)
		cost.Add(x.Cost)
	}
	sold, paid := must(revenue.Total())(t), must(cost.Total())(t)
	head := block[report.Figures](t, section(t, r, "headline"), 0)
	near(t, "customers", plainNumber(t, figure(t, head, "Customers").Value), float64(hs.Customers()), 0)
	near(t, "revenue", plainNumber(t, figure(t, head, "Revenue").Value), sold.Float64(), 1)
	near(t, "earned", plainNumber(t, figure(t, head, "Earned so far").Value), earned.Float64(), 1)
	lost := must(churn.InactivityRate(ctx, log, ledger.Period{Start: after.AddDate(0, 0, -182), End: after}, 182*24*time.Hour))(t)
	near(t, "churn", plainNumber(t, figure(t, head, "Churn").Value), 100*lost.Value, 0.1)

	// The value of the base: the sum of a Scorer's values, and its interval against draws of the parameters.
	ratio := must(paid.Ratio(sold))(t)
	value := clv.ValueOptions{Margin: 1 - ratio, Discount: clv.Annual(0.10)}
	e, g := must(clv.FitBGNBD(ctx, hs, nil))(t), must(clv.FitGammaGamma(ctx, hs, nil))(t)
	scorer := must(clv.NewScorer(e, g, "USD", value, nil))(t)
	top := must(scorer.Top(hs, len(hs.Rows)))(t)
	sum := must(top.Total())(t)
	base := figure(t, head, "Residual value of the base")
	near(t, "residual value", plainNumber(t, base.Value), sum.Float64(), 2) // each customer's is rounded to the cent
	delta := must(value.Discount.Rate(clv.Week))(t)
	purchases, spends := must(clv.DrawParams(e, 60, 1))(t), must(clv.DrawParams(g, 60, 2))(t)
	var mean, squares float64
	for i, m := range purchases.Models {
		drawn := 0.0
		for j := 0; j < len(hs.Rows); j += 4 {
			h := hs.Rows[j]
			drawn += value.Margin * spends.Models[i].Mean(h.X, max(0, h.MeanSpend())) * m.DERT(h, delta)
		}
		mean += math.Log(drawn) / 60
		squares += math.Log(drawn) * math.Log(drawn) / 60
	}
	ends := strings.Split(strings.TrimPrefix(base.Interval, "95\u00a0% interval "), " to ")
	deviation := math.Log(plainNumber(t, ends[1])/plainNumber(t, ends[0])) / (2 * 1.959964)
	if got, want := deviation, math.Sqrt(squares-mean*mean); !(math.Abs(got/want-1) < 0.3) { // of 60 draws it is known to 9 %
		t.Errorf("deviation of the log of the residual value: %v, of draws %v", got, want)
	}

	// Channels add up to the whole.
	byChannel := block[*report.Table](t, section(t, r, "channels"), 0)
	near(t, "residual value of the channels", plainNumber(t, cell(t, byChannel, "All", "Residual")), sum.Float64(), 1)
	groups := must(clv.Groups(top, ledger.By(must(cac.Acquire(ctx, log, nil))(t).Customers(), "channel")))(t)
	for _, x := range groups {
		near(t, x.Name, plainNumber(t, cell(t, byChannel, x.Name, "Residual")), x.Total.Float64(), 1)
		near(t, x.Name, plainNumber(t, cell(t, byChannel, x.Name, "Customers")), float64(x.Customers), 0)
	}

	// The table of customers is the Scorer's.
	best := block[*report.Table](t, section(t, r, "customers"), 0)
	for i, sc := range top[:25] {
		if best.Rows[i][0].Text != sc.Customer || best.Rows[i][8].Number != sc.Value.Float64() {
			t.Errorf("row %d: %v, want %v", i+1, best.Rows[i], sc)
		}
	}

	// Acquisition: the table of all channels and the payback of all customers as one cohort.
	cost1 := block[*report.Table](t, section(t, r, "acquisition"), 0)
	period := ledger.Period{Start: sample.MarketingStart, End: sample.MarketingEnd}
	customers := must(cac.Acquire(ctx, log, nil))(t).Customers()
	cohort := must(cac.ByCohort(o.Costs, customers, nil, period))(t)
	curve := must(cac.PaybackCurves(ctx, log, customers, cohort, after, nil))(t)
	full := must(cohort.Total.CAC())(t)
	near(t, "CAC", plainNumber(t, cell(t, cost1, "All", "Cost a customer")), full.Cost.Float64(), 0)
	near(t, "payback", plainNumber(t, cell(t, cost1, "All", "Earned back")), curve.Rows[0].Payback.Months, 0.1)

	// Recurring revenue is the book's.
	book := o.Subscriptions.Until(after)
	year := must(book.Period(ledger.Period{Start: after.AddDate(-1, 0, 0), End: after}))(t)
	mrr := block[report.Figures](t, section(t, r, "recurring"), 0)
	near(t, "MRR", plainNumber(t, figure(t, mrr, "MRR").Value), year.Closing.Float64(), 1)
	near(t, "NRR", plainNumber(t, figure(t, mrr, "Net revenue retention").Value), 100*must(year.NRR.Value())(t), 0.1)

	// Every row of the log is accounted for.
	quality := block[*report.Table](t, section(t, r, "quality"), 0)
	accounted := 0.0
	for _, row := range quality.Rows[1:6] {
		accounted += row[1].Number
	}
	near(t, "rows", accounted, float64(len(o.Log)), 0)
	near(t, "rows read", quality.Rows[0][1].Number, float64(len(o.Log)), 0)
}

// TestGolden holds all words and figures of the sample's report, as the text of its message has them, and of which elements
// its page is made.
func TestGolden(t *testing.T) {
	r := must(whole())(t)
	plain, _ := parts(t, eml(t, r, nil))
	page := html(t, r)
	tags := regexp.MustCompile(`<(/?[a-z0-9]+)`).FindAllStringSubmatch(page[strings.Index(page, "<body>"):], -1)
	counts := map[string]int{}
	for _, x := range tags {
		counts[x[1]]++
	}
	var structure []string
	for tag, n := range counts {
		if !strings.HasPrefix(tag, "/") {
			structure = append(structure, fmt.Sprintf("%s %d", tag, n))
		}
	}
	slices.Sort(structure)
	storytest.Golden(t, "sample", plain+"\nThe page has: "+strings.Join(structure, ", ")+"\n")
	if n := len(page); n > 250_000 {
		t.Errorf("the page has %d bytes", n)
	}
}

// TestOrder holds that the order of the rows of the log, of costs and of customers changes nothing.
func TestOrder(t *testing.T) {
	o := all()
	o.Log = o.Log[:1500]
	want := html(t, made(t, o))
	slices.Reverse(o.Log)
	slices.Reverse(o.Costs)
	slices.Reverse(o.Customers)
	slices.Reverse(o.Touches)
	if diff := cmp.Diff(want, html(t, made(t, o))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSections holds that sections come as they were asked for.
func TestSections(t *testing.T) {
	r := made(t, &report.Options{Log: shop(t), Sections: []string{"quality", "cohorts"}})
	if len(r.Sections) != 2 || r.Sections[0].Name != "quality" || r.Sections[1].Name != "cohorts" {
		t.Errorf("sections %v", r.Sections)
	}
}

// TestThin holds that logs that carry little give a report that says so, and neither an error nor nonsense.
func TestThin(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2025, time.January, day, 0, 0, 0, 0, time.UTC) }
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	var once []ledger.Transaction
	for i := range 30 {
		once = append(once, ledger.Transaction{Customer: fmt.Sprint(i), At: at(1 + i%28), Amount: usd("10.00")})
	}
	for name, log := range map[string][]ledger.Transaction{
		"one order":    {{Customer: "a", At: at(1), Amount: usd("10.00")}},
		"a free order": {{Customer: "a", At: at(1), Amount: usd("0.00")}},
		"refunded":     {{Customer: "a", At: at(1), Amount: usd("10.00")}, {Customer: "a", At: at(2), Amount: usd("-10.00")}},
		"refund first": {{Customer: "a", At: at(2), Amount: usd("10.00")}, {Customer: "b", At: at(1), Amount: usd("-10.00")}},
		"nobody twice": once,
		"yen":          {{Customer: "a", At: at(1), Amount: money.MustParse("1000", "JPY")}, {Customer: "b", At: at(9), Amount: money.MustParse("1", "JPY")}},
	} {
		r := made(t, &report.Options{Log: log})
		if len(r.Sections) != len(report.Names()) {
			t.Errorf("%s: %d sections", name, len(r.Sections))
		}
		page := html(t, r)
		if wrong := regexp.MustCompile(`.{30}(NaN|Inf\b|%!|&lt;nil).{30}`).FindString(page[strings.Index(page, "<body>"):]); wrong != "" {
			t.Errorf("%s: the page has %s", name, wrong)
		}
		eml(t, r, nil)
	}
}

// TestUnsure holds that a value without an interval says so.
func TestUnsure(t *testing.T) {
	r := made(t, &report.Options{Log: shop(t), End: time.Date(2024, time.January, 20, 0, 0, 0, 0, time.UTC), Sections: []string{"headline", "customers", "method"}})
	if lead := section(t, r, "headline").Lead; !strings.Contains(lead, "cannot be told") {
		t.Errorf("lead %q", lead)
	}
	if got := figure(t, block[report.Figures](t, section(t, r, "headline"), 0), "Residual value of the base").Interval; got != "interval not known" {
		t.Errorf("interval %q", got)
	}
	html(t, r)
}

// TestBadRows holds that the library's errors come through with row and field.
func TestBadRows(t *testing.T) {
	good := shop(t)[:300]
	with := func(change func(x *ledger.Transaction)) *report.Options {
		log := slices.Clone(good)
		change(&log[41])
		return &report.Options{Log: log}
	}
	for want, o := range map[string]*report.Options{
		"row 42: field \"At\"":        with(func(x *ledger.Transaction) { x.At = time.Time{} }),
		"row 42: field \"Customer\"":  with(func(x *ledger.Transaction) { x.Customer = "" }),
		"row 42: field \"Amount\"":    with(func(x *ledger.Transaction) { x.Amount = money.MustParse("1.00", "EUR") }),
		"customers: row 2: no id":     {Log: good, Customers: []ledger.Customer{{ID: "a"}, {}}},
		`customer "a" is there twice`: {Log: good, Customers: []ledger.Customer{{ID: "a"}, {ID: "a"}}},
		"costs: row 1":                {Log: good, Costs: []cac.Cost{{Category: "beer"}}},
	} {
		if _, err := report.New(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
