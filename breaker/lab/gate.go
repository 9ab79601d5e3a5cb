package lab

import (
	"context"
	"errors"
)

// errRejected is the error of a call that a gate did not let through.
var errRejected = errors.New("rejected")

// A gate stands between the service and a dependency: a breaker, right or wrong.
type gate struct {
	// do calls fn and returns its error, or returns errRejected.
	do func(ctx context.Context, fn func(context.Context) error) error
	// says tells where it stands: closed, open or half_open. nil: it does not tell.
	says func() string
}

// A builder makes the gates of a service's dependencies. What they start ends with ctx.
type builder func(ctx context.Context, s Service) ([]gate, error)

// each is the builder of a gate that every dependency has its own of.
func each(build func(Service) (gate, error)) builder {
	return func(_ context.Context, s Service) ([]gate, error) {
		var gs []gate
		for range s.Dependencies {
			g, err := build(s)
			if err != nil {
				return nil, err
			}
			gs = append(gs, g)
		}
		return gs, nil
	}
}

// gates are the breakers in Go, by the word that a Service has for them.
func gates() map[string]builder {
	all := map[string]builder{
		"foreshock":    each(newForeshock),
		overGRPC:       each(newInterceptor),
		"gobreaker-v1": each(newGobreaker1),
		"gobreaker-v2": each(newGobreaker2),
		"failsafe":     each(newFailsafe),
		"hystrix":      newHystrix,
		"eapache":      each(newEapache),
		"plain":        each(func(s Service) (gate, error) { return newModel(s).gate(), nil }),
		"shared":       shared,
	}
	for word, f := range flaws() {
		all[word] = f.builder()
	}
	return all
}
