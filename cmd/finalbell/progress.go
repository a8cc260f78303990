package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a command is. Of records it is how much of them has been read, by bytes, for only they are known
// beforehand. A nil progress shows nothing.
type progress struct {
	bar    *progressbar.ProgressBar
	before int64 // bytes of the files that are done
	file   *os.File
	read   int64 // of file
}

// newProgress makes a bar if stderr is a terminal; a log must not be filled with bars.
func newProgress(errout io.Writer, what string, total int64, options ...progressbar.Option) *progress {
	terminal, ok := errout.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return nil
	}
	return &progress{bar: progressbar.NewOptions64(total, append(options,
		progressbar.OptionSetWriter(errout),
		progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
	)...)}
}

// newReading is a progress through files.
func newReading(errout io.Writer, files []string) *progress {
	var total int64
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			total += info.Size()
		}
	}
	return newProgress(errout, "replay", total, progressbar.OptionShowBytes(true))
}

// to moves the bar to so many of so many. An error of the terminal is nobody's concern.
func (p *progress) to(done, of uint64) {
	if p != nil {
		p.bar.ChangeMax64(int64(of))
		p.bar.Set64(int64(done))
	}
}

// at moves the bar to where a file has been read.
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
