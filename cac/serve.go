package cac

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A ServeRow is what serving one group of customers costs.
type ServeRow struct {
	Group        string         `json:"group"`
	Customers    int            `json:"customers"` // with a purchase or an activity
	Revenue      money.Amount   `json:"revenue"`   // net of refunds
	Profit       money.Amount   `json:"profit"`    // gross profit
	Activities   map[string]int `json:"activities"`
	Cost         money.Amount   `json:"cost_to_serve"`
	PerCustomer  money.Amount   `json:"cost_per_customer"` // half to even to the minor unit
	Contribution money.Amount   `json:"contribution"`      // Profit - Cost
	Share        *float64       `json:"cost_share"`        // Cost / Revenue; nil without revenue
}

// ServeTable is the cost to serve by group of customers, the greatest contribution first.
type ServeTable struct {
	Rows     []ServeRow     `json:"rows"`
	Total    ServeRow       `json:"total"`
	Unpriced map[string]int `json:"unpriced,omitempty"` // activities that have neither a rate nor a value of their own
}

// CostToServe sets what customers earn against what it costs to serve them: deliveries, calls, tickets, returns. Each
// event costs its own Value if it has one, else the rate of its name; events with neither are counted in Unpriced. A
// nil by makes a row for each customer; margin is as in ProfitOptions, but a row without a cost is an error if it is 0.
//
// It returns an error if a row or an event has no customer or no time, or a currency differs; and the first error of a
// stream.
func CostToServe(ctx context.Context, log iter.Seq2[ledger.Transaction, error], events iter.Seq2[ledger.Event, error], rates map[string]money.Amount, by ledger.Key, margin float64) (*ServeTable, error) {
	if err := within("margin", margin, 0, 1); err != nil {
		return nil, err
	}
	if by == nil {
		by = func(customer string) string { return customer }
	}
	s := &serveSums{groups: map[string]*serveSum{}, unpriced: map[string]int{}, by: by}
	err := each(ctx, log, func(row int, t ledger.Transaction) error {
		used := margin
		if t.Cost.Currency() != "" {
			used = 0
		}
		profit, err := profitOf(t, used)
		if err == nil {
			err = s.currency(t.Amount, profit)
		}
		if err != nil {
			return &ledger.RowError{Row: row, Field: "cost", Value: t.Cost.String(), Err: bare(err)}
		}
		g := s.of(t.Customer)
		g.revenue.Add(t.Amount)
		g.profit.Add(profit)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.addEvents(ctx, events, rates); err != nil {
		return nil, err
	}
	return s.table()
}

type serveSum struct {
	customers             map[string]bool
	revenue, profit, cost money.Sum
	activities            map[string]int
}

type serveSums struct {
	groups   map[string]*serveSum
	unpriced map[string]int
	by       ledger.Key
	first    money.Amount
}

func (s *serveSums) currency(amounts ...money.Amount) error {
	for _, a := range amounts {
		if s.first.Currency() == "" {
			s.first = a
		}
		if err := sameCurrency(s.first, a); err != nil {
			return err
		}
	}
	return nil
}

func (s *serveSums) of(customer string) *serveSum {
	g := s.groups[s.by(customer)]
	if g == nil {
		g = &serveSum{customers: map[string]bool{}, activities: map[string]int{}}
		s.groups[s.by(customer)] = g
	}
	g.customers[customer] = true
	return g
}

func (s *serveSums) addEvents(ctx context.Context, events iter.Seq2[ledger.Event, error], rates map[string]money.Amount) error {
	row := 0
	for e, err := range events {
		row++
		if err == nil && row%4096 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return prefixed(err)
		}
		if e.Customer == "" || e.At.IsZero() {
			return fail("%w", &ledger.RowError{Row: row, Field: "customer", Value: e.Customer, Err: errors.New("an event without customer or time")})
		}
		cost, priced := e.Value, e.Value.Currency() != ""
		if !priced {
			cost, priced = rates[e.Name]
		}
		if !priced {
			s.unpriced[e.Name]++
			continue
		}
		if err := s.currency(cost); err != nil {
			return fail("%w", &ledger.RowError{Row: row, Field: "value", Value: cost.String(), Err: err})
		}
		g := s.of(e.Customer)
		g.activities[e.Name]++
		g.cost.Add(cost)
	}
	return prefixed(ctx.Err())
}

func (s *serveSums) table() (*ServeTable, error) {
	t := &ServeTable{Unpriced: s.unpriced, Total: ServeRow{Group: "(total)", Activities: map[string]int{}}}
	var sums serveSum
	for name, g := range s.groups {
		r := ServeRow{Group: name, Customers: len(g.customers), Activities: g.activities}
		for _, sum := range []*money.Sum{&g.revenue, &g.profit, &g.cost} {
			sum.Add(like(money.Amount{}, s.first))
		}
		if err := r.fill(&g.revenue, &g.profit, &g.cost); err != nil {
			return nil, err
		}
		sums.revenue.Add(r.Revenue)
		sums.profit.Add(r.Profit)
		sums.cost.Add(r.Cost)
		t.Total.Customers += r.Customers
		for a, n := range g.activities {
			t.Total.Activities[a] += n
		}
		t.Rows = append(t.Rows, r)
	}
	slices.SortFunc(t.Rows, func(a, b ServeRow) int {
		return cmp.Or(rat(b.Contribution).Cmp(rat(a.Contribution)), strings.Compare(a.Group, b.Group))
	})
	return t, t.Total.fill(&sums.revenue, &sums.profit, &sums.cost)
}

func (r *ServeRow) fill(revenue, profit, cost *money.Sum) error {
	for into, sum := range map[*money.Amount]*money.Sum{&r.Revenue: revenue, &r.Profit: profit, &r.Cost: cost} {
		var err error
		if *into, err = sum.Total(); err != nil {
			return fail("%q: %w", r.Group, err)
		}
	}
	var err error
	if r.Contribution, err = r.Profit.Sub(r.Cost); err != nil {
		return fail("%q: %w", r.Group, err)
	}
	if r.Customers > 0 {
		if r.PerCustomer, _, err = perUnit(r.Cost, int64(r.Customers)); err != nil {
			return err
		}
	}
	if share, err := quotient(r.Cost, r.Revenue); err == nil {
		r.Share = &share
	}
	return nil
}

func (r ServeRow) cells(show func(money.Amount) string) []string {
	return []string{r.Group, fmt.Sprint(r.Customers), show(r.Revenue), show(r.Profit), show(r.Cost), show(r.PerCustomer), show(r.Contribution)}
}

// String returns the table with the total at the end.
func (t *ServeTable) String() string {
	var rows [][]string
	for _, r := range append(slices.Clone(t.Rows), t.Total) {
		share := table.Undefined
		if r.Share != nil {
			share = table.Percent(*r.Share, nil)
		}
		rows = append(rows, append(r.cells(table.Minor), share))
	}
	return table.Text([]string{"group", "customers", "revenue", "profit", "cost to serve", "per customer", "contribution", "share"}, rows, 1)
}

// WriteCSV writes the rows with the header
// group,customers,revenue,profit,cost_to_serve,cost_per_customer,contribution,cost_share,currency.
func (t *ServeTable) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		share := ""
		if r.Share != nil {
			share = table.Float(*r.Share, nil)
		}
		rows[i] = append(r.cells(plain), share, string(t.Total.Contribution.Currency()))
	}
	return table.CSV(w, strings.Split("group,customers,revenue,profit,cost_to_serve,cost_per_customer,contribution,cost_share,currency", ","), rows)
}
