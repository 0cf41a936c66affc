package clv

import "testing"

// A term has as many coefficients as columns, also one that only a text can make.
func TestTermWidth(t *testing.T) {
	for _, term := range []Term{{Name: "age"}, {"plan", []string{}}, {"plan", []string{"basic"}}, {"plan", []string{"basic", "pro", "team"}}} {
		if got, want := term.width(), len(term.Columns()); got != want {
			t.Errorf("%v: %d coefficients, %d columns", term, got, want)
		}
	}
}
