package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// newRecord finds the columns of the fields in the header.
func newRecord(header []string, c *config, s Schema) (*Record, error) {
	header = slices.Clone(header)
	for i, h := range header {
		if !utf8.ValidString(h) {
			return nil, fmt.Errorf("header: column %d: value %q: %w", i+1, shown(h), errUTF8)
		}
		header[i] = strings.TrimSpace(h)
	}
	r := &Record{config: c, currencyAt: -1, scratch: make([]byte, 0, maxNumber+8)}
	for _, name := range s.Required {
		r.columns = append(r.columns, column{name: name, index: -1, required: name != "currency"})
	}
	for _, name := range s.Optional {
		r.columns = append(r.columns, column{name: name, index: -1})
	}
	if err := checkMapping(c, r.columns); err != nil {
		return nil, err
	}
	var missing []string
	for i := range r.columns {
		f := &r.columns[i]
		label, mapped := c.columns[f.name]
		if !mapped {
			label = f.name
		}
		f.label = label
		at, err := find(header, label)
		switch {
		case err != nil:
			return nil, fmt.Errorf("header: field %q: %w", f.name, err)
		case at >= 0:
			f.index, f.label = at, header[at]
			if f.name == "currency" {
				r.currencyAt = i
			}
		case mapped:
			missing = append(missing, fmt.Sprintf("%q (field %q)", label, f.name))
		case f.required:
			missing = append(missing, strconv.Quote(label))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("header: no column %s; the columns are %s%s",
			strings.Join(missing, ", "), list(header), hint(header, c.comma))
	}
	if slices.Contains(s.Required, "currency") && r.currencyAt < 0 && c.currency == "" {
		return nil, errors.New(`no currency: the header has no column "currency" and CSVOptions.Currency is not set`)
	}
	if s.Rest {
		return r, r.keepRest(header)
	}
	return r, nil
}

// checkMapping refuses names in CSVOptions.Columns that are no field of the record.
func checkMapping(c *config, columns []column) error {
	for _, name := range slices.Sorted(maps.Keys(c.columns)) {
		if !slices.ContainsFunc(columns, func(f column) bool { return f.name == name }) {
			var names []string
			for _, f := range columns {
				names = append(names, f.name)
			}
			return fmt.Errorf("CSVOptions.Columns: no field %q; the fields are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// find returns the index of a column, -1 if there is none. An exact match goes before one in another case.
func find(header []string, label string) (int, error) {
	label = strings.TrimSpace(label)
	for _, same := range []func(h string) bool{
		func(h string) bool { return h == label },
		func(h string) bool { return strings.EqualFold(h, label) },
	} {
		if at := slices.IndexFunc(header, same); at >= 0 {
			if slices.IndexFunc(header[at+1:], same) >= 0 {
				return -1, fmt.Errorf("two columns are named %q", label)
			}
			return at, nil
		}
	}
	return -1, nil
}

// keepRest puts down the columns that are no field.
func (r *Record) keepRest(header []string) error {
	for i, label := range header {
		taken := slices.ContainsFunc(r.columns, func(f column) bool { return f.index == i })
		if taken || label == "" {
			continue
		}
		if slices.ContainsFunc(r.rest, func(f column) bool { return f.label == label }) {
			return fmt.Errorf("header: two columns are named %q", label)
		}
		r.rest = append(r.rest, column{name: label, label: label, index: i})
	}
	return nil
}

// list quotes the column names, not too many.
func list(header []string) string {
	const most = 30
	var quoted []string
	for _, h := range header[:min(len(header), most)] {
		quoted = append(quoted, strconv.Quote(shown(h)))
	}
	if len(header) > most {
		quoted = append(quoted, "...")
	}
	return strings.Join(quoted, ", ")
}

// hint guesses that the file has another separator, if the header was not cut at all.
func hint(header []string, comma rune) string {
	if len(header) != 1 {
		return ""
	}
	for _, r := range ";,\t|" {
		if r != comma && strings.ContainsRune(header[0], r) {
			return fmt.Sprintf("; it looks separated by %q (CSVOptions.Comma)", r)
		}
	}
	return ""
}
