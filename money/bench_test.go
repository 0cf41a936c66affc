package money

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
)

// million returns amounts of two digits and the same as decimals.
func million() ([]Amount, []decimal.Decimal) {
	const n = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	amounts, decimals := make([]Amount, n), make([]decimal.Decimal, n)
	for i := range n {
		cents := r.Int64N(100_000) - 5_000
		amounts[i] = Amount{coef: cents, meta: usd.withScale(2)}
		decimals[i] = decimal.New(cents, -2)
	}
	return amounts, decimals
}

var usd, _ = lookup("USD")

func BenchmarkSumMillion(b *testing.B) {
	amounts, decimals := million()
	b.Run("Sum", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s Sum
			for _, a := range amounts {
				s.Add(a)
			}
			if _, err := s.Total(); err != nil {
				b.Fatal(err)
			}
		}
		rows(b, len(amounts))
	})
	b.Run("Amount.Add", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var total Amount
			for _, a := range amounts {
				total, _ = total.Add(a)
			}
		}
		rows(b, len(amounts))
	})
	b.Run("decimal.Add", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var total decimal.Decimal
			for _, d := range decimals {
				total = total.Add(d)
			}
		}
		rows(b, len(decimals))
	})
}

func rows(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

var sink Amount

func BenchmarkAdd(b *testing.B) {
	x, y, fine := MustParse("12.50", "USD"), MustParse("0.99", "USD"), MustParse("0.125", "USD")
	big := MustParse("12345678901234567890.12", "USD")
	b.Run("same-scale", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink, _ = x.Add(y)
		}
	})
	b.Run("mixed-scale", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink, _ = x.Add(fine)
		}
	})
	b.Run("beyond-int64", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink, _ = big.Add(y)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = Parse("12345.67", "USD")
	}
	rows(b, 1)
}

func BenchmarkParseHostile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("1e1000000000", "USD"); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkFromFloat(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = FromFloat(1234.5678912345, "USD", HalfEven)
	}
	rows(b, 1)
}

func BenchmarkFloat64(b *testing.B) {
	a := MustParse("12345.67", "USD")
	b.ReportAllocs()
	f := 0.0
	for b.Loop() {
		f += a.Float64()
	}
	_ = f
}

func BenchmarkMulRat(b *testing.B) {
	a := MustParse("12345.67", "USD")
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = a.MulRat(17, 31, HalfEven)
	}
}

func BenchmarkMul(b *testing.B) {
	a, d := MustParse("12345.67", "USD"), decimal.New(3, -1)
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = a.Mul(d)
	}
}

func BenchmarkDiv(b *testing.B) {
	a, d := MustParse("12345.67", "USD"), decimal.New(7, 0)
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = a.Div(d, HalfEven)
	}
}

func BenchmarkRound(b *testing.B) {
	a := MustParse("12345.67891", "USD")
	b.ReportAllocs()
	for b.Loop() {
		sink = a.Round(HalfEven)
	}
}

func BenchmarkCmp(b *testing.B) {
	x, y := MustParse("12345.67", "USD"), MustParse("12345.678", "USD")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		c, _ := x.Cmp(y)
		n += c
	}
	_ = n
}

func BenchmarkString(b *testing.B) {
	a := MustParse("12345.67", "USD")
	b.ReportAllocs()
	for b.Loop() {
		_ = a.String()
	}
}

func BenchmarkMarshalJSON(b *testing.B) {
	a := MustParse("12345.67", "USD")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshalJSON(b *testing.B) {
	data := []byte(`{"amount":"12345.67","currency":"USD"}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := sink.UnmarshalJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAllocate(b *testing.B) {
	a := MustParse("12345.67", "USD")
	b.Run("3", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Allocate(50, 25, 26); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("1000", func(b *testing.B) {
		weights := make([]int64, 1000)
		for i := range weights {
			weights[i] = int64(i*i + 1)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Allocate(weights...); err != nil {
				b.Fatal(err)
			}
		}
		rows(b, len(weights))
	})
}
