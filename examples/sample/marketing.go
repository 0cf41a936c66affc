package sample

import (
	"bytes"
	_ "embed"
	"io"
	"time"
)

//go:generate go run ./gen/marketing

var (
	//go:embed marketing_costs.csv
	marketingCosts []byte
	//go:embed marketing_touches.csv
	marketingTouches []byte
	//go:embed marketing_trials.csv
	marketingTrials []byte
	//go:embed marketing_test.csv
	marketingTest []byte
)

// MarketingStart and MarketingEnd are the time in which the shop won its customers and for which its marketing costs and
// touch-points are known: from January 2024 up to and without April 2025.
var (
	MarketingStart = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	MarketingEnd   = time.Date(2025, time.April, 1, 0, 0, 0, 0, time.UTC)
)

// MarketingCosts returns what the shop paid to win its customers, in USD: media by channel and campaign, and salaries,
// tools and agencies, of which some belong to one channel and others to none. Its columns are those of cac.ReadCosts.
func MarketingCosts() io.Reader { return bytes.NewReader(marketingCosts) }

// MarketingTouches returns what the shop's customers saw in the four weeks before their first order, and what visitors saw
// who bought nothing. Its columns are those of attribution.ReadTouchpoints.
func MarketingTouches() io.Reader { return bytes.NewReader(marketingTouches) }

// MarketingTrials returns months of regions in which the spend on a channel was drawn at random: channel, spend in USD
// and new customers, both as if for the whole country and a month.
func MarketingTrials() io.Reader { return bytes.NewReader(marketingTrials) }

// MarketingTest returns an experiment on 3,000 subscribers of the newsletter who had never bought: subscriber, arm
// (control or gift), orders within twelve weeks, and their margin in USD less the gift.
func MarketingTest() io.Reader { return bytes.NewReader(marketingTest) }
