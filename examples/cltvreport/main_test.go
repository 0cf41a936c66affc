package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts files into a directory and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSample holds that without flags the simulated shop is reported on, whole and with nothing missing.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	c := config{unit: "week", currency: "USD", out: filepath.Join(dir, "deep", "r.html"), eml: filepath.Join(dir, "r.eml"), title: "Our <customers>", to: "boss@example.com"}
	var out bytes.Buffer
	if err := run(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h1>Our &lt;customers&gt;</h1>", `id="headline"`, `id="method"`, "1,200"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, wrong := range []string{"not given", "cannot", "do not carry"} {
		if strings.Contains(string(page), wrong) {
			t.Errorf("the page has %q", wrong)
		}
	}
	message, err := os.ReadFile(c.eml)
	if err != nil || !bytes.HasPrefix(message, []byte("From: ")) || !bytes.Contains(message, []byte("To: <boss@example.com>\r\n")) {
		t.Errorf("a message that begins with %.80q, error %v", message, err)
	}
	if want := "13 sections"; !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "1,200 customers have bought") {
		t.Errorf("printed %q", out.String())
	}
}

const orders = "customer,at,amount,channel\na,2025-01-01,10,search\na,2025-02-01,12,search\nb,2025-01-05,9,email\nb,2025-03-01,8,email\nc,2025-01-07,7,\n"

// TestFiles holds that files are read, that sections can be chosen, and that bad rows can be left out and are listed.
func TestFiles(t *testing.T) {
	dir := write(t, map[string]string{"orders.csv": orders + "d,yesterday,5,\ne,2025-03-02,a lot,\n", "costs.csv": "amount,date,channel\n10,2025-01-31,search\n",
		"touches.csv": "customer,at,channel\na,2024-12-31,search\nz,2025-01-01,email\n", "customers.csv": "id,platform\na,web\nz,app\n",
		"subscriptions.csv": "customer,subscription,plan,price,interval,quantity,start,end\na,a1,basic,10,month,1,2025-01-01,\n"})
	in := func(name string) string { return filepath.Join(dir, name) }
	c := config{orders: in("orders.csv"), costs: in("costs.csv"), touches: in("touches.csv"), customers: in("customers.csv"), subscriptions: in("subscriptions.csv"),
		unit: "day", currency: "EUR", end: "2025-03-31", skip: true, out: in("r.html")}
	if err := run(context.Background(), c, io.Discard); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"EUR\u00a046", "Rows that were refused", "yesterday", "a lot", "orders.csv, costs.csv, touches.csv, customers.csv and subscriptions.csv", ">app<", ">basic<"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	c.sections = "quality, headline"
	c.orders, c.skip = write(t, map[string]string{"orders.csv": orders})+"/orders.csv", false
	if err := run(context.Background(), c, io.Discard); err != nil {
		t.Fatal(err)
	}
	if page, err = os.ReadFile(c.out); err != nil || strings.Count(string(page), "<section") != 2 || strings.Index(string(page), `<section id="quality"`) > strings.Index(string(page), `<section id="headline"`) {
		t.Errorf("%d sections, error %v", strings.Count(string(page), "<section"), err)
	}
}

