package cac

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Grouping says which group a line of an order log belongs to.
type Grouping func(ledger.Transaction) string

// ProductOf groups by product.
func ProductOf(t ledger.Transaction) string { return t.Product }

// CategoryOf groups by the product's category.
func CategoryOf(t ledger.Transaction) string { return t.Category }

// ChannelOf groups by the channel that the order came from.
func ChannelOf(t ledger.Transaction) string { return t.Channel }

// CampaignOf groups by the campaign that the order answered to.
func CampaignOf(t ledger.Transaction) string { return t.Campaign }

// CustomerOf groups by customer.
func CustomerOf(t ledger.Transaction) string { return t.Customer }

// ProfitOptions are the rules of [Profitability]. The zero ProfitOptions, like nil, are the defaults.
type ProfitOptions struct {
	Period ledger.Period           // only transactions inside it; zero: all
	Margin float64                 // gross margin of rows without a cost, a fraction of their amount; 0: such rows make the profit of their group undefined
	Spend  map[string]money.Amount // what was spent on a group besides the goods, such as its advertising; nil: nothing
}

// A ProfitRow is what one group sold and earned.
type ProfitRow struct {
	Group     string       // the product, channel or campaign; empty for rows of none
	Lines     int          // rows that are no refunds
	Units     int64        // sum of the quantities; a refund's are taken off; 0 where none is recorded
	Sales     money.Amount // what customers paid, before refunds
	Refunds   money.Amount // what they got back, as a positive amount
	Revenue   money.Amount // Sales - Refunds
	Discounts money.Amount // what was taken off the list price
	Cost      money.Amount // of the goods, as recorded or by Margin
	Profit    money.Amount // Revenue - Cost; without the lines that have no cost
	Spend     money.Amount // ProfitOptions.Spend
	Net       money.Amount // Profit - Spend
	NoCost    int          // lines whose cost is not known: if any, Profit and Net are not whole
}

// Margin returns Profit / Revenue. It returns an error that wraps [ErrZeroBase] for no revenue, and [ErrMissingValue] if
// the cost of some lines is not known.
func (r ProfitRow) Margin() (float64, error) {
	if err := r.whole(); err != nil {
		return 0, err
	}
	return quotient(r.Profit, r.Revenue)
}

// POAS returns Profit / Spend, with the errors of [ProfitRow.Margin].
func (r ProfitRow) POAS() (float64, error) {
	if err := r.whole(); err != nil {
		return 0, err
	}
	return over(r.Profit, r.Spend)
}

func (r ProfitRow) whole() error {
	if r.NoCost > 0 {
		return fail("%q: %w: %d lines have no cost", r.Group, ErrMissingValue, r.NoCost)
	}
	return nil
}

// ProfitTable is profit by product, channel or what else, the most profitable first. Groups whose profit is not known
// come last, by revenue.
type ProfitTable struct {
	Rows  []ProfitRow
	Total ProfitRow
}

