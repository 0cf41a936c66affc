// Command marketing writes the marketing data of the examples, which belong to the customers of shop.csv, into the current
// directory.
package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

var (
	start = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	end   = time.Date(2025, time.April, 1, 0, 0, 0, 0, time.UTC)
)

func main() {
	if err := write(); err != nil {
		log.Fatal(err)
	}
}

func write() error {
	f, err := os.Open("shop.csv")
	if err != nil {
		return err
	}
	defer f.Close()
	won, err := cac.Acquire(context.Background(), ledger.ReadCSV(context.Background(), f, &ledger.CSVOptions{Currency: "USD"}), nil)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name   string
		header []string
		rows   [][]string
	}{
		{"marketing_touches.csv", []string{"customer", "at", "channel", "campaign"}, touches(won.Customers())},
		{"marketing_trials.csv", []string{"channel", "spend", "customers"}, trials()},
		{"marketing_test.csv", []string{"subscriber", "arm", "orders", "margin"}, test()},
	} {
		if err := charts.WriteFile(file.name, table(append([][]string{file.header}, file.rows...))); err != nil {
			return err
		}
	}
	return charts.WriteFile("marketing_costs.csv", lines(costs()))
}

// A table is the rows of a CSV file.
type table [][]string

// WriteTo writes the rows as CSV.
func (t table) WriteTo(w io.Writer) (int64, error) {
	return 0, csv.NewWriter(w).WriteAll(t)
}

// lines are the cost lines of a CSV file.
type lines []cac.Cost

// WriteTo writes the lines as CSV.
func (l lines) WriteTo(w io.Writer) (int64, error) { return 0, cac.WriteCosts(w, l) }

func dollars(x float64) money.Amount {
	a, err := money.FromFloat(x, "USD", money.HalfEven)
	if err != nil {
		log.Fatal(err) // a finite number of dollars: it does not happen
	}
	return a
}

// costs has the bills from January 2024 to March 2025: media of five campaigns that get three per cent dearer every month
// and vary by a tenth, the salary of a marketer who is joined by another in 2025, tools and an agency. One bill of a platform is partly refunded, and
// every customer of the welcome campaign gets a gift.
func costs() []cac.Cost {
	r := rand.New(rand.NewPCG(11, 1))
	media := []struct {
		channel, campaign string
		monthly           float64
	}{
		{"search", "brand", 110}, {"search", "shopping", 520}, {"social", "lookalike", 560}, {"social", "retargeting", 190}, {"display", "banners", 240},
	}
	var out []cac.Cost
	for i, p := range ledger.Months(start, end, nil) {
		for _, m := range media {
			out = append(out, cac.Cost{Amount: dollars(m.monthly * math.Pow(1.03, float64(i)) * math.Exp(0.1*r.NormFloat64())), Period: p,
				Category: cac.PaidMedia, Channel: m.channel, Campaign: m.campaign})
		}
		salary := 1300.0
		if p.Start.Year() > 2024 {
			salary = 3100
		}
		out = append(out,
			cac.Cost{Amount: dollars(salary), Period: p, Category: cac.Payroll},
			cac.Cost{Amount: dollars(220), Period: p, Category: cac.Agency, Channel: "social"},
			cac.Cost{Amount: dollars(60), Period: p, Category: cac.Tools, Channel: "email", Campaign: "welcome"})
	}
	return append(out,
		cac.Cost{Amount: dollars(1800), Period: ledger.Year(2024, nil), Category: cac.Tools},
		cac.Cost{Amount: dollars(480), Period: ledger.Quarter(2025, 1, nil), Category: cac.Tools},
		cac.Cost{Amount: dollars(-85.40), Date: time.Date(2024, time.May, 17, 0, 0, 0, 0, time.UTC), Category: cac.PaidMedia, Channel: "social", Campaign: "lookalike"},
		cac.Cost{Amount: dollars(5), Charge: cac.PerCustomer, Category: cac.Other, Label: "gift", Channel: "email", Campaign: "welcome"})
}

