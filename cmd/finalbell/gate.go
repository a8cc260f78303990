package main

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

// gate is a listener that has only so many connections open at a time. Who comes when all places are taken waits with the system,
// so that the process keeps descriptors for its files.
type gate struct {
	*net.TCPListener
	log    *slog.Logger
	places chan struct{} // one for each connection
	closed chan struct{}
	close  sync.Once
	warned time.Time
}

// keptDescriptors are those that connections leave to the rest of the process, if it has as many.
const keptDescriptors = 256

func newGate(l *net.TCPListener, connections int, log *slog.Logger) *gate {
	if all := descriptors(); all > 0 {
		if most := max(all/2, all-keptDescriptors); most < connections {
			log.Warn("the process may open few files, and has fewer connections for it", "files", all, "connections", most)
			connections = most
		}
	}
	return &gate{TCPListener: l, log: log, places: make(chan struct{}, connections), closed: make(chan struct{})}
}

// Accept waits for a place and for a connection. It is for one caller at a time.
func (g *gate) Accept() (net.Conn, error) {
	if len(g.places) == cap(g.places) && time.Since(g.warned) > time.Minute {
		g.warned = time.Now()
		g.log.Warn("all connections are taken, and others wait", "connections", cap(g.places))
	}
	select {
	case g.places <- struct{}{}:
	case <-g.closed:
		return nil, net.ErrClosed
	}
	c, err := g.AcceptTCP()
	if err != nil {
		<-g.places
		return nil, err
	}
	return &placed{c, sync.OnceFunc(func() { <-g.places })}, nil
}

// Close also ends an Accept that waits for a place.
func (g *gate) Close() error {
	g.close.Do(func() { close(g.closed) })
	return g.TCPListener.Close()
}

// placed is a connection that has a place until it is closed. It can do what one over TCP can: net/http closes the two directions apart.
type placed struct {
	*net.TCPConn
	leave func()
}

func (p *placed) Close() error {
	defer p.leave()
	return p.TCPConn.Close()
}
