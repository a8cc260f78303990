package gamezop

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/strictjson"
	"github.com/finalbell/finalbell/internal/web"
)

// score is a player's place in a match as Gamezop tells it. Rank 0 is nobody's: the player is not ranked, or nobody is.
type score struct {
	Rank  int              `json:"rank"`
	Sub   string           `json:"sub"`
	Score finalbell.Number `json:"score"`
}

// scoreOf is the score of a standing; without an outcome it is 0, for it has to be a number.
func scoreOf(s finalbell.Standing) score {
	if !s.Outcome.Known() {
		s.Outcome = finalbell.Int(0)
	}
	return score{s.Rank, s.Player, s.Outcome}
}

// scores are those of everybody in a match, best first.
func scores(m finalbell.Match) []score {
	all := make([]score, len(m.Standings))
	for i, s := range m.Standings {
		all[i] = scoreOf(s)
	}
	return all
}

// won is a score on the screen of the winners.
type won struct {
	score
	Prize        int64  `json:"prize,omitempty"`
	CurrencyIcon string `json:"currency_icon,omitempty"`
}

// winners is what receive-winners answers.
type winners struct {
	Success bool  `json:"success"`
	Scores  []won `json:"scores"`
}

func (h *handler) receiveWinners(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Object(w, r)
	if err != nil {
		return err
	}
	f := strictjson.Fields(v)
	f.Require("match_id", "scores")
	match, outcomes := f.String("match_id"), list(f, "scores", readScore)
	if f.Has("scores") && len(outcomes) == 0 {
		f.Fail(errors.New("scores: expected at least one"))
	}
	if err := f.Done(); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if _, err := h.match(r.Context(), match); err != nil {
		return err
	}
	m, err := h.engine.End(r.Context(), match, outcomes...)
	if err != nil {
		return err
	}
	web.Write(w, http.StatusOK, winners{true, h.won(m)})
	return nil
}

func readScore(v strictjson.Value) (finalbell.Outcome, error) {
	r := strictjson.Fields(v)
	r.Require("rank", "sub", "score")
	o := finalbell.Outcome{
		Player: strictjson.One(r, "sub", word),
		Rank: strictjson.One(r, "rank", func(v strictjson.Value) (int, error) {
			rank, err := v.AsInt()
			if err == nil && rank < 1 {
				err = v.Expected("a rank from 1")
			}
			return rank, err
		}),
		Value: strictjson.One(r, "score", func(v strictjson.Value) (finalbell.Number, error) {
			text, err := v.AsNumber()
			if err != nil {
				return finalbell.Number{}, err
			}
			number := finalbell.Decimal(text)
			if err := number.Err(); err != nil {
				return number, v.Errorf("%w", err)
			}
			return number, nil
		}),
	}
	return o, r.Done()
}

// match is a match that a caller may know of. That it is not there, or another property's, is one answer.
func (h *handler) match(ctx context.Context, id string) (finalbell.Match, error) {
	m, err := h.engine.Match(ctx, id)
	unknown := errors.Is(err, finalbell.ErrNotFound) || errors.Is(err, finalbell.ErrInvalid) || err == nil && !h.ours(m.Attributes)
	if unknown {
		return finalbell.Match{}, refuse(http.StatusBadRequest, badMatch)
	}
	return m, err
}

// won are the scores of a match that has ended, with what each player won in the currency of the mode's prizes.
func (h *handler) won(m finalbell.Match) []won {
	mode, _ := h.mode(m.Mode)
	currency := prizeCurrency(mode)
	all := make([]won, len(m.Standings))
	for i, s := range m.Standings {
		all[i].score = scoreOf(s)
		for _, g := range s.Grants {
			given := g.State == finalbell.GrantGranted || g.State == finalbell.GrantPending
			prize := slices.ContainsFunc(mode.Prizes, func(p finalbell.Prize) bool { return p.ID == g.Rule })
			if given && prize && g.Kind == finalbell.CurrencyGrant && g.What == currency {
				all[i].Prize += g.Amount
			}
		}
		if all[i].Prize > 0 {
			all[i].CurrencyIcon = h.Icons[currency]
		}
	}
	return all
}

// prizeCurrency is the currency of the first prize of a mode that is money: a score has room for one.
func prizeCurrency(mode finalbell.Mode) string {
	for _, p := range mode.Prizes {
		switch {
		case p.Currency != "":
			return p.Currency
		case len(p.Shares) > 0 && mode.Fee != nil:
			return mode.Fee.Currency
		}
	}
	return ""
}
