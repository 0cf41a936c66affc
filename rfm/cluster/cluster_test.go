package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/rfm"
)

// blobs returns n points around each of the centers, and which center each belongs to.
func blobs(r *rand.Rand, n int, centers ...[]float64) (points [][]float64, labels []int) {
	for i := range n * len(centers) {
		k := i % len(centers)
		p := make([]float64, len(centers[k]))
		for j := range p {
			p[j] = centers[k][j] + 0.3*r.NormFloat64()
		}
		points, labels = append(points, p), append(labels, k)
	}
	return points, labels
}

func TestKMeansFindsClusters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	points, labels := blobs(r, 1000, []float64{0, 9}, []float64{5, 5}, []float64{9, 0})
	got, err := KMeans(context.Background(), points, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(labels, got.Labels); diff != "" {
		t.Error("the clusters are not found, or not numbered by the last coordinate")
	}
	inertia := 0.0
	for i, p := range points {
		own := squared(p, got.Centers[got.Labels[i]])
		inertia += own
		for _, c := range got.Centers {
			if squared(p, c) < own {
				t.Fatalf("point %d is nearer to another center", i)
			}
		}
	}
	if math.Abs(inertia-got.Inertia) > 1e-9*inertia || !got.Converged || slices.Min(got.Sizes) != 1000 {
		t.Errorf("inertia %v, want %v; converged %t, sizes %v", got.Inertia, inertia, got.Converged, got.Sizes)
	}
	best, choices, err := Choose(context.Background(), points, 2, 6, &Options{Restarts: 3})
	if err != nil || len(best.Sizes) != 3 || len(choices) != 5 {
		t.Errorf("chose %d of %v: %v", len(best.Sizes), choices, err)
	}
}

// With k points the inertia is 0; with one cluster it is the sum of squares about the mean.
func TestKMeansLimits(t *testing.T) {
	points := [][]float64{{0, 0}, {2, 0}, {0, 2}, {4, 6}}
	one, err := KMeans(context.Background(), points, 1, nil)
	if err != nil || one.Inertia != 35 || !cmp.Equal(one.Centers, [][]float64{{1.5, 2}}) { // 11 about 1.5 and 24 about 2
		t.Errorf("one cluster: %+v, %v", one, err)
	}
	all, err := KMeans(context.Background(), points, 4, nil)
	if err != nil || all.Inertia != 0 || !cmp.Equal(all.Sizes, []int{1, 1, 1, 1}) {
		t.Errorf("four clusters: %+v, %v", all, err)
	}
	twice, err := KMeans(context.Background(), [][]float64{{1}, {1}, {1}, {5}}, 2, nil)
	if err != nil || !cmp.Equal(twice.Sizes, []int{1, 3}) {
		t.Errorf("equal points: %+v, %v", twice, err)
	}
}

func TestKMeansWorkersAndSeed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	points := make([][]float64, 9000)
	for i := range points {
		points[i] = []float64{r.ExpFloat64(), r.NormFloat64(), r.Float64()}
	}
	var want *Result
	for _, workers := range []int{1, 2, 7} {
		got, err := KMeans(context.Background(), points, 6, &Options{Seed: 5, Restarts: 2, MaxIter: 15, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d workers (-want +got)\n%s", workers, diff)
		}
	}
}

func TestSilhouetteGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/silhouette.json").Rows {
		var points [][]float64
		var labels []int
		for i := range int(row.Args["n"]) {
			points = append(points, []float64{float64(row.Args[fmt.Sprint("x", i)]), float64(row.Args[fmt.Sprint("y", i)])})
			labels = append(labels, 7*int(row.Args[fmt.Sprint("label", i)]))
		}
		got, err := Silhouette(context.Background(), points, labels, 0)
		if err != nil {
			t.Fatal(err)
		}
		row.Check(t, "silhouette", got)
	}
}

