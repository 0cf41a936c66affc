package subscription

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"

	"github.com/custval/custval/ledger"
)

// ReadEvents reads Events from CSV text, for [Fold]. The fields are
//
//	at  kind  subscription                                     required
//	customer  parent  item  plan  quantity  until  reason  code        optional
//	price  currency  interval  interval_count                  of start and change; the currency may be CSVOptions.Currency
//	discount_id  discount_percent  discount_amount  discount_duration  discount_months  discount_start  discount_end
//
// with the names of [EventKind] as kinds. Every other column becomes a label of its header's name. Times and amounts are
// read as [ReadCSV] does; ReadOptions.Interval is that of prices without one.
func ReadEvents(ctx context.Context, r io.Reader, o *ReadOptions) iter.Seq2[Event, error] {
	c, interval := o.parts()
	return ledger.ReadRecords(ctx, r, c, eventSchema(), decodeEvent(interval))
}

// EventsFromRows reads Events from a SQL query with the fields of [ReadEvents] as columns.
func EventsFromRows(ctx context.Context, rows *sql.Rows, o *ReadOptions) iter.Seq2[Event, error] {
	c, interval := o.parts()
	return ledger.FromRows(ctx, rows, c, eventSchema(), decodeEvent(interval))
}

func eventSchema() ledger.Schema {
	return ledger.Schema{
		Required: []string{"at", "kind", "subscription"},
		Optional: []string{"customer", "parent", "item", "plan", "price", "currency", "interval", "interval_count", "quantity", "until",
			"reason", "code", "discount_id", "discount_percent", "discount_amount", "discount_duration", "discount_months",
			"discount_start", "discount_end"},
		Rest:   true,
		Prefix: "subscription",
	}
}

var errNoPrice = errors.New("an item that starts or changes needs a price")

func decodeEvent(interval Interval) func(*ledger.Record) (Event, error) {
	return func(rec *ledger.Record) (Event, error) {
		e := Event{
			At: rec.Time("at"), Subscription: rec.Text("subscription"), Customer: rec.Text("customer"), Parent: rec.Text("parent"),
			Item: rec.Text("item"), Plan: rec.Text("plan"), Quantity: rec.Int("quantity"), Until: rec.Time("until"),
			Code: rec.Text("code"), Labels: rec.Rest(),
		}
		decodeWord(rec, "kind", &e.Kind)
		decodeWord(rec, "reason", &e.Reason)
		if e.Kind == Start || e.Kind == Change {
			if !rec.Has("price") {
				rec.Fail("price", errNoPrice)
				return e, nil
			}
			var kind Kind
			e.Price, e.Interval = rec.Amount("price"), decodeInterval(rec, interval, &kind)
		}
		var r Row
		decodeDiscount(rec, &r)
		if len(r.Discounts) > 0 {
			e.Discount = r.Discounts[0]
		}
		if e.Discount.ID = rec.Text("discount_id"); e.Kind == DiscountStart {
			checkDiscount(rec, e.Discount)
		}
		return e, nil
	}
}

// checkDiscount refuses what a row would refuse of a discount later on.
func checkDiscount(rec *ledger.Record, d Discount) {
	if rec.Err() != nil {
		return
	}
	if !rec.Has("discount_percent") && !rec.Has("discount_amount") {
		rec.Fail("discount_percent", errors.New("a discount needs a percentage or an amount"))
		return
	}
	start := rec.Time("at")
	if d.Start.IsZero() {
		d.Start = start
	}
	var wrong *ledger.RowError
	if _, err := newDiscount(d, &Row{From: start, Interval: EveryMonth}); errors.As(err, &wrong) {
		rec.Fail(column(rec, wrong.Field), wrong.Err)
	}
}
