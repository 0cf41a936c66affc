package cac_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/google/go-cmp/cmp"
)

// The four campaigns of a published worked example, as logs: spend, new customers and the value of each.
func TestCampaignsOfPublishedExample(t *testing.T) {
	var costs []cac.Cost
	var customers []ledger.Customer
	worth := map[string]money.Amount{}
	for _, c := range []struct {
		name  string
		spend string
		won   int
		clv   string
	}{{"Search", "12000", 150, "320"}, {"Social", "9000", 180, "190"}, {"Events", "15000", 60, "900"}, {"Referral", "2000", 50, "260"}} {
		costs = append(costs, cac.Cost{Amount: usd(c.spend), Campaign: c.name, Category: cac.PaidMedia})
		for i := range c.won {
			id := fmt.Sprint(c.name, i)
			customers = append(customers, ledger.Customer{ID: id, Campaign: c.name})
			worth[id] = usd(c.clv)
		}
	}
	table, err := cac.ByCampaign(costs, customers, func(id string) (money.Amount, bool) { v, ok := worth[id]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][3]string{"Search": {"80", "4", "3"}, "Social": {"50", "19/5", "14/5"}, "Events": {"250", "18/5", "13/5"}, "Referral": {"40", "13/2", "11/2"}, "": {"950/11", "373/95", "278/95"}}
	for _, r := range append(table.Rows, table.Total) {
		f, err1 := r.CAC()
		ratio, err2 := r.LTVToCAC()
		roi, err3 := r.ROI()
		w := want[r.Group]
		if err := errors.Join(err1, err2, err3); err != nil || f.Unrounded != frac(t, w[0]) || ratio != frac(t, w[1]) || roi != frac(t, w[2]) {
			t.Errorf("%q: CAC %v, LTV:CAC %v, ROI %v, %v; want %v", r.Group, f.Unrounded, ratio, roi, err, w)
		}
		if v, err := r.MeanValue(); r.Group == "" && (err != nil || v.Amount.String() != "USD 339.09") { // 3730/11
			t.Errorf("mean value %v, %v", v, err)
		}
	}
}

var (
	jan = ledger.Month(2025, time.January, nil)
	feb = ledger.Month(2025, time.February, nil)
	mar = ledger.Month(2025, time.March, nil)
)

func worth(s string) cac.ValueOf {
	return func(string) (money.Amount, bool) { return usd(s), true }
}

// won returns n customers acquired in the middle of a period.
func won(n int, p ledger.Period, channel string) []ledger.Customer {
	var out []ledger.Customer
	for i := range n {
		out = append(out, ledger.Customer{ID: fmt.Sprint(channel, p, i), Acquired: p.Start.AddDate(0, 0, 14), Channel: channel})
	}
	return out
}

func join[T any](lists ...[]T) []T {
	var out []T
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func TestAnalyzeRules(t *testing.T) {
	costs := []cac.Cost{
		{Amount: usd("1000"), Date: day(2025, 1, 5), Category: cac.PaidMedia, Channel: "ads"},
		{Amount: usd("300"), Date: day(2025, 1, 9), Category: cac.Agency, Channel: "ads"},
		{Amount: usd("500"), Date: day(2025, 1, 9), Category: cac.Content, Channel: "seo"},
		{Amount: usd("3100"), Period: jan, Category: cac.Payroll, Function: cac.Sales},
		{Amount: usd("900"), Period: jan, Category: cac.Tools},
		{Amount: usd("20"), Charge: cac.PerCustomer, Category: cac.Commission, Function: cac.Sales, Channel: "ads"},
	}
	customers := join(won(30, jan, "ads"), won(10, jan, "seo"), won(10, jan, ""))
	valid := func(id string) bool { return !strings.HasSuffix(id, "0") } // 3 of ads, 1 of seo, 1 of none are refunded
	for _, c := range []struct {
		name string
		o    cac.Options
		want map[string]string // spend/new by channel, and of the total under "total"
	}{
		{"fully loaded, shared costs apart", cac.Options{}, map[string]string{"ads": "1900/30", "seo": "500/10", "": "0/10", "(shared)": "4000/0", "total": "6400/50"}},
		{"paid over paid", cac.Options{Basis: cac.Paid()}, map[string]string{"ads": "1000/30", "total": "1000/30"}},
		{"paid over all", cac.Options{Basis: cac.Paid(), Denominator: cac.NewAll}, map[string]string{"ads": "1000/30", "seo": "0/10", "": "0/10", "total": "1000/50"}},
		{"paid with agency", cac.Options{Basis: cac.PaidWithAgency()}, map[string]string{"ads": "1300/30", "total": "1300/30"}},
		{"other channels paid", cac.Options{Basis: cac.Paid(), PaidChannels: []string{"ads", "seo"}}, map[string]string{"ads": "1000/30", "seo": "0/10", "total": "1000/40"}},
		{"marketing only", cac.Options{Basis: cac.Blended()}, map[string]string{"ads": "1300/30", "seo": "500/10", "": "0/10", "(shared)": "900/0", "total": "2700/50"}},
		{"new logo", cac.Options{Basis: cac.NewLogo(.5)}, map[string]string{"ads": "950/30", "seo": "250/10", "": "0/10", "(shared)": "2000/0", "total": "3200/50"}},
		{"part of the payroll", cac.Options{Basis: cac.Basis{Name: "75 % of payroll", Shares: map[cac.Category]float64{cac.Payroll: .75}}},
			map[string]string{"ads": "1900/30", "seo": "500/10", "": "0/10", "(shared)": "3225/0", "total": "5625/50"}},
		{"net new", cac.Options{Denominator: cac.NetNew, Valid: valid}, map[string]string{"ads": "1840/27", "seo": "500/9", "": "0/9", "(shared)": "4000/0", "total": "6340/45"}},
		{"shared by new customers", cac.Options{Sharing: cac.Sharing{Rule: cac.ByNewCustomers}}, map[string]string{"ads": "4300/30", "seo": "1300/10", "": "800/10", "total": "6400/50"}},
		{"shared by spend", cac.Options{Sharing: cac.Sharing{Rule: cac.BySpend}}, map[string]string{"ads": "5066.67/30", "seo": "1333.33/10", "": "0/10", "total": "6400/50"}},
		{"shared by heads", cac.Options{Sharing: cac.Sharing{Rule: cac.ByWeights, Weights: map[string]float64{"ads": 2, "pr": .5}}},
			map[string]string{"ads": "5100/30", "seo": "500/10", "": "0/10", "pr": "800/0", "total": "6400/50"}},
	} {
		c.o.By, c.o.Periods = cac.PerChannel, []ledger.Period{jan}
		table, err := cac.Analyze(context.Background(), costs, customers, &c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := map[string]string{"total": shown(table.Total)}
		for _, r := range table.Rows {
			name := r.Group
			if r.Shared {
				name = cac.SharedGroup
			}
			got[name] = shown(r)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// shown is spend/new with a spend without useless decimals.
func shown(r cac.Row) string {
	return fmt.Sprintf("%s/%d", strings.TrimSuffix(strings.TrimPrefix(r.Spend.String(), "USD "), ".00"), r.New)
}

func TestLagInTablesEqualsTheSeries(t *testing.T) {
	periods := ledger.Months(day(2025, 1, 1), day(2025, 7, 1), nil)
	spend, counts := []string{"10000", "12000", "15000", "15000", "18000", "20000"}, []int{50, 48, 60, 70, 80, 72}
	for _, lag := range []cac.Lag{{}, {Periods: 1}, {Periods: 2}, {Weights: []float64{.5, .3, .2}}, {Periods: 2, FirstOwn: true}} {
		var costs []cac.Cost
		var customers []ledger.Customer
		points := make([]cac.Point, 6)
		for i, p := range periods {
			costs = append(costs, cac.Cost{Amount: usd(spend[i]), Period: p})
			customers = append(customers, won(counts[i], p, "x")...)
			points[i] = cac.Point{Period: p, Marketing: usd(spend[i]), New: counts[i]}
		}
		table, err := cac.Analyze(context.Background(), costs, customers, &cac.Options{Periods: periods, Lag: lag})
		rows, err2 := cac.LaggedCAC(points, lag)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		whole := new(big.Rat)
		for i, r := range table.Periods {
			a, errA := r.CAC()
			b, errB := rows[i].CAC()
			if (errA == nil) != (errB == nil) || a.Unrounded != b.Unrounded {
				t.Errorf("lag %+v, period %d: table %v, %v; series %v, %v", lag, i+1, a.Unrounded, errA, b.Unrounded, errB)
			}
			if errA != nil && (!errors.Is(errA, cac.ErrInsufficientHistory) || !strings.Contains(errA.Error(), r.Period.String())) {
				t.Errorf("lag %+v: %v", lag, errA)
			}
			whole.Add(whole, r.Spend.Decimal().Rat())
		}
		if whole.Add(whole, table.DeferredSpend.Decimal().Rat()); !lag.FirstOwn && whole.Cmp(big.NewRat(90000, 1)) != 0 {
			t.Errorf("lag %+v: parts add up to %v", lag, whole)
		}
	}
}

// A random business: lines of every kind, several channels, gaps between periods.
type business struct {
	costs     []cac.Cost
	customers []ledger.Customer
	worth     map[string]money.Amount
}

func randomBusiness(r *rand.Rand) business {
	b := business{worth: map[string]money.Amount{}}
	channels := []string{"", "ads", "mail", "seo", "tv"}
	cents := func() money.Amount {
		a, err := money.FromMinor(r.Int64N(200000)-20000, "USD")
		if err != nil {
			panic(err)
		}
		return a
	}
	for range 5 + r.IntN(40) {
		c := cac.Cost{Amount: cents(), Category: cac.Categories()[r.IntN(10)], Channel: channels[r.IntN(5)]}
		if r.IntN(2) == 0 {
			c.Function = cac.Sales
		}
		start := day(2024, 12, 1).AddDate(0, 0, r.IntN(150))
		switch r.IntN(4) {
		case 0:
			c.Period = ledger.Period{Start: start, End: start.AddDate(0, 0, 1+r.IntN(90))}
		case 1:
			c.Charge, c.Units, c.Date = cac.PerUnit, r.Int64N(20), start
		default:
			c.Date = start
		}
		b.costs = append(b.costs, c)
	}
	for i := range r.IntN(200) {
		id := fmt.Sprint("c", i)
		b.customers = append(b.customers, ledger.Customer{ID: id, Channel: channels[r.IntN(5)], Acquired: day(2024, 12, 1).AddDate(0, 0, r.IntN(150))})
		if r.IntN(10) > 0 {
			b.worth[id] = cents()
		}
	}
	return b
}

func (b business) value(id string) (money.Amount, bool) { v, ok := b.worth[id]; return v, ok }

func exact(a money.Amount) *big.Rat { return a.Decimal().Rat() }

func TestTablePartsAddUpToTheCent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rules := []cac.SharingRule{"", cac.BySpend, cac.ByNewCustomers, cac.ByWeights}
	for range 150 {
		b := randomBusiness(r)
		o := cac.Options{By: cac.PerChannel, Periods: []ledger.Period{mar, jan, feb}, Value: b.value, Sharing: cac.Sharing{Rule: rules[r.IntN(4)]}}
		if o.Sharing.Rule == cac.ByWeights {
			o.Sharing.Weights = map[string]float64{"ads": r.Float64(), "radio": 1 / 3.0, "tv": 2}
		}
		o.Basis = []cac.Basis{{}, cac.Blended(), cac.Paid(), cac.NewLogo(.37)}[r.IntN(4)]
		o.Lag = []cac.Lag{{}, {Periods: 1}, {Weights: []float64{.6, .4}}}[r.IntN(3)]
		table, err := cac.Analyze(context.Background(), b.costs, b.customers, &o)
		if err != nil {
			t.Fatal(err)
		}
		checkSums(t, table, b)
	}
}

// checkSums holds every total against the sum of its parts, and all parts against the lines.
func checkSums(t *testing.T, table *cac.Table, b business) {
	t.Helper()
	byPeriod, byGroup := map[string]*big.Rat{}, map[string]*big.Rat{}
	spend, news := new(big.Rat), 0
	for _, r := range table.Rows {
		if exact(r.Spend).Cmp(new(big.Rat).Add(exact(r.Direct), exact(r.Allocated))) != 0 {
			t.Fatalf("spend is not direct and allocated: %+v", r)
		}
		add := func(m map[string]*big.Rat, k string) {
			if m[k] == nil {
				m[k] = new(big.Rat)
			}
			m[k].Add(m[k], exact(r.Spend))
		}
		add(byPeriod, r.Period.String())
		if !r.Incomplete {
			add(byGroup, fmt.Sprint(r.Group, r.Shared))
			spend.Add(spend, exact(r.Spend))
			news += r.New
		}
	}
	if spend.Cmp(exact(table.Total.Spend)) != 0 || news != table.Total.New {
		t.Fatalf("total %v of %d, parts %v of %d", table.Total.Spend, table.Total.New, spend, news)
	}
	all := new(big.Rat)
	for _, p := range table.Periods {
		if s := byPeriod[p.Period.String()]; s != nil && s.Cmp(exact(p.Spend)) != 0 {
			t.Fatalf("period %v: %v, parts %v", p.Period, p.Spend, s)
		}
		all.Add(all, exact(p.Spend))
	}
	for _, g := range table.Groups {
		if s := byGroup[fmt.Sprint(g.Group, g.Shared)]; s != nil && s.Cmp(exact(g.Spend)) != 0 {
			t.Fatalf("group %q: %v, parts %v", g.Group, g.Spend, s)
		}
	}
	lines, err := cac.TotalCost(b.costs)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []money.Amount{table.ExcludedSpend, table.OutsideSpend, table.DeferredSpend} {
		all.Add(all, exact(a))
	}
	if all.Cmp(exact(lines)) != 0 {
		t.Fatalf("lines of %v, accounted for %v", lines, all.FloatString(6))
	}
	if n := table.OutsideCustomers + table.UncountedCustomers; n+sumNew(table.Periods) != len(b.customers) {
		t.Fatalf("%d customers, %d accounted for", len(b.customers), n+sumNew(table.Periods))
	}
}

func sumNew(rows []cac.Row) int {
	n := 0
	for _, r := range rows {
		n += r.New
	}
	return n
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		b := randomBusiness(r)
		b.costs = append(b.costs, cac.Cost{Amount: usd("1.10"), Charge: cac.PerCustomer, Period: feb}, cac.Cost{Amount: usd("2.30"), Charge: cac.PerCustomer, Channel: "ads"})
		o := cac.Options{By: cac.PerChannel, Periods: []ledger.Period{jan, feb, mar}, Value: b.value, Sharing: cac.Sharing{Rule: cac.BySpend}, Missing: cac.ValueMean}
		want, err := cac.Analyze(context.Background(), b.costs, b.customers, &o)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(b.costs), func(i, j int) { b.costs[i], b.costs[j] = b.costs[j], b.costs[i] })
		r.Shuffle(len(b.customers), func(i, j int) { b.customers[i], b.customers[j] = b.customers[j], b.customers[i] })
		o.Periods = []ledger.Period{mar, jan, feb}
		before := fmt.Sprint(b.costs, b.customers, o.Periods)
		got, err := cac.Analyze(context.Background(), b.costs, b.customers, &o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
			t.Fatalf("after a shuffle (-want +got):\n%s", diff)
		}
		if after := fmt.Sprint(b.costs, b.customers, o.Periods); after != before {
			t.Fatal("arguments were modified")
		}
	}
}

// text is all that a table shows.
func text(t *testing.T, table *cac.Table) string {
	t.Helper()
	var b strings.Builder
	j, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return table.String() + b.String() + string(j)
}

func TestAccrualAddsUpOverAnyPartition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	istanbul := time.FixedZone("UTC+3", 3*60*60)
	for range 500 {
		start := time.Date(2025, 1, 1, 0, 0, 0, 0, []*time.Location{time.UTC, istanbul}[r.IntN(2)]).AddDate(0, 0, r.IntN(400))
		c := cac.Cost{Amount: sum(t, fmt.Sprintf("%d.%02d", r.IntN(5000), r.IntN(100))), Period: ledger.Period{Start: start, End: start.AddDate(0, 0, 1+r.IntN(400))}}
		all, days := new(big.Rat), c.Period.End.Sub(c.Period.Start).Hours()/24
		for at := start.AddDate(0, 0, -r.IntN(40)); at.Before(c.Period.End); {
			next := at.Add(time.Duration(1+r.IntN(60*24)) * time.Hour)
			part, err := c.Accrued(ledger.Period{Start: at, End: next})
			if err != nil {
				t.Fatal(err)
			}
			all.Add(all, exact(part))
			inside := max(0, min(next.Sub(start).Hours(), days*24)-max(at.Sub(start).Hours(), 0)) / 24
			if want := c.Amount.Float64() * inside / days; inside > 0 && (part.Float64() < want-c.Amount.Float64()/days-.011 || part.Float64() > want+c.Amount.Float64()/days+.011) {
				t.Fatalf("%v over %v days: %v of %v days, want about %v", c.Amount, days, part, inside, want)
			}
			at = next
		}
		if all.Cmp(exact(c.Amount)) != 0 {
			t.Fatalf("parts of %v add up to %v", c.Amount, all)
		}
	}
}

func TestAccrualByDays(t *testing.T) {
	salary := cac.Cost{Amount: usd("1000"), Period: ledger.Period{Start: day(2025, 1, 20), End: day(2025, 3, 1)}} // 12 and 28 days
	for _, c := range []struct {
		period ledger.Period
		want   string
	}{{jan, "USD 300.00"}, {feb, "USD 700.00"}, {mar, "USD 0.00"}, {ledger.Year(2025, nil), "USD 1000.00"}, {ledger.Day(day(2025, 2, 3), nil), "USD 25.00"}} {
		if got, err := salary.Accrued(c.period); err != nil || got.String() != c.want {
			t.Errorf("%v: %v, %v, want %s", c.period, got, err, c.want)
		}
	}
	paris, err := time.LoadLocation("Europe/Paris") // 31 March 2024 has 23 hours
	if err != nil {
		t.Skip("no time zone data here")
	}
	march := ledger.Month(2024, time.March, paris)
	c := cac.Cost{Amount: usd("31"), Period: march}
	if got, err := c.Accrued(ledger.Day(march.End.Add(-time.Hour), nil)); err != nil || got.String() != "USD 1.00" {
		t.Errorf("a short day: %v, %v", got, err)
	}
}

// Costs in two currencies, each at the rate of its own day: EUR 5,000 at 1.10 and USD 4,500 over 100 customers.
func TestDatedRates(t *testing.T) {
	rate := func(value string, d int) money.Rate {
		return money.Rate{Base: "EUR", Quote: "USD", Value: usd(value).Decimal(), AsOf: day(2025, 1, d)}
	}
	convert, err := cac.Rates(rate("1.2", 20), rate("1.10", 5))
	if err != nil {
		t.Fatal(err)
	}
	eur := func(s string, d int) cac.Cost {
		return cac.Cost{Amount: money.MustParse(s, "EUR"), Date: day(2025, 1, d), Channel: "ads"}
	}
	costs := []cac.Cost{eur("5000", 5), {Amount: usd("4500"), Date: day(2025, 1, 7), Channel: "ads"}}
	o := cac.Options{By: cac.PerChannel, Periods: []ledger.Period{jan}, Currency: "USD", Convert: convert}
	table, err := cac.Analyze(context.Background(), costs, won(100, jan, "ads"), &o)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := table.Total.CAC(); err != nil || f.Cost.String() != "USD 100.00" {
		t.Errorf("%v, %v", f, err)
	}
	table, err = cac.Analyze(context.Background(), append(costs, eur("0.04", 20)), won(100, jan, "ads"), &o)
	if err != nil || table.Total.Spend.String() != "USD 10000.05" { // 0.048 is rounded
		t.Errorf("%v, %v", table, err)
	}
	_, err = cac.Analyze(context.Background(), append(costs, eur("1", 4)), nil, &o)
	if want := `cac: channel "ads", period 2025-01-04: row 3: field "amount": value "EUR 1.00": currencies differ: EUR and USD, and there is no rate at or before 2025-01-04`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestChangeBetweenPeriods(t *testing.T) {
	costs := []cac.Cost{
		{Amount: usd("1000"), Date: day(2025, 1, 5), Channel: "ads"}, {Amount: usd("1500"), Date: day(2025, 2, 5), Channel: "ads"},
		{Amount: usd("600"), Date: day(2025, 3, 5), Channel: "ads"}, {Amount: usd("50"), Date: day(2025, 3, 5), Channel: "tv"},
	}
	table, err := cac.ByChannel(costs, join(won(10, jan, "ads"), won(10, feb, "ads"), won(3, mar, "ads")), worth("300"), jan, feb, mar)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row  int
		m    cac.Metric
		want string
		is   error
	}{
		{1, cac.MetricSpend, "1/2", nil}, {1, cac.MetricNew, "0", nil}, {1, cac.MetricCAC, "1/2", nil}, {1, cac.MetricValue, "0", nil},
		{1, cac.MetricLTVToCAC, "-1/3", nil}, {1, cac.MetricROI, "-1", nil}, // 3 to 2 and 2 to 1
		{2, cac.MetricCAC, "1/3", nil}, {2, cac.MetricNew, "-7/10", nil},
		{0, cac.MetricCAC, "", cac.ErrInsufficientHistory},
		{3, cac.MetricSpend, "", cac.ErrZeroBase}, {3, cac.MetricCAC, "", cac.ErrNoNewCustomers},
	} {
		got, err := table.Change(c.row, c.m)
		if c.is != nil {
			var place *cac.PlaceError
			if !errors.Is(err, c.is) || !errors.As(err, &place) {
				t.Errorf("row %d, %s: %v, want %v", c.row, c.m, err, c.is)
			}
			continue
		}
		if err != nil || got != frac(t, c.want) {
			t.Errorf("row %d, %s: %v, %v, want %s", c.row, c.m, got, err, c.want)
		}
	}
}

func TestMissingValues(t *testing.T) {
	customers := join(won(4, jan, "ads"), won(1, jan, "tv"))
	value := func(id string) (money.Amount, bool) {
		return usd("90"), strings.HasPrefix(id, "ads") && !strings.HasSuffix(id, "0")
	}
	costs := []cac.Cost{{Amount: usd("100"), Date: day(2025, 1, 5), Channel: "ads"}, {Amount: usd("100"), Date: day(2025, 1, 5), Channel: "tv"}}
	for _, c := range []struct {
		rule    cac.MissingValue
		ads, tv string
	}{{cac.ValueZero, "17/10", "-1"}, {cac.ValueMean, "26/10", ""}, {cac.ValueUndefined, "", ""}} {
		table, err := cac.Analyze(context.Background(), costs, customers, &cac.Options{By: cac.PerChannel, Periods: []ledger.Period{jan}, Value: value, Missing: c.rule})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{c.ads, c.tv} {
			got, err := table.Rows[i].ROI()
			switch {
			case want == "" && !errors.Is(err, cac.ErrMissingValue):
				t.Errorf("%s: %v, %v, want an error", c.rule, got, err)
			case want != "" && (err != nil || got != frac(t, want)):
				t.Errorf("%s: %v, %v, want %s", c.rule, got, err, want)
			}
		}
	}
}

func TestPaidCampaigns(t *testing.T) {
	costs := []cac.Cost{{Amount: usd("100"), Category: cac.PaidMedia, Campaign: "spring"}, {Amount: usd("40"), Category: cac.Content, Campaign: "blog"}}
	customers := []ledger.Customer{{ID: "a", Campaign: "spring"}, {ID: "b", Campaign: "spring"}, {ID: "c", Campaign: "blog"}, {ID: "d"}}
	table, err := cac.Analyze(context.Background(), costs, customers, &cac.Options{By: cac.PerCampaign, Basis: cac.Paid()})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := table.Total.CAC(); err != nil || f.Cost.String() != "USD 50.00" || f.Denominator != cac.NewPaid || table.UncountedCustomers != 2 {
		t.Errorf("%v, %v, %d not counted", f, err, table.UncountedCustomers)
	}
}

func TestDefaultsAndEmptyInput(t *testing.T) {
	table, err := cac.Analyze(context.Background(), []cac.Cost{{Amount: usd("100")}}, []ledger.Customer{{ID: "a"}, {ID: "b"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "     spend  new        CAC\nUSD 100.00    2  USD 50.00\ncost: fully loaded; customers: new_customers; shared costs: unallocated\n"
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	table, err = cac.ByCohort([]cac.Cost{{Amount: usd("100"), Date: day(2025, 1, 3)}}, won(2, jan, ""), worth("70"), jan, feb)
	if err != nil {
		t.Fatal(err)
	}
	want = `period        spend  new        CAC       value    LTV:CAC        ROI  CAC change
2025-01  USD 100.00    2  USD 50.00  USD 140.00       1.40      40.0%
2025-02    USD 0.00    0  undefined    USD 0.00  undefined  undefined   undefined
all      USD 100.00    2  USD 50.00  USD 140.00       1.40      40.0%
cost: fully loaded; customers: new_customers; shared costs: unallocated; value: gross_margin
`
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	table, err = cac.ByChannel(nil, nil, nil)
	if err != nil || table.Total.New != 0 {
		t.Errorf("%v, %v", table, err)
	}
	if _, err := table.Total.CAC(); !errors.Is(err, cac.ErrNoNewCustomers) || err.Error() != "cac: no new customers" {
		t.Errorf("%v", err)
	}
}

func TestCommissionPerCustomer(t *testing.T) {
	costs := []cac.Cost{
		{Amount: usd("10"), Charge: cac.PerCustomer, Channel: "ads"},
		{Amount: usd("5"), Charge: cac.PerCustomer, Segment: "north"},
		{Amount: usd("1"), Charge: cac.PerCustomer, Period: feb},
		{Amount: usd("2"), Charge: cac.PerCustomer, Campaign: "spring"},
	}
	customers := []ledger.Customer{
		{ID: "a", Acquired: jan.Start, Channel: "ads"}, {ID: "b", Acquired: feb.Start, Channel: "ads", Campaign: "spring"}, {ID: "c", Acquired: feb.Start, Channel: "tv"},
	}
	north := func(c string) string { return map[string]string{"a": "north", "c": "north"}[c] }
	for _, c := range []struct {
		by   cac.Dimension
		want map[string]string
	}{
		{cac.PerChannel, map[string]string{"ads": "28/2", "tv": "6/1"}}, // a: 10 + 5, b: 10 + 1 + 2, c: 5 + 1
		{cac.PerSegment, map[string]string{"": "13/1", "north": "21/2"}},
		{cac.PerCampaign, map[string]string{"": "21/2", "spring": "13/1"}},
	} {
		table, err := cac.Analyze(context.Background(), costs, customers, &cac.Options{By: c.by, Segment: north})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range table.Rows {
			got[r.Group] = shown(r)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", c.by, diff)
		}
	}
}

// A lag by category: commissions are due on the deal and not lagged, salaries are.
func TestLagByCategory(t *testing.T) {
	costs := []cac.Cost{{Amount: usd("100"), Period: jan, Category: cac.Payroll}, {Amount: usd("200"), Period: feb, Category: cac.Payroll},
		{Amount: usd("7"), Date: day(2025, 2, 3), Category: cac.Commission}}
	table, err := cac.Analyze(context.Background(), costs, won(1, feb, ""), &cac.Options{Periods: []ledger.Period{jan, feb},
		Lag: cac.Lag{Periods: 1, Categories: map[cac.Category][]float64{cac.Commission: {1}}}})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := table.Periods[1].CAC(); err != nil || f.Cost.String() != "USD 107.00" || table.DeferredSpend.String() != "USD 200.00" {
		t.Errorf("%v, %v, %v deferred", f, err, table.DeferredSpend)
	}
}

func TestArgumentsStayAsTheyAre(t *testing.T) {
	stages := []cac.Stage{{Name: "a", Count: 2}, {Name: "b", Count: 1, Each: usd("1")}}
	traffic := []cac.Traffic{{Platform: "web", Visits: 2}, {Platform: "app", Visits: 1}}
	profits := amounts("3", "2", "1")
	people := observations("x", "3", "1", "2")
	points := []cac.Point{{Marketing: usd("1"), New: 1}, {Marketing: usd("2"), New: 1}}
	costs := []cac.Cost{{Amount: eur("1"), Date: day(2025, 1, 2)}}
	rates := []money.Rate{{Base: "EUR", Quote: "USD", Value: usd("2").Decimal(), AsOf: day(2025, 2, 1)}, {Base: "EUR", Quote: "USD", Value: usd("3").Decimal()}}
	tiers := []cac.Tier{{Name: "b", Members: 1, Profit: usd("1")}, {Name: "a"}}
	show := func() string { return fmt.Sprint(stages, traffic, profits, people, points, costs, rates, tiers) }
	before := show()
	convert, err := cac.Rates(rates...)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := cac.StackedCost(usd("1"), stages...)
	_, err2 := cac.ConversionRates(traffic, "visits", 0)
	_, err3 := cac.CohortPayback(usd("4"), profits)
	_, err4 := cac.MatchUplift(people, people, &cac.UpliftOptions{Bins: 2})
	_, err5 := cac.LaggedCAC(points, cac.Lag{})
	_, err6 := cac.Convert(costs, "USD", convert)
	_, err7 := cac.LoyaltyProgram{Tiers: tiers}.Evaluate()
	if err := errors.Join(err1, err2, err3, err5, err6, err7); err != nil {
		t.Fatal(err, err4)
	}
	if after := show(); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

func TestFigureJSON(t *testing.T) {
	f, err := cac.NewFigure(usd("1750"), 3, cac.PaidWithAgency(), "")
	if err != nil {
		t.Fatal(err)
	}
	f.Of = cac.Place{Dimension: "region", Group: "north", Period: jan}
	j, err := json.Marshal(f)
	want := `{"cost":{"amount":"583.33","currency":"USD"},"unrounded":583.3333333333334,"spend":{"amount":"1750.00","currency":"USD"},"customers":3,` +
		`"basis":{"name":"paid with agency","categories":["paid_media","agency"]},"denominator":"new_customers_paid",` +
		`"of":{"dimension":"region","group":"north","period":{"start":"2025-01-01T00:00:00Z","end":"2025-02-01T00:00:00Z"}}}`
	if diff := cmp.Diff(want, string(j)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	var back cac.Figure
	if err := json.Unmarshal(j, &back); err != nil || cmp.Diff(f, back) != "" {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(f, back))
	}
	if up, err := f.Rounded(money.Up); err != nil || up.String() != "USD 583.34" {
		t.Errorf("rounded up %v, %v", up, err)
	}
}

// Every cell against a loop over all lines and customers.
func TestCellsAgainstALoop(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	periods := []ledger.Period{jan, feb, mar}
	for range 60 {
		b := randomBusiness(r)
		table, err := cac.ByChannel(b.costs, b.customers, b.value, periods...)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, p := range periods {
			for _, channel := range []string{"", "ads", "mail", "seo", "tv"} {
				spend, shared, worth := new(big.Rat), new(big.Rat), new(big.Rat)
				news, valued := 0, 0
				for _, c := range b.costs {
					part, err := c.Accrued(p)
					if err != nil {
						t.Fatal(err)
					}
					if c.Channel == channel && channel != "" {
						spend.Add(spend, exact(part))
					} else if c.Channel == channel {
						shared.Add(shared, exact(part))
					}
				}
				for _, c := range b.customers {
					if c.Channel != channel || !p.Contains(c.Acquired) {
						continue
					}
					news++
					if v, ok := b.worth[c.ID]; ok {
						valued++
						worth.Add(worth, exact(v))
					}
				}
				row, ok := table.Find(channel, p)
				if ok {
					seen++
				}
				if exact(row.Spend).Cmp(spend) != 0 || row.New != news || row.Valued != valued || exact(row.Value).Cmp(worth) != 0 {
					t.Fatalf("%q in %v: %+v, want %v, %d, %d, %v", channel, p, row, spend, news, valued, worth)
				}
				if channel != "" {
					continue
				}
				for _, row := range table.Rows {
					if row.Shared && row.Period == p {
						seen++
						shared.Sub(shared, exact(row.Spend))
					}
				}
				if shared.Sign() != 0 {
					t.Fatalf("shared costs in %v are off by %v", p, shared)
				}
			}
		}
		if seen != len(table.Rows) {
			t.Fatalf("%d rows, %d expected", len(table.Rows), seen)
		}
	}
}

// Shared costs go by their weights to within a cent, nothing goes to a weight of zero, and the parts add up.
func TestSharingIsFairToTheCent(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		weights, sum := map[string]float64{}, 0.0
		for i := range 1 + r.IntN(6) {
			w := float64(r.IntN(8)) / 4
			weights[fmt.Sprint("team", i)] = w
			sum += w
		}
		shared := minor(r.Int64N(100001) - 30000)
		table, err := cac.Analyze(context.Background(), []cac.Cost{{Amount: shared}}, nil, &cac.Options{By: cac.PerChannel, Sharing: cac.Sharing{Rule: cac.ByWeights, Weights: weights}})
		if err != nil {
			t.Fatal(err)
		}
		if !table.Total.Spend.Equal(shared) {
			t.Fatalf("%v shared, %v arrived", shared, table.Total.Spend)
		}
		for _, row := range table.Rows {
			want := shared.Float64() * weights[row.Group] / sum
			if got := row.Allocated.Float64(); sum > 0 && (got < want-.01000001 || got > want+.01000001 || weights[row.Group] == 0) {
				t.Fatalf("%q of %v with %v: %v, want %v", row.Group, shared, weights, got, want)
			}
			if sum == 0 && !row.Shared {
				t.Fatalf("no weights, and yet %+v", row)
			}
		}
	}
}

func TestRank(t *testing.T) {
	costs := []cac.Cost{{Amount: usd("100"), Channel: "ads"}, {Amount: usd("90"), Channel: "tv"}, {Amount: usd("10"), Channel: "mail"}, {Amount: usd("5")}}
	customers := []ledger.Customer{{ID: "a", Channel: "ads"}, {ID: "b", Channel: "ads"}, {ID: "c", Channel: "mail"}, {ID: "d", Channel: "friends"}}
	table, err := cac.ByChannel(costs, customers, worth("60"))
	if err != nil {
		t.Fatal(err)
	}
	for m, want := range map[cac.Metric]string{
		cac.MetricCAC: "[friends mail ads tv]", cac.MetricROI: "[mail ads tv friends]", cac.MetricSpend: "[ads tv mail friends]", cac.MetricNew: "[ads friends mail tv]",
	} {
		rows, err := table.Rank(m)
		var got []string
		for _, r := range rows {
			got = append(got, r.Group)
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("by %s: %v, %v, want %s", m, got, err, want)
		}
	}
	if _, err := table.Rank("luck"); err == nil || err.Error() != `cac: unknown metric "luck"` {
		t.Errorf("%v", err)
	}
}
