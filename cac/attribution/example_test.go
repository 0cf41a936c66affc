package attribution_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func days(n ...int) []time.Duration {
	out := make([]time.Duration, len(n))
	for i, d := range n {
		out[i] = time.Duration(d) * 24 * time.Hour
	}
	return out
}

// shop has the journeys of a month, by the way that they took.
func shop() *attribution.Journeys {
	js, err := attribution.New([]attribution.Journey{
		{Channels: []string{"Search", "Display", "Email", "Direct"}, Conversions: 10, Nulls: 30, Value: usd("1000"), Ages: days(21, 14, 7, 0)},
		{Channels: []string{"Display", "Display", "Search"}, Conversions: 6, Nulls: 24, Value: usd("300"), Ages: days(10, 6, 1)},
		{Channels: []string{"Email"}, Conversions: 5, Nulls: 15, Value: usd("250"), Ages: days(0)},
		{Channels: []string{"Direct"}, Conversions: 4, Nulls: 6, Value: usd("80"), Ages: days(0)},
		{Channels: []string{"Search", "Direct"}, Conversions: 8, Nulls: 12, Value: usd("960"), Ages: days(3, 0)},
		{Channels: []string{"Display", "Email", "Search", "Email"}, Conversions: 3, Nulls: 27, Value: usd("90"), Ages: days(28, 14, 7, 0)},
	}, &attribution.Options{Direct: "Direct"})
	if err != nil {
		panic(err)
	}
	return js
}

