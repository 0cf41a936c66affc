package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/custval/custval/ledger"
)

// maxSubdistributionRows bounds what Subdistribution makes of its input.
const maxSubdistributionRows = 1 << 24

// Subdistribution turns tenures into rows from which [FitCox] estimates the regression of Fine and Gray: how covariates
// change the probability of leaving for one reason, competing reasons included, as [CumulativeIncidence] has it. Who left
// for another reason at T stays at risk after it, with the weight
//
//	G(t-)/G(T-)
//
// of still being observed, G the Kaplan-Meier estimate for the time of censoring after the events at that time. Source is
// the tenure, counted from 0, that each row comes from; [Design.Pick] makes the design of the rows. A tenure without the
// name of a customer gets "#" and its number, so that the rows of one tenure can be a cluster:
//
//	rows, source, err := survival.Subdistribution(tenures, "involuntary")
//	d, err := design.Pick(source)
//	f, err := survival.FitCox(ctx, rows, d, &survival.CoxOptions{Cluster: survival.Customer})
//
// The weights are estimates, so take the robust standard errors of Cluster. With a grouping as the only covariate,
// CoxFit.RobustScore is a test of equal incidence in the groups, akin to that of Gray.
//
// Tenures that left for another reason become one row for each stretch of time with its own weight and an event: round
// times to days or weeks where there are many. Subdistribution returns the errors of [KaplanMeier] for the tenures, a
// [ledger.RowError] for an entry other than 0, an error that wraps [ErrNoEvents] if nobody left for the reason, and an error
// for more than 16 million rows.
//
// Fine and Gray, Journal of the American Statistical Association 94 (1999); Geskus, Biometrics 67 (2011).
func Subdistribution(tenures []ledger.Tenure, reason string) (rows []ledger.Tenure, source []int, err error) {
	s, err := newSample(tenures)
	if err != nil {
		return nil, nil, err
	}
	if err := s.noEntries(); err != nil {
		return nil, nil, err
	}
	times, weights := s.stretches(tenures, reason)
	if len(times) == 0 {
		return nil, nil, fmt.Errorf("survival: subdistribution: reason %q: %w", reason, ErrNoEvents)
	}
	observed := s.observationAfterEvents()
	for i := range tenures {
		t := tenures[i]
		if t.Customer == "" {
			t.Customer = fmt.Sprintf("#%d", i+1)
		}
		competing := t.Ended && causeOf(&t) != reason
		t.Ended = t.Ended && !competing
		rows, source = append(rows, t), append(source, i)
		if !competing {
			continue
		}
		first := sort.SearchFloat64s(times, math.Nextafter(t.Duration, math.Inf(1)))
		base, start := observed.before(t.Duration), t.Duration
		if base == 0 {
			continue
		}
		for k := first; k < len(times); {
			last := k
			for last+1 < len(times) && weights[last+1] == weights[k] {
				last++
			}
			if weights[k] == 0 {
				break
			}
			row := t
			row.Entry, row.Duration, row.Weight = start, times[last], s.weightOf(i)*weights[k]/base
			rows, source = append(rows, row), append(source, i)
			if len(rows) > maxSubdistributionRows {
				return nil, nil, errors.New("survival: subdistribution: more than 16 million rows; round the times to days or weeks")
			}
			start, k = times[last], last+1
		}
	}
	return rows, source, nil
}

// stretches returns the distinct times of events for the reason and G just before each.
func (s *sample) stretches(tenures []ledger.Tenure, reason string) (times, weights []float64) {
	for i := range tenures {
		if tenures[i].Ended && causeOf(&tenures[i]) == reason {
			times = append(times, s.time[i])
		}
	}
	slices.Sort(times)
	times = slices.Compact(times)
	observed := s.observationAfterEvents()
	weights = make([]float64, len(times))
	for k, t := range times {
		weights[k] = observed.before(t)
	}
	return times, weights
}

// observationAfterEvents returns the Kaplan-Meier estimate of the time of censoring in which those who leave at a time are
// no longer at risk of being censored at it.
func (s *sample) observationAfterEvents() *steps {
	points, _ := tally(s, nil)
	g, value := &steps{}, 1.0
	for i := range points {
		p := &points[i]
		if p.Censored == 0 {
			continue
		}
		left := p.AtRisk - p.Events
		value *= math.Max(0, left-p.Censored) / left
		g.time, g.value = append(g.time, p.Time), append(g.value, value)
	}
	return g
}
