package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func ExampleReadCSV() {
	file := strings.NewReader("customer,at,amount,currency\n" +
		"alice,2025-12-30,12.50,EUR\n" +
		"bob,2025-12-31T18:30:00+01:00,7,EUR\n")

	for t, err := range ledger.ReadCSV(context.Background(), file, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Customer, t.At.Format(time.RFC3339), t.Amount)
	}
	// Output:
	// alice 2025-12-30T00:00:00Z EUR 12.50
	// bob 2025-12-31T17:30:00Z EUR 7.00
}

// A Turkish export as it is: other names of columns, semicolons, day first, decimal commas.
func ExampleReadCSV_columns() {
	file := strings.NewReader("müşteri;tarih;tutar\n1;31.12.2025;1.234,56\n2;01.12.2025;99,90\n")

	log, err := ledger.Collect(ledger.ReadCSV(context.Background(), file, &ledger.CSVOptions{
		Columns: map[string]string{"customer": "müşteri", "at": "tarih", "amount": "tutar"},
		Comma:   ';', DecimalMark: ',', Grouping: '.', Layouts: []string{"02.01.2006"}, Currency: "TRY"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range log {
		fmt.Println(t.Customer, t.At.Format(time.DateOnly), t.Amount)
	}
	// Output:
	// 1 2025-12-31 TRY 1234.56
	// 2 2025-12-01 TRY 99.90
}

// Recipe for the orders of Shopify (Orders, Export, plain CSV). An order has one row for each line item; the totals are
// in its first row only, so the other rows are left out. What was paid is Total less Refunded Amount. Orders taken in a
// shop may have no e-mail address: these rows are reported, or map customer to another column.
func ExampleReadRecords_shopify() {
	file := strings.NewReader(`Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Discount Amount,Refunded Amount,Lineitem quantity,Lineitem name,Lineitem price,Created at
#1001,alice@example.com,paid,2025-03-01 10:15:00 +0100,EUR,45.00,49.90,5.00,0.00,1,Mug,20.00,2025-03-01 10:14:58 +0100
#1001,alice@example.com,,,,,,,,3,Cup,10.00,2025-03-01 10:14:58 +0100
#1002,bob@example.com,partially_refunded,2025-03-02 00:30:00 +0100,EUR,30.00,34.90,0.00,10.00,1,Pot,30.00,2025-03-02 00:29:12 +0100
`)
	schema := ledger.Schema{
		Required: []string{"customer", "at", "id"},
		Optional: []string{"total", "refunded", "discount", "currency"},
	}
	options := &ledger.CSVOptions{
		Columns: map[string]string{
			"customer": "Email", "at": "Created at", "id": "Name", "total": "Total", "refunded": "Refunded Amount",
			"discount": "Discount Amount",
		},
		Layouts: []string{"2006-01-02 15:04:05 -0700"},
	}
	rows := ledger.ReadRecords(context.Background(), file, options, schema, func(r *ledger.Record) (ledger.Transaction, error) {
		t := ledger.Transaction{Customer: r.Text("customer"), At: r.Time("at"), ID: r.Text("id")}
		if !r.Has("total") { // a further line item of the order above
			return t, nil
		}
		var err error
		t.Discount = r.Amount("discount")
		t.Amount, err = r.Amount("total").Sub(r.Amount("refunded"))
		return t, err
	})
	orders := ledger.Filter(rows, func(t ledger.Transaction) bool { return t.Amount.Currency() != "" })
	for t, err := range orders {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.ID, t.Customer, t.At.Format(time.DateTime), t.Amount)
	}
	// Output:
	// #1001 alice@example.com 2025-03-01 09:14:58 EUR 49.90
	// #1002 bob@example.com 2025-03-01 23:29:12 EUR 24.90
}

// Recipe for the orders of WooCommerce (Analytics, Orders, Download). Dates are in the time zone of the shop, and the
// currency is that of the shop: the file says neither. Choose the statuses that count, such as completed, in the report
// before the download.
func ExampleReadCSV_wooCommerce() {
	file := strings.NewReader(`Date,"Order #","N. Revenue (formatted)",Status,Customer,"Customer type",Product(s),"Items sold",Coupon(s),"N. Revenue"
"2025-03-01 23:59:00",1001,"49,90 €",completed,"Alice Smith",new,"1× Mug, 3× Cup",4,,49.9
"2025-03-02 08:00:00",1002,"24,90 €",completed,"Bob Jones",returning,"1× Pot",1,SPRING,24.9
`)
	shop, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	for t, err := range ledger.ReadCSV(context.Background(), file, &ledger.CSVOptions{
		Columns: map[string]string{
			"customer": "Customer", "at": "Date", "amount": "N. Revenue", "id": "Order #", "quantity": "Items sold",
			"campaign": "Coupon(s)",
		},
		Layouts: []string{"2006-01-02 15:04:05"}, Location: shop, Currency: "EUR",
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %s %s %v %d %q\n", t.ID, t.Customer, t.At.Format(time.RFC3339), t.Amount, t.Quantity, t.Campaign)
	}
	// Output:
	// 1001 Alice Smith 2025-03-01T23:59:00+01:00 EUR 49.90 4 ""
	// 1002 Bob Jones 2025-03-02T08:00:00+01:00 EUR 24.90 1 "SPRING"
}

// Recipe for the payments of Stripe (Payments, Export). Times are UTC, amounts have decimals, codes of currencies are in
// lower case. Payments that failed are in the file too and are left out; refunds are a column of the payment.
func ExampleReadRecords_stripe() {
	file := strings.NewReader(`id,Created (UTC),Amount,Amount Refunded,Currency,Status,Customer ID
ch_1,2025-03-01 10:14:58,49.90,0.00,eur,Paid,cus_A
ch_2,2025-03-01 10:20:00,15.00,0.00,eur,Failed,cus_B
ch_3,2025-03-02 09:00:00,1500,500,jpy,Paid,cus_B
`)
	schema := ledger.Schema{Required: []string{"id", "customer", "at", "amount", "currency", "status"}, Optional: []string{"refunded"}}
	options := &ledger.CSVOptions{
		Columns: map[string]string{"customer": "Customer ID", "at": "Created (UTC)", "refunded": "Amount Refunded"},
		Layouts: []string{"2006-01-02 15:04:05", "2006-01-02 15:04"},
	}
	rows := ledger.ReadRecords(context.Background(), file, options, schema, func(r *ledger.Record) (ledger.Transaction, error) {
		if r.Text("status") != "Paid" {
			return ledger.Transaction{}, nil
		}
		paid, err := r.Amount("amount").Sub(r.Amount("refunded"))
		return ledger.Transaction{Customer: r.Text("customer"), At: r.Time("at"), Amount: paid, ID: r.Text("id")}, err
	})
	for t, err := range ledger.Filter(rows, func(t ledger.Transaction) bool { return t.Customer != "" }) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.ID, t.Customer, t.At.Format(time.DateTime), t.Amount)
	}
	// Output:
	// ch_1 cus_A 2025-03-01 10:14:58 EUR 49.90
	// ch_3 cus_B 2025-03-02 09:00:00 JPY 1000
}

// Tables that mirror the API of Stripe have amounts in the minor unit and times in seconds since 1970.
func ExampleReadCSV_minor() {
	file := strings.NewReader("id,created,amount,currency,customer\nch_1,1740824098,4990,eur,cus_A\nch_2,1740906000,1500,jpy,cus_B\n")

	for t, err := range ledger.ReadCSV(context.Background(), file, &ledger.CSVOptions{
		Columns: map[string]string{"at": "created"}, Layouts: []string{"Unix"}, Minor: true,
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.ID, t.Customer, t.At.Format(time.DateTime), t.Amount)
	}
	// Output:
	// ch_1 cus_A 2025-03-01 10:14:58 EUR 49.90
	// ch_2 cus_B 2025-03-02 09:00:00 JPY 1500
}

// openShop stands for sql.Open with a real driver.
func openShop() *sql.DB {
	return ledger.OpenTable("customer,at,amount,currency\nalice,2025-12-30,12.50,EUR\nbob,2025-12-31,,EUR\nbob,2025-12-31,7.25,EUR\n")
}

func ExampleTransactionsFromRows() {
	ctx := context.Background()
	db := openShop()
	defer db.Close()

	rows, err := db.QueryContext(ctx, "SELECT customer, at, amount, currency FROM orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	log := ledger.TransactionsFromRows(ctx, rows, nil) // closes rows
	for t, err := range ledger.Skip(log, func(bad *ledger.RowError) { fmt.Println("left out:", bad) }) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Customer, t.At.Format(time.DateOnly), t.Amount)
	}
	// Output:
	// alice 2025-12-30 EUR 12.50
	// left out: row 2: field "amount": value "": missing
	// bob 2025-12-31 EUR 7.25
}

