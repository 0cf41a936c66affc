package cac

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// timed reports whether the table has periods.
func (t *Table) timed() bool { return len(t.Periods) > 0 && !t.Periods[0].Period.IsZero() }

// String returns the table for a person: amounts rounded half to even to the minor unit, "undefined" where a ratio has
// no base, the change of the CAC against the period before, and the totals at the end.
func (t *Table) String() string {
	header := []string{"period", "spend", "new", "CAC"}
	left := 1
	if t.By != "" {
		header, left = append([]string{string(t.By)}, header...), 2
	}
	if t.Policy.ValueBasis != "" {
		header = append(header, "value", "LTV:CAC", "ROI")
	}
	header = append(header, "CAC change")
	var rows [][]string
	for i, r := range t.Rows {
		x, err := t.Change(i, MetricCAC)
		change := table.Percent(x, err)
		if errors.Is(err, ErrInsufficientHistory) {
			change = ""
		}
		rows = append(rows, t.line(r, r.Period.String(), change))
	}
	if len(t.Periods) > 1 && t.By != "" {
		for _, r := range t.Groups {
			rows = append(rows, t.line(r, "all", ""))
		}
		for _, r := range t.Periods {
			rows = append(rows, t.line(r, r.Period.String(), ""))
		}
	}
	rows = append(rows, t.line(t.Total, "all", ""))
	if !t.timed() {
		at := slices.Index(header, "period")
		header = slices.Delete(slices.Clone(header), at, at+1)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
			rows[i] = rows[i][:len(rows[i])-1]
		}
		header, left = header[:len(header)-1], left-1
	}
	if left == 0 { // one group over all of time: nothing to name
		rows = rows[len(rows)-1:]
	}
	return table.Text(header, rows, left) + t.footer()
}

func (t *Table) line(r Row, period, change string) []string {
	var line []string
	if t.By != "" {
		name := r.name()
		switch {
		case r.Dimension == "":
			name = "(total)"
		case name == "":
			name = "(none)"
		}
		line = append(line, name)
	}
	figure, err := r.CAC()
	cost := table.Undefined
	if err == nil {
		cost = figure.Cost.String()
	}
	line = append(line, period, table.Minor(r.Spend), fmt.Sprint(r.New), cost)
	if t.Policy.ValueBasis != "" {
		value, err := r.TotalValue()
		worth := table.Undefined
		if err == nil {
			worth = value.String()
		}
		ratio, err := r.LTVToCAC()
		line = append(line, worth, table.Fixed(ratio, 2, err))
		roi, err := r.ROI()
		line = append(line, table.Percent(roi, err))
	}
	return append(line, change)
}

// footer says by which rules the table was made and what it leaves out.
func (t *Table) footer() string {
	p := t.Policy
	s := fmt.Sprintf("cost: %s; customers: %s; shared costs: %s", p.Basis, p.Denominator, p.Sharing)
	if p.ValueBasis != "" {
		s += fmt.Sprintf("; value: %s", p.ValueBasis)
	}
	s += "\n"
	for _, out := range []struct {
		what string
		a    money.Amount
	}{{"not in the basis", t.ExcludedSpend}, {"outside the periods", t.OutsideSpend}, {"deferred by the lag", t.DeferredSpend}} {
		if out.a.Sign() != 0 {
			s += fmt.Sprintf("%s: %s\n", out.what, table.Minor(out.a))
		}
	}
	if t.OutsideCustomers > 0 {
		s += fmt.Sprintf("customers outside the periods: %d\n", t.OutsideCustomers)
	}
	if t.UncountedCustomers > 0 {
		s += fmt.Sprintf("new customers not counted: %d\n", t.UncountedCustomers)
	}
	return s
}

// WriteCSV writes Rows with the header
//
//	dimension,group,start,end,currency,spend,direct,allocated,new_customers,cac,value,ltv_to_cac,roi,spend_change,new_customers_change,cac_change,ltv_to_cac_change,roi_change,basis,denominator,undefined
//
// Amounts are plain numbers, times RFC 3339. A cell whose value is undefined is empty and the last column says why.
func (t *Table) WriteCSV(w io.Writer) error {
	header := []string{"dimension", "group", "start", "end", "currency", "spend", "direct", "allocated", "new_customers", "cac", "value", "ltv_to_cac", "roi",
		"spend_change", "new_customers_change", "cac_change", "ltv_to_cac_change", "roi_change", "basis", "denominator", "undefined"}
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		rows[i] = t.record(i, r)
	}
	return table.CSV(w, header, rows)
}

func (t *Table) record(i int, r Row) []string {
	j := r.json()
	start, end := "", ""
	if !r.Period.IsZero() {
		start, end = r.Period.Start.Format(rfc3339), r.Period.End.Format(rfc3339)
	}
	out := []string{r.Dimension, r.name(), start, end, string(t.Policy.Currency), table.Plain(r.Spend), table.Plain(r.Direct), table.Plain(r.Allocated), fmt.Sprint(r.New)}
	for _, a := range []*money.Amount{j.CAC, j.Value} {
		if a == nil {
			out = append(out, "")
		} else {
			out = append(out, table.Plain(*a))
		}
	}
	for _, x := range []*float64{j.LTVToCAC, j.ROI} {
		if x == nil {
			out = append(out, "")
		} else {
			out = append(out, table.Float(*x, nil))
		}
	}
	for _, m := range []Metric{MetricSpend, MetricNew, MetricCAC, MetricLTVToCAC, MetricROI} {
		x, err := t.Change(i, m)
		out = append(out, table.Float(x, err))
	}
	var why []string
	for _, k := range slices.Sorted(maps.Keys(j.Undefined)) {
		why = append(why, k+": "+j.Undefined[k])
	}
	return append(out, j.Basis, string(j.Denominator), strings.Join(why, "; "))
}

const rfc3339 = "2006-01-02T15:04:05Z07:00"

type tableJSON struct {
	By       Dimension    `json:"by,omitempty"`
	Policy   Policy       `json:"policy"`
	Rows     []changeJSON `json:"rows"`
	Groups   []Row        `json:"groups"`
	Periods  []Row        `json:"periods"`
	Total    Row          `json:"total"`
	Excluded money.Amount `json:"excluded_spend"`
	Outside  money.Amount `json:"outside_spend"`
	Deferred money.Amount `json:"deferred_spend"`
	Away     int          `json:"outside_customers"`
	Ignored  int          `json:"uncounted_customers"`
}

type changeJSON struct {
	rowJSON
	Change map[Metric]float64 `json:"change,omitempty"`
}

// MarshalJSON writes the table with its rules; each row has the changes against the period before that are defined.
func (t *Table) MarshalJSON() ([]byte, error) {
	out := tableJSON{By: t.By, Policy: t.Policy, Rows: []changeJSON{}, Groups: t.Groups, Periods: t.Periods, Total: t.Total,
		Excluded: t.ExcludedSpend, Outside: t.OutsideSpend, Deferred: t.DeferredSpend, Away: t.OutsideCustomers, Ignored: t.UncountedCustomers}
	for i, r := range t.Rows {
		row := changeJSON{rowJSON: r.json(), Change: map[Metric]float64{}}
		for _, m := range []Metric{MetricSpend, MetricNew, MetricCAC, MetricValue, MetricLTVToCAC, MetricROI} {
			if x, err := t.Change(i, m); err == nil {
				row.Change[m] = x
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return json.Marshal(out)
}
