package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
)

// images are greyscale pictures as vectors of their pixels, 0 to 255.
type images struct {
	dim    int
	values []float32
}

func (m *images) rows() int { return len(m.values) / m.dim }

// parseImages reads the IDX format of unsigned bytes in three dimensions (magic 0x0803, big-endian sizes).
func parseImages(r io.Reader) (*images, error) {
	var header [16]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, fmt.Errorf("image header: %w", err)
	}
	if magic := binary.BigEndian.Uint32(header[0:]); magic != 0x0803 {
		return nil, fmt.Errorf("image file has magic %#x, expected 0x803", magic)
	}
	count, height, width := binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
	if count == 0 || height == 0 || width == 0 || count > 1<<20 || height > 1<<10 || width > 1<<10 {
		return nil, fmt.Errorf("image file of %d pictures of %d x %d", count, height, width)
	}
	m := &images{dim: int(height * width)}
	picture := make([]byte, m.dim)
	for i := range count {
		if _, err := io.ReadFull(r, picture); err != nil {
			return nil, fmt.Errorf("picture %d of %d: %w", i, count, err)
		}
		for _, pixel := range picture {
			m.values = append(m.values, float32(pixel))
		}
	}
	return m, nil
}

// parseLabels reads the IDX format of unsigned bytes in one dimension (magic 0x0801) as digits.
func parseLabels(r io.Reader, count int) ([]string, error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, fmt.Errorf("label header: %w", err)
	}
	if magic := binary.BigEndian.Uint32(header[0:]); magic != 0x0801 {
		return nil, fmt.Errorf("label file has magic %#x, expected 0x801", magic)
	}
	if found := binary.BigEndian.Uint32(header[4:]); found != uint32(count) {
		return nil, fmt.Errorf("label file has %d labels, expected %d", found, count)
	}
	digits := make([]byte, count)
	if _, err := io.ReadFull(r, digits); err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	labels := make([]string, count)
	for i, d := range digits {
		labels[i] = fmt.Sprint(d)
	}
	return labels, nil
}