// Profitability returns what each group of an order log sold and earned. A refund is a negative Amount; its Cost, like
// that of any row, is added as it is written: negative where the goods came back to stock. Discounts are taken off the
// amounts already and are only shown. A spend of a group that sold nothing has a row of its own.
//
// It returns an error if by is nil, a row has no customer or time, a currency differs, or the margin is not between 0 and
// 1; and the first error of the stream.
func Profitability(ctx context.Context, log iter.Seq2[ledger.Transaction, error], by Grouping, o *ProfitOptions) (*ProfitTable, error) {
	if o == nil {
		o = &ProfitOptions{}
	}
	if by == nil {
		return nil, fail("profitability: nothing to group by")
	}
	if err := within("margin", o.Margin, 0, 1); err != nil {
		return nil, err
	}
	groups := map[string]*profitSum{}
	var first money.Amount
	err := each(ctx, log, func(row int, t ledger.Transaction) error {
		if !o.Period.IsZero() && !o.Period.Contains(t.At) {
			return nil
		}
		for _, a := range []money.Amount{t.Amount, t.Cost, t.Discount} {
			if first.Currency() == "" {
				first = a
			}
			if err := sameCurrency(first, a); err != nil {
				return &ledger.RowError{Row: row, Field: "amount", Value: a.String(), Err: err}
			}
		}
		g := by(t)
		if groups[g] == nil {
			groups[g] = &profitSum{}
		}
		if err := groups[g].add(t, o.Margin); err != nil {
			return &ledger.RowError{Row: row, Field: "amount", Value: t.Amount.String(), Err: bare(err)}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, g := range slices.Sorted(maps.Keys(o.Spend)) {
		if groups[g] == nil {
			groups[g] = &profitSum{}
		}
		first = like(first, o.Spend[g])
		if err := sameCurrency(first, o.Spend[g]); err != nil {
			return nil, fail("spend of %q: %w", g, err)
		}
		groups[g].spend.Add(o.Spend[g])
	}
	return profitTable(groups, first)
}

type profitSum struct {
	sales, refunds, discounts, cost, profit, spend money.Sum
	lines, noCost                                  int
	units                                          int64
}

func (s *profitSum) add(t ledger.Transaction, margin float64) error {
	if t.Amount.Sign() < 0 {
		s.refunds.Add(t.Amount.Neg())
		s.units -= max(t.Quantity, -t.Quantity)
	} else {
		s.lines++
		s.sales.Add(t.Amount)
		s.units += t.Quantity
	}
	s.discounts.Add(t.Discount)
	if t.Cost.Currency() == "" && margin == 0 {
		s.noCost++
		return nil
	}
	if t.Cost.Currency() != "" {
		margin = 0
	}
	profit, err := profitOf(t, margin)
	if err != nil {
		return err
	}
	cost, err := t.Amount.Sub(profit)
	if err != nil {
		return err
	}
	s.profit.Add(profit)
	s.cost.Add(cost)
	return nil
}

func (s *profitSum) row(group string, currency money.Amount) (ProfitRow, error) {
	r := ProfitRow{Group: group, Lines: s.lines, Units: s.units, NoCost: s.noCost}
	for into, sum := range map[*money.Amount]*money.Sum{&r.Sales: &s.sales, &r.Refunds: &s.refunds, &r.Discounts: &s.discounts,
		&r.Cost: &s.cost, &r.Profit: &s.profit, &r.Spend: &s.spend} {
		var err error
		if *into, err = sum.Total(); err != nil {
			return r, fail("%q: %w", group, err)
		}
	}
	for _, a := range []*money.Amount{&r.Sales, &r.Refunds, &r.Discounts, &r.Cost, &r.Profit, &r.Spend} {
		*a = like(*a, currency)
	}
	return r, r.derive()
}

// derive sets the differences of a row.
func (r *ProfitRow) derive() error {
	var err error
	if r.Revenue, err = r.Sales.Sub(r.Refunds); err == nil {
		r.Net, err = r.Profit.Sub(r.Spend)
	}
	if err != nil {
		return fail("%q: %w", r.Group, err)
	}
	return nil
}

func profitTable(groups map[string]*profitSum, currency money.Amount) (*ProfitTable, error) {
	t := &ProfitTable{}
	var sums [6]money.Sum
	for g, s := range groups {
		r, err := s.row(g, currency)
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, r)
		t.Total.Lines += r.Lines
		t.Total.Units += r.Units
		t.Total.NoCost += r.NoCost
		for i, a := range []money.Amount{r.Sales, r.Refunds, r.Discounts, r.Cost, r.Profit, r.Spend} {
			sums[i].Add(a)
		}
	}
	for i, into := range []*money.Amount{&t.Total.Sales, &t.Total.Refunds, &t.Total.Discounts, &t.Total.Cost, &t.Total.Profit, &t.Total.Spend} {
		var err error
		if *into, err = sums[i].Total(); err != nil {
			return nil, prefixed(err)
		}
	}
	slices.SortFunc(t.Rows, compareProfit)
	return t, t.Total.derive()
}

// compareProfit puts known profits first, the greatest before the others, and ties in alphabetical order.
func compareProfit(a, b ProfitRow) int {
	known := func(r ProfitRow) int { return min(r.NoCost, 1) }
	x, y := a.Net, b.Net
	if a.NoCost > 0 && b.NoCost > 0 {
		x, y = a.Revenue, b.Revenue
	}
	return cmp.Or(known(a)-known(b), rat(y).Cmp(rat(x)), strings.Compare(a.Group, b.Group))
}

// Top returns the n most profitable groups whose profit is known, or all if there are fewer.
func (t *ProfitTable) Top(n int) []ProfitRow {
	known := slices.IndexFunc(t.Rows, func(r ProfitRow) bool { return r.NoCost > 0 })
	if known < 0 {
		known = len(t.Rows)
	}
	return slices.Clone(t.Rows[:max(0, min(n, known))])
}

type profitJSON struct {
	Group     string        `json:"group"`
	Lines     int           `json:"lines"`
	Units     int64         `json:"units"`
	Sales     money.Amount  `json:"sales"`
	Refunds   money.Amount  `json:"refunds"`
	Revenue   money.Amount  `json:"revenue"`
	Discounts money.Amount  `json:"discounts"`
	Cost      money.Amount  `json:"cost"`
	Profit    *money.Amount `json:"profit"`
	Margin    *float64      `json:"margin"`
	Spend     money.Amount  `json:"spend"`
	Net       *money.Amount `json:"net"`
	NoCost    int           `json:"lines_without_cost,omitempty"`
}

// MarshalJSON writes the row with its margin; profit, margin and net are null where they are not known.
func (r ProfitRow) MarshalJSON() ([]byte, error) {
	out := profitJSON{Group: r.Group, Lines: r.Lines, Units: r.Units, Sales: r.Sales, Refunds: r.Refunds, Revenue: r.Revenue,
		Discounts: r.Discounts, Cost: r.Cost, Spend: r.Spend, NoCost: r.NoCost}
	if r.whole() == nil {
		out.Profit, out.Net = &r.Profit, &r.Net
	}
	if m, err := r.Margin(); err == nil {
		out.Margin = &m
	}
	return json.Marshal(out)
}

// MarshalJSON writes rows and total.
func (t *ProfitTable) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"rows": append([]ProfitRow{}, t.Rows...), "total": t.Total})
}