func Example() {
	ctx := context.Background()
	touches := `customer,at,channel
anna,2025-03-01,Search
anna,2025-03-05,Email
bob,2025-03-02,Search
cleo,2025-03-10,Email
cleo,2025-03-11,Direct
`
	orders := `customer,at,value
anna,2025-03-06,80.00
cleo,2025-03-11,40.01
`
	js, err := attribution.Build(ctx,
		attribution.ReadTouchpoints(ctx, strings.NewReader(touches), nil),
		attribution.ReadConversions(ctx, strings.NewReader(orders), &ledger.CSVOptions{Currency: "USD"}),
		time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC),
		&attribution.BuildOptions{Lookback: 30 * 24 * time.Hour, Direct: "Direct"})
	if err != nil {
		fmt.Println(err)
		return
	}
	credit, err := attribution.Attribute(ctx, js, attribution.Linear{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(js, "\n", credit)
	// Output:
	// path            conversions  nulls       value
	// Email > Direct            1      0   USD 40.01
	// Search > Email            1      0   USD 80.00
	// Search                    0      1           0
	// (total)                   2      1  USD 120.01
	//
	// linear
	// channel  conversions   share       value
	// Direct          0.50   25.0%   USD 20.01
	// Email           1.00   50.0%   USD 60.00
	// Search          0.50   25.0%   USD 40.00
	// (total)         2.00  100.0%  USD 120.01
}

func ExampleAttribute() {
	r, err := attribution.Attribute(context.Background(), shop(), attribution.Markov{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	// Output:
	// Markov 1
	// channel  conversions   share        value
	// Direct          9.04   25.1%   USD 802.63
	// Display         7.96   22.1%   USD 554.77
	// Email           9.86   27.4%   USD 688.91
	// Search          9.14   25.4%   USD 633.69
	// (total)        36.00  100.0%  USD 2680.00
}

// Cost per customer by channel, where customers are credited in parts.
func ExampleResult_ByChannel() {
	r, err := attribution.Attribute(context.Background(), shop(), attribution.Markov{})
	if err != nil {
		fmt.Println(err)
		return
	}
	spend := map[string]money.Amount{"Search": usd("400"), "Display": usd("300"), "Email": usd("100")}
	costs, err := cac.AttributeCAC(spend, r.ByChannel())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range costs {
		fmt.Printf("%s %.4f %s\n", c.Channel, c.Credit, c.Cost)
	}
	// Output:
	// Direct 9.0440 USD 0.00
	// Display 7.9582 USD 37.70
	// Email 9.8597 USD 10.14
	// Search 9.1380 USD 43.77
}

func ExampleResult_Allocate() {
	r, err := attribution.Attribute(context.Background(), shop(), attribution.Markov{})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := r.Allocate(usd("2680.00"))
	fmt.Println(parts, err)
	// Output: [USD 673.28 USD 592.45 USD 734.00 USD 680.27] <nil>
}

func ExampleCompare() {
	c, err := attribution.Compare(context.Background(), shop(),
		attribution.First{}, attribution.LastNonDirect{}, attribution.Position{}, attribution.Shapley{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(c)
	// Output:
	// conversions
	// channel  first  last non-direct  position 40/20/40  Shapley
	// Direct    4.00             4.00              12.00    10.50
	// Display   9.00             0.00               5.80     6.50
	// Email     5.00            18.00               7.50     8.50
	// Search   18.00            14.00              10.70    10.50
	// (total)  36.00            36.00              36.00    36.00
	// value
	// channel        first  last non-direct  position 40/20/40      Shapley
	// Direct     USD 80.00        USD 80.00         USD 960.00   USD 810.00
	// Display   USD 390.00         USD 0.00         USD 316.00   USD 430.00
	// Email     USD 250.00      USD 1340.00         USD 395.00   USD 530.00
	// Search   USD 1960.00      USD 1260.00        USD 1009.00   USD 910.00
	// (total)  USD 2680.00      USD 2680.00        USD 2680.00  USD 2680.00
}

// The weights of one journey share out its payment to the cent.
func ExamplePosition_Touches() {
	w, err := attribution.Position{}.Touches(attribution.Journey{Channels: []string{"a", "b", "c", "d", "e"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := usd("99.99").AllocateBy(w)
	fmt.Println(parts, err)
	// Output: [USD 40.00 USD 6.67 USD 6.67 USD 6.66 USD 39.99] <nil>
}

func ExampleWShaped_Touches() {
	w, err := attribution.WShaped{}.Touches(attribution.Journey{Channels: []string{"a", "b", "c", "d", "e", "f"}, Lead: 3, Opportunity: 6})
	fmt.Printf("%.4f %v\n", w, err)
	// Output: [0.3000 0.0333 0.3000 0.0333 0.0333 0.3000] <nil>
}

func ExampleTimeDecay_Touches() {
	w, err := attribution.TimeDecay{}.Touches(attribution.Journey{Channels: []string{"a", "b", "c", "d"}, Ages: days(21, 14, 7, 0)})
	fmt.Printf("%.4f %v\n", w, err)
	// Output: [0.0667 0.1333 0.2667 0.5333] <nil>
}

func ExampleCustom() {
	twoLast := attribution.Custom{Label: "two last", Weights: func(j attribution.Journey) []float64 {
		w := make([]float64, len(j.Channels))
		for i := max(0, len(w)-2); i < len(w); i++ {
			w[i] = 1
		}
		return w
	}}
	r, err := attribution.Attribute(context.Background(), shop(), twoLast)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range r.Credits {
		fmt.Println(c.Channel, c.Conversions)
	}
	// Output:
	// Direct 13
	// Display 3
	// Email 11.5
	// Search 8.5
}

func ExampleMarkov_Removal() {
	r, err := attribution.Markov{}.Removal(context.Background(), shop())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	fmt.Printf("%.2f of the journeys convert\n", r.Conversion)
	// Output:
	// Markov 1
	// channel  conversions   value
	// Direct        0.6111  0.7612
	// Display       0.5377  0.5261
	// Email         0.6662  0.6533
	// Search        0.6175  0.6010
	// 0.24 of the journeys convert
}

func ExampleMarkov_Transitions() {
	ts, err := attribution.Markov{}.Transitions(context.Background(), shop())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(ts[:6])
	// Output:
	// from     to            count  probability
	// (start)  Direct           10       0.0667
	// (start)  Display          60       0.4000
	// (start)  Email            20       0.1333
	// (start)  Search           60       0.4000
	// Direct   (conversion)     22       0.3143
	// Direct   (null)           48       0.6857
}

func ExampleOrderedShapley() {
	ps, err := attribution.OrderedShapley(context.Background(), shop())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(ps[:3])
	// Output:
	// channel  position  conversions   value
	// Direct          1         4.00   80.00
	// Direct          2         4.00  480.00
	// Direct          4         2.50  250.00
}

func ExampleShapleyExact() {
	g, err := attribution.TableGame([]string{"O", "F", "D"},
		map[string]float64{"O": 7, "F": 6, "D": 4, "O+F": 15, "O+D": 7, "F+D": 9, "O+F+D": 19})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := attribution.ShapleyExact(context.Background(), g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(v)
	// Output:
	// player     value  std err
	// O         7.6667   0.0000
	// F         8.1667   0.0000
	// D         3.1667   0.0000
	// (total)  19.0000
}

func ExampleShapleySampled() {
	v, err := attribution.ShapleySampled(context.Background(), attribution.ConversionGame(shop()),
		attribution.SampleOptions{Permutations: 200000, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range v.Values {
		fmt.Printf("%s %.1f, standard error below 0.1: %t\n", x.Player, x.Value, x.StdErr < 0.1)
	}
	// Output:
	// Direct 10.5, standard error below 0.1: true
	// Display 6.5, standard error below 0.1: true
	// Email 8.5, standard error below 0.1: true
	// Search 10.5, standard error below 0.1: true
}

// The rate of exact sets of channels is no credit: its values tell which channels go well together.
func ExampleRateGame() {
	v, err := attribution.ShapleyExact(context.Background(), attribution.RateGame(shop()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(v)
	// Output:
	// player    value  std err
	// Direct   0.1333   0.0000
	// Display  0.0000   0.0000
	// Email    0.0500   0.0000
	// Search   0.0667   0.0000
	// (total)  0.2500
}

// A game whose worth is the number of converting paths that a coalition has to itself.
func ExampleByGame() {
	paths := attribution.ByGame{Label: "paths", Game: func(js *attribution.Journeys) attribution.Game {
		channels := js.Channels()
		return attribution.Game{Players: channels, Worth: func(c attribution.Coalition) float64 {
			n := 0.0
			for j := range js.Paths() {
				inside := j.Conversions > 0
				for _, name := range j.Channels {
					inside = inside && c.Has(slices.Index(channels, name))
				}
				if inside {
					n++
				}
			}
			return n
		}}
	}}
	r, err := attribution.Attribute(context.Background(), shop(), paths)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range r.Credits {
		fmt.Printf("%s %.2f\n", c.Channel, c.Conversions)
	}
	// Output:
	// Direct 10.50
	// Display 6.50
	// Email 9.50
	// Search 9.50
}

func ExampleSelectOrder() {
	o, err := attribution.SelectOrder(context.Background(), shop(), &attribution.OrderOptions{Max: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("order", o.Best)
	for _, f := range o.Fits {
		fmt.Printf("%d %d %.2f %.2f\n", f.Order, f.Parameters, f.AIC, f.BIC)
	}
	// Output:
	// order 3
	// 1 12 1246.51 1282.63
	// 2 12 791.22 827.35
	// 3 11 693.62 726.73
}

func ExampleBootstrap() {
	s, err := attribution.Bootstrap(context.Background(), shop(), attribution.Last{}, &attribution.BootstrapOptions{Replicates: 2000, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	direct := s.Rows[0]
	fmt.Printf("%s: %.0f conversions, about %.0f to %.0f\n", direct.Channel, direct.Conversions.Value, direct.Conversions.Low, direct.Conversions.High)
	// Output: Direct: 22 conversions, about 14 to 31
}

func ExampleReadJourneys() {
	ctx := context.Background()
	export := `path,conversions,nulls,value
Search > Email,3,7,90.00
Email,1,9,20.00
`
	js, err := attribution.Collect(ctx, attribution.ReadJourneys(ctx, strings.NewReader(export), &ledger.CSVOptions{Currency: "EUR"}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := attribution.Attribute(ctx, js, attribution.First{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = r.WriteCSV(os.Stdout)
	// Output:
	// model,channel,conversions,share,value,currency
	// first,Email,1,0.25,20.00,EUR
	// first,Search,3,0.75,90.00,EUR
}

func ExampleJourneys_Relabel() {
	js, err := shop().Relabel(context.Background(), func(channel string) string {
		if channel == "Search" || channel == "Display" {
			return "Paid"
		}
		return "Owned"
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(js)
	// Output:
	// path                         conversions  nulls        value
	// Paid > Paid > Owned > Owned           10     30  USD 1000.00
	// Owned                                  9     21   USD 330.00
	// Paid > Owned                           8     12   USD 960.00
	// Paid > Paid > Paid                     6     24   USD 300.00
	// Paid > Owned > Paid > Owned            3     27    USD 90.00
	// (total)                               36    114  USD 2680.00
}

func ExampleFromTransactions() {
	log := []ledger.Transaction{
		{Customer: "anna", At: time.Date(2025, 3, 6, 0, 0, 0, 0, time.UTC), Amount: usd("50"), ID: "A1"},
		{Customer: "anna", At: time.Date(2025, 3, 6, 0, 0, 0, 0, time.UTC), Amount: usd("30"), ID: "A1"},
	}
	for c, err := range attribution.FromTransactions(ledger.Transactions(log)) {
		fmt.Println(c.Customer, c.Value, err)
	}
	// Output: anna USD 80.00 <nil>
}
