//go:build linux

package isolate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter makes the namespaces that Run made ready for work: a /proc of their own,
// loopback up, and an empty directory in memory, whose path it returns, for all that
// is temporary: it vanishes with the namespaces. The context that it returns ends with
// ctx, when Run's context ends, and when Run's process is gone.
func Enter(ctx context.Context) (inside context.Context, dir string, err error) {
	inside, cancel := context.WithCancel(ctx)
	if err := follow(inside, cancel); err != nil {
		cancel()
		return nil, "", err
	}
	if dir, err = prepare(); err != nil {
		cancel()
		return nil, "", err
	}
	return inside, dir, nil
}

// follow calls gone when nobody holds the other end of the lifeline any more.
func follow(ctx context.Context, gone func()) error {
	unix.CloseOnExec(lifeline)
	if err := unix.SetNonblock(lifeline, true); err != nil { // so that closing it ends the read
		return fmt.Errorf("lifeline: %w; this is for a program that was started by itself in namespaces of its own", err)
	}
	f := os.NewFile(lifeline, "lifeline")
	context.AfterFunc(ctx, func() { _ = f.Close() })
	go func() {
		_, _ = f.Read(make([]byte, 1)) // nothing is ever written
		gone()
	}()
	return nil
}

func prepare() (dir string, err error) {
	// Nothing that is mounted from here on may reach the mounts outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return "", fmt.Errorf("mount /proc of the new process namespace: %w (inside a container, run it with --security-opt systempaths=unconfined)", err)
	}
	if err := LoopbackUp(); err != nil {
		return "", fmt.Errorf("bring loopback up: %w", err)
	}
	dir, err = scratch()
	if err != nil {
		return "", err
	}
	// Chromium's shared memory; without it, it uses the temporary directory.
	_ = unix.Mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
	return dir, nil
}

// ByRoot reports whether it was root who called Run; it is for the inside.
func ByRoot() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(b))
	return err == nil && len(fields) > 1 && fields[1] == "0"
}

// scratch mounts an empty directory in memory over one that every Linux has and that
// nothing of ours lies in. Outside, that directory stays as it is.
func scratch() (string, error) {
	var errs []error
	for _, dir := range []string{"/mnt", "/media", "/srv", "/opt"} {
		if inUse(dir) {
			continue
		}
		err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700,size=1g")
		if err == nil {
			return dir, nil
		}
		errs = append(errs, fmt.Errorf("mount memory on %s: %w", dir, err))
	}
	return "", errors.Join(append(errs, errors.New("no directory was free to mount memory on"))...)
}

// inUse reports whether the program, or where it was called, lies below dir.
func inUse(dir string) bool {
	exe, err := os.Executable()
	wd, werr := os.Getwd()
	if err != nil || werr != nil {
		return true
	}
	return strings.HasPrefix(filepath.Clean(exe)+"/", dir+"/") || strings.HasPrefix(filepath.Clean(wd)+"/", dir+"/")
}

// LoopbackUp makes 127.0.0.1 usable in a network namespace that was just made.
func LoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
