package risk

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// benchLogistic draws customers with ten covariates that matter.
func benchLogistic(n int) ([]bool, *Design) {
	r := rand.New(rand.NewPCG(1, 2))
	var covariates []Covariate
	eta := make([]float64, n)
	for i := range eta {
		eta[i] = -1
	}
	for j := range 10 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
			eta[i] += .1 * float64(j) * x[i]
		}
		covariates = append(covariates, Numeric(fmt.Sprint("x", j), x))
	}
	left := make([]bool, n)
	for i := range left {
		left[i] = r.Float64() < sigmoid(eta[i])
	}
	d, err := NewDesign(covariates...)
	if err != nil {
		panic(err)
	}
	return left, d
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkLogistic(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			left, d := benchLogistic(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FitLogistic(context.Background(), left, d, nil); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, n)
		})
	}
}

func BenchmarkHazard(b *testing.B) {
	for _, n := range []int{1e3, 1e5} {
		for _, o := range []HazardOptions{{Cuts: []int{4, 7, 13}}, {Baseline: LogAge, Link: CloglogLink}} {
			b.Run(fmt.Sprint(o.Baseline, "/", n), func(b *testing.B) {
				_, d := benchLogistic(n)
				r := rand.New(rand.NewPCG(3, 4))
				ts := make([]ledger.Tenure, n)
				for i := range ts {
					life, end := r.ExpFloat64()*15, 24*r.Float64()
					ts[i] = ledger.Tenure{Duration: min(life, end), Ended: life <= end}
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := FitHazard(context.Background(), ts, d, &o); err != nil {
						b.Fatal(err)
					}
				}
				perSecond(b, n)
			})
		}
	}
}

func benchScores(n int) ([]float64, []bool) {
	r := rand.New(rand.NewPCG(1, 2))
	scores, left := make([]float64, n), make([]bool, n)
	for i := range scores {
		scores[i] = r.Float64()
		left[i] = r.Float64() < scores[i]*scores[i]
	}
	return scores, left
}

func BenchmarkAUC(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			scores, left := benchScores(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := AUC(scores, left); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, n)
		})
	}
}

func BenchmarkExpectedMaxProfit(b *testing.B) {
	scores, left := benchScores(1e6)
	r := mustRank(b, scores, left, nil)
	c := telecom(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ExpectedMaxProfit(c, TelecomAcceptance()); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, 1e6)
}

func BenchmarkCalibration(b *testing.B) {
	scores, left := benchScores(1e6)
	b.ReportAllocs()
	for b.Loop() {
		f, err := NewForecast(scores, left, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Calibration(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, 1e6)
}

func BenchmarkIsotonic(b *testing.B) {
	scores, left := benchScores(1e6)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FitIsotonic(scores, left, nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, 1e6)
}

func BenchmarkContacts(b *testing.B) {
	scores, _ := benchScores(1e5)
	ps := make([]Prospect, len(scores))
	for i, s := range scores {
		a, err := money.FromFloat(math.Round(s*100)/2, "EUR", money.HalfEven)
		if err != nil {
			b.Fatal(err)
		}
		ps[i] = Prospect{Customer: strconv.Itoa(i), Risk: s, Value: a}
	}
	o := ContactOptions{Contact: eur("1"), Incentive: eur("2"), Accept: .3}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Contacts(ps, o); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, len(ps))
}
