package dir

import (
	"context"
	"os"
	"strconv"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// countUp adds one to the object n, times times, and prints a plus for each that
// the store has acknowledged.
func countUp(root, times string) error {
	s, err := Open(root)
	if err != nil {
		return err
	}
	left, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for left > 0 {
		data, in, err := objectstore.GetBytes(context.Background(), s, "n", objectstore.Range{})
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		_, err = objectstore.Swap(context.Background(), s, "n", in.Tag, []byte(strconv.Itoa(n+1)))
		if objectstore.Is(err, objectstore.Condition) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString("+"); err != nil {
			return err
		}
		left--
	}
	return nil
}