func TestScale(t *testing.T) {
	points := [][]float64{{1, 10, 7}, {2, 20, 7}, {3, 60, 7}}
	sd := math.Sqrt(1400.0 / 3) // of 10, 20, 60 about 30
	for _, tt := range []struct {
		s    Scaling
		want []float64 // the second column; the third is 0 unless unscaled
	}{
		{Standard, []float64{-20 / sd, -10 / sd, 30 / sd}},
		{MinMax, []float64{0, 0.2, 1}},
		{Robust, []float64{-0.4, 0, 1.6}}, // quartiles 15 and 40
		{Unscaled, []float64{10, 20, 60}},
	} {
		got, err := Scale(points, tt.s)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range tt.want {
			if !golden.Close(got[i][1], want, 1e-14) {
				t.Errorf("%s: got %v, want %v", tt.s, got[i][1], want)
			}
			if tt.s != Unscaled && got[i][2] != 0 {
				t.Errorf("%s: a constant column became %v", tt.s, got[i][2])
			}
		}
	}
	if points[0][1] != 10 {
		t.Error("the points were modified")
	}
	a, _ := Scale([][]float64{{1}, {10}, {200}}, LogStandard)
	b, _ := Scale([][]float64{{100}, {1000}, {20000}}, LogStandard)
	for i := range a {
		if !golden.Close(a[i][0], b[i][0], 1e-13) {
			t.Errorf("the unit changes the scaled value: %v and %v", a[i], b[i])
		}
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	good := [][]float64{{1, 2}, {3, 4}}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, tt := range []struct {
		name string
		call func() error
		want string
	}{
		{"no points", func() error { _, err := KMeans(ctx, nil, 2, nil); return err }, "cluster: no points"},
		{"ragged", func() error { _, err := KMeans(ctx, [][]float64{{1, 2}, {3}}, 2, nil); return err }, "cluster: point 2 has 1 coordinates, the first has 2"},
		{"NaN", func() error { _, err := KMeans(ctx, [][]float64{{1, math.NaN()}}, 1, nil); return err }, "cluster: point 1: coordinate 2: NaN: not a finite number of at most 1e150"},
		{"no clusters", func() error { _, err := KMeans(ctx, good, 0, nil); return err }, "cluster: 0 clusters: want at least 1"},
		{"too many", func() error { _, err := KMeans(ctx, [][]float64{{1}, {1}, {2}}, 3, nil); return err }, "cluster: 3 clusters of 2 distinct points"},
		{"options", func() error { _, err := KMeans(ctx, good, 1, &Options{Restarts: -1, Workers: 2}); return err }, "cluster: -1 restarts, 300 iterations, 2 workers: want 0 for the defaults or more"},
		{"one cluster", func() error { _, err := Silhouette(ctx, good, []int{1, 1}, 0); return err }, "cluster: silhouette of 1 cluster: want at least 2"},
		{"labels", func() error { _, err := Silhouette(ctx, good, []int{1}, 0); return err }, "cluster: 1 labels for 2 points"},
		{"range of k", func() error { _, _, err := Choose(ctx, good, 1, 3, nil); return err }, "cluster: choose among 1 to 3 clusters: want 2 or more, rising, at most 1000"},
		{"scaling", func() error { _, err := Scale(good, 9); return err }, `cluster: scaling 9: not one of ["log standard" "standard" "robust" "min-max" "unscaled"]`},
		{"no rows", func() error { _, err := Label(ctx, &rfm.Table{}, nil); return err }, "cluster: the table has no rows"},
		{"canceled", func() error { _, err := KMeans(canceled, good, 1, nil); return err }, "cluster: context canceled"},
	} {
		err := tt.call()
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func shop(r *rand.Rand) []ledger.Transaction {
	var log []ledger.Transaction
	end := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	for c := range 400 {
		orders, from, cents := 1, 300, int64(2000)
		if c%4 == 0 {
			orders, from, cents = 12, 60, 15000
		}
		for range orders {
			a, _ := money.FromMinor(cents+r.Int64N(cents/4), "EUR")
			log = append(log, ledger.Transaction{Customer: fmt.Sprintf("c%03d", c), At: end.AddDate(0, 0, -r.IntN(from)), Amount: a})
		}
	}
	return log
}

func TestLabel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	log := shop(r)
	end := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	label := func(log []ledger.Transaction) *Labels {
		table, err := rfm.Analyze(context.Background(), ledger.Transactions(log), end, nil)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Label(context.Background(), table, nil)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := label(log)
	for _, c := range l.Customers {
		var n int
		if _, err := fmt.Sscanf(c.Customer, "c%d", &n); err != nil {
			t.Fatal(err)
		}
		if want := 1 + min(n%4, 1); c.Cluster != want {
			t.Fatalf("%s is in cluster %d, want %d", c.Customer, c.Cluster, want)
		}
	}
	r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	if diff := cmp.Diff(l, label(log)); diff != "" {
		t.Errorf("the order of the rows changes the labels (-want +got)\n%s", diff)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var back Labels
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, &back); diff != "" {
		t.Errorf("JSON (-want +got)\n%s", diff)
	}
	var b bytes.Buffer
	if err := l.WriteCSV(&b); err != nil || !bytes.HasPrefix(b.Bytes(), []byte("customer,cluster\nc000,1\nc001,2\n")) {
		t.Errorf("CSV begins %.40q, %v", b.String(), err)
	}
	if l.Map()["c001"] != "cluster 2" {
		t.Errorf("Map: %q", l.Map()["c001"])
	}
}

func BenchmarkKMeans(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1e3, 1e5} {
		points := make([][]float64, n)
		for i := range points {
			points[i] = []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		}
		b.Run(fmt.Sprintf("points=%.0e", float64(n)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := KMeans(context.Background(), points, 5, &Options{Restarts: 1, MaxIter: 20}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "points/s")
		})
	}
}
