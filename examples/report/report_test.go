package report_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/examples/report"
)

var end = time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)

// byHand is a report with every kind of block, none of it from data.
func byHand() *report.Report {
	return &report.Report{Title: "Münze & <Wert>", Subtitle: "A & B", End: end, Sections: []report.Section{{
		Name: "all", Title: "Every <kind>", Lead: "Lead & more.", Blocks: []report.Block{
			report.Text("A paragraph with <script>alert(1)</script>."), report.Note("A note."),
			report.Figures{{Name: "Customers", Value: "1,200", Interval: "95 % interval 1 to 2", Note: "n"}},
			&report.Table{Caption: "A \"table\"", Sortable: true, Columns: []report.Column{{Title: "Name"}, {Title: "Value", Numeric: true}},
				Rows:  [][]report.Cell{{{Text: "</td>"}, {Text: "1.0", Number: 1, Shade: 7}}, {{Text: "b"}, {Text: "2.0", Note: "two", Number: 2, Shade: 1}}},
				Total: []report.Cell{{Text: "All"}, {Text: "3.0", Number: 3}}},
			&report.LineChart{Title: "Lines", Says: "They <rise>.", X: report.Axis{Title: "weeks"}, Y: report.Axis{Title: "count"},
				Series: []report.Series{{Name: "a", Points: []report.Point{{X: 0, Y: 1}, {X: 2, Y: 3}}, Low: []float64{0, 2}, High: []float64{2, 4}}, {Name: "b", Points: []report.Point{{X: 1, Y: 1}}, Tone: report.Orange, Dashed: true}},
				Marks:  []report.Mark{{X: 1, Word: "here"}}},
			&report.BarChart{Title: "Bars", Says: "They fall.", Axis: report.Axis{Title: "USD"}, Parts: []string{"p", "q"},
				Bars: []report.Bar{{Name: "one", Parts: []float64{1, 2}, Label: "3", Low: 2, High: 4}, {Name: "two", Parts: []float64{-1}, Label: "-1", Tone: report.Down}}},
		}}}}
}

