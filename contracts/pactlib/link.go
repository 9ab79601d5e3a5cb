//go:build cgo

package pactlib

// #cgo linux LDFLAGS: -L${SRCDIR}/../../.tools/pact -Wl,-rpath,${SRCDIR}/../../.tools/pact
import "C"
