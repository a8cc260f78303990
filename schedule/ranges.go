package schedule

import (
	"errors"
	"fmt"
	"sort"
	"time"
)

// ranges are windows that are given one by one, in order. Only the first may be without a start, only the last
// without an end.
type ranges struct {
	list    []Window
	numbers map[string]int64 // by name
}

func newRanges(given []Window) (*ranges, error) {
	r := &ranges{numbers: make(map[string]int64, len(given))}
	for i, w := range given {
		path := fmt.Sprintf("fixed[%d]", i)
		if w.ID == "" {
			return nil, fmt.Errorf("%s.id: is missing", path)
		}
		if _, twice := r.numbers[w.ID]; twice {
			return nil, fmt.Errorf("%s.id: %.64q comes twice", path, w.ID)
		}
		if err := checkInstant(w.Start); err != nil {
			return nil, fmt.Errorf("%s.start: %w", path, err)
		}
		if i > 0 && w.Start.Before(given[i-1].End) {
			return nil, fmt.Errorf("%s.start: %s is before the end of fixed[%d], %s", path, instantText(w.Start), i-1, instantText(given[i-1].End))
		}
		if open := w.End.IsZero() && i == len(given)-1; !open {
			if err := checkInstant(w.End); err != nil {
				return nil, fmt.Errorf("%s.end: %w", path, err)
			}
			if !w.Start.Before(w.End) {
				return nil, fmt.Errorf("%s.end: %s is not after the start, %s", path, instantText(w.End), instantText(w.Start))
			}
		}
		r.numbers[w.ID] = int64(i)
		r.list = append(r.list, Window{w.ID, w.Start.UTC(), w.End.UTC()})
	}
	return r, nil
}

// checkInstant refuses a boundary that could not be kept or written.
func checkInstant(t time.Time) error {
	switch year := t.UTC().Year(); {
	case t.IsZero():
		return errors.New("is missing")
	case year < firstYear || year > lastYear:
		return fmt.Errorf("%s is not in the years %d to %d", instantText(t), firstYear, lastYear)
	case t.Nanosecond()%int(time.Millisecond) != 0:
		return fmt.Errorf("%s is finer than a millisecond", instantText(t))
	}
	return nil
}

func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (r *ranges) at(t time.Time) (Window, bool) {
	// The last that has begun. A missing start is the zero time, which need not be before t.
	i := sort.Search(len(r.list), func(i int) bool { return !r.list[i].Start.IsZero() && r.list[i].Start.After(t) }) - 1
	if i < 0 || !r.list[i].End.IsZero() && !t.Before(r.list[i].End) {
		return Window{}, false
	}
	return r.list[i], true
}

func (r *ranges) number(id string) (int64, bool) {
	number, ok := r.numbers[id]
	return number, ok
}

func (r *ranges) window(number int64) (Window, bool) {
	if number < 0 || number >= int64(len(r.list)) {
		return Window{}, false
	}
	return r.list[number], true
}
