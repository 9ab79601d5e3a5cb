package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

// An answer is what the target sent back. Over gRPC the body is the message as JSON, or
// the text of a status that is not OK.
type answer struct {
	expect.Answer

	code codes.Code // over gRPC
}

// expected is what an answer should be. The zero value expects nothing.
type expected struct {
	expect.HTTP

	Code []string `yaml:"code"` // any of them, over gRPC
}

// IsZero reports whether nothing is expected.
func (e *expected) IsZero() bool { return len(e.Code) == 0 && e.HTTP.IsZero() }

// compile prepares the expressions, and refuses what the protocol does not have.
func (e *expected) compile(grpc bool) error {
	switch {
	case grpc && len(e.Status) > 0:
		return kind.At("status", errors.New("got it with target.grpc, want code, such as code: [OK]"))
	case !grpc && len(e.Code) > 0:
		return kind.At("code", errors.New("got it with target.http, want status, such as status: [200]"))
	}
	for i, c := range e.Code {
		if !slices.Contains(codeNames(), c) {
			return kind.At(fmt.Sprintf("code[%d]", i), errors.New(kind.UnknownWord("code", c, codeNames())))
		}
	}
	return e.Compile()
}

// Check returns all of the answer that is not as expected, or nil.
func (e *expected) Check(a answer) error {
	var wrong error
	if len(e.Code) > 0 && !slices.Contains(e.Code, codeNames()[a.code]) {
		wrong = fmt.Errorf("code: got %s, want %s", codeNames()[a.code], strings.Join(e.Code, " or "))
	}
	rest := e.HTTP
	if a.code != codes.OK && len(rest.JSON) > 0 { // its text may be anything
		wrong = errors.Join(wrong, fmt.Errorf("json: got no message with %s, want one", codeNames()[a.code]))
		rest.JSON = nil
	}
	return errors.Join(wrong, rest.Check(a.Answer))
}

// codeNames are the names of gRPC's codes, each at its number.
func codeNames() []string {
	return []string{
		"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
		"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
		"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
	}
}
