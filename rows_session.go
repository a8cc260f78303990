package finalbell

import "github.com/finalbell/finalbell/store"

func sessionRecord(s Session) store.Session {
	return store.Session{
		ID: s.ID, Version: s.version, Created: s.created, Player: s.Player, Device: s.Device,
		StartedAt: s.StartedAt, SeenAt: s.SeenAt, EndedAt: s.EndedAt, Reason: s.Reason,
		Attributes: attributeRecords(s.Attributes), Data: attributeRecords(s.Data),
	}
}

func sessionOf(r store.Session) Session {
	return Session{
		ID: r.ID, Player: r.Player, Device: r.Device, StartedAt: r.StartedAt, SeenAt: r.SeenAt, EndedAt: r.EndedAt, Reason: r.Reason,
		Attributes: attributesOf(r.Attributes), Data: attributesOf(r.Data), version: r.Version, created: r.Created,
	}
}
