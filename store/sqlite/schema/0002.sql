-- Windows that are more than their entries: they end, are closed for good and are then kept as chunks of ranks; boards
-- are divided into partitions, and made anew from history as another generation. Entries can be hidden.

DROP VIEW boards;
DROP VIEW board_keys;
DROP VIEW standings;

-- The periods of the boards. A row stays for as long as there is the file, because matches name it by its number; one
-- of version 0 says nothing but that.
CREATE TABLE windows_anew (
  id         INTEGER PRIMARY KEY,
  board      TEXT NOT NULL,
  window     TEXT NOT NULL,
  partition  TEXT NOT NULL DEFAULT '',
  generation INTEGER NOT NULL DEFAULT 0, -- how often the board had been made anew
  version    INTEGER NOT NULL DEFAULT 0, -- 0: never written, and the rest is as in a new row
  starts     INTEGER,
  ends       INTEGER,
  final      INTEGER NOT NULL DEFAULT 0, -- events.position after which nothing in it changes, 0: not closed
  closed_at  INTEGER,                    -- when that was due
  size       INTEGER NOT NULL DEFAULT 0, -- entries ranked, once frozen
  frozen     INTEGER NOT NULL DEFAULT 0, -- 1: all of its ranks are in its chunks,
  chunks     INTEGER NOT NULL DEFAULT 0, -- and in how many
  UNIQUE (board, window, partition, generation)
) STRICT;

INSERT INTO windows_anew (id, board, window) SELECT id, board, window FROM windows;
DROP TABLE windows;
ALTER TABLE windows_anew RENAME TO windows;

-- What an engine looks at when it opens: the frozen ones, which become ever more, are not among them.
CREATE INDEX windows_unfrozen ON windows (id) WHERE frozen = 0;

-- The ranks of windows, a run of them a row, in the engine's own encoding: window * 2^32 + number.
CREATE TABLE chunks (
  id     INTEGER PRIMARY KEY,
  window INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,        -- windows.id
  n      INTEGER GENERATED ALWAYS AS (id & 4294967295) VIRTUAL,
  data   BLOB NOT NULL
) STRICT;

-- Why an entry is not shown; NULL: it is.
ALTER TABLE entries ADD COLUMN hidden TEXT;

-- In matches.participants a participant may have a thirteenth element now, {name: text}: their own attributes in the
-- match. Where a result came too late for a window, the window's values are null.

-- The rules by which the matches were made: a chapter's are those of the commits after one position and up to another,
-- today's have no such end.
CREATE VIEW chapters AS
SELECT c.key AS chapter, c.value ->> '$.after' AS after,
       lead(c.value ->> '$.after') OVER (ORDER BY c.key) AS upto, c.value AS text
FROM settings AS s, json_each(CAST(s.value AS TEXT)) AS c
WHERE s.name = 'rules';

-- The keys of the boards by the rules of every chapter, in order.
CREATE VIEW chapter_keys AS
SELECT c.chapter, b.value ->> '$.id' AS board, k.key AS n, k.value ->> '$.metric' AS metric,
       coalesce(k.value ->> '$.fold', 'sum') AS fold, coalesce(k.value ->> '$.scale', 0) AS scale
FROM chapters AS c, json_each(c.text, '$.rules.boards') AS b, json_each(b.value, '$.keys') AS k;

-- The keys of the boards by today's rules, in order.
CREATE VIEW board_keys AS
SELECT board, n, metric, fold, scale FROM chapter_keys WHERE chapter = (SELECT max(chapter) FROM chapters);

-- The windows that count: those of the generation that a board is in, and what an older one has closed for good.
CREATE VIEW counting_windows AS
WITH generations AS MATERIALIZED (
  SELECT g.key AS board, g.value AS generation
  FROM chapters AS c, json_each(c.text, '$.generations') AS g
  WHERE c.upto IS NULL)
SELECT w.id, w.board, w.window, w.partition, w.version, w.starts, w.ends, w.final, w.closed_at, w.size, w.frozen
FROM windows AS w LEFT JOIN generations AS g ON g.board = w.board
WHERE w.generation = coalesce(g.generation, 0) OR (w.generation < g.generation AND w.final > 0);

-- The boards as the engine lists them. What was closed is told by the rules of its time. The ranks are those of a window,
-- which its number alone would tell; with its names beside it, SQLite reads only the windows that a query names.
CREATE VIEW boards AS
WITH keys AS MATERIALIZED (SELECT * FROM chapter_keys),
     times AS MATERIALIZED (SELECT chapter, after, upto FROM chapters)
SELECT w.board, w.window, w.partition,
       rank() OVER (PARTITION BY w.id, w.board, w.window, w.partition ORDER BY e.sort DESC) AS rank,
       row_number() OVER (PARTITION BY w.id, w.board, w.window, w.partition
         ORDER BY e.sort DESC, e.changed_at, e.changed_position, e.changed_place) AS position,
       n.name AS player,
       (SELECT json_group_array(CASE
                 WHEN k.fold = 'countback' THEN json(v.value)
                 WHEN k.scale = 0 THEN v.value ->> 0
                 ELSE (v.value ->> 0) / pow(10.0, k.scale) END)
        FROM json_each(e."values") AS v LEFT JOIN keys AS k ON k.board = w.board AND k.chapter = t.chapter AND k.n = v.key) AS "values"
FROM counting_windows AS w
     LEFT JOIN times AS t ON (w.final = 0 AND t.upto IS NULL) OR (t.after < w.final AND (t.upto IS NULL OR t.upto >= w.final))
     JOIN entries AS e ON e.id BETWEEN w.id << 32 AND (w.id << 32) + 4294967295
     JOIN names AS n ON n.id = e.name
WHERE e.entered AND e.hidden IS NULL;

-- The periods of the boards that there are entries of, or that were written.
CREATE VIEW board_windows AS
SELECT w.board, w.window, w.partition,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.starts / 1000.0, 'unixepoch') AS starts,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.ends / 1000.0, 'unixepoch') AS ends,
       CASE WHEN w.final > 0 THEN 'final' ELSE 'open' END AS state,
       CASE WHEN w.frozen THEN w.size END AS size,
       strftime('%Y-%m-%dT%H:%M:%fZ', w.closed_at / 1000.0, 'unixepoch') AS closed_at
FROM counting_windows AS w
WHERE w.version > 0 OR EXISTS (SELECT 1 FROM entries AS e WHERE e.id BETWEEN w.id << 32 AND (w.id << 32) + 4294967295);

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
       p.value -> 12 AS attributes
FROM matches AS m, json_each(m.participants) AS p
     JOIN names AS n ON n.id = p.value ->> 0 LEFT JOIN names AS t ON t.id = p.value ->> 1;
