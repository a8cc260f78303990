package ranktree

// Insert adds a member. The owner has set its row before the call. If the slot is a member already, Insert
// returns false and changes nothing.
func (t *Tree) Insert(slot uint32, k Key) bool {
	if !t.keys.put(slot, k) {
		return false
	}
	t.add(k, slot)
	return true
}

// Delete takes a member out. Its row must still be the one it had as a member. Delete returns false if the slot
// is no member.
func (t *Tree) Delete(slot uint32) bool {
	k := t.keys.at(slot)
	if k == nil {
		return false
	}
	t.take(t.locate(*k, slot))
	t.keys.drop(slot)
	return true
}

// Move gives a member another key and row. It calls update, in which the owner changes the member's row, when
// the member is out of its old place and not yet at the new one; a nil update is for a row that stays. Move
// returns false, without calling update, if the slot is no member.
func (t *Tree) Move(slot uint32, k Key, update func()) bool {
	known := t.keys.at(slot)
	if known == nil {
		return false
	}
	old := *known
	if old == k && update == nil {
		return true
	}
	c, i := t.locate(old, slot)
	if old != k && c.keeps(k) {
		if update != nil {
			update()
		}
		// The member is still in the chunk, with its old key: among the members of the new key, the only ones
		// to be compared, it is not.
		j := t.place(c, k, slot)
		if j > i {
			j--
		}
		c.rotate(i, j, k)
		*known = k
		return true
	}
	t.take(c, i)
	if update != nil {
		update()
	}
	*known = k
	t.add(k, slot)
	return true
}

// add puts a member, which is not in the directory, at its place.
func (t *Tree) add(k Key, slot uint32) {
	t.n++
	c := t.floor(k, probe{slot: slot})
	if c == nil {
		c = newChunk()
		t.spine.link(nil, c)
		c.insert(0, k, slot)
		t.spine.count(c, 1)
		t.dir.ReplaceOrInsert(dirEnt{c.sep, c})
		return
	}
	i := t.place(c, k, slot)
	if c.n == chunkCap {
		right := t.split(c)
		if i > int(c.n) {
			c, i = right, i-int(c.n)
		}
	}
	c.insert(i, k, slot)
	t.spine.count(c, 1)
}

// take takes the i-th member of c out.
func (t *Tree) take(c *chunk, i int) {
	t.n--
	if c.n == 1 {
		// Out of the directory first: it finds a chunk by its first member.
		t.dir.Delete(dirEnt{c.sep, c})
		c.n = 0
		t.spine.count(c, ^uint32(0))
		t.spine.unlink(c)
		return
	}
	c.remove(i)
	t.spine.count(c, ^uint32(0))
	if c.n >= mergeBelow {
		return
	}
	if r := t.spine.next(c); r != nil && c.n+r.n <= mergeInto {
		t.join(c, r)
	} else if l := t.spine.prev(c); l != nil && c.n+l.n <= mergeInto {
		t.join(l, c)
	}
}

// split moves the upper half of a full chunk to a new one, which it returns.
func (t *Tree) split(c *chunk) *chunk {
	right := newChunk()
	c.moveTo(right, chunkCap/2)
	right.sep = right.key(0)
	t.spine.link(c, right)
	t.dir.ReplaceOrInsert(dirEnt{right.sep, right})
	return right
}

// join moves all members of r to l, the chunk before it, and drops r.
func (t *Tree) join(l, r *chunk) {
	t.dir.Delete(dirEnt{r.sep, r})
	moved := uint32(r.n)
	r.moveTo(l, 0)
	t.spine.count(r, -moved)
	t.spine.count(l, moved)
	t.spine.unlink(r)
}
