package subscription

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A CohortMatrix has the MRR of cohorts of customers at the ends of periods. A customer, or other unit of the policy's
// grain, belongs to the period in which it first paid, for ever: coming back does not move it. Each column adds up to the
// MRR of that moment, to the minor unit.
type CohortMatrix struct {
	Policy   Policy          `json:"policy"`
	Currency money.Currency  `json:"currency"`
	Periods  []ledger.Period `json:"periods"` // of the columns
	Rows     []CohortRow     `json:"rows"`    // the first is what began before the first period, if anything did
	Totals   []money.Amount  `json:"totals"`  // MRR at the end of each period
}

// A CohortRow is one cohort.
type CohortRow struct {
	Start *ledger.Period `json:"start"` // the period in which it first paid; nil for before the first period
	Size  int64          `json:"size"`  // units that first paid then
	Cells []CohortCell   `json:"cells"` // one for each period of the matrix; those before the start are zero
}

// A CohortCell is a cohort at the end of a period.
type CohortCell struct {
	MRR       money.Amount `json:"mrr"`
	Customers int64        `json:"customers"` // that pay at this moment
	// Retention is the MRR over that at the end of the cohort's first period: net revenue retention since then. It is
	// undefined before the start and where the base is zero.
	Retention  MoneyRate `json:"retention"`
	Incomplete bool      `json:"incomplete"` // the period ends after the end of observation
}

type cohortSum struct {
	size      int64
	mrr       []rational
	customers []int64
}

func newCohorts(n int) []cohortSum {
	sums := make([]cohortSum, n+1)
	for i := range sums {
		sums[i] = cohortSum{mrr: make([]rational, n), customers: make([]int64, n)}
	}
	return sums
}

// Cohorts returns the MRR of the cohorts of each of the periods, which must be in order and must not overlap, at the end
// of each of them. Errors are those of [Book.RollForward].
func (b *Book) Cohorts(ctx context.Context, periods []ledger.Period) (*CohortMatrix, error) {
	cuts, err := spans(periods)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(cuts); i++ {
		if cuts[i].from < cuts[i-1].to {
			return nil, fmt.Errorf("subscription: cohorts: period %d, %s, starts before the one before it ends", i+1, periods[i])
		}
	}
	n := len(cuts)
	if n == 0 {
		return &CohortMatrix{Policy: b.policy}, nil
	}
	e, err := b.engine(cuts[0].from, cuts[n-1].to)
	if err != nil {
		return nil, err
	}
	var parts [][]cohortSum
	err = e.eachUnit(ctx, func() func(*walker, int, int) {
		sums := newCohorts(n)
		parts = append(parts, sums)
		return func(w *walker, _, _ int) { w.cohort(cuts, sums) }
	})
	if err != nil {
		return nil, err
	}
	total := newCohorts(n)
	for _, part := range parts {
		for i := range part {
			total[i].size += part[i].size
			for k := range part[i].mrr {
				total[i].mrr[k] = total[i].mrr[k].add(part[i].mrr[k])
				total[i].customers[k] += part[i].customers[k]
			}
		}
	}
	return e.matrix(periods, cuts, total)
}

// cohort adds a unit to its cohort: 0 is before the first period, i+1 the period i. Who first paid in a gap between
// periods belongs to the next one.
func (w *walker) cohort(cuts []span, sums []cohortSum) {
	first := w.first()
	if first >= cuts[len(cuts)-1].to {
		return
	}
	i := 0
	if first >= cuts[0].from {
		i = 1 + slices.IndexFunc(cuts, func(s span) bool { return first < s.to })
	}
	sum := &sums[i]
	sum.size++
	for k, cut := range cuts {
		at := w.stepAt(cut.to - 1)
		if !w.pays(at) {
			continue
		}
		sum.mrr[k] = sum.mrr[k].add(w.value(at, cut.to))
		sum.customers[k]++
	}
}

// matrix rounds each column so that it adds up.
func (e *engine) matrix(periods []ledger.Period, cuts []span, sums []cohortSum) (*CohortMatrix, error) {
	m := &CohortMatrix{Policy: e.policy, Currency: e.scale.currency, Periods: slices.Clone(periods), Rows: []CohortRow{}}
	kept := make([]int, 0, len(sums))
	for i := range sums {
		if i == 0 && sums[0].size == 0 {
			continue
		}
		row := CohortRow{Size: sums[i].size, Cells: make([]CohortCell, len(cuts))}
		if i > 0 {
			p := periods[i-1]
			row.Start = &p
		}
		m.Rows, kept = append(m.Rows, row), append(kept, i)
	}
	for k := range cuts {
		parts := make([]rational, len(kept))
		var total rational
		for r, i := range kept {
			parts[r] = sums[i].mrr[k]
			total = total.add(parts[r])
		}
		whole := e.scale.units(total)
		amount, err := e.scale.amount(whole)
		if err != nil {
			return nil, err
		}
		m.Totals = append(m.Totals, amount)
		for r, units := range e.scale.closeTo(whole, parts) {
			if m.Rows[r].Cells[k], err = e.cell(units, &sums[kept[r]], kept[r], k); err != nil {
				return nil, err
			}
			m.Rows[r].Cells[k].Incomplete = cuts[k].to > e.observed
		}
	}
	return m, nil
}

func (e *engine) cell(units *big.Int, sum *cohortSum, cohort, k int) (CohortCell, error) {
	c := CohortCell{Customers: sum.customers[k]}
	var err error
	if c.MRR, err = e.scale.amount(units); err != nil {
		return c, err
	}
	base := max(cohort-1, 0)
	if k < base {
		return c, nil
	}
	c.Retention, err = e.moneyRate(sum.mrr[k], sum.mrr[base])
	return c, err
}

// String returns an aligned table of MRR; cells of incomplete periods have an asterisk.
func (m *CohortMatrix) String() string {
	header := []string{"cohort", "size"}
	for _, p := range m.Periods {
		header = append(header, p.String())
	}
	rows := [][]string{header}
	for _, r := range m.Rows {
		line := []string{r.label(), strconv.FormatInt(r.Size, 10)}
		for k, c := range r.Cells {
			text := plain(c.MRR)
			if r.Start != nil && m.Periods[k].End.Compare(r.Start.Start) <= 0 {
				text = ""
			} else if c.Incomplete {
				text += "*"
			}
			line = append(line, text)
		}
		rows = append(rows, line)
	}
	line := []string{"total", ""}
	for _, t := range m.Totals {
		line = append(line, plain(t))
	}
	return "MRR by cohort in " + string(m.Currency) + m.Policy.title() + "\n" + table(append(rows, line))
}

func (r *CohortRow) label() string {
	if r.Start == nil {
		return "before"
	}
	return r.Start.String()
}

// WriteCSV writes one record for each cohort and period, with a header.
func (m *CohortMatrix) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"cohort", "size", "period_start", "period_end", "currency", "mrr", "customers", "retention", "incomplete"}); err != nil {
		return err
	}
	for _, r := range m.Rows {
		for k, cell := range r.Cells {
			p := m.Periods[k]
			if err := c.Write([]string{r.label(), strconv.FormatInt(r.Size, 10), p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339),
				string(m.Currency), plain(cell.MRR), strconv.FormatInt(cell.Customers, 10), number(cell.Retention),
				strconv.FormatBool(cell.Incomplete)}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
