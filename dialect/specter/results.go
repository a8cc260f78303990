package specter

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The limits of a read.
const (
	defaultLimit = 10
	maxLimit     = 100
	maxNamed     = 100 // ids in one filter
)

// page is a part of a list.
type page struct{ offset, limit int }

func readPage(r *strictjson.Reader) page {
	p := page{limit: defaultLimit}
	p.offset = r.Int("offset")
	if p.offset < 0 {
		r.Fail(fmt.Errorf("offset: %d is below 0", p.offset))
	}
	if r.Has("limit") {
		if p.limit = r.Int("limit"); p.limit < 1 || p.limit > maxLimit {
			r.Fail(fmt.Errorf("limit: expected 1 to %d, found %d", maxLimit, p.limit))
		}
	}
	return p
}

// has reports whether the n-th of a list is on the page.
func (p page) has(n int) bool { return n >= p.offset && n-p.offset < p.limit }

// wanted is which sessions are asked for. A nil filter does not restrict.
type wanted struct {
	page
	sessions, competitions, modes, games []string
}

func readWanted(v strictjson.Value) (wanted, error) {
	r := fields(v)
	ids := func(name string) []string {
		list := strictjson.List(r, name, readID)
		if len(list) > maxNamed {
			r.Fail(fmt.Errorf("%s: expected at most %d ids, found %d", name, maxNamed, len(list)))
		}
		return list
	}
	w := wanted{
		page:     readPage(r),
		sessions: ids("matchSessionIds"), competitions: ids("competitionIds"), modes: ids("matchIds"), games: ids("gameIds"),
	}
	return w, done(r)
}

func (w wanted) takes(m finalbell.Match) bool {
	return (w.competitions == nil || slices.Contains(w.competitions, m.Attributes[competitionAttribute])) &&
		(w.modes == nil || slices.Contains(w.modes, m.Mode))
}

// find returns the page of the sessions that the caller may see and asks for, and how many there are on all pages. Those that
// are over come first, the latest of them first, then those that are not; those that are named come as they are.
func (h *handler) find(c call, body strictjson.Value) (found []finalbell.Match, total int, err error) {
	w, err := readWanted(body)
	if err != nil || w.games != nil && !slices.Contains(w.games, h.options.Game) {
		return nil, 0, err
	}
	for m, err := range h.candidates(c, w) {
		if err != nil {
			return nil, 0, err
		}
		if !w.takes(m) {
			continue
		}
		if w.has(total) {
			found = append(found, m)
		}
		total++
	}
	return found, total, nil
}

// candidates yields the sessions that the caller may see, those that are named if some are.
func (h *handler) candidates(c call, w wanted) iter.Seq2[finalbell.Match, error] {
	if w.sessions == nil {
		f := finalbell.MatchFilter{Player: c.player, Newest: true}
		if len(w.modes) == 1 {
			f.Mode = w.modes[0]
		}
		return h.engine.Matches(c.ctx, f)
	}
	return func(yield func(finalbell.Match, error) bool) {
		for i, id := range w.sessions {
			if slices.Contains(w.sessions[:i], id) {
				continue
			}
			m, err := h.session(c, id)
			if isNone(err) {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// sessionResult is a session in the results.
type sessionResult struct {
	ID          string       `json:"id"`
	Match       string       `json:"matchId"`
	Game        string       `json:"gameId"`
	GameName    string       `json:"gameName"`
	Competition *string      `json:"competitionId"`
	State       string       `json:"state"`
	StartedAt   *string      `json:"startedAt"`
	EndedAt     *string      `json:"endedAt"`
	Results     []userResult `json:"results"`
}

type userResult struct {
	ID      string           `json:"id"`
	Outcome finalbell.Number `json:"outcome"`
	Rank    *int             `json:"rank"`
	Prizes  []prize          `json:"prizes"`
}

type prize struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Amount int64  `json:"amount"`
}

func (h *handler) sessionResults(c call, body strictjson.Value) (reply, error) {
	found, total, err := h.find(c, body)
	if err != nil {
		return reply{}, err
	}
	list := make([]sessionResult, len(found))
	for i, m := range found {
		list[i] = sessionResult{
			ID: m.ID, Match: m.Mode, Game: h.options.Game, GameName: h.options.Describe(Game, h.options.Game).Name,
			Competition: known(m.Attributes[competitionAttribute]), State: stateOf(m),
			StartedAt: known(timeOf(m.StartedAt)), EndedAt: known(timeOf(m.EndedAt)), Results: resultsOf(m),
		}
	}
	data := struct {
		Sessions []sessionResult `json:"matchSessions"`
		Total    int             `json:"totalCount"`
	}{list, total}
	return reply{http.StatusOK, messageResults, data}, nil
}

const messageResults = "Match Session Results"

// stateOf is one of the three states of the documents. What is over has ended, however it came to that.
func stateOf(m finalbell.Match) string {
	switch m.State {
	case finalbell.Created, finalbell.Started:
		return string(m.State)
	case finalbell.Disputed:
		return string(finalbell.Started)
	}
	return string(finalbell.Ended)
}

// resultsOf are the results of a session that has any: none was cancelled, has expired or was voided.
func resultsOf(m finalbell.Match) []userResult {
	list := []userResult{}
	if m.State != finalbell.Ended {
		return list
	}
	for _, s := range m.Standings {
		list = append(list, userResult{ID: s.Player, Outcome: s.Outcome, Rank: rankOf(s), Prizes: prizesOf(s)})
	}
	return list
}

// prizesOf are what a player got by a session, or can still get.
func prizesOf(s finalbell.Standing) []prize {
	list := []prize{}
	for _, g := range s.Grants {
		if name := prizeTypes[g.Kind]; name != "" && (g.State == finalbell.GrantGranted || g.State == finalbell.GrantPending) {
			list = append(list, prize{name, g.What, g.Amount})
		}
	}
	return list
}

// prizeTypes are the names of what can be won. An achievement is no prize; its rewards are.
var prizeTypes = map[finalbell.GrantKind]string{
	finalbell.CurrencyGrant: "currency",
	finalbell.ItemGrant:     "item",
	finalbell.XPGrant:       "progressionMarker",
	finalbell.CustomGrant:   "custom",
}

func rankOf(s finalbell.Standing) *int {
	if s.Rank == 0 {
		return nil
	}
	return &s.Rank
}

// known is nil for what is not known.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// timeOf writes a time as the documents do, always with milliseconds.
func timeOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
