package clv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"time"

	"github.com/custval/custval/money"
)

// A spill keeps accounts on disk for which there is no memory. Each owner of tables writes those of its tables, one after
// the other, to a file of its own; in the end the accounts of one table are read from all files and added up, table by
// table. The nil spill spills nothing.
type spill struct {
	create  func() (spillFile, error)
	mu      sync.Mutex
	shelves []*shelf // by owner; nil where one has none
}

// A spillFile is written to its end and then read. Close removes it.
type spillFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// A shelf is one owner's file.
type shelf struct {
	file   spillFile
	size   int64
	spans  [tableCount][]span
	memory []byte
}

// A span is where some accounts of a table are.
type span struct {
	from int64
	size int
	sum  uint32
}

func (o SummaryOptions) spill() *spill {
	if o.SpillDir == "" || o.MaxBytes == 0 {
		return nil
	}
	return &spill{create: func() (spillFile, error) { return newTempFile(o.SpillDir) }}
}

// A tempFile is a file without a name, where the system allows that, so that nothing is left even by a crash.
type tempFile struct {
	*os.File
	name string // to be removed at the end; "" if it has been
}

func newTempFile(dir string) (*tempFile, error) {
	f, err := os.CreateTemp(dir, "custval-*.spill")
	if err != nil {
		return nil, err
	}
	t := &tempFile{File: f}
	if os.Remove(f.Name()) != nil {
		t.name = f.Name()
	}
	return t, nil
}

func (t *tempFile) Close() error {
	err := t.File.Close()
	if t.name != "" {
		err = errors.Join(err, os.Remove(t.name))
	}
	return err
}

func (s *spill) close() {
	if s == nil {
		return
	}
	for _, sh := range s.shelves {
		if sh != nil {
			_ = sh.file.Close() // what was in it is of no use any more
		}
	}
	s.shelves = nil
}

func (s *spill) shelf(owner int) (*shelf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.shelves) <= owner {
		s.shelves = append(s.shelves, nil)
	}
	if s.shelves[owner] == nil {
		file, err := s.create()
		if err != nil {
			return nil, fmt.Errorf("SpillDir: %w", err)
		}
		s.shelves[owner] = &shelf{file: file}
	}
	return s.shelves[owner], nil
}

// out spills the tables of an owner, unless they take little of the memory: then others will.
func (s *spill) out(p *Partial, owner, owners int) error {
	own := int64(0)
	for i := owner; i < tableCount; i += owners {
		if t := p.tables[i]; t != nil {
			own += t.bytes()
		}
	}
	if own < p.o.MaxBytes/int64(2*owners) {
		return nil
	}
	return s.all(p, owner, owners)
}

// all spills the tables of an owner.
func (s *spill) all(p *Partial, owner, owners int) error {
	sh, err := s.shelf(owner)
	if err != nil {
		return err
	}
	for i := owner; i < tableCount; i += owners {
		t := p.tables[i]
		if t == nil || t.len() == 0 {
			continue
		}
		if err := sh.put(i, t); err != nil {
			return fmt.Errorf("SpillDir: %w", err)
		}
		p.tables[i] = nil
		p.memory.Add(-t.bytes())
	}
	return nil
}

// put writes the accounts of a table.
func (sh *shelf) put(table int, t cells) error {
	b := sh.memory[:0]
	var way parcel
	for i := range t.len() {
		b = appendText(b, t.id(i))
		way = t.parcel(i, way)
		b = way.append(b)
	}
	sh.memory = b
	n, err := sh.file.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	sh.spans[table] = append(sh.spans[table], span{sh.size, len(b), crc32.ChecksumIEEE(b)})
	sh.size += int64(len(b))
	return nil
}

// append writes a parcel as the spill keeps it: unlike the stored form of a Partial it does not need the currency, which a
// reader may not know yet.
func (w parcel) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(w.days)))
	for i, day := range w.days {
		if i == 0 {
			b = binary.AppendVarint(b, day)
		} else {
			b = binary.AppendUvarint(b, uint64(day)-uint64(w.days[i-1]))
		}
	}
	b = w.sums[onFirst].append(b)
	b = w.sums[onOther].append(b)
	b = binary.AppendUvarint(b, uint64(len(w.early)))
	for _, e := range w.early {
		b = e.sum.append(binary.AppendVarint(b, e.tick))
	}
	return b
}

func (s sum) append(b []byte) []byte {
	c := string(s.exact.Currency())
	b = appendText(b, c)
	if c != "" {
		return appendText(b, s.exact.Number())
	}
	return binary.AppendVarint(binary.AppendVarint(b, s.units), s.top)
}

