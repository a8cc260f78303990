package sqlite

import (
	"database/sql/driver"
	"slices"
	"sync"

	"github.com/finalbell/finalbell/store"
)

// numbers are the short numbers of ids within the file, as far as they are remembered: those of names and of
// windows. Numbers never change, and names only when somebody is forgotten, so what was read once stays true; what a
// transaction made is remembered only when it is durable.
type numbers struct {
	// naming is held for reading while rows with numbers and then the names of these are read, and for writing while a
	// name changes: else a row from before would be read with a name from after, and one from before be remembered.
	naming  sync.RWMutex
	mu      sync.Mutex
	names   twoGenerations[string, int64]
	windows map[store.WindowKey]int64 // few beside the names
	texts   twoGenerations[int64, string]
	keys    map[int64]store.WindowKey
	// These are for writing alone, which is done by one at a time.
	words    twoGenerations[string, int64]
	accounts twoGenerations[purse, int64]
}

// purse is what has a balance: an account in one currency.
type purse struct {
	store.Account
	currency string
}

const rememberedNames = 1 << 15

func newNumbers() *numbers {
	return &numbers{
		names: generations[string, int64](rememberedNames), texts: generations[int64, string](rememberedNames),
		windows: make(map[store.WindowKey]int64), keys: make(map[int64]store.WindowKey),
		words: generations[string, int64](rememberedNames), accounts: generations[purse, int64](rememberedNames),
	}
}

func (n *numbers) nameOf(text string) (int64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names.get(text)
}

func (n *numbers) windowOf(key store.WindowKey) (int64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, there := n.windows[key]
	return id, there
}

func (n *numbers) textOf(id int64) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.texts.get(id)
}

func (n *numbers) keyOf(id int64) (store.WindowKey, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key, there := n.keys[id]
	return key, there
}

func (n *numbers) noteName(text string, id int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names.put(text, id)
	n.texts.put(id, text)
}

func (n *numbers) noteWindow(key store.WindowKey, id int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.windows[key] = id
	n.keys[id] = key
}

// renaming keeps everybody from reading names until it is done, and then leaves none that may have changed.
func (n *numbers) renaming() (done func()) {
	n.naming.Lock()
	return func() {
		n.mu.Lock()
		n.names, n.texts = generations[string, int64](rememberedNames), generations[int64, string](rememberedNames)
		n.words, n.accounts = generations[string, int64](rememberedNames), generations[purse, int64](rememberedNames)
		n.mu.Unlock()
		n.naming.Unlock()
	}
}

// made are the numbers that a transaction gave, which are forgotten if it fails.
type made struct {
	names    map[string]int64
	windows  map[store.WindowKey]int64
	words    map[string]int64 // nil until there is one; so accounts
	accounts map[purse]int64
}

func newMade() made {
	return made{names: make(map[string]int64), windows: make(map[store.WindowKey]int64)}
}

// name is the number of a name, a new one if it has none.
func (b *batch) name(text string) (int64, error) {
	if id, there := b.made.names[text]; there {
		return id, nil
	}
	if id, there := b.numbers.nameOf(text); there {
		return id, nil
	}
	id, err := b.number(shortNumber, "SELECT id FROM names WHERE name = ?", "INSERT INTO names (name) VALUES (?) RETURNING id", text)
	if err == nil {
		b.made.names[text] = id
	}
	return id, err
}

// window is the number of a window, a new one if it has none.
func (b *batch) window(key store.WindowKey) (int64, error) {
	if id, there := b.knownWindow(key); there {
		return id, nil
	}
	id, err := b.number(shortNumber, windowNumber,
		"INSERT INTO windows (board, window, partition, generation) VALUES (?, ?, ?, ?) RETURNING id", keyArgs(key)...)
	if err == nil {
		b.made.windows[key] = id
	}
	return id, err
}

// windowOrNull is the number of a window, NULL for the zero key.
func (b *batch) windowOrNull(key store.WindowKey) (driver.Value, error) {
	if key == (store.WindowKey{}) {
		return nil, nil
	}
	return b.window(key)
}

