package pause

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	doorPrefix = "@foreshock/pause/"
	doorLimit  = 3 * time.Second // of one conversation
	stateLimit = time.Second     // of one that only asks
	doorTick   = 100 * time.Millisecond

	wordState  = "state"
	wordResume = "resume"
)

// A door is where other processes find a pause and ask for its end: an abstract
// socket, which belongs to the network namespace and goes when its process does.
type door struct {
	pause    *Pause
	name     string
	listener *net.UnixListener
	closed   chan struct{}
	once     sync.Once
	visits   sync.WaitGroup
}

// An answer is what is said at the door, in JSON.
type answer struct {
	Active Active
	Error  string
}

// openDoor names the door by the run, so that its name alone tells which run's it is.
func openDoor(p *Pause, run string) (*door, error) {
	sum := sha256.Sum256([]byte(run))
	d := &door{pause: p, closed: make(chan struct{}), name: doorPrefix + hex.EncodeToString(sum[:4]) + "-" + strings.ToLower(rand.Text()[:8])}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.name, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", d.name, err)
	}
	d.listener = l
	d.visits.Go(d.open)
	return d, nil
}

// close lets nobody in any more; wait waits for those inside.
func (d *door) close() {
	d.once.Do(func() {
		close(d.closed)
		_ = d.listener.Close()
	})
}

func (d *door) wait() { d.visits.Wait() }

func (d *door) open() {
	tick := time.NewTicker(doorTick)
	defer tick.Stop()
	for {
		conn, err := d.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // short of file descriptors: later, perhaps
			select {
			case <-d.closed:
				return
			case <-tick.C:
			}
			continue
		}
		d.visits.Go(func() {
			defer func() { _ = conn.Close() }()
			ctx, cancel := context.WithTimeout(context.Background(), doorLimit)
			defer cancel()
			_ = conn.SetDeadline(time.Now().Add(doorLimit))
			_ = json.NewEncoder(conn).Encode(d.answer(ctx, conn)) // who hung up does not want it
		})
	}
}

func (d *door) answer(ctx context.Context, conn *net.UnixConn) answer {
	word, _ := bufio.NewReader(io.LimitReader(conn, 16)).ReadString('\n')
	var err error
	switch strings.TrimSpace(word) {
	case wordState:
	case wordResume:
		var who *unix.Ucred
		if who, err = peer(conn); err == nil && who.Uid != 0 && int(who.Uid) != unix.Getuid() {
			err = fmt.Errorf("uid %d may not end a pause of uid %d", who.Uid, unix.Getuid())
		}
		if err == nil {
			err = d.pause.dismiss(ctx, errOther, ErrHealed)
		}
	default:
		err = fmt.Errorf("got %q, want %s or %s", word, wordState, wordResume)
	}
	a := answer{Active: d.pause.active()}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// peer asks the kernel who is at the other end.
func peer(conn *net.UnixConn) (who *unix.Ucred, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) {
		who, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if cerr != nil {
		return nil, cerr
	}
	return who, err
}
