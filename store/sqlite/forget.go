package sqlite

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"github.com/finalbell/finalbell/store"
)

// forget takes a name away. Nearly everybody is named by number, so the name is changed in one row; what stands in texts
// of its own is looked for by the indexes that there are, and rooms one by one, of which there are few.
func (b *batch) forget(f store.Forget) error {
	player, err := b.look("SELECT id FROM names WHERE name = ?", shortNumber, f.Player)
	if err != nil {
		return err
	}
	if player > 0 {
		if err := b.forgetPlayer(player, f.Keep); err != nil {
			return err
		}
		if err := b.must("UPDATE OR IGNORE names SET name = ? WHERE id = ?", f.As, player); err != nil {
			return err
		}
	}
	for _, kind := range f.Accounts {
		taken, err := b.look("SELECT 1 FROM accounts WHERE kind = ? AND owner = ? LIMIT 1", 1, kind, f.As)
		if err != nil {
			return err
		}
		if taken > 0 && f.As != f.Player {
			return errStale
		}
		if _, err := b.exec("UPDATE accounts SET owner = ? WHERE kind = ? AND owner = ?", f.As, kind, f.Player); err != nil {
			return err
		}
	}
	for _, g := range f.Grants {
		if err := b.renameWord(ofGrants, g.From, g.To); err != nil {
			return err
		}
	}
	if err := b.forgetEvents(f.Events); err != nil {
		return err
	}
	// What is known of before may have the name.
	b.made = newMade()
	b.changed = changes{matches: make(map[string]store.Match), entries: make(map[entryKey]store.Entry), renamed: true}
	return nil
}

// look is a number that is looked for, 0 if it is not there.
func (b *batch) look(query string, highest int64, args ...driver.Value) (int64, error) {
	row := make([]driver.Value, 1)
	if there, err := b.row(query, row, args...); err != nil || !there {
		return 0, err
	}
	return numberIn(row, highest)
}

// must changes one row.
func (b *batch) must(query string, args ...driver.Value) error {
	there, err := b.exec(query, args...)
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

// forgetPlayer takes away what a player has told of themselves, but for some attributes in matches.
func (b *batch) forgetPlayer(player int64, keep []string) error {
	if _, err := b.exec("UPDATE sessions SET device = '', attributes = NULL, data = NULL WHERE player = ?", player); err != nil {
		return err
	}
	for last, more := player<<32, true; more; {
		matches, err := b.rows(matchesOf, 4, last, (player+1)<<32, int64(matchSlice))
		if err != nil {
			return err
		}
		for _, m := range matches {
			if err := b.forgetIn("UPDATE matches SET participants = ? WHERE id = ?", m[1], m[3], player, attributesOfParticipant, keep); err != nil {
				return err
			}
			revisions, err := b.rows("SELECT id, participants FROM revisions WHERE match = ?", 2, m[2])
			if err != nil {
				return err
			}
			for _, r := range revisions {
				if err := b.forgetIn("UPDATE revisions SET participants = ? WHERE id = ?", r[0], r[1], player, attributesOfParticipant, keep); err != nil {
					return err
				}
			}
			last, _ = m[0].(int64)
		}
		more = len(matches) == matchSlice
	}
	rooms, err := b.rows("SELECT id, members FROM rooms WHERE instr(members, ?) > 0", 2, "["+strconv.FormatInt(player, 10)+",")
	if err != nil {
		return err
	}
	for _, r := range rooms {
		if err := b.forgetIn("UPDATE rooms SET members = ? WHERE id = ?", r[0], r[1], player, attributesOfMember, nil); err != nil {
			return err
		}
	}
	return nil
}

const matchesOf = `SELECT x.id, m.id, m.match, m.participants FROM match_players AS x CROSS JOIN matches AS m ON m.id = x.match
	WHERE x.id > ? AND x.id < ? ORDER BY x.id LIMIT ?`

// Which element of a participant and of a member their attributes are.
const (
	attributesOfParticipant = 12
	attributesOfMember      = 5
)

// forgetIn takes a player's attributes out of the JSON of one row, but those to keep.
func (b *batch) forgetIn(update string, id, column driver.Value, player int64, at int, keep []string) error {
	text, is := column.(string)
	if !is {
		return nil // nobody is in there
	}
	without, err := withoutAttributes(text, player, at, keep)
	if err == nil && without != text {
		_, err = b.exec(update, without, id)
	}
	return err
}

// withoutAttributes is a list of participants or members without the attributes of one of them, but those to keep. The rest
// stays to the byte.
func withoutAttributes(text string, player int64, at int, keep []string) (string, error) {
	everybody, whole := elements(text)
	for i, one := range everybody {
		parts, wellFormed := elements(one)
		whole = whole && wellFormed && len(parts) >= attributesOfMember
		if !whole || parts[0] != strconv.FormatInt(player, 10) || len(parts) <= at {
			continue
		}
		kept, err := keptOf(parts[at], keep)
		if err != nil {
			return "", err
		}
		if parts[at] = kept; kept == "{}" && len(parts) == at+1 { // else what comes behind it keeps its place
			parts = parts[:at]
		}
		everybody[i] = "[" + strings.Join(parts, ",") + "]"
	}
	if !whole {
		return "", errDamaged
	}
	return "[" + strings.Join(everybody, ",") + "]", nil
}

// keptOf is the JSON of attributes without all but those to keep.
func keptOf(text string, keep []string) (string, error) {
	e := &eye{b: text}
	list := slices.DeleteFunc(e.attributes(), func(a store.Attribute) bool { return !slices.Contains(keep, a.Name) })
	var p pen
	p.attributes(list)
	return string(p.b), e.err()
}

// elements are those of a JSON array that a pen wrote, as they stand there.
func elements(array string) (parts []string, whole bool) {
	if len(array) < 2 || array[0] != '[' {
		return nil, false
	}
	depth, from, quoted := 0, 1, false
	for i := 0; i < len(array); i++ {
		switch c := array[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				if i > 1 {
					parts = append(parts, array[from:i])
				}
				return parts, c == ']' && i == len(array)-1
			}
		case c == ',' && depth == 1:
			parts = append(parts, array[from:i])
			from = i + 1
		}
	}
	return nil, false
}

