package finalbell

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/finalbell/finalbell/store"
)

// HistoryFilter selects matches of a player; a zero field but Player does not restrict.
type HistoryFilter struct {
	Player   string
	Mode     string
	Room     string
	Opponent string    // somebody else in the match, in a match of teams of another team
	From, To time.Time // by the end of the match: not before From, and before To
}

// HistoryRow is a match of a player's past as it stands now.
type HistoryRow struct {
	Match, Mode, Room, Round string
	EndedAt                  time.Time
	State                    State // Ended or Voided
	Standing                 Standing
}

// History yields the matches of a player that have ended, those that were voided since among them, the latest EndedAt
// first, then the later commit. The sequence holds no lock while it yields, and ends after an error: ErrInvalid without a
// player.
func (e *Engine) History(ctx context.Context, f HistoryFilter) iter.Seq2[HistoryRow, error] {
	return func(yield func(HistoryRow, error) bool) {
		fail := func(err error) { yield(HistoryRow{}, failed("read history", f.Player, err)) }
		err := e.readable(ctx)
		if err == nil {
			err = f.check()
		}
		if err != nil {
			fail(err)
			return
		}
		rs := e.ruleset()
		for r, err := range e.store.Matches(ctx, f.query()) {
			if err == nil {
				err = checkRecord(r)
			}
			if err != nil {
				fail(unavailable(err))
				return
			}
			m := matchOf(e.overlaid(r), rs)
			if f.Opponent != "" && !against(m, rs.history.mode(m.Mode, m.position), f.Player, f.Opponent) {
				continue
			}
			if m, err = e.withGrants(ctx, m); err != nil {
				fail(err)
				return
			}
			if !yield(rowOf(m, f.Player), nil) {
				return
			}
		}
	}
}

func (f HistoryFilter) check() error {
	if err := checkID("player", f.Player); err != nil {
		return err
	}
	if f.Opponent == f.Player {
		return refuse(ErrInvalid, "opponent: "+quote(f.Opponent)+" is the player", f.Player)
	}
	return nil
}

func (f HistoryFilter) query() store.MatchQuery {
	return store.MatchQuery{Player: f.Player, Opponent: f.Opponent, Mode: f.Mode, Room: f.Room, From: f.From.UTC(), To: f.To.UTC(),
		States: []string{string(Ended), string(Voided)}, Newest: true}
}

func rowOf(m Match, player string) HistoryRow {
	row := HistoryRow{Match: m.ID, Mode: m.Mode, Room: m.Room, Round: m.Round, EndedAt: m.EndedAt, State: m.State}
	if seat := m.seatOf(player); seat >= 0 {
		row.Standing = m.roster[seat]
	}
	return row
}

// seatOf is where a player sits in the roster, -1 for nobody.
func (m Match) seatOf(player string) int {
	for i, s := range m.roster {
		if s.Player == player {
			return i
		}
	}
	return -1
}

// against reports whether two players of a match were on different sides.
func against(m Match, mode Mode, a, b string) bool {
	i, j := m.seatOf(a), m.seatOf(b)
	return i >= 0 && j >= 0 && (mode.Teams == nil || m.roster[i].Team != m.roster[j].Team)
}

// HeadToHead is how two players stand against each other. Played is Won[0] + Won[1] + Drawn.
type HeadToHead struct {
	Players [2]string
	Played  int // matches with both, on different sides, that ended and were contested
	Won     [2]int
	Drawn   int // both had the same rank
}

// HeadToHead counts the matches of two players against each other; who has the better rank wins. Players never heard of
// have none.
func (e *Engine) HeadToHead(ctx context.Context, a, b string) (HeadToHead, error) {
	h := HeadToHead{Players: [2]string{a, b}}
	f := HistoryFilter{Player: a, Opponent: b}
	err := e.readable(ctx)
	if err == nil {
		err = checkID("opponent", b)
	}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return HeadToHead{}, failed("read head to head", a, err)
	}
	rs := e.ruleset()
	for r, err := range e.endedAsOf(ctx, f.query(), latest, latest) {
		if err != nil {
			return HeadToHead{}, failed("read head to head", a, err)
		}
		m := matchOf(r, rs)
		if m.NoContest || !against(m, rs.history.mode(m.Mode, m.position), a, b) {
			continue
		}
		h.Played++
		switch first, second := m.roster[m.seatOf(a)].Rank, m.roster[m.seatOf(b)].Rank; {
		case first < second:
			h.Won[0]++
		case first > second:
			h.Won[1]++
		default:
			h.Drawn++
		}
	}
	return h, nil
}

// Player is what a player's past comes to.
type Player struct {
	ID      string
	Overall Tally            // of all modes; without Best and Mean
	Modes   map[string]Tally // by mode: those in which the player has a counted match
	Levels  []MarkerProgress // as in Progress
}

// Player returns a player's statistics: always what their history comes to by the rules of its time. Somebody who was
// never in a match, has no money and nothing else is ErrNotFound.
func (e *Engine) Player(ctx context.Context, id string) (Player, error) {
	p, err := e.player(ctx, id)
	return p, failed("read player", id, err)
}

func (e *Engine) player(ctx context.Context, id string) (Player, error) {
	if err := e.readable(ctx); err != nil {
		return Player{}, err
	}
	if err := checkID("player", id); err != nil {
		return Player{}, err
	}
	rs := e.ruleset()
	g := e.giving(rs, time.Time{}, Grant{})
	if err := g.load(ctx, id); err != nil {
		return Player{}, err
	}
	f := g.players[id]
	if f.version == 0 {
		if kept, err := e.isKept(ctx, id); err != nil || !kept {
			return Player{}, cmp.Or(err, refuse(ErrNotFound, "no such player", id))
		}
	}
	stats := f.facts.Stats
	if stats == nil && e.tallied {
		stats = &statistics{}
	}
	if stats == nil { // of a database that did not keep them from its beginning
		past, err := e.pastOf(ctx, rs, id, 0)
		if err != nil {
			return Player{}, err
		}
		folded, _ := foldStatistics(past, moment{})
		stats = &folded
	}
	p := Player{ID: id, Overall: stats.overall, Modes: make(map[string]Tally, len(stats.modes)), Levels: rs.progress.show(id, f.facts, e.now()).Markers}
	for mode, t := range stats.modes {
		p.Modes[mode] = t
	}
	return p, nil
}
