package pipeline

import (
	"encoding/binary"
	"time"

	"github.com/custval/custval/money"
)

// An Order is one row of the log as it travels between workers: what a summary reads of a ledger.Transaction. A
// PCollection of orders may come from any source, not only from ReadOrders.
type Order struct {
	Customer string
	At       time.Time    // the zone does not travel: Options.Location says whose calendar days count
	Amount   money.Amount // negative for a refund
}

func encodeOrder(o Order) []byte {
	b := make([]byte, 0, len(o.Customer)+24)
	b = appendText(b, o.Customer)
	b = binary.AppendVarint(b, o.At.Unix())
	b = binary.AppendUvarint(b, uint64(o.At.Nanosecond()))
	b = appendText(b, string(o.Amount.Currency()))
	return appendAmount(b, o.Amount)
}

func decodeOrder(data []byte) (Order, error) {
	d := decoder{rest: data}
	o := Order{Customer: d.text()}
	o.At = time.Unix(d.varint(), int64(d.count(999_999_999))).UTC()
	o.Amount = d.amount(money.Currency(d.text()))
	return o, d.close("order")
}
