package finalbell_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// arcade is an engine with a clock that the example moves.
func arcade(now *time.Time) *finalbell.Engine {
	rules := finalbell.Rules{
		Modes: []finalbell.Mode{{
			ID: "run", ExpireStarted: time.Hour, Boards: []string{"scores"},
			Points: &finalbell.Points{Win: finalbell.Int(3), Draw: finalbell.Int(1)},
		}},
		Boards: []finalbell.BoardRule{{ID: "scores", Keys: []finalbell.Key{
			{Metric: "points"}, {Metric: "outcome", Fold: finalbell.FoldBest},
		}}},
	}
	e, err := finalbell.New(context.Background(), memory.New(), rules, finalbell.Options{Now: func() time.Time { return *now }})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func morning() *time.Time {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return &now
}

func ExampleEngine_Create() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	n := finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob")}
	m, err := e.Create(ctx, n)
	fmt.Println(m.State, m.CreatedAt.Format(time.RFC3339), m.Replayed, err)
	m, err = e.Create(ctx, n) // the same call again
	fmt.Println(m.State, m.Replayed, err)
	n.Players = finalbell.Players("ann", "eve")
	_, err = e.Create(ctx, n)
	fmt.Println(errors.Is(err, finalbell.ErrExists))
	// Output:
	// created 2026-03-02T09:00:00Z false <nil>
	// created true <nil>
	// true
}

func ExampleEngine_Start() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	_, err := e.Start(ctx, "m1")
	fmt.Println(err)
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob")})
	m, err := e.Start(ctx, "m1")
	fmt.Println(m.State, err)
	// Output:
	// start match "m1": no such match
	// started <nil>
}

func ExampleEngine_Report() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob")})
	e.Start(ctx, "m1")
	m, err := e.Report(ctx, "m1", finalbell.Score("bob", 120))
	fmt.Println(m.Provisional, m.Standings[0].Player, err)
	m, err = e.Report(ctx, "m1", finalbell.Score("ann", 200))
	fmt.Println(m.Provisional, m.Standings[0].Player, err)
	// Output:
	// true bob <nil>
	// true ann <nil>
}

func ExampleEngine_End() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob", "cid")})
	e.Start(ctx, "m1")
	report := []finalbell.Outcome{finalbell.Score("ann", 200), finalbell.Score("bob", 350), {Player: "cid", Status: finalbell.Left}}
	m, err := e.End(ctx, "m1", report...)
	for _, s := range m.Standings {
		fmt.Println(s.Rank, s.Player, s.Status, s.Result, s.Metrics["points"])
	}
	fmt.Println(err)
	m, err = e.End(ctx, "m1", report...) // the answer got lost: ask again
	fmt.Println(m.Replayed, err)
	_, err = e.End(ctx, "m1", finalbell.Score("ann", 999))
	fmt.Println(errors.Is(err, finalbell.ErrAlreadyEnded), errors.Is(err, finalbell.ErrState))
	// Output:
	// 1 bob finished win 3
	// 2 ann finished loss 0
	// 3 cid left loss 0
	// <nil>
	// true <nil>
	// true true
}

func ExampleEngine_Cancel() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob")})
	m, err := e.Cancel(ctx, "m1", "bob did not come")
	fmt.Println(m.State, m.Reason, err)
	_, err = e.Start(ctx, "m1")
	fmt.Println(err)
	// Output:
	// cancelled bob did not come <nil>
	// start match "m1": the match is cancelled
}

func ExampleEngine_At() {
	now := morning()
	e := arcade(now)
	defer e.Close()
	ctx := context.Background()
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann")})
	*now = now.Add(10 * time.Minute)
	e.At(now.Add(-8*time.Minute)).Start(ctx, "m1") // it began a while ago
	m, err := e.End(ctx, "m1", finalbell.Score("ann", 7))
	fmt.Println(m.EndedAt.Sub(m.StartedAt), m.Standings[0].Result, err)
	// Output: 8m0s none <nil>
}

func ExampleEngine_Tick() {
	now := morning()
	e := arcade(now)
	defer e.Close()
	ctx := context.Background()
	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann")})
	e.Start(ctx, "m1")
	*now = now.Add(90 * time.Minute)
	done, err := e.Tick(ctx)
	fmt.Println(done[0].Kind, done[0].ID, done[0].Due.Format(time.RFC3339), err)
	// Output: expire m1 2026-03-02T10:00:00Z <nil>
}

