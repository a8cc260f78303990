package transcript

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// A table in testdata/ledgers tells a story of money: some steps, each with its script lines, and what is on every
// account after each step. Nothing is ever made or lost, so every column sums to zero.
//
//	# A sentence.
//	rules: {"currencies":…}
//
//	create:
//	  {"create":{"id":"m1",…}}
//	end:
//	  {"end":{"match":"m1",…}}
//
//	            create  end
//	hold:ann       100    0
//	…
func TestLedgers(t *testing.T) {
	files, err := filepath.Glob("../../testdata/ledgers/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			got := tellLedger(t, string(want))
			if *update && got != string(want) {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(want), got)
		})
	}
}

// tellLedger is the file with the table as the engine makes it.
func tellLedger(t *testing.T, text string) string {
	head, body, found := strings.Cut(text, "\n\n")
	require.True(t, found && strings.HasPrefix(head, "# "))
	story, _, _ := strings.Cut(body, "\n\n")
	_, rules, found := strings.Cut(head, "\nrules: ")
	require.True(t, found)
	parsed, err := finalbell.ParseRules([]byte(rules))
	require.NoError(t, err)
	session, err := Open(t.Context(), memory.New(), parsed)
	require.NoError(t, err)
	defer session.Close()
	var steps []string
	var columns []map[string]int64
	for line := range strings.Lines(story) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, " ") {
			steps, columns = append(steps, strings.TrimSuffix(line, ":")), append(columns, nil)
			continue
		}
		answer, err := session.Answer(t.Context(), []byte(line))
		require.NoError(t, err)
		refused := bytes.HasPrefix(answer, []byte(`{"error"`))
		require.Equal(t, strings.HasSuffix(steps[len(steps)-1], "refused"), refused, "%s\n%s", line, answer)
		columns[len(columns)-1] = balancesNow(t, session)
	}
	return head + "\n\n" + story + "\n\n" + ledgerTable(t, steps, columns)
}

// balancesNow adds up every line of the ledger.
func balancesNow(t *testing.T, s *Session) map[string]int64 {
	balances := make(map[string]int64)
	for l, err := range s.engine.Postings(t.Context(), 0) {
		require.NoError(t, err)
		balances[l.Account] += l.Amount
		require.Equal(t, balances[l.Account], l.Balance, "the tables are of one currency")
	}
	return balances
}

func ledgerTable(t *testing.T, steps []string, columns []map[string]int64) string {
	accounts := make(map[string]bool)
	for _, c := range columns {
		for account := range c {
			accounts[account] = true
		}
	}
	width := 0
	for account := range accounts {
		width = max(width, len(account))
	}
	var b strings.Builder
	row := func(name string, cells []string) {
		line := fmt.Sprintf("%-*s", width, name)
		for i, cell := range cells {
			line += fmt.Sprintf("  %*s", max(len(steps[i]), 5), cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	row("", steps)
	sums := make([]int64, len(steps))
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		cells := make([]string, len(steps))
		for i, c := range columns {
			if n, there := c[account]; there {
				cells[i], sums[i] = strconv.FormatInt(n, 10), sums[i]+n
			} else {
				cells[i] = "."
			}
		}
		row(account, cells)
	}
	for i := range sums {
		require.Zero(t, sums[i], "money was made or lost by %q", steps[i])
	}
	return b.String()
}
