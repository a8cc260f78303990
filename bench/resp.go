package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// client speaks to a Redis server. It knows as much of the protocol as sorted sets need, and does little besides, so that
// what is timed is the server and the way there.
type client struct {
	conn net.Conn
	out  []byte // requests not yet sent
	in   *bufio.Reader
}

func dial(address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return newClient(conn), nil
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 1<<16)}
}

func (c *client) close() error { return c.conn.Close() }

// send queues a request.
func (c *client) send(words ...string) {
	c.out = append(c.out, '*')
	c.out = strconv.AppendInt(c.out, int64(len(words)), 10)
	c.out = append(c.out, "\r\n"...)
	for _, w := range words {
		c.out = append(c.out, '$')
		c.out = strconv.AppendInt(c.out, int64(len(w)), 10)
		c.out = append(c.out, "\r\n"...)
		c.out = append(c.out, w...)
		c.out = append(c.out, "\r\n"...)
	}
}

// flush sends what is queued.
func (c *client) flush() error {
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// head reads the first line of a reply: its kind, and what follows. The bytes are good until the next read.
func (c *client) head() (kind byte, rest []byte, err error) {
	l, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(l) < 3 || l[len(l)-2] != '\r' {
		return 0, nil, fmt.Errorf("redis: %q is no reply", l)
	}
	kind, rest = l[0], l[1:len(l)-2]
	if kind == '-' {
		return 0, nil, fmt.Errorf("redis: %s", rest)
	}
	return kind, rest, nil
}

// number reads the head of a reply of that kind, which has a number in it.
func (c *client) number(want byte) (int, error) {
	kind, rest, err := c.head()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(rest))
	if err != nil || kind != want {
		return 0, fmt.Errorf("redis: %c%s where a number after %c was expected", kind, rest, want)
	}
	return n, nil
}

// integer reads a reply that is a number.
func (c *client) integer() (int, error) { return c.number(':') }

// text reads a reply that is a string.
func (c *client) text() (string, error) {
	kind, rest, err := c.head()
	if err != nil {
		return "", err
	}
	if kind == '+' {
		return string(rest), nil
	}
	n, err := strconv.Atoi(string(rest))
	if err != nil || kind != '$' || n < 0 {
		return "", fmt.Errorf("redis: %c%s where a string was expected", kind, rest)
	}
	bytes := make([]byte, n+len("\r\n"))
	if _, err := io.ReadFull(c.in, bytes); err != nil {
		return "", err
	}
	return string(bytes[:n]), nil
}

// lines reads a reply that lists members and their scores in turns.
func (c *client) lines(dst []line) ([]line, error) {
	n, err := c.number('*')
	if err != nil {
		return dst, err
	}
	for range n / 2 {
		id, err := c.text()
		if err != nil {
			return dst, err
		}
		number, err := c.text()
		if err != nil {
			return dst, err
		}
		score, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return dst, err
		}
		dst = append(dst, line{id, uint32(score)})
	}
	return dst, nil
}

// do sends one request and reads a string in reply.
func (c *client) do(words ...string) (string, error) {
	c.send(words...)
	if err := c.flush(); err != nil {
		return "", err
	}
	text, err := c.text()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(words, " "), err)
	}
	return text, nil
}

// roundTrip is what a request takes that asks for nothing.
func (c *client) roundTrip() (time.Duration, error) {
	const times = 1000
	start := time.Now()
	for range times {
		if _, err := c.do("PING"); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / times, nil
}

// spent is the time that the server says it was in commands since its statistics were reset, without those that
// ask for them.
func (c *client) spent() (microseconds int, err error) {
	text, err := c.do("INFO", "commandstats")
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(text) {
		command, fields, ok := strings.Cut(strings.TrimSpace(l), ":")
		if !ok || !strings.HasPrefix(command, "cmdstat_z") {
			continue
		}
		_, usec, ok := strings.Cut(fields, ",usec=")
		usec, _, _ = strings.Cut(usec, ",")
		n, err := strconv.Atoi(usec)
		if err != nil || !ok {
			return 0, fmt.Errorf("redis: no time in %q", l)
		}
		microseconds += n
	}
	return microseconds, nil
}
