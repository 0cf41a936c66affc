package cac

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// schema is what a record of costs has.
func schema() ledger.Schema {
	return ledger.Schema{
		Required: []string{"amount", "currency"},
		Optional: []string{"date", "start", "end", "category", "label", "function", "channel", "campaign", "segment", "charge", "units"},
		Prefix:   "cac",
	}
}

// ReadCosts reads cost lines from CSV text. The fields are
//
//	amount  currency                                   required; the currency may be CSVOptions.Currency
//	date  start  end                                   a day, or the first and the last day of an accrual; one of them
//	category  label  function  channel  campaign  segment  charge  units    optional
//
// and the columns have these names unless CSVOptions.Columns maps them. End is the last day inside the period where it
// has no clock, as people write it: 2025-01-01 to 2025-01-31 is January. With a clock, as in 2025-02-01T00:00:00Z, it is
// the moment after the period. The words
// of category, function and charge are those of the constants; see [Categories]. Only a line that is due per customer
// may be without a date. Bad rows are a *[ledger.RowError] and the stream goes on; see [ledger.ReadRecords].
func ReadCosts(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Cost, error] {
	return ledger.ReadRecords(ctx, r, o, schema(), func(rec *ledger.Record) (Cost, error) {
		return decodeCost(rec, !strings.Contains(rec.Text("end"), ":"))
	})
}

// CostsFromRows reads cost lines from a SQL query with the fields of [ReadCosts] as columns. A database's dates often come
// with a clock at midnight: such an end is the last day inside the period.
func CostsFromRows(ctx context.Context, rows *sql.Rows, o *ledger.CSVOptions) iter.Seq2[Cost, error] {
	return ledger.FromRows(ctx, rows, o, schema(), func(rec *ledger.Record) (Cost, error) { return decodeCost(rec, true) })
}

// decodeCost reads a line; inclusive says that an end at midnight is the whole of that day.
func decodeCost(r *ledger.Record, inclusive bool) (Cost, error) {
	c := Cost{
		Amount:   r.Amount("amount"),
		Category: Category(r.Text("category")),
		Label:    r.Text("label"),
		Function: Function(r.Text("function")),
		Channel:  r.Text("channel"),
		Campaign: r.Text("campaign"),
		Segment:  r.Text("segment"),
		Charge:   Charge(r.Text("charge")),
		Units:    r.Int("units"),
	}
	if r.Has("date") {
		c.Date = r.Time("date")
	}
	switch start, end := r.Has("start"), r.Has("end"); {
	case start && end:
		c.Period = ledger.Period{Start: r.Time("start"), End: r.Time("end")}
		if inclusive && c.Period.End.Equal(ledger.Day(c.Period.End, nil).Start) {
			c.Period.End = ledger.Day(c.Period.End, nil).End
		}
	case start:
		r.Fail("end", errors.New("a start without an end"))
	case end:
		r.Fail("start", errors.New("an end without a start"))
	case !r.Has("date") && c.Charge != PerCustomer:
		r.Fail("date", errors.New("neither date nor period"))
	}
	var bad *ledger.RowError
	if r.Err() == nil && errors.As(c.Validate(), &bad) {
		field := bad.Field
		if field == "period" {
			field = "end"
		}
		r.Fail(field, bad.Err)
	}
	return c, nil
}

// WriteCosts writes cost lines as CSV that [ReadCosts] reads back, with the columns amount, currency, date, start, end,
// category, label, function, channel, campaign, segment, charge and units. Periods must consist of whole days.
func WriteCosts(w io.Writer, costs []Cost) error {
	header := []string{"amount", "currency", "date", "start", "end", "category", "label", "function", "channel", "campaign", "segment", "charge", "units"}
	rows := make([][]string, len(costs))
	for i, c := range costs {
		if err := c.Validate(); err != nil {
			return fail("%w", numbered(i+1, err))
		}
		var date, start, end, units string
		if !c.Date.IsZero() {
			date = c.Date.Format(time.RFC3339)
		}
		if p := c.Period; !p.IsZero() {
			last := p.End.In(p.Start.Location())
			if !ledger.Day(last, nil).Start.Equal(last) || !ledger.Day(p.Start, nil).Start.Equal(p.Start) {
				return fail("%w", &ledger.RowError{Row: i + 1, Field: "period", Value: p.String(), Err: errors.New("not of whole days")})
			}
			start, end = p.Start.Format(time.DateOnly), last.AddDate(0, 0, -1).Format(time.DateOnly)
		}
		if c.Charge == PerUnit {
			units = fmt.Sprint(c.Units)
		}
		rows[i] = []string{plain(c.Amount), string(c.Amount.Currency()), date, start, end, string(cmp.Or(c.Category, Other)), c.Label,
			string(cmp.Or(c.Function, Marketing)), c.Channel, c.Campaign, c.Segment, string(cmp.Or(c.Charge, Fixed)), units}
	}
	return writeCSV(w, header, rows)
}
