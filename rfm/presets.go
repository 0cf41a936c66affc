package rfm

// Grid returns the default map: ten segments on recency and frequency that cover each of the 25 cells exactly once. M
// does not decide; look at the money in the segment table. Its names and rectangles are the widely used ones (CleverTap
// and others).
//
//	       R 1 2             R 3               R 4                    R 5
//	F 5    Can't Lose Them   Loyal Customers   Loyal Customers        Champions
//	F 4    At Risk           Loyal Customers   Loyal Customers        Champions
//	F 3    At Risk           Need Attention    Potential Loyalists    Potential Loyalists
//	F 2    Hibernating       About To Sleep    Potential Loyalists    Potential Loyalists
//	F 1    Hibernating       About To Sleep    Promising              New Customers
func Grid() *Map {
	return &Map{Name: "grid", Axes: RF, Bins: 5, Rules: []Rule{
		{Segment: "Champions", R: Range{5, 5}, F: Range{4, 5}},
		{Segment: "Loyal Customers", R: Range{3, 4}, F: Range{4, 5}},
		{Segment: "Potential Loyalists", R: Range{4, 5}, F: Range{2, 3}},
		{Segment: "New Customers", R: Range{5, 5}, F: Range{1, 1}},
		{Segment: "Promising", R: Range{4, 4}, F: Range{1, 1}},
		{Segment: "Need Attention", R: Range{3, 3}, F: Range{3, 3}},
		{Segment: "About To Sleep", R: Range{3, 3}, F: Range{1, 2}},
		{Segment: "Can't Lose Them", R: Range{1, 2}, F: Range{5, 5}},
		{Segment: "At Risk", R: Range{1, 2}, F: Range{3, 4}},
		{Segment: "Hibernating", R: Range{1, 2}, F: Range{1, 2}},
	}}
}

// RxFMTable returns the eleven-row table of recency and the average of F and M that many articles copy. Its rows
// overlap in 20 of the 25 cells, so the first match counts, and then New Customers, Promising, Can't Lose Them and Lost
// get no cell at all; Coverage shows it. Prefer [Grid].
func RxFMTable() *Map {
	return &Map{Name: "r x fm table", Axes: RxFM, Bins: 5, Priority: FirstMatch, Rules: []Rule{
		{Segment: "Champions", R: Range{4, 5}, FM: Range{4, 5}},
		{Segment: "Loyal Customers", R: Range{2, 5}, FM: Range{3, 5}},
		{Segment: "Potential Loyalists", R: Range{3, 5}, FM: Range{1, 3}},
		{Segment: "New Customers", R: Range{4, 5}, FM: Range{0, 1}},
		{Segment: "Promising", R: Range{3, 4}, FM: Range{0, 1}},
		{Segment: "Need Attention", R: Range{2, 3}, FM: Range{2, 3}},
		{Segment: "About To Sleep", R: Range{2, 3}, FM: Range{0, 2}},
		{Segment: "At Risk", R: Range{0, 2}, FM: Range{2, 5}},
		{Segment: "Can't Lose Them", R: Range{0, 1}, FM: Range{4, 5}},
		{Segment: "Hibernating", R: Range{1, 2}, FM: Range{1, 2}},
		{Segment: "Lost", R: Range{0, 2}, FM: Range{0, 2}},
	}}
}

// RxFMGrid returns the ten segments of [Grid] on recency and FM: what money adds is heard, and every cell belongs to
// exactly one segment.
func RxFMGrid() *Map {
	m := Grid()
	m.Name, m.Axes = "r x fm grid", RxFM
	for i := range m.Rules {
		m.Rules[i].FM, m.Rules[i].F = m.Rules[i].F, Range{}
	}
	return m
}

// RPackage returns the default segments of the R package rfm, version 0.3.0: rectangles of R, F and M of which the first
// match counts. Champions is a single cell, and ten cells fall to Others.
func RPackage() *Map {
	return &Map{Name: "R package rfm 0.3", Axes: RFM, Bins: 5, Priority: FirstMatch, Default: "Others", Rules: []Rule{
		{Segment: "Champions", R: Range{5, 5}, F: Range{5, 5}, M: Range{5, 5}},
		{Segment: "Potential Loyalist", R: Range{3, 5}, F: Range{3, 5}, M: Range{2, 5}},
		{Segment: "Loyal Customers", R: Range{2, 4}, F: Range{2, 4}, M: Range{2, 4}},
		{Segment: "Promising", R: Range{3, 4}, F: Range{1, 3}, M: Range{3, 5}},
		{Segment: "New Customers", R: Range{4, 5}, F: Range{1, 3}, M: Range{1, 5}},
		{Segment: "Can't Lose Them", R: Range{1, 2}, F: Range{3, 4}, M: Range{4, 5}},
		{Segment: "At Risk", R: Range{1, 2}, F: Range{2, 5}, M: Range{4, 5}},
		{Segment: "Need Attention", R: Range{1, 3}, F: Range{3, 5}, M: Range{3, 5}},
		{Segment: "About To Sleep", R: Range{2, 3}, F: Range{1, 3}, M: Range{1, 4}},
		{Segment: "Lost", R: Range{1, 1}, F: Range{1, 5}, M: Range{1, 5}},
	}}
}

// RPackage02 returns the default segments of the R package rfm up to version 0.2.2, where F and M share one range. New
// Customers, Promising and Can't Lose Them cannot be reached, and 36 of 125 cells fall to Others.
func RPackage02() *Map {
	rows := []struct {
		segment string
		r, fm   Range
	}{
		{"Champions", Range{4, 5}, Range{4, 5}},
		{"Loyal Customers", Range{2, 5}, Range{3, 5}},
		{"Potential Loyalist", Range{3, 5}, Range{1, 3}},
		{"New Customers", Range{4, 5}, Range{1, 1}},
		{"Promising", Range{3, 4}, Range{1, 1}},
		{"Need Attention", Range{2, 3}, Range{2, 3}},
		{"About To Sleep", Range{2, 3}, Range{1, 2}},
		{"At Risk", Range{1, 2}, Range{2, 5}},
		{"Can't Lose Them", Range{1, 1}, Range{4, 5}},
		{"Lost", Range{1, 2}, Range{1, 2}},
	}
	m := &Map{Name: "R package rfm 0.2", Axes: RFM, Bins: 5, Priority: FirstMatch, Default: "Others"}
	for _, row := range rows {
		m.Rules = append(m.Rules, Rule{Segment: row.segment, R: row.r, F: row.fm, M: row.fm})
	}
	return m
}

// PyMC returns the segments of pymc-marketing's rfm_segments: lists of cells on four bins. The 18 cells that no list has
// are Other.
func PyMC() *Map {
	return &Map{Name: "pymc-marketing", Axes: RFM, Bins: 4, Default: "Other", Rules: []Rule{
		{Segment: "Premium Customer", Cells: []string{"334", "443", "444", "344", "434", "433", "343", "333"}},
		{Segment: "Repeat Customer", Cells: []string{"244", "234", "232", "332", "143", "233", "243"}},
		{Segment: "Top Spender", Cells: []string{"424", "414", "144", "314", "324", "124", "224", "423", "413", "133", "323", "313", "134"}},
		{Segment: "At Risk Customer", Cells: []string{"422", "223", "212", "122", "222", "132", "322", "312", "412", "123", "214"}},
		{Segment: "Inactive Customer", Cells: []string{"411", "111", "113", "114", "112", "211", "311"}},
	}}
}

// Actions returns what to do next with the customers of the segments that the presets name, as plain text to edit. It
// is a new map at every call.
func Actions() map[string]string {
	return map[string]string{
		"Champions":           "Reward them; early access, reviews and referrals",
		"Loyal Customers":     "Offer more of what they buy; ask for reviews",
		"Potential Loyalists": "Offer membership; recommend related products",
		"Potential Loyalist":  "Offer membership; recommend related products",
		"New Customers":       "Welcome them; help with the first product; second-purchase offer",
		"Promising":           "Build the brand; small incentive for the second purchase",
		"Need Attention":      "Limited-time offer based on past purchases",
		"About To Sleep":      "Remind them of popular products; renew the contact",
		"At Risk":             "Personal message; win them back with a relevant offer",
		"Can't Lose Them":     "Call or write in person; find out what went wrong",
		"Hibernating":         "Low-cost reminder of related products",
		"Lost":                "One last campaign; then leave them alone",
		"Others":              "Look at them one by one",
		"Premium Customer":    "Reward them; early access",
		"Repeat Customer":     "Offer more of what they buy",
		"Top Spender":         "Raise the number of purchases; loyalty offer",
		"At Risk Customer":    "Personal message; win them back with a relevant offer",
		"Inactive Customer":   "One last campaign; then leave them alone",
		"Other":               "Look at them one by one",
	}
}
