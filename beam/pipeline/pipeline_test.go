package pipeline

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()                                    // which sets up logging
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a failing pipeline tells its error to the caller
	os.Exit(m.Run())
}

const sampleShop = "../../examples/sample/shop.csv"

var (
	sampleEnd = time.Date(2025, time.June, 30, 0, 0, 0, 0, time.UTC)
	annual    = clv.ValueOptions{Margin: 0.30, Horizon: 52, Discount: clv.Annual(0.10)}
)

func readLog(t testing.TB, name string, o *ledger.CSVOptions) []ledger.Transaction {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := ledger.Collect(ledger.ReadCSV(context.Background(), f, o))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// testShop makes about 100,000 orders.
func testShop(customers int) Shop {
	return Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 6, A: 0.8, B: 2.5}, Spend: clv.GammaGamma{P: 6, Q: 4, Gamma: 20}, Unit: clv.Week,
		Customers: customers, Start: time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC),
		End: time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC), Currency: "EUR", Seed: 1,
	}
}

// writeLog writes orders to files, row by row in turn, so that a customer's orders are in all of them.
func writeLog(t testing.TB, rows []ledger.Transaction, parts int) (glob string) {
	t.Helper()
	dir := t.TempDir()
	texts := make([]bytes.Buffer, parts)
	for i := range texts {
		texts[i].WriteString("customer,at,amount,currency\n")
	}
	for i, tx := range rows {
		w := csv.NewWriter(&texts[i%parts])
		record := []string{tx.Customer, tx.At.Format(time.RFC3339Nano), tx.Amount.Number(), string(tx.Amount.Currency())}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
		w.Flush()
	}
	for i := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("orders-%d.csv", i)), texts[i].Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "*.csv")
}

// inMemory is the same run without an engine.
type inMemory struct {
	histories *clv.Histories
	partial   []byte
	purchases *fit.Estimate[clv.BGNBD]
	spend     *fit.Estimate[clv.GammaGamma]
	scores    clv.Scores
}

func compute(t testing.TB, rows []ledger.Transaction, end time.Time) inMemory {
	t.Helper()
	ctx := context.Background()
	var m inMemory
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m.histories, err = clv.Summarize(ctx, ledger.Transactions(rows), end, clv.Week, nil)
	check()
	p, err := clv.NewPartial(&clv.PartialOptions{Location: end.Location(), End: end})
	check()
	for _, tx := range rows {
		err = p.Add(tx)
		check()
	}
	m.partial, err = p.MarshalBinary()
	check()
	m.purchases, err = clv.FitBGNBD(ctx, m.histories, nil)
	check()
	m.spend, err = clv.FitGammaGamma(ctx, m.histories, nil)
	check()
	s, err := clv.FitScorer(ctx, m.histories, annual)
	check()
	m.scores, err = s.Top(m.histories, len(m.histories.Rows))
	check()
	return m
}

// read merges the summaries that a run has written.
func read(t testing.TB, dir string) *clv.Partial {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "summary-*.cvp"))
	if err != nil || len(names) == 0 {
		t.Fatalf("summaries %v, error %v", names, err)
	}
	var all clv.Partial
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var p clv.Partial
		if err := p.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if err := all.Merge(&p); err != nil {
			t.Fatal(err)
		}
	}
	return &all
}

// readScores reads the files of scores as text by customer.
func readScores(t testing.TB, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "scores-*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		addScores(t, got, string(text))
	}
	return got
}

func addScores(t testing.TB, to map[string]string, text string) {
	t.Helper()
	header, lines, _ := strings.Cut(text, "\n")
	if header != "customer,prob_alive,purchases,value,currency" {
		t.Fatalf("header %q", header)
	}
	for line := range strings.Lines(lines) {
		id, rest, _ := strings.Cut(line, ",")
		if _, ok := to[id]; ok {
			t.Fatalf("customer %s twice", id)
		}
		to[id] = rest
	}
}

