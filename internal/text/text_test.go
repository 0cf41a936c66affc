package text

import (
	"strings"
	"testing"
)

func TestAligned(t *testing.T) {
	got := Aligned([][]string{{"a", "long name"}, {"1000", ""}})
	if want := "     a  long name\n  1000           \n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Aligned(nil); got != "" {
		t.Errorf("no records give %q", got)
	}
}

func TestTable(t *testing.T) {
	got := Table([]string{"name", "n"}, [][]string{{"müşteri", "7"}, {"a", "1234"}}, First(1))
	if want := "name        n\nmüşteri     7\na        1234\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCSV(t *testing.T) {
	var b strings.Builder
	if err := CSV(&b, []string{"a", "b"}, [][]string{{"x,y", ""}}); err != nil || b.String() != "a,b\n\"x,y\",\n" {
		t.Errorf("%v: %q", err, b.String())
	}
}
