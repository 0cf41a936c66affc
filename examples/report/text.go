package report

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// width is the width of the paragraphs of the plain text.
const width = 76

// text writes the report as plain text.
func (r *Report) text(b *bytes.Buffer) {
	heading(b, r.Title, "=")
	paragraph(b, r.Subtitle)
	for _, s := range r.Sections {
		b.WriteByte('\n')
		heading(b, s.Title, "-")
		paragraph(b, s.Lead)
		for _, block := range s.Blocks {
			switch v := block.(type) {
			case Text:
				paragraph(b, string(v))
			case Note:
				paragraph(b, "Note: "+string(v))
			case Figures:
				var rows [][]string
				for _, f := range v {
					rows = append(rows, []string{f.Name, f.Value, strings.TrimPrefix(strings.Join([]string{f.Interval, f.Note}, "; "), "; ")})
				}
				b.WriteByte('\n')
				aligned(b, rows, nil)
			case *Table:
				v.text(b)
			case *LineChart:
				paragraph(b, v.Title+". "+v.Says)
			case *BarChart:
				paragraph(b, v.Title+". "+v.Says)
				var rows [][]string
				for _, bar := range v.Bars {
					rows = append(rows, []string{bar.Name, bar.Label})
				}
				aligned(b, rows, []bool{false, true})
			}
		}
	}
}

func (t *Table) text(b *bytes.Buffer) {
	var head []string
	var numeric []bool
	for _, c := range t.Columns {
		head = append(head, c.Title)
		numeric = append(numeric, c.Numeric)
	}
	rows := [][]string{head}
	for _, row := range append(t.Rows[:len(t.Rows):len(t.Rows)], t.Total) {
		var cells []string
		for _, c := range row {
			cells = append(cells, strings.TrimSpace(c.Text+" "+c.Note))
		}
		if cells != nil {
			rows = append(rows, cells)
		}
	}
	paragraph(b, t.Caption)
	aligned(b, rows, numeric)
}

func heading(b *bytes.Buffer, title, rule string) {
	b.WriteString(title + "\n" + strings.Repeat(rule, utf8.RuneCountInString(title)) + "\n")
}

// paragraph writes a text in lines of the width after an empty one.
func paragraph(b *bytes.Buffer, text string) {
	if text == "" {
		return
	}
	b.WriteByte('\n')
	at := 0
	for i, word := range strings.Fields(strings.ReplaceAll(text, "\u00a0", "\u2060")) {
		word = strings.ReplaceAll(word, "\u2060", " ")
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}

// aligned writes a table, its numeric columns to the right.
func aligned(b *bytes.Buffer, rows [][]string, numeric []bool) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range rows {
		line := ""
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if numeric != nil && numeric[i] {
				c = pad + c
			} else {
				c += pad
			}
			line += "  " + strings.ReplaceAll(c, "\u00a0", " ")
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