// compare holds a run against the same in memory, to the last bit.
func compare(t *testing.T, r *Result, dir string, o Options, want inMemory) {
	t.Helper()
	all := read(t, dir)
	data, err := all.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want.partial) {
		t.Error("the summaries together are not the summary in memory")
	}
	hs, err := all.Histories(context.Background(), o.End, clv.Week)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.histories, hs); diff != "" {
		t.Errorf("histories (-memory +engine):\n%s", diff)
	}
	distinct, spends := map[[3]float64]bool{}, map[string]bool{}
	for _, h := range want.histories.Rows {
		distinct[[3]float64{float64(h.X), h.TX, h.T}] = true
		spends[fmt.Sprint(h.X, h.Spend)] = true
	}
	if r.Histories != len(distinct) || r.Spends != len(spends) {
		t.Errorf("%d histories and %d spends reached the fits, want %d and %d", r.Histories, r.Spends, len(distinct), len(spends))
	}
	if diff := cmp.Diff(want.histories.Report, r.Report); diff != "" {
		t.Errorf("report (-memory +engine):\n%s", diff)
	}
	if diff := cmp.Diff(want.purchases, r.Purchases); diff != "" {
		t.Errorf("purchases (-memory +engine):\n%s", diff)
	}
	if diff := cmp.Diff(want.spend, r.Spend); diff != "" {
		t.Errorf("spend (-memory +engine):\n%s", diff)
	}
	var text bytes.Buffer
	if err := want.scores.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	scores := map[string]string{}
	addScores(t, scores, text.String())
	if diff := cmp.Diff(scores, readScores(t, dir)); diff != "" {
		t.Errorf("scores (-memory +engine):\n%s", diff)
	}
}

// TestSampleShop runs the log of the sample shop, refunds and all, in one and in several files and shards.
func TestSampleShop(t *testing.T) {
	rows := readLog(t, sampleShop, &ledger.CSVOptions{Currency: "USD"})
	want := compute(t, rows, sampleEnd)
	if want.histories.Report.Refunds == 0 || want.histories.Report.AfterEnd == 0 {
		t.Fatalf("the sample has lost its refunds or its later orders: %+v", want.histories.Report)
	}
	for _, tt := range []struct{ files, shards int }{{1, 1}, {1, 7}, {5, 1}, {5, 64}} {
		t.Run(fmt.Sprintf("files=%d/shards=%d", tt.files, tt.shards), func(t *testing.T) {
			job := &Job{Options: Options{End: sampleEnd, Shards: tt.shards}, Orders: sampleShop,
				Format: Format{Currency: "USD"}, Value: annual, Out: t.TempDir()}
			if tt.files > 1 {
				job.Orders = writeLog(t, rows, tt.files)
			}
			r, err := Run(context.Background(), job)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, r, job.Out, job.Options, want)
		})
	}
}

