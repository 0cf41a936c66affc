package subscription

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// ReadOptions say how the records of a CSV file or of a SQL query are read. Nil, and the zero value, mean what
// [ledger.CSVOptions] says of its zero value, and that every row has its interval.
type ReadOptions struct {
	ledger.CSVOptions
	Interval Interval // of rows whose interval is empty, and of tables without that column; EveryMonth for a column of MRR
}

func (o *ReadOptions) parts() (*ledger.CSVOptions, Interval) {
	if o == nil {
		return nil, 0
	}
	return &o.CSVOptions, o.Interval
}

// ReadCSV reads Rows from CSV text. The fields are
//
//	customer  price  currency  from               required; the currency may be CSVOptions.Currency
//	interval                                      required unless ReadOptions.Interval says it
//	interval_count  quantity  to  subscription  item  plan  parent  kind          optional
//	tax  tax_inclusive  discount_percent  discount_amount  discount_duration
//	discount_months  discount_start  discount_end  discount_id
//	trial_start  trial_end  paused_from  paused_to  past_due_from  past_due_to
//	signed  cancel_requested  paid_through  reason  code
//	term_start  term_end  renewed  renewed_as
//
// and the columns have these names unless CSVOptions.Columns maps them; start and end are accepted for from and to. An end
// is exclusive: a row to 10 June counts until the end of 9 June. Every
// other column becomes a label of its header's name, where it is not empty. An interval is what [ParseInterval] reads, or
// "one-time"; with interval_count it is that many times as long. Amounts are in the currency of the row.
//
// [ledger.ReadRecords] has the rules for errors, quotes and spaces. A row that [Row.Validate] refuses is an error of the
// column. A row can have one discount, pause, overdue payment and term; split it at a date for more.
func ReadCSV(ctx context.Context, r io.Reader, o *ReadOptions) iter.Seq2[Row, error] {
	c, interval := o.parts()
	return ledger.ReadRecords(ctx, r, c, rowSchema(), decodeRow(interval))
}

// FromRows reads Rows from a SQL query with the fields of [ReadCSV] as columns; [ledger.FromRows] has the rules for types.
// NULL is an empty field. The stream closes rows when it ends.
func FromRows(ctx context.Context, rows *sql.Rows, o *ReadOptions) iter.Seq2[Row, error] {
	c, interval := o.parts()
	return ledger.FromRows(ctx, rows, c, rowSchema(), decodeRow(interval))
}

func rowSchema() ledger.Schema {
	return ledger.Schema{
		Required: []string{"customer", "price", "currency"},
		Optional: []string{
			"from", "start", "to", "end", "interval", "interval_count", "quantity", "subscription", "item", "plan", "parent", "kind",
			"tax", "tax_inclusive", "discount_percent", "discount_amount", "discount_duration", "discount_months", "discount_start",
			"discount_end", "discount_id", "trial_start", "trial_end", "paused_from", "paused_to", "past_due_from", "past_due_to",
			"signed", "cancel_requested", "paid_through", "reason", "code", "term_start", "term_end", "renewed", "renewed_as",
		},
		Rest:   true,
		Prefix: "subscription",
	}
}

var (
	errNoInterval = errors.New("no interval: give the column interval, or ReadOptions.Interval")
	errCount      = errors.New("not a number of intervals from 1 to 1048575")
	errEnd        = errors.New("an end without a start")
)

