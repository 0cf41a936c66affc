package rfm

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A CategoryRow is what the customers of a segment spent on one category.
type CategoryRow struct {
	Segment   string       `json:"segment"`
	Rank      int          `json:"rank"` // 1 is the category with the most revenue in the segment
	Category  string       `json:"category"`
	Customers int          `json:"customers"` // of the segment, with a row in the category
	Lines     int          `json:"lines"`     // rows that are not refunds
	Revenue   money.Amount `json:"revenue"`   // net of refunds
	Share     Number       `json:"share"`     // of the segment's revenue in all categories; undefined if that is zero
}

// A CategoryTable has the top categories of every segment, segments in the order of the map.
type CategoryTable struct {
	Rows []CategoryRow `json:"rows"`
}

// maxCategories bounds the memory of Categories, which is proportional to customers times their categories.
const maxCategories = 100000

// Categories reads the log a second time and returns the n categories with the most revenue in every segment; by names
// the category of a row, such as its Category, Product or Channel, and nil means its Category. Rows outside the table's
// period and of customers who are not scored are left out. Ties are in the order of the names. It returns an error for
// n below 1, a row that [Summarize] would refuse, and more than 100,000 categories.
func (t *Table) Categories(ctx context.Context, log iter.Seq2[ledger.Transaction, error], by func(ledger.Transaction) string, n int) (*CategoryTable, error) {
	if n < 1 {
		return nil, fmt.Errorf("rfm: top %d categories: want at least 1", n)
	}
	if by == nil {
		by = func(t ledger.Transaction) string { return t.Category }
	}
	loc := t.loc
	if loc == nil {
		loc = time.UTC // a table read from JSON
	}
	c := &categorizing{t: t, names: make(map[string]int32), segment: make(map[string]int), cal: newCalendar(loc),
		customer: make(map[string]int32, len(t.Rows)), seen: make(map[[2]int32]struct{})}
	for i := range t.Rows {
		c.customer[t.Rows[i].Customer] = int32(i)
	}
	rows := 0
	for row, err := range log {
		if err != nil {
			return nil, fmt.Errorf("rfm: %w", err)
		}
		if rows++; rows%canceledRows == 1 && ctx.Err() != nil {
			return nil, fmt.Errorf("rfm: stopped after %d rows: %w", rows, ctx.Err())
		}
		if err := c.row(&row, by); err != nil {
			return nil, fmt.Errorf("rfm: %w", &ledger.RowError{Row: rows, Field: "amount", Value: row.Amount.String(), Err: err})
		}
		if len(c.names) > maxCategories {
			return nil, fmt.Errorf("rfm: row %d: more than %d categories", rows, maxCategories)
		}
	}
	return c.top(n)
}

type categorizing struct {
	t        *Table
	cal      *calendar
	customer map[string]int32
	names    map[string]int32
	segment  map[string]int
	cells    []map[int32]*category // by segment
	seen     map[[2]int32]struct{} // customer and category
}

type category struct {
	customers, lines int
	revenue          money.Amount
}

func (c *categorizing) row(row *ledger.Transaction, by func(ledger.Transaction) string) error {
	day := c.cal.date(row.At)
	at, ok := c.customer[row.Customer]
	if !ok || day > c.t.End || day < c.t.Start {
		return nil
	}
	name := by(*row)
	k, ok := c.names[name]
	if !ok {
		k = int32(len(c.names))
		c.names[strings.Clone(name)] = k
	}
	s := c.t.Rows[at].Segment
	i, ok := c.segment[s]
	if !ok {
		i = len(c.cells)
		c.segment[s] = i
		c.cells = append(c.cells, make(map[int32]*category))
	}
	cell := c.cells[i][k]
	if cell == nil {
		cell = &category{}
		c.cells[i][k] = cell
	}
	var err error
	if cell.revenue, err = cell.revenue.Add(row.Amount); err != nil {
		return err
	}
	if row.Amount.Sign() >= 0 {
		cell.lines++
	}
	if _, ok := c.seen[[2]int32{at, k}]; !ok {
		c.seen[[2]int32{at, k}] = struct{}{}
		cell.customers++
	}
	return nil
}

func (c *categorizing) top(n int) (*CategoryTable, error) {
	names := make([]string, len(c.names))
	for name, k := range c.names {
		names[k] = name
	}
	table := &CategoryTable{}
	for _, segment := range c.t.segments() {
		i, ok := c.segment[segment]
		if !ok {
			continue
		}
		var rows []CategoryRow
		var sum money.Sum
		for k, cell := range c.cells[i] {
			sum.Add(cell.revenue)
			rows = append(rows, CategoryRow{Segment: segment, Category: names[k], Customers: cell.customers, Lines: cell.lines, Revenue: cell.revenue})
		}
		total, err := sum.Total()
		if err != nil {
			return nil, fmt.Errorf("rfm: segment %q: %w", segment, err)
		}
		slices.SortFunc(rows, func(a, b CategoryRow) int {
			order, _ := b.Revenue.Cmp(a.Revenue) // one currency, or their sum had failed
			return cmp.Or(order, strings.Compare(a.Category, b.Category))
		})
		for k := range rows {
			rows[k].Rank = k + 1
			rows[k].Share = ratio(rows[k].Revenue.Float64(), total.Float64())
		}
		table.Rows = append(table.Rows, rows[:min(n, len(rows))]...)
	}
	return table, nil
}

// String returns the table as text.
func (c *CategoryTable) String() string {
	header := []string{"segment", "category", "rank", "customers", "lines", "revenue", "share"}
	var rows [][]string
	for _, r := range c.Rows {
		rows = append(rows, []string{r.Segment, r.Category, strconv.Itoa(r.Rank), strconv.Itoa(r.Customers), strconv.Itoa(r.Lines), r.Revenue.String(), r.Share.percent()})
	}
	return textTable(header, rows, 2)
}

// WriteCSV writes the table with a header.
func (c *CategoryTable) WriteCSV(w io.Writer) error {
	header := []string{"segment", "category", "rank", "customers", "lines", "revenue", "currency", "share"}
	return writeCSV(w, header, func(yield func([]string) bool) {
		for _, r := range c.Rows {
			if !yield([]string{r.Segment, r.Category, strconv.Itoa(r.Rank), strconv.Itoa(r.Customers), strconv.Itoa(r.Lines), plain(r.Revenue), string(r.Revenue.Currency()), r.Share.csv()}) {
				return
			}
		}
	})
}
