package lab

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// around is what is wrong around a breaker that is right.
type around = func(ctx context.Context, s Service, m *model) gate

// leak lets every nth rejected call through.
func leak(n int64) around {
	return func(_ context.Context, _ Service, m *model) gate {
		var refused atomic.Int64
		return gate{func(ctx context.Context, fn func(context.Context) error) error {
			err := m.do(ctx, fn)
			if errors.Is(err, errRejected) && refused.Add(1)%n == 0 {
				return fn(ctx)
			}
			return err
		}, m.says}
	}
}

// late makes every nth rejection take its time.
func late(n int64, by time.Duration) around {
	return func(_ context.Context, _ Service, m *model) gate {
		var refused atomic.Int64
		return gate{func(ctx context.Context, fn func(context.Context) error) error {
			err := m.do(ctx, fn)
			if errors.Is(err, errRejected) && refused.Add(1)%n == 0 {
				pause(ctx, by)
			}
			return err
		}, m.says}
	}
}

// knocking asks the dependency every 200 ms whether it is back, while the breaker is open.
func knocking(ctx context.Context, s Service, m *model) gate {
	go func() {
		for ctx.Err() == nil {
			pause(ctx, 200*time.Millisecond)
			if m.says() == open {
				once, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
				knock(once, s.Dependencies[0], 150*time.Millisecond)
				cancel()
			}
		}
	}()
	return m.gate()
}

// behind tries every tenth rejected call again a little later, when its caller has its answer.
func behind(life context.Context, _ Service, m *model) gate {
	var refused atomic.Int64
	return gate{func(ctx context.Context, fn func(context.Context) error) error {
		err := m.do(ctx, fn)
		if errors.Is(err, errRejected) && refused.Add(1)%10 == 0 {
			go func() {
				later, cancel := context.WithTimeout(life, time.Second)
				defer cancel()
				pause(later, 5*time.Millisecond)
				_ = fn(later) // nobody waits for it
			}()
		}
		return err
	}, m.says}
}

// queueing remembers rejected calls and makes them all at once when the breaker closes.
func queueing(life context.Context, _ Service, m *model) gate {
	var mu sync.Mutex
	var queue []func(context.Context) error
	return gate{func(ctx context.Context, fn func(context.Context) error) error {
		err := m.do(ctx, fn)
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, errRejected) {
			queue = append(queue, fn)
			return err
		}
		if err == nil && m.says() == closed {
			for _, fn := range queue {
				go func() { _ = fn(life) }() // nobody waits for it
			}
			queue = nil
		}
		return err
	}, m.says}
}

// threads is a breaker for each of n threads of the service, taken in turn.
func threads(s Service, n int) gate {
	var models []*model
	for range n {
		models = append(models, newModel(s))
	}
	var turn atomic.Int64
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		return models[int(turn.Add(1))%n].do(ctx, fn)
	}}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
