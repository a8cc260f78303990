package finalbell_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"pgregory.net/rapid"
)

// Whoever is paid, charged, rewarded or corrected, in whatever order and however often again, has in an engine what the
// model says, and after every step the books are in order.
func TestAnEconomyIsItsModel(t *testing.T) { economyIsItsModel(t, finalbelltest.InMemory) }

// Many a match with bots, ties and players who do not finish gives the prizes that the model gives.
func TestPrizesAreTheModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.game = finalbelltest.NewOn(t, finalbelltest.InMemory, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		for _, player := range bench() {
			m.pay(t, "credit", finalbell.Money{Player: player, Currency: "coins", Amount: 500, Key: "coins of " + player})
			m.pay(t, "credit", finalbell.Money{Player: player, Currency: "gems", Amount: 500, Key: "gems of " + player})
		}
		for i, b := range drawBouts(t, m.rules, 8) {
			for k := range b.match.Players {
				b.match.Players[k].Bot = rapid.IntRange(1, 3).Draw(t, "bot") == 3
			}
			if _, err := m.ask(t, b.match, time.Time{}); err != nil {
				t.Fatalf("match %d: %v", i, err)
			}
			m.begin(t, b.match.ID, time.Time{})
			if _, err := m.finish(t, b.match.ID, b.outcomes, time.Time{}, false); err != nil {
				t.Fatalf("match %d: %v", i, err)
			}
		}
		m.clock.Advance(40 * 24 * time.Hour)
		m.doDue(t)
		m.model.RequireMoney(t, m.engine)
		m.checkBooks(t, m.game.Store)
		m.checkHouse(t, m.game.Store)
	})
}

// So it is with a database behind it, on which everything takes ten times as long.
func TestAnEconomyOnADatabaseIsItsModel(t *testing.T) {
	oneIn(t, 10)
	economyIsItsModel(t, inFiles(t))
}

// oneIn lets a test have one in so many of the checks that others have.
func oneIn(t *testing.T, n int) {
	checks := flag.Lookup("rapid.checks").Value
	all := checks.String()
	most, err := strconv.Atoi(all)
	if err != nil {
		t.Fatalf("-rapid.checks=%s: %v", all, err)
	}
	if err := checks.Set(strconv.Itoa(max(1, most/n))); err != nil {
		t.Fatalf("set checks: %v", err)
	}
	t.Cleanup(func() { _ = checks.Set(all) }) // what it was it takes again
}

func economyIsItsModel(t *testing.T, open finalbelltest.Opener) {
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.game = finalbelltest.NewOn(t, open, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		actions := m.moneyActions()
		actions["race"] = m.race
		actions["reopen"] = func(t *rapid.T) { m.game.Reopen(t); m.engine = m.game.Engine }
		actions[""] = func(t *rapid.T) {
			m.checkMoney(t)
			m.checkBooks(t, m.game.Store)
			m.checkHouse(t, m.game.Store)
		}
		m.endow(t)
		t.Repeat(actions)
		m.check(t)
		m.verify(t)
	})
}

// However the store fails, money is moved whole or not at all.
func TestAFailingStoreLosesNoMoneyAndMakesNone(t *testing.T) {
	oneIn(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.failing = &failing{data: memory.New()}
		t.Cleanup(func() { _ = m.engine.Close() })
		m.reopen(t)
		m.endow(t)
		actions := m.moneyActions()
		actions["kill"] = m.kill
		actions["fault"] = m.armMoney
		actions["another"] = m.armMoney
		actions[""] = func(t *rapid.T) {
			m.failing.pause(true)
			m.checkMoney(t)
			m.checkBooks(t, m.failing.data)
			m.checkHouse(t, m.failing.data)
			m.failing.pause(false)
		}
		t.Repeat(actions)
		m.failing.disarm()
		m.check(t)
		m.verify(t)
	})
}

func newEconomy(t *rapid.T) *machine {
	m := &machine{
		rules: finalbelltest.Economy().Draw(t, "rules"),
		clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
	}
	m.model = finalbelltest.NewModel(m.rules, m.clock.Now)
	return m
}

