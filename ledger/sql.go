package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// FromRows reads records of any kind from the rows of a SQL query, as [ReadRecords] does from CSV: CSVOptions.Columns,
// Currency, Layouts, Location, DecimalMark, Grouping and Minor mean the same, the columns are those of the query, and
// what the driver gives is read as follows.
//
//   - NULL is an empty field.
//   - Text ([]byte or string) is read as in a CSV file. This is how exact decimals of a database arrive.
//   - int64 is a number, whatever its format in text would be; also a time if a layout is Unix or UnixMilli.
//   - float64 is a number by the shortest decimal text that gives it back, so that 12.34 is 12.34; NaN is an error.
//   - time.Time is that instant; of a column of the database type DATE it is the calendar day.
//   - bool is true or false.
//
// The stream closes rows when it ends, also where the consumer stops early, and reports the errors of rows.Err and
// rows.Close. Rows that are never ranged over are not closed.
func FromRows[T any](ctx context.Context, rows *sql.Rows, o *CSVOptions, s Schema,
	decode func(*Record) (T, error)) iter.Seq2[T, error] {
	c, err := o.config()
	return records(ctx, s.prefix(), decode, func() (source, error) {
		if err != nil {
			if rows != nil {
				err = errors.Join(err, rows.Close())
			}
			return nil, err
		}
		return openRows(rows, c, s)
	}, math.MaxInt, nil)
}

// sqlSource reads the rows of a query.
type sqlSource struct {
	rows   *sql.Rows
	rec    *Record
	values []any // the values as scanned, text taken out
	into   []any // pointers to values
}

func openRows(rows *sql.Rows, c *config, s Schema) (source, error) {
	if rows == nil {
		return nil, errors.New("no rows")
	}
	src, err := newSQLSource(rows, c, s)
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return src, nil
}

func newSQLSource(rows *sql.Rows, c *config, s Schema) (*sqlSource, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	rec, err := newRecord(names, c, s)
	if err != nil {
		return nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for i := range rec.columns {
		if at := rec.columns[i].index; at >= 0 {
			rec.columns[i].date = types[at].DatabaseTypeName() == "DATE"
		}
	}
	n := len(names)
	src := &sqlSource{rows: rows, rec: rec, values: make([]any, n), into: make([]any, n)}
	rec.fields, rec.values = make([][]byte, n), src.values
	for i := range src.into {
		src.into[i] = &src.values[i]
	}
	return src, nil
}

func (s *sqlSource) next() (*Record, error) {
	if !s.rows.Next() {
		if err := s.rows.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	s.rec.reset()
	if err := s.rows.Scan(s.into...); err != nil {
		return nil, fmt.Errorf("row %d: %w", s.rec.row, err)
	}
	for i, v := range s.values {
		text, isText := []byte(nil), true
		switch v := v.(type) {
		case nil:
		case []byte:
			text = v
		case string:
			text = append(s.rec.fields[i][:0], v...)
		default:
			isText = false
		}
		if isText {
			s.rec.fields[i], s.values[i] = text, nil
		}
	}
	return s.rec, nil
}

func (s *sqlSource) close() error { return s.rows.Close() }
