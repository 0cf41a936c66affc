package experiment

import "fmt"

// A Mismatch is the check of a sample ratio: whether the arms have about as many customers as they were meant to. Where
// they have not, customers were lost or assigned wrongly, and no result of the experiment can be trusted.
type Mismatch struct {
	Observed  []int     `json:"observed"`
	Expected  []float64 `json:"expected"`
	Statistic float64   `json:"statistic"` // chi-squared
	DF        int       `json:"df"`
	P         float64   `json:"p"`
	Suspect   bool      `json:"suspect"` // P < 0.001
}

// String returns the check in a line.
func (m Mismatch) String() string {
	verdict := "as planned"
	if m.Suspect {
		verdict = "MISMATCH: do not trust the results"
	}
	return fmt.Sprintf("sample ratio: chi-squared %.4g on %d degrees of freedom, p = %.4g: %s", m.Statistic, m.DF, m.P, verdict)
}

// SampleRatio checks the numbers of customers against the shares they were assigned by, which need not sum to 1; nil
// means equal shares. It returns an error for fewer than two arms, no customers, a negative number, a share that is not
// positive, or another number of shares than arms.
func SampleRatio(customers []int, shares []float64) (Mismatch, error) {
	if len(customers) < 2 {
		return Mismatch{}, fail("%w: %d arms, at least 2", ErrTooFew, len(customers))
	}
	if shares != nil && len(shares) != len(customers) {
		return Mismatch{}, fail("%d shares of %d arms", len(shares), len(customers))
	}
	m := Mismatch{DF: len(customers) - 1}
	n, total := 0.0, 0.0
	for i, c := range customers {
		share := 1.0
		if shares != nil {
			share = shares[i]
		}
		if c < 0 {
			return Mismatch{}, fail("arm %d: %d customers", i+1, c)
		}
		if !(share > 0) || !isFinite(share) {
			return Mismatch{}, fail("arm %d: share %v: not a positive number", i+1, share)
		}
		n += float64(c)
		total += share
		m.Observed = append(m.Observed, c)
		m.Expected = append(m.Expected, share)
	}
	if n == 0 {
		return Mismatch{}, fail("%w: no customers", ErrTooFew)
	}
	for i := range m.Expected {
		m.Expected[i] *= n / total
		d := float64(m.Observed[i]) - m.Expected[i]
		m.Statistic += d * d / m.Expected[i]
	}
	m.P = chiSquaredTail(m.Statistic, m.DF)
	m.Suspect = m.P < 0.001
	return m, nil
}
