// Package grpc puts circuit breakers before the calls of a gRPC client. It must never
// keep a stream from its caller's context, nor end one that the caller still reads.
package grpc

import (
	"context"
	"errors"
	"io"
	"slices"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/foreshock/foreshock/breaker"
)

// An Interceptor guards the calls of a client. Its Unary and Stream are what
// grpc.WithChainUnaryInterceptor and grpc.WithChainStreamInterceptor ask for. The fields must
// not change once it is in use.
type Interceptor struct {
	// Group holds the breakers. Required.
	Group *breaker.Group
	// Key names the breaker of a call; default the client's target.
	Key func(target, method string) string
	// Codes are those that count as failures of the dependency; default [FailureCodes].
	Codes []codes.Code
}

// FailureCodes returns the codes that count as failures unless told otherwise: those
// that say that the dependency is in trouble, not that the request was wrong.
func FailureCodes() []codes.Code {
	return []codes.Code{
		codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted,
		codes.Internal, codes.Unknown, codes.DataLoss,
	}
}

// Unary makes the call unless the breaker is open. The error of a call that is not made
// has the code Unavailable if the breaker is open and ResourceExhausted if it is full,
// and wraps the [*breaker.OpenError] or [*breaker.FullError].
func (i *Interceptor) Unary(ctx context.Context, method string, req, reply any, cc *rpc.ClientConn, invoke rpc.UnaryInvoker, opts ...rpc.CallOption) error {
	b, err := i.breaker(cc.Target(), method)
	if err != nil {
		return err
	}
	var answer error // what the dependency said, also if it is no failure
	err = b.Do(ctx, func(ctx context.Context) error {
		answer = invoke(ctx, method, req, reply, cc, opts...)
		return i.failure(ctx, answer)
	})
	if answer != nil {
		return answer
	}
	return refused(err)
}

// Stream opens the stream unless the breaker is open; errors are as in Unary. The call
// has ended for the breaker when the first message has come, or the stream has ended
// without one: a stream may go on for days, and would be a probe for as long. A
// Settings.CallTimeout counts a late first message as a failure and does not end the stream.
func (i *Interceptor) Stream(ctx context.Context, desc *rpc.StreamDesc, cc *rpc.ClientConn, method string, open rpc.Streamer, opts ...rpc.CallOption) (rpc.ClientStream, error) { //nolint:ireturn // as gRPC has it
	b, err := i.breaker(cc.Target(), method)
	if err != nil {
		return nil, err
	}
	_, done, err := b.Allow(ctx)
	if err != nil {
		return nil, refused(err)
	}
	end := func(err error) { done(i.failure(ctx, err)) }
	defer func() {
		if end != nil { // open panicked
			done(errors.New("the stream was not opened"))
		}
	}()
	opened, err := open(ctx, desc, cc, method, opts...)
	ended := end
	end = nil
	if err != nil {
		ended(err)
		return nil, err
	}
	// A caller may also just cancel, and read no more.
	stop := context.AfterFunc(ctx, func() { done(ctx.Err()) })
	return &stream{ClientStream: opened, end: func(err error) { stop(); ended(err) }}, nil
}

func (i *Interceptor) breaker(target, method string) (*breaker.Breaker, error) {
	if i.Group == nil {
		return nil, errors.New("breaker interceptor: group: got none, want the one that holds its breakers")
	}
	if i.Key != nil {
		return i.Group.Get(i.Key(target, method)), nil
	}
	return i.Group.Get(target), nil
}

// failure returns err if it counts as one, or came of the caller's context, which tells
// the rest; else nil: the dependency has answered.
func (i *Interceptor) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	counted := i.Codes
	if counted == nil {
		counted = FailureCodes()
	}
	code := status.Code(err)
	if slices.Contains(counted, code) || code == codes.Canceled && ctx.Err() != nil {
		return err
	}
	return nil
}

// A stream ends its call with its first message.
type stream struct {
	rpc.ClientStream
	end func(error)
}

func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if errors.Is(err, io.EOF) {
		s.end(nil)
		return err
	}
	s.end(err)
	return err
}

// A rejection is the error of a call that was not made, as gRPC has it.
type rejection struct {
	error
	code codes.Code
}

// refused turns the error of a breaker that did not make the call into a status.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, breaker.ErrOpen):
		return &rejection{err, codes.Unavailable}
	case errors.Is(err, breaker.ErrFull):
		return &rejection{err, codes.ResourceExhausted}
	}
	return status.FromContextError(err).Err()
}

func (r *rejection) GRPCStatus() *status.Status { return status.New(r.code, r.Error()) }

func (r *rejection) Unwrap() error { return r.error }
