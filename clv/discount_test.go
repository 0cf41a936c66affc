package clv

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/custval/custval/internal/golden"
)

func TestDiscountRate(t *testing.T) {
	for _, c := range []struct {
		d    Discount
		unit time.Duration
		want float64
	}{
		{Discount{}, Week, 0},
		{Annual(0.10), Year, 0.095310179804324860043952123}, // ln 1.1
		{Annual(0.10), Week, 0.095310179804324860043952123 * 7 / 365.25},
		{Annual(0.10), Day, 0.095310179804324860043952123 / 365.25},
		{AnnualContinuous(0.10), Week, 0.10 * 7 / 365.25},
		{PerUnit(0.0027), Week, 0.002696361547742608393}, // ln 1.0027
		{PerUnit(0.0027), Day, 0.002696361547742608393},
		{PerUnitContinuous(0.0027), Week, 0.0027},
		{PerUnitContinuous(0), Week, 0},
	} {
		got, err := c.d.Rate(c.unit)
		if err != nil || !golden.Close(got, c.want, 1e-15) {
			t.Errorf("%v over %v: %.17g, %v, want %.17g", c.d, c.unit, got, err, c.want)
		}
	}
}

// A year of weekly discounting is a year of daily discounting.
func TestDiscountDoesNotDependOnTheUnit(t *testing.T) {
	for _, d := range []Discount{Annual(0.1), AnnualContinuous(0.1)} {
		var years []float64
		for _, unit := range []time.Duration{time.Hour, Day, Week, Year} {
			delta, err := d.Rate(unit)
			if err != nil {
				t.Fatal(err)
			}
			years = append(years, math.Exp(-delta*float64(Year)/float64(unit)))
		}
		for _, y := range years {
			if !golden.Close(y, years[0], 1e-13) {
				t.Errorf("%v: a year from now is worth %v", d, years)
			}
		}
	}
}

func TestDiscountErrors(t *testing.T) {
	const want = ": want a finite number that is not negative"
	for _, c := range []struct {
		d    Discount
		unit time.Duration
		want string
	}{
		{Annual(-0.1), Week, "clv: discount rate -0.1" + want},
		{PerUnit(math.NaN()), Week, "clv: discount rate NaN" + want},
		{AnnualContinuous(math.Inf(1)), Week, "clv: discount rate +Inf" + want},
		{Annual(0.1), 0, "clv: unit 0s: want a positive one, such as clv.Week"},
	} {
		if _, err := c.d.Rate(c.unit); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

func TestDiscountText(t *testing.T) {
	for _, c := range []struct {
		d          Discount
		text, json string
	}{
		{Discount{}, "no discount", `{"rate":0,"basis":"annual"}`},
		{Annual(0.10), "10% a year", `{"rate":0.1,"basis":"annual"}`},
		{AnnualContinuous(0.07), "7% a year, continuous", `{"rate":0.07,"basis":"annual_continuous"}`},
		{PerUnit(0.0015), "0.15% a unit", `{"rate":0.0015,"basis":"per_unit"}`},
		{PerUnitContinuous(0.0027), "0.27% a unit, continuous", `{"rate":0.0027,"basis":"per_unit_continuous"}`},
	} {
		if got := c.d.String(); got != c.text {
			t.Errorf("String() = %q, want %q", got, c.text)
		}
		text, err := json.Marshal(c.d)
		if err != nil || string(text) != c.json {
			t.Errorf("JSON %s, %v, want %s", text, err, c.json)
		}
		var back Discount
		if err := json.Unmarshal(text, &back); err != nil || back != c.d {
			t.Errorf("%s became %v (%v)", text, back, err)
		}
	}
	for _, bad := range []string{`{}`, `{"rate":0.1}`, `{"basis":"annual"}`, `{"rate":-1,"basis":"annual"}`, `{"rate":0.1,"basis":"weekly"}`, `3`, `{"rate":"x","basis":"annual"}`} {
		var d Discount
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("%s was accepted as %v", bad, d)
		}
	}
	if _, err := json.Marshal(Annual(-1)); err == nil {
		t.Error("an invalid rate was written")
	}
}

func ExampleAnnual() {
	d := Annual(0.10)
	week, err := d.Rate(Week)
	fmt.Printf("%v is %.6f a week, continuous (%v)\n", d, week, err)
	// Output: 10% a year is 0.001827 a week, continuous (<nil>)
}
