//go:build !cgo

package main

import "github.com/foreshock/foreshock/contracts/worker"

// A library cannot be loaded without cgo: the worker says so, and does nothing else.
type library struct{ at worker.Library }

func open(string) (*library, *worker.Error) {
	return nil, &worker.Error{
		Kind: worker.KindTool, Want: worker.LibraryVersion,
		Message: "foreshock-pact was built without cgo and cannot load libpact_ffi; build it with CGO_ENABLED=1 and a C compiler (make build)",
	}
}

func (l *library) verify(_ worker.Request, file string) worker.Pact {
	return worker.Pact{File: file, Code: -1}
}
