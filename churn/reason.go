package churn

import (
	"fmt"
	"strings"
)

// Choice says who ended a customer relationship.
type Choice uint8

// The choices.
const (
	Unknown     Choice = iota // not recorded, or a reason that the rule does not know
	Voluntary                 // the customer chose to leave
	Involuntary               // a payment failed, or the seller ended it
)

// String returns "unknown", "voluntary" or "involuntary".
func (c Choice) String() string {
	switch c {
	case Voluntary:
		return "voluntary"
	case Involuntary:
		return "involuntary"
	}
	return "unknown"
}

// MarshalText writes the name.
func (c Choice) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *Choice) UnmarshalText(text []byte) error {
	for _, v := range []Choice{Unknown, Voluntary, Involuntary} {
		if v.String() == string(text) {
			*c = v
			return nil
		}
	}
	return fmt.Errorf("churn: choice %q: want voluntary, involuntary or unknown", text)
}

// ChoiceOf classifies the reasons that billing systems commonly give, in any case, with spaces, hyphens and underscores
// the same:
//
//	voluntary    voluntary, canceled (in either spelling), cancellation requested, customer request, non renewing, not renewed,
//	             account closed, switched, too expensive, missing features, unused, low quality, customer service,
//	             too complex, trial ended, gift ended, paused
//	involuntary  involuntary, payment failed, payment failure, non payment, nonpayment, delinquent, unpaid,
//	             card expired, expired card, card declined, chargeback, fraud, tax location invalid, terminated
//
// Anything else, and no reason, is Unknown: it is not taken for the customer's choice.
func ChoiceOf(reason string) Choice {
	r := strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(strings.TrimSpace(reason)))
	switch r {
	case "voluntary", "canceled", "cancel" + "led" /* both spellings */, "cancellation requested", "customer request", "non renewing", "not renewed",
		"account closed", "switched", "too expensive", "missing features", "unused", "low quality", "customer service",
		"too complex", "trial ended", "gift ended", "paused":
		return Voluntary
	case "involuntary", "payment failed", "payment failure", "non payment", "nonpayment", "delinquent", "unpaid",
		"card expired", "expired card", "card declined", "chargeback", "fraud", "tax location invalid", "terminated":
		return Involuntary
	}
	return Unknown
}
