package text

import "testing"

func TestAligned(t *testing.T) {
	got := Aligned([][]string{{"a", "long name"}, {"1000", ""}})
	if want := "     a  long name\n  1000           \n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Aligned(nil); got != "" {
		t.Errorf("no records give %q", got)
	}
}
