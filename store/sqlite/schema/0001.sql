-- The tables of a finalbell database. Everything may be read with plain SQL, also while an engine runs; only the
-- engine may write. Times are milliseconds since 1970 UTC, NULL where unknown. Numbers are exact decimals: units
-- divided by ten to the power of a scale.

-- Whoever takes part, players and teams: one short number for each id.
CREATE TABLE names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- The periods of the boards.
CREATE TABLE windows (
  id     INTEGER PRIMARY KEY,
  board  TEXT NOT NULL,
  window TEXT NOT NULL,
  UNIQUE (board, window)
) STRICT;

-- What happened, in order: one row a commit.
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  key      TEXT NOT NULL UNIQUE, -- names the request for ever
  digest   BLOB,                 -- SHA-256 of the request
  at       INTEGER NOT NULL,
  latest   INTEGER NOT NULL,     -- the latest at so far: results may come late
  kind     TEXT NOT NULL,
  subject  TEXT NOT NULL,        -- the id of the match or other thing that it is about
  body     TEXT                  -- further facts, JSON
) STRICT;

-- The matches, in the order of creation. The JSON columns:
--   participants  [[player, team, bot, units, scale, status, reported rank, rank, position, result,
--                  {metric: [units, scale]}, [[window, name, values]]]] in roster order. player, team and name are
--                  names.id; team 0 is none, name 0 the player; units and scale are null without an outcome.
--   teams         [[team, units, scale]]: scores reported for whole teams
--   attributes    {name: text}, data likewise: what a hook attached
CREATE TABLE matches (
  id           INTEGER PRIMARY KEY,
  match        TEXT NOT NULL UNIQUE, -- the match's id
  version      INTEGER NOT NULL,
  created      INTEGER NOT NULL,     -- events.position
  position     INTEGER NOT NULL,     -- events.position of its end, 0 before
  mode         TEXT NOT NULL,
  room         TEXT NOT NULL,
  round        TEXT NOT NULL,
  state        TEXT NOT NULL,
  created_at   INTEGER,
  started_at   INTEGER,
  ended_at     INTEGER,
  deadline     INTEGER,
  report       BLOB,                 -- SHA-256 of the report that ended it
  no_contest   INTEGER NOT NULL,
  draw         INTEGER NOT NULL,
  provisional  INTEGER NOT NULL,
  reason       TEXT NOT NULL,
  revision     INTEGER NOT NULL,
  roster       INTEGER NOT NULL,     -- how many participants were there at create
  participants TEXT,
  teams        TEXT,
  attributes   TEXT,
  data         TEXT
) STRICT;

CREATE INDEX matches_of_room ON matches (room, id) WHERE room <> '';
CREATE INDEX matches_running ON matches (id) WHERE state IN ('created', 'started', 'disputed');

-- Who was ever named in which match. Both numbers are in one, which is the fastest key that SQLite has:
-- player * 2^32 + match.
CREATE TABLE match_players (
  id     INTEGER PRIMARY KEY,
  player INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,       -- names.id
  match  INTEGER GENERATED ALWAYS AS (id & 4294967295) VIRTUAL -- matches.id
) STRICT;

-- The same for teams: team * 2^32 + match.
CREATE TABLE match_teams (
  id    INTEGER PRIMARY KEY,
  team  INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,
  match INTEGER GENERATED ALWAYS AS (id & 4294967295) VIRTUAL
) STRICT;

-- Where a match took its entries: [[window, name, old rank, new rank]], old 0 for a new entry. Written a little
-- after the match itself; a crash may lose the last ones.
CREATE TABLE moves (
  match INTEGER PRIMARY KEY, -- matches.id
  moves TEXT NOT NULL
) STRICT;

