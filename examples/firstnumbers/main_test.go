package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbers holds every number against the arithmetic of its sentence.
func TestNumbers(t *testing.T) {
	want := `
Of 500 customers in January, 550 were there in December, 100 of them new.
  We kept                                                        90 %
     and what guides call ideal is                               80 %
  We lost                                                        10 %

A customer orders for USD 50, four times a year for five years, at a margin of 30 %.
  Such a customer is worth                                       USD 300.00
     and in Tokyo, at JPY 5,000 an order                         JPY 30000

Winning 1,000 of them cost USD 100,000.
  One cost                                                       USD 100.00
  Lifetime value over cost                                       3.0
  Months of USD 20 until it is earned back                       16.7
  The campaign that brought USD 30,000 for USD 10,000 returned   200 %

Subscriptions: USD 120 a year, USD 500 of USD 10,000 lost, 45 of 50 contracts renewed.
  A subscription recurs at, a month                              USD 10.00
     and one of TRY 4,999.90 a year                              TRY 416.66
  Revenue churn                                                  5 %
  Renewed                                                        90 %
`
	var got bytes.Buffer
	if err := run(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestTheFirstErrorIsKept(t *testing.T) {
	if err := run(full{}); err == nil || err.Error() != "the disk is full" {
		t.Errorf("error %v", err)
	}
	m := meeting{w: &bytes.Buffer{}}
	m.rate("nothing", first(0, errors.New("no base")))
	m.say("more")
	if m.err == nil || m.err.Error() != "no base" {
		t.Errorf("error %v", m.err)
	}
}
