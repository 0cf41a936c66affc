package input

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	read := func(r io.Reader) iter.Seq2[ledger.Transaction, error] {
		return ledger.ReadCSV(context.Background(), r, &ledger.CSVOptions{Currency: "USD"})
	}
	header := "customer,at,amount\n"
	for _, c := range []struct{ file, sample, want string }{
		{"", header, ""},
		{"", header + "a,2025-01-01,x\n", `ledger: row 1: field "amount": value "x": not a number`},
		{header, "", path + ": no rows after the header"},
		{header + "a,2025-01-01,x\n", "", path + `: ledger: row 1: field "amount": value "x": not a number`},
		{header + "a,2025-01-01,1\n", "", ""},
	} {
		from := ""
		if c.file != "" {
			from = path
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Read(from, strings.NewReader(c.sample), read)
		if got := ""; err != nil && err.Error() != c.want || err == nil && got != c.want {
			t.Errorf("file %q, sample %q: error %v, want %s", c.file, c.sample, err, c.want)
		}
	}
	if _, err := Read(path+"x", nil, read); !os.IsNotExist(err) {
		t.Errorf("no file: error %v", err)
	}
}

func TestDayAndSpan(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2025, 6, d, 0, 0, 0, 0, time.UTC) }
	if got, err := Day("end", "", day(1)); err != nil || !got.Equal(day(1)) {
		t.Errorf("no date: %v, error %v", got, err)
	}
	if got, err := Day("end", "2025-06-30", day(1)); err != nil || !got.Equal(day(30)) {
		t.Errorf("a date: %v, error %v", got, err)
	}
	if _, err := Day("end", "June", day(1)); err == nil || err.Error() != "-end June: want a date as 2025-06-30" {
		t.Errorf("a word: error %v", err)
	}
	first, last := Span([]ledger.Transaction{{At: day(5).Add(time.Hour)}, {At: day(9).Add(time.Hour)}, {At: day(2)}, {At: day(7)}})
	if !first.Equal(day(2)) || !last.Equal(day(9)) {
		t.Errorf("from %v to %v", first, last)
	}
}
