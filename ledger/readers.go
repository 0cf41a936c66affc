package ledger

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
)

// ReadCSV reads transactions from CSV text. The fields are
//
//	customer  at  amount  currency                        required; the currency may be CSVOptions.Currency
//	id  channel  campaign  product  category  quantity  cost  discount    optional
//
// and the columns have these names unless CSVOptions.Columns maps them; they may come in any order among others, which
// are ignored. Cost and discount are in the currency of the row, and an empty one is the zero Amount. [ReadRecords] has
// the rules for errors, quotes, spaces and memory; besides, a negative discount is an error of the row.
//
// A long file is decoded by several goroutines, see CSVOptions.Workers; r is read on the caller's. They read ahead by less
// than a megabyte for each of them, but not where r gives its text in small pieces, and are gone when the stream ends.
func ReadCSV(ctx context.Context, r io.Reader, o *CSVOptions) iter.Seq2[Transaction, error] {
	return readParallel(ctx, r, o, transactionSchema(), decodeTransaction)
}

// TransactionsFromRows reads transactions from a SQL query with the fields of [ReadCSV] as columns. [FromRows] has the
// rules for types.
func TransactionsFromRows(ctx context.Context, rows *sql.Rows, o *CSVOptions) iter.Seq2[Transaction, error] {
	return FromRows(ctx, rows, o, transactionSchema(), decodeTransaction)
}

func transactionSchema() Schema {
	return Schema{
		Required: []string{"customer", "at", "amount", "currency"},
		Optional: []string{"id", "channel", "campaign", "product", "category", "quantity", "cost", "discount"},
	}
}

var errNegative = errors.New("negative")

// decodeTransaction knows the places of the fields in the schema, which saves looking for them.
func decodeTransaction(r *Record) (Transaction, error) {
	var t Transaction
	if c := &r.columns[0]; r.present(c, "") {
		t.Customer = r.text(c, true)
	}
	if c := &r.columns[1]; r.present(c, "") {
		t.At = r.time(c)
	}
	if c := &r.columns[2]; r.present(c, "") {
		t.Amount = r.amountIn(c, r.Currency())
	}
	for i := 4; i < len(r.columns); i++ {
		if c := &r.columns[i]; !r.empty(c) {
			r.transaction(c, &t)
		}
	}
	return t, nil
}

// transaction reads an optional field, which has a value, into t.
func (r *Record) transaction(c *column, t *Transaction) {
	switch c.name {
	case "id":
		t.ID = r.text(c, false) // numbers of orders do not come back, except in the next row
	case "channel":
		t.Channel = r.text(c, true)
	case "campaign":
		t.Campaign = r.text(c, true)
	case "product":
		t.Product = r.text(c, true)
	case "category":
		t.Category = r.text(c, true)
	case "quantity":
		t.Quantity = r.Int(c.name)
	case "cost":
		t.Cost = r.amountIn(c, t.Amount.Currency())
	case "discount":
		t.Discount = r.amountIn(c, t.Amount.Currency())
		if t.Discount.Sign() < 0 {
			r.fail(c, errNegative)
		}
	}
}

// ReadCustomers reads customers from CSV text. The field id is required; acquired (a date), channel and campaign are
// optional; every other column becomes an attribute of its header's name, where it is not empty. Two such columns of one
// name are an error of the header; a column without a name is ignored.
func ReadCustomers(ctx context.Context, r io.Reader, o *CSVOptions) iter.Seq2[Customer, error] {
	return readParallel(ctx, r, o, customerSchema(), decodeCustomer)
}

// CustomersFromRows reads customers from a SQL query with the fields of [ReadCustomers] as columns.
func CustomersFromRows(ctx context.Context, rows *sql.Rows, o *CSVOptions) iter.Seq2[Customer, error] {
	return FromRows(ctx, rows, o, customerSchema(), decodeCustomer)
}

func customerSchema() Schema {
	return Schema{Required: []string{"id"}, Optional: []string{"acquired", "channel", "campaign"}, Rest: true}
}

func decodeCustomer(r *Record) (Customer, error) {
	return Customer{
		ID: r.Text("id"), Acquired: r.Time("acquired"), Channel: r.Text("channel"), Campaign: r.Text("campaign"),
		Attributes: r.Rest(),
	}, nil
}

// ReadEvents reads events from CSV text. The fields customer, at and name are required; value (an amount), currency and
// score are optional. A currency is needed only where there is a value.
func ReadEvents(ctx context.Context, r io.Reader, o *CSVOptions) iter.Seq2[Event, error] {
	return readParallel(ctx, r, o, eventSchema(), decodeEvent)
}

// EventsFromRows reads events from a SQL query with the fields of [ReadEvents] as columns.
func EventsFromRows(ctx context.Context, rows *sql.Rows, o *CSVOptions) iter.Seq2[Event, error] {
	return FromRows(ctx, rows, o, eventSchema(), decodeEvent)
}

func eventSchema() Schema {
	return Schema{Required: []string{"customer", "at", "name"}, Optional: []string{"value", "currency", "score"}}
}

func decodeEvent(r *Record) (Event, error) {
	return Event{
		Customer: r.Text("customer"), At: r.Time("at"), Name: r.Text("name"),
		Value: r.Amount("value"), Score: r.Float("score"),
	}, nil
}

// ReadTenures reads tenures from CSV text. The fields duration and ended (true or false) are required; customer, start,
// entry, reason and weight are optional; every other column becomes a label of its header's name, where it is not empty.
// A duration that is not after the entry, and a negative entry or weight, are errors of the row.
func ReadTenures(ctx context.Context, r io.Reader, o *CSVOptions) iter.Seq2[Tenure, error] {
	return readParallel(ctx, r, o, tenureSchema(), decodeTenure)
}

// TenuresFromRows reads tenures from a SQL query with the fields of [ReadTenures] as columns.
func TenuresFromRows(ctx context.Context, rows *sql.Rows, o *CSVOptions) iter.Seq2[Tenure, error] {
	return FromRows(ctx, rows, o, tenureSchema(), decodeTenure)
}

func tenureSchema() Schema {
	return Schema{
		Required: []string{"duration", "ended"},
		Optional: []string{"customer", "start", "entry", "reason", "weight"},
		Rest:     true,
	}
}

var errDuration = errors.New("not greater than the entry")

func decodeTenure(r *Record) (Tenure, error) {
	t := Tenure{
		Duration: r.Float("duration"), Ended: r.Bool("ended"), Customer: r.Text("customer"), Start: r.Time("start"),
		Entry: r.Float("entry"), Reason: r.Text("reason"), Weight: r.Float("weight"), Labels: r.Rest(),
	}
	switch {
	case t.Entry < 0:
		r.Fail("entry", errNegative)
	case t.Weight < 0:
		r.Fail("weight", errNegative)
	case t.Duration <= t.Entry:
		r.Fail("duration", errDuration)
	}
	return t, nil
}