func (m *machine) moneyActions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"create":       m.create,
		"start":        m.start,
		"report":       m.report,
		"end":          m.end,
		"cancel":       m.cancel,
		"play":         m.play,
		"play again":   m.play,
		"and again":    m.play,
		"retry":        m.retry,
		"advance":      m.advance,
		"jump":         m.jump,
		"tick":         m.tick,
		"begin season": m.beginSeason,
		"close window": m.closeWindow,
		"hide":         m.hide,
		"void":         m.void,
		"void again":   m.void,
		"amend":        m.amend,
		"amend again":  m.amend,
		"credit":       m.credit,
		"debit":        m.debit,
		"transfer":     m.transfer,
		"claim":        m.claim,
		"claim again":  m.claim,
		"later":        m.later,
		"in":           m.comeIn,
		"out":          m.goOut,
		"spend":        m.spend,
		"spend again":  m.spend,
	}
	maps.Copy(actions, m.callsOfRooms())
	return actions
}

// endow gives everybody something to begin with.
func (m *machine) endow(t *rapid.T) {
	for _, player := range rapid.Permutation([]string{"ann", "bob", "cat", "dan", "eve", "fay"}).Draw(t, "rich")[:rapid.IntRange(0, 6).Draw(t, "how many")] {
		for _, currency := range []string{"coins", "gems"} {
			m.pay(t, "credit", finalbell.Money{Player: player, Currency: currency, Amount: 30, Key: "endowment of " + player + " in " + currency})
		}
	}
}

func (m *machine) void(t *rapid.T) {
	id := m.drawEnded(t)
	reason := rapid.SampledFrom([]string{"cheats", "", "\xff"}).Draw(t, "reason")
	m.do(t, call{
		id:     id,
		revise: true,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Void(context.Background(), id, reason) },
		model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Void(id, reason) },
	})
}

func (m *machine) amend(t *rapid.T) {
	id := m.drawEnded(t)
	reason := rapid.SampledFrom([]string{"miscounted", "", "\xff"}).Draw(t, "reason")
	outcomes := m.drawOutcomes(t, id)
	m.do(t, call{
		id:     id,
		revise: true,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) {
			return e.Amend(context.Background(), id, reason, outcomes...)
		},
		model: func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Amend(id, reason, outcomes...) },
	})
}

// later lets time pass and makes a call at once: nobody has looked meanwhile, so nothing that is due is done.
func (m *machine) later(t *rapid.T) {
	m.jump(t)
	rapid.SampledFrom([]func(*rapid.T){m.amend, m.void, m.claim, m.play, m.end, m.credit, m.cancel}).Draw(t, "call")(t)
}

// drawEnded draws a match, mostly one that has ended, that may be revised.
func (m *machine) drawEnded(t *rapid.T) string {
	var ids []string
	for _, match := range m.model.Matches() {
		if match.State == finalbell.Ended && m.revisable(match.ID) {
			ids = append(ids, match.ID)
		}
	}
	if len(ids) == 0 || rapid.IntRange(1, 6).Draw(t, "any match") == 6 {
		if id := m.drawID(t); m.revisable(id) {
			return id
		}
		return "nope"
	}
	return rapid.SampledFrom(ids).Draw(t, "ended")
}

// revisable reports whether the model knows what revising a match comes to. Where the house has helped when it was amended,
// the rules do not say to which of its grants that belonged.
func (m *machine) revisable(id string) bool {
	match, err := m.model.Match(id)
	helps := slices.ContainsFunc(m.rules.Currencies, func(c finalbell.Currency) bool { return c.Shortfall == finalbell.ShortfallFloor })
	return err != nil || !helps || match.Revision == 0
}

func (m *machine) credit(t *rapid.T)   { m.pay(t, "credit", m.drawMoney(t)) }
func (m *machine) debit(t *rapid.T)    { m.pay(t, "debit", m.drawMoney(t)) }
func (m *machine) transfer(t *rapid.T) { m.pay(t, "transfer", m.drawMoney(t)) }

