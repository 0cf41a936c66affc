package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
)

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed sort.js
	pageScript string

	page = template.Must(template.New("page").Funcs(template.FuncMap{
		"kind": kindOf, "at": cellAt, "headed": headed, "day": day,
		"svg":    func(c chart) template.HTML { return c.svg() },
		"legend": func(c chart) []key { return c.legend() },
	}).Parse(pageText))
)

// A chart is a block that is drawn.
type chart interface {
	Block
	svg() template.HTML
	legend() []key
	png() ([]byte, error)
}

// kindOf names the kind of a block for the templates.
func kindOf(b Block) string {
	switch b.(type) {
	case Text:
		return "text"
	case Note:
		return "note"
	case Figures:
		return "figures"
	case *Table:
		return "table"
	}
	return "chart"
}

// headed returns the classes of the head of a column: long names of narrow columns get room for two words a line.
func headed(c Column) string {
	class := ""
	if c.Numeric {
		class = "n"
		if len(c.Title) > 12 {
			class = "n l"
		}
	}
	return class
}

// A view is a cell with its place in the table.
type view struct {
	First             bool
	Text, Note, Class string
	Sort              string
	Shade             Shade
	Numeric           bool
}

func cellAt(t *Table, column int, c Cell) view {
	v := view{First: column == 0, Text: c.Text, Note: c.Note, Shade: c.Shade, Numeric: t.Columns[column].Numeric}
	var classes []string
	if v.Numeric {
		classes = append(classes, "n")
		if t.Sortable {
			v.Sort = strconv.FormatFloat(c.Number, 'g', -1, 64)
		}
	} else if len(c.Text) > 40 {
		classes = append(classes, "w") // long texts get a width of their own, lest they become columns of single words
	} else if len(c.Text) <= 10 {
		classes = append(classes, "s") // a date is not broken at its hyphens
	}
	if c.Shade > 0 {
		classes = append(classes, "h"+strconv.Itoa(int(c.Shade)))
	}
	v.Class = strings.Join(classes, " ")
	return v
}

// WriteHTML writes the report as one page that needs nothing else: no network, no script to read it, light or dark as the
// reader's system says, for screens from 360 pixels on and for paper. The same report gives the same bytes.
//
// It returns the error of Validate, before anything is written, and that of the writer.
func (r *Report) WriteHTML(w io.Writer) error {
	if err := r.Validate(); err != nil {
		return err
	}
	p := struct {
		*Report
		Policy string
		Style  template.CSS
		Script template.JS
	}{Report: r, Style: template.CSS(style())} //nolint:gosec // no part of it is input
	p.Policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
	if r.sortable() {
		p.Script = template.JS(pageScript) //nolint:gosec // no part of it is input
		sum := sha256.Sum256([]byte(pageScript))
		p.Policy += "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := b.WriteTo(w)
	return err
}

// sortable tells whether a table wants the script.
func (r *Report) sortable() bool {
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if t, ok := b.(*Table); ok && t.Sortable {
				return true
			}
		}
	}
	return false
}

// style is the page's style with both themes.
func style() string {
	var b strings.Builder
	fmt.Fprintf(&b, ":root{color-scheme:light dark;%s}\n", light.variables())
	fmt.Fprintf(&b, "@media screen and (prefers-color-scheme:dark){:root{%s}}\n", dark.variables())
	for i := range Shades {
		fmt.Fprintf(&b, "td.h%[1]d{background:var(--h%[1]d);color:var(--i%[1]d)}\n", i+1)
	}
	b.WriteString(pageStyle)
	return b.String()
}
