package experiment

import (
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
)

func TestStudentGolden(t *testing.T) {
	n := 0
	for _, r := range golden.Load(t, "testdata/computed.json").Rows {
		switch {
		case strings.HasPrefix(r.Name, "t tail"):
			r.Check(t, "tail", studentTail(float64(r.Args["t"]), float64(r.Args["df"])))
			n++
		case strings.HasPrefix(r.Name, "t quantile"):
			r.Check(t, "quantile", studentQuantile(float64(r.Args["level"]), float64(r.Args["df"])))
			n++
		case strings.HasPrefix(r.Name, "t power"):
			d := Design{Level: float64(r.Args["level"]), Allocation: float64(r.Args["allocation"]), Formula: StudentTheory}
			got, err := PowerForMeans(1, float64(r.Args["d"]), int(r.Args["n"]), d)
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "power", got)
			n++
		}
	}
	if n < 50 {
		t.Errorf("%d rows: too few", n)
	}
}

func TestNormalQuantile(t *testing.T) {
	for _, c := range []struct{ level, z float64 }{ // 17 digits of tables
		{0.95, 1.9599639845400545}, {0.99, 2.5758293035489004}, {0.6, 0.84162123357291421}, {0.5, 0.67448975019608171}, {0.999, 3.2905267314919255},
	} {
		if got := normalQuantile(c.level); math.Abs(got/c.z-1) > 1e-14 {
			t.Errorf("z(%v) = %.17g, want %.17g", c.level, got, c.z)
		}
	}
}
