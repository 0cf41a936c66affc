package subscription

// The rules of a policy are JSON texts: the names that String returns.

// MarshalText returns the text of String.
func (d DiscountRule) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text of String.
func (d *DiscountRule) UnmarshalText(text []byte) (err error) {
	*d, err = value(text, "rule for discounts", DiscountRule.String)
	return err
}

// MarshalText returns the text of String.
func (s StackingRule) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of String.
func (s *StackingRule) UnmarshalText(text []byte) (err error) {
	*s, err = value(text, "rule for several discounts", StackingRule.String)
	return err
}

// MarshalText returns the text of String.
func (t TaxRule) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the text of String.
func (t *TaxRule) UnmarshalText(text []byte) (err error) {
	*t, err = value(text, "rule for tax", TaxRule.String)
	return err
}

// MarshalText returns the text of String.
func (t TrialRule) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the text of String.
func (t *TrialRule) UnmarshalText(text []byte) (err error) {
	*t, err = value(text, "rule for trials", TrialRule.String)
	return err
}

// MarshalText returns the text of String.
func (p PastDueRule) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text of String.
func (p *PastDueRule) UnmarshalText(text []byte) (err error) {
	*p, err = value(text, "rule for overdue payments", PastDueRule.String)
	return err
}

// MarshalText returns the text of String.
func (p PauseRule) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text of String.
func (p *PauseRule) UnmarshalText(text []byte) (err error) {
	*p, err = value(text, "rule for pauses", PauseRule.String)
	return err
}

// MarshalText returns the text of String.
func (c ChurnRule) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text of String.
func (c *ChurnRule) UnmarshalText(text []byte) (err error) {
	*c, err = value(text, "moment of churn", ChurnRule.String)
	return err
}

// MarshalText returns the text of String.
func (f FreeRule) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the text of String.
func (f *FreeRule) UnmarshalText(text []byte) (err error) {
	*f, err = value(text, "rule for free plans", FreeRule.String)
	return err
}

// MarshalText returns the text of String.
func (m MeteredRule) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the text of String.
func (m *MeteredRule) UnmarshalText(text []byte) (err error) {
	*m, err = value(text, "rule for metered prices", MeteredRule.String)
	return err
}

// MarshalText returns the text of String.
func (f FXRule) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the text of String.
func (f *FXRule) UnmarshalText(text []byte) (err error) {
	*f, err = value(text, "rule for exchange rates", FXRule.String)
	return err
}

// MarshalText returns the text of String.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the text of String.
func (m *Mode) UnmarshalText(text []byte) (err error) {
	*m, err = value(text, "mode", Mode.String)
	return err
}

// MarshalText returns the text of String.
func (g Grain) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads the text of String.
func (g *Grain) UnmarshalText(text []byte) (err error) {
	*g, err = value(text, "grain", Grain.String)
	return err
}

// MarshalText returns the text of String.
func (s SamePeriodRule) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of String.
func (s *SamePeriodRule) UnmarshalText(text []byte) (err error) {
	*s, err = value(text, "rule for joining and leaving within a period", SamePeriodRule.String)
	return err
}

// MarshalText returns the text of String.
func (l LogoChurnRule) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the text of String.
func (l *LogoChurnRule) UnmarshalText(text []byte) (err error) {
	*l, err = value(text, "definition of logo churn", LogoChurnRule.String)
	return err
}
