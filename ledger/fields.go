package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/custval/custval/money"
)

// A Record is one row on its way into a value: its methods fetch the fields of the [Schema] by name and type. The first
// field that is wrong is remembered, and the row is then reported whatever decode returns; so decode need not check
// each field. A Record is valid only during the call of decode; the strings that it gives are kept safely.
//
// A field that is empty, or NULL, is an error if it is required, else the zero value of its type. A name that is not in
// the schema is an error of every row.
type Record struct {
	row     int
	fields  [][]byte // of CSV, or of SQL values that are text
	values  []any    // of SQL: what is not text; nil for CSV
	columns []column
	rest    []column
	hint    int // where the next field is looked for first
	err     error

	currencyAt int // of the column of currencies in columns, or -1
	config     *config
	scratch    []byte
	lastCode   money.Currency // the currency last asked for its digits
	lastDigits int32
	codeText   string // the last text of the currency column, and the currency it is
	codeIs     money.Currency
}

// A column is the place of a field.
type column struct {
	name     string // of the field
	label    string // of the column, as the input has it
	index    int    // in the row; -1 if there is none
	required bool
	date     bool   // of SQL type DATE
	last     string // the text of the row before
	texts    interner
}

var (
	errMissing     = errors.New("missing")
	errUTF8        = errors.New("not valid UTF-8")
	errNoCurrency  = errors.New("no currency: the column is empty and CSVOptions.Currency is not set")
	errNotBool     = errors.New("neither true nor false")
	errNoSuchField = errors.New("no field of the schema")
)

// Row returns the number of the row; 1 is the first after the header.
func (r *Record) Row() int { return r.row }

// Err returns the first error of the row so far, nil if there is none.
func (r *Record) Err() error { return r.err }

// Has reports whether the field has a value.
func (r *Record) Has(name string) bool {
	c := r.column(name)
	return c != nil && c.index >= 0 && !r.empty(c)
}

// Text returns a field as it is, without the spaces around it.
func (r *Record) Text(name string) string {
	c := r.column(name)
	if !r.present(c, name) {
		return ""
	}
	return r.text(c, true)
}

// Time returns a point in time, by CSVOptions.Layouts and Location. The zero time is an error.
func (r *Record) Time(name string) time.Time {
	c := r.column(name)
	if !r.present(c, name) {
		return time.Time{}
	}
	return r.time(c)
}

// Currency returns the currency of the row: that of the field "currency", else CSVOptions.Currency. Neither is an
// error.
func (r *Record) Currency() money.Currency {
	if r.currencyAt >= 0 {
		c := &r.columns[r.currencyAt]
		if !r.empty(c) {
			return r.code(c)
		}
		if r.config.currency == "" {
			r.fail(c, errNoCurrency)
			return ""
		}
	}
	if r.config.currency == "" {
		r.failAt("currency", "", errors.New("no currency: there is no such column and CSVOptions.Currency is not set"))
	}
	return r.config.currency
}

// Amount returns an amount of money in the currency of the row. It has no exponent, currency sign or parentheses.
func (r *Record) Amount(name string) money.Amount {
	c := r.column(name)
	if !r.present(c, name) {
		return money.Amount{}
	}
	return r.amountIn(c, r.Currency())
}

// AmountIn returns an amount of money in the given currency, for a row whose amounts have several.
func (r *Record) AmountIn(name string, in money.Currency) money.Amount {
	c := r.column(name)
	if !r.present(c, name) {
		return money.Amount{}
	}
	if in == "" {
		r.fail(c, errCurrency)
		return money.Amount{}
	}
	return r.amountIn(c, in)
}

// Int returns a whole number. Decimals that are all zero are accepted: 3.00 is 3.
func (r *Record) Int(name string) int64 {
	c := r.column(name)
	if !r.present(c, name) {
		return 0
	}
	b, format, err := r.number(c)
	n := int64(0)
	if err == nil {
		n, err = format.integer(r.scratch[:0], b)
	}
	if err != nil {
		r.fail(c, err)
		return 0
	}
	return n
}

