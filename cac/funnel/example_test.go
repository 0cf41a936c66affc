package funnel_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/custval/custval/cac/funnel"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func ExampleAnalyze() {
	file := strings.NewReader(`customer,at,name,platform
ada,2025-03-01T09:00:00Z,visit,web
ada,2025-03-01T09:20:00Z,cart,web
ada,2025-03-02T18:00:00Z,order,web
ben,2025-03-01T10:00:00Z,visit,web
ben,2025-03-01T10:05:00Z,cart,web
cleo,2025-03-03T11:00:00Z,visit,app
dan,2025-03-03T12:00:00Z,visit,app
dan,2025-03-03T12:30:00Z,cart,app
dan,2025-03-03T12:40:00Z,order,app
`)
	ctx := context.Background()
	r, err := funnel.Analyze(ctx, funnel.ReadCSV(ctx, file, nil), funnel.Steps("visit", "cart", "order"),
		&funnel.Options{Window: 7 * 24 * time.Hour, By: funnel.ByPlatform})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	// Output:
	// group    step   count    rate    95% interval  overall  dropped  open  median time
	// app      visit      2                           100.0%        1     0
	// app      cart       1   50.0%    9.5% - 90.5%    50.0%        0     0        30m0s
	// app      order      1  100.0%  20.7% - 100.0%    50.0%        0     0        10m0s
	// web      visit      2                           100.0%        0     0
	// web      cart       2  100.0%  34.2% - 100.0%   100.0%        1     0       12m30s
	// web      order      1   50.0%    9.5% - 90.5%    50.0%        0     0     32h40m0s
	// (total)  visit      4                           100.0%        1     0
	// (total)  cart       3   75.0%   30.1% - 95.4%    75.0%        1     0        20m0s
	// (total)  order      2   66.7%   20.8% - 93.9%    50.0%        0     0     16h25m0s
}

func ExampleCount() {
	r, err := funnel.Count([]string{"open", "click", "visit", "order"}, []funnel.Counts{
		{Platform: "newsletter", Reached: []int{8000, 900, 850, 40}},
		{Platform: "sms", Reached: []int{2000, 300, 280, 20}},
	}, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r)
	// Output:
	// group       step   count   rate   95% interval  overall  dropped  open  median time
	// newsletter  open    8000                         100.0%     7100     0
	// newsletter  click    900  11.2%  10.6% - 12.0%    11.2%       50     0
	// newsletter  visit    850  94.4%  92.8% - 95.8%    10.6%      810     0
	// newsletter  order     40   4.7%    3.5% - 6.3%     0.5%        0     0
	// sms         open    2000                         100.0%     1700     0
	// sms         click    300  15.0%  13.5% - 16.6%    15.0%       20     0
	// sms         visit    280  93.3%  89.9% - 95.6%    14.0%      260     0
	// sms         order     20   7.1%   4.7% - 10.8%     1.0%        0     0
	// (total)     open   10000                         100.0%     8800     0
	// (total)     click   1200  12.0%  11.4% - 12.7%    12.0%       70     0
	// (total)     visit   1130  94.2%  92.7% - 95.4%    11.3%     1070     0
	// (total)     order     60   5.3%    4.1% - 6.8%     0.6%        0     0
}

func ExampleGroup_Cost() {
	r, err := funnel.Count([]string{"click", "lead", "opportunity", "win"}, []funnel.Counts{{Platform: "search", Reached: []int{10000, 800, 200, 40}}}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	each := map[string]money.Amount{"lead": money.MustParse("15", "USD"), "opportunity": money.MustParse("120", "USD"), "win": money.MustParse("300", "USD")}
	cost, err := r.Total.Cost(money.MustParse("20000", "USD"), each)
	fmt.Print(cost, err, "\n")
	// Output:
	// stage        count    rate        each         spend     cost per  per customer
	// click        10000  100.0%    USD 0.00      USD 0.00     USD 2.00      USD 0.00
	// lead           800    8.0%   USD 15.00  USD 12000.00    USD 40.00    USD 300.00
	// opportunity    200   25.0%  USD 120.00  USD 24000.00   USD 280.00    USD 600.00
	// win             40   20.0%  USD 300.00  USD 12000.00  USD 1700.00    USD 300.00
	// media: USD 20000.00
	// cost of a customer: USD 1700.00
	//  <nil>
}

func ExampleBySegment() {
	customers := []ledger.Customer{{ID: "ada", Attributes: map[string]string{"region": "north"}}, {ID: "ben", Attributes: map[string]string{"region": "south"}}}
	at := time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)
	events := []funnel.Event{{Customer: "ada", At: at, Name: "visit"}, {Customer: "ada", At: at.Add(time.Hour), Name: "order"}, {Customer: "ben", At: at, Name: "visit"}}
	r, err := funnel.Analyze(context.Background(), ledger.Slice(events), funnel.Steps("visit", "order"), &funnel.Options{By: funnel.BySegment(ledger.By(customers, "region"))})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range r.Groups {
		rate, err := g.Steps[1].Rate()
		fmt.Println(g.Name, rate, err)
	}
	// Output:
	// north 1 <nil>
	// south 0 <nil>
}
