// Package sample has the data that the example programs read when they are given no file. It is simulated with the seeds
// and parameters in the folder gen, so that the truth behind it is known; it describes no real business.
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

//go:embed saas.csv
var saas []byte

// SaaSEnd is the moment up to which the history of SaaS is known.
var SaaSEnd = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// SaaS returns the subscriptions of a software business over 2023 to 2025, in USD: 480 accounts on the plans starter, team
// and business, monthly or on annual contracts, with trials, discounts, changes of plan and seats, pauses, failed payments
// and cancellations, also those that take effect after SaaSEnd. Its columns are those of subscription.ReadCSV, and of each
// account the region, the size of the company and whether it took the training.
func SaaS() io.Reader { return bytes.NewReader(saas) }
