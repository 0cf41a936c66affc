package clv

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestHeadOf(t *testing.T) {
	id := "0123456789abcdefXYZ"
	for n := range len(id) + 1 {
		var b [16]byte
		copy(b[:], id[:n])
		want := head{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
		if got := headOf(id[:n]); got != want {
			t.Errorf("head of %q is %x, want %x", id[:n], got, want)
		}
	}
}

// Ids of every length, some of which differ in their last byte or in zero bytes at the end only, are told apart, in all
// modes of reading, and come back as they were.
func TestSummarizeIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var ids []string
	for n := 1; n < 80; n++ {
		long := strings.Repeat("x", n)
		ids = append(ids, long, long[:n-1]+"y", long+"\x00")
	}
	ids = append(ids, strings.Repeat("long", 5000), strings.Repeat("long", 5000)+"!", strings.Repeat("k", 4096), strings.Repeat("k", 4097))
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var rows []ledger.Transaction
	for range 40 {
		for _, i := range r.Perm(len(ids)) {
			rows = append(rows, buy(ids[i], "2025-01-01", "1"), buy(strings.Clone(ids[i]), "2025-01-02", "2"))
		}
	}
	for _, n := range []int{len(rows) / 40, len(rows)} {
		for _, workers := range []int{1, 3} {
			hs := summarize(t, rows[:n], day("2025-01-31"), Day, &SummaryOptions{Workers: workers})
			var got []string
			for _, h := range hs.Rows {
				got = append(got, h.Customer)
				if want := usd(fmt.Sprint(2 * n / (2 * len(ids)))); !h.Spend.Equal(want) || h.X != 1 {
					t.Fatalf("%.20q: %v in %d, want %v in 1", h.Customer, h.Spend, h.X, want)
				}
			}
			if diff := cmp.Diff(ids, got); diff != "" {
				t.Errorf("%d rows, %d workers (-want +got):\n%s", n, workers, diff)
			}
		}
	}
}

// Sums leave the 64 bits of minor units, have fractions of a cent, or both, in any order and in parts.
func TestSummarizeAmountsOfAnySize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	amounts := []string{"92233720368547758.07", "92233720368547758.07", "92233720368547758.08", "0.001", "12345678901234567890.5", "0.25", "1", "0.0000000001",
		"-92233720368547758.08", "-92233720368547758.08", "-92233720368547758.07", "-0.5", "-0.0025"}
	end := day("2025-06-01")
	for range 200 {
		var rows []ledger.Transaction
		var first, other money.Sum
		start := day("2025-01-01").AddDate(0, 0, r.IntN(5))
		for range 1 + r.IntN(30) {
			at := start.AddDate(0, 0, r.IntN(4)-1)
			amount := usd(amounts[r.IntN(len(amounts))])
			if amount.Sign() >= 0 && at.Before(start) {
				at = start
			}
			if at.Equal(start) {
				first.Add(amount)
			} else {
				other.Add(amount)
			}
			rows = append(rows, ledger.Transaction{Customer: "c", At: at, Amount: amount})
		}
		rows = append(rows, buy("c", start.Format("2006-01-02"), "0"), buy("c", start.AddDate(0, 0, 9).Format("2006-01-02"), "0"))
		want, err := other.Total()
		if err != nil {
			t.Fatal(err)
		}
		var before *Histories
		for range 4 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			hs := summarize(t, rows, end, Week, nil)
			cut := r.IntN(len(rows))
			p, q := newPartial(t, nil, rows[:cut]...), newPartial(t, nil, rows[cut:]...)
			if err := p.Merge(copied(t, nil, q)); err != nil {
				t.Fatal(err)
			}
			if got := hs.Rows[0].Spend; !got.Equal(want) {
				t.Fatalf("spend %v, want %v: %v", got, want, rows)
			}
			if merged := histories(t, p, end); !reflect.DeepEqual(hs, merged) {
				t.Fatalf("(-whole +merged):\n%s", cmp.Diff(hs, merged, exact))
			}
			if before != nil && !reflect.DeepEqual(before, hs) {
				t.Fatalf("another order, other bits (-before +after):\n%s", cmp.Diff(before, hs, exact))
			}
			before = hs
		}
	}
}

// Sets of ticks are the same whatever the order and the number of ticks.
func TestTableTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tab := table[int32]{common: new(common)}
	want := map[int]map[int32]bool{}
	for i := range 12 { // lists of very different lengths grow side by side
		want[i] = map[int32]bool{}
	}
	for range 60_000 {
		i := min(r.IntN(12), r.IntN(12))
		at := r.Int32N(1<<(2*i)) - 1<<i
		id := fmt.Sprint("c", i)
		var b rows
		b.add(&entry{id: id, tick: int64(at)}, uint64(i))
		if err := tab.addAll(&b); err != nil {
			t.Fatal(err)
		}
		want[i][at] = true
	}
	for i := range 12 {
		n := tab.lookup(fmt.Sprint("c", i), uint32(i))
		a := tab.at(n)
		tab.sort(a)
		var days []int32
		for at := range want[i] {
			days = append(days, at)
		}
		slices.Sort(days)
		if diff := cmp.Diff(days, tab.list(a)); diff != "" {
			t.Errorf("customer %d (-want +got):\n%s", i, diff)
		}
		if a.start != days[0] {
			t.Errorf("customer %d starts on %d, want %d", i, a.start, days[0])
		}
	}
	if tab.lookup("c99", 99) >= 0 {
		t.Error("an account that is not there")
	}
}

// A sum of more digits than money has is an error of its row.
func TestSumBeyondRange(t *testing.T) {
	s := sum{exact: usd("0.0000000000000000000000000000000000001")}
	if err := s.add(sum{units: math.MaxInt64}); err == nil {
		t.Errorf("no error for a sum of 54 digits: %v", s)
	}
	p := newPartial(t, nil, ledger.Transaction{Customer: "a", At: day("2025-01-01"), Amount: usd("0.0000000000000000000000000000000000001")})
	if err := p.Add(buy("a", "2025-01-01", "92233720368547758.07")); err == nil || !strings.Contains(err.Error(), `clv: row 2: customer "a": `) {
		t.Errorf("error %v, want one of row 2", err)
	}
	if _, err := p.Histories(context.Background(), day("2025-01-31"), Week); err != nil {
		t.Error(err)
	}
}
