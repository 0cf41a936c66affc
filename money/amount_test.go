package money

import "testing"

func TestAmount(t *testing.T) {
	a := MustParse("12.50", "USD")
	if got := a.String(); got != "USD 12.50" {
		t.Errorf("String() = %q", got)
	}
	parts, err := MustParse("-1.01", "USD").Allocate(50, 25, 25)
	if err != nil || parts[0].String() != "USD -0.51" || parts[1].String() != "USD -0.25" {
		t.Errorf("Allocate: %v, %v", parts, err)
	}
	if b, err := a.MarshalJSON(); err != nil || string(b) != `{"amount":"12.50","currency":"USD"}` {
		t.Errorf("MarshalJSON: %s, %v", b, err)
	}
}