// word is the number of a word, a new one if it has none.
func (b *batch) word(text string) (int64, error) {
	if id, there := b.made.words[text]; there {
		return id, nil
	}
	if id, there := b.numbers.words.get(text); there {
		return id, nil
	}
	id, err := b.number(anyNumber, "SELECT id FROM words WHERE word = ?", "INSERT INTO words (word) VALUES (?) RETURNING id", text)
	if err != nil {
		return 0, err
	}
	if b.made.words == nil {
		b.made.words = make(map[string]int64)
	}
	b.made.words[text] = id
	return id, nil
}

// words are the numbers of words. Empty ones among the last, which are optional, are NULL.
func (b *batch) words(texts []string, optional ...string) ([]driver.Value, error) {
	numbers := make([]driver.Value, 0, len(texts)+len(optional))
	for i, text := range slices.Concat(texts, optional) {
		if i >= len(texts) && text == "" {
			numbers = append(numbers, nil)
			continue
		}
		id, err := b.word(text)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, id)
	}
	return numbers, nil
}

// account is the number of an account in a currency, a new one if it has none.
func (b *batch) account(p purse) (int64, error) {
	if id, there := b.made.accounts[p]; there {
		return id, nil
	}
	if id, there := b.numbers.accounts.get(p); there {
		return id, nil
	}
	id, err := b.number(anyNumber, "SELECT id FROM accounts WHERE kind = ? AND owner = ? AND currency = ?",
		"INSERT INTO accounts (kind, owner, currency) VALUES (?, ?, ?) RETURNING id", p.Kind, p.ID, p.currency)
	if err != nil {
		return 0, err
	}
	if b.made.accounts == nil {
		b.made.accounts = make(map[purse]int64)
	}
	b.made.accounts[p] = id
	return id, nil
}

func (b *batch) knownWindow(key store.WindowKey) (id int64, there bool) {
	if id, there = b.made.windows[key]; !there {
		id, there = b.numbers.windowOf(key)
	}
	return id, there
}

// windowThere is the number of a window, 0 if it has none.
func (b *batch) windowThere(key store.WindowKey) (int64, error) {
	if id, there := b.knownWindow(key); there {
		return id, nil
	}
	row := make([]driver.Value, 1)
	if there, err := b.row(windowNumber, row, keyArgs(key)...); err != nil || !there {
		return 0, err
	}
	return numberIn(row, shortNumber)
}

const windowNumber = "SELECT id FROM windows" + ofKey

// ofKey is the condition for the row of a window, keyArgs what it asks for.
const ofKey = " WHERE board = ? AND window = ? AND partition = ? AND generation = ?"

func keyArgs(key store.WindowKey) []driver.Value {
	return []driver.Value{key.Board, key.Window, key.Partition, int64(key.Generation)}
}

const (
	shortNumber = int64(1<<31 - 1) // the highest number of a name or a window: two share one key of 63 bits
	anyNumber   = int64(1<<63 - 1)
)

// number is the number of a row that is looked for, or else made.
func (b *batch) number(highest int64, look, insert string, args ...driver.Value) (int64, error) {
	row := make([]driver.Value, 1)
	there, err := b.row(look, row, args...)
	if err == nil && !there {
		there, err = b.row(insert, row, args...)
	}
	if err != nil {
		return 0, err
	}
	if !there {
		return 0, errDamaged
	}
	return numberIn(row, highest)
}

func numberIn(row []driver.Value, highest int64) (int64, error) {
	id, ok := row[0].(int64)
	if !ok || id < 1 || id > highest {
		return 0, errDamaged
	}
	return id, nil
}

// keep remembers the numbers of a transaction that is durable.
func (n *numbers) keep(m made) {
	for text, id := range m.names {
		n.noteName(text, id)
	}
	for key, id := range m.windows {
		n.noteWindow(key, id)
	}
	for text, id := range m.words {
		n.words.put(text, id)
	}
	for p, id := range m.accounts {
		n.accounts.put(p, id)
	}
}
