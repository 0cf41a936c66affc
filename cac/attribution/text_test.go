package attribution

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

const journeysCSV = `path,conversions,nulls,value,currency,ages,lead,opportunity
Paid Search > Display>Email > Direct,10,30,1000,USD,21 14 168h 0,2,
Display>Display>Paid Search,6,24,300,USD,,,3
Email,0,15,,,,,
`

func TestReadJourneys(t *testing.T) {
	got, err := ledger.Collect(ReadJourneys(context.Background(), strings.NewReader(journeysCSV), nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []Journey{
		{Channels: []string{ps, display, email, direct}, Conversions: 10, Nulls: 30, Value: usd("1000"), Ages: days(21, 14, 7, 0), Lead: 2},
		{Channels: []string{display, display, ps}, Conversions: 6, Nulls: 24, Value: usd("300"), Opportunity: 3},
		{Channels: []string{email}, Nulls: 15},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(money.Amount.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	read := func(kind string) func(string) []string {
		return func(text string) []string {
			var out []string
			report := func(e *ledger.RowError) { out = append(out, e.Error()) }
			ctx := context.Background()
			var err error
			switch kind {
			case "journeys":
				_, err = ledger.Collect(ledger.Skip(ReadJourneys(ctx, strings.NewReader(text), nil), report))
			case "touches":
				_, err = ledger.Collect(ledger.Skip(ReadTouchpoints(ctx, strings.NewReader(text), nil), report))
			default:
				_, err = ledger.Collect(ledger.Skip(ReadConversions(ctx, strings.NewReader(text), nil), report))
			}
			if err != nil {
				out = append(out, err.Error())
			}
			return out
		}
	}
	tests := []struct {
		kind, text string
		want       []string
	}{
		{"journeys", "path,conversions,nulls,value,currency,ages,lead\na>>b,1,0,,,,\na,0,0,,,,\na,1,0,5,,,\na,-1,0,,,,\na>b,1,0,,,1 2,\na>b,1,0,,,x y,\na>b,1,0,,,1,\na,1,0,,,,2\na,0,1,5,USD,,\na,1,0,1,USD,,1", []string{
			`row 1: field "path": value "a>>b": a channel without a name`,
			`row 2: field "conversions": value "0": neither conversions nor nulls`,
			`row 3: field "currency": value "": no currency: the column is empty and CSVOptions.Currency is not set`,
			`row 4: field "conversions": value "-1": not between 0 and 2^53`,
			`row 5: field "ages": value "1 2": older than the touch before it`,
			`row 6: field "ages": value "x y": age "x": neither days nor a duration such as 36h`,
			`row 7: field "ages": value "1": not one for each of the 2 touches`,
			`row 8: field "lead": value "2": not one of the 1 touches`,
			`row 9: field "value": value "5": value without conversions`,
		}},
		{"touches", "customer,at,channel\n,2025-01-01,a\n1,x,a\n1,2025-01-01,\n1,1850-01-01,a", []string{
			`row 1: field "customer": value "": missing`,
			`row 2: field "at": value "x": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`,
			`row 3: field "channel": value "": missing`,
			`row 4: field "at": value "1850-01-01": not in the years 1900 to 2190`,
		}},
		{"touches", "customer,at\n1,2025-01-01", []string{`attribution: header: no column "channel"; the columns are "customer", "at"`}},
		{"conversions", "customer,at,value,currency\n1,2025-01-01,-5,USD\n1,2025-01-01,5,\n1,2025-01-01,,", []string{
			`row 1: field "value": value "-5": negative`,
			`row 2: field "currency": value "": no currency: the column is empty and CSVOptions.Currency is not set`,
		}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, read(test.kind)(test.text)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.kind, diff)
		}
	}
}

// From files to credit.
func TestReadAndBuild(t *testing.T) {
	touches := "customer,at,channel,campaign\n1,2025-01-01,Search,spring\n1,2025-01-03,Email,\n2,2025-01-02,Search,spring\n"
	conversions := "customer,at,value,currency\n1,2025-01-04,30.01,USD\n"
	ctx := context.Background()
	js, err := Build(ctx, ReadTouchpoints(ctx, strings.NewReader(touches), nil), ReadConversions(ctx, strings.NewReader(conversions), nil), at(31, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Search 0/1", "Search>Email 1/0 30.01"}, lines(js)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJourneysRoundTrip(t *testing.T) {
	js := journeysA1(t)
	var b bytes.Buffer
	if err := js.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	again, err := Collect(context.Background(), ReadJourneys(context.Background(), &b, nil), &Options{Direct: direct})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := encoded(t, js), encoded(t, again); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	for _, name := range []string{"a>b", " a"} {
		js, err := New([]Journey{{Channels: []string{name}, Nulls: 1}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := js.WriteCSV(io.Discard); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestTables(t *testing.T) {
	ctx := context.Background()
	js := journeysA1(t)
	check := func(name string, v interface {
		String() string
		WriteCSV(io.Writer) error
	}, text, csv, fields string) {
		t.Helper()
		var b bytes.Buffer
		if err := v.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(v.String(), text) {
			t.Errorf("%s:\n%s", name, v)
		}
		if !strings.HasPrefix(b.String(), csv) {
			t.Errorf("%s:\n%s", name, b.String())
		}
		raw := encoded(t, v)
		if fields != "" && !strings.HasPrefix(raw, fields) || strings.Contains(raw, "NaN") {
			t.Errorf("%s:\n%s", name, raw)
		}
		var any any
		if err := json.Unmarshal([]byte(raw), &any); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	result := mustAttribute(t, js, Last{})
	check("result", result,
		"last\nchannel      conversions   share        value\nDirect             22.00   61.1%  USD 2040.00\n",
		"model,channel,conversions,share,value,currency\nlast,Direct,22,0.6111111111111112,2040.00,USD\n",
		`{"model":"last","credits":[{"channel":"Direct","conversions":22,"share":0.6111111111111112,"value":{"amount":"2040.00","currency":"USD"}},`)
	check("journeys", js,
		"path                                    conversions  nulls        value\nPaid Search > Display > Email > Direct           10     30  USD 1000.00\n",
		"path,conversions,nulls,value,currency,lead,opportunity\nDirect,4,6,80.00,USD,,\n",
		`{"direct":"Direct","totals":{"journeys":150,"conversions":36,"nulls":114,"touches":440,"paths":6,"channels":4,"value":{"amount":"2680.00","currency":"USD"}},"paths":[{"channels":["Direct"],"conversions":4,`)
	comparison, err := Compare(ctx, js, First{}, Last{})
	if err != nil {
		t.Fatal(err)
	}
	check("comparison", comparison,
		"conversions\nchannel      first   last\nDirect        4.00  22.00\n",
		"model,channel,conversions,share,value,currency\nfirst,Direct,4,",
		`{"channels":["Direct","Display","Email","Paid Search"],"results":[{"model":"first",`)
	removal, err := Markov{}.Removal(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	check("removal", removal, "Markov 1\nchannel      conversions   value\nDirect            0.6111  ", "channel,conversions,value\nDirect,0.611", `{"model":"Markov 1","effects":[{"channel":"Direct","conversions":0.6111`)
	transitions, err := Markov{}.Transitions(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	check("transitions", transitions, "from         to            count  probability\n(start)      Direct           10       0.0667\n",
		"from,to,count,probability\n(start),Direct,10,0.06666666666666667\n", `[{"from":["(start)"],"to":["Direct"],"count":10,"probability":0.06666666666666667}`)
	ordered, err := OrderedShapley(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	check("ordered", ordered, "channel      position  conversions   value\nDirect              1         4.00   80.00\n",
		"channel,position,conversions,value\nDirect,1,4,80\n", `[{"channel":"Direct","position":1,"conversions":4,"value":80}`)
	shapley, err := ShapleyExact(ctx, ConversionGame(js))
	if err != nil {
		t.Fatal(err)
	}
	check("values", shapley, "player         value  std err\nDirect       10.5000   0.0000\n", "player,value,std_err,permutations\nDirect,10.5,0,0\n", `{"values":[{"player":"Direct","value":10.5,"std_err":0}`)
	orders, err := SelectOrder(ctx, js, nil)
	if err != nil {
		t.Fatal(err)
	}
	check("orders", orders, "order  states  parameters  log-lik      AIC      BIC     AUC\n1           4          12  -611.25  1246.51  1282.63  ", "order,states,parameters,log_lik,aic,bic,auc,auc_std_err,best\n1,4,12,-", `{"fits":[{"order":1,"states":4,"parameters":12,"log_lik":-`)
	intervals, err := Bootstrap(ctx, js, Last{}, &BootstrapOptions{Replicates: 50})
	if err != nil {
		t.Fatal(err)
	}
	check("intervals", intervals, "last, 95.0% intervals of 50 replicates\nchannel      conversions  std err  ", "model,channel,quantity,value,std_err,low,high,level\nlast,Direct,conversions,22,", `{"model":"last","rows":[{"channel":"Direct","conversions":{"value":22,`)
}

func TestRelabel(t *testing.T) {
	js := journeysA1(t)
	got, err := js.Relabel(context.Background(), func(c string) string {
		if c == email || c == direct {
			return "Owned"
		}
		return "Paid"
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Owned 9/21 330.00", "Paid>Owned 8/12 960.00", "Paid>Owned>Paid>Owned 3/27 90.00", "Paid>Paid>Owned>Owned 10/30 1000.00", "Paid>Paid>Paid 6/24 300.00"}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, m := range []Model{TimeDecay{}, Linear{}, Last{}} {
		a, b := mustAttribute(t, js, m), mustAttribute(t, got, m)
		owned := 0.0
		for _, c := range a.Credits {
			if c.Channel == email || c.Channel == direct {
				owned += c.Conversions
			}
		}
		if c, _ := b.Credit("Owned"); !near(c.Conversions, owned, 1e-14) || got.Direct() != "Owned" {
			t.Errorf("%s: %v, want %v", m.Name(), c.Conversions, owned)
		}
	}
}

func TestDefaultModels(t *testing.T) {
	names := func(js *Journeys) string {
		var out []string
		for _, m := range DefaultModels(js) {
			out = append(out, m.Name())
		}
		return strings.Join(out, ", ")
	}
	if got, want := names(journeysA1(t)), "first, last, last non-direct, linear, position 40/20/40, time decay 168h0m0s, Markov 1, Shapley"; got != want {
		t.Errorf("got %s", got)
	}
	js, err := New([]Journey{{Channels: []string{"a", "b"}, Conversions: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(js), "first, last, linear, position 40/20/40, Markov 1, Shapley"; got != want {
		t.Errorf("got %s", got)
	}
	if c, err := Compare(context.Background(), js); err != nil || strings.Contains(c.String(), "value") {
		t.Errorf("%v\n%s", err, c)
	}
}

// A fakeDB answers every query with the same rows.
type fakeDB struct {
	columns []string
	rows    [][]driver.Value
	next    int
}

func (f *fakeDB) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f *fakeDB) Driver() driver.Driver                        { return nil }
func (f *fakeDB) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not prepared") }
func (f *fakeDB) Begin() (driver.Tx, error)                    { return nil, errors.New("no transactions") }
func (f *fakeDB) Columns() []string                            { return f.columns }
func (f *fakeDB) Close() error                                 { return nil }
func (f *fakeDB) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return f, nil
}

func (f *fakeDB) Next(into []driver.Value) error {
	if f.next == len(f.rows) {
		return io.EOF
	}
	copy(into, f.rows[f.next])
	f.next++
	return nil
}

func query(t *testing.T, columns []string, rows ...[]driver.Value) *sql.Rows {
	t.Helper()
	db := sql.OpenDB(&fakeDB{columns: columns, rows: rows})
	t.Cleanup(func() { db.Close() })
	out, err := db.QueryContext(context.Background(), "select")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFromRows(t *testing.T) {
	ctx := context.Background()
	when := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	touches, err := ledger.Collect(TouchpointsFromRows(ctx, query(t, []string{"customer", "at", "channel", "campaign"}, []driver.Value{"1", when, "a", nil}), nil))
	if err != nil {
		t.Fatal(err)
	}
	conversions, err := ledger.Collect(ConversionsFromRows(ctx, query(t, []string{"customer", "at", "value"}, []driver.Value{"1", when, "12.50"}), &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		t.Fatal(err)
	}
	journeys, err := ledger.Collect(JourneysFromRows(ctx, query(t, []string{"path", "nulls"}, []driver.Value{"a > b", int64(3)}), nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Touchpoint{tp("1", when, "a")}, touches); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]Conversion{won("1", when, "12.50")}, conversions, cmp.Comparer(money.Amount.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]Journey{{Channels: []string{"a", "b"}, Nulls: 3}}, journeys, cmp.Comparer(money.Amount.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Whatever is read can be given credit to, and is read back as it was written.
func FuzzReadJourneys(f *testing.F) {
	f.Add(journeysCSV)
	f.Add("path,conversions\na>b,1\n")
	f.Add("path,conversions,ages\na>b,1,2 1\n")
	f.Add("path,nulls,value,currency\na,3,0,USD\n")
	f.Fuzz(func(t *testing.T, text string) {
		ctx := context.Background()
		js, err := Collect(ctx, ledger.Skip(ReadJourneys(ctx, strings.NewReader(text), nil), nil), nil)
		if err != nil {
			return
		}
		if js.Totals().Conversions > 0 {
			for _, m := range []Model{Linear{}, Markov{}, Shapley{}, WShaped{}} {
				r, err := Attribute(ctx, js, m)
				if err != nil {
					if errors.Is(err, money.ErrNoMinorUnit) {
						continue
					}
					t.Fatal(err)
				}
				sum := 0.0
				for _, c := range r.Credits {
					sum += c.Conversions
				}
				if sum != float64(r.Conversions) {
					t.Fatalf("%s: %v of %d", r.Model, sum, r.Conversions)
				}
			}
		}
		var b bytes.Buffer
		if err := js.WriteCSV(&b); err != nil {
			return
		}
		again, err := Collect(ctx, ReadJourneys(ctx, &b, nil), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if x, y := encoded(t, js), encoded(t, again); x != y {
			t.Fatalf("%s\n%s", x, y)
		}
	})
}
