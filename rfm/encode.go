package rfm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/money"
)

// The binary form of a Partial, version 1. Integers are varints; customers are sorted, and each id leaves out the prefix
// it shares with the one before, so equal Partials have equal bytes.
//
//	magic "rfmP", version 1
//	count, value, flags (1 keeps days, 2 has a start, 4 has rows)
//	location: name, 1 and the offset in seconds for a fixed one, else 0
//	[start]  currency  rows before after lines  [latest]
//	refunds' sum
//	number of customers, then for each:
//	  shared, id, purchases, positive, refunds, total, [first, last - first], [cost], [days], [matched orders]
//	CRC-32 (Castagnoli) of all that
const (
	partialMagic   = "rfmP"
	partialVersion = 1
	flagDays       = 1
	flagStart      = 2
	flagRows       = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary returns the Partial in a compact form with a version and a checksum: some 20 bytes a customer. Equal
// Partials have equal bytes, whatever order of rows and merges they came from. It returns an error if the Location is
// [time.Local], which means another calendar on another machine, or if an earlier Add failed.
func (p *Partial) MarshalBinary() ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.seed == (maphash.Seed{}) {
		return nil, errEmptyPartial
	}
	w := &encoder{currency: p.currency}
	if err := w.head(p); err != nil {
		return nil, err
	}
	var refund money.Sum
	parts := make([]columns, len(p.shards))
	for i := range p.shards {
		parts[i] = p.shards[i].columns
		refund.Add(parts[i].refund)
	}
	total, err := refund.Total()
	if err != nil {
		return nil, fmt.Errorf("rfm: sum of refunds: %w", err)
	}
	w.amount(total)
	places := sorted(parts, workers(p.o.Workers), func() bool { return false })
	w.uint(uint64(len(places)))
	orders := p.ordersByCustomer()
	l, before := layoutOf(&p.o), ""
	for _, at := range places {
		c := &parts[at.shard].states[at.index]
		w.id(before, c.id)
		before = c.id
		w.state(c)
		if l.costs {
			w.amount(parts[at.shard].costs[at.index])
		}
		if l.days {
			w.days(parts[at.shard].days[at.index])
		}
		if l.match {
			w.matched(orders[at.shard][at.index])
		}
	}
	return binary.BigEndian.AppendUint32(w.b, crc32.Checksum(w.b, castagnoli)), nil
}

// ordersByCustomer returns the matched orders of every shard by the index of the customer, sorted by id.
func (p *Partial) ordersByCustomer() []map[uint32][]*matched {
	by := make([]map[uint32][]*matched, len(p.shards))
	for i := range p.shards {
		by[i] = make(map[uint32][]*matched)
		for j := range p.shards[i].orders {
			m := &p.shards[i].orders[j]
			by[i][m.customer] = append(by[i][m.customer], m)
		}
		for _, orders := range by[i] {
			slices.SortFunc(orders, func(a, b *matched) int { return strings.Compare(a.id, b.id) })
		}
	}
	return by
}

type encoder struct {
	b        []byte
	currency money.Currency
}

func (w *encoder) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *encoder) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *encoder) text(s string) { w.uint(uint64(len(s))); w.b = append(w.b, s...) }

func (w *encoder) head(p *Partial) error {
	w.b = append(w.b, partialMagic...)
	w.b = append(w.b, partialVersion, byte(p.o.Count), byte(p.o.Value))
	flags := byte(index(p.o.KeepDays)*flagDays | index(p.hasStart)*flagStart | index(p.hasRows)*flagRows)
	w.b = append(w.b, flags)
	if err := w.location(p.o.Location); err != nil {
		return err
	}
	if p.hasStart {
		w.int(int64(p.start))
	}
	w.text(string(p.currency))
	for _, n := range []int{p.counts.rows, p.counts.before, p.counts.after, p.counts.lines} {
		w.uint(uint64(n))
	}
	if p.hasRows {
		w.int(int64(p.latest))
	}
	return nil
}

func (w *encoder) location(loc *time.Location) error {
	if loc == time.Local {
		return errors.New("rfm: the calendar of time.Local cannot be stored: it is another one on another machine; name a location")
	}
	w.text(loc.String())
	if offset, ok := fixedOffset(loc); ok && loc != time.UTC {
		w.uint(1)
		w.int(int64(offset))
		return nil
	}
	w.uint(0)
	return nil
}

// fixedOffset returns the offset of a location that never changes it.
func fixedOffset(loc *time.Location) (int, bool) {
	t := time.Unix(0, 0).In(loc)
	from, to := t.ZoneBounds()
	_, offset := t.Zone()
	return offset, from.IsZero() && to.IsZero()
}

// id writes an id without the prefix it shares with the one before.
func (w *encoder) id(before, id string) {
	shared := 0
	for shared < len(before) && shared < len(id) && before[shared] == id[shared] {
		shared++
	}
	w.uint(uint64(shared))
	w.text(id[shared:])
}

func (w *encoder) state(c *state) {
	w.uint(uint64(c.purchases))
	w.uint(uint64(c.positive))
	w.uint(uint64(c.refunds))
	w.amount(c.total)
	if c.purchases > 0 {
		w.int(int64(c.first))
		w.uint(uint64(c.last - c.first))
	}
}

// amount writes money of the summary's currency: twice the number of minor units, zigzag, where that is a whole number
// of at most 17 digits, else 1, the length and the digits.
func (w *encoder) amount(a money.Amount) {
	if a.Sign() == 0 {
		w.uint(0)
		return
	}
	d := a.Decimal()
	if units, ok := minorUnits(a); ok {
		w.uint(zigzag(units) << 1)
		return
	}
	w.uint(1)
	w.text(d.String())
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
func pow10(n int32) int64     { return int64(math.Pow10(int(n))) }

// minorUnits returns an amount as a number of minor units of at most 17 digits, if it is one.
func minorUnits(a money.Amount) (int64, bool) {
	digits, ok := a.Currency().Digits()
	d := a.Decimal()
	shift := digits + d.Exponent() // units = coefficient * 10^shift
	if !ok || d.NumDigits() > 17 || shift < -17 || shift > 17 {
		return 0, false
	}
	units := d.CoefficientInt64()
	if shift < 0 {
		p := pow10(-shift)
		return units / p, units%p == 0
	}
	if d.NumDigits()+int(shift) > 17 {
		return 0, false
	}
	return units * pow10(shift), true
}

func (w *encoder) days(days []Date) {
	w.uint(uint64(len(days)))
	for i, d := range days {
		if i == 0 {
			w.int(int64(d))
		} else {
			w.uint(uint64(d - days[i-1]))
		}
	}
}

func (w *encoder) matched(orders []*matched) {
	w.uint(uint64(len(orders)))
	for _, m := range orders {
		w.text(m.id)
		w.uint(uint64(index(m.any) | 2*index(m.positive)))
		w.amount(m.net)
		w.int(int64(m.day))
	}
}
