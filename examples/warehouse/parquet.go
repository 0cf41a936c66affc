package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A parquetFile is a file of orders with the columns customer, at and amount, and perhaps currency; others are not read.
//
//	customer  text or an integer
//	at        TIMESTAMP (one that is not adjusted to UTC is taken to be UTC), DATE, the old INT96, or text
//	amount    DECIMAL of any physical type, an integer, or text; FLOAT and DOUBLE are refused
type parquetFile struct {
	title    string
	file     *os.File
	groups   []parquet.RowGroup
	rows     int64
	columns  [4]*parquetColumn // by field; nil where there is none
	currency money.Currency    // where no column says it
	minor    bool              // integers are minor units
	zone     *time.Location    // of dates and of what the stream gives
}

// The fields of an order, as indices.
const (
	customerField = iota
	atField
	amountField
	currencyField
)

// parquetFields have the names of the fields, and what their columns must be.
var parquetFields = [4]struct{ name, want string }{
	{"customer", "text or an integer"}, {"at", "TIMESTAMP, DATE or text"},
	{"amount", "DECIMAL, an integer or text, which are exact"}, {"currency", "text"},
}

// A parquetColumn is where a column is and how one of its values becomes text or, for a time, a time.
type parquetColumn struct {
	index int
	text  func(parquet.Value) (string, error)
	time  func(parquet.Value) (time.Time, error)
}

// openParquet reads the footer of a file and looks at its columns. The caller closes the file.
func openParquet(path string, currency money.Currency, minor bool, zone *time.Location) (p *parquetFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	p = &parquetFile{title: path, file: f, currency: currency, minor: minor, zone: zone}
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return p, nil
}

func (p *parquetFile) Close() error { return p.file.Close() }

// errDamaged stands for a panic of the reader, which some broken files bring about.
func errDamaged(reason any) error { return fmt.Errorf("damaged: %v", reason) }

func (p *parquetFile) open() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errDamaged(r)
		}
	}()
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if err := checkFooter(p.file, info.Size()); err != nil {
		return fmt.Errorf("not a Parquet file: %w", err)
	}
	f, err := parquet.OpenFile(p.file, info.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return fmt.Errorf("not a Parquet file: %w", err)
	}
	p.groups, p.rows = f.RowGroups(), f.NumRows()
	for i, field := range parquetFields {
		leaf, ok := f.Schema().Lookup(field.name)
		if !ok && i == currencyField {
			continue
		}
		if !ok {
			return fmt.Errorf("no column %q among %s", field.name, columnNames(f.Schema()))
		}
		if leaf.MaxRepetitionLevel > 0 {
			return fmt.Errorf("column %q is a list", field.name)
		}
		c := &parquetColumn{index: leaf.ColumnIndex}
		if i == atField {
			c.time = timeReader(leaf.Node.Type(), p.zone)
		} else {
			c.text = textReader(leaf.Node.Type(), i == amountField)
		}
		if c.time == nil && c.text == nil {
			return fmt.Errorf("column %q is of the type %v: want %s", field.name, leaf.Node.Type(), field.want)
		}
		p.columns[i] = c
	}
	return nil
}

// checkFooter holds the length that a file states for its footer against that of the file: memory is made for it unseen.
func checkFooter(r io.ReaderAt, size int64) error {
	const frame = 12 // magic, and at the end the length and magic
	var tail [8]byte
	if size < frame {
		return fmt.Errorf("it has %d bytes", size)
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return errors.New("it does not end with PAR1")
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:])); n > size-frame {
		return fmt.Errorf("a footer of %d bytes in a file of %d", n, size)
	}
	return nil
}

func columnNames(s *parquet.Schema) string {
	var names []string
	for _, path := range s.Columns() {
		names = append(names, strings.Join(path, "."))
	}
	return strings.Join(names, ", ")
}

