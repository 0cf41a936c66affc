package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/custval/custval/cac/funnel"
	"github.com/custval/custval/ledger"
)

// conversion tells how many of those who were reached first through a channel, or on a platform, went on to buy.
func conversion(ctx context.Context, f *facts) (Section, error) {
	var s Section
	if len(f.o.Touches) == 0 {
		return s, missingf("Touch-points were not given, so there is nothing to say about who was reached and did not buy.")
	}
	var events []funnel.Event
	from, to := f.after, f.first
	touched := map[string]bool{}
	for _, t := range f.o.Touches {
		if !t.At.Before(f.after) {
			continue
		}
		touched[t.Customer] = true
		if t.At.Before(from) {
			from = t.At
		}
		if t.At.After(to) {
			to = t.At
		}
		events = append(events, funnel.Event{Customer: t.Customer, At: t.At, Name: "touch", Platform: t.Channel})
	}
	if len(events) == 0 {
		return s, missingf("No touch-point is dated on or before %s.", day(f.end))
	}
	for _, t := range f.log {
		if touched[t.Customer] && t.Amount.Sign() > 0 {
			events = append(events, funnel.Event{Customer: t.Customer, At: t.At, Name: "order"})
		}
	}
	measure := func(by func(funnel.Event) string) (*funnel.Report, error) {
		return funnel.Analyze(ctx, ledger.Slice(events), funnel.Steps("touch", "order"),
			&funnel.Options{By: by, Reentry: funnel.FirstEntry, End: f.after, Level: f.o.Level})
	}
	byChannel, err := measure(funnel.ByPlatform)
	if err != nil {
		return s, err
	}
	all := byChannel.Total.Steps[1]
	rateOfAll, err := all.Rate()
	if err != nil {
		return s, err
	}
	s.Lead = fmt.Sprintf("Of %s people reached between %s and %s, %s went on to buy: %s.", count(all.Before), day(from), day(to), count(all.Count), share(rateOfAll))
	blocks, says, err := f.conversions(byChannel, "channel", "the channel that reached them first")
	if err != nil {
		return s, err
	}
	s.Lead += says
	s.Blocks = blocks
	platform := ledger.By(f.o.Customers, "platform")
	known := slices.ContainsFunc(f.o.Customers, func(c ledger.Customer) bool { return c.Attributes["platform"] != "" })
	if !known {
		s.Blocks = append(s.Blocks, Note("The customers have no attribute platform, so there is no conversion by platform."))
		return s, nil
	}
	byPlatform, err := measure(funnel.BySegment(platform))
	if err != nil {
		return s, err
	}
	blocks, says, err = f.conversions(byPlatform, "platform", "platform")
	if err != nil {
		return s, err
	}
	s.Lead += says
	s.Blocks = append(s.Blocks, blocks...)
	return s, nil
}

// conversions shows the groups of a funnel, the best first, and says which that is.
func (f *facts) conversions(r *funnel.Report, word, long string) ([]Block, string, error) {
	bars := &BarChart{Title: "Share who bought, by " + long, Axis: Axis{Title: "people who bought, of those reached (%)", Percent: true}}
	t := &Table{Caption: "Who was reached and who bought, by " + long, Columns: []Column{{capital(word), false}, {"Reached", true}, {"Bought", true},
		{"Conversion", true}, {f.level() + " interval", true}}}
	type line struct {
		name            string
		rate, low, high float64
		step            funnel.Result
	}
	var lines []line
	for _, g := range append(slices.Clone(r.Groups), r.Total) {
		l := line{name: cmp.Or(g.Name, "unknown"), step: g.Steps[1]}
		var err error
		if l.rate, err = l.step.Rate(); err != nil {
			return nil, "", err
		}
		if l.low, l.high, err = l.step.Interval(f.o.Level); err != nil {
			return nil, "", err
		}
		lines = append(lines, l)
	}
	sum := lines[len(lines)-1]
	lines = lines[:len(lines)-1]
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.rate, a.rate) })
	row := func(l line) []Cell {
		return []Cell{text(l.name), number(l.step.Before), number(l.step.Count), rate(l.rate), {Text: share(l.low) + " to " + share(l.high), Number: l.low}}
	}
	for _, l := range lines {
		t.Rows = append(t.Rows, row(l))
		bars.Bars = append(bars.Bars, Bar{Name: l.name, Parts: []float64{l.rate}, Low: l.low, High: l.high, Label: share(l.rate)})
	}
	sum.name = "All"
	t.Total = row(sum)
	best, worst := lines[0], lines[len(lines)-1]
	says := fmt.Sprintf(" By %s it is %s at best (%s)", word, share(best.rate), best.name)
	if len(lines) > 1 {
		says += fmt.Sprintf(" and %s at worst (%s)", share(worst.rate), worst.name)
	}
	says += "."
	bars.Says = fmt.Sprintf("Each bar is the part of those reached who bought, by %s. The thin lines are the %s intervals: where they lie apart, the difference is more than chance.", word, f.level())
	return []Block{bars, t}, says, nil
}
