package ledger

// A Key gives each customer the group it belongs to; it serves every table "by" something. The empty string is the
// group of customers whose attribute is not known.
type Key func(customer string) string

// By returns the Key of one attribute of the customers. The names "channel" and "campaign" are the fields of Customer,
// unless Attributes has an entry of that name; any other name is looked up in Attributes. Where two customers have the
// same ID, the later one counts. A customer that is not in the list belongs to the group "".
func By(customers []Customer, attribute string) Key {
	groups := make(map[string]string, len(customers))
	for _, c := range customers {
		groups[c.ID] = c.attribute(attribute)
	}
	return func(customer string) string { return groups[customer] }
}

func (c Customer) attribute(name string) string {
	if v, ok := c.Attributes[name]; ok {
		return v
	}
	switch name {
	case "channel":
		return c.Channel
	case "campaign":
		return c.Campaign
	}
	return ""
}