// textReader returns how values of the type become text, nil if they cannot: a number as plain digits.
func textReader(t parquet.Type, decimal bool) func(parquet.Value) (string, error) {
	logical := logicalOf(t)
	if d, ok := logical.(*format.DecimalType); ok && decimal {
		return func(v parquet.Value) (string, error) { return decimalText(unscaled(v), int(d.Scale)) }
	}
	signed := true
	switch l := logical.(type) {
	case nil, *format.StringType, *format.EnumType:
	case *format.IntType:
		signed = l.IsSigned
	default:
		return nil
	}
	switch t.Kind() {
	case parquet.Int32:
		if !signed {
			return func(v parquet.Value) (string, error) { return strconv.FormatUint(uint64(v.Uint32()), 10), nil }
		}
		return func(v parquet.Value) (string, error) { return strconv.Itoa(int(v.Int32())), nil }
	case parquet.Int64:
		if !signed {
			return func(v parquet.Value) (string, error) { return strconv.FormatUint(v.Uint64(), 10), nil }
		}
		return func(v parquet.Value) (string, error) { return strconv.FormatInt(v.Int64(), 10), nil }
	case parquet.ByteArray:
		return func(v parquet.Value) (string, error) {
			if b := v.ByteArray(); !utf8.Valid(b) {
				return string(b), errors.New("not valid UTF-8")
			}
			return strings.TrimSpace(string(v.ByteArray())), nil
		}
	}
	return nil
}

