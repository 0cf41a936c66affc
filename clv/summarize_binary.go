package clv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/custval/custval/money"
)

// A record is an account as it is stored.
type record struct {
	days        []int64 // ascending
	first, rest money.Amount
	early       []dated
}

// The stored form: magic and version, then the header, then the accounts in the order of their ids, then a checksum of all
// that. Numbers are varints; an id is what it shares with the one before and the rest; days are differences.
const (
	partialMagic   = "cvp"
	partialVersion = 1
)

// MarshalBinary returns a compact, versioned form of some 25 bytes a customer, for a file that is read back with
// UnmarshalBinary and brought up to date with Add and Merge. Equal summaries have equal bytes. The options are not part
// of it, but for granularity and location. It returns an error if the location has no name that another machine
// understands, such as time.Local.
func (p *Partial) MarshalBinary() ([]byte, error) {
	p.ready()
	location, err := locationText(p.o.Location)
	if err != nil {
		return nil, err
	}
	keys, err := p.byCustomer(context.Background(), 1)
	if err != nil {
		return nil, err
	}
	b := append([]byte(partialMagic), partialVersion, byte(p.o.Granularity))
	b = appendText(b, location)
	b = appendText(b, string(p.zero.Currency()))
	for _, n := range []int{p.report.Rows, p.report.Refunds, p.report.AfterEnd, p.report.FreeOrders, len(keys)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	if len(keys) > 0 {
		b = binary.AppendVarint(b, p.last)
	}
	before := ""
	for _, k := range keys {
		t := p.tables[k.table]
		id := t.id(int(k.index))
		shared := 0
		for shared < min(len(id), len(before)) && id[shared] == before[shared] {
			shared++
		}
		b = binary.AppendUvarint(b, uint64(shared))
		b = appendText(b, id[shared:])
		b = t.record(int(k.index)).append(b)
		before = id
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendAmount writes minor units, or the number as text where there are fractions of one.
func appendAmount(b []byte, a money.Amount) []byte {
	if units, ok := a.Minor(); ok {
		return binary.AppendVarint(append(b, 0), units)
	}
	return appendText(append(b, 1), a.Number())
}

func (r record) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.days)))
	for i, day := range r.days {
		if i == 0 {
			b = binary.AppendVarint(b, day)
		} else {
			b = binary.AppendUvarint(b, uint64(day)-uint64(r.days[i-1]))
		}
	}
	if len(r.days) > 0 {
		b = appendAmount(appendAmount(b, r.first), r.rest)
	}
	b = binary.AppendUvarint(b, uint64(len(r.early)))
	for _, d := range r.early {
		b = appendAmount(binary.AppendVarint(b, d.tick), d.amount)
	}
	return b
}

// record returns account i in its stored form.
func (t *table[K]) record(i int) record {
	a := t.at(i)
	t.sort(a)
	r := record{days: t.appendTicks(make([]int64, 0, a.n), i)}
	zero := t.common.zero // that a sum in its currency is out of range would need 2^63 rows
	r.first, _ = t.sum(a, onFirst).plain(zero)
	r.rest, _ = t.sum(a, onOther).plain(zero)
	for _, e := range t.early(a) {
		amount, _ := e.sum.plain(zero)
		r.early = append(r.early, dated{e.tick, amount})
	}
	return r
}

func (r record) parcel() parcel {
	way := parcel{days: r.days, sums: [2]sum{sumOf(r.first), sumOf(r.rest)}}
	for _, d := range r.early {
		way.early = append(way.early, early{d.tick, sumOf(d.amount)})
	}
	return way
}

// UnmarshalBinary replaces what the Partial has read by what MarshalBinary wrote; its End and MaxBytes stay. A Partial
// that has an End, a Granularity or a Location from NewPartial refuses another granularity or location; the zero Partial
// takes those of the data.
//
// It returns an error, and leaves the Partial as it was, for another version, data that are damaged or cut short, rows
// after the End, and one that wraps ErrMemory where the customers need more than the limit.
func (p *Partial) UnmarshalBinary(data []byte) error {
	q, err := p.decode(data)
	if err != nil {
		return fmt.Errorf("clv: summary: %w", err)
	}
	*p = *q
	return nil
}

var (
	errCut      = errors.New("cut short")
	errDamaged  = errors.New("damaged: the checksum is wrong")
	errTrailing = errors.New("more data than expected")
)

