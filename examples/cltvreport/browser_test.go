package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/examples/report"
	"github.com/custval/custval/examples/sample"
)

// A browser is a headless Chromium that is spoken to through a pipe in the DevTools protocol: messages of JSON, each ended
// by a zero byte.
type browser struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string
	last    int
	events  []event // since the last call of drain
}

// An event is what the browser tells without having been asked.
type event struct {
	Method string
	Params json.RawMessage
}

// start starts the browser that CUSTVAL_CHROMIUM names, else one on the path, and skips the test where there is none.
func start(t *testing.T) *browser {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a process there inherits no pipes but the three standard ones")
	}
	path := os.Getenv("CUSTVAL_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("no Chromium: CUSTVAL_CHROMIUM names none and none is on the path")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	c := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	c.ExtraFiles = []*os.File{theirIn, theirOut} // the browser's descriptors 3 and 4
	if err := c.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_, _ = b.ask("", "Browser.close", nil) // it may close before it answers
		_, _ = in.Close(), out.Close()
		_ = c.Wait()
		stop()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// ask sends a command and waits for its answer; events on the way are kept.
func (b *browser) ask(session, method string, params any) (json.RawMessage, error) {
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if session != "" {
		command["sessionId"] = session
	}
	text, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		return nil, err
	}
	for {
		m, err := b.read()
		if err != nil {
			return nil, err
		}
		if m.ID != b.last {
			b.events = append(b.events, m.event)
			continue
		}
		if m.Error.Message != "" {
			return nil, errors.New(m.Error.Message)
		}
		return m.Result, nil
	}
}

type answer struct {
	ID     int
	Result json.RawMessage
	Error  struct{ Message string }
	event
}

func (b *browser) read() (m answer, err error) {
	text, err := b.out.ReadBytes(0)
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m)
	return m, err
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	text, err := b.ask(b.session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

// open loads a file and waits until it is there.
func (b *browser) open(path string) {
	b.t.Helper()
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	for {
		for _, e := range b.events {
			if e.Method == "Page.loadEventFired" {
				return
			}
		}
		m, err := b.read()
		if err != nil {
			b.t.Fatal(err)
		}
		b.events = append(b.events, m.event)
	}
}

// screen sets the width of the screen, light or dark, and whether scripts run.
func (b *browser) screen(width int, scheme string, scripts bool) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "", "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": !scripts}, nil)
}

// eval evaluates an expression on the page into result.
func (b *browser) eval(expression string, result any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	if err := json.Unmarshal(r.Result.Value, result); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// shoot saves a picture of the whole page in the directory that CUSTVAL_SHOTS names, if it does.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("CUSTVAL_SHOTS")
	if dir == "" {
		return
	}
	var picture struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "format": "png", "clip": b.page()}, &picture)
	b.save(filepath.Join(dir, name+".png"), picture.Data)
}

// page is the extent of the whole page.
func (b *browser) page() map[string]float64 {
	var m struct {
		CSSContentSize struct{ Width, Height float64 }
	}
	b.call("Page.getLayoutMetrics", nil, &m)
	return map[string]float64{"x": 0, "y": 0, "width": m.CSSContentSize.Width, "height": m.CSSContentSize.Height, "scale": 1}
}

func (b *browser) save(path, data string) {
	b.t.Helper()
	content, err := base64.StdEncoding.DecodeString(data)
	if err == nil {
		err = os.WriteFile(path, content, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// trouble is what the browser complained of and what it asked the network for since the page was opened.
func (b *browser) trouble() (all []string) {
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			all = append(all, fmt.Sprintf("%s: %s", e.Method, e.Params))
		case "Network.requestWillBeSent":
			var r struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &r); err != nil || !strings.HasPrefix(r.Request.URL, "file:") && !strings.HasPrefix(r.Request.URL, "data:") {
				all = append(all, fmt.Sprintf("request: %s", e.Params))
			}
		}
	}
	return all
}