func (r ProfitRow) cells(show func(money.Amount) string, unknown string) []string {
	profit, net := unknown, unknown
	if r.whole() == nil {
		profit, net = show(r.Profit), show(r.Net)
	}
	return []string{r.Group, fmt.Sprint(r.Lines), fmt.Sprint(r.Units), show(r.Sales), show(r.Refunds), show(r.Revenue), show(r.Cost), profit, "", show(r.Spend), net}
}

// String returns the table with the total at the end.
func (t *ProfitTable) String() string {
	var rows [][]string
	for _, r := range append(slices.Clone(t.Rows), t.Total) {
		row := r.cells(table.Minor, table.Undefined)
		margin, err := r.Margin()
		if row[8] = table.Percent(margin, err); row[0] == "" {
			row[0] = "(none)"
		}
		rows = append(rows, row)
	}
	rows[len(rows)-1][0] = "(total)"
	return table.Text([]string{"group", "lines", "units", "sales", "refunds", "revenue", "cost", "profit", "margin", "spend", "net"}, rows, 1)
}

// WriteCSV writes the rows with the header
// group,lines,units,sales,refunds,revenue,cost,profit,margin,spend,net,discounts,lines_without_cost,currency.
func (t *ProfitTable) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		row := r.cells(plain, "")
		row[8] = table.Float(r.Margin())
		rows[i] = append(row, plain(r.Discounts), fmt.Sprint(r.NoCost), string(t.Total.Sales.Currency()))
	}
	return table.CSV(w, strings.Split("group,lines,units,sales,refunds,revenue,cost,profit,margin,spend,net,discounts,lines_without_cost,currency", ","), rows)
}
