package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Amounts of orders are DECIMAL(38, 9) in 16 bytes: every amount that the summary in SQL takes. Values of scores are rounded
// to the minor unit, so they are DECIMAL(18, digits of the currency) in an INT64.
const orderScale = 9

// rowsPerGroup is how many rows a row group has: what a reader must at least go through at once.
const rowsPerGroup = 100_000

func orderSchema() *parquet.Schema {
	return parquet.NewSchema("orders", parquet.Group{
		"customer": parquet.String(),
		"at":       parquet.Timestamp(parquet.Microsecond),
		"amount":   parquet.Decimal(orderScale, 38, parquet.FixedLenByteArrayType(16)),
		"currency": parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
	})
}

func scoreSchema(digits int) *parquet.Schema {
	return parquet.NewSchema("scores", parquet.Group{
		"customer":   parquet.String(),
		"prob_alive": parquet.Leaf(parquet.DoubleType),
		"purchases":  parquet.Leaf(parquet.DoubleType),
		"value":      parquet.Decimal(digits, 18, parquet.Int64Type),
		"currency":   parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
	})
}

// writerTo makes a function something that charts.WriteFile writes, whole or not at all.
type writerTo func(io.Writer) error

func (f writerTo) WriteTo(w io.Writer) (int64, error) { return 0, f(w) }

// A rowWriter writes rows whose values are given in the order of the names.
type rowWriter struct {
	w     *parquet.GenericWriter[any]
	order []int // of the columns
	rows  []parquet.Row
}

func newRowWriter(w io.Writer, schema *parquet.Schema, names ...string) *rowWriter {
	r := &rowWriter{w: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowsPerGroup))}
	for _, name := range names {
		leaf, _ := schema.Lookup(name)
		r.order = append(r.order, leaf.ColumnIndex)
	}
	return r
}

func (r *rowWriter) add(values ...parquet.Value) error {
	row := make(parquet.Row, len(values))
	for i, v := range values {
		row[r.order[i]] = v.Level(0, 0, r.order[i])
	}
	r.rows = append(r.rows, row)
	if len(r.rows) == 1024 {
		return r.flush()
	}
	return nil
}

func (r *rowWriter) flush() error {
	_, err := r.w.WriteRows(r.rows)
	r.rows = r.rows[:0]
	return err
}

func (r *rowWriter) close() error { return errors.Join(r.flush(), r.w.Close()) }

// writeOrders writes a log as it streams by.
func writeOrders(path string, log iter.Seq2[ledger.Transaction, error]) error {
	return charts.WriteFile(path, writerTo(func(w io.Writer) error {
		out := newRowWriter(w, orderSchema(), "customer", "at", "amount", "currency")
		for t, err := range log {
			if err != nil {
				return err
			}
			n, err := scaled(t.Amount, orderScale)
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(path), err)
			}
			if err := out.add(parquet.ByteArrayValue([]byte(t.Customer)), parquet.Int64Value(t.At.UnixMicro()),
				parquet.FixedLenByteArrayValue(twosComplement(n)), parquet.ByteArrayValue([]byte(t.Amount.Currency()))); err != nil {
				return err
			}
		}
		return out.close()
	}))
}

// writeScoreFile writes the scores.
func writeScoreFile(path string, scores clv.Scores) error {
	digits := int32(0)
	if len(scores) > 0 {
		digits, _ = scores[0].Value.Currency().Digits()
	}
	return charts.WriteFile(path, writerTo(func(w io.Writer) error {
		out := newRowWriter(w, scoreSchema(int(digits)), "customer", "prob_alive", "purchases", "value", "currency")
		for _, s := range scores {
			units, ok := s.Value.Minor()
			if !ok || units >= 1e18 || units <= -1e18 {
				return fmt.Errorf("customer %q: %v is no whole number of minor units of 18 digits", s.Customer, s.Value)
			}
			if err := out.add(parquet.ByteArrayValue([]byte(s.Customer)), parquet.DoubleValue(s.ProbAlive), parquet.DoubleValue(s.Purchases),
				parquet.Int64Value(units), parquet.ByteArrayValue([]byte(s.Value.Currency()))); err != nil {
				return err
			}
		}
		return out.close()
	}))
}

// scaled is an amount times 10^scale, which must be whole.
func scaled(a money.Amount, scale int) (*big.Int, error) {
	r, ok := new(big.Rat).SetString(a.Number())
	if !ok {
		return nil, fmt.Errorf("%v is no number", a)
	}
	power := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	r.Mul(r, new(big.Rat).SetInt(power(scale)))
	if !r.IsInt() || r.Num().CmpAbs(power(38)) >= 0 {
		return nil, fmt.Errorf("%v does not fit in DECIMAL(38, %d)", a, scale)
	}
	return r.Num(), nil
}

// twosComplement is the number in 16 bytes, big-endian.
func twosComplement(n *big.Int) []byte {
	m := new(big.Int).Set(n)
	if n.Sign() < 0 {
		m.Add(m, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return m.FillBytes(make([]byte, 16))
}
