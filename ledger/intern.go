package ledger

import (
	"hash/maphash"
	"strings"
)

// An interner gives equal texts the same string, so that a customer of a thousand rows costs one. It is a table with
// one place for each hash, which grows with the texts that do not fit up to maxInterned places (4.5 MiB): a text whose
// place is taken becomes a new string. It holds nothing longer than maxInternedLen, so the memory is bounded. Where few
// texts come again before their place is taken, it rests for a while: a look at the table costs more than a string.
type interner struct {
	seed   maphash.Seed
	places []string
	tags   []uint16 // further bits of the hashes; they mostly tell, from the cache, that the place has another text
	misses int      // since the table has grown
	looks  int      // since the last trial began
	found  int      // of them
	rest   int      // texts that are still to pass by
	page   strings.Builder
}

const (
	firstInterned  = 1 << 8
	maxInterned    = 1 << 18
	maxInternedLen = 64
	trialLooks     = 1 << 16
	restLooks      = 1 << 20
	pageSize       = 1 << 12
)

// text returns b as a string.
func (in *interner) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxInternedLen {
		return string(b)
	}
	if in.rest > 0 {
		in.rest--
		return in.cut(b)
	}
	if in.places == nil {
		in.seed = maphash.MakeSeed()
		in.places, in.tags = make([]string, firstInterned), make([]uint16, firstInterned)
	}
	hash := maphash.Bytes(in.seed, b)
	at, tag := hash&uint64(len(in.places)-1), uint16(hash>>48)
	in.looks++
	if in.tags[at] == tag && in.places[at] == string(b) {
		in.found++
		return in.places[at]
	}
	s := string(b)
	in.places[at], in.tags[at] = s, tag
	in.misses++
	if in.misses > len(in.places) && len(in.places) < maxInterned {
		in.grow()
	}
	if in.looks >= trialLooks {
		if len(in.places) == maxInterned && in.found < in.looks/2 {
			in.rest = restLooks
		}
		in.looks, in.found = 0, 0
	}
	return s
}

// cut returns b as a part of the page, whose bytes never change.
func (in *interner) cut(b []byte) string {
	at := in.page.Len()
	if at+len(b) > in.page.Cap() {
		at = 0
		in.page = strings.Builder{}
		in.page.Grow(pageSize)
	}
	in.page.Write(b)
	return in.page.String()[at:]
}

func (in *interner) grow() {
	old := in.places
	in.places, in.tags = make([]string, 4*len(old)), make([]uint16, 4*len(old))
	for _, s := range old {
		if s != "" {
			hash := maphash.String(in.seed, s)
			at := hash & uint64(len(in.places)-1)
			in.places[at], in.tags[at] = s, uint16(hash>>48)
		}
	}
	in.misses = 0
}
