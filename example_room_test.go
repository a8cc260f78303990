package finalbell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/finalbell/finalbell"
)

func ExampleEngine_OpenRoom() {
	now := morning()
	e := arcade(now)
	defer e.Close()
	ctx := context.Background()

	e.OpenRoom(ctx, finalbell.NewRoom{ID: "attic", Mode: "run", Players: finalbell.Limits{Min: 2}, Wait: time.Minute})
	e.Join(ctx, "attic", finalbell.Participant{Player: "ann"})
	r, err := e.Join(ctx, "attic", finalbell.Participant{Player: "bob"})
	fmt.Println(len(r.Members), "wait until", r.Deadline.Format(time.TimeOnly), err)

	m, err := e.Create(ctx, finalbell.NewMatch{ID: "m1", Room: "attic"}) // its mode, its members
	fmt.Println(m.Mode, len(m.Standings), err)
	_, err = e.Leave(ctx, "attic", "bob")
	fmt.Println(err)
	// Output:
	// 2 wait until 09:01:00 <nil>
	// run 2 <nil>
	// leave room "attic": match "m1" is in the room
}

func ExampleEngine_Dismiss() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()

	e.OpenRoom(ctx, finalbell.NewRoom{ID: "attic", Mode: "run"})
	e.Join(ctx, "attic", finalbell.Participant{Player: "ann"})
	r, err := e.Dismiss(ctx, "attic", "no match found") // whatever was held of ann is hers again
	fmt.Println(r.State, len(r.Members), err)
	r, err = e.CloseRoom(ctx, "attic", "late")
	fmt.Println(r.State, r.Reason, err)
	// Output:
	// open 0 <nil>
	// closed late <nil>
}

func ExampleEngine_Rematch() {
	e := arcade(morning())
	defer e.Close()
	ctx := context.Background()

	e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "run", Players: finalbell.Players("ann", "bob")})
	_, err := e.Rematch(ctx, "m1", "m2")
	fmt.Println(err)
	e.Start(ctx, "m1")
	e.End(ctx, "m1", finalbell.Score("ann", 2), finalbell.Score("bob", 1))
	m, err := e.Rematch(ctx, "m1", "m2")
	fmt.Println(m.ID, m.State, m.Standings[0].Player, m.Standings[1].Player, err)
	m, _ = e.Rematch(ctx, "m1", "m2") // who did not hear the answer asks again
	fmt.Println(m.Replayed)
	// Output:
	// rematch "m1": the match is created
	// m2 created ann bob <nil>
	// true
}
