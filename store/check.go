package store

import "fmt"

// Check finds what no store may keep: what the interface Record lets through but is none, such as a pointer to a Match,
// a soft record that may not be lost, a Place out of range, a Line of nothing. Stores call it before they write.
func (b Batch) Check() error {
	for i := range b.Commits {
		for _, r := range b.Commits[i].Records {
			if f, is := r.(Forget); is && (len(b.Commits) > 1 || len(b.Soft) > 0) {
				return fmt.Errorf("store: a commit that forgets %q is not alone in its batch", f.As)
			}
			if err := fit(r); err != nil {
				return err
			}
		}
	}
	for _, r := range b.Soft {
		switch r.(type) {
		case Revision, Line, Grant, Facts, Room, Forget:
			return fmt.Errorf("store: no soft record: %T", r)
		}
		if err := fit(r); err != nil {
			return err
		}
	}
	return nil
}

func fit(r Record) error {
	place := 0
	switch r := r.(type) {
	case Match, Revision, Entry, Window, Chunk, Drop, Moves, Facts, Session, Room, Forget, Setting:
	case Line:
		if r.Amount == 0 {
			return fmt.Errorf("store: a line of nothing: posting %q", r.Posting)
		}
		place = r.Place
	case Grant:
		place = r.Place
	default:
		return fmt.Errorf("store: no record: %T", r)
	}
	if place < 0 || place > MaxPlace {
		return fmt.Errorf("store: no place of a %T: %d", r, place)
	}
	return nil
}
