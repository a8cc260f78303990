package finalbell

import (
	"math/big"
	"time"

	"github.com/finalbell/finalbell/internal/strictjson"
)

// Statistics as they are stored among a player's facts.

type statsText struct {
	Overall tallyText            `json:"overall"`
	Modes   map[string]tallyText `json:"modes,omitempty"`
	Last    *lastText            `json:"last,omitempty"`
}

// tallyText has what a mean is made of in place of the mean.
type tallyText struct {
	Won      int    `json:"won,omitempty"`
	Drawn    int    `json:"drawn,omitempty"`
	Lost     int    `json:"lost,omitempty"`
	None     int    `json:"none,omitempty"`
	Streak   int    `json:"streak,omitempty"`
	Longest  int    `json:"longest,omitempty"`
	TotalMS  int64  `json:"total_ms,omitempty"`
	Best     string `json:"best,omitempty"`
	Sum      string `json:"sum,omitempty"` // of the outcomes, in units of 10^-9
	Scored   int    `json:"scored,omitempty"`
	Decimals int    `json:"decimals,omitempty"`
}

func (s statistics) text(position uint64) *statsText {
	text := &statsText{Overall: s.overall.text(), Last: s.last.text(position)}
	for mode, t := range s.modes {
		if text.Modes == nil {
			text.Modes = make(map[string]tallyText, len(s.modes))
		}
		text.Modes[mode] = t.text()
	}
	return text
}

func (t Tally) text() tallyText {
	text := tallyText{Won: t.Won, Drawn: t.Drawn, Lost: t.Lost, None: t.None, Streak: t.Streak, Longest: t.LongestStreak,
		TotalMS: t.Total.Milliseconds(), Best: t.Best.String(), Scored: t.scored, Decimals: t.decimals}
	if t.sum != nil {
		text.Sum = t.sum.String()
	}
	return text
}

func readStatistics(v strictjson.Value) (statistics, error) {
	r := strictjson.Fields(v)
	r.Require("overall")
	s := statistics{
		overall: strictjson.One(r, "overall", readTally),
		modes:   strictjson.Map(r, "modes", readTally),
		last:    strictjson.One(r, "last", readMoment),
	}
	return s, r.Done()
}

func readTally(v strictjson.Value) (Tally, error) {
	r := strictjson.Fields(v)
	t := Tally{
		Won: r.Int("won"), Drawn: r.Int("drawn"), Lost: r.Int("lost"), None: r.Int("none"), Streak: r.Int("streak"), LongestStreak: r.Int("longest"),
		Total: time.Duration(r.Int64("total_ms")) * time.Millisecond, Best: strictjson.One(r, "best", readSum),
		sum: strictjson.One(r, "sum", readBig), scored: r.Int("scored"), decimals: r.Int("decimals"),
	}
	t.Played = t.Won + t.Drawn + t.Lost + t.None
	if (t.sum == nil) != (t.scored == 0) || t.scored < 0 || t.decimals < 0 || t.decimals > maxScale {
		r.Fail(v.Expected("a sum of as many numbers as it says"))
		return t, r.Done()
	}
	return t.withMean(), r.Done()
}

// readBig reads a whole number of any digits, in its one form.
func readBig(v strictjson.Value) (*big.Int, error) {
	text, err := v.AsString()
	if err != nil {
		return nil, err
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.String() != text {
		return nil, v.Expected("a whole number")
	}
	return n, nil
}
