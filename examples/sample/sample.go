// Package sample has the data that the example programs read when they are given no file. It is simulated by the
// library itself with the seeds and parameters in gen/main.go, so that the truth behind it is known; it describes no
// real business.
package sample

import (
	"bytes"
	_ "embed"
	"io"
	"time"
)

//go:generate go run ./gen

//go:embed shop.csv
var shop []byte

// ShopEnd is the end of observation up to which the quickstart fits its models to the shop's log.
var ShopEnd = time.Date(2025, time.June, 30, 0, 0, 0, 0, time.UTC)

// Shop returns the order log of a small web shop over 2024 and 2025: customer, at, amount and cost in
// USD, order id, channel that won the customer and category of the goods; returned orders are negative rows. Its columns are those of ledger.ReadCSV.
func Shop() io.Reader { return bytes.NewReader(shop) }