// decodeRow reads one record.
func decodeRow(interval Interval) func(*ledger.Record) (Row, error) {
	return func(rec *ledger.Record) (Row, error) {
		r := Row{
			Customer: rec.Text("customer"), Subscription: rec.Text("subscription"), Item: rec.Text("item"), Plan: rec.Text("plan"),
			Parent: rec.Text("parent"), Price: rec.Amount("price"), Quantity: rec.Int("quantity"),
			TaxInclusive: rec.Bool("tax_inclusive"), From: either(rec, "from", "start"), To: either(rec, "to", "end"),
			Signed: rec.Time("signed"), CancelRequested: rec.Time("cancel_requested"), PaidThrough: rec.Time("paid_through"),
			Code: rec.Text("code"), Labels: rec.Rest(),
			Trial:  stretch(rec, "trial_start", "trial_end"),
			Paused: stretches(rec, "paused_from", "paused_to"), PastDue: stretches(rec, "past_due_from", "past_due_to"),
		}
		if term := (Term{rec.Time("term_start"), rec.Time("term_end"), rec.Time("renewed"), rec.Text("renewed_as")}); term != (Term{}) {
			r.Terms = []Term{term}
		}
		if rec.Has("tax") {
			r.Tax = rec.Amount("tax")
		}
		decodeWord(rec, "kind", &r.Kind)
		decodeWord(rec, "reason", &r.Reason)
		r.Interval = decodeInterval(rec, interval, &r.Kind)
		decodeDiscount(rec, &r)
		if err := rec.Err(); err != nil {
			return r, err
		}
		var wrong *ledger.RowError
		if err := r.Validate(); errors.As(err, &wrong) {
			rec.Fail(column(rec, wrong.Field), wrong.Err)
		}
		return r, nil
	}
}

// either reads a time from the field or, if that is empty, from its other name.
func either(rec *ledger.Record, field, other string) time.Time {
	if rec.Has(field) || !rec.Has(other) {
		return rec.Time(field)
	}
	return rec.Time(other)
}

func stretch(rec *ledger.Record, from, to string) ledger.Period {
	p := ledger.Period{Start: rec.Time(from), End: rec.Time(to)}
	if p.Start.IsZero() && !p.End.IsZero() {
		rec.Fail(to, errEnd)
	}
	return p
}

func stretches(rec *ledger.Record, from, to string) []ledger.Period {
	if p := stretch(rec, from, to); !p.IsZero() {
		return []ledger.Period{p}
	}
	return nil
}

func decodeWord(rec *ledger.Record, field string, into interface{ UnmarshalText([]byte) error }) {
	if rec.Has(field) {
		if err := into.UnmarshalText([]byte(strings.ToLower(rec.Text(field)))); err != nil {
			rec.Fail(field, err)
		}
	}
}

func decodeInterval(rec *ledger.Record, fallback Interval, kind *Kind) Interval {
	word := rec.Text("interval")
	switch strings.ToLower(word) {
	case "one-time", "one_time", "onetime", "once":
		*kind = OneTime
		return 0
	case "":
		if fallback == 0 && *kind != OneTime {
			rec.Fail("interval", errNoInterval)
		}
		return fallback
	}
	i, err := ParseInterval(word)
	if err != nil {
		rec.Fail("interval", errInterval)
	}
	if rec.Has("interval_count") {
		n := rec.Int("interval_count")
		if n < 1 || n > maxCount {
			rec.Fail("interval_count", errCount)
			return 0
		}
		if i = Every(i.Count()*int(n), i.Unit()); i == 0 {
			rec.Fail("interval_count", errCount)
		}
	}
	return i
}

func decodeDiscount(rec *ledger.Record, r *Row) {
	if !rec.Has("discount_percent") && !rec.Has("discount_amount") {
		return
	}
	d := Discount{ID: rec.Text("discount_id"), Months: int(rec.Int("discount_months")), Start: rec.Time("discount_start"), End: rec.Time("discount_end")}
	if rec.Has("discount_amount") {
		d.Amount = rec.Amount("discount_amount")
	}
	d.Percent = strings.TrimSuffix(rec.Text("discount_percent"), "%")
	decodeWord(rec, "discount_duration", &d.Duration)
	r.Discounts = []Discount{d}
}

// column returns the column of a field of Row.
func column(rec *ledger.Record, field string) string {
	switch field {
	case "From":
		return named(rec, "from", "start")
	case "To":
		return named(rec, "to", "end")
	case "Trial":
		return "trial_end"
	case "Paused":
		return "paused_to"
	case "PastDue":
		return "past_due_to"
	case "Terms.End":
		return "term_end"
	case "Discounts", "Discounts.Percent":
		return "discount_percent"
	case "Discounts.Amount":
		return "discount_amount"
	case "Discounts.Months":
		return "discount_months"
	case "Discounts.Start":
		return "discount_start"
	case "Discounts.End":
		return "discount_end"
	}
	return strings.ToLower(field)
}

func named(rec *ledger.Record, field, other string) string {
	if rec.Has(other) && !rec.Has(field) {
		return other
	}
	return field
}