// layout finds what does not fit: content wider than the screen, texts of charts that leave the screen or overlap, and
// texts that their boxes cut off.
const layout = `(() => {
  const bad = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > innerWidth) bad.push("the page is " + document.documentElement.scrollWidth + " wide on " + innerWidth);
  const inScroll = (e) => e.closest(".scroll");
  for (const e of document.querySelectorAll("body *")) {
    if (inScroll(e) || e.closest(".skip") || e.closest("svg") && e.tagName !== "text") continue;
    const r = e.getBoundingClientRect();
    if (r.width && (r.right > width + 1 || r.left < -1)) bad.push(e.tagName + " " + e.textContent.trim().slice(0, 40) + ": " + r.left.toFixed(0) + " to " + r.right.toFixed(0) + " of " + width);
    const style = getComputedStyle(e);
    if (style.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1) bad.push(e.tagName + " is cut off: " + e.textContent.trim().slice(0, 40));
  }
  for (const svg of document.querySelectorAll("svg.plot")) {
    const texts = [...svg.querySelectorAll("text")].map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width);
    for (let i = 0; i < texts.length; i++) for (let j = 0; j < i; j++) {
      const [a, p] = texts[i], [b, q] = texts[j];
      const over = Math.min(p.right, q.right) - Math.max(p.left, q.left), down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (over > 1 && down > 3) bad.push("texts overlap in " + svg.querySelector("title").textContent + ": " + a.textContent + " / " + b.textContent);
    }
    const after = svg.nextElementSibling.getBoundingClientRect();
    for (const [e, r] of texts) if (r.bottom > after.top + 1) bad.push("a text of a chart runs into the next paragraph: " + e.textContent);
  }
  return bad;
})()`

