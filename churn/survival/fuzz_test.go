package survival

import (
	"context"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
)

// decodeTenures makes tenures and a covariate from any bytes.
func decodeTenures(data []byte) (ts []ledger.Tenure, x []float64) {
	special := []float64{0, 1, 2, 3, 0.5, math.NaN(), math.Inf(1), -1, 1e308, 5e-324, math.Copysign(0, -1), 1e-300}
	value := func(b byte) float64 {
		if int(b) < len(special) {
			return special[b]
		}
		return float64(b%40) / 4
	}
	for ; len(data) >= 5 && len(ts) < 40; data = data[5:] {
		t := ledger.Tenure{Duration: value(data[0]), Ended: data[3]&1 == 1, Reason: string('a' + rune(data[3]>>1&1)),
			Labels: map[string]string{"group": string('a' + rune(data[3]>>2&3))}}
		if data[3]&64 != 0 {
			t.Entry = value(data[1])
		}
		if data[3]&128 != 0 {
			t.Weight = value(data[2])
		}
		ts, x = append(ts, t), append(x, float64(int8(data[4])))
	}
	return ts, x
}

// Whatever the tenures, every method returns numbers or an error, and soon.
func FuzzTenures(f *testing.F) {
	seed := []byte{}
	for i := range 60 {
		seed = binary.LittleEndian.AppendUint16(seed, uint16(i*7919))
	}
	f.Add(seed)
	f.Add([]byte{12, 0, 0, 1, 1, 16, 0, 0, 1, 2, 20, 0, 0, 0, 3, 24, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		ts, x := decodeTenures(data)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for name, estimate := range estimators {
			c, err := estimate(ts, nil)
			if err != nil {
				continue
			}
			for _, p := range c.Points {
				if !(p.Survival >= 0 && p.Survival <= 1) || !(p.AtRisk > 0) {
					t.Errorf("%s: %+v", name, p)
				}
			}
		}
		if c, err := Compare(ts, Label("group"), nil); err == nil && !(c.ChiSquare >= 0 && c.P >= 0 && c.P <= 1) {
			t.Errorf("comparison: %+v", c)
		}
		if inc, err := CumulativeIncidence(ts, nil); err == nil {
			for _, p := range inc.Causes[0].Points {
				if !(p.Incidence >= 0 && p.Incidence <= 1+1e-12) || math.IsNaN(p.StdErr) {
					t.Errorf("incidence: %+v", p)
				}
			}
		}
		if d, err := NewDesign(Numeric("x", x)); err == nil && len(ts) > 0 {
			if fit, err := FitCox(ctx, ts, d, nil); err == nil && !isFinite(fit.Estimate.Params[0].StdErr) {
				t.Errorf("cox: %+v", fit.Estimate.Params)
			}
		}
		if e, err := FitWeibull(ctx, ts, nil); err == nil && !isFinite(e.LogLik) {
			t.Errorf("weibull: %+v", e)
		}
	})
}
