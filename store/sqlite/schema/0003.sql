-- Money and what players are given: a ledger, grants, facts of players, and matches as they were before they were amended.

DROP VIEW standings;

ALTER TABLE matches ADD COLUMN revised INTEGER NOT NULL DEFAULT 0; -- events.position of the commit that amended or voided it last, 0: none
ALTER TABLE matches ADD COLUMN grants INTEGER NOT NULL DEFAULT 0;  -- how many its end and its revisions have made

-- In matches.participants a participant may have a fourteenth and a fifteenth element now: what is held of the entry fee
-- and what was paid. Then the thirteenth, their attributes, is there even if it is empty.

-- Matches as they were before they were amended: the columns of matches, and the moves beside them.
CREATE TABLE revisions (
  id           INTEGER PRIMARY KEY,
  match        TEXT NOT NULL,
  version      INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  position     INTEGER NOT NULL,
  mode         TEXT NOT NULL,
  room         TEXT NOT NULL,
  round        TEXT NOT NULL,
  state        TEXT NOT NULL,
  created_at   INTEGER,
  started_at   INTEGER,
  ended_at     INTEGER,
  deadline     INTEGER,
  report       BLOB,
  no_contest   INTEGER NOT NULL,
  draw         INTEGER NOT NULL,
  provisional  INTEGER NOT NULL,
  reason       TEXT NOT NULL,
  revision     INTEGER NOT NULL, -- how often it had been amended by then
  roster       INTEGER NOT NULL,
  participants TEXT,
  teams        TEXT,
  attributes   TEXT,
  data         TEXT,
  revised      INTEGER NOT NULL,
  grants       INTEGER NOT NULL,
  moves        TEXT,             -- as in the table moves
  UNIQUE (match, revision)
) STRICT;

-- What lines and grants name beside players and windows, such as matches, postings, rules and states: one short number
-- for each.
CREATE TABLE words (
  id   INTEGER PRIMARY KEY,
  word TEXT NOT NULL UNIQUE
) STRICT;

-- Whatever has a balance: an account in one currency.
CREATE TABLE accounts (
  id       INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,
  owner    TEXT NOT NULL, -- the id of a player, match or room, '' if there is one account of the kind
  currency TEXT NOT NULL,
  UNIQUE (kind, owner, currency)
) STRICT;

-- The ledger, a line an account and posting: events.position * 2^20 + place. The lines of a posting sum to zero in each
-- currency. None is ever changed, and none taken away.
CREATE TABLE lines (
  id       INTEGER PRIMARY KEY,
  position INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
  place    INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL,
  account  INTEGER NOT NULL,                    -- accounts.id
  seq      INTEGER NOT NULL CHECK (seq > 0),    -- 1 for the first of the account, one more with each
  amount   INTEGER NOT NULL CHECK (amount <> 0),
  balance  INTEGER NOT NULL,                    -- of the account after it
  kind     INTEGER NOT NULL,                    -- words.id
  posting  INTEGER NOT NULL,                    -- words.id
  at       INTEGER,
  match    INTEGER,                             -- words.id; NULL like the next ones where it is not about one
  window   INTEGER,                             -- windows.id
  "grant"  INTEGER                              -- words.id
) STRICT;

CREATE INDEX lines_of_account ON lines (account); -- in the order of id; the last one has the balance
CREATE INDEX lines_of_posting ON lines (posting);
CREATE INDEX lines_of_match ON lines (match) WHERE match IS NOT NULL;

