package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/custval/custval/money"
)

// CSVOptions says how the records of a CSV file or of a SQL query are read. The zero value, and nil, read a file with
// a header of customer, at, amount and perhaps currency, separated by commas, with RFC 3339 or 2006-01-02 dates and
// plain amounts such as 1234.56.
type CSVOptions struct {
	// Columns gives the column of a field: field name to header name, such as "amount": "Total". A field that is not
	// here is looked for under its own name. A field that is here must have its column in the file, even if it is
	// optional; a name that is no field of the record is an error. Header names match with the spaces around them cut
	// off; exactly if one does, else regardless of case.
	Columns map[string]string

	// Header has the column names of a file that has no header line. Row 1 is then the first line.
	Header []string

	Comma  rune // separates the fields; 0 means ','
	MaxRow int  // bytes that one row may have before it is an error; 0 means 1 MiB

	// Currency is that of every amount whose row does not say it in the column currency; codes there may be in lower
	// case.
	Currency money.Currency

	// Layouts are the layouts of package time that a date may have, tried in this order; the first that fits wins, so
	// 02/01/2006 before 01/02/2006 reads 03/04/2025 as 3 April. None means RFC 3339 and 2006-01-02. The words Unix and
	// UnixMilli stand for seconds and milliseconds since 1970-01-01 UTC.
	Layouts []string

	// Location is where dates without a zone are, and in which all times are expressed; nil means UTC. A date without a
	// clock is the first moment of that day there. A clock time that the clocks skip or repeat is taken as package time
	// takes it.
	Location *time.Location

	DecimalMark rune // between units and decimals of a number; 0 means '.'

	// Grouping separates the groups of three digits before the decimal mark; 0 means that there are none. A number may
	// be without them, but one that has them must have all. ' ' stands for no-break spaces (U+00A0, U+202F) as well.
	// Groups of two digits, as in 1,00,000, are an error.
	Grouping rune

	Minor bool // amounts are whole numbers of the minor unit: 1999 is USD 19.99 and JPY 1999

	// Workers is how many goroutines decode the rows of a file of more than some thousand, in the readers of this package
	// such as [ReadCSV]; 0 means GOMAXPROCS, 1 none beside the caller's. Rows, their order and their errors do not depend
	// on it.
	Workers int
}

// Layouts that stand for a count since 1970-01-01 UTC.
const (
	layoutUnix      = "Unix"
	layoutUnixMilli = "UnixMilli"
)

// defaultMaxRow is the length of a row from which on it is taken for damage.
const defaultMaxRow = 1 << 20

// config is CSVOptions with the defaults put in, checked, and independent of the caller's maps and slices.
type config struct {
	columns  map[string]string
	header   []string
	comma    rune
	maxRow   int
	currency money.Currency
	times    timeParser
	numbers  numberFormat
	division division
}

func (o *CSVOptions) config() (*config, error) {
	if o == nil {
		o = &CSVOptions{}
	}
	c := &config{
		columns:  make(map[string]string, len(o.Columns)),
		header:   slices.Clone(o.Header),
		comma:    ',',
		maxRow:   defaultMaxRow,
		currency: o.Currency,
		numbers:  numberFormat{mark: '.', grouping: o.Grouping, minor: o.Minor},
		division: newDivision(o.Workers),
	}
	for field, header := range o.Columns {
		c.columns[field] = header
	}
	if o.Comma != 0 {
		c.comma = o.Comma
	}
	if o.MaxRow != 0 {
		c.maxRow = o.MaxRow
	}
	if o.DecimalMark != 0 {
		c.numbers.mark = o.DecimalMark
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	times, err := newTimeParser(o.Layouts, o.Location)
	c.times = times
	return c, err
}

func (c *config) check() error {
	switch {
	case c.comma == '"' || c.comma == '\r' || c.comma == '\n' || c.comma == '\ufeff' || !validRune(c.comma):
		return fmt.Errorf("CSVOptions.Comma: %q cannot separate fields", c.comma)
	case c.division.workers < 0:
		return fmt.Errorf("CSVOptions.Workers: %d is negative", c.division.workers)
	case c.maxRow < 0:
		return fmt.Errorf("CSVOptions.MaxRow: %d is negative", c.maxRow)
	case !validMark(c.numbers.mark) || unicode.IsSpace(c.numbers.mark):
		return fmt.Errorf("CSVOptions.DecimalMark: %q cannot mark decimals", c.numbers.mark)
	case c.numbers.grouping != 0 && !validMark(c.numbers.grouping):
		return fmt.Errorf("CSVOptions.Grouping: %q cannot separate digits", c.numbers.grouping)
	case c.numbers.grouping == c.numbers.mark:
		return fmt.Errorf("CSVOptions: DecimalMark and Grouping are both %q", c.numbers.mark)
	}
	if c.currency != "" {
		if err := checkCurrency(c.currency); err != nil {
			return fmt.Errorf("CSVOptions.Currency: %q: %w", string(c.currency), err)
		}
	}
	return nil
}

func validRune(r rune) bool { return r != 0 && utf8.ValidRune(r) && r != utf8.RuneError }

// validMark reports whether r cannot be taken for a part of the number itself.
func validMark(r rune) bool {
	return validRune(r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+-\"\r\n", r)
}

var errCurrency = errors.New("not a currency code: want three capital letters of ISO 4217, such as USD")

// checkCurrency accepts what money accepts as the currency of an amount.
func checkCurrency(c money.Currency) error {
	if len(c) != 3 {
		return errCurrency
	}
	if _, err := money.Parse("0", c); err != nil {
		return errCurrency
	}
	return nil
}
