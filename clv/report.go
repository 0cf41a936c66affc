package clv

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// A Report says what became of the rows of a log. Every row is accounted for:
//
//	Rows = Purchases + Merged + Refunds + AfterEnd
type Report struct {
	Rows       int `json:"rows"`        // transactions read
	Purchases  int `json:"purchases"`   // purchases counted, first purchases included
	Merged     int `json:"merged"`      // purchase rows that became part of another one: same customer, same day or instant
	Refunds    int `json:"refunds"`     // rows with a negative amount: they reduce spend and count as nothing else
	AfterEnd   int `json:"after_end"`   // rows after the end of observation, left out
	FreeOrders int `json:"free_orders"` // purchase rows with the amount zero: purchases that carry no spend
	Customers  int `json:"customers"`   // customers with a purchase
	RefundOnly int `json:"refund_only"` // customers with refunds and no purchase, left out
}

// String returns the report as a table of one line a figure. Figures that are zero are left out, the rows, purchases
// and customers excepted.
func (r Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(n int, always bool, text string) {
		if n != 0 || always {
			fmt.Fprintf(w, "%d\t  %s\n", n, text)
		}
	}
	line(r.Rows, true, "rows read")
	line(r.Purchases, true, "purchases")
	line(r.Customers, true, "customers")
	line(r.Merged, false, "rows merged with another purchase of the same time")
	line(r.Refunds, false, "refunds")
	line(r.FreeOrders, false, "free orders")
	line(r.AfterEnd, false, "rows after the end left out")
	line(r.RefundOnly, false, "customers with refunds only left out")
	_ = w.Flush() // a strings.Builder does not fail
	return strings.TrimSuffix(b.String(), "\n")
}
