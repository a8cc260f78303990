package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// server is a Redis server of our own, which keeps nothing on the disk.
type server struct {
	address string
	process *exec.Cmd
	dir     string
	drained chan struct{} // closed when all it had to say was read
}

// errNoRedis says that there is no server to be started.
var errNoRedis = errors.New("redis-server is not installed")

// startServer starts a server on a port that is free, and returns when it answers there. It ends with ctx at the latest.
func startServer(ctx context.Context) (*server, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errNoRedis
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		return nil, err
	}
	s := &server{address: net.JoinHostPort("127.0.0.1", port), dir: dir, drained: make(chan struct{})}
	s.process = exec.CommandContext(ctx, path, "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "")
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	said, ready := awaitReady(out)
	go func() {
		defer close(s.drained)
		_, _ = io.Copy(io.Discard, out) // or it would stop when the pipe is full; what it says no longer matters
	}()
	if !ready {
		return nil, errors.Join(fmt.Errorf("redis-server does not start:\n%s", said), s.stop())
	}
	return s, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// awaitReady reads the server's log until it says that it is there.
func awaitReady(log io.Reader) (said string, ready bool) {
	var all strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			return "", true
		}
		all.WriteString(lines.Text() + "\n")
	}
	return all.String(), false
}

// stop ends the server. It has nothing to save, so it is not asked to.
func (s *server) stop() error {
	err := s.process.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-s.drained
	_ = s.process.Wait() // it was killed: that is no error here
	return errors.Join(err, os.RemoveAll(s.dir))
}