func ExampleEngine_Matches() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()
	for _, id := range []string{"m1", "m2", "m3"} {
		e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "run", Players: finalbell.Players("ann")})
	}
	e.Start(ctx, "m2")
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{Player: "ann", States: []finalbell.State{finalbell.Created}}) {
		fmt.Println(m.ID, err)
	}
	// Output:
	// m1 <nil>
	// m3 <nil>
}

// season plays a few rounds for the examples of reads.
func season(e *finalbell.Engine) {
	ctx := context.Background()
	for i, scores := range [][3]int{{30, 20, 10}, {15, 40, 5}, {25, 25, 1}} {
		id := fmt.Sprint("m", i)
		e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "run", Players: finalbell.Players("ann", "bob", "cid")})
		e.Start(ctx, id)
		e.End(ctx, id, finalbell.Score("ann", scores[0]), finalbell.Score("bob", scores[1]), finalbell.Score("cid", scores[2]))
	}
}

func ExampleBoard() {
	e := arcade(morning())
	defer e.Close()
	season(e)
	ctx := context.Background()
	board := e.Board("scores")
	page, _ := board.Top(ctx, 2)
	for _, line := range page.Entries {
		fmt.Println(line.Rank, line.Player, line.Values[0].Number, line.Values[1].Number)
	}
	around, _ := board.Around(ctx, "cid", 1)
	fmt.Println(len(around.Entries), "around cid, from position", around.Entries[0].Position, "of", around.Size)
	placing, _ := board.Rank(ctx, "ann")
	fmt.Println("ann is", placing.Rank, "of", placing.Size, "percentile", placing.Percentile)
	all, _ := board.Ranks(ctx, "cid", "nobody")
	fmt.Println(all[0].Rank, all[1].Rank)
	n, _ := board.CountAtOrAbove(ctx, finalbell.Int(1))
	fmt.Println(n, "with a point or more")
	buckets, _ := board.Histogram(ctx, finalbell.Int(1), finalbell.Int(4))
	text, _ := json.Marshal(buckets)
	fmt.Println(string(text))
	// Output:
	// 1 bob 4 40
	// 2 ann 4 30
	// 2 around cid, from position 2 of 3
	// ann is 2 of 3 percentile 50
	// 3 0
	// 2 with a point or more
	// [{"to":1,"count":1},{"from":1,"to":4,"count":0},{"from":4,"count":2}]
}

func ExampleEngine_Verify() {
	e := arcade(morning())
	defer e.Close()
	season(e)
	v, err := e.Verify(context.Background())
	fmt.Println(v.Matches, "matches,", v.Boards, "board,", len(v.Problems), "problems", err)
	// Output: 3 matches, 1 board, 0 problems <nil>
}

func ExampleEngine_Close() {
	e := arcade(morning())
	fmt.Println(e.Close())
	_, err := e.Start(context.Background(), "m1")
	fmt.Println(errors.Is(err, finalbell.ErrUnavailable))
	// Output:
	// <nil>
	// true
}

func ExampleParseRules() {
	_, err := finalbell.ParseRules([]byte(`{"modes":[{"id":"duel","boards":["ladder"]}],"boards":[{"id":"lader","keys":[{"metric":"wins"}]}]}`))
	fmt.Println(err)
	rules, err := finalbell.ParseRules([]byte(`{"modes":[{"id":"duel","order":"asc","expire_started":"90s"}]}`))
	fmt.Println(rules.Modes[0].Order, rules.Modes[0].ExpireStarted, err)
	// Output:
	// rules: modes[0].boards[0]: no board "ladder"
	// asc 1m30s <nil>
}

func ExampleScore() {
	tenth, fifth := 0.1, 0.2
	for _, o := range []finalbell.Outcome{
		finalbell.Score("ann", 10),
		finalbell.Score("bob", finalbell.Decimal("61.204")),
		finalbell.Score("cid", finalbell.FloatRound(tenth+fifth, 2)),
		finalbell.Score("dan", finalbell.Float(tenth+fifth)), // 17 decimals: End will refuse it
	} {
		fmt.Println(o.Player, o.Value, o.Value.Err() == nil)
	}
	// Output:
	// ann 10 true
	// bob 61.204 true
	// cid 0.3 true
	// dan 0.30000000000000004 false
}
