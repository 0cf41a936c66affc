package churn

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A buyer is what is kept of a customer: the distinct days with a purchase and the money by key.
type buyer struct {
	days []int32 // since 1970-01-01 in the location, sorted and distinct once buyers is done
	paid []payment
}

// gaps returns the days between purchases, sorted.
func (b *buyer) gaps() []float64 {
	gaps := make([]float64, 0, len(b.days))
	for i := 1; i < len(b.days); i++ {
		gaps = append(gaps, float64(b.days[i]-b.days[i-1]))
	}
	slices.Sort(gaps)
	return gaps
}

// dayNumber returns the calendar day of an instant as days since 1970-01-01.
func dayNumber(t time.Time, loc *time.Location) int32 {
	_, offset := t.In(loc).Zone()
	s := t.Unix() + int64(offset)
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return int32(d)
}

// dayStart returns the first moment of a day.
func dayStart(day int32, loc *time.Location) time.Time {
	noon := time.Unix(int64(day)*86400+43200, 0).UTC()
	y, m, d := noon.Date()
	return ledger.Day(time.Date(y, m, d, 12, 0, 0, 0, loc), loc).Start
}

// buyers reads a log: purchases by day up to lastDay, and unless key is nil all amounts by their key.
func buyers(ctx context.Context, log iter.Seq2[ledger.Transaction, error], loc *time.Location, lastDay int32, key func(time.Time) int64) (map[string]*buyer, error) {
	all := map[string]*buyer{}
	row := 0
	for t, err := range log {
		row++
		if err != nil {
			return nil, streamError(err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			break
		}
		if err := checkWho(row, t.Customer, t.At); err != nil {
			return nil, err
		}
		day := dayNumber(t.At, loc)
		if day > lastDay {
			continue
		}
		b := all[t.Customer]
		if b == nil {
			b = &buyer{}
			all[t.Customer] = b
		}
		if t.Amount.Sign() >= 0 && (len(b.days) == 0 || b.days[len(b.days)-1] != day) {
			b.days = append(b.days, day)
			if n := len(b.days); n >= 64 && n&(n-1) == 0 {
				b.compact() // many rows of few days in any order
			}
		}
		if key == nil || t.Amount.IsZero() {
			continue
		}
		if err := pay(&b.paid, key(t.At), t.Amount); err != nil {
			return nil, rowError(row, "amount", t.Amount.String(), errors.Join(err, errConvert))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, streamError(err)
	}
	for customer, b := range all {
		if b.compact(); len(b.days) == 0 {
			delete(all, customer) // refunds only
		}
	}
	return all, nil
}

var errConvert = errors.New("bring the log to one currency with ledger.Convert, or leave the value out")

func (b *buyer) compact() {
	slices.Sort(b.days)
	b.days = slices.Compact(b.days)
}

// pay adds an amount to that of the same key; the keys stay sorted.
func pay(paid *[]payment, key int64, a money.Amount) error {
	i := sort.Search(len(*paid), func(i int) bool { return (*paid)[i].key >= key })
	if i < len(*paid) && (*paid)[i].key == key {
		sum, err := (*paid)[i].amount.Add(a)
		(*paid)[i].amount = sum
		return err
	}
	*paid = slices.Insert(*paid, i, payment{key, a})
	return nil
}

// pooled returns the quantile of the gaps of all customers in days, from their counts.
func pooled(all map[string]*buyer, q float64) (float64, error) {
	counts := map[int32]int{}
	n := 0
	for _, b := range all {
		for i := 1; i < len(b.days); i++ {
			counts[b.days[i]-b.days[i-1]]++
			n++
		}
	}
	if n == 0 {
		return 0, errors.New("churn: rhythm: no customer has purchased on two days, so there is no gap to judge silence by: set Rhythm.Default")
	}
	gaps := slices.Sorted(maps.Keys(counts))
	// The value at each of the two order statistics around 1 + (n-1) q.
	at := q * float64(n-1)
	low := int(at)
	value := func(rank int) float64 {
		for _, g := range gaps {
			if rank -= counts[g]; rank < 0 {
				return float64(g)
			}
		}
		return float64(gaps[len(gaps)-1])
	}
	a, b := value(low), value(low+1)
	return a + (at-float64(low))*(b-a), nil
}

// fallback returns the usual silence in days of customers without a rhythm.
func (r Rhythm) fallback(all map[string]*buyer) (float64, error) {
	if r.Default > 0 {
		return days(r.Default), nil
	}
	return pooled(all, r.Quantile)
}

func days(d time.Duration) float64 { return d.Hours() / 24 }
