package rfm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/rfm"
)

var end = time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func order(customer string, daysAgo int, amount string) ledger.Transaction {
	return ledger.Transaction{Customer: customer, At: end.AddDate(0, 0, -daysAgo), Amount: usd(amount), Category: "tea"}
}

// orders is a small log: ada and eve come often, bob and dan came once, cem has drifted away.
func orders() []ledger.Transaction {
	return []ledger.Transaction{
		order("ada", 3, "120"), order("ada", 20, "95"), order("ada", 41, "130"), order("ada", 60, "80"), order("ada", 80, "75.50"),
		order("bob", 12, "15"),
		order("cem", 150, "80"), order("cem", 170, "140"), order("cem", 190, "90"), order("cem", 210, "60"),
		order("dan", 180, "20"),
		order("eve", 30, "49.90"), order("eve", 75, "35"), order("eve", 10, "-5"),
	}
}

func analyzed() *rfm.Table {
	t, err := rfm.Analyze(context.Background(), ledger.Transactions(orders()), end, nil)
	if err != nil {
		log.Fatal(err)
	}
	return t
}

func summarized(o *rfm.SummaryOptions) *rfm.Summary {
	s, err := rfm.Summarize(context.Background(), ledger.Transactions(orders()), end, o)
	if err != nil {
		log.Fatal(err)
	}
	return s
}

