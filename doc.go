// Package finalbell ends games properly.
//
// A game server or an indie backend embeds it. It takes a match through create, start and end, ranks the
// outcomes, and applies them to the leaderboards, all in one commit: after a crash a match has ended with
// everything that follows from it, or it has not ended.
//
// # The nouns
//
// A [Match] is played by a roster of participants in a [Mode], the rules of one kind of game. What a caller
// reports of a player is an [Outcome]; what the engine makes of all outcomes together is a [Standing] for
// each player, with rank and result. A [BoardRule] folds the results of its modes into one [Entry] a player
// or team; a [Board] reads them, in rank order. A [Window] is the period that a board covers. A [Number] is
// an exact decimal: nothing passes through a float, nothing is silently rounded.
//
// # Windows
//
// A board covers all time, or one [Window] after the other: days, weeks, months, seasons ([WindowRule]). A match
// counts in the window that holds the instant at which it ended; the instant of a boundary belongs to the window that
// begins there. A window is open until its end, then in grace as long as its rule says, then final: a result that
// comes later is kept in the match, marked Late, and the window stays as it is. Windows become final by [Engine.Tick]
// or, if that was not called in time, before the first call that touches the board; whatever became due while no
// engine ran is done in order, each as of its due time.
//
// # Rooms
//
// A [Room] is where players come together for one match after the other. [Engine.OpenRoom] opens it, [Engine.Join] and
// [Engine.Leave] change its members, of whom it holds the mode's entry fee. A match that is created in it is played by its
// members; what was held is held for the match from then on. When no match is found, [Engine.Dismiss] or the room's deadline
// lets everybody go with their money. [Engine.Rematch] creates another match of the same kind, in a room or outside. A room that
// nobody opened is only a label on matches.
//
// # Money, grants and progress
//
// A [Currency] is counted in whole minor units and kept by double entry: every movement is a posting of [Line] values
// that sum to zero, and no wallet falls below zero. A mode's [Fee] is held when a match is created, captured when it starts
// and paid back if it does not come to a contest. A [Prize] of a mode is given when a match ends, one of a board when a
// window is closed. Whatever a player is given is a [Grant]: money, an item, experience, an [Achievement], or something of
// the host's own, which a hook delivers ([Hooks]). A [Level] table turns experience into levels and their rewards.
// All of it is in the commit of the end, or of the closing, that brings it.
//
// [Engine.Void] takes an ended match back, with everything that it did; [Engine.Amend] ends it once more by other
// outcomes. What was final stays: [Match] tells what a closed window would have been.
//
// # Sessions
//
// A [Session] is the time that a player spends in the game, from [Engine.StartSession] over [Engine.Heartbeat] to
// [Engine.EndSession]; one of which nobody hears ends at its last heartbeat ([SessionRule]). It is never a match, but who has
// no session open any more is gone from the running matches of a mode that says so ([SessionPolicy]): the report that ends
// one need not name them.
//
// # History
//
// [Engine.History] gives the matches of a player that have ended, newest first, [Engine.HeadToHead] how two players stand
// against each other, and [Engine.Player] what all of that comes to: a [Tally] for each mode and for all of them. It is what
// history says, also after matches came late or were amended or voided. A [Standing] has a [Summary] of what its match
// meant when it ended.
//
// # Events
//
// Every commit is an [Event] with an id that stays, and so is what followed from it on boards. [Engine.Events] reads the log from a
// position, [Engine.Subscribe] brings what happens from now on, and the After and Release [Hooks] are fed from the log at
// least once, in order for each subject, also after a crash; [Engine.ReplayEvents] feeds them once more, and
// [Engine.Undelivered] tells what they never took. A process may be killed between a commit and its hook: the event comes
// again when the engine is opened. Ranks are written a moment after their commit, so that a crash may take the news from
// boards with it, though never the event itself.
//
// # Players who leave
//
// [Engine.Forget] puts a pseudonym in the place of a player's name, wherever it is kept; nothing else changes.
// [Engine.Export] writes down everything that is kept about a player. [Engine.Ended] gives the ended matches in the order
// in which they make the same boards once more, and [Match.Played] what to tell another engine of each.
//
// # The verbs
//
// [Open] opens an engine on a database in a file, [New] on any other store. [Engine.Create], [Engine.Start], [Engine.Report], [Engine.End] and
// [Engine.Cancel] move a match, and [Engine.Rematch] makes the next one; [Engine.OpenRoom], [Engine.Join], [Engine.Leave],
// [Engine.Dismiss] and [Engine.CloseRoom] are about rooms; [Engine.Void] and [Engine.Amend] correct it afterwards; [Engine.Credit], [Engine.Debit],
// [Engine.Transfer] and [Engine.Claim] move what players have. [Engine.Tick] does what is due by the clock, which a background loop calls by
// itself. Every verb with an id may be called again, for ever: the same call with the same id and content returns the
// match as it is, Replayed, and changes nothing. Who did not hear the answer asks again.
//
// # What is guaranteed
//
// A nil error means that the call's effects are durable and on the boards: [Open]'s database is synced before a
// call returns, so that what was acknowledged survives the death of the process and of the machine.
// [ErrUnknown] means that nobody knows, because the store failed at the commit or the caller's context ended
// while it waited: call again with the same id. Every other [Kind] of error means that nothing has happened.
// After its store has failed an engine reads on, but writes nothing more until it is opened again.
//
// Matches that were running when the process ended without [Engine.Close] are listed by [Engine.Orphans] when the engine is
// opened again, and resumed, cancelled or settled as their mode says ([CrashPolicy]).
//
// Readers see only what is durable, and a match on a board whole or not at all. A rank is the same number
// whether it comes with the match, from the top, from around a player or from Rank.
//
// What an engine does depends on nothing but its calls, its clock and its ids ([Options]): the same ones give
// the same answers, byte for byte.
//
// # The database
//
// One engine owns a file at a time. Callers that wait for the disk together share a sync, so many of them are
// served faster than one. [View] reads a file beside its owner, [Engine.Backup] copies it, [Engine.Verify]
// computes everything in it again. Its tables and views are made for plain SQL (store/sqlite/schema). Where there is
// no SQLite, on js/wasm and under the build tag finalbell_nosqlite, Open is left out and New runs on
// store/memory.
//
// # Over HTTP
//
// Package dialect/api serves the calls of a script, and dialect/specter, dialect/gamezop and dialect/gamesparks speak those three
// systems; a host mounts them, or runs the command finalbell serve.
//
// # Threads
//
// An [Engine] is safe for concurrent use. A game server with a tick loop ends its matches on a goroutine of
// its own: End waits for the store, and the match's id makes it safe to call again.
package finalbell
