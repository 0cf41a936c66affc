package main

import (
	"fmt"
	"io"

	"github.com/custval/custval/money"
)

// A meeting prints the numbers and keeps the first error, so that the program reads like prose.
type meeting struct {
	w   io.Writer
	err error
}

// An answer is a number with its error, as the calls return it.
type answer struct {
	value float64
	err   error
}

func first(value float64, err error) answer { return answer{value, err} }

func (m *meeting) say(text string) { m.print("\n%s\n", text) }

func (m *meeting) rate(what string, of answer) { m.line(what, of.err, "%.0f %%", 100*of.value) }

func (m *meeting) times(what string, of answer) { m.line(what, of.err, "%.1f", of.value) }

func (m *meeting) amount(what string, a money.Amount, err error) { m.line(what, err, "%v", a) }

func (m *meeting) line(what string, err error, format string, value any) {
	if err != nil && m.err == nil {
		m.err = err
	}
	m.print("  %-62s "+format+"\n", what, value)
}

func (m *meeting) print(format string, args ...any) {
	if m.err == nil {
		_, m.err = fmt.Fprintf(m.w, format, args...)
	}
}
