package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that is read: enough for a match of thousands of players, and a file that is no
// file of lines is noticed before it fills the memory.
const maxLine = 1 << 20

// Lines reads a text line by line and counts.
type Lines struct {
	// Longest is how long a line may be, if it is more than a mebibyte.
	Longest int

	in     *bufio.Reader
	long   []byte // a line that does not fit the reader
	Number int    // of the line that Next returned last, from 1
	Read   int64  // bytes so far
}

// NewLines begins to read.
func NewLines(in io.Reader) *Lines {
	return &Lines{in: bufio.NewReaderSize(in, maxLine+len("\r\n"))}
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// Next returns the next line that is not blank, without its end; io.EOF after the last. The bytes are valid
// until the next call. An error other than io.EOF is about the line of that Number.
func (l *Lines) Next() ([]byte, error) {
	for {
		line, err := l.in.ReadSlice('\n')
		for longest := l.Longest; errors.Is(err, bufio.ErrBufferFull) && len(line) <= longest; {
			l.long = append(l.long[:0], line...)
			line, err = l.in.ReadSlice('\n')
			l.long = append(l.long, line...)
			line = l.long
		}
		if len(line) == 0 && errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		l.Number++
		l.Read += int64(len(line))
		if err != nil && !errors.Is(err, io.EOF) {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errLongLine
			}
			return nil, err
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > max(maxLine, l.Longest) {
			return nil, errLongLine
		}
		if len(bytes.TrimLeft(line, " \t\r")) > 0 {
			return line, nil
		}
	}
}

// Waits reports whether Next might have to wait for whoever writes the text.
func (l *Lines) Waits() bool {
	here, _ := l.in.Peek(l.in.Buffered())
	return bytes.IndexByte(here, '\n') < 0
}

// LineError is an error about a line.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }
