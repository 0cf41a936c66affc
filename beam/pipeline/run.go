package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/custval/custval/clv"
)

// Beam sends the name of a function to the workers, which run the same program and must know the names before main.
func init() { //nolint:gochecknoinits // there is no other moment that driver and workers share
	beam.RegisterCoder(reflect.TypeFor[Order](), encodeOrder, decodeOrder)
	beam.RegisterCoder(reflect.TypeFor[Summary](), encodeSummary, decodeSummary)
	beam.RegisterCoder(reflect.TypeFor[Table](), encodeTable, decodeTable)
	beam.RegisterCoder(reflect.TypeFor[Result](), encodeResult, decodeResult)
	register.Emitter1[Order]()
	register.DoFn3x1[context.Context, fileio.ReadableFile, func(Order), error](&readFn{})
	register.DoFn3x1[context.Context, int, func(Order), error](&simulateFn{})
	register.DoFn1x2[Order, int64, Order](&shardFn{})
	register.Combiner2[Summary, Order](&summarizeFn{})
	register.Combiner1[Summary](&mergeFn{})
	register.DoFn3x2[context.Context, int64, Summary, Table, error](&tableFn{})
	register.Function2x2(mergeTables)
	register.DoFn2x2[context.Context, Table, Result, error](&fitFn{})
	register.DoFn3x2[context.Context, int64, Summary, string, error](&writeSummaryFn{})
	register.DoFn2x3[context.Context, fileio.ReadableFile, int64, Summary, error](&readSummaryFn{})
	register.DoFn2x2[context.Context, Result, string, error](&writeResultFn{})
	register.DoFn4x2[context.Context, int64, Summary, Result, string, error](&writeScoresFn{})
}

// A Job is a whole run: from orders, and perhaps the summaries of an earlier run, to estimates and scores.
type Job struct {
	Options
	Orders string           // glob of the order files; empty if the orders are those of Shop
	Format Format           // of the order files
	Shop   *Shop            // makes the orders where there are no files
	Before string           // glob of the summaries of an earlier run, whose orders count as well; may be empty
	Value  clv.ValueOptions // what a customer's value is
	Out    string           // directory of the files that are written; required
}

// Build adds the job's steps to a pipeline:
//
//	ReadOrders or SimulateOrders -> Summarize -> Merge with Before -> WriteSummaries
//	                                                               -> Compress -> Fit -> WriteResult
//	                                                               -> WriteScores with the Result
//
// It returns an error that names what is missing or wrong.
func (j *Job) Build(s beam.Scope) error {
	if j.Out == "" {
		return errors.New("pipeline: no directory for the results")
	}
	orders, err := j.orders(s)
	if err != nil {
		return err
	}
	summaries, err := Summarize(s, orders, j.Options)
	if err != nil {
		return err
	}
	if j.Before != "" {
		before, err := ReadSummaries(s, j.Before, j.Options)
		if err != nil {
			return err
		}
		if summaries, err = Merge(s, j.Options, summaries, before); err != nil {
			return err
		}
	}
	if _, err := WriteSummaries(s, j.Out, summaries, j.Options); err != nil {
		return err
	}
	table, err := Compress(s, summaries, j.Options)
	if err != nil {
		return err
	}
	result, err := Fit(s, table, j.Options, j.Value)
	if err != nil {
		return err
	}
	WriteResult(s, j.Out, result)
	_, err = WriteScores(s, j.Out, summaries, result, j.Options)
	return err
}

func (j *Job) orders(s beam.Scope) (beam.PCollection, error) {
	switch {
	case j.Shop == nil:
		return ReadOrders(s, j.Orders, j.Format)
	case j.Orders != "":
		return beam.PCollection{}, errors.New("pipeline: Orders and Shop exclude each other")
	}
	o, err := j.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	return SimulateOrders(s, *j.Shop, o.Shards)
}

// Run builds the job and runs it on the engine that the flags of the program name, in this process if they name none. It
// returns the Result, or nil where the flags say not to wait for it. The program must have called beam.Init.
//
// When ctx ends, Run returns its error at once, and what runs in this process stops; a job that has been handed to another
// engine goes on there until it is stopped by the means of that engine.
func Run(ctx context.Context, j *Job) (*Result, error) {
	p, s := beam.NewPipelineWithRoot()
	if err := j.Build(s); err != nil {
		return nil, err
	}
	if err := run(ctx, p); err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	if handedOver() {
		return nil, nil
	}
	text, err := readFile(ctx, inDir(j.Out, resultFile))
	if err != nil {
		return nil, err
	}
	r, err := decodeResult(text)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return &r, nil
}

// handedOver reports whether the flags ask for less than a finished run: not to wait, or Dataflow to translate only.
func handedOver() bool {
	dry, template := flag.Lookup("dry_run"), flag.Lookup("template_location")
	return *jobopts.Async || dry != nil && dry.Value.String() == "true" || template != nil && template.Value.String() != ""
}

// run hands the pipeline to the engine. The engine does not see the deadline of ctx, only that it has ended: its own
// clock would say so in words of its own, before ctx does.
func run(ctx context.Context, p *beam.Pipeline) error {
	engine, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err := beamx.Run(engine, p)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