// TestBrowser looks at the sample's report on screens from 320 pixels, which is 1280 at four times the size, to a desktop's, light and dark, with and without
// scripts, and on paper. CUSTVAL_SHOTS=directory keeps the pictures.
func TestBrowser(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := run(context.Background(), config{unit: "week", currency: "USD", out: path}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{320, 360, 390, 768, 1280, 1920} {
		for _, scheme := range []string{"light", "dark"} {
			b.screen(width, scheme, true)
			b.open(path)
			for _, problem := range b.trouble() {
				t.Errorf("%d %s: %s", width, scheme, problem)
			}
			var bad []string
			b.eval(layout, &bad)
			for _, problem := range bad {
				t.Errorf("%d %s: %s", width, scheme, problem)
			}
			b.shoot(fmt.Sprintf("%s-%d", scheme, width))
			if scheme == "dark" {
				continue
			}
			with := b.page()
			b.screen(width, scheme, false)
			b.open(path)
			if without := b.page(); without["width"] != with["width"] || without["height"] != with["height"] {
				t.Errorf("%d %s: without scripts the page is %v, with them %v", width, scheme, without, with)
			}
		}
	}
	b.screen(1280, "light", true)
	b.open(path)
	paper(b)
	b.screen(1280, "light", true)
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": ""}, nil)
	sorting(b)
}

// TestExtremes looks at a page whose texts are long and whose numbers are great, and at the sample's with its text at
// twice the size.
func TestExtremes(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	write := func(name string, r *report.Report) string {
		t.Helper()
		path := filepath.Join(dir, name)
		var page bytes.Buffer
		if err := r.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	word, long := strings.Repeat("Donaudampfschiff", 6), strings.Repeat("a long name of a thing ", 6)
	lines := &report.LineChart{Title: long, Says: long + word, X: report.Axis{Title: long}, Y: report.Axis{Title: long}, Marks: []report.Mark{{X: 1, Word: "here"}, {X: 9, Word: "and there"}}}
	for i := range 5 {
		lines.Series = append(lines.Series, report.Series{Name: long, Tone: report.Tone(i), Points: []report.Point{{X: 0, Y: -1e9}, {X: 10, Y: float64(i) * 1e9}}})
	}
	bars := &report.BarChart{Title: word, Says: long, Axis: report.Axis{Title: long}}
	for i := range 12 {
		bars.Bars = append(bars.Bars, report.Bar{Name: []string{word, long}[i%2], Parts: []float64{float64(i-3) * 1e11}, Label: "USD 1,200,000,000,000.00"})
	}
	table := &report.Table{Caption: long + word, Sortable: true}
	var row []report.Cell
	for i := range 14 {
		table.Columns = append(table.Columns, report.Column{Title: []string{word, long}[i%2], Numeric: i%3 == 1})
		row = append(row, report.Cell{Text: []string{word, long, "1,000,000,000,000.00"}[i%3]})
	}
	table.Rows = [][]report.Cell{row, row}
	extremes := write("extremes.html", &report.Report{Title: long + word, Subtitle: word + long, End: sample.ShopEnd, Sections: []report.Section{{Name: "a", Title: word, Lead: word + long,
		Blocks: []report.Block{report.Text(word), report.Note(word), lines, bars, table, report.Figures{{Name: word, Value: "USD 1,200,000,000,000.00", Interval: long, Note: word}, {Name: "n", Value: "1"}}}}}})
	look := func(what string) {
		t.Helper()
		var bad []string
		b.eval(layout, &bad)
		for _, problem := range bad {
			t.Errorf("%s: %s", what, problem)
		}
		b.shoot(what)
	}
	for _, width := range []int{360, 768, 1280} {
		b.screen(width, "light", true)
		b.open(extremes)
		look(fmt.Sprintf("extremes-%d", width))
	}
	path := filepath.Join(dir, "report.html")
	if err := run(context.Background(), config{unit: "week", currency: "USD", out: path}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	b.screen(1280, "light", true)
	b.open(path)
	var size string
	b.eval(`document.documentElement.style.fontSize = "200%"`, &size)
	look("twice-1280")
}

// sorting clicks on the head of a column twice.
func sorting(b *browser) {
	b.t.Helper()
	var r struct {
		Heads      int
		Up, Down   []float64
		Sort       string
		Lost, Kept int
	}
	b.eval(`(() => {
  const table = document.querySelector("#customers table"), head = table.tHead.rows[0].cells[3], before = table.tBodies[0].rows.length;
  const values = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[3].textContent.replace(",", "")));
  head.querySelector("button").click();
  const down = values();
  head.querySelector("button").click();
  return {Heads: table.querySelectorAll("thead button").length, Down: down, Up: values(), Sort: head.getAttribute("aria-sort"), Lost: before - table.tBodies[0].rows.length, Kept: before};
})()`, &r)
	if r.Heads != 10 || r.Sort != "ascending" || r.Lost != 0 || r.Kept != 25 {
		b.t.Errorf("sorting: %+v", r)
	}
	for i := 1; i < len(r.Up); i++ {
		if r.Up[i] < r.Up[i-1] || r.Down[i] > r.Down[i-1] {
			b.t.Errorf("sorting: %v and %v", r.Down, r.Up)
			break
		}
	}
}

// paper prints the page: it must fit a portrait A4, and keep dark ground off the paper.
func paper(b *browser) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print", "features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 688, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	var r struct {
		Paper string
		Wide  []string
	}
	b.eval(`({Paper: getComputedStyle(document.body).backgroundColor, Wide: [...document.querySelectorAll("table,figure,dl")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > innerWidth + 1).map((e) => e.textContent.trim().slice(0, 60) + ": " + e.getBoundingClientRect().right)})`, &r)
	if r.Paper != "rgb(255, 255, 255)" || len(r.Wide) > 0 {
		b.t.Errorf("printed: ground %s, too wide for the paper: %s", r.Paper, r.Wide)
	}
	var pdf struct{ Data string }
	b.call("Page.printToPDF", map[string]any{"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": false}, &pdf)
	content, err := base64.StdEncoding.DecodeString(pdf.Data)
	if err != nil || !bytes.HasPrefix(content, []byte("%PDF")) || len(content) < 20_000 {
		b.t.Errorf("printed: %d bytes with error %v", len(content), err)
	}
	if dir := os.Getenv("CUSTVAL_SHOTS"); dir != "" {
		b.save(filepath.Join(dir, "print.pdf"), pdf.Data)
	}
}
