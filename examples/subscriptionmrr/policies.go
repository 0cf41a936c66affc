package main

import (
	"time"

	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// policies reads one history by three rules and says where the differences come from.
func policies(p *story.Printer, book *subscription.Book, end time.Time) error {
	rules := []subscription.Policy{subscription.Default(), subscription.ChartMogul(), subscription.Stripe()}
	month := ledger.Period{Start: end.AddDate(0, -1, 0), End: end}
	p.Say("%-12s%18s%11s%18s%14s%12s", "policy", "MRR", "customers", "churn last month", "gross churn", "logo churn")
	for _, rule := range rules {
		view := book.With(rule)
		now, err := view.At(end)
		if err != nil {
			return err
		}
		last, err := view.Period(month)
		if err != nil {
			return err
		}
		p.Say("%-12s%18s%11d%18s%14s%12s", rule.Name, now.MRR, now.Customers, last.Churn, last.GrossChurn, last.LogoChurn)
	}
	p.Say("\nOne difference at a time, from the default rules:\n")
	base, err := book.With(subscription.Default()).At(end)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		what   string
		change func(*subscription.Policy)
	}{
		{"discounts lower MRR only if they hold for ever (Stripe)", func(r *subscription.Policy) { r.Discounts = subscription.ForeverDiscounts }},
		{"all discounts lower MRR (ChartMogul)", func(r *subscription.Policy) { r.Discounts = subscription.AllDiscounts }},
		{"a canceled subscription stops counting at once (Stripe)", func(r *subscription.Policy) { r.ChurnAt = subscription.AtCancelRequest }},
		{"an overdue one counts until it is ended (both)", func(r *subscription.Policy) { r.PastDue = subscription.KeepOverdue }},
		{"each price is rounded to the cent (ChartMogul)", func(r *subscription.Policy) { r.Rounding.Items = true }},
	} {
		rule := subscription.Default()
		step.change(&rule)
		now, err := book.With(rule).At(end)
		if err != nil {
			return err
		}
		difference, err := now.MRR.Sub(base.MRR)
		if err != nil {
			return err
		}
		p.Say("  %-58s%16s", step.what, difference)
	}
	p.Say("\nWhere no subscription meets two of the differences, they add up to those of the policies. The month's churn differs by\n" +
		"its date: an overdue account leaves on the thirtieth day or when it is ended, a canceled one when it asks or when it goes.\n" +
		"Stripe's logo churn has the new customers in its base. None of them is wrong, but compare figures of one policy only:\n" +
		"every result carries the policy that made it.")
	return nil
}