// TestCDNOW holds the report of the public data set against published figures: its customers and repeat buyers, and
// the optimum of both models.
func TestCDNOW(t *testing.T) {
	data := os.Getenv("CUSTVAL_DATA")
	if data == "" {
		t.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	c := config{orders: filepath.Join(data, "cdnow.csv"), end: "1997-09-30", unit: "week", currency: "USD", sections: "headline,method,quality", out: filepath.Join(t.TempDir(), "r.html")}
	if err := run(context.Background(), c, io.Discard); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">2,357<", ">40.1\u00a0%<", ">0.2426<", ">4.414<", ">0.7929<", ">2.426<", ">6.25<", ">3.744<", ">15.44<", "of 2,357 customers and of the 946 who bought again"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestBadInput holds that every mistake is one clear line, and that nothing is written then.
func TestBadInput(t *testing.T) {
	for name, x := range map[string]struct {
		change func(c *config)
		files  map[string]string
		want   string
	}{
		"no file":           {func(c *config) { c.orders = "nowhere.csv" }, nil, "nowhere.csv: no such file"},
		"empty":             {nil, map[string]string{"orders.csv": ""}, "header"},
		"no rows":           {nil, map[string]string{"orders.csv": "customer,at,amount\n"}, "orders.csv: no rows after the header"},
		"no column":         {nil, map[string]string{"orders.csv": "customer,at\na,2025-01-01\n"}, `no column "amount"`},
		"bad amount":        {nil, map[string]string{"orders.csv": orders + "d,2025-01-01,twelve,\n"}, `orders.csv: ledger: row 6: field "amount": value "twelve"`},
		"bad date":          {nil, map[string]string{"orders.csv": orders + "d,1.2.2025,12,\n"}, `row 6: field "at": value "1.2.2025"`},
		"two currencies":    {nil, map[string]string{"orders.csv": "customer,at,amount,currency\na,2025-01-01,1,USD\na,2025-01-02,1,EUR\n"}, `orders.csv: clv: row 2: field "Amount"`},
		"bad costs":         {func(c *config) { c.costs = "costs.csv" }, map[string]string{"costs.csv": "amount,date\n1,2025-01-01\nx,2025-01-01\n"}, `costs.csv: cac: row 2: field "amount": value "x"`},
		"costs of another":  {func(c *config) { c.costs = "costs.csv" }, map[string]string{"costs.csv": "amount,date,currency\n1,2025-01-01,EUR\n"}, "currenc"},
		"bad touches":       {func(c *config) { c.touches = "touches.csv" }, map[string]string{"touches.csv": "customer,at,channel\na,2025-01-01,\n"}, `touches.csv: attribution: row 1: field "channel"`},
		"bad customers":     {func(c *config) { c.customers = "customers.csv" }, map[string]string{"customers.csv": "id\na\na\n"}, `customers: row 2: customer "a" is there twice`},
		"bad subscriptions": {func(c *config) { c.subscriptions = "s.csv" }, map[string]string{"s.csv": "customer,subscription,plan,price,interval,quantity,start,end\na,1,p,1,fortnight?,1,2025-01-01,\n"}, `s.csv: subscription: row 1: field "interval": value "fortnight?"`},
		"bad end":           {func(c *config) { c.end = "June" }, nil, "-end June: want a date as 2025-12-31"},
		"early end":         {func(c *config) { c.end = "2020-01-01" }, nil, "no purchase on or before 2020-01-01"},
		"bad unit":          {func(c *config) { c.unit = "month" }, nil, "-unit month: want day or week"},
		"bad currency":      {func(c *config) { c.currency = "dollars" }, nil, "-currency dollars: want a code as USD"},
		"bad margin":        {func(c *config) { c.margin = 30 }, nil, "-margin 30: want 0 to 1"},
		"bad section":       {func(c *config) { c.sections = "headline,churns" }, nil, `-sections: report: unknown section "churns": want some of headline, channels`},
		"no sections":       {func(c *config) { c.sections = "," }, nil, `unknown section ""`},
		"bad sender":        {func(c *config) { c.eml, c.from = "r.eml", "me" }, nil, "-from me: want an address"},
		"bad recipient":     {func(c *config) { c.eml, c.to = "r.eml", "you, them" }, nil, "-to you, them: want addresses"},
		"bad subject":       {func(c *config) { c.eml, c.title = "r.eml", strings.Repeat("long ", 100) }, nil, "report: subject of"},
		"no out":            {func(c *config) { c.out = "" }, nil, "-out: want the name of a file"},
	} {
		files := map[string]string{"orders.csv": orders}
		for file, content := range x.files {
			files[file] = content
		}
		dir := write(t, files)
		t.Chdir(dir)
		c := config{orders: "orders.csv", unit: "week", currency: "USD", out: "r.html"}
		if x.change != nil {
			x.change(&c)
		}
		var out bytes.Buffer
		err := run(context.Background(), c, &out)
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, x.want)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != len(files) || out.Len() > 0 {
			t.Errorf("%s: left behind %v and printed %q, error %v", name, left, out.String(), err)
		}
	}
}

// TestUnwritable holds that a page that cannot be written leaves no message behind.
func TestUnwritable(t *testing.T) {
	dir := write(t, map[string]string{"file": "", "orders.csv": orders})
	c := config{orders: filepath.Join(dir, "orders.csv"), unit: "week", currency: "USD", sections: "headline", out: filepath.Join(dir, "file", "r.html"), eml: filepath.Join(dir, "r.eml")}
	if err := run(context.Background(), c, io.Discard); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line", err)
	}
	if _, err := os.Stat(c.eml); err == nil {
		t.Error("the message was left behind")
	}
}
