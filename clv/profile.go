package clv

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/money"
)

// A Profile is all that is known of one customer on one page.
type Profile struct {
	Customer  string            `json:"customer"`
	Past      Past              `json:"past"`
	Frequency float64           `json:"frequency"`     // orders a year from the first order to the end; 0 within the first day
	Average   money.Amount      `json:"average_order"` // the zero Amount without orders
	Segments  map[string]string `json:"segments,omitempty"`
	Score     Score             `json:"score"` // what is expected: P(alive), purchases, value
}

// NewProfile joins a customer's past with the score and any labels, such as the segment of an RFM analysis.
//
// It returns an error if they are of different customers.
func NewProfile(past Past, score Score, end time.Time, segments map[string]string) (*Profile, error) {
	if past.Customer != score.Customer {
		return nil, fmt.Errorf("clv: profile: the past of %q and the score of %q", past.Customer, score.Customer)
	}
	p := &Profile{Customer: past.Customer, Past: past, Segments: maps.Clone(segments), Score: score}
	if past.Orders > 0 {
		var err error
		if p.Average, err = past.AverageOrder(); err != nil {
			return nil, err
		}
		if observed := end.Sub(past.First); observed >= Day {
			p.Frequency = float64(past.Orders) / (float64(observed) / float64(Year))
		}
	}
	return p, nil
}

// String returns the profile as lines of text.
func (p *Profile) String() string {
	records := [][]string{
		{"customer", p.Customer}, {"orders", strconv.Itoa(p.Past.Orders)}, {"orders a year", strconv.FormatFloat(p.Frequency, 'f', 2, 64)},
		{"average order", p.Average.String()}, {"returns", strconv.Itoa(p.Past.Returns)}, {"margin so far", p.Past.Margin.String()},
		{"P(alive)", strconv.FormatFloat(p.Score.ProbAlive, 'f', 3, 64)},
		{"expected purchases", strconv.FormatFloat(p.Score.Purchases, 'f', 2, 64)}, {"expected value", p.Score.Value.String()},
	}
	for _, name := range slices.Sorted(maps.Keys(p.Segments)) {
		records = append(records, []string{name, p.Segments[name]})
	}
	return text.Aligned(records)
}
