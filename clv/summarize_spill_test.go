package clv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// spillLog is a log of many purchase days, of long ids and amounts of every size, and of early refunds.
func spillLog(r *rand.Rand, rows int) []ledger.Transaction {
	log := shopLog(r, 700, rows)
	for i := range log {
		switch r.IntN(300) {
		case 0:
			log[i].Amount = money.MustParse("0.00125", "USD")
		case 1:
			log[i].Amount = money.MustParse("92233720368547758.07", "USD")
		case 2:
			log[i].Amount = money.Amount{}
		}
		if n := r.IntN(700); n < 100 {
			log[i].Customer = fmt.Sprintf("customer number %d with a long id", n)
		}
	}
	return log
}

func leftIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSpillGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	log, end := spillLog(r, 40_000), day("2025-03-20")
	for _, grain := range []Granularity{ByDay, ByInstant} {
		want := summarize(t, log, end, Week, &SummaryOptions{Granularity: grain})
		for _, workers := range []int{1, 2, 7} {
			dir := t.TempDir()
			o := &SummaryOptions{Granularity: grain, Workers: workers, MaxBytes: 300_000, SpillDir: dir}
			got := summarize(t, log, end, Week, o)
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%v, %d workers (-in memory +spilled):\n%s", grain, workers, cmp.Diff(want, got, exact))
			}
			logs := make([]iter.Seq2[ledger.Transaction, error], 5)
			for i := range logs {
				logs[i] = ledger.Transactions(log[i*len(log)/5 : (i+1)*len(log)/5])
			}
			got, err := SummarizeAll(context.Background(), logs, end, Week, o)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%v, %d workers, five logs (-in memory +spilled):\n%s", grain, workers, cmp.Diff(want, got, exact))
			}
			if files := leftIn(t, dir); len(files) > 0 {
				t.Errorf("left behind: %q", files)
			}
			o.SpillDir = ""
			if _, err := Summarize(context.Background(), ledger.Transactions(log), end, Week, o); !errors.Is(err, ErrMemory) {
				t.Errorf("error %v, want ErrMemory without a SpillDir", err)
			}
		}
	}
	enough := &SummaryOptions{MaxBytes: 1 << 30, SpillDir: t.TempDir()}
	if want, got := summarize(t, log, end, Week, nil), summarize(t, log, end, Week, enough); !reflect.DeepEqual(want, got) {
		t.Error("other bits with a limit that is not reached")
	}
}

// A faultyFile keeps what is written in memory and fails as it is told.
type faultyFile struct {
	data   []byte
	room   int // bytes that can be written
	damage bool
	open   *int
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if len(b) > f.room {
		return 0, &os.PathError{Op: "write", Path: "x.spill", Err: syscall.ENOSPC}
	}
	f.room -= len(b)
	f.data = append(f.data, b...)
	return len(b), nil
}

