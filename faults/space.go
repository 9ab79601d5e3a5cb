package faults

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/osthread"
)

// threadNetns is the namespace of the calling thread; /proc/self/ns/net would be
// that of the main thread, which may be another.
const threadNetns = "/proc/thread-self/ns/net"

// A space is one network namespace, held open: it stays the same whatever thread a
// later call runs on, and even if its last process ends.
type space struct {
	file *os.File
	id   string
}

// openSpace opens the namespace that word names, as [Injector.Netns] does; "" is the caller's own.
func openSpace(word string) (*space, error) {
	file, err := openNetns(word)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("network namespace %s: %w", word, err)
	}
	id := fmt.Sprintf("net:[%d]", st.Ino)
	return &space{file, id}, nil
}

func (s *space) close() { _ = s.file.Close() }

// do runs fn on a thread in the namespace. When ctx ends it returns at once, and fn
// runs to its end by itself.
func (s *space) do(ctx context.Context, fn func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		here, err := os.Readlink(threadNetns)
		switch {
		case err != nil:
			done <- s.cannot(err)
		case here == s.id:
			done <- fn()
		default:
			s.enter(fn, done)
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// learn is do for what fn finds out; nothing is returned of an fn that still runs.
func learn[T any](ctx context.Context, s *space, fn func() (T, error)) (found T, err error) {
	done := make(chan T, 1)
	err = s.do(ctx, func() error {
		v, err := fn()
		done <- v
		return err
	})
	if err == nil {
		found = <-done
	}
	return found, err
}

// enter runs fn on a thread that ends with it, so that nothing else ever runs in the
// foreign namespace.
func (s *space) enter(fn func() error, done chan<- error) {
	osthread.Go(func() {
		if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- s.cannot(err)
			return
		}
		done <- fn()
	})
}

func (s *space) cannot(err error) error {
	return fmt.Errorf("enter network namespace %s: %w", s.id, err)
}
