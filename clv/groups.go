package clv

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Valued is a customer with a value, past or predicted: Past and Score are.
type Valued interface {
	CustomerValue() (customer string, value money.Amount)
}

// CustomerValue returns the customer and the value, for Groups.
func (s Score) CustomerValue() (string, money.Amount) { return s.Customer, s.Value }

// A Group is the customers of one group with their value.
type Group struct {
	Name      string       `json:"name"` // empty for customers whose attribute is not known
	Customers int          `json:"customers"`
	Total     money.Amount `json:"total"` // exact
	Mean      money.Amount `json:"mean"`  // a customer, rounded half to even to the minor unit
	Share     float64      `json:"share"` // of the total of all groups; 0 if that is zero
}

// GroupTable is a table of groups, the highest total first, that holds every customer once.
type GroupTable []Group

// Groups adds the customers' values up by the groups of a key, such as ledger.By(customers, "region"). The totals of
// the groups add up exactly to the total of the customers.
//
// It returns money's errors for mixed currencies.
func Groups[T Valued](rows []T, key ledger.Key) (GroupTable, error) {
	sums := make(map[string]*groupSum)
	for _, r := range rows {
		customer, value := r.CustomerValue()
		sums[key(customer)] = sums[key(customer)].add(value)
	}
	return groupTable(sums)
}

type groupSum struct {
	customers int
	total     money.Sum
}

func (g *groupSum) add(v money.Amount) *groupSum {
	if g == nil {
		g = &groupSum{}
	}
	g.customers++
	g.total.Add(v)
	return g
}

func groupTable(sums map[string]*groupSum) (GroupTable, error) {
	table := make(GroupTable, 0, len(sums))
	var all money.Sum
	for name, s := range sums {
		total, err := s.total.Total()
		if err != nil {
			return nil, fmt.Errorf("clv: group %q: %w", name, err)
		}
		mean, err := total.MulRat(1, int64(s.customers), money.HalfEven)
		if err != nil {
			return nil, fmt.Errorf("clv: group %q: %w", name, err)
		}
		all.Add(total)
		table = append(table, Group{Name: name, Customers: s.customers, Total: total, Mean: mean})
	}
	whole, err := all.Total()
	if err != nil {
		return nil, fmt.Errorf("clv: groups: %w", err)
	}
	for i := range table {
		if !whole.IsZero() {
			if table[i].Share, err = table[i].Total.Ratio(whole); err != nil {
				return nil, fmt.Errorf("clv: groups: %w", err)
			}
		}
	}
	slices.SortFunc(table, func(a, b Group) int {
		order, _ := b.Total.Cmp(a.Total) // one currency, as the sum has shown
		return cmp.Or(order, strings.Compare(a.Name, b.Name))
	})
	return table, nil
}

func (g GroupTable) records() [][]string {
	records := [][]string{{"group", "customers", "total", "mean", "share"}}
	for _, r := range g {
		records = append(records, []string{r.Name, strconv.Itoa(r.Customers), r.Total.Number(), r.Mean.Number(), strconv.FormatFloat(r.Share, 'f', 4, 64)})
	}
	return records
}

// String returns the table as aligned text.
func (g GroupTable) String() string { return text.Aligned(g.records()) }

// WriteCSV writes the table with a header.
func (g GroupTable) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(g.records()) }

// An OrderGroup is the orders of one group, such as a product category, with what they earned.
type OrderGroup struct {
	Name      string       `json:"name"`
	Customers int          `json:"customers"` // distinct, so that their sum over groups may be more than all customers
	Rows      int          `json:"rows"`
	Revenue   money.Amount `json:"revenue"` // amounts, refunds subtracted
	Cost      money.Amount `json:"cost"`
	Margin    money.Amount `json:"margin"` // Revenue - Cost
}

// OrderTable is a table of groups of orders, the highest margin first, that holds every row of the log once.
type OrderTable []OrderGroup

// ByOrder adds up the rows of a log at or before end by a property of the row, such as its channel, campaign, category
// or product. Totals over the groups are exactly those of the log.
//
// It returns the stream's errors and money's errors for mixed currencies.
func ByOrder(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, group func(t ledger.Transaction) string) (OrderTable, error) {
	type sums struct {
		customers     map[string]bool
		rows          int
		revenue, cost money.Sum
	}
	groups := make(map[string]*sums)
	row := 0
	for t, err := range log {
		row++
		if err == nil && row%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("clv: %w", err)
		}
		if t.At.After(end) {
			continue
		}
		g := groups[group(t)]
		if g == nil {
			g = &sums{customers: make(map[string]bool)}
			groups[group(t)] = g
		}
		g.customers[t.Customer] = true
		g.rows++
		g.revenue.Add(t.Amount)
		g.cost.Add(t.Cost)
	}
	table := make(OrderTable, 0, len(groups))
	var all money.Sum
	for name, g := range groups {
		revenue, err := g.revenue.Total()
		cost, err2 := g.cost.Total()
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("clv: group %q: %w", name, err)
		}
		margin, err := revenue.Sub(cost)
		if err != nil {
			return nil, fmt.Errorf("clv: group %q: %w", name, err)
		}
		all.Add(margin)
		table = append(table, OrderGroup{name, len(g.customers), g.rows, revenue, cost, margin})
	}
	if _, err := all.Total(); err != nil {
		return nil, fmt.Errorf("clv: groups: %w", err)
	}
	slices.SortFunc(table, func(a, b OrderGroup) int {
		order, _ := b.Margin.Cmp(a.Margin) // one currency, as the sum has shown
		return cmp.Or(order, strings.Compare(a.Name, b.Name))
	})
	return table, nil
}

func (o OrderTable) records() [][]string {
	records := [][]string{{"group", "customers", "rows", "revenue", "cost", "margin"}}
	for _, g := range o {
		records = append(records, []string{g.Name, strconv.Itoa(g.Customers), strconv.Itoa(g.Rows), g.Revenue.Number(), g.Cost.Number(), g.Margin.Number()})
	}
	return records
}

// String returns the table as aligned text.
func (o OrderTable) String() string { return text.Aligned(o.records()) }

// WriteCSV writes the table with a header.
func (o OrderTable) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(o.records()) }

// ByCohort returns the key of the period of each customer's first order, for Groups; customers without an order or
// with the first one outside the periods are in the group "".
func (ps Pasts) ByCohort(periods []ledger.Period) ledger.Key {
	cohort := make(map[string]string, len(ps))
	for _, p := range ps {
		for _, period := range periods {
			if p.Orders > 0 && period.Contains(p.First) {
				cohort[p.Customer] = period.String()
			}
		}
	}
	return func(customer string) string { return cohort[customer] }
}
