package attribution

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
)

// separator stands between the channels of a path in text.
const separator = " > "

func pathText(channels []string) string {
	if n := len(channels); n > 12 {
		return fmt.Sprintf("%s > ... (%d touches)", strings.Join(channels[:10], separator), n)
	}
	return strings.Join(channels, separator)
}

func journeySchema() ledger.Schema {
	return ledger.Schema{
		Required: []string{"path"},
		Optional: []string{"conversions", "nulls", "value", "currency", "ages", "lead", "opportunity"},
		Prefix:   "attribution",
	}
}

// ReadJourneys reads journeys from CSV text. The fields are
//
//	path                           required: the channels, oldest first, with > between them: Search > Email > Direct
//	conversions  nulls             how many went this way and converted or did not; at least one of them
//	value  currency                optional: what the conversions brought in total
//	ages                           optional: the age of each touch with a space between them: 504h 336h 0s
//	lead  opportunity              optional: the numbers of the touches that made them, counted from 1
//
// and the columns have these names unless CSVOptions.Columns maps them. An age is a whole number of days, or a duration
// as in package time. Bad rows are a *[ledger.RowError] and the stream goes on; see [ledger.ReadRecords].
// [Journeys.WriteCSV] writes this form.
func ReadJourneys(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Journey, error] {
	return ledger.ReadRecords(ctx, r, o, journeySchema(), decodeJourney)
}

// JourneysFromRows reads journeys from a SQL query with the fields of [ReadJourneys] as columns.
func JourneysFromRows(ctx context.Context, rows *sql.Rows, o *ledger.CSVOptions) iter.Seq2[Journey, error] {
	return ledger.FromRows(ctx, rows, o, journeySchema(), decodeJourney)
}

func decodeJourney(r *ledger.Record) (Journey, error) {
	j := Journey{Conversions: r.Int("conversions"), Nulls: r.Int("nulls")}
	for name := range strings.SplitSeq(r.Text("path"), ">") {
		j.Channels = append(j.Channels, strings.TrimSpace(name))
	}
	if r.Has("value") {
		j.Value = r.Amount("value")
	}
	for _, f := range strings.Fields(r.Text("ages")) {
		age, err := parseAge(f)
		if err != nil {
			r.Fail("ages", err)
		}
		j.Ages = append(j.Ages, age)
	}
	j.Lead, j.Opportunity = touchNumber(r, "lead", len(j.Channels)), touchNumber(r, "opportunity", len(j.Channels))
	var e *ledger.RowError
	if r.Err() == nil && errors.As(j.Validate(), &e) {
		field := e.Field
		if field == "channels" {
			field = "path"
		}
		r.Fail(field, e.Err)
	}
	return j, nil
}

// touchNumber reads the number of a touch, -1 if it is none of the n.
func touchNumber(r *ledger.Record, field string, n int) int {
	if i := r.Int(field); i >= 0 && i <= int64(n) {
		return int(i)
	}
	return -1
}

// parseAge reads a duration, or a whole number of days.
func parseAge(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < 0 || n > int64(1<<63-1)/int64(day) {
			return 0, fmt.Errorf("age %q: not between 0 and 106751 days", s)
		}
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("age %q: neither days nor a duration such as 36h", s)
	}
	return d, nil
}

func touchSchema() ledger.Schema {
	return ledger.Schema{Required: []string{"customer", "at", "channel"}, Optional: []string{"campaign"}, Prefix: "attribution"}
}

// ReadTouchpoints reads touch-points from CSV text. The fields customer, at and channel are required, campaign is
// optional; the columns have these names unless CSVOptions.Columns maps them. Bad rows are a *[ledger.RowError] and the
// stream goes on; see [ledger.ReadRecords].
func ReadTouchpoints(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Touchpoint, error] {
	return ledger.ReadRecords(ctx, r, o, touchSchema(), decodeTouchpoint)
}

// TouchpointsFromRows reads touch-points from a SQL query with the fields of [ReadTouchpoints] as columns.
func TouchpointsFromRows(ctx context.Context, rows *sql.Rows, o *ledger.CSVOptions) iter.Seq2[Touchpoint, error] {
	return ledger.FromRows(ctx, rows, o, touchSchema(), decodeTouchpoint)
}

