package churn

import (
	"fmt"
	"io"
	"math"
	"strconv"
)

// Mean returns the average retention of a column, each mature cohort counting the same whatever its size; Total's rate is
// the average weighted by size. Its error wraps ledger.ErrUndefined if no cohort with customers is mature.
func (t *CohortTable) Mean(column int) (float64, error) {
	sum, n := 0.0, 0.0
	for _, r := range t.Rows {
		if column < 0 || column >= len(r.Cells) || !r.Cells[column].Mature || r.Cells[column].Base == 0 {
			continue
		}
		sum += float64(r.Cells[column].Active) / float64(r.Cells[column].Base)
		n++
	}
	s, err := share(fmt.Sprintf("mean of column %d", column), sum, n)
	return s.Value, err
}

// Cohorts returns the rows as data for FitSBG and its kin: the active customers at each mature age. They are contractual
// cohorts only if a customer who is not active has left for good; count OnOrAfter to make them so, knowing that the last
// ages then look worse than they are. Rows without customers and with brackets are left out.
func (t *CohortTable) Cohorts() []Cohort {
	var cs []Cohort
	for _, r := range t.Rows {
		c := Cohort{Start: r.Period.Start}
		for k, cell := range r.Cells {
			if !cell.Mature || cell.From != k || cell.To != k || cell.Base != r.Size {
				break
			}
			c.Active = append(c.Active, cell.Active)
		}
		if r.Size > 0 && len(c.Active) > 0 {
			cs = append(cs, c)
		}
	}
	return cs
}

// columnName returns an age, or a bracket of ages as 3-6.
func columnName(c CohortCell) string {
	if c.From == c.To {
		return strconv.Itoa(c.From)
	}
	return fmt.Sprintf("%d-%d", c.From, c.To)
}

// String returns the matrix of rates as aligned text. A star marks cells whose period has not ended. The last row is the
// average weighted by size over the mature cells. With revenue a second matrix follows.
func (t *CohortTable) String() string {
	header := []string{"cohort", "size"}
	size, revenue := 0, false
	for _, c := range t.Total {
		header = append(header, columnName(c))
		revenue = revenue || currencyOf(c.Revenue) != ""
	}
	var rates, money [][]string
	cells := func(first, size string, cs []CohortCell) {
		rate, paid := []string{first, size}, []string{first, size}
		for k := range t.Total {
			if k >= len(cs) {
				rate, paid = append(rate, ""), append(paid, "")
				continue
			}
			text, amount := cellPercent(cs[k]), cs[k].Revenue.Number()
			if !cs[k].Mature {
				text, amount = text+"*", amount+"*"
			}
			rate, paid = append(rate, text), append(paid, amount)
			revenue = revenue || currencyOf(cs[k].Revenue) != ""
		}
		rates, money = append(rates, rate), append(money, paid)
	}
	for _, r := range t.Rows {
		size += r.Size
		cells(r.Period.String(), strconv.Itoa(r.Size), r.Cells)
	}
	cells("all", strconv.Itoa(size), t.Total)
	text := textTable(header, rates, 1)
	if revenue {
		text += "\n\nrevenue\n" + textTable(header, money, 1)
	}
	return text
}

func cellPercent(c CohortCell) string {
	if c.Base == 0 {
		return "-"
	}
	return percent(float64(c.Active) / float64(c.Base))
}

// WriteCSV writes one line a cell with a header: cohort start and end, size, ages, active, base, rate (empty where it is
// undefined), mature, revenue and currency.
func (t *CohortTable) WriteCSV(w io.Writer) error {
	header := []string{"cohort_start", "cohort_end", "size", "from", "to", "active", "base", "rate", "mature", "revenue", "currency"}
	var rows [][]string
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			rate := math.NaN()
			if c.Base > 0 {
				rate = float64(c.Active) / float64(c.Base)
			}
			rows = append(rows, []string{timeText(r.Period.Start), timeText(r.Period.End), strconv.Itoa(r.Size),
				strconv.Itoa(c.From), strconv.Itoa(c.To), strconv.Itoa(c.Active), strconv.Itoa(c.Base), number(rate),
				strconv.FormatBool(c.Mature), amountText(c.Revenue), currencyOf(c.Revenue)})
		}
	}
	return writeCSV(w, header, rows)
}
