package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
)

// A suite measures the subjects that match.
type suite struct {
	match   *regexp.Regexp
	count   int
	large   bool
	results results
}

// A result is one row of the table.
type result struct {
	subject     string
	rows        int     // customers or rows that a call goes through
	nanoseconds float64 // of a call
	evaluations int     // of a fit
	each        float64 // nanoseconds of an evaluation and customer
	ratio       float64 // to the floor; 0 for none
	allocs      int64   // of a call
	peak        int64   // bytes; -1 where it is not known
}

func (s *suite) run() error {
	for _, part := range []func(*suite) error{(*suite).fits, (*suite).predictions, (*suite).summaries, (*suite).scaling} {
		if err := part(s); err != nil {
			return err
		}
	}
	return nil
}

// sizes are the numbers of customers of the subjects that are measured at several.
func (s *suite) sizes() []int {
	if s.large {
		return []int{1e4, 1e5, 1e6, 1e7}
	}
	return []int{1e4, 1e5, 1e6}
}

// nanoseconds returns the median time of each call, which take turns, and the allocations of the first.
func (s *suite) nanoseconds(calls ...func() error) (ns []float64, allocs int64, err error) {
	times := make([][]float64, len(calls))
	for range s.count {
		for i, call := range calls {
			r := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					if e := call(); e != nil {
						err = e
						b.FailNow()
					}
				}
			})
			if err != nil {
				return nil, 0, err
			}
			times[i] = append(times[i], float64(r.T.Nanoseconds())/float64(r.N))
			if i == 0 {
				allocs = r.AllocsPerOp()
			}
		}
	}
	for _, t := range times {
		slices.Sort(t)
		ns = append(ns, t[len(t)/2])
	}
	return ns, allocs, nil
}

// measure adds the result of a subject that goes through so many rows; floor may be nil.
func (s *suite) measure(subject string, rows int, call func() error, floor func()) error {
	if !s.match.MatchString(subject) {
		return nil
	}
	calls := []func() error{call}
	if floor != nil {
		calls = append(calls, func() error { floor(); return nil })
	}
	r := result{subject: subject, rows: rows, peak: peak(call)}
	ns, allocs, err := s.nanoseconds(calls...)
	if err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	if r.nanoseconds, r.allocs = ns[0], allocs; floor != nil {
		r.ratio = ns[0] / ns[1]
	}
	s.results = append(s.results, r)
	return nil
}

// peak returns the bytes that a call adds to the memory of the process at its peak, -1 where the system does not tell.
func peak(call func() error) int64 {
	debug.FreeOSMemory()
	const reset = "5" // sets the peak back to what is used now
	if os.WriteFile("/proc/self/clear_refs", []byte(reset), 0) != nil {
		return -1
	}
	before := status("VmRSS:")
	if call() != nil { // measured again, where the error is returned
		return -1
	}
	if after := status("VmHWM:"); before >= 0 && after >= 0 {
		return after - before
	}
	return -1
}

// status reads a number of kilobytes from the process's status and returns bytes, -1 if it is not there.
func status(field string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) > 1 && string(words[0]) == field {
			if kb, err := strconv.ParseInt(string(words[1]), 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	return -1
}