func decodeTouchpoint(r *ledger.Record) (Touchpoint, error) {
	t := Touchpoint{Customer: r.Text("customer"), At: r.Time("at"), Channel: r.Text("channel"), Campaign: r.Text("campaign")}
	validated(r, t.Validate)
	return t, nil
}

func conversionSchema() ledger.Schema {
	return ledger.Schema{Required: []string{"customer", "at"}, Optional: []string{"value", "currency"}, Prefix: "attribution"}
}

// ReadConversions reads conversions from CSV text. The fields customer and at are required; value and currency are
// optional, and a currency is needed only where there is a value. The columns have these names unless
// CSVOptions.Columns maps them. Bad rows are a *[ledger.RowError] and the stream goes on; see [ledger.ReadRecords].
func ReadConversions(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Conversion, error] {
	return ledger.ReadRecords(ctx, r, o, conversionSchema(), decodeConversion)
}

// ConversionsFromRows reads conversions from a SQL query with the fields of [ReadConversions] as columns.
func ConversionsFromRows(ctx context.Context, rows *sql.Rows, o *ledger.CSVOptions) iter.Seq2[Conversion, error] {
	return ledger.FromRows(ctx, rows, o, conversionSchema(), decodeConversion)
}

func decodeConversion(r *ledger.Record) (Conversion, error) {
	c := Conversion{Customer: r.Text("customer"), At: r.Time("at")}
	if r.Has("value") {
		c.Value = r.Amount("value")
	}
	validated(r, c.Validate)
	return c, nil
}

// validated reports what a record's own check finds, unless the record has an error already.
func validated(r *ledger.Record, check func() error) {
	var e *ledger.RowError
	if r.Err() == nil && errors.As(check(), &e) {
		r.Fail(e.Field, e.Err)
	}
}

// String returns the totals and the ten paths with the most conversions.
func (js *Journeys) String() string {
	t := js.totals
	order := make([]int, len(js.paths))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		p, q := &js.paths[a], &js.paths[b]
		return cmp.Or(cmp.Compare(q.conversions, p.conversions), cmp.Compare(q.nulls, p.nulls))
	})
	var rows [][]string
	for _, i := range order[:min(10, len(order))] {
		p := &js.paths[i]
		rows = append(rows, []string{pathText(js.names(p.channels)), table.Fixed(p.conversions, 0, nil), table.Fixed(p.nulls, 0, nil), p.exact.String()})
	}
	if n := len(order) - len(rows); n > 0 {
		rows = append(rows, []string{fmt.Sprintf("(%d more)", n)})
		rows[len(rows)-1] = append(rows[len(rows)-1], "", "", "")
	}
	rows = append(rows, []string{"(total)", strconv.FormatInt(t.Conversions, 10), strconv.FormatInt(t.Nulls, 10), t.Value.String()})
	return table.Text([]string{"path", "conversions", "nulls", "value"}, rows, 1)
}

// WriteCSV writes every path with the columns path, conversions, nulls, value, currency, lead and opportunity, which
// [ReadJourneys] reads back; ages are left out. It returns an error if the name of a channel has a > or spaces around it.
func (js *Journeys) WriteCSV(w io.Writer) error {
	for _, c := range js.channels {
		if strings.Contains(c, ">") || strings.TrimSpace(c) != c {
			return fail("channel %q: cannot be told apart in a path", c)
		}
	}
	rows := make([][]string, 0, len(js.paths))
	for i := range js.paths {
		p := &js.paths[i]
		value := ""
		if p.exact.Currency() != "" {
			value = table.Plain(p.exact)
		}
		rows = append(rows, []string{strings.Join(js.names(p.channels), separator), strconv.FormatInt(int64(p.conversions), 10),
			strconv.FormatInt(int64(p.nulls), 10), value, string(p.exact.Currency()), ordinal(p.lead), ordinal(p.oppo)})
	}
	return table.CSV(w, []string{"path", "conversions", "nulls", "value", "currency", "lead", "opportunity"}, rows)
}

func ordinal(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// MarshalJSON writes the totals, the report and the paths.
func (js *Journeys) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Direct string    `json:"direct,omitempty"`
		Totals Totals    `json:"totals"`
		Report Report    `json:"report,omitzero"`
		Paths  []Journey `json:"paths"`
	}{js.declared, js.totals, js.report, slices.Collect(js.Paths())})
}
