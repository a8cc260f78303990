package finalbell

import "slices"

// Which results an entry is made of, and which of them it would be the same without.

// InputExplanation is one result of an entry: what a match brought to it.
type InputExplanation struct {
	Mode   string
	Round  string
	Moment MomentExplanation // at which it came
	Counts bool              // under any key
	Keys   []InputValue      // in the order of the keys
}

// InputValue is what a result is worth under one key.
type InputValue struct {
	Value  Value // of a count 1, of a countback the finishes per place; unknown if the result brought nothing
	Counts bool
	// Why says, of what does not count: "missing" (the result has no such metric), "other_mode" (the key takes none of its
	// mode), "not_finished" and "beyond_places" (of a countback), "other_row" (the keys show the row of another result),
	// "dropped" (it is not among the best), "beyond_rounds" (its round is of no segment) or "late" (the window was final).
	Why string
}

// The words of Why.
const (
	missingMetric  = "missing"
	otherMode      = "other_mode"
	notFinished    = "not_finished"
	beyondPlaces   = "beyond_places"
	otherRow       = "other_row"
	droppedResult  = "dropped"
	beyondSegments = "beyond_rounds"
	lateResult     = "late"
)

// explained are the results of an entry as they went into it, and those that came too late, by their moments.
func (b BoardRule) explained(folded entry, results, late []pastResult) []InputExplanation {
	all := make([]InputExplanation, 0, len(results)+len(late))
	for _, r := range results {
		in := b.input(r)
		for i := range b.Keys {
			in.Keys[i].Why = b.uncounted(i, r, folded)
		}
		all = append(all, in)
	}
	for _, r := range late {
		in := b.input(r)
		for i := range in.Keys {
			in.Keys[i].Why = lateResult
		}
		all = append(all, in)
	}
	for i, key := range b.Keys {
		if len(key.Best) > 0 {
			b.drop(all[:len(results)], i, results)
		}
	}
	for i := range all {
		for k := range all[i].Keys {
			v := &all[i].Keys[k]
			v.Counts = v.Why == ""
			all[i].Counts = all[i].Counts || v.Counts
		}
	}
	slices.SortStableFunc(all, func(x, y InputExplanation) int { return x.Moment.compare(y.Moment) })
	return all
}

// input is a result without what became of it.
func (b BoardRule) input(r pastResult) InputExplanation {
	in := InputExplanation{Mode: r.match.Mode, Round: r.match.Round, Moment: r.moment.explained(r.match.ID), Keys: make([]InputValue, len(b.Keys))}
	for i, key := range b.Keys {
		c := r.cells[i]
		switch {
		case !c.fed:
		case key.Fold == FoldCount:
			in.Keys[i].Value.Number = Int(1)
		case key.Fold == FoldCountback:
			var t tally
			_ = t.add(key, c, r.round) // which counts places and sums nothing
			in.Keys[i].Value.Places = append([]int64{}, t.places...)
		default:
			in.Keys[i].Value.Number = fromUnits(c.value, key.Scale)
		}
	}
	return in
}

// uncounted says why a result does not count under a key, whatever the others are worth there; nothing if it does.
func (b BoardRule) uncounted(i int, r pastResult, folded entry) string {
	key, c := b.Keys[i], r.cells[i]
	switch {
	case len(key.Modes) > 0 && !slices.Contains(key.Modes, r.match.Mode):
		return otherMode
	case key.Fold.isRow() && (!folded.hasRow || r.moment != folded.row):
		return otherRow
	case !c.fed:
		return missingMetric
	case key.Fold == FoldCountback && len(c.places) == 0:
		return notFinished
	case key.Fold == FoldCountback && slices.Min(c.places) > key.Places:
		return beyondPlaces
	case len(key.Best) > 0 && segment(key.Best, r.round) < 0:
		return beyondSegments
	}
	return ""
}

// drop marks the results that are not among the best of their segment under a key. Of equal ones the earlier counts.
func (b BoardRule) drop(inputs []InputExplanation, i int, results []pastResult) {
	key := b.Keys[i]
	for s, segmentOf := range key.Best {
		var counting []int
		for n := range results {
			if inputs[n].Keys[i].Why == "" && segment(key.Best, results[n].round) == s {
				counting = append(counting, n)
			}
		}
		slices.SortFunc(counting, func(x, y int) int {
			if c := compareBy(key.Order, results[x].cells[i].value, results[y].cells[i].value); c != 0 {
				return c
			}
			return results[x].moment.compare(results[y].moment)
		})
		for _, n := range counting[min(len(counting), segmentOf.Count):] {
			inputs[n].Keys[i].Why = droppedResult
		}
	}
}
