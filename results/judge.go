package results

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Cause is the one fixed word that says why a status is not ok.
type Cause string

// The causes of a critical or a warning: the service is to blame.
const (
	CauseRefused     Cause = "refused"
	CauseTimeout     Cause = "timeout"
	CauseReset       Cause = "reset"
	CauseUnreachable Cause = "unreachable" // a router on the way said so
	CauseTLS         Cause = "tls"
	CauseNXDomain    Cause = "nxdomain"
	CauseAnswer      Cause = "answer" // it answered, and wrongly
	CauseSlow        Cause = "slow"
	CauseExpiring    Cause = "expiring"         // a certificate
	CauseContract    Cause = "contract"         // the answer breaks a contract
	CauseDocumented  Cause = "documented-error" // the answer is an error that its contract documents
	CauseDrift       Cause = "drift"            // something else runs than is recorded
	CauseBreaker     Cause = "breaker"          // a circuit breaker does not do what was declared
	CauseHeal        Cause = "heal"             // a fault could not be taken back
)

// The causes of an unknown: the check could not look.
const (
	CauseMissed     Cause = "missed"
	CauseTool       Cause = "tool"
	CauseBrowser    Cause = "browser"
	CauseResources  Cause = "resources"
	CausePermission Cause = "permission"
	CauseNetwork    Cause = "network"
	CauseResolver   Cause = "resolver"
	CauseStalled    Cause = "stalled"
	CauseStopped    Cause = "stopped"
	CauseInternal   Cause = "internal"
)

// ErrUnknown is what every error matches whose status is unknown.
var ErrUnknown = errors.New("could not look")

// An Error gives a status and a cause to what it wraps, whatever that would have been by itself.
type Error struct {
	Status Status
	Cause  Cause
	Err    error
}

// Error returns the text of the wrapped error: the status has a place of its own.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Is reports that an unknown Error is [ErrUnknown].
func (e *Error) Is(target error) bool { return target == ErrUnknown && e.Status == Unknown }

// Blind wraps err as unknown: the check could not look because of cause.
func Blind(cause Cause, err error) error { return &Error{Unknown, cause, err} }

// Fault wraps err as critical: the service is to blame because of cause.
func Fault(cause Cause, err error) error { return &Error{Critical, cause, err} }

// Warn wraps err as a warning because of cause.
func Warn(cause Cause, err error) error { return &Error{Warning, cause, err} }

// Judge turns a check's error into a status and a cause. Of joined errors the
// worst counts: critical, unknown, warning, ok. An error that says nothing of
// itself is critical, and its cause is read from what the standard library wraps.
func Judge(err error) (Status, Cause) {
	if err == nil {
		return OK, ""
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // the tree is walked level by level
		return e.Status, e.Cause
	}
	if s, c, ok := known(err); ok {
		return s, c
	}
	switch x := err.(type) { //nolint:errorlint // the tree is walked level by level
	case interface{ Unwrap() []error }:
		worst, cause := OK, Cause("")
		for _, e := range x.Unwrap() {
			s, c := Judge(e)
			if s.Worse(worst) || s == worst && cause == CauseAnswer && c != "" {
				worst, cause = s, c
			}
		}
		return worst, cause
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return Judge(inner)
		}
	}
	return Critical, CauseAnswer
}

// known reads one level of an error: what it is itself, not what it wraps.
func known(err error) (Status, Cause, bool) {
	switch err {
	case ErrUnknown: //nolint:errorlint // the tree is walked level by level
		return Unknown, CauseInternal, true
	case context.Canceled:
		return Unknown, CauseStopped, true
	case context.DeadlineExceeded, os.ErrDeadlineExceeded:
		return Critical, CauseTimeout, true
	case io.EOF, io.ErrUnexpectedEOF:
		return Critical, CauseReset, true
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked level by level
	case syscall.Errno:
		return errno(e)
	case *net.DNSError:
		return dns(e)
	case *net.OpError:
		if e.Op == "remote error" || e.Op == "local error" { // an alert, of a type that crypto/tls keeps to itself
			return Critical, CauseTLS, true
		}
	case *tls.CertificateVerificationError, tls.RecordHeaderError, tls.AlertError,
		x509.UnknownAuthorityError, x509.HostnameError, x509.CertificateInvalidError:
		return Critical, CauseTLS, true
	}
	return leaf(err)
}

// leaf reads an error that wraps nothing and is one of the standard library's own by
// what it says of itself: package net has words of its own for a context that ended.
func leaf(err error) (Status, Cause, bool) {
	if _, joined := err.(interface{ Unwrap() []error }); joined || errors.Unwrap(err) != nil {
		return OK, "", false
	}
	t, ok := err.(interface{ Timeout() bool })
	switch {
	case errors.Is(err, context.Canceled):
		return Unknown, CauseStopped, true
	case ok && t.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return Critical, CauseTimeout, true
	}
	return OK, "", false
}

func errno(e syscall.Errno) (Status, Cause, bool) {
	switch e { //nolint:exhaustive // there are 130 of them; the rest is critical
	case syscall.ECONNREFUSED:
		return Critical, CauseRefused, true
	case syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		return Critical, CauseReset, true
	case syscall.ETIMEDOUT:
		return Critical, CauseTimeout, true
	case syscall.EHOSTUNREACH:
		return Critical, CauseUnreachable, true
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.EAGAIN, syscall.ENOSPC:
		return Unknown, CauseResources, true
	case syscall.EACCES, syscall.EPERM:
		return Unknown, CausePermission, true
	case syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EAFNOSUPPORT:
		return Unknown, CauseNetwork, true
	}
	return OK, "", false
}

// dns tells a name that does not exist (theirs) from a resolver that is silent (ours).
func dns(e *net.DNSError) (Status, Cause, bool) {
	if e.IsNotFound {
		return Critical, CauseNXDomain, true
	}
	return Unknown, CauseResolver, true
}