// parcel reads what parcel.append wrote.
func (d *decoder) parcel(spent parcel) parcel {
	w := parcel{days: spent.days[:0]}
	for i := range d.count(len(d.rest)) {
		if i == 0 {
			w.days = append(w.days, d.varint())
		} else {
			w.days = append(w.days, int64(uint64(w.days[i-1])+d.uvarint()))
		}
	}
	w.sums[onFirst], w.sums[onOther] = d.sum(), d.sum()
	for range d.count(len(d.rest)) {
		w.early = append(w.early, early{d.varint(), d.sum()})
	}
	return w
}

func (d *decoder) sum() sum {
	c := money.Currency(d.text())
	if c == "" {
		return sum{units: d.varint(), top: d.varint()}
	}
	a, err := money.Parse(d.text(), c)
	if err != nil {
		d.fail(err)
	}
	return sum{exact: a}
}

// load adds the spilled accounts of a table to it.
func (s *spill) load(p *Partial, table int) error {
	var way parcel
	for _, sh := range s.shelves {
		if sh == nil {
			continue
		}
		for _, at := range sh.spans[table] {
			b := make([]byte, at.size)
			if _, err := sh.file.ReadAt(b, at.from); err != nil {
				return err
			}
			if crc32.ChecksumIEEE(b) != at.sum {
				return errDamaged
			}
			for d := (decoder{rest: b}); len(d.rest) > 0; {
				id := d.text()
				way = d.parcel(way)
				if d.err != nil {
					return d.err
				}
				if err := p.enter(id, way); err != nil {
					return fmt.Errorf("customer %q: %w", id, err)
				}
			}
		}
	}
	return nil
}

// merged returns the histories of a Partial and of what it has spilled.
func (p *Partial) merged(ctx context.Context, s *spill, end time.Time, unit time.Duration, workers int) (*Histories, error) {
	if s == nil || len(s.shelves) == 0 {
		return p.histories(ctx, end, unit, workers)
	}
	tick, err := endTick(p.clock, end, unit)
	if err != nil {
		return nil, err
	}
	if err := s.all(p, 0, 1); err != nil { // so that there is room for the histories
		return nil, fmt.Errorf("clv: %w", err)
	}
	m := merger{p: p, spill: s, view: newView(p.o.Granularity, unit, tick, p.zero, manyCustomers)}
	if err := inPieces(ctx, tableCount, 1, workers, func(i, _ int) error { return m.table(i) }); err != nil {
		return nil, err
	}
	if err := sortRows(ctx, m.rows, workers); err != nil {
		return nil, err
	}
	return &Histories{Unit: unit, End: end.In(p.o.Location), Rows: m.rows, Report: p.report.with(m.purchases, len(m.rows), m.accounts)}, nil
}

// A merger makes histories table by table.
type merger struct {
	p     *Partial
	spill *spill
	view  *view

	mu        sync.Mutex
	rows      []History
	purchases int
	accounts  int
}

func (m *merger) table(i int) error {
	p := m.p
	if err := m.spill.load(p, i); err != nil {
		return fmt.Errorf("clv: SpillDir: %w", err)
	}
	if p.o.MaxBytes > 0 && p.memory.Load() > p.o.MaxBytes {
		return fmt.Errorf("clv: %w: the Histories of the customers so far and the part that is being merged need %d bytes, the limit is %d; raise MaxBytes",
			ErrMemory, p.memory.Load(), p.o.MaxBytes)
	}
	t := p.tables[i]
	if t == nil {
		return nil
	}
	rows, purchases, ids := make([]History, 0, t.len()), 0, int64(0)
	for j := range t.len() {
		h, ok, err := t.history(j, m.view)
		if err != nil {
			return fmt.Errorf("clv: customer %q: %w", h.Customer, err)
		}
		if ok {
			rows = append(rows, h)
			purchases += h.X + 1
			ids += int64(len(h.Customer))
		}
	}
	p.tables[i] = nil
	p.memory.Add(int64(len(rows))*outBytes + ids - t.bytes())
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil { // the other tables are about as large
		m.rows = make([]History, 0, len(rows)*tableCount*21/20)
	}
	m.rows = append(m.rows, rows...)
	m.purchases += purchases
	m.accounts += t.len()
	return nil
}

// sortRows sorts histories by customer in place.
func sortRows(ctx context.Context, rows []History, workers int) error {
	keys := make([]sortKey, len(rows))
	for i := range keys {
		keys[i].index = uint32(i)
	}
	if err := orderKeys(ctx, keys, func(k sortKey) string { return rows[k.index].Customer }, workers); err != nil {
		return err
	}
	for i := range rows { // along the cycles of the permutation
		first := rows[i]
		at := i
		for from := int(keys[at].index); from != i; from = int(keys[at].index) {
			rows[at] = rows[from]
			keys[at].index = uint32(at)
			at = from
		}
		rows[at] = first
		keys[at].index = uint32(at)
	}
	return nil
}
