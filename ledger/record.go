package ledger

import (
	"time"

	"github.com/custval/custval/money"
)

// A Transaction is one line of an order log: a purchase, a line item of one, or a refund.
type Transaction struct {
	Customer string       // who bought; never empty
	At       time.Time    // when; the zero time is an error
	Amount   money.Amount // what the customer paid, net of discount; negative for a refund; zero for a free order

	ID       string       // order number; adjacent rows of one customer with the same non-empty ID are one order
	Channel  string       // where the order came from, empty if unknown
	Campaign string       // what it answered to, empty if none
	Product  string       // what was bought, empty if the row is a whole order
	Category string       // the product's category, empty if unknown
	Quantity int64        // units bought; zero means not recorded
	Cost     money.Amount // what the goods cost the seller; the zero Amount means not recorded
	Discount money.Amount // what was taken off the list price, not negative; already subtracted from Amount
}

// A Customer is what is known of a customer apart from the orders.
type Customer struct {
	ID         string            // the same text as Transaction.Customer
	Acquired   time.Time         // when the customer was won; the zero time means unknown
	Channel    string            // the channel that won the customer, empty if unknown
	Campaign   string            // the campaign that did, empty if none
	Attributes map[string]string // anything else by name: region, age band, persona
}

// An Event is something that happened to a customer and is not an order: a visit, a ticket, a score given.
type Event struct {
	Customer string       // whom it happened to; never empty
	At       time.Time    // when
	Name     string       // what: "visit", "opened", "nps"
	Value    money.Amount // money involved; the zero Amount if none
	Score    float64      // a number given with it, such as 0 to 10 for NPS; meaningless where the name has none
}

// A Tenure is the time that one customer, or one subscription, has been under observation, in the unit that its maker
// states. It is the record of survival analysis: the subject was at risk in (Entry, Duration] and either left at
// Duration or was still there.
type Tenure struct {
	Customer string            // whose; empty for anonymous data
	Start    time.Time         // when the tenure began; the zero time if unknown
	Entry    float64           // age at which observation began (left truncation); 0 for observation from the start
	Duration float64           // age at the end of the tenure or of observation; greater than Entry
	Ended    bool              // true if the customer left at Duration, false if still there (censored)
	Reason   string            // why it ended, such as "voluntary" or "involuntary"; empty if not ended or unknown
	Weight   float64           // how many subjects the record stands for; 0 means 1
	Labels   map[string]string // plan, region and the like; may be nil
}
