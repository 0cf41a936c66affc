package clv_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/ledger"
)

// TestRegularity draws customers of known regularity, some of whom leave, and recovers K within four standard errors.
func TestRegularity(t *testing.T) {
	for k, hs := range map[float64]*clv.Histories{
		1: modeltest.Draw(clv.ParetoNBD{R: 1.2, Alpha: 6, S: 0.8, Beta: 20}, 3000, 1),
		2: modeltest.Draw(clv.MBGCNBD{K: 2, R: 1.2, Alpha: 3, A: 0.8, B: 2.5}, 3000, 2),
		5: modeltest.Draw(clv.BGCNBD{K: 5, R: 1.2, Alpha: 1, A: 0.3, B: 2.5}, 3000, 3),
	} {
		e, err := clv.FitRegularity(context.Background(), hs, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := e.Params[0]; math.Abs(p.Value-k) > 4*p.StdErr || p.StdErr > 0.1*k {
			t.Errorf("K = %v +- %v, drawn with %v", p.Value, p.StdErr, k)
		}
		sum := 0.0
		for _, h := range hs.Rows {
			sum += e.Model.LogLikelihood(h)
		}
		if !golden.Close(sum, e.LogLik, 1e-10) {
			t.Errorf("log-likelihood %v, of the histories %v", e.LogLik, sum)
		}
		shuffled := *hs
		shuffled.Rows = append([]clv.History{}, hs.Rows...)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled.Rows), func(i, j int) {
			shuffled.Rows[i], shuffled.Rows[j] = shuffled.Rows[j], shuffled.Rows[i]
		})
		if f, err := clv.FitRegularity(context.Background(), &shuffled, nil); err != nil || f.Model != e.Model || f.LogLik != e.LogLik {
			t.Errorf("shuffled rows give %v, %v", f, err)
		}
	}
}

// TestRegularityDensity holds the density of two gaps against that of a beta variable: with k = 2, 6 u (1-u).
func TestRegularityDensity(t *testing.T) {
	h := clv.History{X: 2, TX: 10, T: 12, LogGaps: math.Log(3) + math.Log(7)}
	if got, want := (clv.Regularity{K: 2}).LogLikelihood(h), math.Log(6*0.3*0.7); !golden.Close(got, want, 1e-14) {
		t.Errorf("log density %v, want %v", got, want)
	}
	if got := (clv.Regularity{K: 1}).LogLikelihood(h); math.Abs(got) > 1e-15 {
		t.Errorf("log density of a uniform share %v, want 0", got)
	}
}

func TestGapErrors(t *testing.T) {
	ctx := context.Background()
	rows := func(gaps float64) *clv.Histories {
		return &clv.Histories{Unit: clv.Week, Rows: []clv.History{{T: 9}, {X: 2, TX: 8, T: 9, LogGaps: gaps}, {X: 1, TX: 2, T: 3, LogGaps: math.Log(2)}}}
	}
	var bad *ledger.RowError
	_, err := clv.FitRegularity(ctx, rows(3), nil)
	const want = `clv: fit of regularity: row 2: field "LogGaps": value "3": greater than X ln(TX/X), the largest that X times between purchases can have`
	if !errors.As(err, &bad) || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if _, err := clv.FitBGCNBD(ctx, rows(3), 2, nil); !errors.As(err, &bad) || bad.Row != 2 || bad.Field != "LogGaps" {
		t.Errorf("error %v", err)
	}
	if _, err := clv.FitBGCNBD(ctx, rows(math.NaN()), 2, nil); !errors.As(err, &bad) || bad.Row != 2 || bad.Field != "LogGaps" {
		t.Errorf("error %v", err)
	}
	if _, err := clv.FitBGCNBD(ctx, rows(3), 1, nil); errors.As(err, &bad) {
		t.Errorf("k = 1 reads LogGaps: %v", err)
	}
	for _, k := range []int{-1, 101} {
		if _, err := clv.FitMBGCNBD(ctx, rows(1), k, nil); err == nil {
			t.Errorf("k = %d is fitted", k)
		}
	}
	none := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{X: 2, TX: 8, T: 9}, {X: 3, TX: 7, T: 9}}}
	for _, f := range []func() error{
		func() error { _, err := clv.FitRegularity(ctx, none, nil); return err },
		func() error { _, err := clv.FitBGCNBD(ctx, none, 0, nil); return err },
	} {
		if err := f(); err == nil {
			t.Error("histories without LogGaps are fitted")
		}
	}
	// Clockwork has no finite K.
	clock := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{X: 4, TX: 8, T: 9, LogGaps: 4 * math.Log(2)}, {X: 2, TX: 6, T: 9, LogGaps: 2 * math.Log(3)}}}
	if e, err := clv.FitRegularity(ctx, clock, nil); !errors.Is(err, fit.ErrDiverged) && (e == nil || len(e.Warnings) < 1) {
		t.Errorf("clockwork gives %v, %v", e, err)
	}
}
