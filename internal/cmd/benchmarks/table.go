package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/custval/custval/internal/text"
)

// results are the rows of the table in the order of measurement.
type results []result

var header = []string{"subject", "time", "per second", "evaluations", "ns each", "to floor", "allocs", "peak MB"}

func (r result) cells() []string {
	cells := []string{r.subject, duration(r.nanoseconds), count(float64(r.rows) / r.nanoseconds * 1e9), "", "", "", "", ""}
	if r.allocs >= 0 {
		cells[6] = fmt.Sprint(r.allocs)
	}
	if r.evaluations > 0 {
		cells[3] = fmt.Sprint(r.evaluations)
	}
	if r.each > 0 {
		cells[4] = fmt.Sprintf("%.1f", r.each)
	}
	if r.ratio > 0 {
		cells[5] = fmt.Sprintf("%.2f", r.ratio)
	}
	if r.peak >= 0 {
		cells[7] = fmt.Sprintf("%.1f", float64(r.peak)/1e6)
	}
	return cells
}

// duration writes three digits of a time.
func duration(ns float64) string {
	d := time.Duration(ns)
	for unit := time.Duration(1); unit <= time.Second; unit *= 1000 {
		if d < 1000*unit {
			return d.Round(max(1, unit/100)).String()
		}
	}
	return d.Round(10 * time.Millisecond).String()
}

// count writes a large number in thousands or millions.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.3g k", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}

// plain writes an aligned table.
func (rs results) plain(w io.Writer) error {
	rows := make([][]string, len(rs))
	for i, r := range rs {
		rows[i] = r.cells()
	}
	_, err := io.WriteString(w, text.Table(header, rows, text.First(1)))
	return err
}

// markdown writes a table of Markdown.
func (rs results) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|---%s|\n", strings.Join(header, " | "), strings.Repeat("|---:", len(header)-1))
	for _, r := range rs {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