-- What a player or team has on a window of a board: window * 2^32 + name.
CREATE TABLE entries (
  id               INTEGER PRIMARY KEY,
  window           INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,        -- windows.id
  name             INTEGER GENERATED ALWAYS AS (id & 4294967295) VIRTUAL, -- names.id
  version          INTEGER NOT NULL,
  entered          INTEGER NOT NULL, -- 0: has results, but none that brings it onto the board
  sort             BLOB,             -- the larger the better; equal ones share a rank
  "values"         TEXT,             -- [[units]] a key, for countback [[count a place]]
  changed_at       INTEGER,          -- the moment at which it came to its values:
  changed_position INTEGER NOT NULL, -- equal entries are listed by it
  changed_place    INTEGER NOT NULL,
  fold             BLOB              -- what the engine needs to go on folding
) STRICT;

-- The engine's own: "rules" is the JSON of the rules by which the matches were made, oldest first.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BLOB
) STRICT, WITHOUT ROWID;

-- The keys of the boards by today's rules, in order.
CREATE VIEW board_keys AS
SELECT b.value ->> '$.id' AS board, k.key AS n, k.value ->> '$.metric' AS metric,
       coalesce(k.value ->> '$.fold', 'sum') AS fold, coalesce(k.value ->> '$.scale', 0) AS scale
FROM settings AS s, json_each(CAST(s.value AS TEXT), '$[#-1].rules.boards') AS b, json_each(b.value, '$.keys') AS k
WHERE s.name = 'rules';

-- The boards as the engine lists them.
CREATE VIEW boards AS
SELECT w.board, w.window,
       rank() OVER (PARTITION BY w.id ORDER BY e.sort DESC) AS rank,
       row_number() OVER (PARTITION BY w.id
         ORDER BY e.sort DESC, e.changed_at, e.changed_position, e.changed_place) AS position,
       n.name AS player,
       (SELECT json_group_array(CASE
                 WHEN k.fold = 'countback' THEN json(v.value)
                 WHEN k.scale = 0 THEN v.value ->> 0
                 ELSE (v.value ->> 0) / pow(10.0, k.scale) END)
        FROM json_each(e."values") AS v LEFT JOIN board_keys AS k ON k.board = w.board AND k.n = v.key) AS "values"
FROM windows AS w JOIN entries AS e ON e.id BETWEEN w.id << 32 AND (w.id << 32) + 4294967295
     JOIN names AS n ON n.id = e.name
WHERE e.entered;

-- Everybody in every match.
CREATE VIEW standings AS
SELECT m.match, m.state,
       nullif(p.value ->> 8, 0) AS position, nullif(p.value ->> 7, 0) AS rank,
       n.name AS player, t.name AS team, p.value ->> 2 AS bot,
       CASE WHEN p.value ->> 4 = 0 THEN p.value ->> 3 ELSE (p.value ->> 3) / pow(10.0, p.value ->> 4) END AS outcome,
       nullif(p.value ->> 5, '') AS status, nullif(p.value ->> 9, '') AS result,
       (SELECT json_group_object(x.key, CASE WHEN x.value ->> 1 = 0 THEN x.value ->> 0
                                        ELSE (x.value ->> 0) / pow(10.0, x.value ->> 1) END)
        FROM json_each(p.value, '$[10]') AS x) AS metrics
FROM matches AS m, json_each(m.participants) AS p
     JOIN names AS n ON n.id = p.value ->> 0 LEFT JOIN names AS t ON t.id = p.value ->> 1;

-- Every player's ended matches, newest first within ORDER BY ended_at DESC, position DESC.
CREATE VIEW history AS
SELECT n.name AS player, m.match, m.mode, m.room, m.round,
       strftime('%Y-%m-%dT%H:%M:%fZ', m.ended_at / 1000.0, 'unixepoch') AS ended_at, m.position AS commit_position,
       nullif(p.value ->> 7, 0) AS rank,
       CASE WHEN p.value ->> 4 = 0 THEN p.value ->> 3 ELSE (p.value ->> 3) / pow(10.0, p.value ->> 4) END AS outcome,
       nullif(p.value ->> 5, '') AS status, nullif(p.value ->> 9, '') AS result
FROM names AS n JOIN match_players AS mp ON mp.id BETWEEN n.id << 32 AND (n.id << 32) + 4294967295
     JOIN matches AS m ON m.id = mp.match,
     json_each(m.participants) AS p
WHERE m.state = 'ended' AND p.value ->> 0 = n.id;