func ExampleAnalyze() {
	t, err := rfm.Analyze(context.Background(), ledger.Transactions(orders()), end, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(t)
	// Output:
	// customer  recency  frequency    monetary  RFM         segment
	// ada             3          5  USD 500.50  555       Champions
	// bob            12          1   USD 15.00  411       Promising
	// cem           150          4  USD 370.00  244         At Risk
	// dan           180          1   USD 20.00  112     Hibernating
	// eve            30          2   USD 79.90  333  Need Attention
}

func ExampleTable_Segments() {
	for _, s := range analyzed().Segments().Rows {
		if s.Customers > 0 {
			fmt.Println(s.Segment, s.Customers, s.Revenue, s.Action)
		}
	}
	// Output:
	// Champions 1 USD 500.50 Reward them; early access, reviews and referrals
	// Promising 1 USD 15.00 Build the brand; small incentive for the second purchase
	// Need Attention 1 USD 79.90 Limited-time offer based on past purchases
	// At Risk 1 USD 370.00 Personal message; win them back with a relevant offer
	// Hibernating 1 USD 20.00 Low-cost reminder of related products
}

func ExampleTable_WriteCSV() {
	if err := analyzed().WriteCSV(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// customer,recency_days,frequency,monetary,revenue,currency,first,last,length_days,gap_days,r,f,m,rfm,score,segment
	// ada,3,5,500.50,500.50,USD,2025-04-11,2025-06-27,77,19.25,5,5,5,555,555,Champions
	// bob,12,1,15.00,15.00,USD,2025-06-18,2025-06-18,0,,4,1,1,411,411,Promising
	// cem,150,4,370.00,370.00,USD,2024-12-02,2025-01-31,60,20,2,4,4,244,244,At Risk
	// dan,180,1,20.00,20.00,USD,2025-01-01,2025-01-01,0,,1,1,2,112,112,Hibernating
	// eve,30,2,79.90,79.90,USD,2025-04-16,2025-05-31,45,45,3,3,3,333,333,Need Attention
}

func ExampleTable_HeatMap() {
	fmt.Print(analyzed().HeatMap())
	// Output:
	// F \ R  1  2  3  4  5
	// 5      0  0  0  0  1
	// 4      0  1  0  0  0
	// 3      0  0  1  0  0
	// 2      0  0  0  0  0
	// 1      1  0  0  1  0
}

func ExampleTable_Pareto() {
	p, err := analyzed().Pareto(5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p)
	// Output:
	// customers   share     revenue  revenue_share
	//         0    0.0%    USD 0.00           0.0%
	//         1   20.0%  USD 500.50          50.8%
	//         2   40.0%  USD 870.50          88.3%
	//         3   60.0%  USD 950.40          96.4%
	//         4   80.0%  USD 970.40          98.5%
	//         5  100.0%  USD 985.40         100.0%
	// Gini coefficient 0.536
}

func ExampleTable_Categories() {
	c, err := analyzed().Categories(context.Background(), ledger.Transactions(orders()), nil, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(c)
	// Output:
	// segment         category  rank  customers  lines     revenue   share
	// Champions       tea          1          1      5  USD 500.50  100.0%
	// Promising       tea          1          1      1   USD 15.00  100.0%
	// Need Attention  tea          1          1      2   USD 79.90  100.0%
	// At Risk         tea          1          1      4  USD 370.00  100.0%
	// Hibernating     tea          1          1      1   USD 20.00  100.0%
}

func ExampleTable_HighValue() {
	best, err := analyzed().HighValue(0.8)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range best {
		fmt.Println(r.Customer, r.Revenue)
	}
	// Output:
	// ada USD 500.50
	// cem USD 370.00
}

func ExampleScores() {
	purchases := []float64{1, 1, 1, 1, 1, 1, 2, 2, 3, 5}
	for _, s := range []rfm.Scorer{rfm.CountBelow{}, rfm.MidRank{}, rfm.NTile{}, rfm.Fixed{2, 3, 4, 5}} {
		scores, err := rfm.Scores(purchases, 5, s)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(scores)
	}
	// Output:
	// [1 1 1 1 1 1 4 4 5 5]
	// [2 2 2 2 2 2 4 4 5 5]
	// [1 1 2 2 3 3 4 4 5 5]
	// [1 1 1 1 1 1 2 2 3 5]
}

func ExampleFixed() {
	t, err := rfm.Analyze(context.Background(), ledger.Transactions(orders()), end, &rfm.Options{R: rfm.Fixed{30, 60, 90, 180}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Scales.R)
	// Output: 5: <= 30, 4: <= 60, 3: <= 90, 2: <= 180, 1: the rest
}

func ExampleSummarize() {
	for _, r := range summarized(nil).Rows {
		fmt.Println(r.Customer, r.Recency, r.Frequency, r.Monetary, r.First)
	}
	// Output:
	// ada 3 5 USD 500.50 2025-04-11
	// bob 12 1 USD 15.00 2025-06-18
	// cem 150 4 USD 370.00 2024-12-02
	// dan 180 1 USD 20.00 2025-01-01
	// eve 30 2 USD 79.90 2025-04-16
}

func ExampleMap_Coverage() {
	m := rfm.Map{Name: "mine", Axes: rfm.RF, Bins: 3, Priority: rfm.FirstMatch, Default: "the rest", Rules: []rfm.Rule{
		{Segment: "best", R: rfm.Range{Low: 3}, F: rfm.Range{Low: 3}},
		{Segment: "recent", R: rfm.Range{Low: 2}},
		{Segment: "new", R: rfm.Range{Low: 3}, F: rfm.Range{High: 1}},
	}}
	fmt.Print(m.Coverage())
	// Output:
	// segment      matched  own  shadowed
	// best               1    1     false
	// recent             6    5     false
	// new                1    0      true
	// (uncovered)        3    3     false
	// uncovered: 11 12 13
	// 2 of 9 cells match more than one segment
}

func ExampleMap_Segment() {
	segment, err := rfm.Grid().Segment(5, 4, 1)
	fmt.Println(segment, err)
	// Output: Champions <nil>
}

func ExampleScales() {
	first := analyzed()
	stored, err := json.Marshal(first.Scales)
	if err != nil {
		log.Fatal(err)
	}
	var scales rfm.Scales
	if err := json.Unmarshal(stored, &scales); err != nil {
		log.Fatal(err)
	}
	// A month later, on the same limits.
	later, err := rfm.Analyze(context.Background(), ledger.Transactions(orders()), end.AddDate(0, 1, 0), &rfm.Options{Scales: &scales})
	if err != nil {
		log.Fatal(err)
	}
	m, err := rfm.Compare(first, later)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range m.Flows {
		fmt.Println(f.From, ">", f.To, f.Customers)
	}
	// Output:
	// Champions > Can't Lose Them 1
	// Promising > Hibernating 1
	// Need Attention > At Risk 1
	// At Risk > At Risk 1
	// Hibernating > Hibernating 1
}

func ExampleMigrate() {
	_, _, m, err := rfm.Migrate(context.Background(), ledger.Transactions(orders()), end.AddDate(0, -2, 0), end, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d in both periods, %d moved, %d entered, %d left\n", m.Both, m.Moved, m.Entered, m.Left)
	// Output:
	// 4 in both periods, 2 moved, 1 entered, 0 left
}

func ExampleTransitions() {
	m, err := rfm.Transitions(map[string]string{"ada": "gold", "bob": "gold", "cem": "silver"},
		map[string]string{"ada": "gold", "bob": "silver", "dan": "silver"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(m)
	// Output:
	// from \ to  gold  silver  (left)
	// gold          1       1       0
	// silver        0       0       1
	// (entered)     0       1       0
	// 1 of 2 customers in both periods stayed (50.0%); 1 entered, 1 left
}

func ExampleSummary_Micro() {
	persona := ledger.By([]ledger.Customer{
		{ID: "ada", Attributes: map[string]string{"persona": "gourmet"}}, {ID: "eve", Attributes: map[string]string{"persona": "gourmet"}},
	}, "persona")
	m, err := summarized(nil).Micro(context.Background(), persona, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range m.Rows() {
		fmt.Printf("%q %s %d\n", r.Group, r.Segment, r.Customers)
	}
	// Output:
	// "" Loyal Customers 1
	// "" New Customers 1
	// "" Hibernating 1
	// "gourmet" Potential Loyalists 1
	// "gourmet" Hibernating 1
}

func ExampleAnalyzeBy() {
	m, err := rfm.AnalyzeBy(context.Background(), ledger.Transactions(orders()), end, func(t ledger.Transaction) string { return t.Category }, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range m.Groups {
		fmt.Println(g.Group, len(g.Table.Rows))
	}
	// Output: tea 5
}

func ExamplePartial() {
	yesterday, err := rfm.NewPartial(nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := yesterday.Add(context.Background(), ledger.Transactions(orders())); err != nil {
		log.Fatal(err)
	}
	stored, err := yesterday.MarshalBinary() // to a file, until tomorrow
	if err != nil {
		log.Fatal(err)
	}
	var today rfm.Partial
	if err := today.UnmarshalBinary(stored); err != nil {
		log.Fatal(err)
	}
	next := []ledger.Transaction{order("bob", -1, "25")}
	if err := today.Add(context.Background(), ledger.Transactions(next)); err != nil {
		log.Fatal(err)
	}
	s, err := today.Summary(end.AddDate(0, 0, 1))
	if err != nil {
		log.Fatal(err)
	}
	bob := s.Rows[1]
	fmt.Println(bob.Customer, bob.Recency, bob.Frequency, bob.Monetary)
	// Output: bob 0 2 USD 40.00
}

func ExampleClumpiness() {
	for _, days := range [][]int{{1, 6, 11, 16, 21, 26}, {2, 3, 4, 27, 28, 29}} {
		h, err := rfm.Clumpiness(days, 30)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.4f\n", h)
	}
	// Output:
	// 0.0357
	// 0.4767
}

func ExampleCriticalClumpiness() {
	c, err := rfm.CriticalClumpiness(context.Background(), 6, 30, 0.05, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.9f %t\n", c.Value, c.Exact)
	// Output: 0.253195497 true
}

func ExampleLength() {
	t, err := rfm.Analyze(context.Background(), ledger.Transactions(orders()), end, &rfm.Options{Columns: []rfm.Column{rfm.Length()}})
	if err != nil {
		log.Fatal(err)
	}
	for i, r := range t.Rows {
		fmt.Printf("%s L%d R%d F%d M%d\n", r.Customer, t.Columns[0].Scores[i], r.R, r.F, r.M)
	}
	// Output:
	// ada L5 R5 F5 M5
	// bob L1 R4 F1 M1
	// cem L4 R2 F4 M4
	// dan L1 R1 F1 M2
	// eve L3 R3 F3 M3
}

func ExampleFromRecords() {
	s, err := rfm.FromRecords(end, []rfm.Record{
		{Customer: "ada", Recency: 4, Frequency: 6, Monetary: usd("540")},
		{Customer: "bob", Recency: 90, Frequency: 1, Monetary: usd("25")},
		{Customer: "cem", Recency: 30, Frequency: 2, Monetary: usd("80")},
	})
	if err != nil {
		log.Fatal(err)
	}
	t, err := s.Segment(context.Background(), &rfm.Options{Bins: 3})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range t.Rows {
		fmt.Println(r.Customer, r.Code(), r.Segment)
	}
	// Output:
	// ada 333 Champions
	// bob 111 Hibernating
	// cem 222 Loyal Customers
}
