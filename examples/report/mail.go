package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
)

// MailOptions say from whom and to whom a message is. The zero value, and nil, are the defaults.
type MailOptions struct {
	From    mail.Address   // report@localhost if empty: a mailer puts its own in its place
	To      []mail.Address // if there are none, the message is marked as a draft, which mail programs open for sending
	Subject string         // Report.Title and Report.End if empty; at most 400 bytes
}

//go:embed mail.html.tmpl
var mailText string

// letter is the page in the HTML that mail programs show: tables, styles beside every element, pictures for charts.
var letter = template.Must(template.New("letter").Funcs(template.FuncMap{
	"kind": kindOf, "at": cellAt, "day": day, "css": inline, "shaded": shaded,
	"cid": func(Block) template.URL { return "" }, // WriteEML puts its own in its place
}).Parse(mailText))

// inline returns the declarations that a part of the letter has, in the light theme.
func inline(part string) template.CSS {
	const font = "font-family:system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif;"
	rule := "border-bottom:1px solid " + light.line + ";"
	return template.CSS(map[string]string{ //nolint:gosec // no part of it is input
		"body":     "margin:0;padding:24px;background:" + light.paper + ";color:" + light.ink + ";" + font + "font-size:16px;line-height:1.5",
		"h1":       "margin:0;font-size:28px;line-height:1.2",
		"h2":       "margin:40px 0 0;font-size:21px;line-height:1.25",
		"p":        "margin:12px 0 0;max-width:640px",
		"muted":    "margin:8px 0 0;max-width:640px;color:" + light.muted + ";font-size:14px",
		"note":     "margin:16px 0 0;max-width:616px;padding:10px 12px;background:" + light.panel + ";color:" + light.muted + ";font-size:14px",
		"table":    "margin:20px 0 0;border-collapse:collapse;font-size:13px;line-height:1.4",
		"caption":  "padding:0 0 8px;text-align:left;font-size:15px;font-weight:600",
		"head":     "padding:5px 10px;text-align:left;vertical-align:bottom;font-weight:500;color:" + light.muted + ";border-bottom:1px solid " + light.muted,
		"headn":    "padding:5px 10px;text-align:right;vertical-align:bottom;font-weight:500;color:" + light.muted + ";border-bottom:1px solid " + light.muted,
		"cell":     "padding:5px 10px;text-align:left;vertical-align:top;" + rule,
		"celln":    "padding:5px 10px;text-align:right;vertical-align:top;white-space:nowrap;" + rule,
		"th":       "padding:5px 10px 5px 0;text-align:left;vertical-align:top;font-weight:500;" + rule,
		"number":   "font-size:20px;font-weight:600",
		"img":      "display:block;margin:20px 0 0;width:100%;max-width:640px;height:auto",
		"interval": "font-size:13px;color:" + light.muted,
	}[part])
}

// shaded returns the declarations of a cell of a heat map.
func shaded(s Shade) template.CSS {
	ground := light.shades[s-1]
	return template.CSS("background:" + ground + ";color:" + on(ground)) //nolint:gosec // no part of it is input
}

