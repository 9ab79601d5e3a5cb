package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// AllowedFile is the operator's mark on a host: while it exists, chaos is allowed there.
const AllowedFile = "/etc/foreshock/chaos-allowed"

// ErrNotAllowed marks a fault that the host's operator did not allow.
var ErrNotAllowed = errors.New("chaos is not allowed on this host")

// Allowed returns nil if faults may be injected here: in a network namespace that
// Foreshock made itself, or where the operator said so. env is such as os.LookupEnv.
func Allowed(env func(string) (string, bool), ownNamespace bool) error {
	return allowed(env, ownNamespace, AllowedFile)
}

func allowed(env func(string) (string, bool), ownNamespace bool, file string) error {
	if ownNamespace {
		return nil
	}
	mark, _ := env("FORESHOCK_CHAOS")
	if mark == "allowed" {
		return nil
	}
	_, err := os.Stat(file)
	if err == nil {
		return nil
	}
	how := fmt.Sprintf("its operator allows it by FORESHOCK_CHAOS=allowed in the environment or by the file %s", file)
	if mark != "" {
		how = fmt.Sprintf("FORESHOCK_CHAOS: got %q, want %q; %s", mark, "allowed", how)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s: %w", ErrNotAllowed, how, err)
	}
	return fmt.Errorf("%w: %s", ErrNotAllowed, how)
}
