package sample

import (
	"bytes"
	_ "embed"
	"io"
)

//go:generate go run ./gen/customers

//go:embed shop_customers.csv
var shopCustomers []byte

// ShopCustomers returns what the shop knows of its customers, and of the visitors who bought nothing: id, platform that
// they came on and region. Its columns are those of ledger.ReadCustomers.
func ShopCustomers() io.Reader { return bytes.NewReader(shopCustomers) }
