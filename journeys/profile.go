package journeys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const profilePrefix = "foreshock-profile-"

// A profile is the temporary directory of one browser. Its owner holds a lock on the
// directory itself, which the kernel gives up when the owner dies: so a profile
// without a lock has no owner, whatever became of its process and its number.
type profile struct {
	dir  string
	lock *os.File
}

func newProfile(parent string) (*profile, error) {
	var err error
	for range 3 { // a sweeper may take the directory before it is locked
		var dir string
		if dir, err = os.MkdirTemp(parent, profilePrefix); err != nil {
			return nil, fmt.Errorf("browser profile: %w", err)
		}
		var lock *os.File
		if lock, err = lockDir(dir); err == nil {
			return &profile{dir, lock}, nil
		}
	}
	return nil, fmt.Errorf("browser profile: %w", err)
}

// lockDir fails if another holds the lock, or removed the directory meanwhile. The
// file is not inherited by the browser.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir) //nolint:gosec // our own directory
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	locked, err := f.Stat()
	there, err2 := os.Stat(dir)
	if err != nil || err2 != nil || !os.SameFile(locked, there) {
		return nil, errors.Join(fmt.Errorf("lock %s: it was removed meanwhile", dir), f.Close())
	}
	return f, nil
}

// remove deletes the directory. A browser's last process may still write into it, so
// it tries again until ctx ends.
func (p *profile) remove(ctx context.Context) error {
	defer p.lock.Close()
	for {
		err := os.RemoveAll(p.dir)
		if err == nil {
			return nil
		}
		if ctxErr := sleep(ctx, 20*time.Millisecond); ctxErr != nil {
			return fmt.Errorf("browser profile: %w", err)
		}
	}
}

// sweepProfiles removes the profiles in parent that have no owner, and returns how
// many. What belongs to other users is left alone.
func sweepProfiles(ctx context.Context, parent string) (swept int, err error) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return 0, fmt.Errorf("browser profiles: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), profilePrefix) {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		lock, err := lockDir(dir)
		if err != nil {
			continue // it has an owner, or is not ours
		}
		if err := (&profile{dir, lock}).remove(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		swept++
	}
	return swept, errors.Join(errs...)
}
