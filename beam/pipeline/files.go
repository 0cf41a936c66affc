package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/custval/custval/clv"
)

// The files of a run. A shard's file has its number and the number of shards in its name; a worker that has to repeat its
// work writes the same bytes again.
const (
	resultFile  = "result.json"
	summaryFile = "summary-%05d-of-%05d.cvp"
	scoresFile  = "scores-%05d-of-%05d.csv"
)

// inDir returns the name of a file in a directory, which may be that of a store such as gs://bucket/run.
func inDir(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }

func writeFile(ctx context.Context, name string, data []byte) error {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	defer func() { _ = fs.Close() }() // filesystem.Write has closed the file
	if err := filesystem.Write(ctx, fs, name, data); err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	return nil
}

func readFile(ctx context.Context, name string) ([]byte, error) {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	defer func() { _ = fs.Close() }() // it was only read
	data, err := filesystem.Read(ctx, fs, name)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return data, nil
}

// WriteSummaries writes each of a PCollection<KV<int64, Summary>> to a file of the directory, for ReadSummaries of a later
// run, and returns the names of the files.
func WriteSummaries(s beam.Scope, dir string, summaries beam.PCollection, o Options) (beam.PCollection, error) {
	s = s.Scope("WriteSummaries")
	o, err := o.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.ParDo(s, &writeSummaryFn{dir, o.Shards}, summaries), nil
}

// writeSummaryFn writes the summary of a shard.
type writeSummaryFn struct {
	Dir    string
	Shards int
}

// ProcessElement returns the name of the file.
func (fn *writeSummaryFn) ProcessElement(ctx context.Context, shard int64, s Summary) (string, error) {
	data, err := encodeSummary(s)
	if err != nil {
		return "", fmt.Errorf("pipeline: shard %d: %w", shard, err)
	}
	name := inDir(fn.Dir, fmt.Sprintf(summaryFile, shard, fn.Shards))
	return name, writeFile(ctx, name, data)
}

// ReadSummaries reads what WriteSummaries wrote, by a glob such as "yesterday/summary-*.cvp", to a
// PCollection<KV<int64, Summary>>. The pipeline fails if no file matches, if a file has another name, or if it is of
// another number of shards than the options.
func ReadSummaries(s beam.Scope, glob string, o Options) (beam.PCollection, error) {
	s = s.Scope("ReadSummaries")
	o, err := o.WithDefaults()
	if err == nil && glob == "" {
		err = errors.New("pipeline: no summary files")
	}
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.ParDo(s, &readSummaryFn{o}, files(s, glob)), nil
}

// readSummaryFn reads the summary of a shard.
type readSummaryFn struct{ Options Options }

// ProcessElement returns the shard and its summary.
func (fn *readSummaryFn) ProcessElement(ctx context.Context, file fileio.ReadableFile) (int64, Summary, error) {
	name := file.Metadata.Path
	var shard int64
	var shards int
	if _, err := fmt.Sscanf(path.Base(name), summaryFile, &shard, &shards); err != nil {
		return 0, Summary{}, fmt.Errorf("pipeline: file %s: want a name such as "+summaryFile, name, 0, fn.Options.Shards)
	}
	if shards != fn.Options.Shards {
		return 0, Summary{}, fmt.Errorf("pipeline: file %s: of %d shards: want %d", name, shards, fn.Options.Shards)
	}
	data, err := file.Read(ctx)
	if err != nil {
		return 0, Summary{}, fmt.Errorf("pipeline: file %s: %w", name, err)
	}
	s := decodeSummary(data)
	p, err := s.Partial(fn.Options)
	if err != nil {
		return 0, Summary{}, fmt.Errorf("pipeline: file %s: %w", name, err)
	}
	return shard, NewSummary(p), nil
}

// WriteResult writes a PCollection of one Result to a file of the directory.
func WriteResult(s beam.Scope, dir string, results beam.PCollection) beam.PCollection {
	return beam.ParDo(s.Scope("WriteResult"), &writeResultFn{dir}, results)
}

// writeResultFn writes a Result.
type writeResultFn struct{ Dir string }

// ProcessElement returns the name of the file.
func (fn *writeResultFn) ProcessElement(ctx context.Context, r Result) (string, error) {
	text, err := encodeResult(r)
	if err != nil {
		return "", fmt.Errorf("pipeline: %w", err)
	}
	name := inDir(fn.Dir, resultFile)
	return name, writeFile(ctx, name, text)
}

// WriteScores scores the customers of a PCollection<KV<int64, Summary>> with the Scorer of one Result and writes those of
// each shard to a CSV file of the directory: customer, prob_alive, purchases, value, currency. It returns the names of the
// files.
func WriteScores(s beam.Scope, dir string, summaries, results beam.PCollection, o Options) (beam.PCollection, error) {
	s = s.Scope("WriteScores")
	o, err := o.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.ParDo(s, &writeScoresFn{o, dir}, summaries, beam.SideInput{Input: results}), nil
}

// writeScoresFn scores and writes the customers of a shard.
type writeScoresFn struct {
	Options Options
	Dir     string
}

// ProcessElement returns the name of the file.
func (fn *writeScoresFn) ProcessElement(ctx context.Context, shard int64, s Summary, r Result) (string, error) {
	hs, err := histories(ctx, s, fn.Options, fn.Options.Unit)
	if err != nil {
		return "", fmt.Errorf("pipeline: shard %d: %w", shard, err)
	}
	scores := make(clv.Scores, 0, len(hs.Rows))
	for score, err := range r.Scorer.All(hs) {
		if err != nil {
			return "", fmt.Errorf("pipeline: shard %d: %w", shard, err)
		}
		scores = append(scores, score)
	}
	var text bytes.Buffer
	if err := scores.WriteCSV(&text); err != nil {
		return "", err
	}
	name := inDir(fn.Dir, fmt.Sprintf(scoresFile, shard, fn.Options.Shards))
	return name, writeFile(ctx, name, text.Bytes())
}
