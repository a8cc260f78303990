// Package api speaks the calls of finalbell script over HTTP: one call a request, answered as the script answers it.
//
//	POST /
//	Authorization: Bearer <a server's key, or a player's token>
//	Content-Type: application/json
//
//	{"start":"m1"}
//
// is answered 200 with {"ok":…}, or with {"error":{"kind":…,"message":…,"ids":[…]}} and the status of the kind: 404 for
// not_found, 409 for exists, conflict, closed and everything about a match's state, 402 for unpaid and insufficient, 422 for what
// is wrong with players and outcomes, 403 for refused, 400 for invalid, 503 with Retry-After for unavailable and unknown.
// What never came to be a call has the same form: 401 is unauthorized, 429 too_many; 405, 413 and 415 are invalid.
//
// It differs from the script in this: the clock is the server's, so there is no now; a list that has no limit (grants, ledger) is
// refused beyond 10,000 elements, and boards beyond 100 pages.
//
// A server's key, in the Authorization header or in an api-key header, opens every call. A player's token opens what is the
// player's own, and boards: [Options.PlayerReports] and the package's table say what that is. A key that is shipped with a game
// opens nothing without a player's token beside it. Where a key and a token come together, the token counts.
package api
