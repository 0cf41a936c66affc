package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// logCSV returns n rows of customers spread over 100,000 ids.
func logCSV(n int, header string, row func(r *rand.Rand, customer, day string, cents int) string) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString(header + "\n")
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for range n {
		customer := fmt.Sprintf("C%07d", r.IntN(100_000))
		day := start.AddDate(0, 0, r.IntN(700)).Format(time.DateOnly)
		b.WriteString(row(r, customer, day, r.IntN(50_000)) + "\n")
	}
	return b.Bytes()
}

func bareRow(_ *rand.Rand, customer, day string, cents int) string {
	return fmt.Sprintf("%s,%s,%d.%02d", customer, day, cents/100, cents%100)
}

func quotedRow(_ *rand.Rand, customer, day string, cents int) string {
	return fmt.Sprintf(`"%s","%s","%d.%02d"`, customer, day, cents/100, cents%100)
}

func fullRow(r *rand.Rand, customer, day string, cents int) string {
	return fmt.Sprintf("%s,%sT12:34:56Z,%d.%02d,USD,%d,%s,%s,P%03d,%s,%d,%d.%02d,%d.%02d", customer, day, cents/100, cents%100,
		r.IntN(1e9), []string{"web", "store", "app"}[r.IntN(3)], []string{"", "spring", "summer"}[r.IntN(3)], r.IntN(500),
		[]string{"books", "music"}[r.IntN(2)], 1+r.IntN(3), cents/200, cents%100, cents/1000, cents%100)
}

const fullHeader = "customer,at,amount,currency,id,channel,campaign,product,category,quantity,cost,discount"

func BenchmarkReadCSV(b *testing.B) {
	const rows = 200_000
	for _, bb := range []struct {
		name   string
		header string
		row    func(*rand.Rand, string, string, int) string
		o      *CSVOptions
	}{
		{"bare", "customer,at,amount", bareRow, &CSVOptions{Currency: "USD"}},
		{"quoted", "customer,at,amount", quotedRow, &CSVOptions{Currency: "USD"}},
		{"twelve columns", fullHeader, fullRow, nil},
		{"Turkish", "customer;at;amount", func(_ *rand.Rand, c, day string, cents int) string {
			return fmt.Sprintf("%s;%s.%s.%s;%d.%03d,%02d", c, day[8:], day[5:7], day[:4], 1+cents/1000, cents%1000, cents%100)
		}, &CSVOptions{Currency: "TRY", Comma: ';', DecimalMark: ',', Grouping: '.', Layouts: []string{"02.01.2006"}}},
	} {
		data := logCSV(rows, bb.header, bb.row)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				n := 0
				for _, err := range ReadCSV(context.Background(), bytes.NewReader(data), bb.o) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != rows {
					b.Fatalf("%d rows, want %d", n, rows)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	data := logCSV(rows, "customer,at,amount", bareRow)
	b.Run("baseline encoding/csv bare", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			c := csv.NewReader(bytes.NewReader(data))
			c.ReuseRecord = true
			n := 0
			for {
				if _, err := c.Read(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != rows+1 {
				b.Fatalf("%d rows, want %d", n, rows)
			}
		}
		b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkSplitter(b *testing.B) {
	const rows = 200_000
	text := string(logCSV(rows, "customer,at,amount", bareRow))
	b.ReportAllocs()
	for b.Loop() {
		s := newSplitter(context.Background(), strings.NewReader(text), ',', defaultMaxRow)
		for {
			if err := s.next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