// Float returns a finite number, which may have an exponent.
func (r *Record) Float(name string) float64 {
	c := r.column(name)
	if !r.present(c, name) {
		return 0
	}
	b, format, err := r.number(c)
	x := 0.0
	if err == nil {
		x, err = format.float(r.scratch[:0], b)
	}
	if err != nil {
		r.fail(c, err)
		return 0
	}
	return x
}

// Bool returns true for true, t, yes, y and 1, false for false, f, no, n and 0, in any case.
func (r *Record) Bool(name string) bool {
	c := r.column(name)
	if !r.present(c, name) {
		return false
	}
	switch strings.ToLower(r.text(c, true)) {
	case "true", "t", "yes", "y", "1":
		return true
	case "false", "f", "no", "n", "0":
		return false
	}
	r.fail(c, errNotBool)
	return false
}

// Rest returns the columns that are no field of the schema, by their header, without the empty ones. It is nil if there
// are none, or if the schema does not ask for them.
func (r *Record) Rest() map[string]string {
	var rest map[string]string
	for i := range r.rest {
		c := &r.rest[i]
		if r.empty(c) {
			continue
		}
		if rest == nil {
			rest = make(map[string]string, len(r.rest))
		}
		rest[c.label] = r.text(c, true)
	}
	return rest
}

// Fail reports that the value of the field is wrong for the reason given, unless the row has an error already.
func (r *Record) Fail(name string, reason error) {
	c := r.column(name)
	if c == nil {
		r.failAt(name, "", reason)
		return
	}
	r.fail(c, reason)
}

// failed returns the error of the row, which is the first that a field met, else that of decode.
func (r *Record) failed(err error) error {
	if r.err != nil {
		return r.err
	}
	if err == nil {
		return nil
	}
	var bad *RowError
	if errors.As(err, &bad) {
		return numbered(err, r.row)
	}
	return &RowError{Row: r.row, Err: err}
}

func (r *Record) fail(c *column, err error) {
	if r.err != nil {
		return
	}
	value := ""
	if c.index >= 0 {
		value = r.show(c)
	}
	r.failAt(c.label, value, err)
}

func (r *Record) failAt(field, value string, err error) {
	if r.err == nil {
		r.err = &RowError{Row: r.row, Field: field, Value: value, Err: err}
	}
}

func (r *Record) reset() {
	r.row++
	r.err = nil
}

// column finds a field. Fields fetched in the order of the schema are found at once.
func (r *Record) column(name string) *column {
	for range r.columns {
		if r.hint >= len(r.columns) {
			r.hint = 0
		}
		c := &r.columns[r.hint]
		r.hint++
		if c.name == name {
			return c
		}
	}
	return nil
}

// present reports whether the field of the name, which is c, has a value. A required one that has none is an error.
func (r *Record) present(c *column, name string) bool {
	switch {
	case c == nil:
		r.failAt(name, "", errNoSuchField)
	case !r.empty(c):
		return true
	case c.required:
		r.fail(c, errMissing)
	}
	return false
}

// bytes returns the text of a value without the spaces around it.
func (r *Record) bytes(c *column) []byte {
	b := r.fields[c.index]
	if len(b) > 0 && b[0] > ' ' && b[0] < utf8.RuneSelf && b[len(b)-1] > ' ' && b[len(b)-1] < utf8.RuneSelf {
		return b
	}
	return bytes.TrimSpace(b)
}

// value returns a value of SQL that is not text, else nil.
func (r *Record) value(c *column) any {
	if r.values == nil {
		return nil
	}
	return r.values[c.index]
}

func (r *Record) empty(c *column) bool {
	return c.index < 0 || r.value(c) == nil && len(r.bytes(c)) == 0
}