// A price list, which the package has no reader for.
func ExampleReadRecords() {
	type price struct {
		SKU   string
		Price money.Amount
		Stock int64
	}
	file := strings.NewReader("sku,price,stock\nA-1,9.95,12\nA-2,ask,\nA-3,4.50,\n")

	schema := ledger.Schema{Required: []string{"sku", "price"}, Optional: []string{"stock"}, Prefix: "shop"}
	prices := ledger.ReadRecords(context.Background(), file, &ledger.CSVOptions{Currency: "USD"}, schema,
		func(r *ledger.Record) (price, error) {
			return price{SKU: r.Text("sku"), Price: r.Amount("price"), Stock: r.Int("stock")}, nil
		})
	for p, err := range prices {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(p.SKU, p.Price, p.Stock)
	}
	// Output:
	// A-1 USD 9.95 12
	// shop: row 2: field "price": value "ask": not a number
	// A-3 USD 4.50 0
}

func ExampleFromRows() {
	ctx := context.Background()
	db := openShop()
	defer db.Close()

	rows, err := db.QueryContext(ctx, "SELECT customer, at FROM orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	schema := ledger.Schema{Required: []string{"customer", "at"}}
	days, err := ledger.Collect(ledger.FromRows(ctx, rows, nil, schema, func(r *ledger.Record) (string, error) {
		return r.Text("customer") + " on " + r.Time("at").Format("2 January"), nil
	}))
	fmt.Println(days, err)
	// Output:
	// [alice on 30 December bob on 31 December bob on 31 December] <nil>
}

func ExampleReadCustomers() {
	file := strings.NewReader("id,acquired,channel,region,age band\nalice,2025-01-05,web,north,30-39\nbob,,store,south,\n")

	customers, err := ledger.Collect(ledger.ReadCustomers(context.Background(), file, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	region := ledger.By(customers, "region")
	channel := ledger.By(customers, "channel")
	fmt.Println(region("alice"), channel("alice"), customers[0].Attributes["age band"])
	fmt.Println(region("bob"), channel("bob"), customers[1].Acquired.IsZero())
	// Output:
	// north web 30-39
	// south store true
}

func ExampleReadEvents() {
	file := strings.NewReader("customer,at,name,score\nalice,2025-01-05,nps,9\nbob,2025-01-06,visit,\n")

	for e, err := range ledger.ReadEvents(context.Background(), file, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Customer, e.Name, e.Score)
	}
	// Output:
	// alice nps 9
	// bob visit 0
}

func ExampleReadTenures() {
	file := strings.NewReader("customer,duration,ended,reason,plan\nalice,14,yes,voluntary,gold\nbob,20,no,,basic\n")

	for t, err := range ledger.ReadTenures(context.Background(), file, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Customer, t.Duration, t.Ended, t.Reason, t.Labels["plan"])
	}
	// Output:
	// alice 14 true voluntary gold
	// bob 20 false  basic
}

func ExampleSkip() {
	file := strings.NewReader("customer,at,amount\nalice,2025-12-30,12.50\nbob,31.12.2025,7\ncarol,2025-12-31,NaN\ndave,2025-12-31,3\n")

	dropped := 0
	log, err := ledger.Collect(ledger.Skip(
		ledger.ReadCSV(context.Background(), file, &ledger.CSVOptions{Currency: "EUR"}),
		func(*ledger.RowError) { dropped++ }))
	fmt.Println(len(log), "rows,", dropped, "left out,", err)
	// Output: 2 rows, 2 left out, <nil>
}

func ExampleMap() {
	cents := ledger.Slice([]int64{1250, 700})
	amounts := ledger.Map(cents, func(units int64) (money.Amount, error) { return money.FromMinor(units, "USD") })
	fmt.Println(ledger.Collect(amounts))
	// Output: [USD 12.50 USD 7.00] <nil>
}

func ExampleFilter() {
	log := ledger.Transactions([]ledger.Transaction{
		{Customer: "alice", Amount: money.MustParse("12.50", "USD")},
		{Customer: "alice", Amount: money.MustParse("-12.50", "USD")},
	})
	purchases, err := ledger.Collect(ledger.Filter(log, func(t ledger.Transaction) bool { return t.Amount.Sign() >= 0 }))
	fmt.Println(len(purchases), err)
	// Output: 1 <nil>
}

func ExampleConvert() {
	day := func(d int) time.Time { return time.Date(2025, time.March, d, 0, 0, 0, 0, time.UTC) }
	var rates []money.Rate
	for text, at := range map[string]time.Time{"1.05": day(1), "1.08": day(10)} {
		rates = append(rates, money.Rate{Base: "EUR", Quote: "USD", Value: money.MustParse(text, "USD").Decimal(), AsOf: at})
	}
	log := ledger.Transactions([]ledger.Transaction{
		{Customer: "alice", At: day(9), Amount: money.MustParse("10.01", "EUR")},
		{Customer: "alice", At: day(10), Amount: money.MustParse("10.01", "EUR")},
		{Customer: "bob", At: day(11), Amount: money.MustParse("5", "USD")},
	})
	for t, err := range ledger.Convert(log, "USD", rates, nil) {
		fmt.Println(t.Customer, t.Amount, err)
	}
	// Output:
	// alice USD 10.5105 <nil>
	// alice USD 10.8108 <nil>
	// bob USD 5.00 <nil>
}

func ExampleMonths() {
	from := time.Date(2025, time.November, 20, 9, 0, 0, 0, time.UTC)
	to := time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC)
	for _, p := range ledger.Months(from, to, nil) {
		fmt.Println(p, p.Contains(from))
	}
	// Output:
	// 2025-11 true
	// 2025-12 false
	// 2026-01 false
}

func ExamplePeriod_String() {
	noon := time.Date(2025, time.December, 24, 12, 0, 0, 0, time.UTC)
	fmt.Println(ledger.Day(noon, nil))
	fmt.Println(ledger.Week(noon, time.Monday, nil))
	fmt.Println(ledger.Month(2025, time.December, nil))
	fmt.Println(ledger.Quarter(2025, 4, nil))
	fmt.Println(ledger.Year(2025, nil))
	fmt.Println(ledger.Period{Start: noon, End: noon.Add(90 * time.Minute)})
	// Output:
	// 2025-12-24
	// 2025-12-22/2025-12-28
	// 2025-12
	// 2025-10-01/2025-12-31
	// 2025
	// 2025-12-24T12:00:00Z/2025-12-24T13:30:00Z
}

func ExampleAddMonths() {
	anchor := time.Date(2025, time.January, 31, 0, 0, 0, 0, time.UTC)
	for n := range 4 {
		fmt.Println(ledger.AddMonths(anchor, n).Format(time.DateOnly))
	}
	// Output:
	// 2025-01-31
	// 2025-02-28
	// 2025-03-31
	// 2025-04-30
}
