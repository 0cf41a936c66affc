package money

import "math/big"

// Sum adds amounts up, exactly and in any order: the same amounts give the same total and the same range error whatever
// their order. The zero value is an empty sum, ready to use. While the amounts share a scale and the total fits in an
// int64, which is nearly always, an addition takes about two nanoseconds and no memory.
//
// Sum keeps the first error (amounts of two currencies) and ignores what follows, so a loop needs one check at its end.
// A Sum may be copied; it is not safe for concurrent use.
type Sum struct {
	coef int64    // of the scale and currency in meta
	wide *big.Int // what did not fit, at maxScale; never written to, so copies of a Sum are independent
	err  error
	meta meta
}

// Add adds a to the sum.
func (s *Sum) Add(a Amount) {
	if a.meta == s.meta && a.wide == nil {
		if sum := s.coef + a.coef; (s.coef^sum)&(a.coef^sum) >= 0 && s.err == nil {
			s.coef = sum
			return
		}
	}
	s.addSlow(a)
}

func (s *Sum) addSlow(a Amount) {
	switch {
	case s.err != nil || a.meta.of() == 0:
		return
	case s.meta.of() == 0:
		s.meta = a.meta
	case s.meta.of() != a.meta.of():
		s.err = &CurrencyMismatchError{A: s.meta.currency(), B: a.Currency()}
		return
	}
	if a.wide != nil {
		s.flush(a.coefficient())
		return
	}
	if x, y, scale, ok := align(Amount{coef: s.coef, meta: s.meta}, a); ok {
		if sum := x + y; (x^sum)&(y^sum) >= 0 {
			s.coef, s.meta = sum, s.meta.withScale(scale)
			return
		}
	}
	s.flush(big.NewInt(s.coef), s.meta.scale())
	s.coef, s.meta = a.coef, a.meta
}

// flush adds coef / 10^scale to the wide part.
func (s *Sum) flush(coef *big.Int, scale int) {
	coef.Mul(coef, bigPower(maxScale-scale))
	if s.wide != nil {
		coef.Add(coef, s.wide)
	}
	s.wide = coef
}

// Merge adds what t has added up, as a worker's part of a sum.
func (s *Sum) Merge(t Sum) {
	if s.err != nil {
		return
	}
	if t.err != nil {
		s.err = t.err
		return
	}
	s.Add(Amount{coef: t.coef, meta: t.meta})
	if t.wide != nil && s.err == nil {
		s.flush(new(big.Int).Set(t.wide), maxScale)
	}
}

// Err returns the first error that Add met, so that a long loop can stop early.
func (s *Sum) Err() error { return s.err }

// Total returns the sum of what was added, the zero [Amount] if that is nothing.
//
// It returns the first error that Add met, a *[CurrencyMismatchError], or an error that wraps [ErrRange] if the total
// needs more than 38 digits. The sum can go on afterwards.
func (s *Sum) Total() (Amount, error) {
	if s.err != nil {
		return Amount{}, s.err
	}
	if s.wide == nil {
		return small(s.coef, s.meta.scale(), s.meta), nil
	}
	coef := big.NewInt(s.coef)
	coef.Mul(coef, bigPower(maxScale-s.meta.scale()))
	return fromBig(coef.Add(coef, s.wide), maxScale, s.meta)
}

// Total returns the sum of the amounts, with the errors of [Sum.Total].
func Total(amounts ...Amount) (Amount, error) {
	var s Sum
	for _, a := range amounts {
		s.Add(a)
	}
	return s.Total()
}
