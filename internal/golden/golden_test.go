package golden

import (
	"encoding/json"
	"math"
	"testing"
)

func TestClose(t *testing.T) {
	for _, c := range []struct {
		got, want, tolerance float64
		ok                   bool
	}{
		{1.0000001, 1, 1e-6, true}, {1.00001, 1, 1e-6, false}, {1e-300, 1.5e-300, 1e-6, false}, {0, 1e-12, 1e-6, false},
		{0, 0, 1e-6, true}, {1e-300, 0, 1e-6, false}, {math.Inf(1), math.Inf(1), 1e-6, true}, {math.Inf(-1), math.Inf(1), 1e-6, false},
		{math.NaN(), math.NaN(), 1e-6, true}, {1, math.NaN(), 1e-6, false}, {math.NaN(), 1, 1e-6, false},
	} {
		if got := Close(c.got, c.want, c.tolerance); got != c.ok {
			t.Errorf("Close(%v, %v, %v) = %v", c.got, c.want, c.tolerance, got)
		}
	}
}

func TestFloatReadsWords(t *testing.T) {
	var row Row
	if err := json.Unmarshal([]byte(`{"want": {"a": 1.5, "b": "inf", "c": "-inf", "d": "nan", "e": "0.1000000000000000055511151231257827"}}`), &row); err != nil {
		t.Fatal(err)
	}
	if row.Want["a"] != 1.5 || !math.IsInf(float64(row.Want["b"]), 1) || !math.IsInf(float64(row.Want["c"]), -1) || !math.IsNaN(float64(row.Want["d"])) || row.Want["e"] != 0.1 {
		t.Errorf("read %v", row.Want)
	}
	if err := json.Unmarshal([]byte(`{"want": {"a": "many"}}`), &row); err == nil {
		t.Error("a word that is no number is read without an error")
	}
}
