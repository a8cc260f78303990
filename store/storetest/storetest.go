// Package storetest holds an implementation of package store to its contract: every rule is a subtest named by
// its sentence. A store's own tests need little more than
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return mystore.New(t.TempDir()) })
//	}
//
// The random rules honour rapid's flags: -rapid.checks=1000 looks ten times as hard, and a failure prints the
// flags that repeat it.
package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// Run holds a store to the contract of package store. Each call of open returns a new, empty store, which Run
// closes; random rules open some hundreds, one after the other.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, r := range slices.Concat(refusalRules(), commitRules(), softRules(), readRules(), queryRules(), windowRules(), dropRules(), ledgerRules(), grantRules(),
		playerRules(), historyRules(), forgetRules(), valueRules(), concurrencyRules(), machineRules()) {
		t.Run(r.says, func(t *testing.T) {
			r.holds(t, func(c tb) store.Store {
				s := open(t)
				// A rule may have closed it, and the contract lets a second Close fail.
				c.Cleanup(func() { _ = s.Close() })
				return s
			})
		})
	}
}

// RunReopen holds a durable store to its promise: what was committed is there when it is opened again. open
// returns a new, empty store and what opens it again; that is called, as often as a rule likes, after the store
// has been closed. Run leaves these rules out.
func RunReopen(t *testing.T, open func(t *testing.T) (s store.Store, reopen func() store.Store)) {
	t.Helper()
	for _, r := range reopenRules() {
		t.Run(r.says, func(t *testing.T) {
			r.holds(t, func(c tb) *durable {
				s, reopen := open(t)
				d := &durable{Store: s, open: reopen}
				c.Cleanup(func() { _ = d.Close() })
				return d
			})
		})
	}
}

// rule is a sentence of the contract. holds opens as many stores as it needs.
type rule struct {
	says  string
	holds func(t *testing.T, open func(tb) store.Store)
}

// one makes a rule about one store.
func one(says string, holds func(t *testing.T, s store.Store)) rule {
	return rule{says, func(t *testing.T, open func(tb) store.Store) { holds(t, open(t)) }}
}

// tb is a *testing.T or a *rapid.T. Stores live as long as it does.
type tb interface {
	require.TestingT
	Cleanup(func())
	Helper()
}

// durable is a store that can be opened again.
type durable struct {
	store.Store
	open func() store.Store
}

func (d *durable) reopen(t tb) {
	t.Helper()
	require.NoError(t, d.Close(), "Close")
	d.Store = d.open()
}

type reopenRule struct {
	says  string
	holds func(t *testing.T, open func(tb) *durable)
}

func reopenRules() []reopenRule {
	return []reopenRule{
		{"everything is there after reopening", func(t *testing.T, open func(tb) *durable) {
			rapid.Check(t, func(t *rapid.T) {
				d := open(t)
				given := drawContents(t)
				given.commitTo(t, d)
				d.reopen(t)
				given.requireIn(t, d)
			})
		}},
		{"keys, positions and versions go on after reopening", func(t *testing.T, open func(tb) *durable) {
			d := open(t)
			history(t, d)
			d.reopen(t)
			for _, r := range refusals() {
				r.requireIn(t, d)
			}
			p := pen{t: t, s: d, position: 3}
			goesOn(&p)
			d.reopen(t)
			p.write(store.Match{ID: "running", Version: 4})
			for _, version := range []uint64{3, 4} {
				p.write(store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: version}, store.Window{WindowKey: in("x", "yz"), Version: version})
				d.reopen(t)
			}
			p.soft(store.Drop{WindowKey: in("x", "yz"), All: true})
			d.reopen(t)
			p.write(store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 1}, store.Window{WindowKey: in("x", "yz"), Version: 1})
		}},
		{"any steps with reopening between them end as without", func(t *testing.T, open func(tb) *durable) {
			rapid.Check(t, func(t *rapid.T) {
				d := open(t)
				steps(t, d, map[string]func(*rapid.T){
					"reopen": func(t *rapid.T) { d.reopen(t) },
				})
			})
		}},
	}
}

// pen writes commits that fit the store, so that a rule names only what it is about.
type pen struct {
	t        tb
	s        store.Store
	position uint64 // of the last commit
}

// next returns the commit that fits after the last one.
func (p *pen) next(records ...store.Record) store.Commit {
	p.position++
	return commitAt(p.position, records...)
}

func (p *pen) write(records ...store.Record) {
	p.t.Helper()
	p.batch(store.Batch{Commits: []store.Commit{p.next(records...)}})
}

func (p *pen) soft(records ...store.Record) {
	p.t.Helper()
	p.batch(store.Batch{Soft: records})
}

func (p *pen) batch(b store.Batch) {
	p.t.Helper()
	require.NoError(p.t, p.s.Commit(context.Background(), b), "Commit")
}
