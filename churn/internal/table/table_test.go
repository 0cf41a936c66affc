package table

import (
	"math"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	out := New("covariate", "coef", "p")
	out.Add("yaş", 1234.56789, math.NaN())
	out.Add("plan=pro", -1.0, .25)
	if got, want := out.String(), "covariate     coef     p\nyaş        1234.57     -\nplan=pro        -1  0.25\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	var b strings.Builder
	if err := out.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "covariate,coef,p\nyaş,1234.56789,\nplan=pro,-1,0.25\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Number(2.0/3) + Number(math.NaN()); got != "0.666667-" {
		t.Errorf("numbers: %q", got)
	}
}

func TestMarshal(t *testing.T) {
	type point struct {
		Time  float64  `json:"time"`
		Rate  float64  `json:"rate"`
		Upper *float64 `json:"upper"`
		kept  int
	}
	inf := math.Inf(1)
	got, err := Marshal([]point{{1, math.NaN(), &inf, 0}, {2, .5, nil, 1}})
	if want := `[{"time":1,"rate":null,"upper":null},{"time":2,"rate":0.5,"upper":null}]`; err != nil || string(got) != want {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
}

func TestNames(t *testing.T) {
	names := []string{"efron", "breslow"}
	if got := Name(names, 1) + " " + Name(names, 2); got != "breslow unknown" {
		t.Errorf("names: %q", got)
	}
	if text, err := MarshalName("survival: no ties", names, 0); err != nil || string(text) != "efron" {
		t.Errorf("%v: %q", err, text)
	}
	if _, err := MarshalName("survival: no ties", names, 7); err == nil || err.Error() != "survival: no ties 7" {
		t.Errorf("marshal: %v", err)
	}
	if i, err := UnmarshalName("survival: no ties", names, []byte("breslow")); err != nil || i != 1 {
		t.Errorf("%v: %d", err, i)
	}
	if _, err := UnmarshalName("survival: no ties", names, []byte("x")); err == nil || err.Error() != `survival: no ties "x"` {
		t.Errorf("unmarshal: %v", err)
	}
}
