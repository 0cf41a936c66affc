package ledger

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/custval/custval/money"
)

// TestCDNOW reads the public CDNOW sample as it is: 2,357 customers and 6,919 rows in 1997 and 1998, 16,479 units, 244,091.94 dollars
// (counted in the file with awk).
func TestCDNOW(t *testing.T) {
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA names no directory of data")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	customers := map[string]bool{}
	var sum money.Sum
	rows, units := 0, int64(0)
	years := Period{Year(1997, nil).Start, Year(1998, nil).End}
	for tr, err := range ReadCSV(context.Background(), f, &CSVOptions{Currency: "USD"}) {
		if err != nil {
			t.Fatal(err)
		}
		if !years.Contains(tr.At) || !tr.At.Equal(tr.At.Truncate(24*time.Hour)) {
			t.Errorf("row %d is dated %v", rows+1, tr.At)
		}
		rows++
		units += tr.Quantity
		customers[tr.Customer] = true
		sum.Add(tr.Amount)
	}
	total, err := sum.Total()
	if err != nil || rows != 6919 || len(customers) != 2357 || total.String() != "USD 244091.94" || units != 16479 {
		t.Errorf("%d rows, %d customers, %v, %d units, %v", rows, len(customers), total, units, err)
	}
}
