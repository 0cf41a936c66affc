package risk

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// A table is what an exported result prints as text and writes as CSV.
type table struct {
	header []string
	rows   [][]string
}

func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case string:
			row[i] = c
		case float64:
			row[i] = cell(c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	t.rows = append(t.rows, row)
}

// cell writes a number for CSV in full; a missing one is empty.
func cell(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return formatFloat(x)
}

// String aligns the columns: text to the left, numbers to the right with six significant digits.
func (t *table) String() string {
	numeric := make([]bool, len(t.header))
	width := make([]int, len(t.header))
	rows := make([][]string, len(t.rows))
	for j, h := range t.header {
		numeric[j], width[j] = true, len([]rune(h))
		for _, row := range t.rows {
			if _, err := strconv.ParseFloat(row[j], 64); err != nil && row[j] != "" {
				numeric[j] = false
			}
		}
	}
	for i, row := range t.rows {
		rows[i] = make([]string, len(row))
		for j, c := range row {
			if numeric[j] {
				c = short(c)
			}
			rows[i][j], width[j] = c, max(width[j], len([]rune(c)))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for j, c := range cells {
			pad := strings.Repeat(" ", width[j]-len([]rune(c)))
			if j > 0 {
				l.WriteString("  ")
			}
			if numeric[j] {
				l.WriteString(pad + c)
			} else {
				l.WriteString(c + pad)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(t.header)
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// short rounds the text of a number to six significant digits; a missing one is a dash.
func short(c string) string {
	if c == "" {
		return "-"
	}
	x, err := strconv.ParseFloat(c, 64)
	if err != nil {
		return c
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func (t *table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.header); err != nil {
		return err
	}
	if err := out.WriteAll(t.rows); err != nil {
		return err
	}
	return out.Error()
}

// finite returns v with every NaN and infinity replaced by null, in a form that encoding/json writes. Structs keep the
// order and the names of their tags.
func finite(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Float64:
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return v.Interface()
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return finite(v.Elem())
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = finite(v.Index(i))
		}
		return out
	case reflect.Struct:
		var out object
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				out = append(out, member{name, finite(v.Field(i))})
			}
		}
		return out
	default:
		return v.Interface() // text, whole numbers and types that marshal themselves as text
	}
}

func toFinite(v any) any { return finite(reflect.ValueOf(v)) }

func marshalFinite(v any) ([]byte, error) { return json.Marshal(toFinite(v)) }

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, m.name)
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(out, ':'), value...)
	}
	return append(out, '}'), nil
}

func nameOf(names []string, i int) string {
	if i >= len(names) {
		return "unknown"
	}
	return names[i]
}

func marshalName(names []string, i int, what string) ([]byte, error) {
	if i >= len(names) {
		return nil, fmt.Errorf("risk: no %s %d", what, i)
	}
	return []byte(names[i]), nil
}

func unmarshalName(names []string, text []byte, what string) (int, error) {
	for i, name := range names {
		if name == string(text) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("risk: no %s %q", what, text)
}

// OddsRatios are the odds ratios of a logistic regression.
type OddsRatios []OddsRatio

func (rs OddsRatios) table() *table {
	t := &table{header: []string{"covariate", "ratio", "lower", "upper", "p"}}
	for _, r := range rs {
		t.add(r.Covariate, r.Ratio, r.Lower, r.Upper, r.P)
	}
	return t
}

// MarshalJSON writes the rows; what overflows is null.
func (rs OddsRatios) MarshalJSON() ([]byte, error) { return marshalFinite([]OddsRatio(rs)) }

// String returns an aligned table.
func (rs OddsRatios) String() string { return rs.table().String() }

// WriteCSV writes the table with a header.
func (rs OddsRatios) WriteCSV(w io.Writer) error { return rs.table().writeCSV(w) }
