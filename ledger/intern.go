package ledger

import "hash/maphash"

// An interner gives equal texts the same string, so that a customer of a thousand rows costs one. It is a table with
// one place for each hash, which grows with the texts that do not fit up to maxInterned places (4 MiB): a text whose
// place is taken becomes a new string. It holds nothing longer than maxInternedLen, so the memory is bounded.
type interner struct {
	seed   maphash.Seed
	places []string
	misses int
}

const (
	firstInterned  = 1 << 8
	maxInterned    = 1 << 18
	maxInternedLen = 64
)

// text returns b as a string.
func (in *interner) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxInternedLen {
		return string(b)
	}
	if in.places == nil {
		in.seed = maphash.MakeSeed()
		in.places = make([]string, firstInterned)
	}
	place := &in.places[maphash.Bytes(in.seed, b)&uint64(len(in.places)-1)]
	if *place == string(b) {
		return *place
	}
	s := string(b)
	*place = s
	in.misses++
	if in.misses > len(in.places) && len(in.places) < maxInterned {
		in.grow()
	}
	return s
}

func (in *interner) grow() {
	old := in.places
	in.places = make([]string, 4*len(old))
	for _, s := range old {
		if s != "" {
			in.places[maphash.String(in.seed, s)&uint64(len(in.places)-1)] = s
		}
	}
	in.misses = 0
}
