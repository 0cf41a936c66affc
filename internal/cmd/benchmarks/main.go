// Command benchmarks measures fits, predictions and summaries and prints one table of them.
//
//	go run ./internal/cmd/benchmarks                       # about two minutes
//	go run ./internal/cmd/benchmarks -run 'fit|floor'      # some subjects
//	go run ./internal/cmd/benchmarks -large -markdown      # up to 1e7 customers or rows, for docs/BENCHMARKS.md
//
// Each figure is the median of some runs of testing.Benchmark. A floor is a loop over the same customers, with the same
// workers, of the logarithms and exponentials alone that the formulas name, or for summaries one look-up in a map a row;
// it is measured next to its subject, so that the ratio holds on a machine with other work too. The customers are drawn
// from the models with fixed seeds.
//
// The columns: time of one call; customers or rows a second; for fits the evaluations of the likelihood, the cost of one
// a customer (the difference between a fit from afar and one that begins at its result, so that checking and sorting are
// left out) and that cost over the floor's; for others the time over the floor's; allocations; and the memory that one
// call adds to the process at its peak, on Linux.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"runtime"
	"testing"
)

func main() {
	log.SetFlags(0)
	testing.Init()
	var s suite
	pattern := flag.String("run", "", "measure the subjects that match the regular expression alone")
	benchtime := flag.String("benchtime", "0.2s", "time for each run of a subject, or a number of calls such as 1x")
	markdown := flag.Bool("markdown", false, "print a Markdown table")
	flag.IntVar(&s.count, "count", 5, "runs of each subject, of which the median counts")
	flag.BoolVar(&s.large, "large", false, "go up to ten million customers or rows, which takes some gigabytes and minutes")
	flag.Parse()
	var err error
	if s.match, err = regexp.Compile(*pattern); err != nil {
		log.Fatal(err)
	}
	if err := flag.Set("test.benchtime", *benchtime); err != nil {
		log.Fatal(err)
	}
	if s.count < 1 || flag.NArg() > 0 {
		flag.Usage()
		log.Fatal("benchmarks: want a positive count and no arguments")
	}
	if err := s.run(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s/%s, %d workers, %s; medians of %d\n\n", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.Version(), s.count)
	if *markdown {
		err = s.results.markdown(os.Stdout)
	} else {
		err = s.results.plain(os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}
