package main

import (
	"io"
	"os"
)

// What a terminal is told to change how it writes.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// paint colours text on a terminal, and leaves it as it is anywhere else.
func (p *program) paint(colour, text string) string {
	if !p.colours {
		return text
	}
	return colour + text + plain
}

// takesColours reports whether w is a terminal whose user does not refuse colours.
func takesColours(w io.Writer, env func(string) (string, bool)) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	if refused, _ := env("NO_COLOR"); refused != "" {
		return false
	}
	if kind, _ := env("TERM"); kind == "" || kind == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