// spend takes everything from somebody who has something, so that there is nothing left for who takes it back.
func (m *machine) spend(t *rapid.T) {
	var rich []finalbell.Money
	for _, player := range []string{"ann", "bob", "cat", "dan", "eve", "fay"} {
		w, err := m.model.Wallet(player)
		if err != nil {
			t.Fatalf("the model's wallet of %s: %v", player, err)
		}
		for _, currency := range []string{"coins", "gems"} {
			if n := w.Balances[currency]; n > 0 {
				rich = append(rich, finalbell.Money{Player: player, Currency: currency, Amount: n})
			}
		}
	}
	if len(rich) == 0 {
		return
	}
	m.spent++
	c := rapid.SampledFrom(rich).Draw(t, "spent")
	c.Key = "spent " + strconv.Itoa(m.spent)
	m.pay(t, "debit", c)
}

// drawMoney draws an amount for somebody, sometimes under a key that was used, sometimes wrong.
func (m *machine) drawMoney(t *rapid.T) finalbell.Money {
	c := finalbell.Money{Player: drawSubject(t), Currency: rapid.SampledFrom([]string{"coins", "gems"}).Draw(t, "currency"),
		Amount: rapid.Int64Range(1, 12).Draw(t, "amount"), Key: "key " + strconv.Itoa(rapid.IntRange(1, 40).Draw(t, "key"))}
	switch rapid.IntRange(1, 20).Draw(t, "wrong") {
	case 17:
		c.Currency = "francs"
	case 18:
		c.Amount = rapid.SampledFrom([]int64{0, -1, 1<<53 + 1}).Draw(t, "wrong amount")
	case 19:
		c.Key = "tab\t"
	case 20:
		if m.failing == nil { // who does not know the key cannot try again with it
			c.Key = ""
		}
	}
	return c
}

// drawKeyed draws money under a key.
func (m *machine) drawKeyed(t *rapid.T) finalbell.Money {
	c := m.drawMoney(t)
	if c.Key == "" {
		c.Key = "key"
	}
	return c
}

// pay makes a call that moves money. A transfer is to bob.
func (m *machine) pay(t *rapid.T, verb string, c finalbell.Money) {
	on := paying(verb, c)
	operate(m, t, on.engine, on.model)
	if m.failing == nil && rapid.IntRange(1, 6).Draw(t, "again") == 6 && c.Key != "" {
		operate(m, t, on.engine, on.model)
	}
}

// either is a call of both.
type either[T any] struct {
	engine func(*finalbell.Engine) (T, error)
	model  func(*finalbelltest.Model) (T, error)
}

func paying(verb string, c finalbell.Money) either[finalbell.Receipt] {
	to := finalbell.Transfer{From: c.Player, To: "bob", Currency: c.Currency, Amount: c.Amount, Key: c.Key}
	return either[finalbell.Receipt]{
		engine: func(e *finalbell.Engine) (finalbell.Receipt, error) {
			var r finalbell.Receipt
			var err error
			switch ctx := context.Background(); verb {
			case "credit":
				r, err = e.Credit(ctx, c)
			case "debit":
				r, err = e.Debit(ctx, c)
			default:
				r, err = e.Transfer(ctx, to)
			}
			r.Posting = "" // its name is the engine's
			return r, err
		},
		model: func(m *finalbelltest.Model) (finalbell.Receipt, error) {
			switch verb {
			case "credit":
				return m.Credit(c)
			case "debit":
				return m.Debit(c)
			}
			return m.Transfer(to)
		},
	}
}

// claim claims a grant, mostly one that waits, mostly for whom it is.
func (m *machine) claim(t *rapid.T) {
	on, id := m.drawClaim(t)
	before := m.before()
	got, err := on.engine(m.engine)
	want, wantErr := on.model(m.model)
	if m.failing != nil && m.failing.hit() {
		states := []*finalbelltest.Model{before, before.Clone(), m.model}
		_, _ = states[1].Claim("nobody", id) // lets it lapse, if that is due
		m.settleAmong(t, err, states...)
		return
	}
	if finalbelltest.KindOf(err) != finalbelltest.KindOf(wantErr) || got != want {
		t.Fatalf("the claim gives %v, %v, the model %v, %v", got, err, want, wantErr)
	}
}

