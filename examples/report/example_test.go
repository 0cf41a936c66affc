package report_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/report"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
)

// The report of an order log, with one section of one's own before the others.
func ExampleNew() {
	ctx := context.Background()
	log, err := ledger.Collect(ledger.ReadCSV(ctx, sample.Shop(), &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := report.New(ctx, &report.Options{Title: "Our customers", Log: log, Sections: []string{"channels", "segments", "quality"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Sections = append([]report.Section{{Name: "summary", Title: "Summary", Lead: "Search brings the best customers."}}, r.Sections...)
	for _, s := range r.Sections {
		fmt.Println(s.Title)
	}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		fmt.Println(err)
		return
	}
	path := filepath.Join(os.TempDir(), "custval-example", "report.html")
	fmt.Println(charts.WriteFile(path, &page)) // whole or not at all
	// Output:
	// Summary
	// Value by channel
	// Segments
	// Notes on the data
	// <nil>
}

// A report of one's own values, without New.
func ExampleReport_WriteHTML() {
	r := &report.Report{
		Title: "Regions in 2025",
		End:   time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC),
		Sections: []report.Section{{Name: "regions", Title: "Value by region", Lead: "The north is worth twice the south.", Blocks: []report.Block{
			&report.BarChart{Title: "Lifetime value by region", Says: "North 200, south 100.", Axis: report.Axis{Title: "value a customer (USD)"},
				Bars: []report.Bar{{Name: "north", Parts: []float64{200}, Low: 180, High: 220, Label: "200"}, {Name: "south", Parts: []float64{100}, Label: "100"}}},
			&report.Table{Caption: "Customers by region", Columns: []report.Column{{Title: "Region"}, {Title: "Customers", Numeric: true}},
				Rows: [][]report.Cell{{{Text: "north"}, {Text: "1,200", Number: 1200}}, {{Text: "south"}, {Text: "800", Number: 800}}}},
		}}},
	}
	var page strings.Builder
	if err := r.WriteHTML(&page); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(page.String(), "<!doctype html>"), strings.Count(page.String(), "<svg"))
	// Output: true 1
}

// The same report as a message.
func ExampleReport_WriteEML() {
	r := &report.Report{Title: "Regions in 2025", End: time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC),
		Sections: []report.Section{{Name: "regions", Title: "Value by region", Lead: "The north is worth twice the south."}}}
	var message strings.Builder
	if err := r.WriteEML(&message, nil); err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(message.String(), "\r\n")[:4] {
		fmt.Println(line)
	}
	// Output:
	// From: <report@localhost>
	// X-Unsent: 1
	// Subject: Regions in 2025, 31 December 2025
	// Date: Wed, 31 Dec 2025 00:00:00 +0000
}