// WriteEML writes the report as a message that a mailer can send (RFC 5322 and MIME): the text alone and, beside it, the
// same in HTML with its charts as pictures inside the message, since mail programs show neither SVG nor scripts. The
// date is Report.End. The same report gives the same bytes.
//
// It returns the error of Validate and those for options out of range, before anything is written, and that of the writer.
func (r *Report) WriteEML(w io.Writer, o *MailOptions) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if o == nil {
		o = &MailOptions{}
	}
	head, err := r.envelope(*o)
	if err != nil {
		return err
	}
	var plain bytes.Buffer
	r.text(&plain)
	sum := sha256.Sum256(plain.Bytes())
	id := hex.EncodeToString(sum[:12])
	pictures := map[Block]int{}
	var drawn [][]byte
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			c, ok := b.(chart)
			if !ok || pictures[b] > 0 {
				continue
			}
			p, err := c.png()
			if err != nil {
				return err
			}
			drawn = append(drawn, p)
			pictures[b] = len(drawn)
		}
	}
	name := func(i int) string { return "chart" + strconv.Itoa(i) + "." + id + "@custval" }
	t, err := letter.Clone()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	t.Funcs(template.FuncMap{"cid": func(b Block) template.URL {
		return template.URL("cid:" + name(pictures[b])) //nolint:gosec // no part of it is input
	}})
	var page bytes.Buffer
	if err := t.Execute(&page, r); err != nil {
		return fmt.Errorf("report: %w", err)
	}

	var body bytes.Buffer
	outer, inner := "alternative-"+id, "related-"+id
	fmt.Fprintf(&body, "%sMessage-ID: <%s@custval>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", head, id, outer)
	alternative := multipart.NewWriter(&body)
	var related bytes.Buffer
	parts := multipart.NewWriter(&related)
	for _, step := range []func() error{
		func() error { return alternative.SetBoundary(outer) },
		func() error { return parts.SetBoundary(inner) },
		func() error { return quoted(alternative, "text/plain; charset=utf-8", plain.Bytes()) },
		func() error { return quoted(parts, "text/html; charset=utf-8", page.Bytes()) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	for i, p := range drawn {
		if err := picture(parts, name(i+1), "chart"+strconv.Itoa(i+1)+".png", p); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	if err := parts.Close(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p, err := alternative.CreatePart(textproto.MIMEHeader{"Content-Type": {`multipart/related; type="text/html"; boundary="` + inner + `"`}})
	if err == nil {
		_, err = related.WriteTo(p)
	}
	if err == nil {
		err = alternative.Close()
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = body.WriteTo(w)
	return err
}

// envelope returns the head of the message.
func (r *Report) envelope(o MailOptions) (string, error) {
	if o.From.Address == "" {
		o.From = mail.Address{Name: o.From.Name, Address: "report@localhost"}
	}
	if o.Subject == "" {
		o.Subject = r.Title + ", " + day(r.End)
	}
	if len(o.Subject) > 400 {
		return "", fmt.Errorf("report: subject of %d bytes: want at most 400", len(o.Subject))
	}
	var to []string
	for i, a := range append([]mail.Address{o.From}, o.To...) {
		if _, err := mail.ParseAddress(a.String()); err != nil || strings.ContainsAny(a.Address, "\r\n") || len(a.String()) > 500 {
			return "", fmt.Errorf("report: address %q: not an address", a.Address)
		}
		if i > 0 {
			to = append(to, a.String())
		}
	}
	subject := strings.ReplaceAll(mime.QEncoding.Encode("utf-8", o.Subject), "?= =?", "?=\r\n =?")
	head := "From: " + o.From.String() + "\r\n"
	if to != nil {
		head += "To: " + strings.Join(to, ",\r\n ") + "\r\n"
	} else {
		head += "X-Unsent: 1\r\n"
	}
	return head + "Subject: " + subject + "\r\nDate: " + r.End.Format("Mon, 02 Jan 2006 15:04:05 -0700") + "\r\n", nil
}

// quoted adds a text as quoted-printable, whose lines have 76 characters at most.
func quoted(m *multipart.Writer, kind string, content []byte) error {
	p, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(p)
	if _, err := q.Write(content); err != nil {
		return err
	}
	return q.Close()
}

// picture adds a PNG that the HTML names by its id.
func picture(m *multipart.Writer, id, file string, content []byte) error {
	p, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"image/png"}, "Content-Transfer-Encoding": {"base64"},
		"Content-Id": {"<" + id + ">"}, "Content-Disposition": {`inline; filename="` + file + `"`}})
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(content)
	for len(text) > 0 {
		line := text[:min(76, len(text))]
		text = text[len(line):]
		if _, err := io.WriteString(p, line+"\r\n"); err != nil {
			return err
		}
	}
	return nil
}
