package kind

import (
	"errors"
	"fmt"
)

// An Error is what is wrong at one place of a file.
type Error struct {
	File      string
	Line, Col int
	Msg       string // what was found and what was expected
	err       error
}

// Error gives file:line:column: message, as editors read it.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg) }

// Unwrap returns the cause, if it was an error.
func (e *Error) Unwrap() error { return e.err }

// Errorf makes an error at the node's place. Its text shows no secret that Expand
// put into the file.
func (n Node) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{File: n.File, Line: n.Line, Col: n.Col, Msg: n.secrets.Mask(err.Error()), err: err}
}

// At says that err concerns the key at path, such as "expect.status", of the
// settings a kind was built from, so that the message can point there.
func At(path string, err error) error { return &pathError{path, err} }

type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

// Locate turns an error of building something from n into one with a place: the
// key that At named, or n itself.
func (n Node) Locate(err error) error {
	if _, placed := errors.AsType[*Error](err); err == nil || placed {
		return err
	}
	return n.locate("", err)
}

// locate is Locate for an err that has no place yet, behind the path that led to n.
func (n Node) locate(path string, err error) error {
	at, inner := n, err
	for { // one path may lie inside another
		p, ok := errors.AsType[*pathError](inner)
		if !ok {
			return at.Errorf("%s%w", prefix(path), err)
		}
		at, inner = at.find(p.path), p.err
	}
}
