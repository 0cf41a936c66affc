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
