package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/internal/web"
)

// BenchmarkServe plays matches of four through finalbell serve on loopback, with a database, in a closed loop: each client makes
// its next call when it has the answer to the last. Beside it, the same calls go to a handler that only decodes them, as
// strictly, and answers what the server would. It plays for 20 seconds a line, and for a moment with -short or
// -benchtime 1x. MB/third and MB/end are the heap after a collection: it does not grow with what was played.
func BenchmarkServe(b *testing.B) {
	last := 20 * time.Second
	if testing.Short() || flag.Lookup("test.benchtime").Value.String() == "1x" {
		last = 400 * time.Millisecond
	}
	for _, clients := range []int{16, 64} {
		b.Run(fmt.Sprintf("bare/clients=%d", clients), func(b *testing.B) {
			load(b, bare(b), clients, last)
		})
		b.Run(fmt.Sprintf("serve/clients=%d", clients), func(b *testing.B) {
			url, stop := serveLoad(b)
			load(b, url, clients, last)
			require.NoError(b, stop())
		})
	}
}

func serveLoad(b *testing.B) (url string, stop func() error) {
	db := filepath.Join(b.TempDir(), "game.db")
	return serveOn(b, defaultLimits(), serveText(`,"limits":{"key_per_second":1000000,"key_burst":1000000}`), &db, io.Discard)
}

// match are the calls of a new match, of players who are in others at the same time too.
func match(id string) []string {
	const players = 1000
	first := rand.IntN(players)
	p := [4]string{}
	for i := range p {
		p[i] = fmt.Sprintf("p%d", first+i*players)
	}
	return []string{
		fmt.Sprintf(`{"create":{"id":%q,"mode":"duel","players":[%q,%q,%q,%q]}}`, id, p[0], p[1], p[2], p[3]),
		fmt.Sprintf(`{"start":%q}`, id),
		fmt.Sprintf(`{"end":{"match":%q,"outcomes":[{"player":%q,"outcome":4},{"player":%q,"outcome":3},{"player":%q,"outcome":2},{"player":%q,"outcome":1}]}}`, id, p[0], p[1], p[2], p[3]),
	}
}

// bare serves what a server answered once.
func bare(b *testing.B) string {
	url, stop := serveLoad(b)
	replies := make(map[string]string)
	for i, call := range match("clients-16-15-10000") {
		status, text, err := postTo(http.DefaultClient, url, serverKey, call)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, status, text)
		replies[[]string{"create", "start", "end"}[i]] = text
	}
	require.NoError(b, stop())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := web.Object(w, r)
		if err != nil {
			w.WriteHeader(web.Status(err))
			return
		}
		for verb := range v.Members() {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, replies[verb])
		}
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// load plays matches for a while and reports how that went.
func load(b *testing.B, url string, clients int, last time.Duration) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	took := make([][]time.Duration, clients)
	failed := make([]error, clients)
	b.ResetTimer()
	began := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for n := 0; time.Since(began) < last && failed[i] == nil; n++ {
				for _, call := range match(fmt.Sprintf("clients-%d-%d-%d", clients, i, n)) {
					asked := time.Now()
					status, text, err := postTo(client, url, serverKey, call)
					if err == nil && (status != http.StatusOK || !strings.HasPrefix(text, `{"ok":`)) {
						err = fmt.Errorf("%s: %d %s", call, status, text)
					}
					if err != nil {
						failed[i] = err
						return
					}
					took[i] = append(took[i], time.Since(asked))
				}
			}
		})
	}
	third := make(chan float64)
	timer := time.AfterFunc(last/3, func() { third <- heap() })
	all.Wait()
	lasted := time.Since(began)
	b.StopTimer()
	timer.Stop()
	require.NoError(b, errors.Join(failed...))
	b.ReportMetric(0, "errors") // or it would have failed
	calls := slices.Concat(took...)
	slices.Sort(calls)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(calls))/lasted.Seconds(), "requests/s")
	b.ReportMetric(float64(calls[len(calls)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(calls[len(calls)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(<-third, "MB/third")
	b.ReportMetric(heap(), "MB/end")
}

// heap is what is in use after a collection.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
