package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A heard row is what a stream yields: a transaction or an error, as text.
func hear(t testing.TB, r io.Reader, o *CSVOptions, d division) []string {
	t.Helper()
	c, err := o.config()
	if err != nil {
		t.Fatal(err)
	}
	c.division = d
	var heard []string
	for tx, err := range readDivided(context.Background(), r, c, nil, transactionSchema(), decodeTransaction) {
		if err != nil {
			heard = append(heard, err.Error())
			continue
		}
		heard = append(heard, fmt.Sprintf("%q %v %v %q", tx.Customer, tx.At.Format(time.DateOnly), tx.Amount, tx.Product))
	}
	return heard
}

var oneWorker = division{workers: 1}

// messyCSV is a log with every kind of row and fault; wild has wrong quotes too.
func messyCSV(r *rand.Rand, rows int, wild bool) string {
	var b strings.Builder
	b.WriteString("customer,at,amount,product\n")
	eol := "\n"
	if r.IntN(2) == 0 {
		eol = "\r\n"
	}
	for i := range rows {
		switch n := r.IntN(40); {
		case n == 0:
			b.WriteString(eol) // no row
		case n == 1:
			fmt.Fprintf(&b, "c%d,2025-13-01,1,x%s", i, eol)
		case n == 2:
			fmt.Fprintf(&b, "c%d,2025-01-01,1%s", i, eol)
		case n < 6:
			fmt.Fprintf(&b, "\"c\"\"%d\",2025-01-02,%d,\"two%slines, \"\"quoted\"\"\"%s", i, i, eol, eol)
		case n == 6:
			fmt.Fprintf(&b, "c%d,2025-01-03,1,%s%s", i, strings.Repeat("long ", r.IntN(60)), eol)
		case n == 7 && wild && r.IntN(20) == 0:
			fmt.Fprintf(&b, "c%d,2025-01-03,1,5\" pipe%s", i, eol)
		case n == 8 && wild && r.IntN(20) == 0:
			fmt.Fprintf(&b, "c%d,2025-01-03,1,\"open%s", i, eol)
		case n == 9 && wild && r.IntN(20) == 0:
			fmt.Fprintf(&b, "c%d,2025-01-03,1,\"a\"b%s", i, eol)
		default:
			fmt.Fprintf(&b, "c%d,2025-01-04,%d.%02d,p%s", i%7, i, i%100, eol)
		}
	}
	text := b.String()
	if r.IntN(2) == 0 {
		text = strings.TrimSuffix(text, eol)
	}
	return text
}

// Rows and errors do not depend on the number of workers, on how the text is divided, and on the size of the reads.
func TestParallelReadsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	broken := errors.New("broken")
	for i := range 60 {
		text := messyCSV(r, r.IntN(300), i%2 == 1)
		o := &CSVOptions{Currency: "USD", MaxRow: 200}
		d := division{workers: 2 + r.IntN(4), alone: r.IntN(10), block: 1 + r.IntN(3000), trickle: r.IntN(100)}
		for name, source := range map[string]func() io.Reader{
			"at once":       func() io.Reader { return strings.NewReader(text) },
			"in steps":      func() io.Reader { return &stepReader{text: text, step: 50} },
			"with EOF":      func() io.Reader { return iotest.DataErrReader(strings.NewReader(text)) },
			"with an error": func() io.Reader { return io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)) },
		} {
			want := hear(t, source(), o, oneWorker)
			got := hear(t, source(), o, d)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, %+v (-one +several):\n%s\n%q", name, d, diff, text)
			}
		}
	}
}

// The default division reads a file of some megabytes as one goroutine does.
func TestReadCSVInParallel(t *testing.T) {
	text := logCSV(25_000, "customer,at,amount", bareRow)
	bad := bytes.Clone(text)
	copy(bad[len(bad)*3/4:], "\n\"x")
	for _, data := range [][]byte{text, bad} {
		read := func(workers int) (rows []Transaction, errs []string) {
			for tx, err := range ReadCSV(context.Background(), bytes.NewReader(data), &CSVOptions{Currency: "USD", Workers: workers}) {
				if err != nil {
					errs = append(errs, err.Error())
				} else {
					rows = append(rows, tx)
				}
			}
			return rows, errs
		}
		want, wantErrs := read(1)
		for _, workers := range []int{0, 2, 7} {
			rows, errs := read(workers)
			if diff := cmp.Diff(wantErrs, errs); diff != "" {
				t.Errorf("%d workers: errors (-one +several):\n%s", workers, diff)
			}
			if len(rows) != len(want) {
				t.Fatalf("%d workers: %d rows, want %d", workers, len(rows), len(want))
			}
			for i, tx := range rows {
				if w := want[i]; tx.Customer != w.Customer || !tx.At.Equal(w.At) || !tx.Amount.Equal(w.Amount) {
					t.Fatalf("%d workers: row %d is %v, want %v", workers, i+1, tx, w)
				}
			}
		}
	}
}

