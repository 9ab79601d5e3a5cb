package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// What a terminal is told to change how it writes.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
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
	refused, _ := env("NO_COLOR")
	return refused == "" && obeys(w, env)
}

// obeys reports whether w is a terminal that takes more than text.
func obeys(w io.Writer, env func(string) (string, bool)) bool {
	kind, _ := env("TERM")
	_, _, ok := size(w)
	return ok && kind != "" && kind != "dumb"
}

// size is how many columns and rows a terminal has; ok says that it is one.
func size(of any) (columns, rows int, ok bool) {
	f, isFile := of.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	if ws.Col == 0 || ws.Row == 0 { // a terminal that nobody has measured
		return 80, 24, true
	}
	return int(ws.Col), int(ws.Row), true
}

// printable keeps what a service said from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// clip shortens a text to at most n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:max(0, n-1)]) + "…"
}

// awaitEnter waits until a line was typed at the terminal, its input ended, or ctx did.
func awaitEnter(ctx context.Context, terminal *os.File) error {
	const look = 100 * time.Millisecond
	fds := []unix.PollFd{{Fd: int32(terminal.Fd()), Events: unix.POLLIN}} //nolint:gosec // a file descriptor is small
	for ctx.Err() == nil {
		n, err := unix.Poll(fds, int(look.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("terminal: %w", err)
		}
		if n > 0 { // a terminal hands over whole lines
			_, err := terminal.Read(make([]byte, 4096))
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
	return ctx.Err()
}
