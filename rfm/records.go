package rfm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// FromRecords returns the summary of customers whose recency, frequency and monetary value are known already, such as a
// query's result. Rows may come in any order and are copied. Where First and Last are both left zero, Last is End less
// Recency and First is Last; a Revenue without currency takes the value of Monetary. The location of days is that of end.
//
// It returns an error for no rows and for a row without a customer or with one that came before, a negative recency, a
// frequency below 1, a first day after the last one, a last day that does not agree with the recency, or a second
// currency.
func FromRecords(end time.Time, rows []Record) (*Summary, error) {
	if end.IsZero() {
		return nil, errors.New("rfm: end of observation is the zero time")
	}
	if len(rows) == 0 {
		return nil, errors.New("rfm: no records")
	}
	s := &Summary{End: DateOf(end), Rows: slices.Clone(rows), loc: end.Location()}
	order := make([]int, len(rows))
	for i := range s.Rows {
		order[i] = i
		if err := s.complete(&s.Rows[i]); err != nil {
			err.Row = i + 1
			return nil, fmt.Errorf("rfm: %w", err)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(rows[a].Customer, rows[b].Customer) })
	sorted := make([]Record, len(rows))
	for i, at := range order {
		sorted[i] = s.Rows[at]
		if i > 0 && sorted[i].Customer == sorted[i-1].Customer {
			return nil, fmt.Errorf("rfm: %w", &ledger.RowError{Row: at + 1, Field: "customer", Value: sorted[i].Customer,
				Err: fmt.Errorf("in row %d already", order[i-1]+1)})
		}
	}
	s.Rows = sorted
	s.Start = firstOf(s.Rows, s.End)
	s.Report.Rows = len(rows)
	return s, s.reportOnly()
}

// complete fills what a record leaves out and checks it.
func (s *Summary) complete(r *Record) *ledger.RowError {
	if r.Revenue.Currency() == "" && r.Revenue.Sign() == 0 {
		r.Revenue = r.Monetary
	}
	if r.First == 0 && r.Last == 0 {
		r.Last = s.End - Date(min(max(r.Recency, 0), int(lastDate)))
		r.First = r.Last
	}
	if err := r.check(); err != nil {
		return err
	}
	if int(s.End-r.Last) != r.Recency {
		return &ledger.RowError{Field: "last", Value: r.Last.String(),
			Err: fmt.Errorf("%d days before the end on %s, but the recency is %d", s.End-r.Last, s.End, r.Recency)}
	}
	for _, a := range []money.Amount{r.Monetary, r.Revenue} {
		c := a.Currency()
		if c != "" && s.Currency != "" && c != s.Currency {
			return &ledger.RowError{Field: "monetary", Value: a.String(), Err: mixed(c, s.Currency)}
		}
		if c != "" {
			s.Currency = c
		}
	}
	return nil
}

var (
	errNegative  = errors.New("negative: the purchase lies after the end")
	errFrequency = errors.New("below 1: a customer without a purchase cannot be scored")
	errFirst     = errors.New("after the last purchase")
)

// check returns what is impossible in a record; Segment looks at every record, since a Summary may be made by hand.
func (r *Record) check() *ledger.RowError {
	switch {
	case r.Customer == "":
		return &ledger.RowError{Field: "customer", Err: errNoCustomer}
	case r.Recency < 0:
		return &ledger.RowError{Field: "recency", Value: strconv.Itoa(r.Recency), Err: errNegative}
	case r.Frequency < 1:
		return &ledger.RowError{Field: "frequency", Value: strconv.Itoa(r.Frequency), Err: errFrequency}
	case r.First > r.Last:
		return &ledger.RowError{Field: "first", Value: r.First.String(), Err: errFirst}
	}
	return nil
}
