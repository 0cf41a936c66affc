package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/custval/custval/money"
)

// The coders of this package write numbers as varints and texts with their length before them.

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendAmount writes minor units, or the number as text where there are fractions of one; the currency is written apart.
func appendAmount(b []byte, a money.Amount) []byte {
	if units, ok := a.Minor(); ok {
		return binary.AppendVarint(append(b, 0), units)
	}
	return appendText(append(b, 1), a.Number())
}

var (
	errCut      = errors.New("cut short")
	errTrailing = errors.New("more data than expected")
)

// A decoder reads the parts of an encoded value; after an error all are zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = nil
}

// advance passes over a number of n bytes, as package binary reports them.
func (d *decoder) advance(n int) bool {
	if n <= 0 {
		d.fail(errCut)
		return false
	}
	d.rest = d.rest[n:]
	return true
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if !d.advance(n) {
		return 0
	}
	return v
}

// count reads a number from 0 to most.
func (d *decoder) count(most int) int {
	v, n := binary.Uvarint(d.rest)
	if !d.advance(n) {
		return 0
	}
	if v > uint64(most) {
		d.fail(fmt.Errorf("a number of %d, more than %d", v, most))
		return 0
	}
	return int(v)
}

// length reads how many items follow, of at least one byte each.
func (d *decoder) length() int { return d.count(len(d.rest)) }

func (d *decoder) text() string {
	n := d.length()
	if n > len(d.rest) {
		d.fail(errCut)
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) amount(c money.Currency) money.Amount {
	form := d.count(1)
	var units int64
	var text string
	if form == 0 {
		units = d.varint()
	} else {
		text = d.text()
	}
	if d.err != nil {
		return money.Amount{}
	}
	a, err := makeAmount(c, units, text)
	if err != nil {
		d.fail(err)
	}
	return a
}

// makeAmount returns the amount of a text, or of minor units where the text is empty.
func makeAmount(c money.Currency, units int64, text string) (money.Amount, error) {
	switch {
	case text != "":
		return money.Parse(text, c)
	case c != "":
		return money.FromMinor(units, c)
	case units != 0:
		return money.Amount{}, errors.New("an amount without a currency")
	}
	return money.Amount{}, nil
}

// close returns the first error, with what was being read.
func (d *decoder) close(what string) error {
	if d.err == nil && len(d.rest) > 0 {
		d.err = errTrailing
	}
	if d.err != nil {
		return fmt.Errorf("pipeline: encoded %s: %w", what, d.err)
	}
	return nil
}
