package cac

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"strings"
	"time"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// CurveOptions are the rules of [PaybackCurves]. The zero CurveOptions, like nil, are the defaults.
type CurveOptions struct {
	Margin float64 // gross margin of transactions, a fraction of their amount; 0: amount less Transaction.Cost, which every row must then have
	Months int     // months of age to follow; 0: as many as there are
}

// A PaybackCurve is how a cohort of customers earns its cost back.
type PaybackCurve struct {
	Cohort   ledger.Period  `json:"cohort"`   // when its customers were won
	Cost     Figure         `json:"cost"`     // what each cost
	Profit   []money.Amount `json:"profit"`   // gross profit of the whole cohort in each month of its customers' age
	Returned []float64      `json:"returned"` // profit up to that month / spend
	Payback  Payback        `json:"payback"`  // of Profit against the spend
}

// PaybackTable is the curve of every cohort.
type PaybackTable struct {
	End       time.Time      `json:"end"`       // end of observation
	Rows      []PaybackCurve `json:"rows"`      // by cohort; a cohort without customers or without spend has no curve and is left out
	Empty     int            `json:"empty"`     // cohorts left out
	Strangers int            `json:"strangers"` // transactions of customers who belong to no cohort
}

// PaybackCurves follows the gross profit of each cohort of t, a table of [ByCohort] or of [Analyze] without a
// dimension, month by month of its customers' age against what the cohort cost. Age is counted for each customer from
// the day of acquisition in calendar months. A month of age is in the curve only if every customer of the cohort has
// had it to the full before end, so that the last points are not too low; a cohort that is too young to have earned its
// cost is NotYet. Refunds are negative profit. Transactions at or after end, or older than Months, do not count.
//
// customers are those that t counts: all that made it, or with a denominator that leaves some out, the rest. The result
// does not depend on the order of rows. PaybackCurves returns a *[PlaceError] that wraps [ErrBasisMismatch] if a cohort
// has another size than in t; and an error if t has a dimension or no periods, if a currency differs, if a transaction is dated on a day before its customer's acquisition
// or has neither cost nor Margin, and the first error of the stream.
func PaybackCurves(ctx context.Context, log iter.Seq2[ledger.Transaction, error], customers []ledger.Customer, t *Table, end time.Time, o *CurveOptions) (*PaybackTable, error) {
	if o == nil {
		o = &CurveOptions{}
	}
	if err := checkMargin(o.Margin); err != nil {
		return nil, err
	}
	if o.Margin < 0 || o.Months < 0 {
		return nil, fail("payback curves: a negative margin or number of months")
	}
	if t == nil || t.By != "" || !t.timed() {
		return nil, fail("payback curves need a table by cohort: periods and no dimension")
	}
	of := map[string]int{}
	acquired := map[string]time.Time{}
	sizes := make([]int, len(t.Periods))
	for _, c := range customers {
		for i, p := range t.Periods {
			if p.Period.Contains(c.Acquired) {
				of[c.ID], acquired[c.ID] = i, c.Acquired
				sizes[i]++
			}
		}
	}
	for i, p := range t.Periods {
		if sizes[i] != p.New {
			return nil, p.fail(fmt.Errorf("%w: %d customers are given and the table counts %d", ErrBasisMismatch, sizes[i], p.New))
		}
	}
	sums := make([][]money.Sum, len(t.Periods))
	for i, p := range t.Periods {
		sums[i] = make([]money.Sum, matureMonths(p.Period.End, end, o.Months))
	}
	out := &PaybackTable{End: end}
	err := each(ctx, log, func(row int, tx ledger.Transaction) error {
		cohort, ok := of[tx.Customer]
		if !ok {
			out.Strangers++
			return nil
		}
		if tx.At.Before(ledger.Day(acquired[tx.Customer], nil).Start) {
			return &ledger.RowError{Row: row, Field: "at", Value: tx.At.Format(time.RFC3339), Err: fmt.Errorf("before customer %q was acquired", tx.Customer)}
		}
		age := ageMonths(acquired[tx.Customer], tx.At)
		if age >= len(sums[cohort]) || !tx.At.Before(end) {
			return nil
		}
		profit, err := profitOf(tx, o.Margin)
		if err == nil {
			err = sameCurrency(t.Total.Spend, profit)
		}
		if err != nil {
			return &ledger.RowError{Row: row, Field: "cost", Value: tx.Cost.String(), Err: bare(err)}
		}
		sums[cohort][age].Add(profit)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, p := range t.Periods {
		if p.New == 0 || p.Spend.Sign() <= 0 || p.Incomplete {
			out.Empty++
			continue
		}
		c, err := curveOf(p, sums[i])
		if err != nil {
			return nil, err
		}
		out.Rows = append(out.Rows, c)
	}
	return out, nil
}

func curveOf(p Row, sums []money.Sum) (PaybackCurve, error) {
	f, err := p.CAC()
	if err != nil {
		return PaybackCurve{}, err
	}
	c := PaybackCurve{Cohort: p.Period, Cost: f}
	exact := make([]*big.Rat, len(sums))
	earned := new(big.Rat)
	for k := range sums {
		profit, err := sums[k].Total()
		if err != nil {
			return c, p.fail(err)
		}
		exact[k] = rat(profit)
		earned.Add(earned, exact[k])
		c.Profit = append(c.Profit, profit)
		c.Returned = append(c.Returned, float(new(big.Rat).Quo(earned, rat(p.Spend))))
	}
	c.Payback = paybackOf(rat(p.Spend), exact)
	return c, nil
}

// profitOf returns the gross profit of a transaction.
func profitOf(t ledger.Transaction, margin float64) (money.Amount, error) {
	if margin > 0 {
		return times(t.Amount, margin)
	}
	if t.Cost.Currency() == "" {
		return money.Amount{}, errors.New("the row has no cost, and no margin is given")
	}
	if err := sameCurrency(t.Amount, t.Cost); err != nil {
		return money.Amount{}, err
	}
	return t.Amount.Sub(t.Cost)
}

// matureMonths returns how many months of age everybody who was acquired before start has had at the end, at most limit
// if that is above 0.
func matureMonths(start, end time.Time, limit int) int {
	n := 0
	for (limit == 0 || n < limit) && n < maxMonths && !ledger.AddMonths(start, n+1).After(end) {
		n++
	}
	return n
}

// ageMonths returns how many whole months lie between two moments.
func ageMonths(from, to time.Time) int {
	to = to.In(from.Location())
	n := max(0, 12*(to.Year()-from.Year())+int(to.Month()-from.Month()))
	for n > 0 && ledger.AddMonths(from, n).After(to) {
		n--
	}
	return n
}

// String returns, for each cohort, its size, cost and payback, and the part of the cost returned by each month.
func (t *PaybackTable) String() string {
	months := 0
	for _, r := range t.Rows {
		months = max(months, len(r.Returned))
	}
	header := []string{"cohort", "payback", "new", "CAC"}
	for k := range months {
		header = append(header, fmt.Sprint(k+1))
	}
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		rows[i] = []string{r.Cohort.String(), r.Payback.String(), fmt.Sprint(r.Cost.Customers), r.Cost.Cost.String()}
		for k := range months {
			cell := ""
			if k < len(r.Returned) {
				cell = table.Percent(r.Returned[k], nil)
			}
			rows[i] = append(rows[i], cell)
		}
	}
	s := table.Text(header, rows, 2)
	if t.Empty > 0 {
		s += fmt.Sprintf("cohorts without customers or spend: %d\n", t.Empty)
	}
	if t.Strangers > 0 {
		s += fmt.Sprintf("transactions of customers in no cohort: %d\n", t.Strangers)
	}
	return s
}

// WriteCSV writes one line for each cohort and month with the header
// start,end,customers,currency,spend,month,profit,returned,status,payback_months.
func (t *PaybackTable) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range t.Rows {
		months := ""
		if r.Payback.Status == PaidBack {
			months = table.Float(r.Payback.Months, nil)
		}
		for k, profit := range r.Profit {
			rows = append(rows, []string{r.Cohort.Start.Format(rfc3339), r.Cohort.End.Format(rfc3339), fmt.Sprint(r.Cost.Customers),
				string(r.Cost.Spend.Currency()), plain(r.Cost.Spend), fmt.Sprint(k + 1), plain(profit), table.Float(r.Returned[k], nil),
				string(r.Payback.Status), months})
		}
	}
	return table.CSV(w, strings.Split("start,end,customers,currency,spend,month,profit,returned,status,payback_months", ","), rows)
}