-- What players were given, or may get: events.position * 2^20 + place.
CREATE TABLE given (
  id       INTEGER PRIMARY KEY,
  position INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL, -- of the commit that made it
  place    INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL,
  "grant"  INTEGER NOT NULL UNIQUE, -- words.id: its id, for ever that of one rule, trigger and player
  version  INTEGER NOT NULL,
  player   INTEGER NOT NULL,        -- names.id
  match    INTEGER,                 -- words.id: by which it was made, or else
  window   INTEGER,                 -- windows.id
  rule     INTEGER NOT NULL,        -- words.id, like the next ones
  kind     INTEGER NOT NULL,        -- such as currency or item
  what     INTEGER NOT NULL,        -- which one
  amount   INTEGER NOT NULL,
  old      INTEGER NOT NULL,        -- what the player has of it before it is granted
  new      INTEGER NOT NULL,        -- and then
  state    INTEGER NOT NULL,        -- words.id
  at       INTEGER,
  expires  INTEGER,                 -- NULL: never
  due      INTEGER,                 -- when it is next to be delivered; NULL: it is not
  attempts INTEGER NOT NULL,        -- to deliver it
  turn     INTEGER NOT NULL,        -- how often it had been taken back before it was given as it is now
  problem  TEXT NOT NULL            -- of the last one
) STRICT;

CREATE INDEX given_to_player ON given (player);
CREATE INDEX given_by_match ON given (match) WHERE match IS NOT NULL;
CREATE INDEX given_by_window ON given (window) WHERE window IS NOT NULL;
CREATE INDEX given_in_state ON given (state);

-- What is kept of players beside entries and money.
CREATE TABLE facts (
  player  INTEGER PRIMARY KEY, -- names.id
  version INTEGER NOT NULL,
  data    TEXT                 -- JSON
) STRICT;

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
       nullif(p.value ->> 13, 0) AS held, nullif(p.value ->> 14, 0) AS paid
FROM matches AS m, json_each(m.participants) AS p
     JOIN names AS n ON n.id = p.value ->> 0 LEFT JOIN names AS t ON t.id = p.value ->> 1;

-- Every line of money, in minor units.
CREATE VIEW ledger AS
SELECT l.position, l.place, strftime('%Y-%m-%dT%H:%M:%fZ', l.at / 1000.0, 'unixepoch') AS at, p.word AS posting,
       CASE WHEN a.owner = '' THEN a.kind ELSE a.kind || ':' || a.owner END AS account, a.currency, l.amount, l.balance,
       k.word AS kind, m.word AS match, w.board, w.window, g.word AS "grant"
FROM lines AS l LEFT JOIN accounts AS a ON a.id = l.account LEFT JOIN words AS p ON p.id = l.posting
     LEFT JOIN words AS k ON k.id = l.kind LEFT JOIN words AS m ON m.id = l.match
     LEFT JOIN windows AS w ON w.id = l.window LEFT JOIN words AS g ON g.id = l."grant";

-- What every account has.
CREATE VIEW balances AS
SELECT CASE WHEN a.owner = '' THEN a.kind ELSE a.kind || ':' || a.owner END AS account, a.currency, l.balance
FROM accounts AS a JOIN lines AS l ON l.id = (SELECT max(x.id) FROM lines AS x WHERE x.account = a.id);

CREATE VIEW grants AS
SELECT i.word AS id, g.version, n.name AS player, m.word AS match, w.board, w.window, w.partition, w.generation,
       r.word AS rule, k.word AS kind, t.word AS what, g.amount, g.old, g.new, s.word AS state, g.position, g.place,
       strftime('%Y-%m-%dT%H:%M:%fZ', g.at / 1000.0, 'unixepoch') AS at,
       strftime('%Y-%m-%dT%H:%M:%fZ', g.expires / 1000.0, 'unixepoch') AS expires,
       strftime('%Y-%m-%dT%H:%M:%fZ', g.due / 1000.0, 'unixepoch') AS due, g.attempts, g.turn, nullif(g.problem, '') AS problem
FROM given AS g LEFT JOIN words AS i ON i.id = g."grant" LEFT JOIN names AS n ON n.id = g.player
     LEFT JOIN words AS m ON m.id = g.match LEFT JOIN windows AS w ON w.id = g.window LEFT JOIN words AS r ON r.id = g.rule
     LEFT JOIN words AS k ON k.id = g.kind LEFT JOIN words AS t ON t.id = g.what LEFT JOIN words AS s ON s.id = g.state;

CREATE VIEW player_facts AS
SELECT n.name AS player, f.version, f.data FROM facts AS f JOIN names AS n ON n.id = f.player;
