package main

// item is a member in a tree that sorts whole members.
type item struct {
	score, tie uint64
	slot       uint32
}

func (a item) less(b item) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return a.tie < b.tie
}

func itemOf(r *request) item { return item{uint64(r.score), r.tie, r.slot} }

// keys says under which key a slot is in such a tree, which has to be known to find it there. It grows by the page, as
// our own does, so that no insert pays for the copy of a table that doubles.
type keys []*[1 << 12]struct{ score, tie uint64 }

func (k *keys) set(i item) {
	for int(i.slot>>12) >= len(*k) {
		*k = append(*k, new([1 << 12]struct{ score, tie uint64 }))
	}
	at := &(*k)[i.slot>>12][i.slot%(1<<12)]
	at.score, at.tie = i.score, i.tie
}

func (k keys) item(slot uint32) item {
	at := &k[slot>>12][slot%(1<<12)]
	return item{at.score, at.tie, slot}
}

// items is the last page that was read.
type items []item

func (found items) found(dst []line) []line {
	for _, i := range found {
		dst = append(dst, line{idOf(i.slot), uint32(i.score)})
	}
	return dst
}
