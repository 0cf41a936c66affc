package churn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// SurveyOptions say which scores count. The zero value, and nil, take the latest score of each customer.
type SurveyOptions struct {
	Name   string        // of the events that carry the scores; empty means any
	Period ledger.Period // only scores given in it; the zero Period means all
	Every  bool          // every score counts, not only the latest of each customer in the period
}

// A PromoterScore is a net promoter score with the answers behind it.
type PromoterScore struct {
	Promoters  int     `json:"promoters"`  // scores 9 and 10
	Passives   int     `json:"passives"`   // 7 and 8
	Detractors int     `json:"detractors"` // 0 to 6
	Value      float64 `json:"value"`      // (Promoters - Detractors) / answers, from -1 to 1; people say 100 times that
}

// NPS returns the net promoter score of events whose Score answers "how likely are you to recommend us" from 0 to 10:
//
//	(promoters - detractors) / answers
//
// Source: F. Reichheld, The One Number You Need to Grow, Harvard Business Review 81(12), 2003.
//
// NPS returns an error of the stream, one with the row for a score that is not a whole number from 0 to 10, and one that
// wraps ledger.ErrUndefined if there are no answers.
func NPS(ctx context.Context, scores iter.Seq2[ledger.Event, error], o *SurveyOptions) (PromoterScore, error) {
	var s PromoterScore
	answers, err := survey(ctx, scores, o, 0, 10)
	if err != nil {
		return s, err
	}
	for score, n := range answers {
		switch {
		case score >= 9:
			s.Promoters += n
		case score >= 7:
			s.Passives += n
		default:
			s.Detractors += n
		}
	}
	return NPSOf(s.Promoters, s.Passives, s.Detractors)
}

// NPSOf returns the net promoter score of counts. Its errors are those of NPS, and one for a negative count.
func NPSOf(promoters, passives, detractors int) (PromoterScore, error) {
	if promoters < 0 || passives < 0 || detractors < 0 {
		return PromoterScore{}, fmt.Errorf("churn: nps: %d promoters, %d passives, %d detractors: a count is negative", promoters, passives, detractors)
	}
	s, err := share("nps", float64(promoters-detractors), float64(promoters+passives+detractors))
	return PromoterScore{promoters, passives, detractors, s.Value}, err
}

// Interval returns the score interval of the value at a level such as 0.95. It lies in [-1, 1] and has a width also if all
// answers are the same. The promoters and detractors are the discordant pairs of T. Tango, Equivalence Test and
// Confidence Interval for the Difference in Proportions for the Paired-Sample Design, Statistics in Medicine 17, 1998.
func (s PromoterScore) Interval(level float64) (low, high float64, err error) {
	z := stat.TwoSided(level)
	n := float64(s.Promoters + s.Passives + s.Detractors)
	if math.IsNaN(z) {
		return 0, 0, fmt.Errorf("churn: level %v: want a number between 0 and 1", level)
	}
	if n == 0 {
		return 0, 0, fmt.Errorf("churn: nps: no answers: %w", ledger.ErrUndefined)
	}
	low, high = tango(float64(s.Promoters), float64(s.Detractors), n, z)
	return low, high, nil
}

// tango inverts the score test of the difference of two shares b/n and c/n of one multinomial:
//
//	|b - c - n d| = z sqrt(n (2 q + d (1-d)))
//
// with q the most likely share of c given the difference d.
func tango(b, c, n, z float64) (low, high float64) {
	excess := func(d float64) float64 {
		p := (2*n-b+c)*d - b - c
		q := (math.Sqrt(p*p+8*n*c*d*(1-d)) - p) / (4 * n)
		return math.Abs(b-c-n*d) - z*math.Sqrt(math.Max(0, n*(2*q+d*(1-d))))
	}
	root := func(inside, outside float64) float64 {
		if excess(outside) <= 0 {
			return outside
		}
		for range 200 {
			mid := inside + (outside-inside)/2
			if mid == inside || mid == outside {
				break
			}
			if excess(mid) <= 0 {
				inside = mid
			} else {
				outside = mid
			}
		}
		return inside
	}
	at := (b - c) / n
	return root(at, -1), root(at, 1)
}

