//go:build cgo

package main

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "libpact.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/foreshock/foreshock/contracts/worker"
)

// A library is a loaded libpact_ffi. It stays loaded until the process ends.
type library struct {
	at  worker.Library
	lib C.struct_libpact
}

// load loads the libpact_ffi at path, and refuses one of another version than the
// functions were declared for.
func load(path string) (*library, *worker.Error) {
	l := &library{at: worker.Library{Path: path}}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if reason := C.libpact_open(name, &l.lib); reason != nil {
		defer C.free(unsafe.Pointer(reason))
		return nil, &worker.Error{
			Kind: worker.KindTool, Want: worker.LibraryVersion,
			Message: fmt.Sprintf("libpact_ffi: %s does not load: %s; %s", path, C.GoString(reason), howToGet),
		}
	}
	l.at.Version = C.GoString(C.libpact_version(&l.lib))
	if l.at.Version != worker.LibraryVersion {
		return nil, &worker.Error{
			Kind: worker.KindTool, Want: worker.LibraryVersion, Found: l.at.Version,
			Message: fmt.Sprintf("libpact_ffi: %s: got version %s, want %s; %s", path, l.at.Version, worker.LibraryVersion, howToGet),
		}
	}
	return l, nil
}

// verify verifies one pact file against the provider of the request.
func (l *library) verify(req worker.Request, file string) worker.Pact {
	var texts []*C.char
	text := func(s string) *C.char {
		c := C.CString(s)
		texts = append(texts, c)
		return c
	}
	job := C.struct_job{
		application: text(name), application_version: text(version()),
		provider: text(req.Provider), scheme: text(req.Scheme), host: text(req.Host), path: text(req.Path),
		port: C.ushort(req.Port), file: text(file), timeout_ms: C.ulong(req.TimeoutMS),
	}
	if req.StateURL != "" {
		job.state_url = text(req.StateURL)
	}
	if req.InsecureTLS {
		job.insecure = 1
	}
	if n := len(req.Headers); n > 0 {
		array := C.malloc(C.size_t(2*n) * C.size_t(unsafe.Sizeof(job.file)))
		defer C.free(array)
		pairs := unsafe.Slice((**C.char)(array), 2*n)
		for i, h := range req.Headers {
			pairs[2*i], pairs[2*i+1] = text(h.Name), text(h.Value)
		}
		job.headers, job.header_count = &pairs[0], C.size_t(n)
	}
	defer func() {
		for _, c := range texts {
			C.free(unsafe.Pointer(c))
		}
	}()

	var verdict *C.char
	pact := worker.Pact{File: file, Code: int(C.libpact_verify(&l.lib, &job, &verdict))}
	if verdict != nil {
		defer C.free(unsafe.Pointer(verdict))
		pact.Verdict = json.RawMessage(C.GoString(verdict))
	}
	return pact
}

// version is what pact verifiers are asked to call this program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
