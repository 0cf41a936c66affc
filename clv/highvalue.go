package clv

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
)

// A HighValue is the rule by which practitioners name high-value customers: they buy at full price, several times
// within a window, and spend more an order than the median customer. All parts that are set must hold.
type HighValue struct {
	FullPrice   float64       // least share of orders without a discount, 0 to 1; 0 asks for nothing
	Orders      int           // least number of orders within Window; 0 asks for nothing
	Window      time.Duration // any stretch of this length; 0 means the whole history
	AboveMedian bool          // average order above the median of all customers with an order
}

// HighValue returns which customers the rule names, in the order of the table.
//
// It returns an error if a part of the rule is out of range.
func (ps Pasts) HighValue(rule HighValue) ([]bool, error) {
	if !(rule.FullPrice >= 0 && rule.FullPrice <= 1) || rule.Orders < 0 || rule.Window < 0 {
		return nil, fmt.Errorf("clv: high-value rule %+v: want a share from 0 to 1 and nothing negative", rule)
	}
	var averages []float64
	for _, p := range ps {
		if p.Orders > 0 {
			averages = append(averages, p.Revenue.Float64()/float64(p.Orders))
		}
	}
	median := stat.Median(averages)
	named := make([]bool, len(ps))
	for i, p := range ps {
		named[i] = p.Orders > 0 && float64(p.FullPrice) >= rule.FullPrice*float64(p.Orders) && p.within(rule.Window) >= rule.Orders &&
			(!rule.AboveMedian || p.Revenue.Float64()/float64(p.Orders) > median)
	}
	return named, nil
}

// within returns the most orders in any stretch of the given length.
func (p Past) within(window time.Duration) int {
	if window == 0 {
		return p.Orders
	}
	most, low := 0, 0
	for high, t := range p.times {
		for t.Sub(p.times[low]) > window {
			low++
		}
		most = max(most, high-low+1)
	}
	return most
}

// A HighValueGroup compares how many high-value customers a group has with the whole.
type HighValueGroup struct {
	Name      string  `json:"name"`
	Customers int     `json:"customers"`
	HighValue int     `json:"high_value"`
	Share     float64 `json:"share"` // HighValue/Customers
	Lift      float64 `json:"lift"`  // Share over the share of all customers; 0 if nobody is of high value
}

// HighValueTable is a table of groups, the highest share first.
type HighValueTable []HighValueGroup

// HighValueBy counts the high-value customers by the groups of a key. It returns the errors of HighValue.
func (ps Pasts) HighValueBy(rule HighValue, key ledger.Key) (HighValueTable, error) {
	named, err := ps.HighValue(rule)
	if err != nil {
		return nil, err
	}
	groups := make(map[string]*HighValueGroup)
	all := 0.0
	for i, p := range ps {
		name := key(p.Customer)
		if groups[name] == nil {
			groups[name] = &HighValueGroup{Name: name}
		}
		groups[name].Customers++
		if named[i] {
			groups[name].HighValue++
			all++
		}
	}
	table := make(HighValueTable, 0, len(groups))
	for _, g := range groups {
		g.Share = float64(g.HighValue) / float64(g.Customers)
		if all > 0 {
			g.Lift = g.Share / (all / float64(len(ps)))
		}
		table = append(table, *g)
	}
	slices.SortFunc(table, func(a, b HighValueGroup) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), strings.Compare(a.Name, b.Name))
	})
	return table, nil
}

func (h HighValueTable) records() [][]string {
	records := [][]string{{"group", "customers", "high_value", "share", "lift"}}
	for _, g := range h {
		records = append(records, []string{g.Name, strconv.Itoa(g.Customers), strconv.Itoa(g.HighValue), strconv.FormatFloat(g.Share, 'f', 4, 64),
			strconv.FormatFloat(g.Lift, 'f', 3, 64)})
	}
	return records
}

// String returns the table as aligned text.
func (h HighValueTable) String() string { return text.Aligned(h.records()) }

// WriteCSV writes the table with a header.
func (h HighValueTable) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(h.records()) }