func (f *faultyFile) ReadAt(b []byte, from int64) (int, error) {
	n := copy(b, f.data[from:])
	if f.damage {
		b[n/2] ^= 1
	}
	if n < len(b) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (f *faultyFile) Close() error {
	*f.open--
	return nil
}

func TestSpillErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	log, end := spillLog(r, 20_000), day("2025-03-20")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    SummaryOptions
		want string
	}{
		{SummaryOptions{SpillDir: "/no such directory"}, "clv: SpillDir: stat /no such directory: no such file or directory"},
		{SummaryOptions{SpillDir: file}, "clv: SpillDir: " + file + " is no directory"},
		{SummaryOptions{SpillDir: t.TempDir(), Ordered: true}, "clv: SpillDir with Ordered or MatchOrders: they do not keep what could be spilled"},
		{SummaryOptions{SpillDir: t.TempDir(), MatchOrders: true}, "clv: SpillDir with Ordered or MatchOrders: they do not keep what could be spilled"},
		{SummaryOptions{SpillDir: t.TempDir(), MaxBytes: 20_000}, "clv: out of the memory allowed: the Histories of the customers so far and the part that is being merged need "},
	} {
		if _, err := Summarize(context.Background(), ledger.Transactions(log), end, Week, &c.o); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	for _, c := range []struct {
		file faultyFile
		err  error // of the creation
		want string
	}{
		{faultyFile{room: 10_000}, nil, "clv: SpillDir: write x.spill: no space left on device"},
		{faultyFile{room: 1 << 30, damage: true}, nil, "clv: SpillDir: damaged: the checksum is wrong"},
		{faultyFile{}, os.ErrPermission, "clv: SpillDir: permission denied"},
		{faultyFile{room: 1 << 30}, nil, ""},
	} {
		for _, workers := range []int{1, 3} {
			o, err := (&SummaryOptions{Workers: workers, MaxBytes: 300_000}).withDefaults(end)
			if err != nil {
				t.Fatal(err)
			}
			p, err := o.partial(end)
			if err != nil {
				t.Fatal(err)
			}
			open := 0
			s := &spill{create: func() (spillFile, error) {
				if c.err != nil {
					return nil, c.err
				}
				open++
				f := c.file
				f.open = &open
				return &f, nil
			}}
			if err = p.readWith(context.Background(), ledger.Transactions(log), s, o); err == nil {
				_, err = p.merged(context.Background(), s, end, Week, workers)
			}
			s.close()
			if err != nil && err.Error() != c.want || err == nil && c.want != "" {
				t.Errorf("%d workers: error %v, want %s", workers, err, c.want)
			}
			if open != 0 {
				t.Errorf("%d files are open", open)
			}
		}
	}
}

// However a call ends, its files and goroutines end with it.
func TestSpillLeavesNothingBehind(t *testing.T) {
	dir, before := t.TempDir(), runtime.NumGoroutine()
	log := spillLog(rand.New(rand.NewPCG(1, 2)), 40_000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, at35000 := range map[string]func(){"canceled": cancel, "panic": func() { panic("reader") }} {
		t.Run(name, func(t *testing.T) {
			defer func() { _ = recover() }()
			stream := func(yield func(ledger.Transaction, error) bool) {
				for i, tx := range log {
					if i == 35_000 {
						at35000()
					}
					if !yield(tx, nil) {
						return
					}
				}
			}
			_, err := Summarize(ctx, stream, day("2025-03-20"), Week, &SummaryOptions{MaxBytes: 200_000, SpillDir: dir, Workers: 3})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
	if files := leftIn(t, dir); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func ExampleSummaryOptions_spill() {
	dir, err := os.MkdirTemp("", "summary")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	log := func(yield func(ledger.Transaction, error) bool) { // 1,000 customers buy on each day of a year
		for i := range 365_000 {
			tx := ledger.Transaction{Customer: fmt.Sprint("customer ", i%1000), At: time.Date(2025, 1, 1+i/1000, 0, 0, 0, 0, time.UTC), Amount: money.MustParse("5", "USD")}
			if !yield(tx, nil) {
				return
			}
		}
	}
	hs, err := Summarize(context.Background(), log, time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), Week, &SummaryOptions{MaxBytes: 1 << 20, SpillDir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(hs.Rows), "customers", hs.Report.Purchases, "purchases")
	// Output: 1000 customers 365000 purchases
}

// BenchmarkSummarizeSpilled has some 90 distinct days a customer, with memory for a fifth of them and for all.
func BenchmarkSummarizeSpilled(b *testing.B) {
	rows := benchLog(20_000, 100)
	for _, bb := range []struct {
		name  string
		limit int64
	}{{"spilled", 4 << 20}, {"memory", 0}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Summarize(context.Background(), ledger.Transactions(rows), day("2025-12-31"), Week, &SummaryOptions{MaxBytes: bb.limit, SpillDir: b.TempDir()}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
