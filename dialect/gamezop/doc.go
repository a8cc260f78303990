// Package gamezop speaks the multiplayer matches of Gamezop over HTTP, as its document "Receive data on match winners" has them:
// of the publisher, to whom Gamezop tells who plays and who won, and of Gamezop, whom a publisher asks who won.
//
// Handler serves
//
//	POST /games/create-match      {"room_id","status","players":["sub",…]} → {"success":true,"match_id":"…"}
//	POST /games/receive-winners   {"match_id","scores":[{"rank","sub","score"},…]} → {"success":true,"scores":[…]}
//	GET  /v1/match-result?match_id=
//
// and Publisher pushes the winners of the engine's matches to another's receive-winners. ParseRoomDetails reads what a link says of
// a room, and MatchFound, MatchNotFound and MatchStart make the events that a page around the game is told.
//
// # Matches of a room
//
// The same players play one match after the other in a room. While one is created or running, create-match with the same
// players is a retry and gets the same match_id; afterwards it makes the next one. A call with the header webhook-id that was
// heard before gets its first answer, and does nothing.
//
// A room that was opened by Engine.OpenRoom has its members' entry fees, which go into the match. Where there is a fee and somebody
// is no member, or was in a match since and cannot pay another one, the match does not start: it is cancelled, the players named leave
// the room with their money, and match_id is empty, by which Gamezop shows "No match found". The same happens by
// NO_MATCH_FOUND. Where there is no fee, and for bots who pay none, who is named joins. A room that nobody opened is a label: its
// matches are of Options.Mode, any number at a time, and the fees are taken from the players' wallets.
//
// # Results
//
// Ranks come with the winners. A mode with accepted ranks (finalbell.AcceptRanks) records them, any other refuses a rank that is not
// its own. Who is not in the match walks in if the mode allows it; to the engine a bot that walks in is a player as others are, so that
// bots of a mode with a fee have to be named by create-match. The prize of a player is what they won of the currency of the mode's
// first prize that is money, by all its prizes.
//
// Scores are best first. Rank 0 is nobody's: of who is not ranked by the mode's rules, of everybody while nothing was reported, and
// of a match that ended without a contest. A score that is not there is 0. In a running match the ranks are those of the latest
// reports, and who has none stands as if they had not finished. Matches that have not started, were cancelled or voided, or have
// expired have no result.
//
// # Who calls
//
// The bearer token of Options and the server keys of its Access open everything. The two POST routes take calls that are signed
// in the form of Standard Webhooks instead, where Options.IncomingSecret is set. Errors are {"success":false,"message":"…"}, with the
// status that HTTP has for them; Gamezop's documents have 401 and, for an unknown match, 400. Bodies are read strictly: unknown
// fields are refused. A list may be written as a string that holds one, for the documents type lists so.
package gamezop
