package equity

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// An Audit describes a customer base by what its cohorts did period by period.
//
// Source: P. Fader, B. Hardie, M. Ross, The Customer-Base Audit, 2022.
type Audit struct {
	Customers  int           `json:"customers"`   // with a purchase in the periods
	Orders     int           `json:"orders"`      // purchase rows of theirs in the periods
	Repeaters  int           `json:"repeaters"`   // customers with two orders or more
	RepeatRate float64       `json:"repeat_rate"` // Repeaters/Customers
	PerHead    float64       `json:"per_head"`    // Orders/Customers
	Revenue    money.Amount  `json:"revenue"`     // refunds subtracted
	Cohorts    []AuditCohort `json:"cohorts"`
}

// An AuditCohort is the customers whose first purchase fell in one period. Its slices begin with that period, age 0, and
// end with the last one.
type AuditCohort struct {
	Cohort    string         `json:"cohort"`
	Customers int            `json:"customers"`
	Active    []int          `json:"active"`  // customers who bought in the period
	Orders    []int          `json:"orders"`  // purchase rows
	Revenue   []money.Amount `json:"revenue"` // refunds subtracted
}

// NewAudit reads a log. A row with a negative amount is a refund, every other row an order. Customers whose first
// purchase is before the first period are left out with all they did; rows may come in any order.
//
// It returns an error if the periods do not follow one another, the stream's errors, a RowError for a row without
// customer, money's errors for mixed currencies, and one that wraps ledger.ErrUndefined if nobody bought.
func NewAudit(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period) (*Audit, error) {
	for i, p := range periods {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("equity: %w", err)
		}
		if i > 0 && !p.Start.Equal(periods[i-1].End) {
			return nil, fmt.Errorf("equity: %s after %s: periods must follow one another", p, periods[i-1])
		}
	}
	accounts := make(map[string]*auditAccount)
	row := 0
	for t, err := range log {
		row++
		switch {
		case err != nil:
		case row%1024 == 0:
			err = ctx.Err()
		case t.Customer == "":
			err = &ledger.RowError{Row: row, Field: "Customer", Err: errors.New("empty")}
		}
		if err != nil {
			return nil, fmt.Errorf("equity: %w", err)
		}
		a := accounts[t.Customer]
		if a == nil {
			a = &auditAccount{in: make(map[int]*auditCell)}
			accounts[t.Customer] = a
		}
		at := slices.IndexFunc(periods, func(p ledger.Period) bool { return p.Contains(t.At) })
		early := len(periods) > 0 && t.At.Before(periods[0].Start)
		a.add(at, early, t.Amount)
	}
	return audited(accounts, periods)
}

type auditAccount struct {
	early bool // bought before the first period
	in    map[int]*auditCell
}

type auditCell struct {
	orders  int
	revenue money.Sum
}

func (a *auditAccount) add(at int, early bool, amount money.Amount) {
	bought := amount.Sign() >= 0
	a.early = a.early || (early && bought)
	if at < 0 {
		return
	}
	c := a.in[at]
	if c == nil {
		c = &auditCell{}
		a.in[at] = c
	}
	c.revenue.Add(amount)
	if bought {
		c.orders++
	}
}

// cohort returns the period of the first purchase, -1 for none.
func (a *auditAccount) cohort() int {
	first := -1
	for at, c := range a.in {
		if c.orders > 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

func audited(accounts map[string]*auditAccount, periods []ledger.Period) (*Audit, error) {
	audit := &Audit{Cohorts: make([]AuditCohort, len(periods))}
	sums := make([][]money.Sum, len(periods))
	for i, p := range periods {
		n := len(periods) - i
		audit.Cohorts[i] = AuditCohort{Cohort: p.String(), Active: make([]int, n), Orders: make([]int, n), Revenue: make([]money.Amount, n)}
		sums[i] = make([]money.Sum, n)
	}
	for _, a := range accounts { // counts and exact sums do not depend on the order
		first := a.cohort()
		if a.early || first < 0 {
			continue
		}
		c := &audit.Cohorts[first]
		c.Customers++
		orders := 0
		for at, cell := range a.in {
			if at < first {
				continue // a refund before the first purchase
			}
			total, err := cell.revenue.Total()
			if err != nil {
				return nil, fmt.Errorf("equity: %w", err)
			}
			sums[first][at-first].Add(total)
			c.Orders[at-first] += cell.orders
			if cell.orders > 0 {
				c.Active[at-first]++
			}
			orders += cell.orders
		}
		audit.Customers++
		audit.Orders += orders
		if orders > 1 {
			audit.Repeaters++
		}
	}
	if audit.Customers == 0 {
		return nil, fmt.Errorf("equity: audit: no customers: %w", ledger.ErrUndefined)
	}
	audit.RepeatRate = float64(audit.Repeaters) / float64(audit.Customers)
	audit.PerHead = float64(audit.Orders) / float64(audit.Customers)
	var all money.Sum
	for i := range sums {
		for age := range sums[i] {
			total, err := sums[i][age].Total()
			if err != nil {
				return nil, fmt.Errorf("equity: %w", err)
			}
			audit.Cohorts[i].Revenue[age] = total
			all.Add(total)
		}
	}
	var err error
	if audit.Revenue, err = all.Total(); err != nil {
		return nil, fmt.Errorf("equity: %w", err)
	}
	return audit, nil
}

func (a *Audit) records() [][]string {
	records := [][]string{{"cohort", "customers", "age", "active", "share_active", "orders", "revenue"}}
	for _, c := range a.Cohorts {
		for age := range c.Active {
			share := ""
			if c.Customers > 0 {
				share = strconv.FormatFloat(float64(c.Active[age])/float64(c.Customers), 'f', 4, 64)
			}
			records = append(records, []string{c.Cohort, strconv.Itoa(c.Customers), strconv.Itoa(age), strconv.Itoa(c.Active[age]), share,
				strconv.Itoa(c.Orders[age]), c.Revenue[age].Number()})
		}
	}
	return records
}

// WriteCSV writes one row a cohort and age.
func (a *Audit) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(a.records()) }

// String returns the figures of the whole and the table of cohorts by age.
func (a *Audit) String() string {
	return fmt.Sprintf("%d customers, %d orders (%.2f each), repeat rate %.1f %%, revenue %v\n", a.Customers, a.Orders, a.PerHead, 100*a.RepeatRate, a.Revenue) + text.Aligned(a.records())
}
