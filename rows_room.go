package finalbell

import "github.com/finalbell/finalbell/store"

// Rooms as store records, for rows.go.

func roomRecord(r Room) store.Room {
	record := store.Room{
		ID: r.ID, Version: r.version, Created: r.created, Mode: r.Mode, State: string(r.State), Min: r.Players.Min, Max: r.Players.Max, Wait: r.Wait,
		OpenedAt: r.OpenedAt, ClosedAt: r.ClosedAt, Deadline: r.Deadline, Match: r.Match, Matches: r.Matches, Reason: r.Reason,
		Attributes: attributeRecords(r.Attributes),
	}
	for _, m := range r.Members {
		record.Members = append(record.Members, store.Member{Player: m.Player, Team: m.Team, Bot: m.Bot, JoinedAt: m.JoinedAt, Held: m.Held,
			Attributes: attributeRecords(m.Attributes)})
	}
	return record
}

func roomOf(record store.Room) Room {
	r := Room{
		ID: record.ID, Mode: record.Mode, State: RoomState(record.State), Players: Limits{Min: record.Min, Max: record.Max}, Wait: record.Wait,
		OpenedAt: record.OpenedAt, ClosedAt: record.ClosedAt, Deadline: record.Deadline, Match: record.Match, Matches: record.Matches, Reason: record.Reason,
		Attributes: attributesOf(record.Attributes), version: record.Version, created: record.Created,
	}
	for _, m := range record.Members {
		p := Participant{Player: m.Player, Team: m.Team, Bot: m.Bot, Attributes: attributesOf(m.Attributes)}
		r.Members = append(r.Members, Member{Participant: p, JoinedAt: m.JoinedAt, Held: m.Held})
	}
	return r
}