// String returns the score as people say it, with the answers.
func (s PromoterScore) String() string {
	return fmt.Sprintf("%+.0f (%d promoters, %d passives, %d detractors)", 100*s.Value, s.Promoters, s.Passives, s.Detractors)
}

// CSAT returns the share of satisfied customers: those whose Score, a whole number from 1 to top, is at least satisfied.
// Custom is top 5 and satisfied 4.
//
// It returns an error of the stream, one with the row for a score out of range, one unless 1 < satisfied <= top, and one
// that wraps ledger.ErrUndefined if there are no answers.
func CSAT(ctx context.Context, scores iter.Seq2[ledger.Event, error], satisfied, top int, o *SurveyOptions) (Share, error) {
	if satisfied <= 1 || satisfied > top {
		return Share{}, fmt.Errorf("churn: csat: satisfied from %d of %d: want more than 1 and at most the top", satisfied, top)
	}
	answers, err := survey(ctx, scores, o, 1, top)
	if err != nil {
		return Share{}, err
	}
	part, base := 0, 0
	for score, n := range answers {
		base += n
		if score >= satisfied {
			part += n
		}
	}
	return share("csat", float64(part), float64(base))
}

// survey counts the answers by score.
func survey(ctx context.Context, scores iter.Seq2[ledger.Event, error], o *SurveyOptions, least, most int) (map[int]int, error) {
	var opts SurveyOptions
	if o != nil {
		opts = *o
	}
	answers := map[int]int{}
	latest := map[string]answer{}
	err := eachScore(ctx, scores, opts, func(row int, e ledger.Event) error {
		if e.Score != math.Trunc(e.Score) || !(e.Score >= float64(least) && e.Score <= float64(most)) {
			return rowError(row, "score", exactly(e.Score), fmt.Errorf("want a whole number from %d to %d", least, most))
		}
		if opts.Every {
			answers[int(e.Score)]++
		} else {
			keepLatest(latest, e)
		}
		return nil
	})
	for _, a := range latest {
		answers[int(a.score)]++
	}
	return answers, err
}

// An answer is the latest score of a customer.
type answer struct {
	at    time.Time
	score float64
}

// keepLatest keeps the later of two scores, of one instant the lower, so that the order of the rows does not matter.
func keepLatest(latest map[string]answer, e ledger.Event) {
	a, ok := latest[e.Customer]
	if !ok || e.At.After(a.at) || (e.At.Equal(a.at) && e.Score < a.score) {
		latest[e.Customer] = answer{e.At, e.Score}
	}
}