// TestHundredThousandOrders runs a simulated log from files and from the simulation, and once in two days: the summaries
// of the first half and the orders of the second.
func TestHundredThousandOrders(t *testing.T) {
	shop := testShop(30_000)
	rows, err := ledger.Collect(shop.shop(0, shop.Customers).Orders(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 100_000 {
		t.Fatalf("%d orders, want 100,000", len(rows))
	}
	want := compute(t, rows, shop.End)
	run := func(t *testing.T, job Job) (string, *Result) {
		t.Helper()
		job.End, job.Value, job.Out = shop.End, annual, t.TempDir()
		r, err := Run(context.Background(), &job)
		if err != nil {
			t.Fatal(err)
		}
		return job.Out, r
	}
	whole := func(t *testing.T, job Job) {
		t.Helper()
		out, r := run(t, job)
		compare(t, r, out, Options{End: shop.End}, want)
	}
	t.Run("simulated", func(t *testing.T) { whole(t, Job{Shop: &shop}) })
	t.Run("files", func(t *testing.T) { whole(t, Job{Orders: writeLog(t, rows, 8), Options: Options{Shards: 13}}) })
	t.Run("two days", func(t *testing.T) {
		glob := writeLog(t, rows, 2)
		first, _ := run(t, Job{Orders: strings.Replace(glob, "*", "orders-0", 1)})
		whole(t, Job{Orders: strings.Replace(glob, "*", "orders-1", 1), Before: filepath.Join(first, "summary-*")})
	})
}

// TestRefuses holds what a failing run says. The engine adds lines of its own around it.
func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	header := "customer,at,amount,currency\n"
	good := header + "ada,2025-01-01,10,USD\nada,2025-01-09,12,USD\n"
	o := Options{End: sampleEnd, Shards: 3}
	write("good-1.csv", good)
	bad := write("good-2.csv", header+"ada,2025-01-01,10,USD\nbob,2025-01-02,1O,USD\n")
	empty := write("nobody.csv", header+"ada,2025-01-01,10,USD\n,2025-01-02,10,USD\n")
	mixed := write("mixed.csv", header+"ada,2025-01-01,10,USD\nbob,2025-01-02,10,EUR\n")
	write("euro-1.csv", good)
	write("euro-2.csv", strings.ReplaceAll(good, "USD", "EUR"))
	write("none.csv", header)
	odd := write("summary-00001-of-00009.cvp", "")
	damaged := write("summary-00001-of-00003.cvp", "cvp")
	for _, tt := range []struct {
		name string
		job  Job
		want string
	}{
		{"no out", Job{}, "pipeline: no directory for the results"},
		{"no orders", Job{Out: dir, Options: o}, "pipeline: no order files"},
		{"no end", Job{Out: dir, Orders: "x"}, "pipeline: no end of observation"},
		{"shards", Job{Out: dir, Orders: "x", Options: Options{End: sampleEnd, Shards: 2001}}, "pipeline: 2001 shards: want 1 to 2000"},
		{"local", Job{Out: dir, Orders: "x", Options: Options{End: sampleEnd, Location: "Local"}},
			"pipeline: location Local: it is another one on every machine; name it, such as Europe/Istanbul"},
		{"comma", Job{Out: dir, Orders: "x", Options: o, Format: Format{Comma: ";;"}}, `pipeline: Comma ";;": want one character`},
		{"margin", Job{Out: dir, Orders: "x", Options: o}, "clv: margin 0: want a share above 0 and up to 1, 0.30 for 30 %"},
		{"both", Job{Out: dir, Orders: "x", Shop: &Shop{}, Options: o}, "pipeline: Orders and Shop exclude each other"},
		{"no file", Job{Orders: filepath.Join(dir, "missing*")}, `no files matching pattern "` + filepath.Join(dir, "missing*") + `"`},
		{"row", Job{Orders: filepath.Join(dir, "good-*.csv")},
			`pipeline: file ` + bad + `: ledger: row 2: field "amount": value "1O": `},
		{"nobody", Job{Orders: empty}, `pipeline: file ` + empty + `: ledger: row 2: field "customer": `},
		{"two currencies in a file", Job{Orders: mixed},
			`pipeline: file ` + mixed + `: ledger: row 2: field "amount": value "EUR 10.00": `},
		{"two currencies", Job{Orders: filepath.Join(dir, "euro-*.csv")}, "EUR"},
		{"another currency than the format's", Job{Orders: mixed, Format: Format{Currency: "EUR"}},
			`pipeline: file ` + mixed + `: ledger: row 1: field "amount": value "USD 10.00": `},
		{"no rows", Job{Orders: filepath.Join(dir, "none.csv")}, "clv: no histories"},
		{"other shards", Job{Orders: filepath.Join(dir, "good-1.csv"), Before: odd}, "pipeline: file " + odd + ": of 9 shards: want 3"},
		{"damaged", Job{Orders: filepath.Join(dir, "good-1.csv"), Before: damaged}, "pipeline: file " + damaged + ": clv: summary: not a summary"},
		{"no summary", Job{Orders: filepath.Join(dir, "good-1.csv"), Before: mixed}, "pipeline: file " + mixed + ": want a name such as summary-00000-of-00003.cvp"},
		{"memory", Job{Orders: filepath.Join(dir, "good-1.csv"), Options: Options{MaxBytes: 1}}, "out of the memory allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.job.Out == "" && tt.name != "no out" {
				tt.job.Out, tt.job.Value, tt.job.End, tt.job.Shards = t.TempDir(), annual, o.End, o.Shards
			}
			r, err := Run(context.Background(), &tt.job)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("result %v, error %v\nwant one with %s", r, err, tt.want)
			}
		})
	}
}

// TestCancel ends a run that would take hours.
func TestCancel(t *testing.T) {
	shop := testShop(1_000_000_000)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := Run(ctx, &Job{Options: Options{End: shop.End}, Shop: &shop, Value: annual, Out: t.TempDir()})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want context.DeadlineExceeded", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("stopped after %v", d)
	}
	stacks := make([]byte, 1<<22)
	for working := true; working; time.Sleep(10 * time.Millisecond) { // until go test loses patience
		working = bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("simulateFn).ProcessElement"))
	}
}
