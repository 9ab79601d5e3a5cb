// Package pactlib tells the linker where scripts/setup-pact.sh puts libpact_ffi, so
// that consumer tests written with pact-go build by a plain go test. It is for tests
// alone: no program may import it, for it would carry the path of this checkout.
package pactlib