// What one word may be the name of at once, and where it stands as such.
var (
	ofPostings = []wordPlace{{"lines", "posting"}}
	ofGrants   = []wordPlace{{"lines", `"grant"`}, {"given", `"grant"`}}
	ofMatches  = []wordPlace{{"lines", "match"}, {"given", "match"}}
)

// wordPlace is a column of numbers of words that has an index.
type wordPlace struct{ table, column string }

// renameWord gives what is called by a word in some places another one. The same word in other places stays.
func (b *batch) renameWord(places []wordPlace, from, to string) error {
	const look, insert = "SELECT id FROM words WHERE word = ?", "INSERT INTO words (word) VALUES (?) RETURNING id"
	old, err := b.look(look, anyNumber, from)
	if err != nil || old == 0 || from == to {
		return err
	}
	now, err := b.number(anyNumber, look, insert, to)
	if err != nil {
		return err
	}
	for _, p := range places {
		if _, err := b.exec("UPDATE "+p.table+" SET "+p.column+" = ? WHERE "+p.column+" = ?", now, old); err != nil {
			return err
		}
	}
	for _, p := range slices.Concat(ofPostings, ofGrants, ofMatches) {
		used, err := b.look("SELECT 1 FROM "+p.table+" WHERE "+p.column+" = ? LIMIT 1", 1, old)
		if err != nil || used > 0 {
			return err
		}
	}
	_, err = b.exec("DELETE FROM words WHERE id = ?", old)
	return err
}

// forgetEvents gives events their new keys, and the postings that were named by the old ones.
func (b *batch) forgetEvents(events []store.Event) error {
	for _, e := range events {
		row := make([]driver.Value, 1)
		position := int64(e.Position) //nolint:gosec // a position that is not there is not found
		there, err := b.row("SELECT key FROM events WHERE position = ?", row, position)
		if err != nil {
			return err
		}
		key, _ := row[0].(string)
		if !there {
			return errStale
		}
		if err := b.must("UPDATE OR IGNORE events SET key = ?, subject = ?, body = ? WHERE position = ?", e.Key, e.ID, text(e.Body), position); err != nil {
			return err
		}
		if err := b.renameWord(ofPostings, key, e.Key); err != nil {
			return err
		}
	}
	return nil
}
