package rfm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/custval/custval/money"
)

var (
	errShort   = errors.New("cut short")
	errInvalid = errors.New("a value out of range")
)

// UnmarshalBinary reads what MarshalBinary writes into p, which may be the zero Partial, and replaces what it held.
// Workers, MaxCustomers and Progress, which are no part of the summary, take their defaults. It returns an error for
// another format or version, a wrong checksum, and any value out of range; p is then left as it was.
func (p *Partial) UnmarshalBinary(data []byte) error {
	if len(data) < len(partialMagic)+1+4 || string(data[:len(partialMagic)]) != partialMagic {
		return errors.New("rfm: not a stored summary")
	}
	if v := data[len(partialMagic)]; v != partialVersion {
		return fmt.Errorf("rfm: stored summary of version %d: this code reads version %d", v, partialVersion)
	}
	body := data[:len(data)-4]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(data[len(body):]) {
		return errors.New("rfm: stored summary: wrong checksum: the data are damaged")
	}
	r := &decoder{b: body[len(partialMagic)+1:]}
	q, err := r.partial()
	if err != nil {
		return fmt.Errorf("rfm: stored summary: %w", err)
	}
	if len(r.b) > 0 {
		return fmt.Errorf("rfm: stored summary: %d bytes after the end", len(r.b))
	}
	p.o, p.cal, p.start, p.hasStart = q.o, q.cal, q.start, q.hasStart
	p.currency, p.counts, p.latest, p.hasRows = q.currency, q.counts, q.latest, q.hasRows
	p.seed, p.shards, p.err = q.seed, q.shards, nil
	p.found.Store(q.found.Load())
	return nil
}

// A decoder reads the front of b and keeps the first error.
type decoder struct {
	b        []byte
	currency money.Currency
	err      error
}

func (r *decoder) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *decoder) byte() byte {
	if len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// uint reads a number of at most the given size.
func (r *decoder) uint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case n <= 0:
		r.fail(errShort)
		return 0
	case v > most:
		r.fail(errInvalid)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) date() Date {
	v, n := binary.Varint(r.b)
	switch {
	case n <= 0:
		r.fail(errShort)
		return 0
	case v < int64(firstDate) || v > int64(lastDate):
		r.fail(errInvalid)
		return 0
	}
	r.b = r.b[n:]
	return Date(v)
}

func (r *decoder) int(most int64) int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || v < -most || v > most {
		r.fail(errInvalid)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) text() string {
	n := r.uint(uint64(len(r.b)))
	if r.err != nil || n > uint64(len(r.b)) {
		r.fail(errShort)
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// amount reads money; see encoder.amount.
func (r *decoder) amount() money.Amount {
	v := r.uint(math.MaxUint64)
	var a money.Amount
	var err error
	switch {
	case v == 0:
		return money.Amount{}
	case v == 1:
		a, err = money.Parse(r.text(), r.currency)
	case v&1 == 1:
		err = errInvalid
	default:
		a, err = money.FromMinor(unzigzag(v>>1), r.currency)
	}
	if err != nil {
		r.fail(err)
	}
	return a
}

func (r *decoder) partial() (*Partial, error) {
	o := SummaryOptions{Count: Count(r.byte()), Value: Value(r.byte())}
	flags := r.byte()
	o.KeepDays = flags&flagDays != 0
	if flags > flagDays|flagStart|flagRows {
		return nil, errInvalid
	}
	var err error
	if o.Location, err = r.location(); err != nil {
		return nil, err
	}
	p, err := NewPartial(&o)
	if err != nil {
		return nil, unprefixed(err)
	}
	if p.hasStart = flags&flagStart != 0; p.hasStart {
		p.start = r.date()
	}
	p.currency = money.Currency(r.text())
	if p.currency != "" && r.err == nil {
		if _, err := money.Parse("0", p.currency); err != nil {
			return nil, err
		}
	}
	r.currency = p.currency
	for _, n := range []*int{&p.counts.rows, &p.counts.before, &p.counts.after, &p.counts.lines} {
		*n = int(r.uint(min(math.MaxInt, 1<<48)))
	}
	if p.hasRows = flags&flagRows != 0; p.hasRows {
		p.latest = r.date()
	}
	p.shards[0].refund = r.amount()
	r.customers(p)
	return p, r.err
}

func (r *decoder) location() (*time.Location, error) {
	name := r.text()
	if r.uint(1) == 1 {
		const most = 24 * 3600
		offset := r.int(most)
		if r.err != nil {
			return nil, r.err
		}
		return time.FixedZone(name, int(offset)), nil
	}
	if r.err != nil {
		return nil, r.err
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("location %q", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("location: %w", err)
	}
	return loc, nil
}

// customers reads the states. Ids have to rise, so that none comes twice.
func (r *decoder) customers(p *Partial) {
	l, before := layoutOf(&p.o), []byte(nil)
	for n := r.uint(math.MaxUint32); n > 0 && r.err == nil; n-- {
		shared := r.uint(uint64(len(before)))
		rest := r.text()
		id := append(before[:shared:shared], rest...)
		if len(id) > maxID {
			r.fail(errLongID)
		}
		if r.err == nil && string(id) <= string(before) {
			r.fail(errors.New("customers out of order"))
		}
		if r.err != nil {
			return
		}
		before = id
		s, at := p.place(string(id), l)
		r.state(&s.states[at], p)
		if l.costs {
			s.costs[at] = r.amount()
		}
		if l.days {
			s.days[at] = r.days()
		}
		if l.match {
			r.matched(s, at)
		}
	}
}

func (r *decoder) state(c *state, p *Partial) {
	c.purchases = int32(r.uint(math.MaxInt32))
	c.positive = int32(r.uint(uint64(c.purchases)))
	c.refunds = int32(r.uint(math.MaxInt32))
	c.total = r.amount()
	if c.purchases == 0 || r.err != nil {
		return
	}
	c.first = r.date()
	c.last = c.first + Date(r.uint(uint64(lastDate-c.first)))
	if !p.hasRows || c.last > p.latest {
		r.fail(errors.New("a purchase after the latest row"))
	}
}

func (r *decoder) days() []Date {
	n := r.uint(uint64(len(r.b)))
	if r.err != nil || n == 0 {
		return nil
	}
	days := make([]Date, 0, n)
	for range n {
		if len(days) == 0 {
			days = append(days, r.date())
			continue
		}
		last := days[len(days)-1]
		step := r.uint(uint64(lastDate - last))
		if step == 0 {
			r.fail(errInvalid)
			return nil
		}
		days = append(days, last+Date(step))
	}
	return days
}

func (r *decoder) matched(s *shard, at uint32) {
	before := ""
	for n := r.uint(uint64(len(r.b))); n > 0 && r.err == nil; n-- {
		id, flags := r.text(), r.uint(3)
		net, day := r.amount(), r.date()
		if len(id) > maxID {
			r.fail(errLongID)
		}
		if r.err == nil && id <= before {
			r.fail(errors.New("orders out of order"))
		}
		if r.err != nil {
			return
		}
		before = id
		o := order{amount: net, day: day}
		s.match(at, &o, lineOf{id: id, any: flags&1 != 0, positive: flags&2 != 0})
	}
}
