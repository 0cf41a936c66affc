package clv_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
)

// FuzzModelJSON reads any text as each model: what is read without an error validates, and comes back after writing.
func FuzzModelJSON(f *testing.F) {
	for _, m := range models() {
		text, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"schema":"custval/model/bgcnbd/v1","k":0,"r":1,"alpha":1,"a":1,"b":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		fuzzModel[clv.NBD](t, text)
		fuzzModel[clv.BGNBD](t, text)
		fuzzModel[clv.MBGNBD](t, text)
		fuzzModel[clv.ParetoNBD](t, text)
		fuzzModel[clv.BGCNBD](t, text)
		fuzzModel[clv.MBGCNBD](t, text)
		fuzzModel[clv.Regularity](t, text)
	})
}

func fuzzModel[M interface{ Validate() error }](t *testing.T, text []byte) {
	var m, back M
	if string(text) == "null" || json.Unmarshal(text, &m) != nil {
		return
	}
	if err := m.Validate(); err != nil {
		t.Errorf("%s is read as %+v: %v", text, m, err)
	}
	again, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &back); err != nil {
		t.Fatalf("%s: %v", again, err)
	}
	if diff := cmp.Diff(m, back); diff != "" {
		t.Errorf("after JSON (-want +got):\n%s", diff)
	}
}
