package table

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Marshal returns the JSON of v with null for every NaN and infinity.
func Marshal(v any) ([]byte, error) { return json.Marshal(Finite(v)) }

// Finite returns v with every NaN and infinity replaced by null, in a form that encoding/json writes.
func Finite(v any) any { return finite(reflect.ValueOf(v)) }

// finite does it by reflection. Structs keep the order and the names of their tags.
func finite(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Float64:
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return v.Interface()
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return finite(v.Elem())
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = finite(v.Index(i))
		}
		return out
	case reflect.Struct:
		var out object
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				out = append(out, member{name, finite(v.Field(i))})
			}
		}
		return out
	default:
		return v.Interface() // text, whole numbers and types that marshal themselves as text
	}
}

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, m.name)
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(out, ':'), value...)
	}
	return append(out, '}'), nil
}
