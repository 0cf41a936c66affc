package rfm

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// sealed puts magic, version and checksum around the body of a stored summary.
func sealed(body []byte) []byte {
	text := slices.Concat([]byte(partialMagic), []byte{partialVersion}, body)
	return binary.BigEndian.AppendUint32(text, crc32.Checksum(text, castagnoli))
}

// firstDifference returns the surroundings of the first byte in which two texts differ.
func firstDifference(want, got string) string {
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	around := func(s string) string { return s[max(0, i-120):min(len(s), i+60)] }
	return "want ..." + around(want) + "... got ..." + around(got)
}
