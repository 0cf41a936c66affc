package subscription_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// contract is a yearly contract of USD 1,000 a month that is due on the day, with what became of it.
func contract(customer, due, to string, renewed string) subscription.Row {
	r := row(customer, "1000", "2024-01-01", to)
	r.From = ledger.AddMonths(at(due), -12)
	r.Terms = []subscription.Term{{Start: r.From, End: at(due), Renewed: at(renewed)}}
	return r
}

// TestRenewals has ten contracts that are due in June, of USD 1,000 each: 6 renewed on time, 1 early, 2 late within 30 days
// and 1 lost.
func TestRenewals(t *testing.T) {
	rows := times(6, func(i int) subscription.Row { return contract(fmt.Sprint("ontime", i), "2025-06-10", "", "") })
	rows = append(rows,
		contract("early", "2025-06-10", "", "2025-05-02"),
		contract("late by date", "2025-06-10", "", "2025-06-25"),
		contract("late by start", "2025-06-12", "2025-06-12", ""), row("late by start", "600", "2025-07-01", ""),
		contract("lost", "2025-06-20", "2025-06-20", ""), row("lost", "1000", "2025-07-21", ""),
		contract("due in May", "2025-05-31", "", ""), contract("due in July", "2025-07-01", "", ""),
	)
	r, err := book(t, rows...).Renewals(june(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Due != 10 || r.OnTime != 6 || r.Early != 1 || r.Late != 2 || r.Lost != 1 || r.Renewed != 9 || r.Pending != 0 {
		t.Errorf("renewals:\n%s", r)
	}
	wantRate(t, "Rate", r.Rate, 0.9)
	wantRate(t, "OnTimeRate", r.OnTimeRate, 0.7)
	wantRate(t, "LateRate", r.LateRate, 0.2)
	wantRate(t, "Gross", r.Gross, 0.86) // 8 * 1000 + 600 of 10,000
	wantRate(t, "Net", r.Net, 0.86)
	wantAmount(t, "LostValue", r.LostValue, "1000")

	short, err := book(t, rows...).Renewals(june(), &subscription.RenewalOptions{GraceDays: 15})
	if err != nil || short.Late != 1 || short.Lost != 2 {
		t.Errorf("grace of 15 days: %v\n%s", err, short)
	}
	strict, err := book(t, rows...).Renewals(june(), &subscription.RenewalOptions{GraceDays: -1, EarlyDays: 60})
	if err != nil || strict.Late != 0 || strict.Lost != 3 || strict.Early != 0 || strict.OnTime != 7 {
		t.Errorf("no grace, early from 60 days: %v\n%s", err, strict)
	}
	pending, err := book(t, rows...).Until(at("2025-06-28")).Renewals(june(), nil)
	if err != nil || pending.Lost != 0 || pending.Pending != 1 || pending.Renewed+pending.Lost+pending.Pending != pending.Due {
		t.Errorf("observed to 28 June: %v\n%s", err, pending)
	}
}

// TestRenewalValue has a published example: 4M up for renewal, 500k lost in price, 300k lost: gross 80 %.
func TestRenewalValue(t *testing.T) {
	year := func(customer, price, to string) subscription.Row {
		r := every(row(customer, price, "2024-06-10", to), subscription.Yearly)
		r.Terms = []subscription.Term{{End: at("2025-06-10")}}
		return r
	}
	b := book(t, year("stays", "2000000", ""), year("pays less", "1700000", "2025-06-10"),
		every(row("pays less", "1200000", "2025-06-10", ""), subscription.Yearly), year("leaves", "300000", "2025-06-10"))
	r, err := b.Renewals(june(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantRate(t, "Gross", r.Gross, 0.8)
	wantRate(t, "Rate", r.Rate, 2.0/3)
	more := book(t, year("pays more", "1200", "2025-06-10"), every(row("pays more", "1500", "2025-06-10", ""), subscription.Yearly))
	if r, err = more.Renewals(june(), nil); err != nil {
		t.Fatal(err)
	}
	wantRate(t, "Gross of more", r.Gross, 1)
	wantRate(t, "Net of more", r.Net, 1.25)
}

func TestRenewalOfLongTermsAndSuccessors(t *testing.T) {
	three := row("three years", "100", "2022-06-10", "")
	three.Terms = []subscription.Term{{End: at("2025-06-10")}}
	old := row("moves", "100", "2024-06-10", "2025-06-10")
	old.Subscription, old.Terms = "old", []subscription.Term{{End: at("2025-06-10"), RenewedAs: "new"}}
	next := row("moves", "130", "2025-06-15", "")
	next.Subscription = "new"
	canceled := row("left early", "100", "2024-06-10", "2025-02-10")
	canceled.Terms = []subscription.Term{{End: at("2025-06-10")}}
	b := book(t, three, old, next, canceled)
	for year := 2023; year <= 2025; year++ {
		r, err := b.Renewals(ledger.Year(year, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[int]int64{2025: 3}[year]; r.Due != want {
			t.Errorf("%d: %d due, want %d", year, r.Due, want)
		}
		if year == 2025 {
			if r.OnTime != 1 || r.Late != 1 || r.Lost != 1 {
				t.Errorf("2025:\n%s", r)
			}
			wantAmount(t, "Expiring", r.Expiring, "300")
			wantRate(t, "Net", r.Net, 230.0/300)
		}
	}
}

// TestImpliedRenewals checks that the renewal rate of monthly plans is their retention.
func TestImpliedRenewals(t *testing.T) {
	rows := times(10, func(i int) subscription.Row {
		r := row(fmt.Sprint("c", i), "10", "2025-01-31", "")
		if i < 3 {
			r.To = at("2025-06-30") // the end of the fifth month from the 31st
		}
		return r
	})
	r, err := book(t, rows...).Renewals(june(), &subscription.RenewalOptions{Implied: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Due != 10 || r.OnTime != 7 || r.Lost != 3 {
		t.Errorf("renewals:\n%s", r)
	}
	none, err := book(t, rows...).Renewals(june(), nil)
	if _, undefined := none.Rate.Value(); err != nil || none.Due != 0 || !errors.Is(undefined, ledger.ErrUndefined) {
		t.Errorf("without terms: %v\n%s", err, none)
	}
}

// TestRenewalsAddUp is the invariant of random contracts.
func TestRenewalsAddUp(t *testing.T) {
	for i := range 1000 {
		m := newMaker(uint64(i))
		rows := m.rows()
		for k := range rows {
			r := &rows[k]
			for m.IntN(2) == 0 {
				term := subscription.Term{End: m.after(r.From)}
				if m.IntN(3) == 0 {
					term.Renewed = term.End.Add(time.Duration(m.IntN(100)-50) * 24 * time.Hour)
				}
				r.Terms = append(r.Terms, term)
			}
		}
		b := book(t, rows...).With(m.policy())
		if m.IntN(2) == 0 {
			b = b.Until(m.day())
		}
		r, err := b.Renewals(ledger.Year(2025, nil), &subscription.RenewalOptions{GraceDays: m.IntN(40) - 1, EarlyDays: m.IntN(20), Implied: m.IntN(2) == 0})
		if err != nil {
			t.Fatal(err)
		}
		gross, err := r.Gross.Value()
		net, _ := r.Net.Value()
		if r.Early+r.OnTime+r.Late != r.Renewed || r.Renewed+r.Lost+r.Pending != r.Due || err == nil && (gross > 1 || gross > net) {
			t.Fatalf("history %d: gross %v, net %v\n%s", i, gross, net, r)
		}
	}
}

func TestUpcoming(t *testing.T) {
	canceled := contract("canceled", "2025-06-10", "2025-06-10", "")
	canceled.CancelRequested = at("2025-04-01")
	overdue := contract("overdue", "2025-06-11", "", "")
	overdue.PastDue = []ledger.Period{{Start: at("2025-05-10")}}
	b := book(t, canceled, overdue, contract("renewed", "2025-06-12", "", "2025-05-01"), contract("open", "2025-06-13", "", ""),
		contract("gone", "2025-06-13", "2025-03-01", ""))
	u, err := b.Upcoming(at("2025-05-15"), june())
	if err != nil {
		t.Fatal(err)
	}
	if u.Due != 4 || u.Renewed != 1 {
		t.Errorf("upcoming:\n%s", u)
	}
	wantAmount(t, "MRR", u.MRR, "3000")
	wantAmount(t, "AtRisk", u.AtRisk, "2000")
	if got := u.String(); !strings.Contains(got, "canceled") || !strings.Contains(got, "overdue") {
		t.Errorf("upcoming prints as\n%s", got)
	}
}

func TestCommitted(t *testing.T) {
	leaving := row("leaving", "100", "2025-01-01", "2025-07-01")
	leaving.CancelRequested = at("2025-06-01")
	signed := row("signed", "40", "2025-08-01", "")
	signed.Signed = at("2025-06-10")
	later := row("later", "70", "2025-08-01", "")
	smaller := []subscription.Row{row("smaller", "50", "2025-01-01", "2025-07-01"), row("smaller", "30", "2025-07-01", "")}
	smaller[1].Signed = at("2025-06-12")
	b := book(t, append(smaller, leaving, signed, later, row("stays", "1000", "2025-01-01", ""))...)
	for day, want := range map[string][2]string{
		"2025-05-31": {"1150", "1150"}, "2025-06-01": {"1150", "1050"}, "2025-06-10": {"1150", "1090"}, "2025-06-15": {"1150", "1070"},
		"2025-07-01": {"1030", "1070"}, "2025-08-01": {"1140", "1140"},
	} {
		s := snapshot(t, b, day)
		wantAmount(t, "MRR on "+day, s.MRR, want[0])
		wantAmount(t, "Committed on "+day, s.Committed, want[1])
	}
	c := contract("year", "2026-01-01", "", "")
	short := contract("short", "2026-01-01", "", "")
	short.Terms[0].Start = at("2025-07-01")
	s := snapshot(t, book(t, c, short, row("none", "5", "2025-01-01", "")), "2025-09-01")
	wantAmount(t, "ContractARR", s.ContractARR, "12000")
	wantAmount(t, "ARR", s.ARR, "24060")
}

func TestTenures(t *testing.T) {
	left := row("left", "10", "2025-01-01", "2025-03-02")
	left.Reason, left.Plan = subscription.Involuntary, "basic"
	back := row("left", "10", "2025-05-01", "")
	b := book(t, left, back, row("before", "10", "2024-01-01", "2024-06-01"), row("old", "10", "2024-12-02", ""), row("future", "10", "2026-01-01", ""))
	got, err := b.Tenures(t.Context(), at("2025-07-01"), &subscription.TenureOptions{Observed: at("2025-01-01")})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, x := range got {
		lines = append(lines, fmt.Sprint(x.Customer, " ", x.Entry, " ", x.Duration, " ", x.Ended, " ", x.Reason, " ", x.Labels["plan"]))
	}
	if s := strings.Join(lines, "; "); s != "left 0 60 true involuntary basic; left 0 61 false  ; old 30 211 false  " {
		t.Errorf("Tenures = %s", s)
	}
	first, err := b.Tenures(t.Context(), at("2025-07-01"), &subscription.TenureOptions{FirstOnly: true, Unit: 7 * 24 * time.Hour})
	if err != nil || len(first) != 3 || first[0].Customer != "before" || first[1].Duration != 60.0/7 {
		t.Errorf("first tenures in weeks = %+v, %v", first, err)
	}
	if _, err = b.Tenures(t.Context(), at("2025-01-01"), &subscription.TenureOptions{Observed: at("2025-01-01")}); err == nil {
		t.Error("no error for an observation without length")
	}
}

func TestTrials(t *testing.T) {
	rows := times(10, func(i int) subscription.Row {
		r := row(fmt.Sprint("c", i), "10", "2025-05-10", "")
		r.Trial = ledger.Period{Start: r.From, End: at("2025-05-24")}
		switch {
		case i < 2:
			r.To = at("2025-05-20") // canceled on trial
		case i < 5:
			r.To = at("2025-05-24")
		}
		return r
	})
	late := row("late", "10", "2025-05-25", "")
	late.Trial = ledger.Period{Start: late.From, End: at("2025-06-08")}
	r, err := book(t, rows...).Trials(month(2025, time.May), subscription.TrialsStarted)
	if err != nil || r.Trials != 10 || r.Converted != 5 || r.Lost != 5 {
		t.Errorf("%v, %v", r, err)
	}
	wantRate(t, "Rate", r.Rate, 0.5)
	b := book(t, append(rows, late)...).Until(at("2025-06-01"))
	r, err = b.Trials(month(2025, time.May), subscription.TrialsStarted)
	if err != nil || r.Trials != 11 || r.Converted != 5 || r.Lost != 5 || r.Open != 1 {
		t.Errorf("%v, %v", r, err)
	}
	r, err = b.Trials(month(2025, time.May), subscription.TrialsEnded)
	if err != nil || r.Trials != 10 || r.Converted != 5 || r.Lost != 5 {
		t.Errorf("%v, %v", r, err)
	}
}
