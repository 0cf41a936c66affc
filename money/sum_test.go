package money

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestSum(t *testing.T) {
	tests := []struct {
		name    string
		amounts []string
		want    string
	}{
		{"nothing", nil, "0"},
		{"one", []string{"1.5"}, "USD 1.50"},
		{"mixed scales", []string{"1.5", "0.125", "0.0005", "3"}, "USD 4.6255"},
		{"scale falls back", []string{"0.125", "0.375"}, "USD 0.50"},
		{"beyond int64", []string{"92233720368547758.07", "92233720368547758.07", "0.001"}, "USD 184467440737095516.141"},
		{"and back", []string{"92233720368547758.07", "92233720368547758.07", "-92233720368547758.07", "-92233720368547758.07"}, "USD 0.00"},
		{"wide", []string{"12345678901234567890.12", "-0.12", "1"}, "USD 12345678901234567891.00"},
		{"out of range and back", []string{"99999999999999999999999999999999999999", "1", "-1"}, "USD 99999999999999999999999999999999999999.00"},
		{"fine and large", []string{"92233720368547758.07", "0.0000000000000000000000000000001", "-92233720368547758.07"}, "USD 0.0000000000000000000000000000001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Sum{}
			for _, a := range tt.amounts {
				s.Add(MustParse(a, "USD"))
			}
			got, err := s.Total()
			check(t, got, err, tt.want)
		})
	}
}

// Any order and any division among workers gives the same total, which is that of exact arithmetic.
func TestSumOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		amounts := make([]Amount, r.IntN(40))
		want := new(big.Rat)
		for i := range amounts {
			if r.IntN(6) > 0 {
				amounts[i] = random(r, usd)
			}
			want.Add(want, rat(amounts[i]))
		}
		first, err1 := Total(amounts...)
		if err1 == nil && rat(first).Cmp(want) != 0 {
			t.Fatalf("total %v, want %s", first, want.FloatString(40))
		}
		if err1 != nil && !errors.Is(err1, ErrRange) {
			t.Fatal(err1)
		}
		r.Shuffle(len(amounts), func(i, j int) { amounts[i], amounts[j] = amounts[j], amounts[i] })
		var s, part Sum
		for _, a := range amounts {
			if r.IntN(2) == 0 {
				s.Add(a)
			} else {
				part.Add(a)
			}
		}
		s.Merge(part)
		second, err2 := s.Total()
		if first.String() != second.String() || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%v, %v in one order; %v, %v in another", first, err1, second, err2)
		}
		if err2 == nil {
			wellFormed(t, second)
		}
	}
}

func TestSumErrors(t *testing.T) {
	var s Sum
	s.Add(MustParse("1", "USD"))
	s.Add(Amount{})
	s.Add(MustParse("0", "EUR"))
	s.Add(MustParse("1", "GBP"))
	s.Add(MustParse("1", "USD"))
	want := "money: currencies differ: USD and EUR"
	if total, err := s.Total(); err == nil || err.Error() != want || !total.Equal(Amount{}) || s.Err() == nil {
		t.Errorf("Total() = %v, %v, want %s", total, err, want)
	}
	var mismatch *CurrencyMismatchError
	if !errors.As(s.Err(), &mismatch) || mismatch.A != "USD" || mismatch.B != "EUR" {
		t.Errorf("errors.As: %+v", mismatch)
	}
	var other Sum
	other.Add(MustParse("2", "USD"))
	other.Merge(s)
	if err := other.Err(); err == nil || err.Error() != want {
		t.Errorf("Merge: %v", err)
	}
	if _, err := Total(MustParse("99999999999999999999999999999999999999", "USD"), MustParse("1", "USD")); !errors.Is(err, ErrRange) {
		t.Errorf("Total: %v", err)
	}
}

// A copy of a sum goes its own way.
func TestSumCopy(t *testing.T) {
	var s Sum
	s.Add(MustParse("12345678901234567890.12", "USD"))
	c := s
	c.Add(MustParse("12345678901234567890.12", "USD"))
	got, err := s.Total()
	check(t, got, err, "USD 12345678901234567890.12")
	got, err = c.Total()
	check(t, got, err, "USD 24691357802469135780.24")
}

func TestSumAllocations(t *testing.T) {
	a, b := MustParse("12.50", "USD"), MustParse("0.125", "USD")
	if n := testing.AllocsPerRun(100, func() {
		var s Sum
		for range 100 {
			s.Add(a)
			s.Add(b)
		}
		sink, _ = s.Total()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