// eachScore calls f for each event that the options take.
func eachScore(ctx context.Context, scores iter.Seq2[ledger.Event, error], o SurveyOptions, f func(row int, e ledger.Event) error) error {
	if !o.Period.IsZero() {
		if err := o.Period.Validate(); err != nil {
			return fmt.Errorf("churn: survey: %w", err)
		}
	}
	row := 0
	for e, err := range scores {
		row++
		if err != nil {
			return streamError(err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			break
		}
		if err := checkWho(row, e.Customer, e.At); err != nil {
			return err
		}
		if (o.Name != "" && e.Name != o.Name) || (!o.Period.IsZero() && !o.Period.Contains(e.At)) {
			continue
		}
		if err := f(row, e); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return streamError(err)
	}
	return nil
}

// A ScoreBand is a range of scores, both ends in it.
type ScoreBand struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// PromoterBands are the bands of NPS: detractors, passives, promoters.
func PromoterBands() []ScoreBand {
	return []ScoreBand{{"detractors", 0, 6}, {"passives", 7, 8}, {"promoters", 9, 10}}
}

// A BandTable is the churn of customers by the score that they gave.
type BandTable struct {
	Level float64   `json:"level"`    // of the intervals, 0.95
	Rows  []BandRow `json:"rows"`     // in the order of the bands
	Left  int       `json:"left_out"` // customers with a score whose outcome is not known
}

// A BandRow is the customers of one band. Rate, Low and High are nil for a band without customers.
type BandRow struct {
	Band ScoreBand `json:"band"`
	Lost int       `json:"lost"`
	Base int       `json:"base"`
	Rate *float64  `json:"rate"` // Lost / Base
	Low  *float64  `json:"low"`  // Wilson
	High *float64  `json:"high"`
}

// ByScore returns the churn of customers by the band of their latest score. Outcome tells of a customer who was there
// at the start of the window of interest whether it has been lost, and known is false for all others, who are left out.
// To learn what a score foretells, take scores from before that window: SurveyOptions.Period.
//
// It returns an error of the stream, one for bands that do not rise or overlap, one with the row for a score in no band,
// and one that wraps ledger.ErrUndefined if no customer has a score and a known outcome.
func ByScore(ctx context.Context, scores iter.Seq2[ledger.Event, error], bands []ScoreBand, outcome func(customer string) (lost, known bool), o *SurveyOptions) (*BandTable, error) {
	for i, b := range bands {
		if !(b.From <= b.To) || (i > 0 && b.From <= bands[i-1].To) {
			return nil, fmt.Errorf("churn: score band %d, %q: want rising bands without overlap", i+1, b.Name)
		}
	}
	var opts SurveyOptions
	if o != nil {
		opts = *o
	}
	if opts.Every {
		return nil, errors.New("churn: by score: each customer counts once; leave SurveyOptions.Every false")
	}
	of := func(score float64) int {
		return slices.IndexFunc(bands, func(b ScoreBand) bool { return score >= b.From && score <= b.To })
	}
	latest := map[string]answer{}
	err := eachScore(ctx, scores, opts, func(row int, e ledger.Event) error {
		if of(e.Score) < 0 {
			return rowError(row, "score", exactly(e.Score), errors.New("in no band"))
		}
		keepLatest(latest, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &BandTable{Level: 0.95}
	for _, b := range bands {
		t.Rows = append(t.Rows, BandRow{Band: b})
	}
	base := 0
	for customer, a := range latest {
		lost, known := outcome(customer)
		if !known {
			t.Left++
			continue
		}
		r := &t.Rows[of(a.score)]
		base++
		if r.Base++; lost {
			r.Lost++
		}
	}
	if base == 0 {
		return nil, fmt.Errorf("churn: by score: no customer with a score and a known outcome: %w", ledger.ErrUndefined)
	}
	for i := range t.Rows {
		if r := &t.Rows[i]; r.Base > 0 {
			rate := float64(r.Lost) / float64(r.Base)
			low, high := stat.Wilson(float64(r.Lost), float64(r.Base), t.Level)
			r.Rate, r.Low, r.High = &rate, &low, &high
		}
	}
	return t, nil
}

// Loss returns the rate of a row with its counts. Its error wraps ledger.ErrUndefined for a band without customers.
func (r BandRow) Loss() (Loss, error) { return loss(float64(r.Lost), float64(r.Base), Scored) }

// cells are the columns of a row after the band.
func (r BandRow) cells(show func(float64) string) []string {
	out := []string{strconv.Itoa(r.Lost), strconv.Itoa(r.Base)}
	for _, v := range []*float64{r.Rate, r.Low, r.High} {
		if v == nil {
			out = append(out, show(math.NaN()))
		} else {
			out = append(out, show(*v))
		}
	}
	return out
}

// String returns the table as text.
func (t *BandTable) String() string {
	var rows [][]string
	for _, r := range t.Rows {
		rows = append(rows, append([]string{r.Band.Name}, r.cells(percent)...))
	}
	return textTable([]string{"band", "lost", "base", "rate", "low", "high"}, rows, 1)
}

// WriteCSV writes one line a band with a header.
func (t *BandTable) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range t.Rows {
		rows = append(rows, append([]string{r.Band.Name, number(r.Band.From), number(r.Band.To)}, r.cells(number)...))
	}
	return writeCSV(w, []string{"band", "from", "to", "lost", "base", "rate", "low", "high"}, rows)
}
