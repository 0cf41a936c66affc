package clv

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// A sortKey stands for an account while the customers are put in order: eight bytes of the id as a number, which
// decide nearly every comparison, and where the account is.
type sortKey struct {
	prefix uint64
	index  uint32
	table  uint16
}

// byCustomer returns the keys of all accounts in the order of their ids, using several goroutines.
func (p *Partial) byCustomer(ctx context.Context, workers int) ([]sortKey, error) {
	n := 0
	for _, t := range p.tables {
		if t != nil {
			n += t.len()
		}
	}
	keys := make([]sortKey, 0, n)
	for i, t := range p.tables {
		if t == nil {
			continue
		}
		for j := range t.len() {
			keys = append(keys, sortKey{index: uint32(j), table: uint16(i)})
		}
	}
	return keys, orderKeys(ctx, keys, func(k sortKey) string { return p.tables[k.table].id(int(k.index)) }, workers)
}

// orderKeys fills in the prefixes and puts the keys in the order of the ids.
func orderKeys(ctx context.Context, keys []sortKey, id func(sortKey) string, workers int) error {
	skip := commonPrefix(keys, id)
	err := inParallel(ctx, len(keys), workers, func(from, to int) error {
		for i := from; i < to; i++ {
			keys[i].prefix = prefixAt(id(keys[i]), skip)
		}
		return nil
	})
	if err != nil {
		return err
	}
	less := func(a, b sortKey) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return cmp.Compare(id(a), id(b))
	}
	sortParallel(ctx, keys, make([]sortKey, len(keys)), less, workers)
	return ctx.Err()
}

// commonPrefix returns the length of the longest prefix that all ids share.
func commonPrefix(keys []sortKey, id func(sortKey) string) int {
	if len(keys) == 0 {
		return 0
	}
	first := id(keys[0])
	n := len(first)
	for _, k := range keys[1:] {
		s := id(k)
		n = min(n, len(s))
		for s[:n] != first[:n] {
			n--
		}
	}
	return n
}

// prefixAt returns eight bytes of the id from a position on as a number that sorts like them; missing ones are 0.
func prefixAt(id string, from int) uint64 {
	var b [8]byte
	copy(b[:], id[from:])
	return binary.BigEndian.Uint64(b[:])
}

// sortParallel sorts by merging halves, which are sorted at the same time as long as there are workers. Where compare
// tells all elements apart the result does not depend on their number. If ctx ends, the order is any.
func sortParallel[T any](ctx context.Context, a, spare []T, compare func(a, b T) int, workers int) {
	const single, alone = 1 << 12, 1 << 17 // sort no smaller piece in parallel, no larger one without a look at ctx
	if len(a) <= single || (workers < 2 && len(a) <= alone) {
		if ctx.Err() == nil {
			slices.SortFunc(a, compare)
		}
		return
	}
	half := len(a) / 2
	if workers < 2 {
		sortParallel(ctx, a[:half], spare[:half], compare, 1)
		sortParallel(ctx, a[half:], spare[half:], compare, 1)
	} else {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			sortParallel(ctx, a[:half], spare[:half], compare, workers/2)
		}()
		sortParallel(ctx, a[half:], spare[half:], compare, workers-workers/2)
		wg.Wait()
	}
	if ctx.Err() != nil {
		return
	}
	copy(spare, a)
	i, j := 0, half
	for k := range a {
		if j == len(a) || (i < half && compare(spare[i], spare[j]) <= 0) {
			a[k] = spare[i]
			i++
		} else {
			a[k] = spare[j]
			j++
		}
	}
}

// inParallel calls work for the pieces of [0, n), on several goroutines if there are enough. It returns the error of
// the first piece that has one, or that of ctx.
func inParallel(ctx context.Context, n, workers int, work func(from, to int) error) error {
	return inPieces(ctx, n, 4096, workers, work)
}

func inPieces(ctx context.Context, n, piece, workers int, work func(from, to int) error) error {
	pieces := (n + piece - 1) / piece
	workers = max(1, min(workers, pieces))
	errs := make([]error, pieces)
	var next atomic.Int64
	run := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= pieces || ctx.Err() != nil {
				return
			}
			errs[i] = work(i*piece, min(n, (i+1)*piece))
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			run()
		}()
	}
	run()
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
