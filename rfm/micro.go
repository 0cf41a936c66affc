package rfm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Group is the analysis of one group of customers, or of the orders of one group.
type Group struct {
	Group string `json:"group"`
	// Table is nil if nobody in the group has a net positive order; Unscored then counts its customers.
	Table    *Table `json:"table"`
	Unscored int    `json:"unscored"`
}

// A MicroTable is RFM within groups, sorted by group: the segments of personas, of regions, of product categories.
type MicroTable struct {
	Groups []Group `json:"groups"`
}

// Micro scores the customers of every group by themselves: the best fifth of each persona, not of all customers. With
// Options.Scales all groups are scored on those scales instead, which makes them comparable. Keys that depend on several
// attributes are made by [JoinKeys]. It returns an error for what [Summary.Segment] lists, with the group's name.
func (s *Summary) Micro(ctx context.Context, key ledger.Key, o *Options) (*MicroTable, error) {
	if key == nil {
		return nil, errors.New("rfm: no key to group by")
	}
	return s.micro(ctx, func(customer string) (group, id string) { return key(customer), customer }, o)
}

// micro splits the summary into groups and scores each by itself; split returns a customer's group and id.
func (s *Summary) micro(ctx context.Context, split func(string) (group, id string), o *Options) (*MicroTable, error) {
	parts := make(map[string]*Summary)
	part := func(group string) *Summary {
		p := parts[group]
		if p == nil {
			p = &Summary{Start: s.Start, End: s.End, Currency: s.Currency, Count: s.Count, Value: s.Value, loc: s.loc}
			parts[group] = p
		}
		return p
	}
	for i := range s.Rows {
		group, id := split(s.Rows[i].Customer)
		p := part(group)
		p.Rows = append(p.Rows, s.Rows[i])
		p.Rows[len(p.Rows)-1].Customer = id
		if s.days != nil {
			p.days = append(p.days, s.days[i])
		}
	}
	for i := range s.Unscored {
		group, id := split(s.Unscored[i].Customer)
		p := part(group)
		p.Unscored = append(p.Unscored, s.Unscored[i])
		p.Unscored[len(p.Unscored)-1].Customer = id
	}
	names := slices.Sorted(maps.Keys(parts))
	m := &MicroTable{Groups: make([]Group, len(names))}
	for i, g := range names {
		t, err := parts[g].scored(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("rfm: group %.80q: %w", g, unprefixed(err))
		}
		m.Groups[i] = Group{Group: g, Table: t, Unscored: len(parts[g].Unscored)}
	}
	return m, nil
}

// scored returns the table of a part, nil if it has nobody to score.
func (s *Summary) scored(ctx context.Context, o *Options) (*Table, error) {
	if err := s.reportOnly(); err != nil {
		return nil, err
	}
	if len(s.Rows) == 0 {
		return nil, nil
	}
	return s.Segment(ctx, o)
}

// reportOnly fills the report of a part with what its customers tell; rows of the log are not known any more.
func (s *Summary) reportOnly() error {
	var sum money.Sum
	for i := range s.Rows {
		sum.Add(s.Rows[i].Revenue)
		s.Report.Purchases += s.Rows[i].Frequency
	}
	for i := range s.Unscored {
		u := &s.Unscored[i]
		sum.Add(u.Revenue)
		s.Report.Purchases += u.Free
		s.Report.Free += u.Free
		s.Report.Refunds += u.Refunds
	}
	var err error
	if s.Report.Revenue, err = sum.Total(); err != nil {
		return fmt.Errorf("rfm: %w", err)
	}
	return nil
}

// JoinKeys returns the key of several keys together, their groups joined by sep: the region within the persona.
func JoinKeys(sep string, keys ...ledger.Key) ledger.Key {
	return func(customer string) string {
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = k(customer)
		}
		return strings.Join(parts, sep)
	}
}

// AnalyzeBy is Analyze within every group of orders: RFM of the customers of each product category, channel or campaign,
// as by returns it for a row. A customer is in every group with an order of the customer's. The lines of one order that
// belong to different groups are an order in each. Memory is proportional to the pairs of group and customer, and
// MaxCustomers counts those.
//
// It returns an error for what [Analyze] lists and for a group with a zero byte in its name.
func AnalyzeBy(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, by func(ledger.Transaction) string, o *Options) (*MicroTable, error) {
	if by == nil {
		return nil, errors.New("rfm: nothing to group by")
	}
	opt := o.orDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	s, err := summarizeBy(ctx, log, end, by, &opt.SummaryOptions)
	if err != nil {
		return nil, err
	}
	return s.micro(ctx, func(pair string) (group, id string) {
		group, id, _ = strings.Cut(pair, groupEnd)
		return group, id
	}, &opt)
}

// groupEnd stands between group and customer in the ids of AnalyzeBy. It sorts before all else, so the pairs are sorted
// by group and then by customer.
const groupEnd = "\x00"

// A MicroRow is one segment of one group.
type MicroRow struct {
	Group string `json:"group"`
	SegmentRow
}

// Rows returns the segments of all groups that have customers in them, by group and then in the order of the map.
// Shares are those within the group.
func (m *MicroTable) Rows() []MicroRow {
	var rows []MicroRow
	for _, g := range m.Groups {
		if g.Table == nil {
			continue
		}
		for _, r := range g.Table.Segments().Rows {
			if r.Customers > 0 {
				rows = append(rows, MicroRow{g.Group, r})
			}
		}
	}
	return rows
}

// String returns Rows as a text table.
func (m *MicroTable) String() string {
	header := []string{"group", "segment", "customers", "share", "revenue", "share of revenue", "average order", "median recency"}
	var rows [][]string
	for _, r := range m.Rows() {
		rows = append(rows, []string{r.Group, r.Segment, strconv.Itoa(r.Customers), r.Share.percent(), r.Revenue.String(),
			r.RevenueShare.percent(), r.AverageOrder.String(), r.MedianRecency.short()})
	}
	return textTable(header, rows, 2)
}

// WriteCSV writes Rows with a header. Shares are fractions within the group.
func (m *MicroTable) WriteCSV(w io.Writer) error {
	header := []string{"group", "segment", "customers", "share", "purchases", "revenue", "currency", "revenue_share", "average_order", "median_recency"}
	return writeCSV(w, header, func(yield func([]string) bool) {
		for _, r := range m.Rows() {
			if !yield([]string{r.Group, r.Segment, strconv.Itoa(r.Customers), r.Share.csv(), strconv.Itoa(r.Purchases), plain(r.Revenue),
				string(r.Revenue.Currency()), r.RevenueShare.csv(), plain(r.AverageOrder), r.MedianRecency.csv()}) {
				return
			}
		}
	})
}
