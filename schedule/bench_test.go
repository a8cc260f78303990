package schedule

import (
	"testing"
	"time"
)

var benchRules = []struct {
	name string
	rule Rule
}{
	{"day/UTC", Rule{Every: Day}},
	{"day/Berlin", Rule{Every: Day, Zone: "Europe/Berlin"}},
	{"2 weeks/New_York", Rule{Every: Week, N: 2, From: "2026-01-05T06:00", Zone: "America/New_York"}},
	{"month/Casablanca", Rule{Every: Month, From: "2026-01-31", Zone: "Africa/Casablanca"}},
}

// Instants all over the decades, most of them beyond what a zone's table holds.
func BenchmarkAt(b *testing.B) {
	for _, bench := range benchRules {
		b.Run(bench.name, func(b *testing.B) {
			s := mustNew(b, bench.rule)
			at := eraStart.UnixMilli()
			for b.Loop() {
				if at += 1234567890; at > eraEnd.UnixMilli() {
					at = eraStart.UnixMilli()
				}
				s.At(time.UnixMilli(at))
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	for _, bench := range benchRules {
		b.Run(bench.name, func(b *testing.B) {
			s := mustNew(b, bench.rule)
			w := mustAt(b, s, eraStart)
			for b.Loop() {
				if w, _ = s.Next(w); w.Start.After(eraEnd) {
					w = mustAt(b, s, eraStart)
				}
			}
		})
	}
}

func BenchmarkAtPlugged(b *testing.B) {
	s, err := From(eraStart, func(t time.Time) time.Time { return t.Add(24 * time.Hour) })
	if err != nil {
		b.Fatal(err)
	}
	at := eraStart.UnixMilli()
	for b.Loop() {
		if at += 1234567890; at > eraEnd.UnixMilli() {
			at = eraStart.UnixMilli()
		}
		s.At(time.UnixMilli(at))
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Rule{Every: Day, Zone: "Europe/Berlin"}); err != nil {
			b.Fatal(err)
		}
	}
}
