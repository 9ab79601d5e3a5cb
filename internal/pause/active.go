package pause

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An Active is a pause of a living process on this machine, whoever opened it. A dead
// one's do not exist: the kernel has let their targets run on.
type Active struct {
	Door      string // its name among the abstract sockets
	Run       string
	Name      string
	Location  string
	Target    string
	Owner     int // the process that opened it
	Since     time.Time
	Until     time.Time
	Armed     bool // its target stands still
	Processes []Process
	// Silent says why the owner does not answer; all but Door and Owner is unknown then.
	// The end of the owner, by kill -9 too, ends the pause.
	Silent string
}

// answerMax bounds what an owner may say of itself, in bytes.
const answerMax = 1 << 20

func (p *Pause) active() Active {
	a := Active{
		Run: p.options.Run, Name: p.options.Name, Location: p.options.Location, Target: p.target.String(),
		Since: p.since.UTC(), Until: p.options.Until.UTC(),
	}
	if h := p.last(); h != nil && !h.over() {
		a.Armed = true
		_, a.Processes, _ = h.facts()
	}
	return a
}

// List finds the pauses of all processes in the caller's network namespace, oldest
// first, armed or not.
func List(ctx context.Context) ([]Active, error) {
	names, err := doors()
	if err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	found := make([]Active, len(names))
	var asked sync.WaitGroup
	for n, name := range names {
		c, err := knock(ctx, name) // on the caller's thread: the others may be in another namespace
		if err != nil {
			continue // it has just ended
		}
		asked.Go(func() { // a silent one must not keep the others waiting
			a, err := converse(ctx, c, name, wordState, stateLimit)
			switch {
			case errors.Is(err, errGone):
				return
			case err != nil:
				a.Silent = err.Error()
			}
			found[n] = a
		})
	}
	asked.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	found = slices.DeleteFunc(found, func(a Active) bool { return a.Door == "" })
	slices.SortStableFunc(found, func(a, b Active) int { return a.Since.Compare(b.Since) })
	return found, nil
}

// Heal ends the pauses with this name, run id or door, and returns them. That there is
// none is no error; an owner that does not answer is, and the error names it.
func Heal(ctx context.Context, name string) ([]Active, error) {
	return healIf(ctx, func(a Active) bool { return name != "" && (a.Name == name || a.Run == name || a.Door == name) })
}

// HealAll ends every pause, and returns them.
func HealAll(ctx context.Context) ([]Active, error) {
	return healIf(ctx, func(Active) bool { return true })
}

func healIf(ctx context.Context, wanted func(Active) bool) ([]Active, error) {
	found, err := List(ctx)
	if err != nil {
		return nil, err
	}
	var healed []Active
	var errs []error
	for _, a := range found {
		if !wanted(a) {
			continue
		}
		err := errors.New(a.Silent)
		if a.Silent == "" {
			_, err = ask(ctx, a.Door, wordResume, doorLimit)
		}
		if err != nil && !errors.Is(err, errGone) {
			errs = append(errs, fmt.Errorf("heal pause %s: %w; the end of process %d ends it too (kill -9 %d)", a.Door, err, a.Owner, a.Owner))
			continue
		}
		healed = append(healed, a)
	}
	return healed, errors.Join(errs...)
}

// doors lists the sockets of living pausers in the caller's network namespace.
func doors() ([]string, error) {
	text, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		// A conversation has the name of its door too.
		if f := strings.Fields(line); len(f) == 8 && strings.HasPrefix(f[7], doorPrefix) && !slices.Contains(names, f[7]) {
			names = append(names, f[7])
		}
	}
	return names, nil
}

var errGone = errors.New("it has just ended")

func ask(ctx context.Context, name, word string, limit time.Duration) (Active, error) {
	c, err := knock(ctx, name)
	if err != nil {
		return Active{Door: name}, err
	}
	return converse(ctx, c, name, word, limit)
}

// knock finds the door in the namespace of the calling thread.
func knock(ctx context.Context, name string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", name)
	if err != nil {
		return nil, errGone
	}
	return c, nil
}

// converse says one word at a door. What it answers is believed as to what is paused,
// but whose door it is the kernel says.
func converse(ctx context.Context, c net.Conn, name, word string, limit time.Duration) (Active, error) {
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, _ := c.(*net.UnixConn)
	who, err := peer(conn)
	if err != nil {
		return Active{Door: name}, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var a answer
	if _, err = io.WriteString(conn, word+"\n"); err == nil {
		err = json.NewDecoder(io.LimitReader(conn, answerMax)).Decode(&a)
	}
	a.Active.Door, a.Active.Owner = name, int(who.Pid)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		err = errGone
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("process %d does not answer", who.Pid)
	case err != nil:
		err = fmt.Errorf("process %d: %w", who.Pid, err)
	case a.Error != "":
		err = errors.New(a.Error)
	}
	return a.Active, err
}