func (p *Partial) decode(data []byte) (*Partial, error) {
	const fixed = len(partialMagic) + 2
	if len(data) < fixed+4 || string(data[:len(partialMagic)]) != partialMagic {
		return nil, errors.New("not a summary of package clv")
	}
	if v := data[len(partialMagic)]; v != partialVersion {
		return nil, fmt.Errorf("version %d: want %d", v, partialVersion)
	}
	body := data[:len(data)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(data[len(body):]) {
		return nil, errDamaged
	}
	d := decoder{rest: body[fixed:]}
	q, err := p.like(Granularity(data[fixed-1]), d.text(), d.err)
	if err != nil {
		return nil, err
	}
	if err := q.fill(&d); err != nil {
		return nil, err
	}
	return q, q.withinLimit()
}

// like returns an empty Partial for data of a granularity and a location, with p's options.
func (p *Partial) like(g Granularity, location string, err error) (*Partial, error) {
	if err != nil {
		return nil, err
	}
	o := p.o
	if p.clock == nil {
		o.Granularity = g
		if o.Location, err = parseLocation(location); err != nil {
			return nil, err
		}
		return NewPartial(&o)
	}
	if g != o.Granularity {
		return nil, fmt.Errorf("made by %v: want by %v", g, o.Granularity)
	}
	if own := locationName(o.Location); own != location {
		return nil, fmt.Errorf("made with the location %s: want %s", location, own)
	}
	return NewPartial(&o)
}

// locationName is locationText with the location's own name where that has none.
func locationName(loc *time.Location) string {
	if name, err := locationText(loc); err == nil {
		return name
	}
	return loc.String()
}

// fill reads all that follows the location.
func (p *Partial) fill(d *decoder) error {
	d.currency = money.Currency(d.text())
	if d.currency != "" && d.err == nil {
		if err := p.meet(d.currency); err != nil {
			return err
		}
	}
	r := &p.report
	for _, n := range []*int{&r.Rows, &r.Refunds, &r.AfterEnd, &r.FreeOrders} {
		*n = d.count(math.MaxInt)
	}
	customers := d.count(len(d.rest))
	if customers > 0 {
		p.last = d.tick(p.o.Granularity)
	}
	if p.last > p.end {
		return fmt.Errorf("rows up to %s, after the end %s", tickText(p.o.Granularity, p.last), tickText(p.o.Granularity, p.end))
	}
	before := ""
	for range customers {
		shared := d.count(len(before))
		id := d.text()
		if d.err != nil {
			return d.err
		}
		id = before[:shared] + id
		if id <= before {
			return fmt.Errorf("customer %q after %q", id, before)
		}
		before = id
		rec := d.record(p.o.Granularity, p.last)
		if d.err == nil && len(id) > maxIDSize {
			d.err = errLongID
		}
		if d.err != nil {
			return fmt.Errorf("customer %q: %w", id, d.err)
		}
		if err := p.enter(id, rec.parcel()); err != nil {
			return fmt.Errorf("customer %q: %w", id, err)
		}
		if err := p.withinLimit(); err != nil {
			return err
		}
	}
	if d.err == nil && len(d.rest) > 0 {
		d.err = errTrailing
	}
	return d.err
}

// A decoder reads the parts of the stored form; after an error all are zero.
type decoder struct {
	rest     []byte
	currency money.Currency
	err      error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || d.err != nil {
		d.fail(errCut)
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 || d.err != nil {
		d.fail(errCut)
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads a number up to most, which bounds what is made from it.
func (d *decoder) count(most int) int {
	v := d.uvarint()
	if v > uint64(most) {
		d.fail(fmt.Errorf("a count of %d, more than %d", v, most))
		return 0
	}
	return int(v)
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail(errCut)
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

// tick reads a tick that a clock can give.
func (d *decoder) tick(g Granularity) int64 {
	v := d.varint()
	if t := (ticksOf(g)); v < t[0] || v > t[1] {
		d.fail(fmt.Errorf("a time out of range: %d", v))
		return 0
	}
	return v
}

func (d *decoder) amount() money.Amount {
	if len(d.rest) == 0 {
		d.fail(errCut)
		return money.Amount{}
	}
	form := d.rest[0]
	d.rest = d.rest[1:]
	var a money.Amount
	var err error
	switch form {
	case 0:
		units := d.varint()
		if d.currency == "" {
			if units != 0 {
				err = errors.New("an amount without a currency")
			}
			break
		}
		if _, ok := d.currency.Digits(); !ok && units == 0 {
			a, err = money.Parse("0", d.currency)
			break
		}
		a, err = money.FromMinor(units, d.currency)
	case 1:
		a, err = money.Parse(d.text(), d.currency)
	default:
		err = fmt.Errorf("an amount of the form %d", form)
	}
	if err != nil {
		d.fail(err)
	}
	return a
}

// record reads an account with no tick after last.
func (d *decoder) record(g Granularity, last int64) record {
	var r record
	n := d.count(len(d.rest))
	for i := range n {
		if i == 0 {
			r.days = append(make([]int64, 0, n), d.tick(g))
			continue
		}
		gap, before := d.uvarint(), r.days[i-1]
		if d.err != nil {
			return r
		}
		if gap == 0 || gap > uint64(last)-uint64(before) {
			d.fail(errors.New("purchase times out of order or after the last one"))
			return r
		}
		r.days = append(r.days, int64(uint64(before)+gap))
	}
	if n > 0 {
		r.first, r.rest = d.amount(), d.amount()
	}
	early := d.count(len(d.rest))
	for range early {
		refund := dated{d.tick(g), d.amount()}
		switch k := len(r.early); {
		case d.err != nil:
			return r
		case refund.amount.Sign() >= 0 || refund.tick > last || (n > 0 && refund.tick >= r.days[0]) || (k > 0 && refund.tick <= r.early[k-1].tick):
			d.fail(errors.New("early refunds that are not"))
			return r
		}
		r.early = append(r.early, refund)
	}
	if n+early == 0 {
		d.fail(errors.New("neither purchases nor refunds"))
	}
	if n > 0 && r.days[0] > last {
		d.fail(errors.New("a purchase after the last time"))
	}
	return r
}
