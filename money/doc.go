// Package money has exact decimal amounts of money that carry their currency.
//
// An [Amount] is a value such as USD 12.50. It is made from text, from minor units, from a decimal, or, with the rounding
// named, from a float64:
//
//	price, err := money.Parse("12.50", "USD")
//	price, err := money.FromMinor(1250, "USD")
//	price, err := money.New(d, "USD")
//	price, err := money.FromFloat(12.5, "USD", money.HalfEven)
//	price := money.MustParse("12.50", "USD") // in tests and examples
//
// # Exactness
//
// Addition, subtraction and multiplication are exact: USD 12.50 times 0.333 is USD 4.1625. An amount holds up to 38
// digits, of which up to 37 after the point; what needs more is an error that wraps [ErrRange], never a wrong digit.
// Rounding happens only where a [Rounding] is an argument, and then once, from the exact value:
//
//	a.Round(r)             to the minor unit
//	a.RoundTo(scale, r)    to any digit
//	a.RoundCash(step, r)   to multiples of a coin
//	a.Div(d, r)            a quotient, to the minor unit
//	a.MulRat(n, d, r)      a fraction, to the minor unit: proration by days
//
// [Amount.Allocate], [Amount.AllocateBy] and [Amount.Split] divide an amount into parts that add up to it exactly. [Sum]
// and [Total] add up many amounts.
//
// # Currencies
//
// A [Currency] is a code of ISO 4217; others are refused. Amounts of two currencies do not mix: Add, Sub, Cmp, Ratio and
// Sum return a [*CurrencyMismatchError]. [Rate.Convert] changes the currency at a stated rate, unrounded.
//
// The zero Amount is zero of no currency. It adds to any amount and equals zero of any currency, so that a total can
// start from it. Codes without a minor unit, such as XAU, hold amounts but refuse what needs the unit: FromMinor,
// FromFloat, Div, MulRat, Allocate and Split return [ErrNoMinorUnit], and Round returns the amount as it is.
//
// # Comparison
//
// Amounts do not compare with ==, which would tell 1.10 from 1.1 in most decimal types; it does not compile here. Use
// [Amount.Equal], [Amount.Cmp], [Amount.Sign], and [Amount.Key] as the key of a map.
//
// # Storage
//
// Each form reads back as an equal amount, and a reader refuses whatever the writer would not write within tight bounds:
//
//	text     USD 12.50                              also for flags and database columns (Value, Scan)
//	JSON     {"amount":"12.50","currency":"USD"}    a number in place of the string is read from its text
//	binary   6 to 22 bytes with a version           also for gob
//
// # Speed
//
// An amount takes 24 bytes and no memory of its own as long as its digits fit in an int64, that is up to 92 quadrillion
// dollars and cents: an Add takes about 3 ns, an addition to a Sum about 2. Beyond that it falls back to a decimal, some
// hundred times slower and just as exact. Refusing hostile input, such as a number with the exponent 1000000000, takes
// about a microsecond.
package money
