package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/custval/custval/money"
)

// tableVersion stands before an encoded Table: the workers of one run share a program, stored tables may not.
const tableVersion = 1

// encodeTable writes the histories sorted, x as the difference to the one before; then the spends likewise, those in minor
// units as differences within one x. Equal tables have equal bytes.
func encodeTable(t Table) []byte {
	b := appendText([]byte{tableVersion}, string(t.Currency))
	for _, n := range counts(&t.Report) {
		b = binary.AppendUvarint(b, uint64(*n))
	}
	b = binary.AppendUvarint(b, uint64(len(t.histories)))
	x := 0
	for _, h := range slices.SortedFunc(maps.Keys(t.histories), daily.compare) {
		for _, n := range []int{h.x - x, h.t, h.tx, t.histories[h]} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		x = h.x
	}
	b = binary.AppendUvarint(b, uint64(len(t.spends)))
	var before spend
	for _, s := range slices.SortedFunc(maps.Keys(t.spends), spend.compare) {
		if s.x != before.x {
			before.units = 0
		}
		b = binary.AppendUvarint(b, uint64(s.x-before.x))
		b = appendText(b, s.number)
		b = binary.AppendVarint(b, s.units-before.units)
		b = binary.AppendUvarint(b, uint64(t.spends[s]))
		before = s
	}
	return b
}

func decodeTable(data []byte) (Table, error) {
	d := decoder{rest: data}
	if v := d.count(math.MaxUint8); d.err == nil && v != tableVersion {
		return Table{}, fmt.Errorf("pipeline: encoded table: version %d: want %d", v, tableVersion)
	}
	t := Table{Currency: money.Currency(d.text())}
	t.ready()
	for _, n := range counts(&t.Report) {
		*n = d.count(math.MaxInt)
	}
	x := 0
	for range d.length() {
		x += d.count(math.MaxInt - x)
		h := daily{x: x}
		h.t = d.count(maxDays)
		h.tx = d.count(h.t)
		if _, ok := t.histories[h]; ok {
			d.fail(errTwice)
		}
		t.histories[h] = d.positive()
	}
	var before spend
	for range d.length() {
		s := spend{x: before.x + d.count(math.MaxInt-before.x)}
		if s.x != before.x {
			before.units = 0
		}
		s.number = d.text()
		s.units = before.units + d.varint()
		if _, ok := t.spends[s]; ok || (s.number != "" && s.units != 0) {
			d.fail(errTwice)
		}
		t.spends[s] = d.positive()
		before = s
	}
	return t, d.close("table")
}

var (
	errTwice = errors.New("a row or an amount twice")
	errNoOne = errors.New("a row of no customers")
)

// maxDays is more than the days of the years that a time can have.
const maxDays = 10000 * 366

// positive reads a number of customers.
func (d *decoder) positive() int {
	n := d.count(math.MaxInt)
	if n == 0 && d.err == nil {
		d.fail(errNoOne)
	}
	return n
}
