// Package money has exact decimal amounts that carry their currency.
package money