// campaigns has the campaigns of each channel with their weights; direct has none.
var campaigns = map[string][]string{
	"search":  {"brand", "shopping", "shopping"},
	"social":  {"lookalike", "lookalike", "retargeting"},
	"display": {"banners"},
	"email":   {"welcome"},
	"direct":  {""},
}

// touches has what customers saw in the four weeks before their first order, whose last touch is the channel that the
// shop's log names, and the ways of 1,500 visitors who bought nothing. Banners come
// before other touches and last only for visitors.
func touches(customers []ledger.Customer) [][]string {
	r := rand.New(rand.NewPCG(11, 2))
	before := map[string][]string{ // a touch before one of the channel
		"search": {"display", "display", "social", "search"},
		"social": {"display", "social", "search"},
		"email":  {"search", "social", "display", "email"},
		"direct": {"search", "search", "social", "email", "display"},
	}
	before["display"] = []string{"display", "social"}
	type row struct {
		customer          string
		at                time.Time
		channel, campaign string
	}
	var rows []row
	way := func(customer, channel string, at time.Time, more float64) {
		days := 27
		for {
			names := campaigns[channel]
			rows = append(rows, row{customer, at, channel, names[r.IntN(len(names))]})
			back := 1 + r.IntN(7)
			if days -= back; days < 0 || r.Float64() > more {
				return
			}
			at, channel = at.AddDate(0, 0, -back), before[channel][r.IntN(len(before[channel]))]
		}
	}
	for _, c := range customers {
		way(c.ID, c.Channel, c.Acquired, 0.55)
	}
	ends := []string{"search", "search", "search", "social", "social", "social", "social", "direct", "email", "display"}
	for i := range 1500 {
		way(fmt.Sprintf("v%07d", i+1), ends[r.IntN(len(ends))], start.AddDate(0, 0, 28+r.IntN(400)), 0.3)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.customer, b.customer)) })
	out := make([][]string, len(rows))
	for i, t := range rows {
		out[i] = []string{t.customer, t.at.Format(time.DateOnly), t.channel, t.campaign}
	}
	return out
}

// trials has 36 months of regions for each channel in which the spend was drawn at random, as if for the whole country,
// and the customers who came. Social needs some spend to be noticed at all.
func trials() [][]string {
	r := rand.New(rand.NewPCG(11, 3))
	var out [][]string
	for _, c := range []struct {
		channel string
		curve   budget.Curve
		most    float64
	}{
		{"search", budget.MichaelisMenten{A: 46, C: 450}, 3200},
		{"social", budget.Hill{A: 75, C: 1250, S: 2.2}, 3200},
		{"display", budget.NegExp{A: 16, K: 1.0 / 420}, 1600},
	} {
		for i := range 36 {
			spend := math.Round(c.most * (float64(i) + r.Float64()) / 36)
			n := math.Max(0, math.Round(c.curve.Response(spend)+math.Sqrt(c.curve.Response(spend))*0.6*r.NormFloat64()))
			out = append(out, []string{c.channel, strconv.FormatFloat(spend, 'f', -1, 64), strconv.FormatFloat(n, 'f', -1, 64)})
		}
	}
	return out
}

// test has 3,000 subscribers of the newsletter who had never bought. One in two was promised a gift of USD 8 with the first
// order. Without it 6 in 100 buy within twelve weeks, with it 9.
func test() [][]string {
	r := rand.New(rand.NewPCG(11, 4))
	var out [][]string
	for i := range 3000 {
		arm, rate, gift := "control", 0.06, 0.0
		if r.IntN(2) > 0 {
			arm, rate, gift = "gift", 0.09, 8
		}
		orders, margin := 0, 0.0
		if r.Float64() < rate {
			for orders = 1; r.Float64() < 0.3; {
				orders++
			}
			for range orders {
				margin += math.Exp(2.8 + 0.6*r.NormFloat64())
			}
			margin -= gift
		}
		out = append(out, []string{fmt.Sprintf("n%05d", i+1), arm, strconv.Itoa(orders), dollars(margin).Number()})
	}
	return out
}
