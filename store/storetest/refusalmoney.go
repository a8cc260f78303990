package storetest

import "github.com/finalbell/finalbell/store"

// moneyRefusals are those of lines, grants, facts and revisions.
func moneyRefusals() []refusal {
	some := func(records ...store.Record) []attempt { return []attempt{{records: records}} }
	grant := func(id string, version uint64, place int) store.Grant {
		g := store.Grant{ID: id, Version: version, Player: "ann", Place: place}
		if version > 1 {
			g.Position = 2
		}
		return g
	}
	facts := func(player string, version uint64) store.Facts { return store.Facts{Player: player, Version: version} }
	revision := func(match string, n int) store.Revision {
		return store.Revision{Match: store.Match{ID: match, Revision: n}}
	}
	earlier, later := line(wallet("new"), 1, 0), line(wallet("ann"), 3, 0)
	earlier.Position, later.Position = 2, 99
	given, ahead, moved := grant("new", 1, 0), grant("new", 1, 0), grant("g", 3, 3)
	given.Position, ahead.Position, moved.Position = 2, 99, 3
	return []refusal{
		{"the stored number of a line is ErrStale", some(line(wallet("ann"), 2, 0)), 0, store.ErrStale},
		{"an old number of a line is ErrStale", some(line(wallet("ann"), 1, 0)), 0, store.ErrStale},
		{"a skipped number of a line is ErrStale", some(line(wallet("ann"), 4, 0)), 0, store.ErrStale},
		{"a first line of number 0 is ErrStale", some(line(wallet("new"), 0, 0)), 0, store.ErrStale},
		{"a first line of number 2 is ErrStale", some(line(wallet("new"), 2, 0)), 0, store.ErrStale},
		{"an account has numbers of its own in each currency", some(store.Line{Account: wallet("ann"), Seq: 3, Amount: 1, Posting: "p"}),
			0, store.ErrStale},
		{"a line of an earlier position than its commit's is ErrStale", some(earlier), 0, store.ErrStale},
		{"a line of a later position than its commit's is ErrStale", some(later), 0, store.ErrStale},
		{"a line whose place is taken is ErrStale", some(line(wallet("ann"), 3, 1), line(wallet("bob"), 2, 1)), 0, store.ErrStale},
		{"a line that comes before the last one of its account is ErrStale", some(line(wallet("ann"), 3, 5), line(wallet("ann"), 4, 4)),
			0, store.ErrStale},
		{"a line's number is also checked against the batch",
			[]attempt{{records: []store.Record{line(wallet("ann"), 3, 0)}}, {records: []store.Record{line(wallet("ann"), 3, 0)}}}, 1, store.ErrStale},
		{"a first line's number is also checked against the batch",
			[]attempt{{records: []store.Record{line(wallet("new"), 1, 0)}}, {}, {records: []store.Record{line(wallet("new"), 1, 0)}}}, 2, store.ErrStale},
		{"a line's number is also checked against the commit", some(line(wallet("ann"), 3, 0), line(wallet("ann"), 3, 1)), 0, store.ErrStale},

		{"the stored version of a grant is ErrStale", some(grant("g", 2, 3)), 0, store.ErrStale},
		{"an old version of a grant is ErrStale", some(grant("g", 1, 0)), 0, store.ErrStale},
		{"a skipped version of a grant is ErrStale", some(grant("g", 4, 3)), 0, store.ErrStale},
		{"a new grant of version 0 is ErrStale", some(grant("new", 0, 0)), 0, store.ErrStale},
		{"a new grant of version 2 is ErrStale", some(grant("new", 2, 9)), 0, store.ErrStale},
		{"a new grant of an earlier position than its commit's is ErrStale", some(given), 0, store.ErrStale},
		{"a new grant of a later position than its commit's is ErrStale", some(ahead), 0, store.ErrStale},
		{"a grant that changes its position is ErrStale", some(moved), 0, store.ErrStale},
		{"a grant that changes its place is ErrStale", some(grant("g", 3, 9)), 0, store.ErrStale},
		{"a grant whose place is taken is ErrStale", some(grant("new", 1, 1), grant("other", 1, 1)), 0, store.ErrStale},
		{"a grant's version is also checked against the batch",
			[]attempt{{records: []store.Record{grant("g", 3, 3)}}, {records: []store.Record{grant("g", 3, 3)}}}, 1, store.ErrStale},
		{"a new grant's version is also checked against the batch",
			[]attempt{{records: []store.Record{grant("new", 1, 0)}}, {records: []store.Record{grant("new", 1, 0)}}}, 1, store.ErrStale},

		{"the stored version of facts is ErrStale", some(facts("ann", 1)), 0, store.ErrStale},
		{"a skipped version of facts is ErrStale", some(facts("ann", 3)), 0, store.ErrStale},
		{"new facts of version 0 are ErrStale", some(facts("bob", 0)), 0, store.ErrStale},
		{"new facts of version 2 are ErrStale", some(facts("bob", 2)), 0, store.ErrStale},
		{"the version of facts is also checked against the batch",
			[]attempt{{records: []store.Record{facts("ann", 2)}}, {records: []store.Record{facts("ann", 2)}}}, 1, store.ErrStale},
		{"the version of new facts is also checked against the batch",
			[]attempt{{records: []store.Record{facts("bob", 1)}}, {records: []store.Record{facts("bob", 1)}}}, 1, store.ErrStale},

		{"a revision that is there already is ErrStale", some(revision("ended", 1)), 0, store.ErrStale},
		{"a revision is also checked against the batch",
			[]attempt{{records: []store.Record{revision("ended", 2)}}, {records: []store.Record{revision("ended", 2)}}}, 1, store.ErrStale},
		{"a revision is also checked against the commit", some(revision("new", 0), revision("new", 0)), 0, store.ErrStale},
	}
}