func (m *machine) drawClaim(t *rapid.T) (on either[string], id string) {
	ids := []string{"nope"}
	player := "ann"
	for _, g := range m.model.Grants() {
		if g.State == finalbell.GrantPending || rapid.IntRange(1, 8).Draw(t, "any state") == 8 {
			ids = append(ids, g.ID)
		}
	}
	slices.Reverse(ids)
	id = rapid.SampledFrom(ids).Draw(t, "grant")
	for _, g := range m.model.Grants() {
		if g.ID == id && rapid.IntRange(1, 12).Draw(t, "somebody else's") < 12 {
			player = g.Player
		}
	}
	text := func(g finalbell.Grant, err error) (string, error) {
		return fmt.Sprint(g.ID, g.Player, g.Kind, g.What, g.Amount, g.State), err
	}
	return either[string]{
		engine: func(e *finalbell.Engine) (string, error) { return text(e.Claim(context.Background(), player, id)) },
		model:  func(m *finalbelltest.Model) (string, error) { return text(m.Claim(player, id)) },
	}, id
}

// race makes a few calls at once, and finds an order in which the model answers the same to each and becomes the same.
func (m *machine) race(t *rapid.T) { m.raceOf(t, m.drawRacing) }

// raceOf is race for calls that are drawn so.
func (m *machine) raceOf(t *rapid.T, draw func(*rapid.T) either[string]) {
	n := rapid.IntRange(2, 3).Draw(t, "at once")
	calls := make([]either[string], n)
	for i := range calls {
		calls[i] = draw(t)
	}
	got := make([]string, n)
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Add(1)
		go func() {
			defer wg.Done()
			answer, err := c.engine(m.engine)
			got[i] = fmt.Sprint(answer, finalbelltest.KindOf(err))
		}()
	}
	wg.Wait()
	var problem string
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		model, same := m.model.Clone(), true
		for _, i := range order {
			if i < n {
				answer, err := calls[i].model(model)
				same = same && got[i] == fmt.Sprint(answer, finalbelltest.KindOf(err))
			}
		}
		if !same {
			continue
		}
		if problem = model.Diff(m.engine); problem == "" {
			m.model = model
			m.noteMade()
			return
		}
	}
	t.Fatalf("no order of %d calls at once gives the answers %v: %s", n, got, problem)
}

// noteMade notes the matches that calls at once have made.
func (m *machine) noteMade() {
	for _, match := range m.model.Matches() {
		if !slices.Contains(m.ids, match.ID) {
			m.ids = append(m.ids, match.ID)
		}
	}
}

// brief is what calls at once are compared by.
func brief(match finalbell.Match, err error) (string, error) {
	return fmt.Sprint(match.State, match.Revision, match.Replayed), err
}

// drawRacing draws a call that may come at the same time as others.
func (m *machine) drawRacing(t *rapid.T) either[string] {
	id := m.drawID(t)
	outcomes := m.drawOutcomes(t, id)
	switch rapid.IntRange(1, 7).Draw(t, "racing") {
	case 1:
		on := paying(rapid.SampledFrom([]string{"credit", "debit", "transfer"}).Draw(t, "verb"), m.drawKeyed(t))
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { r, err := on.engine(e); return fmt.Sprint(r.Replayed), err },
			model: func(m *finalbelltest.Model) (string, error) {
				r, err := on.model(m)
				return fmt.Sprint(r.Replayed), err
			},
		}
	case 2:
		on, _ := m.drawClaim(t)
		return on
	case 3:
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { return brief(e.Start(context.Background(), id)) },
			model:  func(m *finalbelltest.Model) (string, error) { return brief(m.Start(id)) },
		}
	case 4:
		id := m.drawEnded(t)
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { return brief(e.Void(context.Background(), id, "")) },
			model:  func(m *finalbelltest.Model) (string, error) { return brief(m.Void(id, "")) },
		}
	case 5:
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { return brief(e.Cancel(context.Background(), id, "")) },
			model:  func(m *finalbelltest.Model) (string, error) { return brief(m.Cancel(id, "")) },
		}
	}
	return either[string]{
		engine: func(e *finalbell.Engine) (string, error) { return brief(e.End(context.Background(), id, outcomes...)) },
		model:  func(m *finalbelltest.Model) (string, error) { return brief(m.End(id, outcomes...)) },
	}
}

