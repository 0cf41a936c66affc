package special

import (
	"math"
	"testing"
)

var sink float64

// BenchmarkFunctions times one call at arguments typical for a customer.
func BenchmarkFunctions(b *testing.B) {
	for _, bm := range []struct {
		name string
		f    func() float64
	}{
		{"Digamma/0.24", func() float64 { return Digamma(0.24) }},
		{"Digamma/5.3", func() float64 { return Digamma(5.3) }},
		{"Digamma/40", func() float64 { return Digamma(40.2) }},
		{"Trigamma/0.24", func() float64 { return Trigamma(0.24) }},
		{"LogGammaRatio/x=3", func() float64 { return LogGammaRatio(0.24, 3) }},
		{"LogGammaRatio/x=60", func() float64 { return LogGammaRatio(0.24, 60) }},
		{"LogGammaRatio/fractional", func() float64 { return LogGammaRatio(0.24, 3.5) }},
		{"DigammaDiff/x=3", func() float64 { return DigammaDiff(0.24, 3) }},
		{"DigammaDiff/x=60", func() float64 { return DigammaDiff(0.24, 60) }},
		{"TrigammaDiff/x=60", func() float64 { return TrigammaDiff(0.24, 60) }},
		{"LogBeta", func() float64 { return LogBeta(0.79, 5.42) }},
		{"LogBetaRatio/x=3", func() float64 { return LogBetaRatio(0.79, 2.42, 0, 3) }},
		{"LogBetaRatio/x=60", func() float64 { return LogBetaRatio(0.79, 2.42, 1, 60) }},
		{"LogIncBeta/small", func() float64 { return LogIncBeta(3, 4.24, 0.4) }},
		{"LogIncBeta/large", func() float64 { return LogIncBeta(300, 4.24, 0.99) }},
		{"LogBetaInt", func() float64 { return LogBetaInt(3.2, -1.6, 0.8) }},
		{"LogHyp2F1/z=0.03", func() float64 { return LogHyp2F1(4.15, 1.6, 5.15, 0.03) }},
		{"LogHyp2F1/z=0.4", func() float64 { return LogHyp2F1(4.15, 1.6, 5.15, 0.4) }},
		{"LogHyp2F1/z=0.8", func() float64 { return LogHyp2F1(4.15, 1.6, 5.15, 0.8) }},
		{"LogHyp2F1/z=0.9999", func() float64 { return LogHyp2F1(4.15, 1.6, 5.15, 0.9999) }},
		{"LogHyp2F1/general", func() float64 { return LogHyp2F1(2.24, 4.4, 5.2, 0.6) }},
		{"LogHyp2F1/renewal", func() float64 { return LogHyp2F1(1, 3.8, 4.5, 0.9) }},
		{"LogHyp2F1Neg/z=5", func() float64 { return LogHyp2F1Neg(1, 0.79, 5.2, 5) }},
		{"LogHyp2F1Neg/z=500", func() float64 { return LogHyp2F1Neg(1, 0.79, 5.2, 500) }},
		{"LogGammaP", func() float64 { return LogGammaP(3.2, 2.1) }},
		{"LogUpperGammaScaled", func() float64 { return LogUpperGammaScaled(0.4, 0.13) }},
		{"LogTricomi/s,s", func() float64 { return LogTricomi(0.6, 0.6, 0.13) }},
		{"LogTricomi/general", func() float64 { return LogTricomi(0.6, 1.3, 0.13) }},
		{"LogIntegrate/flat", func() float64 {
			return first(LogIntegrate(func(u float64) float64 { return -1.2 * math.Log1p(u) }, 0, 2, 1e-12))
		}},
		{"LogIntegrate/peak", func() float64 {
			return first(LogIntegrate(func(u float64) float64 { return -(u - 0.3) * (u - 0.3) * 5e5 }, 0, 2, 1e-12))
		}},
		{"LogIntegrate/half line", func() float64 {
			return first(LogIntegrate(func(u float64) float64 { return math.Log(u) - u }, 0, math.Inf(1), 1e-12))
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = bm.f()
			}
		})
	}
}

func first(v, _ float64, _ bool) float64 { return v }
