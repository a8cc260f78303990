package schedule_test

import (
	"fmt"
	"log"
	"time"

	"github.com/finalbell/finalbell/schedule"
)

func ExampleNew() {
	days, err := schedule.New(schedule.Rule{Every: schedule.Day, Zone: "Europe/Berlin"})
	if err != nil {
		log.Fatal(err)
	}
	w, _ := days.At(time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC))
	fmt.Println(w.ID, w.Start.Format(time.RFC3339), w.End.Sub(w.Start))
	w, _ = days.Next(w)
	fmt.Println(w.ID, w.Start.Format(time.RFC3339), w.End.Sub(w.Start))
	// Output:
	// 2026-03-29 2026-03-28T23:00:00Z 23h0m0s
	// 2026-03-30 2026-03-29T22:00:00Z 24h0m0s
}

// Rounds of ten days, which no calendar has.
func ExampleFrom() {
	rounds, err := schedule.From(time.Date(2026, 1, 1, 18, 0, 0, 0, time.UTC), func(t time.Time) time.Time {
		return t.AddDate(0, 0, 10)
	})
	if err != nil {
		log.Fatal(err)
	}
	w, _ := rounds.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	fmt.Println(w.ID, w.End.Format(time.RFC3339))
	// Output: 2026-02-20T18:00 2026-03-02T18:00:00Z
}
