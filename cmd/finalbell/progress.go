package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how much of the records has been read, by bytes, for only they are known beforehand. A nil
// progress shows nothing.
type progress struct {
	bar    *progressbar.ProgressBar
	before int64 // bytes of the files that are done
	file   *os.File
	read   int64 // of file
}

// newProgress makes a bar if stderr is a terminal; a log must not be filled with bars.
func newProgress(errout io.Writer, files []string) *progress {
	terminal, ok := errout.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return nil
	}
	var total int64
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			total += info.Size()
		}
	}
	return &progress{bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(errout),
		progressbar.OptionSetDescription("replay"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
	)}
}

// at moves the bar to where a file has been read. An error of the terminal is nobody's concern.
func (p *progress) at(file *os.File, read int64) {
	if p == nil {
		return
	}
	if file != p.file {
		p.before, p.file = p.before+p.read, file
	}
	p.read = read
	p.bar.Set64(p.before + read)
}

// clear takes the bar away before something else is printed.
func (p *progress) clear() {
	if p != nil {
		p.bar.Clear()
	}
}
