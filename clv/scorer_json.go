package clv

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/money"
)

const scorerSchema = "custval/scorer/v1"

type scorerJSON struct {
	Schema      string          `json:"schema"`
	Purchases   json.RawMessage `json:"purchases"`
	Spend       json.RawMessage `json:"spend"`
	Unit        string          `json:"unit"`
	End         time.Time       `json:"end"`
	Currency    money.Currency  `json:"currency"`
	Options     ValueOptions    `json:"options"`
	Location    string          `json:"location"` // of the IANA database, or an offset such as +03:00
	Granularity Granularity     `json:"granularity"`
}

// MarshalJSON writes the Scorer under the schema "custval/scorer/v1": one file that holds both models and all that
// Observe and Score need. It returns an error if the location has no name that another machine understands, such as
// time.Local.
func (s *Scorer) MarshalJSON() ([]byte, error) {
	location, err := locationText(s.loc)
	if err != nil {
		return nil, err
	}
	purchases, err := json.Marshal(s.purchases)
	if err != nil {
		return nil, err
	}
	spend, err := json.Marshal(s.spend)
	if err != nil {
		return nil, err
	}
	return json.Marshal(scorerJSON{scorerSchema, purchases, spend, s.unit.String(), s.end, s.currency, s.v, location, s.grain})
}

// UnmarshalJSON reads a Scorer of this package's models; DecodeScorer reads those of others. It returns an error for
// another schema, an unknown field or model, and for what NewScorer refuses.
func (s *Scorer) UnmarshalJSON(text []byte) error {
	return s.decode(text, decodeModel, decodeSpend)
}

// DecodeScorer reads a Scorer of a pair of models that need not be this package's, written by json.Marshal. The models
// read their own JSON and are expected to refuse that of another kind.
func DecodeScorer[M Model, S SpendModel](text []byte) (*Scorer, error) {
	var s Scorer
	err := s.decode(text,
		func(text []byte) (Model, error) { return decodeAs[M](text) },
		func(text []byte) (SpendModel, error) { return decodeAs[S](text) })
	if err != nil {
		return nil, err
	}
	return &s, nil
}

func (s *Scorer) decode(text []byte, model func([]byte) (Model, error), spend func([]byte) (SpendModel, error)) error {
	var j scorerJSON
	if err := strictJSON(text, &j); err != nil {
		return fmt.Errorf("clv: scorer: %w", err)
	}
	if j.Schema != scorerSchema {
		return fmt.Errorf("clv: scorer: the text is a %q, want %q", j.Schema, scorerSchema)
	}
	out := Scorer{end: j.End, grain: j.Granularity, worth: worth{currency: j.Currency, v: j.Options}}
	var err error
	if out.purchases, err = model(j.Purchases); err != nil {
		return fmt.Errorf("clv: scorer: purchases: %w", err)
	}
	if out.spend, err = spend(j.Spend); err != nil {
		return fmt.Errorf("clv: scorer: spend: %w", err)
	}
	if out.unit, err = time.ParseDuration(j.Unit); err != nil {
		return fmt.Errorf("clv: scorer: unit %q: want a duration such as 168h0m0s", j.Unit)
	}
	if out.loc, err = parseLocation(j.Location); err != nil {
		return fmt.Errorf("clv: scorer: %w", err)
	}
	if err := out.complete(); err != nil {
		return err
	}
	*s = out
	return nil
}

func decodeAs[M any](text []byte) (M, error) {
	var m M
	if len(text) == 0 {
		return m, errors.New("missing")
	}
	err := json.Unmarshal(text, &m)
	return m, err
}

// modelKind returns the kind that the schema of a stored model names.
func modelKind(text []byte) (string, error) {
	var envelope struct {
		Schema string `json:"schema"`
	}
	if len(text) == 0 {
		return "", errors.New("missing")
	}
	if err := json.Unmarshal(text, &envelope); err != nil {
		return "", err
	}
	before, after, _ := strings.Cut(fit.Schema("model", "\x00"), "\x00")
	kind, ok := strings.CutPrefix(envelope.Schema, before)
	if kind, found := strings.CutSuffix(kind, after); ok && found {
		return kind, nil
	}
	return "", fmt.Errorf("the text is a %q, want a model", envelope.Schema)
}

// decodeModel reads a purchase model of this package.
func decodeModel(text []byte) (Model, error) {
	kind, err := modelKind(text)
	if err != nil {
		return nil, err
	}
	switch kind {
	case BGNBD{}.Kind():
		return decodeAs[BGNBD](text)
	case MBGNBD{}.Kind():
		return decodeAs[MBGNBD](text)
	case NBD{}.Kind():
		return decodeAs[NBD](text)
	case ParetoNBD{}.Kind():
		return decodeAs[ParetoNBD](text)
	case CorrelatedParetoNBD{}.Kind():
		return decodeAs[CorrelatedParetoNBD](text)
	case BGCNBD{}.Kind():
		return decodeAs[BGCNBD](text)
	case MBGCNBD{}.Kind():
		return decodeAs[MBGCNBD](text)
	case GGompertzNBD{}.Kind():
		return decodeAs[GGompertzNBD](text)
	case PDO{}.Kind():
		return decodeAs[PDO](text)
	}
	return nil, fmt.Errorf("unknown kind %q: DecodeScorer reads models of other packages", kind)
}

// decodeSpend reads a spend model of this package.
func decodeSpend(text []byte) (SpendModel, error) {
	kind, err := modelKind(text)
	if err != nil {
		return nil, err
	}
	switch kind {
	case GammaGamma{}.Kind():
		return decodeAs[GammaGamma](text)
	case NormalNormal{}.Kind():
		return decodeAs[NormalNormal](text)
	}
	return nil, fmt.Errorf("unknown kind %q: DecodeScorer reads models of other packages", kind)
}

// locationText names a location: by the IANA database or, where it has one offset for ever, by that.
func locationText(loc *time.Location) (string, error) {
	if loc == time.UTC {
		return "UTC", nil
	}
	name := loc.String()
	if name != "Local" && name != "" {
		if _, err := time.LoadLocation(name); err == nil {
			return name, nil
		}
	}
	t := time.Unix(0, 0).In(loc)
	if start, end := t.ZoneBounds(); start.IsZero() && end.IsZero() {
		return t.Format("-07:00:00"), nil
	}
	return "", fmt.Errorf("clv: location %q has no name that another machine understands: use one of time.LoadLocation", name)
}

func parseLocation(text string) (*time.Location, error) {
	if text == "" || text == "Local" {
		return nil, fmt.Errorf("location %q: want a name such as Europe/Istanbul or an offset such as +03:00", text)
	}
	if text[0] == '+' || text[0] == '-' {
		for _, layout := range []string{"-07:00:00", "-07:00"} {
			if t, err := time.Parse(layout, text); err == nil {
				_, offset := t.Zone()
				return time.FixedZone(text, offset), nil
			}
		}
	}
	loc, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("location: %w", err)
	}
	return loc, nil
}
