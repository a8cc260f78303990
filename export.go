package finalbell

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// Export writes everything that is kept about one player, as JSON Lines. Each line is an object with a type, in this order:
//
//   - player: the player's progress on markers and achievements, and their items
//   - statistics: what their matches come to, for each mode and in all
//   - wallet: their balances, what is held, unclaimed and owed
//   - line: the lines of their accounts in the ledger, oldest first
//   - grant: what they were given, oldest first
//   - match: the matches that they were in, in the order of creation, each with their standing alone
//   - entry: what they have on each window of each board of players, by board and window; hidden says why one is not shown
//   - session: their sessions, oldest first
//   - room: the rooms that they are in, with what is kept of them as a member
//
// What has no line is not kept. The same state gives the same bytes. Nothing is held while it writes: what is written
// meanwhile may be in it or not. ErrNotFound if nothing is kept of the player.
func (e *Engine) Export(ctx context.Context, player string, w io.Writer) error {
	x := &exporting{Engine: e.undated(), player: player, out: bufio.NewWriter(w)}
	err := x.run(ctx)
	if failure := x.out.Flush(); err == nil {
		err = failure
	}
	return failed("export player", player, err)
}

// exporting is an export under way.
type exporting struct {
	*Engine
	player string
	out    *bufio.Writer
}

func (x *exporting) run(ctx context.Context) error {
	if err := x.readable(ctx); err != nil {
		return err
	}
	if err := checkID("player", x.player); err != nil {
		return err
	}
	kept, err := x.isKept(ctx, x.player)
	if err != nil {
		return err
	}
	if !kept {
		return refuse(ErrNotFound, "nothing is kept of such a player")
	}
	for _, part := range []func(context.Context) error{x.progress, x.money, x.given, x.matches, x.entries, x.visits} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// line writes one object, which has something in it.
func (x *exporting) line(kind string, v any) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	x.out.WriteString(`{"type":"` + kind + `",`)
	x.out.Write(text[1:])
	return x.out.WriteByte('\n')
}

func (x *exporting) progress(ctx context.Context) error {
	p, err := x.Progress(ctx, x.player)
	if err != nil {
		return err
	}
	if err := x.line("player", p); err != nil {
		return err
	}
	past, err := x.Player(ctx, x.player)
	if err != nil {
		return err
	}
	return x.line("statistics", past)
}

func (x *exporting) money(ctx context.Context) error {
	w, err := x.Wallet(ctx, x.player)
	if err != nil {
		return err
	}
	if err := x.line("wallet", w); err != nil {
		return err
	}
	mine := make(map[string]bool)
	for _, a := range wallets(x.player) {
		mine[accountOf(a).String()] = true
	}
	for l, err := range x.Ledger(ctx, x.player) {
		if err == nil && mine[l.Account] {
			err = x.line("line", l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporting) given(ctx context.Context) error {
	for g, err := range x.Grants(ctx, GrantFilter{Player: x.player}) {
		if err == nil {
			err = x.line("grant", g)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporting) matches(ctx context.Context) error {
	for m, err := range x.Matches(ctx, MatchFilter{Player: x.player}) {
		if err == nil {
			m.Standings = slices.DeleteFunc(slices.Clone(m.Standings), func(s Standing) bool { return s.Player != x.player })
			m.Standings = m.apart().Standings
			for i := range m.Standings {
				for b := range m.Standings[i].Boards {
					m.Standings[i].Boards[b].Passed = nil // they are others
				}
			}
			err = x.line("match", m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporting) entries(ctx context.Context) error {
	rs := x.ruleset()
	var found []store.Window
	for w, err := range x.store.Windows(ctx, store.WindowQuery{}) {
		if err != nil {
			return unavailable(err)
		}
		if b := rs.boards[w.Board]; b != nil && b.knows(w) && b.rule.Of != OfTeams {
			found = append(found, w)
		}
	}
	slices.SortFunc(found, func(a, b store.Window) int {
		return cmp.Or(cmp.Compare(a.Board, b.Board), a.Start.Compare(b.Start), cmp.Compare(a.Window, b.Window), cmp.Compare(a.Partition, b.Partition),
			cmp.Compare(a.Generation, b.Generation))
	})
	for _, w := range found {
		stored, err := x.storedEntries(ctx, w.WindowKey, []string{x.player})
		if err != nil {
			return err
		}
		entry, there := stored[x.player]
		if !there {
			continue
		}
		if err := x.entry(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// entry writes one entry with where it stands.
func (x *exporting) entry(ctx context.Context, r store.Entry) error {
	placed, err := x.Board(r.Board).Window(r.Window).Partition(r.Partition).Ranks(ctx, x.player)
	if err != nil {
		return err
	}
	text := struct {
		Board     string  `json:"board"`
		Window    string  `json:"window"`
		Partition string  `json:"partition,omitempty"`
		Rank      int     `json:"rank,omitempty"`
		Position  int     `json:"position,omitempty"`
		Size      int     `json:"size,omitempty"`
		Values    []Value `json:"values,omitempty"`
		Hidden    string  `json:"hidden,omitempty"`
	}{Board: r.Board, Window: r.Window, Partition: r.Partition, Hidden: r.Hidden}
	if p := placed[0]; p.Rank > 0 {
		text.Rank, text.Position, text.Size, text.Values = p.Rank, p.Position, p.Size, p.Values
	} else if rule, there := x.ruleset().boardAt(r.Board, latest); there && r.Entered {
		text.Values = rule.shown(r.Values)
	}
	return x.line("entry", text)
}

// visits are the sessions and rooms.
func (x *exporting) visits(ctx context.Context) error {
	for s, err := range x.store.Sessions(ctx, store.SessionQuery{Player: x.player}) {
		if err != nil {
			return unavailable(err)
		}
		if err := x.session(s); err != nil {
			return err
		}
	}
	for r, err := range x.store.Rooms(ctx, store.RoomQuery{}) {
		if err != nil {
			return unavailable(err)
		}
		for _, m := range r.Members {
			if m.Player != x.player {
				continue
			}
			if err := x.room(r, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exporting) session(s store.Session) error {
	return x.line("session", struct {
		Session    string            `json:"session"`
		Device     string            `json:"device,omitempty"`
		StartedAt  string            `json:"started_at"`
		SeenAt     string            `json:"seen_at,omitempty"`
		EndedAt    string            `json:"ended_at,omitempty"`
		Reason     string            `json:"reason,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
		Data       map[string]string `json:"data,omitempty"`
	}{s.ID, s.Device, wireTime(s.StartedAt), wireTime(s.SeenAt), wireTime(s.EndedAt), s.Reason, attributesOf(s.Attributes), attributesOf(s.Data)})
}

func (x *exporting) room(r store.Room, m store.Member) error {
	return x.line("room", struct {
		Room       string            `json:"room"`
		Mode       string            `json:"mode"`
		State      string            `json:"state"`
		Team       string            `json:"team,omitempty"`
		Bot        bool              `json:"bot,omitempty"`
		JoinedAt   string            `json:"joined_at"`
		Held       int64             `json:"held,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
	}{r.ID, r.Mode, r.State, m.Team, m.Bot, wireTime(m.JoinedAt), m.Held, attributesOf(m.Attributes)})
}
