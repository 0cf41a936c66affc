package subscription

import (
	"time"

	"github.com/custval/custval/money"
)

// The presets approximate what billing and analytics systems document of their rules; systems change their defaults and
// do not document everything. Where a system's rule is not documented the preset has the default. A preset is a value:
// change the fields that your account sets otherwise.

// Default returns the default policy under its name; its rules are those of the zero Policy.
func Default() Policy { return Policy{Name: "default"} }

// Stripe approximates Stripe Billing: only discounts for ever lower MRR; trials, tax and metered prices are no MRR; an
// overdue subscription counts until it is canceled or unpaid; a canceled one stops counting when it is canceled, not
// when its period ends; every change is a movement and rates of exchange have their own line; the churn rate adds the new
// customers to its base. Stripe's rates look at rolling 30 days: use [Rolling].
func Stripe() Policy {
	return Policy{
		Name: "stripe", Discounts: ForeverDiscounts, PastDue: KeepOverdue, ChurnAt: AtCancelRequest,
		LogoChurn: ChurnsOverOpeningAndNew,
	}
}

// ChartMogul approximates ChartMogul: MRR follows what is invoiced, so every discount lowers it, tax is taken out and
// each line is rounded to the minor unit; a customer of a free plan stays active; a subscription counts until the
// billing system ends it; changes within an hour are one movement; rates of exchange make no movement, so each row keeps
// the rate of its start; customer churn leaves out who joined or came back within the period.
func ChartMogul() Policy {
	return Policy{
		Name: "chartmogul", Discounts: AllDiscounts, PastDue: KeepOverdue, Free: FreeIsCustomer,
		Rounding: Rounding{Items: true, Mode: money.HalfUp}, FX: StartRates, Coalesce: time.Hour,
	}
}

// ProfitWell approximates ProfitWell Metrics: every discount lowers MRR; who pays nothing is no customer; a pause is MRR
// of 0 and no customer; an overdue subscription counts until it is canceled; who joins and leaves within a period is
// left out.
func ProfitWell() Policy {
	return Policy{
		Name: "profitwell", Discounts: AllDiscounts, PastDue: KeepOverdue, Paused: PauseChurns,
		SamePeriod: SamePeriodIgnored,
	}
}

// PaddleClassic approximates Paddle Classic: MRR is the list price without discounts, a week is 4.33 to the month and a
// day 30, and other currencies are always shown at the current rate.
func PaddleClassic() Policy {
	return Policy{
		Name: "paddle-classic", Normalizer: Normalizer{Day: Fraction{30, 1}, Week: Fraction{433, 100}},
		Discounts: NoDiscounts, PastDue: KeepOverdue, FX: ClosingRates,
	}
}

// RevenueCat approximates RevenueCat: the gross price of the store, tax included; 4 weeks or 30 days to the month, which
// the makers themselves say counts a weekly plan too low; the grain is the subscription, and the churn rate is what
// expired less what was subscribed to again.
func RevenueCat() Policy {
	return Policy{
		Name: "revenuecat", Normalizer: Normalizer{Day: Fraction{30, 1}, Week: Fraction{4, 1}},
		Discounts: NoDiscounts, Tax: TaxIncluded, PastDue: KeepOverdue, Grain: BySubscription, LogoChurn: ChurnsLessReturns,
	}
}

// Recurly approximates Recurly: prices with tax and without coupons, 30 days to the month, a pause is MRR of 0; months
// are compared at their last moments, and who is back within a month was never gone.
func Recurly() Policy {
	return Policy{
		Name: "recurly", Normalizer: Normalizer{Day: Fraction{30, 1}}, Discounts: NoDiscounts, Tax: TaxIncluded,
		PastDue: KeepOverdue, Mode: PeriodNet, Return: EveryMonth,
	}
}

// KillBill approximates Kill Bill's analytics: plans charged by days or weeks bring nothing; each subscription's MRR is
// rounded half up to four decimals; currencies are converted at the subscription's start; the grain is the subscription.
func KillBill() Policy {
	return Policy{
		Name: "killbill", Normalizer: Normalizer{Day: Fraction{0, 1}, Week: Fraction{0, 1}}, PastDue: KeepOverdue,
		Rounding: Rounding{Items: true, Digits: 4, Mode: money.HalfUp}, FX: StartRates, Grain: BySubscription,
	}
}

// DBTPlaybook approximates dbt's playbook for MRR: each month of a customer is compared with the month before; nothing
// between the comparisons is seen. Prices are taken as they are, by the month.
func DBTPlaybook() Policy {
	return Policy{Name: "dbt-playbook", PastDue: KeepOverdue, Mode: PeriodNet}
}

// FivetranStripe approximates Fivetran's dbt package for Stripe: months of items are compared with the month before, so a
// change of plan is churn and new business; 52/12 weeks to the month, while plans charged by days bring nothing; of several
// percentages off the largest counts, and amounts off add up.
func FivetranStripe() Policy {
	return Policy{
		Name: "fivetran-stripe", Normalizer: Normalizer{Day: Fraction{0, 1}}, Discounts: AllDiscounts, Stacking: LargestPercent,
		PastDue: KeepOverdue, Mode: PeriodNet, Grain: ByItem,
	}
}

// Presets returns all of the policies above.
func Presets() []Policy {
	return []Policy{
		Default(), Stripe(), ChartMogul(), ProfitWell(), PaddleClassic(), RevenueCat(), Recurly(), KillBill(),
		DBTPlaybook(), FivetranStripe(),
	}
}
