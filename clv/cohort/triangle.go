package cohort

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/money"
)

// A Triangle is the cumulative value of cohorts by age. Rows are cohorts, the oldest first; a cell that has not been
// observed yet is missing from the end of its row, so rows get shorter.
type Triangle struct {
	Rows []Row `json:"rows"`
}

// A Row is one cohort.
type Row struct {
	Cohort     string         `json:"cohort"`              // its name, such as 2025-03
	Customers  int            `json:"customers,omitempty"` // how many there are; 0 if not known
	Cumulative []money.Amount `json:"cumulative"`          // value up to and including each age, from age 0
}

var (
	errNoRows   = errors.New("cohort: no cohorts")
	errLonger   = errors.New("longer than the row of an older cohort")
	errEmpty    = errors.New("no cell: a cohort needs at least its first period")
	errNegative = errors.New("negative")
)

// Validate returns an error if there is no cohort, a row has no cell or is longer than the one above it, a number of
// customers is negative, or currencies mix.
func (t *Triangle) Validate() error {
	if t == nil || len(t.Rows) == 0 {
		return errNoRows
	}
	var sum money.Sum
	for i, r := range t.Rows {
		switch {
		case len(r.Cumulative) == 0:
			return fmt.Errorf("cohort: %s: %w", r.Cohort, errEmpty)
		case i > 0 && len(r.Cumulative) > len(t.Rows[i-1].Cumulative):
			return fmt.Errorf("cohort: %s: %d ages: %w", r.Cohort, len(r.Cumulative), errLonger)
		case r.Customers < 0:
			return fmt.Errorf("cohort: %s: customers %d: %w", r.Cohort, r.Customers, errNegative)
		}
		for _, c := range r.Cumulative {
			sum.Add(c)
		}
	}
	if _, err := sum.Total(); err != nil {
		return fmt.Errorf("cohort: %w", err)
	}
	return nil
}

// ages returns the length of the oldest row.
func (t *Triangle) ages() int { return len(t.Rows[0].Cumulative) }

// currency returns the currency of the amounts, empty if all are the zero Amount.
func (t *Triangle) currency() money.Currency {
	for _, r := range t.Rows {
		for _, c := range r.Cumulative {
			if c.Currency() != "" {
				return c.Currency()
			}
		}
	}
	return ""
}

// floats returns the cells for the arithmetic of factors.
func (t *Triangle) floats() [][]float64 {
	rows := make([][]float64, len(t.Rows))
	for i, r := range t.Rows {
		for _, c := range r.Cumulative {
			rows[i] = append(rows[i], c.Float64())
		}
	}
	return rows
}

// records returns the table as text; cells not observed yet are empty.
func (t *Triangle) records() [][]string {
	head := []string{"cohort", "customers"}
	if len(t.Rows) > 0 {
		for age := range t.ages() {
			head = append(head, "age_"+strconv.Itoa(age))
		}
	}
	records := [][]string{head}
	for _, r := range t.Rows {
		record := make([]string, len(head))
		record[0], record[1] = r.Cohort, strconv.Itoa(r.Customers)
		for age, c := range r.Cumulative {
			record[2+age] = c.Number()
		}
		records = append(records, record)
	}
	return records
}

// WriteCSV writes one row a cohort; cells that have not been observed yet are empty.
func (t *Triangle) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(t.records()) }

// String returns the triangle as aligned text; a cell not observed yet is a dot.
func (t *Triangle) String() string {
	records := t.records()
	for _, record := range records {
		for i, cell := range record {
			if cell == "" {
				record[i] = "."
			}
		}
	}
	return text.Aligned(records)
}
