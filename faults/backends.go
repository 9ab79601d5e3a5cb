package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The backends of iptables: rules of one are in tables that the other does not see,
// and a packet passes both.
const (
	backendNFT    = "nft"
	backendLegacy = "legacy"
)

// backend says which one a command writes to.
func (t *table) backend(ctx context.Context) string {
	real, err := filepath.EvalSymlinks(t.path)
	for _, word := range []string{backendNFT, backendLegacy} {
		if err == nil && strings.Contains(filepath.Base(real), word) {
			return word
		}
	}
	if strings.Contains(t.version(ctx), "nf_tables") {
		return backendNFT
	}
	return backendLegacy
}

// other returns the same table of the other backend, or nil where that is not
// installed or was never used: to look at it would call it to life.
func (in *Injector) other(ctx context.Context, t *table) *table {
	suffix := backendLegacy
	if t.backend(ctx) == backendLegacy {
		suffix = backendNFT
	}
	o, err := (&Injector{Suffix: suffix}).table(t.space, t.family)
	if err != nil || suffix == backendLegacy && !t.legacyUsed(ctx) {
		return nil
	}
	o.second = true
	return o
}

// legacyUsed reads which tables the older backend has in this namespace.
func (t *table) legacyUsed(ctx context.Context) bool {
	file := "/proc/thread-self/net/ip_tables_names"
	if t.family == IPv6 {
		file = "/proc/thread-self/net/ip6_tables_names"
	}
	text, err := learn(ctx, t.space, func() ([]byte, error) { return os.ReadFile(file) })
	// It is not there where the kernel lacks the backend.
	return err == nil && slices.Contains(strings.Fields(string(text)), filter)
}

// foreignBackend says that the other backend holds rules too, or "".
func (in *Injector) foreignBackend(ctx context.Context, t *table) (string, error) {
	if in.Suffix != "" {
		return "", nil // by name: for whoever knows both
	}
	o := in.other(ctx, t)
	if o == nil {
		return "", nil
	}
	s, err := o.read(ctx)
	switch {
	case errors.Is(err, errIncompatible):
		return fmt.Sprintf("both backends of iptables are used: %s writes to one, and the tables of %s hold rules made by nft; packets pass both", t.path, o.path), nil
	case err != nil || len(s.rules) == 0:
		return "", err
	}
	return fmt.Sprintf("both backends of iptables hold rules: %s writes to one, and %s holds %d; packets pass both, and either may take them from a fault", t.path, o.path, len(s.rules)), nil
}
