package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/money"
)

// day writes a date as people read it.
func day(t time.Time) string { return t.Format("2 January 2006") }

// grouped puts commas between the thousands of a plain decimal number.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "\u2212", number[1:]
	}
	whole, rest := number, ""
	if i := strings.IndexByte(number, '.'); i >= 0 {
		whole, rest = number[:i], number[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

// count writes a whole number.
func count(n int) string { return grouped(strconv.Itoa(n)) }

// decimals writes a number with so many decimals. Minus zero is zero.
func decimals(v float64, places int) string {
	text := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return grouped(text)
}

// share writes a ratio in per cent.
func share(v float64) string { return decimals(100*v, 1) + "\u00a0%" }

// plain writes a ratio that somebody chose in per cent, with the decimals that it has and two at most.
func plain(v float64) string {
	return grouped(strconv.FormatFloat(math.Round(v*1e4)/100, 'f', -1, 64)) + "\u00a0%"
}

// exact writes an amount to the minor unit, without its currency.
func exact(a money.Amount) string { return grouped(a.Round(money.HalfEven).Number()) }

// whole writes an amount to the unit of the currency, for totals.
func whole(a money.Amount) string {
	r, err := a.RoundTo(0, money.HalfEven)
	if err != nil {
		return exact(a)
	}
	number := r.Number()
	if i := strings.IndexByte(number, '.'); i >= 0 {
		number = number[:i]
	}
	return grouped(number)
}

// with puts the currency before an amount.
func with(c money.Currency, number string) string {
	if c == "" {
		return number
	}
	return string(c) + "\u00a0" + number
}

// text and its kin make the cells of tables.
func text(s string) Cell { return Cell{Text: s} }

func number(n int) Cell { return Cell{Text: count(n), Number: float64(n)} }

func value(v float64, places int) Cell { return Cell{Text: decimals(v, places), Number: v} }

func rate(v float64) Cell { return Cell{Text: share(v), Number: v} }

func amount(a money.Amount) Cell { return Cell{Text: exact(a), Number: a.Float64()} }

func total(a money.Amount) Cell { return Cell{Text: whole(a), Number: a.Float64()} }

// missing is a figure that does not exist. It sorts before every other one.
func missing() Cell { return Cell{Text: "\u2013", Number: -math.MaxFloat64} }

// list joins names as a sentence does.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
