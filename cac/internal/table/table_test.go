package table_test

import (
	"errors"
	"math"
	"testing"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

func TestCells(t *testing.T) {
	bad := errors.New("no base")
	a := money.MustParse("-0.125", "USD")
	for _, c := range []struct{ got, want string }{
		{table.Plain(a), "-0.125"}, {table.Minor(a), "USD -0.12"},
		{table.Fixed(1.005, 1, nil), "1.0"}, {table.Fixed(1, 1, bad), "undefined"}, {table.Fixed(math.NaN(), 1, nil), "undefined"},
		{table.Percent(0.125, nil), "12.5%"}, {table.Percent(0, bad), "undefined"},
		{table.Float(0.1, nil), "0.1"}, {table.Float(0.1, bad), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
