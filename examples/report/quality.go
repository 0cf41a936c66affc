package report

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// quality says what became of the rows, and what a reader should know of the data.
func quality(_ context.Context, f *facts) (Section, error) {
	var s Section
	r := f.histories.Report
	var refunded money.Sum
	noChannel, noCost, sales, twins := 0, 0, 0, 0
	seen := map[string]bool{}
	shared := map[string]string{}
	clashes := 0
	for _, t := range f.log {
		if t.Amount.Sign() < 0 {
			refunded.Add(t.Amount.Neg())
		} else {
			sales++
			if t.Cost.IsZero() {
				noCost++
			}
		}
		if k := fingerprint(t); seen[k] {
			twins++
		} else {
			seen[k] = true
		}
		if t.ID != "" {
			if other, ok := shared[t.ID]; ok && other != t.Customer {
				clashes++
			} else {
				shared[t.ID] = t.Customer
			}
		}
	}
	for _, c := range f.known {
		if c.Channel == "" {
			noChannel++
		}
	}
	refunds, err := refunded.Total()
	if err != nil {
		return s, err
	}
	read := len(f.o.Log) + f.refusedFrom("orders")
	table := &Table{Caption: "What became of the rows of the order log", Columns: []Column{{"Rows", false}, {"Number", true}, {"What it means", false}}}
	add := func(name string, n int, means string) {
		table.Rows = append(table.Rows, []Cell{text(name), number(n), text(means)})
	}
	add("Read", read, "Every row is in one of the next five lines.")
	add("Purchases", r.Purchases, "Count as purchases, first ones included; all purchases of a customer on one day are one.")
	add("Merged", r.Merged, "Belong to a purchase of the same customer and day.")
	add("Refunds", r.Refunds, fmt.Sprintf("Took back %s. They lower the spend and count as nothing else.", f.money(refunds)))
	add("After the end", f.later, fmt.Sprintf("Dated after %s and left out.", day(f.end)))
	add("Refused", f.refusedFrom("orders"), "Not readable and left out; listed below.")
	add("Without charge", r.FreeOrders, "Purchases that count and carry no spend.")
	add("Exactly alike", twins, "Rows equal to an earlier one in every field. They are counted: look whether an export was joined twice.")
	add("Order numbers of two customers", clashes, "Rows whose order number belongs to another customer as well.")
	add("Purchases without cost", noCost, f.costWords())
	add("Customers without channel", noChannel, "They are called unknown in tables by channel.")
	add("Customers with refunds alone", r.RefundOnly, "Left out of the counts of customers.")
	found := f.refusedFrom("orders") + twins + clashes + noChannel
	s.Lead = fmt.Sprintf("%s rows were read, all amounts are in %s.", count(read), f.currency)
	switch found {
	case 0:
		s.Lead += " None was refused, none is there twice, and every customer has a channel."
	default:
		s.Lead += " What stands out is in the table."
	}
	s.Blocks = []Block{table}
	if len(f.o.Refused) > 0 {
		const most = 50
		t := &Table{Caption: "Rows that were refused", Columns: []Column{{"Data", false}, {"Row", true}, {"Field", false}, {"Value", false}, {"Reason", false}}}
		for i, x := range f.o.Refused {
			if i == most {
				break
			}
			t.Rows = append(t.Rows, []Cell{text(x.Source), number(x.Err.Row), text(x.Err.Field), text(x.Err.Value), text(x.Err.Err.Error())})
		}
		s.Blocks = append(s.Blocks, t)
		if len(f.o.Refused) > most {
			s.Blocks = append(s.Blocks, Note(fmt.Sprintf("The first %d of %s.", most, count(len(f.o.Refused)))))
		}
	}
	if b := f.o.Subscriptions; b != nil {
		if issues := b.Issues(); len(issues) > 0 {
			s.Blocks = append(s.Blocks, Note(fmt.Sprintf("Of the subscriptions, %s rows are odd and counted all the same, the first: %s.", count(len(issues)), issues[0])))
		}
	}
	if len(f.o.Sources) > 0 {
		s.Blocks = append(s.Blocks, Text("Made from "+list(f.o.Sources)+"."))
	}
	return s, nil
}

// costWords says how purchases without a cost of the goods are counted.
func (f *facts) costWords() string {
	switch {
	case f.earned.costs:
		return "Every purchase has the cost of its goods."
	case f.earned.word == "margin":
		return "A margin of " + share(f.earned.share) + " is taken."
	}
	return "The whole amount is taken as earned: value in this report is revenue."
}

func (f *facts) refusedFrom(source string) int {
	n := 0
	for _, r := range f.o.Refused {
		if r.Source == source {
			n++
		}
	}
	return n
}

// fingerprint is equal for rows that are alike in every field.
func fingerprint(t ledger.Transaction) string {
	return strings.Join([]string{t.Customer, strconv.FormatInt(t.At.UnixNano(), 36), t.Amount.Key(), t.ID, t.Channel, t.Campaign, t.Product, t.Category,
		strconv.FormatInt(t.Quantity, 36), t.Cost.Key(), t.Discount.Key()}, "\x00")
}