// No goroutine outlives a stream, however it ends.
func TestParallelLeavesNothingBehind(t *testing.T) {
	text := logCSV(25_000, "customer,at,amount", bareRow)
	before := runtime.NumGoroutine()
	read := func(ctx context.Context, most int) (n int, last error) {
		defer func() {
			if recover() != nil {
				last = errors.New("panic")
			}
		}()
		for _, err := range ReadCSV(ctx, bytes.NewReader(text), &CSVOptions{Currency: "USD", Workers: 3}) {
			if last = err; err != nil {
				continue
			}
			if n++; n == most {
				return n, nil
			}
			if n == -most {
				panic("consumer")
			}
		}
		return n, last
	}
	if n, err := read(context.Background(), 9_000); n != 9_000 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if n, err := read(context.Background(), -9_000); n != 9_000 || err == nil || err.Error() != "panic" {
		t.Errorf("%d rows, %v", n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n, canceled := 0, 0
	for _, err := range ReadCSV(ctx, bytes.NewReader(text), &CSVOptions{Currency: "USD", Workers: 3}) {
		if err != nil {
			if !errors.Is(err, context.Canceled) || err.Error() != fmt.Sprintf("ledger: after row %d: context canceled", n) {
				t.Errorf("error %v after %d rows", err, n)
			}
			canceled++
			continue
		}
		if n++; n == 12_000 {
			cancel()
		}
	}
	if canceled != 1 || n > 12_000+progressRows {
		t.Errorf("%d rows and %d errors after cancellation at 12000", n, canceled)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// Where rows trickle in, each is passed on before the next one is read.
func TestParallelDoesNotWaitForMore(t *testing.T) {
	lines := strings.SplitAfter("customer,at,amount\n"+strings.Repeat("a,2025-01-01,1\n", 50), "\n")
	given, n := 0, 0
	source := readerFunc(func(b []byte) (int, error) {
		if lines[given] == "" {
			return 0, io.EOF
		}
		given++
		return copy(b, lines[given-1]), nil
	})
	c, err := (&CSVOptions{Currency: "USD"}).config()
	if err != nil {
		t.Fatal(err)
	}
	c.division = division{workers: 3, alone: 10, block: 1 << 10, trickle: 1 << 10}
	for _, err := range readDivided(context.Background(), source, c, nil, transactionSchema(), decodeTransaction) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; given != n+1 {
			t.Errorf("row %d came after %d lines were read", n, given)
		}
	}
	if n != 50 {
		t.Errorf("%d rows", n)
	}
}

func FuzzParallel(f *testing.F) {
	f.Add("a,2025-01-01,1,x\n\"b\",2025-01-01,2,\"\n\"\nc,2025-01-01,3,\"\"\"\"\n", uint8(1), uint8(5), uint8(3))
	f.Add("a,2025-01-01,1,\"x\nb,2025-01-01,2,y\"z\n\nc\n", uint8(2), uint8(9), uint8(0))
	f.Add(strings.Repeat("a,2025-01-01,1,5\" x\r\n", 9), uint8(3), uint8(30), uint8(50))
	f.Fuzz(func(t *testing.T, text string, alone, block, trickle uint8) {
		text = "customer,at,amount,product\n" + text
		o := &CSVOptions{Currency: "USD", MaxRow: 60}
		d := division{workers: 2, alone: int(alone % 8), block: 1 + int(block), trickle: int(trickle)}
		want := hear(t, strings.NewReader(text), o, oneWorker)
		if diff := cmp.Diff(want, hear(t, &stepReader{text: text, step: 40}, o, d)); diff != "" {
			t.Fatalf("%+v (-one +several):\n%s", d, diff)
		}
	})
}
