package ranktree

import (
	"hash/maphash"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// An index gives the first id slot 0, the next one 1, and each for ever the same.
func TestIndexNumbersIdsInTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := NewIndex()
		slots := map[string]uint32{}
		var ids []string
		id := rapid.OneOf(
			rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00")), 1, 4, -1),
			rapid.StringN(1, 128, 128).Filter(func(s string) bool { return s != "" }),
		)
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			id := id.Draw(t, "id")
			slot, ok := x.Slot(id)
			known, had := slots[id]
			require.Equal(t, had, ok)
			if had {
				require.Equal(t, known, slot)
			} else {
				slots[id] = uint32(len(ids))
				ids = append(ids, id)
			}
			require.Equal(t, slots[id], x.Intern(id))
			require.Equal(t, len(ids), x.Len())
		}
		for slot, id := range ids {
			require.Equal(t, id, x.ID(uint32(slot)))
		}
	})
}

// Segments, directory, blocks and pages all grow, and nothing is lost on the way.
func TestIndexKeepsEveryIdWhileItGrows(t *testing.T) {
	const n = 50_000
	x := NewIndex()
	long := strings.Repeat("x", 100)
	id := func(i int) string {
		s := strconv.Itoa(i)
		if i%10 == 0 {
			s += long[:len(long)-i%90]
		}
		return s
	}
	for i := range n {
		require.Equal(t, uint32(i), x.Intern(id(i)))
	}
	early := x.ID(0)
	require.Greater(t, len(x.dir), 100)
	require.Greater(t, len(x.blocks), 10)
	for i := range n {
		slot, ok := x.Slot(id(i))
		require.True(t, ok)
		require.Equal(t, uint32(i), slot)
		require.Equal(t, id(i), x.ID(slot))
		require.Equal(t, slot, x.Intern(id(i)))
		_, ok = x.Slot("none" + strconv.Itoa(i))
		require.False(t, ok)
	}
	require.Equal(t, n, x.Len())
	require.Equal(t, id(0), early)
	x.check(t)
}

// check holds what a segment promises: it is where its ids' hashes say, and shared by no more entries than that.
func (x *Index) check(t *testing.T) {
	entries, ids := map[*segment]int{}, 0
	for _, s := range x.dir {
		entries[s]++
	}
	for s, n := range entries {
		require.Equal(t, 1<<(x.depth-uint(s.depth)), n)
		filled := 0
		for _, w := range s.cells {
			if w != 0 {
				filled++
			}
		}
		require.Equal(t, int(s.n), filled)
		require.LessOrEqual(t, filled, segmentFull)
		ids += filled
	}
	require.Equal(t, x.n, ids)
}

// Two ids whose hashes agree in all that a cell knows are two ids.
func TestIndexTellsCollidingIdsApart(t *testing.T) {
	x := NewIndex()
	type place struct {
		cell int
		tag  uint64
	}
	seen := map[place]string{}
	for i := 0; ; i++ {
		id := strconv.Itoa(i)
		h := maphash.String(x.seed, id)
		p := place{firstCell(h), h << recordBits}
		other, ok := seen[p]
		if !ok {
			seen[p] = id
			continue
		}
		require.Equal(t, uint32(0), x.Intern(other))
		_, ok = x.Slot(id)
		require.False(t, ok)
		require.Equal(t, uint32(1), x.Intern(id))
		require.Equal(t, uint32(0), x.Intern(other))
		require.Equal(t, id, x.ID(1))
		return
	}
}

// An id of no bytes or of more than 128 is the caller's mistake.
func TestIndexRefusesIdsOfTheWrongLength(t *testing.T) {
	x := NewIndex()
	require.Panics(t, func() { x.Intern("") })
	require.Panics(t, func() { x.Intern(strings.Repeat("x", 129)) })
	longest := strings.Repeat("x", 128)
	require.Equal(t, longest, x.ID(x.Intern(longest)))
	_, ok := x.Slot("")
	require.False(t, ok)
}

// No look-up allocates.
func TestIndexLookUpsAllocateNothing(t *testing.T) {
	x := NewIndex()
	ids := make([]string, 5000)
	for i := range ids {
		ids[i] = "player-" + strconv.Itoa(i)
		x.Intern(ids[i])
	}
	i, id := 0, ""
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		i++
		slot, _ := x.Slot(ids[i%len(ids)])
		id = x.ID(slot)
		x.Intern(id)
	}))
	require.Equal(t, ids[i%len(ids)], id)
}

// An index with room reserved gives the slots that any other gives, also beyond that room.
func TestAnIndexWithRoomReservedIsLikeAnyOther(t *testing.T) {
	for _, room := range []int{0, 1, 447, 5000, 100_000} {
		x, plain := NewIndex(), NewIndex()
		x.Reserve(room)
		for i := range 20_000 {
			id := strconv.Itoa(i * 7919)
			require.Equal(t, plain.Intern(id), x.Intern(id))
		}
		x.Reserve(7) // has ids: nothing happens
		for i := range 20_000 {
			id := strconv.Itoa(i * 7919)
			slot, there := x.Slot(id)
			require.True(t, there)
			require.Equal(t, id, x.ID(slot))
		}
		_, there := x.Slot("nobody")
		require.False(t, there)
	}
}

// However ids come and are renamed, each has the slot that it has in a map, and each slot its id.
func TestAnIndexIsAMapWhateverIsRenamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, slots, ids := NewIndex(), map[string]uint32{}, []string{}
		some := rapid.IntRange(0, 3000).Draw(t, "some")
		for i := range some {
			id := "p" + strconv.Itoa(i)
			slots[id] = x.Intern(id)
			ids = append(ids, id)
		}
		for range rapid.IntRange(1, 200).Draw(t, "renamed") {
			from, to := "p"+strconv.Itoa(rapid.IntRange(0, some).Draw(t, "from")), "p"+strconv.Itoa(rapid.IntRange(0, 2*some).Draw(t, "to"))
			slot, there := slots[from]
			_, taken := slots[to]
			require.Equal(t, there && !taken, x.Rename(from, to))
			if there && !taken {
				delete(slots, from)
				slots[to], ids[slot] = slot, to
			}
			if rapid.IntRange(1, 5).Draw(t, "comes back") == 5 && there && !taken {
				slots[from] = x.Intern(from)
				ids = append(ids, from)
			}
		}
		require.Equal(t, len(ids), x.Len())
		for slot, id := range ids {
			require.Equal(t, id, x.ID(uint32(slot)))
			got, there := x.Slot(id)
			require.True(t, there && got == uint32(slot) && slots[id] == got)
		}
		for i := range 2 * some {
			_, there := x.Slot("p" + strconv.Itoa(i))
			_, want := slots["p"+strconv.Itoa(i)]
			require.Equal(t, want, there)
		}
	})
}
