// Package story prints the example programs: numbered sections with prose between tables.
package story

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// A Printer writes a story and keeps the first error.
type Printer struct {
	w       io.Writer
	section int
	err     error
}

// New returns a printer that writes to w.
func New(w io.Writer) *Printer { return &Printer{w: w} }

// Title begins the next numbered section.
func (p *Printer) Title(format string, args ...any) {
	p.section++
	p.Say("\n%d. %s\n", p.section, fmt.Sprintf(format, args...))
}

// Say writes a line.
func (p *Printer) Say(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Err returns the first error of a write.
func (p *Printer) Err() error { return p.err }

// Main runs a program until it ends or is interrupted. An error is one line on standard error and exit code 1.
func Main(name string, run func(ctx context.Context, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
