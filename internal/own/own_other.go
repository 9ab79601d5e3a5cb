//go:build !linux

package own

import "syscall"

// Control does nothing: faults and what they count are Linux's alone.
func Control(string, string, syscall.RawConn) error { return nil }