func logicalOf(t parquet.Type) format.LogicalTypeValue {
	if l := t.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

// unscaled is the integer of a decimal.
func unscaled(v parquet.Value) *big.Int {
	switch v.Kind() {
	case parquet.Int32:
		return big.NewInt(int64(v.Int32()))
	case parquet.Int64:
		return big.NewInt(v.Int64())
	}
	b := v.ByteArray() // big-endian, two's complement
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func decimalText(n *big.Int, scale int) (string, error) {
	if scale < 0 || scale > 38 || n.BitLen() > 256 {
		return "", fmt.Errorf("a decimal of %d bits and the scale %d", n.BitLen(), scale)
	}
	if scale == 0 {
		return n.String(), nil
	}
	digits, sign := new(big.Int).Abs(n).String(), ""
	if n.Sign() < 0 {
		sign = "-"
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:], nil
}

// timeReader returns how values of the type become times, nil if they cannot.
func timeReader(t parquet.Type, zone *time.Location) func(parquet.Value) (time.Time, error) {
	switch l := logicalOf(t).(type) {
	case *format.DateType:
		return func(v parquet.Value) (time.Time, error) { return startOfDay(dayTime(int64(v.Int32())), zone), nil }
	case *format.TimestampType:
		unit := l.Unit.Value.Duration()
		perSecond := int64(time.Second / unit)
		return func(v parquet.Value) (time.Time, error) {
			n := v.Int64()
			return time.Unix(n/perSecond, n%perSecond*int64(unit)).In(zone), nil
		}
	case nil, *format.StringType:
	default:
		return nil
	}
	switch t.Kind() {
	case parquet.ByteArray:
		return func(v parquet.Value) (time.Time, error) {
			text := strings.TrimSpace(string(v.ByteArray()))
			if day, err := time.Parse(time.DateOnly, text); err == nil {
				return startOfDay(day, zone), nil
			}
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return at, errors.New("not a date as 2025-06-30 nor a time as in RFC 3339")
			}
			return at.In(zone), nil
		}
	case parquet.Int96: // nanoseconds of the day, then the Julian day
		return func(v parquet.Value) (time.Time, error) {
			w := v.Int96()
			nanos, julian := int64(w[1])<<32|int64(w[0]), int64(w[2])
			return time.Unix((julian-2440588)*86400, nanos).In(zone), nil
		}
	}
	return nil
}

// startOfDay is the first moment, in the zone, of the calendar day of t.
func startOfDay(t time.Time, zone *time.Location) time.Time {
	year, month, day := t.Date()
	return ledger.Day(time.Date(year, month, day, 12, 0, 0, 0, zone), zone).Start
}

// orders streams the file row group by row group, and within one page by page: no more than a page of each column is in
// memory. The stream can be read any number of times.
func (p *parquetFile) orders(ctx context.Context) iter.Seq2[ledger.Transaction, error] {
	return func(yield func(ledger.Transaction, error) bool) {
		row := 0
		for _, g := range p.groups {
			if more, err := p.group(ctx, g, &row, yield); err != nil {
				yield(ledger.Transaction{}, fmt.Errorf("%s: after row %d: %w", p.title, row, err))
				return
			} else if !more {
				return
			}
		}
	}
}

// group streams one row group. It reports false if the consumer wants no more.
func (p *parquetFile) group(ctx context.Context, g parquet.RowGroup, row *int, yield func(ledger.Transaction, error) bool) (more bool, err error) {
	var chunks [4]*chunk
	defer func() {
		for _, c := range chunks {
			if c != nil {
				err = errors.Join(err, c.close())
			}
		}
	}()
	all := g.ColumnChunks()
	for i, c := range p.columns {
		if c != nil {
			chunks[i] = &chunk{pages: all[c.index].Pages()}
		}
	}
	for i := range g.NumRows() {
		if i%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		*row++
		tx, bad, err := p.next(&chunks)
		if err != nil {
			*row--
			return false, err
		}
		if bad != nil {
			bad.Row = *row
			err = fmt.Errorf("%s: %w", p.title, bad)
		}
		if !yield(tx, err) {
			return false, nil
		}
	}
	return true, nil
}

// next reads the next value of every column. A value that is wrong is the row's error, a file that is broken the stream's.
func (p *parquetFile) next(chunks *[4]*chunk) (tx ledger.Transaction, bad *ledger.RowError, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errDamaged(r)
		}
	}()
	var values [4]parquet.Value
	for i, c := range chunks {
		if c == nil {
			continue
		}
		if values[i], err = c.next(); err != nil {
			return tx, nil, err
		}
	}
	fail := func(field int, value string, reason error) {
		if bad == nil {
			bad = &ledger.RowError{Field: parquetFields[field].name, Value: value, Err: reason}
		}
	}
	text := func(field int) string {
		v := values[field]
		if v.IsNull() {
			return ""
		}
		s, err := p.columns[field].text(v)
		if err != nil {
			fail(field, s, err)
		}
		return s
	}
	if tx.Customer = text(customerField); tx.Customer == "" {
		fail(customerField, "", errMissing)
	}
	if at := values[atField]; at.IsNull() {
		fail(atField, "", errMissing)
	} else if tx.At, err = p.columns[atField].time(at); err != nil {
		fail(atField, at.String(), err)
	}
	currency := p.currency
	if code := text(currencyField); code != "" {
		currency = money.Currency(strings.ToUpper(code))
	}
	if amount := text(amountField); amount == "" {
		fail(amountField, "", errMissing)
	} else if tx.Amount, err = p.amount(amount, currency); err != nil {
		fail(amountField, amount, err)
	}
	return tx, bad, nil
}

var errMissing = errors.New("missing")

func (p *parquetFile) amount(text string, currency money.Currency) (money.Amount, error) {
	if !p.minor {
		return money.Parse(text, currency)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return money.Amount{}, errors.New("not a whole number of minor units")
	}
	return money.FromMinor(n, currency)
}

// A chunk reads the values of one column in one row group.
type chunk struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer [256]parquet.Value
	n, at  int
}

// next returns a value that is valid until the next call.
func (c *chunk) next() (parquet.Value, error) {
	for c.at == c.n {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return parquet.Value{}, err
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buffer[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return parquet.Value{}, err
		}
		c.n, c.at = n, 0
		if n == 0 {
			c.release()
		}
	}
	c.at++
	return c.buffer[c.at-1], nil
}

func (c *chunk) release() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.page, c.values = nil, nil
}

func (c *chunk) close() error {
	c.release()
	return c.pages.Close()
}
