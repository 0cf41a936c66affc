package rfm

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// readCDNOW returns the rows of cdnow.csv in the directory CUSTVAL_DATA.
func readCDNOW(t *testing.T) []ledger.Transaction {
	t.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA is not set")
	}
	text, err := os.ReadFile(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var log []ledger.Transaction
	for _, r := range records[1:] {
		amount, err := money.Parse(strings.TrimSpace(r[3]), "USD")
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, ledger.Transaction{Customer: r[0], At: day(r[1]), Amount: amount})
	}
	return log
}

// The customers and repeat buyers of the calibration period are those of Fader, Hardie and Lee, Marketing Science 2005.
func TestCDNOW(t *testing.T) {
	log := readCDNOW(t)
	s := summarize(t, log, "1997-09-30", &SummaryOptions{Count: CountDays})
	repeat := 0
	for i := range s.Rows {
		if s.Rows[i].Frequency > 1 {
			repeat++
		}
	}
	if len(s.Rows)+len(s.Unscored) != 2357 || repeat != 946 {
		t.Errorf("%d customers, %d repeat buyers, %d apart; want 2357 in all and 946", len(s.Rows), repeat, len(s.Unscored))
	}
	table, err := s.Segment(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	customers := 0
	for _, row := range table.Segments().Rows {
		customers += row.Customers
	}
	if customers != len(s.Rows) {
		t.Errorf("%d customers in segments, %d scored", customers, len(s.Rows))
	}
	var sum money.Sum
	for _, row := range log {
		if !row.At.After(day("1997-09-30")) {
			sum.Add(row.Amount)
		}
	}
	if total, _ := sum.Total(); !total.Equal(s.Report.Revenue) {
		t.Errorf("revenue %s, the rows have %s", s.Report.Revenue, total)
	}
}
