// Package gamesparks speaks the WebSocket protocol of GameSparks' SDKs, so that a game made for them only changes its URL: instead of
// wss://…gamesparks.net/ws/… it connects to wss://host/gamesparks/ws/{key}.
//
// New makes a Server, an http.Handler whose routes are relative, for http.StripPrefix. Unlike other handlers it has a Shutdown, since
// http.Server.Shutdown does not know of WebSockets: call it before, and close the engine behind it.
//
// # Connections
//
// The server sends a nonce, the client its HMAC-SHA256 by Options.Secret, and the server the id of the SDK's session; a client that
// brings the token that it had is signed in again. A signature that is wrong is answered with an error, and the connection is closed
// five seconds later, for the SDK comes again at once. A frame of white space is the SDK's keep-alive. Requests of one connection are
// served in their order. Fields that are null are not there, and fields that are not known are let through, because every SDK sends
// some of its own; in all else the JSON is strict. No connectUrl is ever sent.
//
// The paths are /ws/{key}, /ws/{credential}/{key} and /ws/secure/{name}/{key}, all of them with the same secret, and, for servers with
// Options.ServerSecret, /ws/server/{key} and /ws/server-send/{key}, where a request names its player by playerId. The original has one
// secret for both; here a secret that is shipped with a game opens nothing for servers.
//
// # Requests
//
//   - DeviceAuthenticationRequest, AuthenticationRequest and RegistrationRequest sign a player in, by way of Options.Accounts; any
//     deviceOS is taken. A user name is locked for ten minutes after ten failed logins.
//   - EndSessionRequest ends the player's session, and answers sessionDuration in milliseconds; without an open session it leaves
//     that out. A session begins with signing in; the rules say for how long it goes on without a frame, and whether after a
//     reconnect. What a player does after its end begins another one; keep-alives do not.
//   - AccountDetailsRequest answers currencies, by their names and the first six as currency1 to currency6, items as virtualGoods,
//     and achievements that are reached now. Where a player is, and externalIds, are not known.
//   - LogEventRequest is a score: see Event. With an attribute that names a running match it is the player's live outcome there
//     (finalbell.Engine.Report), otherwise a match of the player alone, so that it comes onto the boards of its mode. A request that
//     is sent again, with its requestId, is the same match. Nobody logs anything for somebody else. Numbers may come as strings, as
//     the tutorials of the original send them.
//   - LeaderboardDataRequest and AroundMeLeaderboardRequest read a board by its id, or one of its partitions as
//     board.attribute.value. The metric outcome is SCORE, others go by their names (Options.Columns); when is the time of the match
//     that brought the entry to its values. Between two seasons a board is empty. The entryCount of AroundMe is how many are on
//     each side. There are no friends:
//     social is NOTSOCIAL; friendIds, teamIds, teamTypes and customIdFilter are NOT_SUPPORTED, and a challengeInstanceId is INVALID.
//
// Codes of events and boards are ids, and may differ from them in case. Every other class is UNRECOGNISED, and no messages are sent
// but responses.
//
// # Errors
//
// An error is a map of fields and codes: {"error":{"eventKey":"INVALID"}}. REQUIRED, INVALID, ONLY_ONE, UNRECOGNISED, TAKEN, LOCKED,
// NOTSOCIAL and {"authentication":"NOTAUTHORIZED"} are the original's. {"request":"THROTTLED"} is for who asks too often,
// {"requestId":"DUPLICATE"} for the id of another event, {"eventKey":"NOT_ALLOWED"} for a mode that nobody may play alone,
// {"session":"REFUSED"} for a player whom a hook of the host keeps out, {"script":"FAILED"} for a script that did not answer. An error
// of the engine's is its kind in capitals, such as {"matchId":"ALREADY_ENDED"} or {"eventKey":"UNPAID"}, where not_found and outcome
// are INVALID. {"server":…} is UNAVAILABLE, BUSY or TIMEOUT, after which the request may be sent again; FAILED, which is logged; or
// UNKNOWN: then send it again with its id.
//
// # Scripts
//
// Options.Request and Options.Response run before and after every request, as Cloud Code does: they add scriptData, and reject with a
// Refusal. Server.Do is how the host sends a request itself.
package gamesparks