func html(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEscaping holds that no text of a caller becomes markup, in the page and in the message.
func TestEscaping(t *testing.T) {
	page := html(t, byHand())
	for _, wrong := range []string{"<script>alert", "<Wert>", "<kind>", "<rise>", "A \"table\"\"", "</td></th>"} {
		if strings.Contains(page, wrong) {
			t.Errorf("the page has %s", wrong)
		}
	}
	_, letter := parts(t, eml(t, byHand(), nil))
	for _, wrong := range []string{"<script", "<Wert>", "<kind>", "<rise>"} {
		if strings.Contains(letter, wrong) {
			t.Errorf("the message has %s", wrong)
		}
	}
}

// TestAccessible holds the structure that readers with other senses depend on.
func TestAccessible(t *testing.T) {
	page := html(t, byHand())
	for _, want := range []string{`<html lang="en">`, "<main id=\"main\">", "<header>", "<nav aria-label", "<footer>", `<th scope="col"`, `<th scope="row"`, "<caption>",
		`role="img" aria-label="Lines: They &lt;rise&gt;."`, `<title>Lines</title><desc>They &lt;rise&gt;.</desc>`, `href="#main"`, `name="viewport"`, "prefers-color-scheme:dark", "@media print"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(page, "<h1"); n != 1 {
		t.Errorf("%d headings of the first rank", n)
	}
	for _, svg := range regexp.MustCompile(`<svg class="plot[^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(svg, "aria-label=") {
			t.Errorf("no words for %s", svg)
		}
	}
	if address := regexp.MustCompile(`(?i)(src|href)="(https?:)?//|url\(|@import`).FindString(page); address != "" {
		t.Errorf("the page asks for %s", address)
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[id[1]] {
			t.Errorf("id %s is there twice", id[1])
		}
		ids[id[1]] = true
	}
	for _, ref := range regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !ids[ref[1]] {
			t.Errorf("%s leads nowhere", ref[0])
		}
	}
}

// TestErrors holds every error of Validate, and that nothing is written then.
func TestErrors(t *testing.T) {
	with := func(b report.Block) *report.Report {
		return &report.Report{Title: "t", End: end, Sections: []report.Section{{Name: "s", Title: "s", Blocks: []report.Block{b}}}}
	}
	table := func(t report.Table) *report.Report { return with(&t) }
	line := func(f func(c *report.LineChart)) *report.Report {
		c := byHand().Sections[0].Blocks[4].(*report.LineChart)
		f(c)
		return with(c)
	}
	bars := func(f func(c *report.BarChart)) *report.Report {
		c := byHand().Sections[0].Blocks[5].(*report.BarChart)
		f(c)
		return with(c)
	}
	columns := []report.Column{{Title: "a"}, {Title: "b", Numeric: true}}
	for _, c := range []struct {
		r    *report.Report
		want string
	}{
		{&report.Report{End: end}, "report: no title"},
		{&report.Report{Title: "t"}, "report: no end of observation"},
		{&report.Report{Title: "t", End: end, Sections: []report.Section{{Name: "A b"}}}, `report: section 1: name "A b": want lower-case letters, digits and hyphens`},
		{&report.Report{Title: "t", End: end, Sections: []report.Section{{Name: "a", Title: "a"}, {Name: "a", Title: "a"}}}, "report: section a is there twice"},
		{&report.Report{Title: "t", End: end, Sections: []report.Section{{Name: "a"}}}, "report: section a: no title"},
		{with(nil), "report: section s: block 1: nil"},
		{with((*report.Table)(nil)), "report: section s: block 1: nil table"},
		{with((*report.LineChart)(nil)), "report: section s: block 1: nil chart"},
		{with((*report.BarChart)(nil)), "report: section s: block 1: nil chart"},
		{with(report.Figures{{Name: "n"}}), "report: section s: block 1: figure 1: no name or no value"},
		{table(report.Table{Columns: columns}), `report: section s: block 1: table "": want a caption and columns`},
		{table(report.Table{Caption: "c", Columns: columns, Rows: [][]report.Cell{{{}, {}}, {{}}}}), `report: section s: block 1: table "c": row 2: 1 cells for 2 columns`},
		{table(report.Table{Caption: "c", Columns: columns, Total: []report.Cell{{}}}), `report: section s: block 1: table "c": row 1: 1 cells for 2 columns`},
		{table(report.Table{Caption: "c", Columns: columns, Rows: [][]report.Cell{{{}, {Shade: 8}}}}), `report: section s: block 1: table "c": row 1: column 2: shade 8: want 0 to 7`},
		{table(report.Table{Caption: "c", Columns: columns, Rows: [][]report.Cell{{{}, {Number: math.NaN()}}}}), `report: section s: block 1: table "c": row 1: column 2: number NaN: not finite`},
		{line(func(c *report.LineChart) { c.Says = "" }), `report: section s: block 1: chart "Lines": want a title and a sentence that says what it shows`},
		{line(func(c *report.LineChart) { c.Y.Title = "" }), `report: section s: block 1: chart "Lines": want titles of the axes, with their units`},
		{line(func(c *report.LineChart) { c.Series = nil }), `report: section s: block 1: chart "Lines": 0 series: want 1 to 5`},
		{line(func(c *report.LineChart) { c.Series[1].Points = nil }), `report: section s: block 1: chart "Lines": series "b" has no points`},
		{line(func(c *report.LineChart) { c.Series[0].Low = c.Series[0].Low[:1] }), `report: section s: block 1: chart "Lines": series "a": a band of 1 and 2 ends for 2 points`},
		{line(func(c *report.LineChart) { c.Series[0].Tone = 9 }), `report: section s: block 1: chart "Lines": series "a": unknown tone 9`},
		{line(func(c *report.LineChart) { c.Series[0].High[1] = math.Inf(1) }), `report: section s: block 1: chart "Lines": number +Inf: not finite`},
		{bars(func(c *report.BarChart) { c.Bars = nil }), `report: section s: block 1: chart "Bars": no bars`},
		{bars(func(c *report.BarChart) { c.Bars[0].Parts = []float64{1, 2, 3} }), `report: section s: block 1: chart "Bars": bar 1: want a name and as many parts as the chart names`},
		{bars(func(c *report.BarChart) { c.Bars[1].Tone = 5 }), `report: section s: block 1: chart "Bars": bar 2: unknown tone 5`},
		{bars(func(c *report.BarChart) { c.Bars[1].Start = math.NaN() }), `report: section s: block 1: chart "Bars": number NaN: not finite`},
	} {
		for name, write := range map[string]func(io.Writer) error{"html": c.r.WriteHTML, "eml": func(w io.Writer) error { return c.r.WriteEML(w, nil) }} {
			var b bytes.Buffer
			if err := write(&b); err == nil || err.Error() != c.want || b.Len() > 0 {
				t.Errorf("%s: %d bytes and error %v, want %s", name, b.Len(), err, c.want)
			}
		}
	}
}

func eml(t *testing.T, r *report.Report, o *report.MailOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteEML(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parts takes a message apart as a mail program does, and holds its form on the way.
func parts(t *testing.T, message []byte) (plain, letter string) {
	t.Helper()
	for i, line := range bytes.Split(message, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("line %d has %d bytes or a bare end of line", i+1, len(line))
		}
		for _, c := range line {
			if c >= 0x80 {
				t.Fatalf("line %d is not ASCII: %q", i+1, line)
			}
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" || m.Header.Get("Mime-Version") != "1.0" {
		t.Fatalf("%s with error %v", kind, err)
	}
	alternative := multipart.NewReader(m.Body, params["boundary"])
	first, err := alternative.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	plain = unquoted(t, first, "text/plain")
	second, err := alternative.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err = mime.ParseMediaType(second.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["type"] != "text/html" {
		t.Fatalf("%s with error %v", kind, err)
	}
	related := multipart.NewReader(second, params["boundary"])
	page, err := related.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	letter = unquoted(t, page, "text/html")
	pictures := map[string]bool{}
	for {
		p, err := related.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil || !bytes.HasPrefix(content, []byte("\x89PNG")) {
			t.Fatalf("a picture of %d bytes with error %v", len(content), err)
		}
		pictures["cid:"+strings.Trim(p.Header.Get("Content-Id"), "<>")] = true
	}
	asked := regexp.MustCompile(`<img src="([^"]+)" alt="[^"]+"`).FindAllStringSubmatch(letter, -1)
	for _, a := range asked {
		if !pictures[a[1]] {
			t.Errorf("no picture %s", a[1])
		}
	}
	if len(asked) != len(pictures) || len(asked) != strings.Count(letter, "<img") {
		t.Errorf("%d pictures for %d places", len(pictures), len(asked))
	}
	if _, err := alternative.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Errorf("more than two alternatives: %v", err)
	}
	return plain, letter
}

func unquoted(t *testing.T, p *multipart.Part, kind string) string {
	t.Helper()
	if got := p.Header.Get("Content-Type"); got != kind+"; charset=utf-8" || p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		t.Fatalf("a part of %s, want %s", got, kind)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// TestMail holds the head of the message and that both of its forms say all of the report.
func TestMail(t *testing.T) {
	message := eml(t, byHand(), &report.MailOptions{From: mail.Address{Name: "Zoë", Address: "zoe@example.com"},
		To: []mail.Address{{Address: "a@example.com"}, {Name: "B, C", Address: "b@example.com"}}})
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	date, err := m.Header.Date()
	if err != nil || !date.Equal(end) {
		t.Errorf("date %v with error %v", date, err)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != "Zoë" {
		t.Errorf("from %v with error %v", from, err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Name != "B, C" || m.Header.Get("X-Unsent") != "" {
		t.Errorf("to %v with error %v", to, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Münze & <Wert>, 31 December 2025" {
		t.Errorf("subject %q with error %v", subject, err)
	}
	plain, letter := parts(t, message)
	for _, want := range []string{"Münze & <Wert>", "Every <kind>", "Lead & more.", "Note: A note.", "1,200", "95 % interval 1 to 2", "2.0 two", "All", "They <rise>."} {
		if !strings.Contains(plain, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	for _, want := range []string{"Münze &amp; &lt;Wert&gt;", "Lead &amp; more.", "1,200", "They &lt;rise&gt;.", `scope="row"`, "2.0<br>two"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q", want)
		}
	}
	draft, err := mail.ReadMessage(bytes.NewReader(eml(t, byHand(), nil)))
	if err != nil || draft.Header.Get("X-Unsent") != "1" || draft.Header.Get("From") == "" {
		t.Errorf("a draft: %v with error %v", draft.Header, err)
	}
	if diff := cmp.Diff(string(eml(t, byHand(), nil)), string(eml(t, byHand(), nil))); diff != "" {
		t.Error("two messages of one report differ")
	}
	long := byHand()
	long.Title = strings.Repeat("Größe ", 30)
	parts(t, eml(t, long, nil))
	for want, o := range map[string]*report.MailOptions{
		"report: subject of 401 bytes: want at most 400":            {Subject: strings.Repeat("a", 401)},
		`report: address "a\r\nBcc: b@example.com": not an address`: {From: mail.Address{Address: "a\r\nBcc: b@example.com"}},
		`report: address "nobody": not an address`:                  {To: []mail.Address{{Address: "nobody"}}},
	} {
		var b bytes.Buffer
		if err := byHand().WriteEML(&b, o); err == nil || err.Error() != want || b.Len() > 0 {
			t.Errorf("%d bytes and error %v, want %s", b.Len(), err, want)
		}
	}
}

// TestOptions holds the errors for names of sections and for options out of range.
func TestOptions(t *testing.T) {
	ctx := context.Background()
	log := shop(t)[:200]
	for want, o := range map[string]*report.Options{
		"report: no options: Log is required": nil,
		"report: no orders":                   {},
		`report: unknown section "churns": want some of headline, channels, cohorts, products, conversion, customers, segments, retention, forecast, acquisition, recurring, quality, method`: {Log: log, Sections: []string{"churns"}},
		`report: section "method" is named twice`:                            {Log: log, Sections: []string{"method", "method"}},
		"report: unit 1h0m0s: want a day or a week":                          {Log: log, Unit: time.Hour},
		"report: margin 2: want 0 to 1":                                      {Log: log, Margin: 2},
		"report: margin NaN: want 0 to 1":                                    {Log: log, Margin: math.NaN()},
		"report: discount rate -1 a year: want more than 0 and less than 10": {Log: log, Discount: -1},
		"report: level 1: want a number between 0 and 1":                     {Log: log, Level: 1},
		"report: top -1: want 0 or more":                                     {Log: log, Top: -1},
		"report: no purchase on or before 2020-01-01":                        {Log: log, End: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := report.New(ctx, o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := report.New(stopped, &report.Options{Log: log}); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("canceled: error %v", err)
	}
}
