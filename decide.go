package finalbell

import (
	"strconv"
	"time"

	"github.com/finalbell/finalbell/internal/timetext"
)

// The kinds of events.
const (
	createdEvent   = "match_created"
	startedEvent   = "match_started"
	joinedEvent    = "players_joined"
	endedEvent     = "match_ended"
	cancelledEvent = "match_cancelled"
	expiredEvent   = "match_expired"
	refusedEvent   = "report_refused"

	roomOpenedEvent    = "room_opened"
	roomJoinedEvent    = "room_joined"
	roomLeftEvent      = "room_left"
	roomDismissedEvent = "room_dismissed"
	roomClosedEvent    = "room_closed"

	feesReleasedEvent = "fees_released"
	voidedEvent       = "match_voided"
	amendedEvent      = "match_amended"

	creditedEvent     = "credited"
	debitedEvent      = "debited"
	transferredEvent  = "transferred"
	grantClaimedEvent = "grant_claimed"
	grantExpiredEvent = "grant_expired"
	deliveredEvent    = "grant_delivered"
	undeliveredEvent  = "grant_undelivered"
	redeliverEvent    = "grant_redelivered"
	prizesPaidEvent   = "prizes_paid"

	windowClosedEvent  = "window_closed"
	seasonBegunEvent   = "season_begun"
	entryHiddenEvent   = "entry_hidden"
	entryRestoredEvent = "entry_restored"
	rebuiltEvent       = "boards_rebuilt"

	forgottenEvent   = "player_forgotten"
	afterFailedEvent = "after_failed"
	replayedEvent    = "events_replayed"
)

// backfillBody is the body of the event of an end that closed no window.
const backfillBody = `{"backfill":true}`

// What each verb makes of a match: refusals first, in the documented order, then the one change. Nothing here
// reads a clock or a store.

func decideCreate(e *engine, n NewMatch, r request) (*decision, error) {
	mode := e.ruleset().modes[n.Mode]
	m := create(n, r.at)
	if !m.Deadline.IsZero() && !m.Deadline.After(r.at) {
		return nil, refuse(ErrInvalid, "deadline "+timetext.Format(m.Deadline)+" is not after the match is created, "+timetext.Format(r.at))
	}
	if err := checkRoster(mode, m.roster); err != nil {
		return nil, err
	}
	return &decision{next: m, key: keyOf("create", m.ID), digest: digestContent(m), kind: createdEvent, body: r.create.body, at: r.now}, nil
}

func decideStart(e *engine, m Match, r request) (*decision, error) {
	_, replayed, err := move(verbStart, m, false)
	if err != nil || replayed {
		return &decision{next: m, replayed: replayed}, err
	}
	m, err = start(m, r.at)
	return &decision{next: m, key: keyOf("start", m.ID), kind: startedEvent, at: r.now}, err
}

// autoStart starts a match on the way to a report, where the mode wants one call to do.
func (e *engine) autoStart(m Match, mode Mode, at time.Time) (Match, bool, error) {
	if m.State != Created || !mode.AutoStart {
		return m, false, nil
	}
	m, err := start(m, at)
	return m, true, err
}

func decideReport(e *engine, m Match, r request) (*decision, error) {
	mode := e.mode(m)
	m, started, err := e.autoStart(m, mode, r.now)
	if err != nil {
		return nil, err
	}
	if _, _, err := move(verbReport, m, false); err != nil {
		return nil, err
	}
	if len(r.outcomes) == 0 && !started {
		return &decision{next: m, replayed: true}, nil
	}
	sitting := len(m.roster)
	f, err := fill(m, mode, r.outcomes, false)
	if err != nil {
		return nil, err
	}
	if len(r.outcomes) > 0 {
		m = provide(m, mode, f)
	}
	d := &decision{next: m, started: started, at: r.now}
	switch {
	case started:
		d.key, d.kind = keyOf("start", m.ID), startedEvent
	case len(f.roster) > sitting:
		// Who is in a match must not depend on whether a live score was lost.
		d.key, d.kind = keyOf("join", m.ID, strconv.FormatUint(m.version, 10)), joinedEvent
	}
	return d, nil
}

func decideEnd(e *engine, m Match, r request) (*decision, error) {
	mode := e.mode(m)
	m, started, err := e.autoStart(m, mode, r.at)
	if err != nil {
		return nil, err
	}
	same := false
	if m.report != (digest{}) {
		again, err := fill(m, e.ruleset().history.mode(m.Mode, m.position), r.outcomes, true)
		same = err == nil && again.digest == m.report
	}
	_, replayed, err := move(verbEnd, m, same)
	if err != nil || replayed {
		return &decision{next: m, replayed: replayed}, err
	}
	if err := notBefore(r.at, m.StartedAt, Started); err != nil {
		return nil, err
	}
	f, err := fill(m, mode, r.outcomes, true)
	if err != nil {
		return nil, err
	}
	m, err = end(m, mode, f, r.at)
	m.position = unplaced
	d := &decision{next: m, started: started, key: keyOf("end", m.ID), digest: f.digest, kind: endedEvent, at: r.now}
	if r.backfill {
		d.body = []byte(backfillBody)
	}
	return d, err
}

func decideCancel(e *engine, m Match, r request) (*decision, error) {
	_, replayed, err := move(verbCancel, m, false)
	if err != nil || replayed {
		return &decision{next: m, replayed: replayed}, err
	}
	d := &decision{next: cancel(m, r.reason, r.now), key: keyOf("cancel", m.ID), kind: cancelledEvent, at: r.now}
	return d, nil
}

func decideVoid(_ *engine, m Match, r request) (*decision, error) {
	_, replayed, err := move(verbVoid, m, false)
	if err != nil || replayed {
		return &decision{next: m, replayed: replayed}, err
	}
	return &decision{next: void(m, r.reason), key: keyOf("void", m.ID), kind: voidedEvent, at: r.now}, nil
}

func decideAmend(e *engine, m Match, r request) (*decision, error) {
	if _, _, err := move(verbAmend, m, false); err != nil {
		return nil, err
	}
	// The rules of the time when it ended: what was right then is not wrong now.
	mode := e.ruleset().history.mode(m.Mode, m.position)
	mode.WalkIns = false
	f, err := fill(m, mode, r.outcomes, true)
	if err != nil {
		return nil, err
	}
	next, err := amend(m, mode, f, r.reason)
	if err != nil {
		return nil, err
	}
	if _, replayed, _ := move(verbAmend, m, sameStandings(m, next)); replayed {
		return &decision{next: m, replayed: true}, nil
	}
	return &decision{next: next, key: keyOf("amend", m.ID, strconv.Itoa(next.Revision)), digest: f.digest, kind: amendedEvent, at: r.now}, nil
}
