package journeys

import (
	"slices"
	"strings"
	"sync"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
)

const (
	linesKept  = 200 // of the console: the newest
	lineLength = 1000
)

// A consoleLine is what the page or the browser wrote to the console.
type consoleLine struct {
	AtMS   int64  `json:"at_ms"` // since the run began
	Level  string `json:"level"` // error, warning, info, log, debug ...
	Text   string `json:"text"`
	Source string `json:"source,omitempty"` // address of the script or of the document
	Line   int64  `json:"line,omitempty"`   // from 1
	Column int64  `json:"column,omitempty"` // from 1
}

// A console remembers what was written to it.
type console struct {
	mu      sync.Mutex
	start   time.Time
	lines   []consoleLine
	dropped int
}

func newConsole() *console { return &console{start: time.Now()} }

//nolint:forbidigo // the rule means the standard library's log
func (c *console) event(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		line := consoleLine{Level: string(ev.Type), Text: said(ev.Args)}
		line.from(ev.StackTrace)
		c.add(ev.Timestamp, line)
	case *runtime.EventExceptionThrown:
		d := ev.ExceptionDetails
		line := consoleLine{Level: "error", Text: d.Text, Source: d.URL, Line: d.LineNumber + 1, Column: d.ColumnNumber + 1}
		if d.Exception != nil && d.Exception.Description != "" {
			line.Text += " " + d.Exception.Description
		}
		if line.Source == "" {
			line.from(d.StackTrace)
		}
		c.add(ev.Timestamp, line)
	case *cdplog.EventEntryAdded:
		line := consoleLine{Level: string(ev.Entry.Level), Text: ev.Entry.Text, Source: ev.Entry.URL}
		if ev.Entry.LineNumber > 0 {
			line.Line = ev.Entry.LineNumber + 1
		}
		c.add(ev.Entry.Timestamp, line)
	}
}

func (l *consoleLine) from(trace *runtime.StackTrace) {
	if trace != nil && len(trace.CallFrames) > 0 {
		f := trace.CallFrames[0]
		l.Source, l.Line, l.Column = f.URL, f.LineNumber+1, f.ColumnNumber+1
	}
}

func (c *console) add(at runtime.Timestamp, l consoleLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.AtMS = max(int64(float64(at))-c.start.UnixMilli(), 0)
	if len(l.Text) > 10*lineLength { // the rest is cut once it is masked
		l.Text = l.Text[:10*lineLength]
	}
	if len(c.lines) == linesKept {
		c.lines = slices.Delete(c.lines, 0, 1)
		c.dropped++
	}
	c.lines = append(c.lines, l)
}

// transcript gives the lines, masked, and how many older ones there were.
func (c *console) transcript(r redactor) (lines []consoleLine, dropped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines = slices.Clone(c.lines)
	for i, l := range lines {
		lines[i].Text = cut(r.text(strings.ToValidUTF8(l.Text, "?")), lineLength)
		if l.Source != "" {
			lines[i].Source = r.url(l.Source)
		}
	}
	return lines, c.dropped
}
