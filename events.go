package finalbell

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Event is something that happened: a commit, or a change of a board that a commit brought.
type Event struct {
	// ID is the same for ever, however often the event is handed over: the key of its commit, in which # is ##, and for what
	// follows from it # and a number behind that.
	ID       string
	Position uint64 // of the commit in the log
	At       time.Time
	Kind     EventKind
	Subject  string // what it is about: a match, a player, a board's window, or whatever the kind names
	// Match is the match of an event about one, as it is when the event is handed over: an event may come after others
	// that its match tells of already. Engine.Events leaves it out.
	Match *Match
	// Of windows, of entries and of what follows on boards.
	Board, Window, Partition string
	Player                   string // or team, on a board of teams
	By                       string // who overtook Player, or led before
	Rank, OldRank            int    // of the entry that moved: By's if somebody was overtaken, else Player's
	Body                     json.RawMessage
	Missed                   int // of EventMissed: how many events are missing here
}

// EventKind is what happened.
type EventKind string

// The kinds of events: the commits,
const (
	EventMatchCreated   EventKind = createdEvent
	EventMatchStarted   EventKind = startedEvent
	EventPlayersJoined  EventKind = joinedEvent
	EventMatchEnded     EventKind = endedEvent
	EventMatchCancelled EventKind = cancelledEvent
	EventMatchExpired   EventKind = expiredEvent
	EventReportRefused  EventKind = refusedEvent
	EventFeesReleased   EventKind = feesReleasedEvent
	EventMatchVoided    EventKind = voidedEvent
	EventMatchAmended   EventKind = amendedEvent

	EventCredited         EventKind = creditedEvent
	EventDebited          EventKind = debitedEvent
	EventTransferred      EventKind = transferredEvent
	EventGrantClaimed     EventKind = grantClaimedEvent
	EventGrantExpired     EventKind = grantExpiredEvent
	EventGrantDelivered   EventKind = deliveredEvent
	EventGrantUndelivered EventKind = undeliveredEvent
	EventGrantRedelivered EventKind = redeliverEvent
	EventPrizesPaid       EventKind = prizesPaidEvent

	EventWindowClosed  EventKind = windowClosedEvent
	EventSeasonBegun   EventKind = seasonBegunEvent
	EventEntryHidden   EventKind = entryHiddenEvent
	EventEntryRestored EventKind = entryRestoredEvent
	EventBoardsRebuilt EventKind = rebuiltEvent

	EventSessionStarted  EventKind = sessionStartedEvent
	EventSessionEnded    EventKind = sessionEndedEvent
	EventRoomOpened      EventKind = roomOpenedEvent
	EventRoomJoined      EventKind = roomJoinedEvent
	EventRoomLeft        EventKind = roomLeftEvent
	EventRoomDismissed   EventKind = roomDismissedEvent
	EventRoomClosed      EventKind = roomClosedEvent
	EventPlayerForgotten EventKind = forgottenEvent // Player is the pseudonym

	EventAfterFailed    EventKind = afterFailedEvent
	EventEventsReplayed EventKind = replayedEvent
)

// what follows on boards from a match that has ended or was amended or voided,
const (
	EventNewLeader  EventKind = "new_leader"  // Player is at the top now and was not; By was, if anybody
	EventEnteredTop EventKind = "entered_top" // Player's rank is within Options.Top now and was not
	EventOvertaken  EventKind = "overtaken"   // Player was above By and is below now
)

// EventMissed stands in a subscription where events are missing.
const EventMissed EventKind = "missed"

// EventFilter selects events. A zero field does not restrict; an event has to fit every other.
type EventFilter struct {
	Kinds   []EventKind
	Matches []string // events about these matches, and what follows from them on boards
	Modes   []string // the same of the matches of these modes
	Rooms   []string // and of these rooms, and of their members' coming and going
	Players []string // of matches with one of these players, about one of them, or about one of them on a board
	Boards  []string // changes of these boards and their windows; an event about a match is none
}

// topic is what an event is about.
type topic byte

const (
	otherTopic topic = iota
	matchTopic
	playerTopic
	windowTopic
	entryTopic
	sessionTopic
	roomTopic
)

func (k EventKind) topic() topic {
	switch k {
	case createdEvent, startedEvent, joinedEvent, endedEvent, cancelledEvent, expiredEvent, refusedEvent, feesReleasedEvent, voidedEvent, amendedEvent:
		return matchTopic
	case creditedEvent, debitedEvent, transferredEvent, grantClaimedEvent, grantExpiredEvent, deliveredEvent, undeliveredEvent, redeliverEvent, forgottenEvent:
		return playerTopic
	case windowClosedEvent, seasonBegunEvent, prizesPaidEvent:
		return windowTopic
	case entryHiddenEvent, entryRestoredEvent:
		return entryTopic
	case sessionStartedEvent, sessionEndedEvent:
		return sessionTopic
	case roomOpenedEvent, roomJoinedEvent, roomLeftEvent, roomDismissedEvent, roomClosedEvent:
		return roomTopic
	}
	return otherTopic
}

