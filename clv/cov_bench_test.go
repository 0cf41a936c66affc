package clv_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/money"
)

// BenchmarkCovToPlain fits 100,000 distinct customers with three covariates on everything they may act on, and reports
// how many times as long as the fit without covariates that takes; gamma-Gompertz/NBD, the slowest, has fewer of them.
func BenchmarkCovToPlain(b *testing.B) {
	const n = 100_000
	none := []float64{0, 0, 0}
	dropout := func(form clv.BetaForm) []clv.Effect {
		if form == clv.MeanForm {
			return []clv.Effect{bgDoes[0], {Param: "Mean", Coefficients: []float64{-1e-5, 0.3, 0.4}}, {Param: "Polarization", Coefficients: none}}
		}
		return bgDoes
	}
	b.Run("nbd", func(b *testing.B) {
		hs, d := distinctShop(b, clv.NBD{R: 0.9, Alpha: 10}, paretoDoes[:1], n)
		covToPlain(b, hs, d, clv.FitNBD, clv.FitCovNBD, nil)
	})
	b.Run("paretonbd", func(b *testing.B) {
		hs, d := distinctShop(b, paretoShop, paretoDoes, n)
		covToPlain(b, hs, d, clv.FitParetoNBD, clv.FitCovParetoNBD, nil)
	})
	b.Run("ggompertznbd", func(b *testing.B) {
		hs, d := distinctShop(b, clv.GGompertzNBD{R: 0.9, Alpha: 3, B: 0.2, S: 0.8, Beta: 15}, paretoDoes, n/10)
		covToPlain(b, hs, d, clv.FitGGompertzNBD, clv.FitCovGGompertzNBD, nil)
	})
	for i, name := range []string{"shape", "mean"} {
		form := clv.BetaForm(i)
		o := &clv.CovOptions{Beta: form}
		b.Run("bgnbd/"+name, func(b *testing.B) {
			hs, d := distinctShop(b, bgShop, dropout(form), n)
			covToPlain(b, hs, d, clv.FitBGNBD, clv.FitCovBGNBD, o)
		})
		b.Run("mbgnbd/"+name, func(b *testing.B) {
			hs, d := distinctShop(b, clv.MBGNBD(bgShop), dropout(form), n)
			covToPlain(b, hs, d, clv.FitMBGNBD, clv.FitCovMBGNBD, o)
		})
		b.Run("mbgcnbd/"+name, func(b *testing.B) {
			hs, d := distinctShop(b, clv.MBGCNBD{K: 2, R: 0.8, Alpha: 2.5, A: 0.8, B: 2.5}, dropout(form), n)
			covToPlain(b, hs, d, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
				return clv.FitMBGCNBD(ctx, hs, 2, o)
			}, func(ctx context.Context, hs *clv.Histories, d *clv.Design, o *clv.CovOptions) (*fit.Estimate[clv.CovMBGCNBD], error) {
				return clv.FitCovMBGCNBD(ctx, hs, d, 2, o)
			}, o)
		})
		b.Run("pdo/"+name, func(b *testing.B) {
			hs, d := distinctShop(b, clv.PDO{R: 0.8, Alpha: 5, A: 0.8, B: 6, Period: 4}, dropout(form), n)
			covToPlain(b, hs, d, func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.PDO], error) {
				return clv.FitPDO(ctx, hs, 4, o)
			}, func(ctx context.Context, hs *clv.Histories, d *clv.Design, o *clv.CovOptions) (*fit.Estimate[clv.CovPDO], error) {
				return clv.FitCovPDO(ctx, hs, d, 4, o)
			}, o)
		})
	}
	hs, d := distinctShop(b, bgShop, bgDoes, n)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range hs.Rows {
		if h := &hs.Rows[i]; h.X > 0 {
			total := float64(h.X) * clv.GammaGamma{P: 6, Q: 4, Gamma: 15}.Rand(r, h.X)
			h.Spend, _ = money.FromFloat(total, "USD", money.HalfEven)
		}
	}
	b.Run("gammagamma", func(b *testing.B) { covToPlain(b, hs, d, clv.FitGammaGamma, clv.FitCovGammaGamma, nil) })
	b.Run("normalnormal", func(b *testing.B) { covToPlain(b, hs, d, clv.FitNormalNormal, clv.FitCovNormalNormal, nil) })
}

// distinctShop is covShop with customers none of whom is like another.
func distinctShop[M interface {
	clv.Linked
	clv.Model
}](b *testing.B, base M, effects []clv.Effect, n int) (*clv.Histories, *clv.Design) {
	hs, d := covShop(b, base, effects, n, 1)
	for i := range hs.Rows {
		hs.Rows[i].T += 1e-7 * float64(i)
	}
	return hs, d
}

func covToPlain[M clv.Linked](b *testing.B, hs *clv.Histories, d *clv.Design, plain clv.FitFunc[M], cov clv.CovFitFunc[M], o *clv.CovOptions) {
	ctx := context.Background()
	var without, with time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := plain(ctx, hs, nil); err != nil {
			b.Fatal(err)
		}
		without += time.Since(begin)
		begin = time.Now()
		if _, err := cov(ctx, hs, d, o); err != nil {
			b.Fatal(err)
		}
		with += time.Since(begin)
	}
	b.ReportAllocs()
	b.ReportMetric(float64(with)/float64(without), "times-plain")
	b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/with.Seconds(), "rows/s")
}
