//go:build !linux

package journeys

import (
	"log/slog"
	"os/exec"
)

// tie does nothing here: only Linux ends a child with its parent.
func tie(bool) func(*exec.Cmd) { return func(*exec.Cmd) {} }

func endGroup(int) {}

func yieldTo(int, *slog.Logger) {}

func smallShm() bool { return true }

func groupMemory(int) int64 { return 0 }

func freeMemory() (int64, bool) { return 0, false }
