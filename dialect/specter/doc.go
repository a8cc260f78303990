// Package specter speaks the match sessions of Specter over HTTP, so that a game that was written for them has only its base URL
// to change. A session is a match of the engine, and what the documents call a match is a mode: matchId is a mode's id.
//
// # Routes
//
// All of them are POST, behind /v2/client, and as well behind /v1/client:
//
//	/matches/create-session              a player   201
//	/matches/start-session               a player   201
//	/matches/end-session                 a player   200
//	/matches/get-match-session-results   both       200
//	/matches/get-session-details         both       200, the same as the SDK reads it: a list, with scores
//	/player/me/get-match-history         a player   200
//	/matchmaking/create-match-session    a server   201
//	/matchmaking/start-match-session     a server   201
//	/matchmaking/end-match-session       a server   200
//
// A player's call has an api-key, of whatever kind, and the player's token as Authorization: Bearer. A server's has an api-key
// that is not a Client's, and no token. Who sends a token speaks as that player, also beside the key of a server. What both may
// read shows a player the sessions that they are in, and a server all of them; what somebody may not see is not there.
//
// # Who may do what
//
// A server may do everything. A player creates and starts sessions with themselves in it. With others in it too unless the mode
// charges a fee or is Exclusive, and so may others draw a player into a session; a mode in which that must not be has a fee, is
// Exclusive, is closed by Options.Active, or is played in sessions of the server. A player ends no session unless Options.PlayersMayEnd lets them, and
// reports nobody's outcome but their own unless Options.PlayersMaySetOthers does.
//
// A start by which somebody would be in two running sessions is refused, whatever the modes and whoever started the other one, and
// also if many come at once to one Handler. A session is running from its start to its end; bots are in any number. Starts by
// other means, such as Engine.Start, are not refused for it: there a mode's Exclusive is the rule.
//
// # Bodies
//
// A body is strict JSON in UTF-8, of at most 1 MiB. Unknown fields are refused; projectId, which the SDK sends, is taken
// and means nothing, since the key tells whose the data is. Numbers are exact decimals, never floats.
//
// A session of a competition keeps competitionId as an attribute of the match, and each user's entryId as one of the player's, so
// that a board partitioned by competitionId is the competition's. There are no slots, and no reply has a slotId.
//
// A start with sessionId or matchSessionId is of a session that was created. Without it a session is created and started, for the
// users named or for the caller alone; it is cancelled if it cannot start. A name for it is not taken: a player might take one
// that somebody else needs.
//
// An outcome that is not named is what the mode's Missing says, and an end without userInfo is no contest. In the shorter body,
// {sessionId, score, result, customParams}, the caller's outcome is the score; result is kept beside it as the metric "result",
// won 2, draw 1 and lost 0, or is the outcome if there is no score. The same end again gets the same reply, for ever.
//
// In customParams and specterParams of a player at the end, numbers are the player's metrics, and true and false are the metrics
// 1 and 0. Everything else there, in meta, and at the start is text that Keep puts into the Data of the match, by its path; where
// Options.KeepsParams does not say that it does, such a call is refused, so that nothing is lost in silence.
//
// # Replies
//
// The reply to a call that got as far as its route is {status, code, message, errors, data}, in the bytes of the documents. With
// the query include=match a create, start or end has the whole match as data.match. An end that is asked for it when the host
// could not deliver a reward has the status 207, "multi-status", and data.failedRewards. A session is created, started or ended;
// one that was cancelled, has expired or was voided has ended without results.
//
// The documents leave open how errors are numbered, so these are our own:
//
//	2001 400 the body or the query is wrong    2012 422 too few or too many players, or busy
//	2002 404 Match not found                   2013 422 a user twice
//	2003 409 Match is not active               2014 422 a user who is not there
//	2004 404 Session not found                 2015 422 an outcome that cannot be taken
//	2005 409 not started                       2016 402 the fee cannot be paid
//	2006 409 Session already completed         2017 402 any other lack of money
//	2007 409 Session has timed out             2018 409 made before, otherwise
//	2008 409 cancelled                         2019 403 the host refuses it
//	2009 409 any other state                   2020 409 a window is final
//	2010 409 User already has an active session
//	2011 403 not for a player                  2021     of a reward: not delivered
//	2000 500 the server failed                 2030 503 not available: try again
//	                                           2031 503 nobody knows: repeat the call as it was
//
// Who does not get as far gets {"error":"…"}: 400 for what is no JSON object, 401 for a wrong or missing key or token, 403 for the
// key of a game where a server's is needed, 404 for another path, 405, 413, 415, and 429 with errorCode 1199 and
// retryAfterSeconds.
package specter