// eventOf is the event of a commit.
func eventOf(r store.Event) Event {
	ev := Event{ID: strings.ReplaceAll(r.Key, "#", "##"), Position: r.Position, At: r.At, Kind: EventKind(r.Kind), Subject: r.ID, Body: slices.Clone(r.Body)}
	switch ev.Kind.topic() {
	case playerTopic:
		ev.Player = r.ID
	case windowTopic:
		ev.Board, ev.Window = splitWindowID(r.ID)
	case entryTopic:
		var body shownBody
		if json.Unmarshal(r.Body, &body) == nil {
			ev.Board, ev.Window, ev.Partition = body.Board, body.Window, body.Partition
		}
		ev.Player = r.ID
	case sessionTopic, roomTopic:
		var body roomPlayer
		if json.Unmarshal(r.Body, &body) == nil {
			ev.Player = body.Player
		}
	}
	return ev
}

// takes reports whether an event passes; m is the match that it is about, or follows from, nil if it is not about one.
func (f *EventFilter) takes(ev *Event, m *Match) bool {
	if len(f.Kinds) > 0 && !slices.Contains(f.Kinds, ev.Kind) || len(f.Boards) > 0 && !slices.Contains(f.Boards, ev.Board) {
		return false
	}
	if ev.Kind.topic() == roomTopic && m == nil {
		return len(f.Matches)+len(f.Modes) == 0 && (len(f.Rooms) == 0 || slices.Contains(f.Rooms, ev.Subject)) &&
			(len(f.Players) == 0 || slices.ContainsFunc(f.Players, ev.names))
	}
	if m == nil && len(f.Matches)+len(f.Modes)+len(f.Rooms) > 0 {
		return false
	}
	if len(f.Matches) > 0 && !slices.Contains(f.Matches, m.ID) || len(f.Modes) > 0 && !slices.Contains(f.Modes, m.Mode) ||
		len(f.Rooms) > 0 && !slices.Contains(f.Rooms, m.Room) {
		return false
	}
	if len(f.Players) == 0 {
		return true
	}
	if ev.Player != "" {
		return slices.Contains(f.Players, ev.Player) || ev.By != "" && slices.Contains(f.Players, ev.By)
	}
	return m != nil && slices.ContainsFunc(m.roster, func(s Standing) bool { return slices.Contains(f.Players, s.Player) })
}

// names reports whether an event of a room is about a player.
func (ev *Event) names(player string) bool {
	var body roomBody
	return ev.Player == player || json.Unmarshal(ev.Body, &body) == nil && slices.Contains(body.Players, roomPlayer{player})
}

// wants reports whether one of some kinds may pass.
func (f *EventFilter) wants(kinds ...EventKind) bool {
	return len(f.Kinds) == 0 || slices.ContainsFunc(kinds, func(k EventKind) bool { return slices.Contains(f.Kinds, k) })
}

// Events yields the events after a position that f selects, in the order in which they happened: what the log has, and
// after each commit what followed from it on boards, as far as that is known. Ranks are written a moment after the commit
// that changed them, and a crash may take them: then nothing is said to have followed. A voided match tells only who leads
// since then. The sequence holds no lock while it yields, and ends after an error.
func (e *Engine) Events(ctx context.Context, after uint64, f EventFilter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Event{}, failed("list events", "", err))
			return
		}
		upTo := e.committer.applied.Load()
		for r, err := range e.store.Events(ctx, after) {
			if err != nil {
				yield(Event{}, failed("list events", "", unavailable(err)))
				return
			}
			if r.Position > upTo {
				return // not on the boards yet
			}
			all, err := e.eventsOf(ctx, r, &f)
			if err != nil {
				yield(Event{}, failed("list events", r.Key, err))
				return
			}
			for _, ev := range all {
				if !yield(ev, nil) {
					return
				}
			}
		}
	}
}

// eventsOf are the event of a commit and what followed from it, as far as a filter takes them.
func (e *engine) eventsOf(ctx context.Context, r store.Event, f *EventFilter) ([]Event, error) {
	ev := eventOf(r)
	follows := movesBoards(ev.Kind) && f.wants(EventNewLeader, EventEnteredTop, EventOvertaken)
	if !follows && !f.wants(ev.Kind) {
		return nil, nil
	}
	asks := len(f.Matches)+len(f.Modes)+len(f.Rooms)+len(f.Players) > 0
	var m *Match
	all := []Event{ev}
	if ev.Kind.topic() == matchTopic && (follows || asks) {
		soft, waits := e.committer.overlay(softKey{'r', r.ID}) // before the record: it may be written meanwhile
		record, err := e.store.Match(ctx, r.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			follows = false // damaged: Verify names it
		case err != nil:
			return nil, unavailable(err)
		default:
			of := matchOf(record, e.ruleset())
			m = &of
		}
		if follows {
			moves, err := e.movesAt(ctx, record, r.Position, soft, waits)
			if err != nil {
				return nil, err
			}
			all = append(all, followers(&ev, moves, e.options.top())...)
		}
	}
	return slices.DeleteFunc(all, func(ev Event) bool { return !f.takes(&ev, m) }), nil
}

// movesAt are what a commit made a match do to its boards. The record has those of the last such commit, and the revisions
// those of the ones before.
func (e *engine) movesAt(ctx context.Context, now store.Match, position uint64, soft store.Record, waits bool) ([]store.Move, error) {
	was, err := e.asOf(ctx, now, position)
	if err != nil {
		return nil, unavailable(err)
	}
	moves := was.Moves
	if late, is := soft.(store.Moves); waits && is && was.Revised == now.Revised && late.Position == now.Position {
		moves = late.Moves
	}
	if was.State == string(Voided) {
		moves = slices.DeleteFunc(slices.Clone(moves), func(m store.Move) bool { return m.New > 0 }) // of its end
	}
	return moves, nil
}