// text returns the value as a string. Interned ones share one string with the equal values of other rows.
func (r *Record) text(c *column, intern bool) string {
	b := r.bytes(c)
	if v := r.value(c); v != nil {
		var err error
		if b, err = appendValue(r.scratch[:0], v); err != nil {
			r.fail(c, err)
			return ""
		}
		r.scratch = b[:0]
	}
	if string(b) == c.last {
		return c.last
	}
	if !utf8.Valid(b) {
		r.fail(c, errUTF8)
		return ""
	}
	if intern {
		c.last = c.texts.text(b)
	} else {
		c.last = string(b)
	}
	return c.last
}

// appendValue appends the text of a value of SQL.
func appendValue(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case bool:
		return strconv.AppendBool(dst, v), nil
	case time.Time:
		return v.AppendFormat(dst, time.RFC3339Nano), nil
	}
	return nil, fmt.Errorf("a value of the type %T, which is not read", v)
}

// time reads a value as a point in time.
func (r *Record) time(c *column) time.Time {
	t, err := r.anyTime(c)
	if err == nil && t.IsZero() {
		err = errZeroTime
	}
	if err != nil {
		r.fail(c, err)
		return time.Time{}
	}
	return t
}

func (r *Record) anyTime(c *column) (time.Time, error) {
	switch v := r.value(c).(type) {
	case nil:
		return r.config.times.parse(r.bytes(c))
	case time.Time:
		if c.date && !v.IsZero() {
			y, m, d := v.Date()
			return r.config.times.date(y, int(m), d), nil
		}
		return v.In(r.config.times.loc), nil
	case int64:
		return r.config.times.parse(strconv.AppendInt(r.scratch[:0], v, 10))
	default:
		return time.Time{}, fmt.Errorf("a value of the type %T, which is not a time", v)
	}
}

// number returns the text of a number and how it is written: values of SQL are written plainly.
func (r *Record) number(c *column) ([]byte, numberFormat, error) {
	v := r.value(c)
	switch v.(type) {
	case nil:
		return r.bytes(c), r.config.numbers, nil
	case int64, float64, float32:
		b, err := appendValue(make([]byte, 0, 32), v)
		return b, numberFormat{mark: '.', minor: r.config.numbers.minor}, err
	}
	return nil, numberFormat{}, fmt.Errorf("a value of the type %T, which is not a number", v)
}

func (r *Record) amountIn(c *column, in money.Currency) money.Amount {
	if in == "" {
		return money.Amount{}
	}
	b, format, err := r.number(c)
	var a money.Amount
	if err == nil {
		a, err = format.amount(r.scratch[:0], b, in, r.digits(in))
	}
	if err != nil {
		r.fail(c, err)
		return money.Amount{}
	}
	return a
}

// digits returns those of the currency's minor unit, -1 if it has none.
func (r *Record) digits(c money.Currency) int32 {
	if c != r.lastCode {
		n, ok := c.Digits()
		if !ok {
			n = -1
		}
		r.lastCode, r.lastDigits = c, n
	}
	return r.lastDigits
}

// code reads the currency of a row, in upper or lower case.
func (r *Record) code(c *column) money.Currency {
	text := r.text(c, true)
	if text == r.codeText {
		return r.codeIs
	}
	code := money.Currency(strings.ToUpper(text))
	if err := checkCurrency(code); err != nil {
		r.fail(c, err)
		return ""
	}
	r.codeText, r.codeIs = text, code
	return code
}

// show returns the value for an error.
func (r *Record) show(c *column) string {
	if v := r.value(c); v != nil {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		b, err := appendValue(nil, v)
		if err != nil {
			return shown(fmt.Sprint(v))
		}
		return string(b)
	}
	return shown(string(r.bytes(c)))
}

// shown cuts a value to the length that a RowError keeps.
func shown(s string) string {
	if len(s) <= 2*maxShown {
		return s
	}
	return strings.Clone(s[:2*maxShown])
}
