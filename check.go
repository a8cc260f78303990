package finalbell

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// What can be refused about a call before anything is loaded.

const (
	maxPlayers    = 10_000 // in one match
	maxAttributes = 64     // of one match
	maxMetrics    = 64     // reported of one player in one match
	maxText       = 1024   // bytes of a reason or an attribute
)

// checkNew refuses a new match that no match could be.
func (e *engine) checkNew(n NewMatch) error {
	if err := checkID("match id", n.ID); err != nil {
		return err
	}
	rs := e.ruleset()
	mode, there := rs.modes[n.Mode]
	if !there {
		return refuse(ErrInvalid, "mode: no mode "+quote(n.Mode))
	}
	if n.Room != "" {
		if err := checkID("room", n.Room); err != nil {
			return err
		}
	}
	if n.Round != "" {
		if err := checkID("round", n.Round); err != nil {
			return err
		}
	}
	if _, numbered := roundNumber(n.Round); !numbered {
		if board, needs := rs.needsRound(mode); needs {
			return refuse(ErrInvalid, "round: "+quote(n.Round)+" has no number, which the segments of board "+quote(board)+" need")
		}
	}
	if !n.Deadline.Equal(n.Deadline.Truncate(time.Millisecond)) {
		return refuse(ErrInvalid, "deadline "+n.Deadline.Format(time.RFC3339Nano)+" is finer than a millisecond")
	}
	if len(n.Players) > maxPlayers {
		return refuse(ErrInvalid, plural(len(n.Players), "player")+" are more than "+strconv.Itoa(maxPlayers))
	}
	for i, p := range n.Players {
		if err := checkParticipant(mode, "players["+strconv.Itoa(i)+"]", p); err != nil {
			return err
		}
	}
	if err := checkAttributes("attributes", n.Attributes); err != nil {
		return err
	}
	return rs.checkPartitions(mode, n)
}

// checkParticipant refuses a participant who could be in no match of the mode.
func checkParticipant(mode Mode, at string, p Participant) error {
	if err := checkID(at+".player", p.Player); err != nil {
		return err
	}
	switch {
	case p.Team != "":
		if err := checkID(at+".team", p.Team); err != nil {
			return err
		}
	case mode.Teams != nil:
		return refuse(ErrInvalid, at+".team: mode "+quote(mode.ID)+" needs one for "+quote(p.Player))
	}
	return checkAttributes(at+".attributes", p.Attributes)
}

func checkAttributes(field string, attributes map[string]string) error {
	if len(attributes) > maxAttributes {
		return refuse(ErrInvalid, field+": "+plural(len(attributes), "attribute")+" are more than "+strconv.Itoa(maxAttributes))
	}
	for _, name := range names(attributes) {
		if err := checkAttribute(field, name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkPartitions refuses an attribute that a board of the mode is partitioned by and that could name no partition.
func (rs *ruleset) checkPartitions(mode Mode, n NewMatch) error {
	check := func(field, attribute, value string) error {
		if value == "" {
			return nil // in no partition
		}
		return checkID(field+"["+quote(attribute)+"]", value)
	}
	for _, id := range mode.Boards {
		p := rs.boards[id].rule.Partition
		switch {
		case p == nil:
		case p.Of == OfMatch:
			if err := check("attributes", p.Attribute, n.Attributes[p.Attribute]); err != nil {
				return err
			}
		default:
			for i, player := range n.Players {
				if err := check("players["+strconv.Itoa(i)+"].attributes", p.Attribute, player.Attributes[p.Attribute]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// needsRound names a board of the mode that counts by rounds.
func (rs *ruleset) needsRound(mode Mode) (string, bool) {
	for _, id := range mode.Boards {
		for _, key := range rs.boards[id].rule.Keys {
			if len(key.Best) > 0 && key.Best[0].ThroughRound > 0 && feeds(key, mode.ID) {
				return id, true
			}
		}
	}
	return "", false
}

// feeds reports whether results of a mode feed the key.
func feeds(key Key, mode string) bool {
	for _, m := range key.Modes {
		if m == mode {
			return true
		}
	}
	return len(key.Modes) == 0
}

// checkSubject refuses an outcome of nobody.
func checkSubject(o Outcome) error {
	if o.Player == "" && o.Team == "" {
		return refuse(ErrInvalid, "outcomes: one names neither a player nor a team")
	}
	if o.Player != "" {
		if err := checkID("player", o.Player); err != nil {
			return err
		}
	}
	if o.Team != "" {
		return checkID("team", o.Team)
	}
	return nil
}

func checkAttribute(field, name, value string) error {
	if err := checkID(field+": name", name); err != nil {
		return err
	}
	return checkText(field+"["+quote(name)+"]", value)
}

// checkText refuses a text that could not be printed and kept.
func checkText(field, text string) error {
	if len(text) > maxText {
		return refuse(ErrInvalid, field+": "+strconv.Itoa(len(text))+" bytes are more than "+strconv.Itoa(maxText))
	}
	if !utf8.ValidString(text) {
		return refuse(ErrInvalid, field+": "+quote(text)+" is not valid UTF-8")
	}
	return nil
}

// newID makes an id for a match that came without.
func (e *engine) newID() string {
	if e.options.NewID != nil {
		return e.options.NewID()
	}
	return uuid7(e.now())
}

// uuid7 is a UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random ones.
func uuid7(now time.Time) string {
	var u [16]byte
	rand.Read(u[:]) // never fails
	binary.BigEndian.PutUint32(u[:4], uint32(now.UnixMilli()>>16))
	binary.BigEndian.PutUint16(u[4:6], uint16(now.UnixMilli()))
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	text := hex.EncodeToString(u[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
