-- Players over time: their sessions, the rooms that they meet in, and how they stood after each match. A player who is
-- forgotten has another name from then on: names.name, accounts.owner, words.word and the key, subject and body of events
-- are what may change then, and nothing else of a row that was written for good.

DROP VIEW standings;

-- In matches.participants a participant may have five elements more now, from the sixteenth on: the status of one who
-- left, "" if they have not, then how many matches of the mode they have played with this one, 0 if it does not count,
-- their wins in a row, losses below 0, and the best outcome before it as units and scale. Then those before them, of
-- attributes and of fees, are there even if they are empty and 0.
-- In moves.moves a move may have a fifth element now, the size of the window, and a sixth, the names that were passed.

-- The time that a player spends in the game.
CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY,
  session    TEXT NOT NULL UNIQUE, -- the session's id
  version    INTEGER NOT NULL,
  created    INTEGER NOT NULL,     -- events.position
  player     INTEGER NOT NULL,     -- names.id
  device     TEXT NOT NULL,
  started_at INTEGER,
  seen_at    INTEGER,              -- the last sign of life
  ended_at   INTEGER,              -- NULL: it is open
  reason     TEXT NOT NULL,        -- why it ended
  attributes TEXT,                 -- {name: text}
  data       TEXT                  -- likewise: what a hook attached
) STRICT;

CREATE INDEX sessions_of_player ON sessions (player); -- in the order of id
CREATE INDEX sessions_open ON sessions (id) WHERE ended_at IS NULL;
CREATE INDEX sessions_open_of_player ON sessions (player) WHERE ended_at IS NULL;

-- Where players come together for one match after the other.
CREATE TABLE rooms (
  id         INTEGER PRIMARY KEY,
  room       TEXT NOT NULL UNIQUE, -- the room's id
  version    INTEGER NOT NULL,
  created    INTEGER NOT NULL,     -- events.position
  mode       TEXT NOT NULL,
  state      TEXT NOT NULL,
  min        INTEGER NOT NULL,     -- players that a match in it needs, 0: as the mode says
  max        INTEGER NOT NULL,     -- and takes
  wait       INTEGER NOT NULL,     -- milliseconds that its members wait for a match, 0: for ever
  opened_at  INTEGER,
  closed_at  INTEGER,
  deadline   INTEGER,              -- when the members are let go, NULL: never
  match      TEXT NOT NULL,        -- the match that they are in, '': none
  matches    INTEGER NOT NULL,     -- created in it so far
  reason     TEXT NOT NULL,
  members    TEXT,                 -- [[player, team, bot, joined at, held, {name: text}]] in the order in which they joined;
                                   -- player and team are names.id, team 0 is none; attributes only where there are some
  attributes TEXT                  -- {name: text}
) STRICT;

CREATE INDEX rooms_of_match ON rooms (match) WHERE match <> '';
CREATE INDEX rooms_in_state ON rooms (state); -- in the order of id

-- Which lines name a grant, whose id may change.
CREATE INDEX lines_of_grant ON lines ("grant") WHERE "grant" IS NOT NULL;

-- Everybody in every match.
CREATE VIEW standings AS
SELECT m.match, m.state,
       nullif(p.value ->> 8, 0) AS position, nullif(p.value ->> 7, 0) AS rank,
       n.name AS player, t.name AS team, p.value ->> 2 AS bot,
       CASE WHEN p.value ->> 4 = 0 THEN p.value ->> 3 ELSE (p.value ->> 3) / pow(10.0, p.value ->> 4) END AS outcome,
       nullif(p.value ->> 5, '') AS status, nullif(p.value ->> 9, '') AS result,
       (SELECT json_group_object(x.key, CASE WHEN x.value ->> 1 = 0 THEN x.value ->> 0
                                        ELSE (x.value ->> 0) / pow(10.0, x.value ->> 1) END)
        FROM json_each(p.value, '$[10]') AS x) AS metrics,
       nullif(p.value -> 12, '{}') AS attributes,
       nullif(p.value ->> 13, 0) AS held, nullif(p.value ->> 14, 0) AS paid,
       nullif(p.value ->> 15, '') AS gone, nullif(p.value ->> 16, 0) AS counted,
       CASE WHEN p.value ->> 16 <> 0 THEN p.value ->> 17 END AS streak,
       CASE WHEN p.value ->> 19 = 0 THEN p.value ->> 18 ELSE (p.value ->> 18) / pow(10.0, p.value ->> 19) END AS best
FROM matches AS m, json_each(m.participants) AS p
     JOIN names AS n ON n.id = p.value ->> 0 LEFT JOIN names AS t ON t.id = p.value ->> 1;

-- Every session, of an open one as long as it was seen.
CREATE VIEW player_sessions AS
SELECT n.name AS player, s.session, nullif(s.device, '') AS device,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1000.0, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.seen_at / 1000.0, 'unixepoch') AS seen_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.ended_at / 1000.0, 'unixepoch') AS ended_at,
       coalesce(s.ended_at, s.seen_at) - s.started_at AS duration_ms, nullif(s.reason, '') AS reason, s.attributes, s.data
FROM sessions AS s LEFT JOIN names AS n ON n.id = s.player;

-- Everybody in every room.
CREATE VIEW room_members AS
SELECT r.room, r.mode, r.state, nullif(r.match, '') AS match, p.key + 1 AS place, n.name AS player, t.name AS team, p.value ->> 2 AS bot,
       strftime('%Y-%m-%dT%H:%M:%fZ', (p.value ->> 3) / 1000.0, 'unixepoch') AS joined_at,
       nullif(p.value ->> 4, 0) AS held, p.value -> 5 AS attributes
FROM rooms AS r, json_each(r.members) AS p
     LEFT JOIN names AS n ON n.id = p.value ->> 0 LEFT JOIN names AS t ON t.id = p.value ->> 1;

-- Every room. Its matches are those of the table matches that have its name.
CREATE VIEW room_list AS
SELECT r.room, r.mode, r.state, nullif(r.match, '') AS match, r.matches,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.opened_at / 1000.0, 'unixepoch') AS opened_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.closed_at / 1000.0, 'unixepoch') AS closed_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.deadline / 1000.0, 'unixepoch') AS deadline,
       coalesce(json_array_length(r.members), 0) AS members, nullif(r.reason, '') AS reason, r.attributes
FROM rooms AS r;