// armMoney chooses the fault of a call to come.
func (m *machine) armMoney(t *rapid.T) {
	m.arm(t)
	if reads := []string{"Balances", "Grants", "Facts", "Lines", "Revisions"}; rapid.IntRange(1, 3).Draw(t, "reads money") == 3 {
		m.failing.mu.Lock()
		defer m.failing.mu.Unlock()
		m.failing.method = rapid.SampledFrom(reads).Draw(t, "method")
		m.failing.fault.Stop = false
	}
}

// checkMoney holds what everybody has, and the windows that are not over, against the model.
func (m *machine) checkMoney(t *rapid.T) {
	m.checkOpen(t)
	m.model.RequireMoney(t, m.engine)
}

// checkHouse holds what the house has against the model.
func (m *machine) checkHouse(t finalbelltest.TB, s store.Store) {
	has := make(map[string]int64)
	for l, err := range s.Balances(context.Background(), []store.Account{{Kind: "house"}}) {
		if err != nil {
			t.Fatalf("balances: %v", err)
		}
		has[l.Currency] = l.Balance
	}
	for _, c := range m.rules.Currencies {
		if want := m.model.Balance("house", c.ID); has[c.ID] != want {
			t.Fatalf("the house has %d %s, want %d", has[c.ID], c.ID, want)
		}
	}
}

// checkBooks looks at every line of the ledger as it is stored.
func (m *machine) checkBooks(t finalbelltest.TB, s store.Store) {
	type purse struct{ kind, id, currency string }
	sums, postings := make(map[purse]int64), make(map[[2]string]int64)
	var debt store.Line // the last one, within a posting of which more may come back than is owed
	for l, err := range s.Lines(context.Background(), store.LineQuery{}) {
		if err != nil {
			t.Fatalf("lines: %v", err)
		}
		if over := debt.Posting != l.Posting || debt.Account != l.Account || debt.Currency != l.Currency; over && debt.Balance > 0 {
			t.Fatalf("after %+v somebody owes less than nothing", debt)
		}
		if debt = (store.Line{}); l.Account.Kind == "debt" {
			debt = l
		}
		at := purse{l.Account.Kind, l.Account.ID, l.Currency}
		sums[at] += l.Amount
		postings[[2]string{l.Posting, l.Currency}] += l.Amount
		switch {
		case l.Amount == 0 || l.Balance != sums[at]:
			t.Fatalf("the line %+v has the balance %d, its account %d", l, l.Balance, sums[at])
		case l.Account.Kind == "player" && l.Balance < 0:
			t.Fatalf("the line %+v is not possible", l)
		}
	}
	for name, sum := range postings {
		if sum != 0 {
			t.Fatalf("the posting %v sums to %d", name, sum)
		}
	}
	want := make(map[purse]int64)
	for r, err := range s.Matches(context.Background(), store.MatchQuery{}) {
		if err != nil {
			t.Fatalf("matches: %v", err)
		}
		fee := m.rules.Modes[slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == r.Mode })].Fee
		for _, p := range r.Participants {
			if fee != nil && r.State == string(finalbell.Started) {
				want[purse{"pot", r.ID, fee.Currency}] += p.Paid
			}
			if fee != nil {
				want[purse{"hold", p.Player, fee.Currency}] += p.Held
			}
		}
	}
	for r, err := range s.Rooms(context.Background(), store.RoomQuery{}) {
		if err != nil {
			t.Fatalf("rooms: %v", err)
		}
		fee := m.rules.Modes[slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == r.Mode })].Fee
		for _, member := range r.Members {
			if fee != nil {
				want[purse{"hold", member.Player, fee.Currency}] += member.Held
			}
		}
	}
	for g, err := range s.Grants(context.Background(), store.GrantQuery{States: []string{string(finalbell.GrantPending)}}) {
		if err != nil {
			t.Fatalf("grants: %v", err)
		}
		if g.Kind == string(finalbell.CurrencyGrant) {
			want[purse{"escrow", g.Player, g.What}] += g.Amount
		}
	}
	maps.DeleteFunc(sums, func(at purse, n int64) bool {
		return n == 0 || at.kind == "player" || at.kind == "house" || at.kind == "debt"
	})
	maps.DeleteFunc(want, func(_ purse, n int64) bool { return n == 0 })
	if !maps.Equal(sums, want) {
		t.Fatalf("the accounts have %v, and matches and grants make it %v", sums, want)
	}
}
