package transcript

import (
	"context"
	"errors"
	"strconv"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
)

// The calls about money, grants and progress.

func readMoney(v strictjson.Value) (finalbell.Money, error) {
	r := strictjson.Fields(v)
	r.Require("player", "currency", "amount")
	m := finalbell.Money{Player: strictjson.One(r, "player", readName), Currency: strictjson.One(r, "currency", readName),
		Amount: r.Int64("amount"), Key: strictjson.One(r, "key", readName)}
	return m, r.Done()
}

func (s *Session) credit(ctx context.Context, v strictjson.Value) (any, error) {
	m, err := readMoney(v)
	if err != nil {
		return nil, err
	}
	return s.paid(m.Key, func(key string) (finalbell.Receipt, error) {
		m.Key = key
		return s.engine.Credit(ctx, m)
	})
}

func (s *Session) debit(ctx context.Context, v strictjson.Value) (any, error) {
	m, err := readMoney(v)
	if err != nil {
		return nil, err
	}
	return s.paid(m.Key, func(key string) (finalbell.Receipt, error) {
		m.Key = key
		return s.engine.Debit(ctx, m)
	})
}

func (s *Session) transfer(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("from", "to", "currency", "amount")
	t := finalbell.Transfer{From: strictjson.One(r, "from", readName), To: strictjson.One(r, "to", readName),
		Currency: strictjson.One(r, "currency", readName), Amount: r.Int64("amount"), Key: strictjson.One(r, "key", readName)}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.paid(t.Key, func(key string) (finalbell.Receipt, error) {
		t.Key = key
		return s.engine.Transfer(ctx, t)
	})
}

// paid makes a payment that may come without a key. Then it gets the next id that no payment had before, also in an
// earlier run; by the engine's own ids, the next of those.
func (s *Session) paid(key string, pay func(key string) (finalbell.Receipt, error)) (any, error) {
	if key != "" || s.manual == nil {
		return pay(key)
	}
	for {
		receipt, err := pay(idPrefix + strconv.Itoa(s.manual.next))
		if err != nil && !errors.Is(err, finalbell.ErrConflict) {
			return nil, err
		}
		s.manual.next++
		if err == nil && !receipt.Replayed {
			return receipt, nil
		}
	}
}

// readWho takes a player's id, or an object with it.
func readWho(v strictjson.Value) (string, error) {
	if v.Kind() != strictjson.Object {
		return readName(v)
	}
	r := strictjson.Fields(v)
	r.Require("player")
	player := strictjson.One(r, "player", readName)
	return player, r.Done()
}

func (s *Session) wallet(ctx context.Context, v strictjson.Value) (any, error) {
	player, err := readWho(v)
	if err != nil {
		return nil, err
	}
	return s.engine.Wallet(ctx, player)
}

// ledger takes a player, or a match.
func (s *Session) ledger(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	player, match := strictjson.One(r, "player", readName), strictjson.One(r, "match", readName)
	if r.Has("player") == r.Has("match") {
		r.Fail(v.Errorf("either player or match"))
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if match != "" {
		return whole(s, s.engine.MatchLedger(ctx, match))
	}
	return whole(s, s.engine.Ledger(ctx, player))
}

func (s *Session) grants(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	f := finalbell.GrantFilter{Player: strictjson.One(r, "player", readName), Match: strictjson.One(r, "match", readName),
		Board: strictjson.One(r, "board", readName), Window: strictjson.One(r, "window", readName)}
	if r.Has("state") {
		f.States = []finalbell.GrantState{strictjson.Word(r, "state", finalbell.GrantPending, finalbell.GrantGranted, finalbell.GrantFailed,
			finalbell.GrantExpired, finalbell.GrantRevoked)}
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return whole(s, s.engine.Grants(ctx, f))
}

func (s *Session) claim(ctx context.Context, v strictjson.Value) (any, error) {
	r := strictjson.Fields(v)
	r.Require("player", "grant")
	player, grant := strictjson.One(r, "player", readName), strictjson.One(r, "grant", readName)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return s.engine.Claim(ctx, player, grant)
}

func (s *Session) progress(ctx context.Context, v strictjson.Value) (any, error) {
	player, err := readWho(v)
	if err != nil {
		return nil, err
	}
	return s.engine.Progress(ctx, player)
}

func (s *Session) void(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readShortStep(v, "reason")
	if err != nil {
		return nil, err
	}
	return s.engine.Void(ctx, st.match, st.reason)
}

// amend takes no short form, as end takes none.
func (s *Session) amend(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readStep(v, "outcomes", "reason")
	if err != nil {
		return nil, err
	}
	return s.engine.Amend(ctx, st.match, st.reason, st.outcomes...)
}

func (s *Session) revisions(ctx context.Context, v strictjson.Value) (any, error) {
	st, err := readShortStep(v)
	if err != nil {
		return nil, err
	}
	list, err := s.engine.Revisions(ctx, st.match)
	if list == nil && err == nil {
		list = []finalbell.Match{}
	}
	return list, err
}
